"""One session's features as the cells of a sheet: the value, where it lies among the study's sessions, or why not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsa.features.words import value
from vsa.report.sheet.parts import Cell

if TYPE_CHECKING:
    from vsa.report.pages.norms import Norms

NOT_KNOWN = "not known"


@dataclass(frozen=True, eq=False)
class Measured:
    """A session's features beside those of the study.

    Attributes
    ----------
    values, missing
        Full name to value, and to why it is missing.
    norms
        Of the study.
    """

    values: Mapping[str, float]
    missing: Mapping[str, str]
    norms: Norms

    def get(self, feature: str) -> float:
        """A value; NaN if it is missing."""
        return self.values.get(feature, math.nan)

    def cell(self, feature: str, text: Callable[[float], str] | None = None, chance: str = "") -> Cell:
        """A feature's cell.

        Parameters
        ----------
        feature
            Full name.
        text
            Makes words of the value; else it is shown with its unit.
        chance
            Feature of how far it exceeds what chance gives; that is then told as well.
        """
        x = self.get(feature)
        if not math.isfinite(x):
            return Cell(NOT_KNOWN, self.missing.get(feature, "it was not measured"), math.nan)
        more = [self.norms.words(feature, x)]
        beyond = self.get(chance) if chance else math.nan
        if math.isfinite(beyond):
            more.insert(0, f"{value(feature, max(0.0, x - beyond))} by chance")
        words = value(feature, x) if text is None else text(x)
        return Cell(words, "; ".join(filter(None, more)), self.norms.below(feature, x))


def wait(x: float) -> str:
    """A time from the end of another's turn, s, in words.

    Examples
    --------
    >>> wait(0.3), wait(-0.2)
    ('0.30 s', '0.20 s overlap')
    """
    return f"{x:.2f} s" if x >= 0 else f"{-x:.2f} s overlap"
