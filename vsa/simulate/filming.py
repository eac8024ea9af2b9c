"""What the camera of each participant shows at each picture of a call: light, noise, repeats, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsa.simulate.acting import Part
from vsa.simulate.portraits import CANVAS, Portrait
from vsa.simulate.scenario import Camera, Light, Scenario, Slow
from vsa.simulate.staging import Box, blank_tile, boxes, put_name
from vsa.simulate.surface import Picture, head_ellipse, smoothstep

Times = NDArray[np.float64]
_NOISES = 4
_MARGIN = 64  # px by which fields of noise are larger than the tile: they are shifted about
_MIN = 1e-9


def picture_times(scenario: Scenario) -> Times:
    """Presentation times of the call's pictures, s, (n,)."""
    grid = np.arange(round(scenario.seconds * scenario.fps)) / scenario.fps
    return grid[_fresh(grid, scenario.sparse)]


def _fresh(times: Times, slow: tuple[Slow, ...]) -> NDArray[np.bool_]:
    """Which pictures are new ones, (n,); the first is."""
    out = np.ones(len(times), np.bool_)
    for span in slow:
        inside = (times >= span.start - _MIN) & (times < span.end - _MIN)
        step = np.floor((times - span.start) * span.fps + 1e-6)
        before = np.r_[-1.0, np.where(inside[:-1], step[:-1], -1.0)]
        out &= ~inside | ((step > before) & (span.fps > 0))
    out[:1] = True
    return out


@dataclass(frozen=True, eq=False)
class Seen:
    """What the call shows of one participant, by picture.

    Attributes
    ----------
    role
        Whose tile it is.
    shown_s
        The time at which what is shown was filmed, s, (n,): that of the picture, or an earlier one that is repeated.
    on
        Whether the camera is on, (n,).
    box
        The tile x, y, w, h, px, (n, 4).
    motion, luma
        Mean absolute grey difference to the picture before, NaN in the first of a tile, and mean grey of the tile
        before compression, 0-255, (n,).
    """

    role: str
    shown_s: Times
    on: NDArray[np.bool_]
    box: NDArray[np.int64]
    motion: Times
    luma: Times


def layout_of(scenario: Scenario, times: Times) -> tuple[list[dict[str, Box]], NDArray[np.int64]]:
    """Tiles by role of each layout, and which layout each picture has, (n,)."""
    starts = np.array([shot.start for shot in scenario.shots])
    which = np.maximum(np.searchsorted(starts, times + _MIN, "right") - 1, 0)
    return [boxes(scenario, shot) for shot in scenario.shots], which


class Feed:
    """One participant's tile, picture after picture.

    Parameters
    ----------
    role, portrait, part
        Who it is, and what they do.
    scenario
        The call.
    times
        Of its pictures, s.
    seed
        Of the noise.
    """

    def __init__(
        self,
        role: str,
        portrait: Portrait,
        part: Part,
        scenario: Scenario,
        times: Times,
        seed: list[int],
    ) -> None:
        camera = scenario.camera(role)
        layouts, which = layout_of(scenario, times)
        fresh = _fresh(times, camera.held)
        self.role, self._names = role, scenario.names
        self.on = np.ones(len(times), np.bool_)
        for start, end in camera.off:
            self.on &= ~((times >= start) & (times < end))
        fresh |= np.diff(self.on, prepend=False) & self.on  # whoever comes back is seen as they are
        self.shown = np.maximum.accumulate(np.where(fresh, np.arange(len(times)), 0))
        self.box = np.array([layouts[k][role] for k in which]).reshape(-1, 4)
        self._times, self._portrait, self._part = times, portrait, part
        largest = self.box[:, 2:].max(axis=0)
        self._optics = _Optics(camera, portrait, (int(largest[0]), int(largest[1])), seed)
        self._last: tuple[tuple[int, ...], Picture] | None = None
        self._motion, self._luma = np.full(len(times), np.nan), np.full(len(times), np.nan)
        self._grey: Picture | None = None

    def tile(self, k: int) -> Picture:
        """The tile of picture `k`, RGB (h, w, 3); asked for in order, for it is the same one while it is repeated."""
        size = (int(self.box[k, 2]), int(self.box[k, 3]))
        key = (int(self.shown[k]), *size) if self.on[k] else (-1, *size)
        if self._last is None or self._last[0] != key:
            self._last = (key, self._drawn(k, size))
        return self._last[1]

    def _drawn(self, k: int, size: tuple[int, int]) -> Picture:
        if self.on[k]:
            state = self._part.state(float(self._times[self.shown[k]]))
            picture = self._optics.taken(self._portrait.render(state, size))
        else:
            picture = blank_tile(self.role, size).copy()
        if self._names:
            put_name(picture, self.role)
        return picture

    def measure(self, k: int, grey: Picture) -> None:
        """Take note of the tile of picture `k` as it is in the call, (h, w)."""
        import cv2

        if k and (self.box[k] == self.box[k - 1]).all() and self._grey is not None:
            self._motion[k] = cv2.norm(grey, self._grey, cv2.NORM_L1) / grey.size
        self._luma[k] = grey.mean()
        self._grey = grey

    @property
    def seen(self) -> Seen:
        """What was shown."""
        return Seen(self.role, self._times[self.shown], self.on, self.box, self._motion, self._luma)


class _Optics:
    """Light and sensor of one camera."""

    def __init__(self, camera: Camera, portrait: Portrait, size: tuple[int, int], seed: list[int]) -> None:
        self._rng = np.random.default_rng(seed)
        self._curves = _curves(camera.light)
        self._portrait, self._backlight = portrait, camera.light.backlight
        self._masks: dict[tuple[int, int], NDArray[np.float32]] = {}
        shape = (size[1] + _MARGIN, size[0] + _MARGIN, 3)
        fields = [self._rng.normal(0, camera.noise_sd, shape).round() for _ in range(_NOISES)]
        self._noise = [
            (np.maximum(f, 0).astype(np.uint8), np.maximum(-f, 0).astype(np.uint8)) for f in fields
        ]

    def taken(self, picture: Picture) -> Picture:
        """A picture as this camera takes it."""
        import cv2

        h, w = picture.shape[:2]
        if self._backlight:
            lit = picture * self._mask((w, h)) + 70 * self._backlight * (self._mask((w, h)) - 1).clip(0)
            picture = np.clip(lit, 0, 255).astype(np.uint8)
        if self._curves is not None:
            picture = np.asarray(cv2.LUT(picture, self._curves), np.uint8)
        more, less = self._noise[int(self._rng.integers(_NOISES))]
        y, x = self._rng.integers(_MARGIN, size=2)
        brighter: Any = cv2.add(picture, more[y : y + h, x : x + w])
        return np.asarray(cv2.subtract(brighter, less[y : y + h, x : x + w]), np.uint8)

    def _mask(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """What backlight multiplies each pixel of a tile of `size` (w, h) with, (h, w, 1)."""
        if size not in self._masks:
            w, h = size
            y, x = np.mgrid[:h, :w].astype(np.float64)
            out = head_ellipse(self._portrait.points, x * CANVAS[0] / w, y * CANVAS[1] / h)
            behind = smoothstep(0.85, 1.3, out) * (1 - smoothstep(0.75, 0.95, y / h))
            mask = 1 + self._backlight * (-0.6 + 1.3 * behind)
            self._masks[size] = np.asarray(mask[..., None], np.float32)
        return self._masks[size]


def _curves(light: Light) -> NDArray[np.uint8] | None:
    """How a camera renders each grey level of each colour, (256, 1, 3); None: as it is."""
    if (light.gain, light.gamma, *light.cast) == (1.0, 1.0, 1.0, 1.0, 1.0):
        return None
    grey = (np.arange(256) / 255) ** light.gamma
    out = 255 * light.gain * grey[:, None] * np.array(light.cast)
    return np.asarray(np.clip(np.round(out), 0, 255)[:, None, :], np.uint8)
