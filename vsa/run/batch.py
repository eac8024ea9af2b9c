"""Many sessions, one after another: what is finished is not done again, what fails costs only itself."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from vsa import assets
from vsa.errors import InputError, SessionError, VsaError
from vsa.face.engine import FaceEngine, create
from vsa.media.digest import sha256_of_file
from vsa.run import overlays, record
from vsa.run.session import Outcome, Settings, extract_session
from vsa.study.cells import shown
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan
from vsa.study.results import Results, in_the_way
from vsa.voice import activity

#: The stage of a failure that is vsa's own fault.
DEFECT = "defect"


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

    def draw(self, films: Sequence[Path]) -> None:
        """It is drawn over its recordings in these files."""


@dataclass(frozen=True)
class Summary:
    """How a batch ended: ids of the sessions done now, done before, and what failed."""

    done: list[str]
    before: list[str]
    failed: list[Failure]

    @property
    def exit_code(self) -> int:
        """0 if all is done, 3 if something failed, 1 if vsa is to blame for one of them."""
        if any(failure.stage == DEFECT for failure in self.failed):
            return 1
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
        Draw what was measured over the pictures of the one session into this file (see `vsa.run.overlays.draw`).
    afresh
        Do finished sessions again.

    Raises
    ------
    InputError, ModelMissingError
        When nothing could be started.
    SessionError
        When the tables, or what `overlay` asks for, can't be written: the sessions are.
    """
    _check_call(plans, overlay)
    results = Results(out)
    before = {} if afresh else finished_before(plans, results, settings)
    ahead = [plan for plan in plans if plan.session_id not in before]
    _check_ahead(ahead, before, results)
    engine = create(settings.engine)
    assets.find(activity.MODEL)
    results.prepare()
    _keep_facts(plans, before, results)
    listener.begin(len(plans), len(before), engine)
    if ahead:
        threading.Thread(target=_load_features, daemon=True).start()
    done: dict[str, dict[str, Any]] = {}
    failed: list[Failure] = []
    try:
        for plan in ahead:
            listener.start(plan.session_id)
            advance = partial(listener.advance, plan.session_id)
            try:
                outcome = extract_session(plan, results, engine, settings, progress=advance)
            except BrokenPipeError:  # nobody reads what is printed any more
                raise
            except Exception as error:  # what fails costs only itself, also when it is a defect
                failed.append(failure_of(plan.session_id, error))
                listener.fail(failed[-1])
            else:
                done[plan.session_id] = outcome.record
                listener.finish(outcome)
    finally:  # also when the run is stopped: the tables agree with the folders
        results.note_failures(failed, [*before, *done])
        results.gather_features()
    if overlay is not None and not failed:
        (plan,) = plans
        folder = results.session(plan.session_id)
        described = {**before, **done}[plan.session_id]
        listener.draw(overlays.draw(overlay, plan, folder, described, settings.fps))
    return Summary(list(done), list(before), failed)


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


def finished_before(
    plans: Sequence[SessionPlan], results: Results, settings: Settings
) -> dict[str, dict[str, Any]]:
    """Those of the sessions that are there, made from the same recordings in the same way: ``session.json`` by id."""
    return {
        plan.session_id: found
        for plan in plans
        if (found := results.finished(plan.session_id)) is not None and _fits(plan, found, settings)
    }


def _fits(plan: SessionPlan, found: dict[str, Any], settings: Settings) -> bool:
    wanted = {"schema": record.SCHEMA, "settings": settings.as_record(), "hints": record.hints(plan)}
    if any(found.get(key) != value for key, value in wanted.items()):
        return False
    sources: list[dict[str, Any]] = [found["source"], *found["further_sources"], *found["sound_files"]]
    files = [*((video.path, video.role) for video in plan.videos), *((p, r) for r, p in plan.audio.items())]
    return len(sources) == len(files) and all(
        _same(path, role, source) for (path, role), source in zip(files, sources, strict=True)
    )


def _keep_facts(plans: Sequence[SessionPlan], before: dict[str, dict[str, Any]], results: Results) -> None:
    """Bring what the manifest says of finished sessions up to date: answers often come later than recordings."""
    for plan in plans:
        found = before.get(plan.session_id)
        if found is not None and plan.facts and found.get("facts") != dict(plan.facts):
            found["facts"] = dict(plan.facts)
            results.amend(plan.session_id, found)


def _load_features() -> None:
    """Import what the features need while the first session is followed: a second of scipy on a core that waits."""
    import scipy.signal
    import scipy.spatial.transform  # noqa: F401

    import vsa.features.registry

    vsa.features.registry.features()


def _same(path: Path, role: str | None, source: dict[str, Any]) -> bool:
    if role != source.get("role"):
        return False
    try:
        stat = path.stat()
    except OSError:
        return True  # results outlive recordings that were deleted, as consent may demand
    if stat.st_size != source.get("bytes"):
        return False
    return stat.st_mtime_ns == source.get("modified_ns") or sha256_of_file(path) == source.get("sha256")


def _check_call(plans: Sequence[SessionPlan], overlay: Path | None) -> None:
    if not plans:
        raise InputError("There is nothing to analyse.", "Give media files or a manifest.")
    if overlay is None:
        return
    if len(plans) > 1:
        raise InputError("--overlay draws one session.", "Give one recording with it.")
    if overlay.suffix.lower() != ".mp4":
        raise InputError(
            f"--overlay {overlay}: the film is an MP4 file.", "Give it a name that ends in .mp4."
        )
    if not (overlay.parent.is_dir() and os.access(overlay.parent, os.W_OK)):
        raise InputError(
            f"--overlay {overlay}: its folder is not there, or can't be written.", "Make it first."
        )
    videos = plans[0].videos
    films = [overlays.film_of(overlay, video.role, len(videos)) for video in videos]
    for video in videos:
        if any(film.exists() and video.path.exists() and film.samefile(video.path) for film in films):
            raise InputError(f"--overlay would write over the recording {video.path}.", "Give another name.")


def _check_ahead(ahead: Sequence[SessionPlan], before: Mapping[str, Any], results: Results) -> None:
    """What is wrong with all of it is wrong with the call, and nothing is started."""
    paths = [video.path for plan in ahead for video in plan.videos]
    unusable = [path for path in paths if not os.path.exists(path) or path.is_dir()]
    if unusable and not before and len(unusable) == len(paths):
        names = ", ".join(shown(str(path), 200) for path in unusable[:3]) + (", …" * (len(unusable) > 3))
        if unusable[0].is_dir():
            raise InputError(f"{names} is a folder.", "Name the recordings in it, or give a manifest.")
        raise InputError(f"{names}: no such file.", "Check the path.")
    for plan in ahead:
        if strangers := results.strangers(plan.session_id):
            raise InputError(*in_the_way(results.session(plan.session_id), strangers))
