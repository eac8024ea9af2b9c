"""A recording read from the middle gives the pictures and times of one read from its start; or says why it can't."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from people import clip_path
from stores import emptied, in_memory
from variants import marked, write_variant

from vsa.face.follow import CHUNK
from vsa.media.outline import InOneGo, Stretch, outline
from vsa.media.picture import Picture
from vsa.media.reader import ChunkReader, chunk_length
from vsa.media.recording import Recording

SIZE = (160, 120)
PICTURES = 110
X264 = ("libx264", {"preset": "veryfast", "crf": "23", "g": "25"})
X265 = (
    "libx265",
    {"preset": "ultrafast", "x265-params": "log-level=none:keyint=25:min-keyint=25:open-gop=1:bframes=3"},
)
VP8 = ("libvpx", {"b": "300k", "deadline": "realtime", "cpu-used": "8", "g": "25"})
VP9 = ("libvpx-vp9", {"b": "300k", "deadline": "realtime", "cpu-used": "8", "g": "25"})
MPEG4 = ("mpeg4", {"qscale": "4", "g": "25", "bf": "2"})


@dataclass(frozen=True)
class Kind:
    """How a clip is written: container, coder, pictures a second, how irregularly they come, ms."""

    suffix: str = ".mp4"
    coder: tuple[str, dict[str, str]] = X264
    fps: float = 25.0
    jitter_ms: float = 0.0
    start_s: float = 0.0


KINDS = {
    "h264_mp4": Kind(),
    "h264_mkv": Kind(".mkv"),
    "hevc_whose_pictures_lean_on_those_before_the_key_frame": Kind(coder=X265),
    "vp8_webm": Kind(".webm", VP8),
    "vp9_webm": Kind(".webm", VP9),
    "mpeg4_mov": Kind(".mov", MPEG4),
    "variable_rate": Kind(jitter_ms=25),
    "60_fps": Kind(fps=60),
    "60_fps_that_varies": Kind(fps=60, jitter_ms=12),
    "starts_at_100_s": Kind(start_s=100.0),
}


def write(folder: Path, kind: Kind, pictures: int = PICTURES) -> Path:
    path = folder / f"clip{kind.suffix}"
    clock = Fraction(1, 90000)
    rng = np.random.default_rng(2)
    codec, options = kind.coder
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=round(kind.fps), options=dict(options))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000) if codec == "mpeg4" else clock
        for k in range(pictures):
            frame = av.VideoFrame.from_ndarray(marked(k, SIZE), format="rgb24")
            t = kind.start_s + k / kind.fps + rng.uniform(0, kind.jitter_ms) / 1000
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(t / frame.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def seen(pictures: list[Picture]) -> list[tuple[float, int]]:
    """Time and a checksum of all pixels."""
    return [(p.t, zlib.crc32(b"".join(np.ascontiguousarray(x) for x in (p.y, p.u, p.v)))) for p in pictures]


def in_one_go(path: Path, fps: float | None = None) -> list[tuple[float, int]]:
    with Recording(path) as recording:
        return seen(list(recording.pictures(fps)))


def from_key(path: Path, number: int, fps: float | None = None) -> list[tuple[float, int]]:
    """What is read from a key frame (0, 1, ...) to the end."""
    with Recording(path) as recording:
        whole = outline(path, recording.info.video_stream)
        key = int(whole.keys[number])
        stamps = whole.stamps[key:]
        wanted = recording.chosen(whole.stamps, fps)[key:]
        part = Stretch(int(whole.ticks[key]) if key else None, stamps, wanted, 0, len(stamps))
        return seen(list(recording.stretch(part)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_reading_from_any_key_frame_gives_the_same_pictures_at_the_same_times(
    tmp_path: Path, kind: str
) -> None:
    path = write(tmp_path, KINDS[kind])
    every = in_one_go(path)
    with Recording(path) as recording:
        whole = outline(path, recording.info.video_stream)
        chosen = whole.stamps[recording.chosen(whole.stamps)]
    assert len(whole.keys) >= 4
    np.testing.assert_array_equal(chosen, [t for t, _ in every])
    for number in range(len(whole.keys)):
        got = from_key(path, number)
        assert got == [one for one in every if one[0] >= whole.stamps[whole.keys[number]]]
        assert got


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["h264_mp4", "60_fps", "60_fps_that_varies", "variable_rate"])
@pytest.mark.parametrize("fps", [10, 12.5, 24])
def test_pictures_chosen_at_a_rate_are_the_same_from_the_middle(
    tmp_path: Path, kind: str, fps: float
) -> None:
    path = write(tmp_path, KINDS[kind])
    every = in_one_go(path, fps)
    got = from_key(path, 1, fps)
    assert got == every[-len(got) :]
    assert len(got) > 5


@pytest.mark.parametrize("number", [1, 4])
def test_a_phones_clip_is_the_same_from_the_middle(number: int) -> None:
    path = clip_path("face_then_noface_hevc.mov")
    every, got = in_one_go(path), from_key(path, number)
    assert got == every[-len(got) :]
    assert len(got) > 20


def test_a_pause_in_a_slide_show_is_no_reason_to_read_in_one_go(tmp_path: Path) -> None:
    path = write_variant(tmp_path, "gap_of_3s").path
    assert from_key(path, 0) == in_one_go(path)


REASONS = {
    "h264_ts": "container",
    "mpeg4_avi": "container",
    "no_times_h264": "container",
    "h264_flv": "container",
    "mpeg2_mpg": "container",
    "repeated_times": "repair",
}


@pytest.mark.parametrize("name", REASONS)
def test_what_cannot_be_read_from_the_middle_says_why(tmp_path: Path, name: str) -> None:
    path = write_variant(tmp_path, name).path
    with pytest.raises(InOneGo, match=REASONS[name]):
        outline(path, 0)


def test_a_recording_at_an_address_is_read_in_one_go(tmp_path: Path) -> None:
    emptied()
    address = in_memory(write(tmp_path, KINDS["h264_mp4"], 30), "call.mp4")
    with pytest.raises(InOneGo, match="address"):
        outline(address, 0)


def test_a_file_that_ends_early_is_as_short_as_it_is_in_one_go(tmp_path: Path) -> None:
    path = write(tmp_path, KINDS["h264_mkv"])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with Recording(path) as one:
        pictures = list(one.pictures())
    assert one.cut_short_s > 1
    with Recording(path) as recording:
        whole = outline(path, 0)
        part = Stretch(None, whole.stamps, np.ones(len(whole.stamps), bool), 0, len(whole.stamps))
        assert len(list(recording.stretch(part))) == len(pictures)
        recording.was_read(recording.faults, whole.ends_s)
    assert (recording.cut_short_s, recording.read_s) == (one.cut_short_s, one.read_s)


def test_a_picture_that_cannot_be_decoded_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, KINDS["vp8_webm"])
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    place, size = places[70]
    data[place + 4 : place + 4 + size] = b"\xff" * size
    path.write_bytes(data)
    with Recording(path) as recording:
        whole = outline(path, 0)
        stamps = whole.stamps
        if len(list(recording.pictures())) == len(stamps):
            pytest.skip("this decoder makes up for it")
    with Recording(path) as recording, pytest.raises(InOneGo, match="decoded"):
        list(recording.stretch(Stretch(None, stamps, np.ones(len(stamps), bool), 0, len(stamps))))


def test_faults_are_those_of_the_part_that_counts(tmp_path: Path) -> None:
    path = write(tmp_path, KINDS["h264_mp4"])
    with Recording(path) as recording:
        whole = outline(path, 0)
        key = int(whole.keys[1])
        stamps = whole.stamps[key : key + 60]
        part = Stretch(int(whole.ticks[key]), stamps, np.ones(60, bool), 20, 40)
        assert len(list(recording.stretch(part))) == 60
        assert recording.faults.last_t == stamps[39]
    with Recording(path) as recording:
        list(recording.stretch(replace(part, end=60)))
        assert recording.faults.last_t == stamps[59]


@pytest.mark.parametrize("side", [64, 1000, 3000, 9000])
def test_chunks_are_as_long_as_is_said(side: int) -> None:
    luma, chroma = np.zeros((side, side), np.uint8), np.zeros((side // 2, side // 2), np.uint8)
    pictures = [Picture(k / 25, luma, chroma, chroma) for k in range(2 * CHUNK)]
    with ChunkReader(iter(pictures), size=CHUNK, first=64) as chunks:
        first = next(chunks)
    assert [number for number, _ in first] == list(range(64, 64 + chunk_length(pictures[0].nbytes, CHUNK)))
