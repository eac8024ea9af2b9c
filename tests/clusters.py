"""A Dask cluster of separate processes on this machine, as an administrator would start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vsa.run.cluster_file import environment

_START_S = 60.0
#: Cores that these tests may use.
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@dataclass
class Dask:
    """A scheduler and its workers; `address` is what `--cluster` takes."""

    address: str
    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill(self, worker: int) -> None:
        """As a machine that is gone: the worker, and the children that do its sessions."""
        os.killpg(self.workers[worker].pid, signal.SIGKILL)
        self.workers[worker].wait()

    def sessions_of(self, worker: int) -> list[int]:
        """Processes below a worker that do sessions."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    words = (entry / "cmdline").read_bytes()
                    if b"vsa.run.child" in words and os.getpgid(int(entry.name)) == self.workers[worker].pid:
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


@contextmanager
def dask(
    folder: Path,
    workers: int,
    options: Sequence[str] = (),
    settings: Mapping[str, object] | None = None,
    pinned: bool = False,
) -> Iterator[Dask]:
    """Start one, of workers with a thread each, with these settings of Dask; everything is ended at the end.

    Pinned workers have one core each and no more, as a batch system gives it.
    """
    file = folder / "scheduler.json"
    start = [sys.executable, "-m", "distributed.cli"]
    log = (folder / "dask.log").open("wb")

    environ = os.environ | environment(settings or {})

    def begun(words: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words, cwd=folder, stdout=log, stderr=log, env=environ, start_new_session=True
        )

    def module(name: str) -> list[str]:
        return [*start[:2], f"distributed.cli.dask_{name}"]

    scheduler = begun(
        [
            *module("scheduler"),
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(file),
        ]
    )
    cluster = Dask("", folder, scheduler)
    try:
        cluster.workers += [
            begun(
                [
                    *(("taskset", "-c", str(CORES[k])) if pinned else ()),
                    *module("worker"),
                    *(
                        "--scheduler-file",
                        str(file),
                        "--nthreads",
                        "1",
                        "--no-dashboard",
                        "--no-nanny",
                        *options,
                    ),
                ]
            )
            for k in range(workers)
        ]
        cluster.address = _address(file, workers)
        yield cluster
    finally:
        for process in (*cluster.workers, scheduler):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def _address(file: Path, workers: int) -> str:
    """Where the scheduler is, once all workers are there."""
    import json

    from distributed import Client

    last = time.monotonic() + _START_S
    while not file.exists():
        assert time.monotonic() < last, "the scheduler does not start"
        time.sleep(0.1)
    time.sleep(0.2)
    address = str(json.loads(file.read_text())["address"])
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=_START_S)
    return address
