"""The families of regressions that compete inside the folds: ridge, elastic net, boosted stumps.

Each computes the predictions of all of its settings for many columns of bonds at once. That makes it possible to rerun
the whole procedure for each permutation. The estimators that are saved are scikit-learn's, and give the same numbers
(the elastic net: within a few hundredths of the bond's SD, as its tolerance allows).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Bins that are no wider are none, as in scikit-learn.
_NARROW = 1e-8


class Family(Protocol):
    """Regressions of one kind."""

    @property
    def name(self) -> str:
        """In words."""

    @property
    def settings(self) -> tuple[float, ...]:
        """What is tried."""

    def path(self, x: Floats, y: Floats, x_test: Floats) -> Floats:
        """Predictions of each setting.

        Parameters
        ----------
        x, x_test
            Prepared, shapes (n, p) and (t, p).
        y
            Shape (n, m): m problems with the same `x`.

        Returns
        -------
        Shape (t, settings, m).
        """

    def estimator(self, setting: float, y: Floats) -> Any:
        """What scikit-learn has for a setting; `y` (n,) is what it will be fitted to."""


@dataclass(frozen=True)
class Ridge:
    """Ridge regression; the settings are strengths of the penalty for standardised columns."""

    name: str = "ridge"
    settings: tuple[float, ...] = tuple(float(a) for a in np.logspace(0, 5, 11))

    def path(self, x: Floats, y: Floats, x_test: Floats) -> Floats:
        """See `Family`: one decomposition serves all settings and columns."""
        middle, center = y.mean(0), x.mean(0)
        x, x_test, y = x - center, x_test - center, y - middle
        if x.shape[0] <= x.shape[1]:
            values, vectors = np.linalg.eigh(x @ x.T)
            turned, inner = vectors.T @ y, x_test @ (x.T @ vectors)
        else:
            values, vectors = np.linalg.eigh(x.T @ x)
            turned, inner = vectors.T @ (x.T @ y), x_test @ vectors
        values = np.maximum(values, 0.0)
        return np.stack([middle + inner @ (turned / (values + a)[:, None]) for a in self.settings], axis=1)

    def estimator(self, setting: float, y: Floats) -> Any:
        """See `Family`."""
        from sklearn.linear_model import Ridge as Estimator

        return Estimator(alpha=setting)


@dataclass(frozen=True)
class ElasticNet:
    """Elastic net, half lasso; the settings are penalties in standard deviations of the bond."""

    name: str = "elastic net"
    settings: tuple[float, ...] = (0.6, 0.42, 0.3, 0.21, 0.15, 0.105, 0.075)
    l1_ratio: float = 0.5
    tolerance: float = 1e-3

    def path(self, x: Floats, y: Floats, x_test: Floats) -> Floats:
        """See `Family`."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import enet_path

        center, middle, spread = x.mean(0), y.mean(0), y.std(0)
        inner = np.asfortranarray(x - center)
        spread = np.where(spread > 0, spread, 1.0)
        out = np.empty((len(x_test), len(self.settings), y.shape[1]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for k in range(y.shape[1]):
                target = (y[:, k] - middle[k]) / spread[k]
                _, weights, _ = enet_path(
                    inner, target, l1_ratio=self.l1_ratio, alphas=self.settings, tol=self.tolerance
                )
                out[:, :, k] = middle[k] + spread[k] * ((x_test - center) @ weights)
        return out

    def estimator(self, setting: float, y: Floats) -> Any:
        """See `Family`."""
        from sklearn.linear_model import ElasticNet as Estimator

        return Estimator(
            alpha=setting * float(np.std(y)), l1_ratio=self.l1_ratio, tol=self.tolerance, max_iter=10_000
        )


@dataclass(frozen=True)
class Stumps:
    """Gradient boosting of stumps on eighths of each column; the settings are how many.

    A stump is a fixed step, so boosting them is matching pursuit over all steps (Friedman 2001, Ann. Stat. 29, 1189;
    Bühlmann & Yu 2003, JASA 98, 324).
    """

    name: str = "boosted stumps"
    settings: tuple[float, ...] = (10, 25, 60)
    rate: float = 0.1
    bins: int = 8

    def path(self, x: Floats, y: Floats, x_test: Floats) -> Floats:
        """See `Family`."""
        column, edge = _edges(x, self.bins)
        steps = (x[:, column] >= edge).astype(np.float64)
        test = (x_test[:, column] >= edge).astype(np.float64)
        share = steps.mean(0)
        norm = np.sqrt(len(x) * share * (1 - share))
        inner = ((steps - share) / norm).astype(np.float32)
        outer = (test - share) / norm
        middle = y.mean(0)
        left = (y - middle).astype(np.float32)
        columns = np.arange(y.shape[1])
        now = np.tile(middle, (len(x_test), 1))
        out = np.empty((len(x_test), len(self.settings), y.shape[1]))
        for round_ in range(1, int(max(self.settings)) + 1):
            fit = inner.T @ left
            best = np.abs(fit).argmax(0)
            size = self.rate * fit[best, columns]
            left -= inner[:, best] * size
            now += outer[:, best] * size
            if round_ in self.settings:
                out[:, self.settings.index(round_), :] = now
        return out

    def estimator(self, setting: float, y: Floats) -> Any:
        """See `Family`."""
        from sklearn.ensemble import GradientBoostingRegressor
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import KBinsDiscretizer

        trees = GradientBoostingRegressor(
            n_estimators=int(setting), learning_rate=self.rate, max_depth=1, random_state=0
        )
        bins = KBinsDiscretizer(
            self.bins,
            encode="ordinal",
            strategy="quantile",
            quantile_method="averaged_inverted_cdf",
            subsample=None,
        )
        return Pipeline([("bins", bins), ("trees", trees)])


def _edges(x: Floats, bins: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Column and value of every step between the bins that scikit-learn would make, (q,) each."""
    levels = np.linspace(0, 100, bins + 1)
    edges = np.percentile(x, levels, axis=0, method="averaged_inverted_cdf")
    wide = np.ones(edges.shape, np.bool_)
    wide[1:] = np.diff(edges, axis=0) > _NARROW
    low, high = x.min(0), x.max(0)
    column, value = list[int](), list[float]()
    for j in range(x.shape[1]):
        # the highest bin takes what lies at its lower edge, so a step that splits nothing is none
        steps = [edge for edge in edges[wide[:, j], j][1:-1].tolist() if low[j] < edge <= high[j]]
        column += [j] * len(steps)
        value += steps
    return np.array(column, np.intp), np.array(value)


FAMILIES: tuple[Family, ...] = (Ridge(), ElasticNet(), Stumps())
