"""Marks of reviewers, as the report's pages export them: which sessions they looked at, and whether they agree."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.errors import InputError
from vsa.study.cells import restored, shown
from vsa.study.plan import normal_id
from vsa.study.rows import Grid, key, read_grid

if TYPE_CHECKING:
    import pandas as pd

AGREE, DISAGREE, CANNOT_TELL = "agree", "disagree", "cannot tell"
MARKS = (AGREE, DISAGREE, CANNOT_TELL)
VERDICTS = ("weak", "ok", "abstain")
#: Must be there, and may be.
_NEEDED = ("session_id", "verdict", "mark")
_COLUMNS = (*_NEEDED, "probability", "note", "reviewer", "marked_at", "model", "model_print", "simulated")
_SIMULATED = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}
_PRINT = re.compile(r"[0-9a-f]{12}")
#: Faults that one message lists; more are counted.
_LISTED = 25
_EXPORTED = "Give the CSV file that the report's pages export; a spreadsheet may have changed it."


def read_reviews(paths: Sequence[Path]) -> pd.DataFrame:
    """Read the marks of one or more reviewers.

    Parameters
    ----------
    paths
        CSV files with commas, semicolons or tabs. Columns: `session_id`, `verdict` (weak, ok, abstain: what the
        reviewer saw), `mark` (agree, disagree, cannot tell); and, where known, `probability`, `note`, `reviewer`,
        `marked_at`, `model`, `model_print` and `simulated`.

    Returns
    -------
    One row for each session and reviewer, in the order of the files: the same columns, `probability` NaN and
    `marked_at` NaT (UTC) where not known. Who marked a session again is taken at the later word. A reviewer without
    initials is called after the file. ``attrs["notes"]`` says what was left out.

    Raises
    ------
    InputError
        When a file can't be read, or anything in it is wrong; all faults are told at once.
    """
    import pandas as pd

    faults, rows, notes = list[str](), list[dict[str, Any]](), list[str]()
    for path in paths:
        found, nameless, unmarked = _read(path, faults)
        rows += found
        if nameless:
            notes.append(f"{path.name} does not say whose marks these are: they count as one reviewer's.")
        if unmarked:
            notes.append(f"{path.name}: rows with a note and no mark do not count: {unmarked}.")
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults[:_LISTED])
        more = f"\n  and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        raise InputError(f"The reviews can't be used:{listed}{more}", _EXPORTED)
    if not rows:
        raise InputError(f"{' and '.join(path.name for path in paths)}: there are no marks.", _EXPORTED)
    latest = _latest(rows)
    if again := len(rows) - len(latest):
        notes.append(f"Marks that the same reviewer made anew later do not count: {again}.")
    table = pd.DataFrame(latest, columns=_COLUMNS)
    table["marked_at"] = pd.to_datetime(table["marked_at"], utc=True)
    table.attrs["notes"] = tuple(notes)
    return table


def _read(path: Path, faults: list[str]) -> tuple[list[dict[str, Any]], bool, int]:
    """Rows of a file; whether some don't say whose they are; and how many have a note alone."""
    grid = _grid(path)
    lacking = [name for name in _NEEDED if name not in grid.header]
    if lacking:
        faults.append(
            f"{path.name}, row {grid.top + 1}: there is no column {' and no column '.join(lacking)}"
        )
        return [], False, 0
    rows, nameless, unmarked = list[dict[str, Any]](), False, 0
    for at, cells in grid.records():
        wide = len(grid.rows[at].cells) - len(grid.header)
        if wide > 0 and any(grid.rows[at].cells[-wide:]):
            faults.append(f"{path.name}, row {at + 1}: it has {wide} more cells than the header")
            continue
        cells = {name: restored(cells.get(name, "")) for name in _COLUMNS}
        if not cells["mark"] and cells["note"]:
            unmarked += 1
            continue
        row, wrong = _row(cells)
        faults += [f"{path.name}, row {at + 1}, column {column}: {why}" for column, why in wrong]
        nameless |= not row["reviewer"]
        rows.append({**row, "reviewer": row["reviewer"] or f"the reviewer of {path.name}"})
    return rows, nameless, unmarked


def _grid(path: Path) -> Grid:
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Give the CSV file that the report's pages export.")
    try:
        grid = read_grid(path)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} can't be read as a table ({error}).", _EXPORTED) from None
    if grid is None:
        raise InputError(f"{path} has no column session_id.", _EXPORTED)
    return grid


def _row(cells: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A row's values, and what is wrong with them, by column."""
    wrong = list[tuple[str, str]]()
    row: dict[str, Any] = {
        "session_id": normal_id(cells["session_id"]),
        "verdict": cells["verdict"].lower(),
        "mark": cells["mark"].lower().replace("_", " "),
        "note": cells["note"],
        "reviewer": " ".join(cells["reviewer"].split()),
        "model": cells["model"],
        "model_print": cells["model_print"].lower(),
        "simulated": _SIMULATED.get(cells["simulated"].lower()),
        "probability": _number(cells["probability"]),
        "marked_at": _time(cells["marked_at"]),
    }

    def fault(column: str, right: str) -> None:
        wrong.append((column, f"'{shown(cells[column], 40)}' is none; write {right}"))

    if not row["session_id"]:
        wrong.append(("session_id", "it is empty; write the session's id"))
    if row["verdict"] not in VERDICTS:
        fault("verdict", f"what the list said: {', '.join(VERDICTS)}")
    if row["mark"] not in MARKS:
        fault("mark", f"one of {', '.join(MARKS)}")
    if row["probability"] is None:
        fault("probability", "a number from 0 to 1, or nothing")
    if row["marked_at"] is None and cells["marked_at"]:
        fault("marked_at", "a time as 2026-01-31T09:30:00Z")
    if row["model_print"] and not _PRINT.fullmatch(row["model_print"]):
        fault("model_print", "the 12 digits (0-9, a-f) that the report gave the model, as text")
    if row["simulated"] is None:
        fault("simulated", "true or false")
    return row, wrong


def _number(cell: str) -> float | None:
    """A probability; NaN for an empty cell, None for what is none."""
    try:
        value = float(cell.replace(",", ".")) if cell else math.nan
    except ValueError:
        return None
    return value if not cell or 0 <= value <= 1 else None


def _time(cell: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(cell)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _latest(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The later mark where a reviewer has two of a session; without times that which stands below."""
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        who = key("session", row["session_id"]), row["reviewer"].casefold()
        before = kept.get(who)
        if before is None or _since(row) >= _since(before):
            kept[who] = row
    return list(kept.values())


def _since(row: Mapping[str, Any]) -> datetime:
    return row["marked_at"] or datetime.min.replace(tzinfo=UTC)
