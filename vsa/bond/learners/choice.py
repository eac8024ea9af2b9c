"""Choosing among families and settings inside the folds, and predicting people who had no part in the choice."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.bond.design import Design
from vsa.bond.folds import INNER, Fold, Groups, Rows, folds
from vsa.bond.learners.families import FAMILIES, Family
from vsa.bond.learners.preparation import preparation, prepared
from vsa.bond.learners.sharing import shared

Floats = npt.NDArray[np.float64]

#: Problems that are solved at once. As many on one core as on several: how many a matrix has decides its rounding.
_TOGETHER = 50


@dataclass(frozen=True)
class Learner:
    """The procedure that is tested and then used: a design, and who competes.

    Attributes
    ----------
    design
        Of the columns.
    families
        Who competes.
    seed
        Of the inner folds.
    """

    design: Design
    families: tuple[Family, ...] = FAMILIES
    seed: int = 0

    @property
    def entries(self) -> tuple[tuple[Family, float], ...]:
        """All that competes: family and setting."""
        return tuple((family, setting) for family in self.families for setting in family.settings)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What won in a training, for each of m problems.

    Attributes
    ----------
    which
        Number of the entry, (m,).
    inside
        What the winner predicted for sessions held out inside the training, (n, m).
    """

    which: Rows
    inside: Floats


@dataclass(frozen=True, eq=False)
class Nested:
    """Predictions for people held out, m problems.

    Attributes
    ----------
    predicted, mean
        By the model, and the mean of the bonds that it was trained on, (n, m).
    chosen
        For each outer fold, what won.
    """

    predicted: Floats
    mean: Floats
    chosen: tuple[Chosen, ...]


def choose(learner: Learner, x: Floats, y: Floats, groups: Groups) -> Chosen:
    """Let the entries compete on folds inside a training, which keep groups whole.

    Parameters
    ----------
    x
        Columns of the design, (n, p), NaN where missing.
    y
        (n, m).
    groups
        (n,).
    """
    tried = np.empty((len(x), len(learner.entries), y.shape[1]))
    for train, test in folds(groups, learner.seed, INNER):
        inner, outer = prepared(learner.design, x[train], x[test])
        tried[test] = np.concatenate([f.path(inner, y[train], outer) for f in learner.families], axis=1)
    which = ((tried - y[:, None, :]) ** 2).sum(0).argmin(0)
    return Chosen(which, np.take_along_axis(tried, which[None, None, :], axis=1)[:, 0, :])


def nested(
    learner: Learner, x: Floats, y: Floats, groups: Groups, outer: Sequence[Fold], *, cores: int = 1
) -> Nested:
    """Predict every session by a model that was chosen and fitted without its group.

    Parameters
    ----------
    learner
        The procedure; all of it is done anew in each outer fold.
    x
        Columns of the design, (n, p).
    y
        (n, m): the bonds, and permutations of them.
    groups
        Kept whole inside as well, (n,).
    outer
        Folds; each row is tested once.
    cores
        To share the m problems.
    """
    if y.shape[1] > _TOGETHER:
        return _shared(learner, x, y, groups, outer, cores)
    predicted, mean = np.empty_like(y), np.empty_like(y)
    chosen = []
    for train, test in outer:
        mean[test] = y[train].mean(0)
        won = choose(learner, x[train], y[train], groups[train])
        predicted[test] = _predict(learner, won.which, x[train], y[train], x[test])
        chosen.append(won)
    return Nested(predicted, mean, tuple(chosen))


def fit(learner: Learner, entry: int, x: Floats, y: Floats) -> Any:
    """Fit the pipeline of an entry to all of some sessions; y is (n,)."""
    from sklearn.pipeline import Pipeline

    family, setting = learner.entries[entry]
    steps = [("prepare", preparation(learner.design)), ("learn", family.estimator(setting, y))]
    with quietly():
        return Pipeline(steps).fit(x, y)


@contextmanager
def quietly() -> Iterator[None]:
    """Without the warnings of scikit-learn about columns of few values, which have fewer bins, as they should."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Bins whose width are too small")
        yield


def _predict(learner: Learner, which: Rows, x: Floats, y: Floats, x_test: Floats) -> Floats:
    inner, outer = prepared(learner.design, x, x_test)
    out = np.empty((len(x_test), y.shape[1]))
    start = 0
    for family in learner.families:
        mine = np.flatnonzero((which >= start) & (which < start + len(family.settings)))
        if len(mine):
            path = family.path(inner, y[:, mine], outer)
            out[:, mine] = path[:, which[mine] - start, np.arange(len(mine))]
        start += len(family.settings)
    return out


def _shared(
    learner: Learner, x: Floats, y: Floats, groups: Groups, outer: Sequence[Fold], cores: int
) -> Nested:
    parts = [np.arange(k, min(k + _TOGETHER, y.shape[1])) for k in range(0, y.shape[1], _TOGETHER)]
    done: list[Nested] = shared(nested, [(learner, x, y[:, part], groups, outer) for part in parts], cores)
    return Nested(
        np.concatenate([one.predicted for one in done], axis=1),
        np.concatenate([one.mean for one in done], axis=1),
        tuple(
            Chosen(
                np.concatenate([one.chosen[k].which for one in done]),
                np.concatenate([one.chosen[k].inside for one in done], axis=1),
            )
            for k in range(len(outer))
        ),
    )
