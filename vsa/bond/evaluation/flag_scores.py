"""How well flags find the weak bonds of people held out, and whether their probabilities hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.held_out import Predictions
from vsa.bond.evaluation.resampling import Estimate, Resampler, estimate
from vsa.bond.weak import Weak, calibrate

Floats = npt.NDArray[np.float64]

#: Shares of the sessions that a team can review.
BUDGETS = (0.05, 0.1, 0.2)
#: From which probability on somebody would review.
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 11))
_BINS = 5


@dataclass(frozen=True)
class FlagScores:
    """Of the flags of sessions whose people were held out.

    Attributes
    ----------
    weak
        The definition, as ``lowest:0.2``.
    sessions
        That could be told.
    base_rate
        Share of weak ones: what reviewing at random finds.
    scores
        ``auc``; ``average_precision``; ``precision_5`` ``precision_10`` ``precision_20`` (share of weak ones among the
        5, 10, 20 % of sessions with the highest probability); ``brier`` and ``brier_skill`` (1 - Brier / that of the
        base rate); ``calibration_intercept`` (0 is right on average) and ``calibration_slope`` (1 is right, below 1 is
        too bold).
    curve
        Fifths of the sessions by probability: mean probability, share that were weak, how many.
    net_benefit
        Threshold -> net benefit of flags, and of reviewing all (of none it is 0), per session (Vickers & Elkin 2006).
    """

    weak: str
    sessions: int
    base_rate: float
    scores: Mapping[str, Estimate]
    curve: tuple[tuple[float, float, int], ...]
    net_benefit: Mapping[str, tuple[float, float]]


def flag_scores(
    cohort: Cohort, predictions: Predictions, model: str, weak: Weak, *, seed: int, draws: int
) -> FlagScores | None:
    """Score the flags; None if there are too few weak sessions to calibrate on.

    The cut and the calibration are learned in each training alone, from sessions held out inside of it.
    """
    repeats = len(predictions.outer)
    label = np.full((repeats, len(cohort)), np.nan)
    probability = np.full((repeats, len(cohort)), np.nan)
    for k, outer in enumerate(predictions.outer):
        for (train, test), chosen in zip(outer, predictions.runs[k].chosen, strict=True):
            cut = weak.cut(cohort.bond[train], cohort.clients[train])
            calibration = calibrate(
                weak.score(chosen.inside[:, 0], cohort.clients[train]),
                weak.of(cohort.bond[train], cohort.clients[train], cut),
            )
            if calibration is None:
                return None
            label[k, test] = weak.of(cohort.bond[test], cohort.clients[test], cut)
            score = weak.score(predictions.of(model)[k, test], cohort.clients[test])
            probability[k, test] = calibration.probability(score)
    told = np.isfinite(label).all(0) & np.isfinite(probability).all(0)
    label, probability = label[:, told], probability[:, told]
    if not told.any() or label.min() == label.max():
        return None
    resampler = Resampler(cohort.clients[told], seed, draws)
    return FlagScores(
        str(weak),
        int(told.sum()),
        float(label.mean()),
        judged(label, probability, resampler.weights),
        _curve(label, probability),
        {f"{t:.2f}": _net_benefit(label, probability, t) for t in THRESHOLDS},
    )


def judged(label: Floats, probability: Floats, weights: Floats) -> Mapping[str, Estimate]:
    """Scores with intervals; see `FlagScores`.

    Parameters
    ----------
    label, probability
        (repeats, n).
    weights
        How often each session is in each draw, (1 + draws, n); the first row is 1.
    """
    parts = [_scores(one, other, weights) for one, other in zip(label, probability, strict=True)]
    return {name: estimate(np.stack([part[name] for part in parts])) for name in parts[0]}


def _scores(label: Floats, probability: Floats, weights: Floats) -> dict[str, Floats]:
    order = np.argsort(-probability, kind="stable")
    y, p, w = label[order], probability[order], weights[:, order]
    true, false = np.cumsum(w * y, axis=1), np.cumsum(w * (1 - y), axis=1)
    # sessions of equal probability are judged together: only the last of them counts
    last = np.r_[np.flatnonzero(np.diff(p)), len(p) - 1]
    t, f = true[:, last], false[:, last]
    with np.errstate(divide="ignore", invalid="ignore"):
        steps_t, steps_f = np.diff(t, axis=1, prepend=0), np.diff(f, axis=1, prepend=0)
        auc = ((t - steps_t / 2) * steps_f).sum(1) / (t[:, -1] * f[:, -1])
        precision = np.nan_to_num(t / (t + f))
        found = {
            "auc": auc,
            "average_precision": (precision * steps_t).sum(1) / t[:, -1],
        }
        for share in BUDGETS:
            found[f"precision_{share * 100:.0f}"] = _at_top(true, true + false, share)
        n = w.sum(1)
        base = true[:, -1] / n
        brier = (w * (p - y) ** 2).sum(1) / n
        found |= {"brier": brier, "brier_skill": 1 - brier / (base * (1 - base))}
    intercept, slope = _recalibrated(y, p, w)
    return found | {"calibration_intercept": intercept, "calibration_slope": slope}


def _at_top(true: Floats, seen: Floats, share: float) -> Floats:
    """Share of weak sessions among the first sessions that make up a share of all."""
    need = np.maximum(1.0, np.floor(share * seen[:, -1] + 1e-9))
    at = np.minimum((seen < need[:, None]).sum(1), seen.shape[1] - 1)
    rows = np.arange(len(seen))
    return np.asarray(true[rows, at] / seen[rows, at])


def _recalibrated(y: Floats, p: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Calibration in the large (intercept with the slope held at 1) and slope, by Newton's method, for each draw."""
    q = np.clip(p, 1e-6, 1 - 1e-6)
    x = np.log(q / (1 - q))
    draws = len(w)
    if np.ptp(x) < 1e-6:
        return _offset(y, x, w), np.full(draws, np.nan)
    a, b = np.zeros(draws), np.ones(draws)
    for _ in range(25):
        m = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * x, -30, 30)))
        v = w * m * (1 - m)
        g0, g1 = (w * (y - m)).sum(1), (w * (y - m) * x).sum(1)
        h00, h01, h11 = v.sum(1), (v * x).sum(1), (v * x**2).sum(1)
        det = np.maximum(h00 * h11 - h01**2, 1e-12)
        a = a + (h11 * g0 - h01 * g1) / det
        b = np.clip(b + (h00 * g1 - h01 * g0) / det, -50, 50)
    return _offset(y, x, w), np.where(np.abs(b) < 49, b, np.nan)


def _offset(y: Floats, x: Floats, w: Floats) -> Floats:
    a = np.zeros(len(w))
    for _ in range(25):
        m = 1 / (1 + np.exp(-np.clip(a[:, None] + x, -30, 30)))
        a = a + (w * (y - m)).sum(1) / np.maximum((w * m * (1 - m)).sum(1), 1e-12)
    return np.where(np.abs(a) < 20, a, np.nan)


def _curve(label: Floats, probability: Floats) -> tuple[tuple[float, float, int], ...]:
    y, p = label.ravel(), probability.ravel()
    parts = np.array_split(np.argsort(p, kind="stable"), _BINS)
    return tuple(
        (float(p[part].mean()), float(y[part].mean()), round(len(part) / len(label)))
        for part in parts
        if len(part)
    )


def _net_benefit(label: Floats, probability: Floats, threshold: float) -> tuple[float, float]:
    """Of flags and of reviewing all: true positives minus false ones, weighed by the odds of the threshold."""
    odds = threshold / (1 - threshold)
    flagged = probability >= threshold
    flags = (flagged & (label == 1)).mean() - odds * (flagged & (label == 0)).mean()
    return float(flags), float(label.mean() - odds * (1 - label.mean()))
