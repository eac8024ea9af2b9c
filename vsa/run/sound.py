"""The sound of a session: which files, streams or channels hold whose voice, all on the session's time.

The session's time is the first recording's. The order of trust: a file for each participant, then a recording for each
participant, then streams or channels of one recording that hold a voice each, then one mixed sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsa.errors import SessionError
from vsa.media.opening import opened
from vsa.media.samples import SoundFaults
from vsa.media.sound import RATE_HZ, Sound, SoundInfo, SoundStream, read_sound
from vsa.run.seats import Part
from vsa.run.source import Fingerprint, Source
from vsa.study.plan import SessionPlan
from vsa.voice.activity import speaking, speech_probability
from vsa.voice.alignment import Alignment, align, aligned
from vsa.voice.tracks import Kind, tracks_of, tracks_of_files


@dataclass(frozen=True)
class SoundFile:
    """A participant's own sound file."""

    role: str
    path: Path
    file: Fingerprint


@dataclass(frozen=True)
class Track:
    """One sound that is analysed.

    Attributes
    ----------
    sound
        On the session's time.
    info, faults
        The stream from which it was read, and what was wrong with it.
    role
        Whose it is; None if the files don't say.
    alignment
        How it was brought onto the session's time; None where that is its own.
    """

    sound: Sound
    info: SoundInfo
    faults: SoundFaults
    role: str | None = None
    alignment: Alignment | None = None


@dataclass(frozen=True)
class SessionSound:
    """What there is to listen to.

    Attributes
    ----------
    kind, confidence
        As of `vsa.voice.tracks.Tracks`.
    tracks
        One for each participant, or the one with everybody.
    clocks
        For each recording, how its time becomes the session's; None where that is its own.
    files
        The participants' own sound files.
    damaged
        Whether some of the sound could not be decoded.
    notes
        For people.
    """

    kind: Kind
    confidence: float
    tracks: tuple[Track, ...]
    clocks: tuple[Alignment | None, ...]
    files: tuple[SoundFile, ...]
    damaged: bool
    notes: tuple[str, ...]

    @property
    def separate(self) -> bool:
        """Whether each track is one person's."""
        return self.kind in ("files", "streams", "channels")


#: Sound whose samples differ by less is none; full scale is 1.
_SILENT = 1e-5
#: Kind, confidence, tracks, notes.
_Chosen = tuple[Kind, float, tuple[Track, ...], Sequence[str]]


def check_sound_files(plan: SessionPlan) -> None:
    """Say what is wrong with the participants' own sound files before hours of pictures are analysed.

    Raises
    ------
    SessionError
        Stage ``media``: one can't be opened, or has no sound.
    """
    for role, path in plan.audio.items():
        try:
            with opened(path) as container:
                if not container.streams.audio:
                    raise _no_sound(role, path)
        except SessionError as error:
            raise SessionError(error.stage, error.message, f"Check audio:{role} in the manifest.") from None


def session_sound(plan: SessionPlan, parts: Sequence[Part]) -> SessionSound:
    """Read the sound of recordings and sound files, and choose what is analysed.

    Parameters
    ----------
    plan
        The session.
    parts
        Its recordings.

    Raises
    ------
    SessionError
        Stage ``media``: a sound file can't be read or has no sound.
    """
    read = _Read()
    if len(parts) == 1 and not plan.audio:
        chosen = _one_recording(read.recording(parts[0]))
        return _session_sound(chosen, [None], [], read)
    recorded = [_first(read.recording(part), part.video.role) for part in parts]
    recorded = [None if track is None or _silent(track.faults) else track for track in recorded]
    reference = recorded[0]
    for k, track in enumerate(recorded):
        if k and track is not None and reference is not None:
            recorded[k] = read.placed(reference.sound, track)
    files = read.own_files(plan)
    found = _own_files(plan, parts, reference, [track for _, track in files], read) if files else None
    if found is None and len(parts) > 1:
        found = _own_recordings(recorded, read.notes)
    if found is None:
        found = _as_one(recorded) if len(parts) > 1 else _one_recording(read.recording(parts[0], again=True))
    return _session_sound(found, recorded, [file for file, _ in files], read)


def _session_sound(
    chosen: _Chosen, recorded: Sequence[Track | None], files: Sequence[SoundFile], read: _Read
) -> SessionSound:
    kind, confidence, tracks, said = chosen
    clocks = tuple(track.alignment if track is not None else None for track in recorded)
    return SessionSound(kind, confidence, tracks, clocks, tuple(files), read.damaged, (*read.notes, *said))


class _Read:
    """Reads files, and keeps what is to be said of them."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.damaged = False

    def recording(self, part: Part, *, again: bool = False) -> list[SoundStream]:
        """A recording's streams; its pictures are analysed already, and not lost if it can't be read any more."""
        name = part.recording.info.name
        try:
            return self.streams(part.held, name, quiet=again)
        except SessionError as error:
            self.notes.append(f"the sound of {name} could not be read: {error.message}")
            self.damaged = True
            return []

    def streams(self, path: Path, name: str, *, quiet: bool = False) -> list[SoundStream]:
        """A file's streams."""
        streams = read_sound(path, RATE_HZ, name=name)
        if not quiet:
            self.notes += [f"{stream.info.name}: {note}" for stream in streams for note in stream.notes]
            self.damaged |= any(stream.faults.bad_packets for stream in streams)
        return streams

    def own_files(self, plan: SessionPlan) -> list[tuple[SoundFile, Track]]:
        """The participants' own sound files."""
        found = []
        for role, path in plan.audio.items():
            with Source(path) as source:
                track = _first(self.streams(path, path.name), role)
                if track is None:
                    raise _no_sound(role, path)
                found.append((SoundFile(role, path, source.fingerprint()), track))
        return found

    def placed(self, reference: Sound, track: Track, later_s: float = 0.0) -> Track:
        """A track on the reference's time; its own times are that much later unless the sound says otherwise."""
        sound = replace(track.sound, start_s=track.sound.start_s + later_s)
        found = align(reference, sound)
        if found.heard == "nothing":
            found = align(reference, sound, _speaking(reference), _speaking(sound))
        self.notes.append(found.note)
        own = replace(found, offset_s=found.offset_s + later_s, start_s=track.sound.start_s)
        return replace(track, sound=aligned(sound, found), alignment=own)


def _own_files(
    plan: SessionPlan, parts: Sequence[Part], reference: Track | None, files: Sequence[Track], read: _Read
) -> _Chosen | None:
    """One file for each participant, if all of them are there and belong to this call."""
    absent = sorted({*plan.tiles, *(role for p in parts if (role := p.video.role))} - set(plan.audio))
    if absent or len(files) == 1:
        missing = ", ".join(f"audio:{role}" for role in absent) or "a file for the others"
        names = ", ".join(track.info.file for track in files)
        if reference is None:
            read.notes.append(
                f"{missing} is missing: {files[0].info.file} is taken as one mix with everybody"
            )
            return _as_one([_from_the_start(parts, files[0], read)])
        read.notes.append(
            f"{names}: not used, since {missing} is missing: voices are apart only if all have a file"
        )
        return None
    silent = [track.info.file for track in files if _silent(track.faults)]
    if silent and reference is not None:
        read.notes.append(f"there is nothing in {silent[0]}: the participants' own sound files are not used")
        return None
    tracks: list[Track] = []
    begins_s = parts[0].recording.info.start_s - files[0].sound.start_s
    for track in files:
        if reference is not None:
            track = read.placed(reference.sound, track)
            if track.alignment is not None and track.alignment.belongs == "no sign of it":
                read.notes.append(f"{track.info.file} was left out; check audio:{track.role} in the manifest")
                return None
        elif tracks:
            track = read.placed(tracks[0].sound, track, begins_s)
        else:
            track = _from_the_start(parts, track, read)
        tracks.append(track)
    chosen = _checked(tracks)
    if chosen[1] > 0:
        return chosen
    if reference is None:
        read.notes += [*chosen[3], f"{tracks[0].info.file} is taken as one mix"]
        return _as_one(tracks)
    read.notes += [*chosen[3], "the participants' own sound files are not used"]
    return None


def _from_the_start(parts: Sequence[Part], track: Track, read: _Read) -> Track:
    """A sound file beside a recording without sound."""
    read.notes.append(f"{track.info.file} is taken to begin with the picture, which has no sound to compare")
    return replace(track, sound=replace(track.sound, start_s=parts[0].recording.info.start_s))


def _own_recordings(recorded: Sequence[Track | None], notes: list[str]) -> _Chosen | None:
    """One recording for each participant, if each has sound, and not all the same."""
    tracks = [track for track in recorded if track is not None]
    if len(tracks) < len(recorded):
        if tracks:
            notes.append("not every recording has sound: the first that has is taken as one mix")
        return None
    chosen = _checked(tracks)
    if chosen[1] == 0:
        notes += [*chosen[3], "the sound of the first recording is taken as one mix"]
        return None
    return chosen


def _checked(tracks: Sequence[Track]) -> _Chosen:
    found = tracks_of_files([track.sound for track in tracks])
    return found.kind, found.confidence, tuple(tracks), found.notes


def _one_recording(streams: Sequence[SoundStream]) -> _Chosen:
    """Streams or channels with a voice each, or one mix."""
    found = tracks_of(streams)
    tracks = []
    for sound in found.sounds:
        stream = next(s for s in streams if sound.name in (s.info.name, *(c.name for c in s.channels)))
        tracks.append(Track(sound, stream.info, stream.faults))
    return found.kind, found.confidence, tuple(tracks), found.notes


def _as_one(recorded: Sequence[Track | None]) -> _Chosen:
    """The first recording with sound, as one mix."""
    first = next((track for track in recorded if track is not None), None)
    return ("none", 1.0, (), ()) if first is None else ("mixed", 1.0, (replace(first, role=None),), ())


def _first(streams: Sequence[SoundStream], role: str | None) -> Track | None:
    """The first stream in which there is anything, as one mix; a silent one if there is no other."""
    heard = sorted((stream for stream in streams if stream.heard), key=lambda stream: _silent(stream.faults))
    stream = next(iter(heard), None)
    return None if stream is None else Track(stream.mixed(), stream.info, stream.faults, role)


def _silent(faults: SoundFaults) -> bool:
    return faults.highest - faults.lowest < _SILENT


def _speaking(sound: Sound) -> npt.NDArray[np.bool_]:
    return speaking(speech_probability(sound.samples).probability)


def _no_sound(role: str, path: Path) -> SessionError:
    return SessionError(
        "media", f"{path.name} holds no sound that could be read.", f"Check audio:{role} in the manifest."
    )
