"""Sessions on many machines: a Dask cluster, at an address or begun by a batch system.

Each session is one task. On its worker it runs in a child process (`vsa.run.cluster_worker`), so that a recording which
kills its decoder kills that child, and no worker with other sessions. Workers read recordings and write results
themselves; through the scheduler go the plan of a session, and at its end what `session.json` says.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
import uuid
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from vsa.errors import InputError, VsaError
from vsa.own_process import PROCESS
from vsa.run import cluster_worker
from vsa.run.attempt import Told, failure_of
from vsa.run.child import seen_by_others
from vsa.run.cluster_client import connected
from vsa.run.cluster_file import Request, read_request
from vsa.run.cluster_worker import Order
from vsa.run.outcome import Outcome
from vsa.run.settings import Settings
from vsa.study.addresses import Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan

#: Sessions that wait on the scheduler for each one in work: no worker is idle, and a million are not sent at once.
_AHEAD = 2
_GPU = "GPU"
#: How often it is seen whether the first worker is there, s.
_GLANCE_S = 0.2
#: How often it is seen whether workers have come, s.
_LOOK_S = 2.0
#: Workers are waited for so long when they are asked what they can do, s.
_ANSWER_S = 30.0
#: So long is waited for the scheduler at the end, s.
_END_S = 5.0
_T = TypeVar("_T")
_GOES_ON = "Sessions that are finished are kept; run the same command again to go on."


class Cluster:
    """Workers of a Dask cluster.

    Parameters
    ----------
    out
        The results folder: an address, or a folder that all workers see under the same path.
    settings
        How.
    where
        A scheduler's address, or a TOML file that says what to ask a batch system for (see `cluster_file`).

    Raises
    ------
    ExtraMissingError
        When Dask is not installed.
    InputError
        When the cluster can't be reached, has no worker, or one that can't do this.
    """

    name = "cluster"

    def __init__(self, out: Place, settings: Settings, where: str) -> None:
        request = read_request(Path(where)) if where.endswith(".toml") else Request(address=where)
        seen_by_others(out)
        self._order = Order(uuid.uuid4().hex[:12], out.absolute(), settings, request.threads)
        self._gpu = request.gpu or settings.engine == "cuda"
        self._patience_s = request.patience_s
        self._cluster, self._client = connected(request, self._gpu)
        try:
            self._wait(request)
            self._check(self._workers(), cluster_worker.fault, None)
        except BaseException:
            self._close()
            raise
        self.detail = f"{self._client.scheduler.address}; {self._at_once()} at once"

    def run(self, plans: Sequence[SessionPlan], told: Told) -> Generator[Outcome | Failure, None, None]:
        """See `Workers.run`; how far a session is isn't told, for that would keep the scheduler busy."""
        heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        ahead = enumerate(plans)
        names: dict[Any, str] = {}

        def submit(count: int) -> None:
            for number, plan in itertools.islice(ahead, count):
                future = self._submit(number, plan)
                names[future] = plan.session_id
                future.add_done_callback(lambda done: heard.put(("ended", done)))

        try:
            self._admit()
            self._client.subscribe_topic(self._order.topic, lambda event: heard.put(("started", event[1])))
            submit(_AHEAD * self._at_once())
            looked_s = progress_s = time.monotonic()
            while names:
                try:
                    what, which = heard.get(timeout=_LOOK_S)
                except queue.Empty:
                    what, which = "", None
                else:
                    progress_s = time.monotonic()
                if what == "started":
                    told.start(which)
                elif which in names:
                    ended = self._result(which, names.pop(which))
                    which.release()
                    yield ended
                    # more workers may have come since
                    submit(max(1, _AHEAD * self._at_once() - len(names)))
                if names and time.monotonic() - looked_s >= _LOOK_S:
                    if self._admit():
                        progress_s = time.monotonic()
                    elif time.monotonic() - progress_s > self._patience_s:
                        raise VsaError(
                            f"For {self._patience_s:.0f} s the cluster had no worker that lived long enough to be "
                            "checked.",
                            f"See the workers' logs: they may be short of memory. {_GOES_ON}",
                        )
                    looked_s = time.monotonic()
        finally:
            self._stop(list(names))

    def _submit(self, number: int, plan: SessionPlan) -> Any:
        return self._client.submit(
            cluster_worker.session,
            *(_absolute(plan), self._order),
            # keys are seen in logs and on dashboards, where ids of sessions have no business
            key=f"vsa-session-{self._order.run}-{number}",
            pure=False,
            resources={self._order.admitted: 1, **({_GPU: 1} if self._gpu else {})},
        )

    def _result(self, future: Any, session_id: str) -> Outcome | Failure:
        from distributed.scheduler import KilledWorker

        if future.status in ("cancelled", "lost"):
            raise VsaError("The scheduler of the cluster was lost.", _GOES_ON)
        error = future.exception()
        if error is None:
            ended: Outcome | Failure = future.result()
            return ended
        if isinstance(error, KilledWorker):
            return Failure(
                session_id,
                PROCESS,
                f"The workers that had it died, {error.allowed_failures + 1} times.",
                "See the workers' logs: a machine may be short of memory, or its time may have been up.",
            )
        if isinstance(error, ImportError):
            raise InputError(f"A worker that came late has not the same vsa ({error}).", _GOES_ON)
        return failure_of(session_id, error)

    def _workers(self) -> dict[str, Any]:
        """Address of each worker to what the scheduler knows of it."""
        found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return found

    def _at_once(self) -> int:
        """Sessions that the workers do at the same time."""
        workers = self._workers().values()
        if self._gpu:
            return int(max(1, sum(one["resources"].get(_GPU, 0) for one in workers)))
        return int(max(1, sum(one["nthreads"] for one in workers)))

    def _wait(self, request: Request) -> None:
        refused: list[str] = getattr(self._cluster, "refused", [])
        last_s = time.monotonic() + request.patience_s
        while not self._workers():
            if len(refused) >= request.jobs:
                raise InputError(f"{request.kind} took no job: {refused[0]}.", "Nothing was started.")
            if time.monotonic() > last_s:
                raise InputError(
                    f"The cluster has no worker after {request.patience_s:.0f} s.",
                    "Start some: dask worker ADDRESS --nthreads 1 (one session a thread). With a batch system, raise "
                    "patience_s.",
                )
            time.sleep(_GLANCE_S)
        if self._gpu and not any(one["resources"].get(_GPU) for one in self._workers().values()):
            raise InputError(
                "No worker of the cluster offers a GPU.",
                'Start workers on machines that have one with: dask worker ADDRESS --nthreads 1 --resources "GPU=1"',
            )

    def _check(self, workers: Collection[str], ask: Callable[..., Any], probe: Path | None) -> None:
        """Ask workers whether they can do the sessions."""
        from distributed.comm.core import CommClosedError

        for worker, fault in self._said(list(workers), ask, probe).items():
            # Dask says with a bare OSError that one could not be reached in time
            late = type(fault) is OSError and fault.errno is None
            if late or isinstance(fault, CommClosedError | ConnectionError | TimeoutError):  # it is gone
                continue
            if isinstance(fault, Exception) and "No module named 'vsa'" in str(fault):
                fault = "has no vsa.", "Install it there, or start the worker where it is installed."
            elif isinstance(fault, Exception):
                fault = f"can't load the same vsa: {fault}.", "Install the same version everywhere."
            if fault is not None:
                raise InputError(f"The worker {worker} {fault[0]}", fault[1])

    def _said(
        self, workers: list[str], ask: Callable[..., Any], probe: Path | None, limit_s: float = _ANSWER_S
    ) -> dict[str, Any]:
        """What workers answer; one that is silent doesn't keep the others from being heard."""
        said: dict[str, Any] = _within(
            limit_s,
            lambda: self._client.run(ask, self._order, probe, workers=workers, on_error="return"),
            {},
        )
        if not said and len(workers) > 1:
            half = len(workers) // 2
            for some in (workers[:half], workers[half:]):
                said |= self._said(some, ask, probe, _ANSWER_S / 3)
        return said

    def _admit(self) -> bool:
        """Check workers that have come and give those that pass sessions; whether there is any that may have some.

        They must write where results are looked for here.
        """
        workers = self._workers()
        new = [worker for worker, one in workers.items() if self._order.admitted not in one["resources"]]
        if new and isinstance(self._order.out, Path):
            probe = self._order.out / f".probe-{self._order.run}.part"
            probe.touch()
            try:
                self._check(new, cluster_worker.admit, probe)
            finally:
                probe.unlink(missing_ok=True)
        elif new:
            self._check(new, cluster_worker.admit, None)
        return len(new) < len(workers)

    def _stop(self, running: list[Any]) -> None:
        """End what is in work, and the children of this run on all workers."""

        def ask() -> None:
            if running:
                self._client.cancel(running, force=True)
            self._client.run(cluster_worker.end_run, self._order.run, on_error="ignore")

        # where the scheduler is gone, or silent, children end with their workers
        try:
            _within(_END_S, ask, None)
        finally:
            self._close()

    def _close(self) -> None:
        """Whatever goes wrong here is not what the run has to say."""
        with suppress(Exception):
            self._client.close(timeout=_END_S)
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close()


def _within(limit_s: float, ask: Callable[[], _T], otherwise: _T) -> _T:
    """What the scheduler answers; the other where it takes longer, or is gone."""
    answers: list[_T] = []

    def work() -> None:
        with suppress(OSError, RuntimeError):
            answers.append(ask())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(limit_s)
    return answers[0] if answers else otherwise


def _absolute(plan: SessionPlan) -> SessionPlan:
    """The same session for a process that stands in another folder."""
    return replace(
        plan,
        videos=tuple(replace(video, path=video.path.absolute()) for video in plan.videos),
        audio={role: path.absolute() for role, path in plan.audio.items()},
    )
