"""How much the sound speaks for a mouth: log-likelihood ratios of lips and envelope, and their offset in time.

*Agreement.* The movement of a mouth and the envelope of the sound, each less its mean and over its spread of the last
and next second, are taken as jointly normal with correlation `CORRELATION` when the mouth makes the sound, and as
independent when it does not (Hershey & Movellan 1999 locate sounds by the same measure). Their log-likelihood ratio is
evidence in nats, for or against, that adds up over time. Neighbouring values repeat each other, so each step counts
for as much as it brings news: the product of the two autocorrelations (Bartlett 1946) says how long news takes.

*Movement.* A mouth that moves less than a speaking one is evidence against it. A mouth that moves is hardly evidence
for it: people smile, chew, yawn, and talk while muted.

*Offset.* Lips lead the voice by nature, by -40 to 200 ms in running speech (Schwartz & Savariaux 2014). `LEAD_S` is
what real talkers showed here (100 to 120 ms between this opening and this envelope); what is left over is the offset of
the recording.

Sources: Hershey & Movellan 1999, NIPS 12; Bartlett 1946, J R Stat Soc Suppl 8; Schwartz & Savariaux 2014, PLoS Comput
Biol 10(7) e1003743.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.voice.activity import STEP_S

Floats = npt.NDArray[np.float32]

#: Correlation of a talker's movement and envelope, both against the local mean and spread. Measured on two talkers:
#: 0.50 (a face of 200 px, 25 pictures a second) and 0.60 (45 px, 12 a second).
CORRELATION = 0.55
#: Lips before voice in a recording without offset.
LEAD_S = 0.11
#: The search for the offset reaches this far to either side.
LONGEST_OFFSET_S = 0.4

_WINDOW_S = 0.75  # standard deviation of the window for mean and spread
_OPENING_FLOOR = 0.05  # less spread than this is the face model's noise
_SPEED_FLOOR = 0.5
_MOVEMENT_FLOOR = 0.5
_SPEED_SHARE = 0.3
_ENVELOPE_FLOOR_SHARE = 0.15
_CLIP = 2.5
_NEWS_S = (0.06, 0.3)
_NEWS_REACH_S = 1.0

_SPEED_WINDOW_S = 0.2
_STILL_SPEED = (0.25, 0.55)  # median per second, and spread of its logarithm
_SPEAKING_SPEED = (1.7, 0.5)
_LEAST_SPEAKING_SPEED = 0.7
_STILL_NEWS_S = 0.5
_MOST_FOR = 0.1  # nats per piece of news: movement that is not speech goes on for seconds
_MOST_AGAINST = 2.0  # ... a mouth may be hidden or hardly move

_BLOCK_S = 0.5  # in longer ones turns change, and a mouth that rests for half of one speaks against all of it
_SAME_BLOCK = 0.8 ** (_BLOCK_S / 2.0)  # 0.8 in 2 s
_OFFSET_PRIOR_S = 0.2
#: Less evidence than this may be chance: some ten offsets that differ are tried, log 10.
LEAST_OFFSET_EVIDENCE = 2.3
#: Offsets that are tried, seconds.
OFFSETS_S: npt.NDArray[np.float64] = np.round(
    np.arange(-LONGEST_OFFSET_S, LONGEST_OFFSET_S + STEP_S / 2, STEP_S), 2
)


@dataclass(frozen=True, eq=False)
class Aligned:
    """Mouths and sound at the same time: the lead of lips and the recording's offset are taken out.

    Attributes
    ----------
    offset_s
        How much later the sound is than the picture; NaN if it could not be measured (0 was used).
    steps
        By how much the mouths were delayed.
    movements, moving
        Of each mouth, from `standardized_movement` and `moves`, (m,).
    sound
        From `standardized_envelope`, (m,).
    """

    offset_s: float
    steps: int
    movements: list[Floats]
    moving: list[Floats]
    sound: Floats

    def evidence(self, *mouths: int) -> Floats:
        """For these mouths making the sound together, in nats per step, (m,); NaN where one is not seen."""
        together = sum(self.movements[k] for k in mouths) / np.float32(np.sqrt(len(mouths)))
        together = np.asarray(together, np.float32)
        fits = agreement(together, self.sound, news_time_s(together, self.sound))
        return np.asarray(fits + sum(self.moving[k] for k in mouths), np.float32)


def aligned(lips: Sequence[Floats], envelope: Floats, heard: Floats) -> Aligned:
    """Bring mouths and sound to the same time.

    Parameters
    ----------
    lips
        Opening and its speed for each mouth, (m, 2).
    envelope
        From `vsa.voice.lips.speech_envelope`, (m,).
    heard
        Probability that somebody speaks, (m,); no NaN.
    """
    sound = standardized_envelope(np.nan_to_num(np.asarray(envelope, np.float32)), heard)
    movements = [standardized_movement(lip) for lip in lips]
    moving = [moves(lip[:, 1], heard) for lip in lips]
    offset_s = sound_offset_s(movements, moving, sound, heard)
    steps = round((LEAD_S + (offset_s if np.isfinite(offset_s) else 0.0)) / STEP_S)
    return Aligned(
        offset_s,
        steps,
        [delayed(movement, steps) for movement in movements],
        [delayed(moves_, steps) for moves_ in moving],
        sound,
    )


def standardized(values: Floats, floor: float) -> Floats:
    """Values less their local mean, over their local spread (at least `floor`); NaN stays NaN. Shape (m,)."""
    known = np.isfinite(values)
    weight = np.maximum(_smooth(known, _WINDOW_S), 1e-6)

    def local(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(_smooth(np.where(known, x, 0.0), _WINDOW_S) / weight)

    centred = values - local(values.astype(np.float64))
    spread = np.sqrt(np.maximum(local(np.square(centred)), 0.0))
    return np.asarray(np.clip(centred / np.maximum(spread, floor), -_CLIP, _CLIP), np.float32)


def _smooth(x: npt.NDArray[Any], sigma_s: float) -> npt.NDArray[np.float64]:
    """Three running means, which are a Gaussian to within 3 % and take no longer for a wide one; 0 beyond the ends."""
    from scipy.ndimage import uniform_filter1d

    width = max(1, round(np.sqrt(4 * (sigma_s / STEP_S) ** 2 + 1)))
    out = x.astype(np.float64)
    for _ in range(3):
        out = uniform_filter1d(out, width, mode="constant")
    return np.asarray(out)


def standardized_movement(lips: Floats) -> Floats:
    """What of a mouth goes with the envelope: mostly how far it is open, a little how fast it moves.

    Parameters
    ----------
    lips
        Opening and its speed, (m, 2).

    Returns
    -------
    Without unit, (m,); NaN where `lips` is.
    """
    opening = standardized(lips[:, 0], _OPENING_FLOOR)
    speed = standardized(np.abs(lips[:, 1]), _SPEED_FLOOR)
    return standardized(opening + np.float32(_SPEED_SHARE) * speed, _MOVEMENT_FLOOR)


def standardized_envelope(envelope: Floats, speech: Floats) -> Floats:
    """`standardized` for an envelope; its floor follows the level of the session's speech (probability, (m,))."""
    loud = envelope[speech > 0.5]
    floor = _ENVELOPE_FLOOR_SHARE * float(loud.std()) if len(loud) else 0.0
    return standardized(envelope, max(floor, 1e-6))


def delayed(values: Floats, steps: int) -> Floats:
    """Values moved later by a number of steps (earlier if negative), NaN where nothing is known. Shape (m, ...)."""
    out = np.full_like(values, np.nan)
    n = len(values)
    if 0 <= steps < n:
        out[steps:] = values[: n - steps]
    elif -n < steps < 0:
        out[:steps] = values[-steps:]
    return out


def agreement(movement: Floats, sound: Floats, news_s: float) -> Floats:
    """Evidence per step that this mouth makes this sound, in nats; NaN where the mouth is not seen.

    Parameters
    ----------
    movement, sound
        From `standardized_movement` and `standardized_envelope`, at the same time, shape (m,).
    news_s
        From `news_time_s`.
    """
    r2 = CORRELATION**2
    fit = r2 * (sound**2 + movement**2) - 2 * CORRELATION * sound * movement
    return np.asarray((-0.5 * np.log1p(-r2) - fit / (2 * (1 - r2))) * (STEP_S / news_s), np.float32)


def news_time_s(movement: Floats, sound: Floats) -> float:
    """Seconds in which movement and sound bring one independent pair of values."""
    q, e = np.nan_to_num(movement), np.nan_to_num(sound)
    spread = float(q @ q) * float(e @ e)
    if not spread:
        return _NEWS_S[1]
    lags = range(1, min(len(q), round(_NEWS_REACH_S / STEP_S)))
    both = sum(float(q[k:] @ q[:-k]) * float(e[k:] @ e[:-k]) for k in lags) / spread
    return float(np.clip(STEP_S * (1 + 2 * both), *_NEWS_S))


def moves(speed: Floats, speech: Floats) -> Floats:
    """Evidence per step that this mouth moves as speaking ones do, in nats; NaN where it is not seen.

    Much against one that hardly moves, little for one that does.

    How fast a speaking mouth moves is learned from the person: people who mumble, or are small in the picture, move
    less.

    Parameters
    ----------
    speed
        Of the opening, per second, shape (m,).
    speech
        Probability that somebody speaks, shape (m,).
    """
    known = np.isfinite(speed)
    weight = np.maximum(_smooth(known, _SPEED_WINDOW_S), 1e-6)
    power = _smooth(np.where(known, speed, 0.0) ** 2, _SPEED_WINDOW_S) / weight
    level = 0.5 * np.log(np.maximum(power, 1e-6))
    heard = level[known & (speech > 0.5)]
    lively = float(np.quantile(heard, 0.8)) if len(heard) else np.log(_SPEAKING_SPEED[0])
    speaking = np.clip(lively, np.log(_LEAST_SPEAKING_SPEED), np.log(_SPEAKING_SPEED[0]))
    against = _log_normal(level, speaking, _SPEAKING_SPEED[1]) - _log_normal(
        level, np.log(_STILL_SPEED[0]), _STILL_SPEED[1]
    )
    # Beyond the centres the nearer one wins, whatever the spreads say.
    against = np.where(level >= speaking, _MOST_FOR, np.clip(against, -_MOST_AGAINST, _MOST_FOR))
    return np.asarray(np.where(known, against * (STEP_S / _STILL_NEWS_S), np.nan), np.float32)


def _log_normal(x: npt.NDArray[np.float64], mean: float, spread: float) -> npt.NDArray[np.float64]:
    return np.asarray(-0.5 * ((x - mean) / spread) ** 2 - np.log(spread))


def sound_offset_s(
    movements: Sequence[Floats], moving: Sequence[Floats], sound: Floats, speech: Floats
) -> float:
    """How much later the sound is than the picture, seconds, within `LONGEST_OFFSET_S`.

    Every half second is spoken by one of the mouths or by somebody off camera, mostly by whoever spoke in the one
    before; the offset is the one that makes all of the sound most likely, with a weak preference for small ones.

    Parameters
    ----------
    movements
        From `standardized_movement`, each (m,).
    moving
        From `moves`, each (m,).
    sound
        From `standardized_envelope`, (m,).
    speech
        Probability that somebody speaks, (m,).

    Returns
    -------
    NaN when no mouth follows the sound at any offset.
    """
    scores = offset_scores(movements, moving, sound, speech)
    best = int(np.argmax(scores))
    if scores[best] < LEAST_OFFSET_EVIDENCE:
        return float("nan")
    return float(OFFSETS_S[best])


def offset_scores(
    movements: Sequence[Floats], moving: Sequence[Floats], sound: Floats, speech: Floats
) -> npt.NDArray[np.float64]:
    """Log-likelihood of each of `OFFSETS_S`, against no mouth having to do with the sound; nats."""
    heard = speech > 0.5
    starts = np.arange(0, len(speech), round(_BLOCK_S / STEP_S))
    evidence = np.zeros((len(OFFSETS_S), len(starts), len(movements) + 1))
    for j, (movement, alive) in enumerate(zip(movements, moving, strict=True)):
        news_s = news_time_s(movement, sound)
        for n, offset in enumerate(OFFSETS_S):
            moved = delayed(movement, round((offset + LEAD_S) / STEP_S))
            fits = agreement(moved, sound, news_s) + alive
            evidence[n, :, j] = np.add.reduceat(np.where(heard, np.nan_to_num(fits), 0.0), starts)
    k = len(movements) + 1
    same, anybody = np.log(_SAME_BLOCK), np.log((1 - _SAME_BLOCK) / k)
    total = np.full((len(OFFSETS_S), k), -np.log(k))
    for block in range(len(starts)):
        before = np.logaddexp.reduce(total, axis=1, keepdims=True)
        total = np.logaddexp(total + same, before + anybody) + evidence[:, block]
    return np.asarray(np.logaddexp.reduce(total, axis=1) - 0.5 * (OFFSETS_S / _OFFSET_PRIOR_S) ** 2)
