"""What a Dask cluster costs a session, and what a second worker gains."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import compose
import pytest
from command import VSA
from test_costs import timed

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'vsa[cluster]'")

from clusters import CORES, dask

from vsa.run.cluster_file import QUIET

pytestmark = pytest.mark.benchmark

Figures = Callable[[str, str], Callable[[str], None]]
#: Fewer for a first look.
SESSIONS = int(os.environ.get("VSA_BENCH_SESSIONS", "200"))


def test_many_short_sessions(tmp_path: Path, figures: Figures) -> None:
    if len(CORES) < 2:
        pytest.skip("two workers with a core each need two cores")
    say = figures("performance", "A Dask cluster")
    say(
        f"{SESSIONS} sessions of 1 s, two people, 640x360. Workers are processes on this machine with one core each "
        "(`taskset`) that do one session at a time, with the settings of docs/scale.md; the scheduler and the client "
        "have no core of their own. Without Dask: processes with one core each, `--jobs 1`; of two, each has half of "
        "the sessions.\n"
    )
    short = compose.gallery(tmp_path / "short.mp4", n=2, size=(640, 360), seconds=1).path
    calls = [tmp_path / "calls" / f"s{k:03}.mp4" for k in range(SESSIONS)]
    calls[0].parent.mkdir()
    for call in calls:
        call.write_bytes(short.read_bytes())

    def extract(name: str, calls: list[Path], *options: str) -> list[str]:
        return [*VSA, "extract", *map(str, calls), "--out", str(tmp_path / name), *options]

    def done(name: str) -> list[float]:
        """When each session was finished."""
        return [path.stat().st_mtime for path in (tmp_path / name).glob("*/session.json")]

    def pace_s(name: str) -> float:
        """Time from one finished session to the next, without what begins and ends the command."""
        return (max(done(name)) - min(done(name))) / (SESSIONS - 1)

    def plain(processes: int) -> float:
        start = time.perf_counter()
        running = [
            subprocess.Popen(
                [
                    *("taskset", "-c", str(CORES[k])),
                    *extract(f"plain{processes}-{k}", calls[k::processes], "--jobs", "1"),
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for k in range(processes)
        ]
        assert [process.wait() for process in running] == [0] * processes
        return time.perf_counter() - start

    alone = {processes: plain(processes) for processes in (1, 2)}
    seconds = {}
    for workers in (1, 2):
        folder = tmp_path / f"dask{workers}"
        folder.mkdir()
        with dask(folder, workers, settings=QUIET, pinned=True) as cluster:
            time.sleep(1)
            seconds[workers] = timed(extract(f"out{workers}", calls, "--cluster", cluster.address))
        assert len(done(f"out{workers}")) == SESSIONS
    overhead = (seconds[1] - alone[1]) / SESSIONS
    say(f"- without Dask, one process: {alone[1]:.1f} s, {alone[1] / SESSIONS:.2f} s a session")
    say(f"- two processes: {alone[2]:.1f} s; {alone[1] / alone[2]:.2f} times the throughput of one")
    say(f"- one worker: {seconds[1]:.1f} s; overhead {overhead:.3f} s a session")
    say(f"- two workers: {seconds[2]:.1f} s; {seconds[1] / seconds[2]:.2f} times the throughput of one")
    say(
        f"- from the first finished session to the last, without the command's start and end: "
        f"{pace_s('out1') / pace_s('out2'):.2f} times"
    )
    assert overhead < 0.2
