"""Reading tables row by row, and putting other cells into rows: what is left stays byte for byte."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal

from vsa.study.cells import restored
from vsa.study.disk import to_disk

Kind = Literal["session", "client", "therapist"]
KINDS: tuple[Kind, ...] = ("session", "client", "therapist")
#: Suffixes of tables that rows can be taken out of.
CSV, PARQUET = (".csv", ".tsv"), (".parquet", ".pq")

#: Columns that hold ids, without marks and case, and whose they may be.
_ID_COLUMNS: Mapping[str, tuple[Kind, ...]] = {
    "sessionid": ("session",),
    "clientid": ("client",),
    "patientid": ("client",),
    "therapistid": ("therapist",),
    "participantid": ("client", "therapist"),
    "personid": ("client", "therapist"),
}
#: A header stands among so many rows.
_TOP = 20
_BOMS = (  # the longer ones first: one begins as another does
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Ids by kind.
Ids = Mapping[Kind, Collection[str]]


@dataclass(frozen=True)
class Row:
    """A row of a CSV file: as it stands there, line end included, and its cells without blanks around them."""

    text: str
    cells: Sequence[str]

    @property
    def is_comment(self) -> bool:
        """Whether it is not read: it begins with #."""
        return bool(self.cells) and self.cells[0].startswith("#")


@dataclass(frozen=True)
class Grid:
    """A CSV file, row by row.

    Attributes
    ----------
    bom, encoding, delimiter
        As in the file.
    rows
        All, those above the header and blank ones too.
    top
        Which row is the header.
    """

    bom: bytes
    encoding: str
    delimiter: str
    rows: Sequence[Row]
    top: int

    @property
    def header(self) -> Sequence[str]:
        """Names of the columns."""
        return self.rows[self.top].cells

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Rows below the header that are no comments and not blank: which row, and its cells by column."""
        for k, row in enumerate(self.rows[self.top + 1 :], self.top + 1):
            if any(row.cells) and not row.is_comment:
                yield k, dict(zip(self.header, row.cells, strict=False))

    def bytes_of(self, rows: Sequence[str]) -> bytes:
        """The file with other rows."""
        return self.bom + "".join(rows).encode(self.encoding)


def key(kind: Kind, name: str) -> str:
    """An id as it is compared: those of sessions are one if they differ in case only."""
    name = unicodedata.normalize("NFC", restored(name.strip()))
    return name.casefold() if kind == "session" else name


def id_columns(names: tuple[str, ...]) -> dict[str, tuple[Kind, ...]]:
    """Columns that hold ids, and of what."""
    found = {name: _ID_COLUMNS.get(re.sub(r"[\W_]", "", name).lower()) for name in names}
    return {name: kinds for name, kinds in found.items() if kinds}


def read_grid(path: Path) -> Grid | None:
    """Read a CSV file (commas, semicolons or tabs) that has columns of ids; None if it has none.

    Raises
    ------
    OSError, ValueError
        When it can't be read, or is no CSV.
    """
    content = path.read_bytes()
    bom, encoding = next(((b, e) for b, e in _BOMS if content.startswith(b)), (b"", "utf-8"))
    try:
        text = content[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        if bom:
            raise
        encoding = "latin-1"  # one character a byte, whatever it really is: ids are compared in ASCII
        text = content.decode(encoding)
    if "id" not in text[: 1 << 16].lower():
        return None
    found, why = list[Grid](), None
    for delimiter in ",;\t":
        try:
            rows = list(_rows(text, delimiter))
        except csv.Error as error:
            why = why or error
            continue
        top = _header(rows)
        if top is not None:
            found.append(Grid(bom, encoding, delimiter, rows, top))
    if not found and why:
        raise ValueError(str(why))
    return max(found, key=lambda grid: len(grid.header), default=None)


def among(ids: Ids) -> Callable[[Mapping[str, str]], bool]:
    """Tells of a row, its cells by column, whether it has any of some ids."""
    keys = {kind: {key(kind, one) for one in names} for kind, names in ids.items()}
    columns = lru_cache(id_columns)

    def hit(record: Mapping[str, str]) -> bool:
        of_ids = columns(tuple(record)).items()
        return any(key(kind, record[name]) in keys.get(kind, ()) for name, kinds in of_ids for kind in kinds)

    return hit


def with_cells(
    row: Row, delimiter: str, header: Sequence[str], change: Callable[[str, str], str | None]
) -> str:
    """A row with other cells.

    Parameters
    ----------
    row, delimiter, header
        Of a `Grid`.
    change
        From a column's name and the cell to the new cell; None leaves it as it stands, quotes and blanks included.
    """
    end = row.text[len(row.text.rstrip("\r\n")) :]
    parts = _parts(row.text.rstrip("\r\n"), delimiter)
    if len(parts) != len(row.cells):
        raise ValueError("quotes stand where none can be")
    names = [*header, *[""] * len(parts)]
    new = []
    for name, part, cell in zip(names, parts, row.cells, strict=False):
        changed = change(name, cell)
        new.append(part if changed is None or changed == cell else changed)
    return delimiter.join(new) + end


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file beside one that takes its place when the block ends well."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        shutil.copymode(path, part)
        to_disk(part)
        os.replace(part, path)
        to_disk(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _header(rows: Sequence[Row]) -> int | None:
    """Which row names columns of ids."""
    filled = [k for k, row in enumerate(rows) if any(row.cells) and not row.is_comment][:_TOP]
    return next((k for k in filled if id_columns(tuple(rows[k].cells))), None)


def _rows(text: str, delimiter: str) -> Iterator[Row]:
    lines = iter(io.StringIO(text, newline="").readlines())
    for line in lines:
        if line.startswith("#"):  # nobody minds quotes in a comment
            yield Row(line, [line.strip()])
            continue
        taken = [line]
        reader = csv.reader(_noted(chain([line], lines), taken), delimiter=delimiter, strict=True)
        cells = next(reader, [])
        yield Row("".join(taken), [cell.strip() for cell in cells])


def _noted(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    """Lines as they are asked for; those after the first are kept."""
    for k, line in enumerate(lines):
        if k:
            taken.append(line)
        yield line


def _parts(text: str, delimiter: str) -> list[str]:
    """Cells as they stand in a row, quotes included."""
    parts, begin, quoted = [], 0, False
    for k, character in enumerate(text):
        if character == '"' and (quoted or k == begin):
            quoted = not quoted
        elif character == '"' and text[begin] == text[k - 1] == '"':  # the second of two within quotes
            quoted = True
        elif character == delimiter and not quoted:
            parts.append(text[begin:k])
            begin = k + 1
    return [*parts, text[begin:]]
