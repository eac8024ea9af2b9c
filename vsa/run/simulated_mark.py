"""Tables of simulated sessions say that they are simulated, wherever they are copied to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

#: In the metadata of a Parquet file's schema.
KEY, VALUE = b"simulated", b"true"


def mark(tables: Iterable[Path]) -> None:
    """Write into Parquet files that they are simulated; rows and columns stay.

    Raises
    ------
    OSError
        When one can't be written.
    """
    import pyarrow.parquet as pq

    for path in tables:
        with pq.ParquetFile(path) as file:
            table = file.read()
            compression = (
                file.metadata.row_group(0).column(0).compression if file.num_row_groups else "snappy"
            )
        known = table.schema.metadata or {}
        marked = table.replace_schema_metadata({**known, KEY: VALUE})
        pq.write_table(marked, path, compression=compression, write_page_checksum=True)


def is_marked(path: Path) -> bool:
    """Whether a Parquet file says that it is simulated."""
    import pyarrow.parquet as pq

    return bool((pq.read_schema(path).metadata or {}).get(KEY) == VALUE)
