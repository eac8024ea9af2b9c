"""One session of a batch, done or not: what fails costs only itself, also when it is vsa's own fault."""

from __future__ import annotations

import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vsa.errors import SessionError, VsaError
from vsa.run.outcome import Outcome
from vsa.run.settings import Settings
from vsa.study.addresses import Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan
from vsa.study.remote_results import results_at
from vsa.study.withdrawal import withdrawn

if TYPE_CHECKING:
    from vsa.face.engine import FaceEngine

#: The stage of a failure that is vsa's own fault.
DEFECT = "defect"
#: The stage of a session that was withdrawn while others were done.
CONSENT = "consent"


class Told(Protocol):
    """Hears of sessions in work; part of `vsa.run.batch.Listener`."""

    def start(self, session_id: str) -> None:
        """A session is begun."""

    def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
        """It has come to `done_s` of `total_s` (0 if unknown), with so many pictures analysed."""


def attempt(
    plan: SessionPlan, out: Place, engine: FaceEngine, settings: Settings, told: Told
) -> Outcome | Failure:
    """Do one session.

    Parameters
    ----------
    plan, engine, settings
        See `vsa.run.session.extract_session`.
    out
        The results folder.
    told
        Hears how it goes.

    Raises
    ------
    BrokenPipeError
        Nobody listens any more.
    """
    # who hands sessions to others does without a second of imports
    from vsa.run.session import extract_session

    if withdrawn(out, [plan.session_id]):  # since the run began
        return Failure(plan.session_id, CONSENT, *withdrawal(plan.session_id))
    told.start(plan.session_id)
    try:
        return extract_session(
            plan, results_at(out), engine, settings, progress=partial(told.advance, plan.session_id)
        )
    except BrokenPipeError:
        raise
    except Exception as error:
        return failure_of(plan.session_id, error)


def failure_of(session_id: str, error: Exception) -> Failure:
    """The row of ``failures.csv`` for an error."""
    if isinstance(error, SessionError):
        return Failure(session_id, error.stage, error.message, error.hint)
    if isinstance(error, VsaError):
        return Failure(session_id, "start", error.message, error.hint)
    steps = [step for step in traceback.extract_tb(error.__traceback__) if "vsa" in Path(step.filename).parts]
    where = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps))
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return Failure(session_id, DEFECT, f"{text} (at {where})", "This is a defect in vsa; please report it.")


def withdrawal(names: str) -> tuple[str, str]:
    """What is said of sessions that were withdrawn, and what to do."""
    return (
        f"{names} was withdrawn from this study, as its log says; the recording was not opened.",
        "Leave it out. If everybody in it has consented anew, give the session another id.",
    )
