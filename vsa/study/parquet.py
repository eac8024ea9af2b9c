"""Reading and writing Parquet files so that what a bad disk changed in them is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def read_parquet(file: Path | IO[bytes], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table, or some columns of it.

    Raises
    ------
    OSError, ValueError
        When it can't be read, or its pages are not those that were written (where it was written with checksums).
    """
    import pandas as pd

    names = None if columns is None else list(columns)
    try:
        return pd.read_parquet(file, columns=names, page_checksum_verification=True)
    except (OSError, ValueError):
        raise
    except Exception as error:  # a damaged file may fail in any way
        raise ValueError(f"it is damaged: {error}") from None


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index, with checksums.

    Raises
    ------
    OSError
        When it can't be written.
    """
    table.to_parquet(path, index=False, write_page_checksum=True)
