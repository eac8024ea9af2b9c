"""Estimates with intervals: whole people are resampled, never sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.bond.folds import Groups

Floats = npt.NDArray[np.float64]

DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes
    ----------
    value, low, high
        None where they can't be computed.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        return (
            f"{self.value:.2f}"
            if self.low is None
            else f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"
        )


class Resampler:
    """Bootstrap of whole groups, the same draws for all that is compared (Davison & Hinkley 1997, 3.8).

    Predictions are kept: the interval is that of the people tested, and holds no chance of another training.

    Parameters
    ----------
    units
        Who is resampled, shape (n,): clients, or circles of therapists.
    seed
        The same seed gives the same draws.
    draws
        How many.
    """

    def __init__(self, units: Groups, seed: int, draws: int = DRAWS) -> None:
        names, self._which = np.unique(units, return_inverse=True)
        self.units = len(names)
        drawn = np.random.default_rng([seed, 17]).integers(0, self.units, (draws, self.units))
        counts = np.stack([np.bincount(one, minlength=self.units) for one in drawn])
        # the first row is the sample itself
        self._weights = np.vstack([np.ones(self.units), counts])

    @property
    def weights(self) -> Floats:
        """How often each session is in each draw, shape (1 + draws, n); the first row is 1."""
        return np.asarray(self._weights[:, self._which])

    def sums(self, values: Floats) -> Floats:
        """Sums over sessions in each draw.

        Parameters
        ----------
        values
            Shape (..., n).

        Returns
        -------
        Shape (..., 1 + draws); the first is that of the sample itself.
        """
        flat = values.reshape(-1, values.shape[-1])
        by_unit = np.stack([np.bincount(self._which, one, minlength=self.units) for one in flat])
        return np.asarray((by_unit @ self._weights.T).reshape(*values.shape[:-1], -1))


def estimate(values: Floats) -> Estimate:
    """Take the estimate from its values in the sample and each draw, shape (..., 1 + draws); repeats are averaged."""
    flat = values.reshape(-1, values.shape[-1])
    if not np.isfinite(flat[:, 0]).all():
        return Estimate(None)
    mean = flat.mean(0)
    drawn = mean[1:][np.isfinite(mean[1:])]
    if len(drawn) < 0.9 * (len(mean) - 1) or not len(drawn):
        return Estimate(float(mean[0]))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(mean[0]), float(low), float(high))
