"""The fast families against scikit-learn's estimators, and the nested procedure against one written out."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline

from vsa.bond.cohort import Cohort
from vsa.bond.design import design_of
from vsa.bond.evaluation.resampling import Resampler
from vsa.bond.evaluation.scores import scores
from vsa.bond.folds import INNER, circles, folds
from vsa.bond.learners.choice import Learner, choose, fit, nested
from vsa.bond.learners.families import FAMILIES, ElasticNet, Ridge, Stumps
from vsa.bond.learners.preparation import preparation, prepared


@pytest.fixture(scope="module")
def known(strong_cohort):
    cohort = Cohort.from_table(strong_cohort)
    none = cohort.covariates[[]]
    design = design_of(cohort.features, cohort.clients, none)
    return cohort, design, design.matrix(cohort.features, cohort.clients, none)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_family_predicts_what_scikit_learn_predicts(known, family):
    cohort, design, x = known
    train, test = folds(cohort.clients, 0)[0]
    prepared = preparation(design).fit(x[train])
    a, b = prepared.transform(x[train]), prepared.transform(x[test])
    y = np.column_stack([cohort.bond[train], np.random.default_rng(0).permutation(cohort.bond[train])])
    path = family.path(a, y, b)
    # the elastic net stops where it is near enough
    near = 0.05 * y.std() if isinstance(family, ElasticNet) else 1e-6
    for k, setting in enumerate(family.settings):
        for j in range(2):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = family.estimator(setting, y[:, j]).fit(a, y[:, j]).predict(b)
            assert np.abs(path[:, k, j] - theirs).max() < near


def test_the_fast_preparation_is_that_of_scikit_learn(known):
    cohort, design, x = known
    x = x.copy()
    x[:, 3] = np.nan  # never known
    x[:, 5] = 7.0  # always the same
    x[:, 7] = 0.1  # whose mean is not quite that
    x[:, 9] = 12.5 + 1e-15 * np.arange(len(x)) % 4e-15  # the same but for rounding
    for train, test in folds(cohort.clients, 1):
        theirs = preparation(design).fit(x[train])
        inner, outer = prepared(design, x[train], x[test])
        assert np.isnan(x[train]).any()
        assert inner == pytest.approx(theirs.transform(x[train]))
        assert outer == pytest.approx(theirs.transform(x[test]))


def test_a_signal_that_is_the_same_but_for_rounding_is_as_if_it_were_not_there(strong_cohort):
    rounding = np.random.default_rng(0).integers(-40, 40, len(strong_cohort)) * np.spacing(12.5)
    table = strong_cohort.assign(**{"client.quality.frame_rate_hz": 12.5 + rounding})
    cohort = Cohort.from_table(table, use="all")
    assert "client.quality.frame_rate_hz" not in cohort.features
    learned = cohort.features.assign(**{"client.quality.frame_rate_hz": 12.5 + rounding})
    learned.loc[0, "client.quality.frame_rate_hz"] = 25.0  # the one that is not, held out
    design = design_of(learned, cohort.clients, learned[[]])
    x = design.matrix(learned, cohort.clients, learned[[]])
    where = design.columns_of("client.quality.frame_rate_hz")
    own = cohort.clients == cohort.clients[0]
    inner, outer = prepared(design, x[~own], x[own])
    without = np.delete(x, where, axis=1)
    known = design_of(cohort.features, cohort.clients, learned[[]])
    assert np.isfinite(outer).all()
    for mine, theirs in zip((inner, outer), prepared(known, without[~own], without[own]), strict=True):
        assert np.array_equal(mine, theirs)
    assert preparation(design).fit(x[~own]).transform(x[own]) == pytest.approx(outer)


def test_the_penalty_is_the_one_that_scikit_learn_chooses(known):
    cohort, design, x = known
    learner = Learner(design, (Ridge(),), seed=2)
    won = int(choose(learner, x, cohort.bond[:, None], cohort.clients).which[0])
    pipeline = Pipeline([("prepare", preparation(design)), ("ridge", SklearnRidge())])
    inner = GroupKFold(INNER, shuffle=True, random_state=2)
    search = GridSearchCV(
        pipeline, {"ridge__alpha": Ridge().settings}, scoring="neg_mean_squared_error", cv=inner
    )
    search.fit(x, cohort.bond, groups=cohort.clients)
    # scikit-learn averages the folds' errors, vsa adds their squares up: neighbours at most
    assert abs(Ridge().settings.index(search.best_params_["ridge__alpha"]) - won) <= 1
    theirs = pipeline.set_params(ridge__alpha=Ridge().settings[won]).fit(x, cohort.bond).predict(x)
    assert fit(learner, won, x, cohort.bond).predict(x) == pytest.approx(theirs)


def test_many_problems_at_once_are_what_each_is_alone(known):
    cohort, design, x = known
    rng = np.random.default_rng(1)
    y = np.column_stack([cohort.bond, *(rng.permutation(cohort.bond) for _ in range(3))])
    learner, outer = Learner(design, seed=0), folds(cohort.clients, 0)
    together = nested(learner, x, y, cohort.clients, outer)
    for k in (0, 2):
        alone = nested(learner, x, y[:, [k]], cohort.clients, outer)
        assert together.predicted[:, k] == pytest.approx(alone.predicted[:, 0], abs=1e-5)


@pytest.mark.slow
def test_more_cores_give_the_same_numbers_to_the_last_bit(known):
    cohort, design, x = known
    rng = np.random.default_rng(2)
    y = np.column_stack([cohort.bond, *(rng.permutation(cohort.bond) for _ in range(110))])
    learner, outer = Learner(design, (Ridge(), Stumps()), seed=0), folds(cohort.clients, 0)[:2]
    one, two = (nested(learner, x, y, cohort.clients, outer, cores=cores) for cores in (1, 2))
    tested = np.concatenate([test for _, test in outer])
    assert np.array_equal(one.predicted[tested], two.predicted[tested])
    assert all(np.array_equal(a.which, b.which) for a, b in zip(one.chosen, two.chosen, strict=True))


def test_nothing_of_a_held_out_client_is_seen(known):
    cohort, design, x = known
    learner, outer = Learner(design, (Ridge(),), seed=0), folds(cohort.clients, 0)
    before = nested(learner, x, cohort.bond[:, None], cohort.clients, outer)
    train, test = outer[0]
    changed = cohort.bond.copy()
    changed[test] = 99.0
    after = nested(learner, x, changed[:, None], cohort.clients, outer[:1])
    assert after.predicted[test] == pytest.approx(before.predicted[test])
    moved = x.copy()
    moved[test] += 1000.0
    fitted = preparation(design).fit(moved[train])
    assert fitted.transform(x[train]) == pytest.approx(preparation(design).fit(x[train]).transform(x[train]))


def test_no_client_is_on_both_sides_of_a_fold_and_all_are_tested_once():
    groups = np.repeat([f"c{k}" for k in range(23)], 3)
    tested = np.zeros(len(groups), int)
    for train, test in folds(groups, seed=5):
        assert not set(groups[train]) & set(groups[test])
        tested[test] += 1
    assert (tested == 1).all()


def test_therapists_who_share_a_client_are_held_out_together():
    therapists = np.array(["a", "a", "b", "b", "c", "d"])
    clients = np.array(["1", "2", "2", "3", "4", "5"])
    joined = circles(therapists, clients)
    assert len(set(joined[:4])) == 1
    assert len(set(joined)) == 3


def test_a_feature_is_its_clients_mean_and_the_deviation_from_it():
    features = pd.DataFrame(
        {"client.voice.x": [1.0, 3.0, np.nan, 10.0], "client.voice.y": [0.0, 0.0, 1.0, 5.0]}
    )
    clients = np.array(["a", "a", "a", "b"])
    none = features[[]]
    design = design_of(features, clients, none)
    x = design.matrix(features, clients, none)
    assert design.columns == (
        "client.voice.x",
        "client.voice.y",
        "client.voice.x, change",
        "client.voice.y, change",
    )
    assert x[:, 0].tolist() == [2, 2, 2, 10]
    assert x[[0, 1, 3], 2].tolist() == [-1, 1, 0]
    assert np.isnan(x[2, 2])
    assert x[:, 0] + x[:, 2] == pytest.approx(features["client.voice.x"].to_numpy(), nan_ok=True)
    alone = design_of(features, np.array(list("abcd")), none)
    assert alone.columns == tuple(features)


def test_scores_are_those_of_scikit_learn_and_scipy():
    rng = np.random.default_rng(3)
    clients = np.repeat([f"c{k:02d}" for k in range(30)], 4)
    level = rng.standard_normal(30).repeat(4)
    y = level + rng.standard_normal(120)
    p = np.stack([0.5 * level + 0.3 * rng.standard_normal(120)])
    mean = np.zeros_like(p)
    found = scores(y, p, mean, clients, Resampler(clients, 0, 500))
    assert found["r2"].value == pytest.approx(r2_score(y, p[0]))
    assert found["mae"].value == pytest.approx(mean_absolute_error(y, p[0]))
    assert found["rmse"].value == pytest.approx(np.sqrt(np.mean((y - p[0]) ** 2)))
    assert found["r"].value == pytest.approx(pearsonr(y, p[0]).statistic)
    assert found["spearman"].value == pytest.approx(spearmanr(y, p[0]).statistic)
    table = pd.DataFrame({"c": clients, "y": y, "p": p[0]})
    means = table.groupby("c").mean()
    assert found["between_r"].value == pytest.approx(pearsonr(means["y"], means["p"]).statistic)
    inside = table[["y", "p"]] - table.groupby("c")[["y", "p"]].transform("mean")
    assert found["within_r"].value == pytest.approx(pearsonr(inside["y"], inside["p"]).statistic)
    ccc = 2 * np.cov(y, p[0], ddof=0)[0, 1] / (y.var() + p[0].var() + (y.mean() - p[0].mean()) ** 2)
    assert found["ccc"].value == pytest.approx(ccc)
    for one in found.values():
        assert one.low < one.value < one.high


def test_the_interval_is_that_of_whole_clients():
    """Sessions that repeat each other bring nothing: the interval stays as wide as with one session each."""
    rng = np.random.default_rng(4)
    y, p = rng.standard_normal((2, 40))
    p = p + 0.5 * y
    once = np.array([f"c{k:02d}" for k in range(40)])
    one = scores(y, p[None], np.zeros((1, 40)), once, Resampler(once, 0, 2000))["r"]
    often = once.repeat(10)
    ten = scores(y.repeat(10), p.repeat(10)[None], np.zeros((1, 400)), often, Resampler(often, 0, 2000))["r"]
    assert ten.high - ten.low == pytest.approx(one.high - one.low, rel=0.02)
    z = np.arctanh(one.value) + np.array([-1.96, 1.96]) / np.sqrt(37)
    assert (one.low, one.high) == pytest.approx(np.tanh(z), abs=0.09)
