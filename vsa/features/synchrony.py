"""Synchrony of two series: how they go together, window by window and lag by lag.

It says nothing by itself: see `vsa.features.chance`.

Source: Ramseyer & Tschacher 2011; rMEA (Kleinbub & Ramseyer 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vsa.features.signals import Floats
from vsa.features.wclc import Layout, lagged_z, mean_of, why_none

WINDOW_S, STEP_S, LAG_S = 60.0, 30.0, 5.0

#: A peak nearer to 0 than this, s, has no leader: it is within the accuracy of times.
AT_ONCE_S = 0.1
#: Values that differ by less than this share are the same but for rounding.
ROUNDING = 1e-9

Leader = Literal["first", "second", "neither", ""]


@dataclass(frozen=True, eq=False)
class Synchrony:
    """How two series go together.

    Attributes
    ----------
    lags_s
        Shape (k,), s, ascending; positive: the first series leads and the second follows by that time.
    starts_s
        Of each window, s from the first sample, shape (w,).
    z
        Fisher z of each window and lag, at most 10 in size, shape (w, k); NaN as `lagged_z` has it.
    profile
        Mean z over windows, signed, shape (k,).
    mean_abs_z
        Mean size of z over windows and lags: the grand average of rMEA's ``MEAccf(ABS = TRUE, r2Z = TRUE)``. It says
        nothing by itself: see `vsa.features.chance.against_surrogates`. NaN with `reason`.
    peak_z, peak_lag_s
        `profile` where it is largest in size (negative if one moves more when the other moves less), and where, s.
    lead_index
        -1 to 1: mean size of z where the first leads less that where the second leads, over their sum.
    windows_used
        Windows that have a value.
    reason
        Why values are NaN, for people; empty if they are there.
    """

    lags_s: Floats
    starts_s: Floats
    z: Floats
    profile: Floats
    mean_abs_z: float
    peak_z: float
    peak_lag_s: float
    lead_index: float
    windows_used: int
    reason: str

    @property
    def leader(self) -> Leader:
        """Who is first at the peak; neither within `AT_ONCE_S`, empty without a peak."""
        if math.isnan(self.peak_lag_s):
            return ""
        if abs(self.peak_lag_s) < AT_ONCE_S - ROUNDING:
            return "neither"
        return "first" if self.peak_lag_s > 0 else "second"

    @property
    def windows(self) -> int:
        """Windows in all."""
        return len(self.starts_s)

    @property
    def window_abs_z(self) -> Floats:
        """Mean size of z over the lags of each window, shape (w,)."""
        return mean_of(np.abs(self.z), np.isfinite(self.z), axis=1)


def synchrony(
    first: Floats,
    second: Floats,
    rate_hz: float,
    *,
    window_s: float = WINDOW_S,
    step_s: float = STEP_S,
    lag_s: float = LAG_S,
) -> Synchrony:
    """Windowed lagged cross-correlation of two series.

    Parameters
    ----------
    first, second
        Evenly sampled, of one length, NaN where missing; shape (n,).
    rate_hz
        Samples a second.
    window_s, step_s, lag_s
        Length of a window, from one to the next, and the longest lag either way, s. They are rounded to samples.

    Raises
    ------
    ValueError
        When lengths differ, or the settings make no window. Data that are short or missing raise nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> leads = rng.normal(size=3000).cumsum()
    >>> found = synchrony(leads[10:], leads[:-10], rate_hz=10)
    >>> found.peak_lag_s, found.leader
    (1.0, 'first')
    """
    layout = Layout.of(rate_hz, window_s, step_s, lag_s)
    if np.ndim(first) != 1 or np.shape(first) != np.shape(second):
        raise ValueError(
            f"two series of one length go together, not {np.shape(first)} and {np.shape(second)}"
        )
    z, same = lagged_z(first, second, layout)
    there = np.isfinite(z)
    used = int(there.any(1).sum())
    lags_s = np.arange(-layout.lag, layout.lag + 1) / rate_hz
    profile = mean_of(z, there, axis=0)
    peak_z = peak_lag_s = math.nan
    if used:
        at = int(np.nanargmax(np.abs(profile)))
        peak_z, peak_lag_s = float(profile[at]), float(lags_s[at])
    size = np.abs(z)
    first_leads, second_leads = (
        float(mean_of(size[:, side], there[:, side])) for side in (lags_s > 0, lags_s < 0)
    )
    both = first_leads + second_leads
    mean_abs_z = float(mean_of(size, there & ~same))
    return Synchrony(
        lags_s=lags_s,
        starts_s=layout.starts(len(first)) / rate_hz,
        z=z,
        profile=profile,
        mean_abs_z=mean_abs_z,
        peak_z=peak_z,
        peak_lag_s=peak_lag_s,
        lead_index=(first_leads - second_leads) / both if both > 0 else math.nan,
        windows_used=used,
        reason=why_none(first, second, rate_hz, layout) if math.isnan(mean_abs_z) else "",
    )
