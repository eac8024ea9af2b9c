"""Smiles as episodes: mouth corners raised above the person's own neutral face.

The neutral is the 20th percentile of the mean of `mouthSmileLeft` and `mouthSmileRight` over the session. It is not
taken to be above `NEUTRAL_AT_MOST`: a face that scores higher most of the time is smiling most of the time.
Threshold and duration are conventions of this project, to be calibrated on annotated smiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsa.features.episodes import Episodes, above, together
from vsa.features.memo import once
from vsa.features.own_neutral import NEUTRAL_SHARE
from vsa.features.person import Face
from vsa.features.registry import TooLittle
from vsa.features.signals import Flags, Floats, Stretch, quantile, stretches

#: A smile begins this much above neutral, and ends this much above it.
ON, OFF = 0.2, 0.12
SHORTEST_S = 0.5
#: Two smiles with a shorter break between them are one.
BRIDGE_S = 0.3
NEUTRAL_AT_MOST = 0.3
#: The beginning of a smile was seen if the face was in view for this long before; its end likewise.
WATCHED_S = 0.2

_STEP_S = 0.02


@once
def find_smiles(face: Face) -> Episodes:
    """Smiles of one person; `size` is the highest score above neutral, 0-1."""
    return together(above(part, ON, OFF, shortest_s=SHORTEST_S, bridge_s=BRIDGE_S) for part in _parts(face))


@once
def smile(face: Face) -> Floats:
    """How far the mouth corners are raised, mean of both sides, 0-1, shape (n,)."""
    return (face.column("mouthSmileLeft") + face.column("mouthSmileRight")) / 2


@once
def neutral_smile(face: Face) -> float:
    """The score of the person's own neutral face, 0 to `NEUTRAL_AT_MOST`; NaN if the face was never seen."""
    own = face.own
    low = quantile(smile(own)[own.frontal], own.weights_s[own.frontal], NEUTRAL_SHARE)
    return low if low != low else min(low, NEUTRAL_AT_MOST)


def need_smiles(face: Face) -> Episodes:
    """Smiles of one person, which may be none; `TooLittle` if the face was seen and its scores were not."""
    if not neutral_smile(face) >= 0:
        raise TooLittle("the face table holds no smile scores")
    return find_smiles(face)


@dataclass(frozen=True, eq=False)
class View:
    """When it can be told whether a person smiles.

    Attributes
    ----------
    start_s, end_s
        Stretches of time without a hole, in order, shape (n,).
    """

    start_s: Floats
    end_s: Floats

    def holds(self, t: Floats, before_s: float = 0.0, after_s: float = 0.0) -> Flags:
        """Whether a stretch holds each time, with so much before and after it; shape of `t`."""
        if not len(self.start_s):
            return np.zeros(len(t), np.bool_)
        which = np.maximum(np.searchsorted(self.start_s, t, "right") - 1, 0)
        return np.asarray((self.start_s[which] <= t - before_s) & (t + after_s <= self.end_s[which]))


@once
def view(face: Face) -> View:
    """When it can be told whether this person smiles."""
    parts = _parts(face)
    return View(np.array([part.start_s for part in parts]), np.array([part.t[-1] for part in parts]))


def begun(face: Face) -> Flags:
    """Whether the beginning of each smile was seen, shape (smiles,)."""
    return view(face).holds(find_smiles(face).start_s, before_s=WATCHED_S)


def whole(face: Face) -> Flags:
    """Whether each smile was seen from its beginning to its end, shape (smiles,)."""
    return begun(face) & view(face).holds(find_smiles(face).end_s, after_s=WATCHED_S)


@once
def _parts(face: Face) -> list[Stretch]:
    """The smile's score above neutral, where it is seen."""
    neutral = neutral_smile(face)
    if not neutral >= 0:
        return []
    return stretches(face.t, smile(face) - neutral, face.frontal, step_s=_STEP_S, shortest_s=SHORTEST_S)
