"""A process that does sessions for another one and may die without harm to it.

`multiprocessing` would run the caller's main module again in it, and forbids a worker of Dask to have children.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from vsa import cores
from vsa.errors import VsaError
from vsa.run.attempt import Told, failure_of
from vsa.run.session import Outcome, Settings
from vsa.run.workers import TRIES, Here
from vsa.study.addresses import Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan

#: The stage of a failure whose process died.
PROCESS = "process"
#: Children that are asked to stop get so long to remove what they were making, s.
PATIENCE_S = 5.0
#: Progress is not told more often, s.
_PACE_S = 0.25

#: What a child says: ``started``; ``advanced``, s done, s in all, pictures; ``ended``, an `Outcome` or a `Failure`.
Said = tuple[Any, ...]


class Child:
    """A process with an engine of its own.

    Parameters
    ----------
    out
        The results folder.
    settings
        How sessions are analysed.
    threads
        Cores that it may use.
    """

    def __init__(self, out: Place, settings: Settings, threads: int) -> None:
        self.pipe, theirs = Pipe()
        # until it is ready, a Ctrl-C ends it without a word
        begin = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)"
        command = f"{begin}; from vsa.run.child import serve; serve({theirs.fileno()})"
        # what it prints is no result of the caller's
        self._process = subprocess.Popen(
            [sys.executable, "-c", command], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=2
        )
        theirs.close()  # so that the pipe ends when the child does
        self.plan: SessionPlan | None = None
        self._send((out, settings, threads))

    def take(self, plan: SessionPlan) -> None:
        """Begin a session. What is said of it comes through `pipe`, whose end says that the process died."""
        self.plan = plan
        self._send(plan)

    def died(self) -> str:
        """How it came to its end, in words, once the pipe has ended."""
        self.pipe.close()
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(PATIENCE_S)
            if code < 0:
                with suppress(ValueError):
                    return f"was killed by {signal.Signals(-code).name}"
            return f"ended with code {code}"
        self._process.kill()
        self._process.wait()
        return "went silent"

    def stop(self) -> None:
        """Ask it to stop: what it was making is removed. See `gone`."""
        self.pipe.close()
        self.interrupt()

    def interrupt(self) -> None:
        """Ask it to stop, and let whoever reads from its pipe see that."""
        if self._process.poll() is None:
            with suppress(OSError):
                os.kill(self._process.pid, signal.SIGINT)

    def gone(self, within_s: float) -> None:
        """Wait so long for its end, then kill it."""
        try:
            self._process.wait(max(0.0, within_s))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, what: object) -> None:
        with suppress(OSError):  # it died: the pipe says so to who reads
            self.pipe.send(what)


def end(children: Iterable[Child]) -> None:
    """Stop children, all at once."""
    children = list(children)
    for child in children:
        child.stop()
    last = time.monotonic() + PATIENCE_S
    for child in children:
        child.gone(last - time.monotonic())


def given_up(session_id: str, how: str) -> Failure:
    """What is said of a session whose process died at each try."""
    return Failure(
        session_id,
        PROCESS,
        f"Its process {how}, {TRIES} times.",
        "If the machine was short of memory, give fewer --jobs. Otherwise the recording kills its decoder: save it "
        "anew, for example with: ffmpeg -i FILE -c:v libx264 NEW.mp4",
    )


def serve(handle: int) -> None:
    """What a child does: sessions, one after another, until its pipe ends."""
    pipe = Connection(handle)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        out, settings, threads = pipe.recv()
        cores.share(threads)
        import cv2
        from threadpoolctl import threadpool_limits

        cv2.setNumThreads(threads)
        with threadpool_limits(threads):
            _serve(pipe, out, settings)
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return  # nobody waits for it any more


def _serve(pipe: Connection, out: Place, settings: Settings) -> None:
    here: Here | None = None
    told = _Teller(pipe)
    while True:
        plan: SessionPlan = pipe.recv()
        ended: Outcome | Failure
        try:
            here = here or Here(out, settings)
        except VsaError as error:  # no engine on this machine, or no models
            ended = failure_of(plan.session_id, error)
        else:
            (ended,) = here.run([plan], told)
        pipe.send(("ended", ended))


@dataclass
class _Teller(Told):
    pipe: Connection
    _last_s: float = 0.0

    def start(self, session_id: str) -> None:
        self.pipe.send(("started",))

    def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
        now = time.monotonic()
        if now - self._last_s >= _PACE_S:
            self._last_s = now
            self.pipe.send(("advanced", done_s, total_s, frames))
