"""What a Dask cluster costs a session, and what a second worker gains."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import compose
import pytest
from command import VSA
from test_costs import timed

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'vsa[cluster]'")

from clusters import dask

from vsa.run.cluster_file import QUIET

pytestmark = pytest.mark.benchmark

Figures = Callable[[str, str], Callable[[str], None]]
#: Fewer for a first look.
SESSIONS = int(os.environ.get("VSA_BENCH_SESSIONS", "200"))


def test_many_short_sessions(tmp_path: Path, figures: Figures) -> None:
    say = figures("performance", "A Dask cluster")
    say(
        f"{SESSIONS} sessions of 1 s, two people, 640x360. Workers are processes on this machine, one session at a "
        "time each, with one core for it, with the settings of docs/scale.md. One process without Dask: `taskset` to "
        "one core, `--jobs 1`.\n"
    )
    short = compose.gallery(tmp_path / "short.mp4", n=2, size=(640, 360), seconds=1).path
    calls = [tmp_path / "calls" / f"s{k:03}.mp4" for k in range(SESSIONS)]
    calls[0].parent.mkdir()
    for call in calls:
        call.write_bytes(short.read_bytes())

    def took(name: str, *options: str, prefix: tuple[str, ...] = ()) -> float:
        out = tmp_path / name
        seconds = timed([*prefix, *VSA, "extract", *map(str, calls), "--out", str(out), *options])
        assert len(list(out.glob("*/session.json"))) == SESSIONS
        return seconds

    def pace_s(name: str) -> float:
        """Time from one finished session to the next, without what begins and ends the command."""
        done = [path.stat().st_mtime for path in (tmp_path / name).glob("*/session.json")]
        return (max(done) - min(done)) / (SESSIONS - 1)

    alone = took("alone", "--jobs", "1", prefix=("taskset", "-c", "0"))
    seconds = {}
    for workers in (1, 2):
        folder = tmp_path / f"dask{workers}"
        folder.mkdir()
        with dask(folder, workers, settings=QUIET) as cluster:
            time.sleep(1)
            seconds[workers] = took(f"out{workers}", "--cluster", cluster.address)
    overhead = (seconds[1] - alone) / SESSIONS
    say(f"- without Dask, on one core: {alone:.1f} s, {alone / SESSIONS:.2f} s a session")
    say(f"- one worker: {seconds[1]:.1f} s; overhead {overhead:.3f} s a session")
    say(f"- two workers: {seconds[2]:.1f} s; {seconds[1] / seconds[2]:.2f} times the throughput of one")
    say(
        f"- from the first finished session to the last, without the command's start and end: "
        f"{pace_s('out1') / pace_s('out2'):.2f} times"
    )
    assert overhead < 0.2
