"""Recordings and sound files with known voices, as calls, recorders and accidents leave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr
from extraction import Extracted
from numpy.typing import NDArray
from people import Image

from vsa.media.recording import Recording
from vsa.study.voice_table import read_voice

Samples = NDArray[np.float32]
RATE_HZ = 16_000
_FORMATS = {"flac": "s16", "pcm_s16le": "s16", "pcm_mulaw": "s16", "pcm_f32le": "flt", "aac": "flt"}
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True)
class Stream:
    """One audio stream of a file to be written.

    Attributes
    ----------
    samples
        (n,) or (channels, n), full scale 1.
    start_s
        Presentation time of the first, s.
    title
        What the file calls the stream.
    rate_hz, codec
        Of samples and file.
    """

    samples: Samples
    start_s: float = 0.0
    title: str = ""
    rate_hz: int = RATE_HZ
    codec: str = "flac"

    def packets(self, container: Any) -> Iterator[Any]:
        """Add the stream to a container, then (on the first `next`) its packets."""
        x = np.atleast_2d(np.asarray(self.samples, np.float32))
        layout = _LAYOUTS[len(x)]
        stream = container.add_stream(self.codec, rate=self.rate_hz, layout=layout)
        if self.title:
            stream.metadata["title"] = self.title
        yield None
        kind, first = _FORMATS[self.codec], round(self.start_s * self.rate_hz)
        for at in range(0, x.shape[1], self.rate_hz):
            block = x[:, at : at + self.rate_hz].T.reshape(1, -1)
            if kind == "s16":
                block = (np.clip(block, -1, 1) * 32767).round().astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format=kind, layout=layout)
            frame.sample_rate, frame.pts = self.rate_hz, first + at
            frame.time_base = Fraction(1, self.rate_hz)
            yield from stream.encode(frame)
        yield from stream.encode(None)


def write_film(
    path: Path, *streams: Stream, seconds: float = 0.0, pictures: Path | None = None, start_s: float = 0.0
) -> Path:
    """Write a recording: the given sound under the pictures of another film, or under a small one of nobody.

    Without `pictures`, one picture a second of noise on grey, from `start_s` on.
    """
    with av.open(str(path), "w") as container:
        source = None if pictures is None else av.open(str(pictures))
        if source is None:
            video = container.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
            video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        else:
            video = container.add_stream_from_template(source.streams.video[0])
        sounds = [stream.packets(container) for stream in streams]
        for sound in sounds:
            next(sound)
        if source is None:
            container.mux(list(_nobody(video, round(seconds), start_s)))
        else:
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = video
                    container.mux(packet)
            source.close()
        for sound in sounds:
            container.mux(list(sound))
    return path


def write_changed(
    path: Path, film: Path, change: Callable[[Image], Image], *streams: Stream, from_s: float = 0.0
) -> Path:
    """Write the pictures of a film changed, the given sound under them; `from_s` of the film becomes 0."""
    with Recording(film) as recording, av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "18"})
        video.pix_fmt = "yuv420p"
        sounds = [stream.packets(container) for stream in streams]
        for sound in sounds:
            next(sound)
        for picture in recording.pictures():
            if picture.t < from_s:
                continue
            pixels = np.ascontiguousarray(change(picture.rgb()))
            if not video.codec_context.is_open:
                video.height, video.width = pixels.shape[:2]
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(1000 * (picture.t - from_s)), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for sound in sounds:
            container.mux(list(sound))
    return path


def write_sound(path: Path, *streams: Stream) -> Path:
    """Write a file without pictures."""
    with av.open(str(path), "w") as container:
        sounds = [stream.packets(container) for stream in streams]
        for sound in sounds:
            next(sound)
        for sound in sounds:
            container.mux(list(sound))
    return path


def spoil_sound(path: Path, seed: int = 0) -> Path:
    """Overwrite every sound packet of a file with noise; its pictures and its index stay whole."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for at, size in places:
        data[at : at + size] = rng.bytes(size)
    path.write_bytes(data)
    return path


def other_clock(samples: Samples, *, early_s: float = 0.0, drift_ppm: float = 0.0) -> Samples:
    """What another recorder keeps of the same sound.

    It was started `early_s` before the recording (after it, if negative), and its clock is slow by `drift_ppm`: its
    time plus `-early_s` plus the drift is the recording's.
    """
    first = round(early_s * RATE_HZ)
    moved = np.pad(samples, (max(0, first), 0))[max(0, -first) :]
    if not drift_ppm:
        return moved
    return np.asarray(soxr.resample(moved.astype(np.float64), 1 + drift_ppm * 1e-6, 1.0, "VHQ"), np.float32)


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """At another rate; (n,) or (channels, n)."""
    return np.asarray(soxr.resample(samples.T, from_hz, to_hz).T, np.float32)


def says(got: Extracted, who: str, spoken: Iterable[Sequence[float]]) -> tuple[float, float]:
    """How a voice of ``voice.parquet`` agrees with the stretches (start, end; s) in which its person spoke.

    Returns
    -------
    The share of the spoken time in which it speaks, and the share of the time in which it speaks that was spoken.
    """
    voice = read_voice(got.folder / "voice.parquet")
    mine = voice[voice.participant == who]
    t = mine.t.to_numpy() + 0.005
    truth = np.any([(t >= start) & (t < end) for start, end in spoken], axis=0)
    found = mine.speaking.fillna(False).to_numpy(bool)
    both = np.count_nonzero(truth & found)
    return both / max(1, np.count_nonzero(truth)), both / max(1, np.count_nonzero(found))


def _nobody(video: Any, count: int, start_s: float) -> Iterator[Any]:
    noise = np.random.default_rng(0)
    for k in range(count):
        picture: Image = noise.integers(100, 130, (180, 320, 3), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = round(1000 * (start_s + k)), Fraction(1, 1000)
        yield from video.encode(frame)
    yield from video.encode(None)
