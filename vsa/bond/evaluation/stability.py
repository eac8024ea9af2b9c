"""Whether signals would carry the same weight, had other clients come: regressions on resampled clients."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.resampling import Resampler
from vsa.bond.learners.choice import Learner, choose
from vsa.bond.learners.families import ElasticNet, Family, Ridge
from vsa.bond.learners.preparation import preparation

Floats = npt.NDArray[np.float64]

DRAWS = 200


@dataclass(frozen=True)
class Stability:
    """Of one signal, or one part of it, beside all others.

    Attributes
    ----------
    feature
        Full name.
    part
        ``level``: the client's mean; ``change``: the session's deviation from it; empty where they aren't told apart.
    coefficient
        Of the ridge regression on all sessions: SD of the bond for each SD of this column.
    sign_consistency
        Share of the draws in which the coefficient has the sign that it has here, 0-1; .5 is what chance gives.
    selected
        Share of the draws in which the elastic net keeps the column, 0-1.
    rank, rank_low, rank_high
        Of the coefficient's size among all signals and parts, 1 for the largest: median and 5-95 % over the draws.
    """

    feature: str
    part: Literal["level", "change", ""]
    coefficient: float
    sign_consistency: float
    selected: float
    rank: float
    rank_low: float
    rank_high: float


def stability(
    cohort: Cohort, learner: Learner, x: Floats, entry: int, *, seed: int, draws: int = DRAWS
) -> tuple[Stability, ...]:
    """Fit again to whole clients drawn with replacement.

    Parameters
    ----------
    cohort
        The sessions.
    learner, x
        The procedure and its columns, (n, columns), with the cohort's features.
    entry
        Of the model. Where it is a ridge regression or an elastic net, its setting is taken for that; else the one
        which the procedure finds for the family alone, once, on all sessions.
    seed
        The same seed gives the same draws.
    draws
        How many.

    Returns
    -------
    By size of the coefficient, largest first. A part that does not vary has no row; neither have covariates, which are
    in all fits.
    """
    prepared = preparation(learner.design)
    columns = np.asarray(prepared.fit_transform(x), np.float64)
    which = _feature_columns(learner, prepared)
    y = cohort.bond
    ridge, net = (_setting(learner, family, x, cohort, entry) for family in _families(learner))
    whole = _ridge(columns, y, ridge)[which.columns]
    counts = Resampler(cohort.clients, seed, draws).weights[1:].astype(np.intp)
    weights, kept = np.empty((draws, len(whole))), np.empty((draws, len(whole)), np.bool_)
    for k, count in enumerate(counts):
        rows = np.repeat(np.arange(len(y)), count)
        inner, target = _standardised(columns[rows]), y[rows]
        weights[k] = _ridge(inner, target, ridge)[which.columns]
        kept[k] = _kept(inner, target, net)[which.columns]
    signs = (np.sign(weights) == np.sign(whole)).mean(0)
    order = (-np.abs(weights)).argsort(1, kind="stable")
    ranks = order.argsort(1) + 1
    middle, low, high = np.median(ranks, 0), *np.quantile(ranks, [0.05, 0.95], axis=0)
    selected = kept.mean(0)
    spread = float(y.std())
    told = [
        Stability(
            *which.names[k],
            *map(float, (whole[k] / spread, signs[k], selected[k], middle[k], low[k], high[k])),
        )
        for k in range(len(whole))
    ]
    return tuple(sorted(told, key=lambda one: -abs(one.coefficient)))


@dataclass(frozen=True, eq=False)
class _Columns:
    """Feature and part of prepared columns, and where they are."""

    names: list[tuple[str, Literal["level", "change", ""]]]
    columns: npt.NDArray[np.intp]


def _feature_columns(learner: Learner, prepared: object) -> _Columns:
    """Where the preparation has put the features' columns; it leaves out those that do not vary."""
    design = learner.design
    given = [f"x{k}" for k in range(len(design.columns))]
    out = [str(name).partition("__")[2] for name in prepared.get_feature_names_out(given)]  # type: ignore[attr-defined]
    where = {name: k for k, name in enumerate(out)}
    names, columns = list[tuple[str, Literal["level", "change", ""]]](), list[int]()
    for feature in design.features:
        parts: tuple[Literal["level", "change", ""], ...] = ("level", "change") if design.split else ("",)
        for part, column in zip(parts, design.columns_of(feature), strict=True):
            if given[column] in where:
                names.append((feature, part))
                columns.append(where[given[column]])
    return _Columns(names, np.array(columns, np.intp))


def _families(learner: Learner) -> tuple[Family, Family]:
    """The ridge regression and the elastic net that compete, or those of the package where they do not."""
    ridge = next((one for one in learner.families if isinstance(one, Ridge)), Ridge())
    net = next((one for one in learner.families if isinstance(one, ElasticNet)), ElasticNet())
    return ridge, net


def _setting(learner: Learner, family: Family, x: Floats, cohort: Cohort, entry: int) -> float:
    chosen, setting = learner.entries[entry]
    if chosen == family:
        return setting
    alone = replace(learner, families=(family,))
    return family.settings[int(choose(alone, x, cohort.bond[:, None], cohort.clients).which[0])]


def _standardised(columns: Floats) -> Floats:
    """Columns that are the same in all drawn rows become 0."""
    centered = columns - columns.mean(0)
    spread = centered.std(0)
    return np.asarray(centered / np.where(spread > 1e-12, spread, np.inf))


def _ridge(x: Floats, y: Floats, strength: float) -> Floats:
    """Coefficients (p,) of standardised columns (n, p), by the smaller of the two systems of equations."""
    left = y - y.mean()
    if x.shape[0] <= x.shape[1]:
        inner = x @ x.T
        inner.flat[:: len(inner) + 1] += strength
        return np.asarray(x.T @ np.linalg.solve(inner, left))
    inner = x.T @ x
    inner.flat[:: len(inner) + 1] += strength
    return np.asarray(np.linalg.solve(inner, x.T @ left))


def _kept(x: Floats, y: Floats, penalty: float) -> npt.NDArray[np.bool_]:
    """Which columns the elastic net keeps, (p,); the bond is taken in SD, as the family's settings are."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import enet_path

    net = ElasticNet()
    target = (y - y.mean()) / (y.std() or 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, weights, _ = enet_path(
            np.asfortranarray(x), target, l1_ratio=net.l1_ratio, alphas=[penalty], tol=net.tolerance
        )
    return np.asarray(weights[:, 0] != 0)
