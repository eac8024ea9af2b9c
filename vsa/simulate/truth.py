"""What is true of a simulated call, in the tables that extraction writes.

Rows of the face are at the times of the pictures, and say what each picture shows: where one is repeated, the row says
what was filmed earlier. Columns have the unit and the meaning of ``face.parquet``:

- `head_yaw`, `head_pitch`, `head_roll`: the turn that was drawn, from the pose of the photograph. That pose is measured
  once, with the face engine: it may be off by a few degrees, the same ones all along.
- `head_x`, `head_y`, `head_z`, `box_x` …: where the points of the photograph's mesh are carried; the position is
  fitted to them as extraction fits it to what it sees.
- `gaze_yaw`, `gaze_pitch`: as drawn; NaN while the lids hide the irises.
- `eye_open_left`, `eye_open_right`: the drawn gap between the lids over the eye's width.
- `mouthSmileLeft`, `mouthSmileRight`: 0 as in the photograph, 1 the fullest smile that is drawn; `eyeBlinkLeft`,
  `eyeBlinkRight`: 0 as in the photograph, 1 shut. Networks score the same from 0 to 1, on scales of their own.
- `motion`, `luma`: of the pictures before compression.

All else is NaN: nobody knows it. Features that take all expression scores together (how much and how fast expression
changes) have only these to go by, and are not comparable. Of the voice, `speaking` is the plan's inter-pausal units,
`f0_hz` the melody that was made, `intensity_db` is measured on the clean voice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsa.face import bundle, gaze, geometry
from vsa.face.bundle import CanonicalFace
from vsa.face.follow import Block
from vsa.face.table import COLUMNS
from vsa.simulate.call import TALKERS, SimulatedCall
from vsa.simulate.conversation import Conversation, melodies
from vsa.simulate.eyes import aperture
from vsa.simulate.filming import Seen
from vsa.simulate.portraits import CANVAS, Portrait, PortraitState
from vsa.simulate.truth_record import record_of
from vsa.voice.activity import STEP_S
from vsa.voice.prosody import intensity_db
from vsa.voice.voice_track import VoiceTrack

#: Of ``events.parquet``.
EVENT_COLUMNS = ("participant", "kind", "start", "end")


@dataclass(frozen=True, eq=False)
class Truth:
    """The tables of one session; participants are ``p1``, ``p2``, … from left to right.

    Attributes
    ----------
    record
        ``session.json``, but for the recording's fingerprint and what the features add.
    faces
        Participant -> rows of ``face.parquet``.
    voices
        Of ``voice.parquet``; none in a call without voices.
    turns
        ``turns.parquet``.
    events
        ``events.parquet``: `EVENT_COLUMNS`, in order of time.
    """

    record: dict[str, Any]
    faces: dict[str, Block]
    voices: tuple[VoiceTrack, ...]
    turns: pd.DataFrame
    events: pd.DataFrame


def truth_of(call: SimulatedCall, session_id: str, facts: Mapping[str, str] | None = None) -> Truth:
    """What is true of a call that was rendered.

    Parameters
    ----------
    call
        The call.
    session_id
        What its session is called.
    facts
        Further columns of the manifest.
    """
    tiles = {role: _usual_tile(seen) for role, seen in call.seen.items()}
    roles = sorted(tiles, key=lambda role: (tiles[role][0] + tiles[role][2] / 2, tiles[role][1]))
    ids = {role: f"p{k}" for k, role in enumerate(roles, 1)}
    canonical = bundle.load().face
    faces = {ids[role]: _face(call, role, canonical) for role in roles}
    talk = call.conversation
    voices = _voices(call, talk, ids) if talk else ()
    turns = _named(talk.turns, ids)[["participant", "start", "end", "kind"]] if talk else _no_turns()
    events = _named(call.events, ids)[list(EVENT_COLUMNS)]
    record = record_of(call, session_id, ids, tiles, faces, voices, facts or {})
    return Truth(record, faces, voices, turns, events)


def _usual_tile(seen: Seen) -> tuple[int, int, int, int]:
    """Where somebody is most of the time while the camera is on."""
    boxes, counts = np.unique(seen.box[seen.on] if seen.on.any() else seen.box, axis=0, return_counts=True)
    x, y, w, h = map(int, boxes[np.argmax(counts)])
    return x, y, w, h


def _named(table: pd.DataFrame, ids: Mapping[str, str]) -> pd.DataFrame:
    return table.assign(participant=[ids[who] for who in table["participant"]]).reset_index(drop=True)


def _no_turns() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant": pd.Series(dtype="str"),
            "start": pd.Series(dtype="float64"),
            "end": pd.Series(dtype="float64"),
            "kind": pd.Series(dtype="str"),
        }
    )


def _face(call: SimulatedCall, role: str, canonical: CanonicalFace) -> Block:
    seen, person, part = call.seen[role], call.people[role], call.parts[role]
    states = [part.state(float(t)) for t in seen.shown_s]
    columns: dict[str, NDArray[np.float64]] = {"motion": seen.motion, "luma": seen.luma}
    columns |= _head(person, states, seen.box, canonical)
    columns |= _eyes(person, states, canonical)
    for side in ("Left", "Right"):
        columns[f"mouthSmile{side}"] = np.array([state.smile for state in states])
        columns[f"eyeBlink{side}"] = 1 - np.array([state.lid_open for state in states])
    values = np.full((len(states), len(COLUMNS)), np.nan, np.float32)
    for name, column in columns.items():
        values[:, COLUMNS.index(name)] = column
    values[~seen.on] = np.nan
    return Block(call.times, seen.on, values, None)


def _head(
    person: Portrait, states: list[PortraitState], box: NDArray[np.int64], canonical: CanonicalFace
) -> dict[str, NDArray[np.float64]]:
    still = person.points[None, :468].astype(np.float32)
    pose = geometry.pose(still, (0, 0, *CANVAS), canonical).rotation[0]
    turned = np.stack([state.rotation @ pose for state in states])
    clouds = np.stack([person.cloud(state) for state in states]).astype(np.float32)
    position = geometry.pose(clouds, (0, 0, *CANVAS), canonical).position_cm
    # pixel k of the canvas lies at (k + 0.5) / across - 0.5 of the tile
    across = box[:, None, 2:] / np.array(CANVAS)
    on_screen = box[:, None, :2] + (clouds[:, :, :2] + 0.5) * across - 0.5
    low, high = on_screen.min(axis=1), on_screen.max(axis=1)
    angles = geometry.Heads(turned, position).angles_deg()
    names = ("head_yaw", "head_pitch", "head_roll", "head_x", "head_y", "head_z")
    named = dict(zip(names, [*angles.T, *position.T], strict=True))
    return named | dict(zip(("box_x", "box_y", "box_w", "box_h"), [*low.T, *(high - low).T], strict=True))


def _eyes(
    person: Portrait, states: list[PortraitState], canonical: CanonicalFace
) -> dict[str, NDArray[np.float64]]:
    still = gaze.measure(person.points[None].astype(np.float32), canonical)
    opened = []
    for eye, in_photo in zip(person.eyes, (still.open_right, still.open_left), strict=True):
        ratio = gaze.SHUT + float(in_photo[0]) * (gaze.OPEN - gaze.SHUT)
        gap = np.array([aperture(eye, state.eye_direction, state.lid_open) for state in states])
        opened.append(np.clip((ratio * gap - gaze.SHUT) / (gaze.OPEN - gaze.SHUT), 0.0, 1.0))
    looks = np.array([(state.gaze_yaw_deg, state.gaze_pitch_deg) for state in states])
    looks[np.maximum(*opened) <= gaze.HIDDEN] = np.nan
    return {
        "eye_open_right": opened[0],
        "eye_open_left": opened[1],
        "gaze_yaw": looks[:, 0],
        "gaze_pitch": looks[:, 1],
    }


def _voices(call: SimulatedCall, talk: Conversation, ids: Mapping[str, str]) -> tuple[VoiceTrack, ...]:
    steps = round(call.scenario.seconds / STEP_S)
    middle = (np.arange(steps) + 0.5) * STEP_S
    melody = melodies(talk, TALKERS, STEP_S)
    tracks = []
    for role, who in ids.items():
        own = talk.units[talk.units["participant"] == role]
        speaking = np.zeros(steps, np.bool_)
        for start, end in own[["start", "end"]].to_numpy():
            speaking |= (middle >= start) & (middle < end)
        tracks.append(
            VoiceTrack(
                participant=who,
                start_s=0.0,
                speech=speaking.astype(np.float32),
                speaking=speaking,
                f0_hz=melody[role],
                intensity_db=intensity_db(call.voices[role], call.rate_hz, speaking),
                spectral_tilt_db=np.full(steps, np.nan, np.float32),
            )
        )
    return tuple(tracks)
