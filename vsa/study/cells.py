"""Cells of tables that end up in spreadsheets and terminals."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NEUTRAL = re.compile(r"'+[=+\-@\t\r]")


def neutral(text: str) -> str:
    """Text that a spreadsheet shows and does not compute: an apostrophe goes before what could begin a formula.

    Examples
    --------
    >>> neutral("=1+1"), neutral("s01")
    ("'=1+1", 's01')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def restored(text: str) -> str:
    """What `neutral` was given.

    Examples
    --------
    >>> restored("'=1+1")
    '=1+1'
    """
    return text[1:] if _NEUTRAL.match(text) else text


def printable(text: str) -> str:
    r"""Text without control characters, which would steer a terminal: they are spelled out, as ``\x1b``."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shown(text: str, longest: int = 80) -> str:
    """A cell as messages quote it: printable and not longer than a line."""
    clean = printable(text)
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
