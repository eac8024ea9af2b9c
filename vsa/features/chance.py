"""Whether the synchrony of two series is more than chance.

Unrelated series correlate in every window, one way or the other: where they vary slowly their mean absolute Fisher z
is about 0.24. Synchrony is therefore a comparison: with the same two at other times, or with other people's series.

Source: Ramseyer & Tschacher 2011; Moulder et al. 2018 (surrogates).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsa.features.signals import Floats
from vsa.features.synchrony import LAG_S, ROUNDING, STEP_S, WINDOW_S, Leader, Synchrony, synchrony
from vsa.features.wclc import Layout, seconds

SURROGATES = 100
#: A peak that surrogates reach more often than this names no leader.
WITHIN_CHANCE = 0.05
#: Of the length of a window with its lag, series must have so many to be moved against each other.
LEAST_BLOCKS = 5


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
        As in `vsa.features.synchrony.synchrony`.
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
        As in `vsa.features.synchrony.synchrony`.
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
    as_high = chance >= observed - ROUNDING * abs(observed)
    mean, sd = float(chance.mean()), float(chance.std(ddof=1))
    z = (observed - mean) / sd if sd > ROUNDING * abs(mean) else math.nan
    return z, (1 + int(as_high.sum())) / (1 + len(chance))
