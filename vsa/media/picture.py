"""One decoded picture, upright, as luma and chroma planes; colour is made only where pixels are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

#: Limited-range luma (16-235) to full-range grey (0-255).
GREY_GAIN = 255.0 / 219.0

_ROTATE = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, eq=False)
class Picture:
    """Planes of an upright picture with square pixels, BT.601-style limited range, 4:2:0.

    Attributes
    ----------
    t
        Presentation time, s.
    y
        Luma, shape (height, width), 16-235.
    u, v
        Chroma, shape (ceil(height / 2), ceil(width / 2)).
    """

    t: float
    y: Bytes
    u: Bytes
    v: Bytes

    @property
    def width(self) -> int:
        """Width, px."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Height, px."""
        return int(self.y.shape[0])

    @property
    def nbytes(self) -> int:
        """Memory that the planes hold, bytes."""
        return int(self.y.nbytes + self.u.nbytes + self.v.nbytes)

    def warp(self, matrix: npt.NDArray[np.float64], size: int, *, constant: bool = False) -> Bytes:
        """Sample an RGB square through an affine map.

        Luma is sampled at full and chroma at half resolution, so that the cost depends on `size` and not on how
        large the face is in the recording.

        Parameters
        ----------
        matrix
            Shape (2, 3): source px -> target px.
        size
            Side of the square, px; even.
        constant
            Black outside the picture; by default its border is repeated.

        Returns
        -------
        RGB, shape (size, size, 3).
        """
        half = matrix.copy()
        half[:, 2] /= 2
        border = cv2.BORDER_CONSTANT if constant else cv2.BORDER_REPLICATE
        n = size // 2
        stacked = np.empty((size * 3 // 2, size), np.uint8)
        cv2.warpAffine(
            self.y,
            matrix,
            (size, size),
            dst=stacked[:size],
            flags=cv2.INTER_LINEAR,
            borderMode=border,
            borderValue=16,
        )
        chroma = stacked[size:].reshape(2, n, n)
        for plane, target in ((self.u, chroma[0]), (self.v, chroma[1])):
            cv2.warpAffine(
                plane, half, (n, n), dst=target, flags=cv2.INTER_LINEAR, borderMode=border, borderValue=128
            )
        return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2RGB_I420), np.uint8)

    def letterbox(self, box: Box, size: int) -> tuple[Bytes, float, float, float]:
        """Fit a region into a square, keeping its shape, with black bars.

        Returns
        -------
        RGB (size, size, 3), and (scale, dx, dy) with target = source * scale + (dx, dy).
        """
        x, y, w, h = box
        scale = size / max(w, h)
        dx = (size - w * scale) / 2 - x * scale
        dy = (size - h * scale) / 2 - y * scale
        matrix = np.array([[scale, 0, dx], [0, scale, dy]], np.float64)
        picture = self
        if scale < 0.5:  # bilinear sampling alone would alias: shrink by area first
            picture, matrix = self._shrunk(box, scale)
        rgb = picture.warp(matrix, size, constant=True)
        left, top = round((size - w * scale) / 2), round((size - h * scale) / 2)
        rgb[:top] = 0
        rgb[size - top :] = 0
        rgb[:, :left] = 0
        rgb[:, size - left :] = 0
        return rgb, scale, dx, dy

    def _shrunk(self, box: Box, scale: float) -> tuple[Picture, npt.NDArray[np.float64]]:
        x0, y0, x1, y1 = even_region(box, self.width, self.height)
        w, h = max(2, 2 * round((x1 - x0) * scale / 2)), max(2, 2 * round((y1 - y0) * scale / 2))
        small = Picture(
            self.t,
            np.asarray(cv2.resize(self.y[y0:y1, x0:x1], (w, h), interpolation=cv2.INTER_AREA), np.uint8),
            *(
                np.asarray(
                    cv2.resize(
                        p[y0 // 2 : (y1 + 1) // 2, x0 // 2 : (x1 + 1) // 2],
                        (w // 2, h // 2),
                        interpolation=cv2.INTER_AREA,
                    ),
                    np.uint8,
                )
                for p in (self.u, self.v)
            ),
        )
        sx, sy = w / (x1 - x0), h / (y1 - y0)
        _, _, bw, bh = box
        size = max(bw, bh) * scale
        left, top = (size - bw * scale) / 2, (size - bh * scale) / 2
        mx, my = scale / sx, scale / sy
        matrix = np.array(
            [[mx, 0, left + (x0 - box[0]) * scale], [0, my, top + (y0 - box[1]) * scale]],
            np.float64,
        )
        return small, matrix

    def rgb(self, box: Box | None = None) -> Bytes:
        """Colour of a region (the whole picture by default), shape (h, w, 3)."""
        x0, y0, x1, y1 = even_region(box or (0, 0, self.width, self.height), self.width, self.height)
        w, h = x1 - x0, y1 - y0
        ew, eh = w + w % 2, h + h % 2
        stacked = np.empty((eh * 3 // 2, ew), np.uint8)
        luma = self.y[y0:y1, x0:x1]
        if (ew, eh) != (w, h):
            luma = np.pad(luma, ((0, eh - h), (0, ew - w)), mode="edge")
        stacked[:eh] = luma
        cw, ch = ew // 2, eh // 2
        stacked[eh:].reshape(2, ch, cw)[:] = [
            p[y0 // 2 : y0 // 2 + ch, x0 // 2 : x0 // 2 + cw] for p in (self.u, self.v)
        ]
        return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2RGB_I420), np.uint8)[:h, :w]

    def thumbnail(self, width: int, height: int) -> Bytes:
        """Luma shrunk by area, shape (height, width)."""
        return np.asarray(cv2.resize(self.y, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def even_region(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Whole-pixel corners of a box inside the picture, starting on even pixels (chroma has half the resolution)."""
    x, y, w, h = box
    x0 = min(max(0, int(np.floor(x))), max(0, width - 2)) & ~1
    y0 = min(max(0, int(np.floor(y))), max(0, height - 2)) & ~1
    return x0, y0, max(x0 + 1, min(width, int(np.ceil(x + w)))), max(y0 + 1, min(height, int(np.ceil(y + h))))


def mean_difference(a: Picture, b: Picture, box: tuple[int, int, int, int]) -> float:
    """Mean absolute grey difference of two pictures in a region (x, y, w, h), 0-255: motion energy.

    Source: Grammer et al. 1999; Ramseyer & Tschacher 2011 (motion energy analysis), without a threshold.
    """
    x, y, w, h = box
    one, other = a.y[y : y + h, x : x + w], b.y[y : y + h, x : x + w]
    if one.shape != other.shape or one.size == 0:
        return float("nan")
    return float(cv2.norm(one, other, cv2.NORM_L1)) / one.size * GREY_GAIN


def from_frame(frame: Any, t: float, aspect: float) -> Picture:
    """Planes of a decoded PyAV frame, turned upright, with square pixels.

    Parameters
    ----------
    frame
        ``av.VideoFrame`` in any pixel format.
    t
        Presentation time, s.
    aspect
        Sample (pixel) aspect ratio, width / height.
    """
    full_range = frame.format.name.startswith("yuvj") or int(frame.color_range) == 2
    width, height = frame.width, frame.height
    if abs(aspect - 1) > 0.01:
        width = max(2, round(width * aspect))
    if frame.format.name != "yuv420p" or full_range or width != frame.width:
        frame = frame.reformat(
            width=width,
            height=height,
            format="yuv420p",
            **({"src_color_range": 2, "dst_color_range": 1} if full_range else {}),
        )
    planes = []
    for index, plane in enumerate(frame.planes):
        rows = height if index == 0 else (height + 1) // 2
        columns = width if index == 0 else (width + 1) // 2
        planes.append(np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:rows, :columns])
    return Picture(t, *planes)


def rotated(picture: Picture, degrees_clockwise: int) -> Picture:
    """The picture turned clockwise by a multiple of 90 degrees."""
    code = _ROTATE.get(degrees_clockwise % 360)
    if code is None:
        return picture
    return Picture(
        picture.t, *(np.asarray(cv2.rotate(p, code), np.uint8) for p in (picture.y, picture.u, picture.v))
    )
