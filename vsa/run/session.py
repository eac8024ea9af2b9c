"""One session from its recordings to its results folder."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av.error

from vsa import cores
from vsa.errors import SessionError
from vsa.face.engine import FaceEngine
from vsa.face.follow import Block
from vsa.face.segments import follow_in_segments
from vsa.face.table import COLUMNS
from vsa.face.tiles import Tile
from vsa.face.timing import Stopwatch
from vsa.media.info import MediaInfo
from vsa.media.recording import Recording
from vsa.memory import give_back
from vsa.run import record
from vsa.run.corrections import KEPT, Settled, kept, settle
from vsa.run.hearing import Hearing
from vsa.run.outcome import Outcome
from vsa.run.seats import Part, seats_of
from vsa.run.session_features import write_features
from vsa.run.settings import Settings
from vsa.run.sound_reader import Recorded, check_sound_files
from vsa.run.source import FarSource, Source, source_of
from vsa.run.voices import SessionVoices, session_voices
from vsa.study.addresses import Place
from vsa.study.face_table import write_face, write_landmarks
from vsa.study.plan import SessionPlan, Video
from vsa.study.remote_results import AnyResults
from vsa.study.results import write_json
from vsa.study.voice_table import write_voice

#: Cores that the reading of a call fills: two faces, and the decoding.
_FILLED = 3

#: Told as a session goes on: seconds of media done, seconds in all (0 if unknown), pictures analysed.
Progress = Callable[[float, float, int], None]


def extract_session(
    plan: SessionPlan,
    results: AnyResults,
    engine: FaceEngine,
    settings: Settings,
    *,
    progress: Progress = lambda done_s, total_s, frames: None,
) -> Outcome:
    """Analyse one session and put its folder in place.

    Raises
    ------
    SessionError
        When it can't be done; nothing of it is left then.
    """
    start = time.perf_counter()
    watch = Stopwatch()
    with results.writing(plan.session_id) as folder:
        described = _measure(plan, folder, results, engine, settings, watch, progress)
        give_back(described["source"]["duration_s"])
        with watch.stage("features"):
            described["quality"]["features_missing"] = write_features(folder, described)
        seconds = time.perf_counter() - start
        described["timings_s"] = {**watch.seconds(), "wall": round(seconds, 3)}
        write_json(folder / "session.json", described)
    return Outcome(plan.session_id, described, described["quality"]["frames"], seconds)


def _measure(
    plan: SessionPlan,
    folder: Path,
    results: AnyResults,
    engine: FaceEngine,
    settings: Settings,
    watch: Stopwatch,
    progress: Progress,
) -> dict[str, Any]:
    """Write all tables but the features; ``session.json`` so far."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scratch-", dir=folder)))
        check_sound_files(plan)
        sources = stack.enter_context(ExitStack())
        hearing = stack.enter_context(Hearing(plan, watch))
        parts: list[Part] = []
        told = _Told(progress, _total_s(plan) if len(plan.videos) > 1 else None)
        for number, video in enumerate(plan.videos):
            own = scratch / str(number)
            own.mkdir()
            source = source_of(video.path)
            sources.enter_context(source)
            part = _analyse(video, source, engine, own, plan, settings, watch, told, hearing)
            parts.append(part)
            give_back(part.recording.read_s)
        sound, listened = hearing.result()
        parts = [replace(part, clock=clock) for part, clock in zip(parts, sound.clocks, strict=True)]
        with watch.stage("voice"):
            heard = session_voices(listened, parts, seats_of(plan, parts))
            people = [{"id": seat.id, "role": seat.role} for seat in heard.seats]
            with results.local(plan.session_id, KEPT) as old:
                before = kept(old)
            turns = settle(before, people, heard.speech, parts[0].file.sha256)
        with watch.stage("write"):
            _write_tables(folder, scratch, heard, turns, plan, settings)
        described = record.describe(plan, parts, sound, heard, engine, settings)
        described["sound"]["turns"] = turns.record
        described["quality"]["notes"] += [turns.note] if turns.note else []
        return described


@dataclass
class _Told:
    """Progress over all recordings of a session."""

    progress: Progress
    total_s: float | None
    before_s: float = 0.0
    before: int = 0

    def __call__(self, done_s: float, frames: int) -> None:
        self.progress(self.before_s + max(0.0, done_s), self.total_s or 0.0, self.before + frames)

    def end(self, length_s: float, frames: int) -> None:
        self.before_s += length_s
        self.before += frames


def _total_s(plan: SessionPlan) -> float:
    """Length of all recordings; one that can't be opened, or a wrong tile, is said before hours of the others."""
    total = 0.0
    for video in plan.videos:
        with _reading(video.path), Recording(video.path) as recording:
            _rectangles(plan, video, recording.info)
            total += _length_s(recording.info)
    return total


def _length_s(info: MediaInfo) -> float:
    return 0.0 if math.isnan(info.duration_s) else info.duration_s


@contextmanager
def _reading(path: Place) -> Iterator[None]:
    """What the system says of the recording is no fault of the results folder."""
    try:
        yield
    except OSError as error:
        if isinstance(error, av.error.FFmpegError) or error.filename == str(path):
            raise SessionError(
                "media",
                f"{path.name} could not be read ({error.strerror or error}).",
                "Check that the file is still there and that its disk is well.",
            ) from None
        raise


def _analyse(
    video: Video,
    source: Source | FarSource,
    engine: FaceEngine,
    scratch: Path,
    plan: SessionPlan,
    settings: Settings,
    watch: Stopwatch,
    told: _Told,
    hearing: Hearing,
) -> Part:
    with _reading(video.path), Recording(video.path) as recording:
        info = recording.info
        hearing.opened(Recorded(video.role, info, source.held))
        if told.total_s is None:
            told.total_s = _length_s(info)
        followed = follow_in_segments(
            recording,
            engine,
            scratch,
            _segments(engine),
            fps=settings.fps,
            hints=_rectangles(plan, video, info),
            landmarks=settings.landmarks,
            adaptive=settings.adaptive,
            watch=watch,
            progress=lambda t, frames: told(t - info.start_s, frames),
        )
        if len(followed.times) < 2:
            raise SessionError(
                "media",
                f"{info.name} holds one picture; behaviour needs pictures over time.",
                "Give the recording itself, not a snapshot of it.",
            )
        told.end(recording.read_s, len(followed.times))
        with watch.stage("fingerprint"):
            return Part(video, recording, followed, source.fingerprint())


def _segments(engine: FaceEngine) -> int:
    """In how many processes to read a long recording: as many as there are cores that one would leave idle.

    Other engines than the CPU's are not measured in several.
    """
    return cores.fitting(cores.usable() // _FILLED) if engine.name == "cpu" else 1


def _rectangles(plan: SessionPlan, video: Video, info: MediaInfo) -> list[Tile] | None:
    """Tiles that the manifest gives for this recording: all, or its own participant's."""
    tiles = []
    for role, hint in plan.tiles.items():
        if isinstance(hint, tuple) and video.role in (None, role):
            x, y, w, h = hint
            if x + w > info.width or y + h > info.height:
                raise SessionError(
                    "face",
                    f"tile:{role} is {x},{y},{w},{h}, and {info.name} has {info.width}x{info.height} px.",
                    "Correct the tile in the manifest.",
                )
            tiles.append(Tile(x, y, w, h, "manifest"))
    return tiles or None


def _write_tables(
    folder: Path,
    scratch: Path,
    heard: SessionVoices,
    turns: Settled,
    plan: SessionPlan,
    settings: Settings,
) -> None:
    def blocks() -> Iterator[tuple[str, Block]]:
        for seat in heard.seats:
            for block in seat.blocks():
                yield seat.id, block

    write_face(folder / "face.parquet", COLUMNS, blocks())
    if settings.landmarks:
        write_landmarks(folder / "landmarks.npz", blocks(), scratch)
    write_voice(folder / "voice.parquet", heard.voices)
    turns.write(folder, plan.session_id)
