"""How close predictions come to what was reported, over all sessions, within clients and between them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from vsa.bond.evaluation.resampling import Estimate, Resampler, estimate
from vsa.bond.folds import Groups

Floats = npt.NDArray[np.float64]


def scores(
    y: Floats, predicted: Floats, mean: Floats, clients: Groups, resampler: Resampler
) -> Mapping[str, Estimate]:
    """Score predictions of held-out sessions.

    Parameters
    ----------
    y
        What was reported, (n,).
    predicted
        (repeats, n).
    mean
        The bond's mean in the training that each prediction comes from, (repeats, n).
    clients
        Whose session it is, (n,).
    resampler
        For the intervals.

    Returns
    -------
    ``r2`` (1 - squared error / squared deviation from the mean of all sessions: nobody knows that mean beforehand, so
    the training mean comes out a little below 0), ``mae`` and ``rmse`` in points of the bond, ``ccc`` (Lin 1989), and
    correlations of the bond with the prediction's deviation from its training mean. (The training mean is lower in
    folds whose own bond is higher, and would turn the ranks of a model that knows nothing upside down.) ``r``,
    ``spearman`` over all sessions; ``within_r`` of deviations from the client's own means, over clients with several
    sessions; ``between_r`` of the clients' means. None where there is nothing to correlate.
    """
    error = predicted - y
    deviation = predicted - mean
    n = resampler.sums(np.ones(len(y)))
    total = resampler.sums(y**2) - resampler.sums(y) ** 2 / n
    squared = resampler.sums(error**2)
    ranked = np.stack([_ranks(one) for one in deviation])
    own_y, own_p, several = _changes(y, clients), _changes(deviation, clients), _several(clients)
    first = _first(clients)
    found = {
        "r2": 1 - squared / total,
        "r": _correlation(resampler, y, deviation),
        "spearman": _correlation(resampler, _ranks(y), ranked),
        "within_r": _correlation(resampler, own_y, own_p, several, centered=True),
        "between_r": _correlation(resampler, y - own_y, deviation - own_p, first),
        "mae": resampler.sums(np.abs(error)) / n,
        "rmse": np.sqrt(squared / n),
        "ccc": _concordance(resampler, y, predicted),
    }
    return {name: estimate(values) for name, values in found.items()}


def within_r(y: Floats, predicted: Floats, clients: Groups) -> Floats:
    """The correlation within clients for m problems: y and predicted are (m, n), the result (m,)."""
    own, other = _changes(y, clients), _changes(predicted, clients)
    return _ratio((own * other).sum(1), (own**2).sum(1), (other**2).sum(1))


def between_r(y: Floats, deviation: Floats, clients: Groups) -> Floats:
    """The correlation of clients' means for m problems: y and deviation are (m, n), the result (m,)."""
    first = _first(clients) > 0
    a, b = ((v - _changes(v, clients))[:, first] for v in (y, deviation))
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    return _ratio((a * b).sum(1), (a**2).sum(1), (b**2).sum(1))


def _changes(values: Floats, clients: Groups) -> Floats:
    """Deviations from the client's mean, (..., n)."""
    _, which, count = np.unique(clients, return_inverse=True, return_counts=True)
    flat = values.reshape(-1, values.shape[-1])
    means = np.stack([np.bincount(which, one) for one in flat]) / count
    return np.asarray((flat - means[:, which]).reshape(values.shape))


def _several(clients: Groups) -> Floats:
    _, which, count = np.unique(clients, return_inverse=True, return_counts=True)
    return np.asarray(count[which] > 1, np.float64)


def _first(clients: Groups) -> Floats:
    """1 at one session of each client."""
    out = np.zeros(len(clients))
    out[np.unique(clients, return_index=True)[1]] = 1
    return out


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), np.float64)


def _correlation(
    resampler: Resampler, a: Floats, b: Floats, where: Floats | None = None, *, centered: bool = False
) -> Floats:
    """Pearson's r in each draw of a (n,) with b (repeats, n), over the rows of `where` (0 or 1)."""
    w = np.ones(len(a)) if where is None else where
    if not w.any():
        return np.full((len(b), len(resampler.sums(a))), np.nan)
    n = resampler.sums(w)
    sa, sb = (0.0, 0.0) if centered else (resampler.sums(w * a), resampler.sums(w * b))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _ratio(
            resampler.sums(w * a * b) - sa * sb / n,
            resampler.sums(w * a**2) - sa**2 / n,
            resampler.sums(w * b**2) - sb**2 / n,
        )


def _ratio(both: Floats, one: Floats, other: Floats) -> Floats:
    """NaN where either does not vary; rounding is no variation."""
    norm = np.sqrt(np.maximum(one, 0.0) * np.maximum(other, 0.0))
    return np.where(norm > 1e-10, both / np.where(norm > 1e-10, norm, 1.0), np.nan)


def _concordance(resampler: Resampler, y: Floats, predicted: Floats) -> Floats:
    """Lin's concordance correlation coefficient (Lin 1989, Biometrics 45, 255)."""
    n, sy, sp = resampler.sums(np.ones(len(y))), resampler.sums(y), resampler.sums(predicted)
    both = resampler.sums(y * predicted) / n - sy * sp / n**2
    vy = resampler.sums(y**2) / n - (sy / n) ** 2
    vp = resampler.sums(predicted**2) / n - (sp / n) ** 2
    bottom = vy + vp + ((sy - sp) / n) ** 2
    return np.asarray(np.where(bottom > 1e-12, 2 * both / np.where(bottom > 1e-12, bottom, 1.0), np.nan))
