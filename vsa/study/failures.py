"""``failures.csv``: the sessions that are not there, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from vsa.study.cells import neutral, restored

COLUMNS = ("session_id", "stage", "error", "hint")


@dataclass(frozen=True)
class Failure:
    """Why a session is not there.

    Attributes
    ----------
    session_id
        Of the manifest, or the file's name.
    stage
        ``media``, ``face``, ``features``, ``write`` (see `vsa.errors.SessionError`), or ``defect``: vsa is at fault.
    error, hint
        What went wrong, and what to do.
    """

    session_id: str
    stage: str
    error: str
    hint: str


def read_failures(path: Path) -> list[Failure]:
    """Read the list; empty if it is not there, or was spoilt by another program."""
    try:
        text = path.read_text("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (OSError, ValueError, csv.Error):
        return []
    found = [Failure(*(restored(row.get(name) or "") for name in COLUMNS)) for row in rows]
    return [failure for failure in found if failure.session_id]


def brought_up_to_date(
    before: Iterable[Failure], failed: Iterable[Failure], tried: Iterable[str]
) -> list[Failure]:
    """The list after a run: sessions that were `tried` leave it unless they are among the `failed`."""
    new = {failure.session_id: failure for failure in failed}
    gone = {*tried, *new}
    return [*(failure for failure in before if failure.session_id not in gone), *new.values()]


def write_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write the list in order of id; no cell of it is a formula to a spreadsheet."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for failure in sorted(failures, key=lambda f: f.session_id):
            out.writerow([neutral(cell) for cell in astuple(failure)])
