"""How two people keep time: whether their latencies move together, and how evenly turns follow each other."""

from __future__ import annotations

import numpy as np

from vsa.features.limits import SEVERAL, need_count
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Floats
from vsa.features.turns_known import clear, heard_pair, known_turns, transfers_of_pair

#: A correlation of answers and the answers to them rests on so many.
ANSWERS = 20


@feature(
    "turns.latency_coupling_r",
    scope="dyad",
    unit="r",
    needs=("turns",),
    minimum=f"{ANSWERS} pairs of transfers that follow each other, each with the latency of the one and then the other",
    source="Gaps of two speakers that move together: Edlund, Heldner & Hirschberg 2009. From turn to turn: Pouw & "
    "Holler 2022. Ranks within each person leave out habits and the delay of a call: convention of this project.",
)
def latency_coupling_r(session: Session, dyad: str) -> float:
    """Rank correlation of one's latency with the other's at the next transfer of the floor between the two."""
    moved = transfers_of_pair(session)
    ranks = np.full(len(moved), np.nan)
    for one in moved["participant"].unique():
        own = (moved["participant"] == one).to_numpy()
        ranks[own] = _standard_ranks(moved["offset"].to_numpy(np.float64)[own])
    place = moved.index.to_numpy()
    follows = np.diff(place) == 1
    follows &= moved["participant"].to_numpy()[:-1] == moved["previous"].to_numpy()[1:]
    need_count(int(follows.sum()), ANSWERS, "transfers that follow each other")
    before, after = ranks[:-1][follows], ranks[1:][follows]
    if not (np.std(before) > 0 and np.std(after) > 0):
        raise TooLittle("latencies are all the same")
    return float(np.clip(np.corrcoef(before, after)[0, 1], -1, 1))


@feature(
    "turns.rhythm_cv",
    scope="dyad",
    unit="1",
    range=(0.0, None),
    needs=("turns",),
    minimum=f"{SEVERAL} intervals between the beginnings of turns",
    source="Of intervals between events: 0 in a steady beat, 1 by chance, more in bursts (Goh & Barabási 2008); in "
    "conversation: Abney, Dale, Louwerse & Kello 2018.",
)
def rhythm_cv(session: Session, dyad: str) -> float:
    """Coefficient of variation of the intervals between the beginnings of turns that take the floor, by anybody."""
    heard_pair(session)
    starts = known_turns(session).turns["start"].reset_index(drop=True)
    intervals = np.diff(starts)[clear(session, starts[:-1], starts[1:])]
    need_count(len(intervals), SEVERAL, "intervals between turns")
    return float(np.std(intervals) / np.mean(intervals))


def _standard_ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    ranks = np.asarray(rankdata(values), np.float64)
    ranks -= ranks.mean()
    return ranks / (np.std(ranks) or np.nan)
