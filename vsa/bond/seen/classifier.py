"""Whether a classifier tells new sessions from a training's, whole clients held out (Lopez-Paz & Oquab 2017).

The classifier is a linear discriminant with a ridge, on tenths, their squares and what is missing: it sees features
that moved, spread out or are missing more often, alone or together. A change that lies only in how features go together
escapes it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsa.bond.seen.reference import MISSING, TENTHS, Codes
from vsa.bond.seen.sides import Sides

Floats = npt.NDArray[np.float64]

#: On either side, or nothing can be held out.
LEAST_GROUPS = 5
PERMUTATIONS = 200
_FOLDS = 5
#: Added to the variance of columns that have variance 1.
_RIDGE = 1.0
#: Columns at most: with more, as many principal components.
_MOST = 300


def told_apart(codes: Codes, sides: Sides, seed: int) -> tuple[float, float, int]:
    """Test whether sides differ.

    Parameters
    ----------
    codes
        Of the sessions of both sides, (n, p).
    sides
        With `LEAST_GROUPS` on either.
    seed
        Of folds and permutations.

    Returns
    -------
    The AUC for clients held out, its p from permutations of whole clients, and how many these were.
    """
    x = _columns(codes)
    rng = np.random.default_rng([seed, 43])
    fold = _fold_of_places(sides, rng)
    place, used = sides.places(rng, PERMUTATIONS)
    found = _auc(x, sides.new[sides.client], fold[sides.client], np.ones(len(x), np.bool_))
    null = np.array(
        [
            _auc(x, sides.new[where][sides.client], fold[where][sides.client], kept)
            for where, kept in zip(place, used, strict=True)
        ]
    )
    p = (int((null >= found - 1e-12).sum()) + 1) / (PERMUTATIONS + 1)
    return found, p, PERMUTATIONS


def _columns(codes: Codes) -> Floats:
    """Tenths, squares, and what is missing, each with mean 0 and variance 1: (n, k)."""
    missing = codes == MISSING
    tenths = np.where(missing, 0.0, codes - (TENTHS - 1) / 2)
    middle = (TENTHS**2 - 1) / 12
    squares = np.where(missing, 0.0, tenths**2 - middle)
    x = np.concatenate([tenths, squares, missing], axis=1)
    x = x - x.mean(0)
    spread = x.std(0)
    x = x[:, spread > 1e-9] / spread[spread > 1e-9]
    if min(x.shape) > _MOST or x.shape[1] > len(x):
        # turning the columns leaves a ridge as it is
        u, s, _ = np.linalg.svd(x, full_matrices=False)
        x = (u * s)[:, :_MOST]
    return np.asarray(x)


def _fold_of_places(sides: Sides, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """In which fold each client's place is, (c,); both sides are in all."""
    fold = np.empty(len(sides.new), np.intp)
    for side in (False, True):
        places = rng.permutation(np.flatnonzero(sides.new == side))
        fold[places] = np.arange(len(places)) % _FOLDS
    return fold


def _auc(
    x: Floats, new: npt.NDArray[np.bool_], fold: npt.NDArray[np.intp], used: npt.NDArray[np.bool_]
) -> float:
    """Share of pairs of a new session and one of the training, of one fold held out, that are in the right order."""
    right = pairs = 0.0
    for k in range(_FOLDS):
        train, test = used & (fold != k), used & (fold == k)
        score = x[test] @ _direction(x[train & ~new], x[train & new])
        first, second = score[new[test]], np.sort(score[~new[test]])
        below = np.searchsorted(second, first, "left") + np.searchsorted(second, first, "right")
        right += below.sum() / 2
        pairs += len(first) * len(second)
    return float(right / pairs)


def _direction(old: Floats, new: Floats) -> Floats:
    """In which both sides differ most, for their spread within, (k,)."""
    means = old.mean(0), new.mean(0)
    a, b = old - means[0], new - means[1]
    within = (a.T @ a + b.T @ b) / (len(a) + len(b))
    within[np.diag_indices_from(within)] += _RIDGE
    return np.asarray(np.linalg.solve(within, means[1] - means[0]))
