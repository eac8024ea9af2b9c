"""Expression scores against the person's own neutral face.

The neutral of a score is its 20th percentile over the session, while the face is seen from the front: scores are zero
or more and rise when muscles act, and faces rest for a fifth of a session at least. What a face scores at rest (heavy
brows, thin lips) says nothing of what the person does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.registry import TooLittle
from vsa.features.signals import Flags, Floats, quantile

NEUTRAL_SHARE = 0.2
#: A head nodded or thrown back farther than this from its usual pitch changes what brows and lips score: on a real clip
#: 14 deg down look like a frown, and 14 deg up like a raised chin.
UPRIGHT_DEG = 10.0
#: Expression scores that follow the lower and upper face. Eyes are left out (gaze and blinks have their own features),
#: and so are scores that stay near zero whatever the face does (cheeks, nose).
LOWER, UPPER = ("jaw", "mouth"), ("brow",)
MOVING = (*UPPER, *LOWER)

_NO_SCORES = "the face table holds no expression scores"


def names_of(face: Face, starts: tuple[str, ...]) -> list[str]:
    """The expression scores of a part of the face, by how their names begin; `TooLittle` if the table has none."""
    names = [
        name for name, rest in neutral(face.own).items() if name.startswith(starts) and np.isfinite(rest)
    ]
    if not names:
        raise TooLittle(_NO_SCORES)
    return names


def need_scores(face: Face, names: Sequence[str]) -> None:
    """`TooLittle` if one of the scores is never there."""
    if not all(np.isfinite(neutral(face.own).get(name, np.nan)) for name in names):
        raise TooLittle(_NO_SCORES)


@once
def neutral(own: Face) -> Mapping[str, float]:
    """The neutral of each score of brows, jaw and mouth, of a face over the whole session; NaN if it was not seen."""
    seen = own.frontal
    weights = own.weights_s[seen]
    names = [str(name) for name in own.frame.columns if str(name).startswith(MOVING)]
    return {name: quantile(own.column(name)[seen], weights, NEUTRAL_SHARE) for name in names}


def above_neutral(face: Face, names: Sequence[str]) -> Floats:
    """Scores above the person's own neutral, shape (n, len(names)); below it they are negative."""
    rest = neutral(face.own)
    above = face.columns(names)
    above -= np.array([rest.get(name, np.nan) for name in names])
    return above


@once
def upright(face: Face) -> Flags:
    """Seen from the front, and the head within `UPRIGHT_DEG` of its usual pitch; shape (n,)."""
    own = face.own
    usual = quantile(own.column("head_pitch")[own.frontal], own.weights_s[own.frontal], 0.5)
    return face.frontal & (np.abs(face.column("head_pitch") - usual) <= UPRIGHT_DEG)
