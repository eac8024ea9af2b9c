"""Ids as pages show them: as they are, or as pseudonyms, with what else would give somebody away left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from vsa.study.pseudonyms import Pseudonyms

#: Facts that pages show where ids are pseudonyms: dates, ages and a study's own columns may tell who somebody is.
KEPT = ("session_number", "modality", "platform", "attachment", "diagnosis", "rater", "instrument")
#: Ids, which stand elsewhere, and what is no fact of the session.
_ELSEWHERE = ("session_id", "client_id", "therapist_id", "simulated", "bond", "tile", "seed")
#: A file may be called after the role that it shows; notes name roles, too.
_ROLES = {"client", "therapist", "session"}
_CALLED: Mapping[str, str] = {
    "session_number": "session number",
    "attachment": "attachment",
    "rater": "bond reported by",
    "instrument": "questionnaire",
}


@dataclass(frozen=True, eq=False)
class Names:
    """What ids are called on pages.

    Attributes
    ----------
    key
        Makes pseudonyms; None to show ids as they are.
    known
        Names that notes may hold -> what stands for them.
    """

    key: Pseudonyms | None = None
    known: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        key: Pseudonyms | None,
        sessions: Iterable[str],
        clients: Iterable[str],
        therapists: Iterable[str],
        files: Iterable[str] = (),
        study: Iterable[str] = (),
    ) -> Names:
        """Take all ids of a study, names of its recordings, and its own name and path.

        Raises
        ------
        InputError
            When two ids get the same pseudonym.
        """
        if key is None:
            return cls()
        ids: Mapping[str, tuple[Callable[[str], str], list[str]]] = {
            "session": (key.session, list(sessions)),
            "client": (key.client, list(clients)),
            "therapist": (key.therapist, list(therapists)),
        }
        key.check({kind: names for kind, (_, names) in ids.items()})
        known = {name: shown(name) for shown, names in ids.values() for name in names}
        stems = {name.rpartition(".")[0] or name for name in files} - _ROLES
        return cls(
            key,
            {
                **dict.fromkeys(study, "the study"),
                **dict.fromkeys([*files, *stems], "the recording"),
                **known,
            },
        )

    def session(self, name: str) -> str:
        """A session's id as it is shown."""
        return name if self.key is None else self.key.session(name)

    def client(self, name: str) -> str:
        """A client's."""
        return name if self.key is None or not name else self.key.client(name)

    def therapist(self, name: str) -> str:
        """A therapist's."""
        return name if self.key is None or not name else self.key.therapist(name)

    def text(self, note: str) -> str:
        """A note without the names that it may hold."""
        return note if self.key is None else self.key.scrub(note, self.known)

    def facts(self, facts: Mapping[str, str]) -> dict[str, str]:
        """What is shown of a manifest's facts: label to value."""
        shown = [
            name
            for name in facts
            if (name in KEPT if self.key else name not in _ELSEWHERE and facts[name] != "")
        ]
        return {_CALLED.get(name, name.replace("_", " ")): facts[name] for name in shown if facts[name] != ""}
