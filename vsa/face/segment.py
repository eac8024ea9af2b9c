"""One segment of a recording, read in a process of its own."""

from __future__ import annotations

import pickle
import time
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from vsa import cores
from vsa.face.cutting import Segment
from vsa.face.engine import create
from vsa.face.follow import go_through
from vsa.face.keeper import Keeper
from vsa.face.spool import Spool
from vsa.face.tiles import Tile
from vsa.face.timing import Stopwatch
from vsa.face.tracker import LayoutSpan, Tracker
from vsa.face.tracks import Track
from vsa.media.info import Faults
from vsa.media.recording import Recording
from vsa.study.addresses import Place

#: Names of the files beside a segment's rows: each row's picture and tracklet.
FRAMES, TRACKLETS = "frames.npy", "tracklets.npy"
#: Progress is not told more often, s.
_PACE_S = 0.25


@dataclass(frozen=True)
class Task:
    """What a segment's process is told.

    Attributes
    ----------
    threads
        Cores to use.
    folder
        For its rows.
    hints, landmarks, adaptive
        See `vsa.face.follow.follow`.
    """

    path: Place
    segment: Segment
    engine: str
    threads: int
    folder: Path
    hints: list[Tile] | None
    landmarks: bool
    adaptive: bool


@dataclass(frozen=True)
class Measured:
    """What a segment's process found, but for the rows, which are in its folder.

    Attributes
    ----------
    tracks
        Summaries of the rows that count.
    spans
        Layouts, also of what was read ahead.
    at_start, at_end
        Tiles in use and their epochs where results begin to count, and where they cease to; empty at the recording's
        ends.
    """

    tracks: list[Track]
    spans: list[LayoutSpan]
    at_start: list[tuple[Tile, int]]
    at_end: list[tuple[Tile, int]]
    faults: Faults
    seconds: dict[str, float]


def work(pipe: Connection, task: Task) -> None:
    """Read a segment and say how it goes: ``at`` (s and pictures done), then ``done`` or ``failed`` with what."""
    try:
        with cores.using(task.threads):
            measured = _measure(pipe, task)
    except (BrokenPipeError, ConnectionResetError):  # nobody waits for it any more
        raise
    except Exception as error:
        pipe.send(("failed", _sendable(error)))
    else:
        pipe.send(("done", measured))


def _measure(pipe: Connection, task: Task) -> Measured:
    segment, watch = task.segment, Stopwatch()
    seats: dict[int, list[tuple[Tile, int]]] = {}
    told_s = 0.0

    def note(index: int, tracker: Tracker) -> None:
        if index in (segment.start, segment.end):
            seats[index] = tracker.seats

    def tell(t: float, frames: int) -> None:
        nonlocal told_s
        if time.monotonic() - told_s >= _PACE_S:
            told_s = time.monotonic()
            done = min(segment.first + frames, segment.end) - segment.start
            pipe.send(("at", max(0.0, min(t, segment.end_s) - segment.start_s), max(0, done)))

    spool = Spool(task.folder, task.landmarks)
    keeper = Keeper(spool, watch, first=segment.start - segment.chunk, start=segment.start, end=segment.end)
    with closing(spool), Recording(task.path) as recording:
        _, spans = go_through(
            recording.stretch(segment.stretch),
            create(task.engine, task.threads),
            keeper,
            watch,
            first=segment.first,
            hints=task.hints,
            adaptive=task.adaptive,
            before=note,
            progress=tell,
        )
        faults = recording.faults
    for name, column in zip((FRAMES, TRACKLETS), spool.index(), strict=True):
        np.save(task.folder / name, column)
    return Measured(
        list(keeper.tracks.values()),
        spans,
        seats.get(segment.start, []),
        seats.get(segment.end, []),
        faults,
        watch.seconds(),
    )


def _sendable(error: Exception) -> Any:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
