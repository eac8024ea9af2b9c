"""Reading the sound of a session's recordings and sound files, and bringing it onto one time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vsa.errors import SessionError
from vsa.media.info import MediaInfo
from vsa.media.opening import opened
from vsa.media.samples import SoundFaults
from vsa.media.sound import RATE_HZ, Sound, SoundInfo, SoundStream, read_sound
from vsa.media.stream import closing
from vsa.run.source import Fingerprint, source_of
from vsa.study.addresses import Address, Place
from vsa.study.plan import SessionPlan
from vsa.voice.activity import speaking, speech_probability
from vsa.voice.alignment import Alignment, align, aligned


@dataclass(frozen=True)
class Recorded:
    """A recording with its sound.

    Attributes
    ----------
    role
        Whose it is; None for a recording of everybody.
    info
        What its file says.
    held
        Where it can be read until the session is finished.
    """

    role: str | None
    info: MediaInfo
    held: Place


@dataclass(frozen=True)
class SoundFile:
    """A participant's own sound file."""

    role: str
    path: Place
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


def check_sound_files(plan: SessionPlan) -> None:
    """Say what is wrong with the participants' own sound files before hours of pictures are analysed.

    Raises
    ------
    SessionError
        Stage ``media``: one can't be opened, or has no sound.
    """
    for role, path in plan.audio.items():
        try:
            with closing(opened(path)) as container:
                if not container.streams.audio:
                    raise _no_sound(role, path)
        except SessionError as error:
            raise SessionError(error.stage, error.message, f"Check audio:{role} in the manifest.") from None


class SoundReader:
    """Reads files, and keeps what is to be said of them."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.damaged = False

    def recording(self, recorded: Recorded, *, again: bool = False) -> list[SoundStream]:
        """A recording's streams; its pictures are analysed, and not lost if the sound can't be read.

        One at an address can be read later: it raises a `SessionError`.
        """
        name = recorded.info.name
        try:
            return self.streams(recorded.held, name, quiet=again)
        except SessionError as error:
            if isinstance(recorded.held, Address):
                raise
            self.notes.append(f"the sound of {name} could not be read: {error.message}")
            self.damaged = True
            return []

    def streams(self, path: Place, name: str, *, quiet: bool = False) -> list[SoundStream]:
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
            with source_of(path) as source:
                track = first_track(self.streams(path, path.name), role)
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


def first_track(streams: Sequence[SoundStream], role: str | None) -> Track | None:
    """The first stream in which there is anything, as one mix; a silent one if there is no other."""
    heard = sorted((stream for stream in streams if stream.heard), key=lambda stream: stream.faults.silent)
    stream = next(iter(heard), None)
    return None if stream is None else Track(stream.mixed(), stream.info, stream.faults, role)


def _speaking(sound: Sound) -> npt.NDArray[np.bool_]:
    return speaking(speech_probability(sound.samples).probability)


def _no_sound(role: str, path: Place) -> SessionError:
    return SessionError(
        "media", f"{path.name} holds no sound that could be read.", f"Check audio:{role} in the manifest."
    )
