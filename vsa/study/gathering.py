"""One table of the features of all sessions; rows of sessions that did not change come from the table of before.

To take a row apart takes 10 ms or more, for it is a file with hundreds of columns. So the table says in its metadata
which file each row is of, by its SHA-256.
"""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsa.study.parquet import RowCountError, read_row
from vsa.study.simulated_mark import KEY, VALUE, says_so

if TYPE_CHECKING:
    import pyarrow as pa

#: In the metadata of the table's schema: where its rows are from.
ORIGINS = b"vsa.origins"
#: Rows that are packed at once: one alone takes a hundred times the memory of its values.
_BATCH = 256
#: A row takes at least so much of what the metadata say: the SHA-256 of its file, bytes.
_SAID_OF_A_ROW = 64

#: Is told the id of a session whose row is left out, and why.
LeftOut = Callable[[str, str], object]


def own_row(content: bytes, session_id: str | None) -> pa.Table:
    """The one row of a session's ``features.parquet``; of any session where no id is given.

    Raises
    ------
    ValueError
        When it is damaged, or holds anything but one row of that session; the message says so.
    """
    try:
        table = read_row(io.BytesIO(content), alone=True)
    except RowCountError:
        raise
    except (OSError, ValueError):
        raise ValueError("it is damaged") from None
    if len({*table.column_names}) < table.num_columns:
        raise ValueError("two of its columns have one name")
    if session_id is None:
        return table
    if "session_id" not in table.column_names or table["session_id"][0].as_py() != session_id:
        raise ValueError("its row is not this session's")
    return table


def gathered(content: bytes) -> pa.Table:
    """A table of all sessions.

    Raises
    ------
    OSError, ValueError
        When it can't be read, or has more rows than it says where they are from.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(pa.BufferReader(content))
        said = len((found.metadata or {}).get(ORIGINS, b""))
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None
    if found.num_rows * _SAID_OF_A_ROW > said:
        raise ValueError("its rows are not those that were gathered")
    return read_row(io.BytesIO(content))


def one_table(
    files: Iterable[Callable[[], bytes]],
    before: pa.Table | None = None,
    names: Sequence[str] | None = None,
    left_out: LeftOut = lambda session_id, why: None,
) -> pa.Table:
    """The features of all sessions, which are simulated if each of them is.

    One that can't be read, holds anything but its one row, or has text where those before it have numbers, is left
    out: it was changed after it was finished, and `vsa extract --afresh` mends it.

    Parameters
    ----------
    files
        Read the file of each session, in the order of the rows; OSError where it is not there.
    before
        What was gathered before; its rows are taken where it says that they are of the same files.
    names
        Ids of the sessions: each file must hold its own. By default ids are not looked at.
    left_out
        Is told of the named sessions that are left out; not of those that are not there any more.
    """
    import pyarrow as pa

    earlier = _Earlier(before)
    schema = pa.schema([("session_id", pa.string())])
    columns: dict[tuple[str, ...], int] = {}
    origins: list[tuple[str, int, bool]] = []
    places: list[int | None] = []
    packed: list[pa.Table] = []
    ahead = zip(files, itertools.repeat(None) if names is None else names, strict=False)
    with (
        ThreadPoolExecutor() as pool
    ):  # a store answers slowly, and rows of a disk are unpacked beside each other
        while batch := list(itertools.islice(ahead, _BATCH)):
            read: list[pa.Table] = []
            for (_, name), row in zip(batch, pool.map(lambda one: earlier.row(*one), batch), strict=True):
                if isinstance(row, str) or (wider := _widened(schema, row.schema)) is None:
                    why = row if isinstance(row, str) else "its columns are of another kind than the others'"
                    if name is not None and why:
                        left_out(name, why)
                    continue
                schema = wider
                if row.table is not None:
                    read.append(row.table)
                kind = columns.setdefault(tuple(row.schema.names), len(columns))
                origins.append((row.sha256, kind, row.simulated))
                places.append(row.at)
            packed.append(_packed(schema, read))
    kinds_of = list(columns)
    kinds = {kind for (_, kind, _), place in zip(origins, places, strict=True) if place is not None}
    known = earlier.rows(places, set().union(*(kinds_of[kind] for kind in kinds)))
    table = _packed(schema, [known, *packed] if known is not None else packed).take(_order(places))
    if not origins:
        return table
    said = {"columns": kinds_of, "rows": origins}
    said["sha256"] = _fingerprint(table, said)
    simulated = {KEY: VALUE} if all(simulated for _, _, simulated in origins) else {}
    return table.replace_schema_metadata({**simulated, ORIGINS: json.dumps(said, separators=(",", ":"))})


@dataclass(frozen=True)
class _Row:
    """One row: in `table`, or `at` a place of the table of before; `sha256` of its file."""

    session_id: str
    sha256: str
    schema: pa.Schema
    simulated: bool
    table: pa.Table | None = None
    at: int | None = None


class _Earlier:
    """The table of before, as far as it is what was written then."""

    def __init__(self, table: pa.Table | None) -> None:
        self._table = table
        self._known: dict[str, _Row] = {}
        if table is None:
            return
        with suppress(LookupError, TypeError, ValueError, RecursionError):  # not written here
            said = json.loads(table.schema.metadata[ORIGINS])
            if said.pop("sha256") == _fingerprint(table, said):  # and not changed since
                self._known = _known(table, said)

    def row(self, read: Callable[[], bytes], name: str | None) -> _Row | str:
        """The row of a session; why there is none if it can't be read, empty if the file is gone."""
        try:
            held = read()
        except OSError as error:
            return "" if error.errno == errno.ENOENT else f"it can't be read ({error.strerror or error})"
        sha256 = hashlib.sha256(held).hexdigest()
        if (known := self._known.get(sha256)) is not None and name in (None, known.session_id):
            return known
        try:
            table = own_row(held, name)
        except ValueError as error:
            return str(error)
        return _Row(name or "", sha256, table.schema.remove_metadata(), says_so(table.schema), table)

    def rows(self, places: list[int | None], columns: set[str]) -> pa.Table | None:
        """The rows at these places, with these columns; None if there are none."""
        at = [place for place in places if place is not None]
        if not at or self._table is None:
            return None
        return self._table.select([name for name in self._table.column_names if name in columns]).take(at)


def _known(table: pa.Table, said: dict[str, Any]) -> dict[str, _Row]:
    import pyarrow as pa

    schemas = [pa.schema([table.schema.field(name) for name in names]) for names in said["columns"]]
    ids = table["session_id"].to_pylist()
    if not len({*ids}) == len(ids) == len(said["rows"]):
        return {}
    return {
        sha256: _Row(name, sha256, schemas[kind], simulated, at=at)
        for at, (name, (sha256, kind, simulated)) in enumerate(zip(ids, said["rows"], strict=True))
    }


def _widened(schema: pa.Schema, further: pa.Schema) -> pa.Schema | None:
    """The columns of both; None where one of them has another kind."""
    import pyarrow as pa

    if schema.equals(further):  # all but the first, as a rule
        return schema
    try:
        return pa.unify_schemas([schema, further], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None


def _packed(schema: pa.Schema, tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables([schema.empty_table(), *tables], promote_options="permissive").combine_chunks()


def _order(places: list[int | None]) -> pa.Array:
    """Where each row lies in a table of those that were known, and then of those that were read."""
    import pyarrow as pa

    known, read = itertools.count(), itertools.count(sum(place is not None for place in places))
    return pa.array([next(read if place is None else known) for place in places], pa.int64())


def _fingerprint(table: pa.Table, said: dict[str, Any]) -> str:
    """SHA-256 of names and values, and of what is said of them: metadata have no checksums."""
    import pyarrow as pa

    found = hashlib.sha256(json.dumps(said).encode())
    for name, column in zip(table.column_names, table.columns, strict=True):
        numbers = pa.types.is_floating(column.type)
        found.update(repr((name, str(column.type))).encode())
        found.update(column.to_numpy().tobytes() if numbers else repr(column.to_pylist()).encode())
    return found.hexdigest()
