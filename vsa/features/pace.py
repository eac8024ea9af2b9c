"""How fast one person speaks and how much of it is pauses, over this person's own turns.

Speech rate is articulation rate times the share of the turns that is not paused, so that speech whose sound is not
this person's alone (others speak in the same mixed sound) is neither a pause nor without syllables.
"""

from __future__ import annotations

import numpy as np

from vsa.features.limits import LEVEL_S, SEVERAL, enough, need_count, voice_of
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.turn_prosody import RATE_S, SpokenTurns, spoken_turns

_MINIMUM = f"{LEVEL_S:.0f} s of own turns"
_RATES = "Syllable nuclei as in de Jong & Wempe 2009; turns as in vsa.voice.turns."


@feature(
    "voice.articulation_rate_per_s",
    unit="1/s",
    needs=("voice", "turns"),
    minimum=f"{LEVEL_S:.0f} s of speech in own turns",
    source=_RATES,
)
def articulation_rate_per_s(session: Session, role: str) -> float:
    """Syllables per second of speech in this person's own turns, pauses left out."""
    return _articulation(_own_turns(session, role))


@feature(
    "voice.speech_rate_per_s",
    unit="1/s",
    needs=("voice", "turns"),
    minimum=f"{LEVEL_S:.0f} s of speech in own turns",
    source=f"{_RATES} In psychotherapy: Rocco et al. 2018.",
)
def speech_rate_per_s(session: Session, role: str) -> float:
    """Syllables per second of this person's own turns, pauses included."""
    turns = _own_turns(session, role)
    return _articulation(turns) * (1 - _silent_share(session, turns))


@feature(
    "voice.speech_rate_sd_per_s",
    unit="1/s",
    needs=("voice", "turns"),
    minimum=f"{SEVERAL} turns with {RATE_S:.0f} s of speech",
    source=_RATES,
)
def speech_rate_sd_per_s(session: Session, role: str) -> float:
    """Standard deviation of the speech rate (syllables per second, pauses included) over this person's turns."""
    turns = _own_turns(session, role)
    _need_others(session)
    rates = turns.speech_per_s
    rates = rates[np.isfinite(rates)]
    need_count(len(rates), SEVERAL, f"turns with {RATE_S:.0f} s of speech")
    return float(np.std(rates, ddof=1))


@feature(
    "voice.pause_share",
    unit="share",
    needs=("voice", "turns"),
    minimum=_MINIMUM,
    source="Pauses of 200 ms and more within turns as in vsa.voice.turns; a silence of 3 s ends a turn.",
)
def pause_share(session: Session, role: str) -> float:
    """Share of this person's own turns in which this person pauses."""
    return _silent_share(session, _own_turns(session, role))


def _own_turns(session: Session, role: str) -> SpokenTurns:
    voice_of(session, role)
    return spoken_turns(session)[role]


def _articulation(turns: SpokenTurns) -> float:
    seconds = enough(float(turns.heard_s.sum()), LEVEL_S, "speech in this person's turns is heard")
    return float(turns.syllables.sum()) / seconds


def _silent_share(session: Session, turns: SpokenTurns) -> float:
    """Share of pauses in own turns."""
    _need_others(session)
    silent = float(turns.silent_s.sum())
    return silent / enough(float(turns.spoken_s.sum()) + silent, LEVEL_S, "this person has the turn")


def _need_others(session: Session) -> None:
    """`TooLittle` if somebody's speech is never known: it would be taken for pauses of the others."""
    if unknown := [scope for scope in session.scopes if scope not in session.voices]:
        raise TooLittle(f"it is never known whether {', '.join(unknown)} speaks")
