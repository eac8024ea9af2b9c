"""Sessions side by side on this machine: a process for each, which may die without harm to the others.

Neither `concurrent.futures` nor joblib can say which task killed a worker: one recording that kills its decoder would
take all sessions in work down with it, again at each try. So each child has a pipe of its own here; whose pipe ends
is known, and so is its session.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from vsa import cores
from vsa.own_process import TRIES, end
from vsa.run.attempt import Told
from vsa.run.child import Child, given_up, seen_by_others
from vsa.run.outcome import Outcome
from vsa.run.settings import Settings
from vsa.run.workers import Here
from vsa.study.addresses import Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan


def most_at_once(sessions: int) -> int:
    """How many sessions to do side by side: as many as there are, cores for, and memory for; at least one."""
    return cores.fitting(min(sessions, cores.usable()))


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
        seen_by_others(out)
        first = Here(out, settings)  # the checks; and what is told
        self.name = first.name
        self.detail = f"{first.detail}; {jobs} at once"
        self._out = out
        self._settings = settings
        self._jobs = jobs

    def run(self, plans: Sequence[SessionPlan], told: Told) -> Generator[Outcome | Failure, None, None]:
        """See `Workers.run`. The largest recordings come first, so that none is left over at the end."""
        ahead = deque(sorted(plans, key=_bytes, reverse=True))
        threads = max(1, cores.usable() // max(1, min(self._jobs, len(plans))))
        deaths: Counter[str] = Counter()
        busy: dict[Any, Child] = {}
        idle: list[Child] = []
        try:
            while ahead or busy:
                while ahead and len(busy) < self._jobs:
                    child = idle.pop() if idle else Child(self._out, self._settings, threads)
                    child.take(ahead.popleft())
                    busy[child.pipe] = child
                for pipe in wait(list(busy)):
                    child = busy[pipe]
                    plan = child.plan
                    assert plan is not None
                    try:
                        what, *said = child.pipe.recv()
                    except (EOFError, OSError):
                        del busy[pipe]
                        how = child.died()
                        deaths[plan.session_id] += 1
                        if deaths[plan.session_id] < TRIES:
                            ahead.appendleft(plan)
                        else:
                            yield given_up(plan.session_id, how)
                        continue
                    if what == "ended":
                        del busy[pipe]
                        idle.append(child)
                        yield said[0]
                    elif what == "started":
                        told.start(plan.session_id)
                    else:
                        told.advance(plan.session_id, *said)
        finally:
            end([*busy.values(), *idle])


def _bytes(plan: SessionPlan) -> int:
    """Size of a session's recordings; 0 where that would have to be asked of a store."""
    paths = [video.path for video in plan.videos if isinstance(video.path, Path)]
    with suppress(OSError):
        return sum(path.stat().st_size for path in paths)
    return 0
