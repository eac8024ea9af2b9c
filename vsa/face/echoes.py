"""One person shown twice at a time: the active speaker in a large tile and in the strip of small ones.

Two faces in two tiles, at one time, are one person's if they look alike and their expressions change together. Of
each pair the face that is followed longer stays (the larger one if both last about as long), so that a person's
signals come from one view as far as possible; the other one is dropped.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from vsa.face import appearance
from vsa.face.tracks import Track

#: Frames that two faces must share to be compared, and how many at most are looked at.
_LEAST, _MOST = 12, 750
#: Correlation of expression changes from which they are one person's.
_TOGETHER = 0.75
#: Looks that differ by more are two people's, see `vsa.face.appearance.distance`.
_ALIKE = 0.6
#: Lengths within this share count as equal.
_AS_LONG = 0.8

#: Gives the frames of a track within two frames (both included) and its expression scores there, shape (n, 52).
Scores = Callable[[Track, int, int], tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]]


def without_echoes(tracks: Sequence[Track], scores: Scores) -> list[Track]:
    """The tracks but those that show a person a second time."""
    dropped: set[int] = set()
    for one, other in _overlapping(tracks):
        if one.number in dropped or other.number in dropped or one.tile.box == other.tile.box:
            continue
        if _alike(one, other) and together(one, other, scores) > _TOGETHER:
            dropped.add(_lesser(one, other).number)
    return [track for track in tracks if track.number not in dropped]


def _overlapping(tracks: Sequence[Track]) -> Iterator[tuple[Track, Track]]:
    ordered = sorted(tracks, key=lambda t: (t.first_frame, t.number))
    for k, one in enumerate(ordered):
        for other in itertools.islice(ordered, k + 1, None):
            if other.first_frame > one.last_frame:
                break
            yield one, other


def _alike(one: Track, other: Track) -> bool:
    if min(one.last_frame, other.last_frame) - max(one.first_frame, other.first_frame) < _LEAST:
        return False
    if one.appearance is None or other.appearance is None:
        return False
    return appearance.distance(one.appearance, other.appearance) <= _ALIKE


def together(one: Track, other: Track, scores: Scores) -> float:
    """Correlation of the changes of two faces' expressions while both are seen; 0 where there is too little."""
    start = max(one.first_frame, other.first_frame)
    end = min(one.last_frame, other.last_frame, start + _MOST)
    (frames, a), (other_frames, b) = scores(one, start, end), scores(other, start, end)
    _, here, there = np.intersect1d(frames, other_frames, assume_unique=True, return_indices=True)
    if len(here) < _LEAST:
        return 0.0
    a, b = a[here] - a[here].mean(0), b[there] - b[there].mean(0)
    spread = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / spread if spread > 0 else 0.0


def _lesser(one: Track, other: Track) -> Track:
    shorter, longer = sorted((one, other), key=lambda t: (t.frames, t.number))
    if shorter.frames < _AS_LONG * longer.frames:
        return shorter
    return min(one, other, key=lambda t: (t.first_box[2], t.number))
