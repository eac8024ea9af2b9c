"""Rows of the review list: their order, their columns, and each bond on the questionnaire's scale."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsa.report.pages.view import ABSTAIN, CALLED, OK, WEAK

if TYPE_CHECKING:
    from vsa.report.pages.view import Flag, Reason
    from vsa.report.pages.view_cohort import CohortView, Listed

#: The drawing's length and the room at both its ends, px.
WIDTH, _END = 92.0, 5.0
_ORDER = {WEAK: 0, OK: 1, ABSTAIN: 2}


@dataclass(frozen=True)
class Column:
    """A column of the list.

    Attributes
    ----------
    key
        Names it for styles and scripts.
    title, hint
        What stands over it, and what that means; `hint` may be empty.
    width_em
        In the letters of the list; None takes what is left.
    value
        What rows are sorted by; NaN, None and the empty text come last.
    falling
        Whether the first click sorts from high to low.
    """

    key: str
    title: str
    hint: str
    width_em: float | None
    value: Callable[[Listed], str | float | int | None]
    falling: bool = False

    @property
    def track(self) -> str:
        """Its width in a CSS grid."""
        return "minmax(12em, 1fr)" if self.width_em is None else f"{self.width_em:g}em"


def _of_flag(get: Callable[[Flag], float | int | None]) -> Callable[[Listed], float | int | None]:
    return lambda one: None if one.flag is None else get(one.flag)


def _reason(one: Listed) -> str:
    if one.flag is None:
        return ""
    return one.flag.unjudged or (one.flag.reasons[0].words if one.flag.reasons else "")


_COLUMNS = (
    Column("rank", "#", "Place on the list", 3, _of_flag(lambda flag: flag.rank)),
    Column("session", "Session", "", 10, lambda one: one.session_id),
    Column("verdict", "Flag", "", 10.4, _of_flag(lambda flag: _ORDER[flag.verdict])),
    Column(
        "signals",
        "Weak signals",
        "How many signals lie at the end that the rules look at, of those that are known",
        5.2,
        _of_flag(lambda flag: flag.weak_signals),
        falling=True,
    ),
    Column(
        "probability",
        "Weak bond",
        "Probability that the bond is weak, as the model has it",
        4.8,
        _of_flag(lambda flag: flag.probability),
        falling=True,
    ),
    Column(
        "expected", "Expected bond", "Bond that the model expects, in points", 13.4, lambda one: one.expected
    ),
    Column("bond", "Reported", "Bond that was reported, in points", 5.8, lambda one: one.bond),
    Column("client", "Client", "", 5.8, lambda one: one.client),
    Column("number", "No.", "Number of the session among the client's", 3, lambda one: one.number),
    Column(
        "recording",
        "Recording",
        "Length, and share of it in which the person seen least was in view",
        7.8,
        lambda one: one.tracked_share,
    ),
    Column("reasons", "Reasons", "What speaks for a review, and where to look", None, _reason),
    Column("mark", "Your mark", "What the reviewer made of it", 7, lambda one: None),
)


@dataclass(frozen=True)
class Scale:
    """The line that bonds are drawn on.

    Attributes
    ----------
    low, high
        Bonds at its ends.
    cut
        Place of the bond up to which it is weak, px; None where that is not known.
    whole
        Whether it is the questionnaire's whole scale.
    """

    low: float
    high: float
    cut: float | None
    whole: bool

    def place(self, bond: float) -> float | None:
        """Px from the left end; None where there is no bond. What lies beyond an end is drawn at it."""
        if not math.isfinite(bond):
            return None
        at = min(max((bond - self.low) / (self.high - self.low), 0.0), 1.0)
        return round(_END + at * (WIDTH - 2 * _END), 1)


@dataclass(frozen=True)
class Places:
    """Where a session's bonds lie on a `Scale`, px; None for what is not known."""

    expected: float | None
    low: float | None
    high: float | None
    bond: float | None


@dataclass(frozen=True)
class Row:
    """A session of the list, and what its cells say beside its own values.

    Attributes
    ----------
    badge
        Of the flag.
    places
        None without a scale, or where no bond is known.
    first
        The reason that stands in the row: of a session that is listed for review.
    others
        Those that open.
    more
        What to open says.
    """

    session: Listed
    badge: str
    places: Places | None
    first: Reason | None
    others: tuple[Reason, ...]
    more: str


def arranged(sessions: Sequence[Listed], listed: bool) -> tuple[Listed, ...]:
    """Those for review first, each verdict's in the order of their ranks; by id without a list."""
    if not listed:
        return tuple(sorted(sessions, key=lambda one: natural(one.session_id)))

    def key(one: Listed) -> tuple[int, float]:
        if one.flag is None:
            return len(_ORDER), math.inf
        return _ORDER[one.flag.verdict], math.inf if one.flag.rank is None else one.flag.rank

    return tuple(sorted(sessions, key=key))


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that puts s2 before s10.

    Examples
    --------
    >>> sorted(["s10", "s2", "a", "10", "9"], key=natural)
    ['9', '10', 'a', 's2', 's10']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((not part[0].isdigit(), int(part) if part[0].isdigit() else 0, part) for part in parts)


def columns_of(sessions: Sequence[Listed], listed: bool) -> tuple[Column, ...]:
    """The columns that have something to say of these sessions."""
    always = {"session", "recording", *(("rank", "verdict", "reasons", "mark") if listed else ())}

    def known(column: Column) -> bool:
        return any((x := column.value(one)) is not None and x == x and x != "" for one in sessions)

    return tuple(column for column in _COLUMNS if column.key in always or known(column))


def has_intervals(sessions: Iterable[Listed]) -> bool:
    """Whether of any session an interval is known."""
    return any(math.isfinite(one.high - one.low) for one in sessions)


def row_of(session: Listed, scale: Scale | None) -> Row:
    """Lay out a session; reasons stand open where a review is suggested, and closed elsewhere."""
    flag = session.flag
    reasons = () if flag is None else flag.reasons
    open_ones = 1 if flag is not None and flag.verdict == WEAK and reasons else 0
    others = reasons[open_ones:]
    n = len(others)
    more = f"{n} more" if open_ones else f"{n} signal{'s' * (n != 1)}"
    return Row(
        session=session,
        badge=""
        if flag is None
        else (flag.suggestion if flag.verdict == WEAK else "") or CALLED[flag.verdict],
        places=None if scale is None else _places(session, scale),
        first=reasons[0] if open_ones else None,
        others=others,
        more=more if n else "",
    )


def scale_of(view: CohortView) -> Scale | None:
    """The questionnaire's scale, or what the bonds span; None without bonds."""
    bonds = [
        b for one in view.sessions for b in (one.bond, one.expected, one.low, one.high) if math.isfinite(b)
    ]
    if not bonds:
        return None
    low, high = view.scale if view.scale else (min(bonds), max(bonds))
    if not high > low:
        low, high = low - 1, high + 1
    found = Scale(low, high, None, view.scale is not None)
    return Scale(low, high, found.place(view.weak_cut), found.whole)


def _places(session: Listed, scale: Scale) -> Places | None:
    found = Places(*map(scale.place, (session.expected, session.low, session.high, session.bond)))
    return None if found.expected is None and found.bond is None else found
