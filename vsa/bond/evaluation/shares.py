"""Shares with intervals, where sessions of one client are alike; and how far people agree."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from vsa.bond.evaluation.resampling import DRAWS, LEVEL, Estimate, Resampler, estimate
from vsa.bond.folds import Groups

Floats = npt.NDArray[np.float64]

#: With fewer clients it can't be told how much their sessions are alike, and they are taken to be the same.
LEAST_CLIENTS = 10
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True)
class Share:
    """So many of so many, and the share with its 95 % interval."""

    count: int
    of: int
    share: Estimate


def share_of(hits: npt.NDArray[np.bool_], clients: Groups | None) -> Share:
    """A share with the interval of Wilson (1927).

    Sessions of one client say less than as many of different clients: their number is divided by the design effect of
    the share over clients (Kish 1965; Korn & Graubard 1998), which is at least 1.

    Parameters
    ----------
    hits
        Of which sessions it is true, (n,).
    clients
        Whose they are, (n,); None to take sessions for independent.

    Examples
    --------
    >>> str(share_of(np.array([True] * 8 + [False] * 2), None).share)
    '0.80 (0.49 to 0.94)'
    """
    count, n = int(hits.sum()), len(hits)
    if not n:
        return Share(0, 0, Estimate(None))
    worth = n if clients is None else n / design_effect(hits, clients)
    low, high = wilson(count / n, worth)
    return Share(count, n, Estimate(count / n, low, high))


def wilson(share: float, n: float) -> tuple[float, float]:
    """Ends of the 95 % interval of a share among n."""
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * (share * (1 - share) / n + _Z**2 / (4 * n**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def design_effect(hits: npt.NDArray[np.bool_], clients: Groups) -> float:
    """How many times as many sessions it takes because those of one client are alike; from 1 to that of no difference.

    Parameters
    ----------
    hits, clients
        As in `share_of`.
    """
    from scipy.stats import t

    _, which = np.unique(clients, return_inverse=True)
    size = np.bincount(which).astype(np.float64)
    n, groups, share = len(hits), len(size), float(hits.mean())
    most = float((size**2).sum() / n)
    if groups < LEAST_CLIENTS or share in (0.0, 1.0):
        return most
    beyond = np.bincount(which, hits) - share * size
    variance = groups / (groups - 1) * float((beyond**2).sum()) / n**2
    # the fewer the clients, the less sure the variance is
    unsure = float(t.ppf((1 + LEVEL) / 2, groups - 1) / _Z) ** 2
    return float(np.clip(variance / (share * (1 - share) / n) * unsure, 1.0, most))


def alpha(counts: Floats, clients: Groups, seed: int = 0) -> Estimate:
    """Krippendorff's alpha of nominal judgements, with an interval over clients.

    1: all agree; 0: as judges who draw lots among what was said. None with fewer than two sessions, or where all say
    the same.

    Parameters
    ----------
    counts
        How many judges say what of each session, (n, kinds); each row has two judgements or more.
    clients
        Whose they are, (n,).
    seed
        Of resampling.

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's alpha-reliability.
    """
    if len(counts) < 2:
        return Estimate(None)
    judges = counts.sum(1)
    unlike = (judges**2 - (counts**2).sum(1)) / (judges - 1)
    resampler = Resampler(clients, seed, DRAWS)
    kinds = resampler.sums(counts.T)
    n = kinds.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_chance = (n**2 - (kinds**2).sum(0)) / (n - 1)
        return estimate(1 - resampler.sums(unlike) / by_chance)
