"""What a comparison takes from a table: whose session each row is, the scores, and the groups; checked once, here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond import covariates as known
from vsa.bond.cohort_columns import scores, simulated_rows
from vsa.errors import InputError
from vsa.features.registry import is_full_name

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

#: Scores that `vsa score` writes, in the order in which they are told; `alliance` is what other tools call a total.
OUTCOMES = ("alliance", "total_mean", "goal_mean", "task_mean", "bond", "bond_mean")
#: Fewer people could be recognised, and their number is not told.
TOLD_FROM = 5
#: From this share of sessions on, a score that is as high as can be is told.
CEILING = 0.15


@dataclass(frozen=True, eq=False)
class Sessions:
    """A table that was checked, n rows.

    Attributes
    ----------
    table
        One row a session.
    source
        Where it comes from.
    unit
        What counts once in a test: ``client``, or ``session`` where no client is known.
    who
        Whose session it is, (n,); without a known client, the session itself.
    therapists
        (n,); None unless all are known.
    simulated
        The rows are not of people.
    """

    table: pd.DataFrame
    source: str
    unit: Literal["client", "session"]
    who: Names
    therapists: Names | None
    simulated: bool

    def __len__(self) -> int:
        return len(self.table)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A score.

    Attributes
    ----------
    name, label
        The column, and what it is called.
    values
        (n,), NaN where there is none.
    scale
        Lowest and highest score that can be; None if the questionnaire is not known.
    top, at_top
        Highest score that can be (or that occurs, where the scale is not known), and the share of scores that are.
    """

    name: str
    label: str
    values: Floats
    scale: tuple[float, float] | None
    top: float
    at_top: float

    @property
    def ceiling(self) -> bool:
        """Whether many scores could not have been higher."""
        return self.at_top > CEILING


def counted(n: int) -> str:
    """A number of people or sessions for people to read: small ones are not told.

    Examples
    --------
    >>> counted(4), counted(0), counted(12)
    ('<5', '0', '12')
    """
    return f"<{TOLD_FROM}" if 0 < n < TOLD_FROM else str(int(n))


def label_of(name: str) -> str:
    """What a column is called in words.

    Examples
    --------
    >>> label_of("anxiety_mean"), label_of("total_mean")
    ('anxiety', 'total score')
    """
    if name == "total_mean":
        return "total score"
    return name if is_full_name(name) else name.removesuffix("_mean").replace("_", " ")


def read_sessions(table: pd.DataFrame, notes: list[str]) -> Sessions:
    """Check the rows.

    Raises
    ------
    InputError
        When a session is there twice, or several raters', or simulated and real rows, are mixed.
    """
    source = str(table.attrs.get("source", "the table"))
    table = table.reset_index(drop=True)
    known.raters(table, source)
    if "session_id" in table:
        ids = table["session_id"]
        twice = ids[ids.notna() & ids.duplicated()].unique()
        if len(twice):
            raise InputError(
                f"{source} has session {', '.join(map(str, twice[:5]))} more than once.",
                "Keep one row a session.",
            )
    simulated = simulated_rows(table)
    if simulated.any() and not simulated.all():
        raise InputError(
            f"{source} mixes {int(simulated.sum())} simulated sessions with {int((~simulated).sum())} that are not.",
            "Compare one or the other.",
        )
    own = np.array([f"row {k + 2}" for k in range(len(table))])
    clients = text_of(table["client_id"]) if "client_id" in table else pd.Series([None] * len(table))
    missing = clients.isna().to_numpy()
    if missing.all():
        notes.append(
            "NO client_id: every session counts as a person of its own. If clients have several sessions, intervals "
            "are too narrow and p is too small."
        )
    elif missing.any():
        notes.append(
            f"Sessions without client_id: {counted(missing.sum())}; each counts as a client of its own."
        )
    therapists = text_of(table["therapist_id"]) if "therapist_id" in table else None
    return Sessions(
        table=table,
        source=source,
        unit="session" if missing.all() else "client",
        who=np.where(missing, own, clients.fillna("").to_numpy().astype(np.str_)),
        therapists=None
        if therapists is None or therapists.isna().any()
        else therapists.to_numpy().astype(np.str_),
        simulated=bool(simulated.all()),
    )


def read_outcomes(sessions: Sessions, asked: Iterable[str] | None, notes: list[str]) -> list[Outcome]:
    """Take the scores: those asked for, or those of `OUTCOMES` that are there.

    Raises
    ------
    InputError
        When there is none, or one asked for holds something else than numbers, or the same in all sessions.
    """
    table, source = sessions.table, sessions.source
    names = [name for name in OUTCOMES if name in table] if asked is None else list(dict.fromkeys(asked))
    absent = [name for name in names if name not in table]
    if absent or not names:
        numeric = [
            name
            for name in map(str, table.select_dtypes("number"))
            if not is_full_name(name) and name not in names
        ]
        raise InputError(
            f"{source} has no column {', '.join(absent)}."
            if absent
            else f"{source} has no scores to compare.",
            (f"Columns with numbers: {', '.join(numeric[:8])}. Name one with --outcome." if numeric else "")
            or "Join scores of 'vsa score' with --bonds CSV.",
        )
    found: list[Outcome] = []
    for name in names:
        y = scores(table[name], name, source)
        given = y[np.isfinite(y)]
        if len(given) == 0 or np.ptp(given) == 0:
            said = "empty" if len(given) == 0 else f"{given[0]:g} in every session"
            if asked is not None or len(names) == 1:
                raise InputError(f"{source}, column {name}: it is {said}.", "There is nothing to compare.")
            notes.append(f"{name} is {said}, and left out.")
            continue
        same = next((one for one in found if np.allclose(one.values, y, atol=1e-9, equal_nan=True)), None)
        if same is not None:
            if asked is not None:
                notes.append(f"{name} is the same as {same.name}, and not tested twice.")
            continue
        scale = known.scale(table, name, given)
        top = scale[1] if scale else float(given.max())
        found.append(Outcome(name, label_of(name), y, scale, top, float(np.mean(given >= top - 1e-9))))
    if not found:
        raise InputError(
            f"{source} has no scores that differ between sessions.", "There is nothing to compare."
        )
    return found


def text_of(column: pd.Series) -> pd.Series:
    """A column as text, None where it is empty."""
    text = column.astype("string").str.strip()
    return text.where(text.notna() & (text != "")).astype(object).where(lambda x: x.notna(), None)
