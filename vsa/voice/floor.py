"""Who has the floor: whoever spoke alone last, and what listeners say meanwhile.

The rules and their sources are written down in `vsa.voice.turns`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from vsa.voice.ipu import Unit, micro


@dataclass(frozen=True)
class Rules:
    """The numbers in the definitions of `vsa.voice.turns`, s.

    Attributes
    ----------
    join_s
        A silence of one speaker that is shorter is no pause.
    backchannel_s
        The longest backchannel. 0 finds none: then every speaker who is heard alone takes the floor, as in Heldner
        & Edlund (2010).
    lapse_s
        A silence of everybody that lasts so long ends a turn; nobody has the floor then.
    reaction_s
        Nobody can answer what began less than this ago.
    interruption_s
        An overlap that is shorter is a turn's end and the next one's beginning, no interruption.
    """

    join_s: float = 0.2
    backchannel_s: float = 1.0
    lapse_s: float = 3.0
    reaction_s: float = 0.2
    interruption_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Alone:
    """The unit with this index is the only one, backchannels apart, from `start` to `end`, µs."""

    unit: int
    start: int
    end: int


@dataclass(frozen=True)
class Floor:
    """What `take_floor` found.

    Attributes
    ----------
    backchannel
        Whether each unit is one, shape (n,).
    part
        How many lapses came before each unit, shape (n,).
    alone
        Where units are alone, in order of time.
    """

    backchannel: list[bool]
    part: list[int]
    alone: list[Alone]


def take_floor(units: Sequence[Unit], rules: Rules, given: Sequence[bool] | None = None) -> Floor:
    """Follow the floor through a conversation.

    Parameters
    ----------
    units
        Everybody's inter-pausal units in order of time.
    rules
        See there.
    given
        Which units are backchannels, where that is known; else it is found out.
    """
    sweep = _Sweep(units, rules)
    return sweep.floor(given)


@dataclass
class _Sweep:
    """Goes through the units once: everything that began earlier is decided when a unit begins."""

    units: Sequence[Unit]
    rules: Rules
    #: Time, and the units that are not backchannels and go on at that time.
    now: int = 0
    open: list[int] = field(default_factory=list)
    alone: list[Alone] = field(default_factory=list)
    #: Who has the floor, since when, and what everybody has said.
    holder: str | None = None
    since: int = 0
    said: dict[str, list[Unit]] = field(default_factory=dict)

    def floor(self, given: Sequence[bool] | None) -> Floor:
        lapse = micro(self.rules.lapse_s)
        backchannel, part = [], []
        heard, lapses = None, 0
        for i, unit in enumerate(self.units):
            self._advance(unit.start)
            if heard is not None and unit.start - heard >= lapse:
                self.holder, lapses = None, lapses + 1
            heard = unit.end if heard is None else max(heard, unit.end)
            backchannel.append(given[i] if given is not None else self._listens(i))
            part.append(lapses)
            if not backchannel[-1]:
                self.open.append(i)
                self.said.setdefault(unit.who, []).append(unit)
        self._advance(None)
        return Floor(backchannel, part, self.alone)

    def _advance(self, to: int | None) -> None:
        """Let time pass until `to`, or until nobody speaks any more."""
        while self.open:
            end = min(self.units[i].end for i in self.open)
            end = end if to is None else min(end, to)
            if len(self.open) == 1 and end > self.now:
                self._speaks_alone(self.open[0], end)
            self.open = [i for i in self.open if self.units[i].end > end]
            self.now = end
            if end == to:
                return
        if to is not None:
            self.now = to

    def _speaks_alone(self, i: int, end: int) -> None:
        unit = self.units[i]
        if self.alone and self.alone[-1].unit == i and self.alone[-1].end == self.now:
            self.alone[-1] = Alone(i, self.alone[-1].start, end)
        else:
            self.alone.append(Alone(i, self.now, end))
        if self.holder != unit.who:
            self.holder, self.since = unit.who, unit.start

    def _listens(self, i: int) -> bool:
        """Whether a unit is a backchannel."""
        unit, longest = self.units[i], micro(self.rules.backchannel_s)
        holder = self.holder
        if holder is None or unit.who == holder or unit.length > longest:
            return False
        if unit.start - self.since < micro(self.rules.reaction_s):
            return False
        before = next(said for said in reversed(self.said[holder]) if said.start < unit.start)
        after = self._goes_on(i, holder)
        return after is not None and max(before.length, after.length) > longest

    def _goes_on(self, i: int, holder: str) -> Unit | None:
        """What the holder says next or still says when unit i is over; None if the floor is somebody else's then."""
        unit, longest = self.units[i], micro(self.rules.backchannel_s)
        if self.said[holder][-1].end > unit.end:
            return self.said[holder][-1]
        heard = unit.end
        for j in range(i + 1, len(self.units)):
            other = self.units[j]
            if other.start - heard >= micro(self.rules.lapse_s):
                return None
            if other.who != holder and other.length > longest:
                return None
            if other.who == holder and other.end > unit.end:
                return other
            heard = max(heard, other.end)
        return None


class Holders:
    """Who spoke alone last before a time, and who does first after it.

    Parameters
    ----------
    units, floor
        As `take_floor` took and gave them.
    """

    def __init__(self, units: Sequence[Unit], floor: Floor) -> None:
        self._who = [units[alone.unit].who for alone in floor.alone]
        self._starts = [alone.start for alone in floor.alone]
        self._ends = [alone.end for alone in floor.alone]

    def before(self, time: int) -> str | None:
        """Whoever spoke alone last, from before `time` (µs); None if nobody did."""
        i = bisect_left(self._starts, time)
        return self._who[i - 1] if i else None

    def after(self, time: int) -> str | None:
        """Whoever speaks alone first, until after `time` (µs); None if nobody does."""
        i = bisect_right(self._ends, time)
        return self._who[i] if i < len(self._who) else None


def chronogram(units: Sequence[Unit]) -> Iterator[tuple[int, int, list[str]]]:
    """Cut the time from the first word to the last where a unit begins or ends.

    Yields
    ------
    Start, end (µs) and who speaks; neighbours of the same kind (silence, overlap, the same one speaker) are joined.
    """
    edges = sorted({edge for unit in units for edge in (unit.start, unit.end)})
    active: list[Unit] = []
    following, start = 0, 0
    kind, who = None, set[str]()
    for here, there in pairwise(edges):
        active = [unit for unit in active if unit.end > here]
        while following < len(units) and units[following].start <= here:
            active.append(units[following])
            following += 1
        speakers = {unit.who for unit in active}
        now = (min(len(speakers), 2), *(speakers if len(speakers) == 1 else ()))
        if now == kind:
            who |= speakers
        else:
            if kind is not None:
                yield start, here, sorted(who)
            start, kind, who = here, now, speakers
        if there == edges[-1]:
            yield start, there, sorted(who)
