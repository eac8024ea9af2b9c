"""What each person does with the other's floor: backchannels, interruptions, and who ends silences."""

from __future__ import annotations

from vsa.features.limits import EVENTS_S, FEW, enough, need_count
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.turns_known import (
    KNOWN,
    LONG_SILENCE_S,
    known_turns,
    minutes,
    of,
    own_speech,
    seconds,
    speakers,
)

_CUT = "Overlap of 0.5 s into another's speech, about two syllables: West & Zimmerman 1983."


@feature(
    "turns.backchannel_rate_per_min",
    unit="1/min",
    needs=("turns",),
    minimum=f"{EVENTS_S:.0f} s of speech by others",
    source="Backchannels by length and place: Reece et al. 2023; Ekstedt & Skantze 2022. Without words a short answer "
    "can't always be told from one.",
)
def backchannel_rate_per_min(session: Session, role: str) -> float:
    """Backchannels ("mm-hm") of this person per minute of the others' speech."""
    given = of(known_turns(session).backchannels, role)
    others = seconds(speakers(session) > own_speech(session, role))
    return len(given) / (enough(others, EVENTS_S, "others speak") / 60)


@feature(
    "turns.interruption_rate_per_min",
    unit="1/min",
    needs=("turns",),
    minimum=KNOWN,
    source=_CUT,
)
def interruption_rate_per_min(session: Session, role: str) -> float:
    """Interruptions by which this person takes the floor, per minute for which it is known who speaks."""
    cuts = of(known_turns(session).interruptions, role)
    return int(cuts["taken"].sum()) / minutes(session)


@feature(
    "turns.interruption_failed_rate_per_min",
    unit="1/min",
    needs=("turns",),
    minimum=KNOWN,
    source=_CUT,
)
def interruption_failed_rate_per_min(session: Session, role: str) -> float:
    """Interruptions that leave the floor to the other, per minute for which it is known who speaks."""
    cuts = of(known_turns(session).interruptions, role)
    return int((~cuts["taken"]).sum()) / minutes(session)


@feature(
    "turns.silence_breaking_share",
    unit="share",
    needs=("turns",),
    minimum=f"{FEW} silences of {LONG_SILENCE_S:.0f} s or longer",
    source="Silences of 3 s in psychotherapy: Frankel, Levitt et al. 2006. Who ends them: convention of this project.",
)
def silence_breaking_share(session: Session, role: str) -> float:
    """Share of the silences of 3 s or longer after which this person has the floor."""
    silences = known_turns(session).silences
    long = silences[(silences["length"] >= LONG_SILENCE_S) & silences["after"].notna()]
    need_count(len(long), FEW, f"silences of {LONG_SILENCE_S:.0f} s or longer")
    return float((long["after"] == role).mean())
