from __future__ import annotations

import math

import numpy as np
import pytest
from questionnaires import MOODS, made, one_factor
from scipy.optimize import minimize

from vsa.study.reliability import (
    ENOUGH,
    cronbach_alpha,
    item_totals,
    mcdonald_omega,
    reliabilities,
)
from vsa.study.scoring import keyed, scale_items, scale_scores

moods = made("moods", MOODS)


def looked_at(values, instrument=moods):
    means = {
        name: scale_scores(some, instrument.low, instrument.high, instrument.prorate).mean
        for name, some in scale_items(values, instrument).items()
    }
    return {one.scale: one for one in reliabilities(values, means, instrument)}


def answers(n, seed=0):
    """As a person who agrees throughout would answer: low to reversed items."""
    loading = np.where([item in moods.reversed for item in moods.items], -1.2, 1.2)
    raw = 4 + one_factor(n, loading, [0.7] * 8, seed)
    return np.clip(np.round(raw), 1, 7)


def test_alpha_by_hand():
    # Variances 1, 1, 1; sums 3, 6, 8: variance 19/3. alpha = 3/2 (1 - 3 / (19/3)) = 15/19
    values = np.array([[1.0, 1, 1], [2, 2, 2], [3, 3, 2]])
    variances = 1 + 1 + 1 / 3
    assert cronbach_alpha(values) == pytest.approx(1.5 * (1 - variances / (19 / 3)))


def test_alpha_from_the_covariances_written_apart():
    values = one_factor(60, [1, 0.5, 0.8, 1.2], [1, 1, 0.5, 0.9], seed=3)
    covariance = np.cov(values.T)
    k = 4
    average = (covariance.sum() - np.trace(covariance)) / (k * (k - 1))
    assert cronbach_alpha(values) == pytest.approx(k**2 * average / covariance.sum())


def test_parallel_items_have_the_reliability_that_spearman_and_brown_foretell():
    # Each item: variance 1 of the factor and 1.5 of its own, reliability .4; six of them: 6 * .4 / (1 + 5 * .4) = .8
    values = one_factor(20_000, [1] * 6, [math.sqrt(1.5)] * 6, seed=1)
    assert cronbach_alpha(values) == pytest.approx(0.8, abs=0.01)
    assert mcdonald_omega(values) == pytest.approx(0.8, abs=0.01)


def test_omega_of_unequal_items_is_that_of_their_making_and_above_alpha():
    loadings, own = np.array([0.4, 0.8, 1.2, 2.0]), np.array([1.0, 0.8, 0.6, 1.0])
    values = one_factor(20_000, loadings, own, seed=2)
    true = loadings.sum() ** 2 / (loadings.sum() ** 2 + (own**2).sum())
    assert mcdonald_omega(values) == pytest.approx(true, abs=0.01)
    assert cronbach_alpha(values) < true - 0.02


@pytest.mark.parametrize(("n", "k"), [(80, 4), (60, 12), (150, 3)])
def test_omega_is_that_of_another_maximum_likelihood_fit(n, k):
    values = np.round(4 + one_factor(n, np.linspace(0.8, 1.5, k), [1.0] * k, seed=n))

    def fit(start):
        covariance = np.cov(values.T, bias=True)

        def misfit(p):
            model = np.outer(p[:k], p[:k]) + np.diag(np.exp(p[k:]))
            return np.linalg.slogdet(model)[1] + np.trace(np.linalg.solve(model, covariance))

        d = np.diag(covariance)
        return minimize(misfit, np.r_[np.sqrt(d) * start, np.log(d * (1 - start**2))], method="BFGS")

    best = min((fit(0.5), fit(0.8)), key=lambda found: found.fun).x
    omega = best[:k].sum() ** 2 / (best[:k].sum() ** 2 + np.exp(best[k:]).sum())
    assert mcdonald_omega(values) == pytest.approx(omega, abs=2e-4)


def test_omega_does_not_depend_on_units():
    values = one_factor(100, [1, 0.5, 0.8, 1.2], [1, 1, 0.7, 0.9], seed=3)
    assert mcdonald_omega(values * 1000 - 3) == pytest.approx(mcdonald_omega(values), abs=1e-6)


def test_no_omega_where_an_item_has_no_error_of_its_own():
    values = one_factor(50, [1] * 4, [0.5] * 4, seed=0)
    values[:, 1] = values[:, 0]
    assert math.isnan(mcdonald_omega(values))


def test_item_totals_leave_the_item_out():
    values = one_factor(40, [1, 0.5, 0.8], [1, 1, 0.5], seed=3)
    expected = np.corrcoef(values[:, 0], values[:, 1] + values[:, 2])[0, 1]
    assert item_totals(values)[0] == pytest.approx(expected)


def test_too_few_rows_give_a_reason_and_no_coefficient():
    found = looked_at(keyed(answers(ENOUGH - 1), moods))["bond"]
    assert math.isnan(found.alpha)
    assert math.isnan(found.omega)
    assert found.n == ENOUGH - 1
    assert str(ENOUGH) in found.why["alpha"]
    enough = looked_at(keyed(answers(ENOUGH), moods))["bond"]
    assert enough.alpha > 0.5
    assert "alpha" not in enough.why


def test_the_same_answer_from_everybody_has_no_reliability_and_shows_the_ceiling():
    found = looked_at(np.full((30, 8), 7.0))["total"]
    assert math.isnan(found.alpha)
    assert math.isnan(found.omega)
    assert "same" in found.why["alpha"]
    assert (found.at_max, found.at_min, found.scored) == (1, 0, 30)


def test_only_complete_rows_count_and_shares_are_of_all_scores():
    values = keyed(answers(40), moods)
    values[:6, 0] = np.nan  # one of four of bond: still a score
    values[6, [0, 2]] = np.nan  # no score
    values[7, [0, 2, 3, 6]] = 7
    found = looked_at(values)["bond"]
    assert (found.n, found.scored) == (33, 39)
    assert found.at_max >= 1 / 39


def test_reversing_that_went_wrong_is_seen():
    right = looked_at(keyed(answers(60), moods))
    assert not any(scale.opposed or scale.negative for scale in right.values())
    twice = looked_at(answers(60))  # reversed before, and reversed again by the key
    assert all(scale.opposed for scale in twice.values())
    assert set(twice["total"].negative) == {"4", "6"}
    assert twice["bond"].item_totals["4"] < -0.5


def test_one_item_that_goes_against_its_scale_is_named():
    values = keyed(answers(60), moods)
    values[:, 2] = 8 - values[:, 2]
    found = looked_at(values)
    assert found["bond"].negative == found["total"].negative == ("3",)
    assert found["task"].negative == ()


def test_unrelated_reversed_items_are_not_taken_for_reversed_before():
    random = np.random.default_rng(0)
    alarms = [looked_at(random.integers(1, 8, (40, 8)).astype(float))["total"].opposed for _ in range(80)]
    assert np.mean(alarms) < 0.12
