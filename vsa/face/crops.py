"""The rotated square around a face that the landmark network is given.

Source: MediaPipe's face landmarker graphs: a square of 1.5 times the longer side, turned so that the eyes are level;
from the detector's box for a new face, from the last landmarks' bounding box while following (which is what makes
its VIDEO and IMAGE modes differ).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Side of the landmark network's input, px.
SIZE = 256
_MARGIN = 1.5
#: Outer corners of the subject's right and left eye.
RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263


@dataclass(frozen=True)
class Crop:
    """A square in the picture: centre and side in px, angle in rad (positive: its top turns to the picture's right)."""

    x: float
    y: float
    side: float
    angle: float

    def matrix(self) -> npt.NDArray[np.float64]:
        """Affine map picture px -> crop px (0 to 256), shape (2, 3)."""
        scale = SIZE / self.side
        c, s = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        return np.array(
            [[c, s, SIZE / 2 - c * self.x - s * self.y], [-s, c, SIZE / 2 + s * self.x - c * self.y]],
            np.float64,
        )

    def to_picture(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Landmarks in crop px -> picture px; z keeps its sign and gets the same scale. Shape (..., 3).

        MediaPipe scales z in units of the picture's sides, so that a head that is rolled gets deeper in a wide picture
        (at 16:9 by 0.3% at 3 degrees, by 12% at 20); here depth doesn't depend on the shape of the picture.
        """
        scale = self.side / SIZE
        c, s = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        x, y = points[..., 0] - SIZE / 2, points[..., 1] - SIZE / 2
        return np.stack([c * x - s * y + self.x, s * x + c * y + self.y, points[..., 2] * scale], -1).astype(
            np.float32
        )


def from_eyes(box: npt.NDArray[np.float32], eyes: npt.NDArray[np.float32]) -> Crop:
    """Crop for a detected face: box (4,) and its eyes (2, 2), px."""
    return _square(box[:2], box[:2] + box[2:], eyes[0], eyes[1])


def from_landmarks(points: npt.NDArray[np.float32]) -> Crop:
    """Crop for the next picture from the landmarks of this one, shape (478, 3), px."""
    xy = np.ascontiguousarray(points[:, :2].T)  # rows of their own: reducing columns takes ten times as long
    return _square(xy.min(1), xy.max(1), xy[:, RIGHT_EYE_OUTER], xy[:, LEFT_EYE_OUTER])


def _square(
    low: npt.NDArray[np.float32],
    high: npt.NDArray[np.float32],
    right_eye: npt.NDArray[np.float32],
    left_eye: npt.NDArray[np.float32],
) -> Crop:
    across = left_eye - right_eye
    centre = (low + high) / 2
    return Crop(
        float(centre[0]),
        float(centre[1]),
        max(1.0, float(np.max(high - low)) * _MARGIN),
        float(np.arctan2(across[1], across[0])),
    )
