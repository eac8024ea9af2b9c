"""What stands out in a session, in a few sentences made from its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsa.features.core import CORE, is_core
from vsa.features.registry import is_full_name
from vsa.features.words import told
from vsa.report.pages.distribution import FAR, anchor, few, is_far
from vsa.report.pages.norms import LEAST

if TYPE_CHECKING:
    from vsa.report.pages.norms import Norms
    from vsa.report.pages.view import SessionView

_MOST = 4
#: At least so much of the cohort lies on one side: "in 9 of 10 sessions", or in nearly all.
_ONE_SIDE = 0.85


@dataclass(frozen=True)
class Sentence:
    """What is said of a feature; `anchor` is that of its row on the page."""

    text: str
    anchor: str


@dataclass(frozen=True)
class StandingOut:
    """The core features farthest from the cohort's middle, and how much that means."""

    sentences: tuple[Sentence, ...]
    note: str


def standing_out(view: SessionView, norms: Norms) -> StandingOut:
    """Find the core features that lie lower or higher than in 9 of 10 sessions, at most four, the farthest first."""
    if few(norms):
        return StandingOut((), too_few(norms))
    places = {name: norms.below(name, view.values[name]) for name in view.values if _core(name)}
    known = {name: below for name, below in places.items() if math.isfinite(below)}
    if not known:
        return StandingOut((), "None of the core features can be compared with other sessions.")
    far = [name for name, below in known.items() if max(below, 1 - below) >= _ONE_SIDE]
    # of the same distance, the core set's order
    far.sort(key=lambda name: (-abs(known[name] - 0.5), CORE.index(name.partition(".")[2])))
    sentences = tuple(
        Sentence(told(name, view.values[name], f", {norms.words(name, view.values[name])}"), anchor(name))
        for name in far[:_MOST]
    )
    outside = sum(map(is_far, known.values()))
    usual = max(1, round(2 * FAR * len(known)))
    note = (
        f"{outside} of {len(known)} core values {'lies' if outside == 1 else 'lie'} outside of the middle 90 % of the "
        f"{norms.sessions} sessions; in an ordinary session about {usual} {'does' if usual == 1 else 'do'}."
    )
    return StandingOut(sentences, note)


def too_few(norms: Norms) -> str:
    """Why nothing is compared."""
    sessions = "1 session" if norms.sessions == 1 else f"{norms.sessions} sessions"
    return f"The cohort has {sessions}, and {LEAST} are needed to say what is high or low: values only."


def _core(name: str) -> bool:
    return is_full_name(name) and is_core(name)
