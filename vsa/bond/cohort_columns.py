"""The columns of a cohort's table, checked one by one: the bond, features, whose session it is, what else is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.errors import InputError
from vsa.features.core import is_core
from vsa.features.registry import is_full_name, versions

Floats = npt.NDArray[np.float64]
Use = Literal["core", "all"]

#: Fewer sessions, or people to hold out, say nothing that holds.
LEAST_SESSIONS = 20
LEAST_GROUPS = 5
#: Binary digits of a number; what differs beyond them, some eleven decimal ones, is rounding.
_DIGITS = 36


def chosen(predictors: pd.DataFrame, use: Use, notes: list[str]) -> pd.DataFrame:
    """Predictors without vsa's features beyond the core set, where there are features of that."""
    more = [name for name in versions(map(str, predictors.columns)) if not is_core(name)]
    if use == "all" or len(more) == predictors.shape[1] or not more:
        return predictors
    notes.append(
        f"The core set of features is used (docs/features.md); {len(more)} more are in the table, and --features all "
        "takes them too."
    )
    return predictors.drop(columns=more)


def bond(table: pd.DataFrame, name: str, source: str) -> Floats:
    """The bond of each row, (n,); NaN where there is none.

    Raises
    ------
    InputError
        When there is no such column, or it holds something else.
    """
    if name not in table:
        numeric = [str(c) for c in table.select_dtypes("number") if not is_full_name(str(c))]
        hint = f"Columns with numbers: {', '.join(numeric[:8])}." if numeric else "Join one with --bonds CSV."
        raise InputError(f"{source} has no column '{name}' to predict.", hint + " Name it with --bond.")
    return scores(table[name], name, source)


def scores(column: pd.Series, name: str, source: str) -> Floats:
    """Scores of a questionnaire, (n,); NaN where there is none.

    Raises
    ------
    InputError
        When the column holds something else.
    """
    if column.dtype == bool:
        raise InputError(f"{source}, column {name}: yes and no are no scores.", "Give numbers.")
    y = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.flatnonzero(column.notna().to_numpy() & ~np.isfinite(y))
    if len(wrong):
        raise InputError(
            f"{source}, column {name}: '{column.iloc[wrong[0]]}' is no number (row {wrong[0] + 2}; "
            f"{len(wrong)} of {len(y)} are none).",
            "Score the answers first ('vsa score'), and leave the cell empty where there is no score.",
        )
    return np.asarray(y)


def check_size(y: Floats, bond: str, source: str, least: int = LEAST_SESSIONS) -> None:
    """Refuse too few sessions, and a bond that is the same in all.

    Raises
    ------
    InputError
        For either.
    """
    if len(y) < least:
        raise InputError(
            f"{source} has {len(y)} sessions with a bond; {least} are the least.",
            "With effects as small as they are known to be, hundreds are needed to learn something that holds.",
        )
    if np.ptp(y) == 0:
        raise InputError(
            f"{source}, column {bond}: the bond is {y[0]:g} in every session.", "Nothing to learn."
        )


def without_rounding(values: Floats) -> Floats:
    """Numbers of any shape to eleven digits: a signal that is the same in all sessions is then exactly that.

    Scaled by its spread, rounding would be a signal like any other.

    Examples
    --------
    >>> without_rounding(np.array([12.5, 12.500000000000123])).tolist()
    [12.5, 12.5]
    """
    part, power = np.frexp(values)
    return np.asarray(np.ldexp(np.round(part * 2.0**_DIGITS) / 2.0**_DIGITS, power))


def simulated_rows(table: pd.DataFrame) -> pd.Series:
    """Which rows say that they are simulated; none without a column `simulated`."""
    if "simulated" not in table:
        return pd.Series(False, index=table.index)
    said = table["simulated"].astype(str).str.strip().str.lower()
    return said.isin(("true", "1", "1.0", "yes"))


def simulated(table: pd.DataFrame, source: str) -> bool:
    """Whether the rows are simulated.

    Raises
    ------
    InputError
        When some are and others not.
    """
    flags = simulated_rows(table)
    if flags.any() and not flags.all():
        raise InputError(
            f"{source} mixes {int(flags.sum())} simulated sessions with {int((~flags).sum())} that are not.",
            "Train on one or the other.",
        )
    return bool(flags.all())


def numbers(table: pd.DataFrame, names: Iterable[str], source: str) -> pd.DataFrame:
    """Columns as numbers, NaN where a cell is empty.

    Raises
    ------
    InputError
        When one holds something else.
    """
    values = {}
    for name in names:
        column = pd.to_numeric(table[name], errors="coerce").astype(np.float64)
        wrong = np.flatnonzero(table[name].notna().to_numpy() & ~np.isfinite(column.to_numpy()))
        if len(wrong):
            raise InputError(
                f"{source}, column {name}: '{table[name].iloc[wrong[0]]}' is no number.",
                "Features are numbers; leave the cell empty where there is none.",
            )
        values[name] = column
    return pd.DataFrame(values, index=table.index)


def feature_values(table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Take features out of a table as numbers, NaN where a cell is empty.

    Raises
    ------
    InputError
        When a column is not there or holds something else.
    """
    source = str(table.attrs.get("source", "The table"))
    names = list(names)
    absent = [name for name in names if name not in table]
    if absent:
        shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        raise InputError(
            f"{source} lacks {len(absent)} of the {len(names)} features that the model was trained on: {shown}.",
            "Extract the sessions with the same roles and version of vsa, or train a model on features that you have.",
        )
    return numbers(table, names, source)


def check_copies(table: pd.DataFrame, predictors: pd.DataFrame, source: str) -> None:
    """Refuse sessions that are there twice, by their id or by their features.

    Raises
    ------
    InputError
        For either.
    """
    if "session_id" in table:
        twice = table["session_id"][table["session_id"].notna() & table["session_id"].duplicated()].unique()
        if len(twice):
            raise InputError(
                f"{source} has session {', '.join(map(str, twice[:5]))} more than once.",
                "Keep one row a session.",
            )
    known = predictors.notna().sum(axis=1) >= 3
    copies = predictors[known].duplicated(keep=False)
    if copies.any():
        rows = (copies.index[copies][:4] + 2).tolist()
        raise InputError(
            f"{source} has {int(copies.sum())} sessions whose features are equal to the last digit (rows "
            f"{', '.join(map(str, rows))} ...): copies.",
            "The same session in training and test makes any model look good. Remove the copies.",
        )


def ids(table: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Ids of the sessions, or the numbers of their rows in the file, (n,)."""
    if "session_id" in table:
        return np.asarray(table["session_id"].astype(str), np.str_)
    return np.array([f"row {k + 2}" for k in range(len(table))])


def clients(
    table: pd.DataFrame, source: str, notes: list[str]
) -> tuple[npt.NDArray[np.str_], Literal["client", "session"]]:
    """Whose session each is, (n,), and what is held out together.

    Raises
    ------
    InputError
        When clients are too few to hold some out.
    """
    if "client_id" not in table or table["client_id"].isna().all():
        notes.append(
            "No client_id: folds hold out sessions, not clients. If clients have several sessions, the figures below "
            "are too good, and say nothing about new clients."
        )
        return ids(table), "session"
    unknown = table["client_id"].isna()
    if unknown.any():
        notes.append(
            f"{int(unknown.sum())} sessions have no client_id; each is taken as a client of its own."
        )
    own = pd.Series([f"session {name}" for name in ids(table)], index=table.index)
    clients = np.asarray(table["client_id"].astype(str).where(~unknown, own), np.str_)
    if len(np.unique(clients)) < LEAST_GROUPS:
        raise InputError(
            f"{source} has {len(np.unique(clients))} clients; {LEAST_GROUPS} are the least to hold some out.",
            "A model of so few people describes these people.",
        )
    return clients, "client"


def therapists(table: pd.DataFrame, notes: list[str]) -> npt.NDArray[np.str_] | None:
    """The therapists, (n,); None unless all are known."""
    if "therapist_id" not in table or table["therapist_id"].isna().any():
        notes.append("No therapist_id for every session: not tested on new therapists.")
        return None
    return np.asarray(table["therapist_id"].astype(str), np.str_)


def label_source(table: pd.DataFrame, bond: str, source: str, simulated: bool) -> str:
    """Where the bond comes from, in words."""
    raters = sorted(set(table["rater"].dropna().astype(str))) if "rater" in table else []
    rated = f", rated by {' and '.join(raters)}" if raters else ""
    return f"column '{bond}' of {source}{rated}" + (
        ", SIMULATED: not reported by people" if simulated else ""
    )
