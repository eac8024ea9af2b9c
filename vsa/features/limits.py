"""The least data that a feature of one person's face is computed from, and the words for what is lacking."""

from __future__ import annotations

from vsa.features.registry import TooLittle
from vsa.features.session import EYES_FACE_PX, FRONTAL_YAW_DEG, Face, Session
from vsa.features.signals import Flags, quantile

#: Shares and levels rest on this much visible time, events per minute on the longer one.
LEVEL_S = 10.0
EVENTS_S = 30.0

#: A camera's 15 pictures a second are often 14.98, and uneven.
RATE_SLACK = 0.95


def face_of(session: Session, scope: str) -> Face:
    """The person's face; `TooLittle` if it was never tracked."""
    face = session.faces[scope]
    if not face.tracked.any():
        raise TooLittle("the face was never tracked")
    return face


def need_seconds(face: Face, where: Flags, least_s: float, what: str) -> float:
    """Time for which `where` holds, s; `TooLittle` if it is less than `least_s`."""
    seconds = face.seconds(where)
    if seconds < least_s:
        raise TooLittle(f"{what} for {seconds:.1f} s, and {least_s:.0f} s are needed")
    return seconds


def need_eyes(face: Face, least_s: float) -> float:
    """Time in which lids and gaze can be read, s; `TooLittle` says what stands in the way."""
    if face.seconds(face.eyes) < least_s:
        seen = face.tracked
        height = quantile(face.column("box_h")[seen], face.weights_s[seen], 0.5)
        if height < EYES_FACE_PX:
            raise TooLittle(f"the face is {height:.0f} px high, and eyes need {EYES_FACE_PX:.0f} px")
    return need_seconds(face, face.eyes, least_s, "the eyes can be read")


def need_frontal(face: Face, least_s: float) -> float:
    """Time in which the face is seen from the front, s."""
    return need_seconds(
        face, face.frontal, least_s, f"the face is within {FRONTAL_YAW_DEG:.0f} deg of the camera"
    )


def need_rate(face: Face, least_hz: float) -> None:
    """`TooLittle` if fewer new pictures a second than that show the face."""
    if not face.rate_hz >= RATE_SLACK * least_hz:
        raise TooLittle(f"{face.rate_hz:.1f} new pictures a second, and {least_hz:.0f} are needed")
