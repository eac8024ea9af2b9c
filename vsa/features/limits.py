"""The least data that features are computed from, and the words for what is lacking."""

from __future__ import annotations

import math

from vsa.features.person import EYES_FACE_PX, FRONTAL_YAW_DEG, Face, Voice
from vsa.features.registry import TooLittle
from vsa.features.session import Session
from vsa.features.signals import Flags, quantile
from vsa.voice.turns import Turns

#: Shares and levels rest on this much visible time or speech, events per minute on the longer one.
LEVEL_S = 10.0
EVENTS_S = 30.0
#: Medians of what happens (pauses of a turn, durations of blinks) rest on this many, spreads and slopes on more.
FEW, SEVERAL = 3, 8
#: Turns say something of a session if it is known of this share of it who speaks.
KNOWN_SHARE = 0.5

#: A camera's 15 pictures a second are often 14.98, and uneven.
RATE_SLACK = 0.95

_PAIR = ("client", "therapist")


def face_of(session: Session, scope: str) -> Face:
    """The person's face; `TooLittle` if it was never tracked."""
    face = session.faces[scope]
    if not face.tracked.any():
        raise TooLittle("the face was never tracked")
    return face


def voice_of(session: Session, scope: str) -> Voice:
    """The person's voice; `TooLittle` if it is not known when this person speaks."""
    if session.turns is None:
        raise TooLittle(session.no_turns)
    voice = session.voices.get(scope)
    if voice is None or not voice.known.any():
        raise TooLittle("it is never known whether this person speaks")
    return voice


def turns_of(session: Session) -> Turns:
    """Who took turns when; `TooLittle` if that is not known of half of the session at least, or of one person only."""
    if session.turns is None:
        raise TooLittle(session.no_turns)
    if len(session.turns.participants) < 2:
        raise TooLittle("there is one person only")
    share = float(session.known.mean()) if len(session.known) else 0.0
    if share < KNOWN_SHARE:
        raise TooLittle(f"who speaks is known {share:.0%} of the time, and {KNOWN_SHARE:.0%} are needed")
    return session.turns


def pair_of(session: Session) -> tuple[str, str]:
    """The two people that features of a pair are about, in the order of the alphabet (client, therapist).

    They are client and therapist where there is one of each; else the two participants, or the only two who are seen.
    """
    if set(_PAIR) <= set(session.scopes) and not {f"{role}2" for role in _PAIR} & set(session.scopes):
        return _PAIR
    people = session.scopes
    if len(people) > 2:
        people = tuple(scope for scope, face in session.faces.items() if face.tracked.any())
    if len(people) != 2:
        raise TooLittle(f"it takes two people, and there {'is' if len(people) == 1 else 'are'} {len(people)}")
    first, second = sorted(people)
    return first, second


def partner_of(session: Session, scope: str) -> str:
    """The other one of the pair; `TooLittle` if this person is not one of a pair."""
    pair = pair_of(session)
    if scope not in pair:
        raise TooLittle("this person is not one of the pair")
    return pair[1] if scope == pair[0] else pair[0]


def need_seconds(face: Face, where: Flags, least_s: float, what: str) -> float:
    """Time for which something holds, s; `TooLittle` if it is less than `least_s`."""
    return enough(face.seconds(where), least_s, what)


def enough(seconds: float, least_s: float, what: str) -> float:
    """The time itself, s; `TooLittle` if it is less than `least_s`."""
    if seconds < least_s:
        seen = math.floor(10 * seconds) / 10  # 9.97 s are not 10.0 s
        raise TooLittle(f"{what} for {seen:.1f} s, and {least_s:.0f} s are needed")
    return seconds


def need_count(count: int, least: int, what: str) -> int:
    """The number itself; `TooLittle` if there are fewer: `what` names them in the plural."""
    if count < least:
        raise TooLittle(f"{what}: {count}, and {least} are needed")
    return count


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


def need_speech(voice: Voice, least_s: float) -> float:
    """Time in which this person speaks, s."""
    return enough(voice.seconds(voice.speaking), least_s, "this person speaks")
