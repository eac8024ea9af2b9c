"""Tables of simulated sessions say that they are simulated, wherever they are copied to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

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
    """Whether a Parquet file says that it is simulated; one that is not there, or can't be read, says nothing."""
    import pyarrow.parquet as pq

    try:
        return says_so(pq.read_schema(path))
    except (OSError, ValueError):
        return False


def says_so(schema: pa.Schema) -> bool:
    """Whether a table's schema says that it is simulated."""
    return bool((schema.metadata or {}).get(KEY) == VALUE)
