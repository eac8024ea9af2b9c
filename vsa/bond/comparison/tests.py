"""Tests of groups and their effect sizes, from numbers to numbers.

Groups of people who were not assigned by chance differ in size and spread, so no test here takes their variances to be
equal: Welch's t and F (Welch 1947, 1951), Games & Howell's pairs, and Hedges' g in units of the mean of both variances,
which is the g that goes with Welch's t (Delacre et al. 2021; both exclude 0 in the same samples).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort_columns import without_rounding
from vsa.bond.comparison.noncentral import LEVEL, noncentral_f, noncentral_t, unbiased

Floats = npt.NDArray[np.float64]


class NoSpread(Exception):
    """All values of a group are the same, and a test needs them to differ."""


def _alike(values: Floats) -> bool:
    """Whether all are the same but for rounding."""
    return bool(np.ptp(without_rounding(values)) == 0)


@dataclass(frozen=True)
class TwoGroups:
    """A group beside the reference group.

    Attributes
    ----------
    t, df, p
        Welch's t of group minus reference, two-sided.
    difference, low, high
        Of the means, in points, with its 95 % interval (Welch).
    g, g_low, g_high
        Hedges' g, in units of the root of the mean of both variances; the interval is of the population's difference in
        these units, by the noncentral t.
    g_pooled
        The same in units of the pooled SD, as many meta-analyses take it.
    equivalence_p
        That the population's difference is as large as the margin or larger, in one direction or the other: the larger
        of two one-sided tests. Below .05 where the 90 % interval of the difference lies within the margin.
    """

    t: float
    df: float
    p: float
    difference: float
    low: float
    high: float
    g: float
    g_low: float
    g_high: float
    g_pooled: float
    equivalence_p: float


@dataclass(frozen=True)
class Groups:
    """Welch's F: whether all of k groups have the same mean."""

    f: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True)
class Explained:
    """How much of the variance lies between groups, by the ANOVA that takes variances to be equal.

    Attributes
    ----------
    f, df1, df2, p
        Of the classical ANOVA.
    eta2, omega2
        Share of the sums of squares between groups, and its nearly unbiased estimate, which can be below 0.
    low, high
        90 % interval of the population's share, by the noncentral F; it belongs to both.
    """

    f: float
    df1: float
    df2: float
    p: float
    eta2: float
    omega2: float
    low: float
    high: float


@dataclass(frozen=True)
class Correlation:
    """Pearson's r, its 95 % interval (Fisher's z), and its t."""

    r: float
    low: float
    high: float
    t: float
    df: float
    p: float


def two_groups(reference: Floats, group: Floats, margin: float) -> TwoGroups:
    """Compare a group with a reference group.

    Parameters
    ----------
    reference, group
        One value a person, two or more, (n1,), (n2,).
    margin
        Of the equivalence test, in units of the root of the mean of both variances; above 0.

    Raises
    ------
    NoSpread
        When nobody differs from the others of the same group, in both groups.

    Examples
    --------
    >>> found = two_groups(np.array([3.0, 4.0, 5.0, 4.0]), np.array([4.0, 5.0, 5.0, 4.5]), margin=0.3)
    >>> round(found.difference, 3), round(found.t, 3), round(found.df, 2)
    (0.625, 1.321, 4.84)
    """
    from scipy.stats import nct, t

    n1, n2 = len(reference), len(group)
    v1, v2 = float(np.var(reference, ddof=1)), float(np.var(group, ddof=1))
    if v1 + v2 <= 1e-18 * (1 + float(np.mean(reference)) ** 2):
        raise NoSpread
    e1, e2 = v1 / n1, v2 / n2
    df = (e1 + e2) ** 2 / (e1**2 / (n1 - 1) + e2**2 / (n2 - 1))
    difference = float(group.mean() - reference.mean())
    error = math.sqrt(e1 + e2)
    statistic = difference / error
    half = float(t.ppf((1 + LEVEL) / 2, df)) * error
    unit = math.sqrt((v1 + v2) / 2)
    per_unit = error / unit  # a noncentrality of 1 is a difference of so many units
    own_df = (n1 - 1) * (n2 - 1) * (v1 + v2) ** 2 / ((n2 - 1) * v1**2 + (n1 - 1) * v2**2)
    pooled = math.sqrt(((n1 - 1) * v1 + (n2 - 1) * v2) / (n1 + n2 - 2))
    low, high = noncentral_t(statistic, df)
    beyond = margin / per_unit
    # is it above -margin; is it below margin
    one_sided = float(nct.sf(statistic, df, -beyond)), float(nct.cdf(statistic, df, beyond))
    return TwoGroups(
        t=statistic,
        df=df,
        p=float(2 * t.sf(abs(statistic), df)),
        difference=difference,
        low=difference - half,
        high=difference + half,
        g=unbiased(own_df) * difference / unit,
        g_low=low * per_unit,
        g_high=high * per_unit,
        g_pooled=unbiased(n1 + n2 - 2) * difference / pooled,
        equivalence_p=max(one_sided),
    )


def several_groups(samples: Sequence[Floats]) -> Groups:
    """Compare groups by Welch's F.

    Parameters
    ----------
    samples
        One value a person, two or more in each of two groups or more.

    Raises
    ------
    NoSpread
        When nobody differs from the others of the same group, in any group.
    """
    from statsmodels.stats.oneway import anova_oneway

    if any(_alike(sample) for sample in samples):
        raise NoSpread
    found = anova_oneway(list(samples), use_var="unequal")
    return Groups(float(found.statistic), float(found.df_num), float(found.df_denom), float(found.pvalue))


def explained(samples: Sequence[Floats]) -> Explained:
    """Shares of variance; parameters and errors as for `several_groups`, but one group may be without spread."""
    from scipy.stats import f as f_distribution

    values = np.concatenate(samples)
    n, k = len(values), len(samples)
    within = float(sum(((sample - sample.mean()) ** 2).sum() for sample in samples))
    total = float(((values - values.mean()) ** 2).sum())
    if within <= 1e-18 * (total + float(np.mean(values)) ** 2):
        raise NoSpread
    between = total - within
    df1, df2 = float(k - 1), float(n - k)
    error = within / df2
    statistic = between / df1 / error
    low, high = noncentral_f(statistic, df1, df2)
    return Explained(
        f=statistic,
        df1=df1,
        df2=df2,
        p=float(f_distribution.sf(statistic, df1, df2)),
        eta2=between / total,
        omega2=(between - df1 * error) / (total + error),
        low=low / (low + n),
        high=high / (high + n),
    )


def pair_p(first: Floats, second: Floats, groups: int) -> float:
    """Two of several groups, by Games & Howell 1976: allows for all pairs being looked at.

    Parameters
    ----------
    first, second
        One value a person.
    groups
        How many groups there are.
    """
    from scipy.stats import studentized_range

    e1, e2 = (float(np.var(sample, ddof=1)) / len(sample) for sample in (first, second))
    df = (e1 + e2) ** 2 / (e1**2 / (len(first) - 1) + e2**2 / (len(second) - 1))
    q = abs(float(first.mean() - second.mean())) / math.sqrt((e1 + e2) / 2)
    return float(studentized_range.sf(q, groups, df))


def correlation(x: Floats, y: Floats) -> Correlation:
    """Two numbers of each person, (n,), n of 4 or more.

    Raises
    ------
    NoSpread
        When one of them is the same for all.
    """
    from scipy.stats import norm, t

    if _alike(x) or _alike(y):
        raise NoSpread
    n = len(x)
    r = float(np.corrcoef(x, y)[0, 1])
    df = float(n - 2)
    statistic = math.copysign(math.inf, r) if abs(r) >= 1 else r * math.sqrt(df / (1 - r**2))
    half = float(norm.ppf((1 + LEVEL) / 2)) / math.sqrt(n - 3)
    z = math.atanh(max(-1 + 1e-15, min(1 - 1e-15, r)))
    return Correlation(
        r=r,
        low=math.tanh(z - half),
        high=math.tanh(z + half),
        t=statistic,
        df=df,
        p=float(2 * t.sf(abs(statistic), df)),
    )


def ranked_p(samples: Sequence[Floats]) -> tuple[str, float]:
    """A test of ranks beside the others, where many scores are the same: its name and p, NaN if there is none.

    Brunner & Munzel 2000 for two groups (Mann & Whitney 1947 where they don't overlap, and that one has no p); Kruskal
    & Wallis 1952 for more.
    """
    from scipy.stats import brunnermunzel, kruskal, mannwhitneyu

    if len(samples) > 2:
        name, test = "Kruskal-Wallis", kruskal
    elif max(map(np.min, samples)) > min(map(np.max, samples)):
        name, test = "Mann-Whitney", mannwhitneyu
    else:
        name, test = "Brunner-Munzel", brunnermunzel
    if np.ptp(np.concatenate(samples)) == 0:
        return name, math.nan
    return name, float(test(*samples).pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p values for their number (Holm 1979); NaN stays, and does not count.

    Examples
    --------
    >>> holm([0.01, float("nan"), 0.04, 0.03])
    [0.03, nan, 0.06, 0.06]
    """
    known = sorted((value, k) for k, value in enumerate(p) if not math.isnan(value))
    out = [math.nan] * len(p)
    highest = 0.0
    for rank, (value, k) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * value))
        out[k] = highest
    return out
