"""Gaze and speech: toward the screen while listening and while speaking, and where turns begin and end."""

from __future__ import annotations

import numpy as np

from vsa.features import looks
from vsa.features.gaze import away, need_gaze, toward
from vsa.features.limits import LEVEL_S, SEVERAL, enough, face_of, need_count, turns_of, voice_of
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats
from vsa.voice.turns import TURN

#: Where a turn begins: its first second. Where it ends: the last moments.
BEGINNING_S, END_S = 1.0, 0.3

_KENDON = (
    "Kendon 1967: most long utterances began with the speaker looking away and ended with a look at the listener; not "
    "found at floor changes by Rutter, Stephenson, Ayling & White 1978."
)
_PICTURES = f"{looks.NEEDED_RATE_HZ:.0f} new pictures a second"
_LISTENERS = "Argyle & Cook 1976: listeners look more than speakers do (face to face). Cone as in gaze.on_screen_share."


@feature(
    "gaze.on_screen_speaking_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of own speech in which it can be told where the person looks",
    source=_LISTENERS,
)
def on_screen_speaking_share(session: Session, role: str) -> float:
    """Share of the time this person speaks in which gaze is within 12 degrees of the person's home direction."""
    return _share(
        session, role, voice_of(session, role).speaking, "it can be told where this person looks in speech"
    )


@feature(
    "gaze.on_screen_listening_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of others' speech in which it can be told where the person looks",
    source=_LISTENERS,
)
def on_screen_listening_share(session: Session, role: str) -> float:
    """Share of the time this person listens in which gaze is within 12 degrees of the person's home direction."""
    voice_of(session, role)
    heard = session.listening(role)
    return _share(session, role, heard, "it can be told where this person looks in listening")


@feature(
    "gaze.listening_speaking_difference",
    unit="difference",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of own and of others' speech in which it can be told where the person looks",
    source=_LISTENERS,
)
def listening_speaking_difference(session: Session, role: str) -> float:
    """How much more the person looks toward the screen while listening than while speaking, as a share of the time."""
    return on_screen_listening_share(session, role) - on_screen_speaking_share(session, role)


@feature(
    "gaze.away_at_turn_start_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{SEVERAL} own turns of a second or longer whose first second is in view, {_PICTURES}",
    source=_KENDON,
)
def away_at_turn_start_share(session: Session, role: str) -> float:
    """Share of own turns of a second or longer in whose first second the person looks away for 0.3 s or longer."""
    starts, _ = _long_turns(session, role)
    seen = _within(session, role, starts, BEGINNING_S)
    known = (seen != looks.UNKNOWN).all(1)
    need_count(int(known.sum()), SEVERAL, "own turns with their first second in view")
    away_s = (seen[known] == looks.AWAY).sum(1) * looks.STEP_S
    return float(np.mean(away_s >= looks.SHORTEST_S - 1e-9))


@feature(
    "gaze.back_at_turn_end_share",
    unit="share",
    needs=("face", "voice"),
    minimum=f"{SEVERAL} own turns of a second or longer with a look away, whose end is in view, {_PICTURES}",
    source=_KENDON,
)
def back_at_turn_end_share(session: Session, role: str) -> float:
    """Share of own turns with a look away, of a second or longer, at whose end the person looks toward the screen."""
    starts, ends = _long_turns(session, role)
    last = _within(session, role, ends - END_S, END_S)
    known = (last != looks.UNKNOWN).all(1)
    used = known & _looked_away(session, role, starts, ends)
    need_count(int(used.sum()), SEVERAL, "own turns with a look away and their end in view")
    return float(np.mean((last[used] == looks.TOWARD).mean(1) > 0.5))


def _share(session: Session, role: str, when: Flags, what: str) -> float:
    """Toward the screen, of the time on the voices' grid in which something holds."""
    face = face_of(session, role)
    need_gaze(face, LEVEL_S)
    during = session.at(when, face.t)
    seconds = enough(face.seconds(during & (toward(face) | away(face))), LEVEL_S, what)
    return face.seconds(during & toward(face)) / seconds


def _long_turns(session: Session, role: str) -> tuple[Floats, Floats]:
    """Beginnings and ends of own turns that last `BEGINNING_S` or longer, s."""
    voice_of(session, role)
    need_gaze(face_of(session, role), LEVEL_S)
    turns = turns_of(session).turns
    own = turns[(turns["participant"] == role) & (turns["kind"] == TURN)]
    own = own[own["end"] - own["start"] >= BEGINNING_S]
    need_count(len(own), SEVERAL, f"own turns of {BEGINNING_S:.0f} s or longer")
    return own["start"].to_numpy(np.float64), own["end"].to_numpy(np.float64)


def _within(session: Session, role: str, from_s: Floats, seconds: float) -> looks.Codes:
    """Where the person looks in the time after each moment, shape (n, samples)."""
    after_s = looks.STEP_S * (np.arange(round(seconds / looks.STEP_S)) + 0.5)
    return looks.at(face_of(session, role), from_s[:, None] + after_s)


def _looked_away(session: Session, role: str, starts: Floats, ends: Floats) -> Flags:
    """Whether there is a look away between each beginning and end."""
    grid = np.arange(starts.min(), ends.max(), looks.STEP_S)
    count = np.concatenate([[0], np.cumsum(looks.at(face_of(session, role), grid) == looks.AWAY)])
    away_s = (count[np.searchsorted(grid, ends)] - count[np.searchsorted(grid, starts)]) * looks.STEP_S
    return np.asarray(away_s >= looks.SHORTEST_S - 1e-9)
