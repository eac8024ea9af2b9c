"""Segments that were measured apart become one recording: the same people in the same seats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsa.face.cutting import Segment
from vsa.face.joining import join
from vsa.face.segment import FRAMES, TRACKLETS, Measured
from vsa.face.table import STORED
from vsa.face.tiles import Tile
from vsa.face.tracker import LayoutSpan
from vsa.face.tracks import Track
from vsa.media.info import Faults
from vsa.media.outline import Stretch

FPS, START, END, CHUNK = 25, 320, 640, 32
LEFT, RIGHT = Tile(0, 0, 300, 300, "borders"), Tile(320, 0, 300, 300, "borders")
#: As the second segment sees it.
RIGHT_AGAIN = Tile(321, 1, 299, 299, "borders")
FACE = {LEFT: (100.0, 100.0, 80.0, 100.0), RIGHT: (400.0, 100.0, 90.0, 110.0)}
NOTHING = Stretch(None, np.empty(0), np.empty(0, bool), 0, 0)
SEGMENTS = [
    Segment(NOTHING, 0, 0, START, 0.0, (START - 1) / FPS, CHUNK),
    Segment(NOTHING, 64, START, END, START / FPS, (END - 1) / FPS, CHUNK),
]

Seen = tuple[int, Tile, int, range, tuple[float, float, float, float]]


def track(seen: Seen, start: int, end: int) -> Track:
    number, tile, epoch, frames, box = seen
    inside = [f for f in frames if start <= f < end]
    first, last = inside[0], inside[-1]
    moments = [np.full(56, f / FPS, np.float32) for f in inside[::12]]
    return Track(
        number, tile, epoch, len(inside), first, last, first / FPS, last / FPS, box, box, moments, [0.5]
    )


def written(folder: Path, seen: list[Seen], segment: Segment) -> None:
    """What a segment's process leaves in its folder: its rows, and those of the chunk before."""
    folder.mkdir()
    rows = sorted((f, n, box) for n, _, _, frames, box in seen for f in frames if f < segment.end)
    rows = [row for row in rows if row[0] >= segment.start - CHUNK]
    values = np.zeros((len(rows), len(STORED)), np.float32)
    for k, (frame, _, box) in enumerate(rows):
        values[k, 0], values[k, 1:5] = frame, box
    values.tofile(folder / "values.f32")
    np.save(folder / FRAMES, np.array([r[0] for r in rows], np.int32))
    np.save(folder / TRACKLETS, np.array([r[1] for r in rows], np.int32))


def measured(
    seen: list[Seen], segment: Segment, spans: list[LayoutSpan], seats: list[tuple[Tile, int]]
) -> Measured:
    counted = [s for s in seen if s[3][-1] >= segment.start]
    tracks = [track(s, segment.start, segment.end) for s in counted]
    return Measured(tracks, spans, seats if segment.start else [], seats, Faults(), {})


@pytest.fixture
def parts(tmp_path: Path) -> tuple[list[Measured], list[Path]]:
    """Two people all along; in the second segment their tracklets have other numbers, and a tile is 1 px off."""
    before = [
        (0, LEFT, 0, range(START), FACE[LEFT]),
        (1_000_000, RIGHT, 2, range(100, START), FACE[RIGHT]),
    ]
    after = [
        (0, RIGHT_AGAIN, 0, range(64, END), (401.0, 101.0, 89.0, 110.0)),
        (1_000_000, LEFT, 0, range(64, 500), FACE[LEFT]),
        (1_000_001, LEFT, 0, range(510, END), FACE[LEFT]),
    ]
    folders = [tmp_path / "0", tmp_path / "1"]
    for folder, seen, segment in zip(folders, (before, after), SEGMENTS, strict=True):
        written(folder, seen, segment)
    return [
        measured(before, SEGMENTS[0], [LayoutSpan(0.0, [LEFT, RIGHT])], [(LEFT, 0), (RIGHT, 2)]),
        measured(after, SEGMENTS[1], [LayoutSpan(2.6, [RIGHT_AGAIN, LEFT])], [(RIGHT_AGAIN, 0), (LEFT, 0)]),
    ], folders


def test_a_face_goes_on_across_the_seam_as_one_tracklet(parts: tuple[list[Measured], list[Path]]) -> None:
    tracks, _, spool = join(SEGMENTS, *parts, False)
    assert [(t.first_frame, t.last_frame, t.frames) for t in tracks.values()] == [
        (0, 499, 500),
        (100, END - 1, END - 100),
        (510, END - 1, END - 510),
    ]
    frame, tracklet = spool.index()
    for number, one in tracks.items():
        rows = np.flatnonzero(tracklet == number)
        np.testing.assert_array_equal(frame[rows], np.arange(one.first_frame, one.last_frame + 1))
        np.testing.assert_array_equal(spool.values(rows)[:, 0], frame[rows])
    assert [len(t.changes) for t in tracks.values()] == [2, 2, 1]
    times = [row[0] for row in tracks[0].moments]
    assert times == sorted(times)


def test_rows_come_in_the_order_in_which_they_are_asked_for(
    parts: tuple[list[Measured], list[Path]],
) -> None:
    _, _, spool = join(SEGMENTS, *parts, False)
    frame, _ = spool.index()
    rows = np.random.default_rng(1).permutation(len(frame))[:200]
    np.testing.assert_array_equal(spool.values(rows)[:, 0], frame[rows])
    assert spool.values(rows[:0]).shape == (0, len(STORED))


def test_a_seat_keeps_its_rectangle_and_epoch(parts: tuple[list[Measured], list[Path]]) -> None:
    tracks, spans, _ = join(SEGMENTS, *parts, False)
    assert [(t.tile, t.epoch) for t in tracks.values()] == [(LEFT, 0), (RIGHT, 2), (LEFT, 0)]
    assert [(s.t, s.tiles) for s in spans] == [(0.0, [LEFT, RIGHT])]


def test_a_layout_that_changes_later_gets_an_epoch_of_its_own(
    parts: tuple[list[Measured], list[Path]],
) -> None:
    found, folders = parts
    whole = Tile(0, 0, 640, 300)
    later = [
        replace(t, tile=whole, epoch=1) if t.number == 1_000_001 else t  # after its cut: 0 before
        for t in found[1].tracks
    ]
    spans = [*found[1].spans, LayoutSpan(510 / FPS, [whole])]
    tracks, joined, _ = join(
        SEGMENTS, [found[0], replace(found[1], tracks=later, spans=spans)], folders, False
    )
    assert (tracks[2].tile, tracks[2].epoch) == (whole, 4)
    assert [(s.t, s.tiles) for s in joined] == [(0.0, [LEFT, RIGHT]), (510 / FPS, [whole])]


def test_a_layout_that_only_one_of_them_sees_is_a_change_at_the_seam(
    parts: tuple[list[Measured], list[Path]],
) -> None:
    found, folders = parts
    other = Tile(320, 0, 300, 150, "edges")
    tracks = [replace(t, tile=other) if t.number == 0 else t for t in found[1].tracks]
    after = replace(found[1], tracks=tracks, at_start=[(other, 0), (LEFT, 0)])
    joined, spans, _ = join(SEGMENTS, [found[0], after], folders, False)
    assert [(s.t, s.tiles) for s in spans] == [(0.0, [LEFT, RIGHT]), (START / FPS, [other, LEFT])]
    assert len(joined) == 3  # the face is the same all the same
