"""The manifest: a CSV file with one row per session. Every fault is reported at once, before anything starts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vsa.errors import InputError
from vsa.study.plan import SessionPlan, TileHint, Video, id_fault, parse_tile

#: Faults that one message lists; more are counted.
_LISTED = 25


@dataclass(frozen=True)
class Manifest:
    """A clean manifest.

    Attributes
    ----------
    plans
        Sessions with consent.
    without_consent
        Ids of the sessions that are not processed.
    """

    plans: list[SessionPlan]
    without_consent: list[str]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; `row` counts as a spreadsheet does, the header being 1."""

    row: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column}: {self.text}"


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    path
        CSV in UTF-8, with commas, semicolons or tabs; paths in it are relative to it.

    Raises
    ------
    InputError
        With every fault found: row, column, value, and what would be right.
    """
    header, rows = _table(path)
    faults = list(_header_faults(header))
    plans: list[SessionPlan] = []
    refused: list[SessionPlan] = []
    seen: dict[str, int] = {}
    if not faults:
        for number, row in rows:
            found = list(_row_faults(row, number, path, header))
            if (earlier := seen.get(row["session_id"])) and row["session_id"]:
                found.append(
                    Fault(number, "session_id", f"'{row['session_id']}' is the id of row {earlier} already")
                )
            seen.setdefault(row["session_id"], number)
            faults += found
            if not found:
                (plans if _consented(row) else refused).append(_plan(row, path, header))
        if not rows:
            faults.append(Fault(2, "session_id", "there are no sessions in it"))
    if faults:
        shown = "".join(f"\n  {fault}" for fault in faults[:_LISTED])
        more = f"\n  and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        raise InputError(f"{path} has {len(faults)} fault{'s'[: len(faults) > 1]}:{shown}{more}", "")
    return Manifest(plans, [plan.session_id for plan in refused])


def _table(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as CSV (UTF-8).") from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in line]) for line in reader]
    except csv.Error as error:
        raise InputError(f"{path} is no CSV file ({error}).", "Save it as CSV (UTF-8).") from None
    if not lines:
        raise InputError(f"{path} is empty.", "`session_id,video,consent` is the least that it needs.")
    header = lines[0][1]
    rows = [
        (number, dict(zip(header, [*cells, *[""] * len(header)], strict=False)))
        for number, (_, cells) in enumerate(lines[1:], 2)
        if any(cells)
    ]
    return header, rows


def _header_faults(header: list[str]) -> Iterator[Fault]:
    if "session_id" not in header:
        yield Fault(1, "session_id", "the column is missing")
    own = [name for name in header if name.startswith("video:")]
    if "video" not in header and not own:
        yield Fault(1, "video", "the column is missing; give video, or video:<role> for each participant")
    if "consent" not in header and not any(name.startswith("consent:") for name in header):
        yield Fault(1, "consent", "the column is missing; sessions are processed where it says yes")
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        yield Fault(1, name, "there are two columns of that name")
    for name in header:
        if name.endswith(":"):
            yield Fault(1, name, "a role is missing after the colon")


def _row_faults(row: Mapping[str, str], number: int, path: Path, header: list[str]) -> Iterator[Fault]:
    if fault := id_fault(row["session_id"]):
        yield Fault(number, "session_id", f"'{row['session_id']}' can't name a session: {fault}")
    videos = {name: row[name] for name in header if name.split(":")[0] == "video" and row[name]}
    if not videos:
        yield Fault(number, "video", "there is no recording")
    if "video" in videos and len(videos) > 1:
        yield Fault(number, "video", "give either one recording of the call or one per participant, not both")
    for column, value in videos.items():
        if not (path.parent / value).exists():
            yield Fault(
                number,
                column,
                f"'{value}' does not exist (looked in {path.parent}). Fix the path, or remove the row.",
            )
    for column in header:
        if column.split(":")[0] == "tile" and row[column]:
            try:
                parse_tile(row[column])
            except ValueError as error:
                yield Fault(number, column, f"'{row[column]}' {error}")


def _consented(row: Mapping[str, str]) -> bool:
    """Whether everybody said yes: a bare ``consent``, and each ``consent:<role>``; anything else means no."""
    said = [value for name, value in row.items() if name.split(":")[0] == "consent"]
    return bool(said) and all(value.lower() == "yes" for value in said)


def _plan(row: Mapping[str, str], path: Path, header: list[str]) -> SessionPlan:
    videos, tiles, facts = [], dict[str, TileHint](), {}
    for column in header:
        kind, _, role = column.partition(":")
        value = row[column]
        if not value:
            continue
        if kind == "video":
            videos.append(Video((path.parent / value).absolute(), role or None))
        elif kind == "tile" and role:
            tiles[role] = parse_tile(value)
        elif kind not in ("session_id", "consent"):
            facts[column] = value
    return SessionPlan(row["session_id"], tuple(videos), tiles, facts)
