"""One session of a simulated cohort at the level of signals: what two people do, and how the bond shows in it.

Nobody is filmed and nothing is heard: what people do is drawn as events and levels, and `vsa.simulate.cohort_tracks`
makes of them the rows that extraction would write. How much of it, and what of that goes with the bond, is in
`vsa.simulate.cohort_behaviour`.

What is easier here than in life: client and therapist talk as much and in the same way, events of one kind come at
random, what people do has little to do with who speaks (nods come while listening, heads move more in speech), no
silence lasts 3 s, nobody frowns, leans or changes the seat, and voices don't adapt to each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vsa.face.follow import Block
from vsa.simulate.cohort_behaviour import EFFECTS, PAIR, ROLES, Habits, draw_levels
from vsa.simulate.cohort_tracks import (
    Acts,
    Floats,
    Spans,
    face_rows,
    voice_track,
    wander,
    within,
)
from vsa.simulate.conversation import Conversation, plan_conversation
from vsa.voice.voice_track import VoiceTrack

_LATE_S = 0.5  # the last word falls so long before the end
_SPARE = 1.3  # so much more of the conversation is planned than may be needed
_ANSWER_S = (0.4, 1.6)  # after the other's smile began
_LIVELY_S = 1.5  # how fast the liveliness of the head changes
_LEAD_S = 1.0  # one may follow the other by so much
_POOR, _POOR_LOST = 0.03, 8.0  # sessions of poor recording: that many times as many stretches are lost


@dataclass(frozen=True, eq=False)
class SessionSignals:
    """What extraction would give for the two, by role.

    Attributes
    ----------
    faces
        Rows of ``face.parquet``.
    voices
        Of ``voice.parquet``; `participant` is the role.
    """

    faces: Mapping[str, Block]
    voices: Mapping[str, VoiceTrack]


def session_signals(
    bond_z: float,
    habits: Mapping[str, Habits],
    seconds: float,
    fps: float,
    rng: np.random.Generator,
    *,
    effects: Mapping[str, float] = EFFECTS,
) -> SessionSignals:
    """Draw what extraction would find in one session.

    Parameters
    ----------
    bond_z
        Its latent bond, standard normal over the cohort.
    habits
        Of both `ROLES`.
    seconds, fps
        Length, and pictures a second.
    rng
        Where chance comes from.
    effects
        As `EFFECTS`; ``{}`` for sessions in which nothing depends on the bond.

    Examples
    --------
    >>> from vsa.simulate.cohort_behaviour import draw_habits
    >>> rng = np.random.default_rng(1)
    >>> people = {role: draw_habits(rng) for role in ROLES}
    >>> drawn = session_signals(0.5, people, seconds=20, fps=12.5, rng=rng)
    >>> drawn.faces["client"].values.shape[0], len(drawn.voices["therapist"].speaking)
    (250, 2000)
    """
    levels_rng, talk_rng, smile_rng, move_rng, *own = rng.spawn(8)
    level = draw_levels(bond_z, habits, effects, levels_rng)
    t = np.arange(round(seconds * fps)) / fps
    spoken = _spoken(seconds, level, talk_rng)
    smiles = _smiles(seconds, level, smile_rng)
    lively = _lively(level[f"{PAIR}.coupling"], len(t), fps, move_rng)
    lost = _POOR_LOST if move_rng.random() < _POOR else 1.0
    faces, voices = {}, {}
    for role, other, own_rng, voice_rng in zip(ROLES, ROLES[::-1], own[:2], own[2:], strict=True):
        person = habits[role]
        acts = _acts(role, seconds, level, spoken[role], spoken[other], smiles[role], lost, own_rng)
        faces[role] = face_rows(t, acts, person.home_deg, person.face_px, person.luma, lively[role], own_rng)
        voices[role] = voice_track(role, seconds, spoken[role], person.f0_hz, person.syllables_hz, voice_rng)
    return SessionSignals(faces, voices)


def _spoken(seconds: float, level: Mapping[str, float], rng: np.random.Generator) -> dict[str, Spans]:
    """When each speaks: a planned conversation in which each leaves his or her own silence before turns."""
    talk = plan_conversation(_SPARE * seconds, int(rng.integers(2**31)), participants=ROLES)
    units = talk.units.assign(**{side: talk.units[side] + _moved(talk, level) for side in ("start", "end")})
    units = units[units["end"] <= seconds - _LATE_S]
    return {role: units.loc[units["participant"] == role, ["start", "end"]].to_numpy() for role in ROLES}


def _moved(talk: Conversation, level: Mapping[str, float]) -> Floats:
    """By how much each utterance comes later because silences before are longer, s."""
    factor = talk.transfers["participant"].map({role: level[f"{role}.pausing"] for role in ROLES})
    longer = talk.transfers["offset"].clip(lower=0) * (factor - 1)
    total = np.concatenate([[0.0], np.cumsum(longer.to_numpy(np.float64))])
    return np.asarray(total[np.searchsorted(talk.transfers["start"], talk.units["start"], side="right")])


def _smiles(seconds: float, level: Mapping[str, float], rng: np.random.Generator) -> dict[str, Spans]:
    """Smiles of each, of which some answer the other's."""
    begun = {role: _events(level[f"{role}.smiling"], seconds, rng, 2.8, 0.5) for role in ROLES}
    out = {}
    for role, other in zip(ROLES, ROLES[::-1], strict=True):
        asked = begun[other][:, 0]
        chance, late, lasts = (
            rng.random(len(asked)),
            rng.uniform(*_ANSWER_S, len(asked)),
            rng.random(len(asked)),
        )
        answers = (chance < level[f"{role}.answering"]) & ~within(asked, begun[role])
        starts = (asked + late)[answers]
        own = np.column_stack([starts, starts + 1.5 + 2.5 * lasts[answers]])
        out[role] = np.concatenate([begun[role], own])
    return out


def _lively(coupling: float, n: int, fps: float, rng: np.random.Generator) -> dict[str, Floats]:
    """How lively each head is over time, shape (n,), standard normal; partly the same for both, with a lag."""
    most = math.ceil(_LEAD_S * fps)
    shared = wander(n + most, _LIVELY_S * fps, rng)
    follows = dict.fromkeys(ROLES, 0) | {ROLES[int(rng.integers(2))]: int(rng.integers(most + 1))}
    return {
        role: math.sqrt(coupling) * shared[most - late : most - late + n]
        + math.sqrt(1 - coupling) * wander(n, _LIVELY_S * fps, rng)
        for role, late in follows.items()
    }


def _acts(
    role: str,
    seconds: float,
    level: Mapping[str, float],
    spoken: Spans,
    heard: Spans,
    smiles: Spans,
    lost: float,
    rng: np.random.Generator,
) -> Acts:
    looking, blinks, nods, others = rng.spawn(4)
    toward, away_s = level[f"{role}.looking"], 1.6
    away = _events(60 * (1 - toward) / away_s / toward, seconds, looking, away_s, 0.4)
    at = _events(level[f"{role}.nodding"], seconds, nods, 1.0, 0.25)
    return Acts(
        spoken=spoken,
        smiles=smiles,
        away=away,
        blinks=_events(level[f"{role}.blinking"], seconds, blinks)[:, 0],
        nods=at[within(at[:, 0], heard) & ~within(at[:, 0], spoken)],
        shakes=_events(0.4, seconds, others, 1.0, 0.25),
        brows=_events(1.5, seconds, others, 0.9, 0.3),
        lost=_events(0.2 * lost, seconds, others, 2.0, 0.6),
        moving=level[f"{role}.moving"],
    )


def _events(
    rate_per_min: float, seconds: float, rng: np.random.Generator, lasting_s: float = 0.1, spread: float = 0.0
) -> Spans:
    """Events at random that never overlap: exponential breaks, log-normal durations; start and end, s, (n, 2)."""
    often = rate_per_min / 60
    count = int(2 * seconds * often) + 30  # more than fit
    breaks = rng.exponential(1 / often, count)
    lasting = lasting_s * np.exp(spread * rng.standard_normal(count))
    ends = np.cumsum(breaks + lasting)
    inside = ends < seconds
    return np.column_stack([ends - lasting, ends])[inside]
