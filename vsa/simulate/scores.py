"""Figures of agreement between what is true and what was found: errors, counts of events, kappa."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.features.signals import Flags, Floats

NAN = float("nan")
#: Blinks and nods may be this far apart, s.
NEAR_S = 0.15
#: Longer events share this much of the time that they take together.
SAME_SHARE = 0.5


@dataclass(frozen=True)
class Errors:
    """Sizes of errors.

    Attributes
    ----------
    median, p95
        Half and 95 % of them are no larger; NaN without any.
    n
        How many there are.
    """

    median: float = NAN
    p95: float = NAN
    n: int = 0

    @classmethod
    def of(cls, parts: Sequence[Floats]) -> Errors:
        """Collect errors, which are 0 or more, from arrays of any shape."""
        sizes = np.concatenate([np.empty(0), *(np.ravel(part) for part in parts)])
        if not len(sizes):
            return cls()
        return cls(float(np.median(sizes)), float(np.percentile(sizes, 95)), len(sizes))


@dataclass(frozen=True)
class Matches:
    """Events that are true, events that were found, and pairs of these that are the same.

    Attributes
    ----------
    true, found, both
        Counts.
    """

    true: int = 0
    found: int = 0
    both: int = 0

    def __add__(self, other: Matches) -> Matches:
        return Matches(self.true + other.true, self.found + other.found, self.both + other.both)

    @classmethod
    def sum(cls, parts: Iterable[Matches]) -> Matches:
        """Several counts as one."""
        counts = [(part.true, part.found, part.both) for part in parts]
        return cls(*(sum(column) for column in zip(*counts, strict=True)))

    @property
    def recall(self) -> float:
        """Share of the true events that was found; NaN without any."""
        return self.both / self.true if self.true else NAN

    @property
    def precision(self) -> float:
        """Share of what was found that is true; NaN where nothing was found."""
        return self.both / self.found if self.found else NAN

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision; NaN where nothing is true and nothing was found."""
        return 2 * self.both / (self.true + self.found) if self.true + self.found else NAN


def near(true: Floats, found: Floats, within_s: float) -> Flags:
    """Which events overlap or are no farther apart than `within_s`.

    Parameters
    ----------
    true, found
        Start and end, s, shape (n, 2) and (m, 2).

    Returns
    -------
    Shape (n, m).
    """
    apart = np.maximum.outer(true[:, 0], found[:, 0]) - np.minimum.outer(true[:, 1], found[:, 1])
    return np.asarray(apart <= within_s + 1e-9)


def overlap(true: Floats, found: Floats) -> Floats:
    """Time in both events as a share of the time in either, 0-1; arguments as in `near`, shape (n, m)."""
    both = np.minimum.outer(true[:, 1], found[:, 1]) - np.maximum.outer(true[:, 0], found[:, 0])
    both = np.maximum(both, 0.0)
    either = np.add.outer(np.diff(true)[:, 0], np.diff(found)[:, 0]) - both
    return np.asarray(np.divide(both, either, out=np.zeros_like(both), where=either > 0))


def near_event(true: Floats, found: Floats) -> Flags:
    """Rule of short events: they overlap, or are at most `NEAR_S` apart; arguments as in `near`, shape (n, m)."""
    return near(true, found, NEAR_S)


def same_event(true: Floats, found: Floats) -> Flags:
    """Rule of longer events: they share `SAME_SHARE` of the time that they take together; as in `near`, (n, m)."""
    return np.asarray(overlap(true, found) >= SAME_SHARE)


def matched(true: Floats, found: Floats, rule: Callable[[Floats, Floats], Flags]) -> npt.NDArray[np.intp]:
    """Pairs of events: as many as there can be, none in two of them; of several ways, the one that overlaps most.

    Parameters
    ----------
    true, found
        As in `near`.
    rule
        What may be a pair, shape (n, m).

    Returns
    -------
    Rows of `true` and of `found`, shape (pairs, 2).
    """
    from scipy.optimize import linear_sum_assignment

    fits = rule(true, found)
    worth = np.where(fits, 1 + min(fits.shape) + overlap(true, found), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return np.asarray(np.column_stack([rows, columns])[fits[rows, columns]], np.intp)


def kappa(true: Flags, found: Flags) -> float:
    """Cohen's kappa of two judgements of the same things; NaN where both always say the same one thing.

    Parameters
    ----------
    true, found
        Shape (n,).

    References
    ----------
    Cohen 1960, Educational and Psychological Measurement 20.
    """
    if not len(true):
        return NAN
    a, b = float(np.mean(true)), float(np.mean(found))
    chance = a * b + (1 - a) * (1 - b)
    return NAN if math.isclose(chance, 1.0) else (float(np.mean(true == found)) - chance) / (1 - chance)


def slope(parts: Iterable[tuple[Floats, Floats]]) -> float:
    """Of the second on the first of each pair, each about its own mean; NaN where the first doesn't vary.

    Parameters
    ----------
    parts
        Pairs of shape (n,), where n may be another for each.
    """
    spread = together = 0.0
    for true, measured in parts:
        if len(true):
            about = true - true.mean()
            spread += float(about @ about)
            together += float(about @ (measured - measured.mean()))
    return together / spread if spread > 0 else NAN
