"""One score beside one thing that people differ in: groups and their means, the test, effect sizes.

What counts once is the client, with the mean of its sessions: sessions of one client are no independent people. Where a
client is in several groups (some sessions online, some in person), it counts once in each.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.comparison import tests
from vsa.bond.comparison.columns import TOLD_FROM, Names
from vsa.bond.comparison.factors import Factor
from vsa.bond.comparison.noncentral import LEVEL
from vsa.bond.comparison.records import Group, Pair, Settings, Test

Floats = npt.NDArray[np.float64]


def units(who: Names, y: Floats, factor: Factor) -> pd.DataFrame:
    """Means of each client: columns `who`, `value` (number or group), `y`, `sessions`; sessions with both known count.

    Parameters
    ----------
    who
        Whose session, (n,).
    y
        The score, (n,), NaN where there is none.
    factor
        What is compared by; clients in several groups have a row in each.
    """
    rows = pd.DataFrame({"who": who, "value": factor.values.to_numpy(), "y": y})
    rows = rows[np.isfinite(y) & rows["value"].notna().to_numpy()]
    if factor.continuous:
        by, means = rows.assign(value=rows["value"].astype(np.float64)).groupby("who"), ["value", "y"]
    else:
        by, means = rows.groupby(["who", "value"]), ["y"]
    return by[means].mean().assign(sessions=by.size()).reset_index()


def compare_groups(
    outcome: str, factor: Factor, people: pd.DataFrame, settings: Settings, *, pairs: bool = True
) -> Test:
    """Test a score by one factor.

    Parameters
    ----------
    outcome
        The score's name.
    factor
        What is compared by.
    people
        From `units`.
    settings
        How small a group may be, and the margin of equivalence.
    pairs
        Whether to look at pairs of three groups or more.
    """
    found = Test(outcome, factor.name)
    if factor.continuous:
        return _correlated(found, people, settings)
    samples: dict[str, Floats] = {}
    groups = []
    for level in factor.levels:
        own = people[people["value"] == level]
        y = own["y"].to_numpy(np.float64)
        if len(y) == 0:
            continue
        enough = len(y) >= settings.least
        groups.append(_group(level, y, int(own["sessions"].sum()), enough))
        if enough:
            samples[level] = y
    found = replace(found, groups=tuple(groups))
    if len(samples) < 2:
        return replace(found, reason=_why_not([group.tested for group in groups], settings.least))
    tested = people[people["value"].isin(samples)]
    rows = tested["who"].value_counts()
    found = replace(found, n=len(rows), repeated=int((rows > 1).sum()))
    try:
        found = _two(found, samples, settings) if len(samples) == 2 else _several(found, samples, pairs)
    except tests.NoSpread:
        return replace(
            found, reason="all clients of a group have the same score, and a test needs them to differ"
        )
    name, p = tests.ranked_p(list(samples.values()))
    return replace(found, rank_test=name, rank_p=p)


def _group(level: str, y: Floats, sessions: int, enough: bool) -> Group:
    from scipy.stats import t

    told = len(y) >= TOLD_FROM
    n, sessions_told = (len(y), sessions) if told else (None, None)
    if not enough:
        return Group(level, n, sessions_told, math.nan, math.nan, math.nan, math.nan, False)
    mean, sd = float(y.mean()), float(y.std(ddof=1))
    half = float(t.ppf((1 + LEVEL) / 2, len(y) - 1)) * sd / len(y) ** 0.5
    return Group(level, n, sessions_told, mean, mean - half, mean + half, sd, True)


def _why_not(enough: Sequence[bool], least: int) -> str:
    if len(enough) < 2:
        return "one group only has values"
    return f"{'all groups have' if not any(enough) else 'all groups but one have'} fewer than {least} clients"


def _two(found: Test, samples: dict[str, Floats], settings: Settings) -> Test:
    (reference, first), (group, second) = samples.items()
    two = tests.two_groups(first, second, settings.margin)
    return _with_shares(
        replace(
            found,
            test="Welch t",
            reference=reference,
            group=group,
            statistic=two.t,
            df2=two.df,
            p=two.p,
            difference=two.difference,
            low=two.low,
            high=two.high,
            g=two.g,
            g_low=two.g_low,
            g_high=two.g_high,
            g_pooled=two.g_pooled,
            equivalence_p=two.equivalence_p,
        ),
        samples,
    )


def _several(found: Test, samples: dict[str, Floats], pairs: bool) -> Test:
    welch = tests.several_groups(list(samples.values()))
    found = replace(found, test="Welch F", statistic=welch.f, df1=welch.df1, df2=welch.df2, p=welch.p)
    looked_at = []
    for first, second in itertools.combinations(samples, 2) if pairs else ():
        two = tests.two_groups(samples[first], samples[second], 1.0)
        p = tests.pair_p(samples[first], samples[second], len(samples))
        looked_at.append(Pair(first, second, two.difference, two.g, two.g_low, two.g_high, p))
    return _with_shares(replace(found, pairs=tuple(looked_at)), samples)


def _with_shares(found: Test, samples: dict[str, Floats]) -> Test:
    shares = tests.explained(list(samples.values()))
    return replace(
        found,
        eta2=shares.eta2,
        omega2=shares.omega2,
        share_low=shares.low,
        share_high=shares.high,
        anova_f=shares.f,
        anova_df1=shares.df1,
        anova_df2=shares.df2,
        anova_p=shares.p,
    )


def _correlated(found: Test, people: pd.DataFrame, settings: Settings) -> Test:
    from scipy.stats import spearmanr

    n = len(people)
    if n < settings.least:
        return replace(found, reason=f"fewer than {settings.least} clients have both")
    x, y = (people[name].to_numpy(np.float64) for name in ("value", "y"))
    try:
        one = tests.correlation(x, y)
    except tests.NoSpread:
        return replace(found, n=n, reason="one of both is the same for all clients")
    return replace(
        found,
        test="Pearson r",
        n=n,
        statistic=one.t,
        df2=one.df,
        p=one.p,
        r=one.r,
        r_low=one.low,
        r_high=one.high,
        rank_test="Spearman",
        rank_p=float(spearmanr(x, y).pvalue),
    )
