"""The direction in which a person looks most: gaze is compared with it, since nobody knows where the camera stands."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

#: Fewer readings than this say nothing about a habit.
LEAST = 50
#: Cell of the histogram and spread of its smoothing, degrees: about the noise of gaze from one picture.
_CELL_DEG, _SPREAD_DEG = 1.0, 2.5
#: The mode is refined to the mean of the readings within this, degrees.
_NEAR_DEG = 5.0
_LIMIT_DEG = 60.0


def direction(gaze_deg: npt.ArrayLike) -> tuple[float, float] | None:
    """Mode of gaze in yaw and pitch: the densest spot of a smoothed histogram, then the mean about it.

    The mode and not the mean or median, because looks away go to one side (notes, a second screen, the floor) and can
    take up most of a session.

    Parameters
    ----------
    gaze_deg
        Yaw and pitch, degrees, shape (n, 2); rows with NaN (not tracked, lids down) are left out.

    Returns
    -------
    Yaw and pitch, degrees; None with fewer than `LEAST` readings.
    """
    gaze = np.asarray(gaze_deg, np.float64).reshape(-1, 2)
    gaze = gaze[np.isfinite(gaze).all(axis=1)]
    if len(gaze) < LEAST:
        return None
    edges = np.arange(-_LIMIT_DEG, _LIMIT_DEG + _CELL_DEG, _CELL_DEG)
    inside = np.clip(gaze, -_LIMIT_DEG, _LIMIT_DEG)
    density, _, _ = np.histogram2d(inside[:, 0], inside[:, 1], bins=(edges, edges))
    density = cv2.GaussianBlur(density, (0, 0), _SPREAD_DEG / _CELL_DEG)
    peak = np.unravel_index(int(np.argmax(density)), density.shape)
    spot = edges[np.array(peak)] + _CELL_DEG / 2
    for _ in range(10):
        near = np.hypot(*(inside - spot).T) <= _NEAR_DEG
        if not near.any():
            break
        moved = inside[near].mean(axis=0)
        if np.allclose(moved, spot, atol=1e-3):
            break
        spot = moved
    return float(spot[0]), float(spot[1])
