"""Synthesized voices with known pitch, loudness and syllables.

A voice is a sum of harmonics of a known fundamental, shaped by the source's fall of 6 dB an octave (glottis and
radiation together) and by the resonances of a vocal tract. Nothing of it comes from the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """A vowel on a given pitch, peak 0.5.

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
        f0_hz = f0_hz * (1 + np.interp(np.arange(len(f0_hz)), np.arange(len(bends)) * (rate_hz // 100), bends))
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate_hz
    grid = np.arange(0.0, rate_hz / 2, 10.0)
    gain = tract_gain(grid, voice, vowel)
    y = np.zeros(len(f0_hz))
    for h in range(1, int(rate_hz / 2 / f0_hz.min()) + 1):
        f = h * f0_hz
        y += np.where(f < 0.48 * rate_hz, np.interp(f, grid, gain), 0.0) / h * np.sin(h * phase)
    return (0.5 * y / np.abs(y).max()).astype(np.float32)


def tract_gain(f_hz: Floats, voice: Voice, vowel: str) -> Floats:
    """Magnitude of the vocal tract's resonances at the given frequencies."""
    gain = np.ones(len(f_hz))
    for centre, width in zip(VOWELS[vowel], BANDWIDTHS, strict=True):
        c = centre * voice.tract
        gain *= c**2 / np.sqrt((f_hz**2 - c**2) ** 2 + (f_hz * width) ** 2)
    return gain


def glide(low_hz: float, high_hz: float, seconds: float, rate_hz: int, *, there_and_back_s: float = 1.2) -> Floats:
    """Pitch that rises and falls between two values, even in semitones; shape (n,)."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    share = 0.5 - 0.5 * np.cos(2 * np.pi * t / there_and_back_s)
    return np.asarray(low_hz * (high_hz / low_hz) ** share)


def vibrato(centre_hz: float, depth_st: float, speed_hz: float, seconds: float, rate_hz: int) -> Floats:
    """Pitch that swings around a centre by `depth_st` semitones to each side; shape (n,)."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(centre_hz * 2 ** (depth_st * np.sin(2 * np.pi * speed_hz * t) / 12))


def noisy(samples: Samples, snr_db: float, *, seed: int = 0, pink: bool = False) -> Samples:
    """The same with noise at a known ratio of powers."""
    noise = np.random.default_rng(seed).standard_normal(len(samples))
    if pink:
        spectrum = np.fft.rfft(noise)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
        noise = np.fft.irfft(spectrum, len(samples))
    noise *= np.sqrt(np.mean(samples.astype(float) ** 2) / np.mean(noise**2) / 10 ** (snr_db / 10))
    return (samples + noise).astype(np.float32)


def on_grid(values: Floats, rate_hz: int) -> Floats:
    """A known contour at the middles of the 10 ms steps, shape (m,)."""
    steps = int(len(values) / rate_hz / STEP_S + 1e-9)
    middles = (np.arange(steps) + 0.5) * STEP_S * rate_hz
    return np.interp(middles, np.arange(len(values)), values)
