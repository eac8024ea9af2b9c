"""A review list: the sessions in which a weak bond is most probable, and those that can't be judged.

The rule, all of it:

- `abstain` when the recording is poor: a person of whom the model knows features was in view for less than half of the
  session (`vsa.bond.seen.view`), or that is not known although the model was trained with it, or more features are
  missing than in 95 % of the training sessions (at least 25 %, at most 50 % of them); or when the session lies outside
  of what the model saw (`vsa.bond.seen.support`);
- `weak` for the sessions with the highest probability of a weak bond: as many as the budget allows, as far as their
  expected bond lies below the training's mean (for a drop: below the client's own); or all from a threshold on;
- `ok` for the others: no reason to review was found. It does not say that the bond is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond import membership
from vsa.bond.cohort import QUALITY, feature_values, simulated_rows
from vsa.bond.covariates import model_clients
from vsa.bond.model import SIMULATED, BondModel
from vsa.bond.reasons import MOST, reasons
from vsa.bond.seen.again import learned_from
from vsa.bond.seen.view import TRACKED, seen_enough
from vsa.errors import InputError

Floats = npt.NDArray[np.float64]

_MISSING_AT_LEAST, _MISSING_AT_MOST = 0.25, 0.5
SUGGESTION = {"weak": "review suggested", "ok": "", "abstain": "cannot tell from this recording"}
#: Told with every list of a model that is not shown to do better than guessing.
NO_BETTER = (
    "The model did not beat the training mean for people held out: flags are no better than a draw of lots."
)
UNCLEAR = "That the model beats the training mean for people held out may be chance."
DECIDES_NOTHING = "A flag suggests that somebody looks at the session. It decides nothing about a person."
UNCALIBRATED = (
    "There were too few weak bonds in training to give probabilities: the list is in order of expected bond."
)


@dataclass(frozen=True, eq=False)
class Flags:
    """The list.

    Attributes
    ----------
    table
        One row per session, in the order of the list: `session_id`, `verdict` (weak, ok, abstain), `suggestion`,
        `probability` of a weak bond, `expected_bond` with the ends of its interval (`expected_low`, `expected_high`),
        `rank` (1 is the most probable), `reason_1` to `reason_3` in words with `reason_1_feature` and
        `reason_1_direction`, `reason` (why it is not judged), `missing_share`, `tracked_share`, `label`,
        `label_source`, `model_against_mean` (better, unclear, no better: for people held out in training),
        `in_training`, and `simulated` (the model's training sessions, or the session itself).
    notes
        What the reader must know before using it.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Sessions by verdict."""
        return {
            verdict: int((self.table["verdict"] == verdict).sum()) for verdict in ("weak", "ok", "abstain")
        }

    def record(self) -> dict[str, Any]:
        """For machines: JSON without NaN."""
        table = self.table.astype(object).where(self.table.notna(), None)
        return {"counts": self.counts, "notes": list(self.notes), "sessions": table.to_dict("records")}


def flag(model: BondModel, table: pd.DataFrame, budget: float = 0.1, threshold: float | None = None) -> Flags:
    """Make the review list of a table of sessions.

    Parameters
    ----------
    model
        A trained model.
    table
        One row per session with the model's features.
    budget
        Below 1: share of the sessions that can be reviewed (rounded down, but one at the least); from 1 on: how many.
    threshold
        Instead of a budget: probability of a weak bond from which on to review.

    Raises
    ------
    InputError
        When a feature is absent, a session is there twice, the budget or threshold is none, or the model has no
        probabilities to compare with a threshold.
    """
    info = model.info
    names = session_ids(table)
    count = allowed(budget, len(table))
    _check_threshold(threshold, model)
    values = feature_values(table, info.features)
    columns = model.columns(table)
    expected = model.predict(columns)
    low, high = model.interval(columns)
    score = info.weak.score(expected, model_clients(table))
    missing = values.isna().mean(axis=1).to_numpy()
    tracked, reason = _unjudged(model, table, values, missing, score)
    judged = reason == ""
    probability = (
        np.full(len(table), np.nan) if info.calibration is None else info.calibration.probability(score)
    )
    order = np.lexsort((np.arange(len(score)), np.where(judged, score, np.inf)))
    first = order[: int(judged.sum())]
    if threshold is None:
        weak = [k for k in first if score[k] < _usual(model)][:count]
        label = f"weak: among the {count} of {len(table)} sessions in which a weak bond is most probable"
    else:
        weak = [k for k in first if probability[k] >= threshold]
        label = f"weak: a weak bond has a probability of {threshold:.0%} or more"
    verdict = np.where(judged, "ok", "abstain").astype(object)
    verdict[weak] = "weak"
    rank = np.full(len(order), np.nan)
    rank[first] = np.arange(1, len(first) + 1)
    flags = pd.DataFrame(
        {
            "session_id": names,
            "verdict": verdict,
            "suggestion": [SUGGESTION[v] for v in verdict],
            "probability": np.where(judged, probability, np.nan),
            "expected_bond": np.where(judged, expected, np.nan),
            "expected_low": np.where(judged, low, np.nan),
            "expected_high": np.where(judged, high, np.nan),
            "rank": pd.array(rank, dtype="Int64"),
            **_reason_columns(model, values.assign(**_ids(table)), columns, judged),
            "reason": reason,
            "missing_share": missing,
            "tracked_share": tracked,
            "label": f"{label}. Weak bond: {info.weak.said(info.target, info.weak_cut)}",
            "label_source": info.label_source,
            "model_against_mean": info.verdict,
            "in_training": learned_from(model, table),
            "simulated": info.simulated | simulated_rows(table).to_numpy(bool),
        }
    )
    return Flags(flags.iloc[order].reset_index(drop=True), _notes(model, flags))


def session_ids(table: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Ids of the sessions, (n,).

    Raises
    ------
    InputError
        When there are none, or one is there twice.
    """
    if "session_id" not in table:
        raise InputError(f"{table.attrs.get('source', 'The table')} has no column session_id.", "")
    names = table["session_id"].astype(str)
    twice = names[names.duplicated()].unique()
    if len(twice):
        raise InputError(
            f"Session {', '.join(twice[:5])} is there more than once.", "Keep one row a session."
        )
    return np.asarray(names, np.str_)


def allowed(budget: float, sessions: int) -> int:
    """How many sessions a budget is.

    Raises
    ------
    InputError
        When it is none.
    """
    if not budget > 0 or (budget >= 1 and budget != int(budget)):
        raise InputError(
            f"A budget of {budget:g} is none.",
            "Give a share below 1 (0.1: a tenth of the sessions) or a number.",
        )
    return int(budget) if budget >= 1 else max(1, int(budget * sessions + 1e-9))


def check_threshold(threshold: float) -> None:
    """Check a probability of a weak bond from which on sessions are reviewed.

    Raises
    ------
    InputError
        When it is none.
    """
    if not 0 < threshold < 1:
        raise InputError(
            f"A threshold of {threshold:g} is no probability.", "Give one between 0 and 1, as 0.3."
        )


def _check_threshold(threshold: float | None, model: BondModel) -> None:
    if threshold is None:
        return
    check_threshold(threshold)
    if model.info.calibration is None:
        raise InputError(
            "This model gives no probabilities: there were too few weak bonds in its training.",
            "Give a --budget.",
        )


def _usual(model: BondModel) -> float:
    """The score from which on nothing is weak, whatever the budget: what is usual in training."""
    return 0.0 if model.info.weak.kind == "drop" else model.info.bond_mean


def _ids(table: pd.DataFrame) -> dict[str, Any]:
    return {"client_id": table["client_id"].to_numpy()} if "client_id" in table else {}


def _reason_columns(
    model: BondModel, table: pd.DataFrame, columns: Floats, judged: npt.NDArray[np.bool_]
) -> dict[str, list[str]]:
    found = reasons(model, table, columns)
    told: dict[str, list[str]] = {}
    for k in range(MOST):
        own = [some[k] if keep and len(some) > k else None for some, keep in zip(found, judged, strict=True)]
        told[f"reason_{k + 1}"] = [one.words if one else "" for one in own]
        told[f"reason_{k + 1}_feature"] = [one.feature if one else "" for one in own]
        told[f"reason_{k + 1}_direction"] = [one.direction if one else "" for one in own]
    return told


def _unjudged(
    model: BondModel, table: pd.DataFrame, values: pd.DataFrame, missing: Floats, score: Floats
) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Lowest tracked share of the people whom the model knows, and why a row can't be judged, (n,) each."""
    tracked, reason = _tracked(model, table)
    limit = min(_MISSING_AT_MOST, max(_MISSING_AT_LEAST, model.info.missing_p95))
    for k in np.flatnonzero((missing > limit) & (reason == "")):
        reason[k] = (
            f"{missing[k]:.0%} of the features are missing, and {limit:.0%} are the most to judge from"
        )
    quality = pd.DataFrame(
        {
            name: pd.to_numeric(table[name], errors="coerce")
            for name in map(str, table.columns)
            if QUALITY in name and name in model.info.quality
        },
        index=table.index,
    )
    outside = model.support.outside(values, quality)
    for k in np.flatnonzero(reason == ""):
        reason[k] = outside[k]
    for k in np.flatnonzero(~np.isfinite(score) & (reason == "")):
        reason[k] = (
            "it is the only session of its client here, and weak means lower than in the client's others"
        )
    return tracked, reason


def _tracked(model: BondModel, table: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.object_]]:
    scopes = {name.split(".")[0] for name in model.info.features}
    known = [name for name in model.info.quality if name.endswith(TRACKED) and name.split(".")[0] in scopes]
    shares = table.reindex(columns=known).apply(pd.to_numeric, errors="coerce")
    return seen_enough(shares)


def _notes(model: BondModel, flags: pd.DataFrame) -> tuple[str, ...]:
    info = model.info
    notes = [SIMULATED] if info.simulated else []
    notes += membership.said(info.withdrawn)
    if info.verdict != "better":
        notes.append(NO_BETTER if info.verdict == "no better" else UNCLEAR)
    if info.grouped_by == "session":
        notes.append("The model was not tested on new clients: no client was known in training.")
    if info.calibration is None:
        notes.append(UNCALIBRATED)
    if seen := int(flags["in_training"].sum()):
        notes.append(
            f"{seen} of these sessions were in the model's training: what it expects of them says more of its memory."
        )
    judged = flags["verdict"] != "abstain"
    if len(flags) >= 10 and judged.mean() < 0.5:
        notes.append(
            f"Most sessions ({(~judged).mean():.0%}) lie outside of what the model saw or were recorded too poorly: it "
            "is not made for them. 'vsa evaluate' shows how they differ."
        )
    notes.append(DECIDES_NOTHING)
    return tuple(notes)
