"""Where a part of the picture is replaced by another from one picture to the next.

Layouts that change, cameras that go off, tiles that swap; movement in front of a camera doesn't count.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vsa.media.picture import Box, Picture

_WIDTH, _HEIGHT = 64, 36
#: Cells that change by more than this (luma) belong to a replaced part.
_CHANGE = 16
#: Smallest replaced part, as a share of the picture.
_SMALLEST = 0.01
#: A replaced part correlates less than this with what was there before.
_CORRELATION = 0.4


class CutFinder:
    """Remembers the last picture's thumbnail."""

    def __init__(self) -> None:
        self._last: npt.NDArray[np.uint8] | None = None

    def replaced(self, picture: Picture) -> list[Box]:
        """Parts of the picture (x, y, w, h, px) that were replaced since the last call; none for the first picture."""
        thumbnail = _thumbnail(picture)
        last, self._last = self._last, thumbnail
        if last is None:
            return []
        changed = np.asarray(cv2.absdiff(thumbnail, last) > _CHANGE, np.uint8)
        if changed.mean() < _SMALLEST:
            return []
        closed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
        parts: list[Box] = []
        sx, sy = picture.width / _WIDTH, picture.height / _HEIGHT
        for x, y, w, h, area in stats[1:count]:
            if area < max(_SMALLEST * changed.size, 0.5 * w * h):
                continue
            part = np.s_[y : y + h, x : x + w]
            if _correlation(last[part], thumbnail[part]) < _CORRELATION:
                parts.append((x * sx, y * sy, w * sx, h * sy))
        return parts


def _thumbnail(picture: Picture) -> npt.NDArray[np.uint8]:
    # a few pixels of large pictures: averaging all of them costs ten times as much and shows the same parts
    step = max(1, picture.height // (3 * _HEIGHT))
    luma = np.ascontiguousarray(picture.y[::step, ::step])
    return np.asarray(cv2.resize(luma, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _correlation(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    x, y = a.ravel() - a.mean(), b.ravel() - b.mean()
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread > 1e-6 else 0.0
