"""Crops that PyTorch cuts are those that the CPU cuts, wherever they lie and whatever is asked with them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from pretrained import need_faces

torch = pytest.importorskip("torch", reason="the extra `cuda` is not installed: torch")
pytest.importorskip("tflite", reason="the extra `cuda` is not installed: tflite")

from vsa.data import data_file  # noqa: E402
from vsa.face import crops, engine  # noqa: E402
from vsa.face.crops import SIZE, Crop  # noqa: E402
from vsa.face.torch import cutting  # noqa: E402
from vsa.face.torch.engine import TorchEngine  # noqa: E402
from vsa.media.picture import Picture  # noqa: E402
from vsa.media.recording import Recording  # noqa: E402

CPU = torch.device("cpu")
CALLS = ("s01_plain", "s03_poor_line")


@cache
def pictures():
    """Some of two calls."""
    kept = []
    for call in CALLS:
        with Recording(data_file(f"sample_media/media/{call}.mp4")) as recording:
            kept += [picture for _, picture in zip(range(3), recording.pictures(1.0), strict=False)]
    return kept


def differences(pairs):
    cut = cutting.cut([cutting.cutout(p, c.matrix(), SIZE) for p, c in pairs], SIZE, CPU).numpy()
    assert (cut.shape, cut.min() >= 0, cut.max() <= 255) == ((len(pairs), SIZE, SIZE, 3), True, True)
    np.testing.assert_array_equal(cut, cut.astype(np.uint8))
    return [
        np.abs(one - p.warp(c.matrix(), SIZE).astype(np.float32))
        for one, (p, c) in zip(cut, pairs, strict=True)
    ]


@pytest.mark.parametrize("colour", ["bt601", "bt709", "bt2020", "fcc", "smpte240m"])
def test_crops_of_several_pictures_are_the_cpus(colour):
    rng = np.random.default_rng(1)
    pairs = []
    for k, side in enumerate((40, 130, 260, 500, 900, 2400)):  # near and far, partly beyond the border
        picture = replace(pictures()[k], colour=colour)
        where = rng.uniform(0, 1, 2) * (picture.width, picture.height)
        pairs.append((picture, Crop(*where, side, rng.uniform(-0.7, 0.7))))
    for apart in differences(pairs):
        assert apart.mean() < 0.5
        assert np.percentile(apart, 99.9) <= 2


def test_borders_are_repeated_at_every_corner_and_by_a_crop_that_sees_nothing_else():
    picture = pictures()[0]
    w, h = picture.width, picture.height
    places = [(0, 0), (w, 0), (0, h), (w, h), (-900, -700), (w + 900, h / 2), (w / 2, h + 900), (w / 2, -900)]
    for apart in differences([(picture, Crop(x, y, 180, 0.3)) for x, y in places]):
        assert apart.mean() < 0.5
        assert np.percentile(apart, 99.9) <= 2


def test_pictures_of_odd_sizes_and_of_a_single_pixel_can_be_cut_from():
    rng = np.random.default_rng(2)
    for w, h in ((1, 1), (2, 2), (3, 5), (61, 47)):
        y = rng.integers(16, 236, (h, w), np.uint8)
        u, v = rng.integers(16, 241, (2, (h + 1) // 2, (w + 1) // 2), np.uint8)
        apart = differences([(Picture(0.0, y, u, v), Crop(w / 2, h / 2, 1.5 * max(w, h), 0.2))])[0]
        assert apart.mean() < 0.5


def test_only_what_a_crop_shows_goes_to_the_device():
    small = cutting.cutout(pictures()[0], Crop(300, 250, 100, 0.0).matrix(), SIZE)
    assert small.picture.width <= 110
    assert small.picture.height <= 110
    assert np.shares_memory(small.picture.y, pictures()[0].y)


def test_a_batch_too_large_for_one_go_is_cut_in_parts(monkeypatch):
    sides = (90, 400, 60, 300, 120, 80)
    pairs = [(p, Crop(400, 250, side, 0.1)) for p, side in zip(pictures(), sides, strict=True)]
    whole = [cutting.cutout(p, c.matrix(), SIZE) for p, c in pairs]
    expected = cutting.cut(whole, SIZE, CPU)
    monkeypatch.setattr(cutting, "_PART_PX", 250_000)
    apart = (cutting.cut(whole, SIZE, CPU) - expected).abs()
    assert apart.max() <= 2  # the last digits of a place depend on the largest region beside it
    assert apart.mean() < 1e-3


def test_landmarks_from_crops_cut_here_are_the_cpu_engines():
    """Also where RGB arrays, as other engines cut them, come in the same batch."""
    need_faces()
    ours, theirs = TorchEngine(CPU), engine.create("cpu", 1)
    asked, expected, mixed = [], [], []
    for picture in pictures()[::2]:
        half = picture.width // 2
        for left in (0, half):
            seen = picture.part((left, 0, half, picture.height))[0]
            view, *moved = seen.letterbox((0, 0, half, picture.height), 128)
            found = theirs.detect([view])[0].moved(*moved)
            for box, eyes in zip(found.boxes, found.eyes, strict=True):
                matrix = crops.from_eyes(box, eyes).matrix()
                asked.append(ours.cut(seen, matrix))
                expected.append(theirs.cut(seen, matrix))
                mixed.append(asked[-1] if len(mixed) % 2 else expected[-1])
    assert len(asked) >= 4
    points, presence = theirs.landmarks(expected)
    assert presence.min() > 0.9
    eyes_apart = np.linalg.norm(points[:, 33, :2] - points[:, 263, :2], axis=1)
    for crop in (asked, mixed):
        got, sure = ours.landmarks(crop)
        np.testing.assert_allclose(sure, presence, atol=2e-3)
        apart = np.linalg.norm((got - points)[:, :, :2], axis=2)
        assert np.median(apart / eyes_apart[:, None]) < 0.001  # engines may differ by 0.7%
        assert apart.max() < 0.3
