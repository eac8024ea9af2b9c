"""What follows trouble in the taking of turns: whether the two find back to a smooth exchange, and who speaks first.

Trouble
    Two people who talk into each other for 0.5 s or longer, at an interruption or where the floor goes over
    (``overlap``; backchannels don't count), or a silence of everybody of 3 s or longer between the first word and the
    last (``silence``). The lengths are those of `vsa.voice.turns.Rules`.
Repaired
    Within 20 s after its end the floor goes over at least twice between the same two people (those who overlapped;
    after a silence, any two), each time smoothly: with an offset of -0.5 to 2 s. The transfer that makes the trouble is
    none of them. It takes until the second of these turns begins.
Open
    The recording ends before 20 s are over, and until then it is not repaired: nobody knows.

All of this is a convention of this project and has not been validated. It is neither the repair of speech (Schegloff,
Jefferson & Sacks 1977, Language 53) nor that of a rupture of the alliance (Eubanks, Muran & Safran 2018, Psychotherapy
55): both take words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vsa.voice.floor import Rules
from vsa.voice.ipu import micro

if TYPE_CHECKING:
    import pandas as pd

    from vsa.voice.turn_tables import Turns

OVERLAP, SILENCE = "overlap", "silence"
REPAIRED, NOT_REPAIRED, OPEN = "repaired", "not repaired", "open"
#: Trouble that is not repaired in this time, s, is not.
WITHIN_S = 20.0
#: Smooth transfers that it takes, and their offsets, s.
SMOOTH = 2
EARLIEST_S, LATEST_S = -0.5, 2.0

_TYPES = {"kind": "str", "start": "float64", "end": "float64", "first": "object"}
_TYPES |= {"outcome": "str", "until_s": "float64"}
#: Kind, start, end, and the two people it is between; None for all.
_Trouble = tuple[str, float, float, frozenset[str] | None]


def repairs(turns: Turns, end_s: float | None = None, rules: Rules | None = None) -> pd.DataFrame:
    """Find trouble in a conversation, and what follows it.

    Parameters
    ----------
    turns
        The conversation.
    end_s
        Where the recording ends, s; else the last word is taken for its end.
    rules
        What `turns` was found with: how long an interruption and a silence are.

    Returns
    -------
    One row each, in order of time: `kind` (``overlap``, ``silence``), `start`, `end` (s), `first` (who is first heard
    alone after it; None if nobody is), `outcome` (``repaired``, ``not repaired``, ``open``), `until_s` (from the end of
    the trouble until it is repaired; NaN if it is not).

    Examples
    --------
    >>> import pandas as pd
    >>> from vsa.voice.turns import find_turns
    >>> said = [("t", 0, 4), ("c", 9, 12), ("t", 12.5, 15), ("c", 15.25, 18)]
    >>> found = repairs(find_turns(pd.DataFrame(said, columns=["participant", "start", "end"])), end_s=60)
    >>> found.values.tolist()
    [['silence', 4.0, 9.0, 'c', 'repaired', 6.25]]
    """
    import pandas as pd

    rules = rules or Rules()
    last_s = float(turns.units["end"].max()) if len(turns.units) else 0.0
    end_s = last_s if end_s is None else end_s
    found = sorted(
        [*_overlaps(turns, rules), *_silences(turns, rules)], key=lambda trouble: (trouble[1], trouble[2])
    )
    lines = []
    for kind, start, stop, between in found:
        until = _until_s(turns, stop, between)
        over = micro(end_s - stop) >= micro(WITHIN_S)
        outcome = REPAIRED if not math.isnan(until) else NOT_REPAIRED if over else OPEN
        lines.append((kind, start, stop, _first_alone(turns, stop), outcome, until))
    return pd.DataFrame(
        {
            name: pd.Series([line[i] for line in lines], dtype=kind)
            for i, (name, kind) in enumerate(_TYPES.items())
        }
    )


def _silences(turns: Turns, rules: Rules) -> Iterator[_Trouble]:
    for row in turns.silences.itertuples():
        if micro(row.end - row.start) >= micro(rules.lapse_s):
            yield SILENCE, float(row.start), float(row.end), None


def _overlaps(turns: Turns, rules: Rules) -> Iterator[_Trouble]:
    """Interruptions, and overlaps over which the floor goes to another; one that is both once."""
    spans = [
        (row.start, row.end, frozenset((row.participant, row.interrupted)))
        for row in turns.interruptions.itertuples()
    ]
    spans += [
        (row.start, row.end, frozenset((row.before, row.after)))
        for row in turns.overlaps[turns.overlaps["kind"] == "between"].itertuples()
        if micro(row.end - row.start) >= micro(rules.interruption_s)
    ]
    joined: dict[frozenset[str], list[tuple[float, float]]] = {}
    for start, end, who in sorted(spans, key=lambda span: span[:2]):
        own = joined.setdefault(who, [])
        if own and start < own[-1][1]:
            own[-1] = own[-1][0], max(end, own[-1][1])
        else:
            own.append((start, end))
    for who, parts in joined.items():
        for start, end in parts:
            yield OVERLAP, float(start), float(end), who


def _until_s(turns: Turns, stop: float, between: frozenset[str] | None) -> float:
    """From the end of the trouble to the turn that repairs it, s; NaN if none does."""
    moved = turns.transfers
    after = moved[(moved["start"] >= stop) & (moved["start"] <= stop + WITHIN_S)]
    smooth = after[after["offset"].between(EARLIEST_S, LATEST_S)]
    count: dict[frozenset[str], int] = {}
    for row in smooth.itertuples():
        who = frozenset((str(row.participant), str(row.previous)))
        if between is None or who == between:
            count[who] = count.get(who, 0) + 1
            if count[who] == SMOOTH:
                return float(row.start) - stop
    return math.nan


def _first_alone(turns: Turns, stop: float) -> str | None:
    alone = turns.alone[turns.alone["end"] > stop]
    return str(alone["participant"].iloc[0]) if len(alone) else None
