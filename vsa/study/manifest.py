"""The manifest: a CSV file with one row per session. Every fault is reported at once, before anything starts."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsa.errors import InputError
from vsa.study.addresses import Place, place_of
from vsa.study.cells import shown
from vsa.study.consent import Consent, consent_of, purposes_in, why_left_out
from vsa.study.manifest_header import columns, header_faults, roles_of
from vsa.study.manifest_media import addresses_of, layout_faults, look_up, missing_faults
from vsa.study.manifest_row import ManifestRow, parse_row
from vsa.study.manifest_table import Fault, Table, read_rows
from vsa.study.plan import SessionPlan, Video, normal_id

#: Faults that one message lists; more are counted.
_LISTED = 25


@dataclass(frozen=True)
class LeftOut:
    """A session that is not processed.

    Attributes
    ----------
    session_id, consent
        The session, and what was agreed to.
    why
        What to tell of it; empty where the manifest plainly says no.
    """

    session_id: str
    consent: Consent
    why: str


@dataclass(frozen=True)
class Manifest:
    """A clean manifest.

    Attributes
    ----------
    plans
        Sessions with consent.
    left_out
        Sessions without.
    """

    plans: list[SessionPlan]
    left_out: list[LeftOut]

    @property
    def without_consent(self) -> list[str]:
        """Ids of the sessions that are not processed."""
        return [one.session_id for one in self.left_out]


@dataclass(frozen=True)
class _Row:
    """A row as it stands there and as it is read, but for the cells with faults; no consent if that has one."""

    number: int
    cells: Mapping[str, str]
    parsed: ManifestRow
    faults: Sequence[tuple[str, str]]
    consent: Consent | None


def read_manifest(path: Place, finished: Container[str] = (), purpose: str = "") -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    path
        CSV in UTF-8, with commas, semicolons or tabs; paths in it are relative to it.
    finished
        Ids of sessions whose results are there: their recordings may have been deleted.
    purpose
        Plan only sessions whose people all agreed to this one of `vsa.study.consent.PURPOSES`; empty: to any.

    Raises
    ------
    InputError
        With every fault found: row, column, value, and what would be right.
    """
    table = read_rows(path)
    faults = list(header_faults(table))
    rows = [_row(number, table, cells) for number, cells in table.rows]
    wanted = [_wanted(row, purpose) and row.cells["session_id"] not in finished for row in rows]
    addresses = look_up(
        address
        for row, looked in zip(rows, wanted, strict=True)
        for address in (addresses_of(row.parsed, path.parent) if looked else ())
    )
    seen: dict[str, tuple[int, str]] = {}
    for row, looked, (_, cells) in zip(rows, wanted, table.rows, strict=True):
        found = list(_stray_faults(row.number, table.header, cells))
        found += [Fault(row.number, *fault) for fault in _row_faults(row, table, seen)]
        if looked:
            found += [
                Fault(row.number, *fault) for fault in missing_faults(row.parsed, path.parent, addresses)
            ]
        faults += sorted(found, key=lambda fault: _position(fault.column, table.header))
    if not rows:
        faults.append(
            Fault(
                table.top + 1,
                "session_id",
                f"there are no sessions; add a row for each, below row {table.top}",
            )
        )
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults[:_LISTED])
        more = f"\n  and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        raise InputError(
            f"{path} has {len(faults)} fault{'s'[: len(faults) > 1]}:{listed}{more}", "Nothing was started."
        )
    return Manifest(
        [_plan(row, path.parent) for row in rows if _wanted(row, purpose)],
        [_left_out(row, purpose) for row in rows if not _wanted(row, purpose)],
    )


@dataclass(frozen=True)
class Stated:
    """What a row says of consent, whatever its other cells are.

    Attributes
    ----------
    session_id
        As it stands there.
    purposes
        What all of its people agreed to.
    places
        Its recordings and sound files.
    """

    session_id: str
    purposes: frozenset[str]
    places: tuple[Place, ...]


def read_stated(path: Place) -> list[Stated]:
    """What a manifest says of consent, row by row. Columns of other kinds are not looked at.

    Raises
    ------
    InputError
        When it can't be read, or a cell of consent is wrong.
    """
    table = read_rows(path)
    found = list[Stated]()
    if "session_id" not in table.header:
        raise InputError(
            f"{path} has no column session_id.", "It says what sessions may be used for; mend it."
        )
    for number, cells in table.rows:
        row = _by_column(table, cells)
        said = {name.partition(":")[2]: row[name] for name in columns(row, "consent")}
        try:
            consent = consent_of(
                {role: purposes_in(cell) for role, cell in said.items()}, roles_of(table.header)
            )
        except ValueError as error:
            raise InputError(f"{path}, row {number}, column consent: {error}.", "Mend it.") from None
        media = (row[name] for kind in ("video", "audio") for name in columns(row, kind) if row[name])
        places = tuple(place_of(value, path.parent) for value in media)
        found.append(Stated(row["session_id"], consent.purposes, places))
    return found


def read_consent(path: Place) -> dict[str, frozenset[str]]:
    """What a manifest says that its sessions may be used for, by id in lower case. Raises as `read_stated`."""
    return {one.session_id.casefold(): one.purposes for one in read_stated(path)}


def _by_column(table: Table, cells: Sequence[str]) -> dict[str, str]:
    row = dict(zip(table.header, [*cells, *[""] * len(table.header)], strict=False))
    row["session_id"] = normal_id(row.get("session_id", ""))
    return row


def _row(number: int, table: Table, cells: Sequence[str]) -> _Row:
    row = _by_column(table, cells)
    parsed, faults = parse_row(row)
    agreed = not any(column.partition(":")[0] == "consent" for column, _ in faults)
    consent = consent_of(parsed.consent, roles_of(table.header)) if agreed else None
    return _Row(number, row, parsed, faults, consent)


def _wanted(row: _Row, purpose: str) -> bool:
    """Whether a session is to be processed."""
    if row.consent is None:
        return False
    return purpose in row.consent.purposes if purpose else bool(row.consent.purposes)


def _row_faults(row: _Row, table: Table, seen: dict[str, tuple[int, str]]) -> Iterator[tuple[str, str]]:
    wrong = [fault for fault in row.faults if fault[0] != "session_id" or "session_id" in table.header]
    yield from wrong
    session_id = row.cells["session_id"]
    if "session_id" in table.header and not any(column == "session_id" for column, _ in wrong):
        number, other = seen.setdefault(session_id.casefold(), (row.number, session_id))
        if number != row.number:
            same = "is the id of" if other == session_id else f"differs only in case from '{other}' in"
            yield "session_id", f"'{session_id}' {same} row {number}; give each session its own"
    yield from layout_faults(row.parsed, bool(columns(table.header, "video")))


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


def _position(column: str, header: Sequence[str]) -> int:
    """Where a column stands; ``video`` where there is one per participant is the first of these."""
    places = [k for k, name in enumerate(header) if column in (name, name.partition(":")[0])]
    return places[0] if places else len(header)


def _left_out(row: _Row, purpose: str) -> LeftOut:
    assert row.consent is not None
    cells = {name: row.cells[name] for name in columns(row.cells, "consent")}
    return LeftOut(row.cells["session_id"], row.consent, why_left_out(row.consent, cells, purpose))


def _plan(row: _Row, folder: Place) -> SessionPlan:
    parsed = row.parsed
    return SessionPlan(
        parsed.session_id,
        tuple(
            Video(place_of(value, folder).absolute(), role or None) for role, value in parsed.video.items()
        ),
        parsed.tile,
        parsed.facts(),
        {role: place_of(value, folder).absolute() for role, value in parsed.audio.items()},
        row.consent,
    )
