"""The statistics of a comparison: against scipy and statsmodels, against formulas written out, and against truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import effectsize_oneway
from statsmodels.stats.weightstats import ttost_ind

from vsa.bond.comparison.noncentral import noncentral_f, noncentral_t, unbiased
from vsa.bond.comparison.tests import (
    NoSpread,
    correlation,
    explained,
    holm,
    pair_p,
    ranked_p,
    several_groups,
    two_groups,
)


@pytest.fixture
def samples():
    rng = np.random.default_rng(4)
    return rng.normal(4.0, 0.5, 58), rng.normal(4.2, 0.9, 22), rng.normal(3.8, 0.4, 14)


def test_two_groups_are_tested_as_scipy_does(samples):
    reference, group, _ = samples
    ours = two_groups(reference, group, 0.3)
    theirs = stats.ttest_ind(group, reference, equal_var=False)
    assert (ours.t, ours.df, ours.p) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    assert (ours.low, ours.high) == pytest.approx(theirs.confidence_interval(0.95))
    assert ours.difference == pytest.approx(group.mean() - reference.mean())


def test_hedges_g_is_the_formula_written_out(samples):
    a, b, _ = samples
    v1, v2, n1, n2 = a.var(ddof=1), b.var(ddof=1), len(a), len(b)
    df = (n1 - 1) * (n2 - 1) * (v1 + v2) ** 2 / ((n2 - 1) * v1**2 + (n1 - 1) * v2**2)
    correction = math.gamma(df / 2) / (math.sqrt(df / 2) * math.gamma((df - 1) / 2))
    ours = two_groups(a, b, 0.3)
    assert ours.g == pytest.approx(correction * (b.mean() - a.mean()) / math.sqrt((v1 + v2) / 2))
    pooled = math.sqrt(((n1 - 1) * v1 + (n2 - 1) * v2) / (n1 + n2 - 2))
    # the usual short form of the correction
    assert ours.g_pooled == pytest.approx(
        (b.mean() - a.mean()) / pooled * (1 - 3 / (4 * (n1 + n2) - 9)), rel=1e-4
    )


def test_swapping_the_groups_turns_every_sign(samples):
    one, other = two_groups(*samples[:2], 0.3), two_groups(*samples[1::-1], 0.3)
    assert (other.g, other.g_low, other.g_high) == pytest.approx((-one.g, -one.g_high, -one.g_low))
    assert (other.low, other.high, other.t) == pytest.approx((-one.high, -one.low, -one.t))
    assert (other.p, other.equivalence_p) == pytest.approx((one.p, one.equivalence_p))


@pytest.mark.parametrize(("sd1", "sd2"), [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0)])
def test_intervals_of_g_hold_the_truth_and_agree_with_the_test_where_variances_differ(sd1, sd2):
    rng = np.random.default_rng(9)
    true, n, held, g, disagree = 0.5, 300, 0, [], 0
    for _ in range(n):
        unit = math.sqrt((sd1**2 + sd2**2) / 2)
        found = two_groups(rng.normal(0, sd1, 40), rng.normal(true * unit, sd2, 15), 0.3)
        held += found.g_low <= true <= found.g_high
        disagree += (found.g_low > 0 or found.g_high < 0) != (found.p < 0.05)
        g.append(found.g)
    assert 0.92 <= held / n <= 0.98
    assert np.mean(g) == pytest.approx(true, abs=3 * np.std(g) / math.sqrt(n))
    assert disagree == 0


def test_equivalence_agrees_with_the_interval_of_90_percent():
    rng = np.random.default_rng(2)
    seen = set()
    for n in (30, 120, 400, 1000):
        a, b = rng.normal(0, 1, n), rng.normal(0.1, 1.3, n // 2)
        found = two_groups(a, b, 0.3)
        ends = noncentral_t(found.t, found.df, 0.9)
        per_unit = (found.g_high / noncentral_t(found.t, found.df)[1]) if found.g_high else 0
        inside = ends[0] * per_unit > -0.3 and ends[1] * per_unit < 0.3
        assert inside == (found.equivalence_p < 0.05)
        seen.add(inside)
    assert seen == {True, False}


def test_equivalence_is_nearly_that_of_two_welch_tests_in_large_samples():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 1, 900), rng.normal(0.18, 1.2, 700)
    margin = 0.3 * math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    theirs, _, _ = ttost_ind(b, a, -margin, margin, usevar="unequal")
    assert two_groups(a, b, 0.3).equivalence_p == pytest.approx(theirs, rel=0.15)


def test_groups_at_the_margin_are_called_equivalent_one_time_in_twenty():
    rng = np.random.default_rng(5)
    wrong = [
        two_groups(rng.normal(0, 1, 200), rng.normal(0.3, 1, 200), 0.3).equivalence_p < 0.05
        for _ in range(400)
    ]
    assert 0.02 <= np.mean(wrong) <= 0.085


def test_welch_f_of_two_groups_is_the_square_of_t_and_its_formula_for_three(samples):
    two = two_groups(*samples[:2], 0.3)
    f = several_groups(samples[:2])
    assert (f.f, f.df1, f.df2, f.p) == pytest.approx((two.t**2, 1, two.df, two.p))
    n = np.array([len(s) for s in samples])
    mean, variance = np.array([[s.mean(), s.var(ddof=1)] for s in samples]).T
    w = n / variance
    centre = (w * mean).sum() / w.sum()
    spread = (((1 - w / w.sum()) ** 2) / (n - 1)).sum()
    k = 3
    expected = (w * (mean - centre) ** 2).sum() / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    df2 = (k**2 - 1) / (3 * spread)
    f = several_groups(samples)
    assert (f.f, f.df1, f.df2) == pytest.approx((expected, 2, df2))
    assert f.p == pytest.approx(stats.f.sf(expected, 2, df2))


def test_shares_of_variance_are_those_of_a_classical_anova(samples):
    found, f = explained(samples), stats.f_oneway(*samples)
    assert (found.f, found.p) == pytest.approx((f.statistic, f.pvalue))
    k, n = 3, sum(map(len, samples))
    assert found.eta2 == pytest.approx(f.statistic * (k - 1) / (f.statistic * (k - 1) + n - k))
    assert found.omega2 == pytest.approx((f.statistic - 1) * (k - 1) / ((f.statistic - 1) * (k - 1) + n))
    assert found.low < found.eta2 < found.high


def test_the_interval_of_a_share_holds_the_share_of_the_population():
    rng = np.random.default_rng(6)
    means, size = np.array([0.0, 0.0, 0.6]), 30
    cohens_f2 = effectsize_oneway(means, np.ones(3), np.full(3, size))
    true = cohens_f2 / (1 + cohens_f2)
    held = [
        found.low <= true <= found.high
        for found in (explained([rng.normal(m, 1, size) for m in means]) for _ in range(400))
    ]
    assert 0.86 <= np.mean(held) <= 0.94


def test_ends_of_intervals_are_where_what_was_found_is_just_possible():
    for t, df in ((0.0, 12.0), (-3.2, 40.5), (42.0, 289.0)):
        low, high = noncentral_t(t, df)
        assert stats.nct.cdf(t, df, low) == pytest.approx(0.975, abs=1e-6)
        assert stats.nct.cdf(t, df, high) == pytest.approx(0.025, abs=1e-6)
    low, high = noncentral_f(4.566, 2, 288)
    assert stats.ncf.cdf(4.566, 2, 288, low) == pytest.approx(0.95, abs=1e-6)
    assert stats.ncf.cdf(4.566, 2, 288, high) == pytest.approx(0.05, abs=1e-6)
    assert noncentral_f(0.01, 4, 60) == (0.0, 0.0)
    assert unbiased(1e6) == pytest.approx(1, abs=1e-5)


def test_correlations_are_those_of_scipy():
    rng = np.random.default_rng(8)
    x = rng.normal(size=70)
    y = -0.3 * x + rng.normal(size=70)
    ours, theirs = correlation(x, y), stats.pearsonr(x, y)
    assert (ours.r, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert (ours.low, ours.high) == pytest.approx(theirs.confidence_interval(0.95))
    assert 2 * stats.t.sf(abs(ours.t), ours.df) == pytest.approx(ours.p)


def test_pairs_are_those_of_games_and_howell(samples):
    theirs = stats.tukey_hsd(*samples, equal_var=False).pvalue
    assert pair_p(samples[0], samples[1], 3) == pytest.approx(theirs[0, 1], rel=1e-6)
    assert pair_p(samples[1], samples[2], 3) == pytest.approx(theirs[1, 2], rel=1e-6)


def test_holm_is_that_of_statsmodels_and_passes_over_what_was_not_tested():
    p = [0.01, 0.2, 0.03, 0.004, 0.9, 0.03]
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    with_gap = holm([0.01, math.nan, 0.04])
    assert with_gap[0] == pytest.approx(0.02)
    assert math.isnan(with_gap[1])


def test_a_score_without_spread_is_no_test_and_no_zero(samples):
    same = np.full(8, 5.0)
    with pytest.raises(NoSpread):
        two_groups(same, same, 0.3)
    with pytest.raises(NoSpread):
        explained([same, same + 1])
    with pytest.raises(NoSpread):
        several_groups([same, *samples[:2]])
    with pytest.raises(NoSpread):
        correlation(same, np.arange(8.0))
    # one group at the ceiling can still be compared
    assert math.isfinite(two_groups(samples[0], np.full(9, 5.0), 0.3).p)


def test_ranks_are_asked_as_scipy_does(samples):
    assert ranked_p(samples[:2]) == (
        "Brunner-Munzel",
        pytest.approx(stats.brunnermunzel(*samples[:2]).pvalue),
    )
    assert ranked_p(samples) == ("Kruskal-Wallis", pytest.approx(stats.kruskal(*samples).pvalue))
    assert math.isnan(ranked_p([np.ones(5), np.ones(6)])[1])
    apart = [samples[0], samples[1] + 100]
    assert ranked_p(apart) == ("Mann-Whitney", pytest.approx(stats.mannwhitneyu(*apart).pvalue))
