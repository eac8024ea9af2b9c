"""From who speaks when to the structure of a conversation.

All definitions of turn-taking that vsa uses are here, with their sources; the numbers are in `Rules`.

Inter-pausal unit (IPU)
    What one person says without a silence of 200 ms or more, the limit of the Corpus of Spontaneous Japanese (Maekawa
    2003). Shorter silences belong to speech, as the closure of a plosive does.
Floor
    Whoever was last heard alone has it (Jaffe & Feldstein 1970; the "last speaker" of Heldner & Edlund 2010).
    Backchannels take no part in this. After a silence of 3 s nobody has the floor: conversation analysis calls this a
    lapse (Sacks, Schegloff & Jefferson 1974), and 3 s is what counts as a silence in psychotherapy (Frankel,
    Levitt et al. 2006).
Backchannel
    An IPU of at most 1 s by a listener that leaves the floor where it was: somebody else has the floor when it begins,
    and is the next to go on, in less than 3 s. This is the idea of the "Backbiter" turns of Reece et al. (2023), where
    a turn goes on until the other says something that is no backchannel; they know the words, and here there is only
    sound, so length (the 1 s of Ekstedt & Skantze 2022) stands for them. What the holder says next to it, before or
    after, must be longer than 1 s: quick exchanges are turns. What begins less than 200 ms after the holder's turn
    answers nothing: it is one of two starts at once. A short answer between two utterances of the asker can't be told
    from a backchannel without words.
Turn
    What one person says from taking the floor until somebody else takes it, backchannels notwithstanding (Backbiter),
    or until a lapse. It lasts from the beginning of its first IPU to the end of its last one, pauses included.
    Speech that is no backchannel and never heard alone is a turn too, one without the floor.
Floor transfer offset
    From the end of a turn to the beginning of the next turn that takes the floor from it, by another speaker; below
    0 when they overlap (Levinson & Torreira 2015; the "interval" of Reece et al. 2023).
Gap, pause
    A silence of everybody: a gap when the floor goes to another speaker over it, a pause when it stays (Sacks et al.
    1974; Heldner & Edlund 2010).
Overlap
    Two or more speak: between speakers when the floor goes to another over it, within a speaker when it stays
    (Heldner & Edlund 2010). Backchannels count: most overlaps within are theirs.
Open silence, open overlap
    One before anybody, or after everybody, was heard alone: it is neither.
Interruption
    A turn that begins while another has been speaking for 200 ms at least and goes on speaking for 500 ms at
    least: about the two syllables that set an interruption apart from a turn's end which the next one touches
    (West & Zimmerman 1983). It is taken when it takes the floor, and else failed.

With `Rules(backchannel_s=0)` everybody who is heard alone takes the floor; gaps, pauses and overlaps are then those
of Heldner & Edlund (2010), on IPUs. All of it holds for any number of people.

Ekstedt & Skantze 2022, Voice activity projection. Interspeech. · Frankel, Levitt, Murray, Greenberg & Angus 2006,
Psychotherapy Research 16. · Heldner & Edlund 2010, Journal of Phonetics 38. · Jaffe & Feldstein 1970, Rhythms of
dialogue. · Levinson & Torreira 2015, Frontiers in Psychology 6:731. · Maekawa 2003, Corpus of Spontaneous Japanese.
SSPR. · Reece et al. 2023 (CANDOR), Science Advances 9:eadf3197. · Sacks, Schegloff & Jefferson 1974, Language 50. ·
West & Zimmerman 1983, in Language, gender and society.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vsa.voice.exchanges import Row, first_alone, in_order, interruptions, rows, transfers
from vsa.voice.floor import Holders, Rules, chronogram, take_floor
from vsa.voice.ipu import MICRO, Unit, frame, inter_pausal_units, joined, units
from vsa.voice.turn_tables import COLUMNS, Turns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BACKCHANNEL", "COLUMNS", "TURN", "Rules", "Turns", "corrected_turns", "find_turns"]

TURN = "turn"
BACKCHANNEL = "backchannel"


def find_turns(speech: pd.DataFrame, rules: Rules | None = None, participants: Iterable[str] = ()) -> Turns:
    """Find turns, backchannels, gaps, overlaps and interruptions in speech.

    Parameters
    ----------
    speech
        Stretches of speech, one a row: `participant`, `start`, `end` (s), in any order. Stretches of one participant
        may touch or overlap; those that don't last are left out.
    rules
        The numbers of the definitions.
    participants
        Those who may have said nothing.

    Examples
    --------
    >>> import pandas as pd
    >>> speech = pd.DataFrame(
    ...     [("client", 0, 4), ("therapist", 2, 2.4), ("therapist", 4.3, 6)], columns=["participant", "start", "end"]
    ... )
    >>> turns = find_turns(speech)
    >>> turns.table.values.tolist()  # doctest: +NORMALIZE_WHITESPACE
    [['client', 0.0, 4.0, 'turn'], ['therapist', 2.0, 2.4, 'backchannel'], ['therapist', 4.3, 6.0, 'turn']]
    >>> turns.transfers["offset"].tolist()
    [0.3]
    """
    rules = rules or Rules()
    parts = inter_pausal_units(speech, rules.join_s)
    floor = take_floor(parts, rules)
    spoken = list(zip(parts, floor.backchannel, strict=True))
    return _turns(spoken, rows(parts, floor), Holders(parts, floor), rules, participants)


def corrected_turns(
    table: pd.DataFrame,
    speech: pd.DataFrame | None = None,
    rules: Rules | None = None,
    participants: Iterable[str] = (),
) -> Turns:
    """Take turns and backchannels as a person corrected them, and work out the rest.

    Parameters
    ----------
    table
        `COLUMNS`, as the person gave them. Rows of one participant and kind that overlap are joined; else they stay.
    speech
        What was found to be speech, as in `find_turns`. Within the person's turns it says where pauses are; outside it
        is not believed. Without it a turn is speech throughout.
    rules, participants
        As in `find_turns`.
    """
    rules = rules or Rules()
    listened = table["kind"] == BACKCHANNEL
    given = [
        (unit, is_backchannel)
        for is_backchannel, part in ((False, table[~listened]), (True, table[listened]))
        for unit in joined(units(part), 0)
    ]
    given.sort(key=_time)
    floor = take_floor([unit for unit, _ in given], rules, [kind for _, kind in given])
    first = first_alone(floor)
    found = [Row(unit, is_backchannel, first.get(i)) for i, (unit, is_backchannel) in enumerate(given)]
    heard: dict[str, list[Unit]] = {}
    for unit in [] if speech is None else inter_pausal_units(speech, rules.join_s):
        heard.setdefault(unit.who, []).append(unit)
    spoken = [
        (part, row.backchannel) for row in found for part in _heard_in(row, heard.get(row.unit.who, []))
    ]
    holders = Holders([unit for unit, _ in given], floor)
    return _turns(sorted(spoken, key=_time), in_order(found), holders, rules, participants)


def _time(one: tuple[Unit, bool]) -> tuple[int, int, str]:
    """What `vsa.voice.ipu.in_order` sorts by."""
    return one[0].start, -one[0].end, one[0].who


def _heard_in(row: Row, heard: Sequence[Unit]) -> list[Unit]:
    """The speech of its speaker in a turn or backchannel that a person gave: it begins and ends as they said."""
    own = row.unit
    since = bisect_right([unit.end for unit in heard], own.start)
    parts = heard[since : bisect_left([unit.start for unit in heard], own.end)]
    if row.backchannel or len(parts) < 2:
        return [own]
    return [
        Unit(own.who, own.start, parts[0].end),
        *parts[1:-1],
        Unit(own.who, parts[-1].start, own.end),
    ]


def _turns(
    spoken: Sequence[tuple[Unit, bool]],
    found: Sequence[Row],
    holders: Holders,
    rules: Rules,
    participants: Iterable[str],
) -> Turns:
    """Put the tables together from units (and whether they are backchannels) and turns."""
    parts = [unit for unit, _ in spoken]
    silences: list[tuple[Any, ...]] = []
    overlaps: list[tuple[Any, ...]] = []
    alone = []
    for start, end, who in chronogram(parts):
        if len(who) == 1:
            alone.append(Unit(who[0], start, end))
            continue
        before, after = holders.before(start), holders.after(end)
        kind = "open"
        if before is not None and after is not None:
            kind = (("gap", "pause") if not who else ("between", "within"))[before == after]
        (overlaps if who else silences).append((start / MICRO, end / MICRO, kind, before, after))
    cuts = interruptions(found, [unit for unit, listened in spoken if not listened], rules)
    between = ("start", "end", "kind", "before", "after")
    return Turns(
        participants=tuple(dict.fromkeys([*map(str, participants), *sorted({unit.who for unit in parts})])),
        units=frame(parts).assign(kind=_kinds(listened for _, listened in spoken)),
        turns=frame([row.unit for row in found]).assign(
            kind=_kinds(row.backchannel for row in found),
            floor=np.array([row.alone is not None for row in found], np.bool_),
        ),
        transfers=_table(
            ("participant", "previous", "start", "offset"),
            [
                (new.who, old.who, new.start / MICRO, (new.start - old.end) / MICRO)
                for old, new in transfers(found)
            ],
        ),
        silences=_table(between, silences),
        overlaps=_table(between, overlaps),
        alone=frame(alone),
        interruptions=_table(
            ("participant", "interrupted", "start", "end", "taken"),
            [(cut.by.who, cut.of.who, cut.start / MICRO, cut.end / MICRO, cut.taken) for cut in cuts],
        ),
    )


def _kinds(listened: Iterable[bool]) -> pd.Series:
    import pandas as pd

    return pd.Series([BACKCHANNEL if one else TURN for one in listened], dtype="str")


def _table(columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """A table whose columns have their type also when there are no lines."""
    import pandas as pd

    types = {"start": "float64", "end": "float64", "offset": "float64", "taken": "bool"}
    types |= {"before": "object", "after": "object"}  # None where nobody has the floor
    return pd.DataFrame(
        {
            name: pd.Series([line[i] for line in lines], dtype=types.get(name, "str"))
            for i, name in enumerate(columns)
        }
    )
