"""People for composed calls: real clips next to the checkout, and two public-domain portraits.

The clips lie outside the project (``shared/media`` beside the checkout, or the folder that the environment
variable VSA_TEST_MEDIA names) and are never copied into it. The portraits come with scikit-image and
matplotlib.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Image = NDArray[np.uint8]


class Box(NamedTuple):
    """A rectangle in pixels: left, top, width, height."""

    x: int
    y: int
    w: int
    h: int

    def scaled(self, factor: float) -> Box:
        """Grown or shrunk about its centre."""
        w, h = round(self.w * factor), round(self.h * factor)
        return Box(self.x + (self.w - w) // 2, self.y + (self.h - h) // 2, w, h)

    def moved(self, dx: int, dy: int) -> Box:
        return Box(self.x + dx, self.y + dy, self.w, self.h)


@dataclass(frozen=True)
class Person:
    """One person that tests can show.

    `head` is the box (left, top, right, bottom, as shares of the picture) that the face mesh stays within for
    the whole clip, found with MediaPipe's FaceLandmarker.
    """

    name: str
    head: tuple[float, float, float, float]
    file: str | None = None


PEOPLE = {
    person.name: person
    for person in (
        Person("talking_woman", (0.276, 0.234, 0.847, 0.931), "talking_woman_512.mp4"),
        Person("webcam_man", (0.329, 0.295, 0.719, 0.844), "webcam_man_53s.mp4"),
        Person("smiling_man", (0.338, 0.265, 0.581, 0.835), "smiling_man_360p.mp4"),
        Person("astronaut", (0.353, 0.140, 0.528, 0.347)),
        Person("grace_hopper", (0.332, 0.220, 0.694, 0.558)),
    )
}


def media_dir() -> Path:
    """Return the folder of real clips; it need not exist."""
    named = os.environ.get("VSA_TEST_MEDIA")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "media"


def clip_path(name: str) -> Path:
    """Return the path of a real clip, or skip the test that asks for it."""
    path = media_dir() / name
    if not path.is_file():
        pytest.skip(f"the real clip {name} is not here (set VSA_TEST_MEDIA to the folder that holds it)")
    return path


@cache
def still(name: str) -> Image:
    """Return a public-domain portrait, (h, w, 3) RGB: Eileen Collins or Grace Hopper."""
    if name == "astronaut":
        from skimage import data

        return np.ascontiguousarray(data.astronaut())
    import matplotlib.cbook
    from PIL import Image as Pillow

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=True) as file:
        return np.ascontiguousarray(Pillow.open(file).convert("RGB"))


class _Clip:
    """A decoded clip, kept as planar 4:2:0 and decoded only as far as it was asked for."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path))
        stream = self._container.streams.video[0]
        stream.thread_type = "AUTO"
        self.fps = float(stream.average_rate)
        self.frames = stream.frames
        self._decoder = self._container.decode(stream)
        self._planes: list[Image] = []

    def picture(self, t: float, loop: str) -> Image:
        """RGB at time t of the clip played endlessly, forth and back (``pingpong``) or over again."""
        i = math.floor(t * self.fps + 1e-6)
        if loop == "restart":
            i %= self.frames
        else:
            period = max(1, 2 * (self.frames - 1))
            i = min(i % period, period - i % period)
        while len(self._planes) <= i:
            self._planes.append(next(self._decoder).to_ndarray(format="yuv420p"))
        rgb: Any = cv2.cvtColor(self._planes[i], cv2.COLOR_YUV2RGB_I420)
        return rgb


@cache
def _clip(path: Path) -> _Clip:
    return _Clip(path)


@dataclass(frozen=True)
class Actor:
    """A person as shown in one call: mirrored, tinted, cropped, or at another point of the clip.

    Parameters
    ----------
    person
        A key of `PEOPLE`.
    mirror
        Flip left and right.
    tint
        Gain of red, green and blue.
    zoom
        1 shows the whole picture; 1.4 crops to 1/1.4 of it about the head.
    phase_s
        Where the clip starts.
    loop
        ``pingpong`` (no jumps) or ``restart``.
    """

    person: str
    mirror: bool = False
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    zoom: float = 1.0
    phase_s: float = 0.0
    loop: str = "pingpong"

    def source(self, t: float) -> Image:
        """The person's whole picture at time t, before crop and mirror."""
        person = PEOPLE[self.person]
        if person.file is not None:
            return _clip(clip_path(person.file)).picture(t + self.phase_s, self.loop)
        return _alive(self.person, t + self.phase_s)

    def picture(self, t: float, size: tuple[int, int]) -> Image:
        """The tile's picture at time t, filled to `size` (width, height).

        A picture that is too narrow for the tile to hold the whole face is shown whole on a blurred copy of
        itself, as call programs do.
        """
        rgb = self.source(t)
        x, y, w, h = self._crop(rgb.shape[1], rgb.shape[0], size)
        gain = min(size[0] / w, size[1] / h)
        inner = (round(w * gain), round(h * gain))
        if abs(inner[0] - size[0]) < 0.02 * size[0] and abs(inner[1] - size[1]) < 0.02 * size[1]:
            inner = size
        tile = _resized(rgb[y : y + h, x : x + w], inner)
        if inner != size:
            backdrop = _resized(_resized(rgb, (size[0] // 24, size[1] // 24)), size)
            left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
            backdrop[top : top + inner[1], left : left + inner[0]] = tile
            tile = backdrop
        if self.tint != (1.0, 1.0, 1.0):
            gains = np.array(self.tint, np.float32)
            tile = np.clip(tile * gains, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(tile[:, ::-1]) if self.mirror else tile

    def head(self, size: tuple[int, int]) -> Box:
        """The box within a tile of `size` that the face stays inside (still portraits sway a little more)."""
        sw, sh = self.source(0.0).shape[1::-1]
        x, y, w, h = self._crop(sw, sh, size)
        left, top, right, bottom = PEOPLE[self.person].head
        gain = min(size[0] / w, size[1] / h)
        box = Box(
            round((left * sw - x) * gain + (size[0] - w * gain) / 2),
            round((top * sh - y) * gain + (size[1] - h * gain) / 2),
            round((right - left) * sw * gain),
            round((bottom - top) * sh * gain),
        )
        return box._replace(x=size[0] - box.x - box.w) if self.mirror else box

    def _crop(self, sw: int, sh: int, size: tuple[int, int]) -> Box:
        aspect = size[0] / size[1]
        left, top, right, bottom = PEOPLE[self.person].head
        need_w, need_h = min(sw, 1.25 * (right - left) * sw), min(sh, 1.2 * (bottom - top) * sh)
        w = max(min(sw, sh * aspect) / self.zoom, need_w, need_h * aspect)
        h = min(sh, w / aspect)
        w = min(sw, w)
        x = np.clip((left + right) / 2 * sw - w / 2, 0, sw - w)
        y = np.clip((top + bottom) / 2 * sh - h / 2, 0, sh - h)
        return Box(round(x), round(y), round(w), round(h))


def _resized(rgb: Image, size: tuple[int, int]) -> Image:
    smaller = size[0] < rgb.shape[1]
    out: Any = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return out


def _alive(name: str, t: float) -> Image:
    """A portrait with a slow sway, as of a person who listens: a few pixels, degrees and percent."""
    rgb = still(name)
    h, w = rgb.shape[:2]
    left, top, right, bottom = PEOPLE[name].head
    centre = (w * (left + right) / 2, h * (top + bottom) / 2)
    width = w * (right - left)
    turn = cv2.getRotationMatrix2D(
        centre, 1.5 * math.sin(2 * math.pi * t / 5.3), 1.02 + 0.015 * math.sin(2 * math.pi * t / 7.1)
    )
    turn[0, 2] += 0.05 * width * math.sin(2 * math.pi * t / 4.1)
    turn[1, 2] += 0.03 * width * math.sin(2 * math.pi * t / 2.9)
    moved: Any = cv2.warpAffine(rgb, turn, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return moved
