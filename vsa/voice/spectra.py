"""Two tracks side by side in time and frequency: band levels, and coherence between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.activity import STEP_S
from vsa.voice.delay import RATE_HZ, piece

Floats = npt.NDArray[np.float32]

#: Bands of equal width on the mel scale.
BANDS = 12
_BAND_HZ = (200.0, 3600.0)
_WIDTH = 256  # 32 ms
_STEP = round(STEP_S * RATE_HZ)
#: Steps over which coherence is taken: 150 ms.
_OVER = 15
_AT_ONCE = 3000  # steps


@dataclass(frozen=True)
class Comparison:
    """What a track holds, and what another one held when it set out.

    Attributes
    ----------
    source, heard
        (m, BANDS) power of the delayed source and of the track that hears it.
    coherence
        (m,) magnitude-squared coherence over 150 ms, mean over frequencies, 0-1; about 0.1 by chance.
    """

    source: Floats
    heard: Floats
    coherence: Floats


def compared(
    source: Samples, heard: Samples, delays: Sequence[tuple[int, int, int]], steps: int
) -> Comparison:
    """Compare a track with a delayed source.

    Parameters
    ----------
    source, heard
        Tracks at 8 kHz.
    delays
        (first sample, last sample, delay in samples) of each stretch.
    steps
        10 ms steps of the result.
    """
    from scipy import fft

    out = Comparison(
        np.zeros((steps, BANDS), np.float32),
        np.zeros((steps, BANDS), np.float32),
        np.zeros(steps, np.float32),
    )
    weights = _bands()
    inside = weights.any(axis=1)
    window = np.hanning(_WIDTH + 1)[:-1].astype(np.float32)
    ends = np.array([end for _, end, _ in delays])
    for first in range(0, steps, _AT_ONCE):
        count = min(_AT_ONCE, steps - first)
        lag = delays[min(int(np.searchsorted(ends, first * _STEP, side="right")), len(delays) - 1)][2]
        margin = _OVER // 2
        start = (first - margin) * _STEP - (_WIDTH - _STEP) // 2
        length = (count + 2 * margin - 1) * _STEP + _WIDTH
        x = fft.rfft(_windows(piece(source, start - lag, length)) * window)[:, inside]
        y = fft.rfft(_windows(piece(heard, start, length)) * window)[:, inside]
        px, py = np.square(np.abs(x)), np.square(np.abs(y))
        rows = slice(first, first + count)
        out.source[rows] = (px @ weights[inside])[margin : margin + count]
        out.heard[rows] = (py @ weights[inside])[margin : margin + count]
        cross = x * np.conj(y)
        both = np.square(_mean(cross.real)) + np.square(_mean(cross.imag))
        out.coherence[rows] = np.mean(both / (_mean(px) * _mean(py) + 1e-20), axis=1)
    return out


def mel_levels(samples: Samples) -> Floats:
    """Level of each band in each 10 ms of a track at 8 kHz, dB, (m, BANDS)."""
    from scipy import fft

    weights = _bands()
    window = np.hanning(_WIDTH + 1)[:-1].astype(np.float32)
    steps = len(samples) // _STEP
    out = np.empty((steps, BANDS), np.float32)
    for first in range(0, steps, _AT_ONCE):
        count = min(_AT_ONCE, steps - first)
        start = first * _STEP - (_WIDTH - _STEP) // 2
        x = fft.rfft(_windows(piece(samples, start, (count - 1) * _STEP + _WIDTH)) * window)
        out[first : first + count] = decibels(np.square(np.abs(x)) @ weights)
    return out


def decibels(power: npt.NDArray[np.floating]) -> Floats:
    """10 log10, at least -120."""
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), np.float32)


def _windows(samples: Floats) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(samples, _WIDTH)[::_STEP]


def _mean(values: Floats) -> Floats:
    """Mean over `_OVER` steps; only where all of them are there."""
    total = np.cumsum(values, axis=0, dtype=np.float64)
    total[_OVER:] -= total[:-_OVER].copy()
    return np.asarray(total[_OVER - 1 :] / _OVER, np.float32)


def _bands() -> Floats:
    """Weights (frequency, BANDS) of the mean power in each band."""
    f = np.fft.rfftfreq(_WIDTH, 1 / RATE_HZ)
    low, high = (2595 * np.log10(1 + edge / 700) for edge in _BAND_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 1) / 2595) - 1)
    inside = (f[:, None] >= edges[:-1]) & (f[:, None] < edges[1:])
    return np.asarray(inside / inside.sum(axis=0), np.float32)
