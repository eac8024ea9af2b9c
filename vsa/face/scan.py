"""Finding faces at key frames: inside tiles, and on a pyramid of crops so that small ones are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt

from vsa.face.detector import SIZE, Detections, merged, overlaps
from vsa.face.engine import FaceEngine
from vsa.media.picture import Box, Picture

#: Sides of the square crops of the pyramid as shares of the picture's shorter side.
LEVELS = (1.0, 0.55)
#: One level more, for faces of 40 to 60 px in a small self view: looked at less often.
FINE = 0.3
#: Crops don't get smaller than this, px: a smaller one holds no more detail than the detector sees.
_SMALLEST_CROP = 160
#: Overlap of neighbouring crops, as a share of their side.
_STEP = 0.55


def windows(width: int, height: int, *, fine: bool = False) -> list[Box]:
    """The regions that the pyramid looks at: the whole picture, then square crops that overlap."""
    found: list[Box] = [(0, 0, width, height)]
    for level in (*LEVELS, FINE) if fine else LEVELS:
        side = max(min(width, height) * level, min(_SMALLEST_CROP, width, height))
        if side >= max(width, height):
            continue
        found += [(x, y, side, side) for y in _starts(height, side) for x in _starts(width, side)]
    return found


def _starts(length: int, side: float) -> Iterator[float]:
    steps = int(np.ceil(max(0.0, length - side) / (side * _STEP)))
    for k in range(steps + 1):
        yield k * (length - side) / max(steps, 1)


def look(
    engine: FaceEngine, picture: Picture, boxes: Sequence[Box], pool: Executor | None = None
) -> Detections:
    """Faces in some regions of a picture, in its px, each once; side by side if a pool that has time is given.

    A face that touches the border of a crop (and not of the picture) is left to the crop that shows it whole.
    """

    def look_at(box: Box) -> Detections:
        view, scale, dx, dy = picture.letterbox(box, SIZE)
        faces = engine.detect([view])[0].moved(scale, dx, dy)
        return faces.chosen(np.flatnonzero(_whole(faces, box, picture)))

    found = list((pool.map if pool is not None else map)(look_at, boxes))
    joined = Detections(
        np.concatenate([f.boxes for f in found]),
        np.concatenate([f.eyes for f in found]),
        np.concatenate([f.scores for f in found]),
    )
    return _without_parts(merged(joined))


def _whole(faces: Detections, box: Box, picture: Picture) -> npt.NDArray[np.bool_]:
    x, y, w, h = box
    centre = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2
    margin = faces.boxes[:, 2] * 0.35
    left = (centre[:, 0] - margin >= x) | (x <= 0)
    right = (centre[:, 0] + margin <= x + w) | (x + w >= picture.width - 1)
    top = (centre[:, 1] - margin >= y) | (y <= 0)
    bottom = (centre[:, 1] + margin <= y + h) | (y + h >= picture.height - 1)
    return np.asarray(left & right & top & bottom)


def _without_parts(faces: Detections) -> Detections:
    """Drop boxes whose centre lies in a better one: a nose found as a face in a crop that is too close.

    The score counts more than the size: around a face too small for its crop the detector draws a large, unsure box.
    """
    keep: list[int] = []
    for k in np.argsort(-(faces.scores**2) * np.sqrt(faces.boxes[:, 2])):
        cx, cy = faces.boxes[k, :2] + faces.boxes[k, 2:] / 2
        inside = any(
            b[0] < cx < b[0] + b[2] and b[1] < cy < b[1] + b[3] for b in (faces.boxes[j] for j in keep)
        ) or any(overlaps(faces.boxes[k], faces.boxes[keep]) > 0.2 if keep else [])
        if not inside:
            keep.append(int(k))
    return faces.chosen(np.array(keep, np.intp))
