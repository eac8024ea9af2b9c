"""How much the head and the person's picture move, in all, while listening and while speaking."""

from __future__ import annotations

import numpy as np

from vsa.features.limits import LEVEL_S, face_of, need_seconds
from vsa.features.memo import once
from vsa.features.occasions import listens, speaks
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import FRAME_AT_MOST_S, Flags, Floats, Stretch, stretches

#: Turns are taken over this time, so that they do not depend on the frame rate.
LAG_S = 0.2
#: Faster than people turn their heads in talk: the tracker jumped.
FASTEST_DEG_PER_S = 400.0
#: Places of the head are compared over this time: in less, it moves by less than they are uncertain.
PLACE_LAG_S = 0.5
#: Faster than people move their heads in talk.
FASTEST_CM_PER_S = 200.0
#: A head is still that stays within so many degrees about each axis for a second. On a real man who sits still and
#: moves his mouth this holds all the time, while he moves about 3 % of it.
STILL_DEG = 3.0

#: What is too short when it is while listening or speaking.
LISTENS = "this person listens with the face in view"
SPEAKS = "this person speaks with the face in view"

_STEP_S = 0.1
_STILL_STEPS = 11  # a second, both ends included
_ANGLES = ("head_yaw", "head_pitch", "head_roll")
_MOVEMENT = "Angle between head poses 0.2 s apart"
_ENERGY = (
    "Motion energy: Grammer et al. 1999; Ramseyer & Tschacher 2011. Here the mean absolute grey difference (0-255), "
    "added up over a second, of the person's whole tile"
)


@feature(
    "head.movement_deg_per_s",
    unit="deg/s",
    range=(0.0, FASTEST_DEG_PER_S),
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source=f"{_MOVEMENT}; movement quantity as a control for synchrony: Paulick et al. 2018.",
)
def movement_deg_per_s(session: Session, role: str) -> float:
    """Mean speed at which the head turns, about any axis."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    return _mean(_turning(face)[1])


@feature(
    "head.movement_listening_deg_per_s",
    unit="deg/s",
    range=(0.0, FASTEST_DEG_PER_S),
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of listening with the face in view",
    source=f"{_MOVEMENT}; convention of this project.",
)
def movement_listening_deg_per_s(session: Session, role: str) -> float:
    """Mean speed at which the head turns while somebody else speaks and this person does not."""
    face = face_of(session, role)
    need_seconds(face, face.tracked & listens(session, role, face.t), LEVEL_S, LISTENS)
    t, speeds = _turning(face)
    return _mean(speeds[listens(session, role, t)])


@feature(
    "head.movement_speaking_deg_per_s",
    unit="deg/s",
    range=(0.0, FASTEST_DEG_PER_S),
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of speech with the face in view",
    source=f"{_MOVEMENT}; heads move with speech: Hadar et al. 1983. Convention of this project.",
)
def movement_speaking_deg_per_s(session: Session, role: str) -> float:
    """Mean speed at which the head turns while this person speaks."""
    face = face_of(session, role)
    need_seconds(face, face.tracked & speaks(session, role, face.t), LEVEL_S, SPEAKS)
    t, speeds = _turning(face)
    return _mean(speeds[speaks(session, role, t)])


@feature(
    "head.translation_cm_per_s",
    unit="cm/s",
    range=(0.0, FASTEST_CM_PER_S),
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Places of the head 0.5 s apart, for a head of average size; to the screen and back is left out, because "
    "a jaw that drops looks like a head that comes nearer. Convention of this project.",
)
def translation_cm_per_s(session: Session, role: str) -> float:
    """Mean speed at which the head moves sideways and up and down."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    lag = round(PLACE_LAG_S / _STEP_S)
    speeds = np.concatenate(
        [
            np.linalg.norm(part.values[lag:] - part.values[:-lag], axis=1) / PLACE_LAG_S
            for part in _parts(face, ("head_x", "head_y"))
        ]
    )
    return _mean(speeds[speeds <= FASTEST_CM_PER_S])


@feature(
    "head.still_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source=f"Yaw, pitch and roll each within {STILL_DEG:.0f} deg for the second about each moment; convention of "
    "this project.",
)
def still_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the head is held still, for a second at least."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    still = []
    for part in _parts(face, _ANGLES):
        highest = maximum_filter1d(part.values, _STILL_STEPS, axis=0)
        lowest = minimum_filter1d(part.values, _STILL_STEPS, axis=0)
        still.append(np.all(highest - lowest <= STILL_DEG, axis=1))
    return float(np.mean(np.concatenate(still)))


@feature(
    "head.motion_energy_per_s",
    unit="grey levels/s",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source=f"{_ENERGY}.",
)
def motion_energy_per_s(session: Session, role: str) -> float:
    """Change of the person's picture: mean absolute grey difference between pictures, per second."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    return _motion_energy(face, face.tracked)


@feature(
    "head.motion_energy_listening_per_s",
    unit="grey levels/s",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of listening with the face in view",
    source=f"{_ENERGY}; while listening: convention of this project.",
)
def motion_energy_listening_per_s(session: Session, role: str) -> float:
    """Change of the person's picture, per second, while somebody else speaks and this person does not."""
    face = face_of(session, role)
    where = face.tracked & listens(session, role, face.t)
    need_seconds(face, where, LEVEL_S, LISTENS)
    return _motion_energy(face, where)


@feature(
    "head.motion_energy_speaking_per_s",
    unit="grey levels/s",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of speech with the face in view",
    source=f"{_ENERGY}; while speaking: convention of this project.",
)
def motion_energy_speaking_per_s(session: Session, role: str) -> float:
    """Change of the person's picture, per second, while this person speaks."""
    face = face_of(session, role)
    where = face.tracked & speaks(session, role, face.t)
    need_seconds(face, where, LEVEL_S, SPEAKS)
    return _motion_energy(face, where)


def _mean(values: Floats) -> float:
    if not len(values):
        raise TooLittle("the face is never in view without a break")
    return float(np.mean(values))


@once
def _turning(face: Face) -> tuple[Floats, Floats]:
    """Times, s, and speeds of turning about them, deg/s, from poses `LAG_S` apart."""
    from scipy.spatial.transform import Rotation

    lag = round(LAG_S / _STEP_S)
    times, speeds = [], []
    for part in _parts(face, _ANGLES):
        poses = Rotation.from_euler("YXZ", part.values * [1, -1, 1], degrees=True)
        speeds.append(np.degrees((poses[:-lag].inv() * poses[lag:]).magnitude()) / LAG_S)
        times.append(part.t[:-lag] + LAG_S / 2)
    t, speed = np.concatenate(times), np.concatenate(speeds)
    likely = speed <= FASTEST_DEG_PER_S
    return t[likely], speed[likely]


def _parts(face: Face, columns: tuple[str, ...]) -> list[Stretch]:
    """Signals where the face was seen for a second and longer, every `_STEP_S`."""
    shortest_s = _STEP_S * (_STILL_STEPS - 1)
    parts = stretches(face.t, face.columns(columns), face.tracked, step_s=_STEP_S, shortest_s=shortest_s)
    if not parts:
        raise TooLittle("the face is never in view without a break")
    return parts


def _motion_energy(face: Face, where: Flags) -> float:
    motion, since = face.column("motion"), np.diff(face.t, prepend=np.nan)
    used = where & np.isfinite(motion) & (since <= FRAME_AT_MOST_S)
    if not used.any():
        raise TooLittle("motion was not measured")
    return float(motion[used].sum() / since[used].sum())
