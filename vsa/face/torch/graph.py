"""A TFLite flatbuffer as a small graph: what is computed from what, with its weights as the file says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite
from tflite.utils import opcode2name

from vsa.errors import InputError

Array = npt.NDArray[Any]

_TYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
    tflite.TensorType.INT8: np.int8,
    tflite.TensorType.UINT8: np.uint8,
}

_CONVOLUTION = (
    "Padding",
    "StrideH",
    "StrideW",
    "DilationHFactor",
    "DilationWFactor",
    "FusedActivationFunction",
)
_ACTIVATED = ("FusedActivationFunction",)
#: Operation -> the flatbuffer's table of its settings, and those that count.
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", _CONVOLUTION),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", _CONVOLUTION),
    "MAX_POOL_2D": (
        "Pool2DOptions",
        ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction"),
    ),
    "ADD": ("AddOptions", _ACTIVATED),
    "SUB": ("SubOptions", _ACTIVATED),
    "MUL": ("MulOptions", _ACTIVATED),
    "DIV": ("DivOptions", _ACTIVATED),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "SUM": ("ReducerOptions", ("KeepDims",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
}


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes
    ----------
    op
        Its name in TFLite, as ``CONV_2D``.
    inputs
        Tensors that it takes; -1 where one was left out.
    output
        The tensor that it makes.
    shape
        Of the output, for a batch of one.
    options
        Settings by their names in the flatbuffer.
    """

    op: str
    inputs: tuple[int, ...]
    output: int
    shape: tuple[int, ...]
    options: Mapping[str, int]


@dataclass(frozen=True)
class Graph:
    """What leads from one input to the outputs that were asked for; tensors go by their number in the file.

    Attributes
    ----------
    input
        The tensor that is given.
    outputs
        The tensors that were asked for, in that order.
    shapes
        Of all tensors, for a batch of one.
    constants
        Weights (float32) and whole numbers such as axes.
    nodes
        In an order in which they can be computed.
    """

    input: int
    outputs: tuple[int, ...]
    shapes: Mapping[int, tuple[int, ...]]
    constants: Mapping[int, Array]
    nodes: tuple[Node, ...]


def read(model: bytes, outputs: Sequence[str]) -> Graph:
    """Read the part of a flatbuffer that some outputs need.

    Parameters
    ----------
    model
        A TFLite flatbuffer with one subgraph and one input.
    outputs
        Names of tensors: the order in the flatbuffer is no contract.

    Raises
    ------
    InputError
        For an output that is not there, and weights of a kind that vsa can't read.
    """
    file = tflite.Model.GetRootAs(model, 0)
    part = file.Subgraphs(0)
    tensors = [part.Tensors(k) for k in range(part.TensorsLength())]
    number = {tensor.Name().decode(): k for k, tensor in enumerate(tensors)}
    if lacking := [name for name in outputs if name not in number]:
        raise InputError(
            f"A network has no output '{lacking[0]}'.", "Run 'vsa models pull' to fetch the models again."
        )
    constants = {
        k: value for k, tensor in enumerate(tensors) if (value := _constant(file, tensor)) is not None
    }
    shapes = {k: _shape(tensor) for k, tensor in enumerate(tensors)}
    nodes = []
    for node in (_node(file, part.Operators(k), shapes) for k in range(part.OperatorsLength())):
        if node.op == "DEQUANTIZE" and node.inputs[0] in constants:
            constants[node.output] = constants[node.inputs[0]].astype(np.float32)
        else:
            nodes.append(node)
    wanted = tuple(number[name] for name in outputs)
    return Graph(
        part.Inputs(0),
        wanted,
        shapes,
        constants,
        _needed(nodes, wanted),
    )


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(tensor.Shape(k) for k in range(tensor.ShapeLength()))


def _node(file: Any, operator: Any, shapes: Mapping[int, tuple[int, ...]]) -> Node:
    code = file.OperatorCodes(operator.OpcodeIndex())
    if code.CustomCode() is not None:
        op = code.CustomCode().decode()
    else:  # numbers above 127 are kept in the newer field, smaller ones in both or the older
        op = opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
    options: dict[str, int] = {}
    table = operator.BuiltinOptions()
    if op in _OPTIONS and table is not None:
        kind, names = _OPTIONS[op]
        settings = getattr(tflite, kind)()
        settings.Init(table.Bytes, table.Pos)
        options = {name: int(getattr(settings, name)()) for name in names}
    inputs = tuple(operator.Inputs(k) for k in range(operator.InputsLength()))
    output = operator.Outputs(0)
    return Node(op, inputs, output, shapes[output], options)


def _constant(file: Any, tensor: Any) -> Array | None:
    """A tensor's values, quantised ones as the numbers that they stand for; None for one that is computed."""
    buffer = file.Buffers(tensor.Buffer())
    if not buffer.DataLength():
        return None
    kind = _TYPES.get(tensor.Type())
    if kind is None or tensor.Sparsity() is not None:
        raise InputError(
            f"A network's tensor '{tensor.Name().decode()}' is stored in a way that vsa can't read.",
            "Choose the engine 'cpu'.",
        )
    shape = _shape(tensor)
    values = np.frombuffer(buffer.DataAsNumpy().tobytes(), kind).reshape(shape)
    stored = tensor.Quantization()
    if stored is None or not stored.ScaleLength():
        return values
    # one scale for all, or one for each index along an axis
    along = [1] * len(shape)
    if stored.ScaleLength() > 1:
        along[stored.QuantizedDimension()] = stored.ScaleLength()
    scale = np.array([stored.Scale(k) for k in range(stored.ScaleLength())], np.float32).reshape(along)
    zero = np.array([stored.ZeroPoint(k) for k in range(stored.ZeroPointLength())] or [0], np.float32)
    return np.asarray((values - (zero.reshape(along) if zero.size > 1 else zero[0])) * scale, np.float32)


def _needed(nodes: Sequence[Node], outputs: Sequence[int]) -> tuple[Node, ...]:
    used = set(outputs)
    kept = []
    for node in reversed(nodes):
        if node.output in used:
            used.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
