"""The manifest: a CSV file with one row per session. Every fault is reported at once, before anything starts."""

from __future__ import annotations

import csv
import io
import re
import stat
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsa.errors import InputError
from vsa.study.cells import shown
from vsa.study.plan import SessionPlan, TileHint, Video, id_fault, normal_id, parse_tile

#: Faults that one message lists; more are counted.
_LISTED = 25
#: Columns that speak of one participant: ``video:client``.
_BY_ROLE = ("video", "audio", "tile", "consent")
#: A role begins the names of features.
_ROLE = re.compile(r"[A-Za-z][\w-]*")
#: Names that features and voices give to somebody else.
_NO_ROLE = re.compile(r"dyad|off_camera|unknown|p\d+", re.IGNORECASE)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
#: What the csv module says, in other words.
_CSV_ERRORS = {
    "unexpected end of data": 'a quote (") is opened and never closed',
    "field larger than field limit": "a cell is longer than a cell can be",
    "expected after": 'text follows a closing quote (")',
}


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
        return f"row {self.row}, column {shown(self.column, 40)}: {self.text}"


def read_manifest(path: Path, finished: Container[str] = ()) -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    path
        CSV in UTF-8, with commas, semicolons or tabs; paths in it are relative to it.
    finished
        Ids of sessions whose results are there: their recordings may have been deleted.

    Raises
    ------
    InputError
        With every fault found: row, column, value, and what would be right.
    """
    top, header, rows = _table(path)
    faults = list(_header_faults(top, header))
    plans: list[SessionPlan] = []
    refused: list[str] = []
    seen: dict[str, tuple[int, str]] = {}
    for number, cells in rows:
        row = dict(zip(header, [*cells, *[""] * len(header)], strict=False))
        row["session_id"] = normal_id(row.get("session_id", ""))
        consented = _consented(row)
        may_be_gone = row["session_id"] in finished or bool(_columns(row, "consent") and not consented)
        found = [*_stray_faults(number, header, cells)]
        if "session_id" in header:
            found += _id_faults(row["session_id"], number, seen)
        found += _video_faults(row, number, path.parent, may_be_gone)
        found += _tile_faults(row, number)
        faults += found
        if not consented:
            refused.append(row["session_id"])
        elif not found and not faults:
            plans.append(_plan(row, path.parent))
    if not rows:
        faults.append(Fault(top + 1, "session_id", "there are no sessions; add a row for each"))
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults[:_LISTED])
        more = f"\n  and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        raise InputError(
            f"{path} has {len(faults)} fault{'s'[: len(faults) > 1]}:{listed}{more}", "Nothing was started."
        )
    return Manifest(plans, refused)


def _table(path: Path) -> tuple[int, list[str], list[tuple[int, list[str]]]]:
    """Number of the header's row, the header, and the other rows that are not blank with their numbers."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as CSV (UTF-8).") from None
    first = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        lines = [(number, [cell.strip() for cell in line]) for number, line in enumerate(reader, 1)]
    except csv.Error as error:
        why = next((plain for said, plain in _CSV_ERRORS.items() if said in str(error)), str(error))
        raise InputError(
            f"{path} is no CSV file that can be read: {why} (line {reader.line_num}).",
            "Save it as CSV (UTF-8).",
        ) from None
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        raise InputError(f"{path} is empty.", "`session_id,video,consent` is the least that it needs.")
    (top, header), *rows = lines
    return top, header, rows


def _header_faults(top: int, header: Sequence[str]) -> Iterator[Fault]:
    def missing(name: str, remedy: str) -> Fault:
        alike = [other for other in header if re.sub(r"[\W_]", "", other).lower() == name.replace("_", "")]
        return Fault(top, name, f"the column is missing; {f'rename {shown(alike[0])}' if alike else remedy}")

    if "session_id" not in header:
        yield missing("session_id", "give each session a name of its own")
    if not _columns(header, "video"):
        yield missing("video", "give video, or video:<role> for each participant")
    if not _columns(header, "consent"):
        yield missing("consent", "sessions are processed where it says yes")
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        yield Fault(top, name, "there are two columns of that name; rename or remove one")
    roles = dict[str, str]()
    for name in header:
        kind, colon, role = name.partition(":")
        if name in ("tile", "audio") or (kind in _BY_ROLE and colon and not role):
            yield Fault(top, name, f"name the participant: {kind}:<role>, as {kind}:client")
        elif kind in _BY_ROLE and role:
            roles.setdefault(role, name)
            if not _ROLE.fullmatch(role) or _NO_ROLE.fullmatch(role):
                yield Fault(
                    top,
                    name,
                    f"'{shown(role)}' can't be a role: begin with a letter, go on with letters, digits, _ or -; "
                    "dyad, off_camera, unknown, p1, p2, … are taken",
                )
    if _columns(header, "consent") and "consent" not in header:
        for role, name in roles.items():
            if f"consent:{role}" not in header:
                yield Fault(
                    top, f"consent:{role}", f"the column is missing, and {shown(name)} is there; add it"
                )


def _stray_faults(number: int, header: Sequence[str], cells: Sequence[str]) -> Iterator[Fault]:
    if any(cells[len(header) :]):
        yield Fault(
            number,
            header[-1],
            f"the row has {len(cells)} cells and the header {len(header)}; put quotes around a cell that holds the "
            'separator, as "0,0,640,360"',
        )
    for name, value in zip(header, cells, strict=False):
        if value and not name:
            yield Fault(
                number, "(no name)", f"'{shown(value)}' stands in a column without a name; give it one"
            )


def _id_faults(session_id: str, number: int, seen: dict[str, tuple[int, str]]) -> Iterator[Fault]:
    if fault := id_fault(session_id):
        yield Fault(number, "session_id", f"'{shown(session_id)}' can't name a session: {fault}")
        return
    row, other = seen.setdefault(session_id.casefold(), (number, session_id))
    if row != number:
        same = "is the id of" if other == session_id else f"differs only in case from '{other}' in"
        yield Fault(number, "session_id", f"'{session_id}' {same} row {row}; give each session its own")


def _video_faults(row: Mapping[str, str], number: int, folder: Path, may_be_gone: bool) -> Iterator[Fault]:
    """Without consent, or when the session is finished, a recording may be gone: it will not be read."""
    videos = {name: row[name] for name in _columns(row, "video") if row[name]}
    if not videos and _columns(row, "video"):
        yield Fault(number, "video", "there is no recording; give its path, or remove the row")
    if "video" in videos and len(videos) > 1:
        yield Fault(number, "video", "give either one recording of the call or one per participant, not both")
    if may_be_gone:
        return
    first: dict[tuple[str, str], str] = {}
    for column in (*videos, *(name for name in _columns(row, "audio") if row[name])):
        value, kind = row[column], column.partition(":")[0]
        if fault := _file_fault(value, folder):
            yield Fault(number, column, f"'{shown(value)}' {fault}")
        elif (taken := first.setdefault((kind, value), column)) != column:
            yield Fault(number, column, f"'{shown(value)}' is {taken} already; one recording each")


def _file_fault(value: str, folder: Path) -> str:
    if _ADDRESS.match(value):
        return "is an address, and only files can be read. Copy it to this machine and give its path."
    try:
        mode = (folder / value).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return f"does not exist (looked in {folder}). Fix the path, or remove the row."
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return f"can't be read ({why}). Fix the path or its permissions."
    return "is a folder. Give the recording in it." if stat.S_ISDIR(mode) else ""


def _tile_faults(row: Mapping[str, str], number: int) -> Iterator[Fault]:
    own = {name.partition(":")[2] for name in _columns(row, "video") if row[name]} - {""}
    taken: dict[TileHint, str] = {}
    for column in _columns(row, "tile"):
        value, role = row[column], column.partition(":")[2]
        if not value or not role:
            continue
        try:
            hint = parse_tile(value)
        except ValueError as error:
            yield Fault(number, column, f"'{shown(value)}' {error}")
            continue
        if own and role not in own:
            yield Fault(number, column, f"there is no video:{role} in which '{shown(value)}' could be")
        elif not own and taken.setdefault(hint, column) != column:
            yield Fault(number, column, f"'{shown(value)}' is {taken[hint]} already; give each their own")


def _columns(names: Mapping[str, str] | Sequence[str], kind: str) -> list[str]:
    """Columns of a kind, with and without a role."""
    return [name for name in names if name.partition(":")[0] == kind]


def _consented(row: Mapping[str, str]) -> bool:
    """Whether everybody said yes: a bare ``consent``, and each ``consent:<role>``; anything else means no."""
    said = [row[name] for name in _columns(row, "consent")]
    return bool(said) and all(value.lower() == "yes" for value in said)


def _plan(row: Mapping[str, str], folder: Path) -> SessionPlan:
    videos, facts = [], {}
    tiles, audio = dict[str, TileHint](), dict[str, Path]()
    for column, value in row.items():
        kind, _, role = column.partition(":")
        if not value:
            continue
        if kind == "video":
            videos.append(Video((folder / value).absolute(), role or None))
        elif kind == "tile":
            tiles[role] = parse_tile(value)
        elif kind == "audio":
            audio[role] = (folder / value).absolute()
        elif kind not in ("session_id", "consent"):
            facts[column] = value
    return SessionPlan(row["session_id"], tuple(videos), tiles, facts, audio)
