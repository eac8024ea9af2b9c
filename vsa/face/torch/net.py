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
    """A network on a device, in float32, or its first part in a shorter kind of number.

    Parameters
    ----------
    graph
        What it computes.
    device
        Where.
    short
        The kind of number of the first part.
    until
        Operations of the first part. What comes out at the end, as px of a crop, needs more digits than what goes
        through most of a network, where nearly all the time is spent.

    Attributes
    ----------
    item_bytes
        What the tensors that live at the same time take at most, for one item of a batch.

    Raises
    ------
    InputError
        When the graph needs an operation that is not written.
    """

    def __init__(
        self, graph: Graph, device: torch.device, short: torch.dtype = torch.float32, until: int = 0
    ) -> None:
        self._graph = graph
        self._device = device
        self._short = short if until else torch.float32
        self._until = until
        last = {number: k for k, node in enumerate(graph.nodes) for number in node.inputs}
        self._steps: list[_Step] = []
        for k, node in enumerate(graph.nodes):
            compute = ops.operation(node)
            kind = self._short if k < until else torch.float32
            arguments = tuple(
                node if place < 0 else self._argument(node.op, place, node.inputs[place], kind)
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
        """Run a batch: float32, shape (n, ...) as the graph's input; its outputs, each (n, ...), in float32."""
        known: dict[int, torch.Tensor] = {self._graph.input: items.to(self._short)}
        for k, step in enumerate(self._steps):
            if k == self._until:
                known = {number: tensor.float() for number, tensor in known.items()}
            known[step.output] = step.compute(
                *(known[a.tensor] if isinstance(a, _From) else a for a in step.arguments)
            )
            for number in step.done_with:
                del known[number]
        return [known[number].float() for number in self._graph.outputs]

    @property
    def numbers(self) -> str:
        """The kinds of number that it computes with, in words."""
        if self._short == torch.float32:
            return "float32"
        name = str(self._short).removeprefix("torch.")
        return name if self._until >= len(self._steps) else f"{name}, its end in float32"

    def _argument(self, op: str, place: int, number: int, kind: torch.dtype) -> Any:
        if number < 0:
            return None
        if number not in self._graph.constants:
            return _From(number)
        value = self._graph.constants[number]
        if np.issubdtype(value.dtype, np.integer):
            return value  # axes and shapes stay on this side
        weights = torch.from_numpy(np.array(value, np.float32)).to(self._device, kind)
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
