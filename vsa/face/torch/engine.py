"""The CUDA engine: the bundle's three graphs as batched PyTorch operations, one GPU for all threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vsa.face import bundle, crops, detector
from vsa.face.blendshapes import LANDMARKS
from vsa.face.blendshapes import NAMES as BLENDSHAPES
from vsa.face.engine import Doubles, Stream
from vsa.face.seat import MIN_PRESENCE
from vsa.face.torch import cutting, graph, precision
from vsa.face.torch.batches import Batches
from vsa.face.torch.net import Net
from vsa.face.torch.replays import CudaGraphs, Recorder, Replays
from vsa.face.torch.runner import Runner, exactly, placed
from vsa.media.picture import Box, Picture

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: Items at once: more gain nothing; without a GPU whose memory can be asked, fewer.
_MOST, _MOST_ELSEWHERE = 256, 32
#: The share of the GPU's free memory that a batch may take: other processes, with sessions of their own, share the
#: GPU. And what convolutions need beside their tensors. 256 faces need 2.4 GB, so this counts with less than 20 GB.
_SHARE, _WORKSPACE = 0.125, 3.0

#: Values of an item to those of the network's input, as gain and offset.
_SIGNED, _UNSIGNED, _AS_GIVEN = (1 / 127.5, -1.0), (1 / 255, 0.0), (1.0, 0.0)


class TorchEngine:
    """See `vsa.face.engine.FaceEngine`.

    In float32, without the GPU's shortened one (TF32); on a GPU in float16 as far as that leaves the results what they
    are (`vsa.face.torch.precision`). What several threads ask for at the same time runs as one batch, so the last
    digits may differ from run to run, and with them, as crops follow landmarks, a box by 0.3 px or a score by 0.03.

    Parameters
    ----------
    device
        Where PyTorch runs.
    short
        The numbers of 16 bits to try; by default float16 on a GPU, and none elsewhere.

    Attributes
    ----------
    numbers
        The kinds of number that the networks ``detector``, ``landmarks`` and ``blendshapes`` compute with, in words.

    Raises
    ------
    ModelMissingError
        When the pretrained files are not on this machine.
    RuntimeError
        When the device can't be used.
    """

    name = "cuda"
    follows = False

    def __init__(self, device: torch.device, short: torch.dtype | None = None) -> None:
        on_gpu = device.type == "cuda"
        self._device = device
        self._busy = threading.Lock()
        files = bundle.load()
        graphs = {
            "detector": graph.read(files.detector, ("regressors", "classificators")),
            "landmarks": graph.read(files.landmarks, ("Identity", "Identity_1")),
            "blendshapes": graph.read(files.blendshapes, ("StatefulPartitionedCall:0",)),
        }
        nets = {name: Net(read, device) for name, read in graphs.items()}
        if short is None and on_gpu:
            short = torch.float16
        if short is not None:
            self._serve(nets, None)
            with suppress(torch.OutOfMemoryError):  # then nothing is known of them, and float32 it is
                nets = self._shortened(graphs, nets, short)
            self._make_room()  # for other processes: trying took more than faces as they come will
        self._serve(nets, CudaGraphs(device) if on_gpu else None)
        # a GPU that this PyTorch has no code for says so now, and not in the first session
        self.detect([np.zeros((detector.SIZE, detector.SIZE, 3), np.uint8)])
        self.blendshapes(self.landmarks([np.zeros((crops.SIZE, crops.SIZE, 3), np.uint8)])[0])
        self.numbers = {name: net.numbers for name, net in nets.items()}
        self.detail = self._described()

    def detect(
        self, images: Sequence[Bytes], min_score: float = detector.MIN_SCORE
    ) -> list[detector.Detections]:
        """Faces in RGB squares of 128x128 px, in their px."""
        if not len(images):
            return []
        boxes, scores = self._detector(images)
        return [detector.decode(b, s[:, 0], min_score) for b, s in zip(boxes, scores, strict=True)]

    def cut(self, picture: Picture, matrix: Doubles) -> cutting.Cutout:
        """Prepare a crop, see `FaceEngine.cut`: the device cuts it when its landmarks are asked for."""
        return cutting.cutout(picture, matrix, crops.SIZE)

    def landmarks(
        self, crops: Sequence[Bytes | cutting.Cutout], *, alone: bool = False
    ) -> tuple[Floats, Floats]:
        """Landmarks (n, 478, 3) in crop px and presence (n,) 0-1, for crops from `cut` or RGB of 256x256 px."""
        if not len(crops):
            return np.empty((0, 478, 3), np.float32), np.empty(0, np.float32)
        points, logits = self._landmarks(crops)
        presence = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -60, 60)))
        return points.reshape(-1, 478, 3), presence.astype(np.float32)

    def blendshapes(self, points: Floats) -> Floats:
        """Expression scores (n, 52), 0-1, for landmarks (n, 478, >=2) in px of one scale."""
        if not len(points):
            return np.empty((0, len(BLENDSHAPES)), np.float32)
        return self._blendshapes(list(points[:, LANDMARKS, :2].astype(np.float32)))[0]

    def stream(self, tile: Box) -> Stream | None:
        """Crops follow the landmarks: this engine keeps no state of its own."""
        return None

    def _serve(self, nets: dict[str, Net], record: Recorder | None) -> None:
        """Take these networks from now on."""
        self._replays = {name: Replays(net, record) for name, net in nets.items()}
        self._detector = self._batches("detector", nets["detector"], *_SIGNED)
        self._landmarks = self._batches("landmarks", nets["landmarks"], *_UNSIGNED)
        self._blendshapes = self._batches("blendshapes", nets["blendshapes"], *_AS_GIVEN)

    def _batches(self, name: str, net: Net, gain: float, offset: float) -> Batches:
        run = Runner(self._replays[name], self._device, gain, offset)
        return Batches(run, self._most(net), self._busy, self._make_room)

    def _most(self, net: Net) -> int:
        if self._device.type != "cuda":
            return _MOST_ELSEWHERE
        free, _ = torch.cuda.mem_get_info(self._device)
        return max(1, min(_MOST, int(free * _SHARE / (net.item_bytes * _WORKSPACE))))

    def _make_room(self) -> None:
        for replays in self._replays.values():
            replays.forget()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _shortened(
        self, graphs: dict[str, graph.Graph], nets: dict[str, Net], short: torch.dtype
    ) -> dict[str, Net]:
        tried = precision.samples(self.detect)
        if tried is None:
            return nets

        def best(name: str, items: Sequence[Any], same: precision.Same, gain: float, offset: float) -> Net:
            given = placed(items, self._device) * gain + offset
            return precision.shortest(graphs[name], self._device, given, same, short)

        points, presence = self.landmarks(list(tried.crops))
        faces = points[presence >= MIN_PRESENCE][:, LANDMARKS, :2]
        if not len(faces):
            return nets
        with exactly():
            return {
                "detector": best("detector", list(tried.views), precision.same_boxes, *_SIGNED),
                "landmarks": best("landmarks", list(tried.crops), precision.same_landmarks, *_UNSIGNED),
                "blendshapes": best("blendshapes", list(faces), precision.same_scores, *_AS_GIVEN),
            }

    def _described(self) -> str:
        said = (
            f"PyTorch {torch.__version__} on {_named(self._device)}; landmarks in {self.numbers['landmarks']}"
        )
        if all(replays.works for replays in self._replays.values()):
            said += "; CUDA graphs"
        if self._device.type == "cuda" and self._landmarks.most < _MOST:
            said += f"; at most {self._landmarks.most} faces at once"
        return said


def _named(device: torch.device) -> str:
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else str(device)
