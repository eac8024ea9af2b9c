"""Smiles as episodes: mouth corners raised above the person's own neutral face.

The neutral is the 20th percentile of the mean of `mouthSmileLeft` and `mouthSmileRight` over the session. It is not
taken to be above `NEUTRAL_AT_MOST`: a face that scores higher most of the time is smiling most of the time.
Threshold and duration are conventions of this project, to be calibrated on annotated smiles.
"""

from __future__ import annotations

from vsa.features.episodes import Episodes, above, together
from vsa.features.session import Face
from vsa.features.signals import Floats, quantile, stretches

#: A smile begins this much above neutral, and ends this much above it.
ON, OFF = 0.2, 0.12
SHORTEST_S = 0.5
#: Two smiles with a shorter break between them are one.
BRIDGE_S = 0.3
NEUTRAL_SHARE = 0.2
NEUTRAL_AT_MOST = 0.3

_STEP_S = 0.02


def find_smiles(face: Face) -> Episodes:
    """Smiles of one person; `size` is the highest score above neutral, 0-1."""
    neutral = neutral_smile(face)
    if not neutral >= 0:
        return Episodes.of([])
    parts = stretches(face.t, smile(face) - neutral, face.frontal, step_s=_STEP_S, shortest_s=SHORTEST_S)
    return together(above(part, ON, OFF, shortest_s=SHORTEST_S, bridge_s=BRIDGE_S) for part in parts)


def smile(face: Face) -> Floats:
    """How far the mouth corners are raised, mean of both sides, 0-1, shape (n,)."""
    return (face.column("mouthSmileLeft") + face.column("mouthSmileRight")) / 2


def neutral_smile(face: Face) -> float:
    """The score of the person's own neutral face, 0 to `NEUTRAL_AT_MOST`; NaN if the face was never seen."""
    low = quantile(smile(face)[face.frontal], face.weights_s[face.frontal], NEUTRAL_SHARE)
    return low if low != low else min(low, NEUTRAL_AT_MOST)
