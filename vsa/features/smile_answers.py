"""Smiles of two people: who answers whom, how much more often than by chance, and what they share.

A smile can be answered if it begins in view while the other one is in view, doesn't smile, and stays in view for the
next `WITHIN_S`. It is answered if the other one begins to smile in that time. By chance, that happens as often as at
other moments that are no farther than `NEARBY_S` away and at which both are seen and the other one doesn't smile: what
the same rule gives on average over all ways to move the smile by up to that time. The chance is local, so that two
people who both smile at the end of a session don't seem to answer each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vsa.features.limits import FEW, LEVEL_S, SEVERAL, enough, face_of, need_count, pair_of, partner_of
from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats
from vsa.features.smiles import begun, find_smiles, need_smiles, view

#: A smile is answered within this time.
WITHIN_S = 2.0
#: Chance is taken from moments no farther than this.
NEARBY_S = 30.0

_STEP_S = 0.05
_ASKED = f"{SEVERAL} smiles of the partner that could be answered"


@dataclass(frozen=True, eq=False)
class Answers:
    """How one person answers the partner's smiles.

    Attributes
    ----------
    latency_s
        For each smile that could be answered, the time until this person begins to smile, shape (n,); infinite if not
        within `WITHIN_S`.
    by_chance
        For each, the share of moments nearby that are followed by a smile as soon, shape (n,).
    """

    latency_s: Floats
    by_chance: Floats

    @property
    def answered(self) -> Flags:
        """Shape (n,)."""
        return np.isfinite(self.latency_s)


@feature(
    "face.smile_answer_share",
    unit="share",
    needs=("face",),
    minimum=_ASKED,
    source=f"Within {WITHIN_S:.0f} s as in Yokotani et al. 2020; who can answer: convention of this project.",
)
def smile_answer_share(session: Session, role: str) -> float:
    """Share of the partner's smiles after whose beginning this person, not smiling yet, begins to smile within 2 s."""
    return float(_answers_of(session, role).answered.mean())


@feature(
    "face.smile_answer_lift",
    unit="difference",
    expect="higher",
    needs=("face",),
    minimum=_ASKED,
    source="As face.smile_answer_share; chance: the partner's smiles moved by up to "
    f"{NEARBY_S:.0f} s, all ways on average. Smile synchrony and alliance, between dyads: PsyArXiv b2a87.",
)
def smile_answer_lift(session: Session, role: str) -> float:
    """Share of the partner's smiles that this person answers within 2 s, minus the share expected by chance."""
    answers = _answers_of(session, role)
    return float(answers.answered.mean() - answers.by_chance.mean())


@feature(
    "face.smile_answer_latency_median_s",
    unit="s",
    range=(0.0, WITHIN_S),
    needs=("face",),
    minimum=f"{FEW} smiles of the partner that this person answered",
    source="As face.smile_answer_share. Each side's video delay is part of it.",
)
def smile_answer_latency_median_s(session: Session, role: str) -> float:
    """Median time from the beginning of a partner's smile to the beginning of this person's, if that is within 2 s."""
    answers = _all_answers(session)[_role_of_pair(session, role)]
    found_s = answers.latency_s[answers.answered]
    need_count(len(found_s), FEW, "smiles of the partner that this person answered")
    return float(np.median(found_s))


@feature(
    "face.smile_first_share",
    unit="share",
    needs=("face",),
    minimum=f"{SEVERAL} smiles that the two shared",
    source="Convention of this project.",
)
def smile_first_share(session: Session, role: str) -> float:
    """Share of the smiles that the two shared, each from when both smile, which this person had begun first."""
    partner = partner_of(session, role)
    _need_both(session)
    first = _who_began(session.faces[role], session.faces[partner])
    need_count(len(first), SEVERAL, "smiles that the two shared")
    return float(first.mean())


@feature(
    "face.shared_smile_share",
    scope="dyad",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s in which both faces are seen from the front",
    source="Both at once, as face.smile_share. Smile synchrony and alliance, between dyads: PsyArXiv b2a87.",
)
def shared_smile_share(session: Session, dyad: str) -> float:
    """Share of the time with both faces in view in which both smile."""
    both = _need_both(session)
    first, second = (both.smiles[role] for role in pair_of(session))
    return float((first & second)[both.seen].mean())


@feature(
    "face.shared_smile_lift",
    scope="dyad",
    unit="difference",
    expect="higher",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s in which both faces are seen from the front, {FEW} smiles of each",
    source="As face.shared_smile_share; chance: product of the two shares, which is the mean over all circular shifts.",
)
def shared_smile_lift(session: Session, dyad: str) -> float:
    """Share of time in which both smile, minus the share expected by chance from how much each of them smiles."""
    both = _need_both(session)
    first, second = (both.smiles[role][both.seen] for role in pair_of(session))
    for role in pair_of(session):
        need_count(len(find_smiles(session.faces[role])), FEW, f"smiles of {role}")
    return float((first & second).mean() - first.mean() * second.mean())


@dataclass(frozen=True, eq=False)
class _Both:
    """Every 0.05 s: whether both are seen, shape (n,), and who smiles, by scope."""

    seen: Flags
    smiles: Mapping[str, Flags]


@once
def _grid(session: Session) -> Floats:
    start_s, end_s = session.span_s
    return np.arange(start_s, end_s, _STEP_S)


@once
def _both(session: Session) -> _Both:
    faces = {role: session.faces[role] for role in pair_of(session)}
    t = _grid(session)
    seen = np.logical_and.reduce([view(face).holds(t) for face in faces.values()])
    return _Both(seen, {role: find_smiles(face).covers(t) for role, face in faces.items()})


def _need_both(session: Session) -> _Both:
    for role in pair_of(session):
        need_smiles(face_of(session, role))
    both = _both(session)
    enough(both.seen.sum() * _STEP_S, LEVEL_S, "both faces are in view")
    return both


def _role_of_pair(session: Session, role: str) -> str:
    partner_of(session, role)
    _need_both(session)
    return role


def _answers_of(session: Session, role: str) -> Answers:
    answers = _all_answers(session)[_role_of_pair(session, role)]
    need_count(len(answers.latency_s), SEVERAL, "smiles of the partner that could be answered")
    return answers


@once
def _all_answers(session: Session) -> Mapping[str, Answers]:
    first, second = (session.faces[role] for role in pair_of(session))
    t = _grid(session)
    return {first.scope: _answers(first, second, t), second.scope: _answers(second, first, t)}


def _answers(face: Face, partner: Face, t: Floats) -> Answers:
    """How `face` answers the smiles of `partner`; `t` are the moments that chance is taken from."""
    asked_s = find_smiles(partner).start_s[begun(partner)]
    asked_s = asked_s[_can_answer(face, asked_s)]
    free = _can_answer(face, t) & view(partner).holds(t)
    followed = free & np.isfinite(_latency_s(face, t))
    ends = np.searchsorted(t, [asked_s - NEARBY_S, asked_s + NEARBY_S])
    moments, smiles = (
        np.diff(np.concatenate([[0], np.cumsum(f)])[ends], axis=0)[0] for f in (free, followed)
    )
    return Answers(_latency_s(face, asked_s), smiles / np.maximum(moments, 1))


def _can_answer(face: Face, t: Floats) -> Flags:
    """Whether the person doesn't smile at each time, and is in view for `WITHIN_S` from it."""
    return ~find_smiles(face).covers(t) & view(face).holds(t, after_s=WITHIN_S)


def _latency_s(face: Face, t: Floats) -> Floats:
    """Time until the person's next smile, s, shape of `t`; infinite if it is longer than `WITHIN_S`."""
    starts_s = np.append(find_smiles(face).start_s, np.inf)
    wait_s = starts_s[np.searchsorted(starts_s, t, "right")] - t
    return np.where(wait_s <= WITHIN_S, wait_s, np.inf)


def _who_began(face: Face, partner: Face) -> Floats:
    """For each time that both came to smile: 1 if `face` smiled before, 0 if the partner did, 0.5 for both at once."""
    own, other = find_smiles(face), find_smiles(partner)
    met = (own.start_s[:, None] < other.end_s) & (other.start_s < own.end_s[:, None])
    later = own.start_s[:, None] - other.start_s
    met &= np.where(later > 0, begun(face)[:, None], begun(partner))
    return np.asarray((np.sign(-later[met]) + 1) / 2)
