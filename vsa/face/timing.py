"""Where the time goes: an engine that counts what its calls take."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from vsa.face.detector import MIN_SCORE, Detections
from vsa.face.engine import Bytes, Doubles, FaceEngine, Floats, Stream
from vsa.media.picture import Box, Picture


class Stopwatch:
    """Seconds by stage, added up over threads."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time until the block ends."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - start)

    def add(self, name: str, seconds: float) -> None:
        """Count some seconds."""
        with self._lock:
            self._seconds[name] += seconds

    def seconds(self) -> dict[str, float]:
        """Seconds by stage, rounded to ms."""
        with self._lock:
            return {name: round(value, 3) for name, value in sorted(self._seconds.items())}


class TimedEngine:
    """Another engine, with its calls counted as ``detect``, ``landmarks`` and ``blendshapes``."""

    def __init__(self, engine: FaceEngine, watch: Stopwatch) -> None:
        self._engine = engine
        self._watch = watch
        self.name = engine.name
        self.detail = engine.detail
        self.follows = engine.follows

    def detect(self, images: Sequence[Bytes], min_score: float = MIN_SCORE) -> list[Detections]:
        """See `FaceEngine.detect`."""
        with self._watch.stage("detect"):
            return self._engine.detect(images, min_score)

    def cut(self, picture: Picture, matrix: Doubles) -> Any:
        """See `FaceEngine.cut`."""
        with self._watch.stage("cut"):
            return self._engine.cut(picture, matrix)

    def landmarks(self, crops: Sequence[Any], *, alone: bool = False) -> tuple[Floats, Floats]:
        """See `FaceEngine.landmarks`."""
        with self._watch.stage("landmarks"):
            return self._engine.landmarks(crops, alone=alone)

    def blendshapes(self, points: Floats) -> Floats:
        """See `FaceEngine.blendshapes`."""
        with self._watch.stage("blendshapes"):
            return self._engine.blendshapes(points)

    def stream(self, tile: Box) -> Stream | None:
        """See `FaceEngine.stream`."""
        return self._engine.stream(tile)
