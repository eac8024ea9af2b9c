"""What a weak bond is, and how probable one is given the bond that a model expects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from vsa.bond.folds import Groups
from vsa.errors import InputError

Floats = npt.NDArray[np.float64]
Kind = Literal["lowest", "drop", "below"]

#: Weak and other sessions that a calibration takes at least.
LEAST_OF_EACH = 5
_FORM = re.compile(r"(lowest|drop|below):(\d+(?:[.,]\d+)?)")
_FORMS = "lowest:0.2 (the lowest fifth of the training), drop:1 (1 SD below the client's own mean) or below:36 (a cut)"


@dataclass(frozen=True)
class Weak:
    """A definition of a weak bond.

    Attributes
    ----------
    kind
        ``lowest``: at or below a quantile of the training's bonds; ``drop``: at least so many SDs below the mean of the
        client's own sessions, the SD being that within clients in the training; ``below``: at or below a cut.
    value
        The share, the number of SDs, or the cut.
    """

    kind: Kind = "lowest"
    value: float = 0.2

    @classmethod
    def parse(cls, text: str) -> Weak:
        """Read one from text.

        Raises
        ------
        InputError
            When it is none.

        Examples
        --------
        >>> Weak.parse("below:36")
        Weak(kind='below', value=36.0)
        """
        found = _FORM.fullmatch(text.strip().lower())
        if not found:
            raise InputError(f"'{text}' defines no weak bond.", f"Give {_FORMS}.")
        kind, value = found[1], float(found[2].replace(",", "."))
        if kind == "lowest" and not 0.01 <= value <= 0.5:
            raise InputError(
                f"'{text}': the lowest {value:g} is no share from 0.01 to 0.5.", "Give lowest:0.2."
            )
        if kind == "drop" and not 0.25 <= value <= 4:
            raise InputError(f"'{text}': {value:g} SDs are none from 0.25 to 4.", "Give drop:1.")
        return cls(kind, value)  # type: ignore[arg-type]  # the form allows no other

    def __str__(self) -> str:
        return f"{self.kind}:{self.value:g}"

    def cut(self, y: Floats, clients: Groups) -> float:
        """Learn from a training what is needed to tell: the cut, or for ``drop`` the depth of the drop, in points."""
        if self.kind == "lowest":
            return float(np.quantile(y, self.value))
        if self.kind == "below":
            return self.value
        own = _own_means(y, clients)
        known = np.isfinite(own)
        freedom = int(known.sum()) - len(np.unique(clients[known]))
        if freedom < LEAST_OF_EACH:
            raise InputError(
                "A drop below the client's own mean can't be learned: hardly any client has several sessions.",
                f"Give another of {_FORMS}.",
            )
        return float(self.value * np.sqrt(((y - own)[known] ** 2).sum() / freedom))

    def of(self, y: Floats, clients: Groups, cut: float) -> Floats:
        """1 where the bond is weak, 0 where it is not, NaN where it can't be told, (n,)."""
        if self.kind != "drop":
            return np.asarray(y <= cut, np.float64)
        own = _own_means(y, clients)
        return np.where(np.isfinite(own), (y <= own - cut).astype(np.float64), np.nan)

    def score(self, expected: Floats, clients: Groups) -> Floats:
        """What the probability rests on, (n,): the expected bond, or for ``drop`` how far below the client's others."""
        return expected if self.kind != "drop" else expected - _own_means(expected, clients)

    def said(self, target: str, cut: float) -> str:
        """In words, with the cut that was learned."""
        if self.kind == "lowest":
            return f"'{target}' at or below {cut:.2f}, the lowest {self.value:.0%} of the training"
        if self.kind == "below":
            return f"'{target}' at or below {cut:g}, a cut that was set"
        deep = f"{self.value:g} SD of changes in the training"
        return f"'{target}' {cut:.2f} or more below the client's own mean ({deep})"


@dataclass(frozen=True)
class Calibration:
    """Probability of a weak bond: logistic in the score (Platt 1999).

    Attributes
    ----------
    intercept, slope
        Of the log odds; the slope is per point of the score, and at most 0.
    base_rate
        Share of weak sessions in the training.
    """

    intercept: float
    slope: float
    base_rate: float

    def probability(self, score: Floats) -> Floats:
        """For each score, (n,)."""
        return np.asarray(1 / (1 + np.exp(-(self.intercept + self.slope * score))))


def calibrate(score: Floats, weak: Floats) -> Calibration | None:
    """Fit to predictions that were made without the session's own people.

    Parameters
    ----------
    score
        (n,).
    weak
        0 or 1, NaN where it can't be told, (n,).

    Returns
    -------
    None with fewer than `LEAST_OF_EACH` of either kind. Where a lower score does not go with weaker bonds, everybody
    has the base rate.
    """
    known = np.isfinite(weak) & np.isfinite(score)
    score, weak = score[known], weak[known]
    if min(weak.sum(), (1 - weak).sum()) < LEAST_OF_EACH:
        return None
    base = float(weak.mean())
    flat = Calibration(float(np.log(base / (1 - base))), 0.0, base)
    if np.ptp(score) < 1e-9:
        return flat
    from sklearn.linear_model import LogisticRegression

    middle, spread = float(score.mean()), float(score.std())
    fitted = LogisticRegression(C=100.0).fit(((score - middle) / spread)[:, None], weak)
    slope = float(fitted.coef_[0, 0]) / spread
    if slope >= 0:
        return flat
    return Calibration(float(fitted.intercept_[0]) - slope * middle, slope, base)


def _own_means(values: Floats, clients: Groups) -> Floats:
    """Means of each session's client, (n,); NaN for clients with one session."""
    _, which, count = np.unique(clients, return_inverse=True, return_counts=True)
    means = np.bincount(which, values) / count
    return np.where(count[which] > 1, means[which], np.nan)
