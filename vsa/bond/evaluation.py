"""How well bond is predicted for people whom the model has not seen, beside the training mean in the same folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import LEAST_GROUPS, Cohort

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.str_]
#: Features (n, p), bond (n,) and groups (n,) to something that predicts.
Fit = Callable[[Floats, Floats, Groups], Any]

FOLDS = 5
#: The folds are drawn anew this often: one draw of few clients is luck.
REPEATS = 3


#: Resamples of whole groups for the interval of the gain.
RESAMPLES = 1000


@dataclass(frozen=True)
class Scores:
    """How close predictions of held-out sessions come; means over the repeats.

    Attributes
    ----------
    r2
        1 - squared error / squared deviation from the mean of all sessions. Nobody knows that mean beforehand: the
        training mean comes out a little below 0.
    mae
        Mean absolute error, in points of the bond.
    spearman
        Rank correlation of the reported bond with the prediction's deviation from the training mean (which is lower in
        folds whose own bond is higher, and would turn the ranks of a model that knows nothing upside down). None for
        the training mean itself.
    """

    r2: float
    mae: float
    spearman: float | None


@dataclass(frozen=True)
class HeldOut:
    """One way to hold people out.

    Attributes
    ----------
    by
        ``client``, ``therapist``, or ``session`` where no client is known.
    groups
        How many there are.
    model, baseline
        The model, and the mean of the training folds.
    gain
        Share of the training mean's squared error that the model takes away; negative if it adds to it.
    gain_low, gain_high
        95 % interval of the gain: whole groups resampled, predictions kept.
    """

    by: str
    groups: int
    model: Scores
    baseline: Scores
    gain: float
    gain_low: float
    gain_high: float

    @property
    def verdict(self) -> str:
        """What may be claimed: ``better`` than the training mean, ``unclear``, or ``no better``."""
        if self.gain <= 0 or not (self.model.spearman or 0.0) > 0:
            return "no better"
        return "better" if self.gain_low > 0 else "unclear"


def evaluate(cohort: Cohort, fit: Fit, seed: int) -> tuple[HeldOut, ...]:
    """Predict every session from models that saw none of its client's, and again none of its therapist's.

    Where clients change therapist, those who share one are held out together. The first result is the headline.
    """
    results = [_held_out(cohort, fit, cohort.clients, cohort.grouped_by, seed)]
    if cohort.therapists is not None:
        circles = _joined(cohort.therapists, cohort.clients)
        if len(np.unique(circles)) >= LEAST_GROUPS:
            results.append(_held_out(cohort, fit, circles, "therapist", seed))
    return tuple(results)


def folds(groups: Groups, seed: int) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Indices to train and to test on; each group is tested once, whole."""
    from sklearn.model_selection import GroupKFold

    splitter = GroupKFold(min(FOLDS, len(np.unique(groups))), shuffle=True, random_state=seed)
    return list(splitter.split(groups, groups=groups))


def _held_out(cohort: Cohort, fit: Fit, groups: Groups, by: str, seed: int) -> HeldOut:
    x, y = cohort.features.to_numpy(), cohort.bond
    predicted, mean = np.empty((REPEATS, len(y))), np.empty((REPEATS, len(y)))
    for repeat in range(REPEATS):
        for train, test in folds(groups, seed + repeat):
            # tuned on folds of the same people as are held out here
            predicted[repeat, test] = fit(x[train], y[train], groups[train]).predict(x[test])
            mean[repeat, test] = y[train].mean()
    error, mean_error = (predicted - y) ** 2, (mean - y) ** 2
    low, high = _interval(error.mean(0), mean_error.mean(0), groups, seed)
    return HeldOut(
        by,
        len(np.unique(groups)),
        _scores(y, predicted, [_rho(y, p) for p in predicted - mean]),
        _scores(y, mean, None),
        1 - float(error.sum() / mean_error.sum()),
        low,
        high,
    )


def _scores(y: Floats, predicted: Floats, rho: list[float] | None) -> Scores:
    error = predicted - y
    r2 = 1 - (error**2).mean() / y.var()
    return Scores(float(r2), float(np.abs(error).mean()), None if rho is None else float(np.mean(rho)))


def _rho(y: Floats, deviation: Floats) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(y, deviation).statistic) if np.ptp(deviation) > 0 else 0.0


def _interval(error: Floats, mean_error: Floats, groups: Groups, seed: int) -> tuple[float, float]:
    """95 % percentile interval of the gain over resampled groups."""
    _, which = np.unique(groups, return_inverse=True)
    own, base = np.bincount(which, error), np.bincount(which, mean_error)
    drawn = np.random.default_rng(seed).integers(0, len(own), (RESAMPLES, len(own)))
    gains = 1 - own[drawn].sum(1) / base[drawn].sum(1)
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


def _joined(one: Groups, other: Groups) -> Groups:
    """Labels of the circles of sessions that are linked by either."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, a = np.unique(one, return_inverse=True)
    _, b = np.unique(other, return_inverse=True)
    size = int(a.max()) + int(b.max()) + 2
    links = coo_array((np.ones(len(a)), (a, b + a.max() + 1)), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    return np.asarray(labels[a].astype(str))
