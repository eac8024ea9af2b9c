"""MediaPipe's FaceLandmarker and vsa's cpu engine on the same people: VIDEO mode, one face, on the person's own tile.

MediaPipe is run here as its users run it: straight on RGB pictures from the decoder, not through vsa. What vsa writes
to ``face.parquet`` is compared.
"""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import av
import mediapipe
import numpy as np
import pytest
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray
from people import Box, clip_path

from vsa import assets
from vsa.errors import ModelMissingError
from vsa.face import bundle, crops, engine, table
from vsa.face.blendshapes import NAMES
from vsa.face.tracker import Tracker
from vsa.face.tracklet import Readings
from vsa.media.recording import Recording

CHUNK = 25


class Clip(NamedTuple):
    """Pictures `first` to `last` (excluded) of a clip, and one person's tile in it."""

    file: str
    tile: Box
    first: int
    last: int


CLIPS = {
    "webcam man, talking": Clip("webcam_man_53s.mp4", Box(0, 0, 400, 300), 0, 300),
    "webcam man, blinking": Clip("webcam_man_53s.mp4", Box(0, 0, 400, 300), 620, 680),
    "smiling man": Clip("smiling_man_360p.mp4", Box(0, 0, 640, 360), 0, 72),
    "talking woman": Clip("talking_woman_512.mp4", Box(0, 0, 512, 512), 0, 200),
    "call, left": Clip("call_two_tiles.mp4", Box(146, 182, 356, 356), 0, 200),
    "call, right": Clip("call_two_tiles.mp4", Box(718, 182, 474, 356), 0, 200),
}


@dataclass(frozen=True)
class Signals:
    """What one side says, picture by picture (NaN where there is no face)."""

    points: NDArray[np.float64]
    blendshapes: NDArray[np.float64]
    angles_deg: NDArray[np.float64]
    position_cm: NDArray[np.float64]

    @classmethod
    def empty(cls, n: int) -> Signals:
        return cls(*(np.full((n, *shape), np.nan) for shape in ((478, 3), (52,), (3,), (3,))))


@dataclass(frozen=True)
class Differences:
    """Between vsa and MediaPipe, for the pictures in which MediaPipe sees a face; NaN where vsa does not."""

    landmarks_pct: NDArray[np.float64]
    blendshape: NDArray[np.float64]
    angles_deg: NDArray[np.float64]
    position_cm: NDArray[np.float64]


@cache
def mediapipe_video(clip: Clip) -> Signals:
    """Run MediaPipe on a tile, as its users do."""
    try:
        model = assets.find(bundle.NAME)
    except ModelMissingError as error:
        pytest.skip(str(error))
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        running_mode=vision.RunningMode.VIDEO,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    x, y, w, h = clip.tile
    out = Signals.empty(clip.last - clip.first)
    with (
        av.open(str(clip_path(clip.file))) as container,
        vision.FaceLandmarker.create_from_options(options) as landmarker,
    ):
        for k, frame in enumerate(itertools.islice(container.decode(video=0), clip.first, clip.last)):
            rgb = np.ascontiguousarray(frame.to_ndarray(format="rgb24")[y : y + h, x : x + w])
            image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
            seen = landmarker.detect_for_video(image, round(frame.time * 1000))
            if not seen.face_landmarks:
                continue
            assert [c.category_name for c in seen.face_blendshapes[0]] == list(NAMES)
            out.points[k] = [(p.x * w + x, p.y * h + y, p.z * w) for p in seen.face_landmarks[0]]
            out.blendshapes[k] = [c.score for c in seen.face_blendshapes[0]]
            matrix = seen.facial_transformation_matrixes[0]
            out.angles_deg[k] = _angles_deg(matrix[:3, :3])
            out.position_cm[k] = matrix[:3, 3] * [1, 1, -1]
    return out


def _angles_deg(r: NDArray[np.float64]) -> list[float]:
    """Yaw to the subject's left, pitch up, roll to the subject's right shoulder (y up, z toward the viewer)."""
    return [
        math.degrees(math.atan2(r[0, 2], r[2, 2])),
        math.degrees(math.asin(r[1, 2])),
        math.degrees(math.atan2(r[1, 0], r[1, 1])),
    ]


@cache
def vsa_readings(file: str, first: int, last: int) -> list[Readings]:
    """Follow everybody in some pictures of a clip; nothing is told about tiles."""
    try:
        face_engine = engine.create("cpu", 2)
    except ModelMissingError as error:
        pytest.skip(str(error))
    measured: list[Readings] = []
    with ThreadPoolExecutor(2) as pool, Recording(clip_path(file)) as recording:
        tracker = Tracker(face_engine, pool)
        pictures = itertools.islice(enumerate(recording.pictures()), first, last)
        while chunk := list(itertools.islice(pictures, CHUNK)):
            measured += [future.result() for future in tracker.process(chunk)]
        measured += [future.result() for future in tracker.rest()]
        tracker.close()
    return measured


def vsa_rows(clip: Clip) -> Signals:
    """What vsa writes for the person in a tile."""
    out = Signals.empty(clip.last - clip.first)
    for readings in vsa_readings(clip.file, clip.first, clip.last):
        centre = readings.points[:, :, :2].mean((0, 1)) - clip.tile[:2]
        if not ((centre > 0) & (centre < clip.tile[2:])).all():
            continue
        rows = readings.frame - clip.first
        values = table.values(readings, bundle.load().face)
        columns = {name: values[:, k] for k, name in enumerate(table.COLUMNS)}
        out.points[rows] = readings.points
        out.blendshapes[rows] = np.stack([columns[name] for name in NAMES], 1)
        out.angles_deg[rows] = np.stack([columns[f"head_{a}"] for a in ("yaw", "pitch", "roll")], 1)
        out.position_cm[rows] = np.stack([columns[f"head_{a}"] for a in "xyz"], 1)
    return out


def differences(clip: Clip) -> Differences:
    """Compare both sides on a clip."""
    theirs, ours = mediapipe_video(clip), vsa_rows(clip)
    seen = ~np.isnan(theirs.points[:, 0, 0])
    points = theirs.points[seen, :, :2]
    eyes = np.linalg.norm(points[:, crops.RIGHT_EYE_OUTER] - points[:, crops.LEFT_EYE_OUTER], axis=1)
    apart = np.linalg.norm(ours.points[seen, :, :2] - points, axis=2)
    return Differences(
        100 * apart / eyes[:, None],
        np.abs(ours.blendshapes - theirs.blendshapes)[seen].max(1),
        np.abs(ours.angles_deg - theirs.angles_deg)[seen],
        np.abs(ours.position_cm - theirs.position_cm)[seen],
    )
