"""How well bond is predicted for people whom the model has not seen, beside the baselines in the same folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.baselines import from_history, plain
from vsa.bond.evaluation.resampling import Estimate, Resampler, estimate
from vsa.bond.evaluation.scores import scores
from vsa.bond.folds import REPEATS, Fold, Groups, folds
from vsa.bond.learners.choice import Learner, Nested, nested
from vsa.bond.learners.sharing import shared

Floats = npt.NDArray[np.float64]

#: What each verdict allows to be said of a model.
VERDICTS: Mapping[str, str] = {
    "better": "closer than the training mean, by more than chance explains.",
    "unclear": "closer than the training mean here, and that may be chance.",
    "no better": "no better than the training mean: flags of this model are no better than a draw of lots.",
}


@dataclass(frozen=True)
class HeldOut:
    """One way to hold people out.

    Attributes
    ----------
    by
        ``client``, ``therapist``, or ``session``.
    groups
        How many there are.
    model
        Which of the predictors is the model: ``features`` or ``covariates_and_features``.
    scores
        Predictor (see `vsa.bond.evaluation.baselines.NAMES`) -> score (see `vsa.bond.evaluation.scores.scores`).
    gain
        Share of the training mean's squared error that the model takes away; negative if it adds to it.
    increment
        R2 of covariates and signals minus R2 of covariates alone, or of signals minus the training mean's where
        there are no covariates: the headline.
    over
        What the increment is over: ``covariates`` or ``training_mean``.
    chosen
        Family of regressions -> share of the trainings in which it won.
    """

    by: str
    groups: int
    model: str
    scores: Mapping[str, Mapping[str, Estimate]]
    gain: Estimate
    increment: Estimate
    over: str
    chosen: Mapping[str, float]

    @property
    def of_model(self) -> Mapping[str, Estimate]:
        """Scores of the model."""
        return self.scores[self.model]

    @property
    def verdict(self) -> str:
        """What may be claimed: ``better`` than the training mean, ``unclear``, or ``no better``."""
        gain, rho = self.gain, self.of_model["spearman"].value
        if not (gain.value or 0.0) > 0 or not (rho or 0.0) > 0:
            return "no better"
        return "better" if (gain.low or 0.0) > 0 else "unclear"


@dataclass(frozen=True, eq=False)
class Predictions:
    """What lies behind a `HeldOut`, repeat by repeat.

    Attributes
    ----------
    outer
        The folds of each repeat.
    runs
        Of the model.
    predicted
        Predictor -> (repeats, n).
    mean
        Of the trainings, (repeats, n).
    """

    outer: tuple[tuple[Fold, ...], ...]
    runs: tuple[Nested, ...]
    predicted: Mapping[str, Floats]
    mean: Floats

    def of(self, model: str) -> Floats:
        """Predictions of a model, (repeats, n)."""
        return self.predicted[model]


@dataclass(frozen=True, eq=False)
class Candidates:
    """The procedures that are compared: signals alone, and signals with covariates, with their columns.

    Attributes
    ----------
    features, both
        Learner and columns (n, p); `both` is None without covariates.
    model
        Which of them becomes the model.
    """

    features: tuple[Learner, Floats]
    both: tuple[Learner, Floats] | None
    model: str

    @property
    def of_model(self) -> tuple[Learner, Floats]:
        """The one that becomes the model."""
        if self.model == "features" or self.both is None:
            return self.features
        return self.both


def hold_out(
    cohort: Cohort,
    candidates: Candidates,
    groups: Groups,
    by: str,
    *,
    seed: int,
    draws: int,
    repeats: int = REPEATS,
    cores: int = 1,
) -> tuple[HeldOut, Predictions]:
    """Predict every session from models that saw none of its group's.

    Parameters
    ----------
    cohort
        The sessions.
    candidates
        Who predicts.
    groups
        What is held out together, (n,); also resampled together.
    by
        Its name.
    seed, draws, repeats
        Of the folds; bootstrap draws; how often the folds are drawn anew.
    cores
        To share the work.
    """
    outer = tuple(tuple(folds(groups, seed + repeat)) for repeat in range(repeats))
    predicted, runs, mean = _predictions(cohort, candidates, groups, outer, seed, cores)
    predicted |= from_history(cohort, mean)
    predicted["training_mean"] = mean
    resampler = Resampler(groups, seed, draws)
    told = {
        name: scores(cohort.bond, values, mean, cohort.clients, resampler)
        for name, values in predicted.items()
    }
    squared = {name: resampler.sums((values - cohort.bond) ** 2) for name, values in predicted.items()}
    n = resampler.sums(np.ones(len(cohort)))
    total = resampler.sums(cohort.bond**2) - resampler.sums(cohort.bond) ** 2 / n
    over, full = "covariates", "covariates_and_features"
    if not {over, full} <= {*predicted}:
        over, full = "training_mean", "features"
    winners = Counter(
        candidates.of_model[0].entries[int(chosen.which[0])][0].name for run in runs for chosen in run.chosen
    )
    found = HeldOut(
        by,
        len(np.unique(groups)),
        candidates.model,
        told,
        estimate(1 - squared[candidates.model].mean(0) / squared["training_mean"].mean(0)),
        estimate((squared[over] - squared[full]) / total),
        over,
        {name: count / winners.total() for name, count in winners.most_common()},
    )
    return found, Predictions(outer, runs, predicted, mean)


def _predictions(
    cohort: Cohort,
    candidates: Candidates,
    groups: Groups,
    outer: tuple[tuple[Fold, ...], ...],
    seed: int,
    cores: int,
) -> tuple[dict[str, Floats], tuple[Nested, ...], Floats]:
    """Predictor -> (repeats, n), the runs of the model, and the trainings' means."""
    y = cohort.bond[:, None]
    who = {"features": candidates.features}
    if candidates.both is not None:
        who["covariates_and_features"] = candidates.both
    calls = [(learner, x, y, groups, one) for learner, x in who.values() for one in outer]
    done: list[Nested] = shared(nested, calls, cores)
    runs = {name: done[k * len(outer) : (k + 1) * len(outer)] for k, name in enumerate(who)}
    predicted = {name: np.stack([run.predicted[:, 0] for run in own]) for name, own in runs.items()}
    for what in ("covariates", "quality"):
        values = [plain(cohort, what, groups, list(one), seed) for one in outer]
        if values[0] is not None:
            predicted[what] = np.stack([value for value in values if value is not None])
    model = runs[candidates.model if candidates.model in runs else "features"]
    return predicted, tuple(model), np.stack([run.mean[:, 0] for run in model])
