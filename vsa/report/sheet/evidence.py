"""What studies say of the behaviours on the sheet: the table of ``evidence.toml``, which explains its columns."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Links = Literal["higher", "lower", "conflicting", "unknown"]
Grade = Literal["moderate", "weak", "conflicting", "none"]

_SIDES = {"higher": "more", "lower": "less"}


@dataclass(frozen=True)
class Behaviour:
    """One behaviour.

    Attributes
    ----------
    key, name
        In code, and for people.
    feature
        Full name; empty where the sheet counts it itself.
    links, grade
        Which side studies link with a stronger alliance, and how strong that evidence is.
    evidence, limits
        What was found, and what that does not show.
    seen, attempt, more, less
        Sentences for when it stands out; empty of what is never made a strength or a thing to try.
    shown_by
        The feature whose moments are shown; empty if it is the same.
    """

    key: str
    name: str
    feature: str
    links: Links
    grade: Grade
    evidence: str
    limits: str
    seen: str = ""
    attempt: str = ""
    more: str = ""
    less: str = ""
    shown_by: str = ""

    @property
    def directed(self) -> bool:
        """Whether studies link one side of it with a stronger alliance, and the sheet has words for that."""
        return self.links in _SIDES and bool(self.seen)

    @property
    def in_short(self) -> str:
        """The evidence in a few words.

        Examples
        --------
        >>> behaviours()["smiling"].in_short, behaviours()["talk_share"].in_short
        ('more (weak)', 'none known')
        """
        if self.links in _SIDES:
            return f"{_SIDES[self.links]} ({self.grade})"
        return "conflicting" if self.links == "conflicting" else "none known"


@cache
def behaviours() -> Mapping[str, Behaviour]:
    """The table, by key, in its order."""
    text = (files("vsa.report.sheet") / "evidence.toml").read_text("utf-8")
    rows = tomllib.loads(text)["behaviour"]
    return {
        row["key"]: Behaviour(
            **{("attempt" if name == "try" else name): words for name, words in row.items()}
        )
        for row in rows
    }
