"""A small video call of two portraits whose behaviour is known, second by second.

Grace Hopper is the therapist, on the left; Eileen Collins the client, on the right. Given voices, they speak: their
mouths follow the voice as `vsa.simulate.acting` says, and the file has sound. Without, the file is silent. What is
easier here than in a recorded call: see `vsa.simulate.portraits`. Accuracy measured on this call says that the chain
from file to table holds together; it is no estimate for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsa.errors import InputError
from vsa.media.encoder import Encoder
from vsa.media.sound_encoder import SoundTrack
from vsa.simulate.acting import Part, act, speak
from vsa.simulate.portraits import CANVAS, Landmarks, Portrait
from vsa.simulate.surface import Picture

#: Who is who, from left to right.
CAST = {"therapist": "grace_hopper", "client": "astronaut"}
#: Whose voice is heard while nobody's mouth on screen moves with it.
OFF_CAMERA = "off_camera"
#: How voices are recorded: as one mono track, as one stereo track with a voice to each side, or as one track each.
Recorded = Literal["mixed", "channels", "streams"]
Floats = NDArray[np.float32]
_BACKGROUND = (28, 29, 32)
_NOISE_SD = 1.5
_NOISES = 4


@dataclass(frozen=True)
class SimulatedCall:
    """The file and what is true of it.

    Attributes
    ----------
    path
        The recording.
    tiles
        Participant -> x, y, w, h, px, from left to right.
    truth
        One row per participant and picture, with the columns of ``face.parquet`` that are known: ``t``,
        ``participant``, ``head_yaw``, ``head_pitch``, ``head_roll`` (turns from the pose of the photograph, degrees),
        ``gaze_yaw``, ``gaze_pitch`` (0: into the lens), ``eye_open_left``, ``eye_open_right`` (1: as in the
        photograph), ``smile`` and ``mouth_open`` (0: as in the photograph).
    events
        ``participant``, ``kind`` (blink, smile, nod, look_away), ``start``, ``end`` (s), in order of time.
    """

    path: Path
    tiles: dict[str, tuple[int, int, int, int]]
    truth: pd.DataFrame
    events: pd.DataFrame


def write_call(
    path: Path,
    landmarks: Landmarks,
    *,
    seconds: float = 12.0,
    fps: float = 25.0,
    size: tuple[int, int] = (1280, 720),
    seed: int = 0,
    voices: Mapping[str, Floats] | None = None,
    rate_hz: int = 16_000,
    sound: Recorded | None = "mixed",
) -> SimulatedCall:
    """Render the call into an MP4 file.

    Parameters
    ----------
    path
        The file to write.
    landmarks
        The face engine, to find the mesh of each photograph with.
    seconds, fps, size
        Length, pictures a second, and width and height in px.
    seed
        Decides what the two do when; voices change nothing but the mouths.
    voices
        Participant, or `OFF_CAMERA` -> samples of the whole call, (n,), full scale 1. Whoever is left out is silent.
        Participants' voices are clean: their mouths would say a room's noise too, so that it goes to `OFF_CAMERA`.
        The file's sound ends with `seconds`.
    rate_hz
        Of the voices and of the file's sound.
    sound
        How the voices are recorded. With ``channels`` the off-camera voice is in both channels, with ``streams`` it has
        the last of the streams, which are named for who speaks. None: mouths move, and the file is silent.

    Raises
    ------
    InputError
        When a voice belongs to nobody or is no row of samples, or `sound` is none of these.
    SessionError
        When the file can't be written.
    """
    rng = np.random.default_rng(seed)
    tiles = _tiles(size)
    heard = _of_the_call(voices or {}, round(seconds * rate_hz))
    tracks = _recorded(heard, rate_hz, sound) if heard and sound else []
    people = {name: Portrait.load(photo, landmarks) for name, photo in CAST.items()}
    parts = {name: act(seconds, rng) for name in CAST}
    for k, name in enumerate(CAST):
        if heard and heard[name].any():
            parts[name] = speak(parts[name], heard[name], rate_hz, np.random.default_rng([seed, k]))
    times = np.arange(round(seconds * fps)) / fps
    canvas = np.full((size[1], size[0], 3), _BACKGROUND, np.uint8)
    with Encoder(path, *size, fps, tracks) as file:
        camera = _Camera(next(iter(tiles.values()))[2:], rng)
        for t in times:
            for name, (x, y, w, h) in tiles.items():
                picture = people[name].render(parts[name].state(float(t)), (w, h))
                canvas[y : y + h, x : x + w] = camera.noisy(picture)
            file.add(canvas, float(t))
    return SimulatedCall(path, tiles, _truth(parts, times), _events(parts))


def _of_the_call(voices: Mapping[str, Floats], samples: int) -> dict[str, Floats]:
    """Every participant's voice and the one off camera, if any is given, in the call's length."""
    for name, voice in voices.items():
        if name not in (*CAST, OFF_CAMERA):
            raise InputError(
                f"A voice is for {name!r}, who is not in the simulated call.",
                f"Voices may belong to {', '.join(CAST)} or {OFF_CAMERA}.",
            )
        if np.ndim(voice) != 1:
            raise InputError(
                f"The voice of {name} has the shape {np.shape(voice)}.", "Give one channel of samples, (n,)."
            )
    out = {}
    for name in (*CAST, OFF_CAMERA) if voices else ():
        if name in CAST or name in voices:
            voice = np.nan_to_num(np.asarray(voices.get(name, ()), np.float32))[:samples]
            out[name] = np.pad(voice, (0, samples - len(voice)))
    return out


def _recorded(heard: Mapping[str, Floats], rate_hz: int, sound: Recorded) -> list[SoundTrack]:
    if sound not in get_args(Recorded):
        raise InputError(
            f"A call can't be recorded as {sound!r}.", f"Choose one of {', '.join(get_args(Recorded))}."
        )
    if sound == "mixed":
        return [SoundTrack(_loud_enough(np.sum(list(heard.values()), axis=0)), rate_hz)]
    if sound == "streams":
        return [SoundTrack(voice, rate_hz, title=name) for name, voice in heard.items()]
    sides = np.stack([heard[name] for name in CAST])
    return [SoundTrack(_loud_enough(sides + heard.get(OFF_CAMERA, 0)), rate_hz)]


def _loud_enough(samples: Floats) -> Floats:
    """As it is, or turned down so that nothing is clipped."""
    return np.asarray(samples / max(1.0, float(np.abs(samples).max()) / 0.99), np.float32)


def _tiles(size: tuple[int, int]) -> dict[str, tuple[int, int, int, int]]:
    """Two tiles of the portraits' shape side by side, as large as fits."""
    gutter = size[0] // 80
    w = min((size[0] - 3 * gutter) // 2, (size[1] - 2 * gutter) * CANVAS[0] // CANVAS[1]) // 2 * 2
    h = w * CANVAS[1] // CANVAS[0] // 2 * 2
    y = (size[1] - h) // 4 * 2
    first = (size[0] - 2 * w - gutter) // 4 * 2
    return {name: (first + k * (w + gutter), y, w, h) for k, name in enumerate(CAST)}


class _Camera:
    """Sensor noise, from a few fields that are shifted about."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        self._rng = rng
        fields = [rng.normal(0, _NOISE_SD, (size[1], size[0], 3)).round() for _ in range(_NOISES)]
        self._fields = [
            (np.maximum(f, 0).astype(np.uint8), np.maximum(-f, 0).astype(np.uint8)) for f in fields
        ]

    def noisy(self, picture: Picture) -> Picture:
        import cv2

        more, less = self._fields[int(self._rng.integers(_NOISES))]
        shift = int(self._rng.integers(picture.shape[0]))
        brighter: Any = cv2.add(picture, np.roll(more, shift, axis=0))
        return np.asarray(cv2.subtract(brighter, np.roll(less, shift, axis=0)), np.uint8)


def _truth(parts: dict[str, Part], times: NDArray[np.float64]) -> pd.DataFrame:
    rows = []
    for name, part in parts.items():
        for t in times:
            state = part.state(float(t))
            rows.append(
                {
                    "t": float(t),
                    "participant": name,
                    "head_yaw": state.head_yaw_deg,
                    "head_pitch": state.head_pitch_deg,
                    "head_roll": state.head_roll_deg,
                    "gaze_yaw": state.gaze_yaw_deg,
                    "gaze_pitch": state.gaze_pitch_deg,
                    "eye_open_left": state.lid_open,
                    "eye_open_right": state.lid_open,
                    "smile": state.smile,
                    "mouth_open": state.mouth_open,
                }
            )
    return pd.DataFrame(rows)


def _events(parts: dict[str, Part]) -> pd.DataFrame:
    rows = [(name, e.kind, e.start, e.end) for name, part in parts.items() for e in part.events]
    frame = pd.DataFrame(rows, columns=["participant", "kind", "start", "end"])
    return frame.sort_values("start", ignore_index=True)
