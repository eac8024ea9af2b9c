"""Straight lines through the lags at which two recordings hold the same sound: offset and drift of their clocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Clocks of computers and recorders differ by less, ppm.
MOST_DRIFT_PPM = 300.0
#: The same voice comes at most this much later in the other file, s.
LONGEST_WAY_S = 0.6

_ON_LINE_S = 0.002
_LINES_APART_S = 0.004
_ENOUGH = 3
_SECOND_SHARE = 0.2  # of the windows that are not on the first line


@dataclass(frozen=True)
class Lags:
    """Lags of windows, and the lines on which they lie.

    Attributes
    ----------
    at, lag
        (k,) middle of each window and its lag, s.
    """

    at: Doubles
    lag: Doubles

    def line(self) -> tuple[float, float, Bools] | None:
        """Slope, lag at time 0, and which windows lie on the line that has most of them."""
        if len(self.at) < _ENOUGH:
            return None
        steps = max(1, int(np.ceil(MOST_DRIFT_PPM * 1e-6 * np.ptp(self.at) / (0.5 * _ON_LINE_S))))
        slopes = np.linspace(-MOST_DRIFT_PPM, MOST_DRIFT_PPM, 2 * steps + 1) * 1e-6
        best = max(((*self._most(self.lag - slope * self.at), slope) for slope in slopes), key=lambda x: x[0])
        on = np.abs(self.lag - best[2] * self.at - best[1]) < _ON_LINE_S
        if on.sum() < _ENOUGH:
            return None
        for _ in range(3):
            slope, offset = self._fitted(on)
            on = np.abs(self.lag - slope * self.at - offset) < _ON_LINE_S
            if on.sum() < _ENOUGH:
                return None
        return slope, offset, on

    def second(self, slope: float, offset: float, on: Bools) -> tuple[float, Bools] | None:
        """A parallel line, away from the first by no more than twice the longest way: its lag and its windows."""
        apart = self.lag - slope * self.at - offset
        others = ~on & (np.abs(apart) > _LINES_APART_S) & (np.abs(apart) < 2 * LONGEST_WAY_S)
        if others.sum() < _ENOUGH:
            return None
        count, middle = self._most(np.where(others, apart, np.inf))
        if count < max(_ENOUGH, _SECOND_SHARE * others.sum()):
            return None
        there = others & (np.abs(apart - middle) < _ON_LINE_S)
        return offset + float(np.median(apart[there])), there

    def drift_error(self, slope: float, on: Bools) -> float:
        """Standard error of the slope; a lag is known to 0.1 ms at best."""
        wide = float(np.sqrt(np.sum((self.at[on] - self.at[on].mean()) ** 2)))
        return max(1e-4, 0.3 * _ON_LINE_S) / wide if wide > 0 else np.inf

    def _fitted(self, on: Bools) -> tuple[float, float]:
        at, lag = self.at[on], self.lag[on]
        centred = at - at.mean()
        square = float(np.sum(centred**2))
        slope = float(np.sum(centred * lag) / square) if square > 0 else 0.0
        slope = float(np.clip(slope, -MOST_DRIFT_PPM * 1e-6, MOST_DRIFT_PPM * 1e-6))
        return slope, float(np.mean(lag) - slope * at.mean())

    @staticmethod
    def _most(values: Doubles) -> tuple[int, float]:
        """The most values that lie within twice `_ON_LINE_S`, and their middle."""
        values = np.sort(values[np.isfinite(values)])
        ends = np.searchsorted(values, values + 2 * _ON_LINE_S, side="right")
        counts = ends - np.arange(len(values))
        k = int(counts.argmax())
        return int(counts[k]), float(np.median(values[k : ends[k]]))
