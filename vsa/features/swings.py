"""Gestures that swing the head to and fro about one axis, quickly: nods and shakes.

The angle is filtered to 1-4 Hz. Where the envelope of that reaches `Gesture.size_deg` from peak to peak, and for as
long as it stays above a third of it, the unfiltered angle is looked at. It is a gesture if

- the head swings to and fro `Gesture.swings` times in a row, each time as quickly as it would at 1 Hz or more: it
  passes the middle 70 % of the swing within a quarter of a second. So two slow turns are no gesture because they
  begin with a jerk;
- these swings are even: the smallest is at least `Gesture.evenness` of the largest. So a head that is lowered and
  stays there, or that turns away and comes back slowly, makes no gesture;
- the largest of them is at least `Gesture.size_deg`;
- the head moves about the other two axes by less.

It lasts from the first of these swings to the last.

It is the movement that is found, whatever it means: people who speak also beat time with the head, and people do not
agree on what is a nod. Movement slower than 1 Hz is left out: it is posture as often as a gesture. Cycles and their
magnitude as in Mori, Den & Jokinen 2025; band and thresholds are conventions of this project, to be calibrated on
annotated gestures. tests/features/test_shakes.py prints recall and precision on acted ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsa.features.episodes import Episodes, above, together
from vsa.features.person import Face
from vsa.features.signals import Floats, Stretch, stretches

Indices = npt.NDArray[np.intp]

#: Pictures a second that swings of 4 Hz need.
NEEDED_RATE_HZ = 12.0
BAND_HZ = (1.0, 4.0)

_AXES = ("head_pitch", "head_yaw", "head_roll")
_STEP_S = 0.02
_SHORTEST_S = 2.0
_BRIDGE_S = 0.15
#: The unfiltered angle is looked at from this long before the envelope's rise until this long after its fall.
_MARGIN_S = 0.1
#: A swing ends where the head turns back by this share of the largest swing in the band, and not by noise.
_BACK_SHARE, _BACK_DEG = 0.25, 0.5
#: Share of a swing that is called its middle, and how long that lasts at most: half of half a cycle of 1 Hz.
_MIDDLE = (0.15, 0.85)
_LONGEST_S = 0.25
#: What a head at rest does before and after is no part of a swing: it begins with this share, and ends with that left.
_EDGE = 0.1


@dataclass(frozen=True)
class Gesture:
    """What the head does.

    Attributes
    ----------
    axis
        Column of ``face.parquet`` with the angle that swings.
    size_deg
        The largest swing is at least this, from one turning point to the next.
    swings
        That many in a row.
    evenness
        The smallest of these, as a share of the largest.
    """

    axis: str
    size_deg: float
    swings: int
    evenness: float


def find_gestures(face: Face, gesture: Gesture) -> Episodes:
    """Gestures of one person; `size` is the largest swing from peak to peak, deg."""
    axes = (gesture.axis, *(axis for axis in _AXES if axis != gesture.axis))
    parts = stretches(face.t, face.columns(axes), face.frontal, step_s=_STEP_S, shortest_s=_SHORTEST_S)
    return together(_gestures(part, gesture) for part in parts)


def _gestures(stretch: Stretch, gesture: Gesture) -> Episodes:
    from scipy.signal import butter, hilbert, sosfiltfilt

    band = butter(2, BAND_HZ, "bandpass", fs=1 / _STEP_S, output="sos")
    filtered = np.asarray(sosfiltfilt(band, stretch.values, axis=0))
    envelope = Stretch(stretch.start_s, _STEP_S, 2 * np.abs(hilbert(filtered[:, 0])))
    lively = above(envelope, gesture.size_deg, gesture.size_deg / 3, shortest_s=0.0, bridge_s=_BRIDGE_S)
    margin = round(_MARGIN_S / _STEP_S)
    rows = []
    for start, end in zip(lively.start_s, lively.end_s, strict=True):
        first, last = (round((time - stretch.start_s) / _STEP_S) for time in (start, end))
        first = max(0, first - margin)
        within = slice(first, last + 1 + margin)
        about, *across = np.ptp(filtered[within], axis=0)
        swings = _swings(stretch.values[within, 0], max(_BACK_DEG, _BACK_SHARE * float(about)))
        row = _in_a_row(swings, gesture)
        largest = max(row, key=lambda swing: swing.size, default=None)
        if largest is not None and largest.size >= gesture.size_deg and max(across) < about:
            begins, peaks, ends = (
                stretch.start_s + _STEP_S * (first + k) for k in (row[0].begins, largest.ends, row[-1].ends)
            )
            rows.append((begins, ends, peaks, largest.size))
    return Episodes.of(rows)


class _Swing(NamedTuple):
    """`size` is 0 if it is slow; it begins and ends, in samples, where a tenth of it is done and left."""

    size: float
    begins: int
    ends: int


def _swings(y: Floats, back: float) -> list[_Swing]:
    """From each turning point to the next."""
    out = []
    for a, b in pairwise(_turning_points(y, back).tolist()):
        done = (y[a : b + 1] - y[a]) / (y[b] - y[a])
        middle_s = np.count_nonzero((done > _MIDDLE[0]) & (done < _MIDDLE[1])) * _STEP_S
        size = float(abs(y[b] - y[a])) if middle_s <= _LONGEST_S else 0.0
        out.append(_Swing(size, a + int(np.argmax(done > _EDGE)), a + int(np.argmax(done > 1 - _EDGE))))
    return out


def _in_a_row(swings: list[_Swing], gesture: Gesture) -> list[_Swing]:
    """Swings from the first to the last that are quick and even, as many in a row as the gesture has."""
    n = gesture.swings
    sizes = [[swing.size for swing in swings[k : k + n]] for k in range(len(swings) - n + 1)]
    fits = [k for k, row in enumerate(sizes) if 0 < gesture.evenness * max(row) <= min(row)]
    return swings[fits[0] : fits[-1] + n] if fits else []


def _turning_points(y: Floats, back: float) -> Indices:
    """Indices at which y turns back by `back` or more, and its ends; smaller wiggles are passed over."""
    moving = np.flatnonzero(np.diff(y))  # a repeated picture repeats its angle
    slope = np.sign(np.diff(y)[moving])
    candidates = np.append(moving[1:][slope[1:] != slope[:-1]], len(y) - 1)
    turns = [0]
    for k in candidates.tolist():
        if len(turns) > 1 and (y[k] - y[turns[-1]]) * (y[turns[-1]] - y[turns[-2]]) > 0:
            turns[-1] = k  # farther in the same direction
        elif abs(y[k] - y[turns[-1]]) >= back:
            turns.append(k)
    return np.array(turns, np.intp)
