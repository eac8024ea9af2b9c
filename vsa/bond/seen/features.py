"""How each feature of new sessions differs from a training's, and whether chance does that too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.bond.seen.reference import MISSING, TENTHS, Codes
from vsa.bond.seen.sides import Sides

Floats = npt.NDArray[np.float64]

#: Permutations: at least so many, and so many for each feature, since the smallest p must stand up to their number.
_LEAST_DRAWS, _DRAWS_EACH = 2000, 25
_BLOCK = 250


@dataclass(frozen=True)
class FeatureDrift:
    """Of one feature.

    Attributes
    ----------
    feature
        Its full name.
    psi, psi_by_chance
        Population stability index (see `psi`), and its mean over permutations: what two halves of one world give.
    difference
        Mean of the new sessions less that of the training, in tenths, over their pooled SD; NaN without values.
    missing, missing_in_training
        Share of sessions without it.
    p
        From permutations, the smaller of two tests corrected for both (the index, and the largest distance between
        distributions); NaN with too few groups.
    q
        The same corrected for the number of features (Benjamini & Hochberg 1995).
    """

    feature: str
    psi: float
    psi_by_chance: float
    difference: float
    missing: float
    missing_in_training: float
    p: float
    q: float


def feature_drift(
    names: tuple[str, ...], old: Codes, new: Codes, sides: Sides | None, seed: int
) -> list[FeatureDrift]:
    """Compare each feature.

    Parameters
    ----------
    names
        Of p features.
    old, new
        Codes of the training's sessions and of the new ones, (n, p) and (m, p).
    sides
        Who may swap sides; None for no tests.
    seed
        Of the permutations.
    """
    p = by_chance = np.full(len(names), np.nan)
    if sides is not None:
        p, by_chance = _tested(np.concatenate([old, new]), sides, seed)
    q = _corrected(p)
    return [
        FeatureDrift(name, *_measured(old[:, j], new[:, j], by_chance[j]), float(p[j]), float(q[j]))
        for j, name in enumerate(names)
    ]


def psi(training: Floats, new: Floats) -> Floats:
    """Population stability index: the sum over categories of (b - a) ln(b / a), a and b being shares.

    Half a session is added to each category that either side has, since the logarithm of an empty one is none.

    Parameters
    ----------
    training, new
        Sessions in each category, the last axis.

    Returns
    -------
    Without the last axis; NaN where a side has no sessions.

    Examples
    --------
    >>> round(float(psi(np.array([49.5, 49.5]), np.array([79.5, 19.5]))), 3)
    0.416
    """
    there = (training + new) > 0
    half = 0.5 * there
    sums = [one.sum(-1, keepdims=True) + half.sum(-1, keepdims=True) for one in (training, new)]
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (training + half) / sums[0], (new + half) / sums[1]
        terms = np.where(there, (b - a) * np.log(np.where(there, b / a, 1.0)), 0.0)
    known = (training.sum(-1) > 0) & (new.sum(-1) > 0)
    return np.asarray(np.where(known, terms.sum(-1), np.nan))


def _tested(codes: Codes, sides: Sides, seed: int) -> tuple[Floats, Floats]:
    """For each feature p, and the index by chance, (p,) each."""
    count = codes.shape[1]
    draws = max(_LEAST_DRAWS, _DRAWS_EACH * count)
    marked = _marked(codes).reshape(len(codes), -1).astype(np.float32)
    rng = np.random.default_rng([seed, 41])
    statistics = [_statistics(*sides.as_they_are(), marked)]
    for start in range(0, draws, _BLOCK):
        statistics.append(_statistics(*sides.swapped(rng, min(_BLOCK, draws - start)), marked))
    both = np.nan_to_num(np.concatenate(statistics, axis=1))
    # the smaller of both ps, in each permutation as in what was found
    smallest = np.minimum(*(_ranked(one) for one in both))
    p = (smallest <= smallest[0] + 1e-12).mean(0)
    return p, both[0, 1:].mean(0)


def _marked(codes: Codes) -> npt.NDArray[np.bool_]:
    """Which category each value has, (n, p, 11): tenths, and missing."""
    categories = np.array([*range(TENTHS), MISSING], np.uint8)
    return np.asarray(codes[:, :, None] == categories)


def _statistics(
    old: npt.NDArray[np.float32], new: npt.NDArray[np.float32], marked: npt.NDArray[np.float32]
) -> Floats:
    """The index, and the largest distance between distributions, (2, draws, p)."""
    a, b = ((side @ marked).reshape(len(side), -1, TENTHS + 1).astype(np.float64) for side in (old, new))
    with np.errstate(invalid="ignore"):
        up_to = [one[..., :TENTHS].cumsum(-1) / one[..., :TENTHS].sum(-1, keepdims=True) for one in (a, b)]
    return np.stack([psi(a, b), np.abs(up_to[1] - up_to[0]).max(-1)])


def _ranked(statistic: Floats) -> Floats:
    """Share of the draws that reach each draw's statistic, (draws, p)."""
    from scipy.stats import rankdata

    rounded = -np.round(statistic, 9)
    return np.asarray(rankdata(rounded, method="max", axis=0) / len(statistic))


def _corrected(p: Floats) -> Floats:
    from scipy.stats import false_discovery_control

    return (
        np.asarray(false_discovery_control(p)) if len(p) and np.isfinite(p).all() else np.full(len(p), np.nan)
    )


def _measured(old: Codes, new: Codes, by_chance: float) -> tuple[float, float, float, float, float]:
    """Index, the same by chance, difference, share missing, and share missing in the training."""
    index = psi(*(_marked(side[:, None])[:, 0].sum(0).astype(np.float64) for side in (old, new)))
    known = [side[side != MISSING].astype(np.float64) for side in (old, new)]
    difference = np.nan
    if len(known[0]) and len(known[1]):
        spread = np.sqrt((known[0].var() + known[1].var()) / 2)
        between = known[1].mean() - known[0].mean()
        difference = between / spread if spread > 0 else 0.0 if between == 0 else np.nan
    missing = [float((side == MISSING).mean()) if len(side) else np.nan for side in (new, old)]
    return float(index), float(by_chance), float(difference), missing[0], missing[1]
