"""The engine `cuda`, run by PyTorch on the CPU: what it must hold wherever it runs. No GPU is needed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pretrained import need_faces

torch = pytest.importorskip("torch", reason="the extra `cuda` is not installed: torch")
pytest.importorskip("tflite", reason="the extra `cuda` is not installed: tflite")

from vsa.data import data_file  # noqa: E402
from vsa.errors import InputError, SessionError  # noqa: E402
from vsa.face import crops, engine, table  # noqa: E402
from vsa.face.blendshapes import NAMES  # noqa: E402
from vsa.face.detector import SIZE  # noqa: E402
from vsa.face.torch import gpu  # noqa: E402
from vsa.face.torch.batches import Batches  # noqa: E402
from vsa.face.torch.engine import TorchEngine  # noqa: E402
from vsa.media.recording import Recording  # noqa: E402
from vsa.run.session import extract_session  # noqa: E402
from vsa.run.settings import Settings  # noqa: E402
from vsa.study.face_table import read_face  # noqa: E402
from vsa.study.plan import from_media  # noqa: E402
from vsa.study.results import Results  # noqa: E402

CALL = data_file("sample_media/media/s01_plain.mp4")


@pytest.fixture(autouse=True, scope="module")
def _models():
    need_faces()


@cache
def on_cpu():
    return TorchEngine(torch.device("cpu"))


@cache
def litert():
    return engine.create("cpu", 1)


@cache
def squares():
    """Both halves of some pictures of a call, as the detector is given them; and the faces' crops."""
    views, faces = [], []
    with Recording(CALL) as recording:
        for k, picture in enumerate(recording.pictures(1.0)):
            half = picture.width // 2
            for box in ((0, 0, half, picture.height), (half, 0, half, picture.height)):
                view, *moved = picture.letterbox(box, SIZE)
                found = litert().detect([view])[0].moved(*moved)
                views.append(view)
                crop = crops.from_eyes(found.boxes[0], found.eyes[0])
                faces.append(picture.warp(crop.matrix(), crops.SIZE))
            if k == 4:
                break
    return views, faces


def test_faces_are_found_where_the_cpu_engine_finds_them():
    views, _ = squares()
    for ours, theirs in zip(on_cpu().detect(views), litert().detect(views), strict=True):
        assert len(ours) == len(theirs) == 1
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-3)
        np.testing.assert_allclose(ours.eyes, theirs.eyes, atol=1e-3)
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-3)


def test_landmarks_and_expressions_are_the_cpu_engines():
    _, faces = squares()
    points, presence = on_cpu().landmarks(faces)
    expected, sure = litert().landmarks(faces)
    assert sure.min() > 0.9
    np.testing.assert_allclose(points, expected, atol=0.05)
    np.testing.assert_allclose(presence, sure, atol=1e-3)
    np.testing.assert_allclose(on_cpu().blendshapes(points), litert().blendshapes(expected), atol=1e-3)


def test_nothing_in_nothing_out():
    points, presence = on_cpu().landmarks([])
    assert on_cpu().detect([]) == []
    assert (points.shape, presence.shape) == ((0, 478, 3), (0,))
    assert on_cpu().blendshapes(points).shape == (0, 52)


def test_several_threads_at_once_get_their_own_faces():
    _, faces = squares()
    expected, _ = on_cpu().landmarks(faces)
    orders = [np.random.default_rng(seed).permutation(len(faces))[: 1 + seed % 3] for seed in range(12)]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda order: on_cpu().landmarks([faces[k] for k in order])[0], orders))
    for order, points in zip(orders, got, strict=True):
        np.testing.assert_allclose(points, expected[order], atol=1e-3)


def test_the_engine_says_what_it_runs_on_and_in_which_numbers():
    assert (on_cpu().name, on_cpu().follows, on_cpu().stream((0, 0, 640, 360))) == ("cuda", False, None)
    assert on_cpu().detail == f"PyTorch {torch.__version__} on cpu; landmarks in float32"
    assert set(on_cpu().numbers.values()) == {"float32"}


class SmallMemory:
    """The network, on a device that has memory for few items at a time."""

    def __init__(self, run, holds):
        self.run, self.holds, self.sizes = run, holds, []

    def __call__(self, items):
        self.sizes.append(len(items))
        if len(items) > self.holds:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.run(items)


def with_little_memory(holds, most=8):
    network = on_cpu()._landmarks
    small = SmallMemory(network._run, holds)
    made = []
    return small, Batches(small, most, threading.Lock(), lambda: made.append("room")), made


def test_out_of_memory_halves_the_batch_and_goes_on():
    _, faces = squares()
    items = np.stack(faces)
    small, batches, room = with_little_memory(3)
    expected = on_cpu()._landmarks(items)
    for _ in range(2):
        for got, whole in zip(batches(items), expected, strict=True):
            np.testing.assert_allclose(got, whole, atol=1e-3)
    assert small.sizes[:3] == [8, 4, 2]
    assert max(small.sizes[3:]) == batches.most == 2  # and doesn't try again
    assert room == ["room", "room"]


def test_a_gpu_too_small_for_one_face_fails_the_session_and_says_what_to_do():
    _, faces = squares()
    _, batches, _ = with_little_memory(0)
    with pytest.raises(SessionError, match="one face") as error:
        batches(np.stack(faces[:2]))
    assert "'cpu'" in error.value.hint


def test_what_threads_ask_while_the_gpu_is_busy_runs_as_one_batch():
    asked, go, sizes = [], threading.Event(), []

    def run(items):
        sizes.append(len(items))
        go.wait(10)
        return [np.stack(items) * 2.0]

    batches = Batches(run, 100, threading.Lock())
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batches, np.full((1, 2), 7.0))
        while not sizes:
            pass
        asked = [pool.submit(batches, np.full((k, 2), float(k))) for k in range(1, 6)]
        while len(batches._waiting) < 5:
            pass
        go.set()
        np.testing.assert_array_equal(first.result()[0], np.full((1, 2), 14.0))
        for k, future in enumerate(asked, 1):
            np.testing.assert_array_equal(future.result()[0], np.full((k, 2), 2.0 * k))
    assert sizes == [1, 15]


def test_a_failure_reaches_every_thread_that_was_in_the_batch_and_none_after():
    failing = [True]

    def run(items):
        if failing[0]:
            raise RuntimeError("the bus is gone")
        return [np.stack(items)]

    batches = Batches(run, 4, threading.Lock())
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(batches, np.ones((1, 1))) for _ in range(3)]
        for future in futures:
            with pytest.raises(RuntimeError, match="bus"):
                future.result(10)
    failing[0] = False
    np.testing.assert_array_equal(batches(np.ones((2, 1)))[0], np.ones((2, 1)))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_refused_with_the_reason_and_auto_takes_the_cpu(monkeypatch):
    with pytest.raises(InputError, match="can't run: PyTorch") as error:
        engine.create("cuda")
    assert "vsa doctor" in error.value.hint
    monkeypatch.setattr(gpu, "_DRIVERS", ())
    chosen = engine.create("auto", 1)
    assert (chosen.name, chosen.detail) == ("cpu", litert().detail)
    # a driver of which PyTorch can make no use: any library stands for it
    monkeypatch.setattr(gpu, "_DRIVERS", ("libc.so.6",))
    chosen = engine.create("auto", 1)
    assert chosen.name == "cpu"
    assert error.value.message in chosen.detail


@pytest.mark.slow
def test_a_call_gives_the_cpu_engines_table(tmp_path: Path):
    """Crops follow landmarks: a ten-thousandth of a px grows to 0.3 px and 0.03 of a score, on the cpu engine too."""
    plan = from_media([CALL])[0]
    tables = {}
    for made in (litert(), on_cpu()):
        results = Results(tmp_path / made.name)
        results.prepare()
        outcome = extract_session(plan, results, made, Settings(fps=2.0))
        assert outcome.record["engine"] == made.name
        tables[made.name] = read_face(results.session(plan.session_id) / "face.parquet")
    cpu, cuda = tables["cpu"], tables["cuda"]
    assert list(cpu.participant) == list(cuda.participant)
    np.testing.assert_array_equal(cpu.t, cuda.t)
    np.testing.assert_array_equal(cpu.tracked, cuda.tracked)
    # with the extra `diarization` a voice that is not in view may be a participant too
    assert (cpu.groupby("participant", observed=True).tracked.mean() > 0.9).sum() == 2
    apart = (cpu[list(table.COLUMNS)] - cuda[list(table.COLUMNS)])[cpu.tracked.to_numpy(bool)].abs()
    assert apart[["box_x", "box_y", "box_w", "box_h"]].max().max() < 1.0
    assert apart[["head_yaw", "head_pitch", "head_roll"]].max().max() < 0.5
    assert apart[list(NAMES)].max().max() < 0.1
    assert apart[list(NAMES)].mean().max() < 5e-3
