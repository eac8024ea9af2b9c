"""The networks as they are written anew against those of the file."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from pretrained import need_faces

from vsa.face import bundle
from vsa.face.narrowed import narrowed
from vsa.face.widened import widened


@pytest.fixture(autouse=True, scope="module")
def _models() -> None:
    need_faces()


def outputs(model: bytes, values: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    net = Interpreter(model_content=model, num_threads=1)
    net.allocate_tensors()
    net.set_tensor(net.get_input_details()[0]["index"], values)
    net.invoke()
    return {d["name"]: net.get_tensor(d["index"]) for d in net.get_output_details()}


def slope_counts(model: bytes) -> list[tuple[int, int]]:
    """Of each PRELU: slopes that it has, and channels that it works on."""
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in tree.operatorCodes]
    graph = tree.subgraphs[0]
    return [
        (int(np.prod(graph.tensors[o.inputs[1]].shape)), int(graph.tensors[o.outputs[0]].shape[-1]))
        for o in graph.operators
        if codes[o.opcodeIndex] == schema.BuiltinOperator.PRELU
    ]


def multiplications(model: bytes) -> int:
    """Of all convolutions."""
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in tree.operatorCodes]
    graph = tree.subgraphs[0]
    return sum(
        int(np.prod(graph.tensors[o.outputs[0]].shape) * np.prod(graph.tensors[o.inputs[1]].shape[1:]))
        for o in graph.operators
        if codes[o.opcodeIndex] == schema.BuiltinOperator.CONV_2D
    )


@pytest.mark.parametrize("seed", range(3))
def test_landmarks_are_the_same_to_the_last_bit(seed: int) -> None:
    image = np.random.default_rng(seed).random((1, 256, 256, 3), np.float32)
    model = bundle.load().landmarks
    expected, got = outputs(model, image), outputs(widened(model), image)
    assert expected.keys() == got.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)
    assert np.ptp(got["Identity"]) > 10


def test_slopes_cover_a_row_where_rows_are_wide() -> None:
    model = bundle.load().landmarks
    before, after = slope_counts(model), slope_counts(widened(model))
    assert all(slopes == channels for slopes, channels in before)
    wide = [slopes // channels for slopes, channels in after if slopes > channels]
    assert {16, 32, 64, 128} == set(wide)
    assert len(wide) > len(after) / 2


def test_a_network_without_such_operations_stays_as_it_is() -> None:
    model = bundle.load().blendshapes
    points = np.random.default_rng(5).random((1, 146, 2), np.float32) * 200
    assert slope_counts(model) == []
    expected, got = outputs(model, points), outputs(widened(model), points)
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)


@pytest.mark.parametrize("seed", range(3))
def test_expressions_are_the_same_to_the_last_bit(seed: int) -> None:
    points = np.random.default_rng(seed).random((1, 146, 2), np.float32) * 200
    model = bundle.load().blendshapes
    expected, got = outputs(model, points), outputs(narrowed(model), points)
    assert expected.keys() == got.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)
    assert np.ptp(*got.values()) > 0.1


def test_a_sixth_of_the_multiplications_is_left_out() -> None:
    model = bundle.load().blendshapes
    # of the last block's 97 tokens 96 are left out: 64 x 384 for each in its mixing, 2 x 64 x 256 in its own layers
    spared = 96 * (64 * 384 + 2 * 64 * 256)
    assert multiplications(model) - multiplications(narrowed(model)) == spared
    assert spared / multiplications(model) == pytest.approx(1 / 6, abs=0.01)


def test_a_network_that_is_read_whole_stays_as_it_is() -> None:
    image = np.random.default_rng(6).random((1, 256, 256, 3), np.float32)
    model = bundle.load().landmarks
    assert multiplications(narrowed(model)) == multiplications(model)
    expected, got = outputs(model, image), outputs(narrowed(model), image)
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)
