"""Where the participants' cameras are in the picture of a call.

Three signs, in this order: the flat background that platforms put around tiles (connected regions that differ from
it); straight, sharp edges that bound a rectangle around a face on all four sides (picture-in-picture, tiles without a
gutter; the recording's own border counts as an edge); otherwise the region stays whole, and whoever is in it shares
one camera. A single straight edge splits a region only if there are faces on both sides of it, so that a door frame
behind somebody does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vsa.face.detector import Detections
from vsa.media.picture import Picture

#: Luma and chroma closer than this to the border's colour are background.
_BACKGROUND_TOLERANCE = 6
#: Share of the picture's outermost ring that must have one colour.
_RING_SHARE = 0.7
#: Share of a component's bounding box that it must fill to be a tile.
_FILL = 0.8
#: Smallest tile, as a share of the picture's height.
_SMALLEST = 0.1
#: Share of a line along which a sharp step must be seen.
_EDGE_SHARE = 0.55
_EDGE_STEP = 6


@dataclass(frozen=True)
class Tile:
    """One camera's rectangle in the recording.

    Attributes
    ----------
    x, y, w, h
        Whole px.
    how
        ``manifest``, ``borders`` (flat background around it), ``edges`` (straight sharp edges) or ``whole``.
    confidence
        0-1: how much of the rectangle's outline shows that sign.
    """

    x: int
    y: int
    w: int
    h: int
    how: str = "whole"
    confidence: float = 1.0

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, w, h."""
        return self.x, self.y, self.w, self.h

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies inside."""
        return self.x <= x < self.x + self.w and self.y <= y < self.y + self.h

    def overlap(self, other: Tile) -> float:
        """Intersection over union."""
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        inside = max(0, w) * max(0, h)
        return inside / (self.w * self.h + other.w * other.h - inside)


def regions(picture: Picture) -> list[Tile]:
    """Regions inside the flat background of a call; the whole picture if there is none."""
    whole = Tile(0, 0, picture.width, picture.height)
    content = _content(picture)
    if content is None:
        return [whole]
    count, _, stats, _ = cv2.connectedComponentsWithStats(content, connectivity=4)
    found = []
    for x, y, w, h, area in stats[1:count]:
        if min(w, h) < _SMALLEST * picture.height or area < _FILL * w * h:
            continue
        found.append(Tile(int(x), int(y), int(w), int(h), "borders", round(float(area / (w * h)), 3)))
    if len(found) == 1 and found[0].w * found[0].h > 0.97 * whole.w * whole.h:
        return [whole]
    return found or [whole]


Bytes = npt.NDArray[np.uint8]


def _content(picture: Picture) -> npt.NDArray[np.uint8] | None:
    y, u, v = picture.y, picture.u, picture.v
    ring = [np.concatenate([p[0], p[-1], p[:, 0], p[:, -1]]) for p in (y, u, v)]
    colour = [int(np.median(part)) for part in ring]
    same = np.abs(ring[0].astype(np.int16) - colour[0]) <= _BACKGROUND_TOLERANCE
    if same.mean() < _RING_SHARE:
        return None

    def differs(plane: Bytes, value: int) -> Bytes:
        return np.asarray(cv2.absdiff(plane, np.full_like(plane, value)) > _BACKGROUND_TOLERANCE, np.uint8)

    colourful = np.bitwise_or(differs(u, colour[1]), differs(v, colour[2]))
    full = cv2.resize(colourful, (y.shape[1], y.shape[0]), interpolation=cv2.INTER_NEAREST)
    content = np.bitwise_or(differs(y, colour[0]), np.asarray(full, np.uint8))
    # one-pixel bridges are coding noise; holes inside a tile are dark places in somebody's room
    opened = cv2.morphologyEx(content, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(_filled(np.asarray(opened, np.uint8)), np.uint8)


def _filled(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, outlines, -1, 1, thickness=cv2.FILLED)
    return filled


def split_by_faces(pictures: Sequence[Picture], region: Tile, faces: Detections) -> list[Tile]:
    """Rectangles inside a region that sharp edges draw around its faces.

    Parameters
    ----------
    pictures
        A few pictures of one layout, apart in time: steps must be there in all of them.
    region
        Where to look.
    faces
        The faces inside the region.

    Returns
    -------
    Tiles, the smallest first; the region itself comes last.
    """
    if len(faces) == 0:
        return [region]
    vertical, horizontal = _steps(pictures, region)
    found: list[Tile] = []
    for box in faces.boxes:
        others = [b for b in faces.boxes if b is not box]
        tile = _around(box, others, region, vertical, horizontal)
        if tile is not None and all(tile.overlap(t) < 0.7 for t in found):
            found.append(tile)
    return [*sorted(found, key=lambda t: t.w * t.h), region]


def _steps(
    pictures: Sequence[Picture], region: Tile
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Per pixel, in how many pictures (0-1) there is a sharp step to the left of it and above it."""
    both = []
    for axis in (1, 0):
        total = np.zeros((region.h, region.w), np.float32)
        for picture in pictures:
            y = picture.y[region.y : region.y + region.h, region.x : region.x + region.w].astype(np.int16)
            step = np.abs(np.diff(y, axis=axis, prepend=np.take(y, [0], axis=axis)))
            before, after = np.roll(step, 2, axis), np.roll(step, -2, axis)
            total += step > np.maximum(_EDGE_STEP, 1.5 * np.maximum(before, after))
        # coding may move a step by a pixel from one row to the next
        kernel = np.ones((1, 3) if axis == 1 else (3, 1), np.uint8)
        both.append(np.asarray(cv2.dilate(total / len(pictures), kernel), np.float32))
    return both[0], both[1]


def _around(
    face: npt.NDArray[np.float32],
    others: Sequence[npt.NDArray[np.float32]],
    region: Tile,
    vertical: npt.NDArray[np.float32],
    horizontal: npt.NDArray[np.float32],
) -> Tile | None:
    x, y, w, h = face - np.array([region.x, region.y, 0, 0], np.float32)
    low, high = int(max(0, y - 0.2 * h)), int(min(region.h, y + 1.1 * h))
    left = _line(vertical[low:high].mean(0), int(x - 0.1 * w), -1)
    right = _line(vertical[low:high].mean(0), int(x + 1.1 * w), +1)
    for _ in range(2):
        top = _line(horizontal[:, left:right].mean(1), int(y - 0.25 * h), -1)
        bottom = _line(horizontal[:, left:right].mean(1), int(y + h), +1)
        left = _line(vertical[top:bottom].mean(0), int(x - 0.1 * w), -1)
        right = _line(vertical[top:bottom].mean(0), int(x + 1.1 * w), +1)
    if right - left < 1.3 * w or bottom - top < 1.2 * h:
        return None
    if (left, top, right, bottom) == (0, 0, region.w, region.h):
        return None
    support = [
        1.0 if left == 0 else float(vertical[top:bottom, left].mean()),
        1.0 if right == region.w else float(vertical[top:bottom, right - 1 : right + 1].max(1).mean()),
        1.0 if top == 0 else float(horizontal[top, left:right].mean()),
        1.0 if bottom == region.h else float(horizontal[bottom - 1 : bottom + 1, left:right].max(0).mean()),
    ]
    drawn = [
        s
        for s, free in zip(support, (left == 0, right == region.w, top == 0, bottom == region.h), strict=True)
        if not free
    ]
    outside = any(
        not (left <= b[0] + b[2] / 2 - region.x < right and top <= b[1] + b[3] / 2 - region.y < bottom)
        for b in others
    )
    # one or two edges may be a door or a shelf; they count only if they part this face from another
    if len(drawn) < 3 and not outside:
        return None
    return Tile(
        region.x + left, region.y + top, right - left, bottom - top, "edges", round(float(np.mean(drawn)), 3)
    )


def _line(profile: npt.NDArray[np.float32], start: int, direction: int) -> int:
    """The nearest position from `start` on where the profile shows an edge; the region's end if none does."""
    end = 0 if direction < 0 else len(profile)
    positions = range(min(max(start, 0), len(profile) - 1), end, direction)
    for position in positions:
        if profile[position] >= _EDGE_SHARE:
            return position
    return end
