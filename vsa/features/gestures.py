"""Nods and shakes of the head: how many, how large, and whether they come while listening or while speaking.

A gesture belongs to listening if somebody else speaks during more of it than this person does, to speaking if it is the
other way round, and to neither if nobody speaks. So a nod with a short "mhm" is a listener's. Rates are per minute of
listening (or speaking) in which this person's face is seen from the front.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from vsa.features.episodes import Episodes
from vsa.features.head import LISTENS, SPEAKS
from vsa.features.limits import (
    EVENTS_S,
    FEW,
    SEVERAL,
    face_of,
    need_count,
    need_frontal,
    need_rate,
    need_seconds,
    voice_of,
)
from vsa.features.nods import LARGEST_DEG as NOD_DEG
from vsa.features.nods import find_nods
from vsa.features.occasions import listens, speaks
from vsa.features.person import STEP_S, Face
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.shakes import LARGEST_DEG as SHAKE_DEG
from vsa.features.shakes import find_shakes
from vsa.features.signals import Flags, Floats
from vsa.features.swings import NEEDED_RATE_HZ

_FROM_FRONT = f"{EVENTS_S:.0f} s of the face from the front"
_RATE = f"{NEEDED_RATE_HZ:.0f} new pictures a second"
_NOD = f"Pitch at 1-4 Hz, two even swings or more, {NOD_DEG:.0f} deg from peak to peak"
_SHAKE = f"Yaw at 1-4 Hz, three swings or more, {SHAKE_DEG:.0f} deg from side to side"
_VAIL = "head gestures, turns and alliance: Vail, Girard et al. 2021"
_HADAR = "listeners' head movements: Hadar, Steiner & Rose 1985"


@feature(
    "head.nod_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{_FROM_FRONT}, {_RATE}",
    source=f"{_NOD}; {_VAIL}.",
    version=2,
)
def nod_rate_per_min(session: Session, role: str) -> float:
    """Nods per minute with the face in view."""
    face = _quick_enough(session, role)
    return len(find_nods(face)) / (need_frontal(face, EVENTS_S) / 60)


@feature(
    "head.shake_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{_FROM_FRONT}, {_RATE}",
    source=f"{_SHAKE}; {_VAIL}.",
)
def shake_rate_per_min(session: Session, role: str) -> float:
    """Shakes of the head from side to side, per minute with the face in view."""
    face = _quick_enough(session, role)
    return len(find_shakes(face)) / (need_frontal(face, EVENTS_S) / 60)


@feature(
    "head.nod_size_median_deg",
    unit="deg",
    range=(NOD_DEG, None),
    needs=("face",),
    minimum=f"{FEW} nods, {_RATE}",
    source=f"{_NOD}; magnitude as in Mori, Den & Jokinen 2025.",
)
def nod_size_median_deg(session: Session, role: str) -> float:
    """Median size of nods: the largest swing of each, from peak to peak."""
    nods = find_nods(_quick_enough(session, role))
    need_count(len(nods), FEW, "nods")
    return float(np.median(nods.size))


@feature(
    "head.nod_duration_median_s",
    unit="s",
    range=(0.0, None),
    needs=("face",),
    minimum=f"{FEW} nods, {_RATE}",
    source=f"{_NOD}; from the first swing of a nod, or of several in a row, to the last. Convention of this project.",
)
def nod_duration_median_s(session: Session, role: str) -> float:
    """Median duration of nods; several in a row are one."""
    nods = find_nods(_quick_enough(session, role))
    need_count(len(nods), FEW, "nods")
    return float(np.median(nods.durations_s))


@feature(
    "head.nod_listening_per_min",
    unit="1/min",
    needs=("face", "voice"),
    minimum=f"{EVENTS_S:.0f} s of listening with the face from the front, {_RATE}",
    source=f"{_NOD}; {_HADAR}; {_VAIL}.",
)
def nod_listening_per_min(session: Session, role: str) -> float:
    """Nods while listening, per minute in which somebody else speaks and this person does not."""
    face = _quick_enough(session, role)
    return _rate(session, face, find_nods(face), "listening")


@feature(
    "head.nod_speaking_per_min",
    unit="1/min",
    needs=("face", "voice"),
    minimum=f"{EVENTS_S:.0f} s of speech with the face from the front, {_RATE}",
    source=f"{_NOD}. Speakers beat time with the head: Hadar et al. 1983. {_VAIL}.",
)
def nod_speaking_per_min(session: Session, role: str) -> float:
    """Nods, and beats of the head that look like them, per minute in which this person speaks."""
    face = _quick_enough(session, role)
    return _rate(session, face, find_nods(face), "speaking")


@feature(
    "head.nod_listening_lift",
    unit="difference",
    needs=("face", "voice"),
    minimum=f"{SEVERAL} nods, {EVENTS_S:.0f} s of listening with the face from the front, {_RATE}",
    source=f"{_NOD}; convention of this project.",
)
def nod_listening_lift(session: Session, role: str) -> float:
    """Share of the nods that come while listening, minus the share expected by chance: that of listening in the time.

    Time in which it is not known whether this person speaks does not count, and neither do nods in it.
    """
    face = _quick_enough(session, role)
    listening = face.frontal & listens(session, role, face.t)
    need_seconds(face, listening, EVENTS_S, LISTENS)
    voice, nods = voice_of(session, role), find_nods(face)
    known = session.at(voice.known, (nods.start_s + nods.end_s) / 2)
    need_count(int(known.sum()), SEVERAL, "nods while it is known who speaks")
    time = face.seconds(face.frontal & session.at(voice.known, face.t))
    share = np.mean(_comes_while(session, role, nods, "listening")[known])
    return float(share) - face.seconds(listening) / time


@feature(
    "head.shake_listening_per_min",
    unit="1/min",
    needs=("face", "voice"),
    minimum=f"{EVENTS_S:.0f} s of listening with the face from the front, {_RATE}",
    source=f"{_SHAKE}; {_HADAR}; {_VAIL}.",
)
def shake_listening_per_min(session: Session, role: str) -> float:
    """Shakes of the head while listening, per minute in which somebody else speaks and this person does not."""
    face = _quick_enough(session, role)
    return _rate(session, face, find_shakes(face), "listening")


@feature(
    "head.shake_speaking_per_min",
    unit="1/min",
    needs=("face", "voice"),
    minimum=f"{EVENTS_S:.0f} s of speech with the face from the front, {_RATE}",
    source=f"{_SHAKE}; {_VAIL}.",
)
def shake_speaking_per_min(session: Session, role: str) -> float:
    """Shakes of the head while speaking, per minute in which this person speaks."""
    face = _quick_enough(session, role)
    return _rate(session, face, find_shakes(face), "speaking")


While = Literal["listening", "speaking"]


def _quick_enough(session: Session, role: str) -> Face:
    face = face_of(session, role)
    need_rate(face, NEEDED_RATE_HZ)
    return face


def _rate(session: Session, face: Face, gestures: Episodes, doing: While) -> float:
    """Gestures while this person listens or speaks, per minute of that with the face from the front."""
    if doing == "listening":
        where, what = listens(session, face.scope, face.t), LISTENS
    else:
        where, what = speaks(session, face.scope, face.t), SPEAKS
    seconds = need_seconds(face, face.frontal & where, EVENTS_S, what)
    return int(_comes_while(session, face.scope, gestures, doing).sum()) / (seconds / 60)


def _comes_while(session: Session, role: str, gestures: Episodes, doing: While) -> Flags:
    """Which gestures belong to listening, or to speaking; shape (n,)."""
    voice = voice_of(session, role)
    heard = _within(session.listening(role), voice.start_s, gestures)
    spoken = _within(voice.speaking, voice.start_s, gestures)
    return np.asarray(heard > spoken if doing == "listening" else spoken > heard)


def _within(flags: Flags, start_s: float, gestures: Episodes) -> Floats:
    """For how much of each gesture something holds, in steps of the voices' grid; shape (n,)."""
    before = np.concatenate([[0], np.cumsum(flags)])
    first, last = (
        np.clip(np.rint((edge - start_s) / STEP_S).astype(np.int64), 0, len(flags))
        for edge in (gestures.start_s, gestures.end_s)
    )
    return np.asarray(before[last] - before[first], np.float64)
