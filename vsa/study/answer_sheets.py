"""One filled-in questionnaire after the other, out of a wide or a long table; and what is wrong with their ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vsa.errors import InputError
from vsa.study.answer_columns import Columns
from vsa.study.cells import shown
from vsa.study.instruments import Instrument
from vsa.study.item_columns import ItemNames, squash
from vsa.study.plan import normal_id

if TYPE_CHECKING:
    import pandas as pd

#: How statistics programs write that there is nothing.
_NOTHING = ("", ".")


@dataclass
class Sheet:
    """One filled-in questionnaire: cells as text, with their rows; `twice` says what is there more than once."""

    id: str
    rater: str
    row: int
    carried: dict[str, str]
    cells: dict[str, tuple[str, int]] = field(default_factory=dict)
    choice: str = ""
    twice: list[str] = field(default_factory=list)


def wide_sheets(
    text: pd.DataFrame, called: Columns, found: ItemNames, raters: Mapping[int, str], source: str
) -> Iterator[Sheet]:
    """A sheet for each row that holds anything.

    Raises
    ------
    InputError
        When two columns are the same item.
    """
    for item, names in found.of.items():
        if len(names) > 1:
            raise InputError(
                f"{source}: {' and '.join(map(shown, names))} are both item {item}.",
                "Say which is meant, with --items, or rename the other.",
            )
    for row, cells in zip(text.index, text.to_dict("records"), strict=True):
        if any(cells.values()):
            sheet = _sheet(row, cells, called, raters)
            given = ((item, cells[names[0]]) for item, names in found.of.items())
            sheet.cells = {item: (cell, row) for item, cell in given if cell not in _NOTHING}
            yield sheet


def long_sheets(
    text: pd.DataFrame, called: Columns, found: ItemNames, raters: Mapping[int, str], source: str
) -> Iterator[Sheet]:
    """A sheet for each session and respondent."""
    item_of = {name: item for item, names in found.of.items() for name in names}
    sheets: dict[tuple[str, str], Sheet] = {}
    for row, cells in zip(text.index, text.to_dict("records"), strict=True):
        name, cell = cells[called.item], cells[called.value]
        item = item_of.get(name)
        if item is None and squash(name) not in called.choices:
            continue
        new = _sheet(row, cells, called, raters)
        sheet = sheets.setdefault((new.id, new.rater), new)
        if item is None:
            sheet.choice = cell
        elif cell not in _NOTHING:
            before = sheet.cells.setdefault(item, (cell, row))[1]
            if before != row:
                sheet.twice.append(
                    f"rows {before} and {row}: item {item} of {shown(new.id)} ({new.rater}) is there twice"
                )
    yield from sheets.values()


def _sheet(row: int, cells: Mapping[str, str], called: Columns, raters: Mapping[int, str]) -> Sheet:
    carried = {name: cells[column] for name, column in called.carried.items()}
    choice = cells[called.choice] if called.choice else ""
    return Sheet(normal_id(cells[called.id]), raters[row], row, carried, choice=choice)


def wanted_sheets(
    rows: Iterator[Sheet], wanted: Sequence[str], chosen: bool, instrument: Instrument, faults: list[str]
) -> list[Sheet]:
    """Sheets of those whose answers are wanted; what is wrong with the others goes to `faults`."""
    sheets: list[Sheet] = []
    first: dict[tuple[str, str], int] = {}
    for sheet in rows:
        if sheet.rater in wanted and sheet.id and not sheet.cells:
            sheets.append(sheet)
        if not sheet.cells or (chosen and sheet.rater and sheet.rater not in wanted):
            continue
        if not sheet.id:
            faults.append(f"row {sheet.row}: there are answers and no id")
        elif not sheet.rater:
            faults.append(f"row {sheet.row}: it doesn't say who answered")
        elif sheet.rater not in wanted:
            faults.append(
                f"row {sheet.row}: the {sheet.rater} answered, and {instrument.id} is for the "
                f"{' or '.join(instrument.respondents)}; --respondent leaves others out"
            )
        elif (before := first.setdefault((sheet.id, sheet.rater), sheet.row)) != sheet.row:
            faults.append(f"rows {before} and {sheet.row}: {shown(sheet.id)} has two of the {sheet.rater}'s")
        else:
            sheets.append(sheet)
            faults.extend(sheet.twice)
    return sheets
