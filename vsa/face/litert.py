"""The CPU engine: the bundle's three graphs in LiteRT (XNNPACK), one set of interpreters a thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from vsa.face import bundle, crops, detector
from vsa.face.blendshapes import LANDMARKS
from vsa.face.blendshapes import NAMES as BLENDSHAPES
from vsa.face.engine import Doubles, Stream
from vsa.face.narrowed import narrowed
from vsa.face.quiet import hushed
from vsa.face.widened import widened
from vsa.media.picture import Box, Picture

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class LiteRTEngine:
    """See `vsa.face.engine.FaceEngine`.

    Parameters
    ----------
    threads
        Cores: a face that is analysed alone gets them all, otherwise each calling thread uses one.

    Raises
    ------
    ModelMissingError
        When the pretrained files are not on this machine.
    """

    name = "cpu"
    follows = False

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.detail = f"ai-edge-litert {version('ai-edge-litert')} (XNNPACK)"
        self._bundle = bundle.load()
        self._local = threading.local()
        self._lock = threading.Lock()
        self._models: dict[str, bytes] = {}

    def detect(
        self, images: Sequence[Bytes], min_score: float = detector.MIN_SCORE
    ) -> list[detector.Detections]:
        """Faces in RGB squares of 128x128 px, in their px."""
        net = self._net("detector", 1)
        found = []
        for image in images:
            boxes, scores = net.run(image, 127.5, -1.0)
            found.append(detector.decode(boxes[0], scores[0, :, 0], min_score))
        return found

    def cut(self, picture: Picture, matrix: Doubles) -> Bytes:
        """RGB pixels of a crop, see `FaceEngine.cut`."""
        return picture.warp(matrix, crops.SIZE)

    def landmarks(self, crops: Sequence[Bytes], *, alone: bool = False) -> tuple[Floats, Floats]:
        """Landmarks (n, 478, 3) in crop px and presence (n,) 0-1, for RGB crops of 256x256 px."""
        net = self._net("landmarks", self.threads if alone else 1)
        points = np.empty((len(crops), 478, 3), np.float32)
        presence = np.empty(len(crops), np.float32)
        for k, crop in enumerate(crops):
            xyz, logit = net.run(crop, 255.0, 0.0)
            points[k] = xyz.reshape(478, 3)
            presence[k] = 1 / (1 + np.exp(-np.clip(float(logit.ravel()[0]), -60, 60)))
        return points, presence

    def blendshapes(self, points: Floats) -> Floats:
        """Expression scores (n, 52), 0-1, for landmarks (n, 478, >=2) in px of one scale."""
        net = self._net("blendshapes", 1)
        chosen = np.ascontiguousarray(points[:, LANDMARKS, :2], np.float32)
        scores = np.empty((len(points), len(BLENDSHAPES)), np.float32)
        for k, xy in enumerate(chosen):
            scores[k] = net.run(xy, 1.0, 0.0)[0]
        return scores

    def stream(self, tile: Box) -> Stream | None:
        """Crops follow the landmarks: this engine keeps no state of its own."""
        return None

    def _model(self, name: str) -> bytes:
        with self._lock:
            if name not in self._models:  # it takes a while, and not every engine reads a face
                self._models[name] = _REWRITTEN.get(name, bytes)(getattr(self._bundle, name))
            return self._models[name]

    def _net(self, name: str, threads: int) -> _Net:
        nets: dict[tuple[str, int], _Net] = self._local.__dict__.setdefault("nets", {})
        if (name, threads) not in nets:
            nets[name, threads] = _Net(self._model(name), _OUTPUTS[name], threads)
        return nets[name, threads]


#: Graphs that are written anew, so that the same numbers are computed faster.
_REWRITTEN = {"landmarks": widened, "blendshapes": narrowed}
#: Output tensors by name: the order in the flatbuffer is no contract.
_OUTPUTS = {
    "detector": ("regressors", "classificators"),
    "landmarks": ("Identity", "Identity_1"),
    "blendshapes": ("StatefulPartitionedCall:0",),
}


class _Net:
    def __init__(self, model: bytes, outputs: tuple[str, ...], threads: int) -> None:
        with hushed():
            self._net: Any = Interpreter(model_content=model, num_threads=threads)
            self._net.allocate_tensors()
        self._input = self._net.tensor(self._net.get_input_details()[0]["index"])
        index = {d["name"]: d["index"] for d in self._net.get_output_details()}
        self._outputs = [self._net.tensor(index[name]) for name in outputs]

    def run(self, values: npt.NDArray[Any], divisor: float, offset: float) -> list[Floats]:
        target = self._input()[0]
        np.multiply(values, np.float32(1 / divisor), out=target, casting="unsafe")
        if offset:
            target += np.float32(offset)
        del target  # LiteRT refuses to run while a view of a tensor is held
        self._net.invoke()
        return [np.array(output()) for output in self._outputs]
