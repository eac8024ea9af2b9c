"""The bundle's graphs in PyTorch give what LiteRT gives; so do small graphs that are built here."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `cuda` is not installed: torch")
tflite = pytest.importorskip("tflite", reason="the extra `cuda` is not installed: tflite")

import flatbuffers  # noqa: E402
from ai_edge_litert.interpreter import Interpreter  # noqa: E402

from vsa.errors import InputError, ModelMissingError  # noqa: E402
from vsa.face import bundle  # noqa: E402
from vsa.face.torch import graph  # noqa: E402
from vsa.face.torch.net import Net  # noqa: E402

CPU = torch.device("cpu")
#: Input shape and range; outputs with what they may differ by (the detector's scores are judged as 0-1).
NETS = {
    "detector": ((128, 128, 3), (-1, 1), {"regressors": 1e-3, "classificators": 1e-3}),
    "landmarks": ((256, 256, 3), (0, 1), {"Identity": 0.05, "Identity_1": 1e-3}),
    "blendshapes": ((146, 2), (0, 256), {"StatefulPartitionedCall:0": 1e-3}),
}


def model(name):
    try:
        return getattr(bundle.load(), name)
    except ModelMissingError as error:
        pytest.skip(str(error))


def noise(name, n):
    shape, (low, high), _ = NETS[name]
    return np.random.default_rng(3).uniform(low, high, (n, *shape)).astype(np.float32)


def in_torch(content, outputs, items):
    with torch.inference_mode():
        return [y.numpy() for y in Net(graph.read(content, outputs), CPU)(torch.from_numpy(items))]


def in_litert(content, outputs, items):
    """One item after the other, as the graphs are written."""
    net = Interpreter(model_content=content, num_threads=1)
    net.allocate_tensors()
    index = {d["name"]: d["index"] for d in net.get_output_details()}
    results = [[] for _ in outputs]
    for item in items:
        net.set_tensor(net.get_input_details()[0]["index"], item[None])
        net.invoke()
        for kept, name in zip(results, outputs, strict=True):
            kept.append(net.get_tensor(index[name]))
    return [np.stack(kept) for kept in results]


@pytest.mark.parametrize("name", NETS)
def test_the_bundles_networks_give_what_litert_gives(name):
    outputs = NETS[name][2]
    items = noise(name, 3)
    ours, theirs = (run(model(name), list(outputs), items) for run in (in_torch, in_litert))
    for (output, allowed), one, other in zip(outputs.items(), ours, theirs, strict=True):
        assert np.ptp(other) > 10 * allowed
        np.testing.assert_allclose(
            one.reshape(3, -1), other.reshape(3, -1), atol=allowed, rtol=0, err_msg=output
        )


@pytest.mark.parametrize("name", NETS)
def test_a_batch_gives_what_each_item_gives_alone(name):
    outputs = NETS[name][2]
    items = noise(name, 4)
    together = in_torch(model(name), list(outputs), items)
    alone = [in_torch(model(name), list(outputs), item[None]) for item in items]
    for k, y in enumerate(together):
        np.testing.assert_allclose(y, np.concatenate([one[k] for one in alone]), atol=1e-3, rtol=0)


def built(op, options, shape, out_shape, constants=(), *, custom=None):
    """A flatbuffer of one operation on `input`, with constants as further inputs (quantised: values, scale, zero)."""
    b = flatbuffers.Builder(1024)

    def numbers(start, values, put):
        start(b, len(values))
        for value in reversed(list(values)):
            put(value)
        return b.EndVector()

    def vector(values):
        b.StartVector(4, len(values), 4)
        for value in reversed(values):
            b.PrependInt32(int(value))
        return b.EndVector()

    def tables(offsets):
        b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            b.PrependUOffsetTRelative(offset)
        return b.EndVector()

    buffers, tensors, codes, operators = [], [], [], []

    def tensor(name, size, kind, values=None, scale=None, zero=None):
        data = None if values is None else b.CreateByteVector(values.tobytes())
        tflite.BufferStart(b)
        if data is not None:
            tflite.BufferAddData(b, data)
        buffers.append(tflite.BufferEnd(b))
        quantised = None
        if scale is not None:
            scales = numbers(tflite.QuantizationParametersStartScaleVector, scale, b.PrependFloat32)
            zeros = numbers(tflite.QuantizationParametersStartZeroPointVector, zero, b.PrependInt64)
            tflite.QuantizationParametersStart(b)
            tflite.QuantizationParametersAddScale(b, scales)
            tflite.QuantizationParametersAddZeroPoint(b, zeros)
            tflite.QuantizationParametersAddQuantizedDimension(b, 0)
            quantised = tflite.QuantizationParametersEnd(b)
        label, dims = b.CreateString(name), vector(size)
        tflite.TensorStart(b)
        tflite.TensorAddName(b, label)
        tflite.TensorAddShape(b, dims)
        tflite.TensorAddType(b, kind)
        tflite.TensorAddBuffer(b, len(buffers) - 1)
        if quantised is not None:
            tflite.TensorAddQuantization(b, quantised)
        tensors.append(tflite.TensorEnd(b))
        return len(tensors) - 1

    def operator(kind, inputs, output, options=None):
        label = b.CreateString(custom) if kind == tflite.BuiltinOperator.CUSTOM else None
        tflite.OperatorCodeStart(b)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(kind, 127))
        tflite.OperatorCodeAddBuiltinCode(b, kind)
        tflite.OperatorCodeAddVersion(b, 2 if kind == tflite.BuiltinOperator.DEQUANTIZE else 1)
        if label is not None:
            tflite.OperatorCodeAddCustomCode(b, label)
        codes.append(tflite.OperatorCodeEnd(b))
        if options:
            table, settings = options
            getattr(tflite, f"{table}Start")(b)
            for key, value in settings.items():
                getattr(tflite, f"{table}Add{key}")(b, value)
            settings = getattr(tflite, f"{table}End")(b)
        given, made = vector(inputs), vector([output])
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, len(codes) - 1)
        tflite.OperatorAddInputs(b, given)
        tflite.OperatorAddOutputs(b, made)
        if options:
            tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, table))
            tflite.OperatorAddBuiltinOptions(b, settings)
        operators.append(tflite.OperatorEnd(b))

    kinds = {"float32": tflite.TensorType.FLOAT32, "float16": tflite.TensorType.FLOAT16}
    kinds |= {"int8": tflite.TensorType.INT8, "int32": tflite.TensorType.INT32}
    tflite.BufferStart(b)
    buffers.append(tflite.BufferEnd(b))  # by convention the first one is empty
    inputs = [tensor("input", shape, tflite.TensorType.FLOAT32)]
    for k, constant in enumerate(constants):
        values, *quantised = constant if isinstance(constant, tuple) else (constant,)
        given = tensor(f"constant{k}", values.shape, kinds[values.dtype.name], values, *quantised)
        if values.dtype.name in ("float16", "int8"):
            stored, given = given, tensor(f"real{k}", values.shape, tflite.TensorType.FLOAT32)
            operator(tflite.BuiltinOperator.DEQUANTIZE, [stored], given)
        inputs.append(given)
    output = tensor("output", out_shape, tflite.TensorType.FLOAT32)
    operator(op, inputs, output, options)
    parts = [tables(tensors), vector([inputs[0]]), vector([output]), tables(operators)]
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, parts[0])
    tflite.SubGraphAddInputs(b, parts[1])
    tflite.SubGraphAddOutputs(b, parts[2])
    tflite.SubGraphAddOperators(b, parts[3])
    subgraphs = tables([tflite.SubGraphEnd(b)])
    code_table, buffer_table = tables(codes), tables(buffers)
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddOperatorCodes(b, code_table)
    tflite.ModelAddSubgraphs(b, subgraphs)
    tflite.ModelAddBuffers(b, buffer_table)
    b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
    return bytes(b.Output())


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def compared(content, shape):
    items = random(3, *shape[1:])
    one, other = (run(content, ["output"], items) for run in (in_torch, in_litert))
    assert np.ptp(other[0]) > 0.1
    np.testing.assert_allclose(one[0].reshape(3, -1), other[0].reshape(3, -1), atol=1e-4, rtol=1e-4)


SAME, VALID = 0, 1
RELU, RELU6 = 1, 3


def sliding(padding, stride, dilation=1, activation=0):
    return {
        "Padding": padding,
        "StrideH": stride,
        "StrideW": stride,
        "DilationHFactor": dilation,
        "DilationWFactor": dilation,
        "FusedActivationFunction": activation,
    }


@pytest.mark.parametrize(
    ("h", "w", "kernel", "padding", "stride", "dilation", "activation"),
    [
        (9, 12, 3, SAME, 2, 1, 0),  # a margin on both sides for rows, on one for columns
        (8, 7, 5, SAME, 2, 1, RELU),
        (8, 8, 2, SAME, 1, 1, RELU6),
        (10, 9, 3, SAME, 1, 2, 0),
        (9, 12, 3, VALID, 2, 1, 0),
        (7, 7, 1, SAME, 3, 1, 0),  # a stride beyond the kernel
    ],
)
def test_convolutions_have_tflites_margins(h, w, kernel, padding, stride, dilation, activation):
    reach = (kernel - 1) * dilation
    sides = [-(-(n if padding == SAME else n - reach) // stride) for n in (h, w)]
    for code, table, weight, channels in (
        (tflite.BuiltinOperator.CONV_2D, "Conv2DOptions", random(4, kernel, kernel, 3), 4),
        (tflite.BuiltinOperator.DEPTHWISE_CONV_2D, "DepthwiseConv2DOptions", random(1, kernel, kernel, 6), 6),
    ):
        options = sliding(padding, stride, dilation, activation)
        if channels == 6:
            options["DepthMultiplier"] = 2
        content = built(
            code, (table, options), (1, h, w, 3), (1, *sides, channels), [weight, random(channels)]
        )
        compared(content, (1, h, w, 3))


@pytest.mark.parametrize("padding", [SAME, VALID])
def test_the_largest_of_negative_numbers_is_not_the_margin(padding):
    options = {"Padding": padding, "StrideH": 2, "StrideW": 2, "FilterHeight": 3, "FilterWidth": 2}
    shape, sides = (1, 9, 8, 4), (5 if padding == SAME else 4, 4)
    content = built(tflite.BuiltinOperator.MAX_POOL_2D, ("Pool2DOptions", options), shape, (1, *sides, 4))
    items = -1 - np.abs(random(2, *shape[1:]))
    one, other = (run(content, ["output"], items) for run in (in_torch, in_litert))
    np.testing.assert_array_equal(one[0], other[0].reshape(one[0].shape))


def test_weights_are_dequantised_as_the_file_says():
    weight = np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
    bias = random(4).astype(np.float16)
    for scale, zero in (([0.01, 0.02, 0.005, 0.03], [0, 0, 0, 0]), ([0.02], [5])):
        content = built(
            tflite.BuiltinOperator.CONV_2D,
            ("Conv2DOptions", sliding(SAME, 1)),
            (1, 6, 6, 3),
            (1, 6, 6, 4),
            [(weight, scale, zero), bias],
        )
        compared(content, (1, 6, 6, 3))


def test_an_unknown_operation_is_named():
    for content, name in (
        (built(tflite.BuiltinOperator.COS, None, (1, 4), (1, 4)), "COS"),
        (built(tflite.BuiltinOperator.CUSTOM, None, (1, 4), (1, 4), custom="Wavelet"), "Wavelet"),
    ):
        with pytest.raises(InputError, match=name) as error:
            Net(graph.read(content, ["output"]), CPU)
        assert "'cpu'" in error.value.hint


def test_a_fused_activation_that_is_not_known_is_named():
    content = built(
        tflite.BuiltinOperator.ADD,
        ("AddOptions", {"FusedActivationFunction": 4}),
        (1, 4),
        (1, 4),
        [random(4)],
    )
    with pytest.raises(InputError, match="ADD with fused activation 4"):
        Net(graph.read(content, ["output"]), CPU)


def test_an_operation_across_the_batch_is_refused():
    axis = np.array([0], np.int32)
    content = built(
        tflite.BuiltinOperator.MEAN, ("ReducerOptions", {"KeepDims": True}), (1, 4), (1, 4), [axis]
    )
    with pytest.raises(InputError, match="MEAN would mix"):
        in_torch(content, ["output"], random(2, 4))


def test_an_output_that_is_not_there_is_named():
    with pytest.raises(InputError, match="'gaze'"):
        graph.read(built(tflite.BuiltinOperator.COS, None, (1, 4), (1, 4)), ["gaze"])
