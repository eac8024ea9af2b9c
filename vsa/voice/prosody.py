"""How somebody speaks: loudness and spectral tilt on the 10 ms grid, and with pitch and syllables in one call.

- **Intensity** is the level of 40 ms of sound around each step (Hann weights; what is constant within them is no
  sound), in dB relative to the median level of the same track while this person speaks. The gain of a microphone,
  a recording or a platform cancels, and two people's loudness can't be compared, only its course. A platform's
  automatic gain flattens that course and can't be undone.
- **Spectral tilt** is the alpha ratio of voiced steps: energy in 1-5 kHz over energy in 50-1000 Hz, in dB. A soft,
  lax voice has a lower one, a loud, pressed voice a higher one (Eyben et al. 2016, GeMAPS, from Sundberg & Nordenberg
  2006). Below a bandwidth of 5 kHz (telephone, narrow codecs) it is missing: another band gives other values.
- **Pitch** is in `vsa.voice.pitch`, **syllables** are in `vsa.voice.syllables`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.activity import STEP_S
from vsa.voice.blocks import Flags, Floats32, blocks
from vsa.voice.pitch import f0_hz
from vsa.voice.syllables import syllable_nuclei

__all__ = ["Prosody", "f0_hz", "intensity_db", "prosody", "semitones", "spectral_tilt_db", "syllable_nuclei"]

#: Levels lower than this, relative to speech, are given as this: silence has no level.
INTENSITY_FLOOR_DB = -80.0
#: Steps as quiet as this have no sound.
SILENCE_DBFS = -120.0
#: Less speech than this says nothing about its level, s.
LEAST_SPEECH_S = 0.2
#: Edges of the bands that the alpha ratio compares, Hz.
TILT_BANDS_HZ = (50.0, 1000.0, 5000.0)

_RATE_HZ = 16_000
_BIN_S, _LEVEL_BINS = 0.0025, 16
_TILT_WINDOW_S = 0.032


@dataclass(frozen=True, eq=False)
class Prosody:
    """Prosody of one person on one track.

    Attributes
    ----------
    f0_hz, intensity_db, spectral_tilt_db
        Float32, shape (m,), one value per 10 ms from sample 0, NaN where there is none.
    nuclei_s
        Times of syllable nuclei after sample 0, s, increasing, shape (k,).
    """

    f0_hz: Floats32
    intensity_db: Floats32
    spectral_tilt_db: Floats32
    nuclei_s: npt.NDArray[np.float64]


def prosody(
    samples: Samples, rate_hz: int, speaking: Flags, *, bandwidth_hz: float = float("inf")
) -> Prosody:
    """Everything that this module measures.

    Parameters
    ----------
    samples, rate_hz, speaking
        As for `f0_hz`.
    bandwidth_hz
        What the track carries, if that is less than half its rate: `SoundQuality.bandwidth_hz`. NaN: not known.
    """
    if not speaking.any():
        nothing = np.full(len(speaking), np.nan, np.float32)
        return Prosody(nothing, nothing, nothing, np.empty(0))
    f0 = f0_hz(samples, rate_hz, speaking)
    intensity = intensity_db(samples, rate_hz, speaking)
    tilt = spectral_tilt_db(samples, rate_hz, np.isfinite(f0), bandwidth_hz=bandwidth_hz)
    return Prosody(f0, intensity, tilt, syllable_nuclei(intensity, f0, speaking))


def semitones(f0_hz: Floats32) -> Floats32:
    """Pitch relative to this speaker's median, in semitones; NaN stays NaN.

    Parameters
    ----------
    f0_hz
        All of one person's pitch, NaN where unvoiced, shape (m,).
    """
    voiced = f0_hz[np.isfinite(f0_hz)]
    if not len(voiced):
        return np.full(f0_hz.shape, np.nan, np.float32)
    return np.asarray(12 * np.log2(f0_hz / np.median(voiced)), np.float32)


def intensity_db(samples: Samples, rate_hz: int, speaking: Flags) -> Floats32:
    """Level relative to this person's own speech on this track.

    Parameters
    ----------
    samples
        Mono, shape (n,); values that are not finite count as missing.
    rate_hz
        Of `samples`.
    speaking
        Where this person speaks, one value per 10 ms from sample 0, shape (m,).

    Returns
    -------
    dB, -80 or more, also between speech; shape (m,). NaN where the sound is missing; everywhere with less than 0.2 s
    of speech.
    """
    level = level_db(samples, rate_hz, len(speaking))
    heard = level[speaking & (level > SILENCE_DBFS)]
    if len(heard) * STEP_S < LEAST_SPEECH_S - 1e-9:
        return np.full(len(speaking), np.nan, np.float32)
    return np.asarray(np.maximum(level - np.median(heard), np.float32(INTENSITY_FLOOR_DB)), np.float32)


def level_db(samples: Samples, rate_hz: int, steps: int) -> Floats32:
    """Level around each step, dB re full scale, at least -200; NaN where the sound is missing; shape (steps,).

    For the parameters see `intensity_db`.
    """
    weights = np.hanning(_LEVEL_BINS + 2)[1:-1]
    weights /= weights.sum()
    per_step = round(STEP_S / _BIN_S)
    margin = (_LEVEL_BINS - per_step) // 2
    out = np.full(steps, np.nan, np.float32)
    for block in blocks(samples, rate_hz, steps, _RATE_HZ):
        x = block.bins(_BIN_S, margin).astype(np.float64)
        mean, square = x.mean(1), (x * x).mean(1)
        shape = (block.last - block.first, _LEVEL_BINS)
        mean, square = (
            np.lib.stride_tricks.sliding_window_view(v, _LEVEL_BINS)[::per_step].reshape(shape) @ weights
            for v in (mean, square)
        )
        level = 10 * np.log10(np.maximum(square - mean**2, 1e-20))
        out[block.first : block.last] = np.where(block.known, level, np.nan)
    return out


def spectral_tilt_db(
    samples: Samples, rate_hz: int, voiced: Flags, *, bandwidth_hz: float = float("inf")
) -> Floats32:
    """Alpha ratio of voiced steps.

    Parameters
    ----------
    samples, rate_hz
        As for `intensity_db`.
    voiced
        One value per 10 ms from sample 0, shape (m,).
    bandwidth_hz
        What the track carries, if that is less than half its rate; NaN: not known.

    Returns
    -------
    dB, shape (m,); NaN where unvoiced, and everywhere if the track carries less than 5 kHz.
    """
    from scipy import fft

    out = np.full(len(voiced), np.nan, np.float32)
    low, middle, high = TILT_BANDS_HZ
    if np.fmin(bandwidth_hz, rate_hz / 2) < high:
        return out
    width = round(_TILT_WINDOW_S * _RATE_HZ)
    window = np.hanning(width).astype(np.float32)
    edges = [round(f / _RATE_HZ * width) for f in (low, middle, high)]
    for block in blocks(samples, rate_hz, len(voiced), _RATE_HZ):
        steps = np.flatnonzero(voiced[block.first : block.last] & block.known)
        spectrum = fft.rfft(block.windows(_TILT_WINDOW_S, steps) * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        dark, bright = (power[:, a:b].sum(1) for a, b in ((edges[0], edges[1]), (edges[1], edges[2])))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = 10 * np.log10(bright / dark)
        out[block.first + steps] = np.where(np.isfinite(ratio), ratio, np.nan)
    return out
