"""Gaze: toward the person's own home direction. "Toward the screen", never "eye contact".

The error of gaze from a webcam (7 to 20 degrees) is larger than the 4 degrees within which people feel looked at, and
where the camera stands is not known. What can be measured is whether a person looks where this person looks most:
in a video call, at the screen.

Toward the screen
    Gaze lies within `SCREEN_CONE_DEG` of home.
Away
    Gaze lies outside of that cone; or the head is turned so far from home that gaze can't be read (`turned`); or lids
    are down for longer than a blink (`lowered`), as in a look at notes: they cover the iris then, and what is measured
    of gaze stays near home. Whoever looks on does neither.

Gaze goes on over a blink, from where it was before to where it is after. All other time (eyes narrowed by a smile, a
face that is lost or too small) is neither, and counts nowhere.
"""

from __future__ import annotations

import numpy as np

from vsa.face.neutral import direction
from vsa.features import blinks, smiles
from vsa.features.episodes import runs
from vsa.features.limits import LEVEL_S, face_of, need_eyes, need_seconds
from vsa.features.memo import once
from vsa.features.person import EYES_FACE_PX, FRONTAL_YAW_DEG, Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats, quantile

#: Half-angle of the cone about the home direction, deg: half the width of a 14-inch screen at 70 cm.
SCREEN_CONE_DEG = 12.0
#: Lids below this share of the person's open eye hide the iris.
LIDS_SHARE = 0.4
#: Gaze follows the lids in a blink, and for this long before and after it.
BLINK_MARGIN_S = 0.1
#: Lids are lowered if the eye is open by less than this share of the person's own open eye. Of people who look on,
#: talk, smile or raise their brows in real clips, 99 % of the pictures are above 0.68; lids drawn at 0.4 give 0.55.
LOWERED_SHARE = 0.6
#: Gaze goes on over blinks up to this long: a second one may follow the first at once.
BLINKS_S = 1.0

_MINIMUM = f"{LEVEL_S:.0f} s in which it can be told where the person looks"


@feature(
    "gaze.on_screen_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source="Cone: convention of this project, size of a screen. Relative to the person's own mode: gaze clustering as "
    "in DISCOVER. Felt gaze: Horstmann & Linke 2022; no effect of a corrected eye line: Grondin et al. 2022.",
    version=2,
)
def on_screen_share(session: Session, role: str) -> float:
    """Share of time in which gaze lies within 12 degrees of the person's own home direction."""
    face = face_of(session, role)
    seconds = need_gaze(face, LEVEL_S)
    return face.seconds(toward(face)) / seconds


@feature(
    "gaze.down_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source="12 degrees: as gaze.on_screen_share. Lids: convention of this project. A low bound: gaze is measured too "
    "flat up and down (docs/accuracy.md), so that small looks down are missed.",
)
def down_share(session: Session, role: str) -> float:
    """Share of time in which gaze is over 12 degrees below home, or lids stay down for longer than a blink."""
    face = face_of(session, role)
    seconds = need_gaze(face, LEVEL_S)
    return face.seconds(bearing(face)[:, 1] < home(face)[1] - SCREEN_CONE_DEG) / seconds


@feature(
    "gaze.aside_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source="12 degrees: as gaze.on_screen_share.",
)
def aside_share(session: Session, role: str) -> float:
    """Share of time in which gaze, or the head, is turned over 12 degrees to either side of the home direction."""
    face = face_of(session, role)
    seconds = need_gaze(face, LEVEL_S)
    return face.seconds(np.abs(bearing(face)[:, 0] - home(face)[0]) > SCREEN_CONE_DEG) / seconds


@feature(
    "gaze.dispersion_deg",
    unit="deg",
    range=(0.0, 180.0),
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s with open eyes that can be read",
    source="Robust counterpart of gaze dispersion (root of the summed variances); 2 to 3 deg of it are the noise of "
    "the measurement.",
)
def dispersion_deg(session: Session, role: str) -> float:
    """Median angle between gaze and the person's own home direction."""
    face = face_of(session, role)
    usable = _need_open(face)
    return quantile(angle_from(face, home(face))[usable], face.weights_s[usable], 0.5)


@feature(
    "gaze.home_yaw_deg",
    unit="deg",
    range=(-90.0, 90.0),
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s with open eyes that can be read",
    source="Mode of gaze over the session, as gaze clustering in DISCOVER. Says where camera and screen stand more "
    "than what a person does.",
)
def home_yaw_deg(session: Session, role: str) -> float:
    """Yaw of the direction in which the person looks most; positive to the person's own left of the camera."""
    face = face_of(session, role)
    _need_open(face)
    return home(face)[0]


@feature(
    "gaze.home_pitch_deg",
    unit="deg",
    range=(-90.0, 90.0),
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s with open eyes that can be read",
    source="As gaze.home_yaw_deg.",
)
def home_pitch_deg(session: Session, role: str) -> float:
    """Pitch of the direction in which the person looks most; positive above the camera."""
    face = face_of(session, role)
    _need_open(face)
    return home(face)[1]


def need_gaze(face: Face, least_s: float) -> float:
    """Time in which it can be told whether the person looks toward the screen, s; `TooLittle` if it is too short."""
    _need_open(face)
    return need_seconds(face, toward(face) | away(face), least_s, "it can be told where the person looks")


def _need_open(face: Face) -> Flags:
    need_eyes(face, LEVEL_S)
    usable = readable(face)
    need_seconds(face, usable, LEVEL_S, "open eyes can be read")
    return usable


@once
def readable(face: Face) -> Flags:
    """Where gaze can be used: eyes in view, lids up, and no blink near; shape (n,)."""
    lids = blinks.openness(face) >= LIDS_SHARE * blinks.open_level(face)
    gaze = np.isfinite(face.column("gaze_yaw") + face.column("gaze_pitch"))
    return face.eyes & lids & gaze & ~blinks.find_blinks(face).covers(face.t, BLINK_MARGIN_S)


@once
def bearing(face: Face) -> Floats:
    """Yaw and pitch of the look, deg, shape (n, 2); NaN where it can't be told.

    That of gaze, bridged over blinks. A head that is turned too far stands for its gaze; lowered lids mean far down.
    """
    yaw, pitch = home(face)
    out = np.where(readable(face)[:, None], face.columns(("gaze_yaw", "gaze_pitch")), np.nan)
    to_side, down = turned(face), lowered(face)
    out[to_side] = np.column_stack([face.column("head_yaw"), np.full(len(out), pitch)])[to_side]
    out[down & np.isnan(out[:, 0]), 0] = yaw
    out[down, 1] = pitch - 2 * SCREEN_CONE_DEG
    return _over_blinks(face, out)


@once
def toward(face: Face) -> Flags:
    """Where the person looks toward the screen, shape (n,)."""
    return angle_off(face) <= SCREEN_CONE_DEG


@once
def away(face: Face) -> Flags:
    """Where the person looks elsewhere, shape (n,)."""
    return angle_off(face) > SCREEN_CONE_DEG


@once
def angle_off(face: Face) -> Floats:
    """Angle between the look and the home direction, deg, shape (n,); NaN where it can't be told."""
    return _angle(bearing(face), home(face))


@once
def turned(face: Face) -> Flags:
    """Where the head is turned too far for gaze to be read, and as far from the home direction; shape (n,)."""
    large = face.tracked & ~face.frontal & (face.column("box_h") >= EYES_FACE_PX)
    return large & (np.abs(face.column("head_yaw") - home(face)[0]) > FRONTAL_YAW_DEG)


@once
def lowered(face: Face) -> Flags:
    """Where lids are down for longer than a blink, and not because of a smile; shape (n,)."""
    low = face.eyes & (blinks.openness(face) < LOWERED_SHARE * blinks.open_level(face))
    low &= ~blinks.find_blinks(face).covers(face.t, BLINK_MARGIN_S) & ~smiles.find_smiles(face).covers(face.t)
    out = np.zeros(len(low), np.bool_)
    for first, end in runs(low):
        out[first:end] = face.weights_s[first : end - 1].sum() > blinks.LONGEST_S
    return out


@once
def home(face: Face) -> tuple[float, float]:
    """The person's home direction (yaw, pitch), deg: what extraction found, else the mode of the session's gaze."""
    if face.gaze_neutral_deg is not None:
        return face.gaze_neutral_deg
    own = face.own
    found = direction(own.columns(("gaze_yaw", "gaze_pitch"))[readable(own)])
    if found is None:
        raise TooLittle("gaze was read too seldom to know where this person looks most")
    return found


def angle_from(face: Face, direction: tuple[float, float]) -> Floats:
    """Angle between gaze and a direction (yaw, pitch), deg, shape (n,)."""
    return _angle(face.columns(("gaze_yaw", "gaze_pitch")), direction)


def _angle(looks: Floats, direction: tuple[float, float]) -> Floats:
    yaw, pitch = np.radians(looks).T
    to_yaw, to_pitch = np.radians(direction)
    cosine = np.sin(pitch) * np.sin(to_pitch) + np.cos(pitch) * np.cos(to_pitch) * np.cos(yaw - to_yaw)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _over_blinks(face: Face, looks: Floats) -> Floats:
    """Put straight lines over blinks, shape (n, 2)."""
    known = np.isfinite(looks[:, 0])
    at_known = np.flatnonzero(known)
    before = np.searchsorted(at_known, np.arange(len(known)), "right") - 1
    between = ~known & (before >= 0) & (before < len(at_known) - 1)
    hole_s = np.zeros(len(known))
    hole_s[between] = np.diff(face.t[at_known])[before[between]]
    blink = blinks.find_blinks(face).covers(face.t, BLINK_MARGIN_S)
    bridged = between & blink & (hole_s <= BLINKS_S)
    for axis in looks.T:
        axis[bridged] = np.interp(face.t[bridged], face.t[known], axis[known])
    return looks
