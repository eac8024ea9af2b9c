"""Syllable nuclei and speech rate, counted from the sound without a transcript.

A nucleus is a peak of the intensity

- within speech, and within 25 dB of the loudest speech (99th percentile);
- that stands at least 2 dB above the dips on both its sides;
- that is voiced.

Source: de Jong & Wempe 2009, with the threshold of their version of 2010. Against counts by hand theirs correlates
at about .7 to .9 across stretches of speech; it misses syllables in fast, slurred speech, so rates serve to compare a
speaker with him- or herself, or speakers with each other, and are no transcript.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsa.voice.activity import STEP_S
from vsa.voice.blocks import Flags, Floats32

#: A peak lies no further below the loudest speech than this, and stands out of its dips by this, dB.
RANGE_DB, DIP_DB = 25.0, 2.0
#: Voiced here or within this of the peak, s.
VOICED_WITHIN_S = 0.02
#: Less speech than this has no rate, s.
LEAST_SPEECH_S = 1.0

#: Smoothing that brings 40 ms of `intensity_db` to the 64 ms that the source uses.
_SMOOTH = np.array([0.25, 0.5, 0.25], np.float32)


def syllable_nuclei(intensity_db: Floats32, f0_hz: Floats32, speaking: Flags) -> npt.NDArray[np.float64]:
    """Times of syllable nuclei.

    Parameters
    ----------
    intensity_db, f0_hz
        On the 10 ms grid, shape (m,), from `vsa.voice.prosody`.
    speaking
        Where this person speaks, shape (m,).

    Returns
    -------
    Seconds after sample 0, increasing, shape (k,).
    """
    from scipy.signal import find_peaks

    level = np.where(np.isfinite(intensity_db), intensity_db, -np.inf)
    heard = level[speaking & np.isfinite(level)]
    if len(heard) < 3:
        return np.empty(0)
    floor = np.percentile(heard, 99) - RANGE_DB
    level = np.convolve(np.pad(np.maximum(level, floor - DIP_DB), 1, mode="edge"), _SMOOTH, "valid")
    # Outside of this person's speech the level is of no interest, and speech that starts with its peak has a peak.
    level = np.pad(np.where(speaking, level, floor - DIP_DB), 1, constant_values=floor - DIP_DB)
    at, _ = find_peaks(level, height=floor, prominence=DIP_DB)
    at = at - 1
    reach = round(VOICED_WITHIN_S / STEP_S)
    voiced = np.convolve(np.isfinite(f0_hz), np.ones(2 * reach + 1), "same") > 0
    return np.asarray((at[voiced[at]] + 0.5) * STEP_S)


def articulation_rate(nuclei_s: npt.NDArray[np.float64], speaking: Flags) -> float:
    """Syllables per second of speech, pauses left out (phonation time); NaN for less than 1 s of speech.

    Parameters
    ----------
    nuclei_s
        From `syllable_nuclei`.
    speaking
        The same as there, shape (m,).
    """
    seconds = float(np.count_nonzero(speaking)) * STEP_S
    return len(nuclei_s) / seconds if seconds >= LEAST_SPEECH_S - 1e-9 else float("nan")


def speech_rate(nuclei_s: npt.NDArray[np.float64], start_s: float, end_s: float) -> float:
    """Syllables per second of a turn, its pauses included; NaN for less than 1 s.

    Parameters
    ----------
    nuclei_s
        From `syllable_nuclei`, increasing.
    start_s, end_s
        Of the turn, on the same clock.
    """
    if end_s - start_s < LEAST_SPEECH_S - 1e-9:
        return float("nan")
    inside = np.searchsorted(nuclei_s, [start_s, end_s])
    return float(inside[1] - inside[0]) / (end_s - start_s)
