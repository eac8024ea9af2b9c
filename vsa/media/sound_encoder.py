"""Sound of a file that is being written: samples to AAC, a little at a time, beside the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from vsa.errors import SessionError

Floats = npt.NDArray[np.float32]

_CODEC = "aac"
_FRAME = 1024  # samples of an AAC frame
#: Rates that AAC knows, Hz.
RATES_HZ: tuple[int, ...] = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_LAYOUTS = {1: "mono", 2: "stereo"}
_BITS_PER_SAMPLE = 4  # and channel; AAC allows at most 6


@dataclass(frozen=True)
class SoundTrack:
    """Sound for one stream.

    Attributes
    ----------
    samples
        float32 (n,) mono or (2, n) stereo, full scale 1; what lies beyond is clipped, and what is no number is silence.
    rate_hz
        One of `RATES_HZ`.
    start_s
        Presentation time of sample 0, s; not negative.
    title
        What the file calls the stream; empty for nothing.
    """

    samples: Floats
    rate_hz: int
    start_s: float = 0.0
    title: str = ""


class TrackEncoder:
    """One stream of an open PyAV container, encoded as far as it is asked for.

    Parameters
    ----------
    container
        Open for writing, before its first packet.
    track
        What to write.

    Raises
    ------
    SessionError
        Stage ``write``: this sound can't be written as AAC, or this PyAV can't write AAC.
    """

    def __init__(self, container: Any, track: SoundTrack) -> None:
        self._samples = _checked(track)
        self._rate_hz = track.rate_hz
        self._start = round(track.start_s * track.rate_hz)
        self._done = 0
        self._layout = _LAYOUTS[len(self._samples)]
        try:
            self._stream = container.add_stream(_CODEC, rate=track.rate_hz, layout=self._layout)
        except av.codec.codec.UnknownCodecError:
            raise SessionError(
                "write", "This PyAV can't write AAC sound.", "Reinstall PyAV: pip install av"
            ) from None
        self._stream.bit_rate = _BITS_PER_SAMPLE * track.rate_hz * len(self._samples)
        if track.title:
            self._stream.metadata["title"] = track.title

    def packets(self, until_s: float = np.inf) -> Iterator[Any]:
        """What is next to be muxed, up to the presentation time `until_s`; without it all the rest, and the end."""
        n = self._samples.shape[1]
        while self._done < n and (self._start + self._done) / self._rate_hz <= until_s:
            block = np.ascontiguousarray(self._samples[:, self._done : self._done + _FRAME])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=self._layout)
            frame.sample_rate = self._rate_hz
            frame.pts, frame.time_base = self._start + self._done, Fraction(1, self._rate_hz)
            self._done += block.shape[1]
            yield from self._stream.encode(frame)
        if until_s == np.inf:
            yield from self._stream.encode(None)


def _checked(track: SoundTrack) -> Floats:
    samples = np.atleast_2d(np.asarray(track.samples, np.float32))
    wrong = ""
    if samples.ndim != 2 or len(samples) not in _LAYOUTS or not samples.shape[1]:
        wrong = f"the samples have the shape {np.shape(track.samples)}, not (n,) or (2, n)"
    elif track.rate_hz not in RATES_HZ:
        wrong = f"AAC has no rate of {track.rate_hz} Hz"
    elif not 0 <= track.start_s < np.inf:
        wrong = f"it would start at {track.start_s} s"
    if wrong:
        rates = ", ".join(map(str, RATES_HZ))
        raise SessionError(
            "write",
            f"The sound can't be written: {wrong}.",
            f"Give one or two channels at one of {rates} Hz, from 0 s or later.",
        )
    return np.clip(np.nan_to_num(samples, posinf=0.0, neginf=0.0), -1, 1)
