"""Many sessions, one after another: what is finished is not done again, what fails costs only itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from vsa.errors import InputError, SessionError, VsaError
from vsa.face.engine import FaceEngine, create
from vsa.media.digest import sha256_of_file
from vsa.run.session import Outcome, Settings, extract_session
from vsa.study.plan import SessionPlan
from vsa.study.results import Failure, Results


class Listener(Protocol):
    """Is told how a batch goes on; see `vsa.commands.progress`."""

    def begin(self, sessions: int, finished: int, engine: FaceEngine) -> None:
        """So many sessions in all, of which so many were finished before."""

    def start(self, session_id: str) -> None:
        """A session is begun."""

    def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
        """It has come to `done_s` of `total_s` (0 if unknown), with so many pictures analysed."""

    def finish(self, outcome: Outcome) -> None:
        """It is in its folder."""

    def fail(self, failure: Failure) -> None:
        """It could not be done."""


@dataclass(frozen=True)
class Summary:
    """How a batch ended: ids of the sessions done now, done before, and what failed."""

    done: list[str]
    before: list[str]
    failed: list[Failure]

    @property
    def exit_code(self) -> int:
        """0 if all is done, 3 if something failed."""
        return SessionError.exit_code if self.failed else 0


def extract(
    plans: Sequence[SessionPlan],
    out: Path,
    settings: Settings,
    listener: Listener,
    *,
    overlay: Path | None = None,
    afresh: bool = False,
) -> Summary:
    """Analyse sessions into a results folder.

    Parameters
    ----------
    plans
        What to analyse.
    out
        The results folder.
    settings
        How.
    listener
        Is told how it goes.
    overlay
        Draw what was measured over the pictures of the one session into this file.
    afresh
        Do finished sessions again.

    Raises
    ------
    InputError, ModelMissingError
        When nothing could be started.
    """
    _check(plans, overlay)
    engine = create(settings.engine)
    results = Results(out)
    before = [p for p in plans if not afresh and overlay is None and is_finished(p, results, settings)]
    listener.begin(len(plans), len(before), engine)
    if len(before) < len(plans):
        threading.Thread(target=_load_features, daemon=True).start()
    done: list[str] = []
    failed: list[Failure] = []
    tried = [plan.session_id for plan in before]
    try:
        for plan in plans:
            if plan in before:
                continue
            listener.start(plan.session_id)

            def advance(done_s: float, total_s: float, frames: int, name: str = plan.session_id) -> None:
                listener.advance(name, done_s, total_s, frames)

            try:
                outcome = extract_session(plan, results, engine, settings, overlay=overlay, progress=advance)
            except VsaError as error:
                failure = failure_of(plan.session_id, error)
                failed.append(failure)
                listener.fail(failure)
            else:
                done.append(plan.session_id)
                listener.finish(outcome)
            tried.append(plan.session_id)
    finally:  # also when the run is stopped: the tables agree with the folders
        results.note_failures(failed, tried)
        results.gather_features()
    return Summary(done, [plan.session_id for plan in before], failed)


def failure_of(session_id: str, error: VsaError) -> Failure:
    """The row of ``failures.csv`` for an error."""
    stage = error.stage if isinstance(error, SessionError) else "start"
    return Failure(session_id, stage, error.message, error.hint)


def is_finished(plan: SessionPlan, results: Results, settings: Settings) -> bool:
    """Whether a session is there, made from the same recordings with the same settings."""
    record = results.finished(plan.session_id)
    if record is None or record.get("settings") != settings.as_record():
        return False
    sources: list[dict[str, Any]] = [record["source"], *record["further_sources"]]
    if len(sources) != len(plan.videos):
        return False
    return all(
        _same(video.path, video.role, source) for video, source in zip(plan.videos, sources, strict=True)
    )


def _load_features() -> None:
    """Import what the features need while the first session is followed: a second of scipy on a core that waits."""
    import scipy.signal
    import scipy.spatial.transform  # noqa: F401

    import vsa.features.registry

    vsa.features.registry.features()


def _same(path: Path, role: str | None, source: dict[str, Any]) -> bool:
    try:
        stat = path.stat()
    except OSError:
        return True  # results outlive recordings that were deleted, as consent may demand
    if role != source.get("role") or stat.st_size != source.get("bytes"):
        return False
    return stat.st_mtime_ns == source.get("modified_ns") or sha256_of_file(path) == source.get("sha256")


def _check(plans: Sequence[SessionPlan], overlay: Path | None) -> None:
    if not plans:
        raise InputError("There is nothing to analyse.", "Give media files or a manifest.")
    if overlay is not None and len(plans) > 1:
        raise InputError("--overlay draws one session.", "Give one recording with it.")
    missing = [video.path for plan in plans for video in plan.videos if not video.path.exists()]
    if missing and len(missing) == sum(len(plan.videos) for plan in plans):
        names = ", ".join(map(str, missing[:3])) + (", …" if len(missing) > 3 else "")
        raise InputError(f"{names}: no such file.", "Check the path.")
