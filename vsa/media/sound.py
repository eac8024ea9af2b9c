"""Sound of a media file: every audio stream as samples at 16 kHz, on the file's presentation time.

Session time is the file's own presentation time, as for pictures (`vsa.media.clock`): a stream that starts 3 s late
has `start_s` 3 s later. Gaps between the pieces of a stream become silence. PyAV decodes and SoXR resamples, block by
block: memory holds 2 bytes for each sample of the result and a few seconds more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av.error
import numpy as np

from vsa.media.opening import opened, plain
from vsa.media.pcm import Pcm, Samples, pieces
from vsa.media.samples import Collector, SoundFaults
from vsa.media.stream import check, closing
from vsa.study.addresses import Place

#: Rate at which the voice room works.
RATE_HZ = 16_000


@dataclass(frozen=True)
class Sound:
    """One run of mono sound.

    Attributes
    ----------
    start_s
        Presentation time of sample 0, s.
    rate_hz
        Samples a second.
    samples
        (n,), full scale 1: `Pcm`, or a float32 array.
    name
        Where it comes from: file, stream and channel as far as there are several.
    """

    start_s: float
    rate_hz: int
    samples: Samples
    name: str

    @property
    def duration_s(self) -> float:
        """Length, s."""
        return len(self.samples) / self.rate_hz

    @property
    def end_s(self) -> float:
        """Presentation time of the end, s."""
        return self.start_s + self.duration_s


@dataclass(frozen=True)
class SoundInfo:
    """What a file says of one audio stream.

    Attributes
    ----------
    file, stream
        The file's name without its folder, and the stream's index in it.
    title
        What the file calls the stream; empty if it doesn't.
    codec
        FFmpeg's name of the decoder.
    rate_hz, channels, layout
        As stored, before resampling and mixing.
    declared_s
        Length that the stream declares, s; NaN if it doesn't.
    """

    file: str
    stream: int
    title: str
    codec: str
    rate_hz: int
    channels: int
    layout: str
    declared_s: float

    @property
    def name(self) -> str:
        """What people call the stream."""
        return f"{self.file}, sound stream {self.stream}" + (f" ({self.title})" if self.title else "")


@dataclass(frozen=True)
class SoundStream:
    """One audio stream, read.

    Attributes
    ----------
    info
        What the file says of it.
    channels
        One `Sound` for each channel that may hold a voice of its own (mono 1, stereo 2, unnamed channels up to 4);
        surround sound is mixed to one. They have the same start and length. Empty if nothing could be decoded.
    faults
        What was found wrong.
    notes
        The same in words, each a sentence without its full stop.
    """

    info: SoundInfo
    channels: tuple[Sound, ...]
    faults: SoundFaults
    notes: tuple[str, ...]

    @property
    def heard(self) -> bool:
        """Whether there is anything."""
        return bool(self.channels) and len(self.channels[0].samples) > 0

    def mixed(self) -> Sound:
        """The mean of its channels; there must be one."""
        if len(self.channels) == 1:
            return self.channels[0]
        first = self.channels[0]
        together = zip(*(pieces(channel.samples) for channel in self.channels), strict=True)
        mean = Pcm.of(np.mean(parts, axis=0, dtype=np.float32) for parts in together)
        return Sound(first.start_s, first.rate_hz, mean, self.info.name)


def read_sound(path: Place, rate_hz: int = RATE_HZ, *, name: str = "") -> list[SoundStream]:
    """Read all audio streams of a file.

    Parameters
    ----------
    path
        A file with sound, with or without pictures, or its address.
    rate_hz
        Rate of the result.
    name
        What to call the file, if not by its own name.

    Returns
    -------
    list of SoundStream
        In the file's order; empty for a file without sound. A stream that can't be decoded, or holds nothing, is there
        without channels, and its notes say why.

    Raises
    ------
    SessionError
        Stage ``media``: the file is missing, unreadable, empty or no media.
    """
    container = opened(path)
    with closing(container):
        streams = {s.index: _Reader(s, name or path.name, rate_hz) for s in container.streams.audio}
        if container.format.name == "mp3":  # its stamps count the coder's delay, which the decoder takes away
            for reader in streams.values():
                reader.early = reader.stream.start_time or 0
        if streams:
            for packet in _packets(container, streams):
                streams[packet.stream.index].decode(packet)
        return [stream.finished() for stream in streams.values()]


def _packets(container: Any, streams: dict[int, _Reader]) -> Iterator[Any]:
    readable = [reader.stream for reader in streams.values() if reader.stream.codec_context is not None]
    if not readable:
        return
    packets = container.demux(*readable)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            check(container)
            return
        except (av.error.FFmpegError, OSError) as error:
            check(container)
            for reader in streams.values():
                reader.said.append(f"reading stopped before the file's end ({plain(error)})")
            return
        yield packet


@dataclass
class _Reader:
    """One stream, while it is read; a frame is held back until the stamp of the next is known."""

    stream: Any
    file: str
    rate_hz: int
    faults: SoundFaults = field(default_factory=SoundFaults)
    said: list[str] = field(default_factory=list)
    early: int = 0  # ticks to take off every stamp
    _held: tuple[float | None, Any] | None = None

    def __post_init__(self) -> None:
        self._collector = Collector(self.rate_hz, self.faults)

    def decode(self, packet: Any) -> None:
        try:
            frames = packet.decode()
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError):
            self.faults.bad_packets += 1
            return
        for frame in frames:
            if frame.samples > 0 and frame.sample_rate > 0:
                self._take(frame)

    def _take(self, frame: Any) -> None:
        known = frame.pts is not None and frame.time_base
        stamp = float((frame.pts - self.early) * frame.time_base) if known else None
        if self._held is not None:
            self._collector.add(self._held[1], self._held[0], stamp)
        self._held = stamp, frame

    def finished(self) -> SoundStream:
        if self._held is not None:
            self._collector.add(self._held[1], self._held[0], None)
            self._held = None
        info = self._info()
        arrays = self._collector.channels()
        start_s = self._collector.start_s
        name = info.name
        several = len(arrays) > 1
        names = [f"{name}, channel {k + 1}" if several else name for k in range(len(arrays))]
        sounds = tuple(
            Sound(start_s, self.rate_hz, array, name) for array, name in zip(arrays, names, strict=True)
        )
        return SoundStream(info, sounds, self.faults, tuple(_notes(info, sounds, self.faults, self.said)))

    def _info(self) -> SoundInfo:
        stream, context = self.stream, self.stream.codec_context
        declared = float(stream.duration * stream.time_base) if stream.duration else np.nan
        return SoundInfo(
            file=self.file,
            stream=stream.index,
            title=stream.metadata.get("title") or stream.metadata.get("name", ""),
            codec="unknown" if context is None else context.name,
            rate_hz=0 if context is None else context.sample_rate or 0,
            channels=0 if context is None else context.channels or 0,
            layout="" if context is None else context.layout.name,
            declared_s=declared,
        )


def _notes(info: SoundInfo, sounds: tuple[Sound, ...], faults: SoundFaults, said: list[str]) -> Iterator[str]:
    yield from said
    if not sounds or not len(sounds[0].samples):
        coding = "its coding can't be read" if info.codec == "unknown" else "no sound in it could be decoded"
        yield f"the stream is empty: {coding}"
        return
    if faults.silent:
        yield "the stream is silent throughout"
    if faults.gaps:
        yield f"{faults.gaps} gaps ({faults.gaps_s:.2f} s together) were filled with silence"
    if faults.dropped_s >= 0.01:
        yield f"{faults.dropped_s:.2f} s that the file has twice were left out"
    if faults.not_numbers:
        yield f"{faults.not_numbers} samples of {faults.samples} are no sound (NaN, infinite) and count as silence"
    if faults.clipped > 0.001 * faults.samples:
        yield f"{faults.clipped / faults.samples:.1%} of the samples are at full scale: the recording is clipped"
    if faults.bad_packets:
        yield f"{faults.bad_packets} pieces could not be decoded"
    # a stream that says nothing is given its container's length, from 0 on
    missing_s = info.declared_s - max(sounds[0].duration_s, sounds[0].end_s)
    if missing_s > max(0.5, 0.01 * info.declared_s):
        yield f"the sound ends {missing_s:.1f} s before the file says"
