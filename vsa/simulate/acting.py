"""What a simulated person does in a call: when the eyes look away, blink, when the mouth smiles and the head nods."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vsa.simulate.portraits import PortraitState

#: A stretch of call that holds each of these once, in random order: kind and duration, s.
_BLOCK_S = 12.0
_DOINGS: tuple[tuple[str, float], ...] = (
    ("blink", 0.28),
    ("look_away", 1.6),
    ("smile", 2.2),
    ("nod", 1.2),
    ("blink", 0.28),
    ("look_away", 1.4),
    ("blink", 0.28),
)
_PAUSE_S = 0.3
_BLINK_DOWN_S, _BLINK_SHUT_S = 0.08, 0.05
_SMILE_RAMP_S = 0.4
_SACCADE_S = 0.06
_NOD_DEG, _NOD_CYCLES = 4.0, 2
#: The head goes along with a look away by this share.
_HEAD_SHARE = 0.3


@dataclass(frozen=True)
class Event:
    """One thing that somebody does, from start to end, s.

    `toward` is where a look away goes, yaw and pitch in degrees.
    """

    kind: str
    start: float
    end: float
    toward: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Part:
    """A person's part in a call; `wave` holds the phases of the sway, and `fixations` the eyes' small jumps."""

    events: tuple[Event, ...]
    wave: tuple[float, ...]
    fixations: tuple[tuple[float, float, float], ...]

    def state(self, t: float) -> PortraitState:
        """Pose, gaze, lids and mouth at `t` s: the head sways by about 2 degrees and 1% of its size."""
        sway = [
            math.sin(2 * math.pi * t / period + at) for period, at in zip(_PERIODS_S, self.wave, strict=True)
        ]
        away_yaw = away_pitch = smile = nod = 0.0
        lid = 1.0
        for event in self.events:
            if not event.start <= t <= event.end:
                continue
            since, left = t - event.start, event.end - t
            if event.kind == "blink":
                lid = _lid(since, left)
            elif event.kind == "smile":
                smile = _smooth(min(since, left) / _SMILE_RAMP_S)
            elif event.kind == "nod":
                cycles = _NOD_CYCLES * since / (event.end - event.start)
                nod = -0.5 * _NOD_DEG * (1 - math.cos(2 * math.pi * cycles))
            else:
                held = _smooth(min(since, left) / _SACCADE_S)
                away_yaw, away_pitch = (held * angle for angle in event.toward)
        jump_yaw, jump_pitch = next((y, p) for start, y, p in reversed(self.fixations) if start <= t)
        return PortraitState(
            gaze_yaw_deg=away_yaw + jump_yaw,
            gaze_pitch_deg=away_pitch + jump_pitch,
            lid_open=lid,
            smile=smile,
            head_yaw_deg=1.8 * sway[0] + _HEAD_SHARE * away_yaw,
            head_pitch_deg=1.0 * sway[1] + _HEAD_SHARE * away_pitch + nod,
            head_roll_deg=1.2 * sway[2],
            shift_x_px=6.0 * sway[3],
            shift_y_px=3.0 * sway[4],
            scale=1 + 0.01 * sway[5],
        )


_PERIODS_S = (5.3, 4.1, 7.9, 6.1, 3.7, 9.1)


def act(seconds: float, rng: np.random.Generator) -> Part:
    """Make up a part: per 12 s two looks away of about 25 degrees, three blinks, a smile and two nods in one go."""
    events: list[Event] = []
    for block in np.arange(0, seconds, _BLOCK_S):
        events += _block(float(block), min(_BLOCK_S, seconds - float(block)), rng)
    starts = np.arange(0, seconds + 1, 0.7)
    fixations = [(float(s), float(rng.normal(0, 0.8)), float(rng.normal(0, 0.8))) for s in starts]
    wave = tuple(float(phase) for phase in rng.uniform(0, 2 * math.pi, len(_PERIODS_S)))
    return Part(tuple(events), wave, tuple(fixations))


def _block(start: float, seconds: float, rng: np.random.Generator) -> list[Event]:
    """As many doings as there is room for, one after the other."""
    chosen: list[tuple[str, float]] = []
    room = seconds - _PAUSE_S
    for kind, lasts in _DOINGS:
        if lasts + _PAUSE_S <= room:
            chosen.append((kind, lasts))
            room -= lasts + _PAUSE_S
    spare = room * rng.dirichlet(np.ones(len(chosen) + 1))
    events, t = [], start
    for k, n in enumerate(rng.permutation(len(chosen))):
        kind, lasts = chosen[n]
        t += _PAUSE_S + float(spare[k])
        side = 1 if rng.random() < 0.5 else -1
        toward = (side * float(rng.uniform(23, 27)), -float(rng.uniform(2, 8)))
        events.append(Event(kind, t, t + lasts, toward if kind == "look_away" else (0.0, 0.0)))
        t += lasts
    return events


def _lid(since: float, left: float) -> float:
    """Opening within a blink: the lid falls fast, stays down, and rises slowly."""
    if since < _BLINK_DOWN_S:
        return 1 - _smooth(since / _BLINK_DOWN_S)
    up = since + left - _BLINK_DOWN_S - _BLINK_SHUT_S
    return 1 - _smooth(left / up)


def _smooth(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
