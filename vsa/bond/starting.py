"""A model for a new cohort that starts from another's: used as it is, recalibrated, or trained anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.evaluation.resampling import Estimate, Resampler, estimate
from vsa.bond.model import BondModel
from vsa.bond.seen.again import learned_from
from vsa.bond.training import Base, Trained, fitted, permuted
from vsa.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

How = Literal["auto", "recalibrate", "refit"]


@dataclass(frozen=True, eq=False)
class Started:
    """What came of it.

    Attributes
    ----------
    trained
        The model that is kept.
    how
        ``recalibrate`` or ``refit``.
    r2
        R2 for clients held out: ``as it is``, ``recalibrated``, ``trained anew``.
    refit_gain
        R2 of training anew minus that of recalibrating, in the same folds.
    """

    trained: Trained
    how: str
    r2: dict[str, Estimate]
    refit_gain: Estimate


def start_from(
    old: BondModel,
    name: str,
    table: pd.DataFrame,
    bond: str = "bond",
    *,
    how: How = "auto",
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Started:
    """Fit a model to a new cohort, with another to start from.

    Recalibration learns one line from what the old model expects to what was reported, shrunk as the folds advise: it
    takes tens of sessions, where training anew takes hundreds. ``auto`` trains anew only where that is better for
    clients held out by more than chance explains.

    Raises
    ------
    InputError
        See `Cohort.from_table`; and when sessions of the old model's training are among the new.
    """
    settings = settings or Settings()
    cohort = Cohort.from_table(table, bond, use=old.info.features)
    if old.info.simulated != cohort.simulated:
        raise InputError(
            f"{name} was trained on {'SIMULATED' if old.info.simulated else 'real'} sessions, and these are "
            f"{'SIMULATED' if cohort.simulated else 'real'}.",
            "Start from a model of the same kind.",
        )
    rows = table[table[bond].notna()].reset_index(drop=True)
    _check_new(old, rows, name)
    columns = old.columns(rows)
    raw = old.predict(columns)
    quick = replace(settings, permutations=0)
    say("Recalibrating")
    base = Base(old, columns, name)
    known = "session_id" in table
    recalibrated = fitted(cohort, known, quick, base=base, say=say)
    say("Training anew")
    anew = fitted(cohort, known, quick, say=say)
    resampler = Resampler(cohort.clients, settings.seed, settings.draws)
    y = cohort.bond
    total = resampler.sums(y**2) - resampler.sums(y) ** 2 / resampler.sums(np.ones(len(y)))
    squared = {
        "as it is": resampler.sums((raw - y) ** 2),
        "recalibrated": resampler.sums((recalibrated.predictions["expected"].to_numpy() - y) ** 2),
        "trained anew": resampler.sums((anew.predictions["expected"].to_numpy() - y) ** 2),
    }
    gain = estimate((squared["recalibrated"] - squared["trained anew"]) / total)
    if how == "auto":
        how = "refit" if (gain.low or 0.0) > 0 else "recalibrate"
    kept = recalibrated if how == "recalibrate" else anew
    if settings.permutations:
        say("Testing the one that is kept")
        kept = permuted(kept, cohort, settings, base if how == "recalibrate" else None)
    return Started(kept, how, {which: estimate(1 - value / total) for which, value in squared.items()}, gain)


def _check_new(old: BondModel, rows: pd.DataFrame, name: str) -> None:
    if seen := int(learned_from(old, rows).sum()):
        raise InputError(
            f"{seen} of these sessions were in the training of {name}.",
            "Leave them out: what it expects of them is not what it would expect of new ones.",
        )
