"""Stretches of time in which something happens: blinks, smiles, nods."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vsa.features.signals import Flags, Floats, Stretch


@dataclass(frozen=True, eq=False)
class Episodes:
    """What happened when, in order of time.

    Attributes
    ----------
    start_s, end_s
        Shape (n,), s on the session's clock.
    peak_s
        When it was strongest, shape (n,), s.
    size
        How strong it was then, shape (n,), in the unit that the detector states.
    """

    start_s: Floats
    end_s: Floats
    peak_s: Floats
    size: Floats

    @classmethod
    def of(cls, rows: Iterable[tuple[float, float, float, float]]) -> Episodes:
        """Collect (start, end, peak, size), in any order."""
        table = np.array(sorted(rows), np.float64).reshape(-1, 4)
        return cls(*np.ascontiguousarray(table.T))

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def durations_s(self) -> Floats:
        """Shape (n,), s."""
        return self.end_s - self.start_s

    def covers(self, t: Floats, margin_s: float = 0.0) -> Flags:
        """Whether each time lies within an episode, or no farther than `margin_s` from one; shape of `t`."""
        inside = np.zeros(len(t) + 1, np.int64)
        np.add.at(inside, np.searchsorted(t, self.start_s - margin_s, "left"), 1)
        np.add.at(inside, np.searchsorted(t, self.end_s + margin_s, "right"), -1)
        return np.asarray(np.cumsum(inside)[:-1] > 0)


def above(stretch: Stretch, on: float, off: float, *, shortest_s: float, bridge_s: float) -> Episodes:
    """Where a signal rises above `on`, until it falls below `off`; `size` is its highest value.

    Parameters
    ----------
    stretch
        The signal, values of shape (n,).
    on, off
        Thresholds, `on` above `off`: what flickers about one of them is still one episode.
    shortest_s
        Episodes shorter than this are left out.
    bridge_s
        Two episodes with a shorter break between them are one.
    """
    y, step = stretch.values, stretch.step_s
    parts = [(a, b) for a, b in runs(y > off) if (y[a:b] > on).any()]
    joined: list[tuple[int, int]] = []
    for a, b in parts:
        if joined and (a - joined[-1][1]) * step < bridge_s:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return Episodes.of(
        (
            stretch.start_s + a * step,
            stretch.start_s + (b - 1) * step,
            stretch.start_s + (a + int(np.argmax(y[a:b]))) * step,
            float(y[a:b].max()),
        )
        for a, b in joined
        if (b - 1 - a) * step >= shortest_s
    )


def together(parts: Iterable[Episodes]) -> Episodes:
    """Episodes of several stretches as one list."""
    return Episodes.of(
        (float(a), float(b), float(p), float(s))
        for part in parts
        for a, b, p, s in zip(part.start_s, part.end_s, part.peak_s, part.size, strict=True)
    )


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Half-open index ranges in which `flags` holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
