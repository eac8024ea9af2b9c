"""The bond model: a ridge regression on features, with all that must be known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import feature_values
from vsa.bond.evaluation import Groups, HeldOut, folds
from vsa.bond.membership import TrainedOn, Withdrawn

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

#: Strengths of the penalty that are tried, for standardised features.
ALPHAS = tuple(float(a) for a in np.logspace(0, 5, 11))
SIMULATED = "Trained on SIMULATED sessions: it says nothing about people."


@dataclass(frozen=True)
class ModelInfo:
    """What a model was made of; written into its file and beside its results.

    Attributes
    ----------
    features
        Full names, in the order that the regression takes them.
    feature_versions
        Versions of those that this vsa defines.
    target, label_source, simulated
        As in `Cohort`.
    sessions, clients, therapists, grouped_by
        Size of the cohort; `therapists` is None if they are not known.
    bond_mean, bond_sd, bond_min, bond_max
        Of the reported bond.
    alpha
        Strength of the penalty that was chosen.
    missing_p95
        95th percentile over sessions of the share of features that were missing.
    quality
        Names of the recording quality features that the cohort had.
    seed
        Of the folds.
    evaluation
        New clients first, then new therapists if they could be tested.
    notes
        What the reader should know of the cohort.
    versions
        vsa, Python and the libraries that made it.
    trained_on
        To recognise sessions that are withdrawn; None where no id was known, or for models of earlier versions.
    withdrawn
        Sessions of the training that were withdrawn since: the model should be trained again.
    """

    features: tuple[str, ...]
    feature_versions: dict[str, int]
    target: str
    label_source: str
    simulated: bool
    sessions: int
    clients: int
    therapists: int | None
    grouped_by: str
    bond_mean: float
    bond_sd: float
    bond_min: float
    bond_max: float
    alpha: float
    missing_p95: float
    quality: tuple[str, ...]
    seed: int
    evaluation: tuple[HeldOut, ...]
    notes: tuple[str, ...]
    versions: dict[str, str]
    trained_on: TrainedOn | None = None
    withdrawn: tuple[Withdrawn, ...] = ()


@dataclass(frozen=True, eq=False)
class BondModel:
    """A fitted model; see `vsa.bond.training.train`, and `vsa.bond.store` for its file."""

    pipeline: Any
    info: ModelInfo

    def expected(self, table: pd.DataFrame) -> Floats:
        """Expected bond of each row, shape (n,), in points of the target.

        Parameters
        ----------
        table
            With every feature of the model, under its full name; NaN where it is missing.

        Raises
        ------
        InputError
            When a feature's column is absent or holds no numbers.
        """
        x = feature_values(table, self.info.features).to_numpy()
        return np.asarray(self.pipeline.predict(x), np.float64)


def fit_ridge(x: Floats, y: Floats, groups: Groups, seed: int) -> Any:
    """Fit the pipeline, with its penalty chosen on inner folds that keep groups whole.

    Missing values become the training median, and that they were missing becomes a feature.

    Parameters
    ----------
    x
        Shape (n, p), NaN where missing.
    y
        Shape (n,).
    groups
        Clients or therapists, shape (n,).
    """
    errors = np.zeros(len(ALPHAS))
    for train, test in folds(groups, seed):
        prepared = _preparation().fit(x[train])
        errors += _path_errors(prepared.transform(x[train]), y[train], prepared.transform(x[test]), y[test])
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline

    best = ALPHAS[int(np.argmin(errors))]
    return Pipeline([*_preparation().steps, ("ridge", Ridge(alpha=best))]).fit(x, y)


def _preparation() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return Pipeline([("impute", impute), ("scale", StandardScaler())])


def _path_errors(x: Floats, y: Floats, x_test: Floats, y_test: Floats) -> Floats:
    """Squared error summed over the test rows, for each of `ALPHAS`: one decomposition serves all."""
    u, s, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)
    shrunk = s[:, None] / (s[:, None] ** 2 + np.array(ALPHAS))
    weights = vt.T @ (shrunk * (u.T @ (y - y.mean()))[:, None])
    predicted = y.mean() + (x_test - x.mean(0)) @ weights
    return np.asarray(((predicted - y_test[:, None]) ** 2).sum(0))
