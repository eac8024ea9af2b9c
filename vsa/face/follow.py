"""A recording's faces from the first picture to the last: decode, follow, measure and keep, side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vsa import cores
from vsa.face import neutral, table
from vsa.face.blendshapes import NAMES
from vsa.face.echoes import without_echoes
from vsa.face.engine import FaceEngine
from vsa.face.keeper import Keeper
from vsa.face.liveness import is_participant, is_still
from vsa.face.people import Person, group
from vsa.face.spool import Spool
from vsa.face.tiles import Tile
from vsa.face.timing import Stopwatch, TimedEngine
from vsa.face.tracker import LayoutSpan, Tracker
from vsa.face.tracks import Track
from vsa.media.picture import Picture
from vsa.media.reader import ChunkReader
from vsa.media.recording import Recording

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

#: Pictures that are analysed in one go.
CHUNK = 32
#: Chunks whose results may wait to be written.
_WAITING = 4
#: Rows that are handed on at a time.
_BLOCK = 8192

Progress = Callable[[float, int], None]


class Rows(Protocol):
    """What was measured: a `Spool`, or several as one."""

    landmarks: bool

    def index(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """See `Spool.index`."""
        ...

    def values(self, rows: npt.NDArray[np.intp]) -> Floats:
        """See `Spool.values`."""
        ...

    def points(self, rows: npt.NDArray[np.intp]) -> Floats:
        """See `Spool.points`."""
        ...


@dataclass(frozen=True)
class Block:
    """Consecutive rows of one participant: n analysed pictures.

    Attributes
    ----------
    t
        Presentation time, s, shape (n,).
    tracked
        Whether the face was measured, shape (n,).
    values
        Shape (n, len(table.COLUMNS)); NaN where it was not.
    points
        Landmarks of the tracked rows, shape (tracked, 478, 3), px of the recording; None unless they were kept.
    interpolated
        Whether a row was taken over from an earlier picture, shape (n,); None without the setting `adaptive`.
    """

    t: Doubles
    tracked: npt.NDArray[np.bool_]
    values: Floats
    points: Floats | None
    interpolated: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class FaceTrack:
    """One participant's face over the recording."""

    person: Person
    rows: npt.NDArray[np.intp]
    frames: npt.NDArray[np.int32]
    neutral_deg: tuple[float, float] | None
    face_height_px: float


@dataclass(frozen=True)
class Followed:
    """Faces of a recording.

    Attributes
    ----------
    times
        Presentation times of the analysed pictures, s.
    faces
        Of the participants, in reading order.
    set_aside
        Faces that are no participants.
    spans
        The layouts.
    spool
        All rows.
    segments
        How many parts of the recording were read side by side.
    in_one_go
        Why it was read from start to end although segments were asked for; said of "it".
    adaptive
        Rows may have been taken over from earlier pictures, and are marked.
    """

    times: Doubles
    faces: list[FaceTrack]
    set_aside: list[Person]
    spans: list[LayoutSpan]
    spool: Rows
    segments: int = 1
    in_one_go: str | None = None
    adaptive: bool = False

    def blocks(self, face: FaceTrack) -> Iterator[Block]:
        """One participant's rows, a block at a time, for every analysed picture."""
        for start in range(0, len(self.times), _BLOCK):
            t = self.times[start : start + _BLOCK]
            low, high = np.searchsorted(face.frames, (start, start + len(t)))
            place = face.frames[low:high] - start
            rows = face.rows[low:high]
            tracked = np.zeros(len(t), bool)
            tracked[place] = True
            values = np.full((len(t), len(table.COLUMNS)), np.nan, np.float32)
            taken_over = np.zeros(len(t), bool)
            stored = self.spool.values(rows)
            values[place], taken_over[place] = stored[:, :-1], stored[:, -1] > 0
            points = self.spool.points(rows) if self.spool.landmarks else None
            yield Block(t, tracked, values, points, taken_over if self.adaptive else None)


def follow(
    recording: Recording,
    engine: FaceEngine,
    folder: Path,
    *,
    fps: float | None = None,
    hints: Sequence[Tile] | None = None,
    landmarks: bool = False,
    adaptive: bool = False,
    watch: Stopwatch | None = None,
    progress: Progress = lambda t, frames: None,
) -> Followed:
    """Measure all faces of a recording.

    Parameters
    ----------
    recording
        Opened, not read yet.
    engine
        Finds and follows.
    folder
        For intermediate files, which `Followed` goes on reading; the caller removes it.
    fps
        Pictures to analyse a second; None for all, capped at 30.
    hints
        Tiles that the manifest gives; they win over guesses.
    landmarks
        Keep the landmarks of every row.
    adaptive
        Take over what was read where a face's picture is the same but for the coder's noise.
    watch
        Adds up where the time goes.
    progress
        Is told the time reached (s) and the pictures analysed so far.
    """
    watch = watch or Stopwatch()
    spool = Spool(folder, landmarks)
    keeper = Keeper(spool, watch)
    with closing(spool):
        times, spans = go_through(
            recording.pictures(fps), engine, keeper, watch, hints=hints, adaptive=adaptive, progress=progress
        )
    return replace(told_apart(times, keeper.tracks, spans, spool), adaptive=adaptive)


def go_through(
    pictures: Iterator[Picture],
    engine: FaceEngine,
    keeper: Keeper,
    watch: Stopwatch,
    *,
    first: int = 0,
    hints: Sequence[Tile] | None = None,
    adaptive: bool = False,
    before: Callable[[int, Tracker], None] = lambda index, tracker: None,
    progress: Progress = lambda t, frames: None,
) -> tuple[Doubles, list[LayoutSpan]]:
    """Measure all faces of some pictures, numbered from `first` on; the keeper takes what is measured.

    `before` is called ahead of each chunk, with the index of its first picture. For the rest see `follow`.

    Returns
    -------
    The pictures' times, s, and the layouts.
    """
    times: list[float] = []
    with (
        ThreadPoolExecutor(cores.usable(), thread_name_prefix="vsa-face") as pool,
        ThreadPoolExecutor(1, thread_name_prefix="vsa-keep") as writer,
        ChunkReader(pictures, size=CHUNK, first=first) as chunks,
    ):
        tracker = Tracker(TimedEngine(engine, watch), pool, hints, adaptive=adaptive)
        waiting: deque[Future[None]] = deque()
        try:
            for chunk in chunks:
                before(chunk[0][0], tracker)
                times += [picture.t for _, picture in chunk]
                waiting.append(writer.submit(keeper.keep, tracker.process(chunk)))
                while len(waiting) > _WAITING:
                    waiting.popleft().result()
                progress(times[-1], len(times))
            waiting.append(writer.submit(keeper.keep, tracker.rest()))
            while waiting:
                waiting.popleft().result()
        finally:
            tracker.close()
        watch.add("decode", chunks.decode_s)
    return np.array(times), tracker.spans


def told_apart(times: Doubles, tracks: dict[int, Track], spans: list[LayoutSpan], spool: Rows) -> Followed:
    """Whose tracklets are whose, from all that was measured."""
    frame, tracklet = spool.index()
    first_score, end_score = len(table.COLUMNS) - len(NAMES), len(table.COLUMNS)

    def scores(track: Track, start: int, end: int) -> tuple[npt.NDArray[np.int32], Floats]:
        rows = np.flatnonzero((tracklet == track.number) & (frame >= start) & (frame <= end))
        return frame[rows], spool.values(rows)[:, first_score:end_score]

    shown = without_echoes(list(tracks.values()), scores)
    stills = [track for track in shown if is_still(track)]
    people = [*group([track for track in shown if track not in stills]), *group(stills)]
    duration_s = float(times[-1] - times[0]) if len(times) else 0.0
    participants = [p for p in people if is_participant(p, len(times), duration_s)]
    faces = [_face_track(person, frame, tracklet, spool) for person in participants]
    return Followed(times, faces, [p for p in people if p not in participants], spans, spool)


def _face_track(
    person: Person, frame: npt.NDArray[np.int32], tracklet: npt.NDArray[np.int32], spool: Rows
) -> FaceTrack:
    rows = np.flatnonzero(np.isin(tracklet, [track.number for track in person.tracks]))
    rows = rows[np.argsort(frame[rows], kind="stable")]
    columns = [table.COLUMNS.index(name) for name in ("gaze_yaw", "gaze_pitch", "box_h")]
    parts = [spool.values(rows[k : k + _BLOCK])[:, columns] for k in range(0, len(rows), _BLOCK)]
    gaze_and_height = np.concatenate(parts)
    return FaceTrack(
        person,
        rows,
        frame[rows],
        neutral.direction(gaze_and_height[:, :2]),
        float(np.median(gaze_and_height[:, 2])),
    )
