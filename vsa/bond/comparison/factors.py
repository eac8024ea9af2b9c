"""What people are compared by: groups, or a number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsa.bond.comparison.columns import Outcome, Sessions, counted, label_of, text_of
from vsa.errors import InputError
from vsa.features.registry import is_full_name

#: By these, where they are in the table and nothing else is asked for.
FACTORS = ("modality", "attachment", "diagnosis")
#: A column of numbers with more values than this is no set of groups.
MOST_GROUPS = 6
#: Said of a session, not of a person: a client's other sessions don't tell it.
_OF_SESSIONS = ("modality", "platform", "session_number", "date")
#: Nobody is ranked, and ids are no groups.
NO_GROUPS = ("session_id", "client_id", "therapist_id", "therapist", "therapist_name", "rater")
_EMPTY = "empty"
#: Numbers and never groups: scores of `vsa score`, and what is measured in years.
_NUMBERS = re.compile(r".+_(mean|sum|pomp)|self_model|other_model|age")


class OneGroup(InputError):
    """Nobody said what to compare by, and of all that is there one group only is told.

    Parameters
    ----------
    said
        Column to what it holds, in words.
    """

    def __init__(self, said: Mapping[str, str]) -> None:
        held = "; ".join(f"{name} is {what}" for name, what in said.items())
        none = all(what.startswith(_EMPTY) for what in said.values())
        super().__init__(
            f"There is {'no group' if none else 'one group only'}: {held}.",
            "Two are needed to compare. Name another column with --by, or bring what is known of clients (--clients).",
        )
        self.said = said


@dataclass(frozen=True, eq=False)
class Factor:
    """What people differ in.

    Attributes
    ----------
    name
        The column.
    values
        (n,): numbers where it is continuous, else text; None or NaN where it is not known.
    levels
        Groups, the one with most clients first; empty where it is continuous.
    """

    name: str
    values: pd.Series
    levels: tuple[str, ...]

    @property
    def continuous(self) -> bool:
        """A number, not groups."""
        return not self.levels

    @property
    def label(self) -> str:
        """For people."""
        return label_of(self.name)


def read_factors(
    sessions: Sessions, asked: Iterable[str] | None, outcomes: list[Outcome], notes: list[str]
) -> list[Factor]:
    """Take what is compared by: the columns asked for, or those of `FACTORS` that are there.

    Raises
    ------
    InputError
        When there is none, or one asked for is no column, an id or a score, or the same in all sessions; `OneGroup`
        when none was asked for and each is the same in all.
    """
    table, source = sessions.table, sessions.source
    names = [name for name in FACTORS if name in table] if asked is None else list(dict.fromkeys(asked))
    absent = [name for name in names if name not in table]
    if absent or not names:
        some = [name for name in map(str, table) if not is_full_name(name) and name not in NO_GROUPS]
        raise InputError(
            f"{source} has no column {', '.join(absent or FACTORS)} to compare by.",
            f"There are {', '.join(some[:15]) or 'none'}. Name some with --by.",
        )
    found, alike = [], dict[str, str]()
    for name in names:
        if name in NO_GROUPS:
            raise InputError(
                f"--by {name}: vsa compares no single therapists, clients or raters.",
                "Compare by what people have in common, as modality.",
            )
        if name in [one.name for one in outcomes]:
            raise InputError(f"{name} is both an outcome and what is compared by.", "Give it once.")
        factor = read_factor(sessions, name, notes)
        values = factor.values.dropna()
        if values.nunique() < 2:
            where = table.attrs.get("from", {}).get(name, source)
            said = _EMPTY if values.empty else _alike(values, len(table))
            if asked is not None:
                raise InputError(
                    f"{where}, column {name}: it is {said}.",
                    f"Two groups are needed to compare: take {name} out of --by, or the stage out of the pipeline.",
                )
            notes.append(f"{name} is {said}: nothing is compared by it.")
            alike[name] = f"{said} ({where})"
            continue
        found.append(factor)
    if not found:
        raise OneGroup(alike)
    return found


def _alike(values: pd.Series, of: int) -> str:
    """What the sessions that tell it have in common."""
    return f"'{values.iloc[0]}' in every session{'' if len(values) == of else ' that tells it'}"


def read_factor(sessions: Sessions, name: str, notes: list[str]) -> Factor:
    """Take a column as groups or as numbers.

    What is said of a person in some of the sessions only is taken for the others too, if it is always the same.

    Raises
    ------
    InputError
        When groups differ in nothing but capitals.
    """
    column = sessions.table[name]
    number = pd.to_numeric(column, errors="coerce").astype(np.float64)
    text = text_of(column)
    numeric = column.dtype != bool and number.notna().sum() == text.notna().sum()
    if numeric and (number.nunique() > MOST_GROUPS or _NUMBERS.fullmatch(name)):
        return Factor(name, _filled(sessions, name, number, notes), ())
    if numeric:
        text = number.map(lambda x: f"{x:g}", na_action="ignore").astype(object)
    lower = {value.casefold(): value for value in text.dropna().unique()}
    for value in text.dropna().unique():
        if (other := lower[value.casefold()]) != value:
            raise InputError(
                f"{sessions.source}, column {name}: '{value}' and '{other}' differ in capitals only.",
                "Write one of them everywhere.",
            )
    text = _filled(sessions, name, text, notes)
    counts = pd.Series(sessions.who).groupby(text.to_numpy()).nunique()
    return Factor(name, text, tuple(sorted(counts.index, key=lambda level: (-counts[level], level))))


def _filled(sessions: Sessions, name: str, values: pd.Series, notes: list[str]) -> pd.Series:
    """Values of the client's other sessions where there is none."""
    if name in _OF_SESSIONS or not values.isna().any():
        return values
    by = values.groupby(sessions.who)
    own = by.transform("first").where(by.transform("nunique") == 1)
    filled = values.where(values.notna(), own)
    if more := int(filled.notna().sum() - values.notna().sum()):
        notes.append(
            f"{name} is told in some sessions of a client and taken for the others ({counted(more)})."
        )
    return filled
