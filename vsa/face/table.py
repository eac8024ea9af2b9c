"""Columns of ``face.parquet`` from what a tracklet measured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsa.face import gaze, geometry
from vsa.face.blendshapes import NAMES
from vsa.face.bundle import CanonicalFace
from vsa.face.tracklet import Readings

#: Numbers of a tracked row, in the order of the file; all float32. Units: DESIGN of `face.parquet` in docs/formats.md.
COLUMNS: tuple[str, ...] = (
    "confidence",
    "box_x",
    "box_y",
    "box_w",
    "box_h",
    "head_yaw",
    "head_pitch",
    "head_roll",
    "head_x",
    "head_y",
    "head_z",
    "gaze_yaw",
    "gaze_pitch",
    "eye_open_left",
    "eye_open_right",
    "motion",
    "luma",
    *NAMES,
)
#: What is kept of a row until it is written: the mark of rows that were taken over goes beside the numbers.
STORED: tuple[str, ...] = (*COLUMNS, "interpolated")


def values(readings: Readings, face: CanonicalFace) -> npt.NDArray[np.float32]:
    """Numbers for each reading, shape (n, len(COLUMNS)), in the order of `COLUMNS`."""
    points = readings.points
    low, high = points[:, :, :2].min(1), points[:, :, :2].max(1)
    heads = geometry.pose(points, readings.tile.box, face)
    eyes = gaze.measure(points, face)
    return np.concatenate(
        [
            readings.presence[:, None],
            low,
            high - low,
            heads.angles_deg(),
            heads.position_cm,
            eyes.gaze_deg,
            eyes.open_left[:, None],
            eyes.open_right[:, None],
            readings.motion[:, None],
            readings.luma[:, None],
            readings.blendshapes,
        ],
        axis=1,
    ).astype(np.float32)
