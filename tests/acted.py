"""Faces whose behaviour is written down: tables with known blinks, smiles, nods and gaze, as the tracker would give."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vsa.face.table import COLUMNS
from vsa.features.session import Face, Session

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
        "head_z": -60.0,
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


def session(*frames: pd.DataFrame, roles: Iterable[str | None] = (), neutral=None) -> Session:
    names = [str(frame["participant"].iloc[0]) for frame in frames]
    roles = list(roles) or [None] * len(names)
    people = [
        {"id": name, "role": role, "gaze_neutral_deg": neutral}
        for name, role in zip(names, roles, strict=True)
    ]
    return Session.from_tables({"session_id": "acted", "participants": people}, pd.concat(frames))


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
