"""Segments of a recording joined: what each measured becomes what one run from start to end would have.

Each segment was read from before its start, so that at a seam two runs measured the same pictures. A face that both
saw in them is one tracklet that goes on; a tile that both used is one seat, with the earlier one's rectangle, and its
epoch, so that position stays evidence of who it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsa.face.cutting import Segment
from vsa.face.detector import overlaps
from vsa.face.layout import matches
from vsa.face.segment import FRAMES, TRACKLETS, Measured
from vsa.face.spool import POINTS, VALUES
from vsa.face.table import COLUMNS
from vsa.face.tiles import Tile
from vsa.face.tracker import LayoutSpan
from vsa.face.tracks import Track

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Indexes = npt.NDArray[np.intp]
Seats = list[tuple[Tile, int]]

#: Boxes in one picture that overlap more than this are one face.
_ONE_FACE = 0.5
_BOX = slice(COLUMNS.index("box_x"), COLUMNS.index("box_h") + 1)


class Stored:
    """One segment's rows, in the files that its `vsa.face.spool.Spool` wrote.

    Attributes
    ----------
    frame, tracklet
        Of every row, shape (n,) each.
    """

    def __init__(self, folder: Path) -> None:
        self.frame: Ints = np.load(folder / FRAMES)
        self.tracklet: Ints = np.load(folder / TRACKLETS)
        self._folder = folder

    def read(self, name: str, rows: Indexes) -> Floats:
        """Chosen rows of one of the files, shape (len(rows), width)."""
        # opened anew each time, so that pages that were read don't count as this process's memory
        return np.array(np.memmap(self._folder / name, np.float32, "r").reshape(len(self.frame), -1)[rows])


class JoinedSpool:
    """Rows of several segments, read as those of one `vsa.face.spool.Spool`."""

    def __init__(
        self, parts: Sequence[Stored], kept: Sequence[Indexes], tracklets: Sequence[Ints], landmarks: bool
    ):
        self.landmarks = landmarks
        self._parts = parts
        self._kept = kept
        self._starts = np.cumsum([0, *map(len, kept)])
        self._frame = np.concatenate([part.frame[rows] for part, rows in zip(parts, kept, strict=True)])
        self._tracklet = np.concatenate(tracklets)

    def index(self) -> tuple[Ints, Ints]:
        """Frame and tracklet of every row, shape (n,) each."""
        return self._frame, self._tracklet

    def values(self, rows: Indexes) -> Floats:
        """Chosen rows, shape (len(rows), len(STORED)), in the order of `vsa.face.table.STORED`."""
        return self._read(*VALUES, rows)

    def points(self, rows: Indexes) -> Floats:
        """Landmarks of chosen rows, shape (len(rows), 478, 3), px."""
        return self._read(*POINTS, rows).reshape(-1, 478, 3)

    def _read(self, name: str, width: int, rows: Indexes) -> Floats:
        found = np.empty((len(rows), width), np.float32)
        for part, kept, start, end in zip(
            self._parts, self._kept, self._starts, self._starts[1:], strict=False
        ):
            here = (rows >= start) & (rows < end)
            if here.any():
                found[here] = part.read(name, kept[rows[here] - start])
        return found


def join(
    segments: Sequence[Segment], found: Sequence[Measured], folders: Sequence[Path], landmarks: bool
) -> tuple[dict[int, Track], list[LayoutSpan], JoinedSpool]:
    """Join segments in order of time.

    Parameters
    ----------
    segments, found, folders
        Which, what was measured, and where its rows are.
    landmarks
        Whether the rows' landmarks were kept.

    Returns
    -------
    Summaries of the tracklets by number, the layouts, and all rows.
    """
    parts = [Stored(folder) for folder in folders]
    tracks: dict[int, Track] = {}
    spans: list[LayoutSpan] = []
    kept: list[Indexes] = []
    tracklets: list[Ints] = []
    seats: Seats = []
    numbers: dict[int, int] = {}  # of the segment before: its tracklets' numbers to those in `tracks`
    for k, (segment, measured, part) in enumerate(zip(segments, found, parts, strict=True)):
        used = [epoch for _, epoch in seats] + [track.epoch for track in tracks.values()]
        places = _Places(seats, measured.at_start, max(used, default=0) + 1 if k else 0)
        before = _continued(parts[k - 1], part, segment) if k else {}
        old, numbers = numbers, {}
        for track in sorted(measured.tracks, key=lambda t: t.number):
            placed = replace(track, tile=places.tile(track.tile), epoch=places.epoch(track.tile, track.epoch))
            earlier = old.get(before.get(track.number, -1))
            if earlier is not None:
                numbers[track.number] = earlier
                tracks[earlier] = tracks[earlier].followed_by(placed)
            else:
                numbers[track.number] = number = len(tracks)
                tracks[number] = replace(placed, number=number)
        rows = np.flatnonzero(part.frame >= segment.start)
        kept.append(rows)
        tracklets.append(np.array([numbers[n] for n in part.tracklet[rows].tolist()], np.int32))
        _add_spans(spans, measured, places, segment.start_s if k else None)
        seats = places.seats(measured.at_end)
    return tracks, spans, JoinedSpool(parts, kept, tracklets, landmarks)


class _Places:
    """Tiles and epochs of one segment in terms of those before it.

    Parameters
    ----------
    before, after
        The seats in use at the seam, as the segment before it and this one have them.
    new
        Epoch of the seats that only one of the two has: the first that was not used before.
    """

    def __init__(self, before: Seats, after: Seats, new: int) -> None:
        self._tiles: dict[tuple[int, int, int, int], Tile] = {}
        self._epochs: dict[tuple[tuple[int, int, int, int], int], int] = {}
        self._own = max((epoch for _, epoch in after), default=0)
        self._new = new
        for tile, epoch in after:
            same = matches(tile, [other for other, _ in before])
            if same is not None:
                self._tiles[tile.box] = same
                self._epochs[tile.box, epoch] = next(e for other, e in before if other is same)

    def tile(self, tile: Tile) -> Tile:
        return self._tiles.get(tile.box, tile)

    def epoch(self, tile: Tile, epoch: int) -> int:
        return self._epochs.get((tile.box, epoch), self._new + max(0, epoch - self._own))

    def seats(self, seats: Seats) -> Seats:
        return [(self.tile(tile), self.epoch(tile, epoch)) for tile, epoch in seats]


def _add_spans(spans: list[LayoutSpan], measured: Measured, places: _Places, seam_s: float | None) -> None:
    """Go on with the layouts of another segment: the one at the seam counts only if it differs."""
    later = measured.spans
    if seam_s is not None:
        later = [
            LayoutSpan(seam_s, [tile for tile, _ in measured.at_start]),
            *(span for span in later if span.t >= seam_s),
        ]
    for span in later:
        tiles = [places.tile(tile) for tile in span.tiles]
        if not spans or {t.box for t in spans[-1].tiles} != {t.box for t in tiles}:
            spans.append(LayoutSpan(span.t, tiles))


def _continued(before: Stored, after: Stored, segment: Segment) -> dict[int, int]:
    """Which tracklet of the segment before each one goes on with: both measured one face before the seam."""
    start = segment.start
    earlier, ahead = _by_picture(before, start - segment.chunk), np.flatnonzero(after.frame < start)
    went_on = set(after.tracklet[after.frame >= start].tolist())
    pairs = []
    for row in ahead.tolist():
        frame, number = int(after.frame[row]), int(after.tracklet[row])
        rows = earlier.get(frame)
        if rows is None or number not in went_on:
            continue
        box = after.read(VALUES[0], np.array([row]))[0, _BOX]
        shared = overlaps(box, before.read(VALUES[0], rows)[:, _BOX])
        best = int(np.argmax(shared))
        if shared[best] > _ONE_FACE:
            pairs.append((frame, float(shared[best]), number, int(before.tracklet[rows[best]])))
    found: dict[int, int] = {}
    for *_, number, other in sorted(pairs, reverse=True):  # the newest picture decides
        if number not in found and other not in found.values():
            found[number] = other
    return found


def _by_picture(part: Stored, first: int) -> dict[int, Indexes]:
    """Rows from a picture on, by picture."""
    rows = np.flatnonzero(part.frame >= first)
    return {int(frame): rows[part.frame[rows] == frame] for frame in np.unique(part.frame[rows])}
