"""An opened recording: what it holds, and its pictures with their true presentation times."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from vsa.errors import SessionError
from vsa.media.clock import DecodeOrder, Grid, repaired, usual_step_s
from vsa.media.frames import PictureMaker
from vsa.media.info import Faults, MediaInfo
from vsa.media.opening import RESAVE, SMALLEST_SIDE, opened, picture_stream, plain
from vsa.media.outline import InOneGo, Stretch
from vsa.media.picture import Picture
from vsa.media.promised import missing_s, promised_ends
from vsa.media.stream import check, shut
from vsa.study.addresses import Place

#: `native` analyses all pictures of recordings up to this rate, and every second (third, ...) one above it.
NATIVE_CAP_FPS = 30.0
#: Clocks are not exact: a recording at up to this rate counts as one at `NATIVE_CAP_FPS`.
_CAP_FPS = 1.02 * NATIVE_CAP_FPS
#: Packets looked at before decoding starts, to learn the usual time between pictures.
_PEEKED = 64
_PEEKED_BYTES = 16_000_000
#: Pictures larger than this many px are not decoded several at a time: each takes 1.5 bytes a px and more.
_HUGE = 3840 * 2400
_THREADS = min(4, os.cpu_count() or 1)


class Recording:
    """A media file, opened once.

    Parameters
    ----------
    path
        A file with at least one video stream, or its address. Of several, the one is read that the file marks as its
        default, else the largest (see `MediaInfo.video_stream`).

    Raises
    ------
    SessionError
        Stage ``media``: the file is missing, empty, no media, cut off before its index, or has no pictures.
    """

    def __init__(self, path: Place) -> None:
        self.path = path
        self.faults = Faults()
        self._container = opened(path)
        try:
            self._stream = picture_stream(self._container, path)
            context = self._stream.codec_context
            context.thread_count = _THREADS
            context.thread_type = "SLICE" if context.width * context.height > _HUGE else "AUTO"
            self._tick: Fraction = self._stream.time_base
            self._ends_s: dict[int, float] = {}  # by stream: how far its packets reach
            self._peeked: list[Any] = []
            self._promised = promised_ends(self._container, self._stream)
            self._packets: Iterator[Any] = self._demux()
            self._step_s, self._order = self._peek()
            self._source: Iterator[tuple[float | None, Any]] = self._decode()
            first = self._first_frame()
            self._head: tuple[float | None, Any] | None = first
            self._maker = PictureMaker(first[1], float(self._stream.sample_aspect_ratio or 1) or 1.0)
            self.info = self._probe(*first)
        except BaseException:
            shut(self._container)
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        shut(self._container)
        # what is known of it stays; a packet would keep the decoder, and that a quarter of a GB of pictures
        self._peeked, self._head = [], None
        self._packets = self._source = iter(())
        self._container = self._stream = None

    def pictures(self, fps: float | None = None) -> Iterator[Picture]:
        """Decode the recording from start to end; possible once.

        Parameters
        ----------
        fps
            Analyse this many pictures a second, chosen by time; None for all. Of a recording with more than
            `NATIVE_CAP_FPS`, None takes every second (third, ...) picture, as few as bring it under that.

        Yields
        ------
        Upright pictures of one size with strictly increasing presentation times.
        """
        frames = self._frames()
        grid = self._grid(fps)

        def count() -> None:
            self.faults.repaired_stamps += 1

        for t, frame in repaired(frames, self._step_s, count):
            self._look_at(t, frame)
            if grid.wants(t):
                yield self._maker(frame, t)

    def chosen(self, stamps: npt.NDArray[np.float64], fps: float | None = None) -> npt.NDArray[np.bool_]:
        """Which pictures `pictures` gives of a recording whose pictures have these times (s), same shape."""
        grid = self._grid(fps)
        return np.array([grid.wants(t) for t in stamps.tolist()], bool)

    def stretch(self, part: Stretch) -> Iterator[Picture]:
        """Decode a part of the recording, instead of `pictures`; `faults` are those of the part then.

        Raises
        ------
        InOneGo
            The decoder gives other pictures than the packets promise.
        """
        frames = self._frames() if part.tick is None else self._from_key(part.tick, float(part.stamps[0]))
        of_part: Faults | None = None
        for k, (stamp, wanted) in enumerate(zip(part.stamps.tolist(), part.wanted.tolist(), strict=True)):
            t, frame = next(frames, (None, None))
            if t != stamp:
                raise InOneGo("some of its pictures can't be decoded, or come at other times than it says")
            if k == part.start and k:
                self.faults = Faults()
            if k == part.end:
                of_part = replace(self.faults, messages=[*self.faults.messages])
            self._look_at(stamp, frame)
            if wanted:
                yield self._maker(frame, stamp)
        self.faults = of_part or self.faults

    def was_read(self, faults: Faults, ends_s: dict[int, float]) -> None:
        """Take over what others found who read all stretches: what went wrong, and how far each stream reaches, s."""
        self._head, self.faults, self._ends_s = None, faults, ends_s

    @property
    def read_s(self) -> float:
        """Length of what was read, from the first picture to the end of the last, s."""
        return max(0.0, self.faults.last_t - self.info.start_s) + self._step_s

    @property
    def cut_short_s(self) -> float:
        """How much earlier than declared the recording ended, s; 0 if it is whole. Valid after reading.

        Less than half a second or 1% doesn't count. Files that don't declare their length (raw streams, MPEG-TS,
        what a browser records) always look whole.
        """
        reached_s = self.faults.last_t + self._step_s
        return missing_s(self._promised, reached_s, max(reached_s, *self._ends_s.values(), 0.0))

    def _frames(self) -> Iterator[tuple[float | None, Any]]:
        if self._head is None:
            raise RuntimeError("a recording is read once; open it again to read it again")
        frames, self._head = chain([self._head], self._source), None
        return frames

    def _from_key(self, tick: int, stamp: float) -> Iterator[tuple[float | None, Any]]:
        """Frames from a key frame on; where the index leads astray, its packet is looked for from the start."""
        self._head = None
        for place in (tick, 0):
            self._container.seek(place, stream=self._stream)
            for packet in (packets := self._demux()):
                if packet.is_keyframe and packet.pts is not None and packet.pts >= tick:
                    break
            else:
                continue
            if packet.pts == tick:
                self._peeked, self._packets = [packet], packets
                # pictures that lean on those before the key frame come out first, damaged or not at all
                return ((t, frame) for t, frame in self._decode() if t is None or t >= stamp)
        raise InOneGo("its key frames can't be found by their times")

    def _look_at(self, t: float, frame: Any) -> None:
        self.faults.last_t = t
        if frame.is_corrupt:
            self.faults.damaged_pictures += 1
        if self._maker.changes_size(frame):
            self.faults.resized_pictures += 1

    def _grid(self, fps: float | None) -> Grid:
        if fps is None and self.info.fps <= _CAP_FPS:
            return Grid(_CAP_FPS, early_s=0.5)  # a burst of fast pictures may pass, not a long run of them
        rate = fps or self.info.fps / math.ceil(self.info.fps / _CAP_FPS)
        return Grid(rate, early_s=min(0.5 * self._step_s, 0.25 / rate))

    def _demux(self) -> Iterator[Any]:
        """The picture stream's packets; of the other streams, only how far they reach is kept."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                check(self._container)
                return
            except (av.error.FFmpegError, OSError) as error:
                check(self._container)
                self.faults.note(f"reading stopped: {plain(error)}")
                return
            index = packet.stream.index
            if packet.pts is not None and packet.time_base:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self._ends_s[index] = max(self._ends_s.get(index, 0.0), end)
            if index == self._stream.index:
                yield packet

    def _peek(self) -> tuple[float, DecodeOrder | None]:
        """Usual time between pictures, s, and a clock of its own if the file stores only the order of decoding."""
        size = 0
        for packet in self._packets:
            self._peeked.append(packet)
            size += packet.size
            if len(self._peeked) >= _PEEKED or size > _PEEKED_BYTES:
                break
        stamps = [p.pts if p.pts is not None else p.dts for p in self._peeked]
        step = usual_step_s([t for stamp in stamps if (t := self._seconds(stamp)) is not None])
        if step is None:
            rate = self._stream.average_rate or self._stream.guessed_rate or 25
            step = 1.0 / float(rate)
        return step, DecodeOrder() if self._container.format.name == "avi" else None

    def _decode(self) -> Iterator[tuple[float | None, Any]]:
        """Frames in the order of presentation, with their stamps in s as far as there are any."""
        for packet in chain(self._peeked, self._packets):
            if self._order is not None:
                self._order.sent(packet.dts)
            try:
                frames = packet.decode()
            except av.error.EOFError:
                check(self._container)
                return
            except (av.error.FFmpegError, ValueError) as error:
                self.faults.bad_packets += 1
                self.faults.note(plain(error))
                continue
            for frame in frames:
                stamp = frame.pts if self._order is None else self._order.stamp(frame.dts)
                yield self._seconds(stamp), frame

    def _seconds(self, stamp: int | None) -> float | None:
        return None if stamp is None else stamp * self._tick.numerator / self._tick.denominator

    def _first_frame(self) -> tuple[float | None, Any]:
        head = next(self._source, None)
        if head is None:
            why = self.faults.messages[0] if self.faults.messages else "it holds none"
            raise SessionError("media", f"{self.path.name}: no picture could be decoded ({why}).", RESAVE)
        return head

    def _probe(self, start: float | None, frame: Any) -> MediaInfo:
        stream, audio = self._stream, self._container.streams.audio
        width, height = self._maker.size
        if min(width, height) < SMALLEST_SIDE:
            raise SessionError(
                "media",
                f"{self.path.name}: its pictures are {width}x{height} px; no face can be measured below "
                f"{SMALLEST_SIDE} px.",
                "Use the original recording.",
            )
        return MediaInfo(
            name=self.path.name,
            duration_s=self._declared_s(start or 0.0),
            start_s=start or 0.0,
            width=width,
            height=height,
            fps=1.0 / self._step_s,
            codec=stream.codec_context.name,
            pixel_format=frame.format.name,
            rotation_deg=self._maker.turn.clockwise_deg,
            mirrored=self._maker.turn.mirrored,
            audio_channels=sum(s.codec_context.channels for s in audio if s.codec_context is not None),
            audio_streams=len(audio),
            video_stream=stream.index,
            video_streams=len(self._container.streams.video),
        )

    def _declared_s(self, start: float) -> float:
        promised = next((end for end in self._promised if end is not None), None)
        if promised is not None:
            return promised - start
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        return math.nan
