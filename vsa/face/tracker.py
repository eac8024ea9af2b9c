"""Faces of a whole recording: layout, seats, and what each tracklet measured, chunk by chunk."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from functools import partial

import numpy as np

from vsa.face import appearance, layout
from vsa.face.cuts import CutFinder
from vsa.face.detector import Detections
from vsa.face.engine import FaceEngine, Floats
from vsa.face.lane import Lane
from vsa.face.seat import Numbered, Seat
from vsa.face.tiles import Tile
from vsa.face.tracklet import Reading, Readings, Tracklet
from vsa.media.picture import Box, Picture, even_region, mean_difference

#: The layout is looked at again this often, s.
SCAN_EVERY_S = 4.0
#: The smallest faces are looked for this long after a change, then half as often each time, but at least this often, s.
FINE_EVERY_S, FINE_AT_LEAST_S = 30.0, 120.0
#: What a face looks like is noted in its first chunks, and then this often, s.
DESCRIBE_AT_FIRST, DESCRIBE_EVERY_S = 4, 2.0
#: How far a face changes is measured over this time, s.
CHANGE_EVERY_S = 0.33
#: A seat is given up when a cut replaced this share of its tile.
_SEAT_LOST = 0.15

Followed = tuple[Tracklet, list[Reading], Floats, bool]


@dataclass(frozen=True)
class LayoutSpan:
    """Tiles in use from a time (s) on."""

    t: float
    tiles: list[Tile]


class Tracker:
    """Follows all faces of one recording.

    Parameters
    ----------
    engine
        Finds and follows.
    pool
        Runs seats side by side.
    hints
        Tiles that the manifest gives.
    smooth
        Smooth landmarks in time as MediaPipe's VIDEO mode does.
    adaptive
        Take over what was read where a face's picture is the same but for the coder's noise.
    """

    def __init__(
        self,
        engine: FaceEngine,
        pool: Executor,
        hints: Sequence[Tile] | None = None,
        *,
        smooth: bool = True,
        adaptive: bool = False,
    ) -> None:
        self.engine = engine
        self.spans: list[LayoutSpan] = []
        self._pool = pool
        self._hints = hints
        self._smooth = smooth
        self._adaptive = adaptive
        self._seats: list[Seat] = []
        self._lanes: dict[Seat, Lane] = {}
        self._running: deque[tuple[list[Future[list[Followed]]], dict[int, Picture]]] = deque()
        self._numbers = itertools.count()
        self._epoch = 0
        self._cuts = CutFinder()
        self._scanned_s = self._fine_s = -np.inf
        self._fine_every_s = FINE_EVERY_S / 2
        self._proposed: list[Tile] = []
        self._earlier: list[Numbered] = []

    @property
    def seats(self) -> list[tuple[Tile, int]]:
        """Tiles in use, each with the epoch of its seat."""
        return [(seat.tile, seat.epoch) for seat in self._seats]

    def process(self, chunk: Sequence[Numbered]) -> list[Future[Readings]]:
        """Analyse the next pictures (index and picture, in order).

        Returns
        -------
        Futures of what was measured up to the chunk before, which seats may still follow when this is called: the
        one that is done goes on, and no core waits for the slowest. `rest` gives the last ones.
        """
        replaced = [self._cuts.replaced(picture) for _, picture in chunk]
        starts = [k for k, parts in enumerate(replaced) if parts or k == 0]
        measured: list[Future[Readings]] = []
        for begin, end in itertools.pairwise([*starts, len(chunk)]):
            if replaced[begin]:
                self._earlier = []
            segment = chunk[begin:end]
            measured += self._segment(segment, replaced[begin])
            self._earlier = [*self._earlier, *segment]
        self._earlier = [p for p in self._earlier if p[0] >= chunk[0][0]]
        return measured

    def rest(self) -> list[Future[Readings]]:
        """What is still to be measured when there are no more pictures."""
        return self._followed(but=0)

    def close(self) -> None:
        """Give back what the engine holds."""
        self._wait()
        for seat in self._seats:
            seat.close()

    def _segment(self, segment: Sequence[Numbered], replaced: list[Box]) -> list[Future[Readings]]:
        t = segment[0][1].t
        found: dict[Seat, Detections] = {}
        if replaced or t - self._scanned_s >= SCAN_EVERY_S:
            found = self._scan([picture for _, picture in segment], replaced)
        jobs = [
            self._lanes[seat].submit(partial(self._follow, seat, segment, self._earlier, found))
            for seat in self._seats
        ]
        self._running.append((jobs, dict(segment)))
        return self._followed(but=1)

    def _wait(self) -> None:
        """Until no seat is followed."""
        wait([job for jobs, _ in self._running for job in jobs])

    def _followed(self, but: int) -> list[Future[Readings]]:
        """Have measured what was followed, but for so many of the last segments; wait where one isn't done."""
        measured = []
        while len(self._running) > but:
            jobs, pictures = self._running[0]
            for job in jobs:
                measured += [self._pool.submit(self._measure, *one, pictures) for one in job.result()]
            self._running.popleft()
        return measured

    def _follow(
        self,
        seat: Seat,
        segment: Sequence[Numbered],
        earlier: Sequence[Numbered],
        found: dict[Seat, Detections],
    ) -> list[Followed]:
        # other seats may be a segment behind or ahead: this is about speed, the numbers are the same
        alone = sum(bool(other.live) or len(found.get(other, ())) > 0 for other in self._seats) <= 1
        followed = []
        for tracklet in seat.follow(segment, earlier, found.get(seat), alone=alone):
            readings, tracklet.pending = tracklet.pending, []
            points = [
                tracklet.smooth(r.t, r.points) if self._smooth and not self.engine.follows else r.points
                for r in readings
            ]
            due = (
                tracklet.described < DESCRIBE_AT_FIRST
                or readings[-1].t - tracklet.described_s >= DESCRIBE_EVERY_S
            )
            if due:
                tracklet.described_s = readings[-1].t
                tracklet.described += 1
            followed.append((tracklet, readings, np.stack(points), due))
        return followed

    def _measure(
        self,
        tracklet: Tracklet,
        readings: list[Reading],
        points: Floats,
        describe: bool,
        pictures: dict[int, Picture],
    ) -> Readings:
        scores = self._scores(readings, points)
        shown = [k for k, r in enumerate(readings) if describe and r.frame in pictures]
        clear = {k: appearance.clarity(points[k], readings[k].presence) for k in shown}
        best = max(clear, key=lambda k: clear[k], default=None)
        return Readings(
            tracklet=tracklet.number,
            tile=tracklet.tile,
            epoch=tracklet.epoch,
            frame=np.array([r.frame for r in readings]),
            t=np.array([r.t for r in readings]),
            points=points,
            presence=np.array([r.presence for r in readings], np.float32),
            motion=np.array([r.shown.motion for r in readings], np.float32),
            luma=np.array([r.shown.luma for r in readings], np.float32),
            repeated=np.array([r.repeated for r in readings]),
            blendshapes=scores,
            appearance=None
            if best is None
            else appearance.describe(pictures[readings[best].frame], points[best], tracklet.tile.box),
            clarity=0.0 if best is None else clear[best],
            changes=_changes([pictures[r.frame] for r in readings if r.frame in pictures], readings[-1].box),
            interpolated=np.array([r.interpolated for r in readings]) if self._adaptive else None,
        )

    def _scores(self, readings: list[Reading], points: Floats) -> Floats:
        given = [r.blendshapes for r in readings if r.blendshapes is not None]
        if len(given) == len(readings):
            return np.stack(given)
        fresh = np.array([k == 0 or not r.repeated for k, r in enumerate(readings)])
        return np.asarray(self.engine.blendshapes(points[fresh])[np.cumsum(fresh) - 1])

    def _scan(self, pictures: Sequence[Picture], replaced: list[Box]) -> dict[Seat, Detections]:
        t = pictures[0].t
        fine = bool(replaced) or t - self._fine_s >= self._fine_every_s
        sample = [pictures[k] for k in sorted({0, len(pictures) // 2, len(pictures) - 1})]
        scan = layout.examine(self.engine, sample, self._hints, self._pool, fine=fine)
        self._scanned_s = t
        if fine:
            self._fine_s = t
            self._fine_every_s = FINE_EVERY_S if replaced else min(2 * self._fine_every_s, FINE_AT_LEAST_S)
        lost = [s for s in self._seats if any(_share(s.tile.box, part) > _SEAT_LOST for part in replaced)]
        kept = [s for s in self._seats if s not in lost]
        if replaced or not self._seats or self._agreed(scan.tiles):
            self._wait()
            if replaced:
                self._epoch += 1
            else:
                lost += [s for s in kept if layout.matches(s.tile, scan.tiles) is None]
                kept = [s for s in kept if s not in lost]
            for seat in lost:
                seat.close()
            taken = [s.tile for s in kept]
            new = [
                tile
                for tile in scan.tiles
                if layout.matches(tile, taken) is None
                and not any(_mostly_inside(tile, other) for other in taken)
            ]
            self._seats = kept + [self._seat(tile) for tile in new]
            self._lanes = {seat: self._lanes.get(seat) or Lane(self._pool) for seat in self._seats}
            for seat in self._seats:
                seat.holes = [s.tile for s in self._seats if layout.contains(seat.tile, s.tile)]
            self._note_layout(t)
            self._proposed = []
        else:
            self._proposed = scan.tiles
        return {
            seat: faces
            for seat in self._seats
            for tile, faces in zip(scan.tiles, scan.faces, strict=True)
            if tile.overlap(seat.tile) > layout.SAME
        }

    def _seat(self, tile: Tile) -> Seat:
        return Seat(self.engine, tile, self._epoch, next(self._numbers), adaptive=self._adaptive)

    def _note_layout(self, t: float) -> None:
        tiles = [seat.tile for seat in self._seats]
        if not self.spans or {x.box for x in self.spans[-1].tiles} != {x.box for x in tiles}:
            self.spans.append(LayoutSpan(t, tiles))

    def _agreed(self, tiles: list[Tile]) -> bool:
        """Whether two scans in a row saw one layout, and another one than is in use: no single scan changes it."""
        now = [seat.tile for seat in self._seats]
        if _alike(tiles, now):
            self._proposed = []
            return False
        return bool(self._proposed) and _alike(tiles, self._proposed)


def _changes(pictures: Sequence[Picture], face: Box) -> list[float]:
    """How far a face's pixels change from one picture to another `CHANGE_EVERY_S` later."""
    if not pictures:
        return []
    left, top, right, bottom = even_region(face, pictures[0].width, pictures[0].height)
    last, changes = pictures[0], []
    for picture in pictures[1:]:
        if picture.t - last.t >= CHANGE_EVERY_S:
            changes.append(mean_difference(last, picture, (left, top, right - left, bottom - top)))
            last = picture
    return changes


def _alike(one: list[Tile], other: list[Tile]) -> bool:
    return len(one) == len(other) and all(layout.matches(tile, other) is not None for tile in one)


def _share(box: tuple[int, int, int, int], part: Box) -> float:
    x, y, w, h = box
    across = min(x + w, part[0] + part[2]) - max(x, part[0])
    down = min(y + h, part[1] + part[3]) - max(y, part[1])
    return max(0.0, across) * max(0.0, down) / (w * h)


def _mostly_inside(tile: Tile, other: Tile) -> bool:
    return _share(tile.box, other.box) > 0.7 and tile.how != "edges"
