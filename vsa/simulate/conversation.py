"""Conversations that are planned before they are heard: who says what kind of thing when, and with what sound.

A plan is drawn turn by turn. Each turn is utterances with pauses between; it passes the floor to somebody else over a
gap or a short overlap, or is cut off by an interruption; on the way, listeners give backchannels (beside utterances
and around pauses) and try in vain to get a word in. What is planned is the truth: nothing of it is found out
afterwards from the times, and nothing here knows `vsa.voice`, which is tested with it. Kinds are as defined there:
inter-pausal units, turns, gaps, pauses, overlaps, interruptions (see `vsa.voice.turns`).

How people talk, and where those numbers come from: `vsa.simulate.turn_plan`.

What is easier here than in life: utterances that take the floor, or after which somebody encourages, last longer than
`vsa.simulate.turn_plan.LONG_S`, and backchannels less than a second, because without words the definitions can't tell
what lies between; nobody is silent for 3 s; there is no laughter. `clear_s` keeps gaps, overlaps and pauses away from
the limits at which they become something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from vsa.errors import InputError
from vsa.simulate.speech import MAN, RATE_HZ, WOMAN, Samples, Talker
from vsa.simulate.turn_plan import Manner, PlannedTurn, draw_turns

_VOICES = (MAN, WOMAN, Talker(98.0, 0.96, 4.2), Talker(232.0, 1.2, 5.1))


@dataclass(frozen=True)
class Counts:
    """How many of each there are; pauses and overlaps as pieces of the timeline, the rest as events."""

    turns: int
    backchannels: int
    pauses: int
    gaps: int
    overlaps_between: int
    overlaps_within: int
    interruptions: int
    failed_interruptions: int


@dataclass(frozen=True, eq=False)
class Conversation:
    """A plan, and its truth; times in s, every table in order of time, columns as of `vsa.voice.turns.Turns`.

    Attributes
    ----------
    seconds, seed, participants, clear_s
        As it was asked for.
    units
        Inter-pausal units: `participant`, `start`, `end`, `kind` (``turn``, ``backchannel``).
    turns
        `participant`, `start`, `end`, `kind` (``turn``, ``backchannel``), `floor`.
    transfers
        `participant`, `previous`, `start`, `offset`.
    silences, overlaps
        `start`, `end`, `kind`: ``pause`` or ``gap``; ``within`` or ``between``.
    interruptions
        `participant`, `interrupted`, `start`, `end`, `taken`.
    """

    seconds: float
    seed: int
    participants: tuple[str, ...]
    clear_s: float
    units: pd.DataFrame
    turns: pd.DataFrame
    transfers: pd.DataFrame
    silences: pd.DataFrame
    overlaps: pd.DataFrame
    interruptions: pd.DataFrame

    @property
    def counts(self) -> Counts:
        """How many of each there are."""
        silences, overlaps = self.silences["kind"], self.overlaps["kind"]
        return Counts(
            turns=int(self.turns["floor"].sum()),
            backchannels=int((self.turns["kind"] == "backchannel").sum()),
            pauses=int((silences == "pause").sum()),
            gaps=int((silences == "gap").sum()),
            overlaps_between=int((overlaps == "between").sum()),
            overlaps_within=int((overlaps == "within").sum()),
            interruptions=int(self.interruptions["taken"].sum()),
            failed_interruptions=int((~self.interruptions["taken"]).sum()),
        )


def plan_conversation(
    seconds: float,
    seed: int = 0,
    *,
    participants: Sequence[str] = ("client", "therapist"),
    manner: Manner | None = None,
    clear_s: float = 0.0,
) -> Conversation:
    """Draw a conversation.

    Parameters
    ----------
    seconds
        Its length; the last word falls half a second before its end, at the latest.
    seed
        The same seed gives the same conversation.
    participants
        Two or more who take part.
    manner
        How they talk.
    clear_s
        No gap, overlap or pause is planned nearer than this to the limit where it would be something else, s: 0.05 says
        that a tool which finds beginnings and ends to 25 ms can count all of them right.

    Raises
    ------
    InputError
        When there are fewer than two people, or two of one name.

    Examples
    --------
    >>> talk = plan_conversation(60, seed=1)
    >>> bool(talk.units["end"].max() < 60), set(talk.units["participant"]) == {"client", "therapist"}
    (True, True)
    """
    if len(set(participants)) < max(2, len(participants)):
        raise InputError("A conversation takes two people or more.", "Give two different names at least.")
    rng = np.random.default_rng(seed)
    turns = draw_turns(participants, seconds, manner or Manner(), clear_s, rng)
    return Conversation(
        seconds=seconds,
        seed=seed,
        participants=tuple(participants),
        clear_s=clear_s,
        units=_table(("participant", "start", "end", "kind"), _units(turns)),
        turns=_table(("participant", "start", "end", "kind", "floor"), _turns(turns)),
        transfers=_table(
            ("participant", "previous", "start", "offset"),
            ((new.who, old.who, new.start, round(new.start - old.end, 3)) for old, new in pairwise(turns)),
        ),
        silences=_table(("start", "end", "kind"), _silences(turns)),
        overlaps=_table(("start", "end", "kind"), _overlaps(turns)),
        interruptions=_table(("participant", "interrupted", "start", "end", "taken"), _interruptions(turns)),
    )


def render(
    conversation: Conversation, rate_hz: int = RATE_HZ, voices: Mapping[str, Talker] | None = None
) -> dict[str, Samples]:
    """Speak a plan: each participant's clean track, silent where they are.

    Parameters
    ----------
    conversation
        The plan.
    rate_hz
        Of the tracks; what is above 8 kHz stays empty.
    voices
        Who speaks how. Otherwise a man and a woman in turn.

    Returns
    -------
    Participant -> float32 (n,), n = the conversation's length.
    """
    tracks = {
        who: np.zeros(round(conversation.seconds * RATE_HZ), np.float32) for who in conversation.participants
    }
    speakers = _speakers(conversation, voices)
    for k, unit in enumerate(conversation.units.itertuples(index=False)):
        said = speakers[unit.participant].speak(unit.end - unit.start, seed=[conversation.seed, k])
        first = round(unit.start * RATE_HZ)
        tracks[unit.participant][first : first + len(said)] = said
    if rate_hz == RATE_HZ:
        return tracks
    import soxr

    return {who: soxr.resample(track, RATE_HZ, rate_hz, "HQ") for who, track in tracks.items()}


def melodies(
    conversation: Conversation, voices: Mapping[str, Talker] | None = None, every_s: float = 0.01
) -> dict[str, Samples]:
    """Fundamental frequency of each one's voice in what `render` gives.

    Parameters
    ----------
    conversation, voices
        As for `render`.
    every_s
        Length of a step, s.

    Returns
    -------
    Participant -> float32 (m,), Hz in the middle of each step; NaN where the voice is off.
    """
    steps = round(conversation.seconds / every_s)
    out = {who: np.full(steps, np.nan, np.float32) for who in conversation.participants}
    middle = (np.arange(steps) + 0.5) * every_s
    speakers = _speakers(conversation, voices)
    for k, unit in enumerate(conversation.units.itertuples(index=False)):
        f0 = speakers[unit.participant].pitch(unit.end - unit.start, seed=[conversation.seed, k])
        at = np.round((middle - unit.start) * RATE_HZ).astype(int)
        inside = (at >= 0) & (at < len(f0))
        out[unit.participant][inside] = f0[at[inside]]
    return out


def _speakers(conversation: Conversation, voices: Mapping[str, Talker] | None) -> dict[str, Talker]:
    usual = {who: _VOICES[k % len(_VOICES)] for k, who in enumerate(conversation.participants)}
    return usual | dict(voices or {})


def _units(turns: Sequence[PlannedTurn]) -> Iterator[tuple[Any, ...]]:
    for turn in turns:
        yield from ((turn.who, start, end, "turn") for start, end in turn.utterances)
        for aside in turn.asides:
            yield aside.who, aside.start, aside.end, "backchannel" if aside.kind == "backchannel" else "turn"


def _turns(turns: Sequence[PlannedTurn]) -> Iterator[tuple[Any, ...]]:
    for turn in turns:
        yield turn.who, turn.start, turn.end, "turn", True
        for aside in turn.asides:
            kind = "backchannel" if aside.kind == "backchannel" else "turn"
            yield aside.who, aside.start, aside.end, kind, False


def _silences(turns: Sequence[PlannedTurn]) -> Iterator[tuple[Any, ...]]:
    for turn in turns:
        said = {aside.utterance: aside for aside in turn.asides if aside.around_pause}
        for k, ((_, end), (start, _)) in enumerate(pairwise(turn.utterances)):
            if k not in said:
                yield end, start, "pause"
                continue
            if said[k].start > end:
                yield end, said[k].start, "pause"
            if said[k].end < start:
                yield said[k].end, start, "pause"
    yield from ((old.end, new.start, "gap") for old, new in pairwise(turns) if new.start > old.end)


def _overlaps(turns: Sequence[PlannedTurn]) -> Iterator[tuple[Any, ...]]:
    for turn in turns:
        for aside in turn.asides:
            if not aside.around_pause:
                yield aside.start, aside.end, "within"
                continue
            (_, end), (start, _) = turn.utterances[aside.utterance : aside.utterance + 2]
            if aside.start < end:
                yield aside.start, end, "within"
            if aside.end > start:
                yield start, aside.end, "within"
    yield from ((new.start, old.end, "between") for old, new in pairwise(turns) if new.start < old.end)


def _interruptions(turns: Sequence[PlannedTurn]) -> Iterator[tuple[Any, ...]]:
    for turn in turns:
        for aside in turn.asides:
            if aside.kind == "attempt":
                yield aside.who, turn.who, aside.start, aside.end, False
    for old, new in pairwise(turns):
        if new.interrupts:
            yield new.who, old.who, new.start, old.end, True


def _table(columns: Sequence[str], lines: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """A table in order of time, whose columns have their type also when there are no lines."""
    rows = sorted(lines, key=lambda line: (line[columns.index("start")], line))
    types = {"start": "float64", "end": "float64", "offset": "float64", "floor": "bool", "taken": "bool"}
    return pd.DataFrame(
        {
            name: pd.Series([row[k] for row in rows], dtype=types.get(name, "str"))
            for k, name in enumerate(columns)
        }
    )
