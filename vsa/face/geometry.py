"""Head pose and metric position from landmarks, by fitting the canonical face.

Source: MediaPipe Face Geometry (`geometry_pipeline`): a perspective camera with a vertical field of view of 63
degrees, landmarks lifted to metric space in two passes of scale estimation, then a weighted orthogonal Procrustes
fit (Umeyama 1991). The person's tile is taken as the whole picture of that person's camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.face.bundle import CanonicalFace, FitBasis
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
    """

    rotation: Doubles
    position_cm: Doubles

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
    basis = face.basis
    unit = _near_unit(tile)
    x, y, w, h = tile
    depth = points[:, : len(face.points), 2].mean(1, dtype=np.float64) * unit
    screen = (points[:, basis.index] - np.array([x + w / 2, y + h / 2, 0.0])) * (
        unit * np.array([1.0, -1.0, 1.0])
    )
    first = _fit(screen * [1.0, 1.0, -1.0], basis)[2]
    second = _fit(_metric(screen, depth, first), basis)[2]
    rotation, moved, _ = _fit(_metric(screen, depth, first * second), basis)
    return Heads(rotation, moved * [1.0, 1.0, -1.0])


def orthographic(points: npt.NDArray[np.float32], face: CanonicalFace) -> tuple[Doubles, Doubles]:
    """The head's turn from the line between it and the camera, without a field of view.

    Returns
    -------
    Rotations as in `Heads`, shape (n, 3, 3), and the scale of the picture at the face, px per cm, shape (n,).
    """
    rotation, _, scale = _fit(points[:, face.basis.index] * [1.0, -1.0, -1.0], face.basis)
    return rotation, scale


def _near_unit(tile: Box) -> float:
    """Size of a pixel on the plane 1 cm in front of the camera, cm."""
    return float(2 * np.tan(np.radians(VERTICAL_FOV_DEG) / 2) / tile[3])


def _metric(screen: Doubles, depth: Doubles, scale: Doubles) -> Doubles:
    """Undo the perspective at an assumed scale; z points to the viewer afterwards."""
    z = (screen[..., 2] - depth[:, None] + 1.0) / scale[:, None]
    return np.stack([screen[..., 0] * z, screen[..., 1] * z, -z], -1)


def _fit(target: Doubles, basis: FitBasis) -> tuple[Doubles, Doubles, Doubles]:
    """Weighted similarity canonical -> target (n, k, 3): rotation (n, 3, 3), translation (n, 3), scale (n,)."""
    target_centre = basis.weights @ target / basis.weights.sum()
    spread = np.swapaxes(target - target_centre[:, None], 1, 2) @ (basis.weights[:, None] * basis.centred)
    u, s, vt = np.linalg.svd(spread)
    flip = np.sign(np.linalg.det(u @ vt))
    u[:, :, 2] *= flip[:, None]
    s[:, 2] *= flip
    rotation = u @ vt
    scale = s.sum(1) / (basis.weights @ basis.centred**2).sum()
    translation = target_centre - scale[:, None] * (rotation @ basis.centre)
    return rotation, translation, scale
