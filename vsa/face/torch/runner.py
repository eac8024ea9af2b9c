"""From items in the program's memory to a network's results there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vsa.face.crops import SIZE
from vsa.face.torch import cutting
from vsa.face.torch.replays import Replays

Floats = npt.NDArray[np.float32]


class Runner:
    """A network with what comes before and after it.

    Parameters
    ----------
    network
        What runs.
    device
        Where.
    gain, offset
        From an item's values to the network's input: ``value * gain + offset``.
    """

    def __init__(self, network: Replays, device: torch.device, gain: float, offset: float) -> None:
        self._network = network
        self._device = device
        self._gain = gain
        self._offset = offset

    def __call__(self, items: Sequence[Any]) -> list[Floats]:
        """Results, each (n, ...), for n >= 1 arrays of one shape or `cutting.Cutout`s."""
        with exactly():
            results = self._network(placed(items, self._device) * self._gain + self._offset)
            return [np.asarray(y.cpu().numpy(), np.float32) for y in results]


@contextmanager
def exactly() -> Iterator[None]:
    """In float32 as the CPU has it: NVIDIA's convolutions would shorten it (TF32). Nothing is kept for training."""
    # without `enabled` PyTorch would leave NVIDIA's convolutions out altogether
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


def placed(items: Sequence[Any], device: torch.device) -> torch.Tensor:
    """Items on the device, float32, shape (n, ...): arrays as they are, crops as RGB 0-255."""
    to_cut = [k for k, item in enumerate(items) if isinstance(item, cutting.Cutout)]
    if not to_cut:
        return cutting.upload(np.stack(items), device).float()
    cut = cutting.cut([items[k] for k in to_cut], SIZE, device)
    if len(to_cut) == len(items):
        return cut
    ready = np.stack([item for item in items if not isinstance(item, cutting.Cutout)])
    order = np.argsort([*to_cut, *(k for k in range(len(items)) if k not in to_cut)])
    return torch.cat([cut, cutting.upload(ready, device).float()])[cutting.upload(order, device)]
