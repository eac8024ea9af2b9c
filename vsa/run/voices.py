"""The voices of a session: whose each is among the participants, and what ``session.json`` says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from vsa.face.table import COLUMNS as FACE_COLUMNS
from vsa.media.sound import RATE_HZ
from vsa.run import sound_record
from vsa.run.seats import Part, Seat
from vsa.run.sound import SessionSound
from vsa.voice import lips
from vsa.voice.ipu import speech_stretches
from vsa.voice.matching import match
from vsa.voice.mixed import Overheard, mixed_voices, overhear
from vsa.voice.separate import Floats, OwnVoices, described, own_voices
from vsa.voice.threads import side_by_side
from vsa.voice.tracks import Common, on_common_time
from vsa.voice.voice_track import OFF_CAMERA, UNKNOWN, VoiceTrack

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class SessionVoices:
    """What was heard.

    Attributes
    ----------
    seats
        The participants: a track may give a face its role, and a voice that no face has is a participant too.
    voices
        One for each voice.
    record
        ``sound`` of ``session.json``.
    notes
        For people.
    """

    seats: tuple[Seat, ...]
    voices: tuple[VoiceTrack, ...]
    record: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def speech(self) -> pd.DataFrame:
        """Stretches of speech of which it is known whose they are: `participant`, `start`, `end` (s)."""
        said = [voice for voice in self.voices if voice.participant != UNKNOWN]
        start_s = said[0].start_s if said else 0.0
        return speech_stretches({voice.participant: voice.speaking for voice in said}, start_s=start_s)


@dataclass(frozen=True, eq=False)
class Apart:
    """Separate tracks on one time, and when their people speak."""

    common: Common
    own: OwnVoices


@dataclass(frozen=True, eq=False)
class Listened:
    """What is heard in a session without a look at anybody.

    Attributes
    ----------
    sound
        What there is to listen to; one mix where separate tracks turned out not to be.
    heard
        What was heard in it; None without sound.
    notes
        For people.
    """

    sound: SessionSound
    heard: Apart | Overheard | None
    notes: tuple[str, ...] = ()


def listen(sound: SessionSound) -> Listened:
    """Listen to a session.

    Raises
    ------
    ModelMissingError
        When the speech detector's file is not on this machine.
    """
    if sound.kind == "none":
        return Listened(sound, None)
    if not sound.separate:
        return Listened(sound, overhear(sound.tracks[0].sound))
    common = on_common_time([track.sound for track in sound.tracks])
    own = own_voices(common, RATE_HZ)
    if own.mix is None:
        return Listened(sound, Apart(common, own))
    track = sound.tracks[own.mix]  # it holds everybody
    note = f"{track.sound.name} also holds what is said on another's own track: it is taken as one mix"
    as_one = replace(sound, kind="mixed", tracks=(replace(track, role=None),))
    return Listened(as_one, overhear(track.sound), (note,))


def session_voices(listened: Listened, parts: Sequence[Part], seats: Sequence[Seat]) -> SessionVoices:
    """Find out whose the voices are, and how they speak.

    Parameters
    ----------
    listened
        What was heard.
    parts
        The recordings.
    seats
        The participants that were seen, on the session's time.
    """
    heard = listened.heard
    if heard is None:
        return SessionVoices(tuple(seats), (), sound_record.nothing(), ())
    if isinstance(heard, Apart):
        return _separate(listened.sound, heard, parts, seats)
    voices = _mixed(listened.sound, heard, parts, seats)
    return replace(voices, notes=(*listened.notes, *voices.notes))


def _separate(
    sound: SessionSound, heard: Apart, parts: Sequence[Part], seats: Sequence[Seat]
) -> SessionVoices:
    common, own = heard.common, heard.own
    everybody, owners, confidence = _owners(sound, parts, seats, common, own.speech)
    voices = described(common, own, [owner.id for owner in owners], RATE_HZ)
    notes = [
        f"{track.sound.name}: no mouth in view moves with this voice; it is {owner.id}"
        for track, owner in zip(sound.tracks, owners, strict=True)
        if owner.face is None and owner not in seats and seats
    ]
    record = sound_record.separate(sound, voices, own.paths, confidence)
    return SessionVoices(tuple(everybody), tuple(voice for voice, _ in voices), record, tuple(notes))


def _owners(
    sound: SessionSound,
    parts: Sequence[Part],
    seats: Sequence[Seat],
    common: Common,
    speech: Sequence[Floats],
) -> tuple[list[Seat], list[Seat], float]:
    """Everybody, whose each track is, and how sure that is (0-1); a voice that no face has makes a new seat."""
    taken = dict[int, str]()
    for k, track in enumerate(sound.tracks):
        named = {track.role or track.info.title.casefold()} - {""}  # a file's title may be the program's
        mine = [s.id for s in seats if s.role and {s.role, s.role.casefold()} & named]
        if mine and mine[0] not in taken.values():
            taken[k] = mine[0]
    loose = [k for k in range(len(sound.tracks)) if k not in taken]
    free = [seat for seat in seats if seat.face is not None and seat.id not in taken.values()]
    if any(sound.tracks[k].role for k in loose):
        free = [seat for seat in free if seat.role is None]  # one with a role is another's
    confidence = 1.0
    if loose and free:
        moving = {seat.id: _lips(seat, common.start_s, common.covered.shape[1]) for seat in free}
        envelopes = side_by_side(lambda k: lips.speech_envelope(common.samples[k], RATE_HZ), loose)
        found = match([speech[k] for k in loose], envelopes, moving)
        confidence = found.confidence
        taken |= {k: name for k, name in zip(loose, found.names, strict=True) if name is not None}
    everybody = {seat.id: seat for seat in seats}
    for k, track in enumerate(sound.tracks):
        who = taken.setdefault(k, f"p{len(everybody) + 1}")
        unseen = Seat(who, track.role, 0, parts[0].followed, None, None)
        seat = everybody.get(who, unseen)
        everybody[who] = replace(seat, role=seat.role or track.role)
    return list(everybody.values()), [everybody[taken[k]] for k in range(len(sound.tracks))], confidence


def _mixed(
    sound: SessionSound, overheard: Overheard, parts: Sequence[Part], seats: Sequence[Seat]
) -> SessionVoices:
    track = sound.tracks[0]
    moving = {seat.id: partial(_lips, seat, track.sound.start_s) for seat in seats if seat.face is not None}
    heard = mixed_voices(overheard, moving)
    notes = []
    if not any(voice.speech_s for voice in heard.voices):
        notes.append(f"nobody is heard to speak in {track.sound.name}")
    elif any(voice.participant == UNKNOWN for voice in heard.voices):
        notes.append(
            "it can't be told who speaks: there is one mixed sound, and no face in view to go with it; "
            "vsa[diarization] tells voices apart by their sound"
        )
    everybody = list(seats)
    voices = []
    for voice in heard.voices:
        who = voice.participant
        if who not in (OFF_CAMERA, UNKNOWN, *(seat.id for seat in seats)):
            who = f"p{len(everybody) + 1}"
            everybody.append(Seat(who, None, 0, parts[0].followed, None, None))
            notes += [f"{who} is heard and not seen to speak"] if seats else []
        voices.append(replace(voice, participant=who))
    heard = replace(heard, voices=tuple(voices))
    return SessionVoices(tuple(everybody), heard.voices, sound_record.mixed(sound, heard), tuple(notes))


def _lips(seat: Seat, start_s: float, steps: int) -> Floats:
    """How a participant's mouth moves, on the grid of the sound."""
    places = [FACE_COLUMNS.index(name) for name in lips.COLUMNS]
    times, scores = [], []
    for block in seat.blocks():
        times.append(block.t)
        scores.append(block.values[:, places])
    t, values = np.concatenate(times), np.concatenate(scores)
    face = {name: values[:, k] for k, name in enumerate(lips.COLUMNS)}
    return lips.lip_movement(t, face, start_s=start_s, steps=steps)
