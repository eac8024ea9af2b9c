"""Answers to questionnaires as people bring them: tables with an item a column, or with an answer a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vsa.errors import InputError
from vsa.study.answer_columns import Columns, find_columns
from vsa.study.answer_sheets import Sheet, long_sheets, wanted_sheets, wide_sheets
from vsa.study.cells import shown
from vsa.study.instruments import Instrument
from vsa.study.item_columns import RESPONDENTS, ItemNames, find_items, squash

if TYPE_CHECKING:
    import pandas as pd

    from vsa.study.addresses import Place

NOT_ANSWERED = "not answered"
#: Faults that one message lists.
_LISTED = 20
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}([.,][0-9]{1,15})?")


@dataclass(frozen=True)
class Problem:
    """An item of which a person gave no answer, or one that can't be scored.

    Attributes
    ----------
    id
        Of the session (of the client, where a table has no sessions).
    rater
        Who filled it in.
    row
        As a spreadsheet counts, the header being 1.
    item, value
        Which item, and what stands there.
    what
        ``not answered``, ``not a number``, ``not a whole number`` or ``out of range``.
    """

    id: str
    rater: str
    row: int
    item: str
    value: str
    what: str

    @property
    def faulty(self) -> bool:
        """Whether something is there, and is no answer."""
        return self.what != NOT_ANSWERED


@dataclass(frozen=True)
class Answers:
    """Filled-in questionnaires, one a session and respondent, in the table's order.

    Attributes
    ----------
    source
        Name of the table.
    key
        What `ids` are: ``session_id``; ``client_id`` where people fill in a form once and not in a session.
    ids, raters
        Of each questionnaire: the session, and who filled it in (client, therapist, observer).
    carried
        Further columns that go with them: ids of people, `simulated`.
    values
        (n, items) as given, not reversed; NaN where there is no usable answer.
    choices
        What each chose where the form asks for one style (RQ); "" if it doesn't say.
    problems
        Items without a usable answer, by questionnaire and item.
    items
        How the items' columns are called; see `ItemNames`.
    told
        How it is known who filled them in, in words.
    blank
        Rows (sessions, in long tables) without any answer, which are left out.
    """

    source: str
    key: str
    ids: tuple[str, ...]
    raters: tuple[str, ...]
    carried: Mapping[str, tuple[str | None, ...]]
    values: NDArray[np.float64]
    choices: tuple[str, ...]
    problems: tuple[Problem, ...]
    items: ItemNames
    told: str
    blank: int

    def __len__(self) -> int:
        return len(self.ids)


def read_answers(
    path: Place,
    instrument: Instrument,
    *,
    respondent: str | None = None,
    items: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Answers:
    """Read the answers to a questionnaire from a CSV or Parquet file; see `answers_of`."""
    from vsa.study.tables import read_table

    return answers_of(
        read_table(path, text=True), instrument, respondent=respondent, items=items, columns=columns
    )


def answers_of(
    table: pd.DataFrame,
    instrument: Instrument,
    *,
    respondent: str | None = None,
    items: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Answers:
    """Take the answers to a questionnaire out of a table.

    Parameters
    ----------
    table
        Wide: a row for each session and respondent, an item a column. Long: an answer a row, with columns for item and
        value. With `session_id`; `client_id` will do for attachment, which is asked of a person and not of a session.
    instrument
        The questionnaire.
    respondent
        Whose answers: the others' rows are left out. In a table that doesn't say who answered: who did.
    items
        How the items are called; see `find_items`.
    columns
        What a column is (see `vsa.study.answer_columns.ROLES`) -> how it is called, where that can't be guessed.

    Raises
    ------
    InputError
        When ids, items or respondents are missing or can't be told, or somebody answered twice. Answers that can't be
        scored raise nothing: they are `Answers.problems`.
    """
    source = str(table.attrs.get("source", "The table"))
    if respondent is not None and respondent not in instrument.respondents:
        raise InputError(
            f"{instrument.id} is filled in by the {' or '.join(instrument.respondents)}, not by the {respondent}.",
            "'vsa score --list' says who fills in which.",
        )
    called = find_columns([str(name) for name in table.columns], instrument, source, columns or {})
    text = _as_text(table)
    if called.instrument:
        text = _of_instrument(text, called.instrument, instrument, source)
    wanted = (respondent,) if respondent else instrument.respondents
    long = called.item and called.value
    names = list(dict.fromkeys(text[called.item])) if long else called.others
    found = find_items(names, instrument, items, wanted)
    raters, told = _raters(text, called, found, instrument, respondent, source)
    faults: list[str] = []
    make = long_sheets if long else wide_sheets
    sheets = wanted_sheets(
        make(text, called, found, raters, source), wanted, respondent is not None, instrument, faults
    )
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults[:_LISTED])
        more = f"\n  and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        raise InputError(f"{source} can't be scored:{lines}{more}", "Correct these rows, or take them out.")
    scored = [sheet for sheet in sheets if sheet.cells]
    if not scored:
        who = f" by the {respondent}" if respondent else ""
        raise InputError(f"{source} holds no answers{who} to {instrument.id}.", f"Items: {found.pattern}.")
    values, problems = _values(scored, instrument)
    carried = [name for name in called.carried if any(sheet.carried.get(name) for sheet in scored)]
    return Answers(
        source=source,
        key=called.key,
        ids=tuple(sheet.id for sheet in scored),
        raters=tuple(sheet.rater for sheet in scored),
        carried={name: tuple(sheet.carried.get(name) or None for sheet in scored) for name in carried},
        values=values,
        choices=tuple(sheet.choice for sheet in scored),
        problems=problems,
        items=found,
        told=told,
        blank=len(sheets) - len(scored),
    )


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Cells as text without blanks around them; "" where there is none. Rows are numbered as a spreadsheet does."""
    import pandas as pd

    text = {}
    for k, name in enumerate(table.columns):
        column = table.iloc[:, k]
        text[str(name)] = ["" if pd.isna(cell) else _text(cell) for cell in column]
    return pd.DataFrame(text, index=range(2, len(table) + 2), dtype=object)


def _text(cell: Any) -> str:
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _of_instrument(text: pd.DataFrame, column: str, instrument: Instrument, source: str) -> pd.DataFrame:
    kept = text[[squash(cell) == squash(instrument.id) for cell in text[column]]]
    if kept.empty:
        there = ", ".join(shown(name, 40) for name in sorted(set(text[column]))[:10])
        raise InputError(
            f"{source}, column {column}: there is no {instrument.id} among {there}.",
            f"Write {instrument.id} there, or say --column instrument= if the column means something else.",
        )
    return kept


def _raters(
    text: pd.DataFrame,
    called: Columns,
    found: ItemNames,
    instrument: Instrument,
    respondent: str | None,
    source: str,
) -> tuple[dict[int, str], str]:
    """Row -> who filled it in ("" if it doesn't say), and how that is known."""
    if called.respondent:
        column = text[called.respondent]
        strange = sorted({cell for cell in column if cell and cell.casefold() not in RESPONDENTS})
        if strange:
            raise InputError(
                f"{source}, column {called.respondent}: {', '.join(shown(s, 40) for s in strange[:8])}: who is that?",
                "Write client, therapist or observer; or say --column respondent= if the column means something "
                "else, and --respondent for all rows.",
            )
        told = f"as column {called.respondent} says"
        return {int(row): RESPONDENTS.get(cell.casefold(), "") for row, cell in column.items()}, told
    if found.respondent:
        if found.respondent not in ((respondent,) if respondent else instrument.respondents):
            raise InputError(
                f"'{shown(found.pattern)}' looks filled in by the {found.respondent}, not by the "
                f"{respondent or ' or '.join(instrument.respondents)}.",
                "Give the questionnaire and the columns that belong together.",
            )
        return dict.fromkeys(text.index, found.respondent), f"as '{shown(found.pattern)}' says"
    if respondent:
        return dict.fromkeys(text.index, respondent), "as --respondent says"
    if len(instrument.respondents) == 1:
        only = instrument.respondents[0]
        return dict.fromkeys(text.index, only), f"{instrument.id} has no other form"
    raise InputError(
        f"{source} doesn't say who filled in {instrument.id}.",
        f"Add a column respondent ({', '.join(instrument.respondents)}), or say it with --respondent.",
    )


def _values(
    sheets: Sequence[Sheet], instrument: Instrument
) -> tuple[NDArray[np.float64], tuple[Problem, ...]]:
    values = np.full((len(sheets), len(instrument.items)), np.nan)
    problems = []
    for k, sheet in enumerate(sheets):
        for m, item in enumerate(instrument.items):
            cell, row = sheet.cells.get(item, ("", sheet.row))
            value, what = _value(cell, instrument) if cell else (np.nan, NOT_ANSWERED)
            values[k, m] = value
            if what:
                problems.append(Problem(sheet.id, sheet.rater, row, item, shown(cell, 40), what))
    return values, tuple(problems)


def _value(cell: str, instrument: Instrument) -> tuple[float, str]:
    """A cell's number, and what is wrong with it; NaN then, "" if nothing."""
    if not _NUMBER.fullmatch(cell):
        return np.nan, "not a number"
    value = float(cell.replace(",", "."))
    if not instrument.low <= value <= instrument.high:
        return np.nan, "out of range"
    if instrument.whole and not value.is_integer():
        return np.nan, "not a whole number"
    return value, ""
