"""A review list: the sessions with the lowest expected bond, and those that can't be judged.

The rule, all of it:

- `abstain` when the recording is poor: a person of whom the model knows features was tracked in less than
  `LEAST_TRACKED` of the session, or that share is missing although the model was trained with it, or more features are
  missing than in 95 % of the training sessions (at least 25 %, at most 50 % of them);
- `weak` for the sessions with the lowest expected bond, as many as the budget allows, as far as their expected bond
  lies below the mean of the training cohort;
- `ok` for the others: no reason to review was found. It does not say that the bond is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vsa.bond import membership
from vsa.bond.cohort import feature_values, simulated_rows
from vsa.bond.model import SIMULATED, BondModel
from vsa.errors import InputError

LEAST_TRACKED = 0.5
TRACKED = "quality.tracked_share"
_MISSING_AT_LEAST, _MISSING_AT_MOST = 0.25, 0.5
#: Told with every list of a model that is not shown to do better than guessing.
NO_BETTER = (
    "The model did not beat the training mean for people held out: flags are no better than a draw of lots."
)
UNCLEAR = "That the model beats the training mean for people held out may be chance."


@dataclass(frozen=True, eq=False)
class Flags:
    """The list.

    Attributes
    ----------
    table
        One row per session, in the order of the list: `session_id`, `verdict` (weak, ok, abstain), `suggestion`,
        `expected_bond`, `rank` (1 is lowest), `reason`, `missing_share`, `tracked_share`, `label`, `label_source`,
        `model_against_mean` (better, unclear, no better: for people held out in training), and `simulated` (the model's
        training sessions, or the session itself).
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


def flag(model: BondModel, table: pd.DataFrame, budget: float = 0.1) -> Flags:
    """Make the review list of a table of sessions.

    Parameters
    ----------
    model
        A trained model.
    table
        One row per session with the model's features.
    budget
        Below 1: share of the sessions that can be reviewed (rounded down, but one at the least); from 1 on: how many.

    Raises
    ------
    InputError
        When a feature is absent, a session is there twice, or the budget is none.
    """
    names = _session_ids(table)
    allowed = _allowed(budget, len(table))
    expected = model.expected(table)
    missing = feature_values(table, model.info.features).isna().mean(axis=1).to_numpy()
    tracked, reason = _tracked(model, table)
    limit = min(_MISSING_AT_MOST, max(_MISSING_AT_LEAST, model.info.missing_p95))
    for k in np.flatnonzero((missing > limit) & (reason == "")):
        reason[k] = (
            f"{missing[k]:.0%} of the features are missing, and {limit:.0%} are the most to judge from"
        )
    judged = reason == ""
    order = np.lexsort((np.arange(len(expected)), np.where(judged, expected, np.inf)))
    low = [k for k in order[: int(judged.sum())] if expected[k] < model.info.bond_mean][:allowed]
    verdict = np.where(judged, "ok", "abstain").astype(object)
    verdict[low] = "weak"
    suggestion = {"weak": "review suggested", "ok": "", "abstain": "cannot tell from this recording"}
    rank = np.full(len(order), np.nan)
    rank[order[: int(judged.sum())]] = np.arange(1, judged.sum() + 1)
    flags = pd.DataFrame(
        {
            "session_id": names,
            "verdict": verdict,
            "suggestion": [suggestion[v] for v in verdict],
            "expected_bond": np.where(judged, expected, np.nan),
            "rank": pd.array(rank, dtype="Int64"),
            "reason": [
                "among the lowest expected bonds within the budget" if v == "weak" else why
                for v, why in zip(verdict, reason, strict=True)
            ],
            "missing_share": missing,
            "tracked_share": tracked,
            "label": f"weak: expected '{model.info.target}' among the lowest {allowed} of {len(table)} sessions, and "
            f"below the training mean of {model.info.bond_mean:.2f}",
            "label_source": model.info.label_source,
            "model_against_mean": model.info.evaluation[0].verdict,
            "simulated": model.info.simulated | simulated_rows(table).to_numpy(bool),
        }
    )
    return Flags(flags.iloc[order].reset_index(drop=True), _notes(model))


def _session_ids(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.str_]]:
    if "session_id" not in table:
        raise InputError(f"{table.attrs.get('source', 'The table')} has no column session_id.", "")
    names = table["session_id"].astype(str)
    twice = names[names.duplicated()].unique()
    if len(twice):
        raise InputError(
            f"Session {', '.join(twice[:5])} is there more than once.", "Keep one row a session."
        )
    return np.asarray(names, np.str_)


def _allowed(budget: float, sessions: int) -> int:
    if not budget > 0 or (budget >= 1 and budget != int(budget)):
        raise InputError(
            f"A budget of {budget:g} is none.",
            "Give a share below 1 (0.1: a tenth of the sessions) or a number.",
        )
    return int(budget) if budget >= 1 else max(1, int(budget * sessions + 1e-9))


def _tracked(model: BondModel, table: pd.DataFrame) -> tuple[Any, Any]:
    """Lowest tracked share of the people whom the model knows, (n,), and why a row can't be judged, (n,)."""
    scopes = {name.split(".")[0] for name in model.info.features}
    known = [name for name in model.info.quality if name.endswith(TRACKED) and name.split(".")[0] in scopes]
    reason = np.full(len(table), "", object)
    lowest = np.full(len(table), np.nan)
    for name in known:
        share = (
            pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
            if name in table
            else np.full(len(table), np.nan)
        )
        lowest = np.fmin(lowest, share)
        person = name.split(".")[0]
        for k in np.flatnonzero(~(share >= LEAST_TRACKED) & (reason == "")):
            reason[k] = (
                f"how long {person} was in view is not known"
                if np.isnan(share[k])
                else f"{person} was in view for {share[k]:.0%} of the session, and {LEAST_TRACKED:.0%} are needed"
            )
    return lowest, reason


def _notes(model: BondModel) -> tuple[str, ...]:
    info = model.info
    notes = [SIMULATED] if info.simulated else []
    notes += membership.said(info.withdrawn)
    verdict = info.evaluation[0].verdict
    if verdict != "better":
        notes.append(NO_BETTER if verdict == "no better" else UNCLEAR)
    if info.grouped_by == "session":
        notes.append("The model was not tested on new clients: no client was known in training.")
    notes.append("A flag suggests that somebody looks at the session. It decides nothing about a person.")
    return tuple(notes)
