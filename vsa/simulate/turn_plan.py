"""How simulated people take turns: what is drawn at random, from which distributions, and in which order.

Floor transfers have a median of 200 ms, a tail to the right, and nearly a third of them are overlaps (Levinson &
Torreira 2015; Heldner & Edlund 2010 count about 40% with what is here an interruption). Pauses are log-normal around
half a second (Campione & Véronis 2002; Heldner & Edlund 2010). How long utterances are, and how often people interrupt
and encourage, is chosen so that a few minutes hold some of each.

Campione & Véronis 2002, A large-scale multilingual study of silent pause duration. Speech Prosody. · Heldner & Edlund
2010, Journal of Phonetics 38. · Levinson & Torreira 2015, Frontiers in Psychology 6:731.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

#: Utterances that take the floor, or after which a listener says something, are longer, s.
LONG_S = 1.2
#: A shorter silence is no pause, s.
PAUSE_S = 0.2
#: What a listener says is so far from other things that he or she says, and from where the floor passes, s.
APART_S = 0.7
#: Somebody speaks so long before another cuts in, s.
LEAD_S = 0.8

_AROUND_S = 0.3  # how far a backchannel around a pause reaches into speech at most, ...
_INSIDE_S = 0.1  # ... and into the pause at least
_QUIET_S = (0.5, 1.0)  # before the first word
_LAST_S = 0.5  # after the last one


@dataclass(frozen=True)
class LogNormal:
    """How long something lasts, s.

    Attributes
    ----------
    median
        Of what is drawn.
    spread
        Standard deviation of the natural logarithm.
    low, high
        What lies outside is drawn anew.
    shift
        For what can be negative: the logarithm is that of the time plus this.
    """

    median: float
    spread: float
    low: float
    high: float
    shift: float = 0.0

    def draw(self, rng: np.random.Generator, low: float = -np.inf) -> float:
        """Draw one that is at least `low`, in whole ms."""
        least = max(self.low, low)
        while least < self.high:
            value = (self.median + self.shift) * np.exp(self.spread * rng.standard_normal()) - self.shift
            if least <= value <= self.high:
                return _ms(float(value))
        return _ms(least)


@dataclass(frozen=True)
class Manner:
    """How people talk with each other.

    Attributes
    ----------
    utterance_s, pause_s, backchannel_s, attempt_s
        How long these last; an attempt is an interruption that fails.
    offset_s
        From the end of a turn to the beginning of the next, where that doesn't interrupt.
    cut_s
        How long two speak at once when an interruption takes the floor.
    goes_on
        Chance that a turn goes on after an utterance.
    interrupts
        Chance that a turn begins as an interruption.
    tries, encourages
        Chance of an attempt, and else of a backchannel, beside an utterance that is long enough for it.
    answers_pause
        Chance of a backchannel in or at the edge of a pause.
    """

    utterance_s: LogNormal = LogNormal(1.8, 0.5, 0.5, 7.0)
    pause_s: LogNormal = LogNormal(0.5, 0.5, PAUSE_S, 2.0)
    backchannel_s: LogNormal = LogNormal(0.4, 0.35, 0.2, 0.8)
    attempt_s: LogNormal = LogNormal(1.35, 0.1, LONG_S, 1.8)
    offset_s: LogNormal = LogNormal(0.25, 0.4, -0.4, 2.0, shift=0.8)
    cut_s: LogNormal = LogNormal(0.8, 0.2, 0.6, 1.2)
    goes_on: float = 0.6
    interrupts: float = 0.12
    tries: float = 0.2
    encourages: float = 0.35
    answers_pause: float = 0.35


@dataclass(frozen=True)
class Aside:
    """What a listener says while another has the floor: around the pause after an utterance, or beside an utterance."""

    who: str
    start: float
    end: float
    kind: Literal["backchannel", "attempt"]
    utterance: int
    around_pause: bool


@dataclass(frozen=True)
class PlannedTurn:
    """One person's utterances, from taking the floor to leaving it.

    Attributes
    ----------
    who
        The person.
    utterances
        Start and end of each, s.
    asides
        What listeners say meanwhile.
    interrupts
        Whether it begins as an interruption.
    """

    who: str
    utterances: tuple[tuple[float, float], ...]
    asides: tuple[Aside, ...]
    interrupts: bool

    @property
    def start(self) -> float:
        """Where it begins, s."""
        return self.utterances[0][0]

    @property
    def end(self) -> float:
        """Where it ends, s."""
        return self.utterances[-1][1]


def draw_turns(
    people: Sequence[str], seconds: float, manner: Manner, clear_s: float, rng: np.random.Generator
) -> list[PlannedTurn]:
    """Draw turn after turn until the time is up.

    Parameters
    ----------
    people
        Who takes part.
    seconds
        Length of the conversation.
    manner
        How they talk.
    clear_s
        No silence or overlap is nearer than this to being of another kind, s.
    rng
        Where chance comes from.
    """
    turns: list[PlannedTurn] = []
    who, at, offset, interrupts = _one_of(people, rng), _ms(rng.uniform(*_QUIET_S)), 0.0, False
    while True:
        listeners = [other for other in people if other != who]
        following, cuts_in = _transfer(manner, clear_s, rng)
        draft = _Draft(
            who, listeners, manner, clear_s, rng, before=max(0.0, -offset), after=max(0.0, -following)
        )
        draft.speak(at, seconds - _LAST_S)
        if draft.utterances:
            turns.append(PlannedTurn(who, tuple(draft.utterances), tuple(draft.asides), interrupts))
        if not draft.complete:
            return turns
        at, offset, interrupts = _ms(turns[-1].end + following), following, cuts_in
        who = _one_of(listeners, rng)


def _transfer(manner: Manner, clear_s: float, rng: np.random.Generator) -> tuple[float, bool]:
    """The offset at which the next turn begins, and whether it interrupts."""
    if rng.random() < manner.interrupts:
        return -manner.cut_s.draw(rng), True
    while True:
        offset = manner.offset_s.draw(rng)
        if abs(offset) >= clear_s:
            return offset, False


class _Draft:
    """A turn that is being drawn; `before` and `after`: how long it overlaps with the turns around it."""

    def __init__(
        self,
        who: str,
        listeners: Sequence[str],
        manner: Manner,
        clear_s: float,
        rng: np.random.Generator,
        before: float,
        after: float,
    ) -> None:
        self.utterances: list[tuple[float, float]] = []
        self.asides: list[Aside] = []
        self.complete = False
        self._who, self._listeners = who, listeners
        self._manner, self._clear_s, self._rng = manner, clear_s, rng
        self._before, self._after = before, after

    def speak(self, at: float, until: float) -> None:
        """Draw utterances, pauses and asides; what would last longer than `until` is left out."""
        count = int(self._rng.geometric(1 - self._manner.goes_on))
        for k in range(count):
            first, last = k == 0, k == count - 1
            before, after = self._before * first, self._after * last
            least = before + max(LONG_S * first, (LEAD_S + after) * last)
            end = _ms(at + self._manner.utterance_s.draw(self._rng, least))
            if end > until:
                self.asides = [
                    aside for aside in self.asides if not aside.around_pause or aside.utterance < k - 1
                ]
                return
            self.utterances.append((at, end))
            self._beside(at + before, end - after)
            if not last:
                at = self._pause(end, long=end - at - before >= LONG_S)
        self.complete = True

    def _beside(self, start: float, end: float) -> None:
        """Perhaps a listener speaks while the holder does."""
        manner, room = self._manner, end - start - 2 * APART_S
        attempt, backchannel = manner.attempt_s.draw(self._rng), manner.backchannel_s.draw(self._rng)
        tries, encourages = self._rng.random(2)
        if attempt <= room and tries < manner.tries:
            self._aside(start + APART_S + self._rng.uniform(0, room - attempt), attempt, "attempt")
        elif backchannel <= room and encourages < manner.encourages:
            self._aside(
                start + APART_S + self._rng.uniform(0, room - backchannel), backchannel, "backchannel"
            )

    def _pause(self, end: float, *, long: bool) -> float:
        """Perhaps a listener speaks at or in the pause; where the holder goes on."""
        clear = self._clear_s
        pause = self._manner.pause_s.draw(self._rng, PAUSE_S + clear)
        if not long or self._rng.random() >= self._manner.answers_pause:
            return _ms(end + pause)
        length = self._manner.backchannel_s.draw(self._rng)
        inside = max(clear, _INSIDE_S)  # at least so much of it is in the pause
        earliest, latest = max(-_AROUND_S, inside - length), 2 * _AROUND_S
        late = np.nan
        while not (earliest <= late <= latest and abs(late) >= clear):
            late = _ms(self._rng.normal(0.1, 0.2))
        over = late + length
        pause = max(pause, over - _AROUND_S, late + inside)
        if abs(pause - over) < clear:
            pause = over + clear
        self._aside(end + late, length, "backchannel", around_pause=True)
        return _ms(end + pause)

    def _aside(
        self, at: float, length: float, kind: Literal["backchannel", "attempt"], around_pause: bool = False
    ) -> None:
        listener = _one_of(self._listeners, self._rng)
        at = _ms(at)
        self.asides.append(
            Aside(listener, at, _ms(at + length), kind, len(self.utterances) - 1, around_pause)
        )


def _one_of(people: Sequence[str], rng: np.random.Generator) -> str:
    return people[int(rng.integers(len(people)))]


def _ms(seconds: float) -> float:
    """In whole ms."""
    return round(seconds, 3)
