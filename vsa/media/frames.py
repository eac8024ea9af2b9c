"""From a decoded frame to a `Picture`: upright, square pixels, one size, 8 bits, limited range."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from vsa.media.picture import Bytes, Picture

# ITU-T H.273, table 4: matrix coefficients; what is not here (untagged, 601) is taken as BT.601
_COLOURS = {1: "bt709", 4: "fcc", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_RGB_TAG = 0


@dataclass(frozen=True)
class Turn:
    """How a stored picture is turned to stand upright: transposed first, then mirrored."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def clockwise_deg(self) -> int:
        """The turn, degrees clockwise; of a picture that is mirrored too, the turn before it is mirrored."""
        if self.transpose:
            return 270 if self.flip_y else 90
        return 180 if self.flip_y else 0

    @property
    def mirrored(self) -> bool:
        """Whether left and right are swapped besides."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    def __call__(self, plane: Bytes) -> Bytes:
        """Return the turned plane; the same one if there is nothing to do."""
        if self.transpose:
            plane = np.asarray(cv2.transpose(plane), np.uint8)
        if self.flip_x or self.flip_y:
            code = -1 if self.flip_x and self.flip_y else (1 if self.flip_x else 0)
            plane = np.asarray(cv2.flip(plane, code), np.uint8)
        return plane


def turn_of(frame: Any) -> Turn:
    """The turn that a frame's display matrix asks for, to the next quarter."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            # x' = a x + c y, y' = b x + d y, with y downwards
            a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return Turn(False, a < 0, d < 0)
            return Turn(True, c < 0, b < 0)
    return Turn()


class PictureMaker:
    """Makes `Picture` objects of one recording's frames; for one thread.

    Parameters
    ----------
    head
        The first decoded frame, whose size all pictures get. Later frames of another size (a resolution that adapts
        to the connection) are scaled to fit into it, with black bars if their shape differs.
    aspect
        Width to height of one stored pixel.
    """

    def __init__(self, head: Any, aspect: float) -> None:
        self._aspect = aspect if 0.2 < aspect < 5 and abs(aspect - 1) > 0.01 else 1.0
        self._stored = self._square(head)
        self._reformatter = VideoReformatter()
        self.turn = turn_of(head)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright pictures, px."""
        width, height = self._stored
        return (height, width) if self.turn.transpose else (width, height)

    def changes_size(self, frame: Any) -> bool:
        """Whether the frame has another size than the first."""
        return self._square(frame) != self._stored

    def __call__(self, frame: Any, t: float) -> Picture:
        """Return the picture of a frame in any pixel format, shown at `t` s.

        A frame that is stored as the picture needs it is not copied: the planes are views on the decoder's memory,
        and hold it.
        """
        width, height = self._square(frame)
        scale = 1.0
        if (width, height) != self._stored:
            scale = min(self._stored[0] / width, self._stored[1] / height)
            width, height = max(2, round(width * scale)), max(2, round(height * scale))
        full_range = frame.format.name.startswith("yuvj") or int(frame.color_range) == ColorRange.JPEG
        if frame.format.name != "yuv420p" or full_range or (width, height) != (frame.width, frame.height):
            frame = self._reformatter.reformat(
                frame,
                width=width,
                height=height,
                format="yuv420p",
                src_color_range=ColorRange.JPEG if full_range else None,
                dst_color_range=ColorRange.MPEG,
                dst_colorspace=Colorspace.ITU601 if int(frame.colorspace) == _RGB_TAG else None,
                threads=1,
            )
        planes = [self._plane(frame, index, width, height) for index in range(3)]
        if (width, height) != self._stored:
            planes = self._on_canvas(planes)
        y, u, v = (self.turn(plane) for plane in planes)
        return Picture(t, y, u, v, _COLOURS.get(int(frame.colorspace), "bt601"))

    def _square(self, frame: Any) -> tuple[int, int]:
        """Size of a frame with square pixels."""
        return max(2, round(frame.width * self._aspect)), frame.height

    @staticmethod
    def _plane(frame: Any, index: int, width: int, height: int) -> Bytes:
        plane = frame.planes[index]
        if index:
            width, height = (width + 1) // 2, (height + 1) // 2
        return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]

    def _on_canvas(self, planes: list[Bytes]) -> list[Bytes]:
        """Planes of another shape in the middle of black ones of the recording's size."""
        width, height = self._stored
        left, top = (width - planes[0].shape[1]) // 4 * 2, (height - planes[0].shape[0]) // 4 * 2
        placed = []
        for index, plane in enumerate(planes):
            half = 2 if index else 1
            canvas = np.full((-(-height // half), -(-width // half)), 128 if index else 16, np.uint8)
            y, x = top // half, left // half
            h, w = min(plane.shape[0], canvas.shape[0] - y), min(plane.shape[1], canvas.shape[1] - x)
            canvas[y : y + h, x : x + w] = plane[:h, :w]
            placed.append(canvas)
        return placed
