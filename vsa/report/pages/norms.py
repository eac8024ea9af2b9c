"""Where a session's features lie among those of the cohort."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from vsa.report.pages.view_timeline import Floats

#: With fewer sessions that have a feature, nothing is said of where one lies among them.
LEAST = 10
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TIMES = 10


@dataclass(frozen=True)
class Norm:
    """A feature over the sessions of a cohort; quantiles are of `_QUANTILES`, in the feature's unit."""

    sessions: int
    p05: float
    p25: float
    p50: float
    p75: float
    p95: float


class Norms:
    """Features over a cohort.

    Parameters
    ----------
    table
        One row a session.
    names
        Columns with numbers.
    """

    def __init__(self, table: pd.DataFrame, names: Iterable[str]) -> None:
        self.sessions = len(table)
        self._sorted: dict[str, Floats] = {}
        for name in names:
            values = table[name].to_numpy(np.float64)
            self._sorted[name] = np.sort(values[np.isfinite(values)])
        self._norms: Mapping[str, Norm] = {
            name: Norm(len(values), *map(float, np.quantile(values, _QUANTILES)))
            for name, values in self._sorted.items()
            if len(values) >= LEAST
        }

    def of(self, feature: str) -> Norm | None:
        """Of a feature; None where too few sessions have it."""
        return self._norms.get(feature)

    def below(self, feature: str, value: float) -> float:
        """Share of the sessions below a value, those equal to it counted half; NaN without a norm or a value."""
        if feature not in self._norms or not math.isfinite(value):
            return math.nan
        values = self._sorted[feature]
        low, high = np.searchsorted(values, value, "left"), np.searchsorted(values, value, "right")
        return float((low + high) / 2 / len(values))

    def words(self, feature: str, value: float) -> str:
        """The same in words: "higher than in 8 of 10 sessions"; empty without a norm.

        Examples
        --------
        >>> import pandas as pd
        >>> norms = Norms(pd.DataFrame({"x": range(20)}), ["x"])
        >>> norms.words("x", 17.0), norms.words("x", 10.0), norms.words("x", 0.0)
        ('higher than in 9 of 10 sessions', 'about as in most sessions', 'lower than in nearly all sessions')
        """
        below = self.below(feature, value)
        if math.isnan(below):
            return ""
        side, beyond = ("higher", below) if below >= 0.5 else ("lower", 1 - below)
        tenths = math.floor(_TIMES * beyond + 0.5)
        if tenths <= 6:
            return "about as in most sessions"
        return f"{side} than in {'nearly all' if tenths == _TIMES else f'{tenths} of 10'} sessions"
