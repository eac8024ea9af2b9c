"""Speed and memory of extraction beside plain MediaPipe, in one run."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import compose
import pytest
from running import plain_mediapipe, vsa_extract

pytestmark = pytest.mark.benchmark

ROUNDS = 3


def test_two_tile_call_against_plain_mediapipe(tmp_path: Path) -> None:
    truth = compose.two_tile_call_60s(tmp_path / "call.mp4")
    ratios = []
    print(f"\n60 s, 720p, two tiles, {truth.frames} pictures; whole processes, start-up included")
    for round_ in range(ROUNDS):
        plain, plain_ran = plain_mediapipe(truth.path, faces=2)
        record, ran = vsa_extract(truth.path, tmp_path / "out")
        assert plain["pictures"] == record["quality"]["frames"] == truth.frames
        assert all(p["tracked_share"] > 0.99 for p in record["participants"])
        ratios.append(plain_ran.seconds / ran.seconds)
        print(
            f"round {round_ + 1}: plain MediaPipe {truth.frames / plain_ran.seconds:.1f} pictures/s "
            f"({plain['faces_per_picture']:.2f} faces a picture), "
            f"vsa extract {truth.frames / ran.seconds:.1f} pictures/s ({ran.peak_mb:.0f} MB), "
            f"ratio {ratios[-1]:.2f}"
        )
        print("    stages, s (added up over threads):", record["timings_s"])
    print(f"ratio, median of {ROUNDS}: {median(ratios):.2f}")
    assert median(ratios) > 1.5


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    peaks = {}
    for minutes in (1, 10):
        call = compose.two_tile_call(tmp_path / f"call{minutes}.mp4", seconds=60 * minutes).path
        _, ran = vsa_extract(call, tmp_path / "out")
        peaks[minutes] = ran.peak_mb
        print(
            f"\n{minutes} min: {ran.peak_mb:.0f} MB at most, {60 * minutes * 25 / ran.seconds:.1f} pictures/s"
        )
    assert peaks[10] < 1200
    assert peaks[10] < 1.25 * peaks[1]
