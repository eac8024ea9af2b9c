"""Speed and memory of extraction beside plain MediaPipe, in one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import compose
import pytest
from running import floor, plain_mediapipe, vsa_extract

pytestmark = pytest.mark.benchmark

ROUNDS = 3
Figures = Callable[[str, str], Callable[[str], None]]


def test_two_tile_call_against_plain_mediapipe(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "A call of two people against plain MediaPipe")
    truth = compose.two_tile_call_60s(tmp_path / "call.mp4")
    say(
        f"60 s, 1280x720, two tiles, {truth.frames} pictures, every one analysed and all signals written. Whole "
        "processes, start-up included. Plain MediaPipe: cv2 and FaceLandmarker, VIDEO mode, blendshapes and matrices. "
        "The floor: decoding and the two nets alone, on all cores; no face found, cut out or followed.\n"
    )
    say(
        "| round | plain MediaPipe, pictures/s | floor, pictures/s | vsa extract, pictures/s | times MediaPipe "
        "| share of the floor | vsa, MB |"
    )
    say("|---|---|---|---|---|---|---|")
    ratios, shares, stages = [], [], {}
    for k in range(1, ROUNDS + 1):
        plain, plain_ran = plain_mediapipe(truth.path, faces=2)
        least, floor_ran = floor(truth.path, faces=2)
        record, ran = vsa_extract(truth.path, tmp_path / "out")
        assert plain["pictures"] == least["pictures"] == record["quality"]["frames"] == truth.frames
        assert all(p["tracked_share"] > 0.99 for p in record["participants"])
        ratios.append(plain_ran.seconds / ran.seconds)
        shares.append(floor_ran.seconds / ran.seconds)
        stages = record["timings_s"]
        plain_rate, floor_rate, rate = (truth.frames / one.seconds for one in (plain_ran, floor_ran, ran))
        say(
            f"| {k} | {plain_rate:.1f} | {floor_rate:.1f} | {rate:.1f} | {ratios[-1]:.2f} | {shares[-1]:.0%} "
            f"| {ran.peak_mb:.0f} |"
        )
    say(
        f"\nMedians of {ROUNDS}: {median(ratios):.2f} times plain MediaPipe, {median(shares):.0%} of the floor. "
        "Stages of the last round, s, added up over threads:"
    )
    say(", ".join(f"{stage} {seconds:.1f}" for stage, seconds in stages.items()) + ".")
    assert median(ratios) > 1.5


def test_kinds_of_recordings_against_plain_mediapipe(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "Kinds of recordings against plain MediaPipe")
    say("Whole processes; medians of three rounds, one after the other.\n")
    say("| recording | faces | plain MediaPipe, pictures/s | vsa extract, pictures/s | ratio | vsa, MB |")
    say("|---|---|---|---|---|---|")
    kinds = {
        "one face, 1280x720": compose.single(tmp_path / "one.mp4", seconds=40),
        "two tiles, 1280x720": compose.gallery(tmp_path / "two.mp4", n=2, seconds=40),
        "two tiles, 1920x1080": compose.gallery(tmp_path / "hd.mp4", n=2, size=(1920, 1080), seconds=40),
        "nine tiles, 1280x720": compose.gallery(tmp_path / "nine.mp4", n=9, seconds=16),
    }
    for name, truth in kinds.items():
        people = len(truth.participants)
        rates: dict[str, list[float]] = {"plain": [], "vsa": [], "MB": []}
        for _ in range(ROUNDS):
            _, plain_ran = plain_mediapipe(truth.path, faces=people)
            record, ran = vsa_extract(truth.path, tmp_path / "out")
            assert len(record["participants"]) == people
            rates["plain"].append(truth.frames / plain_ran.seconds)
            rates["vsa"].append(truth.frames / ran.seconds)
            rates["MB"].append(ran.peak_mb)
        ratio = median(v / p for v, p in zip(rates["vsa"], rates["plain"], strict=True))
        plain, own, mb = (median(rates[key]) for key in ("plain", "vsa", "MB"))
        say(f"| {name} | {people} | {plain:.1f} | {own:.1f} | {ratio:.2f} | {mb:.0f} |")


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
