"""Synthesized speech with known on and off times, that a speech detector hears as speech.

A source and a filter: glottal pulses with jitter, shimmer and a melody, shaped by four formants that glide from vowel
to vowel, with hisses and bursts for consonants, in the rhythm of syllables. Nobody is imitated; what is said means
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Samples = NDArray[np.float32]
Doubles = NDArray[np.float64]
Stretch = tuple[float, float]

RATE_HZ = 16_000
_BLOCK = 80  # 5 ms: how often the formants move
#: Formants of vowels, Hz (means of adult men; Peterson & Barney 1952), and a fourth one.
_VOWELS = np.array(
    [
        (270, 2290, 3010, 3700),
        (390, 1990, 2550, 3600),
        (530, 1840, 2480, 3600),
        (660, 1720, 2410, 3600),
        (730, 1090, 2440, 3500),
        (570, 840, 2410, 3400),
        (300, 870, 2240, 3400),
        (640, 1190, 2390, 3500),
    ],
    np.float64,
)
_WIDTHS = (70.0, 100.0, 140.0, 200.0)


@dataclass(frozen=True)
class Talker:
    """Somebody who can speak.

    Parameters
    ----------
    f0_hz
        Middle of the melody.
    tract
        Scale of the formants: 1 for a man, about 1.17 for a woman.
    syllables_hz
        Syllables a second.
    """

    f0_hz: float = 118.0
    tract: float = 1.0
    syllables_hz: float = 4.6

    def speak(self, seconds: float, seed: int = 0) -> Samples:
        """Speech that fills `seconds` from its first sample to its last; RMS about 0.06."""
        rng = np.random.default_rng(seed)
        n = round(seconds * RATE_HZ)
        loud, formants, hiss = self._syllables(n, rng)
        voiced = self._filtered(self._pulses(n, rng) * loud, formants)
        high = signal.butter(2, (2500, 7000), "band", fs=RATE_HZ, output="sos")
        noise = signal.sosfilt(high, rng.standard_normal(n)) * hiss
        out = voiced / (np.sqrt(np.mean(voiced**2)) + 1e-12) + 0.5 * noise
        edge = min(80, n // 2)
        out[:edge] *= np.linspace(0, 1, edge)
        out[n - edge :] *= np.linspace(1, 0, edge)
        return (0.06 * out).astype(np.float32)

    def says(self, stretches: Iterable[Stretch], seconds: float, seed: int = 0) -> Samples:
        """A track of `seconds`, silent but for speech in the given stretches (start, end) in s."""
        track = np.zeros(round(seconds * RATE_HZ), np.float32)
        for k, (start, end) in enumerate(stretches):
            first = round(start * RATE_HZ)
            said = self.speak(end - start, seed=1000 * seed + k)[: max(0, len(track) - first)]
            track[first : first + len(said)] = said
        return track

    def _syllables(self, n: int, rng: np.random.Generator) -> tuple[Doubles, Doubles, Doubles]:
        """Loudness of the voice, formants (a block each, 4) and loudness of hisses."""
        loud, hiss = np.full(n, 0.02), np.zeros(n)
        marks, targets = [0], [_VOWELS[rng.integers(len(_VOWELS))]]
        at = 0
        while at < n:
            length = round(RATE_HZ / self.syllables_hz * rng.uniform(0.75, 1.3))
            if n - at < 1.6 * length:
                length = n - at
            onset = round(min(0.3 * length, RATE_HZ * rng.uniform(0.03, 0.08))) if at else 0
            consonant = rng.integers(3)
            if onset and consonant == 0:  # a hiss
                hiss[at : at + onset] = 0.8 * np.hanning(onset + 2)[1:-1]
            elif onset and consonant == 1:  # a closure and a burst
                burst = min(onset, 200)
                hiss[at + onset - burst : at + onset] = np.exp(-np.arange(burst) / 60)
            else:  # a nasal or a glide: the voice goes on
                loud[at : at + onset] = 0.35
            rest = length - onset
            shape = np.minimum(1, np.minimum(np.arange(rest) / 240, (rest - np.arange(rest)) / 480))
            loud[at + onset : at + length] = rng.uniform(0.6, 1.0) * np.maximum(0.15, shape)
            marks.append(at + onset + rest // 2)
            targets.append(_VOWELS[rng.integers(len(_VOWELS))])
            at += length
        blocks = np.arange(0, n + _BLOCK, _BLOCK)
        formants = np.stack([np.interp(blocks, marks, np.array(targets)[:, k]) for k in range(4)], axis=1)
        return np.convolve(loud, np.ones(160) / 160, "same"), formants * self.tract, hiss

    def _pulses(self, n: int, rng: np.random.Generator) -> Doubles:
        """Change of the flow through the glottis (Rosenberg's pulse): falling phrases, jitter of 1%, shimmer of 4%."""
        t = np.arange(n) / RATE_HZ
        phrase = 0.16 - 0.12 * (t % 2.4)
        sway = signal.lfilter([1], [1, -0.9995], rng.standard_normal(n))
        f0 = self.f0_hz * np.exp(phrase + 0.09 * sway / (np.std(sway) + 1e-9))
        phase = np.cumsum(f0) / RATE_HZ
        cycle = phase.astype(int)
        jitter = rng.normal(0, 0.01, cycle[-1] + 2)
        shimmer = 1 + rng.normal(0, 0.04, cycle[-1] + 2)
        within = np.clip(phase - cycle + jitter[cycle], 0, 1)
        opening = 0.5 * (1 - np.cos(np.pi * within / 0.4))
        closing = np.cos(np.pi / 2 * (within - 0.4) / 0.16)
        flow = np.where(within < 0.4, opening, np.where(within < 0.56, closing, 0.0))
        breath = 0.003 * rng.standard_normal(n)
        return np.diff(flow * shimmer[cycle], prepend=0.0) + breath

    def _filtered(self, source: Doubles, formants: Doubles) -> Doubles:
        """Each formant a resonance, one after the other, whose state goes on from block to block."""
        out = source
        for width, centres in zip(_WIDTHS, formants.T, strict=True):
            radius = np.exp(-np.pi * width / RATE_HZ)
            done, state = np.empty_like(out), np.zeros(2)
            for block, centre in zip(range(0, len(out), _BLOCK), centres, strict=False):
                turn = 2 * radius * np.cos(2 * np.pi * centre / RATE_HZ)
                feedback = [1, -turn, radius**2]
                piece = slice(block, block + _BLOCK)
                done[piece], state = signal.lfilter([sum(feedback)], feedback, out[piece], zi=state)
            out = done
        return out


MAN = Talker()
WOMAN = Talker(f0_hz=205.0, tract=1.17, syllables_hz=4.9)


def room_noise(seconds: float, level_db: float = -60.0, seed: int = 0) -> Samples:
    """The hum and hiss of a quiet room; `level_db` re full scale (RMS)."""
    white = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    brown = signal.lfilter([1], [1, -0.95], white)
    return (10 ** (level_db / 20) * brown / np.std(brown)).astype(np.float32)


def through_the_room(
    voice: Samples,
    *,
    delay_s: float = 0.12,
    gain_db: float = -18.0,
    echo_s: float = 0.4,
    direct_db: float = 3.0,
    seed: int = 0,
) -> Samples:
    """A voice as the other microphone hears it from a loudspeaker: late, weaker, narrower, with a room's echo.

    `echo_s` is the time in which the echo falls by 60 dB, `direct_db` how far the direct sound is over all of it.
    """
    n = round(echo_s * RATE_HZ)
    echo = np.random.default_rng(seed).standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    echo[:32] = 0
    echo *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(echo**2))
    echo[0] = 1.0
    small = signal.butter(2, (250, 5500), "band", fs=RATE_HZ, output="sos")  # a laptop's loudspeaker
    heard = signal.fftconvolve(signal.sosfilt(small, voice), echo)[: len(voice)]
    spoken = np.abs(voice) > 0.001
    if not spoken.any():
        return np.zeros(len(voice), np.float32)
    level = np.sqrt(np.mean(voice[spoken] ** 2) / np.mean(heard[spoken] ** 2))
    late = round(delay_s * RATE_HZ)
    out = np.zeros(len(voice), np.float32)
    out[late:] = (heard * level * 10 ** (gain_db / 20))[: len(voice) - late]
    return out


def alternating(
    seconds: float, seed: int = 0, *, overlaps: float = 0.1
) -> tuple[list[Stretch], list[Stretch]]:
    """Two people's speech in a conversation: turns of 0.4 to 5 s in alternation, a share of them in overlap."""
    rng = np.random.default_rng(seed)
    spoken: tuple[list[Stretch], list[Stretch]] = ([], [])
    at, who = 0.5, 0
    while True:
        length = float(rng.choice([rng.uniform(0.4, 1.0), rng.uniform(1.5, 5.0)]))
        if at + length > seconds - 0.3:
            return spoken
        spoken[who].append((at, at + length))
        overlap = length > 1.5 and rng.uniform() < overlaps
        at += length - rng.uniform(0.4, 1.0) if overlap else length + rng.uniform(0.15, 0.9)
        who = 1 - who


@dataclass(frozen=True)
class TwoTracks:
    """A call of two, a track each: what is in the tracks, and who speaks when."""

    tracks: tuple[Samples, Samples]
    spoken: tuple[list[Stretch], list[Stretch]]

    def truth(self, who: int) -> NDArray[np.bool_]:
        """Whether that person speaks, on the 10 ms grid."""
        t = (np.arange(-(-len(self.tracks[who]) // 160)) + 0.5) * 0.01
        return np.any([(t >= start) & (t < end) for start, end in self.spoken[who]], axis=0)


def call(
    seconds: float,
    seed: int = 0,
    *,
    bleed_db: tuple[float | None, float | None] = (-18.0, -18.0),
    overlaps: float = 0.3,
    noise_db: float = -65.0,
    **room: float,
) -> TwoTracks:
    """A man and a woman in a call, a track each.

    `bleed_db` is the level at which the other is heard in the man's and in the woman's track (None: a headset);
    `room` goes to `through_the_room`.
    """
    spoken = alternating(seconds, seed, overlaps=overlaps)
    voices = [
        who.says(times, seconds, seed * 2 + k)
        for k, (who, times) in enumerate(zip((MAN, WOMAN), spoken, strict=True))
    ]
    tracks = []
    for k, level in enumerate(bleed_db):
        track = voices[k] + room_noise(seconds, noise_db, seed * 2 + k)
        if level is not None:
            track += through_the_room(voices[1 - k], gain_db=level, seed=seed * 2 + k, **room)
        tracks.append(track)
    return TwoTracks((tracks[0], tracks[1]), spoken)
