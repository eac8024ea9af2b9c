"""What a worker of a cluster does: sessions, each in a child process that may die without harm to the worker."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsa import __version__
from vsa.errors import VsaError
from vsa.own_process import PATIENCE_S, PROCESS, TRIES, end
from vsa.run.child import Child, given_up
from vsa.run.outcome import Outcome
from vsa.run.settings import Settings
from vsa.study.addresses import Address, AddressError, Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan

#: A child that got no further session ends after so long, s: whoever gave them may have been killed.
_IDLE_S = 60.0


@dataclass(frozen=True)
class Order:
    """What is the same for all sessions of a run.

    Attributes
    ----------
    run
        Names the run.
    out, settings
        See `vsa.run.session.extract_session`.
    threads
        Cores that a session may use.
    version, python
        Of vsa and of Python where the run was begun.
    """

    run: str
    out: Place
    settings: Settings
    threads: int
    version: str = __version__
    python: tuple[int, ...] = sys.version_info[:2]

    @property
    def topic(self) -> str:
        """Under which workers say that they have begun a session: its id."""
        return f"vsa-{self.run}"

    @property
    def admitted(self) -> str:
        """The resource of workers that may do its sessions."""
        return self.topic


async def admit(order: Order, probe: Path | None, dask_worker: Any) -> tuple[str, str] | None:
    """Take sessions of a run from now on, if this worker can do them; else see `fault`."""
    from distributed.core import Status

    found = await asyncio.to_thread(fault, order, probe)
    if found is None:
        await dask_worker.set_resources(**{order.admitted: dask_worker.state.nthreads})
        # sessions that nobody could do are looked at again when a worker begins to run, and not when it offers more
        if dask_worker.status is Status.running:
            dask_worker.status = Status.paused
            dask_worker.status = Status.running
    return found


def fault(order: Order, probe: Path | None) -> tuple[str, str] | None:
    """Why this worker can't do the sessions of a run, and what to do; `probe` is a file that it must see."""
    try:
        return _fault(order, probe)
    except OSError as error:  # so that it isn't taken for one of the network to this worker
        return f"can't be checked: {error}.", "See to it on that machine."


def _fault(order: Order, probe: Path | None) -> tuple[str, str] | None:
    from vsa import assets
    from vsa.face import bundle
    from vsa.voice import activity

    if order.version != __version__:
        return f"has vsa {__version__}, and here it is {order.version}.", "Install the same everywhere."
    if order.python != sys.version_info[:2]:
        theirs, ours = (".".join(map(str, one)) for one in (sys.version_info[:2], order.python))
        return f"has Python {theirs}, and here it is {ours}.", "Install the same everywhere."
    try:
        bundle.load()
        assets.find(activity.MODEL)
    except VsaError as error:
        return f"can't work: {error.message}", error.hint
    if isinstance(order.out, Address):
        try:
            order.out.exists()
        except AddressError as error:
            return f"can't reach the results at {order.out}: {error}.", error.hint
    if probe is not None and not probe.exists():
        return (
            f"does not see the results folder {order.out}.",
            "Give a folder on a disk that all machines share, under the same path, or an address "
            "(s3://bucket/results).",
        )
    return None


def session(plan: SessionPlan, order: Order) -> Outcome | Failure:
    """Do one session, in a child that is kept for the next."""
    from distributed import get_worker

    worker = get_worker()
    crew = _crew(order.run)
    how = ""
    for _ in range(TRIES):
        child = crew.child(order)
        if child is None:
            return Failure(plan.session_id, PROCESS, "The run was stopped.", "Run the same command again.")
        child.take(plan)
        try:
            while True:
                what, *said = child.pipe.recv()
                if what == "started":
                    worker.log_event(order.topic, plan.session_id)
                elif what == "ended":
                    crew.rest(child)
                    ended: Outcome | Failure = said[0]
                    return ended
        except (EOFError, OSError):
            how = child.died()
            crew.lose(child)
    return given_up(plan.session_id, how)


def end_run(run: str) -> None:
    """End the children of a run, and do no more of its sessions."""
    _crew(run).end()


class _Crew:
    """The children of a run on this worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: set[Child] = set()
        self._idle: dict[Child, threading.Timer] = {}
        self._ended = False

    def child(self, order: Order) -> Child | None:
        """One that is idle, or a new one; None when the run has ended."""
        with self._lock:
            if self._ended:
                return None
            if self._idle:
                child, timer = self._idle.popitem()
                timer.cancel()
            else:
                child = Child(order.out, order.settings, order.threads)
            self._busy.add(child)
            return child

    def rest(self, child: Child) -> None:
        """Keep it for the next session, for a while."""
        timer = threading.Timer(_IDLE_S, self._dismiss, [child])
        timer.daemon = True
        with self._lock:
            self._busy.discard(child)
            if not self._ended:
                self._idle[child] = timer
                timer.start()
                return
        end([child])

    def lose(self, child: Child) -> None:
        """Forget one that died."""
        with self._lock:
            self._busy.discard(child)

    def end(self) -> None:
        """End all of them; it doesn't wait for that."""
        with self._lock:
            self._ended = True
            idle, busy = list(self._idle), list(self._busy)
            for timer in self._idle.values():
                timer.cancel()
            self._idle.clear()
        for child in busy:  # whose session sees the end of the pipe
            child.interrupt()
        threading.Thread(target=_see_to_the_end, args=(idle, busy), daemon=True).start()

    def _dismiss(self, child: Child) -> None:
        with self._lock:
            if self._idle.pop(child, None) is None:
                return
        end([child])


def _see_to_the_end(idle: list[Child], busy: list[Child]) -> None:
    end(idle)
    for child in busy:
        child.gone(PATIENCE_S)


_crews: dict[str, _Crew] = {}
_crews_lock = threading.Lock()


def _crew(run: str) -> _Crew:
    with _crews_lock:
        return _crews.setdefault(run, _Crew())
