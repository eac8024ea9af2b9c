"""A graph that was read from a flatbuffer, run on batches by PyTorch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from vsa.face.torch import ops
from vsa.face.torch.graph import Graph

_FLOAT_BYTES = 4


@dataclass(frozen=True)
class _Step:
    compute: ops.Operation
    arguments: tuple[Any, ...]
    output: int
    done_with: tuple[int, ...]


@dataclass(frozen=True)
class _From:
    """An argument that is computed: the tensor's number."""

    tensor: int


class Net:
    """A network on a device, in float32.

    Parameters
    ----------
    graph
        What it computes.
    device
        Where.

    Attributes
    ----------
    item_bytes
        What the tensors that live at the same time take at most, for one item of a batch.

    Raises
    ------
    InputError
        When the graph needs an operation that is not written.
    """

    def __init__(self, graph: Graph, device: torch.device) -> None:
        self._graph = graph
        self._device = device
        last = {number: k for k, node in enumerate(graph.nodes) for number in node.inputs}
        self._steps: list[_Step] = []
        for k, node in enumerate(graph.nodes):
            compute = ops.operation(node)
            arguments = tuple(
                node if place < 0 else self._argument(node.op, place, node.inputs[place])
                for place in range(-1, len(node.inputs))
            )
            done = {
                number
                for number in node.inputs
                if last[number] == k and number not in graph.constants and number not in graph.outputs
            }
            self._steps.append(_Step(compute, arguments, node.output, tuple(done - {-1})))
        self.item_bytes = self._most_bytes()

    def __call__(self, items: torch.Tensor) -> list[torch.Tensor]:
        """Run a batch: shape (n, ...) as the graph's input; its outputs, each (n, ...)."""
        known: dict[int, torch.Tensor] = {self._graph.input: items}
        for step in self._steps:
            known[step.output] = step.compute(
                *(known[a.tensor] if isinstance(a, _From) else a for a in step.arguments)
            )
            for number in step.done_with:
                del known[number]
        return [known[number] for number in self._graph.outputs]

    def _argument(self, op: str, place: int, number: int) -> Any:
        if number < 0:
            return None
        if number not in self._graph.constants:
            return _From(number)
        value = self._graph.constants[number]
        if np.issubdtype(value.dtype, np.integer):
            return value  # axes and shapes stay on this side
        weights = torch.from_numpy(np.array(value, np.float32)).to(self._device)
        return ops.laid_out(op, place, weights)

    def _most_bytes(self) -> int:
        def size(number: int) -> int:
            return math.prod(self._graph.shapes[number]) * _FLOAT_BYTES

        now = most = size(self._graph.input)
        for step in self._steps:
            now += size(step.output)
            most = max(most, now)
            now -= sum(size(number) for number in step.done_with)
        return most
