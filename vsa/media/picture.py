"""One decoded picture, upright, as luma and chroma planes; colour is made only where pixels are used."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

#: Limited-range luma (16-235) to full-range grey (0-255).
BLACK, GREY_GAIN = 16.0, 255.0 / 219.0

# Red and blue weights of luma (ITU-R BT.601, BT.709, BT.2020, FCC, SMPTE 240M)
_WEIGHTS = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
}


def _to_rgb(colour: str) -> npt.NDArray[np.float32]:
    """The map from limited-range (luma, Cb, Cr) to RGB, 0-255, shape (3, 4)."""
    red, blue = _WEIGHTS[colour]
    green = 1 - red - blue
    matrix = np.array(
        [
            [1, 0, 2 * (1 - red)],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 2 * (1 - blue), 0],
        ]
    ) * [GREY_GAIN, 255 / 224, 255 / 224]
    return np.column_stack([matrix, matrix @ [-16, -128, -128]]).astype(np.float32)


TO_RGB = {name: _to_rgb(name) for name in _WEIGHTS}
_FROM_RGB = np.linalg.inv(np.vstack([TO_RGB["bt601"], [0, 0, 0, 1]]))[:3].astype(np.float32)


@dataclass(frozen=True, eq=False)
class Picture:
    """Planes of an upright picture with square pixels, limited range, 4:2:0, chroma in the middle of its four px.

    The planes may be views on the decoder's own memory: they stay valid as long as the picture lives, and keep
    that memory. Read them, don't write to them.

    Attributes
    ----------
    t
        Presentation time, s.
    y
        Luma, shape (height, width), 16-235.
    u, v
        Chroma, shape (ceil(height / 2), ceil(width / 2)), 16-240.
    colour
        The matrix by which luma and chroma make RGB: ``bt601``, ``bt709``, ``bt2020``, ``fcc`` or ``smpte240m``.
    """

    t: float
    y: Bytes
    u: Bytes
    v: Bytes
    colour: str = "bt601"

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

    def warp(self, matrix: Floats, size: int, *, constant: bool = False) -> Bytes:
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
        # A chroma sample lies in the middle of four luma px, at 2 c + 1/2 from the first one's centre.
        half = matrix.copy()
        half[:, 2] = (matrix[:, 2] + matrix[:, :2].sum(axis=1) / 2 - 0.5) / 2
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
        return self._coloured(stacked)

    def _coloured(self, stacked: Bytes) -> Bytes:
        """RGB of luma over the two chroma planes, (h * 3 / 2, w)."""
        if self.colour == "bt601":  # the one matrix that OpenCV knows
            return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2RGB_I420), np.uint8)
        width = stacked.shape[1]
        height = stacked.shape[0] * 2 // 3
        chroma = stacked[height:].reshape(2, height // 2, width // 2)
        u, v = (cv2.resize(c, (width, height), interpolation=cv2.INTER_NEAREST) for c in chroma)
        return np.asarray(cv2.transform(cv2.merge([stacked[:height], u, v]), TO_RGB[self.colour]), np.uint8)

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
            picture, matrix = self._shrunk(box, matrix)
        rgb = picture.warp(matrix, size, constant=True)
        left, top = round((size - w * scale) / 2), round((size - h * scale) / 2)
        rgb[:top] = 0
        rgb[size - top :] = 0
        rgb[:, :left] = 0
        rgb[:, size - left :] = 0
        return rgb, scale, dx, dy

    def _shrunk(self, box: Box, matrix: Floats) -> tuple[Picture, Floats]:
        """A region shrunk by area to the scale of a map, and the map from there."""
        scale = float(matrix[0, 0])
        x0, y0, x1, y1 = even_region(box, self.width, self.height)
        w, h = max(2, 2 * round((x1 - x0) * scale / 2)), max(2, 2 * round((y1 - y0) * scale / 2))
        luma = self.y[y0:y1, x0:x1]
        rows, columns = slice(y0 // 2, (y1 + 1) // 2), slice(x0 // 2, (x1 + 1) // 2)
        small = Picture(
            self.t,
            _by_area(luma, w, h),
            _by_area(self.u[rows, columns], w // 2, h // 2),
            _by_area(self.v[rows, columns], w // 2, h // 2),
            self.colour,
        )
        # Pixel j of the small picture is the mean of source px around (j + 1/2) / s - 1/2.
        sx, sy = w / (x1 - x0), h / (y1 - y0)
        undo = np.array([[1 / sx, 0, x0 + 0.5 / sx - 0.5], [0, 1 / sy, y0 + 0.5 / sy - 0.5], [0, 0, 1]])
        return small, matrix @ undo

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
        return self._coloured(stacked)[:h, :w]

    def part(self, box: Box) -> tuple[Picture, int, int]:
        """Look at a region only, without a copy; also its left and top, px (even, so up to 1 px before the box's)."""
        x0, y0, x1, y1 = even_region(box, self.width, self.height)
        u, v = (p[y0 // 2 : (y1 + 1) // 2, x0 // 2 : (x1 + 1) // 2] for p in (self.u, self.v))
        return Picture(self.t, self.y[y0:y1, x0:x1], u, v, self.colour), x0, y0

    def coarse(self, step: int) -> Picture:
        """Every so many pixels of each plane only."""
        y, u, v = (np.ascontiguousarray(p[::step, ::step]) for p in (self.y, self.u, self.v))
        return Picture(self.t, y, u, v, self.colour)


def _by_area(plane: Bytes, width: int, height: int) -> Bytes:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


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


def mean_grey(picture: Picture, box: tuple[int, int, int, int]) -> float:
    """Mean grey of a picture in a region (x, y, w, h): 0 black, 255 white."""
    x, y, w, h = box
    region = picture.y[y : y + h, x : x + w]
    if region.size == 0:
        return float("nan")
    mean = cv2.norm(region, cv2.NORM_L1) / region.size  # in a fifth of the time that cv2.mean takes
    return min(255.0, max(0.0, (mean - BLACK) * GREY_GAIN))


def from_rgb(rgb: Bytes, t: float = 0.0) -> Picture:
    """Planes of an RGB picture, shape (h, w, 3), shown at `t` s."""
    height, width = rgb.shape[:2]
    even = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    y, u, v = (np.asarray(plane, np.uint8) for plane in cv2.split(cv2.transform(even, _FROM_RGB)))
    half = even.shape[1] // 2, even.shape[0] // 2
    return Picture(t, y[:height, :width], _by_area(u, *half), _by_area(v, *half))
