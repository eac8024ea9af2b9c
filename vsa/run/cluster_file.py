"""What to ask a batch system for: a TOML file behind ``--cluster``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vsa.errors import ExtraMissingError, InputError
from vsa.toml_file import parsed

#: Kind -> the class of dask_jobqueue.
_SYSTEMS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster", "sge": "SGECluster"}
#: What dask_jobqueue calls them; PBS, LSF and SGE have their own words for an account.
_ACCOUNT = {"slurm": "account", "pbs": "account", "lsf": "project", "sge": "project"}
_OF_JOBS = ("memory", "walltime", "queue", "account", "options", "prologue")
#: Keys that would change nothing, by kind.
_IDLE = {
    "address": ("jobs", "jobs_at_most", "sessions", *_OF_JOBS),
    "local": ("address", *_OF_JOBS),
    **dict.fromkeys(_SYSTEMS, ("address",)),
}
_SIZE = re.compile(r"\d+(\.\d+)?\s*([kMGTP]i?)?B", re.IGNORECASE)
#: Dask's pages, which say what is in work, are not for others on the network.
_HIDDEN = "localhost:0"
_NO_PAGES = ("--no-dashboard", "--dashboard-address", _HIDDEN)
KINDS = ("address", "local", *_SYSTEMS)
#: Settings of Dask for what vsa starts, where sessions are few and long: a worker that waits takes 1 % of a core, and
#: not 6. No stacks are sampled a hundred times a second, which only Dask's pages show; the event loop and the process
#: are watched less often.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    kind
        ``address``: a scheduler that runs; ``local``: processes on this machine; ``slurm``, ``pbs``, ``lsf``, ``sge``.
    address
        The scheduler's, for ``address``.
    jobs, jobs_at_most
        Jobs to submit, and how many there may become while sessions wait.
    sessions
        Sessions that one job does at once.
    threads
        Cores that one session may use.
    memory
        Of a job; by default 2 GB for each of its sessions.
    walltime, queue, account
        As the batch system wants them.
    gpu
        Sessions wait for workers that offer one.
    options
        Further lines for the head of the job's script.
    prologue
        Commands that come before the worker in it, such as loading a module.
    patience_s
        So long is waited for a worker where there is none.
    """

    kind: str = "address"
    address: str = ""
    jobs: int = 1
    jobs_at_most: int = 0
    sessions: int = 1
    threads: int = 1
    memory: str = ""
    walltime: str = ""
    queue: str = ""
    account: str = ""
    gpu: bool = False
    options: list[str] = field(default_factory=list)
    prologue: list[str] = field(default_factory=list)
    patience_s: float = 60.0

    def begin(self, gpu: bool) -> Any:
        """Start the cluster; None where it runs already.

        Raises
        ------
        ExtraMissingError
            When dask_jobqueue is not installed.
        InputError
            When the batch system can't be asked.
        """
        if self.kind == "address":
            return None
        import dask
        import distributed  # noqa: F401 - its own defaults, which these are instead of; what a user has set stays

        dask.config.update_defaults(dask.config.collect_env(environment(QUIET)))
        cluster = self._local(gpu) if self.kind == "local" else self._queued(gpu)
        if self.jobs_at_most > self.jobs:
            cluster.adapt(minimum_jobs=self.jobs, maximum_jobs=self.jobs_at_most)
        elif self.kind != "local":
            cluster.scale(jobs=self.jobs)
        return cluster

    def script(self, gpu: bool = False) -> dict[str, Any]:
        """What dask_jobqueue is given."""
        offers = ["--resources", "GPU=1"] if gpu else []
        exports = [f'export {name}="${{{name}:-{value}}}"' for name, value in environment(QUIET).items()]
        asked = {
            "cores": self.sessions * self.threads,
            "processes": 1,
            "memory": self.memory or f"{2 * self.sessions}GB",
            "walltime": self.walltime or None,
            "queue": self.queue or None,
            _ACCOUNT[self.kind]: self.account or None,
            "job_extra_directives": self.options,
            "job_script_prologue": [*exports, *self.prologue],
            # a job has more cores than sessions where each of them uses several
            "worker_extra_args": ["--nthreads", str(self.sessions), *offers, *_NO_PAGES],
            "scheduler_options": {"dashboard": False, "dashboard_address": _HIDDEN},
        }
        return {name: value for name, value in asked.items() if value is not None}

    def _local(self, gpu: bool) -> Any:
        import distributed

        local: Any = distributed.LocalCluster
        return local(
            n_workers=self.jobs,
            threads_per_worker=self.sessions,
            processes=True,
            dashboard_address=None,
            resources={"GPU": 1} if gpu else None,
        )

    def _queued(self, gpu: bool) -> Any:
        try:
            import dask_jobqueue
        except ImportError:
            raise ExtraMissingError(
                f"kind = '{self.kind}' needs dask_jobqueue.", "pip install 'vsa[cluster]'"
            ) from None
        try:
            return _heard(getattr(dask_jobqueue, _SYSTEMS[self.kind]))(**self.script(gpu))
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{self.kind} can't be asked for workers: {error}", "See docs/scale.md."
            ) from error


def _heard(system: Any) -> Any:
    """The class of a batch system, whose `refused` holds why jobs were not taken; Dask would only log it."""
    from distributed.core import Status

    refused: list[str] = []

    class Job(system.job_cls):  # type: ignore[misc]
        async def start(self) -> None:
            try:
                await super().start()
            except (OSError, ValueError, RuntimeError) as error:
                refused.append(_why(error))
                self.status = Status.running  # as Dask wants it; there is no job to end

        async def close(self) -> None:
            await super().close()
            self.status = Status.closed

    return type(system.__name__, (system,), {"job_cls": Job, "refused": refused})


def _why(error: Exception) -> str:
    """What a command of the batch system said, in one line."""
    if isinstance(error, FileNotFoundError):
        return f"there is no command {error.filename!r} here"
    said = str(error)
    # dask_jobqueue tells all of the command that failed
    if told := re.search(r"stderr:\n(.*\S)", said, re.DOTALL) or re.search(
        r"stdout:\n(.*\S)\s*stderr:", said, re.DOTALL
    ):
        said = told[1]
    return " ".join(said.split())


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings of Dask as variables of the environment that a process of it is started in.

    Source: Dask's documentation, "Configuration", environment variables.
    """
    return {
        f"DASK_{key.upper().replace('.', '__').replace('-', '_')}": str(value)
        for key, value in settings.items()
    }


def read_request(path: Path) -> Request:
    """Read the file.

    Raises
    ------
    InputError
        With every fault.
    """
    try:
        held = parsed(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(
            f"{path} can't be read ({why}).", "Give a TOML file, or a scheduler's address."
        ) from None
    except ValueError as error:
        raise InputError(f"{path} is no TOML: {error}.", "Mend that place.") from None
    faults = list(_faults(held))
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        raise InputError(f"{path}:{listed}", "docs/scale.md has examples. Nothing was started.")
    return Request(**held)


def _faults(held: dict[str, Any]) -> list[str]:
    default = Request()
    known = {one.name: getattr(default, one.name) for one in fields(Request)}
    found = []
    for name, value in held.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            found.append(
                f"{name}: no such key."
                + (f" Did you mean {near[0]}?" if near else f" Known: {', '.join(known)}.")
            )
        elif not _fits(value, known[name]):
            found.append(f"{name}: {_KINDS_OF_VALUES[type(known[name])]} is wanted.")
        elif name == "memory" and not _SIZE.fullmatch(held[name].strip()):
            found.append(f"memory: '{value}' is no size such as \"16GB\".")
    if held.get("kind", "address") not in KINDS:
        found.append(f"kind: '{held['kind']}'; it is one of {', '.join(KINDS)}.")
    elif held.get("kind", "address") == "address" and not held.get("address"):
        found.append("address: missing, or set kind to one of " + ", ".join(KINDS[1:]) + ".")
    else:
        kind = held.get("kind", "address")
        found += [
            f"{name}: it changes nothing where kind is '{kind}'; leave it out."
            for name in _IDLE[kind]
            if name in held
        ]
    return found


_KINDS_OF_VALUES = {
    str: "text",
    bool: "true or false",
    int: "a whole number from 1",
    float: "a number of seconds",
    list: "a list of texts",
}


def _fits(value: object, like: object) -> bool:
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(like, bool) and isinstance(value, bool)
    if isinstance(like, float):
        return isinstance(value, int | float) and value > 0
    if isinstance(like, int):
        return isinstance(value, int) and value >= 1
    if isinstance(like, list):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)
