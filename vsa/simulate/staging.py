"""Where tiles are in a simulated call, and what call programs draw into them: a name, and initials for a face."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsa.simulate.portraits import CANVAS
from vsa.simulate.scenario import CAST, Scenario, Shot
from vsa.simulate.surface import Picture

#: x, y, w, h, px.
Box = tuple[int, int, int, int]

BACKGROUND = (28, 29, 32)
#: Mean height of the cast's faces in the canvas of a portrait, px.
FACE_PX = 309.0
_OFF = (44, 47, 54)
_AVATARS = {"therapist": (0, 121, 107), "client": (123, 82, 171)}
#: Width of the small tile, of the stage's.
_SMALL = {"speaker": 0.2, "inset": 0.19}


def boxes(scenario: Scenario, shot: Shot) -> dict[str, Box]:
    """Role -> tile, in a shot's layout; the one that is in front comes last."""
    width, height = scenario.size
    stage_w, stage_h = width, height
    if scenario.face_px is not None:
        natural = _side_by_side(width, height)[0][3] * FACE_PX / CANVAS[1]
        shrink = min(1.0, scenario.face_px / natural)
        stage_w, stage_h = round(width * shrink), round(height * shrink)
    first = shot.first
    second = next(role for role in CAST if role != first)
    if shot.view == "side_by_side":
        placed = _side_by_side(stage_w, stage_h)
    elif shot.view == "speaker":
        placed = _speaker(stage_w, stage_h)
    else:
        placed = _inset(stage_w, stage_h)
    left, top = (width - stage_w) // 4 * 2, (height - stage_h) // 4 * 2
    return {
        role: (left + x, top + y, w, h) for role, (x, y, w, h) in zip((first, second), placed, strict=True)
    }


def _side_by_side(width: int, height: int) -> tuple[Box, Box]:
    """Two tiles of the portraits' shape, as large as fits."""
    gutter = width // 80
    w, h = _shaped(min((width - 3 * gutter) // 2, (height - 2 * gutter) * CANVAS[0] // CANVAS[1]))
    y, x = (height - h) // 4 * 2, (width - 2 * w - gutter) // 4 * 2
    return (x, y, w, h), (x + w + gutter, y, w, h)


def _speaker(width: int, height: int) -> tuple[Box, Box]:
    gutter = width // 80
    small_w, small_h = _shaped(int(_SMALL["speaker"] * width))
    w, h = _shaped(min(width - 3 * gutter - small_w, (height - 2 * gutter) * CANVAS[0] // CANVAS[1]))
    x, y = (width - w - gutter - small_w) // 4 * 2, (height - h) // 4 * 2
    return (x, y, w, h), (x + w + gutter, y, small_w, small_h)


def _inset(width: int, height: int) -> tuple[Box, Box]:
    margin = width // 80
    w, h = _shaped(min(width, height * CANVAS[0] // CANVAS[1]))
    small_w, small_h = _shaped(int(_SMALL["inset"] * width))
    x, y = (width - w) // 4 * 2, (height - h) // 4 * 2
    return (x, y, w, h), (x + w - small_w - margin // 2, y + h - small_h - margin, small_w, small_h)


def _shaped(width: int) -> tuple[int, int]:
    w = width // 2 * 2
    return w, w * CANVAS[1] // CANVAS[0] // 2 * 2


@lru_cache(maxsize=16)
def blank_tile(role: str, size: tuple[int, int]) -> Picture:
    """What is shown while a camera is off, RGB: a dark tile with a disc and the initial."""
    from PIL import Image, ImageDraw

    w, h = size
    r = 0.17 * h
    # drawn larger and shrunk: the drawing itself has hard edges
    image = Image.new("RGB", (4 * w, 4 * h), _OFF)
    draw = ImageDraw.Draw(image)
    draw.ellipse((2 * w - 4 * r, 2 * h - 4 * r, 2 * w + 4 * r, 2 * h + 4 * r), fill=_AVATARS[role])
    draw.text((2 * w, 2 * h), role[0].upper(), fill=(245, 245, 245), font=_font(round(4 * r)), anchor="mm")
    return np.asarray(image.resize((w, h), Image.Resampling.LANCZOS))


def put_name(picture: Picture, role: str) -> None:
    """Draw the name into the lower left corner of a tile."""
    label, cover = _label(role, max(9, round(0.045 * picture.shape[0])))
    h, w = label.shape[:2]
    if h + 2 > picture.shape[0] or w + 2 > picture.shape[1]:
        return
    part = picture[-h - 2 : -2, 2 : w + 2]
    part[:] = np.round(part + (label - part) * cover)


@lru_cache(maxsize=16)
def _label(role: str, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colours of a name (h, w, 3), and how much they cover (h, w, 1)."""
    from PIL import Image, ImageDraw

    font = _font(size)
    w = round(font.getlength(role.capitalize()) + size)
    h = round(1.5 * size)
    text = Image.new("L", (w, h), 0)
    ImageDraw.Draw(text).text((w / 2, h / 2), role.capitalize(), fill=255, font=font, anchor="mm")
    white = np.asarray(text, np.float32)[..., None] / 255
    return np.asarray(16 + (240 - 16) * white * np.ones(3, np.float32), np.float32), np.maximum(white, 0.55)


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), size)
