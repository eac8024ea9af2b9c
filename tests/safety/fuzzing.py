"""What tables from elsewhere are drawn from: cells that anybody may write, in any dialect and encoding."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from vsa.errors import VsaError

T = TypeVar("T")

#: Hypothesis draws this many times as much where FUZZ says so: for long runs by hand.
MORE = int(os.environ.get("FUZZ", "1"))

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1", "utf-7")
NUMBERS = st.sampled_from(
    [
        "",
        "0",
        "-0",
        "1",
        "7",
        "3,5",
        "1e999",
        "-1e-999",
        "nan",
        "inf",
        "٣",
        "0x10",
        "1_000",
        "9" * 400,
        "1.",
        ".5",
    ]
)
TIMES = st.sampled_from(
    [
        "2026-01-31T09:30:00Z",
        "0001-01-01",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "1500-01-01",
        "20260131",
    ]
)
ODD = st.sampled_from(
    [
        *(
            "=1+1",
            "@x",
            "'=1",
            "|cmd",
            "../../x",
            "file:///etc/passwd",
            "http://[::1",
            "://",
            "s3://",
            "~root",
            "a\0b",
        ),
        *(
            "\u202eabc",
            "\u2028",
            "\x85",
            "\x1b[0m",
            "\ud800",
            "\ufeff",
            "é",
            "e\u0301",
            "ß",
            "İ",
            "\x1c",
            "#",
            '"',
            '""',
        ),
        *(
            "x" * 3000,
            " ",
            "\t",
            "\r",
            "\n",
            "None",
            "NA",
            "NaN",
            "True",
            "yes",
            "no",
            "%s",
            "{0}",
            "\\",
            "CON",
        ),
    ]
)
CELLS = NUMBERS | TIMES | ODD | st.text(max_size=6)


def quick(examples: int) -> settings:
    """So many examples."""
    return settings(
        max_examples=examples * MORE,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def taken(use: Callable[[], T]) -> T | None:
    """What a reader gives; None if it refuses, in words that end somewhere. Another error fails the test."""
    try:
        return use()
    except VsaError as error:
        if len(str(error)) > 30_000:
            raise AssertionError("that is too much to read") from error
        return None


@st.composite
def tables(draw: st.DrawFn, columns: st.SearchStrategy[str], cells: st.SearchStrategy[str]) -> bytes:
    """A CSV file, with or without quotes, and now and then with a few bytes changed or its end cut off."""
    header = draw(st.lists(columns, min_size=1, max_size=9))
    rows = draw(st.lists(st.lists(cells, max_size=len(header) + 1), max_size=5))
    file = io.StringIO()
    delimiter = draw(st.sampled_from(",;\t"))
    if draw(st.booleans()):
        ends = draw(st.sampled_from(["\n", "\r\n", "\r"]))
        out = csv.writer(file, delimiter=delimiter, lineterminator=ends, quoting=csv.QUOTE_ALL)
        out.writerows([header, *rows])
    else:
        file.write("\n".join(delimiter.join(row) for row in [header, *rows]))
    content = file.getvalue().encode(draw(st.sampled_from(ENCODINGS)), "replace")
    return draw(damaged(content)) if draw(st.integers(0, 4)) == 0 else content


@st.composite
def damaged(draw: st.DrawFn, content: bytes, within: int = 0) -> bytes:
    """Bytes with a few changed (in the first `within`, 0: anywhere), and perhaps without their end."""
    changed = bytearray(content)
    last = min(within or len(changed), len(changed)) - 1
    for at in draw(st.lists(st.integers(0, max(last, 0)), max_size=6)):
        if changed:
            changed[at] = draw(st.integers(0, 255))
    return bytes(changed[: draw(st.integers(0, len(changed)))] if draw(st.booleans()) else changed)
