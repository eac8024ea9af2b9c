"""One mixed sound with faces in view: real talkers, composed so that it is certain who speaks.

A talker's lips and voice come from the same moment of a clip, a listener's lips from somewhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
from extraction import clip
from people import clip_path

from vsa.errors import ModelMissingError
from vsa.media.sound import read_sound
from vsa.voice.activity import RATE_HZ, speech_probability
from vsa.voice.lips import lip_movement, speech_envelope
from vsa.voice.speakers import NOBODY

STEP = RATE_HZ // 100  # samples
SECOND = 100  # steps


@cache
def samples(name: str) -> np.ndarray:
    """A clip's sound, (n,) at 16 kHz."""
    (sound,) = read_sound(clip_path(name))[0].channels
    return sound.samples[:]


@dataclass(frozen=True)
class Mixed:
    """One mixed sound, with what the voice room measures in it."""

    samples: np.ndarray
    speech: np.ndarray
    envelope: np.ndarray

    @classmethod
    def of(cls, samples: np.ndarray) -> Mixed:
        try:
            speech = speech_probability(samples).probability
        except ModelMissingError as error:
            pytest.skip(str(error))
        return cls(samples, speech, speech_envelope(samples, RATE_HZ))

    def __len__(self) -> int:
        return len(self.speech)

    def later(self, delay_s: float) -> Mixed:
        """The same sound, moved against the picture."""
        shift = round(delay_s * RATE_HZ)
        moved = np.zeros_like(self.samples)
        if shift >= 0:
            moved[shift:] = self.samples[: len(moved) - shift]
        else:
            moved[:shift] = self.samples[-shift:]
        return Mixed.of(moved)


@dataclass(frozen=True)
class Talkers:
    """What was extracted from real clips: the sound of the call in which only the woman speaks (8 s), and faces.

    `faces` has the rows of the talking woman, the still man beside her, and a man alone who opens his mouth wide;
    `lips` their mouths, the first 8 s (the man's from 4 s on, for 15 s); `resting` the woman's mouth in her pause,
    forth and back for a minute.
    """

    call: Mixed
    faces: dict[str, pd.DataFrame]
    lips: dict[str, np.ndarray]
    resting: np.ndarray


@cache
def talkers() -> Talkers:
    call = Mixed.of(samples("call_two_tiles.mp4"))
    both = clip("call_two_tiles.mp4")
    faces = {
        "woman": both.of("p1"),
        "still man": both.of("p2"),
        "man": clip("webcam_man_53s.mp4").of("p1"),
    }
    steps = {"woman": len(call), "still man": len(call), "man": 15 * SECOND}
    start = {"man": 4.0}
    lips = {
        who: lip_movement(rows.t, rows, start_s=start.get(who, 0.0), steps=steps[who])
        for who, rows in faces.items()
    }
    pause = lips["woman"][645:690]
    resting = np.resize(np.concatenate([pause, pause[-2:0:-1]]), (60 * SECOND, 2))
    return Talkers(call, faces, lips, resting)


def two(left: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
    return {"p1": left, "p2": right}


def matched(other: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Another's voice as loud as ours."""
    return other * np.float32(own.std() / max(float(other.std()), 1e-6))


@dataclass(frozen=True)
class Talk:
    """A composed conversation: lips of both, mixed sound, and who speaks (0, 1 or `NOBODY`) on the 10 ms grid."""

    lips: tuple[np.ndarray, np.ndarray]
    sound: np.ndarray
    truth: np.ndarray


def take_turns(
    call: Mixed,
    lips: dict[str, np.ndarray],
    resting: np.ndarray,
    *,
    listener: str,
    turn_s: float,
    seed: int,
    length_s: int = 60,
    other_voice: np.ndarray | None = None,
) -> Talk:
    """Turns of 0.8 to 7 s, with pauses of 0.1 to 0.6 s; three of four turns change the speaker.

    With `other_voice`, which says what the call's says at the same time, the second of them has that one.
    """
    rng = np.random.default_rng(seed)
    n, t, who = length_s * SECOND, 0, 0
    voices = (call.samples, call.samples if other_voice is None else other_voice)
    both = [np.resize(resting, (n, 2)), np.resize(resting, (n, 2))]
    sound, truth = np.zeros(n * STEP, np.float32), np.full(n, NOBODY)
    while t < n:
        steps = min(round(np.clip(rng.exponential(turn_s), 0.8, 7.0) * SECOND), n - t)
        at = int(rng.integers(0, 800 - steps))
        both[who][t : t + steps] = lips["woman"][at : at + steps]
        sound[t * STEP : (t + steps) * STEP] = voices[who][at * STEP : (at + steps) * STEP]
        truth[t : t + steps] = who
        if listener == "wide open":
            begin = int(rng.integers(0, len(lips["man"]) - steps))
            both[1 - who][t : t + steps] = lips["man"][begin : begin + steps]
        elif listener == "muted talk":
            begin = at + int(rng.integers(150, 650))
            both[1 - who][t : t + steps] = lips["woman"].take(
                range(begin, begin + steps), axis=0, mode="wrap"
            )
        t += steps + round(rng.uniform(0.1, 0.6) * SECOND)
        who = 1 - who if rng.random() < 0.75 else who
    return Talk((both[0], both[1]), sound, truth)
