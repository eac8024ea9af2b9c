"""What is kept of a training to see later whether new sessions differ: tenths instead of values, no ids, no bonds.

A row says in which tenth of the training each feature of a session lay, and no more. Rows of sessions that are
withdrawn are emptied.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

TENTHS = 10
#: Code of what is missing.
MISSING = 255


@dataclass(frozen=True, eq=False)
class Reference:
    """The n sessions of a training, coarsened.

    Attributes
    ----------
    features
        Full names, (p,).
    edges
        Between the tenths of each feature in the training, (p, 9); NaN for a feature without values.
    codes
        Tenth of each value, 0 to 9, or `MISSING`; (n, p), in the order of the training.
    kept
        Which rows are used, (n,): all that were not withdrawn.
    """

    features: tuple[str, ...]
    edges: Floats
    codes: Codes
    kept: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, features: pd.DataFrame) -> Reference:
        """Coarsen the features of a training.

        Parameters
        ----------
        features
            n rows; NaN where missing.

        Examples
        --------
        >>> made = Reference.of(pd.DataFrame({"client.gaze.on_screen_share": np.linspace(0, 1, 11)}))
        >>> made.codes_of(pd.DataFrame({"client.gaze.on_screen_share": [-3.0, 0.25, 0.95, np.nan]})).ravel()
        array([  0,   2,   9, 255], dtype=uint8)
        """
        names = tuple(map(str, features.columns))
        values = _finite(features, names)
        edges = np.full((len(names), TENTHS - 1), np.nan)
        for j, column in enumerate(values.T):
            known = column[np.isfinite(column)]
            if len(known):
                edges[j] = np.quantile(known, np.arange(1, TENTHS) / TENTHS)
        return cls(names, edges, _codes(values, edges), np.ones(len(values), np.bool_))

    def codes_of(self, features: pd.DataFrame) -> Codes:
        """Tenths of the training in which other values lie, (m, p); `MISSING` where there is none.

        A value that many training sessions share spans several tenths: it gets the one nearest the middle.

        Parameters
        ----------
        features
            m rows with `features`.
        """
        return _codes(_finite(features, self.features), self.edges)

    def without(self, rows: Collection[int]) -> Reference:
        """The same with some rows emptied; they are not used any more. The edges stay.

        Parameters
        ----------
        rows
            Numbers of rows in the training, from 0 on.
        """
        gone = np.array(sorted(rows), np.intp)
        codes, kept = self.codes.copy(), self.kept.copy()
        codes[gone], kept[gone] = MISSING, False
        return replace(self, codes=codes, kept=kept)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All of it as arrays, for a file without pickle."""
        return {
            "features": np.array(self.features, np.str_),
            "edges": self.edges,
            "codes": self.codes,
            "kept": self.kept,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Reference:
        """The inverse of `to_arrays`.

        Raises
        ------
        KeyError, ValueError
            When arrays are absent, or don't fit each other.
        """
        names = tuple(map(str, arrays["features"]))
        edges = np.asarray(arrays["edges"], np.float64)
        codes, kept = np.asarray(arrays["codes"], np.uint8), np.asarray(arrays["kept"], np.bool_)
        if edges.shape != (len(names), TENTHS - 1) or codes.shape != (len(kept), len(names)):
            raise ValueError(f"{len(names)} names don't fit {edges.shape} and {codes.shape}.")
        return cls(names, edges, codes, kept)


def _finite(features: pd.DataFrame, names: tuple[str, ...]) -> Floats:
    values = features[list(names)].to_numpy(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _codes(values: Floats, edges: Floats) -> Codes:
    codes = np.full(values.shape, MISSING, np.uint8)
    for j, column in enumerate(values.T):
        known = np.isfinite(column)
        first = np.searchsorted(edges[j], column[known], side="left")
        last = np.searchsorted(edges[j], column[known], side="right")
        # between the first and the last tenth that it could be in, the one nearest the middle
        codes[known, j] = np.where(last < TENTHS // 2, last, np.maximum(first, TENTHS // 2 - 1))
    return codes
