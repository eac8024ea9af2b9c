"""How much later one track hears what another holds: cross-correlation of whitened sound.

With the phase transform (PHAT: Knapp & Carter 1976) every frequency counts the same, so that the filter of a
loudspeaker and the echo of a room blur the peak little. The size of the correlation counts, not its sign, which a
loudspeaker may turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Pcm, Samples, pieces, resampled

Floats = npt.NDArray[np.float32]

#: Rate at which tracks are compared; loudspeakers and call codecs leave little above its half.
RATE_HZ = 8_000
_BAND_HZ = (200.0, 3600.0)


@dataclass(frozen=True)
class Windows:
    """Where and how two tracks are compared.

    Attributes
    ----------
    length
        Samples of the source in one window.
    first_lag, last_lag
        Range of the lags, samples; positive: `heard` is later than `source`.
    """

    length: int
    first_lag: int
    last_lag: int

    @property
    def lags(self) -> int:
        """How many lags there are."""
        return self.last_lag - self.first_lag + 1


def thinned(samples: Samples, rate_hz: int) -> Pcm:
    """Sound at `RATE_HZ`, without what isn't a number."""
    if rate_hz == RATE_HZ:
        return Pcm.of(map(_finite, pieces(samples)))
    return resampled(samples, rate_hz, RATE_HZ, "MQ", _finite)


def _finite(samples: Floats) -> Floats:
    return np.nan_to_num(samples, posinf=0.0, neginf=0.0)


def curves(source: Samples, heard: Samples, starts: Sequence[int], windows: Windows) -> Iterator[Floats]:
    """For each window, the size of the whitened correlation at each lag, in units of its own RMS.

    Parameters
    ----------
    source, heard
        Tracks at `RATE_HZ`; what lies outside them is silence.
    starts
        First sample of each window in `source`.
    windows
        Their length, and the lags.
    """
    from scipy import fft

    long = windows.length + windows.lags - 1
    size = fft.next_fast_len(long, real=True)
    f = fft.rfftfreq(size, 1 / RATE_HZ)
    band = ((f >= _BAND_HZ[0]) & (f <= _BAND_HZ[1])).astype(np.float32)
    for start in starts:
        told = fft.rfft(piece(source, start, windows.length), size)
        cross = fft.rfft(piece(heard, start + windows.first_lag, long), size) * np.conj(told)
        cross *= band / np.maximum(np.abs(cross), 1e-20)
        curve = np.abs(fft.irfft(cross, size)[: windows.lags])
        yield np.asarray(curve / (np.sqrt(np.mean(curve**2)) + 1e-20), np.float32)


def piece(samples: Samples, start: int, length: int) -> Floats:
    """`length` samples from `start` on, silence where there are none."""
    out = np.zeros(length, np.float32)
    first, last = max(0, start), min(len(samples), start + length)
    if last > first:
        out[first - start : last - start] = samples[first:last]
    return out


def standing_out(curve: Floats) -> float:
    """How far the highest point of a curve lies over the rest, in its robust standard deviations."""
    middle = np.median(curve)
    spread = 1.4826 * np.median(np.abs(curve - middle))
    return float((curve.max() - middle) / (spread + 1e-9))


def peak_lag(curve: Floats, first_lag: int) -> float:
    """Lag of the highest point, in samples and parts of one (a parabola through three points)."""
    k = int(curve.argmax())
    if not 0 < k < len(curve) - 1:
        return float(first_lag + k)
    left, top, right = (float(value) for value in curve[k - 1 : k + 2])
    bend = left - 2 * top + right
    return first_lag + k + (0.5 * (left - right) / bend if bend < 0 else 0.0)
