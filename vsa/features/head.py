"""The head: how much it moves, how often it nods, and motion energy of the person's picture."""

from __future__ import annotations

import numpy as np

from vsa.features.limits import EVENTS_S, LEVEL_S, face_of, need_frontal, need_rate, need_seconds
from vsa.features.nods import LARGEST_DEG, NEEDED_RATE_HZ, find_nods
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Face, Session
from vsa.features.signals import FRAME_AT_MOST_S, Floats, stretches

#: Turns are taken over this time, so that they do not depend on the frame rate.
LAG_S = 0.2
#: Faster than people turn their heads in talk: the tracker jumped.
FASTEST_DEG_PER_S = 400.0

_STEP_S = 0.1


@feature(
    "head.movement_deg_per_s",
    scope="role",
    unit="deg/s",
    range=(0.0, FASTEST_DEG_PER_S),
    expect="none",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Angle between head poses 0.2 s apart; movement quantity as a control for synchrony: Paulick et al. 2018.",
)
def movement_deg_per_s(session: Session, role: str) -> float:
    """Mean speed at which the head turns, about any axis."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    speeds = np.concatenate(_speeds(face))
    return float(np.mean(speeds[speeds <= FASTEST_DEG_PER_S]))


@feature(
    "head.nod_rate_per_min",
    scope="role",
    unit="1/min",
    range=(0.0, None),
    expect="none",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} s of the face from the front, {NEEDED_RATE_HZ:.0f} new pictures a second",
    source=f"Pitch at 1-4 Hz, two reversals, {LARGEST_DEG:.0f} deg from peak to peak; head gestures and alliance: "
    "Vail, Girard et al. 2021.",
)
def nod_rate_per_min(session: Session, role: str) -> float:
    """Nods per minute with the face in view."""
    face = face_of(session, role)
    need_rate(face, NEEDED_RATE_HZ)
    return len(find_nods(face)) / (need_frontal(face, EVENTS_S) / 60)


@feature(
    "head.motion_energy_per_s",
    scope="role",
    unit="grey levels/s",
    range=(0.0, None),
    expect="none",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Motion energy: Grammer et al. 1999; Ramseyer & Tschacher 2011. Here the mean absolute grey difference "
    "(0-255), added up over a second, of the person's whole tile.",
)
def motion_energy_per_s(session: Session, role: str) -> float:
    """Change of the person's picture: mean absolute grey difference between pictures, per second."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    motion, since = face.column("motion"), np.diff(face.t, prepend=np.nan)
    used = face.tracked & np.isfinite(motion) & (since <= FRAME_AT_MOST_S)
    if not used.any():
        raise TooLittle("motion was not measured")
    return float(motion[used].sum() / since[used].sum())


def _speeds(face: Face) -> list[Floats]:
    """Speeds of turning in each stretch, deg/s, from poses `LAG_S` apart."""
    from scipy.spatial.transform import Rotation

    angles = face.columns(("head_yaw", "head_pitch", "head_roll"))
    parts = stretches(face.t, angles, face.tracked, step_s=_STEP_S, shortest_s=2 * LAG_S)
    if not parts:
        raise TooLittle("the face is never in view without a break")
    lag = round(LAG_S / _STEP_S)
    speeds = []
    for part in parts:
        poses = Rotation.from_euler("YXZ", part.values * [1, -1, 1], degrees=True)
        speeds.append(np.degrees((poses[:-lag].inv() * poses[lag:]).magnitude()) / LAG_S)
    return speeds
