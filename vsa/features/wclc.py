"""Windowed lagged cross-correlation: how two series go together, window by window and lag by lag.

At each lag one series gives the window's samples and the other as many that come later by the lag; for lags of the
other sign they change places. All lags of a window come from one Fourier transform of each series. Missing samples are
left out pair by pair, exactly: the sums over the pairs that are there are correlations of values and masks.

Source: Boker et al. 2002; Ramseyer & Tschacher 2011; windows, pairs and what is left out as in rMEA's `MEAccf`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.features.signals import Flags, Floats

Complexes = npt.NDArray[np.complex128]
Ints = npt.NDArray[np.int64]

#: Fisher z of a perfect correlation is infinite: values stop here, as in rMEA.
MOST_Z = 10.0
#: A correlation rests on this share of its window at least; fewer pairs say nothing.
LEAST_SHARE = 0.1
#: What varies by less than this share of its size is constant but for rounding.
_ROUNDING = 1e-14
#: A window with less than this share of the variation of all it is taken from does not vary: sums keep no more digits.
_STILL = 1e-11
#: Windows that are taken at a time, so that memory does not grow with the session.
_AT_A_TIME = 64


@dataclass(frozen=True)
class Layout:
    """Windows of a series, in samples.

    Attributes
    ----------
    window, step, lag
        Length of a window, from one to the next, and the longest lag.
    """

    window: int
    step: int
    lag: int

    @classmethod
    def of(cls, rate_hz: float, window_s: float, step_s: float, lag_s: float) -> Layout:
        """Round to samples; `ValueError` if that makes no window."""
        if not all(math.isfinite(value * rate_hz) for value in (window_s, step_s, lag_s)):
            raise ValueError("rate_hz, window_s, step_s and lag_s must be numbers")
        layout = cls(*(round(value * rate_hz) for value in (window_s, step_s, lag_s)))
        if layout.window < 3 or layout.step < 1 or layout.lag < 0:
            raise ValueError(f"a window takes 3 samples, a step 1, a lag none or more; these are {layout}")
        return layout

    @property
    def block(self) -> int:
        """What a window needs: its samples and those up to the longest lag after it."""
        return self.window + self.lag

    @property
    def least_pairs(self) -> float:
        """So many pairs must be there for a correlation."""
        return max(3.0, LEAST_SHARE * self.window)

    def starts(self, samples: int) -> Ints:
        """First sample of each window whose block is whole in a series of so many."""
        return np.arange(0, samples - self.block + 1, self.step, dtype=np.int64)


def lagged_z(first: Floats, second: Floats, layout: Layout) -> tuple[Floats, Flags]:
    """Fisher z of every window and lag.

    Parameters
    ----------
    first, second
        Evenly sampled, of one length, NaN where missing.
    layout
        The windows.

    Returns
    -------
    z
        Shape (windows, 2 lag + 1), lags from -lag to lag; at positive ones `second` is taken later: `first` leads. At
        most `MOST_Z` in size. NaN where more than half of a block is missing in a series, where fewer pairs than
        `LEAST_SHARE` of the window are there, and where a series does not vary.
    same
        Same shape: the two are equal there, sample by sample. rMEA leaves these out of its means.
    """
    starts = layout.starts(len(first))
    z = np.full((len(starts), 2 * layout.lag + 1), np.nan)
    same = np.zeros(z.shape, bool)
    if not len(starts):
        return z, same
    missing = np.maximum(*(_missing(series, starts, layout) for series in (first, second)))
    blocks_a, blocks_b = (np.lib.stride_tricks.sliding_window_view(s, layout.block) for s in (first, second))
    for gaps, group in ((False, missing == 0), (True, (missing > 0) & (2 * missing <= layout.block))):
        rows = np.flatnonzero(group)
        for at in (rows[i : i + _AT_A_TIME] for i in range(0, len(rows), _AT_A_TIME)):
            a, b = blocks_a[starts[at]], blocks_b[starts[at]]
            z[at] = _fisher(_correlations(a, b, layout, gaps=gaps))
            same[at] = _same(z[at], a, b, layout)
    return z, same


def _missing(series: Floats, starts: Ints, layout: Layout) -> Ints:
    """Samples that are missing in each block."""
    before = np.concatenate([[0], np.cumsum(~np.isfinite(series))])
    return np.asarray(before[starts + layout.block] - before[starts])


def mean_of(values: Floats, counted: Flags, axis: int | None = None) -> Floats:
    """Mean of those that count; NaN where there are none, without a warning."""
    n = counted.sum(axis)
    total = np.where(counted, values, 0.0).sum(axis)
    return np.asarray(np.where(n > 0, total, np.nan) / np.maximum(n, 1))


def why_none(first: Floats, second: Floats, rate_hz: float, layout: Layout) -> str:
    """Why no window gives a mean, for people."""
    for which, series in (("first", first), ("second", second)):
        if len(series) and not np.isfinite(series).any():
            return f"the {which} series is missing throughout"
    if len(first) < layout.block:
        return (
            f"{seconds(len(first) / rate_hz)} are too short: a window with its lag takes "
            f"{seconds(layout.block / rate_hz)}"
        )
    for which, series in (("first", first), ("second", second)):
        there = series[np.isfinite(series)]
        if (there == there[0]).all():
            return f"the {which} series does not vary"
    if np.array_equal(first, second, equal_nan=True):
        return "the two series are the same"
    return (
        "in no window are both series there at least half of the time, with "
        f"{seconds(layout.least_pairs / rate_hz)} at once, and vary"
    )


def seconds(value: float) -> str:
    """A length of time, for people."""
    return f"{value:.4g} s"


def _correlations(a: Floats, b: Floats, layout: Layout, *, gaps: bool) -> Floats:
    """Correlations of blocks, shape (n, block), at each lag: shape (n, 2 lag + 1); NaN where there is none."""
    there_a, there_b = np.isfinite(a).astype(float), np.isfinite(b).astype(float)
    a, b = _standard(a, there_a), _standard(b, there_b)
    f, g = _transform(a, layout), _transform(b, layout)
    products = _lagged(f, g, layout)
    if gaps:
        mask_a, mask_b = _transform(there_a, layout), _transform(there_b, layout)
        pairs = np.rint(_lagged(mask_a, mask_b, layout))
        sum_a, sum_b = _lagged(f, mask_b, layout), _lagged(mask_a, g, layout)
        square_a = _lagged(_transform(a**2, layout), mask_b, layout)
        square_b = _lagged(mask_a, _transform(b**2, layout), layout)
    else:
        pairs = np.full(products.shape, float(layout.window))
        sum_a, square_a = (_moving(values, layout) for values in (a, a**2))
        sum_b, square_b = (_moving(values, layout)[:, ::-1] for values in (b, b**2))
    n = np.maximum(pairs, 1.0)
    varies_a, varies_b = square_a - sum_a**2 / n, square_b - sum_b**2 / n
    usable = (varies_a > _STILL) & (varies_b > _STILL) & (pairs >= layout.least_pairs)
    varies = np.where(usable, varies_a * varies_b, np.nan)
    correlations: Floats = (products - sum_a * sum_b / n) / np.sqrt(varies)
    return correlations


def _standard(raw: Floats, there: Floats) -> Floats:
    """Each block about its mean, with squares that sum to 1 and 0 where missing; all 0 if it does not vary."""
    n = np.maximum(there.sum(1, keepdims=True), 1.0)
    filled = np.where(there > 0, raw, 0.0)
    mean = filled.sum(1, keepdims=True) / n
    about = (filled - mean) * there
    size = np.sqrt(np.einsum("ij,ij->i", about, about))[:, None]
    varies = size > _ROUNDING * np.sqrt(n) * np.abs(mean)
    return np.asarray(about * np.where(varies, 1 / np.where(varies, size, 1.0), 0.0))


def _transform(values: Floats, layout: Layout) -> tuple[Complexes, Complexes]:
    """Fourier transforms of blocks, and of what lies after their window."""
    from scipy.fft import rfft

    whole, rest = _lengths(layout)
    return rfft(values, whole, axis=1), rfft(values[:, layout.window :], rest, axis=1)


def _lagged(f: tuple[Complexes, Complexes], g: tuple[Complexes, Complexes], layout: Layout) -> Floats:
    """Sums of products of pairs at each lag, shape (n, 2 lag + 1): of whole blocks, less those after the window."""
    from scipy.fft import irfft

    whole, rest = (
        np.concatenate([sums[:, len(sums[0]) - layout.lag :], sums[:, : layout.lag + 1]], axis=1)
        for sums in (
            irfft(p.conj() * q, size, axis=1) for p, q, size in zip(f, g, _lengths(layout), strict=True)
        )
    )
    return np.asarray(whole - rest)


def _lengths(layout: Layout) -> tuple[int, int]:
    """Samples that blocks, and what lies after their window, are padded to: what comes round the end meets zeros."""
    from scipy.fft import next_fast_len

    return (
        next_fast_len(layout.block + layout.lag, real=True),
        next_fast_len(2 * layout.lag + 1, real=True),
    )


def _moving(values: Floats, layout: Layout) -> Floats:
    """Sums over the samples that the first series gives at lags -lag to lag, where nothing is missing."""
    start = values[:, : layout.window].sum(1, keepdims=True)
    change = values[:, layout.window :] - values[:, : layout.lag]
    later = start + np.cumsum(change, axis=1)
    return np.concatenate([later[:, ::-1], np.repeat(start, layout.lag + 1, axis=1)], axis=1)


def _fisher(r: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        z: Floats = np.clip(np.arctanh(np.clip(r, -1.0, 1.0)), -MOST_Z, MOST_Z)
    return z


def _same(z: Floats, a: Floats, b: Floats, layout: Layout) -> Flags:
    same = np.zeros(z.shape, bool)
    for row, column in np.argwhere(z >= MOST_Z):
        lag = int(column) - layout.lag
        x = a[row, max(-lag, 0) :][: layout.window]
        y = b[row, max(lag, 0) :][: layout.window]
        same[row, column] = np.sum((x != y) & np.isfinite(x + y)) < 2
    return same
