"""Where a person looks, followed through time: toward the screen, away, toward again.

`vsa.features.gaze` says of single pictures whether the person looks toward the screen. Here that becomes what somebody
would see who watches: looks that last. Blinks and pictures that are lost for a moment are bridged, as a watcher does;
gaze near the rim of the cone must cross it by a degree; what lasts less than `SHORTEST_S` is no look, neither away nor
back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.features import gaze
from vsa.features.episodes import runs
from vsa.features.limits import need_rate
from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.registry import TooLittle
from vsa.features.signals import Flags, Floats, stretches

#: Looks away and back last this long: fixations are rarely shorter.
SHORTEST_S = 0.3
#: Between samples.
STEP_S = 0.05
#: Pictures a second below which looks of `SHORTEST_S` fall between pictures.
NEEDED_RATE_HZ = 8.0
#: What a look is at a time when it can't be told.
UNKNOWN, TOWARD, AWAY = -1, 0, 1

Codes = npt.NDArray[np.int8]

#: Gaze leaves the cone this far outside of its rim, and comes back this far inside, deg.
_RIM_DEG = 1.0
#: Running median against single bad pictures, samples.
_MEDIAN = 5
#: Beyond this angles say no more.
_FAR_DEG = 2 * gaze.SCREEN_CONE_DEG


@dataclass(frozen=True, eq=False)
class Track:
    """Where a person looks over one stretch without a hole.

    Attributes
    ----------
    start_s
        Time of the first sample; the others follow every `STEP_S`.
    away
        Whether the person looks away, shape (n,).
    """

    start_s: float
    away: Flags


@dataclass(frozen=True, eq=False)
class Looks:
    """Looks of one kind, away or toward the screen, in order of time.

    Attributes
    ----------
    duration_s
        Shape (n,); for those that are not whole, what was seen of them.
    begins, ends
        Whether the beginning and the end were seen, shape (n,).
    """

    duration_s: Floats
    begins: Flags
    ends: Flags


@once
def tracks(face: Face) -> tuple[Track, ...]:
    """Where a person looks, over each stretch of time without a hole.

    Raises
    ------
    TooLittle
        When pictures are too few a second, or the home direction is not known.
    """
    from scipy.ndimage import median_filter

    need_rate(face, NEEDED_RATE_HZ)
    angle = np.minimum(gaze.angle_off(face), _FAR_DEG)
    parts = stretches(face.t, angle, np.isfinite(angle), step_s=STEP_S)
    if not parts:
        raise TooLittle("it can never be told where the person looks")
    return tuple(
        Track(part.start_s, _settled(median_filter(part.values, _MEDIAN, mode="nearest"))) for part in parts
    )


def seconds(face: Face) -> float:
    """Time over which it is known where the person looks, blinks included, s."""
    return sum(len(track.away) for track in tracks(face)) * STEP_S


def looks(face: Face, *, away: bool) -> Looks:
    """Looks away, or looks toward the screen."""
    found = [
        ((b - a) * STEP_S, a > 0, b < len(track.away))
        for track in tracks(face)
        for a, b in runs(track.away == away)
    ]
    table = np.array(found, np.float64).reshape(-1, 3)
    return Looks(table[:, 0], table[:, 1] > 0, table[:, 2] > 0)


def at(face: Face, t: Floats) -> Codes:
    """Where a person looks at each time: `TOWARD`, `AWAY` or `UNKNOWN`; shape of `t`, which ascends or not."""
    out = np.full(np.shape(t), UNKNOWN, np.int8)
    found = tracks(face)
    starts = np.array([track.start_s for track in found])
    lengths = np.array([len(track.away) for track in found])
    away = np.concatenate([track.away for track in found])
    which = np.maximum(np.searchsorted(starts, np.asarray(t) + STEP_S / 2, "right") - 1, 0)
    sample = np.rint((t - starts[which]) / STEP_S).astype(np.int64)
    inside = (sample >= 0) & (sample < lengths[which])
    first = np.cumsum(lengths) - lengths
    out[inside] = away[(first[which] + sample)[inside]]
    return out


def _settled(angle: Floats) -> Flags:
    """Away or not, shape (n,): rims with slack, then short looks toward and short looks away left out."""
    out = np.zeros(len(angle), np.bool_)
    for a, b in runs(angle > gaze.SCREEN_CONE_DEG - _RIM_DEG):
        over = np.flatnonzero(angle[a:b] > gaze.SCREEN_CONE_DEG + _RIM_DEG)
        if len(over):
            out[a + over[0] : b] = True
    for kind in (False, True):
        for a, b in runs(out == kind):
            if a > 0 and b < len(out) and (b - a) * STEP_S < SHORTEST_S - 1e-9:
                out[a:b] = not kind
    return out
