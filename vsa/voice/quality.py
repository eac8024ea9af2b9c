"""How good a track is: noise, clipping, offset, and how much of the spectrum it carries.

- **Signal-to-noise ratio**, up to 8 kHz: power of the steps in speech, less that of the noise, over that of the noise.
  The noise is the median power of pauses, 0.15 s away from any speech: another voice or a door in fewer than half of
  them does not count. Platforms that silence pauses leave no noise to measure: that is given as `MOST_SNR_DB`.
- **Clipping**: share of the samples in speech that lie on flat tops: three or more neighbours within 0.5 % of the
  largest value of their second, with a steep side (a fall of 5 % within two samples). The crest of a tone has none.
  Samples at full scale or beyond count too. Codecs and resamplers round flat tops off: what was clipped before a lossy
  codec is hardly found, so 0 says only that the file itself does not clip.
- **Bandwidth**: the frequency at which the spectrum of speech falls off a cliff (15 dB or more within 600 Hz, and it
  stays down), as codecs, resamplers and telephone lines leave it; half the sample rate without one.

These definitions are this project's own; level in speech against noise in pauses follows ITU-T P.56.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.activity import STEP_S, stretches
from vsa.voice.blocks import Flags, Floats32, blocks
from vsa.voice.prosody import SILENCE_DBFS, level_db

MOST_SNR_DB = 80.0
#: Speech and pauses that the ratio needs, each, s.
LEAST_S = 1.0
#: Pauses begin and end this far from speech, s.
AWAY_S = 0.15
#: Width of a flat top, its shortest length, and the fall beside it, as shares of the largest value.
FLAT, FLAT_SAMPLES, STEEP = 0.005, 3, 0.05
#: What stays flat for longer is an offset, s.
LONGEST_FLAT_S = 0.01
#: Depth and width of a cliff.
CLIFF_DB, CLIFF_HZ = 15.0, 600.0

#: No codec carries less; formants and the gaps between them lie below.
_LEAST_BANDWIDTH_HZ = 2500.0
_SPECTRUM_S, _SMOOTH_HZ = 0.032, 200.0
#: Tracks that never reach this are too low for clipping to be told from coarse steps.
_LEAST_PEAK = 0.05
_SPECTRA_AT_MOST = 6000
_SILENCE = 10 ** (SILENCE_DBFS / 10)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SoundQuality:
    """Quality of one track; NaN where it can't be measured.

    Attributes
    ----------
    rate_hz
        Sample rate of the file.
    bandwidth_hz
        Highest frequency that speech reaches.
    snr_db
        Speech over noise, -20 to `MOST_SNR_DB`; needs 1 s of speech and 1 s of pauses.
    speech_level_dbfs, noise_level_dbfs
        Power in speech, and median power in pauses, dB re a full-scale square wave; noise is -120 or more, speech with
        less than that is none.
    clipping_share
        Of the samples in speech, 0-1.
    dc_offset
        Mean of all samples; full scale is 1.
    missing_share
        Of the grid's steps, those without sound: not finite, or before the track's beginning or after its end, 0-1.
    silent_share
        Of the steps with sound, those in which no sample differs from the next: digital silence, 0-1.
    """

    rate_hz: int
    bandwidth_hz: float
    snr_db: float
    speech_level_dbfs: float
    noise_level_dbfs: float
    clipping_share: float
    dc_offset: float
    missing_share: float
    silent_share: float


def sound_quality(
    samples: Samples, rate_hz: int, speaking: Flags, *, anyone: Flags | None = None
) -> SoundQuality:
    """Measure a track's quality, best at the rate of its file.

    Parameters
    ----------
    samples
        Mono, shape (n,); values that are not finite count as missing.
    rate_hz
        Of `samples`.
    speaking
        Where this track's person speaks, one value per 10 ms from sample 0, shape (m,).
    anyone
        Where anybody in the call speaks, shape (m,): pauses lie outside of it. Without it, outside of `speaking`.
    """
    level = level_db(samples, rate_hz, len(speaking))
    speech_db, noise_db, snr_db = _levels(level, speaking, speaking if anyone is None else anyone | speaking)
    clipped, offset, missing, silent = _scan(samples, rate_hz, speaking)
    return SoundQuality(
        rate_hz=rate_hz,
        bandwidth_hz=bandwidth_hz(samples, rate_hz, speaking),
        snr_db=snr_db,
        speech_level_dbfs=speech_db,
        noise_level_dbfs=noise_db,
        clipping_share=clipped,
        dc_offset=offset,
        missing_share=missing,
        silent_share=silent,
    )


def _levels(level: Floats32, speaking: Flags, anyone: Flags) -> tuple[float, float, float]:
    """Level of speech and of noise, and the ratio."""
    known = np.isfinite(level)
    speech = 10 ** (level[speaking & known].astype(np.float64) / 10)
    noise = 10 ** (level[_far_from(anyone) & known].astype(np.float64) / 10)
    enough = LEAST_S / STEP_S - 1e-9
    speech_power = float(speech.mean()) if len(speech) >= enough else float("nan")
    noise_power = max(float(np.median(noise)), _SILENCE) if len(noise) >= enough else float("nan")
    if not speech_power > _SILENCE:
        return float("nan"), 10 * float(np.log10(noise_power)), float("nan")
    # Where speech does not rise above the noise, the ratio is this low or lower.
    signal = max(speech_power - noise_power, 0.01 * noise_power)
    speech_db, noise_db, ratio_db = (
        10 * float(np.log10(p)) for p in (speech_power, noise_power, signal / noise_power)
    )
    return speech_db, noise_db, ratio_db if np.isnan(ratio_db) else min(ratio_db, MOST_SNR_DB)


def _far_from(anyone: Flags) -> Flags:
    """Steps that lie `AWAY_S` or more from any speech."""
    reach = round(AWAY_S / STEP_S)
    near = np.convolve(anyone, np.ones(2 * reach + 1), "same")[: len(anyone)] if len(anyone) else anyone
    return np.asarray(near < 0.5)


def _scan(samples: Samples, rate_hz: int, speaking: Flags) -> tuple[float, float, float, float]:
    """Share of clipped samples in speech, offset, share of missing steps, share of silent steps among the others."""
    clipped = spoken = 0
    total, count, known, silent = 0.0, 0, 0, 0
    for block in blocks(samples, rate_hz, len(speaking), rate_hz):
        steps = np.arange(block.last - block.first)
        windows = block.windows(STEP_S, steps[block.known])
        total, count = total + float(windows.sum(dtype=np.float64)), count + windows.size
        known += len(windows)
        silent += int(np.count_nonzero(np.ptp(windows, axis=1) == 0)) if windows.size else 0
        in_speech = steps[block.known & speaking[block.first : block.last]]
        if len(in_speech):
            flat = block.windows(STEP_S, in_speech, of=_flat_tops(block.samples, rate_hz))
            clipped, spoken = clipped + int(np.count_nonzero(flat)), spoken + flat.size
    steps_in_all = len(speaking)
    return (
        clipped / spoken if spoken else float("nan"),
        total / count if count else float("nan"),
        1 - known / steps_in_all if steps_in_all else float("nan"),
        silent / known if known else float("nan"),
    )


def _flat_tops(x: Floats32, rate_hz: int) -> Flags:
    """Samples that lie on flat tops, upper or lower, shape (n,)."""
    found = np.abs(x) >= 1
    for y in (x, -x):
        seconds = -(-len(y) // rate_hz)
        tops = np.pad(y, (0, seconds * rate_hz - len(y))).reshape(seconds, rate_hz).max(1)
        limit = np.repeat(np.where(tops >= _LEAST_PEAK, tops, np.inf), rate_hz)[: len(y)]
        runs = stretches(y >= (1 - FLAT) * limit)
        length = runs[:, 1] - runs[:, 0]
        runs = runs[(length >= FLAT_SAMPLES) & (length <= LONGEST_FLAT_S * rate_hz)]
        start, end = runs[:, 0], runs[:, 1]
        beside = np.minimum(y[np.maximum(start - 2, 0)], y[np.minimum(end + 1, len(y) - 1)])
        runs = runs[beside < (1 - STEEP) * limit[start]]
        marks = np.zeros(len(y) + 1, np.int32)
        marks[runs[:, 0]], marks[runs[:, 1]] = 1, -1
        found |= np.cumsum(marks[:-1]) > 0
    return found


def bandwidth_hz(samples: Samples, rate_hz: int, speaking: Flags) -> float:
    """Highest frequency that speech reaches on this track.

    Parameters
    ----------
    samples, rate_hz, speaking
        As for `sound_quality`.

    Returns
    -------
    Hz, at most half of `rate_hz`; NaN for less than 1 s of speech, or if that is digital silence.
    """
    from scipy import fft

    spectrum, used = np.zeros(0), 0
    apart = max(1, int(np.count_nonzero(speaking)) // _SPECTRA_AT_MOST)
    for block in blocks(samples, rate_hz, len(speaking), rate_hz):
        steps = np.flatnonzero(speaking[block.first : block.last] & block.known)[::apart]
        if not len(steps):
            continue
        windows = block.windows(_SPECTRUM_S, steps)
        # Blackman-Harris: its side lobes lie below 16 bits, Hann's would fill what lies beyond a cliff.
        windows -= windows.mean(1, keepdims=True)
        power = np.abs(fft.rfft(windows * _blackman_harris(windows.shape[1]), axis=1)) ** 2
        spectrum = power.sum(0) if not used else spectrum + power.sum(0)
        used += len(steps)
    if used * apart * STEP_S < LEAST_S or not spectrum.max() > used * _SILENCE:
        return float("nan")
    return _edge_hz(spectrum / used, rate_hz)


def _edge_hz(power: Floats, rate_hz: int) -> float:
    """Where a long-term spectrum falls off a cliff; half the sample rate if it does not."""
    half = rate_hz / 2
    each = half / (len(power) - 1)
    level = 10 * np.log10(np.maximum(power, power.max() * 1e-14))
    reach = round(_SMOOTH_HZ / 2 / each)
    level = np.convolve(
        np.pad(level, reach, mode="edge"), np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid"
    )
    # The most that is reached anywhere above: after a cliff, speech does not come back.
    above = np.maximum.accumulate(level[::-1])[::-1]
    first, width = round(_LEAST_BANDWIDTH_HZ / each), round(CLIFF_HZ / each)
    fall = level[first:-width] - above[first + width :]
    cliffs = np.flatnonzero(fall >= CLIFF_DB)
    if not len(cliffs):
        return half
    top = cliffs[0] + int(np.argmax(fall[cliffs[0] : cliffs[0] + width]))
    lower = np.flatnonzero(level[first + top :] < level[first + top] - 6)
    return float((first + top + lower[0]) * each)


def _blackman_harris(width: int) -> Floats32:
    phase = 2 * np.pi * np.arange(width) / width
    a = (0.35875, 0.48829, 0.14128, 0.01168)
    return np.asarray(
        a[0] - a[1] * np.cos(phase) + a[2] * np.cos(2 * phase) - a[3] * np.cos(3 * phase), np.float32
    )
