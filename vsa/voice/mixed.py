"""One mixed sound: whose mouth moves with it is who speaks.

With ``vsa[diarization]`` voices are told apart by their sound too, and each mouth has its voice.

What is heard without a look at anybody (`overhear`) comes apart from whose it is (`mixed_voices`), so that it can be
done while faces are still followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.media.sound import Sound
from vsa.voice import diarization
from vsa.voice.activity import Activity, speaking, speech_probability
from vsa.voice.diarization import Diarization
from vsa.voice.faces_of_voices import voices_and_lips
from vsa.voice.lips import speech_envelope
from vsa.voice.prosody import prosody
from vsa.voice.quality import SoundQuality, sound_quality
from vsa.voice.speakers import Speakers, who_speaks
from vsa.voice.threads import side_by_side
from vsa.voice.voice_track import OFF_CAMERA, UNKNOWN, VoiceTrack, masked

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: Steps of sound, from the first sample of a session's sound on -> opening and its speed, (steps, 2).
Lips = Callable[[int], Floats]


@dataclass(frozen=True, eq=False)
class Mixed:
    """Voices in one mixed sound.

    Attributes
    ----------
    voices
        Of the participants, then ``voice1``, … that diarization heard and no face has, and `OFF_CAMERA` if such a voice
        was heard; `UNKNOWN` alone if it can't be told whose they are.
    quality
        Of the track.
    speakers
        What is known of who speaks.
    """

    voices: tuple[VoiceTrack, ...]
    quality: SoundQuality
    speakers: Speakers


@dataclass(frozen=True, eq=False)
class Overheard:
    """What is heard in one mixed sound without a look at anybody.

    Attributes
    ----------
    sound
        At 16 kHz.
    activity, anyone
        When anybody speaks: how likely, and decided, (m,).
    envelope
        Of the speech, (m,); see `vsa.voice.lips.speech_envelope`.
    quality
        Of the track.
    voices
        Told apart by their sound; None without ``vsa[diarization]``.
    """

    sound: Sound
    activity: Activity
    anyone: Bools
    envelope: Floats
    quality: SoundQuality
    voices: Diarization | None


def overhear(sound: Sound) -> Overheard:
    """Listen to one mixed sound.

    Raises
    ------
    ModelMissingError
        When the speech detector's file is not on this machine.
    """
    activity = speech_probability(sound.samples)
    anyone = speaking(activity.probability)
    voices = None
    if diarization.available():
        voices = diarization.diarize(sound.samples, activity.probability)
    envelope = speech_envelope(sound.samples, sound.rate_hz)
    quality = sound_quality(sound.samples, sound.rate_hz, anyone)
    return Overheard(sound, activity, anyone, envelope, quality, voices)


def mixed_voices(heard: Overheard, lips: Mapping[str, Lips]) -> Mixed:
    """Find out who speaks in one mixed sound, and how.

    Parameters
    ----------
    heard
        What `overhear` gives.
    lips
        For each participant in view, how the mouth moves.
    """
    sound, quality = heard.sound, heard.quality
    moving = {who: lips_of(len(heard.anyone)) for who, lips_of in lips.items()}
    if heard.voices is not None:
        found = voices_and_lips(moving, heard.activity.probability, heard.envelope, heard.voices)
    else:
        found = who_speaks(moving, heard.activity.probability, heard.envelope)
    if not np.isfinite(found.probability).any():
        return Mixed((_somebody(heard),), quality, found)
    names = [*found.participants, OFF_CAMERA]
    says = found.probability > 0.5
    last = None if says[:, -1].any() else -1
    said = says.sum(axis=1)

    def one(k: int) -> VoiceTrack:
        # what is measured where two speak is nobody's
        how = prosody(
            sound.samples,
            sound.rate_hz,
            says[:, k] & (said == 1),
            bandwidth_hz=quality.bandwidth_hz,
        )
        mine = says[:, k] | (said == 0)
        measured = (
            masked(x, mine & (said <= 1)) for x in (how.f0_hz, how.intensity_db, how.spectral_tilt_db)
        )
        speech = np.ascontiguousarray(found.probability[:, k])
        return VoiceTrack(names[k], sound.start_s, speech, np.ascontiguousarray(says[:, k]), *measured)

    return Mixed(tuple(side_by_side(one, range(len(names))[:last])), quality, found)


def _somebody(heard: Overheard) -> VoiceTrack:
    """Speech of which it is not known whose it is: when, and nothing of how."""
    nothing = np.full(len(heard.anyone), np.nan, np.float32)
    start_s, likely = heard.sound.start_s, heard.activity.probability
    return VoiceTrack(UNKNOWN, start_s, likely, heard.anyone, nothing, nothing, nothing)
