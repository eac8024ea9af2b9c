"""Intervals of effect sizes: which population would give what was found, or less, or more, with a given chance."""

from __future__ import annotations

import math
from collections.abc import Callable

LEVEL = 0.95
#: Of shares of variance, which can't be below 0: the interval that leaves out 0 where p < .05 is the one of 90 %
#: (Steiger 2004).
SHARE_LEVEL = 0.9


def unbiased(df: float) -> float:
    """What a standardised difference is multiplied by to be unbiased (Hedges 1981)."""
    return math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2) if df > 1 else 1.0


def noncentral_t(statistic: float, df: float, level: float = LEVEL) -> tuple[float, float]:
    """Noncentralities at the ends of an interval, for a t that was found."""
    from scipy.stats import nct

    def at(p: float) -> float:
        return _root(lambda ncp: float(nct.cdf(statistic, df, ncp)) - p, statistic)

    return at((1 + level) / 2), at((1 - level) / 2)


def noncentral_f(statistic: float, df1: float, df2: float, level: float = SHARE_LEVEL) -> tuple[float, float]:
    """Noncentralities at the ends of an interval, for an F that was found; 0 where even that is too much."""
    from scipy.stats import f, ncf

    def at(p: float) -> float:
        if float(f.cdf(statistic, df1, df2)) <= p:
            return 0.0

        def over(ncp: float) -> float:
            return (
                float(ncf.cdf(statistic, df1, df2, ncp)) if ncp > 0 else float(f.cdf(statistic, df1, df2))
            ) - p

        return _root(over, max(1.0, statistic * df1), least=0.0)

    return at((1 + level) / 2), at((1 - level) / 2)


def _root(over: Callable[[float], float], near: float, least: float = -math.inf) -> float:
    """Where a falling function crosses 0, searched from `near` outward."""
    from scipy.optimize import brentq

    step = 2.0
    while over(max(least, near - step)) < 0:
        step *= 2
    low, step = max(least, near - step), 2.0
    while over(near + step) > 0:
        step *= 2
    return float(brentq(over, low, near + step, xtol=1e-10))
