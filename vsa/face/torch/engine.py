"""The CUDA engine: the bundle's three graphs as batched PyTorch operations, one GPU for all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from vsa.face import bundle, crops, detector
from vsa.face.blendshapes import LANDMARKS
from vsa.face.blendshapes import NAMES as BLENDSHAPES
from vsa.face.engine import Doubles, Stream
from vsa.face.torch import graph
from vsa.face.torch.batches import Array, Batches
from vsa.face.torch.net import Net
from vsa.media.picture import Box, Picture

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: Items at once: more gain nothing; without a GPU whose memory can be asked, fewer.
_MOST, _MOST_ELSEWHERE = 256, 32
#: The share of the GPU's free memory that a batch may take, and what convolutions need beside their tensors.
_SHARE, _WORKSPACE = 0.5, 3.0


class TorchEngine:
    """See `vsa.face.engine.FaceEngine`.

    In float32, without the GPU's shortened one (TF32): in float16 landmarks move by up to 0.5 px and expressions by
    0.004 (random inputs). What several threads ask for at the same time runs as one batch, so the last digits may
    differ from run to run, and with them, as crops follow landmarks, a box by 0.3 px or a score by 0.03.

    Parameters
    ----------
    device
        Where PyTorch runs.

    Raises
    ------
    ModelMissingError
        When the pretrained files are not on this machine.
    RuntimeError
        When the device can't be used.
    """

    name = "cuda"
    follows = False

    def __init__(self, device: torch.device) -> None:
        self.detail = f"PyTorch {torch.__version__} on {_named(device)}, speed not measured"
        self._device = device
        self._busy = threading.Lock()
        files = bundle.load()
        self._detector = self._batches(files.detector, ("regressors", "classificators"), 1 / 127.5, -1.0)
        self._landmarks = self._batches(files.landmarks, ("Identity", "Identity_1"), 1 / 255, 0.0)
        self._blendshapes = self._batches(files.blendshapes, ("StatefulPartitionedCall:0",), 1.0, 0.0)
        # a GPU that this PyTorch has no code for says so now, and not in the first session
        self._landmarks(np.zeros((1, crops.SIZE, crops.SIZE, 3), np.uint8))

    def detect(
        self, images: Sequence[Bytes], min_score: float = detector.MIN_SCORE
    ) -> list[detector.Detections]:
        """Faces in RGB squares of 128x128 px, in their px."""
        if not len(images):
            return []
        boxes, scores = self._detector(np.stack(images))
        return [detector.decode(b, s[:, 0], min_score) for b, s in zip(boxes, scores, strict=True)]

    def cut(self, picture: Picture, matrix: Doubles) -> Bytes:
        """RGB pixels of a crop, see `FaceEngine.cut`."""
        return picture.warp(matrix, crops.SIZE)

    def landmarks(self, crops: Sequence[Bytes], *, alone: bool = False) -> tuple[Floats, Floats]:
        """Landmarks (n, 478, 3) in crop px and presence (n,) 0-1, for RGB crops of 256x256 px."""
        if not len(crops):
            return np.empty((0, 478, 3), np.float32), np.empty(0, np.float32)
        points, logits = self._landmarks(np.stack(crops))
        presence = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -60, 60)))
        return points.reshape(-1, 478, 3), presence.astype(np.float32)

    def blendshapes(self, points: Floats) -> Floats:
        """Expression scores (n, 52), 0-1, for landmarks (n, 478, >=2) in px of one scale."""
        if not len(points):
            return np.empty((0, len(BLENDSHAPES)), np.float32)
        return self._blendshapes(np.ascontiguousarray(points[:, LANDMARKS, :2], np.float32))[0]

    def stream(self, tile: Box) -> Stream | None:
        """Crops follow the landmarks: this engine keeps no state of its own."""
        return None

    def _batches(self, model: bytes, outputs: Sequence[str], gain: float, offset: float) -> Batches:
        net = Net(graph.read(model, outputs), self._device)
        room = torch.cuda.empty_cache if self._device.type == "cuda" else _nothing
        return Batches(_runner(net, self._device, gain, offset), self._most(net), self._busy, room)

    def _most(self, net: Net) -> int:
        if self._device.type != "cuda":
            return _MOST_ELSEWHERE
        free, _ = torch.cuda.mem_get_info(self._device)
        return max(1, min(_MOST, int(free * _SHARE / (net.item_bytes * _WORKSPACE))))


def _runner(net: Net, device: torch.device, gain: float, offset: float) -> Callable[[Array], list[Floats]]:
    def run(items: Array) -> list[Floats]:
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            x = torch.from_numpy(items).to(device).float() * gain + offset
            return [np.asarray(y.cpu().numpy(), np.float32) for y in net(x)]

    return run


def _named(device: torch.device) -> str:
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else str(device)


def _nothing() -> None:
    pass
