"""Long recordings cut into segments that run side by side, each in a process of its own, and joined without a seam.

A segment is read from a key frame at least `vsa.face.cutting.OVERLAP_S` before the pictures that count. Presentation
times, and which pictures are analysed, are those of one run from start to end, to the last bit; so are participants,
their order and the shares tracked, as long as the layout has settled.

Rows are not equal to the last bit, for crops follow landmarks: from another first crop the network's answers go on
differing a little. How far, measured against one run (composed calls of 1 to 4 people and a webcam's, 300p to 720p,
10 and 25 pictures a second, faces 100 to 330 px wide, cuts of the layout and cameras off near the seam): it falls for
1.5 s from the first picture that is read, and stays as small from there on:

=====================  ==========  =================  ========
signal                 median      99.9th percentile  largest
=====================  ==========  =================  ========
head angles            0.007 deg   0.10 deg           0.12 deg
gaze                   0.03 deg    0.37 deg           0.5 deg
box                    0.02 px     0.27 px            0.4 px
openness of the eyes   0.0006      0.010              0.016
expression scores      0.002       0.009              0.032
motion, luma           0           0                  0
=====================  ==========  =================  ========

The median is a quarter or less of what these signals change from one picture to the next in a person who sits still.
What may differ by more (8 deg) is the gaze in single pictures in which an eye is about to close, where it is about to
be none.

The overlap is longer than that because the layout needs it: it is looked at every 4 s, and a first look that was wrong
(somebody had turned away) is put right by two more that agree.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from vsa import cores
from vsa.errors import SessionError
from vsa.face.cutting import SHORTEST_S, cut
from vsa.face.engine import FaceEngine
from vsa.face.follow import Followed, Progress, follow, told_apart
from vsa.face.joining import join
from vsa.face.segment import Measured, Task
from vsa.face.tiles import Tile
from vsa.face.timing import Stopwatch
from vsa.media.info import Faults
from vsa.media.outline import InOneGo
from vsa.media.recording import Recording
from vsa.own_process import PROCESS, TRIES, OwnProcess, end


def follow_in_segments(
    recording: Recording,
    engine: FaceEngine,
    folder: Path,
    segments: int,
    *,
    fps: float | None = None,
    hints: Sequence[Tile] | None = None,
    landmarks: bool = False,
    adaptive: bool = False,
    watch: Stopwatch | None = None,
    progress: Progress = lambda t, frames: None,
    shortest_s: float = SHORTEST_S,
) -> Followed:
    """Measure all faces of a recording in up to so many processes, as `vsa.face.follow.follow` does in one.

    Where it can't be cut it is read in one go, by `follow`; `Followed.in_one_go` says why.

    Parameters
    ----------
    recording, engine, folder, fps, hints, landmarks, adaptive, watch, progress
        See `vsa.face.follow.follow`; each process makes an engine of the same name.
    segments
        Processes at most; they share this process's cores.
    shortest_s
        Of a segment, s.

    Raises
    ------
    SessionError
        Stage ``process``: that of a segment died three times.
    """
    watch = watch or Stopwatch()
    why = None
    if segments > 1:
        try:
            whole, times, parts = cut(recording, segments, fps, shortest_s)
            folders = [folder / f"segment-{k}" for k in range(len(parts))]
            tasks = []
            for part, own in zip(parts, folders, strict=True):
                own.mkdir()
                tasks.append(
                    Task(
                        recording.path,
                        part,
                        engine.name,
                        max(1, cores.usable() // len(parts)),
                        own,
                        list(hints) if hints else None,
                        landmarks,
                        adaptive,
                    )
                )
            found = _side_by_side(tasks, recording, progress)
        except InOneGo as reason:
            why = str(reason)
        else:
            for measured in found:
                for stage, seconds in measured.seconds.items():
                    watch.add(stage, seconds)
            recording.was_read(_in_all([measured.faults for measured in found]), whole.ends_s)
            tracks, spans, spool = join(parts, found, folders, landmarks)
            followed = told_apart(times, tracks, spans, spool)
            return replace(followed, segments=len(parts), adaptive=adaptive)
    followed = follow(
        recording,
        engine,
        folder,
        fps=fps,
        hints=hints,
        landmarks=landmarks,
        adaptive=adaptive,
        watch=watch,
        progress=progress,
    )
    return replace(followed, in_one_go=why)


class _Reader(OwnProcess):
    """A segment's process."""

    def __init__(self, task: Task) -> None:
        super().__init__("vsa.face.segment:work", task)
        self.done_s = 0.0
        self.frames = 0


def _side_by_side(tasks: Sequence[Task], recording: Recording, progress: Progress) -> list[Measured]:
    """Run all segments; the first that fails ends the others. One whose process dies is read again."""
    readers = list[_Reader]()
    measured = dict[int, Measured]()
    deaths = Counter[int]()
    try:
        for task in tasks:
            readers.append(_Reader(task))
        while busy := _busy(readers, measured):
            for pipe in wait(list(busy)):
                k = busy[pipe]
                reader = readers[k]
                try:
                    what, *said = reader.pipe.recv()
                except (EOFError, OSError):
                    how = reader.died()
                    deaths[k] += 1
                    if deaths[k] == TRIES:
                        raise _dead(recording, how) from None
                    readers[k] = _again(tasks[k])
                    continue
                if what == "failed":
                    raise said[0]
                if what == "done":
                    measured[k] = said[0]
                    continue
                reader.done_s, reader.frames = said
                so_far_s = recording.info.start_s + sum(r.done_s for r in readers)
                progress(so_far_s, sum(r.frames for r in readers))
    finally:
        end(readers)
    return [measured[k] for k in range(len(tasks))]


def _busy(readers: Sequence[_Reader], measured: Mapping[int, Measured]) -> dict[Any, int]:
    """Pipes of the segments that are not measured yet."""
    return {reader.pipe: k for k, reader in enumerate(readers) if k not in measured}


def _again(task: Task) -> _Reader:
    """Read a segment once more; what its process had measured is thrown away."""
    shutil.rmtree(task.folder)
    task.folder.mkdir()
    return _Reader(task)


def _dead(recording: Recording, how: str) -> SessionError:
    return SessionError(
        PROCESS,
        f"{recording.info.name}: a process that read a part of it {how}, {TRIES} times.",
        "If the machine was short of memory, do fewer things at once. Otherwise the recording kills its decoder: save "
        "it anew, for example with: ffmpeg -i FILE -c:v libx264 NEW.mp4",
    )


def _in_all(parts: Sequence[Faults]) -> Faults:
    """Faults of the segments, as one run would have counted them."""
    found = Faults(last_t=parts[-1].last_t)
    for part in parts:
        found.bad_packets += part.bad_packets
        found.damaged_pictures += part.damaged_pictures
        found.repaired_stamps += part.repaired_stamps
        found.resized_pictures += part.resized_pictures
        for message in part.messages:
            found.note(message)
    return found
