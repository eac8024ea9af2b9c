"""The warped still: how a head's turn, a smile and a dropped jaw's pull on the mouth's corners move each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
#: Displacements are computed on a grid of this step, px: they are smooth.
STEP = 4
#: A face is 14 cm wide and, in a call, about 60 cm from the camera.
DISTANCE_IN_FACES = 60 / 14
#: Pixels that still move by more than this when the warp should have settled lie in a fold.
_FOLDED_PX = 4.0
#: How far the corners of the mouth go in and down with the jaw, of the mouth's width.
_CORNERS_IN, _CORNERS_DOWN = 0.09, 0.08
#: Beyond this, as a multiple of the head's ellipse, nothing moves.
REACH = 1.75


def smoothstep(start: float, stop: float, x: Any) -> Any:
    """0 below start, 1 above stop, smooth between."""
    t = np.clip((np.asarray(x) - start) / (stop - start), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def head_rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """Rotate by roll, then pitch, then yaw; axes are the picture's right, up, toward the camera.

    Returns
    -------
    (3, 3) matrix. Yaw turns the face to the subject's left, pitch up, roll tips it to the subject's right
    shoulder.
    """
    y, p, r = np.radians([yaw_deg, pitch_deg, roll_deg])
    yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    matrix: NDArray[np.float64] = yaw @ pitch @ roll
    return matrix


@dataclass(frozen=True)
class Surface:
    """The head of a still as a relief, on a grid of `STEP` px.

    `x, y` (h, w) px; `depth` (h, w) px toward the camera from the pivot; `weight` (h, w) 1 on the head, 0
    where nothing moves; `pivot` px; `face` width and height px; `corners` (2, 2) px of the mouth, right
    then left.
    """

    size: tuple[int, int]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    depth: NDArray[np.float64]
    weight: NDArray[np.float64]
    pivot: tuple[float, float]
    face: tuple[float, float]
    corners: NDArray[np.float64]

    def moved(
        self,
        points: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
        rotation: NDArray[np.float64],
        shift: tuple[float, float],
        scale: float,
        smile: float,
        mouth_open: float = 0.0,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where points (x, y, depth) of the still's head go, px, as the head moves, smiles and opens the mouth.

        Of an opening mouth only the corners are moved here (`vsa.simulate.mouth` draws the rest).
        """
        x, y, depth = points
        sx, sy = self._corners(x, y, smile, mouth_open)
        distance = DISTANCE_IN_FACES * self.face[0]
        near = (distance - depth) / distance
        space = np.stack([(x + sx - self.pivot[0]) * near, -(y + sy - self.pivot[1]) * near, depth])
        space = scale * np.tensordot(rotation, space, axes=1)
        far = distance / (distance - space[2])
        return self.pivot[0] + shift[0] + space[0] * far, self.pivot[1] + shift[1] - space[1] * far

    def _corners(
        self, x: NDArray[np.float64], y: NDArray[np.float64], smile: float, mouth_open: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A smile moves the mouth's corners out and up, and the cheeks with them; a dropped jaw moves them in and down.

        A full smile moves them by a tenth of the mouth's width in each direction.
        """
        width = float(np.hypot(*(self.corners[1] - self.corners[0])))
        outward, downward = np.zeros_like(x), np.zeros_like(y)
        pulls = [
            # from the corner, of the mouth's width: outward, down; spread; how far it goes: outward, down
            ((0.0, 0.0), 0.28, (0.10 * smile, -0.10 * smile)),
            ((0.25, -0.55), 0.35, (0.015 * smile, -0.05 * smile)),
            ((0.0, 0.0), 0.25, (-_CORNERS_IN * mouth_open, _CORNERS_DOWN * mouth_open)),
        ]
        for (cx, cy), side in zip(self.corners, (-1, 1), strict=True):
            for (ox, oy), spread, (out, down) in pulls:
                if out or down:
                    away = np.hypot(x - cx - side * ox * width, y - cy - oy * width) / (spread * width)
                    pull = width * np.exp(-0.5 * away**2)
                    outward += side * out * pull
                    downward += down * pull
        return outward, downward

    def sources(
        self,
        rotation: NDArray[np.float64],
        shift: tuple[float, float],
        scale: float,
        smile: float,
        mouth_open: float,
        size: tuple[int, int],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each pixel of the new picture of `size` (w, h), the still's pixel that it shows: two (h, w) maps, px.

        The forward motion is inverted by fixed-point iteration, which converges where it doesn't fold.

        Raises
        ------
        ValueError
            When it folds: the head moves further than a still can be bent.
        """
        import cv2

        to_x, to_y = self.moved((self.x, self.y, self.depth), rotation, shift, scale, smile, mouth_open)
        motion = np.dstack([self.weight * (to_x - self.x), self.weight * (to_y - self.y)]).astype(np.float32)
        there = np.dstack([self.x, self.y]).astype(np.float32)
        source = there
        for _ in range(12):
            moved = np.asarray(there - _sampled(motion, source / np.float32(STEP)), np.float32)
            step = float(np.abs(moved - source).max())
            source = moved
            if step < 0.05:
                break
        if step > _FOLDED_PX:
            raise ValueError("the head turns, moves or grows further than a still can be bent")
        (w, h), (width, height) = self.size, size
        # pixel k of the new picture lies at (k + 0.5) * across - 0.5 of the still
        across, down = w / width, h / height
        to_grid = np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5]], np.float64)
        fine: Any = cv2.warpAffine(
            source - there,
            to_grid / STEP,
            size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        columns, rows = (np.arange(n, dtype=np.float32) for n in size)
        from_x = fine[..., 0] + (columns * np.float32(across) + np.float32(to_grid[0, 2]))
        from_y = fine[..., 1] + (rows * np.float32(down) + np.float32(to_grid[1, 2]))[:, None]
        return from_x, from_y


def _sampled(grid: NDArray[np.float32], at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Read a grid (h, w, 2) between its points, at (..., 2) columns and rows."""
    import cv2

    read: Any = cv2.remap(grid, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read, np.float32)


def surface_of(points: NDArray[np.float64], size: tuple[int, int]) -> Surface:
    """Build the relief from a face mesh, (478, 3) px, and the canvas size (w, h)."""
    from scipy.interpolate import griddata
    from scipy.ndimage import gaussian_filter

    w, h = size
    mesh = points[:468]
    low, high = mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)
    face = (float(high[0] - low[0]), float(high[1] - low[1]))
    centre = (low + high) / 2
    x, y = np.meshgrid(np.arange(0, w + STEP, STEP, dtype=float), np.arange(0, h + STEP, STEP, dtype=float))
    near = np.full(x.shape, np.nan)
    inside = _in_hull(mesh[:, :2], x, y)  # to look for points in the mesh that lie outside takes seconds
    near[inside] = griddata(mesh[:, :2], -mesh[:, 2], (x[inside], y[inside]), method="linear")
    rim = griddata(mesh[:, :2], -mesh[:, 2], (x, y), method="nearest")
    smooth = gaussian_filter(np.where(np.isnan(near), rim, near), 0.02 * face[0] / STEP)
    wide = gaussian_filter(np.where(np.isnan(near), rim, near), 0.10 * face[0] / STEP)
    relief = np.where(np.isnan(near), wide, smooth)
    relief = gaussian_filter(relief, 1.0)
    back = float(np.median(-mesh[:, 2])) - 0.45 * face[0]
    ellipse = head_ellipse(points, x, y)
    weight = 1 - smoothstep(1.0, REACH, ellipse)
    edge = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y))
    weight = weight * smoothstep(0.0, 0.06 * h, edge)  # the picture's border stays
    pivot = (float(centre[0]), float(centre[1] + 0.15 * face[1]))
    return Surface(size, x, y, relief - back, weight, pivot, face, points[[61, 291], :2].copy())


def _in_hull(
    points: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which of (x, y) lie in the convex hull of points (n, 2)."""
    from scipy.spatial import ConvexHull

    inside = np.ones(x.shape, np.bool_)
    for a, b, c in ConvexHull(points).equations:
        inside &= a * x + b * y + c <= 0
    return inside


def head_ellipse(points: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """How far out pixels are: 1 on the ellipse around face and hair, `REACH` where motion ends."""
    low, high = points[:468, :2].min(axis=0), points[:468, :2].max(axis=0)
    (cx, cy), (w, h) = (low + high) / 2, high - low
    out: NDArray[np.float64] = np.hypot((x - cx) / (0.72 * w), (y - cy + 0.12 * h) / (0.72 * h))
    return out
