"""The expression network without what nobody reads; each number that is read stays as it is.

The network mixes 97 tokens of 64 numbers in four blocks, and reads the first token alone. So of the last block only
that one is needed: neither the others' last layers, nor the weights that mix into them. It saves a sixth of all
multiplications.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from vsa.face.flatbuffer import Network

_OPERATION = schema.BuiltinOperator
#: Operations of which each number depends on the numbers in the same place alone.
_IN_PLACE = (
    _OPERATION.ADD,
    _OPERATION.DEQUANTIZE,
    _OPERATION.MUL,
    _OPERATION.NEG,
    _OPERATION.RSQRT,
    _OPERATION.SQUARED_DIFFERENCE,
)


def narrowed(model: bytes) -> bytes:
    """Compute no more than the first of a row in a TFLite flatbuffer, as far back as no more than that is read."""
    network = Network.of(model)
    first_only = _first_only(network)
    operators = []
    for operator in network.graph.operators:
        axis = first_only.get(operator.outputs[0])
        for place, tensor in enumerate(operator.inputs):
            own = None if axis is None else _axis(network, operator, place, axis)
            if own is not None and tensor not in first_only:
                operator.inputs = operator.inputs.copy()
                operator.inputs[place], taking = _first(network, tensor, own)
                operators += taking
        operators.append(operator)
    network.graph.operators = operators
    for tensor, axis in first_only.items():
        shape = list(network.shape(tensor))
        shape[axis] = 1
        network.graph.tensors[tensor].shape = np.array(shape, np.int32)
    return network.packed()


def _first_only(network: Network) -> dict[int, int]:
    """Of the computed tensors of which only the first along one axis is read: the axis."""
    read: dict[int, set[int | None]] = defaultdict(set)  # None: all of it
    for tensor in network.graph.outputs:
        read[tensor].add(None)
    found = {}
    for operator in reversed(network.graph.operators):
        out = operator.outputs[0]
        axes = read[out] if len(operator.outputs) == 1 else {None}
        axis = next(iter(axes)) if len(axes) == 1 else None
        if axis is not None:
            found[out] = axis
        for place, tensor in enumerate(operator.inputs):
            read[tensor].add(_axis(network, operator, place, axis))
    return found


def _cut_to_one(network: Network, operator: Any) -> int | None:
    """The axis along which an operation takes the first and nothing else."""
    if not _from_the_start(network, operator):
        return None
    before, after = network.shape(operator.inputs[0]), network.shape(operator.outputs[0])
    return next((axis for axis, side in enumerate(after) if side == 1 < before[axis]), None)


def _axis(network: Network, operator: Any, place: int, axis: int | None) -> int | None:
    """Along which axis of an input no more than the first is read, where that is so of the output's `axis`, if any."""
    if axis is None:
        return None if place else _cut_to_one(network, operator)
    kind, inputs = network.kind(operator), operator.inputs
    shape = network.shape(inputs[place])
    if kind in _IN_PLACE:
        own = axis - len(network.shape(operator.outputs[0])) + len(shape)  # shapes are aligned at their ends
        return own if own >= 0 and shape[own] > 1 else None
    if kind == _OPERATION.CONV_2D and network.shape(inputs[1])[1:3] == (1, 1):
        options = operator.builtinOptions
        if axis == 3:
            return 0 if place else None
        return axis if not place and axis and (options.strideW, options.strideH) == (1, 1) else None
    if place:
        return None
    if kind == _OPERATION.MEAN:
        over = network.constant(inputs[1])
        kept = operator.builtinOptions.keepDims and over is not None and axis not in over % len(shape)
        return axis if kept else None
    if kind == _OPERATION.TRANSPOSE:
        order = network.constant(inputs[1])
        return None if order is None else int(order[axis])
    return axis if _from_the_start(network, operator) else None


def _from_the_start(network: Network, operator: Any) -> bool:
    """Whether an operation takes a part that starts with the first, along all axes."""
    if network.kind(operator) != _OPERATION.STRIDED_SLICE:
        return False
    options = operator.builtinOptions
    begin, steps = network.constant(operator.inputs[1]), network.constant(operator.inputs[3])
    if (
        begin is None
        or steps is None
        or options.ellipsisMask
        or options.newAxisMask
        or options.shrinkAxisMask
    ):
        return False
    return not begin.any() and bool((steps == 1).all())


def _first(network: Network, tensor: int, axis: int) -> tuple[int, list[Any]]:
    """The first of a tensor along an axis: a new tensor, and the operations that compute it."""
    shape = network.shape(tensor)
    stored = network.constant(tensor)
    if stored is not None:
        return network.add_constant(stored.reshape(shape).take([0], axis)), []
    end = np.array([1 if k == axis else side for k, side in enumerate(shape)], np.int32)
    take = schema.OperatorT()
    take.opcodeIndex = next(
        one.opcodeIndex for one in network.graph.operators if network.kind(one) == _OPERATION.STRIDED_SLICE
    )
    take.builtinOptionsType = schema.BuiltinOptions.StridedSliceOptions
    take.builtinOptions = schema.StridedSliceOptionsT()
    bounds = [network.add_constant(values) for values in (np.zeros_like(end), end, np.ones_like(end))]
    take.inputs = np.array([tensor, *bounds], np.int32)
    first = network.add_tensor(tuple(map(int, end)))
    take.outputs = np.array([first], np.int32)
    return first, [take]
