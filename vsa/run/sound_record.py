"""What ``session.json`` says of the sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from vsa.run.sound import SessionSound
from vsa.run.sound_reader import SoundFile, Track
from vsa.voice.alignment import Alignment
from vsa.voice.bleed import BleedPath
from vsa.voice.mixed import Mixed
from vsa.voice.quality import SoundQuality
from vsa.voice.voice_track import VoiceTrack

_SEPARATE = {
    "files": "a sound file or recording for each participant",
    "streams": "a sound stream for each participant",
    "channels": "a channel for each participant",
}
#: How sure it is at most who speaks when, by whether a track belongs to this call and lies where its own times say.
_BELONG = {"yes": 1.0, "not sure": 0.5, "no sign of it": 0.0}


def nothing() -> dict[str, Any]:
    """Of a session without sound."""
    return _record("none", "none: there is no sound", None)


def separate(
    sound: SessionSound,
    heard: Sequence[tuple[VoiceTrack, SoundQuality]],
    paths: Sequence[BleedPath],
    matched: float,
) -> dict[str, Any]:
    """Of separate tracks.

    Parameters
    ----------
    sound, heard, paths
        The tracks, what was heard on each, and the bleed between them.
    matched
        How sure it is whose the tracks are, 0-1.
    """
    voices = [voice for voice, _ in heard]
    belong = min(_BELONG[t.alignment.belongs] if t.alignment else 1.0 for t in sound.tracks)
    confidence = min(sound.confidence, matched, belong)
    record = _record(sound.kind, _SEPARATE[sound.kind], confidence, voices)
    record["tracks"] = [
        _track(track, voice.participant, quality)
        for track, (voice, quality) in zip(sound.tracks, heard, strict=True)
    ]
    record["bleed"] = [
        {
            "voice": voices[path.source].participant,
            "heard_with": voices[path.heard_in].participant,
            "delay_s": number(path.delay_s, 4),
            "level_db": number(path.level_db, 1),
            "echo_s": number(path.echo_s, 2),
            "removed_share": number(path.removed_share, 4),
        }
        for path in paths
        if path.found
    ]
    return record


def mixed(sound: SessionSound, heard: Mixed) -> dict[str, Any]:
    """Of one mixed sound."""
    found = heard.speakers
    record = _record("mixed", found.method, found.confidence, heard.voices)
    record["picture_offset_s"] = number(found.offset_s, 3)
    record["tracks"] = [_track(sound.tracks[0], None, heard.quality)]
    return record


def own_file(file: SoundFile) -> dict[str, Any]:
    """One of ``sound_files``: what a participant's sound file is known by."""
    return {
        "name": file.path.name,
        "role": file.role,
        **file.file.record(),
    }


def alignment(found: Alignment | None) -> dict[str, Any] | None:
    """How one file's time became the session's; None where that is its own."""
    if found is None:
        return None
    return {
        "offset_s": number(found.offset_s, 4),
        "drift_ppm": number(found.drift_ppm, 1),
        "start_s": number(found.start_s, 4),
        "heard": found.heard,
        "belongs": found.belongs,
        "way_s": number(found.way_s, 4),
        "windows": found.windows,
        "confidence": number(found.confidence, 3),
    }


def number(value: float, digits: int) -> float | None:
    """Rounded; None for what could not be measured, or has no bound."""
    return round(float(value), digits) if np.isfinite(value) else None


def _record(
    kind: str, method: str, confidence: float | None, voices: Sequence[VoiceTrack] = ()
) -> dict[str, Any]:
    return {
        "kind": kind,
        "method": method,
        "confidence": None if confidence is None else number(confidence, 3),
        "picture_offset_s": None,
        "voices": [
            {
                "participant": voice.participant,
                "speech_s": round(voice.speech_s, 2),
                "known_share": round(voice.known_share, 4),
            }
            for voice in voices
        ],
        "tracks": [],
        "bleed": [],
        "turns": {"from": "found"},
    }


def _track(track: Track, participant: str | None, quality: SoundQuality) -> dict[str, Any]:
    info, faults = track.info, track.faults
    # What clips in the file may not after resampling, and the other way round.
    at_full_scale = faults.clipped / faults.samples if faults.samples else 0.0
    found = {key: number(value, 4) for key, value in asdict(quality).items() if key != "rate_hz"}
    if found["clipping_share"] is not None:
        found["clipping_share"] = max(found["clipping_share"], round(at_full_scale, 4))
    return {
        "name": track.sound.name,
        "participant": participant,
        "codec": info.codec,
        "rate_hz": info.rate_hz,
        "channels": info.channels,
        "start_s": number(track.sound.start_s, 4),
        "duration_s": number(track.sound.duration_s, 3),
        "alignment": alignment(track.alignment),
        "quality": found,
    }
