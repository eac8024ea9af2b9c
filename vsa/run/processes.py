"""Sessions side by side on this machine: a process for each, which may die without harm to the others.

Neither `concurrent.futures` nor joblib can say which task killed a worker: one recording that kills its decoder would
take all sessions in work down with it, again at each try. So each worker has a pipe of its own here; whose pipe ends
is known, and so is its session.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from vsa import cores
from vsa.run.attempt import Told
from vsa.run.session import Outcome, Settings
from vsa.run.workers import TRIES, Here
from vsa.study.addresses import Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan

#: Memory that one session in work may take, bytes: 720p took 0.6 GB, 1080p more (docs/performance.md).
SESSION_BYTES = 1_000_000_000
#: The stage of a failure whose process died.
PROCESS = "process"
#: Workers that are asked to stop get so long to remove what they were making, s.
_PATIENCE_S = 5.0
#: Progress is not told more often, s.
_PACE_S = 0.25


def most_at_once(sessions: int) -> int:
    """How many sessions to do side by side: as many as there are, cores for, and memory for; at least one."""
    room = cores.free_bytes()
    fitting = sessions if room is None else room // SESSION_BYTES
    return max(1, min(sessions, cores.usable(), fitting))


class Processes:
    """Several processes on this machine, which share its cores.

    Parameters
    ----------
    out
        The results folder.
    settings
        How.
    jobs
        Sessions at once.

    Raises
    ------
    InputError, ExtraMissingError, ModelMissingError
        When the engine can't run here.
    """

    def __init__(self, out: Place, settings: Settings, jobs: int) -> None:
        first = Here(out, settings)  # the checks; and what is told
        self.name = first.name
        self.detail = f"{first.detail}; {jobs} at once"
        self._out = out
        self._settings = settings
        self._jobs = jobs

    def run(self, plans: Sequence[SessionPlan], told: Told) -> Generator[Outcome | Failure, None, None]:
        """See `Workers.run`. The largest recordings come first, so that none is left over at the end."""
        ahead = deque(sorted(plans, key=_bytes, reverse=True))
        tries: dict[str, int] = {}
        threads = max(1, cores.usable() // max(1, min(self._jobs, len(plans))))
        busy: dict[Any, _Worker] = {}
        idle: list[_Worker] = []
        try:
            while ahead or busy:
                while ahead and len(busy) < self._jobs:
                    worker = idle.pop() if idle else _Worker.begun(self._out, self._settings, threads)
                    worker.take(ahead.popleft())
                    busy[worker.pipe] = worker
                for pipe in wait(list(busy)):
                    worker = busy[pipe]
                    plan = worker.plan
                    try:
                        what, *said = worker.pipe.recv()
                    except (EOFError, OSError):
                        del busy[pipe]
                        code = worker.ended()
                        tries[plan.session_id] = tries.get(plan.session_id, 0) + 1
                        if tries[plan.session_id] < TRIES:
                            ahead.appendleft(plan)
                        else:
                            yield died(plan.session_id, code)
                        continue
                    if what == "ended":
                        del busy[pipe]
                        idle.append(worker)
                        yield said[0]
                    elif what == "started":
                        told.start(plan.session_id)
                    else:
                        told.advance(plan.session_id, *said)
        finally:
            _end([*busy.values(), *idle])


def died(session_id: str, code: int | None, tries: int = TRIES) -> Failure:
    """What is said of a session whose process died each time; `code` is negative if a signal ended it."""
    why = "ended" if code is None else f"ended with code {code}"
    if code is not None and code < 0:
        with suppress(ValueError):
            why = f"was killed by {signal.Signals(-code).name}"
    return Failure(
        session_id,
        PROCESS,
        f"Its process {why}, {tries} times.",
        "If the machine was short of memory, give fewer --jobs. Otherwise the recording kills its decoder: save it "
        "anew, for example with: ffmpeg -i FILE -c:v libx264 NEW.mp4",
    )


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    _plan: SessionPlan | None = field(default=None)

    @classmethod
    def begun(cls, out: Place, settings: Settings, threads: int) -> _Worker:
        # spawned: a forked child would inherit threads' locks, and pipes of other workers
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, out, settings, threads), name="vsa-worker")
        process.start()
        theirs.close()  # so that the pipe ends when the worker does
        return cls(process, ours)

    @property
    def plan(self) -> SessionPlan:
        assert self._plan is not None
        return self._plan

    def take(self, plan: SessionPlan) -> None:
        self._plan = plan
        with suppress(OSError):  # it died: the pipe says so to who reads
            self.pipe.send(plan)

    def ended(self) -> int | None:
        self.pipe.close()
        self.process.join(_PATIENCE_S)
        return self.process.exitcode


def _end(workers: Sequence[_Worker]) -> None:
    """Stop workers: idle ones leave when their pipe ends, busy ones remove what they were making first."""
    for worker in workers:
        worker.pipe.close()
        if worker.process.pid is not None and worker.process.is_alive():
            with suppress(OSError):
                os.kill(worker.process.pid, signal.SIGINT)
    last = time.monotonic() + _PATIENCE_S
    for worker in workers:
        worker.process.join(max(0.0, last - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _work(pipe: Connection, out: Place, settings: Settings, threads: int) -> None:
    """What a worker does: sessions, one after another, until its pipe ends."""
    cores.share(threads)
    import cv2
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(threads)
    try:
        with threadpool_limits(threads):
            here = Here(out, settings)
            teller = _Teller(pipe)
            while True:
                plan = pipe.recv()
                for ended in here.run([plan], teller):
                    pipe.send(("ended", ended))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return  # nobody waits for it any more


@dataclass
class _Teller:
    pipe: Connection
    _last_s: float = 0.0

    def start(self, session_id: str) -> None:
        self.pipe.send(("started",))

    def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
        now = time.monotonic()
        if now - self._last_s >= _PACE_S:
            self._last_s = now
            self.pipe.send(("advanced", done_s, total_s, frames))


def _bytes(plan: SessionPlan) -> int:
    """Size of a session's recordings; 0 where that would have to be asked of a store."""
    paths = [video.path for video in plan.videos if isinstance(video.path, Path)]
    with suppress(OSError):
        return sum(path.stat().st_size for path in paths)
    return 0
