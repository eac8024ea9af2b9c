"""Where a long recording is cut into segments, so that each can be read for itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.face.follow import CHUNK
from vsa.media.outline import InOneGo, Outline, Stretch, outline
from vsa.media.reader import chunk_length
from vsa.media.recording import Recording

#: A segment is read from so much before its first picture at least, s: see `vsa.face.segments`.
OVERLAP_S = 11.0
#: Shorter segments aren't worth a process of their own, s.
SHORTEST_S = 60.0
#: No more than this share of a segment is read ahead of it, where key frames are rare.
_MOST_AHEAD = 0.5

Doubles = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Segment:
    """A part of a recording that is read, and the part of it that counts; in numbers of analysed pictures.

    Attributes
    ----------
    stretch
        What to read.
    first
        Number of the first picture that is analysed.
    start, end
        From where on, and up to (not included) where, results count.
    start_s, end_s
        Times of the pictures `start` and `end - 1`, s.
    chunk
        Pictures that are analysed in one go.
    """

    stretch: Stretch
    first: int
    start: int
    end: int
    start_s: float
    end_s: float
    chunk: int


def cut(
    recording: Recording, segments: int, fps: float | None = None, shortest_s: float = SHORTEST_S
) -> tuple[Outline, Doubles, list[Segment]]:
    """Cut a recording into up to so many segments, of about equal numbers of pictures.

    Each begins at a key frame at least `OVERLAP_S` before its start. Starts, and all pictures that are analysed in one
    go, are those of a run from start to end, and so are the times at which they are chosen.

    Parameters
    ----------
    recording
        Opened; it is not read here.
    segments
        At most so many.
    fps
        See `Recording.pictures`.
    shortest_s
        Of a segment, s.

    Returns
    -------
    All pictures, the times of those that are analysed (s), and the segments.

    Raises
    ------
    InOneGo
        There is nowhere to cut.
    """
    info = recording.info
    whole = outline(recording.path, info.video_stream)
    wanted = recording.chosen(whole.stamps, fps)
    analysed = np.flatnonzero(wanted)
    times = whole.stamps[analysed]
    count = min(segments, int((times[-1] - times[0]) / shortest_s))
    picture_bytes = info.width * info.height + 2 * ((info.width + 1) // 2) * ((info.height + 1) // 2)
    chunk = chunk_length(picture_bytes, CHUNK)
    length = len(times) / max(count, 1)
    starts = sorted({chunk * round(k * length / chunk) for k in range(1, count)} - {0})
    if not starts:
        raise InOneGo("it is too short to be cut")
    begun = {start: _begin(whole, analysed, start, chunk) for start in starts}
    seams = [
        start
        for start in starts
        if (begin := begun[start]) is not None and start - begin[1] <= _MOST_AHEAD * length
    ]
    if not seams:
        raise InOneGo("its key frames are too rare")
    parts = []
    for start, end in zip([0, *seams], [*seams, len(times)], strict=True):
        key, first = begun[start] or (0, 0) if start else (0, 0)
        parts.append(_segment(whole, wanted, analysed, (key, first, start, end), chunk))
    return whole, times, parts


def _begin(whole: Outline, analysed: Indexes, start: int, chunk: int) -> tuple[int, int] | None:
    """Key frame (among all pictures) and first whole chunk (among the analysed) ahead of a start; None: no such."""
    times = whole.stamps[analysed]
    latest_s = times[start] - OVERLAP_S
    for key in whole.keys[whole.stamps[whole.keys] <= latest_s][::-1]:
        first = -(-int(np.searchsorted(analysed, key)) // chunk) * chunk
        if times[first] <= latest_s:
            return int(key), first
    return None


def _segment(
    whole: Outline,
    wanted: npt.NDArray[np.bool_],
    analysed: Indexes,
    place: tuple[int, int, int, int],
    chunk: int,
) -> Segment:
    key, first, start, end = place
    last = end == len(analysed)
    # a chunk more than counts: a face that is found in it is followed back to where it appeared
    upto = len(whole.stamps) if last else int(analysed[min(end + chunk, len(analysed)) - 1]) + 1
    own = wanted[key:upto].copy()
    own[: analysed[first] - key] = False
    stretch = Stretch(
        int(whole.ticks[key]) if start else None,
        whole.stamps[key:upto],
        own,
        int(analysed[start]) - key if start else 0,
        (upto if last else int(analysed[end])) - key,
    )
    begins_s, ends_s = whole.stamps[analysed[[start, end - 1]]].tolist()
    return Segment(stretch, first, start, end, begins_s, ends_s, chunk)
