"""The reference engine: MediaPipe's own FaceLandmarker follows the face in each tile."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.errors import VsaError
from vsa.face import bundle, crops
from vsa.face.blendshapes import NAMES as BLENDSHAPES
from vsa.face.litert import LiteRTEngine
from vsa.face.quiet import hushed
from vsa.face.telemetry import REQUIREMENT, reports_usage
from vsa.media.picture import Box, Picture, even_region

Floats = npt.NDArray[np.float32]

#: MediaPipe returns no face that it is less sure of.
_MIN_PRESENCE = 0.5


class MediaPipeEngine(LiteRTEngine):
    """See `vsa.face.engine.FaceEngine`; for parity, and for people who want exactly MediaPipe.

    Landmarks and expression scores come from one FaceLandmarker a tile (VIDEO mode, one face), which smooths in time.
    It has no entry for a batch of crops or points: `detect`, `landmarks` and `blendshapes` run the bundle's graphs as
    the CPU engine does, and serve to find out which tiles hold a face. Of two people who share one camera it follows
    one.

    Parameters
    ----------
    threads
        Cores for the bundle's graphs; MediaPipe itself takes what it wants.

    Raises
    ------
    ModelMissingError
        When the pretrained files are not on this machine.
    VsaError
        When MediaPipe can't start, or is a version that sends usage metrics.
    """

    name = "mediapipe"
    follows = True

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        release = version("mediapipe")
        if reports_usage(release):
            raise VsaError(
                f"mediapipe {release} sends usage metrics to its maker.",
                f'pip install "{REQUIREMENT}"',
            )
        self.detail = f"mediapipe {release} (FaceLandmarker, VIDEO mode)"
        try:
            _landmarker(self._bundle.path).close()
        except (ImportError, OSError, RuntimeError) as error:
            raise VsaError(f"MediaPipe can't start: {error}.", "Run 'vsa doctor'.") from error

    def stream(self, tile: Box) -> MediaPipeStream:
        """A FaceLandmarker of its own for the face in a tile."""
        return MediaPipeStream(tile, self._presence)

    def _presence(self, picture: Picture, points: Floats) -> float:
        crop = crops.from_landmarks(points)
        return float(self.landmarks([picture.warp(crop.matrix(), crops.SIZE)])[1][0])


class MediaPipeStream:
    """See `vsa.face.engine.Stream`: MediaPipe's VIDEO mode on one tile's pictures.

    Parameters
    ----------
    tile
        x, y, width, height, px.
    presence
        Says how sure the landmark network is of landmarks in a picture: MediaPipe keeps its own figure to itself.
    """

    def __init__(self, tile: Box, presence: Callable[[Picture, Floats], float]) -> None:
        self._tile = tile
        self._presence = presence
        self._landmarker = _landmarker(bundle.load().path)
        self._start_s: float | None = None
        self._last_ms = -1

    def step(self, picture: Picture) -> tuple[Floats, float, Floats]:
        """Landmarks (478, 3) in picture px, presence (0.5-1, 0 when lost) and expression scores (52,)."""
        import mediapipe

        x, y = round(self._tile[0]), round(self._tile[1])
        left, top, _, _ = even_region(self._tile, picture.width, picture.height)
        rgb = np.ascontiguousarray(picture.rgb(self._tile)[y - top :, x - left :])
        seen = self._landmarker.detect_for_video(
            mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb), self._stamp_ms(picture.t)
        )
        if not seen.face_landmarks:
            nothing = np.full((478, 3), np.nan, np.float32)
            return nothing, 0.0, np.full(len(BLENDSHAPES), np.nan, np.float32)
        h, w = rgb.shape[:2]
        points = np.array([(p.x * w + x, p.y * h + y, p.z * w) for p in seen.face_landmarks[0]], np.float32)
        scores = np.array([category.score for category in seen.face_blendshapes[0]], np.float32)
        return points, max(_MIN_PRESENCE, self._presence(picture, points)), scores

    def close(self) -> None:
        """Give back MediaPipe's graph and its threads."""
        self._landmarker.close()

    def _stamp_ms(self, t: float) -> int:
        # MediaPipe wants whole milliseconds, from 0, that increase
        if self._start_s is None:
            self._start_s = t
        self._last_ms = max(self._last_ms + 1, round((t - self._start_s) * 1000))
        return self._last_ms


def _landmarker(model: Path) -> Any:
    with hushed():
        from mediapipe.tasks.python import BaseOptions, vision

        return vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(model)),
                running_mode=vision.RunningMode.VIDEO,
                num_faces=1,
                min_face_presence_confidence=_MIN_PRESENCE,
                output_face_blendshapes=True,
            )
        )
