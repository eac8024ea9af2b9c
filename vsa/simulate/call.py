"""A small video call of two portraits whose behaviour is known, second by second.

Grace Hopper is the therapist, at first on the left; Eileen Collins the client. Given voices, they speak: their mouths
follow the voice as `vsa.simulate.acting` says, and the file has sound. What is easier here than in a recorded call: see
`vsa.simulate.portraits`. Accuracy measured on such a call says that the chain from file to table holds together; it is
no estimate for people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsa.media.encoder import Encoder
from vsa.media.sound_encoder import SoundTrack
from vsa.simulate.acting import Part, act, speak
from vsa.simulate.call_sound import OFF_CAMERA, Floats, of_the_call, recorded
from vsa.simulate.conversation import Conversation, plan_conversation, render
from vsa.simulate.filming import Feed, Seen, layout_of, picture_times
from vsa.simulate.portraits import Landmarks, Portrait
from vsa.simulate.scenario import CAST, Recorded, Scenario
from vsa.simulate.sound import room_noise
from vsa.simulate.speech import RATE_HZ, WOMAN, Talker
from vsa.simulate.staging import BACKGROUND, Box

__all__ = ["CAST", "OFF_CAMERA", "TALKERS", "Recorded", "SimulatedCall", "film_call", "write_call"]

#: The voices of the cast.
TALKERS = {"therapist": Talker(f0_hz=172.0, tract=1.12, syllables_hz=4.3), "client": WOMAN}
#: What every such file says of itself.
NOTES = {
    "title": "SIMULATED call",
    "comment": "SIMULATED by vsa from public-domain portraits and synthesized speech. Nobody in it is a client.",
}
#: Told how many of how many pictures are done.
Progress = Callable[[int, int], None]
#: What lies less than this from being of another kind is not drawn, s: 10 ms steps must not decide it.
_CLEAR_S = 0.03


@dataclass(frozen=True)
class SimulatedCall:
    """The file and what is true of it.

    Attributes
    ----------
    path
        The recording.
    tiles
        Participant -> x, y, w, h, px, of the first layout.
    truth
        One row per participant and picture, with the columns of ``face.parquet`` that are known: ``t``,
        ``participant``, ``head_yaw``, ``head_pitch``, ``head_roll`` (turns from the pose of the photograph, degrees),
        ``gaze_yaw``, ``gaze_pitch`` (0: into the lens), ``eye_open_left``, ``eye_open_right`` (1: as in the
        photograph), ``smile`` and ``mouth_open`` (0: as in the photograph). `vsa.simulate.truth` has all of it in the
        units of ``face.parquet``.
    events
        ``participant``, ``kind`` (blink, smile, nod, look_away, head_turn, camera_off), ``start``, ``end`` (s), in
        order of time. Behaviour goes on while a camera is off.
    scenario, seed
        What it was made from.
    times
        Presentation times of the pictures, s, (n,).
    seen
        Participant -> what is shown, by picture.
    people, parts
        Participant -> the portrait, and what it does.
    voices
        Participant -> the clean voice, (n,) at `rate_hz`; nobody, in a call without voices.
    rate_hz
        Of the voices.
    conversation
        The plan of who speaks when, if there is one.
    """

    path: Path
    tiles: dict[str, Box]
    truth: pd.DataFrame
    events: pd.DataFrame
    scenario: Scenario
    seed: int
    times: NDArray[np.float64]
    seen: dict[str, Seen]
    people: dict[str, Portrait]
    parts: dict[str, Part]
    voices: dict[str, Floats] = field(default_factory=dict)
    rate_hz: int = RATE_HZ
    conversation: Conversation | None = None


def film_call(
    path: Path,
    landmarks: Landmarks,
    scenario: Scenario,
    seed: int = 0,
    *,
    progress: Progress = lambda done, of: None,
) -> SimulatedCall:
    """Draw what two people do and say, and render the call into an MP4 file.

    Parameters
    ----------
    path
        The file to write.
    landmarks
        The face engine, to find the mesh of each photograph with.
    scenario
        The call.
    seed
        Decides what the two do and say when. What cameras and lines do changes nothing of it.
    progress
        Is told how far it is.

    Raises
    ------
    InputError
        When there can't be such a call.
    SessionError
        When the file can't be written.
    """
    scenario.checked()
    talk = plan_conversation(scenario.seconds, seed, participants=tuple(CAST), clear_s=_CLEAR_S)
    voices = render(talk, voices=TALKERS)
    heard = {
        role: voice + room_noise(scenario.seconds, seed=len(CAST) * seed + k)[: len(voice)]
        for k, (role, voice) in enumerate(voices.items())
    }
    tracks = recorded(heard, RATE_HZ, scenario.sound) if scenario.sound else []
    return _film(path, landmarks, scenario, seed, voices, RATE_HZ, tracks, talk, progress)


def write_call(
    path: Path,
    landmarks: Landmarks,
    *,
    seconds: float = 12.0,
    fps: float = 25.0,
    size: tuple[int, int] = (1280, 720),
    seed: int = 0,
    voices: Mapping[str, Floats] | None = None,
    rate_hz: int = RATE_HZ,
    sound: Recorded | None = "mixed",
) -> SimulatedCall:
    """Render a plain call with given voices, or none, into an MP4 file.

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
    scenario = Scenario(
        seconds=seconds, fps=fps, size=size, head_turns=False, names=False, sound=sound
    ).checked()
    heard = of_the_call(voices or {}, round(seconds * rate_hz))
    tracks = recorded(heard, rate_hz, sound) if heard and sound else []
    return _film(path, landmarks, scenario, seed, heard, rate_hz, tracks)


def _film(
    path: Path,
    landmarks: Landmarks,
    scenario: Scenario,
    seed: int,
    voices: Mapping[str, Floats],
    rate_hz: int,
    tracks: list[SoundTrack],
    talk: Conversation | None = None,
    progress: Progress = lambda done, of: None,
) -> SimulatedCall:
    rng = np.random.default_rng(seed)
    people = {role: Portrait.load(photo, landmarks) for role, photo in CAST.items()}
    parts = {role: act(scenario.seconds, rng, head_turns=scenario.head_turns) for role in CAST}
    for k, role in enumerate(CAST):
        if voices and voices[role].any():
            parts[role] = speak(parts[role], voices[role], rate_hz, np.random.default_rng([seed, k]))
    times = picture_times(scenario)
    feeds = {
        role: Feed(role, people[role], parts[role], scenario, times, [seed, len(CAST) + k])
        for k, role in enumerate(CAST)
    }
    seen = _rendered(path, scenario, times, feeds, tracks, progress)
    layouts, which = layout_of(scenario, times)
    tiles = {role: layouts[which[0]][role] for role in CAST}
    return SimulatedCall(
        path,
        tiles,
        _truth(parts, seen, times),
        _events(parts, scenario),
        scenario,
        seed,
        times,
        seen,
        people,
        parts,
        {role: voices[role] for role in CAST if role in voices},
        rate_hz,
        talk,
    )


def _rendered(
    path: Path,
    scenario: Scenario,
    times: NDArray[np.float64],
    feeds: Mapping[str, Feed],
    tracks: list[SoundTrack],
    progress: Progress,
) -> dict[str, Seen]:
    """Write the file; the portraits are drawn beside each other."""
    import cv2

    layouts, which = layout_of(scenario, times)
    with (
        Encoder(path, *scenario.size, scenario.fps, tracks, crf=scenario.crf, notes=NOTES) as file,
        ThreadPoolExecutor(len(feeds)) as pool,
    ):
        for k, t in enumerate(times):
            if not k or which[k] != which[k - 1]:
                canvas = np.full((scenario.size[1], scenario.size[0], 3), BACKGROUND, np.uint8)
            drawn = dict(zip(feeds, pool.map(Feed.tile, feeds.values(), [k] * len(feeds)), strict=True))
            for role, (x, y, w, h) in layouts[which[k]].items():
                canvas[y : y + h, x : x + w] = drawn[role]
            grey = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), np.uint8)
            for role, (x, y, w, h) in layouts[which[k]].items():
                feeds[role].measure(k, grey[y : y + h, x : x + w])
            file.add(canvas, float(t))
            progress(k + 1, len(times))
    return {role: feed.seen for role, feed in feeds.items()}


def _truth(parts: Mapping[str, Part], seen: Mapping[str, Seen], times: NDArray[np.float64]) -> pd.DataFrame:
    rows = []
    for name, part in parts.items():
        for t, shown_s in zip(times, seen[name].shown_s, strict=True):
            state = part.state(float(shown_s))
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


def _events(parts: Mapping[str, Part], scenario: Scenario) -> pd.DataFrame:
    rows = [(name, e.kind, e.start, e.end) for name, part in parts.items() for e in part.events]
    rows += [(name, "camera_off", *span) for name in parts for span in scenario.camera(name).off]
    frame = pd.DataFrame(rows, columns=["participant", "kind", "start", "end"])
    return frame.sort_values("start", ignore_index=True)
