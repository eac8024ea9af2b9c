"""Files that a study folder holds by accident, each written into a folder that the test gives."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from people import Actor, Image
from variants import write_variant

FPS = 25


def write_pictures(path: Path, pictures: list[Image], **options: str) -> Path:
    """Write (h, w, 3) RGB pictures at 25 a second as H.264 without sound."""
    container_options = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=container_options) as container:
        settings = {"crf": "18", "preset": "ultrafast", **options}
        stream = container.add_stream("libx264", rate=FPS, options=settings)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def portrait(frames: int, size: tuple[int, int] = (640, 480)) -> list[Image]:
    """A public-domain portrait with a slow sway; `size` is width and height."""
    actor = Actor("astronaut", zoom=2.0)
    return [actor.picture(k / FPS, size) for k in range(frames)]


def empty(folder: Path) -> Path:
    """No byte."""
    path = folder / "empty.mp4"
    path.touch()
    return path


def random_bytes(folder: Path, size: int = 100_000, seed: int = 0) -> Path:
    """Noise with a video's name."""
    path = folder / "noise.mp4"
    path.write_bytes(np.random.default_rng(seed).bytes(size))
    return path


def text_named_mp4(folder: Path) -> Path:
    """A note with a video's name."""
    path = folder / "notes.mp4"
    path.write_text("Session notes, 12 March\nThe recording is on the other drive.\n" * 20, encoding="utf-8")
    return path


def truncated(folder: Path, *, seconds: float = 4, kept: float = 0.5) -> Path:
    """An MP4 with its index in front and only the first `kept` share of its bytes: the first part decodes."""
    whole = write_pictures(folder / "truncated.mp4", portrait(round(seconds * FPS)), g="12")
    data = whole.read_bytes()
    whole.write_bytes(data[: round(len(data) * kept)])
    return whole


def index_lost(folder: Path, *, seconds: float = 1) -> Path:
    """An MP4 whose index stood at the end and was never written, as a crashed recorder leaves it."""
    path = folder / "index_lost.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for k, picture in enumerate(portrait(round(seconds * FPS))):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"moov") - 4])
    return path


def audio_only(folder: Path, *, seconds: float = 2) -> Path:
    """A tone and no picture."""
    path = folder / "audio_only.mp4"
    with av.open(str(path), "w") as container:
        _add_tone(container, seconds)
    return path


def with_sound(folder: Path, *, seconds: float = 2) -> Path:
    """A person and a tone: the ordinary case that `no_audio` lacks a half of."""
    path = folder / "with_sound.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "18"})
        video.width, video.height, video.pix_fmt = 640, 480, "yuv420p"
        for k, picture in enumerate(portrait(round(seconds * FPS))):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    silent = folder / "silent.part.mp4"
    path.rename(silent)
    with av.open(str(silent)) as source, av.open(str(path), "w") as container:
        copy = container.add_stream_from_template(source.streams.video[0])
        tone = container.add_stream("aac", rate=48000, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                container.mux(packet)
        _fill_tone(container, tone, seconds)
    silent.unlink()
    return path


def _add_tone(container: av.container.OutputContainer, seconds: float) -> None:
    _fill_tone(container, container.add_stream("aac", rate=48000, layout="mono"), seconds)


def _fill_tone(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    t = np.arange(round(seconds * 48000)) / 48000
    wave = (0.2 * np.sin(2 * np.pi * 220 * t)).astype(np.float32)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def no_audio(folder: Path) -> Path:
    """A person and no sound."""
    return write_pictures(folder / "no_audio.mp4", portrait(50))


def one_frame(folder: Path) -> Path:
    """A single picture of a person."""
    return write_pictures(folder / "one_frame.mp4", portrait(1))


def eight_pixels(folder: Path) -> Path:
    """A video of 8x8 pixels."""
    return write_pictures(folder / "eight_pixels.mp4", portrait(25, (8, 8)))


def eight_k(folder: Path, frames: int = 4) -> Path:
    """A person in 7680x4320, for a few frames."""
    pictures: list[Image] = []
    for small in portrait(frames, (1920, 1080)):
        pictures.append(np.asarray(cv2.resize(small, (7680, 4320), interpolation=cv2.INTER_LINEAR), np.uint8))
    return write_pictures(folder / "eight_k.mp4", pictures)


def good(folder: Path) -> Path:
    """A file with nothing wrong, to stand beside the bad ones."""
    return write_variant(folder, "h264_mp4").path


#: Nothing can be analysed in these.
HOPELESS: dict[str, Callable[[Path], Path]] = {
    "empty": empty,
    "random_bytes": random_bytes,
    "text_named_mp4": text_named_mp4,
    "index_lost": index_lost,
    "audio_only": audio_only,
    "eight_pixels": eight_pixels,
}
#: These are odd, and what is there can be analysed.
ODD: dict[str, Callable[[Path], Path]] = {
    "truncated": truncated,
    "no_audio": no_audio,
    "one_frame": one_frame,
    "eight_k": eight_k,
}
