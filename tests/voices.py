"""Synthesized voices with known pitch, loudness and syllables.

A voice is a sum of harmonics of a known fundamental, shaped by the source's fall of 6 dB an octave (glottis and
radiation together) and by the resonances of a vocal tract. Nothing of it comes from the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]

STEP_S = 0.01


@dataclass(frozen=True)
class Voice:
    """A kind of speaker: usual pitch in Hz, and how much shorter the vocal tract is than a man's."""

    pitch_hz: float
    tract: float


MAN, WOMAN, CHILD = Voice(110.0, 1.0), Voice(205.0, 1.17), Voice(300.0, 1.35)

#: Resonances of a man's vowels, Hz (Peterson & Barney 1952), and their bandwidths.
VOWELS = {"a": (730, 1090, 2440, 3400), "i": (270, 2290, 3010, 3500), "u": (300, 870, 2240, 3300)}
BANDWIDTHS = (80.0, 100.0, 150.0, 200.0)


def sung(
    f0_hz: Floats, rate_hz: int, *, voice: Voice = MAN, vowel: str = "a", jitter: float = 0.0, seed: int = 0
) -> Samples:
    """A vowel on a given pitch, up to 7.6 kHz, peak 0.5.

    Parameters
    ----------
    f0_hz
        One value per sample, shape (n,).
    jitter
        Standard deviation of a slow random walk of the pitch, as a share of it.
    """
    if jitter:
        rng = np.random.default_rng(seed)
        bends = rng.standard_normal(len(f0_hz) // (rate_hz // 100) + 2) * jitter
        f0_hz = f0_hz * (
            1 + np.interp(np.arange(len(f0_hz)), np.arange(len(bends)) * (rate_hz // 100), bends)
        )
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate_hz
    grid = np.arange(0.0, 8000.0, 10.0)
    gain = tract_gain(grid, voice, vowel)
    y = np.zeros(len(f0_hz))
    highest = min(0.48 * rate_hz, 7600.0)
    for h in range(1, int(highest / f0_hz.min()) + 1):
        f = h * f0_hz
        y += np.where(f < highest, np.interp(f, grid, gain), 0.0) / h * np.sin(h * phase)
    return (0.5 * y / np.abs(y).max()).astype(np.float32)


def tract_gain(f_hz: Floats, voice: Voice, vowel: str) -> Floats:
    """Magnitude of the vocal tract's resonances at the given frequencies."""
    gain = np.ones(len(f_hz))
    for centre, width in zip(VOWELS[vowel], BANDWIDTHS, strict=True):
        c = centre * voice.tract
        gain *= c**2 / np.sqrt((f_hz**2 - c**2) ** 2 + (f_hz * width) ** 2)
    return gain


def glide(
    low_hz: float, high_hz: float, seconds: float, rate_hz: int, *, there_and_back_s: float = 1.2
) -> Floats:
    """Pitch that rises and falls between two values, even in semitones; shape (n,)."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    share = 0.5 - 0.5 * np.cos(2 * np.pi * t / there_and_back_s)
    return np.asarray(low_hz * (high_hz / low_hz) ** share)


def vibrato(centre_hz: float, depth_st: float, speed_hz: float, seconds: float, rate_hz: int) -> Floats:
    """Pitch that swings around a centre by `depth_st` semitones to each side; shape (n,)."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(centre_hz * 2 ** (depth_st * np.sin(2 * np.pi * speed_hz * t) / 12))


def noisy(
    samples: Samples, snr_db: float, *, seed: int = 0, pink: bool = False, rate_hz: int = 16_000
) -> Samples:
    """The same with noise at a known ratio of powers; pink noise begins at 50 Hz."""
    noise = np.random.default_rng(seed).standard_normal(len(samples))
    if pink:
        spectrum = np.fft.rfft(noise)
        f_hz = np.linspace(0, rate_hz / 2, len(spectrum))
        spectrum *= (f_hz >= 50) / np.sqrt(np.maximum(f_hz, 50))
        noise = np.fft.irfft(spectrum, len(samples))
    noise *= np.sqrt(np.mean(samples.astype(float) ** 2) / np.mean(noise**2) / 10 ** (snr_db / 10))
    return (samples + noise).astype(np.float32)


def on_grid(values: Floats, rate_hz: int) -> Floats:
    """A known contour at the middles of the 10 ms steps, shape (m,)."""
    steps = int(len(values) / rate_hz / STEP_S + 1e-9)
    middles = (np.arange(steps) + 0.5) * STEP_S * rate_hz
    return np.interp(middles, np.arange(len(values)), values)


@dataclass(frozen=True)
class Speech:
    """Synthesized speech and what is known of it.

    Attributes
    ----------
    samples
        Float32, peak 0.5, silent between phrases.
    speaking
        True in phrases, on the 10 ms grid.
    nuclei_s
        The middle of each syllable's vowel.
    """

    samples: Samples
    speaking: npt.NDArray[np.bool_]
    nuclei_s: Floats


def spoken(
    seconds: float,
    rate_hz: int,
    *,
    voice: Voice = MAN,
    syllables_per_s: float = 4.0,
    phrase_s: float = 2.0,
    pause_s: float = 1.0,
    seed: int = 0,
) -> Speech:
    """Phrases of syllables (a hiss of a consonant, then a vowel of any kind) with pauses between them.

    Syllables vary by 20 % in length and 4 dB in strength; consonants reach up to half the sample rate.
    """
    rng = np.random.default_rng(seed)
    steps = round(seconds / STEP_S)
    speaking = np.zeros(steps, bool)
    envelope, hiss = np.zeros(steps * 10), np.zeros(steps * 10)
    kind, nuclei, t = np.full(steps * 10, "a"), [], pause_s / 2
    while t + phrase_s + pause_s / 2 <= seconds + 1e-9:
        length = rng.uniform(0.8, 1.2, round(phrase_s * syllables_per_s))
        edges = t + np.concatenate([[0], np.cumsum(length)]) * phrase_s / length.sum()
        for a, b in pairwise(edges):
            start, onset, end = (round(s * 1000) for s in (a, a + 0.3 * (b - a), b))
            strength = 10 ** (rng.uniform(-4, 0) / 20)
            envelope[onset:end] = (
                strength * np.sin(np.pi * (np.arange(end - onset) + 0.5) / (end - onset)) ** 0.7
            )
            hiss[start:onset] = 0.06 * strength
            kind[start:end] = rng.choice(list(VOWELS))
            nuclei.append((onset + end) / 2000)
        speaking[round(t / STEP_S) : round((t + phrase_s) / STEP_S)] = True
        t += phrase_s + pause_s
    at = np.arange(round(seconds * rate_hz))
    ms = np.minimum(at * 1000 // rate_hz, len(envelope) - 1)
    f0 = vibrato(voice.pitch_hz, 3.0, 0.4, seconds, rate_hz)
    vowels = {v: sung(f0, rate_hz, voice=voice, vowel=v, jitter=0.005) for v in VOWELS}
    loud = np.interp(at / rate_hz * 1000, np.arange(len(envelope)) + 0.5, envelope)
    y = sum(np.where(kind[ms] == v, x / np.sqrt(np.mean(x**2)), 0.0) for v, x in vowels.items()) * loud
    y = y + rng.standard_normal(len(at)) * np.interp(at / rate_hz * 1000, np.arange(len(hiss)) + 0.5, hiss)
    return Speech((0.5 * y / np.abs(y).max()).astype(np.float32), speaking, np.array(nuclei))
