"""Presentation times: what the file says, with missing, repeated and impossible stamps repaired.

Session time is the file's own presentation time, as stored: a recording that starts at 2 s gives its first picture at
2 s, so that tracks which were recorded apart, or sound and picture of one file, stay aligned. `MediaInfo.start_s` says
where a recording starts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")

#: Pictures held back at most while the next good time stamp is awaited.
LOOKAHEAD = 8
#: A step longer than this (and than ten nominal ones), s, is believed once a later stamp lies behind it.
LONG_STEP_S = 1.0
_SAME_S = 1e-6


def repaired(
    items: Iterable[tuple[float | None, T]],
    nominal_s: float,
    on_repair: Callable[[], None] = lambda: None,
) -> Iterator[tuple[float, T]]:
    """Give every item a time stamp, strictly increasing.

    A stamp that is later than the one before is kept as it is; a single one that leaps ahead while those after it go
    on as before is not believed. Items whose stamp is missing, repeated, goes back or is not believed are spread
    evenly up to the next good stamp if there is room for them (more than half a nominal step each); repeats without
    room were never shown, and only the last of them is kept. A clock that was set back (more than `LOOKAHEAD`
    rising stamps, all before the last good one) goes on where it was.

    Parameters
    ----------
    items
        Pairs (presentation time in s or None, anything), in presentation order.
    nominal_s
        Usual time between items, s: used where no good stamp is near.
    on_repair
        Called for each item whose stamp was not used as it was, or that was dropped; once when a clock was set back.

    Yields
    ------
    Pairs (time in s, the thing).
    """
    repair: _Repair[T] = _Repair(nominal_s, on_repair)
    for t, item in items:
        yield from repair.push(t if t is None else t + repair.shift_s, item)
    yield from repair.end()


class _Repair(Generic[T]):
    """The newest item whose time is sure, and those after it that wait for a good stamp."""

    def __init__(self, nominal_s: float, on_repair: Callable[[], None]) -> None:
        self.shift_s = 0.0
        self._nominal_s = nominal_s
        self._long_s = max(LONG_STEP_S, 10 * nominal_s)
        self._on_repair = on_repair
        self._sure: tuple[float, T] | None = None
        self._held: list[tuple[float | None, T]] = []

    def push(self, t: float | None, item: T) -> Iterator[tuple[float, T]]:
        """Take the next item; yields those whose time is now known."""
        if self._sure is not None and not self._held and t is not None and self._follows(t, 1):
            yield self._sure
            self._sure = (t, item)
            return
        self._held.append((t, item))
        if self._sure is None:
            if t is not None or len(self._held) > LOOKAHEAD:
                yield from self._start()
        elif (good := self._next_good()) is not None:
            yield from self._accept(good)
        elif len(self._held) > LOOKAHEAD:
            yield from self._give_up_waiting()

    def end(self) -> Iterator[tuple[float, T]]:
        """Yield what no later stamp can bear out."""
        if self._sure is None and self._held:
            yield from self._start()
        if self._sure is None:
            return
        yield self._sure
        newest = self._sure[0]
        for t, item in self._held:
            if t is None or t <= newest + _SAME_S:
                self._on_repair()
                t = newest + self._nominal_s
            newest = t
            yield t, item

    def _follows(self, t: float, steps: int) -> bool:
        """Whether a stamp is later than the sure one, and not by a leap."""
        assert self._sure is not None
        return _SAME_S < t - self._sure[0] <= self._long_s + self._nominal_s * (steps - 1)

    def _start(self) -> Iterator[tuple[float, T]]:
        """Times of the first items: counted back from the first stamp that there is."""
        t = self._held[-1][0]
        start = 0.0 if t is None else t - self._nominal_s * (len(self._held) - 1)
        for _ in range(len(self._held) - (t is not None)):
            self._on_repair()
        *earlier, self._sure = [(start + k * self._nominal_s, item) for k, (_, item) in enumerate(self._held)]
        self._held = []
        yield from earlier

    def _next_good(self) -> int | None:
        """Which of the held stamps to believe; None while that is open."""
        assert self._sure is not None
        newest = self._held[-1][0]
        if newest is None:
            return None
        if self._follows(newest, len(self._held)):
            return len(self._held) - 1
        for k in range(len(self._held) - 2, -1, -1):  # a leap, which the stamp behind it bears out
            before = self._held[k][0]
            if before is not None:
                return k if self._sure[0] + _SAME_S < before < newest - _SAME_S else None
        return None

    def _accept(self, good: int) -> Iterator[tuple[float, T]]:
        t, item = self._held[good]
        assert t is not None
        assert self._sure is not None
        between, after = self._held[:good], self._held[good + 1 :]
        yield from self._spread(between, (t - self._sure[0]) / (len(between) + 1))
        self._sure, self._held = (t, item), []
        for later in after:
            yield from self.push(*later)

    def _give_up_waiting(self) -> Iterator[tuple[float, T]]:
        """Go on without a good stamp: at nominal steps, or along a clock that was set back."""
        assert self._sure is not None
        held, self._held = self._held, []
        known = [t for t, _ in held if t is not None]
        rising = all(b > a + _SAME_S for a, b in pairwise(known))
        if len(known) == len(held) and rising and known[-1] <= self._sure[0]:
            self._on_repair()
            back_s = self._sure[0] + self._nominal_s - known[0]
            self.shift_s += back_s
            for t, (_, item) in zip(known, held, strict=True):
                yield from self.push(t + back_s, item)
            return
        *earlier, self._sure = self._spread(held, self._nominal_s)
        yield from earlier

    def _spread(self, between: list[tuple[float | None, T]], step: float) -> list[tuple[float, T]]:
        """Times of the sure item and of those after it."""
        assert self._sure is not None
        for _ in between:
            self._on_repair()
        if between and step <= 0.5 * self._nominal_s + _SAME_S:
            return [(self._sure[0], between[-1][1])]
        items = [self._sure[1], *(item for _, item in between)]
        return [(self._sure[0] + k * step, item) for k, item in enumerate(items)]


class DecodeOrder:
    """Times for containers that don't store presentation times (AVI), only the order of decoding.

    Pictures leave a decoder in the order of presentation, a fixed number of packets after they went in.
    """

    def __init__(self) -> None:
        self._sent: list[int] = []
        self._delay: int | None = None
        self._next = 0

    def sent(self, dts: int | None) -> None:
        """A packet with this decoding stamp went into the decoder."""
        if dts is not None and (not self._sent or dts > self._sent[-1]):
            self._sent.append(dts)

    def stamp(self, trigger: int | None) -> int | None:
        """Presentation stamp of the next picture, which the packet with the stamp `trigger` brought out."""
        if trigger is not None:
            position = bisect_left(self._sent, trigger)
            if self._delay is None:
                self._delay = min(position, 16)  # no codec delays by more
            self._next = max(self._next, position - self._delay)
        if self._next >= len(self._sent):
            return None
        stamp = self._sent[self._next]
        self._next += 1
        if self._next > 256:
            del self._sent[: self._next]
            self._next = 0
        return stamp


def usual_step_s(stamps: Sequence[float]) -> float | None:
    """Usual time between the pictures that follow each other, s; None with fewer than two different stamps.

    The mean of the steps near the median one: rounding to ms evens out, gaps and repeats don't count.
    """
    steps = np.diff(np.unique(np.asarray(stamps, np.float64)))
    steps = steps[steps > 1e-4]
    if not len(steps):
        return None
    middle = np.median(steps)
    return float(steps[(steps > 0.5 * middle) & (steps < 1.5 * middle)].mean())


class Grid:
    """Chooses the items to analyse at a rate of N per second, by time.

    The first item is kept. No more than `rate` per second are kept on average, as evenly as the items' times allow.

    Parameters
    ----------
    rate
        Items per second; None keeps all.
    early_s
        How much too early an item may come and still be kept, s; a quarter of a step by default.
    """

    def __init__(self, rate: float | None, early_s: float | None = None) -> None:
        self._step_s = 0.0 if rate is None else 1.0 / rate
        self._early_s = 0.25 * self._step_s if early_s is None else early_s
        self._due_s: float | None = None

    def wants(self, t: float) -> bool:
        """Whether to keep the item at time `t` (s)."""
        if not self._step_s:
            return True
        if self._due_s is None:
            self._due_s = t
        if t + self._early_s + _SAME_S < self._due_s:
            return False
        # after a pause, a late item is not made up for by more than one
        self._due_s = max(self._due_s, t - self._step_s) + self._step_s
        return True
