"""How much each person says, in turns of which length, and how they pause within them."""

from __future__ import annotations

import numpy as np

from vsa.features.limits import EVENTS_S, FEW, LEVEL_S, SEVERAL, enough, need_count
from vsa.features.person import STEP_S
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Floats
from vsa.features.turns_known import (
    KNOWN,
    LONG_SILENCE_S,
    SHORTEST_PAUSE_S,
    known_turns,
    minutes,
    of,
    own_speech,
    seconds,
    seconds_within,
    speakers,
)

#: A turn of this length or longer is a monologue.
MONOLOGUE_S = 30.0

_BACKBITER = "Turns that backchannels do not end: Reece et al. 2023 (Backbiter)."


@feature(
    "turns.talk_share",
    unit="share",
    needs=("turns",),
    minimum=f"{LEVEL_S:.0f} s of speech by anybody",
    source="Talk time and how it is shared: Jaffe & Feldstein 1970; Zhang, Zhang & Danescu-Niculescu-Mizil 2025.",
)
def talk_share(session: Session, role: str) -> float:
    """Speaking time of this person as a share of everybody's speaking time, added up."""
    known_turns(session)
    everybody = float(speakers(session).sum()) * STEP_S
    return seconds(own_speech(session, role)) / enough(everybody, LEVEL_S, "somebody speaks")


@feature(
    "turns.turn_rate_per_min",
    unit="1/min",
    needs=("turns",),
    minimum=KNOWN,
    source=_BACKBITER,
)
def turn_rate_per_min(session: Session, role: str) -> float:
    """Turns with which this person takes the floor, per minute for which it is known who speaks."""
    return len(of(known_turns(session).turns, role)) / minutes(session)


@feature(
    "turns.turn_median_s",
    unit="s",
    range=(0.0, None),
    needs=("turns",),
    minimum=f"{FEW} turns",
    source=_BACKBITER,
)
def turn_median_s(session: Session, role: str) -> float:
    """Median length of this person's turns, pauses included."""
    return float(np.median(_lengths(session, role, FEW)))


@feature(
    "turns.turn_p90_s",
    unit="s",
    range=(0.0, None),
    needs=("turns",),
    minimum=f"{SEVERAL} turns",
    source=_BACKBITER,
)
def turn_p90_s(session: Session, role: str) -> float:
    """Length below which nine in ten of this person's turns stay, pauses included."""
    return float(np.quantile(_lengths(session, role, SEVERAL), 0.9))


@feature(
    "turns.monologue_share",
    unit="share",
    needs=("turns",),
    minimum=f"{LEVEL_S:.0f} s of speech in the person's own turns",
    source=f"{_BACKBITER} Limit of {MONOLOGUE_S:.0f} s: convention of this project.",
)
def monologue_share(session: Session, role: str) -> float:
    """Share of the speech in this person's turns that lies in turns of 30 s or longer."""
    turns = of(known_turns(session).turns, role)
    spoken = seconds_within(session, own_speech(session, role), turns)
    total = enough(float(spoken.sum()), LEVEL_S, "this person speaks in turns")
    return float(spoken[turns["length"].to_numpy() >= MONOLOGUE_S].sum()) / total


@feature(
    "turns.pause_median_s",
    unit="s",
    range=(0.0, LONG_SILENCE_S),
    needs=("turns",),
    minimum=f"{FEW} pauses",
    source="Pauses: Sacks, Schegloff & Jefferson 1974; Heldner & Edlund 2010; from 200 ms: Maekawa 2003.",
)
def pause_median_s(session: Session, role: str) -> float:
    """Median silence within this person's turns, from 0.2 to 3 s."""
    pauses = _silences(session, role, ("pause",))
    need_count(len(pauses), FEW, "pauses")
    return float(np.median(pauses))


@feature(
    "turns.pause_rate_per_min",
    unit="1/min",
    needs=("turns",),
    minimum=f"{EVENTS_S:.0f} s of the person's speech",
    source="Pauses: Sacks, Schegloff & Jefferson 1974; Heldner & Edlund 2010; from 200 ms: Maekawa 2003.",
)
def pause_rate_per_min(session: Session, role: str) -> float:
    """Silences of 0.2 to 3 s within this person's turns, per minute of this person's speech."""
    pauses = _silences(session, role, ("pause",))
    return len(pauses) / (enough(seconds(own_speech(session, role)), EVENTS_S, "this person speaks") / 60)


@feature(
    "turns.hold_share",
    unit="share",
    needs=("turns",),
    minimum=f"{SEVERAL} silences after the person's speech",
    source="Holds and shifts: Heldner & Edlund 2010; Ekstedt & Skantze 2022.",
)
def hold_share(session: Session, role: str) -> float:
    """Share of the silences of 0.2 to 3 s after this person's speech over which this person keeps the floor."""
    after = len(_silences(session, role, ("pause", "gap")))
    need_count(after, SEVERAL, "silences after this person's speech")
    return len(_silences(session, role, ("pause",))) / after


def _lengths(session: Session, role: str, least: int) -> Floats:
    """Lengths of the turns that are known from beginning to end, s."""
    turns = of(known_turns(session).turns, role)
    turns = turns[turns["whole"]]
    need_count(len(turns), least, "turns")
    return np.asarray(turns["length"], np.float64)


def _silences(session: Session, role: str, kinds: tuple[str, ...]) -> Floats:
    """Lengths of the silences after this person's speech that are neither too short nor too long for a pause, s.

    What a backchannel leaves of a silence may be shorter than a pause, and gaps have no lower limit of their own.
    """
    rows = known_turns(session).silences
    rows = rows[(rows["before"] == role) & rows["kind"].isin(kinds)]
    length: Floats = rows["length"].to_numpy(np.float64)
    return length[(length >= SHORTEST_PAUSE_S) & (length < LONG_SILENCE_S)]
