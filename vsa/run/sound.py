"""The sound of a session: which files, streams or channels hold whose voice, all on the session's time.

The session's time is the first recording's. The order of trust: a file for each participant, then a recording for each
participant, then streams or channels of one recording that hold a voice each, then one mixed sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vsa.media.sound import SoundStream
from vsa.run.sound_reader import Recorded, SoundFile, SoundReader, Track, first_track
from vsa.study.plan import SessionPlan
from vsa.voice.alignment import Alignment
from vsa.voice.tracks import Kind, tracks_of, tracks_of_files


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


#: Kind, confidence, tracks, notes.
_Chosen = tuple[Kind, float, tuple[Track, ...], Sequence[str]]


def session_sound(plan: SessionPlan, recordings: Sequence[Recorded]) -> SessionSound:
    """Read the sound of recordings and sound files, and choose what is analysed.

    Parameters
    ----------
    plan
        The session.
    recordings
        In the order of its plan.

    Raises
    ------
    SessionError
        Stage ``media``: a sound file can't be read or has no sound.
    """
    read = SoundReader()
    if len(recordings) == 1 and not plan.audio:
        chosen = _one_recording(read.recording(recordings[0]))
        return _session_sound(chosen, [None], [], read)
    recorded = [first_track(read.recording(part), part.role) for part in recordings]
    recorded = [None if track is None or track.faults.silent else track for track in recorded]
    reference = recorded[0]
    for k, track in enumerate(recorded):
        if k and track is not None and reference is not None:
            recorded[k] = read.placed(reference.sound, track)
    files = read.own_files(plan)
    found = _own_files(plan, recordings, reference, [track for _, track in files], read) if files else None
    if found is None and len(recordings) > 1:
        found = _own_recordings(recorded, read.notes)
    if found is None:
        found = (
            _as_one(recorded)
            if len(recordings) > 1
            else _one_recording(read.recording(recordings[0], again=True))
        )
    return _session_sound(found, recorded, [file for file, _ in files], read)


def _session_sound(
    chosen: _Chosen, recorded: Sequence[Track | None], files: Sequence[SoundFile], read: SoundReader
) -> SessionSound:
    kind, confidence, tracks, said = chosen
    clocks = tuple(track.alignment if track is not None else None for track in recorded)
    return SessionSound(kind, confidence, tracks, clocks, tuple(files), read.damaged, (*read.notes, *said))


def _own_files(
    plan: SessionPlan,
    recordings: Sequence[Recorded],
    reference: Track | None,
    files: Sequence[Track],
    read: SoundReader,
) -> _Chosen | None:
    """One file for each participant, if all of them are there and belong to this call."""
    absent = sorted({*plan.tiles, *(role for p in recordings if (role := p.role))} - set(plan.audio))
    if absent or len(files) == 1:
        missing = ", ".join(f"audio:{role}" for role in absent) or "a file for the others"
        names = ", ".join(track.info.file for track in files)
        if reference is None:
            read.notes.append(
                f"{missing} is missing: {files[0].info.file} is taken as one mix with everybody"
            )
            return _as_one([_from_the_start(recordings, files[0], read)])
        read.notes.append(
            f"{names}: not used, since {missing} is missing: voices are apart only if all have a file"
        )
        return None
    silent = [track.info.file for track in files if track.faults.silent]
    if silent and reference is not None:
        read.notes.append(f"there is nothing in {silent[0]}: the participants' own sound files are not used")
        return None
    tracks: list[Track] = []
    begins_s = recordings[0].info.start_s - files[0].sound.start_s
    for track in files:
        if reference is not None:
            track = read.placed(reference.sound, track)
            if track.alignment is not None and track.alignment.belongs == "no sign of it":
                read.notes.append(f"{track.info.file} was left out; check audio:{track.role} in the manifest")
                return None
        elif tracks:
            track = read.placed(tracks[0].sound, track, begins_s)
        else:
            track = _from_the_start(recordings, track, read)
        tracks.append(track)
    chosen = _checked(tracks)
    if chosen[1] > 0:
        return chosen
    if reference is None:
        read.notes += [*chosen[3], f"{tracks[0].info.file} is taken as one mix"]
        return _as_one(tracks)
    read.notes += [*chosen[3], "the participants' own sound files are not used"]
    return None


def _from_the_start(recordings: Sequence[Recorded], track: Track, read: SoundReader) -> Track:
    """A sound file beside a recording without sound."""
    read.notes.append(f"{track.info.file} is taken to begin with the picture, which has no sound to compare")
    return replace(track, sound=replace(track.sound, start_s=recordings[0].info.start_s))


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
