"""What a face looks like in a few numbers, to tell people of one session apart: no identity, nothing is kept.

Colours of hair, skin, clothes and of what is behind the head, and the shading of the upright face. No face
recognition network is involved: these numbers mean nothing outside their session, and they are dropped with it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vsa.face import crops
from vsa.media.picture import Box, Picture

Floats = npt.NDArray[np.float32]

#: Parts of a description.
_COLOURS, _AROUND, _SHADING = slice(0, 48), slice(48, 96), slice(96, None)
_FACE = 64
_HOG = cv2.HOGDescriptor((_FACE, _FACE), (16, 16), (16, 16), (8, 8), 9)


def clarity(points: Floats, presence: float) -> float:
    """How well a face can be compared: frontal ones best. 0-1."""
    nose, right, left = points[1, 0], points[crops.RIGHT_EYE_OUTER, 0], points[crops.LEFT_EYE_OUTER, 0]
    width = max(1e-3, abs(left - right))
    return float(presence * (1 - min(1.0, abs(nose - (left + right) / 2) / width)))


def describe(picture: Picture, points: Floats, tile: Box) -> Floats:
    """Numbers for one face.

    Parameters
    ----------
    picture
        Where it is.
    points
        Landmarks, shape (478, 3), px.
    tile
        The camera: nothing outside it is looked at.

    Returns
    -------
    Shape (n,): colours (CIELAB, in units of just noticeable steps of 25), then the shading's gradients.
    """
    picture, left, top = picture.part(tile)
    points = points - np.array([left, top, 0], np.float32)
    crop = crops.from_landmarks(points)
    face = picture.warp(crop.matrix(), crops.SIZE)
    lab = cv2.cvtColor(cv2.resize(face, (16, 16), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    inner = cv2.resize(face[32:224, 32:224], (_FACE, _FACE), interpolation=cv2.INTER_AREA)
    grey = cv2.equalizeHist(cv2.cvtColor(inner, cv2.COLOR_RGB2GRAY))
    gradients = np.asarray(_HOG.compute(grey), np.float32).ravel()
    wide = crops.Crop(crop.x, crop.y + 0.35 * crop.side, 2.2 * crop.side, 0.0)
    around = picture.warp(wide.matrix() * (64 / crops.SIZE), 64)
    around_lab = cv2.cvtColor(cv2.resize(around, (4, 4), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB)
    colour = np.concatenate([_coarse(np.asarray(lab, np.uint8)), around_lab.reshape(-1, 3)]).astype(
        np.float32
    )
    # lightness changes with the sun and the screen: it counts half
    colour *= np.array([0.5, 1, 1], np.float32) / 25
    return np.concatenate([colour.ravel(), gradients / max(1e-6, float(np.linalg.norm(gradients)))])


def distance(a: Floats, b: Floats) -> float:
    """How different two descriptions are: about 0.1 to 0.5 for one person, 0.65 to 2 for two."""
    face, around = (float(np.linalg.norm(a[part] - b[part])) / 4 for part in (_COLOURS, _AROUND))
    return 0.5 * face + 0.05 * around + float(np.linalg.norm(a[_SHADING] - b[_SHADING]))


def shape_distance(a: Floats, b: Floats) -> float:
    """How different two faces' shading is, whatever the light's strength and colour: clothes and colours don't count.

    Up to 0.5 for one person whose light goes from a fifth to its double and from warm to cold, 0.57 and more for two
    (five people of the test clips, frontal faces).
    """
    return float(np.linalg.norm(a[_SHADING] - b[_SHADING]))


def _coarse(lab: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.resize(lab, (4, 4), interpolation=cv2.INTER_AREA).reshape(-1, 3), np.float32)
