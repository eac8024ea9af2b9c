"""Counting and removing the rows of people, in tables of either format."""

from __future__ import annotations

from pathlib import Path

from vsa.study.gathering import ORIGINS
from vsa.study.rows import PARQUET, Ids, among, id_columns, read_grid, whole


def count_rows(path: Path, ids: Ids) -> int:
    """How many rows of a table have any of some ids.

    Raises
    ------
    OSError, ValueError
        When it can't be read.
    """
    if path.suffix.lower() in PARQUET:
        return sum(not kept for kept in _kept(path, ids))
    grid = read_grid(path)
    return 0 if grid is None else sum(map(among(ids), (record for _, record in grid.records())))


def remove_rows(path: Path, ids: Ids) -> int:
    """Take the rows with any of some ids out of a table; how many they were. It is replaced whole or not at all.

    Raises
    ------
    OSError, ValueError
        When it can't be read or written.
    """
    if path.suffix.lower() in PARQUET:
        return _remove_parquet_rows(path, ids)
    grid = read_grid(path)
    if grid is None:
        return 0
    hit = among(ids)
    gone = {k for k, record in grid.records() if hit(record)}
    if gone:
        left = grid.bytes_of([row.text for k, row in enumerate(grid.rows) if k not in gone])
        with whole(path) as part:
            part.write_bytes(left)
    return len(gone)


def _kept(path: Path, ids: Ids) -> list[bool]:
    """Which rows of a Parquet file have none of some ids; empty if it has no columns of ids."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = id_columns(tuple(file.schema_arrow.names))
            if not columns:
                return []
            table = file.read(columns=[*columns])
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None
    hit = among(ids)
    texts = [[_text(value) for value in table.column(name).to_pylist()] for name in columns]
    return [not hit(dict(zip(columns, row, strict=True))) for row in zip(*texts, strict=True)]


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _remove_parquet_rows(path: Path, ids: Ids) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept = _kept(path, ids)
    if all(kept):
        return 0
    with pq.ParquetFile(path) as file:
        table = file.read()
        compression = file.metadata.row_group(0).column(0).compression
    with whole(path) as part:
        left = table.filter(pa.array(kept))
        known = left.schema.metadata or {}
        # what says of each row which file it is from would say of those that are gone, too
        left = left.replace_schema_metadata({key: said for key, said in known.items() if key != ORIGINS})
        pq.write_table(left, part, compression=compression, write_page_checksum=True)
    return kept.count(False)
