"""What a simulated person does in a call: when the eyes look away, blink, the mouth smiles, the head nods or turns.

A head that turns to the side is held there for a second while the eyes go on looking into the camera, as of somebody
whose window with the call is on a second screen: where the head points and where the eyes look are two things.

The mouth of somebody who speaks opens as loud as the vowels are, up to some 6 Hz, wider for one syllable than for the
next, and before they are heard. How long before: syllables in running speech are seen between 40 ms after and 200 ms
before they are heard, and the gesture that begins an utterance after a pause about 150 ms before (Schwartz & Savariaux
2014). Each quarter of a second here has a lead of its own, 100 ms in the mean with a spread of 40 (the middle of that
range, and what vsa sees in real talkers: 100 to 120 ms), or 150 with a spread of 20 after a pause.

Easier than people: opening and loudness of these agree more than a talker's do (r = 0.7 as `vsa.voice` measures it; 0.5
to 0.6 for real ones). Harder: lips close between syllables only as far as the voice falls; no consonant closes them.

Sources: Schwartz & Savariaux 2014, PLoS Comput Biol 10(7) e1003743; Chandrasekaran et al. 2009, PLoS Comput Biol 5(7)
e1000436 (opening and loudness).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

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
#: The same of somebody who also turns the head.
_TURNING_BLOCK_S = 14.0
_TURNING_DOINGS = (*_DOINGS[:2], ("head_turn", 1.9), *_DOINGS[2:])
_PAUSE_S = 0.3
_BLINK_DOWN_S, _BLINK_SHUT_S = 0.08, 0.05
_SMILE_RAMP_S = 0.4
_SACCADE_S = 0.06
_NOD_DEG, _NOD_CYCLES = 4.0, 2
_TURN_RAMP_S = 0.4
_TURN_DEG = (8.5, 10.0)  # with the sway at most what a still can be bent
#: The head goes along with a look away by this share.
_HEAD_SHARE = 0.3

_MOUTH_HZ = 100
_JAW_SMOOTH_S = 0.022  # standard deviation of what a jaw of about 6 Hz leaves of quicker changes
_VOWELS_HZ = (300.0, 3000.0)  # leaves out the voice's lowest part, which goes on with lips shut, and hisses
_QUIET_SHARE = 0.06  # of the loud speech's amplitude: breath and room
_LEAD_EVERY_S = 0.25  # leads differ by less than this, so that the mouth never runs backwards
_LEAD_S, _PREPARED_LEAD_S = (0.10, 0.04), (0.15, 0.02)  # mean and spread
_LEAD_RANGE_S = (-0.04, 0.2)
_PAUSE_BEFORE_S = 0.2  # a voice that was away for this long begins anew
_VOWEL_EVERY_S = 0.18
_VOWEL_OPENS = (0.5, 1.3)  # close and open ones


@dataclass(frozen=True)
class Event:
    """One thing that somebody does, from start to end, s.

    `toward` is where a look away or the head goes, yaw and pitch in degrees.
    """

    kind: str
    start: float
    end: float
    toward: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Part:
    """A person's part in a call.

    `wave` holds the phases of the sway, `fixations` the eyes' small jumps, `mouth` how far the speaking mouth is open
    (0-1, every 10 ms from 0 s; shut beyond).
    """

    events: tuple[Event, ...]
    wave: tuple[float, ...]
    fixations: tuple[tuple[float, float, float], ...]
    mouth: tuple[float, ...] = ()

    def state(self, t: float) -> PortraitState:
        """Pose, gaze, lids and mouth at `t` s: the head sways by about 2 degrees and 1% of its size."""
        sway = [
            math.sin(2 * math.pi * t / period + at) for period, at in zip(_PERIODS_S, self.wave, strict=True)
        ]
        away_yaw = away_pitch = smile = nod = turn = 0.0
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
            elif event.kind == "head_turn":
                turn = event.toward[0] * _smooth(min(since, left) / _TURN_RAMP_S)
            else:
                held = _smooth(min(since, left) / _SACCADE_S)
                away_yaw, away_pitch = (held * angle for angle in event.toward)
        jump_yaw, jump_pitch = next((y, p) for start, y, p in reversed(self.fixations) if start <= t)
        return PortraitState(
            gaze_yaw_deg=away_yaw + jump_yaw,
            gaze_pitch_deg=away_pitch + jump_pitch,
            lid_open=lid,
            smile=smile,
            head_yaw_deg=1.8 * sway[0] + _HEAD_SHARE * away_yaw + turn,
            head_pitch_deg=1.0 * sway[1] + _HEAD_SHARE * away_pitch + nod,
            head_roll_deg=1.2 * sway[2],
            shift_x_px=6.0 * sway[3],
            shift_y_px=3.0 * sway[4],
            scale=1 + 0.01 * sway[5],
            mouth_open=self._mouth_open(t),
        )

    def _mouth_open(self, t: float) -> float:
        at = t * _MOUTH_HZ
        k = int(at)
        if not 0 <= k < len(self.mouth) - 1:
            return 0.0
        return self.mouth[k] + (at - k) * (self.mouth[k + 1] - self.mouth[k])


_PERIODS_S = (5.3, 4.1, 7.9, 6.1, 3.7, 9.1)


def act(seconds: float, rng: np.random.Generator, *, head_turns: bool = False) -> Part:
    """Make up a part: per 12 s two looks away of about 25 degrees, three blinks, a smile and two nods in one go.

    With `head_turns` it is per 14 s, and the head turns to a side too.
    """
    lasts, doings = (_TURNING_BLOCK_S, _TURNING_DOINGS) if head_turns else (_BLOCK_S, _DOINGS)
    events: list[Event] = []
    for block in np.arange(0, seconds, lasts):
        events += _block(float(block), min(lasts, seconds - float(block)), doings, rng)
    starts = np.arange(0, seconds + 1, 0.7)
    fixations = [(float(s), float(rng.normal(0, 0.8)), float(rng.normal(0, 0.8))) for s in starts]
    wave = tuple(float(phase) for phase in rng.uniform(0, 2 * math.pi, len(_PERIODS_S)))
    return Part(tuple(events), wave, tuple(fixations))


def _block(
    start: float, seconds: float, doings: tuple[tuple[str, float], ...], rng: np.random.Generator
) -> list[Event]:
    """As many doings as there is room for, one after the other."""
    chosen: list[tuple[str, float]] = []
    room = seconds - _PAUSE_S
    for kind, lasts in doings:
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
        if kind == "head_turn":
            toward = (side * float(rng.uniform(*_TURN_DEG)), 0.0)
        elif kind != "look_away":
            toward = (0.0, 0.0)
        events.append(Event(kind, t, t + lasts, toward))
        t += lasts
    return events


def speak(part: Part, voice: NDArray[np.float32], rate_hz: int, rng: np.random.Generator) -> Part:
    """The same part with a mouth that says what is heard.

    Parameters
    ----------
    voice
        (n,), from 0 s of the call on, this person alone.
    rate_hz
        Samples a second.

    Returns
    -------
    Part. The other doings stay as they are. Whoever is silent keeps the mouth shut.
    """
    from scipy.ndimage import gaussian_filter1d

    loud = _loudness(voice, rate_hz)
    t = np.arange(len(loud)) / _MOUTH_HZ
    syllables = np.arange(0, t[-1] + 2 * _VOWEL_EVERY_S, _VOWEL_EVERY_S)
    vowels = np.interp(t, syllables, rng.uniform(*_VOWEL_OPENS, len(syllables)))
    jaw = gaussian_filter1d(loud * vowels, _JAW_SMOOTH_S * _MOUTH_HZ, mode="constant")
    opening = np.interp(t + _leads(t, loud, rng), t, jaw, right=0.0)
    return replace(part, mouth=tuple(float(x) for x in np.round(np.clip(opening, 0, 1), 4)))


def _loudness(voice: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """Of the vowels, 0 (silence) to 1 (loud speech), for each 10 ms."""
    from scipy.signal import butter, sosfiltfilt

    edges = np.arange(0, len(voice), rate_hz / _MOUTH_HZ).astype(int)
    band = butter(
        2, (_VOWELS_HZ[0], min(_VOWELS_HZ[1], 0.45 * rate_hz)), "bandpass", fs=rate_hz, output="sos"
    )
    power = np.add.reduceat(np.square(sosfiltfilt(band, voice)), edges)
    amplitude = np.sqrt(power / np.diff(np.append(edges, len(voice))))
    peak = float(amplitude.max())
    if peak == 0:
        return amplitude
    full = float(np.quantile(amplitude[amplitude > _QUIET_SHARE * peak], 0.9))
    return np.asarray(np.clip(amplitude / full - _QUIET_SHARE, 0, 1))


def _leads(
    t: NDArray[np.float64], loud: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """How long before the voice the mouth moves, s, at each time `t`."""
    sounding = np.flatnonzero(loud > 0)
    begins = t[sounding[np.diff(sounding, prepend=-len(loud)) > _PAUSE_BEFORE_S * _MOUTH_HZ]]
    anchors = np.arange(0, t[-1] + 2 * _LEAD_EVERY_S, _LEAD_EVERY_S)
    after = anchors[:, None] - begins + _LEAD_EVERY_S
    prepared = np.any((after > 0) & (after < 2 * _LEAD_EVERY_S), axis=1, keepdims=True)
    mean, spread = np.where(prepared, _PREPARED_LEAD_S, _LEAD_S).T
    lead = np.clip(rng.normal(mean, spread), *_LEAD_RANGE_S)
    return np.asarray(np.interp(t, anchors, lead))


def _lid(since: float, left: float) -> float:
    """Opening within a blink: the lid falls fast, stays down, and rises slowly."""
    if since < _BLINK_DOWN_S:
        return 1 - _smooth(since / _BLINK_DOWN_S)
    up = since + left - _BLINK_DOWN_S - _BLINK_SHUT_S
    return 1 - _smooth(left / up)


def _smooth(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
