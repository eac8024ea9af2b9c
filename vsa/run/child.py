"""A process that does sessions for another one, and may die without harm to it."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from vsa import cores
from vsa.errors import InputError, VsaError
from vsa.own_process import PROCESS, TRIES, OwnProcess
from vsa.run.attempt import Told, failure_of
from vsa.run.outcome import Outcome
from vsa.run.settings import Settings
from vsa.run.workers import Here
from vsa.study.addresses import Address, Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan
from vsa.study.results import Results

#: Progress is not told more often, s.
_PACE_S = 0.25


class Child(OwnProcess):
    """A process with an engine of its own.

    Through its pipe it says ``started``; ``advanced`` with s done, s in all and pictures; ``ended`` with an `Outcome`
    or a `Failure`.

    Parameters
    ----------
    out
        The results folder.
    settings
        How sessions are analysed.
    threads
        Cores that it may use.

    Attributes
    ----------
    plan
        Of the session in work, or of the last one.
    """

    def __init__(self, out: Place, settings: Settings, threads: int) -> None:
        super().__init__("vsa.run.child:work", out, settings, threads)
        self._out = out
        self.plan: SessionPlan | None = None

    def take(self, plan: SessionPlan) -> None:
        """Begin a session."""
        self.plan = plan
        self.send(plan)

    def died(self) -> str:
        """See `OwnProcess.died`; what it was making is removed."""
        how = super().died()
        if isinstance(self._out, Path):
            with suppress(VsaError):
                Results(self._out).prepare()
        return how


def seen_by_others(out: Place) -> None:
    """Refuse results that no other process would see.

    Raises
    ------
    InputError
        When they are in memory.
    """
    if isinstance(out, Address) and any(part.startswith("memory:") for part in out.url.split("::")):
        raise InputError(
            f"{out} is in the memory of this process.",
            "Give a folder, or a store that all who do sessions reach; or do them here, with --jobs 1.",
        )


def given_up(session_id: str, how: str) -> Failure:
    """What is said of a session whose process died at each try."""
    return Failure(
        session_id,
        PROCESS,
        f"Its process {how}, {TRIES} times.",
        "If the machine was short of memory, do fewer sessions at once. Otherwise the recording kills its decoder: "
        "save it anew, for example with: ffmpeg -i FILE -c:v libx264 NEW.mp4",
    )


def work(pipe: Connection, out: Place, settings: Settings, threads: int) -> None:
    """Do sessions, one after another, until the pipe ends."""
    here: Here | None = None
    told = _Teller(pipe)
    with cores.using(threads):
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
