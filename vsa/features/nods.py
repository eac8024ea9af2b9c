"""Nods as episodes: the head's pitch swings up and down, quickly, and comes back.

Pitch is filtered to 1-4 Hz. A nod begins where the envelope of that reaches `LARGEST_DEG` from peak to peak and lasts
while it stays above a third of it. It reverses at least twice (down, up, down); the head returns to where it was (a
head that is lowered to look at the keyboard does not), and turns to the side by less than it nods.

It is the movement that is found, whatever it means: people who speak also beat time with the head, and people do not
agree on what is a nod. Cycles and their magnitude as in Mori, Den & Jokinen 2025; band and thresholds are conventions
of this project, to be calibrated on annotated nods. Movement slower than 1 Hz is left out: it is posture as often as
nodding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsa.features.episodes import Episodes, above, together
from vsa.features.session import Face
from vsa.features.signals import Floats, Stretch, stretches

Indices = npt.NDArray[np.intp]

#: Pictures a second that swings of 4 Hz need.
NEEDED_RATE_HZ = 12.0
BAND_HZ = (1.0, 4.0)
LARGEST_DEG = 3.0
REVERSALS = 2
#: The head rests after a nod this close to where it rested before, as a share of the largest swing. The band shows
#: at most 0.7 of a head that is lowered and stays there, so that it moves 1.4 times what is seen of it.
RETURN_SHARE = 1.2

_STEP_S = 0.02
_SHORTEST_S = 2.0
#: A reversal goes back by at least this much.
_REVERSAL_DEG = 0.5
_BRIDGE_S = 0.15
#: Where the head rests is read over this time.
_REST_S = 0.5


def find_nods(face: Face) -> Episodes:
    """Nods of one person; `size` is the largest swing from peak to peak, deg."""
    angles = face.columns(("head_pitch", "head_yaw"))
    parts = stretches(face.t, angles, face.frontal, step_s=_STEP_S, shortest_s=_SHORTEST_S)
    return together(_nods(part) for part in parts)


def _nods(stretch: Stretch) -> Episodes:
    from scipy.signal import butter, hilbert, sosfiltfilt

    band = butter(2, BAND_HZ, "bandpass", fs=1 / _STEP_S, output="sos")
    filtered = np.asarray(sosfiltfilt(band, stretch.values, axis=0))
    envelope = Stretch(stretch.start_s, _STEP_S, 2 * np.abs(hilbert(filtered[:, 0])))
    lively = above(envelope, LARGEST_DEG, LARGEST_DEG / 3, shortest_s=0.0, bridge_s=_BRIDGE_S)
    rows = []
    for start, end, peak in zip(lively.start_s, lively.end_s, lively.peak_s, strict=True):
        first, last = (round((time - stretch.start_s) / _STEP_S) for time in (start, end))
        pitch, yaw = filtered[first : last + 1].T
        swings = np.abs(np.diff(pitch[_turning_points(pitch)]))
        size = float(swings.max(initial=0.0))
        if (
            len(swings) > REVERSALS
            and size >= LARGEST_DEG
            and _moved(stretch.values[:, 0], first, last) <= RETURN_SHARE * size
            and np.ptp(yaw) < size
        ):
            rows.append((float(start), float(end), float(peak), size))
    return Episodes.of(rows)


def _turning_points(y: Floats) -> Indices:
    """Indices at which y turns back by `_REVERSAL_DEG` or more, and its ends; smaller wiggles are passed over."""
    slope = np.sign(np.diff(y))
    candidates = np.append(np.flatnonzero(slope[1:] * slope[:-1] < 0) + 1, len(y) - 1)
    turns = [0]
    for k in candidates.tolist():
        if len(turns) > 1 and (y[k] - y[turns[-1]]) * (y[turns[-1]] - y[turns[-2]]) > 0:
            turns[-1] = k  # farther in the same direction
        elif abs(y[k] - y[turns[-1]]) >= _REVERSAL_DEG:
            turns.append(k)
    return np.array(turns, np.intp)


def _moved(y: Floats, first: int, last: int) -> float:
    """How far y rests after `last` from where it rested before `first`."""
    reach = round(_REST_S / _STEP_S)
    return abs(float(np.median(y[last : last + reach]) - np.median(y[max(0, first - reach) : first + 1])))
