"""One table of the features of all sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vsa.study.parquet import read_row
from vsa.study.simulated_mark import KEY, VALUE, says_so

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows that are packed at once: one alone takes a hundred times the memory of its values.
_BATCH = 256


def one_table(sessions: Iterable[Callable[[], Path | IO[bytes]]]) -> pa.Table:
    """The ``features.parquet`` of sessions as one table, which is simulated if all of them are.

    One that can't be read, or has text where those before it have numbers, is left out: it was changed after it was
    finished, and `vsa extract --afresh` mends it.

    Parameters
    ----------
    sessions
        Each opens the file of a session, in the order of the rows.
    """
    import pyarrow as pa

    schema = pa.schema([("session_id", pa.string())])
    packed: list[pa.Table] = []
    simulated = True
    ahead = iter(sessions)
    with (
        ThreadPoolExecutor() as pool
    ):  # a store answers slowly, and a disk's rows are unpacked beside each other
        while batch := list(islice(ahead, _BATCH)):
            rows = []
            for row in pool.map(_row, batch):
                if row is None or (wider := _widened(schema, row.schema)) is None:
                    continue
                schema = wider
                simulated &= says_so(row.schema)
                rows.append(row)
            packed.append(_packed(schema, rows))
    table = _packed(schema, packed)
    return table.replace_schema_metadata({KEY: VALUE} if simulated and table.num_rows else None)


def _row(opened: Callable[[], Path | IO[bytes]]) -> pa.Table | None:
    try:
        return read_row(opened())
    except (OSError, ValueError):
        return None


def _widened(schema: pa.Schema, further: pa.Schema) -> pa.Schema | None:
    """The columns of both; None where one of them has another kind."""
    import pyarrow as pa

    if schema.equals(further):  # all but the first, as a rule
        return schema
    try:
        return pa.unify_schemas([schema, further], promote_options="permissive")
    except pa.ArrowTypeError:
        return None


def _packed(schema: pa.Schema, tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables([schema.empty_table(), *tables], promote_options="permissive").combine_chunks()
