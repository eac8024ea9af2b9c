"""Synchrony of two series, and whether it is more than chance.

Unrelated series correlate in every window, one way or the other: where they vary slowly their mean absolute Fisher z
is about 0.24. Synchrony is therefore a comparison: with the same two at other times, or with other people's series.

Source: Ramseyer & Tschacher 2011; Moulder et al. 2018 (surrogates); rMEA (Kleinbub & Ramseyer 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vsa.features.signals import Floats
from vsa.features.wclc import Layout, lagged_z, mean_of, seconds, why_none

WINDOW_S, STEP_S, LAG_S, SURROGATES = 60.0, 30.0, 5.0, 100

#: A peak nearer to 0 than this, s, has no leader: it is within the accuracy of times.
AT_ONCE_S = 0.1
#: A peak that surrogates reach more often than this names no leader.
WITHIN_CHANCE = 0.05
#: Of the length of a window with its lag, series must have so many to be moved against each other.
LEAST_BLOCKS = 5
#: Values that differ by less than this share are the same but for rounding.
_ROUNDING = 1e-9

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
        nothing by itself: see `against_surrogates`. NaN with `reason`.
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
        if abs(self.peak_lag_s) < AT_ONCE_S - _ROUNDING:
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


@dataclass(frozen=True, eq=False)
class SurrogateTest:
    """Synchrony beside that of the same series at times that don't belong together.

    Attributes
    ----------
    observed
        What was found.
    mean_abs_z, peak_abs_z
        The surrogates' `mean_abs_z` and size of `peak_z`, shape (n,); n is 0 if none could be made.
    z, p, peak_surrogate_z, peak_p
        `beyond_chance` of the observed `mean_abs_z`, and of the size of its peak; NaN with `reason`.
    window_z
        How far `Synchrony.window_abs_z` lies above that of the surrogates in the same window, in their standard
        deviations, shape (w,): where in the session the two go together. NaN as there, and without surrogates.
    seed, reason
        Of the random times; why z and p are NaN, for people, empty if they are there.
    """

    observed: Synchrony
    mean_abs_z: Floats
    peak_abs_z: Floats
    z: float
    p: float
    peak_surrogate_z: float
    peak_p: float
    window_z: Floats
    seed: int
    reason: str

    @property
    def leader(self) -> Leader:
        """`Synchrony.leader`, but neither where the peak is within chance: its lag then says nothing."""
        if self.observed.leader and self.peak_p > WITHIN_CHANCE:
            return "neither"
        return self.observed.leader


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


def against_surrogates(
    first: Floats,
    second: Floats,
    rate_hz: float,
    *,
    surrogates: int = SURROGATES,
    seed: int = 0,
    window_s: float = WINDOW_S,
    step_s: float = STEP_S,
    lag_s: float = LAG_S,
) -> SurrogateTest:
    """Test synchrony against the same two series at times that don't belong together.

    For each surrogate the second series is moved in time as a whole, its end coming round to its start, by a random
    time of at least a window and its lag, one from each of as many equal parts of the times there are. Every window
    then meets one of another time, as in the shuffling of windows of Ramseyer & Tschacher, and each series keeps all
    of its own course. Shuffling windows that overlap would not do: neighbours share samples, so their z go up and down
    together; shuffled they no longer do, means spread less than those of real pairs, and chance passes for synchrony.

    Series shorter than about five windows with their lags can be moved by few times that differ: nearly twice as many
    unrelated pairs as there should be fall below p = 0.05 then.

    Parameters
    ----------
    first, second, rate_hz, window_s, step_s, lag_s
        As in `synchrony`.
    surrogates
        How many; no p is below 1 / (surrogates + 1).
    seed
        Of the random times.

    Source: Moulder et al. 2018 (time-shifted surrogates); p as Phipson & Smyth 2010.
    """
    settings = {"window_s": window_s, "step_s": step_s, "lag_s": lag_s}
    observed = synchrony(first, second, rate_hz, **settings)
    n, block = len(first), Layout.of(rate_hz, **settings).block
    values, windows, reason = np.empty((0, 2)), np.empty((0, observed.windows)), observed.reason
    if not reason and surrogates < 1:
        reason = "no surrogates were asked for"
    elif not reason and n < LEAST_BLOCKS * block:
        reason = (
            f"{seconds(n / rate_hz)} are too short to move the series against each other: "
            f"that takes {seconds(LEAST_BLOCKS * block / rate_hz)}"
        )
    elif not reason:
        parts = np.arange(surrogates) + np.random.default_rng(seed).random(surrogates)
        shifts = block + np.floor(parts / surrogates * (n - 2 * block + 1)).astype(int)
        moved = [synchrony(first, np.roll(second, shift), rate_hz, **settings) for shift in shifts]
        values = np.array([(one.mean_abs_z, abs(one.peak_z)) for one in moved])
        windows = np.array([one.window_abs_z for one in moved])
    z, p = beyond_chance(observed.mean_abs_z, values[:, 0])
    peak_z, peak_p = beyond_chance(abs(observed.peak_z), values[:, 1])
    if not reason and math.isnan(z):
        reason = "too few surrogates have a value" if math.isnan(p) else "the surrogates don't vary"
    window_z = np.array(
        [beyond_chance(*one)[0] for one in zip(observed.window_abs_z, windows.T, strict=True)], np.float64
    )
    return SurrogateTest(observed, values[:, 0], values[:, 1], z, p, peak_z, peak_p, window_z, seed, reason)


def pseudo(
    first: Floats,
    others: Sequence[Floats],
    rate_hz: float,
    *,
    window_s: float = WINDOW_S,
    step_s: float = STEP_S,
    lag_s: float = LAG_S,
) -> tuple[Floats, Floats]:
    """Pseudo-synchrony: one person with people of other sessions, who never met.

    Parameters
    ----------
    first, rate_hz, window_s, step_s, lag_s
        As in `synchrony`.
    others
        Other people's series, n of them; each pair is cut to the shorter.

    Returns
    -------
    `mean_abs_z` and the size of `peak_z` of each pair, shape (n,); NaN where it has none. See `beyond_chance`.

    Source: Bernieri & Rosenthal 1991; Ramseyer & Tschacher 2011.
    """
    values = np.full((len(others), 2), np.nan)
    for row, other in zip(values, others, strict=True):
        n = min(len(first), len(other))
        found = synchrony(first[:n], other[:n], rate_hz, window_s=window_s, step_s=step_s, lag_s=lag_s)
        row[:] = found.mean_abs_z, abs(found.peak_z)
    return values[:, 0], values[:, 1]


def beyond_chance(observed: float, pseudo_values: Floats) -> tuple[float, float]:
    """Where a value lies among those of chance.

    Parameters
    ----------
    observed, pseudo_values
        The value; those of surrogates or pseudo-pairs, shape (n,), of which NaN are left out.

    Returns
    -------
    z, p
        Standard deviations above their mean, and (1 + how many are at or above) / (1 + n). NaN with fewer than 2, or
        where the value is NaN; z is NaN where they don't vary. Source of p: Phipson & Smyth 2010.
    """
    chance = np.asarray(pseudo_values, np.float64)
    chance = chance[np.isfinite(chance)]
    if len(chance) < 2 or not math.isfinite(observed):
        return math.nan, math.nan
    as_high = chance >= observed - _ROUNDING * abs(observed)
    mean, sd = float(chance.mean()), float(chance.std(ddof=1))
    z = (observed - mean) / sd if sd > _ROUNDING * abs(mean) else math.nan
    return z, (1 + int(as_high.sum())) / (1 + len(chance))
