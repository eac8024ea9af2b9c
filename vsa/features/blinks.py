"""Blinks as episodes: short closures of both lids, down and up again, measured against the person's own open eye.

A blink is a dip of the lid opening (mean of both eyes)

- that loses at least 40 % of the opening that the eye has before *and* after it. The lower side counts, so that lids
  that sink because the person looks down, and stay there, are no blink;
- before and after which the eye is open: at least `OPEN_SHARE` of the person's own level over the session. Flutter of
  eyes narrowed by a broad smile or a long look down stays below that;
- that lasts 80 to 500 ms at half its depth: a single bad picture is shorter, closed or lowered eyes are longer;
- in which both eyes take part: a wink is no blink;
- during which the face was not lost.

Sources: Stern, Walrath & Goldstein 1984 (about 100 ms closing, up to 300 ms occluded, 100 ms reopening: 500 ms at the
most); about half of all blinks close the eye only in part: Ousler et al. 2014. The depth is a convention of this
project: on annotated clips, blinks lost 80 % or more, and whatever else was as short lost under 20 %.
"""

from __future__ import annotations

import numpy as np

from vsa.features.episodes import Episodes, together
from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.signals import Flags, Floats, Stretch, quantile, stretches

#: Pictures a second below which blinks fall between pictures.
NEEDED_RATE_HZ = 15.0
SHORTEST_S, LONGEST_S = 0.08, 0.5
#: Share of the opening before and after that is lost.
DEPTH_SHARE = 0.4
#: The eye before and after is open by this share of the person's own open level.
OPEN_SHARE = 0.4
#: "Before" and "after" reach this far.
SHOULDER_S = 0.75

_STEP_S = 0.01
#: The face may be lost for this long within a blink, or for one picture of a slower camera.
_LOST_S = 0.1


@once
def find_blinks(face: Face) -> Episodes:
    """Blinks of one person.

    Returns
    -------
    Episodes from half closed to half open again; `size` is the share of the opening that was lost, 0.4-1.
    """
    level = open_level(face)
    if not level > 0:
        return Episodes.of([])
    lids = face.columns(("eye_open_left", "eye_open_right"))
    parts = stretches(face.t, lids, face.eyes, step_s=_STEP_S, shortest_s=2 * SHORTEST_S)
    return together(_unbroken(_dips(part, level), face.t, face.eyes) for part in parts)


@once
def openness(face: Face) -> Floats:
    """Mean lid opening of both eyes, 0-1, shape (n,)."""
    return (face.column("eye_open_left") + face.column("eye_open_right")) / 2


@once
def open_level(face: Face) -> float:
    """The person's own open eye: 90th percentile of `openness` over the session's readable time; NaN without any."""
    own = face.own
    return quantile(openness(own)[own.eyes], own.weights_s[own.eyes], 0.9)


def _dips(stretch: Stretch, level: float) -> Episodes:
    from scipy.signal import find_peaks, peak_widths

    y = stretch.values.mean(1)
    reach = round(SHOULDER_S / _STEP_S)
    at, found = find_peaks(
        -y,
        plateau_size=(None, LONGEST_S / _STEP_S),
        prominence=DEPTH_SHARE * OPEN_SHARE * level,
        wlen=2 * reach + 1,
    )
    depth = found["prominences"]
    shoulder = y[at] + depth
    real = (depth >= DEPTH_SHARE * shoulder) & (shoulder >= OPEN_SHARE * level)
    lids = stretch.values
    real &= np.array([_both(lids[max(0, k - reach) : k + reach + 1], lids[k]) for k in at], bool)
    at, depth, shoulder = at[real], depth[real], shoulder[real]
    data = (depth, found["left_bases"][real], found["right_bases"][real])
    width, _, left, right = peak_widths(-y, at, rel_height=0.5, prominence_data=data)
    lasting = (width * _STEP_S >= SHORTEST_S) & (width * _STEP_S <= LONGEST_S)
    return Episodes(
        stretch.start_s + left[lasting] * _STEP_S,
        stretch.start_s + right[lasting] * _STEP_S,
        stretch.start_s + at[lasting] * _STEP_S,
        (depth / shoulder)[lasting],
    )


def _both(around: Floats, closed: Floats) -> bool:
    """Whether each eye closes by at least half of what a blink must; (n, 2) and (2,)."""
    return bool((closed <= (1 - DEPTH_SHARE / 2) * around.max(0)).all())


def _unbroken(blinks: Episodes, t: Floats, seen: Flags) -> Episodes:
    """Those during which the eyes were seen all the time."""
    times = t[seen]
    allowed = max(_LOST_S, 1.6 * float(np.median(np.diff(times))))
    first = np.maximum(np.searchsorted(times, blinks.start_s, "right") - 1, 0)
    last = np.searchsorted(times, blinks.end_s, "left")
    keep = [
        bool(np.diff(times[a : b + 1]).max(initial=0.0) <= allowed) for a, b in zip(first, last, strict=True)
    ]
    return Episodes(blinks.start_s[keep], blinks.end_s[keep], blinks.peak_s[keep], blinks.size[keep])
