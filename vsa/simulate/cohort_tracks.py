"""From what people do, as events and levels, to the rows that extraction would write: faces and voices over time.

Forms are simple, and sizes such as extraction finds in calls. Numbers carry noise of measurement and are rounded to
what it leaves of them, which also keeps files small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.face.blendshapes import NAMES
from vsa.face.follow import Block
from vsa.face.gaze import HIDDEN
from vsa.face.table import COLUMNS
from vsa.voice.activity import STEP_S
from vsa.voice.voice_track import VoiceTrack

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
#: Start and end of each, s, shape (n, 2).
Spans = npt.NDArray[np.float64]

_OPEN, _AWAKE = 0.75, 0.05  # opening of the eye; scores of a face that does nothing
_DISTANCE_CM = 60.0
#: Width and height of a person's picture, px.
TILE = (640, 480)
_NOD_HZ = 2.2
_LIVELY = 0.9  # standard deviation of the logarithm of how much the head moves, within a session
_FINE = 4  # points to the scale of what wanders
_GENUINE = 0.6  # share of smiles in which the eyes take part
#: Noise of measurement, and to how much a column is rounded. All else is a score.
_SCORE = (0.006, 0.004)
_NOISE: Mapping[str, tuple[float, float]] = {
    "head_yaw": (0.15, 0.1),
    "head_pitch": (0.15, 0.1),
    "head_roll": (0.1, 0.1),
    "head_x": (0.05, 0.05),
    "head_y": (0.05, 0.05),
    "head_z": (0.2, 0.1),
    "gaze_yaw": (2.0, 0.5),
    "gaze_pitch": (2.0, 0.5),
    "eye_open_left": (0.015, 0.005),
    "eye_open_right": (0.015, 0.005),
    "motion": (0.0, 0.01),
    "luma": (0.3, 0.1),
    "box_x": (0.5, 1.0),
    "box_y": (0.5, 1.0),
    "box_w": (0.5, 1.0),
    "box_h": (0.5, 1.0),
}


@dataclass(frozen=True, eq=False)
class Acts:
    """What one person does in a session.

    Attributes
    ----------
    spoken, smiles, away, nods, shakes, brows
        Speech, smiles, looks away, nods, head shakes, raised brows.
    blinks
        When, s, shape (n,).
    lost
        The face is not tracked.
    moving
        How much the head moves, in usual movements.
    """

    spoken: Spans
    smiles: Spans
    away: Spans
    blinks: Floats
    nods: Spans
    shakes: Spans
    brows: Spans
    lost: Spans
    moving: float


def within(t: Floats, spans: Spans) -> Flags:
    """Which times lie in one of the spans, shape of `t`."""
    return np.asarray(((t[:, None] >= spans[:, 0]) & (t[:, None] < spans[:, 1])).any(axis=1))


def wander(n: int, scale: float, rng: np.random.Generator) -> Floats:
    """Standard normal noise that changes over about `scale` samples, shape (n,)."""
    from scipy.ndimage import gaussian_filter1d

    every = max(1, int(scale / _FINE))  # what is slow is drawn at fewer points, with lines between
    points = rng.standard_normal(n // every + 2)
    smooth = gaussian_filter1d(points, scale / every, mode="wrap")
    smooth *= np.sqrt(2 * np.sqrt(np.pi) * scale / every)
    return np.asarray(np.interp(np.arange(n), every * np.arange(len(points)), smooth), np.float64)


def face_rows(
    t: Floats,
    acts: Acts,
    home_deg: tuple[float, float],
    face_px: float,
    luma: float,
    lively: Floats,
    rng: np.random.Generator,
) -> Block:
    """Rows of ``face.parquet`` of one person.

    Parameters
    ----------
    t
        Times of the pictures, s, even, shape (n,).
    acts
        What the person does.
    home_deg
        Yaw and pitch of gaze toward the screen.
    face_px, luma
        Height and brightness of the face.
    lively
        How lively the head is over time, standard normal, shape (n,).
    rng
        Where chance comes from.
    """
    rate_hz = 1 / (t[1] - t[0])
    shape_rng, noise_rng = rng.spawn(2)
    tracked = ~within(t, acts.lost)
    columns = _head(t, acts, lively, rate_hz, face_px, shape_rng)
    columns |= _eyes(t, acts, home_deg, rate_hz, shape_rng)
    columns |= _expression(t, acts, rate_hz, shape_rng)
    columns["luma"] = luma + 3 * wander(len(t), 5 * rate_hz, shape_rng)
    columns["confidence"] = np.full(len(t), 0.97)
    values = np.empty((len(t), len(COLUMNS)), np.float32)
    for k, name in enumerate(COLUMNS):
        noise, step = _NOISE.get(name, _SCORE)
        column = columns.get(name, np.full(len(t), _AWAKE)) + noise * noise_rng.standard_normal(len(t))
        if name in NAMES or name.startswith("eye_open") or name == "confidence":
            column = column.clip(0, 1)
        values[:, k] = np.round(column / step) * step
    shut = np.nanmax(values[:, [COLUMNS.index("eye_open_left"), COLUMNS.index("eye_open_right")]], axis=1)
    values[np.ix_(shut <= HIDDEN, [COLUMNS.index("gaze_yaw"), COLUMNS.index("gaze_pitch")])] = np.nan
    values[0, COLUMNS.index("motion")] = np.nan
    values[~tracked] = np.nan
    return Block(t, tracked, values, None)


def voice_track(
    participant: str,
    seconds: float,
    spoken: Spans,
    f0_hz: float,
    syllables_hz: float,
    rng: np.random.Generator,
) -> VoiceTrack:
    """One voice on a track of its own.

    Parameters
    ----------
    participant
        Whose.
    seconds
        Length of the session.
    spoken
        When the person speaks.
    f0_hz, syllables_hz
        Usual pitch, and syllables a second.
    rng
        Where chance comes from.
    """
    steps = round(seconds / STEP_S)
    middle: Floats = (np.arange(steps, dtype=np.float64) + 0.5) * STEP_S
    speaking = within(middle, spoken)
    pace = syllables_hz * (1 + 0.08 * wander(steps, 3 / STEP_S, rng))
    syllable = np.cos(2 * np.pi * np.cumsum(pace) * STEP_S)  # -1 in the middle of a syllable
    melody = 2.0 * wander(steps, 0.25 / STEP_S, rng) + 1.2 * wander(steps, 15 / STEP_S, rng)
    level = 2.5 * wander(steps, 0.4 / STEP_S, rng) + 1.5 * wander(steps, 15 / STEP_S, rng) - 6 * syllable
    voiced = speaking & (syllable < 0.4)
    tilt = -15 + 2 * wander(steps, 0.3 / STEP_S, rng)
    return VoiceTrack(
        participant=participant,
        start_s=0.0,
        speech=np.where(speaking, 0.98, 0.02).astype(np.float32),
        speaking=speaking,
        f0_hz=_rounded(np.where(voiced, f0_hz * 2 ** (melody / 12), np.nan), 0.5),
        intensity_db=_rounded(np.where(speaking, level, -55.0), 0.25),
        spectral_tilt_db=_rounded(np.where(voiced, tilt, np.nan), 0.25),
    )


def _rounded(values: Floats, step: float) -> npt.NDArray[np.float32]:
    return np.asarray(np.round(values / step) * step, np.float32)


def _head(
    t: Floats, acts: Acts, lively: Floats, rate_hz: float, face_px: float, rng: np.random.Generator
) -> dict[str, Floats]:
    slow = [wander(len(t), 6 * rate_hz, rng) for _ in range(4)]
    quick = [wander(len(t), 0.5 * rate_hz, rng) for _ in range(3)]
    speaking = np.where(within(t, acts.spoken), 1.3, 1.0)
    gain = acts.moving * speaking * np.exp(_LIVELY * lively)
    yaw = 4 * slow[0] + 1.1 * gain * quick[0] + _swinging(t, acts.shakes, 9.0)
    pitch = 2 * slow[1] + 0.9 * gain * quick[1] + _swinging(t, acts.nods, 7.0)
    roll = 2 * slow[2] + 0.9 * gain * quick[2]
    speed = np.sqrt(sum(np.gradient(angle, t) ** 2 for angle in (yaw, pitch, roll)))
    z = _DISTANCE_CM + 2.5 * slow[3]
    x, y = 2 * slow[2] + 0.1 * yaw, 0.8 * slow[1] - 0.1 * pitch
    height = face_px * _DISTANCE_CM / z
    per_cm = height / 18
    return {
        "head_yaw": yaw,
        "head_pitch": pitch,
        "head_roll": roll,
        "head_x": x,
        "head_y": y,
        "head_z": z,
        "box_x": TILE[0] / 2 + x * per_cm - 0.375 * height,
        "box_y": TILE[1] / 2 + y * per_cm - 0.5 * height,
        "box_w": 0.75 * height,
        "box_h": height,
        "motion": (0.6 + 0.12 * speed) * np.exp(0.15 * rng.standard_normal(len(t))) * 25 / rate_hz,
    }


def _eyes(
    t: Floats, acts: Acts, home_deg: tuple[float, float], rate_hz: float, rng: np.random.Generator
) -> dict[str, Floats]:
    yaw, pitch = (home + 1.5 * wander(len(t), 4 * rate_hz, rng) for home in home_deg)
    turns = rng.uniform(0, 2 * np.pi, len(acts.away))
    for (start, end), where in zip(acts.away, turns, strict=True):
        looks = (t >= start) & (t < end)
        yaw[looks] += 26 * np.cos(where)
        pitch[looks] += 22 * np.sin(where)
    lids = np.ones(len(t))
    for at in acts.blinks:
        # 70 ms down, 50 ms shut, 130 ms up
        lids = np.minimum(lids, 1 - 0.95 * np.interp(t - at, [0, 0.07, 0.12, 0.25], [0, 1, 1, 0]))
    return {
        "gaze_yaw": yaw,
        "gaze_pitch": pitch,
        "eye_open_left": _OPEN * lids,
        "eye_open_right": 0.97 * _OPEN * lids,
        "eyeBlinkLeft": 0.95 - 0.9 * lids,
        "eyeBlinkRight": 0.95 - 0.9 * lids,
    }


def _expression(t: Floats, acts: Acts, rate_hz: float, rng: np.random.Generator) -> dict[str, Floats]:
    sizes = rng.uniform(0.35, 0.7, len(acts.smiles))
    smile = _shown(t, acts.smiles, sizes)
    brows = _shown(t, acts.brows, rng.uniform(0.3, 0.6, len(acts.brows)))
    # a jaw that opens 2 to 6 times a second
    opens = 0.5 + 0.5 * np.sin(np.cumsum(2 * np.pi * rng.uniform(2, 6, len(t)) / rate_hz))
    jaw = 0.24 * opens * within(t, acts.spoken)
    eyes = rng.random(len(acts.smiles)) < _GENUINE
    narrowed = _shown(t, acts.smiles[eyes], sizes[eyes])
    out = {"jawOpen": _AWAKE + jaw, "browInnerUp": _AWAKE + brows}
    for side, share in (("Left", 1.0), ("Right", 0.93)):
        out[f"mouthSmile{side}"] = _AWAKE + share * smile
        out[f"eyeSquint{side}"] = _AWAKE + 0.5 * narrowed
        out[f"cheekSquint{side}"] = _AWAKE + 0.3 * narrowed
        out[f"browOuterUp{side}"] = _AWAKE + brows
        out[f"mouthLowerDown{side}"] = _AWAKE + 0.5 * jaw
    return out


def _shown(t: Floats, spans: Spans, sizes: Floats, ramp_s: float = 0.3) -> Floats:
    """The largest of several expressions that come and go, shape of `t`."""
    out = np.zeros(len(t))
    for (start, end), size in zip(spans, sizes, strict=True):
        shape = np.interp(t, [start - ramp_s, start, end, end + ramp_s], [0, 1, 1, 0])
        out = np.maximum(out, size * shape)
    return out


def _swinging(t: Floats, spans: Spans, size_deg: float) -> Floats:
    """An angle that swings to one side and back, `_NOD_HZ` times a second, by `size_deg` from peak to peak."""
    out = np.zeros(len(t))
    for start, end in spans:
        cycles = max(1, round((end - start) * _NOD_HZ))
        phase = (t - start) * _NOD_HZ
        during = (phase >= 0) & (phase <= cycles)
        out -= during * size_deg / 2 * (1 - np.cos(2 * np.pi * phase))
    return out
