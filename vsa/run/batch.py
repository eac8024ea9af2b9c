"""Many sessions: what is finished is not done again, what fails costs only itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

from vsa.errors import InputError, SessionError
from vsa.run import overlays
from vsa.run.attempt import CONSENT, DEFECT, Told
from vsa.run.outcome import Outcome
from vsa.run.permission import check_consent, check_withdrawn
from vsa.run.processes import Processes, most_at_once
from vsa.run.settings import Settings
from vsa.run.source import unchanged, unusable
from vsa.run.workers import Here, Workers
from vsa.study import log
from vsa.study.addresses import Place
from vsa.study.cells import shown
from vsa.study.consent import Consent
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan
from vsa.study.remote_results import AnyResults, results_at
from vsa.study.session_files import SCHEMA, in_the_way


class Listener(Told, Protocol):
    """Is told how a batch goes on; see `vsa.commands.progress`."""

    def begin(self, sessions: int, finished: int, workers: Workers) -> None:
        """So many sessions in all, of which so many were finished before; who does the others."""

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
    out: Place,
    settings: Settings,
    listener: Listener,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    overlay: Path | None = None,
    afresh: bool = False,
    logged: Mapping[str, int | str] | None = None,
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
    jobs
        Sessions at once, each in a process of its own; 1: in this process; 0: as many as this machine can do. Not with
        `cluster`.
    cluster
        Do them on the workers of a Dask cluster instead: a scheduler's address, or a TOML file, see `vsa.run.cluster`.
    overlay
        Draw what was measured over the pictures of the one session into this file (see `vsa.run.overlays.draw`).
    afresh
        Do finished sessions again.
    logged
        Write into the folder's log what was done, with this besides; None: nothing is written, nor at an address.

    Raises
    ------
    InputError, ModelMissingError
        When nothing could be started.
    SessionError
        When the tables, or what `overlay` asks for, can't be written: the sessions are.
    """
    _check_call(plans, overlay, jobs, cluster)
    results = results_at(out)
    before = {} if afresh else finished_before(plans, results, settings)
    ahead = [plan for plan in plans if plan.session_id not in before]
    _check_ahead(ahead, before, results)
    workers = _workers(out, settings, len(ahead), jobs, cluster)
    results.prepare()
    check_withdrawn(ahead, out)
    check_consent(plans, out)
    _keep_facts(plans, before, results)
    listener.begin(len(plans), len(before), workers)
    done: list[str] = []
    failed: list[Failure] = []
    left_out: dict[str, str] = {}
    try:
        with closing(workers.run(ahead, listener)) as ended:
            for one in ended:
                if isinstance(one, Failure):
                    failed.append(one)
                    listener.fail(one)
                else:
                    done.append(one.session_id)
                    listener.finish(one)
    finally:  # also when the run is stopped: the tables agree with the folders
        told = [failure for failure in failed if failure.stage != CONSENT]  # no trace of who withdrew
        results.note_failures(told, [*before, *done])
        results.gather_features(left_out.__setitem__)
        known = {failure.session_id for failure in failed}
        unfit = [_without_row(name, why) for name, why in sorted(left_out.items()) if name not in known]
        if unfit:
            results.note_failures(unfit, [])
            failed += unfit
            done = [name for name in done if name not in left_out]
        if logged is not None and isinstance(out, Path):
            counts = {"done": len(done), "before": len({*before} - {*left_out}), "failed": len(failed)}
            log.record(out, "extract", [*done, *(one.session_id for one in failed)], {**counts, **logged})
    for failure in unfit:
        listener.fail(failure)
    if overlay is not None and not failed:
        (plan,) = plans
        described = results.finished(plan.session_id)
        assert described is not None
        with results.local(plan.session_id) as folder:
            films = overlays.draw(overlay, plan, folder, described, settings.fps)
        listener.draw(films)
    return Summary(done, [name for name in before if name not in left_out], failed)


def _without_row(session_id: str, why: str) -> Failure:
    """Of a finished session whose features don't come into the table of all."""
    return Failure(
        session_id,
        "features",
        f"{session_id}/features.parquet was changed after it was written: {why}. {session_id} is left out of the "
        "table of all sessions.",
        "vsa extract --afresh does it again.",
    )


def _workers(out: Place, settings: Settings, sessions: int, jobs: int, cluster: str | None) -> Workers:
    if cluster is not None and sessions:
        from vsa.run.cluster import Cluster

        return Cluster(out, settings, cluster)
    # one of several may die: even where they take turns, each has its process
    if jobs == 1 or (jobs == 0 and sessions < 2):
        return Here(out, settings)
    return Processes(out, settings, jobs or most_at_once(sessions))


def finished_before(
    plans: Sequence[SessionPlan], results: AnyResults, settings: Settings
) -> dict[str, dict[str, Any]]:
    """Those of the sessions that are there, made from the same recordings in the same way: ``session.json`` by id."""
    return {
        plan.session_id: found
        for plan in plans
        if (found := results.finished(plan.session_id)) is not None and _fits(plan, found, settings)
    }


def _fits(plan: SessionPlan, found: dict[str, Any], settings: Settings) -> bool:
    wanted = {"schema": SCHEMA, "hints": plan.hints()}
    if any(found.get(key) != value for key, value in wanted.items()):
        return False
    if {
        **Settings().as_record(),
        **found["settings"],
    } != settings.as_record():  # newer settings are not in old ones
        return False
    sources: list[dict[str, Any]] = [found["source"], *found["further_sources"], *found["sound_files"]]
    files = [*((video.path, video.role) for video in plan.videos), *((p, r) for r, p in plan.audio.items())]
    return len(sources) == len(files) and all(
        role == source.get("role") and unchanged(path, source)
        for (path, role), source in zip(files, sources, strict=True)
    )


def keep_consent(said: Mapping[str, Consent], results: AnyResults) -> list[str]:
    """Bring up to date what finished sessions may be used for; which of the sessions are finished.

    Parameters
    ----------
    said
        Session to what the manifest says of it.
    results
        The results folder.

    Raises
    ------
    SessionError
        Stage ``write``.
    """
    there = []
    for name, consent in said.items():
        if (found := results.finished(name)) is not None:
            there.append(name)
            if found.get("consent") != consent.record():
                results.amend(name, {**found, "consent": consent.record()})
    return there


def _keep_facts(plans: Sequence[SessionPlan], before: dict[str, dict[str, Any]], results: AnyResults) -> None:
    """Bring what the manifest says of finished sessions up to date: answers often come later than recordings."""
    for plan in plans:
        found = before.get(plan.session_id)
        if found is None:
            continue
        now = dict(found)
        if plan.facts:
            now["facts"] = dict(plan.facts)
        if plan.consent:
            now["consent"] = plan.consent.record()
        if now != found:
            found.update(now)
            results.amend(plan.session_id, found)


def _check_call(plans: Sequence[SessionPlan], overlay: Path | None, jobs: int, cluster: str | None) -> None:
    if cluster is not None and jobs:
        raise InputError(
            f"--jobs {jobs} counts processes on this machine, and --cluster does the sessions elsewhere.",
            "Leave one out. How many sessions a cluster does at once is said to its workers, or in its TOML file.",
        )
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
        if not isinstance(video.path, Path) or not video.path.exists():
            continue
        if any(film.exists() and film.samefile(video.path) for film in films):
            raise InputError(f"--overlay would write over the recording {video.path}.", "Give another name.")


def _check_ahead(ahead: Sequence[SessionPlan], before: Mapping[str, Any], results: AnyResults) -> None:
    """What is wrong with all of it is wrong with the call, and nothing is started."""
    places = [video.path for plan in ahead for video in plan.videos]
    faults = [] if before else [fault for fault in takewhile(bool, map(unusable, places)) if fault]
    if faults and len(faults) == len(places):
        names = ", ".join(shown(str(place), 200) for place in places[:3]) + (", …" * (len(places) > 3))
        why, hint = faults[0]
        raise InputError(f"{names}{why}", hint)
    for plan in ahead:
        if strangers := results.strangers(plan.session_id):
            raise InputError(*in_the_way(results.session(plan.session_id), strangers))
