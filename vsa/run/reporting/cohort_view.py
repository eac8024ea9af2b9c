"""The cohort as its page shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsa.bond.seen.view import LEAST_TRACKED, TRACKED
from vsa.report.pages.site import SESSIONS, SHEETS, link
from vsa.report.pages.view import SessionView
from vsa.report.pages.view_cohort import CohortView, ComparisonView, Excluded, Listed, ModelView
from vsa.study.failures import Failure

if TYPE_CHECKING:
    from vsa.bond.model import ModelInfo
    from vsa.run.reporting.listing import Listing
    from vsa.run.reporting.names import Names
    from vsa.run.reporting.session_view import Row

_NO_SOUND, _NOT_KNOWN = "no sound", "not known who speaks"
#: Of the time in which it is known of everybody whether they speak; less is a problem.
_LEAST_KNOWN = 0.5
_CONSENT = "Not all of its people agreed to {purpose}."
_ASK = "Consent for it stands in the manifest."


def cohort_view(
    found: Listing,
    views: Sequence[SessionView],
    names: Names,
    info: ModelInfo | None,
    model: ModelView | None,
    comparison: ComparisonView,
    failures: Sequence[Failure],
    purpose: str,
    written: frozenset[str],
    points: tuple[tuple[float, float] | None, float],
) -> CohortView:
    """Put the sessions' views into the list.

    `written` has the shown ids whose pages are there, `points` the questionnaire's scale and what counts as weak.
    """
    excluded = [
        Excluded(names.session(one), "consent", _CONSENT.format(purpose=purpose), _ASK)
        for one in found.left_out
    ]
    excluded += [
        Excluded(names.session(one.session_id), one.stage, names.text(one.error), names.text(one.hint))
        for one in failures
    ]
    return CohortView(
        sessions=tuple(
            _listed(row, view, found, names, written) for row, view in zip(found.rows, views, strict=True)
        ),
        excluded=tuple(excluded),
        target=found.target if info is None else info.target,
        scale=points[0],
        weak_cut=points[1],
        model=model,
        comparison=comparison,
        notes=tuple(names.text(note) for note in found.notes),
    )


def _listed(row: Row, view: SessionView, found: Listing, names: Names, written: frozenset[str]) -> Listed:
    flag = view.flag
    expected, low, high = (math.nan,) * 3 if flag is None else (flag.expected, flag.low, flag.high)
    held_out = flag is not None and not flag.in_training
    if flag is not None and flag.in_training:
        expected, low, high = found.held_out.get(row.session_id, math.nan), math.nan, math.nan
        held_out = math.isfinite(expected)
    seen = [value for name, value in row.values.items() if name.endswith(f".{TRACKED}")]
    tracked = min([value for value in seen if math.isfinite(value)], default=math.nan)
    missing = np.isnan(list(row.values.values()))
    page = view.session_id in written
    return Listed(
        session_id=view.session_id,
        client=names.client(row.facts.get("client_id", "")),
        therapist=names.therapist(row.facts.get("therapist_id", "")),
        number=_whole(row.facts.get("session_number", "")),
        page=link(SESSIONS, view.page) if page else "",
        sheet=link(SHEETS, view.sheet) if page and view.sheet else "",
        facts=names.facts({k: v for k, v in row.facts.items() if k not in ("session_number", "rater")}),
        simulated=row.simulated,
        duration_s=_duration(row, view),
        tracked_share=tracked,
        missing_share=float(missing.mean()) if len(missing) else math.nan,
        problems=tuple(_problems(row, view)),
        bond=row.bond,
        expected=expected,
        low=low,
        high=high,
        held_out=held_out,
        flag=flag,
    )


def _problems(row: Row, view: SessionView) -> list[str]:
    """What is wrong with a recording, in a few words each."""
    told = []
    if view.status == "partial":
        told.append("recording incomplete")
    shares = {name: value for name, value in row.values.items() if name.endswith(f".{TRACKED}")}
    for name, value in shares.items():
        if value < LEAST_TRACKED:
            told.append(f"{name.partition('.')[0]} in view {value:.0%}")
    known = row.values.get("dyad.quality.speakers_known_share", math.nan)
    sound = (row.record or {}).get("sound") or {}
    if sound.get("kind") == "none":
        told.append(_NO_SOUND)
    elif known < _LEAST_KNOWN:
        told.append(_NOT_KNOWN)
    return told


def _duration(row: Row, view: SessionView) -> float:
    minutes = row.values.get("dyad.quality.duration_min", math.nan)
    return view.duration_s if math.isfinite(view.duration_s) else 60 * minutes


def _whole(text: str) -> int | None:
    try:
        return int(float(text))
    except ValueError:
        return None
