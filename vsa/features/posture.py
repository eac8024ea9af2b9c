"""How the head is held: where it points, how far that spreads, and how much of the time it is tilted or lowered.

A camera seldom stands straight before the face, so that angles are taken from the person's own usual pose: the median
of each angle over the whole session.
"""

from __future__ import annotations

import numpy as np

from vsa.features.head import LISTENS
from vsa.features.limits import LEVEL_S, face_of, need_seconds
from vsa.features.memo import once
from vsa.features.occasions import listens
from vsa.features.person import Face
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats, quantile

#: A head that is tilted, turned away or lowered by less is held as usual.
TILTED_DEG = 10.0
FACING_DEG = 15.0
LOWERED_DEG = 15.0
#: Half of the time between these two quantiles of a normal distribution's is its standard deviation.
MIDDLE = (0.1587, 0.8413)

_ANGLES = ("head_yaw", "head_pitch", "head_roll")
_MINIMUM = f"{LEVEL_S:.0f} s of the face in view"
_SPREAD = (
    "Half the width of the middle 68 % of the time, which is the standard deviation of a normal distribution and is "
    "not moved by a tracker's outliers; convention of this project"
)


@feature(
    "head.yaw_sd_deg",
    unit="deg",
    range=(0.0, None),
    needs=("face",),
    minimum=_MINIMUM,
    source=f"{_SPREAD}.",
)
def yaw_sd_deg(session: Session, role: str) -> float:
    """Spread of the head's turns to the side."""
    return _spread(session, role, "head_yaw")


@feature(
    "head.pitch_sd_deg",
    unit="deg",
    range=(0.0, None),
    needs=("face",),
    minimum=_MINIMUM,
    source=f"{_SPREAD}.",
)
def pitch_sd_deg(session: Session, role: str) -> float:
    """Spread of the head's turns up and down."""
    return _spread(session, role, "head_pitch")


@feature(
    "head.roll_sd_deg",
    unit="deg",
    range=(0.0, None),
    needs=("face",),
    minimum=_MINIMUM,
    source=f"{_SPREAD}.",
)
def roll_sd_deg(session: Session, role: str) -> float:
    """Spread of the head's tilts toward the shoulders."""
    return _spread(session, role, "head_roll")


@feature(
    "head.tilt_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source=f"Roll more than {TILTED_DEG:.0f} deg from the own median; convention of this project.",
)
def tilt_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the head is tilted toward a shoulder, from the usual pose."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    return _share(face, face.tracked, _tilted(face))


@feature(
    "head.tilt_listening_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of listening with the face in view",
    source=f"Roll more than {TILTED_DEG:.0f} deg from the own median; convention of this project.",
)
def tilt_listening_share(session: Session, role: str) -> float:
    """Share of the time of listening in which the head is tilted toward a shoulder, from the usual pose."""
    face = face_of(session, role)
    where = face.tracked & listens(session, role, face.t)
    need_seconds(face, where, LEVEL_S, LISTENS)
    return _share(face, where, _tilted(face))


@feature(
    "head.facing_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source=f"Within {FACING_DEG:.0f} deg of the own median direction; convention of this project.",
)
def facing_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the head points in about its usual direction."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    return _share(face, face.tracked, _facing(face))


@feature(
    "head.facing_listening_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of listening with the face in view",
    source=f"Within {FACING_DEG:.0f} deg of the own median direction; convention of this project.",
)
def facing_listening_share(session: Session, role: str) -> float:
    """Share of the time of listening in which the head points in about its usual direction."""
    face = face_of(session, role)
    where = face.tracked & listens(session, role, face.t)
    need_seconds(face, where, LEVEL_S, LISTENS)
    return _share(face, where, _facing(face))


@feature(
    "head.lowered_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source=f"Pitch more than {LOWERED_DEG:.0f} deg below the own median; convention of this project.",
)
def lowered_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the head is lowered, as over notes or a keyboard."""
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    return _share(face, face.tracked, face.column("head_pitch") < _usual(face.own)[1] - LOWERED_DEG)


@once
def _usual(face: Face) -> Floats:
    """Median yaw, pitch and roll with the face in view, deg, shape (3,)."""
    weights = face.weights_s[face.tracked]
    return np.array([quantile(face.column(name)[face.tracked], weights, 0.5) for name in _ANGLES])


def _tilted(face: Face) -> Flags:
    return np.asarray(np.abs(face.column("head_roll") - _usual(face.own)[2]) > TILTED_DEG)


def _facing(face: Face) -> Flags:
    """Whether the head's direction is within `FACING_DEG` of the usual one, on the sphere."""
    yaw, pitch = np.radians(face.columns(_ANGLES[:2])).T
    usual_yaw, usual_pitch, _ = np.radians(_usual(face.own))
    cosine = np.sin(pitch) * np.sin(usual_pitch) + np.cos(pitch) * np.cos(usual_pitch) * np.cos(
        yaw - usual_yaw
    )
    return np.asarray(cosine >= np.cos(np.radians(FACING_DEG)))


def _share(face: Face, base: Flags, flags: Flags) -> float:
    return face.seconds(base & flags) / face.seconds(base)


def _spread(session: Session, role: str, angle: str) -> float:
    face = face_of(session, role)
    need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    values, weights = face.column(angle)[face.tracked], face.weights_s[face.tracked]
    low, high = (quantile(values, weights, share) for share in MIDDLE)
    return (high - low) / 2
