"""Speech activity: where in a track somebody speaks (Silero VAD, a whole track in a few calls of ONNX Runtime).

Silero gives one probability for every 32 ms, from the 36 ms that end with it and from all that came before
(Silero Team 2024, MIT). Here they are laid on a grid of 10 ms. Its fall comes about 0.1 s after the voice has ended, so
each fall is moved back to where the sound drops towards the room's noise, if there is such a drop. Its rise is mostly
exact to about 10 ms, but with noise behind it a first syllable may pass before it is sure; so each rise is moved back
to where the sound that it is part of began, if it began shortly before and sounded a little like speech.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa import assets
from vsa.media.pcm import Samples, pieces
from vsa.voice.onnx import onnxruntime

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

MODEL = "silero_vad_16k_sequence.onnx"
RATE_HZ = 16_000
#: Step of the grid on which the voice room works; step k covers k x 10 ms to (k + 1) x 10 ms from sample 0.
STEP_S = 0.01
#: Speech begins where the probability reaches `ENTER` and goes on until it falls below `LEAVE`: Silero's own
#: thresholds (0.5, and 0.15 less).
ENTER = 0.5
LEAVE = 0.35
#: Speech shorter than this is a click or a lip smack, s; a short "mm" lasts about 0.15 s.
SHORTEST_S = 0.08

_FRAME, _CONTEXT = 512, 64
_BLOCK = 1024  # frames in one call: 33 s, 2.4 MB
_STEP = round(STEP_S * RATE_HZ)
#: Silero misses speech below about -55 dB: tracks whose loud steps lie below this are lifted to it, dB re full scale.
_LOUD_DB = -26.0
_MOST_GAIN_DB = 40.0
#: How far before the end of a fall the voice can have ended, s.
_RELEASE_S = 0.3
#: A voice has ended where the level lies this far below the loud steps of the last second, dB, ...
_DROP_DB = 25.0
#: ... or within this of the noise behind it, dB, or within 0.4 of what speech stands out of the noise there.
_ABOVE_NOISE_DB = 6.0
_ENOUGH = 10  # steps of noise that tell its level
_ENDED = 0.9 * LEAVE
#: How far before a rise the voice can have begun, s, ...
_ATTACK_S = 0.35
#: ... if the sound since then is loud for this share of the time, and speech with this probability (mean).
_LOUD_SHARE, _MAYBE = 0.6, 0.03


@dataclass(frozen=True)
class Activity:
    """Probability that somebody speaks.

    Attributes
    ----------
    step_s
        Time between two values, s.
    probability
        (m,), 0-1; value k is for the time from k to k + 1 steps after the track's first sample.
    """

    step_s: float
    probability: Floats


def speech_probability(samples: Samples) -> Activity:
    """Probability of speech on a grid of 10 ms.

    Parameters
    ----------
    samples
        (n,) at 16 kHz. Samples that are no numbers count as silence; a constant offset and a low recording level
        don't matter.

    Returns
    -------
    Activity
        ceil(n / 160) values, 0-1.

    Raises
    ------
    ModelMissingError
        When the pretrained file is not on this machine.
    """
    steps = step_count(len(samples))
    if steps == 0:
        return Activity(STEP_S, np.zeros(0, np.float32))
    level = _level_db(samples)
    framed = _silero(samples, _gain(level))
    centres = (np.arange(len(framed)) + 0.5) * _FRAME / _STEP - 0.5
    smooth = np.interp(np.arange(steps), centres, framed).astype(np.float32)
    return Activity(STEP_S, _begun(_released(smooth, level), level))


def speaking(
    probability: Floats, *, enter: float = ENTER, leave: float = LEAVE, shortest_s: float = SHORTEST_S
) -> Bools:
    """Where somebody speaks, with hysteresis.

    Parameters
    ----------
    probability
        (m,) on the 10 ms grid; NaN counts as no speech.
    enter, leave
        Speech begins at `enter` or more and lasts until the probability falls below `leave`.
    shortest_s
        Speech shorter than this doesn't count, s.

    Returns
    -------
    bool array (m,)
    """
    begins, holds = probability >= enter, probability >= leave
    decided = np.where(begins | ~holds, np.arange(len(probability)), 0)
    inside = begins[np.maximum.accumulate(decided)] if len(decided) else begins
    for start, end in stretches(inside):
        if (end - start) * STEP_S < shortest_s - 1e-9:
            inside[start:end] = False
    return inside


def stretches(inside: Bools) -> npt.NDArray[np.intp]:
    """First index and index after the last of each run of true values, (k, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
    return edges.reshape(-1, 2)


def step_count(samples: int) -> int:
    """Steps of 10 ms that hold so many samples at 16 kHz; the last may be incomplete."""
    return -(-samples // _STEP)


def _level_db(samples: Samples) -> Floats:
    """Level of each 10 ms (RMS, dB re full scale, at least -120), of what changes: without offset and rumble."""
    out = np.empty(step_count(len(samples)), np.float32)
    piece = 6000 * _STEP
    for start in range(0, len(samples), piece):
        # differences weigh the band of consonants as much as that of vowels, and leave out what is constant
        x = np.nan_to_num(samples[max(0, start - 1) : start + piece], posinf=0.0, neginf=0.0)
        x = np.diff(x, prepend=x[:1]) if start == 0 else np.diff(x)
        x = np.pad(x, (0, -len(x) % _STEP)).reshape(-1, _STEP)
        power = np.maximum(np.mean(x * x, axis=1), 1e-12)
        out[start // _STEP : start // _STEP + len(power)] = 10 * np.log10(power)
    return out


def _gain(level: Floats) -> float:
    """Factor that lifts a quiet track to where Silero hears speech; 1 for others."""
    lift_db = _LOUD_DB - float(np.percentile(level, 99.5))
    return float(10 ** (np.clip(lift_db, 0.0, _MOST_GAIN_DB) / 20))


def _silero(samples: Samples, gain: float) -> Floats:
    """Probability for each 32 ms."""
    net = _session()
    h = c = np.zeros((1, 1, 128), np.float32)
    found = []
    for frames in _frames(samples, gain):
        probability, h, c = net.run(None, {"input": frames, "h": h, "c": c})
        found.append(probability)
    return np.concatenate(found)


def _frames(samples: Samples, gain: float) -> Iterator[Floats]:
    """The track in blocks of frames, each with the end of the frame before it: (<=block, 576)."""
    before = np.zeros(_CONTEXT, np.float32)
    offset = _offset(samples)
    for start in range(0, len(samples), _BLOCK * _FRAME):
        x = np.asarray(samples[start : start + _BLOCK * _FRAME], np.float32)
        x = np.nan_to_num(x - np.float32(offset), posinf=0.0, neginf=0.0)
        x = np.clip(x * np.float32(gain), -1.0, 1.0)
        x = np.concatenate([before, x, np.zeros(-len(x) % _FRAME, np.float32)])
        before = x[-_CONTEXT:]
        windows = np.lib.stride_tricks.sliding_window_view(x, _CONTEXT + _FRAME)[::_FRAME]
        yield np.ascontiguousarray(windows)


def _offset(samples: Samples) -> float:
    total, count = 0.0, 0
    for x in pieces(samples):
        good = x[np.isfinite(x)]
        total, count = total + float(good.sum(dtype=np.float64)), count + len(good)
    return total / count if count else 0.0


def _released(probability: Floats, level: Floats) -> Floats:
    """Move each fall back to where the voice ends; see the module's docstring."""
    out = probability.copy()
    back, second = round(_RELEASE_S / STEP_S), round(1.0 / STEP_S)
    soft = _softened(level)
    for start, end in stretches(probability >= LEAVE):
        loud = float(np.percentile(soft[max(start, end - second) : end], 80))
        noise = float(np.median(soft[end : end + back])) if end + _ENOUGH <= len(soft) else -np.inf
        limit = loud - _DROP_DB
        if loud - noise >= _ABOVE_NOISE_DB:
            limit = max(limit, noise + min(_ABOVE_NOISE_DB, 0.4 * (loud - noise)))
        tail = np.arange(max(start, end - back), end)
        heard = np.flatnonzero(soft[tail] >= limit)
        ended = tail[heard[-1]] + 1 if len(heard) else tail[0]
        out[ended:end] = np.minimum(out[ended:end], _ENDED)
    return out


def _begun(probability: Floats, level: Floats) -> Floats:
    """Move each rise back to where the sound begins; see the module's docstring."""
    out = probability.copy()
    back, second = round(_ATTACK_S / STEP_S), round(1.0 / STEP_S)
    soft = _softened(level)
    for start, end in stretches(probability >= ENTER):
        if start < back + _ENOUGH:
            continue
        loud = float(np.percentile(soft[start : min(end, start + second)], 80))
        noise = float(np.median(soft[max(0, start - 2 * back) : start - back]))
        if loud - noise < _ABOVE_NOISE_DB:
            continue
        limit = max(loud - _DROP_DB, noise + max(_ABOVE_NOISE_DB, 0.4 * (loud - noise)))
        heard = soft[start - back : start] >= limit
        if heard[:3].any() or not heard.any():  # it began earlier than can be, or now
            continue
        first = start - back + int(np.argmax(heard))
        if heard[first - start :].mean() >= _LOUD_SHARE and probability[first:start].mean() >= _MAYBE:
            out[first:start] = np.maximum(out[first:start], ENTER)
    return out


def _softened(level: Floats) -> Floats:
    return np.convolve(np.pad(level, 1, mode="edge"), np.full(3, 1 / 3, np.float32), "valid")


@lru_cache(maxsize=1)
def _session() -> Any:
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # its steps are too small to be shared between cores
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return runtime.InferenceSession(str(assets.find(MODEL)), options, providers=["CPUExecutionProvider"])
