"""What a face engine does: find faces, place landmarks, score expressions; batches in, batches out.

A new engine is one module with a class of this shape and one line in `create`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vsa import cores
from vsa.errors import ExtraMissingError, InputError
from vsa.face.detector import Detections
from vsa.media.picture import Box, Picture

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

#: Engines by name; `auto` is the fastest one that this machine can run.
NAMES = ("auto", "cpu", "cuda", "mediapipe")


class Stream(Protocol):
    """One face followed through consecutive pictures by an engine that keeps its own state."""

    def step(self, picture: Picture) -> tuple[Floats, float, Floats]:
        """Landmarks (478, 3) in picture px, presence (0-1) and expression scores (52,).

        When the face is lost presence is 0 and the rest NaN.
        """
        ...

    def close(self) -> None:
        """Give back what the engine holds for this face."""
        ...


class FaceEngine(Protocol):
    """Same numbers from each; safe to call from several threads at once.

    Attributes
    ----------
    name
        Written to ``session.json``.
    detail
        Library and version behind it, written to ``session.json``.
    follows
        It follows faces by itself (see `stream`) and smooths them in time; otherwise crops follow the landmarks.
    """

    name: str
    detail: str
    follows: bool

    def detect(self, images: Sequence[Bytes], min_score: float = ...) -> list[Detections]:
        """Faces in RGB squares of 128x128 px, in their px."""
        ...

    def cut(self, picture: Picture, matrix: Doubles) -> Any:
        """Cut a crop of 256x256 px, in the form that `landmarks` takes; `matrix` maps picture px to crop px (2, 3)."""
        ...

    def landmarks(self, crops: Sequence[Any], *, alone: bool = False) -> tuple[Floats, Floats]:
        """Landmarks (n, 478, 3) in crop px and presence (n,) 0-1, for crops that `cut` made (or RGB, 256x256 px).

        `alone` says that no other thread needs the cores meanwhile.
        """
        ...

    def blendshapes(self, points: Floats) -> Floats:
        """Expression scores (n, 52), 0-1, for landmarks (n, 478, >=2) in px of one scale."""
        ...

    def stream(self, tile: Box) -> Stream | None:
        """A follower of the engine's own for the one face in a tile; None if crops should follow the landmarks."""
        ...


def create(name: str = "auto", threads: int | None = None) -> FaceEngine:
    """Make an engine.

    Parameters
    ----------
    name
        One of `NAMES`.
    threads
        Cores to use; all that this process may use by default.

    Raises
    ------
    InputError
        For an unknown name, and for ``cuda`` where PyTorch can use no GPU.
    ExtraMissingError
        For ``cuda`` where its packages are not installed.
    ModelMissingError
        When the pretrained files are not on this machine.
    """
    threads = threads or cores.usable()
    if name == "auto":
        return _fastest(threads)
    if name == "cpu":
        from vsa.face.litert import LiteRTEngine

        return LiteRTEngine(threads)
    if name == "cuda":
        from vsa.face.torch import gpu

        return gpu.create()
    if name == "mediapipe":
        from vsa.face.mediapipe import MediaPipeEngine

        return MediaPipeEngine(threads)
    raise InputError(f"There is no engine '{name}'.", f"Choose one of: {', '.join(NAMES)}.")


def _fastest(threads: int) -> FaceEngine:
    """The GPU's engine where there is one; where its driver is and it can't be used, the CPU's says why."""
    from vsa.face.litert import LiteRTEngine
    from vsa.face.torch import gpu

    if not gpu.has_driver():
        return LiteRTEngine(threads)
    try:
        return gpu.create()
    except (ExtraMissingError, InputError) as error:
        engine = LiteRTEngine(threads)
        engine.detail += f"; {error.message}"
        return engine
