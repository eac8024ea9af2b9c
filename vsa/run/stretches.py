"""A session cut into many short stretches, quickly: 50 min of it a hundred times in a second.

Each stretch is what `Session.part` gives, with two differences. What is usual for a face is that of a few pictures a
second of the whole session: levels and medians are nearly the same. What is usual for a voice is that of the minutes
around: features of turns go over the whole voice that a part is of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd

from vsa.features.person import Face, Voice
from vsa.features.session import Session
from vsa.features.signals import Floats
from vsa.voice.turn_tables import Turns

#: How long a stretch is in a session of usual length, s.
STRETCH_S = 60.0
#: In a short session it is a quarter of that, but no less than this, s.
SHORTEST_S = 15.0

_LONGER = (1, 2, 5)  # times the shortest stretch
_USUAL_HZ = 5.0
#: Minutes around a stretch: it begins in a block of this length, and may hold a turn that ends so much later.
_BLOCK_S, _TURN_S = 300.0, 90.0
#: Tables of what goes on for a time, and is cut; the others' rows belong to where they start.
_CUT = ("units", "silences", "overlaps", "alone")


class Stretches:
    """Stretches of one session; each is cut once.

    Parameters
    ----------
    session
        The whole of it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._start_s, self._end_s = session.span_s
        self._faces = {
            scope: replace(face, whole_session=_thinned(face.own)) for scope, face in session.faces.items()
        }
        self._turns = None if session.turns is None else _Tables(session.turns)
        self._voices: dict[tuple[int, float], dict[str, Voice]] = {}
        self._parts: dict[tuple[float, float, bool], Session] = {}

    @property
    def whole_s(self) -> float:
        """Length of the session, s."""
        return self._end_s - self._start_s

    @cached_property
    def lengths_s(self) -> tuple[float, ...]:
        """How long stretches may be, shortest first, s: two fit into the session at least; () if that is too short."""
        shortest = min(STRETCH_S, max(SHORTEST_S, 5.0 * math.floor(self.whole_s / 20)))
        return tuple(k * shortest for k in _LONGER if 2 * k * shortest <= self.whole_s + 1e-6)

    def starts_s(self, length_s: float) -> Floats:
        """Where stretches begin that follow each other, s, shape (n,); the last one ends with the session."""
        count = math.floor(self.whole_s / length_s + 1e-9)
        starts = self._start_s + length_s * np.arange(count)
        last = self._end_s - length_s
        return np.asarray(np.append(starts, last) if last > starts[-1] + 1 else starts)

    def inside(self, start_s: float, length_s: float) -> float:
        """The nearest time at which a stretch that lies in the session may begin, s."""
        return min(max(start_s, self._start_s), self._end_s - length_s)

    def third(self, at_s: float) -> int:
        """In which third of the session a time lies: 0, 1 or 2."""
        return min(2, int(3 * (at_s - self._start_s) / self.whole_s))

    def part(self, start_s: float, length_s: float, *, faces_only: bool = False) -> Session:
        """The session from a time on.

        Parameters
        ----------
        start_s, length_s
            On the session's time, s.
        faces_only
            Leave out voices and turns, which take longest to cut.
        """
        key = start_s, length_s, faces_only
        if key not in self._parts:
            end_s = start_s + length_s
            faces = {scope: face.between(start_s, end_s) for scope, face in self._faces.items()}
            seen = Session(self._session.session_id, faces)
            self._parts[key] = seen if faces_only else self._heard(seen, start_s, end_s)
        return self._parts[key]

    def _heard(self, seen: Session, start_s: float, end_s: float) -> Session:
        """A stretch with its sound."""
        whole = self._session
        voice = next(iter(whole.voices.values()), None)
        around = self._around(start_s, end_s - start_s)
        return replace(
            seen,
            voices={scope: voice.between(start_s, end_s) for scope, voice in around.items()},
            others=whole.others if voice is None else whole.others[voice.rows(start_s, end_s)],
            turns=None if self._turns is None else self._turns.between(start_s, end_s),
            no_turns=whole.no_turns,
            sound=whole.sound,
        )

    def _around(self, start_s: float, length_s: float) -> dict[str, Voice]:
        """Voices in the minutes around a stretch, as if there were no more of them."""
        block = math.floor((start_s - self._start_s) / _BLOCK_S)
        if (block, length_s) not in self._voices:
            since = self._start_s + block * _BLOCK_S
            until = since + _BLOCK_S + length_s + _TURN_S
            self._voices[block, length_s] = {
                scope: replace(voice.between(since, until), whole_session=None)
                for scope, voice in self._session.voices.items()
            }
        return self._voices[block, length_s]


@dataclass(frozen=True, eq=False)
class Course:
    """A feature over a session, in stretches that follow each other.

    Attributes
    ----------
    length_s
        Of each stretch, s.
    values
        By where a stretch begins, s; those that hold too little are left out.
    share
        Of the stretches, those that hold enough.
    """

    length_s: float
    values: Mapping[float, float]
    share: float

    @classmethod
    def of(cls, length_s: float, values: Mapping[float, float]) -> Course:
        """Take values of which some are NaN."""
        known = {start: value for start, value in values.items() if math.isfinite(value)}
        return cls(length_s, known, len(known) / len(values))

    def stands_out(self, value: float, sign: float) -> bool:
        """Whether a value lies above the median (`sign` 1; below: -1), and farther from it than half of them."""
        if len(self.values) < 2:
            return False
        values = np.array(list(self.values.values()))
        median = float(np.median(values))
        beyond, spread = sign * (value - median), float(np.median(np.abs(values - median)))
        return beyond >= spread * (1 - 1e-9) and beyond > 1e-9 * max(1.0, abs(median))


def farthest(values: Mapping[float, float], length_s: float, sign: float) -> list[float]:
    """Starts of stretches by value, highest first (`sign` -1: lowest first).

    Of stretches with the same value that comes first whose neighbours are farther out too, then the earlier.
    """

    def far(start_s: float) -> tuple[float, float, float]:
        near = [v for s, v in values.items() if s != start_s and abs(s - start_s) <= length_s + 1e-6]
        return sign * values[start_s], sign * float(np.mean(near)) if near else -math.inf, -start_s

    return sorted(values, key=far, reverse=True)


class _Tables:
    """Turns that are cut often: `between` gives what that of `Turns` does, in a fifth of its time."""

    def __init__(self, turns: Turns) -> None:
        self._participants = turns.participants
        self._tables = {name: getattr(turns, name) for name in _names()}
        self._edges = {name: _edges(table) for name, table in self._tables.items()}

    def between(self, start_s: float, end_s: float) -> Turns:
        tables = {}
        for name, table in self._tables.items():
            starts, ends = self._edges[name]
            if name in _CUT:
                rows = np.flatnonzero((ends > start_s) & (starts < end_s))
                inside = table.iloc[rows].reset_index(drop=True)
                inside["start"] = np.maximum(starts[rows], start_s)
                inside["end"] = np.minimum(ends[rows], end_s)
                tables[name] = inside
            else:
                rows = np.flatnonzero((starts >= start_s) & (starts < end_s))
                tables[name] = table.iloc[rows].reset_index(drop=True)
        return Turns(self._participants, **tables)


def _names() -> Iterator[str]:
    """The tables of `Turns`."""
    return (one.name for one in fields(Turns) if one.name != "participants")


def _edges(table: pd.DataFrame) -> tuple[Floats, Floats]:
    """Starts and ends of the rows, s, shape (n,) each; starts twice where a row has no end."""
    starts: Floats = table["start"].to_numpy(np.float64)
    return starts, table["end"].to_numpy(np.float64) if "end" in table else starts


def _thinned(face: Face) -> Face:
    """The whole face in fewer pictures."""
    lasts = face.t[-1] - face.t[0] if len(face.t) > 1 else 0.0
    every = max(1, math.floor(len(face.t) / lasts / _USUAL_HZ)) if lasts > 0 else 1
    return Face(face.scope, face.frame.iloc[::every].reset_index(drop=True), face.gaze_neutral_deg)
