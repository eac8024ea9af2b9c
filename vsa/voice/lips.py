"""How lips move, and the part of the sound that moves with them, on one 10 ms grid.

The mouth opening of a talker follows the envelope of the voice, best in the band of the second and third formant
(1 to 3 kHz), at 2 to 7 Hz (Chandrasekaran et al. 2009; in thousands of talkers: Pedersen et al. 2022). The scores of a
face model are squashed, so that their square roots are closer to what a ruler would show: the jaw and the rounded lips
open the mouth, lips pressed together close it. How far the lips are apart is left out: a smile bares the teeth too.

Sources: Chandrasekaran, Trubanova, Stillittano, Caplier & Ghazanfar 2009, PLoS Comput Biol 5(7) e1000436; Pedersen et
al. 2022, PLoS Comput Biol 18(7) e1010273.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.activity import STEP_S

Floats = npt.NDArray[np.float32]

#: Columns of ``face.parquet`` that are read.
COLUMNS: tuple[str, ...] = ("jawOpen", "mouthFunnel", "mouthPressLeft", "mouthPressRight")
#: Longer holes between two pictures of a face stay missing.
LONGEST_GAP_S = 0.2

_SMOOTH_S = 0.02
_BAND_HZ = (1000.0, 3500.0)
_ENVELOPE_SMOOTH_S = 0.015
_BLOCK = 6000  # steps filtered at a time, to save memory


def lip_movement(
    t_s: npt.ArrayLike, face: Mapping[str, npt.ArrayLike], *, start_s: float, steps: int
) -> Floats:
    """Mouth opening of one participant and its speed.

    Parameters
    ----------
    t_s
        Times of the pictures, shape (n,), rising.
    face
        The columns named in `COLUMNS`, each of shape (n,), 0-1, NaN where the face was not tracked.
    start_s
        Where the first step begins: the presentation time of the first sound sample.
    steps
        Length of the grid.

    Returns
    -------
    float32 (steps, 2): opening (square-root scores, about 0 to 1.5) and its speed per second. NaN outside the
    pictures and in holes longer than `LONGEST_GAP_S`.
    """
    from scipy.ndimage import gaussian_filter1d

    out = np.full((steps, 2), np.nan, np.float32)
    scores = [np.asarray(face[name], np.float64) for name in COLUMNS]
    times = np.asarray(t_s, np.float64)
    seen = np.isfinite(times) & np.isfinite(scores).all(axis=0)
    if seen.sum() < 2:
        return out
    times = times[seen]
    jaw, funnel, left, right = (np.sqrt(np.clip(score[seen], 0, 1)) for score in scores)
    grid = start_s + STEP_S * (np.arange(steps) + 0.5)
    after = np.searchsorted(times, grid)
    inside = (after > 0) & (after < len(times))
    inside[inside] = np.diff(times)[after[inside] - 1] <= LONGEST_GAP_S
    opening = np.interp(grid, times, jaw + funnel - (left + right) / 4)
    opening = gaussian_filter1d(opening, _SMOOTH_S / STEP_S, mode="nearest")
    out[:, 0] = opening
    out[:, 1] = np.gradient(opening, STEP_S)
    out[~inside] = np.nan
    return out


def speech_envelope(samples: Samples, rate_hz: int) -> Floats:
    """Envelope of the sound between 1 and 3.5 kHz, compressed as loudness is.

    Parameters
    ----------
    samples
        One channel, shape (n,).
    rate_hz
        Samples a second, 4000 or more.

    Returns
    -------
    float32 (m,): square root of the band's amplitude, one value every 10 ms from the first sample, m = n / rate × 100
    rounded up.
    """
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import butter, sosfilt

    per_s = round(1 / STEP_S)
    steps = -(-len(samples) * per_s // rate_hz)
    band = (_BAND_HZ[0], min(_BAND_HZ[1], 0.45 * rate_hz))
    sections = butter(2, band, "bandpass", fs=rate_hz, output="sos")
    state = np.zeros((len(sections), 2))
    edges = np.append(np.arange(steps) * rate_hz // per_s, len(samples))
    mean_power = np.zeros(steps)
    for k in range(0, steps, _BLOCK):
        parts = edges[k : k + _BLOCK + 1]
        piece = np.nan_to_num(samples[parts[0] : parts[-1]], posinf=0.0, neginf=0.0)
        passed, state = sosfilt(sections, piece, zi=state)
        mean_power[k : k + _BLOCK] = np.add.reduceat(passed**2, parts[:-1] - parts[0]) / np.diff(parts)
    # Smoothed as power, so that a single period of the voice does not count as movement.
    smooth = gaussian_filter1d(mean_power, _ENVELOPE_SMOOTH_S / STEP_S, mode="nearest")
    return np.asarray(np.maximum(smooth, 0.0) ** 0.25, np.float32)
