"""One strength and one thing to try: what stands out among the study's sessions, on a side that studies name.

Only behaviours of the therapist count for which ``evidence.toml`` names a side, and only sessions outside the middle
60 % of the study: what lies farthest out on the side that studies link with a stronger alliance is the strength, what
lies farthest out on the other is the thing to try. Of two that stand out, one with two moments in the recording goes
first. A convention of this project; it ranks behaviours of one session, never people.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vsa.features.words import value
from vsa.report.pages.norms import LEAST
from vsa.report.pages.view import Moment
from vsa.report.sheet.evidence import Behaviour, behaviours
from vsa.report.sheet.measured import Measured
from vsa.report.sheet.parts import Note, Pick, Shown, Training
from vsa.report.sheet.quality import CLIENT, THERAPIST

Side = Literal["low", "high"]
#: Feature and side -> moments of this recording in which it is low or high.
MomentsOf = Callable[[str, Side], Sequence[Moment]]

#: What lies among this share of the sessions, around the middle one, does not stand out.
MIDDLE = 0.6
MOMENTS = 2
_FEW = ("No part of this recording stands out in it.", "No other part of this recording stands out in it.")
_NOTHING = (
    "Nothing stood out: on {}, nothing that could be compared lies outside the middle "
    f"{100 * MIDDLE:.0f} % of this study's sessions."
)
_LINKED = "the side that studies link with a stronger alliance"
_OTHER = "the other side of what studies link with a stronger alliance"
_NO_THERAPIST = "It is not known which of the two is the therapist; roles in the manifest say so."


@dataclass(frozen=True)
class _Found:
    """A behaviour that stands out on one side, how far from the middle session (0-0.5), and its moments."""

    behaviour: Behaviour
    side: Side
    distance: float
    moments: tuple[Moment, ...] = ()


def training(measured: Measured, people: Sequence[str], moments_of: MomentsOf) -> Training:
    """Choose a strength and a thing to try, with their moments.

    Parameters
    ----------
    measured
        The session's features beside the study's.
    people
        Whom the sheet is about.
    moments_of
        Finds moments.
    """
    why = _why_none(measured, people)
    if why:
        return Training(None, None, why, why, ())
    strength = _chosen(measured, moments_of, linked=True)
    attempt = _chosen(measured, moments_of, linked=False)
    number = 1 if strength is None else 2
    notes = [note_of(found.behaviour, k) for k, found in enumerate(filter(None, (strength, attempt)), 1)]
    return Training(
        strength=None if strength is None else _pick(strength, measured, "", 1),
        attempt=None if attempt is None else _pick(attempt, measured, attempt.behaviour.attempt, number),
        why_no_strength="" if strength else _NOTHING.format(_LINKED),
        why_no_attempt="" if attempt else _NOTHING.format(_OTHER),
        notes=tuple(notes),
    )


def note_of(behaviour: Behaviour, number: int = 0) -> Note:
    """The footnote of a behaviour."""
    return Note(number, behaviour.name, behaviour.evidence, behaviour.in_short, behaviour.limits)


def _candidates() -> list[Behaviour]:
    return [one for one in behaviours().values() if one.directed and one.feature.startswith(f"{THERAPIST}.")]


def _why_none(measured: Measured, people: Sequence[str]) -> str:
    if not {THERAPIST, CLIENT} <= set(people):
        return _NO_THERAPIST
    if measured.norms.sessions < LEAST:
        return f"This study has {measured.norms.sessions} sessions; to tell what stands out takes {LEAST}."
    if not any(math.isfinite(_below(measured, one)) for one in _candidates()):
        names = ", ".join(one.name[0].lower() + one.name[1:] for one in _candidates())
        return f"None of this could be measured and compared with {LEAST} sessions: {names}."
    return ""


def _below(measured: Measured, behaviour: Behaviour) -> float:
    return measured.norms.below(behaviour.feature, measured.get(behaviour.feature))


def _chosen(measured: Measured, moments_of: MomentsOf, *, linked: bool) -> _Found | None:
    """What stands out farthest on the side that studies link with a stronger alliance, or on the other one.

    The first with two moments; else the one with most of them.
    """
    best: _Found | None = None
    for found in sorted(_standing_out(measured, linked), key=lambda one: -one.distance):
        shown = found.behaviour.shown_by or found.behaviour.feature
        found = replace(found, moments=tuple(moments_of(shown, found.side))[:MOMENTS])
        if best is None or len(found.moments) > len(best.moments):
            best = found
        if len(best.moments) == MOMENTS:
            break
    return best


def _standing_out(measured: Measured, linked: bool) -> list[_Found]:
    out = []
    for behaviour in _candidates():
        below = _below(measured, behaviour)
        side: Side = "high" if (behaviour.links == "higher") == linked else "low"
        distance = below - 0.5 if side == "high" else 0.5 - below
        if distance > MIDDLE / 2:  # false of NaN
            out.append(_Found(behaviour, side, distance))
    return out


def _pick(found: _Found, measured: Measured, suggestion: str, note: int) -> Pick:
    of, count = found.behaviour, len(found.moments)
    x = measured.get(of.feature)
    among = f"{measured.norms.words(of.feature, x)} of this study"
    return Pick(
        seen=of.seen.format(value=value(of.feature, x), among=among),
        suggestion=suggestion,
        moments=tuple(Shown(one.start_s, one.end_s, value(one.feature, one.value)) for one in found.moments),
        show=of.more if found.side == "high" else of.less,
        why_none="" if count == MOMENTS else _FEW[count],
        note=note,
    )
