"""Gaze: toward the person's own home direction. "Toward the screen", never "eye contact".

The error of gaze from a webcam (7 to 20 degrees) is larger than the 4 degrees within which people feel looked at, and
where the camera stands is not known. What can be measured is whether a person looks where this person looks most:
in a video call, at the screen.
"""

from __future__ import annotations

import numpy as np

from vsa.face.neutral import direction
from vsa.features import blinks
from vsa.features.limits import LEVEL_S, face_of, need_eyes, need_seconds
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Face, Session
from vsa.features.signals import Flags, Floats

#: Half-angle of the cone about the home direction, deg: half the width of a 14-inch screen at 70 cm.
SCREEN_CONE_DEG = 12.0
#: Lids below this share of the person's open eye hide the iris.
LIDS_SHARE = 0.4
#: Gaze follows the lids in a blink, and for this long before and after it.
BLINK_MARGIN_S = 0.1


@feature(
    "gaze.on_screen_share",
    scope="role",
    unit="share",
    range=(0.0, 1.0),
    expect="none",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s with eyes that can be read",
    source="Cone: convention of this project, size of a screen. Relative to the person's own mode: gaze clustering as "
    "in DISCOVER. Felt gaze: Horstmann & Linke 2022; no effect of a corrected eye line: Grondin et al. 2022.",
)
def on_screen_share(session: Session, role: str) -> float:
    """Share of time with open eyes in which gaze lies within 12 degrees of the person's own home direction."""
    face = face_of(session, role)
    need_eyes(face, LEVEL_S)
    usable = readable(face)
    seconds = need_seconds(face, usable, LEVEL_S, "open eyes can be read")
    return face.seconds(usable & (angle_from(face, home(face)) <= SCREEN_CONE_DEG)) / seconds


def readable(face: Face) -> Flags:
    """Where gaze can be used: eyes in view, lids up, and no blink near; shape (n,)."""
    lids = blinks.openness(face) >= LIDS_SHARE * blinks.open_level(face)
    gaze = np.isfinite(face.column("gaze_yaw") + face.column("gaze_pitch"))
    return face.eyes & lids & gaze & ~blinks.find_blinks(face).covers(face.t, BLINK_MARGIN_S)


def home(face: Face) -> tuple[float, float]:
    """The person's home direction (yaw, pitch), deg: what extraction found, else the mode of the session's gaze."""
    if face.gaze_neutral_deg is not None:
        return face.gaze_neutral_deg
    found = direction(face.columns(("gaze_yaw", "gaze_pitch"))[readable(face)])
    if found is None:
        raise TooLittle("gaze was read too seldom to know where this person looks most")
    return found


def angle_from(face: Face, direction: tuple[float, float]) -> Floats:
    """Angle between gaze and a direction (yaw, pitch), deg, shape (n,)."""
    yaw, pitch = np.radians(face.columns(("gaze_yaw", "gaze_pitch"))).T
    to_yaw, to_pitch = np.radians(direction)
    cosine = np.sin(pitch) * np.sin(to_pitch) + np.cos(pitch) * np.cos(to_pitch) * np.cos(yaw - to_yaw)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
