"""What the list says of a session, in words and on the questionnaire's scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsa.report.pages.view import ABSTAIN, CALLED, OK, WEAK

if TYPE_CHECKING:
    from vsa.report.pages.view import Flag

#: The drawing's length and the room at both its ends, px.
WIDTH, _END = 420.0, 14.0
_MOST_TICKS = 6
_STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_REASONS = {
    WEAK: "Why, and where to look",
    OK: "What would speak for a review most",
    ABSTAIN: "What was seen all the same",
}
IN_TRAINING = (
    "The model learned from this session: its probability and expected bond look better here than they would for a new "
    "one."
)
_NO_PROBABILITY = "The model gives no probability: the list is in order of expected bond."


@dataclass(frozen=True)
class Scale:
    """A bond and what was expected, px from the drawing's left end; None for what is not known.

    Attributes
    ----------
    ticks
        Place and number of each.
    whole
        Whether the drawing shows the questionnaire's whole scale.
    """

    expected: float | None
    low: float | None
    high: float | None
    bond: float | None
    cut: float | None
    ticks: tuple[tuple[float, str], ...]
    whole: bool


@dataclass(frozen=True)
class Card:
    """The flag for people; `lines` are what stands under the badge, `caution` is empty where none is needed."""

    badge: str
    lines: tuple[str, ...]
    reasons: str
    caution: str


def card_of(flag: Flag) -> Card:
    """Put a flag into words."""
    lines = [f"Why not: {flag.unjudged}."] if flag.verdict == ABSTAIN and flag.unjudged else []
    if flag.signals_known is not None and flag.weak_signals is not None:
        lines.append(f"{flag.weak_signals} of {flag.signals_known} known signals are weak.")
    if math.isfinite(flag.probability):
        lines.append(f"Probability of a weak bond: {100 * flag.probability:.0f} %.")
    elif flag.verdict != ABSTAIN and flag.signals_known is None:
        lines.append(_NO_PROBABILITY)
    if flag.rank is not None:
        lines.append(f"Number {flag.rank} on the list.")
    if flag.verdict == OK:
        lines.append("It does not say that the bond is good.")
    in_training = flag.in_training and math.isfinite(flag.expected)
    badge = flag.suggestion if flag.verdict == WEAK and flag.suggestion else CALLED[flag.verdict]
    return Card(badge, tuple(lines), _REASONS[flag.verdict], IN_TRAINING if in_training else "")


def scale_of(
    flag: Flag | None, bond: float, scale: tuple[float, float] | None, weak_cut: float
) -> Scale | None:
    """Lay out the expected bond, its interval and the reported bond; None where neither is known.

    Parameters
    ----------
    flag
        With the expected bond.
    bond
        As reported; NaN if it is not known.
    scale
        Lowest and highest score; None if not known: the drawing then shows whole points around what there is.
    weak_cut
        The bond from which downward it counts as weak; NaN if there is none.
    """
    expected, low, high = (math.nan,) * 3 if flag is None else (flag.expected, flag.low, flag.high)
    told = [x for x in (expected, bond) if math.isfinite(x)]
    if not told:
        return None
    ends = [x for x in (*told, low, high, weak_cut) if math.isfinite(x)]
    first, last = scale or (math.floor(min(ends)), math.ceil(max(ends)))
    last = max(last, first + 1)

    def place(x: float) -> float | None:
        if not math.isfinite(x):
            return None
        share = min(max((x - first) / (last - first), 0.0), 1.0)
        return round(_END + share * (WIDTH - 2 * _END), 1)

    ticks = tuple((place(x) or _END, f"{x:g}") for x in _ticks(first, last))
    return Scale(
        expected=place(expected),
        low=place(low),
        high=place(high),
        bond=place(bond),
        cut=place(weak_cut),
        ticks=ticks,
        whole=scale is not None,
    )


def _ticks(first: float, last: float) -> list[float]:
    fits = (step for step in _STEPS if (last - first) / step <= _MOST_TICKS)
    step = next(fits, last - first)
    whole = math.floor(first / step + 1e-9)
    made = [(whole + k) * step for k in range(_MOST_TICKS + 2)]
    return [x for x in made if first - 1e-9 <= x <= last + 1e-9]
