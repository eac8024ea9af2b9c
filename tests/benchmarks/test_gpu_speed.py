"""The engine `cuda` on this machine's GPU: faces a second, the same numbers as LiteRT's, crops, and a whole call."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import compose
import numpy as np
import pytest
from running import vsa_extract

from vsa.face import bundle, crops, engine
from vsa.face.crops import SIZE
from vsa.face.torch import gpu
from vsa.media.recording import Recording

pytestmark = pytest.mark.benchmark

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
#: Faces a second that the landmark network is to reach.
TARGET = 4000
Figures = Callable[[str, str], Callable[[str], None]]


@pytest.fixture(scope="module")
def device() -> Any:
    """The GPU; without one, what is lacking."""
    lacking, _ = gpu.obstacle()
    if lacking:
        pytest.skip(f"no GPU to measure: {lacking}")
    import torch

    return torch.device("cuda")


@pytest.fixture(scope="module")
def ours(device: Any) -> Any:
    """The engine."""
    from vsa.face.torch.engine import TorchEngine

    return TorchEngine(device)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, Any]]:
    """Pictures of a call and the maps to the crops of its faces, as landmarks are asked for."""
    call = compose.two_tile_call_60s(tmp_path_factory.mktemp("gpu") / "call.mp4")
    cpu = engine.create("cpu")
    found = []
    with Recording(call.path) as recording:
        for picture in islice(recording.pictures(2.0), 64):
            half = picture.width // 2
            for left in (0, half):
                seen, _, _ = picture.part((left, 0, half, picture.height))
                view, *moved = seen.letterbox((0, 0, half, picture.height), 128)
                faces = cpu.detect([view])[0].moved(*moved)
                for box, eyes in zip(faces.boxes, faces.eyes, strict=True):
                    found.append((seen, crops.from_eyes(box, eyes).matrix()))
    assert len(found) > 64
    return found


def test_faces_a_second(device: Any, ours: Any, faces: list[tuple[Any, Any]], figures: Figures) -> None:
    import torch

    from vsa.face.torch import graph
    from vsa.face.torch.net import Net
    from vsa.face.torch.runner import exactly, placed

    say = figures("performance", "The engine cuda: faces a second")
    say(
        f"{ours.detail}. Landmarks in {ours.numbers['landmarks']}, expressions in {ours.numbers['blendshapes']}."
    )
    say(
        "Faces a second, median of repeated calls. Networks: input and results stay on the GPU. Engine: landmarks and "
        "expressions, from RGB crops in the program's memory to results there.\n"
    )
    say("| batch | landmarks, float32 | float16, end in float32 | as the engine takes them | engine, all |")
    say("|---|---|---|---|---|")
    read = graph.read(bundle.load().landmarks, ("Identity", "Identity_1"))
    full, short = Net(read, device), Net(read, device, torch.float16, round(len(read.nodes) * 2 / 3))
    taken = ours._replays["landmarks"]
    rgb = [picture.warp(matrix, SIZE) for picture, matrix in faces]
    best = 0.0
    for n in BATCHES:
        batch = (rgb * (n // len(rgb) + 1))[:n]
        with exactly():
            items = placed(batch, device) / 255
            rates = [rate(lambda net=net, x=items: net(x), n, device) for net in (full, short, taken)]
        rates.append(rate(lambda b=batch: ours.blendshapes(ours.landmarks(b)[0]), n, device))
        best = max(best, rates[2])
        say(f"| {n} | " + " | ".join(f"{one:,.0f}" for one in rates) + " |")
    say(
        f"\nTarget: {TARGET:,} faces a second for the landmarks; {'reached' if best >= TARGET else 'not reached'}."
    )
    assert taken.works, "CUDA graphs failed, or gave something else"


def test_the_same_numbers_as_litert(ours: Any, faces: list[tuple[Any, Any]], figures: Figures) -> None:
    say = figures("performance", "The engine cuda: parity with LiteRT")
    theirs = engine.create("cpu")
    rgb = [picture.warp(matrix, SIZE) for picture, matrix in faces]
    expected, sure = theirs.landmarks(rgb)
    eyes = np.linalg.norm(expected[:, 33, :2] - expected[:, 263, :2], axis=1)[:, None]
    say(
        f"{len(faces)} crops of a call; landmarks as a share of the distance between the eyes' outer corners.\n"
    )
    cut = [ours.cut(picture, matrix) for picture, matrix in faces]
    for name, given in (("crops cut by the CPU", rgb), ("crops cut by the GPU", cut)):
        points, presence = ours.landmarks(given)
        apart = np.linalg.norm((points - expected)[:, :, :2], axis=2) / eyes
        scores = np.abs(ours.blendshapes(points) - theirs.blendshapes(expected))
        say(
            f"- {name}: landmarks {np.median(apart):.3%} (median), {apart.max():.2%} (most); expressions "
            f"{scores.mean():.4f} (mean), {scores.max():.3f} (most); presence {np.abs(presence - sure).max():.4f}"
        )
        assert np.median(apart) < 0.007
        assert scores.mean() < 5e-3


def test_crops_a_second(device: Any, faces: list[tuple[Any, Any]], figures: Figures) -> None:
    from vsa.face.torch import cutting
    from vsa.face.torch.runner import exactly

    say = figures("performance", "The engine cuda: crops a second")
    say(
        "Crops of 256x256 px from 720p, from the decoder's planes; by the CPU one after the other, on one thread.\n"
    )
    seconds = median(timed(lambda: [picture.warp(matrix, SIZE) for picture, matrix in faces[:32]], 5))
    say(f"- CPU: {32 / seconds:,.0f} crops a second")
    for n in (1, 8, 64):
        given = (faces * (n // len(faces) + 1))[:n]

        def cut(given: list[tuple[Any, Any]] = given) -> Any:
            with exactly():
                return cutting.cut([cutting.cutout(*one, SIZE) for one in given], SIZE, device)

        say(f"- GPU, {n} at once: {rate(cut, n, device):,.0f} crops a second")
    with exactly():
        got = cutting.cut([cutting.cutout(*one, SIZE) for one in faces], SIZE, device).cpu().numpy()
    apart = [
        np.abs(one - p.warp(m, SIZE).astype(np.float32)).mean()
        for one, (p, m) in zip(got, faces, strict=True)
    ]
    say(f"- they differ by {max(apart):.2f} grey levels (mean of a crop, the worst)")
    assert max(apart) < 0.5


def test_a_call_from_end_to_end(device: Any, tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "The engine cuda: a call of two people")
    truth = compose.two_tile_call_60s(tmp_path / "call.mp4")
    say(f"60 s, 1280x720, {truth.frames} pictures, every one analysed; whole processes, start-up included.\n")
    for name in ("cpu", "cuda"):
        record, ran = vsa_extract(truth.path, tmp_path / name, "--engine", name)
        assert record["engine"] == name
        assert all(p["tracked_share"] > 0.99 for p in record["participants"])
        say(f"- {name}: {truth.frames / ran.seconds:.1f} pictures/s, {ran.peak_mb:.0f} MB")


def rate(call: Callable[[], Any], items: int, device: Any, repeats: int = 10) -> float:
    """Items a second: of calls that go on until the device is done."""
    import torch

    def done() -> None:
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(2):
        done()
    return items / median(timed(done, repeats))


def timed(call: Callable[[], Any], repeats: int) -> list[float]:
    """Seconds of each call."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds
