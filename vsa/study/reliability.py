"""How well the items of a scale go together in a table: alpha, omega, item-total correlations, ceiling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsa.study.instruments import Instrument
from vsa.study.scoring import scale_items

#: Complete answers that a coefficient needs; with fewer it says next to nothing.
ENOUGH = 20
#: And that correlations of items with their scale need, which only point at items to look at.
ENOUGH_TO_LOOK = 10
#: Share of an item's variance that is its own, below which the one-factor solution is improper (Heywood case).
_IMPROPER = 0.005


@dataclass(frozen=True)
class Reliability:
    """A scale in a table, rows being taken as independent.

    Attributes
    ----------
    scale, items
        Its name and how many items it has.
    n
        Rows with all of its items answered, which alpha, omega and correlations are of.
    alpha, omega
        Cronbach's alpha; McDonald's omega total. NaN where `why` says so.
    why
        Coefficient -> why it has no value.
    item_totals
        Item -> its correlation with the sum of the scale's other items, after reversing; NaN if the answers to it, or
        the others, are all the same. Empty with fewer than `ENOUGH_TO_LOOK` rows.
    at_max, at_min
        Share of scores at the scale's highest and lowest possible value; NaN without scores.
    scored
        How many scores these are shares of.
    against
        Correlation of the reversed items' sum with that of the others: far below 0 if reversing went wrong. NaN if the
        scale has only items of one kind, or with fewer than `ENOUGH_TO_LOOK` rows.
    """

    scale: str
    items: int
    n: int
    alpha: float
    omega: float
    why: Mapping[str, str]
    item_totals: Mapping[str, float]
    at_max: float
    at_min: float
    scored: int
    against: float

    @property
    def negative(self) -> tuple[str, ...]:
        """Items that go against the others."""
        return tuple(item for item, r in self.item_totals.items() if r < 0)

    @property
    def opposed(self) -> bool:
        """Whether reversed items go against the others by more than chance explains (one-sided, 5 %)."""
        if math.isnan(self.against):
            return False
        return math.atanh(float(np.clip(self.against, -0.999999, 0.999999))) * math.sqrt(self.n - 3) < -1.645


def reliabilities(
    values: NDArray[np.float64], means: Mapping[str, NDArray[np.float64]], instrument: Instrument
) -> list[Reliability]:
    """Look at each scale.

    Parameters
    ----------
    values
        (n, items) of one kind of respondent, reversed where need be (`vsa.study.scoring.keyed`).
    means
        Scale -> its mean for each of the n; NaN where there is none.
    instrument
        The questionnaire.
    """
    return [
        _reliability(name, some, means[name], instrument)
        for name, some in scale_items(values, instrument).items()
    ]


def _reliability(
    scale: str, values: NDArray[np.float64], means: NDArray[np.float64], instrument: Instrument
) -> Reliability:
    items = instrument.scales[scale]
    full = values[~np.isnan(values).any(1)]
    why = {}
    alpha = omega = math.nan
    if len(items) < 2:
        why["alpha"] = "it is a single item"
    elif len(full) < ENOUGH:
        why["alpha"] = f"fewer than {ENOUGH} complete rows"
    elif math.isnan(alpha := cronbach_alpha(full)):
        why["alpha"] = "all have the same score"
    if len(items) < 3:
        why["omega"] = "it takes three items"
    elif "alpha" in why:
        why["omega"] = why["alpha"]
    elif math.isnan(omega := mcdonald_omega(full)):
        why["omega"] = "one factor does not fit (items repeat each other or have no error of their own)"
    turned = np.array([item in instrument.reversed for item in items])
    look = len(full) >= ENOUGH_TO_LOOK
    there = means[~np.isnan(means)]
    return Reliability(
        scale=scale,
        items=len(items),
        n=len(full),
        alpha=alpha,
        omega=omega,
        why=why,
        item_totals=dict(zip(items, item_totals(full).tolist(), strict=True))
        if look and len(items) > 1
        else {},
        at_max=float(np.mean(there == instrument.high)) if len(there) else math.nan,
        at_min=float(np.mean(there == instrument.low)) if len(there) else math.nan,
        scored=len(there),
        against=_correlation(full[:, turned].sum(1), full[:, ~turned].sum(1)) if look else math.nan,
    )


def cronbach_alpha(values: NDArray[np.float64]) -> float:
    """Cronbach's alpha (Cronbach 1951): k / (k - 1) · (1 - sum of the items' variances / variance of their sum).

    Parameters
    ----------
    values
        (n, k >= 2), complete.

    Returns
    -------
    At most 1, below 0 where items go against each other; NaN if the sums don't vary.
    """
    k = values.shape[1]
    total = values.sum(1).var(ddof=1)
    if total <= 1e-12 * max(1.0, float(np.abs(values).max()) ** 2):
        return math.nan
    return float(k / (k - 1) * (1 - values.var(0, ddof=1).sum() / total))


def mcdonald_omega(values: NDArray[np.float64]) -> float:
    """McDonald's omega total (McDonald 1999) of one factor: (Σ loadings)² / ((Σ loadings)² + Σ unique variances).

    The factor is fitted by maximum likelihood to standardised items, and brought back to their own scale: omega is of
    the plain sum of answers, as scored.

    Parameters
    ----------
    values
        (n, k >= 3), complete.

    Returns
    -------
    0 to 1; NaN if fewer than three items vary, or the solution is improper: items that repeat each other, or an item
    without a variance of its own (Heywood case).
    """
    sd = values.std(0)
    varies = sd > 1e-9
    if varies.sum() < 3:
        return math.nan
    correlations = np.atleast_2d(np.corrcoef(values[:, varies].T))
    if (
        np.linalg.eigvalsh(correlations)[0] < 1e-8
    ):  # items repeat each other, or there are fewer rows than items
        return math.nan
    loadings, unique = _one_factor(correlations)
    if unique.min() <= _IMPROPER * 1.001:
        return math.nan
    common = float((loadings * sd[varies]).sum() ** 2)
    own = float((unique * sd[varies] ** 2).sum())
    return common / (common + own)


def _one_factor(correlations: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loadings and unique variances of one factor by maximum likelihood (Jöreskog 1967).

    For given unique variances the best loadings are known; what is left to minimise is a function of these variances.
    """
    from scipy.optimize import minimize

    def loadings(unique: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        weighted = correlations / np.sqrt(np.outer(unique, unique))
        roots, vectors = np.linalg.eigh(weighted)
        return np.sqrt(unique) * vectors[:, -1] * math.sqrt(max(roots[-1] - 1, 0)), roots

    def misfit(unique: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        best, roots = loadings(unique)
        others = np.maximum(roots[:-1], 1e-12)
        left = np.diag(correlations) - best**2 - unique
        return float((others - np.log(others) - 1).sum()), -left / unique**2

    k = len(correlations)
    start = np.clip(0.5 / np.diag(np.linalg.inv(correlations)), 0.05, 0.9)
    settings = {"ftol": 1e-12, "gtol": 1e-6, "maxiter": 1000}
    fitted = minimize(
        misfit, start, jac=True, method="L-BFGS-B", bounds=[(_IMPROPER, 1)] * k, options=settings
    )
    return loadings(fitted.x)[0], fitted.x


def item_totals(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of each item with the sum of the others.

    Parameters
    ----------
    values
        (n, k >= 2), complete.

    Returns
    -------
    (k,), -1 to 1; NaN where either doesn't vary.
    """
    total = values.sum(1)
    return np.array([_correlation(item, total - item) for item in values.T])


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if min(a.std(), b.std()) < 1e-9:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])
