"""What the other features rest on: how much of the session was seen and heard, and how well.

These describe the recording, not the people, and a bond is never predicted from them. Where a group of features rests
on a part of the session only, that part is here: gaze and blinks on `quality.eyes_share`, faces on
`quality.frontal_share`, heads on `quality.tracked_share`, voices on `quality.speech_share`, turns on
`quality.speakers_known_share`, synchrony of movement on `quality.both_tracked_share`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vsa.features.episodes import runs
from vsa.features.limits import LEVEL_S, face_of, need_seconds, pair_of, voice_of
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Flags, quantile

#: A picture that does not change at all for this long is frozen, s. Recordings repeat single pictures of slower calls.
FROZEN_S = 1.0
#: A tile darker than this on the whole is dark, grey level 0-255.
DARK = 50.0


@feature(
    "quality.tracked_share",
    unit="share",
    needs=("face",),
    minimum="two analysed pictures",
    source="Studies leave out recordings below 90 % of pictures tracked (Koehler, MLASS scripts).",
)
def tracked_share(session: Session, role: str) -> float:
    """Share of the session in which the person's face was followed; a camera that is off counts as not followed."""
    face = session.faces[role]
    return _share(face, face.tracked)


@feature(
    "quality.frontal_share",
    unit="share",
    needs=("face",),
    minimum="two analysed pictures",
    source="Convention of this project: the time on which features of the face rest.",
)
def frontal_share(session: Session, role: str) -> float:
    """Share of the session in which the face is seen, turned no more than 40 degrees aside."""
    face = session.faces[role]
    return _share(face, face.frontal)


@feature(
    "quality.eyes_share",
    unit="share",
    needs=("face",),
    minimum="two analysed pictures",
    source="Convention of this project: the time on which gaze and blinks rest.",
)
def eyes_share(session: Session, role: str) -> float:
    """Share of the session in which lids and gaze can be read: a frontal face of 80 px or more."""
    face = session.faces[role]
    return _share(face, face.eyes)


@feature(
    "quality.face_height_px",
    unit="px",
    needs=("face",),
    minimum="one tracked picture",
    source="Gaze from smaller faces is poor: 120-150 px in OpenFace issue #71.",
)
def face_height_px(session: Session, role: str) -> float:
    """Median height of the box about the face's landmarks (hairline to chin), px of the recording."""
    face = face_of(session, role)
    return quantile(face.column("box_h")[face.tracked], face.weights_s[face.tracked], 0.5)


@feature(
    "quality.lost_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Convention of this project: a face that is lost often is poorly seen.",
)
def lost_rate_per_min(session: Session, role: str) -> float:
    """How often the face is lost while it is in view, per minute."""
    face = face_of(session, role)
    seconds = need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    seen = face.tracked
    return float(np.count_nonzero(seen[:-1] & ~seen[1:])) / (seconds / 60)


@feature(
    "quality.frame_rate_hz",
    unit="Hz",
    needs=("face",),
    minimum="three pictures of the face",
    source="Blinks need 15 new pictures a second, nods 12 (vsa.features.blinks, vsa.features.nods).",
)
def frame_rate_hz(session: Session, role: str) -> float:
    """New pictures of the person a second, from the median interval; pictures that repeat one do not count."""
    return face_of(session, role).rate_hz


@feature(
    "quality.frozen_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Convention of this project.",
)
def frozen_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the person's picture stands still for a second or more."""
    face = face_of(session, role)
    seconds = need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    # a repeated picture goes on from the one before: a freeze of k repeats lasts k + 1 pictures' time
    still = face.tracked & (face.column("motion") == 0)
    lasting = [face.weights_s[max(a - 1, 0) : b].sum() for a, b in runs(still)]
    return min(1.0, float(sum(one for one in lasting if one >= FROZEN_S)) / seconds)


@feature(
    "quality.dark_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Mean grey of the whole picture below 50 of 255: convention of this project. Of the picture and not of the "
    "face, so that it depends less on skin.",
)
def dark_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the person's picture is dark."""
    face = face_of(session, role)
    luma = face.column("luma")
    known = face.tracked & np.isfinite(luma)
    if not known.any():
        raise TooLittle("brightness was not measured")
    seconds = need_seconds(face, known, LEVEL_S, "the face is in view")
    return face.seconds(known & (luma < DARK)) / seconds


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
    "quality.duration_min",
    scope="dyad",
    unit="min",
    needs=("face",),
    minimum="two analysed pictures",
    source="Length of the recording.",
)
def duration_min(session: Session, scope: str) -> float:
    """Length of the session, from its first picture or sound to its last."""
    return _span(session) / 60


@feature(
    "quality.both_tracked_share",
    scope="dyad",
    unit="share",
    needs=("face",),
    minimum="two people, two analysed pictures",
    source="Convention of this project: the time on which synchrony of movement and mutual features rest.",
)
def both_tracked_share(session: Session, scope: str) -> float:
    """Share of the session in which both faces are followed at the same time."""
    one, other = (session.faces[who] for who in pair_of(session))
    if not len(other.t):
        return 0.0
    nearest = np.clip(np.searchsorted(other.t, one.t, "right") - 1, 0, len(other.t) - 1)
    return _share(one, one.tracked & other.tracked[nearest])


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
    return _of_session(session, float(np.count_nonzero(session.known)) * 0.01)


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


def _share(face: Face, where: Flags) -> float:
    total = float(face.weights_s.sum())
    if not total > 0:
        raise TooLittle("fewer than two pictures were analysed")
    return face.seconds(where) / total


def _span(session: Session) -> float:
    start, end = session.span_s
    if not end > start:
        raise TooLittle("fewer than two pictures were analysed")
    return end - start


def _of_session(session: Session, seconds: float) -> float:
    return min(1.0, seconds / _span(session))


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
