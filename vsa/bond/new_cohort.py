"""A trained model on sessions of people whom it has never seen: whether it holds, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond import membership
from vsa.bond.cohort import Cohort, feature_values, simulated_rows
from vsa.bond.cohort_columns import LEAST_SESSIONS
from vsa.bond.covariates import model_clients
from vsa.bond.evaluation.conformal import Coverage
from vsa.bond.evaluation.evaluate import plain
from vsa.bond.evaluation.flag_scores import judged
from vsa.bond.evaluation.resampling import DRAWS, Estimate, Resampler, estimate
from vsa.bond.evaluation.scores import scores
from vsa.bond.flags import flag
from vsa.bond.folds import Groups, circles
from vsa.bond.model import SIMULATED, BondModel
from vsa.bond.seen.again import learned_from
from vsa.bond.seen.drift import Drift, drift
from vsa.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Performance:
    """Of a model for a cohort with reported bonds.

    Attributes
    ----------
    sessions, clients
        How many were rated.
    scores, training_mean
        As in `vsa.bond.evaluation.scores.scores`, of the model and of its training's mean.
    shift
        Calibration in the large: mean of reported minus expected bond, points; 0 is right.
    slope
        Of reported on expected bond; 1 is right, below 1 the model is too bold.
    coverage
        Of its intervals.
    base_rate, flags
        Share of weak bonds, and how well their probability does; as in `vsa.bond.evaluation.flag_scores.FlagScores`.
        None where it gives no probabilities, or all or none were weak.
    """

    sessions: int
    clients: int
    scores: Mapping[str, Estimate]
    training_mean: Mapping[str, Estimate]
    shift: Estimate
    slope: Estimate
    coverage: Coverage
    base_rate: float | None
    flags: Mapping[str, Estimate] | None


@dataclass(frozen=True, eq=False)
class NewCohort:
    """What was found.

    Attributes
    ----------
    performance
        None where there are no bonds, or too few; `why` says so.
    why
        See there.
    drift
        How the features differ from the training's.
    outside
        `session_id` and `reason` of the sessions that the model can't judge.
    sessions
        That were looked at.
    simulated
        The model, or the sessions.
    notes
        What to know.
    """

    performance: Performance | None
    why: str
    drift: Drift
    outside: pd.DataFrame
    sessions: int
    simulated: bool
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sessions": self.sessions,
            "simulated": self.simulated,
            "performance": plain(self.performance),
            "why_no_performance": self.why,
            "drift": plain(self.drift),
            "outside": self.outside.to_dict("records"),
            "notes": list(self.notes),
        }


def evaluate_on(model: BondModel, table: pd.DataFrame, bond: str = "", *, seed: int = 0) -> NewCohort:
    """Evaluate a model on new sessions. Those of its training are left out.

    Parameters
    ----------
    model
        The model.
    table
        One row per session with the model's features; with the bond for its performance.
    bond
        The column; the model's target if it is not given.
    seed
        Of resampling and permutations.

    Raises
    ------
    InputError
        When all sessions were in the training, a feature is absent, or simulated sessions meet a model of real ones.
    """
    table, notes = _new_ones(model, table)
    simulated = bool(simulated_rows(table).all())
    if simulated != model.info.simulated:
        notes.append(
            f"The model was trained on {_kind(model.info.simulated)} sessions, and these are {_kind(simulated)}: what "
            "is found says nothing about how it does for people."
        )
    performance, why = _performance(model, table, bond or model.info.target, seed, notes)
    training, new, unit = _units(model, table)
    found = drift(
        model.reference, feature_values(table, model.info.features), training, new, seed=seed, unit=unit
    )
    listed = flag(model, table).table
    outside = listed.loc[listed["verdict"] == "abstain", ["session_id", "reason"]].reset_index(drop=True)
    head = [SIMULATED] if model.info.simulated else []
    return NewCohort(
        performance,
        why,
        found,
        outside,
        len(table),
        simulated or model.info.simulated,
        (*head, *membership.said(model.info.withdrawn), *notes),
    )


def _units(model: BondModel, table: pd.DataFrame) -> tuple[Groups, Groups, str]:
    """Who swaps sides to see what chance gives, of the training and of the table: therapists where both know them.

    Clients of one therapist are alike in what the therapist does.
    """
    ids = model.info.trained_on.ids if model.info.trained_on else {}
    own = tuple(f"row {k}" for k in range(model.info.sessions))
    training = np.array(ids.get("client") or ids.get("session") or own)
    new = model_clients(table)
    if "therapist" not in ids or "therapist_id" not in table or table["therapist_id"].isna().any():
        return training, new, "clients"
    therapists = np.asarray(table["therapist_id"].astype(str), np.str_)
    return circles(np.array(ids["therapist"]), training), circles(therapists, new), "therapists"


def _kind(simulated: bool) -> str:
    return "SIMULATED" if simulated else "real"


def _new_ones(model: BondModel, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Rows that were not in the training, nor of its clients."""
    known = model.info.trained_on
    source = table.attrs.get("source", "the table")
    if known is None:
        return table, [
            "The model does not say which sessions it learned from: check that none of them is here."
        ]
    seen = learned_from(model, table)
    notes = []
    if seen.all():
        raise InputError(
            f"All {len(table)} sessions of {source} were in the model's training.",
            "Give others: of these it shows its memory. How it does for new people is in its evaluation.json.",
        )
    if seen.any():
        notes.append(
            f"{int(seen.sum())} of {len(table)} sessions were in the model's training and are left out."
        )
    rest = table[~seen].reset_index(drop=True)
    rest.attrs.update(table.attrs)
    if "client_id" in rest and "client" in known.ids:
        same = [bool(known.rows({"client": [str(name)]})) for name in rest["client_id"].dropna().unique()]
        if any(same):
            notes.append(
                f"{sum(same)} clients have other sessions in the model's training, or share their ids with clients "
                "there: for them it may look too good."
            )
    return rest, notes


def _performance(
    model: BondModel, table: pd.DataFrame, bond: str, seed: int, notes: list[str]
) -> tuple[Performance | None, str]:
    if bond not in table:
        return None, f"There is no column '{bond}', so nothing is said of how well bonds are predicted."
    if (rated := int(table[bond].notna().sum())) < LEAST_SESSIONS:
        return None, (
            f"{rated} session{'s' * (rated != 1)} with a bond: {LEAST_SESSIONS} are the least to say how well bonds "
            "are predicted."
        )
    cohort = Cohort.from_table(table, bond, use=model.info.features)
    notes += cohort.notes
    if model.info.raters and cohort.raters and model.info.raters != cohort.raters:
        notes.append(
            f"The model learned bonds rated by {' and '.join(model.info.raters)}; these were rated by "
            f"{' and '.join(cohort.raters)}."
        )
    rows = table[table[bond].notna()].reset_index(drop=True)
    rows.attrs.update(table.attrs)
    columns = model.columns(rows)
    expected, (low, high) = model.predict(columns), model.interval(columns)
    y = cohort.bond
    resampler = Resampler(cohort.clients, seed, DRAWS)
    mean = np.full(len(y), model.info.bond_mean)
    n = resampler.sums(np.ones(len(y)))
    width = estimate(resampler.sums(high - low) / n)
    level = float(model.info.evaluation["coverage"]["level"])
    weak, cut = model.info.weak, model.info.weak_cut
    label = weak.of(y, cohort.clients, cut)
    told = np.isfinite(label)
    flags = None
    if model.info.calibration is not None and told.any() and label[told].min() != label[told].max():
        probability = model.info.calibration.probability(weak.score(expected, cohort.clients))
        weights = Resampler(cohort.clients[told], seed).weights
        flags = judged(label[None, told], probability[None, told], weights)
    return Performance(
        len(y),
        len(np.unique(cohort.clients)),
        scores(y, expected[None], mean[None], cohort.clients, resampler),
        scores(y, mean[None], mean[None], cohort.clients, resampler),
        estimate(resampler.sums(y - expected) / n),
        estimate(_slope(resampler, y, expected)),
        Coverage(level, estimate(resampler.sums(((y >= low) & (y <= high)).astype(float)) / n), width, None),
        float(label[told].mean()) if told.any() else None,
        flags,
    ), ""


def _slope(resampler: Resampler, y: Floats, x: Floats) -> Floats:
    n, sx, sy = resampler.sums(np.ones(len(y))), resampler.sums(x), resampler.sums(y)
    both, own = resampler.sums(x * y) - sx * sy / n, resampler.sums(x**2) - sx**2 / n
    return np.asarray(np.where(own > 1e-10, both / np.where(own > 1e-10, own, 1.0), np.nan))
