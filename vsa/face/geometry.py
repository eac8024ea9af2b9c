"""Head pose and metric position from landmarks, by fitting the canonical face.

Source: MediaPipe Face Geometry (`geometry_pipeline`): a perspective camera with a vertical field of view of 63
degrees, landmarks lifted to metric space in two passes of scale estimation, then a weighted orthogonal Procrustes
fit (Umeyama 1991). The person's tile is taken as the whole picture of that person's camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.face.bundle import CanonicalFace
from vsa.media.picture import Box

Doubles = npt.NDArray[np.float64]

VERTICAL_FOV_DEG = 63.0


@dataclass(frozen=True)
class Heads:
    """Poses of one face over n pictures.

    Attributes
    ----------
    rotation
        Shape (n, 3, 3): canonical face -> camera (x to the picture's right, y up, z toward the viewer).
    position_cm
        Shape (n, 3), camera frame: x to the picture's right, y up, z the distance in front of the camera.
    metric
        The landmarks in the camera's frame, shape (n, 478, 3), cm; z is negative in front of the camera.
    """

    rotation: Doubles
    position_cm: Doubles
    metric: Doubles

    def angles_deg(self) -> Doubles:
        """Yaw (positive to the subject's left), pitch (up), roll (to the subject's right shoulder), shape (n, 3).

        The head is first rolled about its own front, then pitched, then turned about the vertical.
        """
        r = self.rotation
        forward = r[:, :, 2]
        yaw = np.arctan2(forward[:, 0], forward[:, 2])
        pitch = np.arcsin(np.clip(forward[:, 1], -1, 1))
        roll = np.arctan2(r[:, 1, 0], r[:, 1, 1])
        return np.asarray(np.degrees(np.stack([yaw, pitch, roll], 1)))


def pose(points: npt.NDArray[np.float32], tile: Box, face: CanonicalFace) -> Heads:
    """Fit the canonical face to landmarks.

    Parameters
    ----------
    points
        Shape (n, 478, 3), px of the recording; z in the same unit, negative toward the camera.
    tile
        The person's tile x, y, w, h, px.
    face
        The canonical face.
    """
    screen = np.concatenate([rays(points[..., :2], tile)[..., :2], points[..., 2:] * _near_unit(tile)], -1)
    basis = len(face.points)
    depth = screen[:, :basis, 2].mean(1)
    first = _fit(screen * [1.0, 1.0, -1.0], face)[2]
    second = _fit(_metric(screen, depth, first), face)[2]
    metric = _metric(screen, depth, first * second)
    rotation, moved, _ = _fit(metric, face)
    return Heads(rotation, moved * [1.0, 1.0, -1.0], metric)


def orthographic(points: npt.NDArray[np.float32], face: CanonicalFace) -> tuple[Doubles, Doubles]:
    """The head's turn from the line between it and the camera, without a field of view.

    Returns
    -------
    Rotations as in `Heads`, shape (n, 3, 3), and the scale of the picture at the face, px per cm, shape (n,).
    """
    rotation, _, scale = _fit(points[:, : len(face.points)] * [1.0, -1.0, -1.0], face)
    return rotation, scale


def rays(xy: npt.NDArray[np.float32], tile: Box) -> Doubles:
    """Directions from the camera through pixels (..., 2), shape (..., 3) with z = -1."""
    x, y, w, h = tile
    unit = _near_unit(tile)
    across = (xy[..., 0].astype(np.float64) - x - w / 2) * unit
    up = (y + h / 2 - xy[..., 1].astype(np.float64)) * unit
    return np.stack([across, up, -np.ones_like(up)], -1)


def _near_unit(tile: Box) -> float:
    """Size of a pixel on the plane 1 cm in front of the camera, cm."""
    return float(2 * np.tan(np.radians(VERTICAL_FOV_DEG) / 2) / tile[3])


def _metric(screen: Doubles, depth: Doubles, scale: Doubles) -> Doubles:
    """Undo the perspective at an assumed scale; z points to the viewer afterwards."""
    z = (screen[..., 2] - depth[:, None] + 1.0) / scale[:, None]
    return np.stack([screen[..., 0] * z, screen[..., 1] * z, -z], -1)


def _fit(target: Doubles, face: CanonicalFace) -> tuple[Doubles, Doubles, Doubles]:
    """Weighted similarity canonical -> target: rotation (n, 3, 3), translation (n, 3), scale (n,)."""
    used = np.flatnonzero(face.weights)
    source, weight = face.points[used], face.weights[used]
    target = target[:, used]
    total = weight.sum()
    source_centre = weight @ source / total
    target_centre = np.einsum("k,nkd->nd", weight, target) / total
    a = source - source_centre
    b = target - target_centre[:, None]
    u, s, vt = np.linalg.svd(np.einsum("k,nkd,ke->nde", weight, b, a))
    flip = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= flip[:, None]
    s[:, 2] *= flip
    rotation = u @ vt
    scale = s.sum(1) / np.einsum("k,kd,kd->", weight, a, a)
    translation = target_centre - scale[:, None] * (rotation @ source_centre)
    return rotation, translation, scale
