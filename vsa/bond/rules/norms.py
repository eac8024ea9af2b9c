"""Where a session stands among those of its cohort, each client counting the same, and what chance would do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.str_]

#: Sessions among which a value can be called low or high, at least.
LEAST_SESSIONS = 20
IN_PERSON, ONE_CALL = "in person", "call"


@dataclass(frozen=True, eq=False)
class Standing:
    """Of n values among themselves, as shares of the sessions, (n,) each; NaN where a value is not known.

    Attributes
    ----------
    below, equal
        Share of the sessions with a lower, and with the same value, the session itself included in the latter.
    """

    below: Floats
    equal: Floats

    @property
    def above(self) -> Floats:
        """Share of the sessions with a higher value."""
        return np.asarray(1 - self.below - self.equal)

    @property
    def position(self) -> Floats:
        """Mid-rank percentile, 0 to 1: those below, and half of the equal ones."""
        return np.asarray(self.below + self.equal / 2)


def standing(values: Floats, clients: npt.ArrayLike) -> Standing:
    """Say where each value stands, a session weighing 1 / number of the client's sessions with a value.

    Parameters
    ----------
    values
        (n,); NaN where not known.
    clients
        Whose session each is, (n,).

    Examples
    --------
    >>> standing(np.array([1.0, 2.0, 3.0, 3.0]), ["a", "b", "c", "c"]).below.round(2).tolist()
    [0.0, 0.33, 0.67, 0.67]
    """
    below, equal = np.full((2, len(values)), np.nan)
    known = np.isfinite(values)
    if known.any():
        _, client = np.unique(np.asarray(clients)[known], return_inverse=True)
        weights = 1 / np.bincount(client)[client]
        _, level = np.unique(values[known], return_inverse=True)
        mass = np.bincount(level, weights) / weights.sum()
        equal[known] = mass[level]
        below[known] = (np.cumsum(mass) - mass)[level]
    return Standing(below, equal)


def standing_within(values: Floats, clients: npt.ArrayLike, places: Groups) -> Standing:
    """Say where each value stands among those of the same place; NaN where those are fewer than `LEAST_SESSIONS`.

    Parameters
    ----------
    values, clients
        As for `standing`.
    places
        What is compared with each other, (n,); "" is compared with nothing.
    """
    below, equal = np.full((2, len(values)), np.nan)
    for place in np.unique(places[places != ""]):
        rows = np.flatnonzero((places == place) & np.isfinite(values))
        if len(rows) >= LEAST_SESSIONS:
            found = standing(values[rows], np.asarray(clients)[rows])
            below[rows], equal[rows] = found.below, found.equal
    return Standing(below, equal)


def call_places(table: pd.DataFrame) -> Groups:
    """Through what each session's two people heard each other, (n,): delays differ by it.

    The platform; ``in person`` where there is none and the modality says so; "" where it is not told. If no session
    tells a platform, all calls are taken to be of one.
    """
    platform, modality = (
        np.asarray(_text(table, name).to_numpy(), np.str_) for name in ("platform", "modality")
    )
    in_person = np.isin(np.char.lower(modality), ("in_person", IN_PERSON))
    missing = "" if (platform != "").any() else ONE_CALL
    return np.where(platform != "", platform, np.where(in_person, IN_PERSON, missing))


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        return pd.Series("", index=table.index)
    return table[name].astype("string").str.strip().fillna("").astype(object)


def expected_by_chance(
    weak: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], codes: npt.NDArray[np.intp], least: int
) -> float:
    """How many of n sessions would have so many weak signals if the k signals had nothing to do with each other.

    Each signal stays weak as often as it is among the sessions that it is compared with; only which sessions these are
    is left to chance. (With a share q in all, this is n times the upper tail of a binomial of k and q.)

    Parameters
    ----------
    weak, known
        Whether a signal is weak, and known, (n, k).
    codes
        What is compared with each other: equal numbers in a column, (n, k).
    least
        Weak signals that count.
    """
    n = len(weak)
    chance = np.zeros((n, least + 1))  # of 0, 1, ... least or more so far
    chance[:, 0] = 1
    for k in range(weak.shape[1]):
        rate = np.zeros(n)
        for code in np.unique(codes[known[:, k], k]):
            rows = known[:, k] & (codes[:, k] == code)
            rate[rows] = weak[rows, k].mean()
        more = chance * rate[:, None]
        chance -= more
        chance[:, 1:] += more[:, :-1]
        chance[:, -1] += more[:, -1]
    return float(chance[:, -1].sum())
