"""A session's features against the cohort's: rows by group, with the place of each among all sessions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsa.features.core import CORE
from vsa.features.registry import DYAD, GROUPS, is_full_name
from vsa.features.words import MISSING, label, longer, value
from vsa.report.pages.norms import LEAST

if TYPE_CHECKING:
    from vsa.report.pages.norms import Norm, Norms
    from vsa.report.pages.view import SessionView

#: A strip's length and the room at both its ends, px; the middle 90 % of sessions leave this share free on each side.
WIDTH, _END, _FREE = 160.0, 8.0, 0.3
#: Where no more of the sessions lie beyond, a value is outside of a strip's thin line and told in bold.
FAR = 0.05

HEADINGS: Mapping[str, str] = {
    "gaze": "Gaze",
    "blink": "Blinks",
    "face": "Face",
    "head": "Head",
    "voice": "Voice",
    "turns": "Taking turns",
    "sync": "Moving together (synchrony)",
    "quality": "The recording itself",
}
_OTHERS = "Others"
_UNTOLD = "no reason is recorded"
_FEW_HAVE_IT = "too few sessions have it to compare"


@dataclass(frozen=True)
class Strip:
    """Places on a strip, px from its left end; `beyond` is -1 or 1 where the session lies off that end."""

    p05: float
    p25: float
    p50: float
    p75: float
    p95: float
    at: float
    beyond: int


@dataclass(frozen=True)
class Cell:
    """One person's value of a feature, or the pair's.

    Attributes
    ----------
    value
        With its unit; `MISSING` where there is none, and `why` says why.
    strip
        None where there is nothing to compare with.
    words
        Its place among the sessions.
    far
        Whether it lies outside of the middle 90 % of the sessions.
    """

    value: str
    strip: Strip | None
    words: str
    why: str
    far: bool


@dataclass(frozen=True)
class Row:
    """A feature of the people or of the pair.

    Attributes
    ----------
    name
        ``<group>.<name>``.
    anchor
        Id of the row on the page.
    cells
        One for each person (None: there is no such), or the pair's.
    pair
        Whether it is the pair's.
    """

    name: str
    anchor: str
    label: str
    definition: str
    cells: tuple[Cell | None, ...]
    pair: bool


@dataclass(frozen=True)
class Lacking:
    """Features that are missing for the same reason, by their labels."""

    why: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """A group's rows: of the core set, all others, and what is missing of everybody."""

    name: str
    heading: str
    core: tuple[Row, ...]
    others: tuple[Row, ...]
    lacking: tuple[Lacking, ...]

    @property
    def missing(self) -> int:
        """How many are missing of everybody, by `lacking`."""
        return sum(len(one.labels) for one in self.lacking)


def scopes_of(view: SessionView) -> tuple[str, ...]:
    """The people that features are of, in the order of ``session.json``, then of the table."""
    named = [name.partition(".")[0] for name in view.values if is_full_name(name)]
    return tuple(dict.fromkeys(s for s in [*(p.scope for p in view.people), *named] if s != DYAD))


def groups_of(view: SessionView, norms: Norms) -> tuple[Group, ...]:
    """Lay out all features of a session.

    Returns
    -------
    Groups in the registry's order, those without a feature left out; names that are not made as features' are come
    last. Within a group the core set keeps its own order, others that of the table.
    """
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for full_name in dict.fromkeys([*view.values, *view.missing]):
        scope, short = _parted(full_name)
        group = short.partition(".")[0] if is_full_name(full_name) else ""
        found[group][short][scope] = full_name
    scopes = scopes_of(view)
    order = [*GROUPS, *(group for group in found if group not in GROUPS)]
    return tuple(_group(group, found[group], scopes, view, norms) for group in order if group in found)


def strip_of(norm: Norm, x: float) -> Strip | None:
    """Places of a cohort's quantiles and of a value; None where all sessions have the same value.

    Examples
    --------
    >>> from vsa.report.pages.norms import Norm
    >>> strip_of(Norm(20, 0.0, 2.0, 5.0, 8.0, 10.0), 5.0)
    Strip(p05=35.0, p25=53.0, p50=80.0, p75=107.0, p95=125.0, at=80.0, beyond=0)
    >>> strip_of(Norm(20, 0.0, 2.0, 5.0, 8.0, 10.0), 99.0).beyond
    1
    """
    spread = norm.p95 - norm.p05
    if not spread > 0 or not math.isfinite(spread):
        return None
    low, high = norm.p05 - _FREE * spread, norm.p95 + _FREE * spread

    def place(q: float) -> float:
        share = min(max((q - low) / (high - low), 0.0), 1.0)
        return round(_END + share * (WIDTH - 2 * _END), 1)

    return Strip(
        p05=place(norm.p05),
        p25=place(norm.p25),
        p50=place(norm.p50),
        p75=place(norm.p75),
        p95=place(norm.p95),
        at=place(x),
        beyond=-1 if x < low else 1 if x > high else 0,
    )


def _parted(full_name: str) -> tuple[str, str]:
    """Scope and short name; a name that is not a feature's is one of the pair's."""
    if not is_full_name(full_name):
        return DYAD, full_name
    scope, _, short = full_name.partition(".")
    return scope, short


def _group(
    name: str,
    features: Mapping[str, Mapping[str, str]],
    scopes: Sequence[str],
    view: SessionView,
    norms: Norms,
) -> Group:
    core = [short for short in CORE if short in features]
    others: list[str] = []
    absent: list[str] = []
    for short, names in features.items():
        if short in core:
            continue
        if any(math.isfinite(view.values.get(one, math.nan)) for one in names.values()):
            others.append(short)
        else:
            absent += names.values()
    return Group(
        name=name,
        heading=HEADINGS.get(name, _OTHERS),
        core=tuple(row for short in core for row in _rows(short, features[short], scopes, view, norms)),
        others=tuple(row for short in others for row in _rows(short, features[short], scopes, view, norms)),
        lacking=_lacking(absent, view),
    )


def _rows(
    short: str, names: Mapping[str, str], scopes: Sequence[str], view: SessionView, norms: Norms
) -> Iterable[Row]:
    """One row for the people and one for the pair: a study's own column may be both."""
    definition = longer(next(iter(names.values())))
    people = [names.get(scope) for scope in scopes]
    for members, pair in ((people, False), ([names.get(DYAD)], True)):
        full_names = [one for one in members if one]
        if full_names:
            cells = tuple(_cell(one, view, norms) if one else None for one in members)
            yield Row(short, anchor(full_names[0]), _called(full_names[0]), definition, cells, pair)


def _called(full_name: str) -> str:
    """The label without whose it is."""
    whole = label(full_name)
    return whole.partition(": ")[2] if is_full_name(full_name) else whole


def _cell(full_name: str, view: SessionView, norms: Norms) -> Cell:
    x = view.values.get(full_name, math.nan)
    if not math.isfinite(x):
        return Cell(MISSING, None, "", view.missing.get(full_name, _UNTOLD), False)
    norm = norms.of(full_name)
    if norm is None:
        return Cell(value(full_name, x), None, "" if few(norms) else _FEW_HAVE_IT, "", False)
    return Cell(
        value(full_name, x),
        strip_of(norm, x),
        norms.words(full_name, x),
        "",
        is_far(norms.below(full_name, x)),
    )


def anchor(full_name: str) -> str:
    """The id of a feature's row on the page.

    Examples
    --------
    >>> anchor("client.face.smile_share"), anchor("dyad.turns.silence_share")
    ('f-face.smile_share', 'f-both.turns.silence_share')
    """
    scope, short = _parted(full_name)
    return f"f-both.{short}" if scope == DYAD else f"f-{short}"


def is_far(below: float) -> bool:
    """Whether a share of sessions below puts a value outside of the middle 90 %; not where it is NaN."""
    return max(below, 1 - below) >= 1 - FAR


def few(norms: Norms) -> bool:
    """Whether the cohort is too small to compare anything with."""
    return norms.sessions < LEAST


def _lacking(full_names: Iterable[str], view: SessionView) -> tuple[Lacking, ...]:
    """By reason, the most frequent first."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for one in full_names:
        by_reason[view.missing.get(one, _UNTOLD)].append(label(one))
    found = (Lacking(why, tuple(labels)) for why, labels in by_reason.items())
    return tuple(sorted(found, key=lambda one: -len(one.labels)))
