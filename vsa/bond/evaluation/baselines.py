"""What any claim must beat, in the same folds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort import Cohort
from vsa.bond.design import Design, design_of
from vsa.bond.folds import Fold, Groups
from vsa.bond.learners.choice import Learner, nested
from vsa.bond.learners.families import Ridge

Floats = npt.NDArray[np.float64]

#: Predictor -> what it is, in the order in which they are told.
NAMES: Mapping[str, str] = {
    "training_mean": "the mean of the training",
    "quality": "recording quality only",
    "covariates": "covariates only",
    "features": "signals",
    "covariates_and_features": "covariates and signals",
    "previous_bond": "the client's previous bond *",
    "running_mean": "the client's running mean *",
}
#: These know more: bonds that the same client reported before.
NEEDS_HISTORY = ("previous_bond", "running_mean")


def from_history(cohort: Cohort, mean: Floats) -> dict[str, Floats]:
    """What the client reported before; at a first session the training's mean.

    Parameters
    ----------
    cohort
        With an order of sessions, else nothing can be said.
    mean
        Of the training, (repeats, n).

    Returns
    -------
    ``previous_bond`` and ``running_mean``, (repeats, n) each; empty without an order, or if no client has two sessions.
    """
    if cohort.order is None or cohort.grouped_by != "client":
        return {}
    table = pd.DataFrame({"client": cohort.clients, "order": cohort.order, "bond": cohort.bond})
    earlier = table.sort_values("order", kind="stable").groupby("client", sort=False)["bond"]
    previous = earlier.shift(1).reindex(table.index).to_numpy()
    running = earlier.transform(lambda own: own.expanding().mean().shift(1)).reindex(table.index).to_numpy()
    if not np.isfinite(previous).any():
        return {}
    return {
        "previous_bond": np.where(np.isfinite(previous), previous, mean),
        "running_mean": np.where(np.isfinite(running), running, mean),
    }


def plain(cohort: Cohort, what: str, groups: Groups, outer: list[Fold], seed: int) -> Floats | None:
    """Ridge on ``covariates`` or ``quality`` alone, (n,); None if there are none."""
    table = getattr(cohort, what)
    varying = [name for name in table if table[name].nunique() > 1]
    if not varying:
        return None
    numbers = what == "quality"
    design = (
        Design(tuple(varying), False)
        if numbers
        else design_of(pd.DataFrame(index=table.index), cohort.clients, table[varying])
    )
    x = design.matrix(table if numbers else pd.DataFrame(index=table.index), cohort.clients, table)
    learner = Learner(design, (Ridge(),), seed)
    return nested(learner, x, cohort.bond[:, None], groups, outer).predicted[:, 0]
