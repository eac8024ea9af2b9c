"""Mimicry: whether a face does soon after what the partner's face has just done."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vsa.features.acts import BROWS_DOWN, BROWS_UP
from vsa.features.even import evenly
from vsa.features.limits import enough, face_of, pair_of, partner_of
from vsa.features.memo import once
from vsa.features.own_neutral import above_neutral, need_scores, upright
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Floats

#: What is followed: scores that speech moves least. Each act counts by how much it moves.
ACTS = (("mouthSmileLeft", "mouthSmileRight"), BROWS_UP, BROWS_DOWN)
#: The partner's change is taken over this time, and this person's over the same time after it.
CHANGE_S = 1.0
#: Over less, a correlation of unrelated faces is easily 0.2.
LEAST_S = 120.0
#: Changes with a smaller standard deviation are the noise of the measurement.
LEAST = 0.005

_RATE_HZ = 10.0


@feature(
    "face.mimicry_r",
    unit="r",
    needs=("face",),
    minimum=f"{LEAST_S:.0f} s in which both faces are seen from the front, heads at their usual pitch",
    source="Mimicry: Hess & Fischer 2013; that it is a correlation of changes one second apart is a convention of this "
    "project. 0 is expected of faces that don't follow each other.",
)
def mimicry_r(session: Session, role: str) -> float:
    """Correlation of changes of this person's smile and brows in a second with the partner's in the second before."""
    partner = partner_of(session, role)
    for scope in (role, partner):
        need_scores(face_of(session, scope), [name for act in ACTS for name in act])
    changes = _changes(session)
    lag = round(CHANGE_S * _RATE_HZ)
    own, other = changes[role][lag:], changes[partner][:-lag]
    seen = np.isfinite(own + other).all(1)
    enough(seen.sum() / _RATE_HZ, LEAST_S, "both faces are in view")
    own, other = (values[seen] - values[seen].mean(0) for values in (own, other))
    size = [float(np.sqrt((values**2).sum(1).mean())) for values in (own, other)]
    if min(size) < LEAST:
        raise TooLittle("a face hardly moves")
    return float((own * other).sum(1).mean() / (size[0] * size[1]))


@once
def _changes(session: Session) -> Mapping[str, Floats]:
    """How each act has changed over the last `CHANGE_S`, shape (m, acts), by scope; NaN where it was not seen."""
    lag = round(CHANGE_S * _RATE_HZ)
    out = {}
    for scope in pair_of(session):
        scores = _scores(session, session.faces[scope])
        changes = np.full(scores.shape, np.nan)
        changes[lag:] = scores[lag:] - scores[:-lag]
        out[scope] = changes
    return out


def _scores(session: Session, face: Face) -> Floats:
    start_s, end_s = session.span_s
    acts = [above_neutral(face, act).mean(1) for act in ACTS]
    even = [evenly(face.t, act, upright(face), _RATE_HZ, start_s=start_s, end_s=end_s) for act in acts]
    return np.column_stack(even)
