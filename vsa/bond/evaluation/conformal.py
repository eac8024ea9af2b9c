"""Intervals around the expected bond that hold their share for new people (MAPIE: cross-conformal, CV+).

Barber et al. 2021 (Ann. Stat. 49, 486): residuals of people held out widen the predictions of models that did not see
them. The folds follow clients, since sessions of one client are not exchangeable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.held_out import Candidates, Predictions
from vsa.bond.evaluation.resampling import Estimate, Resampler, estimate
from vsa.bond.folds import Groups
from vsa.bond.learners.choice import fit, quietly

Floats = npt.NDArray[np.float64]

LEVEL = 0.9
#: Clients below which intervals are hardly worth their name.
FEW_CLIENTS = 30


@dataclass(frozen=True)
class Coverage:
    """Of intervals of sessions whose people were held out.

    Attributes
    ----------
    level
        Share that they should hold.
    share
        That they held.
    width
        Mean, in points of the bond.
    width_of_scale
        The same as a share of the questionnaire's range; None if that is not known.
    """

    level: float
    share: Estimate
    width: Estimate
    width_of_scale: float | None


def conformal(pipeline: Any, x: Floats, y: Floats, groups: Groups, level: float = LEVEL) -> Any:
    """Fit intervals for a pipeline with its settings chosen.

    Parameters
    ----------
    pipeline
        Of scikit-learn; it is cloned.
    x, y, groups
        (n, p), (n,), (n,).
    """
    from mapie.regression import CrossConformalRegressor
    from sklearn.model_selection import GroupKFold

    splitter = GroupKFold(min(5, len(np.unique(groups))), shuffle=True, random_state=0)
    regressor = CrossConformalRegressor(pipeline, confidence_level=level, method="plus", cv=splitter)
    with quietly():
        return regressor.fit_conformalize(x, y, groups=groups)


def interval(regressor: Any, x: Floats, scale: tuple[float, float] | None) -> tuple[Floats, Floats]:
    """Lower and upper end for each session, (n,) each, within the questionnaire's range where it is known."""
    found = regressor.predict_interval(x, allow_infinite_bounds=True)[1][:, :, 0]
    low, high = scale or (-np.inf, np.inf)
    return np.clip(found[:, 0], low, high), np.clip(found[:, 1], low, high)


def coverage(
    cohort: Cohort, candidates: Candidates, predictions: Predictions, *, seed: int, draws: int
) -> tuple[Coverage, Floats]:
    """Test the intervals on people held out; and whether each session lay inside of its own, (n,)."""
    learner, x = candidates.of_model
    low, high = np.empty(len(cohort)), np.empty(len(cohort))
    for (train, test), chosen in zip(predictions.outer[0], predictions.runs[0].chosen, strict=True):
        y, groups = cohort.bond[train], cohort.clients[train]
        pipeline = fit(learner, int(chosen.which[0]), x[train], y)
        regressor = conformal(pipeline, x[train], y, groups)
        low[test], high[test] = interval(regressor, x[test], cohort.scale)
    inside = ((cohort.bond >= low) & (cohort.bond <= high)).astype(np.float64)
    resampler = Resampler(cohort.clients, seed, draws)
    n = resampler.sums(np.ones(len(cohort)))
    width = estimate(resampler.sums(high - low) / n)
    span = None if cohort.scale is None else cohort.scale[1] - cohort.scale[0]
    return (
        Coverage(
            LEVEL,
            estimate(resampler.sums(inside) / n),
            width,
            None if span is None or width.value is None else width.value / span,
        ),
        inside,
    )
