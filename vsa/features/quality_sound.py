"""How well the session was heard: whose sound is known, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsa.features.limits import voice_of
from vsa.features.person import Voice
from vsa.features.quality import span_s
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session


@feature(
    "quality.speech_share",
    unit="share",
    needs=("voice",),
    minimum="sound of which it is known who speaks",
    source="Convention of this project: the time on which features of the voice rest.",
)
def speech_share(session: Session, role: str) -> float:
    """Share of the session in which this person speaks."""
    voice = voice_of(session, role)
    return _of_session(session, voice.seconds(voice.speaking))


@feature(
    "quality.speech_known_share",
    unit="share",
    needs=("voice",),
    minimum="sound",
    source="Convention of this project.",
)
def speech_known_share(session: Session, role: str) -> float:
    """Share of the session in which it is known whether this person speaks."""
    voice = voice_of(session, role)
    return _of_session(session, voice.seconds(voice.known))


@feature(
    "quality.snr_db",
    unit="dB",
    needs=("sound",),
    minimum="sound with speech and pauses",
    source="Level of speech over that of the pauses, 80 Hz to 8 kHz (vsa.voice.quality).",
)
def snr_db(session: Session, role: str) -> float:
    """Signal-to-noise ratio of the track on which this person is heard."""
    return _measured(session, role, "snr_db")


@feature(
    "quality.clipping_share",
    unit="share",
    needs=("sound",),
    minimum="sound with speech",
    source="Samples at full scale among those in speech (vsa.voice.quality).",
)
def clipping_share(session: Session, role: str) -> float:
    """Share of clipped samples on the track on which this person is heard, while there is speech."""
    return _measured(session, role, "clipping_share")


@feature(
    "quality.bandwidth_hz",
    unit="Hz",
    needs=("sound",),
    minimum="sound with speech",
    source="Highest frequency that the track carries (vsa.voice.quality): spectral tilt needs 5 kHz.",
)
def bandwidth_hz(session: Session, role: str) -> float:
    """Bandwidth of the track on which this person is heard."""
    return _measured(session, role, "bandwidth_hz")


@feature(
    "quality.sound_missing_share",
    unit="share",
    needs=("sound",),
    minimum="sound",
    source="Damaged or absent sound (vsa.voice.quality).",
)
def sound_missing_share(session: Session, role: str) -> float:
    """Share of the track on which this person is heard that has no sound at all: lost, damaged or never sent."""
    return _measured(session, role, "missing_share")


@feature(
    "quality.bleed_db",
    unit="dB",
    needs=("sound",),
    minimum="a track of this person's own, on which another voice is heard",
    source="Level of the loudest other voice on this person's track, re that voice's own track (vsa.voice.bleed).",
)
def bleed_db(session: Session, role: str) -> float:
    """How loud another person is heard on this person's own track; removed before anything is measured."""
    if session.sound.get("kind") not in ("files", "streams", "channels"):
        raise TooLittle("the participants have no tracks of their own")
    levels = [b["level_db"] for b in session.sound.get("bleed", []) if b["heard_with"] == role]
    known = [float(level) for level in levels if level is not None]
    if not known:
        raise TooLittle("no other voice was found on this person's track")
    return max(known)


@feature(
    "quality.speakers_known_share",
    scope="dyad",
    unit="share",
    needs=("voice",),
    minimum="sound of which it is known who speaks",
    source="Convention of this project: the time on which turn-taking rests.",
)
def speakers_known_share(session: Session, scope: str) -> float:
    """Share of the session in which it is known of everybody whether they speak."""
    if session.turns is None:
        raise TooLittle(session.no_turns)
    return _of_session(session, Voice.seconds(session.known))


@feature(
    "quality.speakers_confidence",
    scope="dyad",
    unit="1",
    range=(0.0, 1.0),
    needs=("sound",),
    minimum="sound with speech",
    source="`sound.confidence` of session.json (docs/formats.md).",
)
def speakers_confidence(session: Session, scope: str) -> float:
    """How sure it is who speaks when, 0-1; 1 where a person corrected the turns."""
    if session.sound.get("turns", {}).get("from") == "corrected":
        return 1.0
    confidence = session.sound.get("confidence")
    if confidence is None:
        raise TooLittle("nobody was heard to speak")
    return float(confidence)


@feature(
    "quality.sync_offset_s",
    scope="dyad",
    unit="s",
    needs=("sound",),
    minimum="mixed sound, and lips in view that move with it",
    source="From lip movement and speech (vsa.voice.lips). ITU-R BT.1359: noticed from 45 ms early to 125 ms late.",
)
def sync_offset_s(session: Session, scope: str) -> float:
    """How much later the sound is than the picture."""
    offset = session.sound.get("picture_offset_s")
    if offset is None:
        raise TooLittle("it could not be measured by how much sound and picture are apart")
    return float(offset)


def _of_session(session: Session, seconds: float) -> float:
    return min(1.0, seconds / span_s(session))


def _measured(session: Session, role: str, what: str) -> float:
    """A measure of the track on which a person is heard: their own, or the mix."""
    tracks: list[Mapping[str, Any]] = session.sound.get("tracks", [])
    track = next((t for t in tracks if t.get("participant") in (role, None)), None)
    if track is None:
        raise TooLittle("there is no sound" if not tracks else "this person has no track")
    value = track.get("quality", {}).get(what)
    if value is None:
        raise TooLittle("it could not be measured on this track")
    return float(value)
