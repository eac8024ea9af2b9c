"""The face in motion: smiles against the person's own neutral, and how much the expression changes."""

from __future__ import annotations

import numpy as np

from vsa.features.limits import EVENTS_S, LEVEL_S, face_of, need_frontal
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Face, Session
from vsa.features.signals import Floats, stretches
from vsa.features.smiles import ON, SHORTEST_S, find_smiles

#: Change is taken over this time, so that it does not depend on the frame rate.
LAG_S = 0.2
#: Expression scores that follow the lower and upper face. Eyes are left out (gaze and blinks have their own features),
#: and so are scores that stay near zero whatever the face does (cheeks, nose).
MOVING = ("brow", "jaw", "mouth")

_STEP_S = 0.1


@feature(
    "face.smile_share",
    scope="role",
    unit="share",
    range=(0.0, 1.0),
    expect="higher",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front",
    source=f"Mouth corners {ON} above own neutral for {SHORTEST_S} s: convention of this project. Smiling and "
    "alliance: dynamic and dyadic facial study, PsyArXiv b2a87 (therapists' smiles above their own average).",
)
def smile_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the person smiles."""
    face = face_of(session, role)
    seconds = need_frontal(face, LEVEL_S)
    return min(1.0, float(find_smiles(face).durations_s.sum()) / seconds)


@feature(
    "face.smile_rate_per_min",
    scope="role",
    unit="1/min",
    range=(0.0, None),
    expect="none",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} s of the face from the front",
    source="As face.smile_share.",
)
def smile_rate_per_min(session: Session, role: str) -> float:
    """Smiles per minute with the face in view."""
    face = face_of(session, role)
    return len(find_smiles(face)) / (need_frontal(face, EVENTS_S) / 60)


@feature(
    "face.expressivity_per_s",
    scope="role",
    unit="1/s",
    range=(0.0, None),
    expect="none",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front",
    source="Speed of facial movement as in OpenWillis' facial expressivity, on expression scores; the lag of 0.2 s is "
    "a convention of this project.",
)
def expressivity_per_s(session: Session, role: str) -> float:
    """Mean speed of brows, jaw and mouth: root mean square change of their expression scores (0-1) a second."""
    face = face_of(session, role)
    need_frontal(face, LEVEL_S)
    return float(np.mean(np.concatenate(_speeds(face))))


def _speeds(face: Face) -> list[Floats]:
    names = [name for name in face.frame.columns if str(name).startswith(MOVING)]
    if not names:
        raise TooLittle("the face table holds no expression scores")
    parts = stretches(face.t, face.columns(names), face.frontal, step_s=_STEP_S, shortest_s=2 * LAG_S)
    if not parts:
        raise TooLittle("the face is never in view without a break")
    lag = round(LAG_S / _STEP_S)
    return [np.sqrt(((p.values[lag:] - p.values[:-lag]) ** 2).mean(1)) / LAG_S for p in parts]
