"""The same model looked at in parts: by who the people are, by how many there were, and with sessions split instead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.held_out import Candidates, Predictions
from vsa.bond.evaluation.resampling import Resampler
from vsa.bond.evaluation.scores import scores
from vsa.bond.folds import Groups, folds
from vsa.bond.learners.choice import Learner, nested
from vsa.bond.learners.sharing import shared
from vsa.bond.seen.view import TRACKED

Floats = npt.NDArray[np.float64]

#: People that a part must have to be looked at.
LEAST_PEOPLE = 10
#: Shares of the clients of which the learning curve is made, and how often each is drawn.
SHARES = (0.4, 0.6, 0.8)
_DRAWN = 2
#: A session split that does so much better rewards recognising people.
GAP = 0.15


@dataclass(frozen=True)
class Part:
    """How the model does for some of the people, all of them held out.

    Attributes
    ----------
    by, value
        Such as ``gender`` and ``woman``.
    clients, sessions
        How many.
    mae
        Mean absolute error, points.
    bias
        Mean of expected minus reported bond, points: above 0 the model expects too much of them.
    coverage
        Share of intervals that held.
    missing_face
        Share of the time in which somebody's face was not in view; None if it is not known.
    """

    by: str
    value: str
    clients: int
    sessions: int
    mae: float
    bias: float
    coverage: float
    missing_face: float | None


def parts(cohort: Cohort, predictions: Predictions, model: str, inside: Floats) -> tuple[Part, ...]:
    """Look at each group of `LEAST_PEOPLE` or more clients; `inside` says whose interval held, (n,)."""
    error = predictions.of(model).mean(0) - cohort.bond
    tracked = [name for name in cohort.quality if str(name).endswith(TRACKED)]
    unseen = (
        1 - cohort.quality[tracked].min(axis=1) if tracked else pd.Series(np.nan, index=cohort.quality.index)
    )
    found = []
    for by in cohort.groups:
        column = cohort.groups[by]
        for value in sorted(column.dropna().unique(), key=str):
            rows = (column == value).to_numpy(bool, na_value=False)
            people = len(np.unique(cohort.clients[rows]))
            if people < LEAST_PEOPLE:
                continue
            missing = float(unseen[rows].mean())
            found.append(
                Part(
                    str(by),
                    str(value),
                    people,
                    int(rows.sum()),
                    float(np.abs(error[rows]).mean()),
                    float(error[rows].mean()),
                    float(inside[rows].mean()),
                    missing if np.isfinite(missing) else None,
                )
            )
    return tuple(found)


@dataclass(frozen=True)
class Point:
    """One point of the learning curve: clients, and R2 and r for clients held out."""

    clients: int
    r2: float | None
    r: float | None


def learning_curve(cohort: Cohort, candidates: Candidates, *, seed: int, cores: int = 1) -> tuple[Point, ...]:
    """Run the whole procedure on fewer clients; the mean of some draws for each share of them."""
    learner, x = candidates.of_model
    people = np.unique(cohort.clients)
    rng = np.random.default_rng([seed, 31])
    counts = [int(share * len(people)) for share in SHARES]
    counts = [count for count in counts if count >= LEAST_PEOPLE for _ in range(_DRAWN)] + [len(people)]
    rows = [np.flatnonzero(np.isin(cohort.clients, rng.permutation(people)[:count])) for count in counts]
    calls = [(learner, x[some], cohort.bond[some], cohort.clients[some], seed) for some in rows]
    found: list[tuple[float | None, float | None]] = shared(_scored, calls, cores)
    return tuple(
        Point(
            count,
            *(
                _mean([one[k] for one, own in zip(found, counts, strict=True) if own == count])
                for k in (0, 1)
            ),
        )
        for count in dict.fromkeys(counts)
    )


def _scored(
    learner: Learner, x: Floats, y: Floats, clients: Groups, seed: int
) -> tuple[float | None, float | None]:
    run = nested(learner, x, y[:, None], clients, folds(clients, seed))
    found = scores(y, run.predicted.T, run.mean.T, clients, Resampler(clients, seed, 1))
    return found["r2"].value, found["r"].value


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


@dataclass(frozen=True)
class Leakage:
    """What splitting sessions instead of people would have claimed.

    Attributes
    ----------
    session_r, client_r
        Correlation for sessions held out, whose clients were in training, and for clients held out.
    gap
        The difference.
    """

    session_r: float
    client_r: float
    gap: float

    @property
    def notable(self) -> bool:
        """Whether it is large enough to name."""
        return self.gap >= GAP


def leakage(cohort: Cohort, candidates: Candidates, client_r: float | None, *, seed: int) -> Leakage | None:
    """Split sessions, outside and inside; None if every session is of another client."""
    if len(np.unique(cohort.clients)) == len(cohort):
        return None
    learner, x = candidates.of_model
    each = np.array([f"{k:09d}" for k in range(len(cohort))])
    run = nested(learner, x, cohort.bond[:, None], each, folds(each, seed))
    found = scores(cohort.bond, run.predicted.T, run.mean.T, cohort.clients, Resampler(each, seed, 1))
    session_r, client_r = found["r"].value or 0.0, client_r or 0.0
    return Leakage(session_r, client_r, session_r - client_r)
