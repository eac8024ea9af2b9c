"""From a session's features to the columns of a regression.

Behaviour goes with the alliance in two ways that need not agree: clients who smile more than others, and sessions in
which a client smiles more than usual (Cohen et al. 2021; Curran & Bauer 2011, Annu. Rev. Psychol. 62, 583-619, on
telling them apart). Where clients have several sessions, each feature is therefore taken as the client's mean and the
session's deviation from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort_columns import without_rounding

Floats = npt.NDArray[np.float64]

#: Sessions of clients with several, from which on deviations are taken.
_LEAST_REPEATED = 0.3
#: Relative size of deviations that are none.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Design:
    """Which columns there are, in their order.

    Attributes
    ----------
    features
        Full names.
    split
        Whether each is taken as the client's mean and the deviation from it.
    numbers
        Covariates that are numbers.
    categories
        Covariate -> its categories, each a column of 0 and 1; the first is what the others are compared with.
    """

    features: tuple[str, ...]
    split: bool
    numbers: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns: means (or values), deviations, covariates."""
        changes = tuple(f"{name}, change" for name in self.features) if self.split else ()
        kinds = tuple(
            f"{name}: {kind}" for name, kinds in (self.categories or {}).items() for kind in kinds[1:]
        )
        return (*self.features, *changes, *self.numbers, *kinds)

    @property
    def marked(self) -> tuple[int, ...]:
        """Columns of which it is also noted where they are missing: one for each feature, and covariates."""
        p = len(self.features)
        start = p if self.split else 0
        return tuple(range(start, len(self.columns)))

    def columns_of(self, feature: str) -> tuple[int, ...]:
        """Which columns a feature has."""
        k = self.features.index(feature)
        return (k, k + len(self.features)) if self.split else (k,)

    def matrix(
        self, features: pd.DataFrame, clients: Sequence[str] | npt.NDArray[np.str_], covariates: pd.DataFrame
    ) -> Floats:
        """The columns for some sessions, shape (n, columns); NaN where something is missing.

        Parameters
        ----------
        features
            n rows with `features`, NaN where missing.
        clients
            Whose session it is, (n,). Means are over what is given here.
        covariates
            n rows with those of the design.
        """
        values = features[list(self.features)].to_numpy(np.float64)
        parts = list(_parts(values, np.asarray(clients))) if self.split else [values]
        parts += [covariates[[name]].to_numpy(np.float64) for name in self.numbers]
        for name, kinds in (self.categories or {}).items():
            given = covariates[name].astype(object)
            known = given.notna().to_numpy()
            text = given.astype(str).to_numpy()
            parts += [np.where(known, text == kind, np.nan)[:, None] for kind in kinds[1:]]
        return without_rounding(np.column_stack(parts).astype(np.float64))


def design_of(features: pd.DataFrame, clients: npt.NDArray[np.str_], covariates: pd.DataFrame) -> Design:
    """Decide on the columns.

    Deviations are taken if a good part of the sessions are of clients with several.
    """
    _, which, count = np.unique(clients, return_inverse=True, return_counts=True)
    split = bool(np.mean(count[which] > 1) >= _LEAST_REPEATED)
    numbers = tuple(str(name) for name in covariates if pd.api.types.is_numeric_dtype(covariates[name]))
    categories = {str(name): _kinds(covariates[name]) for name in covariates if str(name) not in numbers}
    return Design(
        tuple(map(str, features.columns)),
        split and features.shape[1] > 0,
        numbers,
        {name: kinds for name, kinds in categories.items() if len(kinds) > 1},
    )


def _kinds(column: pd.Series) -> tuple[str, ...]:
    """Categories, the most frequent first; which is first among equals must not hang on the order of rows."""
    counts = column.dropna().astype(str).value_counts()
    return tuple(sorted(counts.index, key=lambda kind: (-counts[kind], kind)))


def _parts(values: Floats, clients: npt.NDArray[np.str_]) -> tuple[Floats, Floats]:
    """Means by client over what is there, and the deviations from them."""
    _, which = np.unique(clients, return_inverse=True)
    known = np.isfinite(values)
    shape = (int(which.max()) + 1, values.shape[1])
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, which, np.where(known, values, 0.0))
    np.add.at(count, which, known)
    with np.errstate(invalid="ignore"):
        mean = (total / count)[which]
    change = values - mean
    # of a feature that is the same in all of a client's sessions: rounding, which scaling would blow up
    change[np.abs(change) <= _ROUNDING * np.abs(mean)] = 0.0
    return mean, change
