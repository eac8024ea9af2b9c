"""A network at a few sizes of batch, each recorded once and replayed: the GPU needn't wait for its next kernel."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

Tensor: TypeAlias = torch.Tensor
Network = Callable[[Tensor], list[Tensor]]

#: Larger batches keep the GPU busy for longer than it takes to launch their kernels.
MOST = 64
#: A replay gives what the network gave, but for the last digits.
_ALIKE = 1e-3


@dataclass(frozen=True)
class Recording:
    """What a network does with a tensor: `replay` makes `outputs` anew from what `input` holds by then."""

    input: Tensor
    outputs: list[Tensor]
    replay: Callable[[], None]


#: Records what a network does with a tensor of its input.
Recorder = Callable[[Network, Tensor], Recording]


class Replays:
    """A network that is replayed where that works.

    Outputs are good until the next call of any network that shares the recorder: take them away before.

    Parameters
    ----------
    network
        A batch (n, ...) -> its outputs, each (n, ...).
    record
        How to record on this device; None where that can't be done.
    most
        The largest batch that is recorded, items.

    Attributes
    ----------
    works
        Whether it is replayed: until a recording fails, or gives something else than the network does.
    """

    def __init__(self, network: Network, record: Recorder | None, most: int = MOST) -> None:
        self.works = record is not None
        self._network = network
        self._record = record
        self._most = most
        self._known: dict[int, Recording] = {}

    def __call__(self, items: Tensor) -> list[Tensor]:
        """Outputs for n >= 1 items."""
        size = 1 << (len(items) - 1).bit_length()  # sizes are few: powers of two
        if not self.works or size > self._most:
            return self._network(items)
        if size not in self._known and not self._learn(items, size):
            return self._network(items)
        recording = self._known[size]
        recording.input[: len(items)].copy_(items)  # what is left over from before doesn't matter
        recording.replay()
        return [output[: len(items)] for output in recording.outputs]

    def forget(self) -> None:
        """Give back the memory that recordings hold; they are made again when they are needed."""
        self._known.clear()

    def _learn(self, items: Tensor, size: int) -> bool:
        try:
            recording = self._recorded(items, size)
        except RuntimeError:  # memory that ran out, too: then it had better not be kept by recordings
            recording = None
        if recording is None:
            self.works = False
            self.forget()
            return False
        self._known[size] = recording
        return True

    def _recorded(self, items: Tensor, size: int) -> Recording | None:
        assert self._record is not None
        given = torch.cat([items, items[-1:].expand(size - len(items), *items.shape[1:])])
        recording = self._record(self._network, given)
        recording.replay()
        alike = all(
            torch.allclose(got, expected, rtol=_ALIKE, atol=_ALIKE)
            for got, expected in zip(recording.outputs, self._network(given), strict=True)
        )
        return recording if alike else None


def run_again(network: Network, given: Tensor) -> Recording:
    """Record on a device that can't: a replay runs the network again."""
    outputs = network(given)

    def replay() -> None:
        for output, new in zip(outputs, network(given), strict=True):
            output.copy_(new)

    return Recording(given, outputs, replay)


class CudaGraphs:
    """Records CUDA graphs. They share memory, as one is replayed at a time and its outputs are taken away at once.

    Source: PyTorch's notes on CUDA semantics, "CUDA Graphs": warm up on a side stream, record there, fill the same
    input for each replay.
    """

    def __init__(self, device: torch.device) -> None:
        new_stream: Any = torch.cuda.Stream  # PyTorch gives it no types
        self._stream = new_stream(device)
        self._last: weakref.ref[Any] | None = None

    def __call__(self, network: Network, given: Tensor) -> Recording:
        """Record; other threads may use the GPU meanwhile."""
        before = torch.cuda.current_stream(given.device)
        graph = torch.cuda.CUDAGraph()
        last = self._last() if self._last is not None else None  # of one that is gone the memory is gone, too
        self._stream.wait_stream(before)
        with torch.cuda.stream(self._stream):  # left even where ending a recording fails
            for _ in range(2):  # what libraries set up at first use must not be recorded
                network(given)
            self._stream.synchronize()
            with torch.cuda.graph(
                graph,
                pool=None if last is None else last.pool(),
                stream=self._stream,
                capture_error_mode="thread_local",
            ):
                outputs = network(given)
        before.wait_stream(self._stream)
        self._last = weakref.ref(graph)
        return Recording(given, outputs, graph.replay)
