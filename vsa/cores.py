"""What of this machine may be used: cores, and memory that is free."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Memory that a process which follows faces may take: at 720p it took 0.6 GB, at 1080p more (docs/performance.md).
PROCESS_BYTES = 1_000_000_000
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_share: int | None = None


def usable() -> int:
    """Cores that this process may use: those that the system gives it, or fewer (see `using`)."""
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return given if _share is None else min(given, _share)


@contextmanager
def using(cores: int) -> Iterator[None]:
    """Use no more than so many cores, libraries too: for one of several processes that work side by side."""
    import cv2
    from threadpoolctl import threadpool_limits

    global _share
    before, of_cv2 = _share, cv2.getNumThreads()
    _share = max(1, cores)
    cv2.setNumThreads(_share)
    try:
        with threadpool_limits(_share):
            yield
    finally:
        _share = before
        cv2.setNumThreads(of_cv2)


def free_bytes() -> int | None:
    """Memory that can be had without others losing theirs; None where the system doesn't say.

    The least of what the machine has free and what a container's limit (cgroup v2) leaves.
    """
    rooms = []
    try:
        lines = _MEMINFO.read_text().splitlines()
        rooms += [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError, IndexError):
        pass
    try:
        limit, held = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        rooms.append(max(0, limit - held))
    except (OSError, ValueError):  # "max" is no number: there is no limit
        pass
    return min(rooms, default=None)


def fitting(processes: int) -> int:
    """How many of so many processes that follow faces fit into the memory that is free; at least one."""
    room = free_bytes()
    return max(1, processes if room is None else min(processes, room // PROCESS_BYTES))
