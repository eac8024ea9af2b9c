"""Smiling of one person: how much, how often, how strong, when, and whether the eyes take part."""

from __future__ import annotations

import numpy as np

from vsa.features.blinks import find_blinks
from vsa.features.limits import (
    EVENTS_S,
    FEW,
    LEVEL_S,
    SEVERAL,
    face_of,
    need_count,
    need_frontal,
    need_seconds,
)
from vsa.features.memo import once
from vsa.features.occasions import listens, speaks
from vsa.features.person import Face
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats, quantile
from vsa.features.smiles import ON, SHORTEST_S, find_smiles, need_smiles, whole

#: Eyes take part in a smile if `eyeSquint` is this much above what it is when the person doesn't smile. `cheekSquint`,
#: which the muscle round the eye moves too, stays at zero in these models. On the clip of a man who bares his teeth and
#: lifts his cheeks eyes narrow by 0.08; on one who smiles with the mouth alone they don't (-0.02).
NARROW = 0.06
#: Blinks narrow the eyes too: left out, with this much on each side.
BLINK_MARGIN_S = 0.1
#: Between smiles and what counts as unsmiling.
APART_S = 0.5


@feature(
    "face.smile_share",
    unit="share",
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
    return min(1.0, float(need_smiles(face).durations_s.sum()) / seconds)


@feature(
    "face.smile_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} s of the face from the front",
    source="As face.smile_share.",
)
def smile_rate_per_min(session: Session, role: str) -> float:
    """Smiles per minute with the face in view."""
    face = face_of(session, role)
    seconds = need_frontal(face, EVENTS_S)
    return len(need_smiles(face)) / (seconds / 60)


@feature(
    "face.smile_duration_median_s",
    unit="s",
    range=(SHORTEST_S, None),
    needs=("face",),
    minimum=f"{FEW} smiles seen from beginning to end",
    source="As face.smile_share.",
)
def smile_duration_median_s(session: Session, role: str) -> float:
    """Median duration of this person's smiles, of those that were seen from beginning to end."""
    face = face_of(session, role)
    durations_s = need_smiles(face).durations_s[whole(face)]
    need_count(len(durations_s), FEW, "smiles seen from beginning to end")
    return float(np.median(durations_s))


@feature(
    "face.smile_intensity_score",
    unit="score",
    needs=("face",),
    minimum=f"{FEW} smiles",
    source="As face.smile_share.",
)
def smile_intensity_score(session: Session, role: str) -> float:
    """Median strength of this person's smiles: highest score of the mouth corners above own neutral."""
    smiles = need_smiles(face_of(session, role))
    need_count(len(smiles), FEW, "smiles")
    return float(np.median(smiles.size))


@feature(
    "face.smile_listening_share",
    unit="share",
    needs=("face", "turns"),
    minimum=f"{LEVEL_S:.0f} s of the face from the front while listening",
    source="As face.smile_share; by turn: convention of this project.",
)
def smile_listening_share(session: Session, role: str) -> float:
    """Share of the time in which somebody else speaks and this person doesn't in which this person smiles."""
    face = face_of(session, role)
    return _share_of(face, listens(session, role, face.t), "the face is in view while this person listens")


@feature(
    "face.smile_speaking_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of the face from the front while speaking",
    source="As face.smile_share; by turn: convention of this project. Wide vowels can look like short smiles.",
)
def smile_speaking_share(session: Session, role: str) -> float:
    """Share of this person's speech during which this person smiles."""
    face = face_of(session, role)
    return _share_of(face, speaks(session, role, face.t), "the face is in view while this person speaks")


@feature(
    "face.duchenne_share",
    unit="share",
    needs=("face",),
    minimum=f"{SEVERAL} smiles in which the eyes can be read for half of the time, and {LEVEL_S:.0f} s without a smile",
    source="Cheek raiser with a smile: Ekman, Davidson & Friesen 1990. eyeSquint by "
    f"{NARROW} or more: convention of this project, set on two clips only.",
)
def duchenne_share(session: Session, role: str) -> float:
    """Share of this person's smiles in which the eyes narrow too, against own eyes without a smile, blinks left out."""
    face = face_of(session, role)
    need_smiles(face)
    own = face.own
    unsmiling = _unsmiling(own)
    need_seconds(own, unsmiling, LEVEL_S, "the eyes can be read without a smile")
    usual = quantile(_squint(own)[unsmiling], own.weights_s[unsmiling], 0.5)
    narrowed = narrowing(face) - usual
    narrowed = narrowed[np.isfinite(narrowed)]
    need_count(len(narrowed), SEVERAL, "smiles in which the eyes can be read")
    return float((narrowed >= NARROW).mean())


def narrowing(face: Face) -> Floats:
    """Median `eyeSquint` within each smile, 0-1, shape (smiles,); NaN where eyes can't be read for half of it."""
    smiles = find_smiles(face)
    squint = np.where(_open(face), _squint(face), np.nan)
    first = np.searchsorted(face.t, smiles.start_s, "left")
    last = np.searchsorted(face.t, smiles.end_s, "right")
    return np.array([_median(squint[a:b]) for a, b in zip(first, last, strict=True)], np.float64)


def _median(values: Floats) -> float:
    read = values[np.isfinite(values)]
    return float(np.median(read)) if len(read) and 2 * len(read) >= len(values) else float("nan")


@once
def _squint(face: Face) -> Floats:
    return (face.column("eyeSquintLeft") + face.column("eyeSquintRight")) / 2


@once
def _open(face: Face) -> Flags:
    """Where eyes can be read and don't blink, shape (n,)."""
    return face.eyes & ~find_blinks(face).covers(face.t, BLINK_MARGIN_S)


@once
def _unsmiling(face: Face) -> Flags:
    return _open(face) & ~find_smiles(face).covers(face.t, APART_S)


def _share_of(face: Face, when: Flags, what: str) -> float:
    """Share of the time for which something holds in which the person smiles."""
    when = when & face.frontal
    seconds = need_seconds(face, when, LEVEL_S, what)
    smiles = need_smiles(face)
    return face.seconds(when & smiles.covers(face.t)) / seconds
