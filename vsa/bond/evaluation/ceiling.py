"""How well a bond could be predicted at best, since a questionnaire asked twice would not agree with itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vsa.errors import InputError


@dataclass(frozen=True)
class Ceiling:
    """What the reliability of the bond allows.

    Attributes
    ----------
    reliability
        Of the reported bond.
    source
        Where that is from.
    r, r2
        The highest correlation and R2 that even a perfect model of the true bond would reach.
    corrected_r
        The model's correlation as it would be with a bond that is measured without error (Spearman 1904); a secondary
        figure. None if the model has none.
    """

    reliability: float
    source: str
    r: float
    r2: float
    corrected_r: float | None


def ceiling(reliability: float | None, instrument_scale: bool, r: float | None) -> Ceiling | None:
    """Take the reliability that is given, or what is usual where the bond is of a known questionnaire.

    Raises
    ------
    InputError
        When what is given is none.
    """
    if reliability is None:
        if not instrument_scale:
            return None
        reliability, source = 0.92, "usual of scales of the WAI (Hanson et al. 2002), not of this cohort"
    else:
        if not 0 < reliability <= 1:
            raise InputError(
                f"A reliability of {reliability:g} is none.",
                "Give alpha or omega as 'vsa score' tells it, as 0.9.",
            )
        source = "as given"
    root = math.sqrt(reliability)
    return Ceiling(reliability, source, root, reliability, None if r is None else r / root)
