"""The real face core on pictures in memory: landmarks that have settled, as they do while a face is followed."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from vsa import assets
from vsa.errors import ModelMissingError
from vsa.face import bundle, crops, scan
from vsa.face.engine import FaceEngine, create
from vsa.media.picture import Picture
from vsa.simulate.portraits import CANVAS, Portrait


@cache
def engine() -> FaceEngine:
    """The CPU engine; skips the test where the models are not there."""
    try:
        assets.find(bundle.NAME)
    except ModelMissingError as error:
        pytest.skip(str(error))
    return create("cpu", 1)


def picture_of(rgb: np.ndarray, t: float = 0.0) -> Picture:
    """An RGB picture (h, w, 3) of even size as a decoder would give it."""
    h, w = rgb.shape[:2]
    planes = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2YUV_I420).reshape(-1)
    u, v = planes[h * w :].reshape(2, h // 2, w // 2)
    return Picture(t, planes[: h * w].reshape(h, w), u, v)


def found(picture: Picture) -> crops.Crop:
    """Where the largest face is looked for first."""
    faces = scan.look(engine(), picture, [(0, 0, picture.width, picture.height)])
    best = int(np.argmax(faces.boxes[:, 2]))
    return crops.from_eyes(faces.boxes[best], faces.eyes[best])


def settled(picture: Picture, crop: crops.Crop | None = None, steps: int = 4) -> np.ndarray:
    """Landmarks (478, 3), px, after the crop has followed them for some steps."""
    crop = crop or found(picture)
    for _ in range(steps):
        raw, _ = engine().landmarks([picture.warp(crop.matrix(), crops.SIZE)])
        points = crop.to_picture(raw[0])
        crop = crops.from_landmarks(points)
    return points


def mesh(rgb: np.ndarray) -> np.ndarray:
    """For `Portrait.load`."""
    return settled(picture_of(rgb)).astype(float)


@cache
def portrait(name: str) -> Portrait:
    engine()
    return Portrait.load(name, mesh)


#: Width of the face in a portrait's canvas, px.
FACE_PX = 270


def in_tile(
    rgb: np.ndarray,
    face_px: float,
    size: tuple[int, int] = (640, 360),
    at: tuple[float, float] = (0.5, 0.5),
) -> np.ndarray:
    """A portrait's picture shrunk to a face of so many px and set into a tile, the face's middle at shares `at`."""
    scale = face_px / FACE_PX
    w, h = round(CANVAS[0] * scale), round(CANVAS[1] * scale)
    small = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA)
    tile = np.full((size[1], size[0], 3), 60, np.uint8)
    left, top = round(size[0] * at[0] - 0.53 * w), round(size[1] * at[1] - 0.6 * h)
    x, y = max(0, left), max(0, top)
    part = small[y - top : size[1] - top, x - left : size[0] - left]
    tile[y : y + part.shape[0], x : x + part.shape[1]] = part
    return tile


def compressed(rgb: np.ndarray, quality: int = 40) -> np.ndarray:
    """As after strong JPEG compression."""
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
