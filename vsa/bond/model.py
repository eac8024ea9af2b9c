"""The bond model: a pipeline, its intervals, what it has seen, and all that must be known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import feature_values
from vsa.bond.covariates import model_clients, model_covariates
from vsa.bond.design import Design
from vsa.bond.evaluation.conformal import interval
from vsa.bond.membership import TrainedOn, Withdrawn
from vsa.bond.weak import Calibration, Weak

if TYPE_CHECKING:
    import pandas as pd

    from vsa.bond.seen.reference import Reference
    from vsa.bond.seen.support import Support

Floats = npt.NDArray[np.float64]

SIMULATED = "Trained on SIMULATED sessions: it says nothing about people."


@dataclass(frozen=True)
class ModelInfo:
    """What a model was made of; written into its file and beside its results.

    Attributes
    ----------
    design
        Columns that its pipeline takes: features, and covariates if it was trained with them.
    middle
        Median of each column in training, for reasons.
    feature_versions
        Versions of those features that this vsa defines.
    target, label_source, raters, scale, simulated
        As in `Cohort`.
    sessions, clients, therapists, grouped_by
        Size of the cohort; `therapists` is None if they are not known.
    people
        What is known of who they are: column -> value -> sessions. Values of fewer than 5 clients are put together.
    bond_mean, bond_sd, bond_min, bond_max
        Of the reported bond.
    family, setting
        Of the regression that was chosen.
    weak, weak_cut
        What a weak bond is, and what was learned of it (see `Weak.cut`).
    calibration
        To probabilities; None where there were too few weak bonds.
    missing_p95
        95th percentile over sessions of the share of features that were missing.
    quality
        Names of the recording quality features that the cohort had.
    seed
        Of the folds.
    verdict
        Against the training mean for people held out: ``better``, ``unclear`` or ``no better``.
    evaluation
        As in ``evaluation.json``; see `vsa.bond.evaluation.evaluate.Evaluation`.
    notes
        What the reader should know of the cohort.
    versions
        vsa, Python and the libraries that made it.
    started_from
        What it was recalibrated or refitted from, in words; empty if nothing.
    base_design
        Of the model that this one recalibrates; None for others.
    trained_on
        To recognise sessions that are withdrawn; None where no id was known.
    withdrawn
        Sessions of the training that were withdrawn since: the model should be trained again.
    """

    design: Design
    middle: tuple[float, ...]
    feature_versions: dict[str, int]
    target: str
    label_source: str
    raters: tuple[str, ...]
    scale: tuple[float, float] | None
    simulated: bool
    sessions: int
    clients: int
    therapists: int | None
    grouped_by: str
    people: dict[str, dict[str, int]]
    bond_mean: float
    bond_sd: float
    bond_min: float
    bond_max: float
    family: str
    setting: float
    weak: Weak
    weak_cut: float
    calibration: Calibration | None
    missing_p95: float
    quality: tuple[str, ...]
    seed: int
    verdict: str
    evaluation: Mapping[str, Any]
    notes: tuple[str, ...]
    versions: dict[str, str]
    started_from: str = ""
    base_design: Design | None = None
    trained_on: TrainedOn | None = None
    withdrawn: tuple[Withdrawn, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Full names of the features that a table must have."""
        return (self.base_design or self.design).features


@dataclass(frozen=True, eq=False)
class BondModel:
    """A fitted model; see `vsa.bond.training.train`, and `vsa.bond.store` for its file.

    Attributes
    ----------
    pipeline
        Columns of the design to an expected bond.
    conformal
        The same to an interval.
    support, reference
        What it has seen: to abstain, and to see drift.
    info
        What it was made of.
    base
        Pipeline of the model that this one recalibrates, whose expectation is then its only column; else None.
    """

    pipeline: Any
    conformal: Any
    support: Support
    reference: Reference
    info: ModelInfo
    base: Any = None

    def columns(self, table: pd.DataFrame) -> Floats:
        """Columns of the design (of the base, if there is one) for a table's rows, (n, p).

        Parameters
        ----------
        table
            With every feature of the model under its full name, NaN where it is missing; where a client has several
            sessions, with `client_id`.

        Raises
        ------
        InputError
            When a feature's column is absent or holds no numbers.
        """
        design = self.info.base_design or self.info.design
        return design.matrix(
            feature_values(table, design.features), model_clients(table), model_covariates(table, design)
        )

    def predict(self, columns: Floats) -> Floats:
        """Expected bond, (n,), for what `columns` gives."""
        return np.asarray(self.pipeline.predict(self._own(columns)), np.float64)

    def expected(self, table: pd.DataFrame) -> Floats:
        """Expected bond of each row, shape (n,), in points of the target. For the table and errors see `columns`."""
        return self.predict(self.columns(table))

    def interval(self, columns: Floats) -> tuple[Floats, Floats]:
        """Ends of the interval around the expected bond, (n,) each."""
        return interval(self.conformal, self._own(columns), self.info.scale)

    def _own(self, columns: Floats) -> Floats:
        return columns if self.base is None else np.asarray(self.base.predict(columns))[:, None]
