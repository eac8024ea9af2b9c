"""One session from its recordings to its results folder."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vsa.errors import SessionError
from vsa.face.engine import FaceEngine
from vsa.face.follow import Block, Followed, follow
from vsa.face.table import COLUMNS
from vsa.face.tiles import Tile
from vsa.face.timing import Stopwatch
from vsa.media.recording import Recording
from vsa.run import record
from vsa.run.seats import Seat, seats_of
from vsa.study.face_table import read_face, write_face, write_landmarks
from vsa.study.plan import SessionPlan, Video
from vsa.study.results import Results, write_json

#: Told as a session goes on: seconds of media done, seconds in all (0 if unknown), pictures analysed.
Progress = Callable[[float, float, int], None]


@dataclass(frozen=True)
class Settings:
    """How recordings are analysed; part of every result.

    Attributes
    ----------
    fps
        Pictures a second, by time; None: all of them, capped at 30 (``native``).
    engine
        ``auto``, ``cpu`` or ``mediapipe``.
    landmarks
        Keep ``landmarks.npz``.
    """

    fps: float | None = None
    engine: str = "auto"
    landmarks: bool = False

    def as_record(self) -> dict[str, Any]:
        """For ``session.json``."""
        return {**asdict(self), "fps": "native" if self.fps is None else self.fps}


@dataclass(frozen=True)
class Outcome:
    """A finished session: its ``session.json``, and how many pictures a second were analysed."""

    session_id: str
    record: dict[str, Any]
    frames: int
    seconds: float


def extract_session(
    plan: SessionPlan,
    results: Results,
    engine: FaceEngine,
    settings: Settings,
    *,
    overlay: Path | None = None,
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
    with results.writing(plan.session_id) as folder, ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scratch-", dir=folder)))
        parts: list[tuple[Video, Recording, Followed]] = []
        for number, video in enumerate(plan.videos):
            own = scratch / str(number)
            own.mkdir()
            with Recording(video.path) as recording:
                parts.append(
                    (video, recording, _follow(recording, engine, own, plan, settings, watch, progress))
                )
        seats = seats_of(plan, parts)
        with watch.stage("write"):
            _write_tables(folder, scratch, seats, settings)
        described = record.describe(plan, parts, seats, engine, settings)
        if overlay is not None:
            with watch.stage("overlay"):
                _overlay(overlay, folder, plan, parts, settings)
        stack.close()
        with watch.stage("features"):
            missing = _features(folder, described)
        described["quality"]["features_missing"] = missing
        seconds = time.perf_counter() - start
        described["timings_s"] = {**watch.seconds(), "wall": round(seconds, 3)}
        write_json(folder / "session.json", described)
    return Outcome(plan.session_id, described, sum(len(p[2].times) for p in parts), seconds)


def _follow(
    recording: Recording,
    engine: FaceEngine,
    scratch: Path,
    plan: SessionPlan,
    settings: Settings,
    watch: Stopwatch,
    progress: Progress,
) -> Followed:
    info = recording.info

    def told(t: float, frames: int) -> None:
        progress(max(0.0, t - info.start_s), 0.0 if math.isnan(info.duration_s) else info.duration_s, frames)

    followed = follow(
        recording,
        engine,
        scratch,
        fps=settings.fps,
        hints=_rectangles(plan, info.width, info.height),
        landmarks=settings.landmarks,
        watch=watch,
        progress=told,
    )
    if len(followed.times) < 2:
        raise SessionError(
            "media",
            f"{info.name} holds one picture; behaviour needs pictures over time.",
            "Give the recording itself, not a snapshot of it.",
        )
    return followed


def _rectangles(plan: SessionPlan, width: int, height: int) -> list[Tile] | None:
    tiles = []
    for role, hint in plan.tiles.items():
        if isinstance(hint, tuple):
            x, y, w, h = hint
            if x + w > width or y + h > height:
                raise SessionError(
                    "face",
                    f"tile:{role} is {x},{y},{w},{h}, and the recording has {width}x{height} px.",
                    "Correct the tile in the manifest.",
                )
            tiles.append(Tile(x, y, w, h, "manifest"))
    return tiles or None


def _write_tables(folder: Path, scratch: Path, seats: list[Seat], settings: Settings) -> None:
    def blocks() -> Iterator[tuple[str, Block]]:
        for seat in seats:
            for block in seat.blocks():
                yield seat.id, block

    write_face(folder / "face.parquet", COLUMNS, blocks())
    if settings.landmarks:
        write_landmarks(folder / "landmarks.npz", blocks(), scratch)


def _features(folder: Path, described: dict[str, Any]) -> dict[str, str]:
    import pandas as pd

    from vsa.features.registry import compute
    from vsa.features.session import Session

    found = compute(Session.from_tables(described, read_face(folder / "face.parquet")))
    row = {"session_id": described["session_id"], **found.row}
    pd.DataFrame([row]).to_parquet(folder / "features.parquet", index=False)
    return dict(found.missing)


def _overlay(
    out: Path,
    folder: Path,
    plan: SessionPlan,
    parts: list[tuple[Video, Recording, Followed]],
    settings: Settings,
) -> None:
    from vsa.report.overlay import render_overlay

    video, _, followed = parts[0]
    render_overlay(
        video.path,
        read_face(folder / "face.parquet"),
        out,
        fps=settings.fps,
        landmarks=folder / "landmarks.npz" if settings.landmarks else None,
        spans=followed.spans,
    )
