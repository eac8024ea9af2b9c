"""What a model card is written with: numbers as people read them, tables, and others' text that stays text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: What stands where there is no number.
NONE = "-"
#: An interval is broken before it, not inside: cells of tables are narrow.
_TO = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
#: Characters that mean something in Markdown, on GitHub too; underscores inside of words don't.
_ACTIVE = re.compile(r"([\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|(?<=\w):(?=//)|(?<=www)\.)", re.IGNORECASE)
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
#: What would make a list or a heading of a text that stands first in its line.
_FIRST = re.compile(r"^([-+#=]|\d+(?=[.)](\s|$)))")
#: Marks that turn the order in which text is read.
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def shown(text: object) -> str:
    r"""Text of a study (names, labels, notes) in one line of Markdown that shows it as it is.

    Examples
    --------
    >>> print(shown("bond_total | <b>"), shown("1. of *all*"), sep=", ")
    bond_total \| &lt;b&gt;, 1\. of \*all\*
    """
    kept = _TURNING.sub("", str(text))
    kept = "".join(_written(character) for character in kept)
    kept = " ".join(kept.split())
    kept = _ACTIVE.sub(r"\\\1", "".join(_HTML.get(character, character) for character in kept))
    return _FIRST.sub(lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", kept)


def _written(character: str) -> str:
    kind = unicodedata.category(character)
    # halves of characters, from names of files, can't be written to one
    return {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd"}.get(kind, character)


def number(value: float | None, digits: int = 2) -> str:
    """A number in so many digits after the point; `NONE` for None.

    Examples
    --------
    >>> number(0.1 + 0.2), number(-0.001), number(None)
    ('0.30', '0.00', '-')
    """
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text


def percent(value: float | None) -> str:
    """A share in percent.

    Examples
    --------
    >>> percent(0.125), percent(None)
    ('12 %', '-')
    """
    return NONE if value is None else f"{number(100 * value, 0)} %"


def interval(found: Mapping[str, Any], digits: int = 2) -> str:
    """An estimate with its interval, as the record of an evaluation has it (value, low, high).

    Examples
    --------
    >>> interval({"value": 0.2, "low": 0.1, "high": 0.3}).replace("\N{NO-BREAK SPACE}", " ")
    '0.20 (0.10 to 0.30)'
    >>> interval({"value": 0.2, "low": None, "high": None})
    '0.20'
    """
    text = number(found["value"], digits)
    if found["value"] is None or found["low"] is None:
        return text
    return f"{text} ({number(found['low'], digits)}{_TO}{number(found['high'], digits)})"


def percents(found: Mapping[str, Any]) -> str:
    """A share with its interval, in percent."""
    if found["value"] is None or found["low"] is None:
        return percent(found["value"])
    return f"{percent(found['value'])} ({percent(found['low'])}{_TO}{percent(found['high'])})"


def probability(p: float | None) -> str:
    """A p value, with as many digits as mean something.

    Examples
    --------
    >>> probability(0.0312), probability(0.00004), probability(None)
    ('0.031', 'below 0.001', '-')
    """
    if p is None:
        return NONE
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def count(n: int, one: str) -> str:
    """How many of what.

    Examples
    --------
    >>> count(1, "client"), count(2, "client")
    ('1 client', '2 clients')
    """
    return f"{n} {one}{'s' * (n != 1)}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> list[str]:
    """Lines of a table, with an empty one after it; no line if there are no rows.

    Parameters
    ----------
    head
        Of the columns.
    rows
        Cells, as Markdown: text of a study has gone through `shown`.
    words
        So many columns from the left hold words; the others are set to the right, as numbers are.
    """
    body = [f"| {' | '.join(row)} |" for row in rows]
    if not body:
        return []
    edges = ["---" if k < words else "---:" for k in range(len(head))]
    return [f"| {' | '.join(head)} |", f"| {' | '.join(edges)} |", *body, ""]
