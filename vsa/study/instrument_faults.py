"""What is wrong with a questionnaire's file, in the words of somebody who writes one by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from vsa.study.cells import shown

_TEXT = "must be text in quotes"
_NAMES = "names are small letters, digits and _"
_ITEMS = f"must list items, as [3, 5, 7], or the items' names in quotes ({_NAMES})"
#: Place in the file -> what is right there.
_RIGHT: Mapping[str, str] = {
    **dict.fromkeys(("name", "source", "rights"), _TEXT),
    "measures": 'must be "alliance" or "attachment"',
    "respondents": 'must list who fills it in, one or more of "client", "therapist", "observer"',
    "items": f'must be how many there are, as 12 (500 at most), or their names, as ["warmth", "trust"]; {_NAMES}',
    "range": "must be the lowest and the highest answer, as [1, 7]",
    "whole": "must be true or false",
    "reversed": _ITEMS,
    "prorate": "must be a share above 0, up to 1",
    "bond": "must be the name of a scale, in quotes",
    "scales": f"must be a table [scales] with one line or more such as bond = [3, 5, 7]; {_NAMES}",
    "scales.*": f'{_ITEMS}, or be "all"; other keys stand above [scales]',
    "differences": f"must be a table [differences]; {_NAMES}",
    "differences.*": "must be {plus = [items], minus = [items]}",
    "cuts": 'must list cut-offs, as [{scale = "total", at = 36, source = "who published it"}]',
    "cuts.*.scale": "must be the name of a scale, in quotes",
    "cuts.*.score": 'must be "sum" or "mean"',
    "cuts.*.at": "must be a number",
    "cuts.*.source": "must say who published it, in quotes",
    "notes": "must list sentences in quotes",
    "verified": "must be a table [verified] of items, range, reversed and scales",
    "verified.*": "must say in quotes where it was read; or false, if it was not",
}
#: Tables whose lines have names of one's own or are numbered; what stands below a line is told with it.
_OPEN = ("scales", "differences", "cuts")


def plain(errors: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> list[str]:
    """Faults that pydantic found, one sentence for each place.

    Parameters
    ----------
    errors
        Of a `pydantic.ValidationError`.
    keys
        That a file may have.
    """
    found: dict[str, str] = {}
    for error in errors:
        where, value = error["loc"], error["input"]
        place, right = _place(where)
        if error["type"] == "extra_forbidden" and len(where) == 1:
            meant = get_close_matches(place, list(keys), n=1)
            told = f"there is no such key{f'; is {meant[0]} meant?' if meant else ''}"
        elif error["type"] == "missing" and (len(where) == 1 or where[0] == "cuts"):
            told = f"is missing; it {right}"
        elif isinstance(value, str | int | float):
            told = f"'{shown(str(value).lower() if isinstance(value, bool) else str(value), 40)}' won't do; it {right}"
        else:
            told = right
        found.setdefault(place, told)
    return [f"{place}: {told}" for place, told in found.items()]


def _place(where: tuple[int | str, ...]) -> tuple[str, str]:
    """Where in the file that is, as it would be written, and what is right there."""
    key, below = str(where[0]), where[1:]
    if key in _OPEN and below:
        line = str(below[0] + 1) if isinstance(below[0], int) else str(below[0])
        if key == "cuts" and len(below) > 1 and (right := _RIGHT.get(f"cuts.*.{below[1]}")):
            return f"cuts, number {line}, {below[1]}", right
        return f"{key}{', number ' if key == 'cuts' else '.'}{line}", _RIGHT.get(f"{key}.*", _RIGHT[key])
    if key == "verified" and below:
        known = f"{key}.{below[0]}"
        return known, _RIGHT[
            "verified.*" if below[0] in ("items", "range", "reversed", "scales") else "verified"
        ]
    return key, _RIGHT.get(key, "can't be read")
