"""From a table to a tested bond model."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import vsa
from vsa.bond.cohort import Cohort, Use
from vsa.bond.cohort_columns import without_rounding
from vsa.bond.design import Design, design_of
from vsa.bond.evaluation.conformal import conformal
from vsa.bond.evaluation.evaluate import Evaluation, Settings, evaluate, with_permutations
from vsa.bond.evaluation.held_out import Candidates
from vsa.bond.learners.choice import Learner, choose, fit
from vsa.bond.membership import Kind, TrainedOn
from vsa.bond.model import BondModel, ModelInfo
from vsa.bond.seen.reference import Reference
from vsa.bond.seen.support import learn_support
from vsa.bond.weak import calibrate
from vsa.features.registry import versions

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

_LIBRARIES = ("mapie", "numpy", "pandas", "scikit-learn", "scipy", "skops", "statsmodels")
#: Of who people are, values of fewer clients are not told one by one.
_LEAST_TOLD = 5


@dataclass(frozen=True, eq=False)
class Trained:
    """A model and how it was tested.

    Attributes
    ----------
    model
        To be saved and used.
    evaluation
        What was found of people held out.
    predictions
        `session_id`, `bond`, `expected` and `in_interval` of each session when its client was held out.
    """

    model: BondModel
    evaluation: Evaluation
    predictions: pd.DataFrame

    @property
    def info(self) -> ModelInfo:
        """The model's."""
        return self.model.info


@dataclass(frozen=True, eq=False)
class Base:
    """A model to start from: what it expects becomes the only column.

    Attributes
    ----------
    model
        The other model.
    columns
        Its columns of the cohort's sessions, (n, p).
    name
        In words.
    """

    model: BondModel
    columns: Floats
    name: str


def train(
    table: pd.DataFrame,
    bond: str = "bond",
    *,
    use: Use = "core",
    covariates: Iterable[str] | None = None,
    leave_out: Iterable[str] = (),
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Train on all sessions of a table, and test on people held out.

    Parameters
    ----------
    table
        See `Cohort.from_table`.
    bond
        The column to predict.
    use
        The ``core`` set of features, or ``all``.
    covariates
        Columns that the model takes beside the signals. None: it takes none, and those that are known are what it is
        compared with.
    leave_out
        Features that are no predictors.
    settings
        How thoroughly to test; the same seed gives the same model and figures.
    say
        Is told each step in one line.

    Raises
    ------
    InputError
        See `Cohort.from_table`.

    Examples
    --------
    >>> from vsa.simulate.cohort import simulate_cohort
    >>> quick = Settings(seed=1, draws=100, permutations=0, repeats=1)
    >>> trained = train(simulate_cohort(n_clients=20, sessions_per_client=2, seed=1), settings=quick)
    >>> trained.info.simulated, trained.info.sessions
    (True, 40)
    """
    named = None if covariates is None else tuple(covariates)
    cohort = Cohort.from_table(table, bond, use=use, covariates=named or None, leave_out=leave_out)
    return fitted(
        cohort,
        "session_id" in table,
        settings or Settings(),
        model="covariates_and_features" if named else "features",
        say=say,
    )


def fitted(
    cohort: Cohort,
    sessions_known: bool,
    settings: Settings,
    *,
    model: str = "features",
    base: Base | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Choose, test and fit on a cohort; with a base, only its recalibration is learned."""
    from threadpoolctl import threadpool_limits

    # of matrices as small as these, threads cost more than they bring; processes share the work
    with threadpool_limits(1):
        return _fitted(cohort, sessions_known, settings, model, base, say)


def _fitted(
    cohort: Cohort,
    sessions_known: bool,
    settings: Settings,
    model: str,
    base: Base | None,
    say: Callable[[str], None],
) -> Trained:
    candidates = _candidates(cohort, settings, model, base)
    learner, x = candidates.of_model
    say("Choosing a regression")
    chosen = choose(learner, x, cohort.bond[:, None], cohort.clients)
    entry = int(chosen.which[0])
    evaluation, predictions = evaluate(cohort, candidates, entry, settings, say)
    pipeline = fit(learner, entry, x, cohort.bond)
    weak, clients = settings.weak, cohort.clients
    cut = weak.cut(cohort.bond, clients)
    family, setting = learner.entries[entry]
    features = cohort.features
    info = ModelInfo(
        design=learner.design,
        middle=_middle(x if base is None else base.columns),
        feature_versions=versions(features.columns),
        target=cohort.target,
        label_source=cohort.label_source,
        raters=cohort.raters,
        scale=cohort.scale,
        simulated=cohort.simulated,
        sessions=len(cohort),
        clients=len(np.unique(clients)),
        therapists=None if cohort.therapists is None else len(np.unique(cohort.therapists)),
        grouped_by=cohort.grouped_by,
        people=_people(cohort),
        bond_mean=float(cohort.bond.mean()),
        bond_sd=float(cohort.bond.std(ddof=1)),
        bond_min=float(cohort.bond.min()),
        bond_max=float(cohort.bond.max()),
        family=family.name,
        setting=float(setting),
        weak=weak,
        weak_cut=cut,
        calibration=calibrate(weak.score(chosen.inside[:, 0], clients), weak.of(cohort.bond, clients, cut)),
        missing_p95=float(np.quantile(features.isna().mean(axis=1), 0.95)),
        quality=tuple(map(str, cohort.quality.columns)),
        seed=settings.seed,
        verdict=evaluation.verdict,
        evaluation=evaluation.record(),
        notes=cohort.notes,
        versions={
            "vsa": vsa.__version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _LIBRARIES},
        },
        started_from="" if base is None else f"recalibrated from {base.name}",
        base_design=None if base is None else base.model.info.base_design or base.model.info.design,
        trained_on=_trained_on(cohort, sessions_known),
    )
    made = BondModel(
        pipeline,
        conformal(pipeline, x, cohort.bond, clients),
        learn_support(features, cohort.quality, clients, settings.seed),
        Reference.of(features),
        info,
        base=None if base is None else base.model.pipeline,
    )
    return Trained(made, evaluation, predictions)


def permuted(trained: Trained, cohort: Cohort, settings: Settings, base: Base | None = None) -> Trained:
    """Add the permutation tests to what was trained and evaluated without them on the same cohort."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        evaluation = with_permutations(
            trained.evaluation, cohort, _candidates(cohort, settings, "features", base), settings
        )
    info = replace(trained.info, evaluation=evaluation.record())
    return replace(trained, model=replace(trained.model, info=info), evaluation=evaluation)


def _candidates(cohort: Cohort, settings: Settings, model: str, base: Base | None) -> Candidates:
    none = cohort.covariates[[]]

    def one(design: Design, x: Floats) -> tuple[Learner, Floats]:
        return Learner(design, seed=settings.seed), x

    if base is not None:
        raw = base.model.predict(base.columns)
        return Candidates(one(Design(("expected",), False), without_rounding(raw)[:, None]), None, "features")
    plain = design_of(cohort.features, cohort.clients, none)
    both = design_of(cohort.features, cohort.clients, cohort.covariates)
    return Candidates(
        one(plain, plain.matrix(cohort.features, cohort.clients, none)),
        one(both, both.matrix(cohort.features, cohort.clients, cohort.covariates))
        if cohort.covariates.shape[1]
        else None,
        model,
    )


def _middle(x: Floats) -> tuple[float, ...]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value
        return tuple(np.nan_to_num(np.nanmedian(x, axis=0)).tolist())


def _people(cohort: Cohort) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, Any]] = {}
    for name in cohort.groups:
        counts: dict[str, int] = {}
        for value, rows in (
            cohort.groups[name].fillna("not known").groupby(cohort.groups[name].fillna("not known"))
        ):
            few = len(np.unique(cohort.clients[rows.index])) < _LEAST_TOLD
            key = "other" if few else str(value)
            counts[key] = counts.get(key, 0) + len(rows)
        told[str(name)] = counts
    return told


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
