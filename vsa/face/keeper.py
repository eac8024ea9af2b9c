"""From readings to rows on disk, and a summary of each tracklet."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import fields, replace
from typing import Any

import numpy as np

from vsa.face import bundle, table
from vsa.face.spool import Spool
from vsa.face.timing import Stopwatch
from vsa.face.tracklet import Readings
from vsa.face.tracks import Track, track_of

#: What `Readings` has once, and not for each picture.
_OF_ALL = ("appearance",)


class Keeper:
    """Turns readings into rows, in the order in which they were made.

    Parameters
    ----------
    spool
        Where rows go.
    watch
        Counts the time.
    first, start, end
        Rows of the pictures from `first` to before `end` are kept; those before `start` are not summed up in
        `tracks`: another run keeps them, and they only show whose face is whose. All are kept by default.

    Attributes
    ----------
    tracks
        The tracklets' summaries, by number.
    """

    def __init__(
        self, spool: Spool, watch: Stopwatch, *, first: int = 0, start: int = 0, end: int = sys.maxsize
    ) -> None:
        self.tracks: dict[int, Track] = {}
        self._spool = spool
        self._watch = watch
        self._face = bundle.load().face
        self._first, self._start, self._end = first, start, end

    def keep(self, measured: Sequence[Future[Readings]]) -> None:
        """Keep what was measured, as it comes."""
        for future in measured:
            readings = future.result()
            with self._watch.stage("signals"):
                shown = _between(readings, self._first, self._end)
                if len(shown.frame):
                    self._spool.append(shown, table.values(shown, self._face))
                own = _between(shown, self._start, self._end)
                if not len(own.frame):
                    continue
                if own.tracklet in self.tracks:
                    self.tracks[own.tracklet].extend(own)
                else:
                    self.tracks[own.tracklet] = track_of(own)


def _between(readings: Readings, first: int, end: int) -> Readings:
    """The readings of the pictures from `first` to before `end`."""
    inside = (readings.frame >= first) & (readings.frame < end)
    if inside.all():
        return readings
    by_picture: dict[str, Any] = {
        field.name: column[inside]
        for field in fields(readings)
        if field.name not in _OF_ALL and isinstance(column := getattr(readings, field.name), np.ndarray)
    }
    shorter = replace(readings, **by_picture)
    # appearance and changes come from the newest pictures: those before them were only found by going back
    return shorter if inside[-1] else replace(shorter, appearance=None, clarity=0.0, changes=[])
