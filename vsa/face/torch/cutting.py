"""Crops cut from a picture's planes by the device that runs the networks, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as f

from vsa.media.picture import TO_RGB, Picture

Bytes = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]
Tensor: TypeAlias = torch.Tensor

#: What a crop reads beside the px that its corners fall on: the neighbours, of chroma too.
_MARGIN = 3
#: Planes of so many px are sampled at once: a face may fill a picture of 4K.
_PART_PX = 32_000_000


@dataclass(frozen=True, eq=False)
class Cutout:
    """A crop that is still to be cut.

    It holds views of the picture's planes: only the region that the crop shows goes to the device, which is less
    than the tile for all faces but the largest, so that nothing is gained by keeping a picture there.

    Attributes
    ----------
    picture
        The region of the picture that the crop shows.
    back
        Map crop px -> px of the region, shape (2, 3).
    """

    picture: Picture
    back: Doubles


def cutout(picture: Picture, matrix: Doubles, size: int) -> Cutout:
    """Prepare a crop.

    Parameters
    ----------
    picture
        What is cut from; beyond its border it is repeated.
    matrix
        Map picture px -> crop px, shape (2, 3).
    size
        Side of the crop, px.
    """
    back = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    ends = np.array([[0, 0, 1], [size - 1, 0, 1], [0, size - 1, 1], [size - 1, size - 1, 1]]) @ back.T
    low = ends.min(0) - _MARGIN
    seen, left, top = picture.part((*low, *(ends.max(0) + _MARGIN - low)))
    back[:, 2] -= left, top
    return Cutout(seen, back)


def cut(cutouts: Sequence[Cutout], size: int, device: torch.device) -> Tensor:
    """Cut a batch of crops, each as `Picture.warp` does.

    Returns
    -------
    RGB in whole numbers 0-255, float32, shape (n, size, size, 3).
    """
    height = max(c.picture.height for c in cutouts)
    width = max(c.picture.width for c in cutouts)
    n = max(1, _PART_PX // (height * width))
    parts = [_cut(cutouts[k : k + n], size, device) for k in range(0, len(cutouts), n)]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _cut(cutouts: Sequence[Cutout], size: int, device: torch.device) -> Tensor:
    pictures = [c.picture for c in cutouts]
    back = np.stack([c.back for c in cutouts])
    # A chroma sample lies in the middle of four luma px, at 2 c + 1/2 from the first one's centre.
    half = back.copy()
    half[:, :, 2] = (back[:, :, 2] + back[:, :, :2].sum(axis=2) / 2 - 0.5) / 2
    y = _sampled([[p.y] for p in pictures], back, size, device)
    chroma = _sampled([[p.u, p.v] for p in pictures], half, size // 2, device)
    chroma = chroma.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    colours = upload(np.stack([TO_RGB[p.colour] for p in pictures]), device)[:, :, None, None, :]
    luma, u, v = (plane[..., None] for plane in (y[:, 0], chroma[:, 0], chroma[:, 1]))
    to_rgb = colours.permute(4, 0, 2, 3, 1)
    return (luma * to_rgb[0] + u * to_rgb[1] + v * to_rgb[2] + to_rgb[3]).round_().clamp_(0, 255)


def _sampled(planes: Sequence[Sequence[Bytes]], back: Doubles, size: int, device: torch.device) -> Tensor:
    """Planes (n, k, h, w), each of its own height and width, through a map each: float32 (n, k, size, size)."""
    heights, widths = zip(*(of_one[0].shape for of_one in planes), strict=True)
    shape = (len(planes), len(planes[0]), max(heights), max(widths))
    # pinned memory is copied while the program goes on; what lies beyond a plane is never looked at
    stacked = torch.empty(shape, dtype=torch.uint8, pin_memory=device.type == "cuda")
    for target, of_one in zip(stacked.numpy(), planes, strict=True):
        for k, plane in enumerate(of_one):
            target[k, : plane.shape[0], : plane.shape[1]] = plane
    values = stacked.to(device, non_blocking=True).float()
    last = np.stack([widths, heights], axis=1) - 1
    maps = upload(np.concatenate([back, last[:, :, None]], axis=2).astype(np.float32), device)
    at = torch.arange(size, device=device, dtype=torch.float32)
    x, y = at[None, None, :], at[None, :, None]
    grid = []
    for axis, side in ((0, shape[3]), (1, shape[2])):
        a, b, c, end = (maps[:, axis, k, None, None] for k in range(4))
        source = torch.minimum((a * x + b * y + c).clamp_(min=0), end)  # a border is repeated for ever
        grid.append(source * (2 / max(1, side - 1)) - 1)
    return f.grid_sample(
        values, torch.stack(grid, dim=-1), mode="bilinear", padding_mode="border", align_corners=True
    ).round_()


def upload(values: npt.NDArray[np.generic], device: torch.device) -> Tensor:
    """An array on a device; on a GPU without waiting for what it does."""
    here = torch.from_numpy(np.ascontiguousarray(values))
    return here.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else here.to(device)
