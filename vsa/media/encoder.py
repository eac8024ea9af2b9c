"""Writing pictures to an MP4 file, each with its own presentation time, and sound beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import cv2
import numpy as np

from vsa.errors import SessionError
from vsa.media.picture import Bytes
from vsa.media.sound_encoder import SoundTrack, TrackEncoder

_CRF = 20
#: Encoders by preference, with their settings and ticks a second (MPEG-4 allows no finer ones). FFmpeg builds without
#: GPL parts lack the first.
_ENCODERS: tuple[tuple[str, dict[str, str], int], ...] = (
    ("libx264", {"crf": str(_CRF), "preset": "veryfast"}, 90_000),
    ("mpeg4", {}, 60_000),
)
_BT601 = 6


class Encoder:
    """An MP4 file (H.264, or MPEG-4 where H.264 can't be written; AAC); it is complete or absent.

    Parameters
    ----------
    path
        The file; it is written beside and renamed into place by `close`.
    width, height
        Of the pictures, px; odd sizes grow by one.
    fps
        Nominal rate.
    sound
        A stream for each; they are written whole, however long the pictures last. Silent without any.
    crf
        How much is lost to compression: 0 nothing, 20 little, 40 a lot; six more are half the bits. None: 20.
    notes
        What the file says of itself (``title``, ``comment``).

    Raises
    ------
    SessionError
        Stage ``write``: here and in `add` and `close`, when the file can't be written.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: float,
        sound: Sequence[SoundTrack] = (),
        *,
        crf: int | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.part")
        name, options, ticks = _encoder()
        self.codec = name
        self._tick = Fraction(1, ticks)
        self._size = (width + width % 2, height + height % 2)
        self._last = -1
        try:
            self._container: Any = av.open(str(self._part), "w", format="mp4")
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from None
        self._container.metadata.update(notes or {})
        if crf is not None and "crf" in options:
            options = {**options, "crf": str(crf)}
        rate = Fraction(fps if 0 < fps <= 240 else 25).limit_denominator(1001)
        stream: Any = self._container.add_stream(name, rate=rate, options=options)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = self._tick
        stream.codec_context.colorspace = _BT601  # what the conversion below makes
        if "crf" not in options:
            stream.bit_rate = int(
                0.15 * width * height * rate * 2 ** ((_CRF - (_CRF if crf is None else crf)) / 6)
            )
        self._stream = stream
        try:
            self._sound = [TrackEncoder(self._container, track) for track in sound]
        except SessionError:
            self.discard()
            raise

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def add(self, rgb: Bytes, t: float) -> None:
        """Append an RGB picture (height, width, 3) that is shown from `t` (s) on; times rise."""
        high, wide = self._size[1] - rgb.shape[0], self._size[0] - rgb.shape[1]
        if high or wide:
            rgb = np.pad(rgb, ((0, high), (0, wide), (0, 0)), mode="edge")
        yuv: Any = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(yuv, format="yuv420p")
        self._last = max(self._last + 1, round(t / self._tick))
        frame.pts, frame.time_base = self._last, self._tick
        self._write(frame, t)

    def close(self) -> None:
        """Finish the file and put it in place."""
        self._write(None, math.inf)
        try:
            self._container.close()
            self._part.replace(self.path)
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise self._failed(error) from None

    def discard(self) -> None:
        """Give up: nothing of the file is left."""
        with suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _write(self, frame: Any, until_s: float) -> None:
        try:
            for packet in self._packets(frame, until_s):
                self._container.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise self._failed(error) from None

    def _packets(self, frame: Any, until_s: float) -> Iterator[Any]:
        yield from self._stream.encode(frame)
        for track in self._sound:
            yield from track.packets(until_s)

    def _failed(self, error: BaseException) -> SessionError:
        why = getattr(error, "strerror", None) or str(error)
        return SessionError(
            "write", f"{self.path}: can't be written ({why}).", "Check the folder, its permissions and space."
        )


def _encoder() -> tuple[str, dict[str, str], int]:
    for entry in _ENCODERS:
        try:
            av.codec.Codec(entry[0], "w")
        except av.codec.codec.UnknownCodecError:
            continue
        return entry
    raise SessionError(
        "write", "This PyAV can write neither H.264 nor MPEG-4.", "Reinstall PyAV: pip install av"
    )
