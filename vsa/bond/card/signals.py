"""What a model card says of single signals: sentences, and the figures of those that go with the bond most clearly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vsa.bond.card.tables import NONE, count, interval, percent, probability, shown, table
from vsa.bond.evaluation.effect_words import CHANCE
from vsa.features.words import label

if TYPE_CHECKING:
    from vsa.bond.model import ModelInfo

Record = Mapping[str, Any]

#: Signals that are shown one by one, at most.
MOST = 12


def strongest(effects: Sequence[Record], most: int = MOST) -> list[list[Record]]:
    """Signals in the order of their smallest p, with all of their parts.

    Parameters
    ----------
    effects
        As in the record of an evaluation (`vsa.bond.evaluation.effects.Effect`); those without a figure are left out.
    most
        Signals at most.
    """
    by_signal: dict[str, list[Record]] = {}
    for effect in effects:
        if effect["beta"] is not None:
            by_signal.setdefault(effect["feature"], []).append(effect)
    return sorted(by_signal.values(), key=lambda parts: min(map(_order, parts)))[:most]


def _order(effect: Record) -> tuple[float, float]:
    return (math.inf if effect["p"] is None else effect["p"], -abs(effect["beta"]))


def signs_kept(info: ModelInfo) -> dict[tuple[str, str], float]:
    """Feature and part -> share of resamples in which the ridge coefficient keeps its sign."""
    return {(one["feature"], one["part"]): one["sign_consistency"] for one in info.evaluation["stability"]}


def signals(info: ModelInfo, picture: str = "") -> Iterator[str]:
    """Lines of Markdown, with a picture (Markdown too) between sentences and figures."""
    found = info.evaluation["effects"]
    # the words end with the notes; without words these must not be lost
    yield from (f"- {shown(line)}" for line in found["words"] or found["notes"])
    yield ""
    if picture:
        yield f"{picture}\n"
    rows = strongest(found["effects"])
    if not rows:
        yield "Single signals could not be looked at.\n"
        return
    beside = f", beside {', '.join(map(shown, found['covariates']))}" if found["covariates"] else ""
    tests = sum(effect["p"] is not None for effect in found["effects"])
    yield (
        f"Each signal by itself{beside}; level: clients among each other, change: sessions of a client among each "
        f"other. Figures are in SD of the bond for each SD of the signal. q is over all {count(tests, 'test')}, and in "
        f"bold where it is below {CHANCE:g} (shown here); else it may be chance. Same sign: resamples of clients in "
        "which the signal's weight beside all others keeps its sign.\n"
    )
    kept = signs_kept(info)
    yield from table(
        ("Signal", "Part", "With studies", "SD for each SD", "p", "q", "Same sign", "Sessions"),
        (_row(effect, kept) for parts in rows for effect in parts),
        words=3,
    )


def _row(effect: Record, kept: Mapping[tuple[str, str], float]) -> tuple[str, ...]:
    q = probability(effect["q"])
    return (
        shown(label(effect["feature"])),
        effect["part"] or NONE,
        effect["agrees"],
        interval({"value": effect["beta"], "low": effect["low"], "high": effect["high"]}),
        probability(effect["p"]),
        f"**{q}**" if effect["q"] is not None and effect["q"] < CHANCE else q,
        percent(kept.get((effect["feature"], effect["part"]))),
        str(effect["n"]),
    )
