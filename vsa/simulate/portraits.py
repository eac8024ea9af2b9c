"""Public-domain portraits that look, blink, smile and turn by known amounts.

Two photographs (Eileen Collins, NASA, from scikit-image; Grace Hopper, US Navy, from Matplotlib) are warped in
two dimensions. The eyes are drawn anew in the photo's eye openings: a ball of 12 mm radius, on it an iris of
11.7 mm that moves, is foreshortened and is cut by the lids, which go up and down with it. The person in the
photo is taken to look into the lens. What a dropped jaw opens is drawn too (`vsa.simulate.mouth`).

Where this is easier than the world: two faces, evenly lit, sharp, near frontal; the light never changes, and
there is no noise, motion blur or bad compression but the video encoder's; both eyes do the same, and don't
converge on a near point; pupils don't change; head turns are small (up to about 12 degrees); speech moves the jaw
and nothing else. Where it differs: hidden skin never appears, and what lies behind the head bends a little with it;
shading stays that of the photo, so that an engine that reads depth from shading sees less of a turn to the side
than there is; a smile moves mouth corners and cheeks without wrinkles or teeth, and Eileen Collins smiles from the
start: her mouth never shuts, and her smile shrinks while the jaw is down. Grace Hopper's eyes lie in shadow behind
glasses, and the whites drawn into them are brighter than the photo's. Accuracy on these says what the geometry
does, not what a webcam will give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsa.simulate.eyes import Eye, draw_eye, find_eye
from vsa.simulate.mouth import Mouth, draw_mouth, dropped, find_mouth
from vsa.simulate.surface import (
    REACH,
    STEP,
    Picture,
    Surface,
    head_ellipse,
    head_rotation,
    surface_of,
)

#: A face engine: RGB picture (h, w, 3) to the mesh (478, 3), px; depth grows away from the camera.
Landmarks = Callable[[Picture], NDArray[np.float64]]
#: Canvas of every portrait: width, height, px.
CANVAS = (720, 576)


@dataclass(frozen=True)
class _Source:
    crop: tuple[int, int, int, int]  # of the photo: left, top, width, height
    iris_dx: float  # seen by eye: how far the iris stands right of where the mesh has it, px of the canvas
    lid_skin: float


_SOURCES = {
    "astronaut": _Source((92, 8, 250, 200), 0.0, 0.6),
    "grace_hopper": _Source((20, 0, 475, 380), -1.8, 0.5),
}
NAMES = tuple(_SOURCES)


@dataclass(frozen=True)
class PortraitState:
    """What the person does. The default is the photo's own pose, looking into the camera.

    Gaze is in the camera's frame: 0, 0 looks into the lens however the head stands. Head angles are turns from
    the photo's pose; yaw is positive to the subject's left (the right of the picture), pitch up, roll to the
    subject's right shoulder. `lid_open` and `smile` are relative to the photo (1 = its opening, 0 = its
    mouth). Shifts are px of the canvas, right and down; `scale` is the head's size relative to the photo.
    """

    gaze_yaw_deg: float = 0.0
    gaze_pitch_deg: float = 0.0
    lid_open: float = 1.0
    smile: float = 0.0
    head_yaw_deg: float = 0.0
    head_pitch_deg: float = 0.0
    head_roll_deg: float = 0.0
    shift_x_px: float = 0.0
    shift_y_px: float = 0.0
    scale: float = 1.0
    mouth_open: float = 0.0

    @property
    def still_head(self) -> PortraitState:
        """The same eyes in the photo's own head."""
        return PortraitState(self.gaze_yaw_deg, self.gaze_pitch_deg, self.lid_open)

    @property
    def rotation(self) -> NDArray[np.float64]:
        """The head's (3, 3) rotation: right, up, toward the camera."""
        return head_rotation(self.head_yaw_deg, self.head_pitch_deg, self.head_roll_deg)

    @property
    def eye_direction(self) -> NDArray[np.float64]:
        """Where the eyes point in the head, (3,) unit vector: right, up, toward the camera."""
        yaw, pitch = np.radians([self.gaze_yaw_deg, self.gaze_pitch_deg])
        camera = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        inside: NDArray[np.float64] = self.rotation.T @ camera
        return inside

    @property
    def eye_in_head_deg(self) -> tuple[float, float]:
        """Yaw and pitch of the eyes relative to the head, degrees."""
        x, y, z = self.eye_direction
        return float(np.degrees(np.arctan2(x, z))), float(np.degrees(np.arcsin(y)))


@dataclass(frozen=True)
class Portrait:
    """A still that can be rendered in any `PortraitState`; see the module for what is simulated."""

    name: str
    still: Picture
    points: NDArray[np.float64]
    surface: Surface
    eyes: tuple[Eye, Eye]
    mouth: Mouth

    @classmethod
    def load(cls, name: str, landmarks: Landmarks) -> Portrait:
        """Read a photograph and measure it.

        Parameters
        ----------
        name
            One of `NAMES`.
        landmarks
            The face engine to find the mesh with, once.

        Raises
        ------
        ValueError
            For another name.
        """
        if name not in _SOURCES:
            raise ValueError(f"no portrait is called {name!r}; there are {', '.join(NAMES)}")
        import cv2

        source = _SOURCES[name]
        x, y, w, h = source.crop
        still: Any = cv2.resize(_photo(name)[y : y + h, x : x + w], CANVAS, interpolation=cv2.INTER_LANCZOS4)
        points = np.asarray(landmarks(still), dtype=float)
        rings = [points[list(range(k + 1, k + 5)), :2] - points[k, :2] for k in (468, 473)]
        radius = float(np.hypot(*np.concatenate(rings).T).mean())
        right, left = (
            find_eye(still, points, side, radius, source.iris_dx, source.lid_skin)
            for side in ("right", "left")
        )
        mouth = find_mouth(still, points, (right.px_per_mm + left.px_per_mm) / 2)
        return cls(name, still, points, surface_of(points, CANVAS), (right, left), mouth)

    def render(self, state: PortraitState, size: tuple[int, int] = CANVAS) -> Picture:
        """Draw the portrait, RGB, (576, 720, 3) or smaller: `size` is width and height, of the same shape.

        Raises
        ------
        ValueError
            When the head moves further than a still can be bent (about 12 degrees of yaw, 10 of pitch and roll, 20 px
            up or down, 5% of size; less of each together).
        """
        import cv2

        picture = self.still.copy()
        for eye in self.eyes:
            _lay(draw_eye(eye, state.eye_direction, state.lid_open), picture, eye.x0, eye.y0)
        if state.mouth_open > 0:
            _lay(draw_mouth(self.mouth, state.mouth_open), picture, self.mouth.x0, self.mouth.y0)
        if size == CANVAS and state == state.still_head:
            return picture
        shift = (state.shift_x_px, state.shift_y_px)
        maps = self.surface.sources(state.rotation, shift, state.scale, state.smile, state.mouth_open, size)
        # shrinking hides what the fast way of sampling blurs
        sampling = cv2.INTER_CUBIC if size == CANVAS else cv2.INTER_LINEAR
        warped: Any = cv2.remap(picture, *maps, sampling, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.uint8)

    def mesh(self, state: PortraitState) -> NDArray[np.float64]:
        """Where the head and the jaw carry the still's mesh points, (468, 2) px; lids are taken as in the photo."""
        return self.cloud(state)[:, :2]

    def cloud(self, state: PortraitState) -> NDArray[np.float64]:
        """`mesh` with depth, (468, 3) px: the photo's own, turned with the head; it grows away from the camera."""
        x, y, z = self.points[:468].T
        if state.mouth_open > 0:
            y = dropped(self.mouth, x, y, state.mouth_open)
        surface = self.surface
        depth = surface.depth[
            np.clip(np.round(y / STEP).astype(int), 0, len(surface.depth) - 1), np.round(x / STEP).astype(int)
        ]
        shift = (state.shift_x_px, state.shift_y_px)
        moved = surface.moved(
            (x, y, depth), state.rotation, shift, state.scale, state.smile, state.mouth_open
        )
        middle = z.mean()
        right, up, near = x - surface.pivot[0], surface.pivot[1] - y, middle - z
        away = middle - state.scale * (state.rotation[2] @ np.stack([right, up, near]))
        return np.column_stack([*moved, away])

    def touched(self) -> NDArray[np.bool_]:
        """The part of the picture that a state may change, (576, 720)."""
        y, x = np.mgrid[: CANVAS[1], : CANVAS[0]]
        return head_ellipse(self.points, x, y) < REACH


def _lay(patch: NDArray[np.float32], picture: Picture, x: int, y: int) -> None:
    picture[y : y + patch.shape[0], x : x + patch.shape[1]] = np.clip(np.round(patch), 0, 255)


@lru_cache(maxsize=len(_SOURCES))
def _photo(name: str) -> Picture:
    from PIL import Image

    return np.asarray(Image.open(_photo_path(name)).convert("RGB"))


def _photo_path(name: str) -> Path:
    if name == "astronaut":
        import skimage

        return Path(skimage.__file__).parent / "data" / "astronaut.png"
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def gaze_grid(
    portrait: Portrait,
    yaws: tuple[float, ...] = (-20, -10, 0, 10, 20),
    pitches: tuple[float, ...] = (-12, -6, 0, 6, 12),
) -> Iterator[tuple[PortraitState, Picture]]:
    """Render the eyes turned to each yaw and pitch (degrees), head still, lids open."""
    for pitch in pitches:
        for yaw in yaws:
            state = PortraitState(gaze_yaw_deg=yaw, gaze_pitch_deg=pitch)
            yield state, portrait.render(state)


def lid_grid(
    portrait: Portrait, opens: tuple[float, ...] = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
) -> Iterator[tuple[PortraitState, Picture]]:
    """Render each lid opening, looking into the camera."""
    for lid_open in opens:
        state = PortraitState(lid_open=lid_open)
        yield state, portrait.render(state)
