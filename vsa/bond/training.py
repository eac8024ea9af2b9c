"""From a table to a tested bond model."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

import vsa
from vsa.bond.cohort import Cohort, Use
from vsa.bond.evaluation import evaluate
from vsa.bond.membership import Kind, TrainedOn
from vsa.bond.model import BondModel, ModelInfo, fit_ridge
from vsa.features.registry import versions

if TYPE_CHECKING:
    import pandas as pd

_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")


def train(table: pd.DataFrame, bond: str = "bond", *, seed: int = 0, use: Use = "core") -> BondModel:
    """Train on all sessions of a table, and test on people held out.

    Parameters
    ----------
    table
        See `Cohort.from_table`.
    bond
        The column to predict.
    seed
        Of the folds: the same seed gives the same model and figures.
    use
        The ``core`` set of features, or ``all``.

    Raises
    ------
    InputError
        See `Cohort.from_table`.

    Examples
    --------
    >>> from vsa.simulate.cohort import simulate_cohort
    >>> model = train(simulate_cohort(n_clients=20, sessions_per_client=2, seed=1))
    >>> model.info.simulated, model.info.sessions
    (True, 40)
    """
    cohort = Cohort.from_table(table, bond, use=use)
    evaluation = evaluate(cohort, lambda x, y, groups: fit_ridge(x, y, groups, seed), seed)
    x = cohort.features.to_numpy()
    pipeline = fit_ridge(x, cohort.bond, cohort.clients, seed)
    info = ModelInfo(
        features=tuple(cohort.features.columns),
        feature_versions=versions(cohort.features.columns),
        target=cohort.target,
        label_source=cohort.label_source,
        simulated=cohort.simulated,
        sessions=len(cohort),
        clients=len(np.unique(cohort.clients)),
        therapists=None if cohort.therapists is None else len(np.unique(cohort.therapists)),
        grouped_by=cohort.grouped_by,
        bond_mean=float(cohort.bond.mean()),
        bond_sd=float(cohort.bond.std(ddof=1)),
        bond_min=float(cohort.bond.min()),
        bond_max=float(cohort.bond.max()),
        alpha=float(pipeline["ridge"].alpha),
        missing_p95=float(np.quantile(np.isnan(x).mean(1), 0.95)),
        quality=tuple(cohort.quality.columns),
        seed=seed,
        evaluation=evaluation,
        notes=cohort.notes,
        versions={
            "vsa": vsa.__version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        trained_on=_trained_on(cohort, "session_id" in table),
    )
    return BondModel(pipeline, info)


def _trained_on(cohort: Cohort, sessions_known: bool) -> TrainedOn | None:
    ids = dict[Kind, Sequence[str]]()
    if sessions_known:
        ids["session"] = cohort.sessions.tolist()
    if cohort.grouped_by == "client":
        ids["client"] = cohort.clients.tolist()
    if cohort.therapists is not None:
        ids["therapist"] = cohort.therapists.tolist()
    # of what was learned from: the same training gives the same file
    salt = hashlib.sha256(cohort.features.to_numpy().tobytes() + cohort.bond.tobytes()).hexdigest()[:32]
    return TrainedOn.of(ids, salt) if ids else None
