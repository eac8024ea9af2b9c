"""What a session costs from end to end, and how that grows with its length and with their number."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median

import av
import compose
import pytest
from command import VSA
from running import floor, plain_mediapipe, vsa_extract

from vsa import cores

pytestmark = pytest.mark.benchmark

Figures = Callable[[str, str], Callable[[str], None]]
SOUND = Path(__file__).resolve().parents[2] / "sample_media" / "media" / "s01_plain.mp4"


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of two people, 720p, 25 pictures a second, with sound (that of a simulated call)."""
    folder = tmp_path_factory.mktemp("minute")
    call = compose.two_tile_call_60s(folder / "pictures.mp4").path
    return looped(call, folder / "minute.mp4", 1, SOUND)


def test_fifty_minutes_from_end_to_end(minute: Path, tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "A session of 50 minutes, from end to end")
    call = looped(minute, tmp_path / "session.mp4", 50, SOUND)
    least = [_rate(minute)]
    record, ran = vsa_extract(call, tmp_path / "out")
    least.append(_rate(minute))
    length_s = record["source"]["duration_s"]
    say("1280x720, two people, 25 pictures/s, every picture, with sound, turns, synchrony and features.\n")
    say(f"- real-time factor {ran.seconds / length_s:.3f}: {ran.seconds:.0f} s for {length_s:.0f} s")
    rate = record["quality"]["frames"] / ran.seconds
    say(f"- {rate:.0f} pictures/s, {ran.peak_mb:.0f} MB at most")
    say(
        f"- {rate / mean(least):.0%} of the floor: decoding and the two nets alone on all cores, measured on a minute "
        f"of it before and after, {least[0]:.0f} and {least[1]:.0f} pictures/s"
    )
    held = sum(path.stat().st_size for path in (tmp_path / "out" / "session").iterdir())
    say(f"- results: {held / 1e6:.0f} MB, of recordings of {call.stat().st_size / 1e6:.0f} MB")
    stages = {name: seconds for name, seconds in record["timings_s"].items() if seconds >= 0.5}
    say(f"- stages, s, added up over threads: {', '.join(f'{n} {s:.0f}' for n, s in stages.items())}")
    assert length_s > 2990
    assert ran.seconds < length_s


def test_cost_against_length(minute: Path, tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "Cost against length")
    say(
        "The same minute, once and several times over, with sound; whole processes. Plain MediaPipe has no start-up to "
        "speak of: its pictures/s are measured on the minute, before and after.\n"
    )
    say("| length, min | s | s per minute | pictures/s | MB at most |")
    say("|---|---|---|---|---|")
    plain = [_plain_rate(minute)]
    rates, seconds = {}, {}
    for minutes in (1, 2, 4, 8):
        call = looped(minute, tmp_path / f"call{minutes}.mp4", minutes, SOUND)
        record, ran = vsa_extract(call, tmp_path / "out")
        seconds[minutes], rates[minutes] = ran.seconds / minutes, record["quality"]["frames"] / ran.seconds
        say(
            f"| {minutes} | {ran.seconds:.1f} | {seconds[minutes]:.1f} | {rates[minutes]:.1f} | {ran.peak_mb:.0f} |"
        )
    plain.append(_plain_rate(minute))
    times = ", ".join(f"{rate / mean(plain):.2f}" for rate in rates.values())
    say(f"\nPlain MediaPipe: {plain[0]:.1f} and {plain[1]:.1f} pictures/s; vsa: {times} times as many.")
    assert seconds[8] < 1.3 * seconds[2]


def test_cost_against_the_number_of_sessions(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "Cost against the number of sessions")
    say(
        "Sessions of 10 s, two people, 720p; whole processes. One process: `--jobs 1`; side by side: the default.\n"
    )
    say("| sessions | one process, s | side by side, s | ratio |")
    say("|---|---|---|---|")
    short = compose.two_tile_call(tmp_path / "short.mp4", seconds=10).path
    took: dict[tuple[int, str], float] = {}
    for count in (2, 4, 8):
        calls = [tmp_path / f"n{count}" / f"s{k}.mp4" for k in range(count)]
        for call in calls:
            call.parent.mkdir(exist_ok=True)
            call.write_bytes(short.read_bytes())
        for jobs in ("1", "0"):
            out = tmp_path / f"out{count}-{jobs}"
            took[count, jobs] = timed([*VSA, "extract", *map(str, calls), "--out", str(out), "--jobs", jobs])
            assert len(list(out.glob("*/session.json"))) == count
        say(
            f"| {count} | {took[count, '1']:.1f} | {took[count, '0']:.1f} "
            f"| {took[count, '1'] / took[count, '0']:.2f} |"
        )
    each = (took[8, "1"] - took[4, "1"]) / 4
    say(f"\nOne more session in one process: {each:.1f} s. {cores.usable()} cores.")
    assert took[8, "1"] < 2.5 * took[4, "1"]


def test_start_up(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "Start-up")
    help_s = median(timed([*VSA, "--help"]) for _ in range(5))
    python_s = median(timed([sys.executable, "-c", "pass"]) for _ in range(5))
    short = compose.two_tile_call(tmp_path / "short.mp4", seconds=2).path
    _, ran = vsa_extract(short, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "short" / "session.json").read_text("utf-8"))
    say(f"- `vsa --help`: {help_s:.2f} s (Python alone: {python_s:.2f} s)")
    say(
        f"- `vsa extract` of one session of 2 s: {ran.seconds:.1f} s, of which "
        f"{record['timings_s']['wall']:.1f} s are the session and the rest start-up and tables"
    )
    assert help_s < 0.3 + python_s


def _rate(minute: Path) -> float:
    least, ran = floor(minute, faces=2)
    return float(least["pictures"] / ran.seconds)


def _plain_rate(minute: Path) -> float:
    plain, ran = plain_mediapipe(minute, faces=2)
    return float(plain["pictures"] / ran.seconds)


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def looped(source: Path, path: Path, times: int, sound: Path) -> Path:
    """The pictures of a recording several times over, with the sound of another over and over; packets copied."""
    with av.open(str(source)) as seen, av.open(str(sound)) as heard, av.open(str(path), "w") as out:
        copies = []
        for held, stream, repeats in (
            (seen, seen.streams.video[0], times),
            (heard, heard.streams.audio[0], None),
        ):
            packets = [p for p in held.demux(stream) if p.dts is not None]
            copies.append((out.add_stream_from_template(stream), stream, packets, repeats))
        end_s = times * float(copies[0][1].duration * copies[0][1].time_base)
        for copy, stream, packets, repeats in copies:
            stamps = [(p.pts, p.dts) for p in packets]
            length = packets[-1].dts + packets[-1].duration - packets[0].dts
            repeats = repeats or 1 + int(end_s / float(length * stream.time_base))
            for k in range(repeats):
                for packet, (pts, dts) in zip(packets, stamps, strict=True):
                    if float((dts + k * length) * stream.time_base) >= end_s:
                        break
                    packet.pts, packet.dts, packet.stream = pts + k * length, dts + k * length, copy
                    out.mux(packet)
    return path
