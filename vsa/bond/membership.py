"""Which sessions a model learned from: enough to recognise one that is withdrawn, without a list of names.

Ids are kept as SHA-256 with a salt of the model's own. That keeps them out of sight, and no more: whoever has the model
and guesses an id can try whether it was in training, and ids are easily guessed when they are numbered.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

#: What an id is the id of.
Kind = Literal["session", "client", "therapist"]


@dataclass(frozen=True)
class Withdrawn:
    """Sessions that were withdrawn after a model had learned from them.

    Attributes
    ----------
    date
        When they were, ISO 8601.
    rows
        Which of the training, from 0 on.
    """

    date: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class TrainedOn:
    """The sessions of a training, n of them.

    Attributes
    ----------
    salt
        The model's own.
    ids
        By kind, n fingerprints; a kind that was not known in training is not there.
    """

    salt: str
    ids: Mapping[Kind, tuple[str, ...]]

    @classmethod
    def of(cls, ids: Mapping[Kind, Sequence[str]], salt: str) -> TrainedOn:
        """Take down the sessions of a training.

        Examples
        --------
        >>> TrainedOn.of({"session": ["s1", "s2"]}, "5f1e").rows({"session": ["s2"]})
        (1,)
        """
        return cls(
            salt, {kind: tuple(_print(salt, kind, name) for name in names) for kind, names in ids.items()}
        )

    def rows(self, ids: Mapping[Kind, Collection[str]]) -> tuple[int, ...] | None:
        """Which rows have any of some ids; None if none of these kinds was known in training."""
        known = {kind: names for kind, names in ids.items() if kind in self.ids}
        if not known:
            return None
        found = set[int]()
        for kind, names in known.items():
            asked = {_print(self.salt, kind, name) for name in names}
            found |= {k for k, one in enumerate(self.ids[kind]) if one in asked}
        return tuple(sorted(found))


def said(withdrawn: Sequence[Withdrawn]) -> tuple[str, ...]:
    """What to tell of a model of whose training something was withdrawn; nothing if nothing was."""
    count = len({row for one in withdrawn for row in one.rows})
    if not count:
        return ()
    sessions = "1 session of its training was" if count == 1 else f"{count} sessions of its training were"
    dates = sorted({one.date[:10] for one in withdrawn})
    when = f"on {dates[0]}" if len(dates) == 1 else f"between {dates[0]} and {dates[-1]}"
    return (f"{sessions} withdrawn {when}: train it again.",)


def _print(salt: str, kind: Kind, name: str) -> str:
    """Ids of sessions that differ in case only can't be of two."""
    name = unicodedata.normalize("NFC", name.strip())
    if kind == "session":
        name = name.casefold()
    return hashlib.sha256(f"{salt} {kind} {name}".encode("utf-8", "surrogatepass")).hexdigest()
