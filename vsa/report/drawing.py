"""Drawing one person's measurements into a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vsa.media.picture import Bytes

Row = Mapping[str, Any]
Colour = tuple[int, int, int]

#: RGB, told apart also by people who see red and green alike (Okabe & Ito 2008).
COLOURS: tuple[Colour, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (213, 94, 0),
    (0, 114, 178),
)
_AXES: tuple[Colour, ...] = ((220, 50, 47), (60, 180, 75), (60, 110, 230))
QUIET: Colour = (130, 130, 130)
_IRIS = (468, 473)
#: Outlines by landmark: eyes, iris rings, lips, oval of the face.
_OUTLINES: tuple[tuple[int, ...], ...] = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
    (469, 470, 471, 472),
    (474, 475, 476, 477),
    (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),
    (10, 297, 284, 389, 454, 361, 397, 378, 152, 149, 172, 132, 234, 162, 54, 67),
)


class Pen:
    """Lines and letters in sizes that suit the picture."""

    def __init__(self, rgb: Bytes) -> None:
        self.rgb = rgb
        self.scale = max(0.35, rgb.shape[0] / 1400)
        self.line = round(42 * self.scale)
        self.width = max(1, round(rgb.shape[0] / 500))

    def rectangle(self, box: tuple[float, ...], colour: Colour) -> None:
        """Draw the outline of x, y, w, h."""
        x, y, w, h = (round(v) for v in box)
        cv2.rectangle(self.rgb, (x, y), (x + w - 1, y + h - 1), colour, self.width, cv2.LINE_AA)

    def text(self, words: str, at: tuple[int, int], colour: Colour) -> None:
        """Write on black; `at` is the left end of the base line."""
        x, y = at
        (wide, high), below = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, self.scale, self.width)
        cv2.rectangle(self.rgb, (x - 2, y - high - 2), (x + wide + 2, y + below), (0, 0, 0), -1)
        cv2.putText(
            self.rgb, words, at, cv2.FONT_HERSHEY_SIMPLEX, self.scale, colour, self.width, cv2.LINE_AA
        )

    def arrow(
        self, start: tuple[float, float], to: tuple[float, float], colour: Colour, wide: float = 1
    ) -> None:
        """Draw an arrow; `wide` in line widths."""
        a, b = (tuple(round(v) for v in p) for p in (start, to))
        cv2.arrowedLine(self.rgb, a, b, colour, max(1, round(wide * self.width)), cv2.LINE_AA, tipLength=0.25)


def draw_face(pen: Pen, row: Row, points: npt.NDArray[np.float32] | None, colour: Colour) -> None:
    """Box, landmarks (478, 3) if there are any, axes of the head and arrow of gaze."""
    x, y, w, h = (float(row[f"box_{k}"]) for k in "xywh")
    pen.rectangle((x, y, w, h), colour)
    eyes = (x + w / 2, y + 0.36 * h)
    if points is not None:
        for px, py in np.rint(points[:468, :2]).astype(int):
            if 0 <= px < pen.rgb.shape[1] and 0 <= py < pen.rgb.shape[0]:
                pen.rgb[py, px] = colour
        outlines = [np.rint(points[list(line), :2] * 8).astype(np.int32) for line in _OUTLINES]
        cv2.polylines(pen.rgb, outlines, True, colour, 1, cv2.LINE_AA, shift=3)
        middle = points[list(_IRIS), :2].mean(0)
        eyes = float(middle[0]), float(middle[1])
    turn = _rotation(*(float(row[f"head_{k}"]) for k in ("yaw", "pitch", "roll")))
    centre = (x + w / 2, y + h / 2)
    for axis, ink in zip(turn.T, _AXES, strict=True):
        pen.arrow(centre, (centre[0] + 0.45 * w * axis[0], centre[1] - 0.45 * w * axis[1]), ink)
    yaw, pitch = np.radians([float(row["gaze_yaw"]), float(row["gaze_pitch"])])
    if np.isfinite(yaw + pitch):
        to = (eyes[0] + 1.5 * w * np.sin(yaw) * np.cos(pitch), eyes[1] - 1.5 * w * np.sin(pitch))
        cv2.circle(pen.rgb, (round(eyes[0]), round(eyes[1])), 2 * pen.width, (255, 255, 255), -1, cv2.LINE_AA)
        pen.arrow(eyes, to, (0, 0, 0), 3)
        pen.arrow(eyes, to, (255, 255, 255), 1.5)


def _rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> npt.NDArray[np.float64]:
    """Axes of the head (to its left, up, ahead) in columns; rows: to the right of the picture, up, to the viewer."""
    y, p, r = np.radians([yaw_deg, pitch_deg, roll_deg])
    turn = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt, np.float64)


def figures(row: Row) -> str:
    """Gaze, head and lids in numbers."""

    def angle(name: str) -> str:
        value = float(row[name])
        return f"{value:+.0f}" if np.isfinite(value) else "--"

    lids = np.mean([float(row["eye_open_left"]), float(row["eye_open_right"])])
    head = " ".join(angle(f"head_{k}") for k in ("yaw", "pitch", "roll"))
    return f"gaze {angle('gaze_yaw')} {angle('gaze_pitch')}  head {head}  lids {lids:.2f}"
