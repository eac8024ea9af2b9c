"""An opened recording: what it holds, and its pictures with their true presentation times."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error

from vsa.errors import SessionError
from vsa.media.clock import Grid, repaired
from vsa.media.picture import Picture, from_frame, rotated

#: `native` analyses all pictures of recordings up to this rate, and this many a second above it.
NATIVE_CAP_FPS = 30.0
#: Undecodable packets in a row after which the rest is given up.
MAX_BAD_PACKETS = 500
#: A picture smaller than this holds no face that could be measured.
SMALLEST_SIDE = 32


@dataclass(frozen=True)
class MediaInfo:
    """What the container says of a recording; sizes are those of the upright picture with square pixels."""

    name: str
    duration_s: float
    start_s: float
    width: int
    height: int
    fps: float
    codec: str
    pixel_format: str
    rotation_deg: int
    audio_channels: int
    audio_streams: int


@dataclass
class Faults:
    """What went wrong while reading, counted as it happens."""

    bad_packets: int = 0
    repaired_stamps: int = 0
    last_t: float = 0.0
    messages: list[str] = field(default_factory=list)


class Recording:
    """A media file, opened once.

    Parameters
    ----------
    path
        A file with at least one video stream.

    Raises
    ------
    SessionError
        Stage ``media``: the file is missing, empty, no media, cut off before its index, or has no pictures.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults = Faults()
        _check_file(path)
        try:
            self._container = av.open(str(path), mode="r", metadata_errors="ignore")
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SessionError("media", f"{path.name}: {_why_not_opened(path, error)}", _HINT_REMUX) from None
        try:
            self._stream = _picture_stream(self._container, path)
            self._stream.thread_type = "AUTO"
            self._head = self._first_frame()
            self.info = self._probe()
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def pictures(self, fps: float | None = None) -> Iterator[Picture]:
        """Decode the recording from start to end, once.

        Parameters
        ----------
        fps
            Analyse this many pictures a second, chosen by time; None for all, capped at `NATIVE_CAP_FPS`.

        Yields
        ------
        Upright pictures with strictly increasing presentation times.
        """
        if fps is None and self.info.fps > NATIVE_CAP_FPS + 0.5:
            fps = NATIVE_CAP_FPS
        grid = Grid(fps)
        nominal_s = 1.0 / self.info.fps if self.info.fps > 0 else 0.04

        def count() -> None:
            self.faults.repaired_stamps += 1

        stamped = ((_time_of(frame), frame) for frame in self._frames())
        for t, frame in repaired(stamped, nominal_s, count):
            self.faults.last_t = t
            if grid.wants(t):
                yield rotated(from_frame(frame, t, self._aspect), self.info.rotation_deg)

    @property
    def cut_short_s(self) -> float:
        """How much earlier than declared the pictures ended, s; 0 if the recording is whole. Valid after reading."""
        promised = self._promised_end
        if promised is None:
            return 0.0
        missing = promised - self.faults.last_t - 1.0 / max(self.info.fps, 1.0)
        return missing if missing > max(0.5, 0.01 * promised) else 0.0

    def _first_frame(self) -> Any:
        self._source = self._decode()
        head = next(self._source, None)
        if head is None:
            why = self.faults.messages[0] if self.faults.messages else "it holds none"
            raise SessionError(
                "media", f"{self.path.name}: no picture could be decoded ({why}).", _HINT_REMUX
            )
        return head

    def _frames(self) -> Iterator[Any]:
        yield self._head
        self._head = None
        yield from self._source

    def _decode(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        in_a_row = 0
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError) as error:
                self.faults.messages.append(f"reading stopped: {_plain(error)}")
                return
            try:
                for frame in packet.decode():
                    in_a_row = 0
                    yield frame
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, ValueError) as error:
                self.faults.bad_packets += 1
                in_a_row += 1
                if len(self.faults.messages) < 5:
                    self.faults.messages.append(_plain(error))
                if in_a_row > MAX_BAD_PACKETS:
                    self.faults.messages.append("gave up: too many undecodable packets in a row")
                    return

    def _probe(self) -> MediaInfo:
        stream, container, head = self._stream, self._container, self._head
        # `rotation` is counter-clockwise, as FFmpeg's display matrix has it
        rotation = round(-float(head.rotation) / 90.0) * 90 % 360
        self._aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        width = max(2, round(head.width * self._aspect)) if abs(self._aspect - 1) > 0.01 else head.width
        height = head.height
        if rotation in (90, 270):
            width, height = height, width
        if min(width, height) < SMALLEST_SIDE:
            raise SessionError(
                "media",
                f"{self.path.name}: its pictures are {width}x{height} px; no face can be measured below "
                f"{SMALLEST_SIDE} px.",
                "Use the original recording.",
            )
        start = float(stream.start_time * stream.time_base) if stream.start_time is not None else 0.0
        duration, self._promised_end = _duration(container, stream, start)
        audio = container.streams.audio
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate or 0
        return MediaInfo(
            name=self.path.name,
            duration_s=duration,
            start_s=start,
            width=width,
            height=height,
            fps=float(rate),
            codec=stream.codec_context.name,
            pixel_format=head.format.name,
            rotation_deg=rotation,
            audio_channels=sum(s.codec_context.channels for s in audio),
            audio_streams=len(audio),
        )


_HINT_REMUX = "Check that it plays in a video player; if it does, re-save it as MP4 (H.264)."


def _check_file(path: Path) -> None:
    if not path.exists():
        raise SessionError("media", f"{path} does not exist.", "Check the path.")
    if path.is_dir():
        raise SessionError("media", f"{path} is a folder, not a recording.", "Name the files in it.")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise SessionError(
            "media", f"{path.name}: can't be read ({error.strerror}).", "Check its permissions."
        ) from None
    if size == 0:
        raise SessionError(
            "media", f"{path.name} is empty (0 bytes).", "Copy it again from where it was recorded."
        )


def _why_not_opened(path: Path, error: BaseException) -> str:
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"moov", b"free"):
        return "the file is cut off or damaged: the index of the MP4 is missing, so nothing in it can be decoded."
    return f"this is no audio or video file that can be read ({_plain(error)})."


def _plain(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.split(":")[0].split(";")[0].removeprefix("[Errno ").strip()


def _picture_stream(container: Any, path: Path) -> Any:
    streams = [s for s in container.streams.video if not int(s.disposition) & int(_ATTACHED)]
    if not streams:
        kind = "only sound" if container.streams.audio else "no video stream"
        raise SessionError(
            "media", f"{path.name} has {kind}; faces need pictures.", "Give the recording that has the video."
        )
    return max(streams, key=lambda s: s.codec_context.width * s.codec_context.height)


_ATTACHED = av.stream.Disposition.attached_pic


def _time_of(frame: Any) -> float | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def _duration(container: Any, stream: Any, start: float) -> tuple[float, float | None]:
    """Duration of the pictures in s, and when they should end as far as the container promises it."""
    if stream.duration and stream.time_base:
        duration = float(stream.duration * stream.time_base)
        return duration, start + duration
    if container.duration:
        first = (container.start_time or 0) / av.time_base
        return container.duration / av.time_base - max(0.0, start - first), None
    return 0.0, None


def file_size(path: Path) -> int:
    """Size of a file, bytes."""
    return os.stat(path).st_size
