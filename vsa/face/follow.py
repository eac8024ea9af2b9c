"""A recording's faces from the first picture to the last: decode, follow, measure and keep, side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsa import cores
from vsa.face import bundle, neutral, table
from vsa.face.blendshapes import NAMES
from vsa.face.echoes import without_echoes
from vsa.face.engine import FaceEngine
from vsa.face.liveness import is_participant, is_still
from vsa.face.people import Person, group
from vsa.face.spool import Spool
from vsa.face.tiles import Tile
from vsa.face.timing import Stopwatch, TimedEngine
from vsa.face.tracker import LayoutSpan, Tracker
from vsa.face.tracklet import Readings
from vsa.face.tracks import Track, track_of
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
    """

    t: Doubles
    tracked: npt.NDArray[np.bool_]
    values: Floats
    points: Floats | None


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
    """

    times: Doubles
    faces: list[FaceTrack]
    set_aside: list[Person]
    spans: list[LayoutSpan]
    spool: Spool

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
            values[place] = self.spool.values(rows)
            yield Block(t, tracked, values, self.spool.points(rows) if self.spool.landmarks else None)


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
        Leave out pictures in which a face changed too little to matter.
    watch
        Adds up where the time goes.
    progress
        Is told the time reached (s) and the pictures analysed so far.
    """
    watch = watch or Stopwatch()
    spool = Spool(folder, landmarks)
    keeper = _Keeper(spool, watch)
    times: list[float] = []
    try:
        with (
            ThreadPoolExecutor(cores.usable(), thread_name_prefix="vsa-face") as pool,
            ThreadPoolExecutor(1, thread_name_prefix="vsa-keep") as writer,
            ChunkReader(recording.pictures(fps), size=CHUNK) as chunks,
        ):
            tracker = Tracker(TimedEngine(engine, watch), pool, hints, adaptive=adaptive)
            waiting: deque[Future[None]] = deque()
            try:
                for chunk in chunks:
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
    finally:
        spool.close()
    return _told_apart(np.array(times), keeper.tracks, tracker.spans, spool)


class _Keeper:
    """Turns readings into rows, in the order in which they were made."""

    def __init__(self, spool: Spool, watch: Stopwatch) -> None:
        self.tracks: dict[int, Track] = {}
        self._spool = spool
        self._watch = watch
        self._face = bundle.load().face

    def keep(self, measured: Sequence[Future[Readings]]) -> None:
        for future in measured:
            readings = future.result()
            with self._watch.stage("signals"):
                self._spool.append(readings, table.values(readings, self._face))
                if readings.tracklet in self.tracks:
                    self.tracks[readings.tracklet].extend(readings)
                else:
                    self.tracks[readings.tracklet] = track_of(readings)


def _told_apart(times: Doubles, tracks: dict[int, Track], spans: list[LayoutSpan], spool: Spool) -> Followed:
    frame, tracklet = spool.index()
    first_score = len(table.COLUMNS) - len(NAMES)

    def scores(track: Track, start: int, end: int) -> tuple[npt.NDArray[np.int32], Floats]:
        rows = np.flatnonzero((tracklet == track.number) & (frame >= start) & (frame <= end))
        return frame[rows], spool.values(rows)[:, first_score:]

    shown = without_echoes(list(tracks.values()), scores)
    stills = [track for track in shown if is_still(track)]
    people = [*group([track for track in shown if track not in stills]), *group(stills)]
    duration_s = float(times[-1] - times[0]) if len(times) else 0.0
    participants = [p for p in people if is_participant(p, len(times), duration_s)]
    faces = [_face_track(person, frame, tracklet, spool) for person in participants]
    return Followed(times, faces, [p for p in people if p not in participants], spans, spool)


def _face_track(
    person: Person, frame: npt.NDArray[np.int32], tracklet: npt.NDArray[np.int32], spool: Spool
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
