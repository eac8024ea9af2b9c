"""Tables that people bring and take away: features, bonds, cohorts and lists, as CSV or Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from vsa.errors import InputError
from vsa.study.addresses import AddressError, Place, name_of
from vsa.study.cells import neutral
from vsa.study.parquet import read_parquet
from vsa.study.plan import id_fault
from vsa.study.session_files import read_record
from vsa.whole_file import replacing

if TYPE_CHECKING:
    import pandas as pd

#: Read as text whatever they look like: "007" is no seven.
IDS = ("session_id", "client_id", "therapist_id")

_DECIMAL_COMMA = re.compile(r"(^|;)-?\d+,\d+(;|$)", re.MULTILINE)


def read_table(path: Place, *, text: bool = False) -> pd.DataFrame:
    """Read a table, or the features of a results folder.

    Parameters
    ----------
    path
        CSV (UTF-8 or UTF-16; commas, semicolons or tabs), Parquet, or the folder that ``vsa extract`` wrote: its
        ``features.parquet``, with what the manifest said of each session as further columns. Or an address of these.
    text
        Leave the cells of a CSV file as they are written, each as text, and keep blank lines: row k of the result is
        row k + 2 of a spreadsheet.

    Returns
    -------
    One row per line; the columns in `IDS` are text. ``attrs["source"]`` names the file, and ``attrs["from"]`` what
    single columns come from, where that is something else.

    Raises
    ------
    InputError
        When there is no such table, or it can't be read, is empty or has two columns of one name.
    """
    try:
        folder, file = path.is_dir(), path.is_file()
        if folder and not (path / "features.parquet").is_file():
            raise InputError(
                f"{path} holds no features.parquet.", "Give a results folder of 'vsa extract', or a table."
            )
    except AddressError as error:
        raise InputError(f"{path}: {error}.", error.hint) from None
    if not folder and not file:
        raise InputError(f"{path} does not exist.", "Give a CSV or Parquet file, or a results folder.")
    table = _read(path / "features.parquet") if folder else _read(path, text)
    said = list[str]()
    if folder:
        measured = list(table)
        table = _with_facts(table, path)
        said = [name for name in table if name not in measured]
    if table.empty:
        raise InputError(f"{path} has no rows.", "")
    for name in IDS:
        if name in table:
            table[name] = table[name].astype("string").str.strip().replace("", None)
    table.attrs["source"] = name_of(path)
    table.attrs["from"] = dict.fromkeys(said, f"the manifest of {name_of(path)}")
    return table


def with_bonds(features: pd.DataFrame, bonds: pd.DataFrame) -> pd.DataFrame:
    """Put a table of bonds beside features, session by session.

    Parameters
    ----------
    features
        With `session_id`; every row is kept.
    bonds
        With `session_id`, once each; its other columns are added and replace those of the same name.

    Raises
    ------
    InputError
        Without `session_id`, with a session twice among the bonds, or when no session is in both.
    """
    for table in (features, bonds):
        if "session_id" not in table:
            raise InputError(f"{_name(table)} has no column session_id.", "Both tables need it to be joined.")
    twice = bonds["session_id"][bonds["session_id"].duplicated()].dropna().unique()
    if len(twice):
        raise InputError(
            f"{_name(bonds)} has more than one row for session {', '.join(map(str, twice[:5]))}.",
            "Keep one bond per session and rater.",
        )
    if not features["session_id"].isin(bonds["session_id"]).any():
        raise InputError(
            f"No session_id of {_name(features)} is in {_name(bonds)}.",
            f"They look like '{features['session_id'].iloc[0]}' and '{bonds['session_id'].iloc[0]}'.",
        )
    own = [name for name in features if name == "session_id" or name not in bonds]
    joined = features[own].merge(bonds, on="session_id", how="left", validate="many_to_one")
    joined.attrs["source"] = _name(bonds)
    joined.attrs["from"] = origins(features) | origins(bonds)
    return joined


def origins(table: pd.DataFrame) -> dict[str, str]:
    """What each column comes from, a file or a manifest."""
    return {**dict.fromkeys(map(str, table), _name(table)), **table.attrs.get("from", {})}


def of_rater(bonds: pd.DataFrame, rater: str) -> pd.DataFrame:
    """The bonds of one kind of rater, where there are several; the client's and the therapist's are not the same.

    Raises
    ------
    InputError
        When that one is not among them.
    """
    if "rater" not in bonds:
        return bonds
    who = bonds["rater"].astype("string").str.strip().str.lower()
    if who.nunique() < 2:
        return bonds
    asked = rater.strip().lower()
    if not (who == asked).any():
        raise InputError(
            f"{_name(bonds)} has no bonds rated by '{rater}'.",
            f"There are: {', '.join(sorted(who.dropna().unique()))}.",
        )
    kept = bonds[who == asked].reset_index(drop=True)
    kept.attrs.update(bonds.attrs)
    return kept


def write_csv(table: pd.DataFrame, path: Path, *, for_people: bool = False) -> None:
    """Write a CSV file, complete or not at all.

    Parameters
    ----------
    table
        Its rows and columns.
    path
        Of the file.
    for_people
        Whether a spreadsheet is likely to open it: text that it would take for a formula then gets an apostrophe
        before it. No command reads it back, or it takes the apostrophe away (`vsa.study.cells.restored`).

    Raises
    ------
    InputError
        When it can't be written.
    """
    if for_people:
        table = table.map(lambda cell: neutral(cell) if isinstance(cell, str) else cell)
    with replacing(path) as part:
        table.to_csv(part, index=False)


def _read(path: Place, text: bool = False) -> pd.DataFrame:

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            file = path if isinstance(path, Path) else io.BytesIO(path.read_bytes())
            return read_parquet(file)
        return _read_csv(path, text)
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text.", "Save it as CSV (UTF-8).") from None
    except (OSError, ValueError, csv.Error) as error:  # pandas' and pyarrow's errors are ValueErrors
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} can't be read as a table ({why}).", "Give CSV or Parquet.") from None


def _read_csv(path: Place, as_text: bool) -> pd.DataFrame:
    import pandas as pd

    text = _decoded(path.read_bytes())
    first = text.split("\n", 1)[0].rstrip("\r")
    if "\0" in text or not first.strip():
        raise ValueError("it is empty" if not first.strip() else "it holds binary data")
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [name.strip() for name in next(lines)]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ValueError(f"two columns are called {', '.join(twice)}")
    for number, cells in enumerate(lines, 2):
        if any(cells[len(header) :]):
            raise ValueError(f"row {number} has {len(cells)} cells and the header {len(header)}")
    decimal = "," if delimiter == ";" and _DECIMAL_COMMA.search(text.split("\n", 1)[-1]) else "."
    table = pd.read_csv(
        io.StringIO(text),
        sep=delimiter,
        decimal=decimal,
        dtype="string" if as_text else dict.fromkeys(IDS, "string"),
        skip_blank_lines=not as_text,
        index_col=False,  # rows that end in a delimiter don't begin with an index
        low_memory=False,
    )
    return table.rename(columns=lambda name: str(name).strip())


def _decoded(content: bytes) -> str:
    """Text in UTF-8, or in UTF-16 as spreadsheets save "Unicode text"."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig")


def _with_facts(table: pd.DataFrame, folder: Place) -> pd.DataFrame:
    """Add what the manifest said of each session, from its ``session.json``."""
    import pandas as pd

    facts = {}
    for session in table["session_id"].astype(str):
        if id_fault(session) or (record := read_record(folder / session)) is None:
            continue
        said = record.get("facts")
        if isinstance(said, dict):  # a person may have changed the file
            facts[session] = {k: v for k, v in said.items() if k not in table and v != ""}
    further = pd.DataFrame([facts.get(session, {}) for session in table["session_id"].astype(str)])
    for name in further:
        if name not in IDS:
            numbers = pd.to_numeric(further[name], errors="coerce")
            if numbers.notna().sum() == further[name].notna().sum():
                further[name] = numbers
    return pd.concat([table.reset_index(drop=True), further], axis=1)


def _name(table: pd.DataFrame) -> str:
    return str(table.attrs.get("source", "The table"))
