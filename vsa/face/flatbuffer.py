"""TFLite flatbuffers as trees of objects that can be changed, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

_IDENTIFIER = b"TFL3"
_KINDS = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
}


@dataclass(frozen=True)
class Network:
    """A flatbuffer's one graph, as objects of the schema (`ModelT`, `SubGraphT`)."""

    tree: Any
    graph: Any

    @classmethod
    def of(cls, model: bytes) -> Network:
        """Read a flatbuffer."""
        tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
        return cls(tree, tree.subgraphs[0])

    def packed(self) -> bytes:
        """The flatbuffer again."""
        builder = flatbuffers.Builder(2 * sum(len(b.data) for b in self.tree.buffers if b.data is not None))
        builder.Finish(self.tree.Pack(builder), file_identifier=_IDENTIFIER)
        return bytes(builder.Output())

    def kind(self, operator: Any) -> int:
        """Of an operation: a `BuiltinOperator`."""
        code = self.tree.operatorCodes[operator.opcodeIndex]
        return int(max(code.builtinCode, code.deprecatedBuiltinCode))

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Of a tensor, by its number; () for a single number."""
        shape = self.graph.tensors[tensor].shape
        return () if shape is None else tuple(int(side) for side in shape)

    def constant(self, tensor: int) -> npt.NDArray[Any] | None:
        """A tensor's values as stored; None where they are computed."""
        stored = self.graph.tensors[tensor]
        data = self.tree.buffers[stored.buffer].data
        kind = _KINDS.get(stored.type)
        return None if data is None or kind is None else np.frombuffer(bytes(data), kind)

    def add_constant(self, values: npt.NDArray[Any]) -> int:
        """Store some float32, float16 or int32 numbers; their tensor's number."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self.tree.buffers.append(buffer)
        kind = next(kind for kind, stored in _KINDS.items() if values.dtype == stored)
        return self.add_tensor(values.shape, kind, len(self.tree.buffers) - 1)

    def add_tensor(
        self, shape: tuple[int, ...], kind: int = schema.TensorType.FLOAT32, buffer: int = 0
    ) -> int:
        """Make a tensor; its number. Buffer 0 is the empty one, of what is computed."""
        tensor = schema.TensorT()
        tensor.buffer = buffer
        tensor.shape = np.array(shape, np.int32)
        tensor.type = kind
        tensor.name = f"added_{len(self.graph.tensors)}".encode()
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1
