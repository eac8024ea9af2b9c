"""Blinks: how often, how long, how evenly; and eyes that stay shut. `vsa.features.blinks` finds the blinks."""

from __future__ import annotations

import numpy as np

from vsa.features.blinks import LONGEST_S, NEEDED_RATE_HZ, find_blinks, open_level, openness
from vsa.features.episodes import Episodes, runs
from vsa.features.limits import (
    EVENTS_S,
    FEW,
    LEVEL_S,
    SEVERAL,
    enough,
    face_of,
    need_count,
    need_eyes,
    need_rate,
    voice_of,
)
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import BRIDGE_S, Flags, stretches

#: Pictures a second from which durations are measured: a blink takes four pictures or more.
DURATION_RATE_HZ = 24.0
#: Open by less than this share of the person's own open eye, an eye is shut.
SHUT_SHARE = 0.2
#: Below this lid opening no eye is open, whatever the person's own level.
_NEVER_OPEN = 0.2

_STEP_S = 0.05
_PICTURES = f"{NEEDED_RATE_HZ:.0f} new pictures a second"
_MINIMUM = f"{EVENTS_S:.0f} s with eyes that can be read, {_PICTURES}"
_RATES = (
    "10.5 to 32.5 a minute in conversation, 8 to 21 looking on in silence: Doughty 2001. Blinks cluster where speech "
    "pauses: Nakano & Kitazawa 2010."
)


@feature(
    "blink.rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=_MINIMUM,
    source="Stern, Walrath & Goldstein 1984 (durations); Soukupova & Cech 2016 (lid opening). In conversation "
    "10.5 to 32.5 a minute: Doughty 2001.",
)
def rate_per_min(session: Session, role: str) -> float:
    """Blinks per minute in which the eyes can be read."""
    face = face_of(session, role)
    need_rate(face, NEEDED_RATE_HZ)
    return len(find_blinks(face)) / (need_eyes(face, EVENTS_S) / 60)


@feature(
    "blink.rate_listening_per_min",
    unit="1/min",
    needs=("face", "voice"),
    minimum=f"{EVENTS_S:.0f} s of others' speech with eyes that can be read, {_PICTURES}",
    source=_RATES,
)
def rate_listening_per_min(session: Session, role: str) -> float:
    """Blinks per minute while somebody else speaks and this person does not."""
    voice_of(session, role)
    return _rate(session, role, session.listening(role), "eyes can be read in listening")


@feature(
    "blink.rate_speaking_per_min",
    unit="1/min",
    needs=("face", "voice"),
    minimum=f"{EVENTS_S:.0f} s of own speech with eyes that can be read, {_PICTURES}",
    source=_RATES,
)
def rate_speaking_per_min(session: Session, role: str) -> float:
    """Blinks per minute while this person speaks."""
    return _rate(session, role, voice_of(session, role).speaking, "eyes can be read in speech")


@feature(
    "blink.duration_median_s",
    unit="s",
    range=(0.0, LONGEST_S),
    needs=("face",),
    minimum=f"{FEW} blinks, {EVENTS_S:.0f} s with eyes that can be read, {DURATION_RATE_HZ:.0f} pictures a second",
    source="Stern, Walrath & Goldstein 1984. From half depth to half depth: Caffier, Erdmann & Ullsperger 2003.",
)
def duration_median_s(session: Session, role: str) -> float:
    """Median length of a blink, from half closed to half open again."""
    face = face_of(session, role)
    need_rate(face, DURATION_RATE_HZ)
    need_eyes(face, EVENTS_S)
    found = find_blinks(face)
    need_count(len(found), FEW, "blinks")
    return float(np.median(found.durations_s))


@feature(
    "blink.interval_cv",
    unit="1",
    range=(0.0, None),
    needs=("face",),
    minimum=f"{SEVERAL} intervals between blinks with eyes in view, {_MINIMUM}",
    source="Blink rate variability: Paprocki & Lenskiy 2017. 1 for blinks at random times, less for even ones, more in "
    "bursts.",
)
def interval_cv(session: Session, role: str) -> float:
    """Coefficient of variation of the times from one blink to the next, of those in which the eyes were in view."""
    face = face_of(session, role)
    need_rate(face, NEEDED_RATE_HZ)
    need_eyes(face, EVENTS_S)
    blinks = find_blinks(face)
    intervals = np.diff(blinks.peak_s)[_in_view(face, blinks)]
    need_count(len(intervals), SEVERAL, "intervals between blinks with the eyes in view")
    return float(np.std(intervals, ddof=1) / np.mean(intervals))


@feature(
    "blink.closed_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s with eyes that can be read",
    source="PERCLOS, time with lids over 80 % closed (Wierwille et al. 1994), here without blinks. A look far down can "
    "look the same from the front.",
)
def closed_share(session: Session, role: str) -> float:
    """Share of time with the eyes in view in which lids are shut for longer than a blink (0.5 s)."""
    face = face_of(session, role)
    need_eyes(face, LEVEL_S)
    level = open_level(face)
    if level < _NEVER_OPEN:
        raise TooLittle("the eyes are never seen open")
    parts = stretches(face.t, openness(face), face.eyes, step_s=_STEP_S)
    samples = sum(len(part.values) for part in parts)
    if not samples:
        raise TooLittle("the eyes are never in view without a break")
    shut = [b - a for part in parts for a, b in runs(part.values < SHUT_SHARE * level)]
    return float(sum(n for n in shut if n * _STEP_S > LONGEST_S)) / samples


def _rate(session: Session, role: str, when: Flags, what: str) -> float:
    """Blinks per minute of the time, on the voices' grid, in which something holds and eyes can be read."""
    face = face_of(session, role)
    need_rate(face, NEEDED_RATE_HZ)
    need_eyes(face, EVENTS_S)
    seconds = enough(face.seconds(face.eyes & session.at(when, face.t)), EVENTS_S, what)
    return int(session.at(when, find_blinks(face).peak_s).sum()) / (seconds / 60)


def _in_view(face: Face, blinks: Episodes) -> Flags:
    """Whether the eyes were in view, but for moments, from each blink to the next; shape (blinks - 1,)."""
    seen = face.t[face.eyes]
    holes = seen[:-1][np.diff(seen) > BRIDGE_S]
    before = np.searchsorted(holes, blinks.peak_s)
    return np.asarray(np.diff(before) == 0)
