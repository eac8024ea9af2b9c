"""What features are computed from: one session's signals, by person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vsa.errors import InputError
from vsa.features.person import STEP_S, Face, Voice
from vsa.features.signals import Flags, Floats
from vsa.voice.turns import Turns
from vsa.voice.voice_track import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

#: Columns that no face table is without; a feature asks for the others by name.
REQUIRED = ("t", "participant", "tracked")

#: What names people in `sound` of ``session.json``.
_WHO = ("participant", "voice", "heard_with")


@dataclass(frozen=True, eq=False)
class Session:
    """One session as features see it, or a part of it.

    Attributes
    ----------
    session_id
        As in ``session.json``.
    faces
        By scope (role or id), in the order of ``session.json``.
    voices
        By scope, for those of whom something is known; all on one grid.
    others
        Where somebody speaks who is none of the participants (off camera), on the grid of the voices, shape (m,).
    turns
        Who took turns when, participants named by scope; None if it is not known who speaks.
    no_turns
        Why there are none, for people.
    sound
        `sound` of ``session.json``, participants named by scope.
    """

    session_id: str
    faces: Mapping[str, Face]
    voices: Mapping[str, Voice] = field(default_factory=dict)
    others: Flags = field(default_factory=lambda: np.empty(0, np.bool_))
    turns: Turns | None = None
    no_turns: str = "there is no sound"
    sound: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scopes(self) -> tuple[str, ...]:
        """The people: their roles, or ids where there are none."""
        return tuple(self.faces)

    @cached_property
    def span_s(self) -> tuple[float, float]:
        """Where the session's pictures and sound begin and end, s; (0, 0) without any."""
        ends = [(face.t[0], face.t[-1] + face.weights_s[-1]) for face in self.faces.values() if len(face.t)]
        ends += [(v.start_s, v.start_s + STEP_S * len(v.known)) for v in self.voices.values() if len(v.known)]
        if not ends:
            return 0.0, 0.0
        starts, stops = zip(*ends, strict=True)
        return float(min(starts)), float(max(stops))

    @cached_property
    def known(self) -> Flags:
        """Where it is known of everybody whether they speak, on the grid of the voices, shape (m,)."""
        flags = [voice.known for voice in self.voices.values()]
        return np.logical_and.reduce(flags) if flags else np.empty(0, np.bool_)

    @cached_property
    def _listening(self) -> dict[str, Flags]:
        speakers = np.sum([self.others, *(voice.speaking for voice in self.voices.values())], axis=0)
        return {
            scope: (speakers > voice.speaking) & ~voice.speaking & voice.known
            for scope, voice in self.voices.items()
        }

    def listening(self, scope: str) -> Flags:
        """Where somebody else speaks and this person, who has a voice, does not; on the grid of the voices, (m,)."""
        return self._listening[scope]

    def at(self, flags: Flags, t: Floats) -> Flags:
        """Steps of the voices' grid at other times; False outside of it.

        Parameters
        ----------
        flags
            Shape (m,).
        t
            Times, s, shape (n,).

        Returns
        -------
        Shape (n,).
        """
        start_s = next(iter(self.voices.values())).start_s
        step = np.floor((t - start_s) / STEP_S + 1e-6).astype(np.int64)
        inside = (step >= 0) & (step < len(flags))
        out = np.zeros(len(t), np.bool_)
        out[inside] = flags[step[inside]]
        return out

    def part(self, start_s: float, end_s: float) -> Session:
        """The session from `start_s` up to `end_s`; what is usual for a person stays that of the whole session."""
        voices = {scope: voice.between(start_s, end_s) for scope, voice in self.voices.items()}
        voice = next(iter(self.voices.values()), None)
        return Session(
            self.session_id,
            {scope: face.between(start_s, end_s) for scope, face in self.faces.items()},
            voices,
            self.others if voice is None else self.others[voice.rows(start_s, end_s)],
            None if self.turns is None else self.turns.between(start_s, end_s),
            self.no_turns,
            self.sound,
        )

    @classmethod
    def from_tables(
        cls,
        meta: Mapping[str, Any],
        face: pd.DataFrame,
        voice: pd.DataFrame | None = None,
        turns: Turns | None = None,
    ) -> Session:
        """Take a session from what extraction wrote.

        Parameters
        ----------
        meta
            ``session.json``: `session_id`; `participants` with `id`, `role` and `gaze_neutral_deg`; `sound`.
        face
            ``face.parquet``, in any order of rows.
        voice
            ``voice.parquet``, each voice in order of time.
        turns
            Found in the voices, or corrected by a person (`sound.turns.from` says which), by id.

        Raises
        ------
        InputError
            When a table lacks its key columns or the parts don't fit together.
        """
        session_id = str(meta.get("session_id", ""))
        people = list(meta.get("participants", []))
        scopes = _scopes(people)
        ids = _check(session_id, face, scopes)
        faces = {}
        for (who, scope), person in zip(scopes.items(), people, strict=True):
            rows = face[(ids == who).to_numpy()]
            if not (np.diff(rows["t"].to_numpy(np.float64)) > 0).all():
                rows = rows.sort_values("t", kind="stable").drop_duplicates("t")
            rows = rows.reset_index(drop=True)
            home = person.get("gaze_neutral_deg")
            faces[scope] = Face(scope, rows, None if home is None else (float(home[0]), float(home[1])))
        sound = _named(meta.get("sound", {}), scopes)
        seen = cls(session_id, faces, sound=sound)
        return seen if voice is None or turns is None else seen.with_voices(meta, voice, turns)

    def with_voices(self, meta: Mapping[str, Any], voice: pd.DataFrame, turns: Turns) -> Session:
        """The session with what `from_tables` takes of its voices.

        Long sessions have tables of hundreds of MB: so that of the faces can go before that of the voices comes.
        """
        if not len(voice):
            return self
        corrected = self.sound.get("turns", {}).get("from") == "corrected"
        if not corrected and (voice["participant"] == UNKNOWN).any():
            return replace(self, no_turns="it can't be told who speaks")
        scopes = _scopes(list(meta.get("participants", [])))
        turns = turns.renamed(scopes)
        voices, others = _voices(voice, scopes, turns, corrected)
        return replace(self, voices=voices, others=others, turns=turns, no_turns="")


def _check(session_id: str, face: pd.DataFrame, scopes: Mapping[str, str]) -> pd.Series:
    """Whose each row is, by id."""
    missing = [name for name in REQUIRED if name not in face]
    if missing:
        raise InputError(
            f"The face table of session '{session_id}' has no column {', '.join(missing)}.",
            "Extract the session again.",
        )
    ids = face["participant"].astype(str)
    if unknown := sorted(set(ids) - set(scopes)):
        raise InputError(
            f"The face table of session '{session_id}' has rows of {', '.join(unknown)}, whom session.json does "
            "not name.",
            "Extract the session again.",
        )
    return ids


def _named(sound: Mapping[str, Any], scopes: Mapping[str, str]) -> Mapping[str, Any]:
    """`sound` of ``session.json`` with scopes for ids."""
    return {
        key: [
            {name: scopes.get(value, value) if name in _WHO else value for name, value in entry.items()}
            for entry in part
        ]
        if isinstance(part, list)
        else part
        for key, part in sound.items()
    }


def _voices(
    table: pd.DataFrame, scopes: Mapping[str, str], turns: Turns, corrected: bool
) -> tuple[dict[str, Voice], Flags]:
    """Voices by scope, and where somebody else speaks.

    A person's corrections stand for the whole session. Who was found to speak, and where, is in the units of turns.
    """
    start_s = float(table["t"].min())
    rows = {str(who): own for who, own in table.groupby("participant", sort=False, observed=True)}
    steps = max(len(own) for own in rows.values())
    nothing = np.full(steps, np.nan, np.float32)
    units = turns.units
    voices = {}
    for who, scope in scopes.items():
        own = rows.get(who)
        known = np.ones(steps, np.bool_) if corrected else np.zeros(steps, np.bool_)
        if own is not None and not corrected:
            known[: len(own)] = own["speaking"].notna().to_numpy()
        if not known.any():
            continue
        f0, intensity, tilt = (
            nothing if own is None else own[name].to_numpy(np.float32)
            for name in ("f0_hz", "intensity_db", "spectral_tilt_db")
        )
        spoken = _steps(units[units["participant"] == scope], start_s, steps)
        voices[scope] = Voice(scope, start_s, known, spoken & known, f0, intensity, tilt)
    strangers = units[~units["participant"].isin(list(voices))]
    return voices, _steps(strangers, start_s, steps)


def _steps(spans: pd.DataFrame, start_s: float, steps: int) -> Flags:
    """Steps of 10 ms that lie within any of the spans, shape (steps,)."""
    edges = np.zeros(steps + 1, np.int64)
    for column, sign in (("start", 1), ("end", -1)):
        at = np.rint((spans[column].to_numpy(np.float64) - start_s) / STEP_S).astype(np.int64)
        np.add.at(edges, np.clip(at, 0, steps), sign)
    return np.asarray(np.cumsum(edges)[:-1] > 0)


def _scopes(people: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Id to scope."""
    return dict(zip([str(person["id"]) for person in people], scope_names(people), strict=True))


def scope_names(people: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names by which feature names call people: roles, ids without one, `client`, `client2` for two of one role.

    Parameters
    ----------
    people
        Participants of ``session.json``.
    """
    names: list[str] = []
    for person in people:
        name = str(person.get("role") or person["id"])
        same = sum(str(other.get("role") or other["id"]) == name for other in people[: len(names)])
        names.append(name if same == 0 else f"{name}{same + 1}")
    return names
