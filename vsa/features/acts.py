"""Single acts of the face: raised and lowered brows, pressed lips, the jaw.

Thresholds are conventions of this project. Raised brows were looked at picture by picture on a real clip; no clip with
a plain frown was at hand, so frowns are checked on made signals only.
"""

from __future__ import annotations

import numpy as np

from vsa.features.episodes import Episodes, above, together
from vsa.features.limits import EVENTS_S, LEVEL_S, face_of, need_frontal, need_seconds
from vsa.features.memo import once
from vsa.features.occasions import keeps_silent, speaks
from vsa.features.own_neutral import above_neutral, need_scores, upright
from vsa.features.person import Face
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats, stretches
from vsa.features.smiles import find_smiles

#: An act begins this much above neutral, ends this much above it, and lasts this long; a shorter break is none.
ON, OFF = 0.15, 0.09
SHORTEST_S = 0.2
BRIDGE_S = 0.3
BROWS_UP = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
BROWS_DOWN = ("browDownLeft", "browDownRight")
LIPS = ("mouthPressLeft", "mouthPressRight")

_STEP_S = 0.02
_LEVEL = "the face is in view from the front at its usual pitch"


@feature(
    "face.brow_raise_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} s of the face from the front, the head at its usual pitch",
    source=f"Inner and outer brow raiser (action units 1 and 2), mean score {ON} above own neutral: convention of this "
    "project.",
)
def brow_raise_rate_per_min(session: Session, role: str) -> float:
    """How often this person raises the brows, per minute with the face in view and the head at its usual pitch."""
    face = face_of(session, role)
    need_scores(face, BROWS_UP)
    seconds = need_seconds(face, upright(face), EVENTS_S, _LEVEL)
    return len(brow_raises(face)) / (seconds / 60)


@feature(
    "face.brow_raise_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front, the head at its usual pitch",
    source="As face.brow_raise_rate_per_min.",
)
def brow_raise_share(session: Session, role: str) -> float:
    """Share of time in which this person's brows are raised, with the face in view and the head at its usual pitch."""
    face = face_of(session, role)
    need_scores(face, BROWS_UP)
    return _share(face, brow_raises(face))


@feature(
    "face.frown_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front, the head at its usual pitch",
    source=f"Brow lowerer (action unit 4), {ON} above own neutral: convention of this project. Scowls and alliance: "
    "PsyArXiv b2a87 (their synchrony, not their share).",
)
def frown_share(session: Session, role: str) -> float:
    """Share of time in which this person's brows are lowered, with the face in view and the head at its usual pitch."""
    face = face_of(session, role)
    need_scores(face, BROWS_DOWN)
    return _share(face, frowns(face))


@feature(
    "face.lip_press_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of the face from the front without own speech, the head at its usual pitch",
    source=f"Lip presser (action unit 24), mouthPress {ON} above own neutral: convention of this project. Lips close "
    "in speech, and smiles score as pressed: neither counts.",
)
def lip_press_share(session: Session, role: str) -> float:
    """Share of the time in which this person doesn't speak in which the lips are pressed together, smiles aside."""
    face = face_of(session, role)
    need_scores(face, LIPS)
    silent = keeps_silent(session, role, face.t) & upright(face)
    seconds = need_seconds(face, silent, LEVEL_S, "the face is in view while this person is silent")
    pressed = lip_presses(face).covers(face.t) & ~find_smiles(face).covers(face.t, BRIDGE_S)
    return face.seconds(silent & pressed) / seconds


@feature(
    "face.jaw_open_sd_score",
    unit="score",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front",
    source="Mouth openness as in OpenWillis, on the score jawOpen.",
)
def jaw_open_sd_score(session: Session, role: str) -> float:
    """Standard deviation of the score jawOpen: how much the jaw moves, in speech mostly."""
    face = face_of(session, role)
    need_frontal(face, LEVEL_S)
    return _spread(face, "jawOpen", face.frontal)


@feature(
    "face.jaw_speaking_sd_score",
    unit="score",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of the face from the front while speaking",
    source="As face.jaw_open_sd_score, during speech as in OpenWillis.",
)
def jaw_speaking_sd_score(session: Session, role: str) -> float:
    """Standard deviation of the score jawOpen while this person speaks: how wide articulation is."""
    face = face_of(session, role)
    when = speaks(session, role, face.t) & face.frontal
    need_seconds(face, when, LEVEL_S, "the face is in view while this person speaks")
    return _spread(face, "jawOpen", when)


@once
def brow_raises(face: Face) -> Episodes:
    """Raised brows; `size` is the highest mean score above neutral, 0-1."""
    return _episodes(face, BROWS_UP)


@once
def frowns(face: Face) -> Episodes:
    """Lowered brows; `size` as above."""
    return _episodes(face, BROWS_DOWN)


@once
def lip_presses(face: Face) -> Episodes:
    """Lips pressed together, also in speech and smiles; `size` as above."""
    return _episodes(face, LIPS)


def _episodes(face: Face, names: tuple[str, ...]) -> Episodes:
    score: Floats = above_neutral(face, names).mean(1)
    parts = stretches(face.t, score, upright(face), step_s=_STEP_S, shortest_s=SHORTEST_S)
    return together(above(part, ON, OFF, shortest_s=SHORTEST_S, bridge_s=BRIDGE_S) for part in parts)


def _share(face: Face, episodes: Episodes) -> float:
    seconds = need_seconds(face, upright(face), LEVEL_S, _LEVEL)
    return min(1.0, float(episodes.durations_s.sum()) / seconds)


def _spread(face: Face, name: str, when: Flags) -> float:
    need_scores(face, [name])
    weights, values = face.weights_s[when], face.column(name)[when]
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
