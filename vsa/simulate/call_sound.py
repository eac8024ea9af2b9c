"""The sound of a simulated call: voices in the call's length, and as the file's tracks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vsa.errors import InputError
from vsa.media.sound_encoder import SoundTrack
from vsa.simulate.scenario import CAST, Recorded

#: Whose voice is heard while nobody's mouth on screen moves with it.
OFF_CAMERA = "off_camera"
Floats = NDArray[np.float32]


def of_the_call(voices: Mapping[str, Floats], samples: int) -> dict[str, Floats]:
    """Every participant's voice and the one off camera, if any is given, in the call's length.

    Raises
    ------
    InputError
        When a voice belongs to nobody or is no row of samples.
    """
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


def recorded(heard: Mapping[str, Floats], rate_hz: int, sound: Recorded) -> list[SoundTrack]:
    """Tracks for the file, of voices of one length."""
    if sound == "mixed":
        return [SoundTrack(_loud_enough(np.sum(list(heard.values()), axis=0)), rate_hz)]
    if sound == "streams":
        return [SoundTrack(voice, rate_hz, title=name) for name, voice in heard.items()]
    sides = np.stack([heard[name] for name in CAST])
    return [SoundTrack(_loud_enough(sides + heard.get(OFF_CAMERA, 0)), rate_hz)]


def _loud_enough(samples: Floats) -> Floats:
    """As it is, or turned down so that nothing is clipped."""
    return np.asarray(samples / max(1.0, float(np.abs(samples).max()) / 0.99), np.float32)
