"""Presentation times: what the file says, with missing and repeated stamps repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

#: Frames held back at most while the next good time stamp is awaited.
LOOKAHEAD = 8


def repaired(
    items: Iterable[tuple[float | None, T]],
    nominal_s: float,
    on_repair: Callable[[], None] = lambda: None,
) -> Iterator[tuple[float, T]]:
    """Give every item a time stamp, strictly increasing.

    A stamp that is present and later than the one before is kept as it is. Items whose stamp is missing, repeated
    or goes back are spread evenly up to the next good stamp if there is room for them (more than half a nominal
    frame each); repeats without room were never shown, and only the last of them is kept.

    Parameters
    ----------
    items
        Pairs (presentation time in s or None, anything), in presentation order.
    nominal_s
        Nominal time between items, s: used where no later good stamp follows.
    on_repair
        Called for each item whose stamp was not used as it was, or that was dropped.

    Yields
    ------
    Pairs (time in s, the thing).
    """
    kept: tuple[float, T] | None = None  # the last item with a good stamp, not given out yet
    held: list[T] = []  # items after it whose own stamp can't be used

    for t, item in items:
        if kept is None:
            if t is None:
                on_repair()
            kept = (t or 0.0, item)
        elif t is not None and t > kept[0] + 1e-6:
            yield from _spread(kept, held, (t - kept[0]) / (len(held) + 1), nominal_s)
            kept, held = (t, item), []
        else:
            on_repair()
            held.append(item)
            if len(held) > LOOKAHEAD:
                *earlier, (last_t, last) = _spread(kept, held, nominal_s, nominal_s)
                yield from earlier
                kept, held = (last_t, last), []
    if kept is not None:
        yield from _spread(kept, held, nominal_s, nominal_s)


def _spread(kept: tuple[float, T], held: list[T], step: float, nominal_s: float) -> list[tuple[float, T]]:
    if held and step <= 0.5 * nominal_s:
        return [(kept[0], held[-1])]
    return [(kept[0] + k * step, item) for k, item in enumerate([kept[1], *held])]


class Grid:
    """Chooses the items to analyse at a rate of N per second, by time.

    Parameters
    ----------
    rate
        Items per second; None keeps all.
    """

    def __init__(self, rate: float | None) -> None:
        self.rate = rate
        self._start: float | None = None
        self._last = -1

    def wants(self, t: float) -> bool:
        """Whether the item at time `t` (s) is the first of its slot."""
        if self.rate is None:
            return True
        if self._start is None:
            self._start = t
        slot = int((t - self._start) * self.rate + 0.25)
        if slot <= self._last:
            return False
        self._last = slot
        return True
