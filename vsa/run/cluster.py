"""Sessions on many machines: a Dask cluster, at an address or begun by a batch system.

Each session is one task. On its worker it runs in a child process (`vsa.run.child`), so that a recording which kills
its decoder kills that child, and no worker with other sessions. Workers read recordings and write results themselves;
through the scheduler go the plan of a session, and at its end what `session.json` says.
"""

from __future__ import annotations

import itertools
import queue
import threading
import uuid
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from vsa import __version__
from vsa.errors import ExtraMissingError, InputError, VsaError
from vsa.run.attempt import Told, failure_of
from vsa.run.child import PATIENCE_S, PROCESS, Child, end, given_up
from vsa.run.cluster_file import Request, read_request
from vsa.run.session import Outcome, Settings
from vsa.run.workers import TRIES
from vsa.study.addresses import Address, Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan

#: Sessions that wait on the scheduler for each one in work: no worker is idle, and a million are not sent at once.
_AHEAD = 2
_TOPIC = "vsa"
_GPU = "GPU"
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
        self._out = out
        self._settings = settings
        self._threads = request.threads
        self._gpu = request.gpu or settings.engine == "cuda"
        self._run = uuid.uuid4().hex[:12]
        self._cluster, self._client = _connected(request, self._gpu)
        try:
            self._check(request)
        except BaseException:
            self._close()
            raise
        self.detail = f"{self._client.scheduler.address}; {self._at_once()} at once"

    def run(self, plans: Sequence[SessionPlan], told: Told) -> Generator[Outcome | Failure, None, None]:
        """See `Workers.run`; how far a session is isn't told, for that would keep the scheduler busy."""
        heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        ahead = iter(plans)
        names: dict[Any, str] = {}

        def submit(count: int) -> None:
            for plan in itertools.islice(ahead, count):
                future = self._submit(plan)
                names[future] = plan.session_id
                future.add_done_callback(lambda done: heard.put(("ended", done)))

        try:
            self._check_folder()
            self._client.subscribe_topic(
                f"{_TOPIC}-{self._run}", lambda event: heard.put(("started", event[1]))
            )
            submit(_AHEAD * self._at_once())
            while names:
                what, which = heard.get()
                if what == "started":
                    told.start(which)
                elif which in names:
                    ended = self._result(which, names.pop(which))
                    which.release()
                    yield ended
                    # more workers may have come since
                    submit(max(1, _AHEAD * self._at_once() - len(names)))
        finally:
            self._stop(list(names))

    def _submit(self, plan: SessionPlan) -> Any:
        return self._client.submit(
            _session,
            *(plan, self._out, self._settings, self._threads, self._run),
            key=f"vsa-{plan.session_id}-{self._run}",
            pure=False,
            resources={_GPU: 1} if self._gpu else None,
        )

    def _result(self, future: Any, session_id: str) -> Outcome | Failure:
        from distributed.scheduler import KilledWorker

        if future.status == "cancelled" or future.status == "lost":
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
        return failure_of(session_id, error)

    def _at_once(self) -> int:
        """Sessions that the workers do at the same time."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        if self._gpu:
            return int(max(1, sum(one["resources"].get(_GPU, 0) for one in workers)))
        return int(max(1, sum(one["nthreads"] for one in workers)))

    def _check(self, request: Request) -> None:
        try:
            self._client.wait_for_workers(1, timeout=request.patience_s)
        except TimeoutError:
            raise InputError(
                f"The cluster has no worker after {request.patience_s:.0f} s.",
                "Start some: dask worker ADDRESS --nthreads 1 (one session a thread). With a batch system, raise "
                "patience_s.",
            ) from None
        about: dict[str, dict[str, str]] = self._client.run(_about, self._settings.engine)
        for worker, said in about.items():
            if said["version"] != __version__:
                raise InputError(
                    f"The worker {worker} has vsa {said['version'] or 'not installed'}, and here it is {__version__}.",
                    "Install the same version everywhere.",
                )
            if said["fault"]:
                raise InputError(f"The worker {worker}: {said['fault']}", said["hint"])
        if self._gpu and not any(
            one["resources"].get(_GPU)
            for one in self._client.scheduler_info(n_workers=-1)["workers"].values()
        ):
            raise InputError(
                "No worker of the cluster offers a GPU.",
                'Start workers on machines that have one with: dask worker ADDRESS --nthreads 1 --resources "GPU=1"',
            )

    def _check_folder(self) -> None:
        """Workers must write where results are looked for here."""
        if isinstance(self._out, Address):
            if self._out.url.startswith("memory:"):
                raise InputError(
                    f"{self._out} is in the memory of this process.",
                    "Give a folder or a store that workers reach.",
                )
            return
        probe = self._out / f".probe-{self._run}.part"
        probe.touch()
        try:
            for worker, seen in self._client.run(_sees, str(probe)).items():
                if not seen:
                    raise InputError(
                        f"The worker {worker} does not see the results folder {self._out}.",
                        "Give a folder on a disk that all machines share, under the same path, or an address "
                        "(s3://bucket/results).",
                    )
        finally:
            probe.unlink(missing_ok=True)

    def _stop(self, running: list[Any]) -> None:
        """End what is in work, and the children of this run on all workers."""
        try:
            if running:
                self._client.cancel(running, force=True)
            self._client.run(_end_children, self._run, on_error="ignore")
        except (OSError, TimeoutError, RuntimeError):
            pass  # the scheduler is gone; children end with their workers
        finally:
            self._close()

    def _close(self) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def _connected(request: Request, gpu: bool) -> tuple[Any, Any]:
    """The cluster that was begun for this run, or None, and a client."""
    try:
        import dask
        import distributed
    except ImportError:
        raise ExtraMissingError("--cluster needs Dask.", "pip install 'vsa[cluster]'") from None
    # a scheduler that is begun here counts as `TRIES` does
    dask.config.set({"distributed.scheduler.allowed-failures": TRIES - 1})
    cluster = request.begin(gpu)
    try:
        client: Any = distributed.Client
        return cluster, client(cluster or request.address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"There is no Dask scheduler at {request.address} ({type(error).__name__}).",
            "Start one: dask scheduler. Its address looks like tcp://10.0.0.5:8786; tls:// where it is secured.",
        ) from None


# What follows runs on workers.

_children: dict[str, list[Child]] = {}
_idle: dict[str, list[Child]] = {}
_ended: set[str] = set()
_lock = threading.Lock()


def _session(plan: SessionPlan, out: Place, settings: Settings, threads: int, run: str) -> Outcome | Failure:
    """Do one session, in a child that is kept for the next."""
    from distributed import get_worker

    how = ""
    for _ in range(TRIES):
        child = _child(out, settings, threads, run)
        child.take(plan)
        try:
            while True:
                what, *said = child.pipe.recv()
                if what == "started":
                    get_worker().log_event(f"{_TOPIC}-{run}", plan.session_id)
                elif what == "ended":
                    with _lock:
                        _idle.setdefault(run, []).append(child)
                    ended: Outcome | Failure = said[0]
                    return ended
        except (EOFError, OSError):
            how = child.died()
            with _lock:
                if child in _children.get(run, ()):
                    _children[run].remove(child)
    return given_up(plan.session_id, how)


def _child(out: Place, settings: Settings, threads: int, run: str) -> Child:
    with _lock:
        if run in _ended:
            raise InputError("This run has ended.", "")
        idle = _idle.setdefault(run, [])
        if idle:
            return idle.pop()
        child = Child(out, settings, threads)
        _children.setdefault(run, []).append(child)
        return child


def _end_children(run: str) -> None:
    with _lock:
        _ended.add(run)
        idle = _idle.pop(run, [])
        busy = [child for child in _children.pop(run, []) if child not in idle]
    for child in busy:  # whose session sees the end of the pipe
        child.interrupt()
    threading.Thread(target=_see_to_the_end, args=(idle, busy), daemon=True).start()


def _see_to_the_end(idle: list[Child], busy: list[Child]) -> None:
    end(idle)
    for child in busy:
        child.gone(PATIENCE_S)


def _about(engine: str) -> dict[str, str]:
    """What is needed on a worker, and what is wrong there."""
    try:
        from vsa import __version__, assets
        from vsa.face import bundle
        from vsa.voice import activity
    except ImportError:
        return {"version": "", "fault": "", "hint": ""}
    try:
        bundle.load()
        assets.find(activity.MODEL)
    except VsaError as error:
        return {"version": __version__, "fault": error.message, "hint": error.hint}
    return {"version": __version__, "fault": "", "hint": ""}


def _sees(path: str) -> bool:
    return Path(path).exists()
