"""Motion energy of two people as text: what MEA writes and rMEA reads.

A file has a line for each sample, one column for each region of interest, and most have a line of names above.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsa.errors import InputError
from vsa.study.cells import printable, shown
from vsa.study.tiers import fault, save

Floats = npt.NDArray[np.float64]

#: A day at 60 Hz takes less than this many bytes; what is larger is something else, as a video.
_LARGEST = 256 * 2**20
#: How a missing sample is written, in small letters.
_MISSING = ("", "na", "nan", "n/a", "null", ".")


@dataclass(frozen=True, eq=False)
class Pair:
    """Two evenly sampled series of one length.

    Attributes
    ----------
    names
        What the columns are called; they differ.
    first, second
        Shape (n,), NaN where missing.
    """

    names: tuple[str, str]
    first: Floats
    second: Floats


@dataclass(frozen=True, eq=False)
class _Table:
    """Columns of one file: their names, empty where it has none, and values, shape (n, columns)."""

    names: list[str]
    values: Floats


def read_pair(path: Path, second: Path | None = None, *, columns: tuple[int, int] | None = None) -> Pair:
    """Read two series from one file with two columns, or from two files with one column each.

    Blanks, tabs, semicolons or commas stand between columns; NA, NaN or nothing is a missing sample. Between tabs and
    semicolons a comma may be the decimal sign. The first line may hold names.

    Parameters
    ----------
    path, second
        The file, or both.
    columns
        Which columns, counted from 1: both in the one file, or one in each. All that there are if it is not given.

    Raises
    ------
    InputError
        When a file can't be read as that; names the line and says what to do.
    """
    if second is None:
        table = _read(path)
        a, b = _chosen(path, table, columns, 2)
        pair = [(table, a), (table, b)]
        fallback = (f"column {a + 1}", f"column {b + 1}")
    else:
        pair = []
        for number, file in enumerate((path, second)):
            table = _read(file)
            wanted = None if columns is None else (columns[number],)
            pair.append((table, _chosen(file, table, wanted, 1)[0]))
        fallback = (path.stem, second.stem)
        lengths = [len(table.values) for table, _ in pair]
        if lengths[0] != lengths[1]:
            raise InputError(
                f"{path} has {lengths[0]} samples and {second} has {lengths[1]}.",
                "Both must start and end at the same time: cut the longer one.",
            )
    names = [shown(table.names[k] or other, 40) for (table, k), other in zip(pair, fallback, strict=True)]
    if names[0] == names[1]:
        names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
    first, other = (table.values[:, k].copy() for table, k in pair)
    return Pair((names[0], names[1]), first, other)


def write_pair(path: Path, pair: Pair) -> None:
    """Write both series as MEA does: a line of names, then a line for each sample; NA where one is missing.

    Parameters
    ----------
    path
        The file; it is complete or not there.
    pair
        The series. Values keep six digits after the point, and six that count if they are below 1.

    Raises
    ------
    InputError
        When it can't be written.
    """
    lines = [" ".join('"{}"'.format(printable(name).replace('"', "'")) for name in pair.names)]
    lines += [f"{_text(a)} {_text(b)}" for a, b in zip(pair.first, pair.second, strict=True)]
    save(path, "\n".join(lines) + "\n")


def _text(value: float) -> str:
    if not math.isfinite(value):
        return "NA"
    return np.format_float_positional(value, precision=6, fractional=bool(abs(value) >= 1), trim="-")


def _chosen(path: Path, table: _Table, columns: tuple[int, ...] | None, wanted: int) -> tuple[int, ...]:
    """Which columns to take, counted from 0."""
    there = table.values.shape[1]
    if columns is not None:
        for column in columns:
            if not 1 <= column <= there:
                raise fault(
                    path,
                    0,
                    f"there is no column {column}.",
                    f"--columns counts from 1; the file has {there}.",
                )
        if len(set(columns)) < len(columns):
            raise fault(
                path, 0, f"column {columns[0]} is named twice.", "Give two that differ, as --columns 1,2."
            )
        return tuple(column - 1 for column in columns)
    if there == wanted:
        return tuple(range(wanted))
    if there < wanted:
        raise fault(
            path, 0, "it has one column, and two are compared.", "Name the other person's file after it."
        )
    example = "--columns 1,3" if there > 2 else "--columns 1,1"
    raise fault(
        path,
        0,
        f"it has {there} columns, and {'two' if wanted == 2 else 'one'} would be read.",
        f"Say which with --columns, as {example}{'' if wanted == 2 else ': one of each file'}.",
    )


def _read(path: Path) -> _Table:
    lines = _text_of(path).splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    begin = next((k for k, line in enumerate(lines) if line.strip()), len(lines))
    if begin == len(lines):
        raise fault(path, 0, "it is empty.", "Give a text file with a column of numbers for each person.")
    between = _separator(lines[min(begin + 1, len(lines) - 1)])
    rows = [(number, _cells(line, between)) for number, line in enumerate(lines[begin:], begin + 1)]
    head = rows[0][1]
    names = [] if all(_is_value(cell, between) for cell in head) else head
    rows = rows[1:] if names else rows
    if not rows:
        raise fault(path, 0, "it has names and no numbers.", "Give the samples below them, one a line.")
    while len(rows[0][1]) > 1 and all(not cells[-1] for _, cells in rows):  # a separator ends each line
        rows = [(number, cells[:-1]) for number, cells in rows]
    width = len(rows[0][1])
    values = np.empty((len(rows), width))
    for row, (number, cells) in zip(values, rows, strict=True):
        if len(cells) != width:
            raise fault(
                path,
                number,
                f"there {'is 1 value' if len(cells) == 1 else f'are {len(cells)} values'}, "
                f"and {width} in the lines above.",
                "Each line has a value for each person, or NA.",
            )
        row[:] = [_value(path, number, cell, between) for cell in cells]
    return _Table(names[:width] if len(names) >= width else [""] * width, values)


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise fault(
                path,
                0,
                f"it is larger than {_LARGEST >> 20} MB.",
                "Give motion energy as text, not the video.",
            )
        data = path.read_bytes()
    except OSError as error:
        raise fault(path, 0, f"it can't be read ({error.strerror or error}).", "Check the path.") from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
    else:  # names may be in whatever encoding the writer had; numbers are the same in all
        text = data.decode("utf-8-sig", "replace")
    if "\0" in text:
        raise fault(path, 0, "it is not a text file.", "Give motion energy as text, one line a sample.")
    return text


def _separator(line: str) -> str:
    """What stands between columns, judged by a line of numbers: blanks if nothing else does."""
    return next((mark for mark in ";\t," if mark in line.strip(" ")), " ")


def _cells(line: str, between: str) -> list[str]:
    if '"' in line:
        parts = next(csv.reader([line.strip()], delimiter=between, skipinitialspace=True))
    else:
        parts = line.split(None if between == " " else between) or [""]
    return [cell.strip() for cell in parts]


def _is_value(cell: str, between: str) -> bool:
    return cell.lower() in _MISSING or not math.isnan(_number(cell, between))


def _number(cell: str, between: str) -> float:
    """The number that a cell holds; NaN if it is none."""
    if between in ";\t":
        cell = cell.replace(",", ".")
    try:
        value = float(cell) if "_" not in cell else math.nan
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _value(path: Path, line: int, cell: str, between: str) -> float:
    value = _number(cell, between)
    if math.isnan(value) and cell.lower() not in _MISSING:
        raise fault(
            path, line, f"'{shown(cell, 40)}' is no number.", "Correct it, or write NA for a missing sample."
        )
    return value
