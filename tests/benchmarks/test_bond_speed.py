"""The whole evaluation of a bond model, beside scikit-learn's nested search of one family, once."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline

from vsa.bond.cohort import Cohort
from vsa.bond.design import design_of
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.folds import INNER, folds
from vsa.bond.learners.families import Ridge
from vsa.bond.learners.preparation import preparation
from vsa.bond.training import train
from vsa.simulate.cohort import simulate_cohort

pytestmark = pytest.mark.benchmark

Figures = Callable[[str, str], Callable[[str], None]]


def plain_nested(table) -> float:
    """Seconds of one nested grid search over ridge penalties in scikit-learn."""
    cohort = Cohort.from_table(table, use="all")
    none = cohort.covariates[[]]
    design = design_of(cohort.features, cohort.clients, none)
    x = design.matrix(cohort.features, cohort.clients, none)
    begun = time.perf_counter()
    for rows, test in folds(cohort.clients, 0):
        pipeline = Pipeline([("prepare", preparation(design)), ("ridge", SklearnRidge())])
        search = GridSearchCV(pipeline, {"ridge__alpha": Ridge().settings}, cv=GroupKFold(INNER))
        search.fit(x[rows], cohort.bond[rows], groups=cohort.clients[rows]).predict(x[test])
    return time.perf_counter() - begun


def test_a_full_evaluation_of_300_sessions_by_200_signals(figures: Figures) -> None:
    say = figures("performance", "A bond model: 300 sessions by 200 signals")
    table = simulate_cohort(75, 4, seed=1)
    signals = [name for name in table if name.count(".") == 2 and ".quality." not in name]
    table = table.drop(columns=signals[200:])
    reference = plain_nested(table)
    steps: list[tuple[float, str]] = []
    begun = time.perf_counter()
    trained = train(
        table,
        use="all",
        settings=Settings(),
        say=lambda line: steps.append((time.perf_counter() - begun, line)),
    )
    total = time.perf_counter() - begun
    runs = 2 * trained.evaluation.permutations + 1
    rerun = (total - steps[-1][0]) / runs
    assert len(trained.info.features) == 200
    assert np.isfinite(trained.evaluation.held_out[0].gain.value)
    say(
        f"75 clients with 4 sessions each, three families of regressions, 1000 bootstrap draws, 200 permutations "
        f"between and 200 within clients: {total:.0f} s.\n"
    )
    say(f"- the whole nested procedure, rerun {runs} times: {1000 * rerun:.0f} ms each")
    say(f"- scikit-learn's nested grid search of ridge alone, once: {1000 * reference:.0f} ms")
    say(f"- ratio: {reference / rerun:.0f}")
