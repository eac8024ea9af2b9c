"""Turns as far as it is known who speaks: what the features of turn-taking count, and the time they count in.

Where a microphone is off or a file has a hole nobody knows who speaks. That time is in no denominator, and what
reaches into it is not measured: a silence that began before may have ended within, a turn that begins where the hole
ends may have begun earlier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.features.limits import EVENTS_S, enough, pair_of, turns_of
from vsa.features.memo import once
from vsa.features.person import STEP_S
from vsa.features.registry import TooLittle
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats
from vsa.voice.turns import BACKCHANNEL, Rules

#: A silence that lasts so long ends a turn, and is long: what counts as a silence in psychotherapy.
LONG_SILENCE_S = Rules().lapse_s
#: A silence of one speaker that is shorter is no pause.
SHORTEST_PAUSE_S = Rules().join_s
#: Words for the time base of rates, in the definitions' `minimum`.
KNOWN = f"{EVENTS_S:.0f} s for which it is known who speaks"


@dataclass(frozen=True, eq=False)
class KnownTurns:
    """Tables of `vsa.voice.turns.Turns`, without what reaches into time of which it is not known who speaks.

    Attributes
    ----------
    seconds
        For which it is known of everybody whether they speak.
    turns
        That take the floor, and whose beginning is known, with `length`, s; `whole`: nothing is unknown until they
        end.
    backchannels
        Whose beginning is known.
    transfers, silences, interruptions
        Known from start to end. `silences` have `length`, s.
    """

    seconds: float
    turns: pd.DataFrame
    backchannels: pd.DataFrame
    transfers: pd.DataFrame
    silences: pd.DataFrame
    interruptions: pd.DataFrame


@once
def known_turns(session: Session) -> KnownTurns:
    """What is known of who took turns when.

    Raises
    ------
    TooLittle
        As `turns_of`, and if there is somebody of whom it is never known whether they speak.
    """
    turns = turns_of(session)
    for scope in session.scopes:
        if scope not in session.voices:
            raise TooLittle(f"it is never known whether {scope} speaks")
    rows = turns.turns
    begins = clear(session, rows["start"], rows["start"])
    rows = rows.assign(whole=clear(session, rows["start"], rows["end"]), length=_length(rows))
    listened = (rows["kind"] == BACKCHANNEL).to_numpy()
    moved = turns.transfers
    left = moved["start"] - moved["offset"]
    silences, cuts = turns.silences, turns.interruptions
    silences = silences.assign(length=_length(silences))
    return KnownTurns(
        seconds=seconds(session.known),
        turns=rows[begins & rows["floor"].to_numpy(bool)],
        backchannels=rows[begins & listened],
        transfers=moved[clear(session, np.minimum(moved["start"], left), np.maximum(moved["start"], left))],
        silences=silences[clear(session, silences["start"], silences["end"])],
        interruptions=cuts[clear(session, cuts["start"], cuts["end"])],
    )


@once
def speakers(session: Session) -> npt.NDArray[np.int64]:
    """How many people speak, off camera too, on the grid of the voices, shape (m,); 0 where it is not known."""
    counts = np.sum([session.others, *(voice.speaking for voice in session.voices.values())], axis=0)
    return np.asarray(np.where(session.known, counts, 0), np.int64)


def own_speech(session: Session, scope: str) -> Flags:
    """Where this person speaks and it is known of everybody else whether they do, shape (m,)."""
    return session.voices[scope].speaking & session.known


def minutes(session: Session) -> float:
    """Time for which it is known who speaks, min; `TooLittle` if that is too little to count events."""
    return enough(known_turns(session).seconds, EVENTS_S, "it is known who speaks") / 60


def seconds(where: Flags) -> float:
    """Time for which something holds on the grid of the voices, s."""
    return float(np.count_nonzero(where)) * STEP_S


def seconds_within(session: Session, where: Flags, spans: pd.DataFrame) -> Floats:
    """Time for which something holds in each of the spans (`start`, `end`), s, shape (n,)."""
    return _count_within(session, where, spans["start"], spans["end"], 0) * STEP_S


def clear(session: Session, start: pd.Series, end: pd.Series) -> Flags:
    """Whether nothing is unknown from just before each `start` until just after its `end`, shape (n,).

    What lies outside the session is not held against a span: a turn may last beyond the part that is looked at.
    """
    return np.asarray(_count_within(session, ~session.known, start, end, 1) == 0)


def of(table: pd.DataFrame, scope: str) -> pd.DataFrame:
    """The rows of one person."""
    return table[table["participant"] == scope]


def heard_pair(session: Session) -> tuple[str, str]:
    """As `pair_of`, if it is known who speaks."""
    known_turns(session)
    return pair_of(session)


def transfers_of_pair(session: Session) -> pd.DataFrame:
    """Transfers of the floor from one of the pair to the other."""
    pair, moved = heard_pair(session), known_turns(session).transfers
    return moved[moved["participant"].isin(pair) & moved["previous"].isin(pair)]


def spread(values: pd.Series) -> float:
    """Interquartile range."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low)


def _length(spans: pd.DataFrame) -> pd.Series:
    """How long spans last, s; to the µs, so that what lasts as long as a limit is not shorter."""
    return (spans["end"] - spans["start"]).round(6)


def _count_within(session: Session, where: Flags, start: pd.Series, end: pd.Series, margin: int) -> Floats:
    """How many steps in which something holds each span touches, `margin` steps around it included; shape (n,)."""
    start_s = next(iter(session.voices.values())).start_s
    before = np.concatenate([[0], np.cumsum(where)])
    first = np.floor((start.to_numpy(np.float64) - start_s) / STEP_S + 1e-6) - margin
    last = np.ceil((end.to_numpy(np.float64) - start_s) / STEP_S - 1e-6) + margin
    edges = np.clip([first, last], 0, len(where)).astype(np.int64)
    return np.asarray(before[edges[1]] - before[edges[0]], np.float64)
