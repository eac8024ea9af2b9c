"""Reading and writing Parquet files so that what a bad disk changed in them is noticed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from vsa.errors import InputError
from vsa.study.cells import shown
from vsa.study.simulated_mark import KEY, VALUE, is_marked

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


#: Of objects, what pandas calls those that are numbers, or yes and no, with gaps.
_NUMBERS = ("boolean", "integer", "floating", "mixed-integer-float", "empty")


class RowCountError(ValueError):
    """A table doesn't hold as many rows as it must."""


def read_parquet(file: Path | IO[bytes], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table, or some columns of it.

    Raises
    ------
    OSError, ValueError
        When it can't be read, or its pages are not those that were written (where it was written with checksums).
    """
    import pandas as pd

    names = None if columns is None else list(columns)
    with _damage():
        return pd.read_parquet(file, columns=names, page_checksum_verification=True)


def read_signals(path: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a table of a session's signals; all columns or some.

    Raises
    ------
    OSError, ValueError
        As `read_parquet`.
    InputError
        When a column holds something else than numbers.
    """
    table = read_parquet(path, None if columns is None else list(columns))
    check_numbers(table, path)
    return table


def check_numbers(table: pd.DataFrame, path: Path, besides: Sequence[str] = ("participant",)) -> None:
    """See that the columns of a session's signals hold numbers, or yes and no.

    Raises
    ------
    InputError
        When another than those `besides` holds something else.
    """
    from pandas.api.types import infer_dtype, is_numeric_dtype

    for name in table:
        kind = table[name].dtype
        if name in besides or is_numeric_dtype(kind) or infer_dtype(table[name]) in _NUMBERS:
            continue
        raise InputError(
            f"{path}: column {shown(str(name))} holds something else than numbers.",
            "Extract the session again, with 'vsa extract --afresh'.",
        )


def read_row(file: Path | IO[bytes], *, alone: bool = False) -> pa.Table:
    """Read a table of few rows and many columns, in half of the time that a data frame takes.

    Parameters
    ----------
    file
        The file.
    alone
        It must hold one row; whether it says so is looked at before anything is unpacked.

    Raises
    ------
    OSError, ValueError
        As `read_parquet`; also when there is not one row and there must be.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = file.read_bytes() if isinstance(file, Path) else file.read()
    with _damage():
        # threads, and reads ahead, cost more than one row's columns
        opened = pq.ParquetFile(pa.BufferReader(held), page_checksum_verification=True, pre_buffer=False)
        if alone and (rows := opened.metadata.num_rows) != 1:
            raise RowCountError(f"it holds {rows} rows, not one")
        return opened.read(use_threads=False)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, with checksums.

    Raises
    ------
    OSError
        When it can't be written.
    """
    table.to_parquet(path, index=False, write_page_checksum=True)


def write_row(row: Mapping[str, str | float], path: Path) -> None:
    """Write one row as `write_parquet` does, in half of the time that it takes where columns are many.

    What replaces a simulated row is simulated too.

    Parameters
    ----------
    row
        Column to value; NaN is missing.
    path
        The file.

    Raises
    ------
    OSError
        When it can't be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            name: pa.array([value], pa.string() if isinstance(value, str) else pa.float64(), from_pandas=True)
            for name, value in row.items()
        }
    )
    if is_marked(path):
        table = table.replace_schema_metadata({KEY: VALUE})
    # what helps to find and pack values of many rows takes longer than one row
    pq.write_table(table, path, write_page_checksum=True, use_dictionary=False, write_statistics=False)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as `write_parquet` does.

    Raises
    ------
    OSError
        When it can't be written.
    """
    import pyarrow.parquet as pq

    pq.write_table(table, path, write_page_checksum=True)


@contextmanager
def _damage() -> Iterator[None]:
    """A damaged file may fail in any way."""
    try:
        yield
    except (OSError, ValueError):
        raise
    except Exception as error:
        raise ValueError(f"it is damaged: {error}") from None
