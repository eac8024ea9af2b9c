"""Signals on true presentation times: what a frame stands for, and even samples where a signal was seen.

Recordings have uneven frame times, repeated pictures and stretches in which nothing was seen. Everything that
follows a signal in time does so within a `Stretch`: evenly sampled, without a hole longer than `BRIDGE_S`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: A frame stands for the time until the next one, and for no more than this.
FRAME_AT_MOST_S = 0.5
#: Holes up to this long are bridged with a straight line; longer ones end a stretch.
BRIDGE_S = 0.3


@dataclass(frozen=True, eq=False)
class Stretch:
    """A signal without holes, evenly sampled.

    Attributes
    ----------
    start_s
        Time of the first sample.
    step_s
        Between samples.
    values
        Shape (n,) or (n, k).
    """

    start_s: float
    step_s: float
    values: Floats

    @property
    def t(self) -> Floats:
        """Times of the samples, s, shape (n,)."""
        return np.asarray(self.start_s + self.step_s * np.arange(len(self.values)))

    @property
    def duration_s(self) -> float:
        """From the first sample to the last, s."""
        return (len(self.values) - 1) * self.step_s


def weights_s(t: Floats) -> Floats:
    """Time that each frame stands for, s: until the next one, at most `FRAME_AT_MOST_S`.

    Parameters
    ----------
    t
        Presentation times, s, increasing, shape (n,).
    """
    if len(t) < 2:
        return np.zeros(len(t))
    gaps = np.diff(t)
    return np.minimum(np.append(gaps, np.median(gaps)), FRAME_AT_MOST_S)


def rate_hz(t: Floats, changed: Flags) -> float:
    """Pictures a second that really follow each other; NaN for fewer than three frames.

    A recording at 30 frames a second of a call at 15 repeats every other picture: only the new ones count. The
    median interval between new pictures is taken, so that a still minute does not look like a slow camera.

    Parameters
    ----------
    t
        Presentation times of the frames in which the face was seen, s, shape (n,).
    changed
        The picture differs from the one before, shape (n,); all false if that is not known.
    """
    if len(t) < 3:
        return float("nan")
    new = t[changed] if changed.sum() >= 3 else t
    return float(1 / np.median(np.diff(new)))


def stretches(
    t: Floats, values: Floats, seen: Flags, *, step_s: float, shortest_s: float = 0.0
) -> list[Stretch]:
    """Cut a signal where it was not seen for longer than `BRIDGE_S`, and sample each part evenly.

    Parameters
    ----------
    t
        Presentation times, s, shape (n,).
    values
        Shape (n,) or (n, k).
    seen
        Where the signal can be used, shape (n,).
    step_s
        Between samples, s; values between frames lie on straight lines.
    shortest_s
        Parts shorter than this are left out.
    """
    where = np.flatnonzero(seen & np.isfinite(values.reshape(len(values), -1)).all(1))
    cuts = np.flatnonzero(np.diff(t[where]) > BRIDGE_S) + 1
    parts = []
    for part in np.split(where, cuts):
        if len(part) < 2 or t[part[-1]] - t[part[0]] < shortest_s:
            continue
        grid = np.arange(t[part[0]], t[part[-1]] + step_s / 2, step_s)
        if values.ndim == 1:
            even = np.interp(grid, t[part], values[part])
        else:
            even = np.column_stack([np.interp(grid, t[part], column) for column in values[part].T])
        parts.append(Stretch(float(grid[0]), step_s, even))
    return parts


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """Value below which `share` of the weight lies; NaN without any.

    Parameters
    ----------
    values, weights
        Shape (n,); weights are not negative.
    share
        0-1.
    """
    if not weights.sum() > 0:
        return float("nan")
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, share * below[-1])])
