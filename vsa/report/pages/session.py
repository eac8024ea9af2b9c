"""What a session's page is filled with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsa.features.person import EYES_FACE_PX
from vsa.features.words import value
from vsa.report.pages.distribution import few, groups_of, scopes_of
from vsa.report.pages.flag_card import card_of, scale_of
from vsa.report.pages.site import SHEETS, link
from vsa.report.pages.standing_out import standing_out, too_few
from vsa.report.pages.timeline import timeline_figure
from vsa.report.times import clock

if TYPE_CHECKING:
    from vsa.report.pages.norms import Norms
    from vsa.report.pages.view import Flag, Frame, Person, SessionView

#: Facts in the header's line, and notes under it; what is beyond opens on demand.
_FACTS, _NOTES = 10, 3
#: A person in view for less of the session is hardly described by what was seen.
_IN_VIEW = 0.5


@dataclass(frozen=True)
class Quality:
    """How well a participant was recorded, in words; `poor` names what is wrong with it, else it is empty."""

    name: str
    in_view: float
    speaks: str
    face: str
    poor: str


@dataclass(frozen=True)
class Look:
    """A stretch of the recording to look at; `value` is what was measured in it, with its unit."""

    start_s: float
    end_s: float
    value: str


@dataclass(frozen=True)
class Reason:
    """Why a review is suggested, in words, and where to look."""

    words: str
    looks: tuple[Look, ...]
    why_none: str


def session_context(
    view: SessionView,
    norms: Norms,
    frame: Frame,
    neighbours: tuple[str, str] = ("", ""),
    *,
    scale: tuple[float, float] | None = None,
    weak_cut: float = math.nan,
) -> dict[str, Any]:
    """Lay out a session for ``session.html``.

    Parameters
    ----------
    view
        The session.
    norms
        Its cohort.
    frame
        Of the report.
    neighbours
        Addresses of the pages before and after it in the list, from its own; empty where there is none.
    scale
        Lowest and highest score of the questionnaire; None if not known.
    weak_cut
        The bond from which downward it counts as weak, points; NaN if there is none.
    """
    facts = list(view.facts.items())
    return {
        "view": view,
        "facts": facts[:_FACTS],
        "more_facts": facts[_FACTS:],
        "people": tuple(map(_quality, view.people)),
        "notes": view.notes[:_NOTES],
        "more_notes": view.notes[_NOTES:],
        "before": neighbours[0],
        "after": neighbours[1],
        "sheet": link(SHEETS, view.sheet) if view.sheet else "",
        "standing_out": standing_out(view, norms),
        "card": card_of(view.flag) if view.flag else None,
        "reasons": _reasons(view.flag),
        "scale": scale_of(view.flag, view.bond, scale, weak_cut),
        "weak_cut": weak_cut,
        "listed_by": _listed_by(frame),
        "chart": timeline_figure(view.timeline, view.flag) if view.timeline else None,
        "scopes": scopes_of(view),
        "groups": groups_of(view, norms),
        "sessions": norms.sessions,
        "why_no_norms": too_few(norms) if few(norms) else "",
    }


def _quality(person: Person) -> Quality:
    known = math.isfinite(person.face_px)
    small = known and person.face_px < EYES_FACE_PX
    if not known:
        face = "never seen"
    elif small:
        face = f"small, {person.face_px:.0f} px high: gaze and lids can't be read"
    else:
        face = f"{person.face_px:.0f} px high"
    poor = [
        *(["seldom in view"] if person.tracked_share < _IN_VIEW else []),
        *(["small face"] if small else []),
    ]
    speaks = clock(person.speech_s) if math.isfinite(person.speech_s) else "not known"
    return Quality(person.name, person.tracked_share, speaks, face, ", ".join(poor))


def _reasons(flag: Flag | None) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            reason.words,
            tuple(
                Look(
                    one.start_s, one.end_s, value(one.feature, one.value) if math.isfinite(one.value) else ""
                )
                for one in reason.moments
            ),
            reason.why_none,
        )
        for reason in (flag.reasons if flag else ())
    )


def _listed_by(frame: Frame) -> str:
    if not frame.model:
        return ""
    return (
        "The list is made by rules, without a model."
        if frame.model == "rules"
        else f"Listed by the model {frame.model}."
    )
