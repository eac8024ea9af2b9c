"""How two people share the floor: balance of talk, overlap, silence, and how often the floor changes hands."""

from __future__ import annotations

import numpy as np

from vsa.features.limits import FEW, LEVEL_S, SEVERAL, enough, need_count
from vsa.features.person import STEP_S
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats
from vsa.features.turns_known import (
    KNOWN,
    LONG_SILENCE_S,
    heard_pair,
    known_turns,
    minutes,
    own_speech,
    seconds,
    speakers,
    spread,
    transfers_of_pair,
)

#: Balance of talk is followed in windows of this length, this far apart.
WINDOW_S, EVERY_S = 150.0, 30.0

_TALK = "Zhang, Zhang & Danescu-Niculescu-Mizil 2025 (talk-time sharing)."
_OFFSET = "Floor transfer offset: Levinson & Torreira 2015; Reece et al. 2023."


@feature(
    "turns.talk_balance",
    scope="dyad",
    unit="1",
    range=(0.0, 1.0),
    needs=("turns",),
    minimum=f"{LEVEL_S:.0f} s of speech by the two",
    source=f"{_TALK} No pooled effect on alliance is known.",
)
def talk_balance(session: Session, dyad: str) -> float:
    """Balance of talk: 1 if both speak for the same time, 0 if only one of them speaks."""
    first, second = (seconds(own_speech(session, one)) for one in heard_pair(session))
    return 1 - abs(first - second) / enough(first + second, LEVEL_S, "the two speak")


@feature(
    "turns.talk_balance_sd",
    scope="dyad",
    unit="1",
    range=(0.0, 0.5),
    needs=("turns",),
    minimum=f"{SEVERAL} windows of {WINDOW_S:.0f} s, {EVERY_S:.0f} s apart, half of each known, with {LEVEL_S:.0f} s "
    "of speech",
    source=f"{_TALK} Windows of 2.5 min every 30 s as in its ConvoKit implementation.",
)
def talk_balance_sd(session: Session, dyad: str) -> float:
    """How much the balance of talk moves: standard deviation of one's talk share over windows of 2.5 minutes."""
    pair = heard_pair(session)
    known, first, second = (
        _windowed_s(flags) for flags in (session.known, *(own_speech(session, one) for one in pair))
    )
    used = (known >= WINDOW_S / 2) & (first + second >= LEVEL_S)
    need_count(int(used.sum()), SEVERAL, f"windows of {WINDOW_S:.0f} s with speech")
    return float(np.std(first[used] / (first + second)[used]))


@feature(
    "turns.overlap_share",
    scope="dyad",
    unit="share",
    needs=("turns",),
    minimum=f"{LEVEL_S:.0f} s in which either speaks",
    source="Simultaneous speech: Jaffe & Feldstein 1970; Heldner & Edlund 2010. In mixed sound "
    "much of it is missed.",
)
def overlap_share(session: Session, dyad: str) -> float:
    """Share of the time in which either of the two speaks in which both do, backchannels included."""
    first, second = (own_speech(session, one) for one in heard_pair(session))
    return seconds(first & second) / enough(seconds(first | second), LEVEL_S, "either of the two speaks")


@feature(
    "turns.silence_share",
    scope="dyad",
    unit="share",
    needs=("turns",),
    minimum=KNOWN,
    source="Mutual silence: Jaffe & Feldstein 1970. No pooled effect on alliance is known.",
)
def silence_share(session: Session, dyad: str) -> float:
    """Share of the time for which it is known who speaks in which nobody speaks."""
    heard_pair(session)
    known_s = minutes(session) * 60
    return 1 - seconds(speakers(session) > 0) / known_s


@feature(
    "turns.long_silence_rate_per_min",
    scope="dyad",
    unit="1/min",
    needs=("turns",),
    minimum=KNOWN,
    source="Silences of 3 s in psychotherapy: Frankel, Levitt et al. 2006.",
)
def long_silence_rate_per_min(session: Session, dyad: str) -> float:
    """Silences of 3 s or longer between the first word and the last, per minute for which it is known who speaks."""
    heard_pair(session)
    return int((known_turns(session).silences["length"] >= LONG_SILENCE_S).sum()) / minutes(session)


@feature(
    "turns.transition_rate_per_min",
    scope="dyad",
    unit="1/min",
    needs=("turns",),
    minimum=KNOWN,
    source="Speaker switches: Jaffe & Feldstein 1970. Turn dynamics and observed alliance in e-therapy calls: Bayerl "
    "et al. 2022.",
)
def transition_rate_per_min(session: Session, dyad: str) -> float:
    """How often the floor goes from one of the two to the other, per minute for which it is known who speaks."""
    return len(transfers_of_pair(session)) / minutes(session)


@feature(
    "turns.transfer_offset_median_s",
    scope="dyad",
    unit="s",
    expect="lower",
    needs=("turns",),
    minimum=f"{FEW} transfers of the floor",
    source=f"{_OFFSET} Faster responses, more connection, among strangers and friends: Templeton et al. 2022. Delay "
    "of calls: Boland et al. 2022.",
)
def transfer_offset_median_s(session: Session, dyad: str) -> float:
    """Median time from the end of a turn to the other's that takes the floor; below 0 in overlap."""
    return float(np.median(_offsets(session, FEW)))


@feature(
    "turns.transfer_offset_iqr_s",
    scope="dyad",
    unit="s",
    range=(0.0, None),
    needs=("turns",),
    minimum=f"{SEVERAL} transfers of the floor",
    source=_OFFSET,
)
def transfer_offset_iqr_s(session: Session, dyad: str) -> float:
    """Interquartile range of the times from the end of a turn to the other's that takes the floor."""
    return spread(_offsets(session, SEVERAL))


@feature(
    "turns.interruption_asymmetry",
    scope="dyad",
    unit="1",
    range=(-1.0, 1.0),
    needs=("turns",),
    minimum=f"{SEVERAL} interruptions that took the floor",
    source="Overlap of 0.5 s into another's speech: West & Zimmerman 1983, who read who does it as dominance.",
)
def interruption_asymmetry(session: Session, dyad: str) -> float:
    """Interruptions that took the floor: by the first minus by the second, over all (client, therapist)."""
    first, second = heard_pair(session)
    cuts = known_turns(session).interruptions
    cuts = cuts[cuts["taken"]]
    by_first = int(((cuts["participant"] == first) & (cuts["interrupted"] == second)).sum())
    by_second = int(((cuts["participant"] == second) & (cuts["interrupted"] == first)).sum())
    both = need_count(by_first + by_second, SEVERAL, "interruptions that took the floor")
    return (by_first - by_second) / both


def _windowed_s(flags: Flags) -> Floats:
    """Time for which something holds in each whole window, s."""
    length, step = round(WINDOW_S / STEP_S), round(EVERY_S / STEP_S)
    before = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray((before[length:] - before[:-length])[::step] * STEP_S, np.float64)


def _offsets(session: Session, least: int) -> Floats:
    """Floor transfer offsets between the two, s."""
    offsets: Floats = transfers_of_pair(session)["offset"].to_numpy(np.float64)
    need_count(len(offsets), least, "transfers of the floor")
    return offsets
