"""Speed and memory of extraction beside plain MediaPipe, in one run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import av
import compose
import pytest
from command import VSA
from running import plain_mediapipe, vsa_extract

pytestmark = pytest.mark.benchmark

ROUNDS = 3
Figures = Callable[[str, str], Callable[[str], None]]


def test_two_tile_call_against_plain_mediapipe(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "A call of two people against plain MediaPipe")
    truth = compose.two_tile_call_60s(tmp_path / "call.mp4")
    say(
        f"60 s, 1280x720, two tiles, {truth.frames} pictures, every one analysed and all signals written. Whole "
        "processes, start-up included. Plain MediaPipe: cv2 and FaceLandmarker, VIDEO mode, blendshapes and matrices.\n"
    )
    say("| round | plain MediaPipe, pictures/s | vsa extract, pictures/s | ratio | vsa, MB |")
    say("|---|---|---|---|---|")
    ratios, stages = [], {}
    for k in range(1, ROUNDS + 1):
        plain, plain_ran = plain_mediapipe(truth.path, faces=2)
        record, ran = vsa_extract(truth.path, tmp_path / "out")
        assert plain["pictures"] == record["quality"]["frames"] == truth.frames
        assert all(p["tracked_share"] > 0.99 for p in record["participants"])
        ratios.append(plain_ran.seconds / ran.seconds)
        stages = record["timings_s"]
        say(
            f"| {k} | {truth.frames / plain_ran.seconds:.1f} | {truth.frames / ran.seconds:.1f} | {ratios[-1]:.2f} "
            f"| {ran.peak_mb:.0f} |"
        )
    say(
        f"\nRatio, median of {ROUNDS}: {median(ratios):.2f}. Stages of the last round, s, added up over threads:"
    )
    say(", ".join(f"{stage} {seconds:.1f}" for stage, seconds in stages.items()) + ".")
    assert median(ratios) > 1.5


def test_nine_tile_gallery_against_plain_mediapipe(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "A gallery of nine tiles")
    truth = compose.gallery(tmp_path / "gallery.mp4", seconds=8)
    plain, plain_ran = plain_mediapipe(truth.path, faces=9)
    record, ran = vsa_extract(truth.path, tmp_path / "out")
    faces = sum(p["tracked_share"] for p in record["participants"])
    say(f"8 s, 1280x720, {truth.frames} pictures.\n")
    say(
        f"- plain MediaPipe: {plain['faces_per_picture']:.1f} of 9 faces a picture, "
        f"{truth.frames / plain_ran.seconds:.1f} pictures/s"
    )
    say(
        f"- vsa extract: {faces:.1f} of 9 faces a picture, {len(record['participants'])} participants, "
        f"{truth.frames / ran.seconds:.1f} pictures/s"
    )
    assert len(record["participants"]) == 9
    assert faces > 8.55


def test_memory_does_not_grow_with_the_recording(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "Memory against length")
    minute = compose.two_tile_call_60s(tmp_path / "call1.mp4").path
    peaks = {}
    for minutes in (1, 10):
        call = looped(minute, tmp_path / f"call_{minutes}_min.mp4", minutes)
        record, ran = vsa_extract(call, tmp_path / "out")
        peaks[minutes] = ran.peak_mb
        rate = record["quality"]["frames"] / ran.seconds
        say(f"- {minutes} min: {ran.peak_mb:.0f} MB at most, {rate:.1f} pictures/s")
    assert peaks[10] < 1200
    assert peaks[10] < 1.25 * peaks[1]


def test_help_answers_at_once(figures: Figures) -> None:
    say = figures("performance", "Start-up")
    seconds = []
    for command in ([*VSA, "--help"], [sys.executable, "-c", "pass"]):
        runs = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            runs.append(time.perf_counter() - start)
        seconds.append(median(runs))
    say(f"`vsa --help`: {seconds[0]:.2f} s (Python alone: {seconds[1]:.2f} s)")
    assert seconds[0] < 0.3 + seconds[1]


def looped(source: Path, path: Path, times: int) -> Path:
    """The same recording several times over, its packets copied."""
    with av.open(str(source)) as recording, av.open(str(path), "w") as out:
        stream = recording.streams.video[0]
        copy = out.add_stream_from_template(stream)
        length = stream.duration
        packets = [p for p in recording.demux(stream) if p.dts is not None]
        stamps = [(p.pts, p.dts) for p in packets]
        for k in range(times):
            for packet, (pts, dts) in zip(packets, stamps, strict=True):
                packet.pts, packet.dts, packet.stream = pts + k * length, dts + k * length, copy
                out.mux(packet)
    return path
