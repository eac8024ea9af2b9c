"""How a batch shows itself in a terminal: bars that go on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsa.commands.progress import Plain
from vsa.run.outcome import Outcome
from vsa.run.workers import Workers
from vsa.study.cells import printable
from vsa.study.failures import Failure

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

#: A rate or a time left is a guess before so much time has gone by, s.
_SETTLED_S = 1.0


class Bars(Plain):
    """A bar for the batch and one for each session in work, with the rate and the time left."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__()
        fields = ("count", "rate", "left")
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            *(TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in fields),
            console=console,
        )
        self._blank: dict[str, Any] = dict.fromkeys(fields, "")
        self._all = self._bars.add_task("sessions", total=None, visible=False, **self._blank)
        self._ones: dict[str, _Bar] = {}
        self._began_s = 0.0
        self._before = 0

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def begin(self, sessions: int, finished: int, workers: Workers) -> None:
        """See `vsa.run.batch.Listener`."""
        super().begin(sessions, finished, workers)
        self._began_s, self._before = time.monotonic(), finished
        self._bars.update(self._all, total=sessions, visible=sessions > 1)
        self._step()

    def start(self, session_id: str) -> None:
        """See `vsa.run.batch.Listener`."""
        self._drop(session_id)  # it is tried again
        bar = self._bars.add_task(session_id[:24], total=None, **self._blank)
        self._ones[session_id] = _Bar(bar, time.monotonic())

    def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
        """See `vsa.run.batch.Listener`."""
        one = self._ones[session_id]
        gone_s = time.monotonic() - one.began_s
        one.share = min(1.0, done_s / total_s) if total_s else 0.0
        self._bars.update(
            one.task,
            total=total_s or None,
            completed=done_s,
            count=f"{_clock(done_s)}/{_clock(total_s)}" if total_s else _clock(done_s),
            rate=f"{frames / gone_s:.0f} pictures/s" if gone_s > _SETTLED_S else "",
            left=_left(gone_s, one.share, 1.0),
        )
        self._step()

    def finish(self, outcome: Outcome) -> None:
        """See `vsa.run.batch.Listener`."""
        super().finish(outcome)
        self._drop(outcome.session_id)
        self._step()

    def fail(self, failure: Failure) -> None:
        """See `vsa.run.batch.Listener`."""
        super().fail(failure)
        self._drop(failure.session_id)
        self._step()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(printable(line), markup=False, highlight=False, emoji=False, soft_wrap=True)

    def _drop(self, session_id: str) -> None:
        if (one := self._ones.pop(session_id, None)) is not None:
            self._bars.remove_task(one.task)

    def _step(self) -> None:
        """How far the batch is: sessions that ended, and shares of those in work."""
        share = sum(one.share for one in self._ones.values())
        self._bars.update(
            self._all,
            completed=self.ended + share,
            count=f"{self.ended}/{self.sessions}",
            left=_left(
                time.monotonic() - self._began_s,
                self.ended - self._before + share,
                self.sessions - self._before,
            ),
        )


@dataclass
class _Bar:
    """Of one session; `share` of it is done."""

    task: TaskID
    began_s: float
    share: float = 0.0


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _left(gone_s: float, done: float, of: float) -> str:
    """Time left at the pace so far."""
    if gone_s < _SETTLED_S or not 0 < done < of:
        return ""
    return f"{_clock(gone_s * (of - done) / done)} left"
