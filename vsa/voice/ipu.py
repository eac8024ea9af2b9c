"""Stretches of speech and inter-pausal units: who makes sound when, before anything is said about turns.

What these terms mean, and where the definitions come from, is written down in `vsa.voice.turns`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

#: Times are compared as whole microseconds: 12.36 - 12.16 s is 200 ms, which floats don't think.
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Unit:
    """One participant's speech from `start` to `end`, µs."""

    who: str
    start: int
    end: int

    @property
    def length(self) -> int:
        """Its duration, µs."""
        return self.end - self.start


def micro(seconds: float) -> int:
    """Seconds as whole microseconds."""
    return round(seconds * MICRO)


def speech_stretches(
    speaking: Mapping[str, npt.NDArray[np.bool_]], step_s: float = 0.01, start_s: float = 0.0
) -> pd.DataFrame:
    """Turn flags on a grid into stretches of speech.

    Parameters
    ----------
    speaking
        For each participant, whether they speak in each step, shape (m,).
    step_s
        Length of a step, s.
    start_s
        Where the first step begins on the session's clock, s.

    Returns
    -------
    One row per stretch: `participant`, `start`, `end` (s), in order of time.

    Examples
    --------
    >>> speech_stretches({"client": np.array([False, True, True, False])}).values.tolist()
    [['client', 0.01, 0.03]]
    """
    found = []
    for who, flags in speaking.items():
        edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, np.int8), [0]])))
        found += [
            Unit(who, micro(start_s + a * step_s), micro(start_s + b * step_s))
            for a, b in edges.reshape(-1, 2).tolist()
        ]
    return frame(in_order(found))


def inter_pausal_units(speech: pd.DataFrame, join_s: float = 0.2) -> list[Unit]:
    """Join what one participant says without a pause between.

    Parameters
    ----------
    speech
        `participant`, `start`, `end` (s), in any order; stretches of one participant may touch or overlap. Rows
        that don't last (or have no time) are left out.
    join_s
        Silences shorter than this are no pauses, s.
    """
    return joined(units(speech), micro(join_s))


def units(table: pd.DataFrame) -> list[Unit]:
    """Rows of a table (`participant`, `start`, `end` in s) that last, in order of time."""
    rows = zip(table["participant"], table["start"], table["end"], strict=True)
    timed = (
        Unit(str(who), micro(start), micro(end))
        for who, start, end in rows
        if np.isfinite(start) and np.isfinite(end)
    )
    return in_order(unit for unit in timed if unit.length > 0)


def joined(parts: Iterable[Unit], join: int) -> list[Unit]:
    """Join units of one participant that overlap, touch, or are less than `join` µs apart."""
    latest: dict[str, Unit] = {}
    whole = []
    for part in in_order(parts):
        last = latest.get(part.who)
        if last is not None and (part.start <= last.end or part.start - last.end < join):
            latest[part.who] = Unit(part.who, last.start, max(last.end, part.end))
        else:
            if last is not None:
                whole.append(last)
            latest[part.who] = part
    return in_order([*whole, *latest.values()])


def in_order(parts: Iterable[Unit]) -> list[Unit]:
    """In order of time; of those that begin together, the longest first."""
    return sorted(parts, key=lambda unit: (unit.start, -unit.end, unit.who))


def frame(parts: Sequence[Unit]) -> pd.DataFrame:
    """A table of units: `participant`, `start`, `end` (s)."""
    import pandas as pd

    return pd.DataFrame(
        {
            "participant": pd.Series([unit.who for unit in parts], dtype="str"),
            "start": np.array([unit.start for unit in parts], np.float64) / MICRO,
            "end": np.array([unit.end for unit in parts], np.float64) / MICRO,
        }
    )
