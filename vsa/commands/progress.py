"""How a batch shows itself: bars in a terminal, plain lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsa.run.batch import Summary
from vsa.run.outcome import Outcome
from vsa.run.workers import Workers
from vsa.study.cells import printable
from vsa.study.failures import Failure

if TYPE_CHECKING:
    from vsa.study.addresses import Address


@contextmanager
def listener(as_json: bool) -> Iterator[Plain]:
    """What fits: JSON lines if asked for, bars in a terminal, else plain lines."""
    if as_json:
        yield JsonLines()
        return
    from rich.console import Console

    console = Console()
    if sys.stdout.isatty() and not console.is_dumb_terminal:
        from vsa.commands.bars import Bars

        with Bars(console) as bars:
            yield bars
    else:
        yield Plain()


class Plain:
    """One line a session, nothing in between."""

    def __init__(self) -> None:
        self.sessions = 0
        self.ended = 0

    def leave_out(self, without_consent: Mapping[str, str]) -> None:
        """Sessions that are not processed, and why, where there is more to say than that there is no consent."""
        if without_consent:
            self.say(f"Without consent, not processed: {', '.join(without_consent)}")
        for session_id, why in without_consent.items():
            if why:
                self.say(f"    {session_id}: {why}")

    def still_there(self, names: Sequence[str], out: Path | Address) -> None:
        """Of these, the sessions whose results are there from before."""
        if names:
            self.say(
                f"Their results are still in {out}: {', '.join(names)}. To remove them: vsa withdraw ID {out}"
            )

    def begin(self, sessions: int, finished: int, workers: Workers) -> None:
        """See `vsa.run.batch.Listener`."""
        self.sessions, self.ended = sessions, finished
        word = "session" if sessions == 1 else "sessions"
        before = f", {finished} finished before" if finished else ""
        self.say(f"{sessions} {word}{before}; engine {workers.name} ({workers.detail})")

    def start(self, session_id: str) -> None:
        """See `vsa.run.batch.Listener`."""

    def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
        """See `vsa.run.batch.Listener`."""

    def finish(self, outcome: Outcome) -> None:
        """See `vsa.run.batch.Listener`."""
        self.ended += 1
        self.say(f"[{self.ended}/{self.sessions}] {outcome.session_id}: {sentence(outcome)}")
        for note in outcome.record["quality"]["notes"]:
            self.say(f"    note: {note}")

    def fail(self, failure: Failure) -> None:
        """See `vsa.run.batch.Listener`."""
        self.ended = min(self.ended + 1, max(self.sessions, 1))  # one that was finished before can fail too
        self.say(
            f"[{self.ended}/{self.sessions}] {failure.session_id}: FAILED. {failure.error} {failure.hint}"
        )

    def draw(self, films: Sequence[Path]) -> None:
        """See `vsa.run.batch.Listener`."""
        self.say(f"Overlay: {', '.join(map(str, films))}")

    def end(self, summary: Summary, out: Path | Address) -> None:
        """The last line."""
        parts = [f"{len(summary.done)} done"]
        if summary.before:
            parts.append(f"{len(summary.before)} finished before")
        if summary.failed:
            parts.append(f"{len(summary.failed)} failed, see {out / 'failures.csv'}")
        self.say(f"{', '.join(parts)}. Results: {out}")

    def say(self, line: str) -> None:
        """Print a line, whatever file names are in it and whatever the terminal can show."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        click.echo(printable(line).encode(encoding, "backslashreplace").decode(encoding))


class JsonLines(Plain):
    """One JSON object a line, with an `event`."""

    def leave_out(self, without_consent: Mapping[str, str]) -> None:
        """Sessions that are not processed."""
        for session_id, why in without_consent.items():
            self._event("without_consent", session_id=session_id, **({"why": why} if why else {}))

    def still_there(self, names: Sequence[str], out: Path | Address) -> None:
        """Of these, the sessions whose results are there from before."""
        for session_id in names:
            self._event("still_there", session_id=session_id)

    def begin(self, sessions: int, finished: int, workers: Workers) -> None:
        """See `vsa.run.batch.Listener`."""
        self._event("begin", sessions=sessions, finished=finished, engine=workers.name)

    def start(self, session_id: str) -> None:
        """See `vsa.run.batch.Listener`."""
        self._event("start", session_id=session_id)

    def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
        """See `vsa.run.batch.Listener`."""
        self._event(
            "advance",
            session_id=session_id,
            done_s=round(done_s, 3),
            total_s=round(total_s, 3),
            frames=frames,
        )

    def finish(self, outcome: Outcome) -> None:
        """See `vsa.run.batch.Listener`."""
        self._event(
            "finish",
            session_id=outcome.session_id,
            status=outcome.record["status"],
            participants=len(outcome.record["participants"]),
            voices=outcome.record["sound"]["voices"],
            frames=outcome.frames,
            seconds=round(outcome.seconds, 3),
            notes=outcome.record["quality"]["notes"],
        )

    def fail(self, failure: Failure) -> None:
        """See `vsa.run.batch.Listener`."""
        self._event(
            "fail",
            session_id=failure.session_id,
            stage=failure.stage,
            error=failure.error,
            hint=failure.hint,
        )

    def draw(self, films: Sequence[Path]) -> None:
        """See `vsa.run.batch.Listener`."""
        self._event("overlay", films=[str(film) for film in films])

    def end(self, summary: Summary, out: Path | Address) -> None:
        """The last line."""
        self._event(
            "end",
            done=len(summary.done),
            before=len(summary.before),
            failed=[f.session_id for f in summary.failed],
            out=str(out),
        )

    def _event(self, event: str, **fields: Any) -> None:
        click.echo(json.dumps({"event": event, **fields}))


def sentence(outcome: Outcome) -> str:
    """What was found, in one line."""
    record = outcome.record
    people = record["participants"]
    speech = {
        voice["participant"]: f", speaks {voice['speech_s']:.0f} s" for voice in record["sound"]["voices"]
    }
    seen = "; ".join(
        f"{p['role'] or p['id']} tracked {100 * p['tracked_share']:.0f}%{speech.get(p['id'], '')}"
        for p in people
    )
    word = "participant" if len(people) == 1 else "participants"
    partial = "partial; " if record["status"] == "partial" else ""
    rate = outcome.frames / outcome.seconds if outcome.seconds > 0 else 0.0
    return (
        f"{partial}{len(people)} {word}" + (f" ({seen})" if seen else "") + f", {outcome.frames} pictures "
        f"in {outcome.seconds:.1f} s ({rate:.0f}/s)"
    )
