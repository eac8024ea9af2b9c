"""People whose behaviour is written down: tables as extraction gives, with known blinks, smiles, nods and speech."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsa.face.table import COLUMNS
from vsa.features.person import Face
from vsa.features.session import Session
from vsa.voice.turns import find_turns

OPEN = 0.75


def times(seconds: float, fps: float, start_s: float = 0.0) -> np.ndarray:
    return start_s + np.arange(round(seconds * fps)) / fps


def uneven(seconds: float, fps: float, seed: int) -> np.ndarray:
    """Frame times that vary between half and twice the usual interval."""
    steps = np.random.default_rng(seed).uniform(0.5, 1.5, round(seconds * fps)) / fps
    return np.cumsum(steps)


def table(t: np.ndarray, participant: str = "p1", **columns: np.ndarray | float) -> pd.DataFrame:
    """A still, open-eyed, neutral face of 160 px, but for the columns that are given."""
    values = dict.fromkeys(COLUMNS, 0.0) | {
        "confidence": 0.99,
        "box_x": 100.0,
        "box_y": 80.0,
        "box_w": 120.0,
        "box_h": 160.0,
        "head_z": 60.0,
        "eye_open_left": OPEN,
        "eye_open_right": OPEN,
        "motion": 1.0,
    }
    frame = pd.DataFrame({"t": t, "participant": participant, "tracked": True} | values)
    return frame.assign(**columns)


def lose(frame: pd.DataFrame, lost: np.ndarray) -> pd.DataFrame:
    """Mark rows as not tracked."""
    frame = frame.copy()
    frame.loc[lost, "tracked"] = False
    frame.loc[lost, list(COLUMNS)] = np.nan
    return frame


def session(
    *frames: pd.DataFrame, roles: Iterable[str | None] = (), neutral=None, heard: Heard | None = None
) -> Session:
    """A session of these faces (and, with `heard`, voices); participants go by the ids in the tables."""
    names = [str(frame["participant"].iloc[0]) for frame in frames]
    roles = list(roles) or [None] * len(names)
    people = [
        {"id": name, "role": role, "gaze_neutral_deg": neutral}
        for name, role in zip(names, roles, strict=True)
    ]
    meta = {"session_id": "acted", "participants": people}
    if heard is None:
        return Session.from_tables(meta, pd.concat(frames))
    turns = find_turns(heard.speech, participants=names)
    return Session.from_tables(meta | {"sound": heard.sound}, pd.concat(frames), heard.table, turns)


@dataclass(frozen=True, eq=False)
class Heard:
    """Voices as extraction gives them: ``voice.parquet``, the speech in it, and ``sound`` of ``session.json``."""

    table: pd.DataFrame
    speech: pd.DataFrame
    sound: dict


def voices(
    seconds: float,
    speech: Mapping[str, Sequence[tuple[float, float]]],
    *,
    start_s: float = 0.0,
    f0_hz: Callable | float | Mapping[str, Callable | float] = 150.0,
    intensity_db: Callable | float | Mapping[str, Callable | float] = 0.0,
    syllables_hz: float | Mapping[str, float] = 4.0,
    unknown: Sequence[tuple[float, float]] = (),
    sound: Mapping | None = None,
) -> Heard:
    """People who speak from and to the given times (s after `start_s`), all on separate tracks.

    Values are numbers or functions of the time after `start_s`, for everybody or by participant. Intensity swings by
    12 dB, `syllables_hz` times a second, about a mean of `intensity_db` while somebody speaks, and is -60 dB else. In
    `unknown` it can't be said of anybody whether they speak.
    """
    own = (np.arange(round(seconds / 0.01)) + 0.5) * 0.01
    tables, spans = [], []

    def value(given, who):
        given = given[who] if isinstance(given, Mapping) else given
        return given(own) if callable(given) else np.full(len(own), float(given))

    for who, parts in speech.items():
        on = np.zeros(len(own), bool)
        for a, b in parts:
            on |= (own > a) & (own < b)
            spans.append((who, start_s + a, start_s + b))
        lost = np.zeros(len(own), bool)
        for a, b in unknown:
            lost |= (own > a) & (own < b)
        swing = -6 * np.cos(2 * np.pi * value(syllables_hz, who) * own)
        tables.append(
            pd.DataFrame(
                {
                    "t": np.round(start_s + own - 0.005, 6),
                    "participant": who,
                    "speech": np.where(lost, np.nan, on.astype(float)),
                    "speaking": pd.array(on, "boolean"),
                    "f0_hz": np.where(on, value(f0_hz, who), np.nan),
                    "intensity_db": np.where(on, value(intensity_db, who) + swing, -60.0),
                    "spectral_tilt_db": np.where(on, -15.0, np.nan),
                }
            )
        )
        tables[-1].loc[lost, "speaking"] = pd.NA
    table = pd.concat(tables, ignore_index=True)
    frame = pd.DataFrame(spans, columns=["participant", "start", "end"])
    return Heard(table, frame, dict(sound or {}) | {"kind": "files", "turns": {"from": "found"}})


def face(frame: pd.DataFrame) -> Face:
    return next(iter(session(frame).faces.values()))


def lids(t: np.ndarray, blinks: Iterable[float], level: float | np.ndarray = OPEN, depth: float = 0.95):
    """Lid opening with a blink at each time: 70 ms down, 50 ms shut, 130 ms up; shut for (70 + 130) / 2 + 50 ms."""
    y = np.ones_like(t)
    for at in blinks:
        shape = np.interp(t - at, [-0.095, -0.025, 0.025, 0.155], [0.0, 1.0, 1.0, 0.0])
        y = np.minimum(y, 1 - depth * shape)
    return level * y


def plateau(t: np.ndarray, start: float, end: float, ramp_s: float = 0.15) -> np.ndarray:
    """0, then 1 from `start` to `end`, with ramps outside."""
    return np.interp(t, [start - ramp_s, start, end, end + ramp_s], [0.0, 1.0, 1.0, 0.0])


def nodding(t: np.ndarray, at: Iterable[float], size_deg=6.0, hz=2.0, cycles=2.0) -> np.ndarray:
    """Pitch that goes down and up `cycles` times at each time, by `size_deg` from peak to peak."""
    pitch = np.zeros_like(t)
    for start in at:
        phase = (t - start) * hz
        during = (phase >= 0) & (phase <= cycles)
        pitch -= during * size_deg / 2 * (1 - np.cos(2 * np.pi * phase))
    return pitch
