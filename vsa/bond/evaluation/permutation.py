"""Whether what was found could be chance: the whole nested procedure, rerun on bonds that were given to others.

Clients of one therapist are alike, and so are sessions of one client. Each level is therefore permuted on its own, and
the others stay as they are (exchangeability blocks: Winkler et al. 2015, NeuroImage 123, 253-268):

- between: whole clients swap their level (their mean bond as it differs from their therapist's), and whole therapists
  theirs; what changes within a client stays. The statistic is the correlation of the clients' means.
- within: the sessions of a client swap their bonds. The statistic is the correlation within clients.

``permutation_test_score(groups=)`` of scikit-learn permutes within groups only, and can't test the first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.scores import between_r, within_r
from vsa.bond.folds import Groups, folds
from vsa.bond.learners.choice import Learner, nested

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Permutation:
    """One test.

    Attributes
    ----------
    kind
        ``between`` or ``within`` clients.
    statistic
        The correlation with the bonds as they were reported, of one draw of folds.
    p
        (b + 1) / (m + 1), with b permutations that reach the statistic (Phipson & Smyth 2010).
    permutations
        m.
    null_mean, null_p95
        Mean and 95th percentile of the statistic over the permutations: what chance gives here.
    """

    kind: str
    statistic: float
    p: float
    permutations: int
    null_mean: float
    null_p95: float


def permutation_tests(
    cohort: Cohort, learner: Learner, x: Floats, *, seed: int, permutations: int, cores: int = 1
) -> tuple[Permutation, ...]:
    """Test the signal between clients, and within them where they have several sessions.

    Parameters
    ----------
    cohort
        The sessions.
    learner, x
        The procedure on signals alone, and its columns (n, p).
    seed
        Of the permutations and the folds.
    permutations
        How many of each kind; none for 0.
    cores
        To share them.
    """
    if not permutations:
        return ()
    rng = np.random.default_rng([seed, 29])
    y, clients = cohort.bond, cohort.clients
    kinds = {"between": [_between(y, clients, cohort.therapists, rng) for _ in range(permutations)]}
    if _repeated(clients):
        kinds["within"] = [_within(y, clients, rng) for _ in range(permutations)]
    all_y = np.column_stack([y, *(one for some in kinds.values() for one in some)])
    outer = folds(clients, seed)
    run = nested(learner, x, all_y, clients, outer, cores=cores)
    deviation = (run.predicted - run.mean).T
    statistics = {"between": between_r, "within": within_r}
    tests = []
    for k, kind in enumerate(kinds):
        rows = np.r_[0, 1 + k * permutations : 1 + (k + 1) * permutations]
        found = np.nan_to_num(statistics[kind](all_y.T[rows], deviation[rows], clients), nan=0.0)
        null = found[1:]
        p = (int((null >= found[0] - 1e-12).sum()) + 1) / (permutations + 1)
        tests.append(
            Permutation(
                kind, float(found[0]), p, permutations, float(null.mean()), float(np.quantile(null, 0.95))
            )
        )
    return tuple(tests)


def _repeated(clients: Groups) -> bool:
    return bool(len(np.unique(clients)) < len(clients))


def _between(y: Floats, clients: Groups, therapists: Groups | None, rng: np.random.Generator) -> Floats:
    """Clients swap their levels, and therapists theirs."""
    _, first, who = np.unique(clients, return_index=True, return_inverse=True)
    level = np.bincount(who, y) / np.bincount(who)
    change = y - level[who]
    if therapists is None:
        return np.asarray(rng.permutation(level)[who] + change)
    # a client who changed therapist counts for the first one
    _, whose, many = np.unique(therapists[first], return_inverse=True, return_counts=True)
    circle = np.bincount(whose, level) / many
    own = level - circle[whose]
    to_circle, to_own = _scales(level, own, many)
    center = level.mean()
    swapped = to_circle * (rng.permutation(circle) - center)[whose] + to_own * rng.permutation(own)
    return np.asarray((center + swapped)[who] + change)


def _scales(level: Floats, own: Floats, many: npt.NDArray[np.int64]) -> tuple[float, float]:
    """What brings therapists' means and clients' deviations from them back to their true variances.

    A therapist's mean holds the chance of who the clients are, which swapped clients bring in again. Without this,
    therapists would differ more in the permutations than in the sample, and the test would be too strict. Variances are
    those of a one-way analysis of variance.
    """
    freedom = len(level) - len(many)
    if freedom < 1 or len(many) < 2 or not (own**2).sum() > 0:
        return 1.0, 1.0
    between_clients = (own**2).sum() / freedom
    mean_square = ((level - own - level.mean()) ** 2).sum() / (len(many) - 1)
    size = (many.sum() - (many**2).sum() / many.sum()) / (len(many) - 1)
    between_therapists = max(0.0, (mean_square - between_clients) / size)
    spread = float(((level - own - level.mean()) ** 2).mean())
    to_circle = np.sqrt(between_therapists / spread) if spread > 0 else 0.0
    return min(1.0, float(to_circle)), float(np.sqrt(between_clients / (own**2).mean()))


def _within(y: Floats, clients: Groups, rng: np.random.Generator) -> Floats:
    """Sessions of a client swap their bonds."""
    shuffled = rng.permutation(len(y))
    by_client = np.argsort(clients, kind="stable")
    drawn = shuffled[np.argsort(clients[shuffled], kind="stable")]
    out = np.empty_like(y)
    out[by_client] = y[drawn]
    return out
