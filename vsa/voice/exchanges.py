"""From units to turns, from turns to transfers of the floor and interruptions.

The rules and their sources are written down in `vsa.voice.turns`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from vsa.voice.floor import Floor, Rules
from vsa.voice.ipu import Unit, micro


@dataclass(frozen=True, slots=True)
class Row:
    """A turn or a backchannel.

    Attributes
    ----------
    unit
        Who, from when to when.
    backchannel
        Which of the two.
    alone
        When it took the floor: first heard alone, µs. None if it never was.
    """

    unit: Unit
    backchannel: bool
    alone: int | None


@dataclass(frozen=True, slots=True)
class Interruption:
    """`by` began while `of` spoke; the overlap lasted from `start` to `end`, µs."""

    by: Unit
    of: Unit
    start: int
    end: int
    taken: bool


def rows(units: Sequence[Unit], floor: Floor) -> list[Row]:
    """Join units to turns: what one person says alone, with nobody else alone and no lapse between."""
    groups: list[list[int]] = []
    for alone in floor.alone:
        last = groups[-1][-1] if groups else None
        if last == alone.unit:
            continue
        same = last is not None and units[last].who == units[alone.unit].who
        if last is not None and same and floor.part[last] == floor.part[alone.unit]:
            groups[-1].append(alone.unit)
        else:
            groups.append([alone.unit])
    first = first_alone(floor)
    found = [
        Row(Unit(units[g[0]].who, units[g[0]].start, units[g[-1]].end), False, first[g[0]]) for g in groups
    ]
    turns = [row.unit for row in found]
    placed = {i for group in groups for i in group}
    for i, unit in enumerate(units):
        if floor.backchannel[i]:
            found.append(Row(unit, True, None))
        elif i not in placed and not any(_holds(turn, unit) for turn in turns):
            found.append(Row(unit, False, None))
    return in_order(found)


def in_order(parts: Sequence[Row]) -> list[Row]:
    """In order of time, as `vsa.voice.ipu.in_order`."""
    return sorted(parts, key=lambda row: (row.unit.start, -row.unit.end, row.unit.who, row.backchannel))


def first_alone(floor: Floor) -> dict[int, int]:
    """When each unit that is heard alone is so first, µs, by its index."""
    first: dict[int, int] = {}
    for alone in floor.alone:
        first.setdefault(alone.unit, alone.start)
    return first


def transfers(found: Sequence[Row]) -> Iterator[tuple[Unit, Unit]]:
    """Turns of two speakers of which the second took the floor from the first, in order of time."""
    held = [(row.alone, row.unit) for row in found if row.alone is not None]
    held.sort(key=lambda one: one[0])
    for (_, old), (_, new) in pairwise(held):
        if old.who != new.who:
            yield old, new


def interruptions(found: Sequence[Row], units: Sequence[Unit], rules: Rules) -> list[Interruption]:
    """Who began to speak while another spoke, and whether the floor was theirs then.

    Parameters
    ----------
    found
        Turns and backchannels.
    units
        The inter-pausal units of turns, in order of time: what is interrupted goes on speaking.
    rules
        See there.
    """
    took = {new: old for old, new in transfers(found)}
    spoken: dict[str, list[Unit]] = {}
    for unit in units:
        spoken.setdefault(unit.who, []).append(unit)
    cuts = []
    for row in found:
        new, old = row.unit, took.get(row.unit)
        if row.backchannel or (row.alone is not None and old is None):
            continue
        others = [old.who] if old is not None else [who for who in sorted(spoken) if who != new.who]
        over = [of for who in others if (of := _spoken_over(new, spoken.get(who, []), rules)) is not None]
        if over:
            of = min(over, key=lambda unit: (unit.start, -unit.end))
            cuts.append(Interruption(new, of, new.start, min(of.end, new.end), row.alone is not None))
    return cuts


def _spoken_over(new: Unit, units: Sequence[Unit], rules: Rules) -> Unit | None:
    """What one speaker had begun to say and goes on saying when a turn begins."""
    i = bisect_right(units, new.start - micro(rules.reaction_s), key=lambda unit: unit.start)
    if not i or min(units[i - 1].end, new.end) < new.start + micro(rules.interruption_s):
        return None
    return units[i - 1]


def _holds(turn: Unit, unit: Unit) -> bool:
    return turn.who == unit.who and turn.start <= unit.start and unit.end <= turn.end
