"""16 bits are taken only where they leave the results what they are; tried for real, on the CPU."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from pretrained import need_faces

torch = pytest.importorskip("torch", reason="the extra `cuda` is not installed: torch")
pytest.importorskip("tflite", reason="the extra `cuda` is not installed: tflite")

from vsa.errors import VsaError  # noqa: E402
from vsa.face import bundle, engine  # noqa: E402
from vsa.face.torch import graph, precision  # noqa: E402
from vsa.face.torch.engine import TorchEngine  # noqa: E402
from vsa.face.torch.net import Net  # noqa: E402
from vsa.face.torch.runner import exactly  # noqa: E402

CPU = torch.device("cpu")
OUTPUTS = {
    "detector": ["regressors", "classificators"],
    "landmarks": ["Identity", "Identity_1"],
    "blendshapes": ["StatefulPartitionedCall:0"],
}


@pytest.fixture(autouse=True, scope="module")
def _models():
    need_faces()


@cache
def tried():
    return precision.samples(engine.create("cpu", 1).detect)


def read(name):
    return graph.read(getattr(bundle.load(), name), OUTPUTS[name])


def faces(n):
    return torch.from_numpy(tried().crops[:n]).float() / 255


def chosen(name, items, same, short):
    with exactly():
        exact, got = Net(read(name), CPU), precision.shortest(read(name), CPU, items, same, short)
        return got, exact(items), got(items)


def test_what_is_tried_shows_faces_and_is_the_same_each_time():
    again = precision.samples(engine.create("cpu", 1).detect)
    np.testing.assert_array_equal(tried().crops, again.crops)
    np.testing.assert_array_equal(tried().views, again.views)
    _, presence = engine.create("cpu", 1).landmarks(tried().crops)
    assert (presence[:-2] > 0.9).all()
    assert (presence[-2:] < 0.5).all()  # noise
    assert len(tried().crops) >= 24


def test_landmarks_take_float16_as_far_as_it_is_exact_enough():
    got, expected, results = chosen("landmarks", faces(2), precision.same_landmarks, torch.float16)
    assert got.numbers == "float16, its end in float32"
    assert 0 < (results[0] - expected[0]).abs().max() <= precision.LANDMARK_PX


def test_numbers_with_too_few_digits_are_not_taken():
    got, expected, results = chosen("landmarks", faces(1), precision.same_landmarks, torch.bfloat16)
    assert got.numbers == "float32"
    assert torch.equal(results[0], expected[0])
    points = expected[0].reshape(-1, 478, 3)[:, marks(), :2]
    got, _, _ = chosen("blendshapes", points, precision.same_scores, torch.float16)
    assert got.numbers == "float32"


def marks():
    from vsa.face.blendshapes import LANDMARKS

    return torch.from_numpy(np.asarray(LANDMARKS))


def test_numbers_that_the_device_can_not_compute_with_are_not_taken():
    got, _, _ = chosen("landmarks", faces(1), precision.same_landmarks, torch.float8_e4m3fn)
    assert got.numbers == "float32"


def test_without_a_face_to_try_nothing_is_taken():
    noise = torch.from_numpy(tried().crops[-1:]).float() / 255
    got, _, _ = chosen("landmarks", noise, precision.same_landmarks, torch.float16)
    assert got.numbers == "float32"


def test_results_that_are_no_numbers_are_not_the_same():
    scores = torch.full((1, 52), 0.5)
    assert precision.same_scores([scores], [scores + precision.SCORE / 2])
    assert not precision.same_scores([scores], [scores + precision.SCORE * 2])
    assert not precision.same_scores([scores], [scores * torch.nan])


def test_without_the_recording_that_ships_the_engine_runs_in_float32(monkeypatch):
    def missing(relative):
        raise VsaError(f"{relative} is missing.", "Install vsa again.")

    monkeypatch.setattr(precision, "data_file", missing)
    assert set(TorchEngine(CPU, torch.float16).numbers.values()) == {"float32"}


def test_with_too_little_memory_to_try_the_engine_runs_in_float32(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(precision, "shortest", full)
    made = TorchEngine(CPU, torch.float16)
    assert set(made.numbers.values()) == {"float32"}
    assert made.landmarks(list(tried().crops[:1]))[1] > 0.9


@pytest.mark.slow
def test_an_engine_in_16_bits_gives_the_cpu_engines_faces():
    ours, theirs = TorchEngine(CPU, torch.float16), engine.create("cpu", 1)
    assert ours.numbers["landmarks"].startswith("float16")
    assert ours.numbers["landmarks"] in ours.detail
    real = tried().crops[:6]
    points, presence = ours.landmarks(list(real))
    expected, sure = theirs.landmarks(real)
    np.testing.assert_allclose(points, expected, atol=2 * precision.LANDMARK_PX)
    np.testing.assert_allclose(presence, sure, atol=2 * precision.SCORE)
    np.testing.assert_allclose(
        ours.blendshapes(expected), theirs.blendshapes(expected), atol=2 * precision.SCORE
    )
    for got, found in zip(ours.detect(list(tried().views)), theirs.detect(tried().views), strict=True):
        assert len(got) == len(found)
        np.testing.assert_allclose(got.boxes, found.boxes, atol=0.2)
