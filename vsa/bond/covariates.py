"""What is known of sessions without watching them: covariates, groups, order, who rated on which scale."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.design import Design
from vsa.errors import InputError
from vsa.features.registry import is_full_name

Floats = npt.NDArray[np.float64]

#: Known of sessions without watching them; what signals add to these is what they are worth.
COVARIATES = ("session_number", "modality", "platform", "age", "gender", "attachment", "diagnosis")
#: A covariate that is missing more often says more about the form than about people.
_MOSTLY = 0.5


def order(table: pd.DataFrame) -> Floats | None:
    """What puts a client's sessions in their order, (n,): number or date; None if neither is known of all."""
    if "session_number" in table:
        number = pd.to_numeric(table["session_number"], errors="coerce")
        if number.notna().all():
            return np.asarray(number, np.float64)
    if "date" in table:
        date = pd.to_datetime(table["date"].astype("string"), errors="coerce", format="ISO8601")
        if date.notna().all():
            return np.asarray((date - date.min()).dt.total_seconds(), np.float64)
    return None


def covariates(
    table: pd.DataFrame, asked: Iterable[str] | None, source: str, notes: list[str]
) -> pd.DataFrame:
    """Covariates as numbers or text, n rows: those asked for, or those of `COVARIATES` that tell sessions apart."""
    names = [name for name in COVARIATES if name in table] if asked is None else list(dict.fromkeys(asked))
    absent = [name for name in names if name not in table]
    if absent:
        raise InputError(
            f"{source} has no column {', '.join(absent)} to take as a covariate.",
            f"There are {', '.join(name for name in map(str, table) if not is_full_name(name))}.",
        )
    kept = {}
    for name in names:
        column = _number_or_text(table[name])
        if column.nunique() < 2:
            continue
        if asked is None and column.isna().mean() > _MOSTLY:
            notes.append(f"{name} is known of few sessions and is no covariate.")
            continue
        kept[name] = column
    return pd.DataFrame(kept, index=table.index)


def _number_or_text(column: pd.Series) -> pd.Series:
    number = pd.to_numeric(column, errors="coerce")
    if column.dtype != bool and number.notna().sum() == column.notna().sum():
        return number.astype(np.float64)
    text = column.astype("string").str.strip()
    return text.where(text != "").astype(object)


def groups(table: pd.DataFrame) -> pd.DataFrame:
    """By what performance is looked at in parts, n rows of text; age in bands of a decade or two."""
    found = {}
    for name in ("modality", "gender", "diagnosis"):
        if name in table:
            text = table[name].astype("string").str.strip()
            found[name] = text.where(text != "").astype(object)
    if "age" in table:
        age = pd.to_numeric(table["age"], errors="coerce")
        found["age"] = pd.cut(
            age, [0, 18, 30, 45, 60, 200], right=False, labels=["under 18", "18-29", "30-44", "45-59", "60+"]
        ).astype(object)
    return pd.DataFrame(found, index=table.index)


def scale(table: pd.DataFrame, bond: str, y: Floats) -> tuple[float, float] | None:
    """Lowest and highest possible bond, where it is a mean of answers and the table says of which questionnaire."""
    from vsa.study.instruments import load, names

    given = sorted(set(table["instrument"].dropna().astype(str))) if "instrument" in table else []
    if len(given) != 1 or given[0] not in names() or not (bond == "bond" or bond.endswith("_mean")):
        return None
    instrument = load(given[0])
    low, high = float(instrument.low), float(instrument.high)
    return (low, high) if low <= y.min() and y.max() <= high else None


def raters(table: pd.DataFrame, source: str) -> tuple[str, ...]:
    """Who rated.

    Raises
    ------
    InputError
        When several did: their bonds are not the same quantity.
    """
    found = sorted(set(table["rater"].dropna().astype(str).str.strip())) if "rater" in table else []
    if len(found) > 1:
        raise InputError(
            f"{source} holds bonds rated by {' and '.join(found)}, which are not the same.",
            "Say whose to learn, with --rater client.",
        )
    return tuple(found)


def model_clients(table: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Whose session each row is, for a model's columns; rows of nobody known stand for themselves."""
    own = np.array([f"row {k}" for k in range(len(table))])
    if "client_id" not in table:
        return own
    known = table["client_id"].notna().to_numpy()
    return np.where(known, table["client_id"].astype(str).to_numpy().astype(np.str_), own)


def model_covariates(table: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Covariates that a model takes.

    Raises
    ------
    InputError
        When one is not there.
    """
    names = [*design.numbers, *(design.categories or {})]
    absent = [name for name in names if name not in table]
    if absent:
        raise InputError(
            f"{table.attrs.get('source', 'The table')} has no column {', '.join(absent)}, which the model takes as a "
            "covariate.",
            "Add it, or train a model without covariates.",
        )
    found = pd.DataFrame({name: _number_or_text(table[name]) for name in names}, index=table.index)
    for name in design.numbers:
        found[name] = pd.to_numeric(found[name], errors="coerce").astype(np.float64)
    return found
