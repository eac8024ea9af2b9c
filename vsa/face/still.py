"""Landmarks of the one face in a single picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsa.face import crops, scan
from vsa.face.engine import FaceEngine
from vsa.media.picture import Bytes, from_rgb

#: The crop follows the landmarks until it settles, as it does in a recording.
_ROUNDS = 5


def landmarks_of(engine: FaceEngine, rgb: Bytes) -> npt.NDArray[np.float64]:
    """Find the largest face and place its landmarks.

    Parameters
    ----------
    engine
        Finds and places.
    rgb
        Shape (h, w, 3).

    Returns
    -------
    Shape (478, 3), px.

    Raises
    ------
    ValueError
        When there is no face.
    """
    picture = from_rgb(rgb)
    found = scan.look(engine, picture, scan.windows(picture.width, picture.height))
    if not len(found):
        raise ValueError("there is no face in the picture")
    largest = int(np.argmax(found.boxes[:, 2]))
    crop = crops.from_eyes(found.boxes[largest], found.eyes[largest])
    for _ in range(_ROUNDS):
        points, _presence = engine.landmarks([picture.warp(crop.matrix(), crops.SIZE)])
        placed = crop.to_picture(points[0])
        crop = crops.from_landmarks(placed)
    return placed.astype(np.float64)
