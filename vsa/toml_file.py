"""TOML that people wrote, read so that no text takes for ever or goes too deep."""

from __future__ import annotations

import re
import tomllib
from typing import Any

#: More than a person writes, characters.
_LONGEST = 1 << 20
#: Parts of one key, whose reading takes time in their square; tables and lists within each other.
_MOST_PARTS, _MOST_NESTED = 64, 64
#: Texts, also those without an end, and comments.
_TEXTS = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
#: No key goes on behind these.
_ENDS = re.compile(r"[\n=,\[\]{}]")


def parsed(text: str) -> dict[str, Any]:
    """Read a text.

    Raises
    ------
    ValueError
        With the reason: `tomllib.TOMLDecodeError` when it is no TOML; another when it is longer than 1 MB, or has keys,
        tables or lists of more parts than anybody writes.

    Examples
    --------
    >>> parsed("a.b = 1")
    {'a': {'b': 1}}
    """
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST >> 20} MB")
    if any(part.count(".") >= _MOST_PARTS for part in _ENDS.split(_TEXTS.sub("", text))):
        raise ValueError(f"a key in it has more than {_MOST_PARTS} parts")
    deep = ValueError(f"tables or lists in it lie more than {_MOST_NESTED} deep in each other")
    try:
        held = tomllib.loads(text)
    except RecursionError:
        raise deep from None
    if _depth(held) > _MOST_NESTED:
        raise deep
    return held


def _depth(held: object) -> int:
    level, deep = [held], 0
    while level := [
        one
        for some in level
        for one in (some.values() if isinstance(some, dict) else some if isinstance(some, list) else ())
    ]:
        deep += 1
    return deep
