"""How much of a network can run in 16 bits: as much as leaves its results what they are, tried on real faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vsa.data import data_file
from vsa.errors import VsaError
from vsa.face import crops, detector
from vsa.face.seat import MIN_PRESENCE
from vsa.face.torch.graph import Graph
from vsa.face.torch.net import Net
from vsa.media.picture import Picture
from vsa.media.recording import Recording

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Tensor: TypeAlias = torch.Tensor
#: Whether outputs, the second ones, are as good as the first ones, those of float32.
Same = Callable[[list[Tensor], list[Tensor]], bool]

#: What 16 bits may change: landmarks, px of 256; boxes, px of 128; presence, and scores of faces and expressions, 0-1.
LANDMARK_PX, BOX_PX, SCORE = 0.05, 0.05, 1e-3
#: The shares of a network's operations that are tried in 16 bits. What is left out takes 2% of the landmarks' time.
_SHARES = (1.0, 2 / 3)
#: A call of two people, left and right, that ships; pictures that are taken of it a second, and how many.
_CALL, _RATE, _PICTURES = "sample_media/media/s01_plain.mp4", 2.0, 4
#: Each face as it is, and larger, smaller, turned and darker: side, angle in rad, brightness.
_VARIANTS = ((1.0, 0.0, 1.0), (1.15, 0.1, 0.7), (0.9, -0.1, 1.0))


@dataclass(frozen=True)
class Samples:
    """What networks are tried on.

    Attributes
    ----------
    views
        RGB for the detector, shape (n, 128, 128, 3): a person each, and noise.
    crops
        RGB for the landmarks, shape (n, 256, 256, 3): a face each, and noise.
    """

    views: Bytes
    crops: Bytes


def samples(find: Callable[[Sequence[Bytes]], list[detector.Detections]]) -> Samples | None:
    """The same pictures and noise each time; None if the recording that ships can't be read.

    Parameters
    ----------
    find
        The detector, see `FaceEngine.detect`.
    """
    views, faces = [], []
    try:
        with Recording(data_file(_CALL)) as recording:
            for _, picture in zip(range(_PICTURES), recording.pictures(_RATE), strict=False):
                half = picture.width // 2
                for left in (0, half):
                    view, *moved = picture.letterbox((left, 0, half, picture.height), detector.SIZE)
                    views.append(view)
                    found = find([view])[0].moved(*moved)
                    for box, eyes in zip(found.boxes, found.eyes, strict=True):
                        faces += _varied(picture, crops.from_eyes(box, eyes))
    except VsaError:
        return None
    if not faces:
        return None
    return Samples(*(np.stack([*real, *_noise(len(real[0]))]) for real in (views, faces)))


def _varied(picture: Picture, crop: crops.Crop) -> list[Bytes]:
    varied = []
    for side, angle, light in _VARIANTS:
        other = replace(crop, side=crop.side * side, angle=crop.angle + angle)
        darker = cv2.convertScaleAbs(picture.warp(other.matrix(), crops.SIZE), alpha=light)
        varied.append(np.asarray(darker, np.uint8))
    return varied


def _noise(size: int) -> list[Bytes]:
    """Noise of single px, and of spots."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (2, size, size, 3), np.uint8)
    spots = cv2.GaussianBlur(noise[1].astype(np.float32), (0, 0), size / 16)
    spots = (spots - spots.min()) * (255 / np.ptp(spots))
    return [noise[0], np.asarray(spots, np.uint8)]


def shortest(
    graph: Graph,
    device: torch.device,
    items: Tensor,
    same: Same,
    short: torch.dtype = torch.float16,
) -> Net:
    """A network with as much of it in 16 bits as may be.

    Parameters
    ----------
    graph, device
        What it computes, and where.
    items
        What it is tried on, in its input's units.
    same
        Whether outputs, the second ones, are as good as the first ones, those of float32.
    short
        The numbers of 16 bits.
    """
    exact = Net(graph, device)
    expected = exact(items)
    for share in _SHARES:
        try:
            net = Net(graph, device, short, round(share * len(graph.nodes)))
            if same(expected, net(items)):
                return net
        except RuntimeError:  # an operation that this device hasn't in 16 bits, or too little memory to try
            continue
    return exact


def same_landmarks(expected: list[Tensor], got: list[Tensor]) -> bool:
    """Presence of all, and landmarks where there is a face: elsewhere nothing uses them."""
    (points, logits), (points_got, logits_got) = expected, got
    present = logits.flatten().sigmoid()
    there = present >= MIN_PRESENCE
    apart = (points.flatten(1) - points_got.flatten(1))[there].abs()
    return (
        bool(there.any())
        and _within(apart, LANDMARK_PX)
        and _within(present - logits_got.flatten().sigmoid(), SCORE)
    )


def same_boxes(expected: list[Tensor], got: list[Tensor]) -> bool:
    """Scores of all anchors, and boxes where there may be a face."""
    (boxes, logits), (boxes_got, logits_got) = expected, got
    scores = logits[..., 0].sigmoid()
    there = scores >= detector.MIN_SCORE
    return (
        bool(there.any())
        and _within((boxes - boxes_got)[there], BOX_PX)
        and _within(scores - logits_got[..., 0].sigmoid(), SCORE)
    )


def same_scores(expected: list[Tensor], got: list[Tensor]) -> bool:
    """All expressions."""
    return _within(expected[0] - got[0], SCORE)


def _within(apart: Tensor, allowed: float) -> bool:
    return bool(apart.abs().max() <= allowed)  # and not where it is no number
