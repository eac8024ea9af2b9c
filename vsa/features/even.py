"""Signals on one even grid for several people, so that they can be compared sample by sample."""

from __future__ import annotations

import numpy as np

from vsa.features.signals import BRIDGE_S, Flags, Floats

#: Times are rounded where they are written: a frame this share of a bin before its edge lies on it.
_EDGE = 1e-6


def evenly(t: Floats, values: Floats, seen: Flags, rate_hz: float, *, start_s: float, end_s: float) -> Floats:
    """Mean of a signal in each of equal bins of time.

    Bins without a frame lie on a straight line between their neighbours if the hole lasts no longer than
    `signals.BRIDGE_S`, so that a recording of 15 frames a second has a value in each of 25 bins.

    Parameters
    ----------
    t
        Presentation times, s, shape (n,).
    values
        Shape (n,).
    seen
        Where the signal can be used, shape (n,); NaN are left out too.
    rate_hz
        Bins a second.
    start_s, end_s
        The bins begin at `start_s`; as many as are whole before `end_s`.

    Returns
    -------
    Shape (bins,): the k-th is for the time from start_s + k / rate_hz to start_s + (k + 1) / rate_hz; NaN where
    nothing was seen.

    Examples
    --------
    >>> t = np.array([0.0, 0.1, 0.5])
    >>> evenly(t, np.array([1.0, 3.0, 6.0]), t >= 0, 5, start_s=0, end_s=1).tolist()
    [2.0, 4.0, 6.0, nan, nan]
    """
    bins = max(0, int(np.floor((end_s - start_s) * rate_hz + _EDGE)))
    at = np.floor((t - start_s) * rate_hz + _EDGE)
    use = seen & np.isfinite(values) & (at >= 0) & (at < bins)
    where = at[use].astype(np.int64)
    count = np.bincount(where, minlength=bins)
    even = np.full(bins, np.nan)
    filled = np.flatnonzero(count)
    even[filled] = np.bincount(where, weights=values[use], minlength=bins)[filled] / count[filled]
    if len(filled) < 2:
        return even
    between = np.arange(filled[0], filled[-1])
    holes = (np.diff(filled) - 1)[np.searchsorted(filled, between, "right") - 1]
    short = between[(holes > 0) & (holes <= BRIDGE_S * rate_hz + _EDGE)]
    even[short] = np.interp(short, filled, even[filled])
    return even
