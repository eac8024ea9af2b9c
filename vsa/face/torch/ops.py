"""TFLite's operations in PyTorch, for batches: the first axis of every tensor is the picture.

Tensors stay in TFLite's order (picture, row, column, channel). A convolution looks at them as (picture, channel,
row, column), which is PyTorch's channels-last layout, so nothing is moved. Graphs are written for one picture: where
a shape in the file says 1 for the first axis, the batch is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as f

from vsa.errors import InputError
from vsa.face.torch.graph import Node

Tensor: TypeAlias = torch.Tensor
Numbers = npt.NDArray[np.int32]
Operation = Callable[..., Tensor]

_SAME = 0
_FUSED: dict[int, Callable[[Tensor], Tensor]] = {
    0: lambda x: x,
    1: f.relu,
    3: f.relu6,
}


def operation(node: Node) -> Operation:
    """Find what computes a node.

    Raises
    ------
    InputError
        For an operation, or an activation fused into it, that is not written here.
    """
    fused = node.options.get("FusedActivationFunction", 0)
    if node.op not in _OPERATIONS or fused not in _FUSED:
        what = node.op if node.op not in _OPERATIONS else f"{node.op} with fused activation {fused}"
        raise InputError(
            f"A network needs the operation {what}, which the engine 'cuda' doesn't know.",
            "Choose the engine 'cpu'.",
        )
    return _OPERATIONS[node.op]


def laid_out(op: str, place: int, weights: Tensor) -> Tensor:
    """A constant input of an operation in the order in which PyTorch wants it."""
    if op == "CONV_2D" and place == 1:
        return weights.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    if op == "DEPTHWISE_CONV_2D" and place == 1:
        return weights.permute(3, 0, 1, 2).contiguous()
    if op == "PRELU" and place == 1:
        return weights.reshape(-1)
    return weights


def _convolution(node: Node, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    o = node.options
    stride, dilation = (o["StrideH"], o["StrideW"]), (o["DilationHFactor"], o["DilationWFactor"])
    x = _channels_first(x)
    (top, bottom), (left, right) = _margins(node, x, (weight.shape[2], weight.shape[3]), dilation)
    if (top, left) == (bottom, right):
        padding = (top, left)
    else:
        x, padding = f.pad(x, (left, right, top, bottom)), (0, 0)
    y = f.conv2d(x, weight, bias, stride, padding, dilation, groups=x.shape[1] // weight.shape[1])
    return _fused(node, _channels_last(y))


def _max_pool(node: Node, x: Tensor) -> Tensor:
    o = node.options
    size = (o["FilterHeight"], o["FilterWidth"])
    x = _channels_first(x)
    (top, bottom), (left, right) = _margins(node, x, size, (1, 1))
    if top or bottom or left or right:
        x = f.pad(x, (left, right, top, bottom), value=-torch.inf)
    return _fused(node, _channels_last(f.max_pool2d(x, size, (o["StrideH"], o["StrideW"]))))


def _margins(
    node: Node, x: Tensor, size: tuple[int, int], dilation: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows above and below, columns left and right: with SAME padding an odd one goes below and to the right."""
    if node.options["Padding"] != _SAME:
        return (0, 0), (0, 0)
    stride = (node.options["StrideH"], node.options["StrideW"])
    margins = []
    for n, k, s, d in zip(x.shape[2:], size, stride, dilation, strict=True):
        total = max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n)
        margins.append((total // 2, total - total // 2))
    return margins[0], margins[1]


def _prelu(node: Node, x: Tensor, slope: Tensor) -> Tensor:
    return _channels_last(f.prelu(_channels_first(x), slope))


def _pad(node: Node, x: Tensor, margins: Numbers) -> Tensor:
    # PyTorch counts from the last axis
    return f.pad(x, margins[::-1].ravel().tolist())


def _concatenation(node: Node, *parts: Tensor) -> Tensor:
    axis = _own(node, node.options["Axis"], parts[0])
    n = max(len(part) for part in parts)
    return _fused(node, torch.cat([part.expand(n, *part.shape[1:]) for part in parts], axis))


def _reshape(node: Node, x: Tensor, shape: Numbers | None = None) -> Tensor:
    return x.reshape(len(x), *node.shape[1:])  # the shape may be an input, an option or both, and hold a -1


def _transpose(node: Node, x: Tensor, order: Numbers) -> Tensor:
    if order[0] != 0:
        raise _mixes(node)
    return x.permute(order.tolist())


def _strided_slice(node: Node, x: Tensor, begin: Numbers, end: Numbers, step: Numbers) -> Tensor:
    o = node.options
    if o["EllipsisMask"] or o["NewAxisMask"] or (step < 1).any():
        raise InputError(f"A network uses {node.op} in a way that vsa can't.", "Choose the engine 'cpu'.")
    parts: list[Any] = [
        slice(None)
    ]  # of one picture the first axis is taken whole, whatever the file calls it
    for k in range(1, len(begin)):
        if o["ShrinkAxisMask"] >> k & 1:
            parts.append(int(begin[k]))
        else:
            low = None if o["BeginMask"] >> k & 1 else int(begin[k])
            high = None if o["EndMask"] >> k & 1 else int(end[k])
            parts.append(slice(low, high, int(step[k])))
    return x[tuple(parts)]


def _reduction(reduce: Callable[..., Tensor]) -> Operation:
    def run(node: Node, x: Tensor, axes: Numbers) -> Tensor:
        own = [_own(node, axis, x) for axis in np.atleast_1d(axes).tolist()]
        return reduce(x, own, keepdim=bool(node.options["KeepDims"]))

    return run


def _arithmetic(compute: Callable[[Tensor, Tensor], Tensor]) -> Operation:
    def run(node: Node, x: Tensor, y: Tensor) -> Tensor:
        return _fused(node, compute(x, y))

    return run


def _each(compute: Callable[[Tensor], Tensor]) -> Operation:
    def run(node: Node, x: Tensor) -> Tensor:
        return compute(x)

    return run


def _fused(node: Node, x: Tensor) -> Tensor:
    return _FUSED[node.options.get("FusedActivationFunction", 0)](x)


def _own(node: Node, axis: int, x: Tensor) -> int:
    """An axis, counted from the front, that is not the batch's."""
    axis %= x.dim()
    if axis == 0:
        raise _mixes(node)
    return axis


def _mixes(node: Node) -> InputError:
    return InputError(f"A network's {node.op} would mix the pictures of a batch.", "Choose the engine 'cpu'.")


def _channels_first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


_OPERATIONS: dict[str, Operation] = {
    "ADD": _arithmetic(torch.add),
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "DIV": _arithmetic(torch.div),
    "LOGISTIC": _each(torch.sigmoid),
    "MAX_POOL_2D": _max_pool,
    "MEAN": _reduction(torch.mean),
    "MUL": _arithmetic(torch.mul),
    "NEG": _each(torch.neg),
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _each(f.relu),
    "RESHAPE": _reshape,
    "RSQRT": _each(torch.rsqrt),
    "SQRT": _each(torch.sqrt),
    "SQUARED_DIFFERENCE": _arithmetic(lambda x, y: torch.square(x - y)),
    "STRIDED_SLICE": _strided_slice,
    "SUB": _arithmetic(torch.sub),
    "SUM": _reduction(torch.sum),
    "TRANSPOSE": _transpose,
}
