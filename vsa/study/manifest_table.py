"""The manifest as a table: which text its bytes are, where its cells end, and which rows are comments."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vsa.errors import InputError
from vsa.study.addresses import Place
from vsa.study.cells import shown

#: Begins a row that is not read.
COMMENT = "#"
_SAVE_AS = "Save it as CSV (UTF-8); Excel calls that 'CSV UTF-8'."
_BOMS = (  # the longer one first: that of UTF-16 begins that of UTF-32
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
#: What files of other kinds begin with.
_NO_TEXT = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF file",
}
#: Excel's way to name the separator, in a line that it does not show.
_SEP = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
#: What the csv module says, in other words.
_CSV_ERRORS = {
    "unexpected end of data": 'a quote (") is opened and never closed',
    "field larger than field limit": "a cell is longer than a cell can be",
    "expected after": 'text follows a closing quote (")',
}
#: More are no manifest.
_MOST_COLUMNS = 2000


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong; `row` counts as a spreadsheet does, from 1."""

    row: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"row {self.row}, column {shown(self.column, 40)}: {self.text}"


@dataclass(frozen=True)
class Table:
    """Rows of a manifest, each with its number as a spreadsheet counts; blank ones and comments are left out.

    Attributes
    ----------
    top, header
        Number of the header's row, and its cells.
    rows
        Those below it.
    commented
        Numbers of comments that hold a ``session_id`` among their cells: perhaps a header.
    """

    top: int
    header: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    commented: Sequence[int]


def read_rows(path: Place) -> Table:
    """Read the table of a manifest.

    Raises
    ------
    InputError
        When it can't be read, is no text in UTF-8 (or UTF-16 with its mark), no CSV, empty, or absurdly wide.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except ValueError:  # a NUL in it
        raise InputError(f"{shown(str(path))} cannot be a path.", "Check the path.") from None
    text = _decoded(content, path)
    delimiter = ""
    if sep := _SEP.match(text):
        delimiter, text = sep[1], text[sep.end() :]
    filled: list[tuple[int, list[str]]] = []
    commented: list[int] = []
    for number, cells in _records(text, delimiter or _delimiter(text), path):
        if cells and cells[0].startswith(COMMENT):
            if "session_id" in (cell.lstrip(COMMENT + " ") for cell in cells):
                commented.append(number)
        elif any(cells):
            filled.append((number, cells))
    if not filled:
        raise InputError(
            f"{path} is empty.",
            "'session_id,video,consent' is the least that it needs; 'vsa init' makes one to fill in.",
        )
    (top, header), *rows = filled
    if len(header) > _MOST_COLUMNS:
        raise InputError(
            f"{path} has {len(header)} columns, and a manifest has {_MOST_COLUMNS} at most.",
            "Leave out those that say nothing of whole sessions.",
        )
    return Table(top, header, rows, commented)


def _decoded(content: bytes, path: Place) -> str:
    for begin, what in _NO_TEXT.items():
        if content.startswith(begin):
            raise InputError(f"{path} is {what}, no CSV file.", f"Export the sheet. {_SAVE_AS}")
    encoding = next((name for bom, name in _BOMS if content.startswith(bom)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if not encoding.startswith("utf-8"):
            raise InputError(
                f"{path} begins as {encoding.upper()} text does, and is none ({error.reason}).", _SAVE_AS
            ) from None
        raise InputError(
            f"{path} is not UTF-8 text: {_first_wrong(content, error.start)}.", _SAVE_AS
        ) from None
    if "\0" in text.partition("\n")[0]:
        raise InputError(
            f"{path} is not UTF-8 text: its first line holds NUL characters, as UTF-16 without its mark does.",
            _SAVE_AS,
        )
    return text.removeprefix("\ufeff")


def _first_wrong(content: bytes, at: int) -> str:
    """Where text stops to be UTF-8, and what it may be."""
    row = content.count(b"\n", 0, at) + 1
    begin = max(content.rfind(mark, 0, at) for mark in (b"\n", b",", b";", b"\t")) + 1
    ends = [end for mark in (b"\n", b",", b";", b"\t") if (end := content.find(mark, at)) >= 0]
    cell = content[begin : min(ends, default=len(content))]
    try:
        return f"row {row} holds '{shown(cell.decode('cp1252').strip(), 40)}' if it is Windows-1252"
    except UnicodeDecodeError:
        return f"row {row} holds the byte 0x{content[at]:02X}"


def _delimiter(text: str) -> str:
    lines = (line for line in text.splitlines() if line.strip(' ,;\t"'))
    first = next((line for line in lines if not line.lstrip(' "').startswith(COMMENT)), "")
    return max(",;\t", key=first.count)


def _records(text: str, delimiter: str, path: Place) -> Iterator[tuple[int, list[str]]]:
    """Rows with their numbers. A comment may hold quotes that nobody closes; it has no cells then."""
    between = True

    def lines() -> Iterator[str]:
        nonlocal between
        for line in io.StringIO(text, newline=""):
            comment = between and line.lstrip().startswith(COMMENT)
            between = False
            yield line.replace('"', "") if comment else line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    number = 0
    while True:
        between, number = True, number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            why = next((plain for said, plain in _CSV_ERRORS.items() if said in str(error)), str(error))
            raise InputError(
                f"{path} is no CSV file that can be read: {why} (line {reader.line_num}).", _SAVE_AS
            ) from None
        yield number, [cell.strip() for cell in cells]
