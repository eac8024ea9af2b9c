"""Files that a study folder holds by accident: one clear line for each, and what can be read is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_files import FPS, HOPELESS, ODD, audio_only, truncated, with_sound
from PIL import Image as Pillow
from variants import marked, number_of, write_variant

from vsa.errors import SessionError
from vsa.media.picture import Picture
from vsa.media.recording import Recording

CLIP_FRAMES = 150
SIZE = (320, 240)
CODERS = {
    ".mp4": ("libx264", {"preset": "ultrafast", "crf": "20", "g": "12"}),
    ".mkv": ("libx264", {"preset": "ultrafast", "crf": "20", "g": "12"}),
    ".ts": ("libx264", {"preset": "ultrafast", "crf": "20", "g": "12"}),
    ".flv": ("libx264", {"preset": "ultrafast", "crf": "20", "g": "12"}),
    ".webm": ("libvpx", {"b": "1M", "deadline": "realtime", "cpu-used": "8", "g": "12"}),
    ".avi": ("mpeg4", {"qscale": "3", "g": "12"}),
}


def refusal(path: Path) -> SessionError:
    """The error that opening gives."""
    with pytest.raises(SessionError) as caught:
        Recording(path)
    error = caught.value
    assert error.stage == "media"
    assert error.exit_code == 3
    assert path.name in error.message
    assert "\n" not in str(error)
    assert error.hint
    return error


def read(path: Path) -> tuple[Recording, list[Picture]]:
    with Recording(path) as recording:
        return recording, list(recording.pictures())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Bytes of a good numbered clip in a container, its index in front."""
    folder = tmp_path_factory.mktemp("whole")
    made: dict[str, bytes] = {}

    def get(suffix: str) -> bytes:
        if suffix not in made:
            path = folder / f"whole{suffix}"
            codec, options = CODERS[suffix]
            container_options = {"movflags": "faststart"} if suffix == ".mp4" else {}
            with av.open(str(path), "w", options=container_options) as container:
                stream = container.add_stream(codec, rate=FPS, options=options)
                stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
                for k in range(CLIP_FRAMES):
                    frame = av.VideoFrame.from_ndarray(marked(k, SIZE), format="rgb24")
                    frame.pts, frame.time_base = k, Fraction(1, FPS)
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
            made[suffix] = path.read_bytes()
        return made[suffix]

    return get


def known(pictures: list[Picture]) -> tuple[np.ndarray, np.ndarray]:
    """Times and drawn numbers of the pictures whose number can be read."""
    pairs = [(p.t, number_of(p.rgb())) for p in pictures]
    readable = [(t, k) for t, k in pairs if k is not None and k < CLIP_FRAMES]
    return np.array([t for t, _ in readable]), np.array([k for _, k in readable])


WORDS = {
    "empty": "empty",
    "random_bytes": "no audio or video file",
    "text_named_mp4": "no audio or video file",
    "index_lost": "index of the MP4 is missing",
    "audio_only": "only sound",
    "eight_pixels": "8x8 px",
}


@pytest.mark.parametrize("name", HOPELESS)
def test_hopeless_file_gives_one_clear_line(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = HOPELESS[name](tmp_path)
    capfd.readouterr()
    assert WORDS[name] in refusal(path).message
    assert capfd.readouterr() == ("", "")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "gone.mp4").message
    assert "folder" in refusal(tmp_path).message
    assert "can't be read" in refusal(tmp_path / ("x" * 300 + ".mp4")).message


def test_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "live.mp4")
    assert "pipe" in refusal(tmp_path / "live.mp4").message


def test_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "locked.mp4"
    path.write_bytes(b"x" * 100)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "permissions" in refusal(path).hint


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tiff", "webp"])
def test_still_picture_is_no_recording(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"slide.{suffix}"
    Pillow.fromarray(marked(0, SIZE)).save(path)
    assert "still picture" in refusal(path).message


def test_animated_gif_is_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "call.gif"
    frames = [Pillow.fromarray(marked(k, SIZE)) for k in range(5)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[100, 200, 100, 300, 100])
    _, pictures = read(path)
    assert [p.t for p in pictures] == pytest.approx([0, 0.1, 0.3, 0.4, 0.7])
    assert [number_of(p.rgb()) for p in pictures] == list(range(5))


def test_text_is_not_rendered_and_playlists_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Session notes\n" * 100, encoding="utf-8")
    good = write_variant(tmp_path, "h264_ts").path
    (tmp_path / "list.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.6,\n{good.name}\n#EXT-X-ENDLIST\n", encoding="utf-8"
    )
    (tmp_path / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile {good.name}\n", encoding="utf-8")
    for name in ("notes.txt", "list.m3u8", "list.ffconcat"):
        assert "no audio or video file" in refusal(tmp_path / name).message


def test_unknown_coding_is_said(tmp_path: Path, whole: Callable[[str], bytes]) -> None:
    path = tmp_path / "odd_coding.mp4"
    path.write_bytes(whole(".mp4").replace(b"avc1", b"zzz1"))
    assert "coding" in refusal(path).message


def test_pictures_that_are_all_noise(tmp_path: Path, whole: Callable[[str], bytes]) -> None:
    data = bytearray(whole(".mp4"))
    start = data.index(b"mdat") + 4
    data[start:] = np.random.default_rng(0).bytes(len(data) - start)
    path = tmp_path / "noise_inside.mp4"
    path.write_bytes(data)
    assert "no picture could be decoded" in refusal(path).message


def test_sound_with_cover_art_is_only_sound(tmp_path: Path) -> None:
    sound = audio_only(tmp_path)
    path = tmp_path / "podcast.mp4"
    with av.open(str(sound)) as source, av.open(str(path), "w") as container:
        copy = container.add_stream_from_template(source.streams.audio[0])
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 320, 320, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        still = av.VideoFrame.from_ndarray(marked(0, (320, 320)), format="rgb24").reformat(format="yuvj420p")
        still.pts, still.time_base = 0, Fraction(1, 1)
        container.mux([*cover.encode(still), *cover.encode(None)])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copy
                container.mux(packet)
    assert "only sound" in refusal(path).message


@pytest.mark.parametrize(("name", "frames"), [("no_audio", 50), ("one_frame", 1), ("eight_k", 4)])
def test_odd_file_is_read_whole(tmp_path: Path, name: str, frames: int) -> None:
    recording, pictures = read(ODD[name](tmp_path))
    assert len(pictures) == frames
    assert recording.info.audio_streams == recording.info.audio_channels == 0
    assert recording.cut_short_s == 0
    assert recording.read_s == pytest.approx(frames / FPS)
    if name == "eight_k":
        assert (recording.info.width, recording.info.height) == (7680, 4320)


def test_sound_beside_the_pictures_is_counted(tmp_path: Path) -> None:
    recording, pictures = read(with_sound(tmp_path))
    assert (recording.info.audio_streams, recording.info.audio_channels) == (1, 1)
    assert len(pictures) == 50


def test_truncated_mp4_gives_what_decodes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = truncated(tmp_path, seconds=4, kept=0.5)
    capfd.readouterr()
    recording, pictures = read(path)
    assert capfd.readouterr() == ("", "")
    assert 25 < len(pictures) < 75
    assert recording.info.duration_s == pytest.approx(4.0)
    assert recording.cut_short_s == pytest.approx(4.0 - len(pictures) / FPS, abs=0.05)
    assert recording.read_s == pytest.approx(len(pictures) / FPS)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", CODERS)
def test_first_half_of_a_file_gives_the_first_half_of_the_call(
    tmp_path: Path, suffix: str, whole: Callable[[str], bytes]
) -> None:
    data = whole(suffix)
    path = tmp_path / f"half{suffix}"
    path.write_bytes(data[: len(data) // 2])
    recording, pictures = read(path)
    t, numbers = known(pictures)
    assert 50 < len(pictures) < 100
    np.testing.assert_array_equal(numbers[:-1], np.arange(len(numbers) - 1))
    np.testing.assert_allclose(t[:-1], numbers[:-1] / FPS, atol=2e-3)
    if suffix == ".ts":  # declares no length
        assert recording.cut_short_s == 0
    elif suffix != ".avi":  # FFmpeg corrects what an AVI declares by the size of the file
        assert recording.cut_short_s == pytest.approx(6.0 - recording.read_s, abs=0.05)


@pytest.mark.parametrize(
    "suffix",
    [pytest.param(s, marks=pytest.mark.slow if s == ".webm" else ()) for s in CODERS if s != ".avi"],
)
def test_damage_in_the_middle_costs_only_what_lies_there(
    tmp_path: Path, suffix: str, whole: Callable[[str], bytes]
) -> None:
    data = bytearray(whole(suffix))
    middle = len(data) // 2
    data[middle - 1500 : middle + 1500] = np.random.default_rng(0).bytes(3000)
    path = tmp_path / f"hurt{suffix}"
    path.write_bytes(data)
    recording, pictures = read(path)
    t, numbers = known(pictures)
    assert len(numbers) > 0.85 * CLIP_FRAMES
    assert numbers[-1] == CLIP_FRAMES - 1
    late = np.abs(t - numbers / FPS)
    assert (late > 2e-3).sum() <= 1  # beside the damage, a picture may repeat the one before
    assert (np.diff(t) > 0).all()
    assert recording.cut_short_s == 0
    missing = CLIP_FRAMES - len(pictures)
    if suffix != ".webm":  # VP8 carries no check by which its decoder could tell
        assert recording.faults.bad_packets + recording.faults.damaged_pictures + missing > 0


def test_damaged_avi_is_read_on(tmp_path: Path, whole: Callable[[str], bytes]) -> None:
    """An AVI holds no times: pictures after the damage come early by those that were lost."""
    data = bytearray(whole(".avi"))
    middle = len(data) // 2
    data[middle - 1500 : middle + 1500] = np.random.default_rng(0).bytes(3000)
    path = tmp_path / "hurt.avi"
    path.write_bytes(data)
    _, numbers = known(read(path)[1])
    assert len(numbers) > 0.85 * CLIP_FRAMES
    assert numbers[-1] == CLIP_FRAMES - 1


def busy_clip(path: Path, frames: int = 100) -> Path:
    """A clip of some MB, so that it is not read at one go."""
    rng = np.random.default_rng(5)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"preset": "ultrafast", "crf": "10", "g": "12"}
        )
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for k in range(frames):
            noise = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert path.stat().st_size > 4_000_000
    return path


def test_file_that_shrinks_while_it_is_read_ends_early(tmp_path: Path) -> None:
    path = busy_clip(tmp_path / "shrinks.mp4", frames=150)
    with Recording(path) as recording:
        pictures = recording.pictures()
        first = [next(pictures) for _ in range(10)]
        os.truncate(path, path.stat().st_size * 2 // 3)
        rest = list(pictures)
    assert 50 < len(first) + len(rest) < 140
    assert recording.cut_short_s == pytest.approx((150 - len(first) - len(rest)) / FPS, abs=0.2)


def test_file_that_is_removed_while_it_is_read(tmp_path: Path) -> None:
    path = busy_clip(tmp_path / "removed.mp4")
    with Recording(path) as recording:
        pictures = recording.pictures()
        next(pictures)
        path.unlink()
        rest = list(pictures)
    assert len(rest) == 99
    assert recording.cut_short_s == 0


def test_a_recording_is_read_once(tmp_path: Path) -> None:
    with Recording(write_variant(tmp_path, "h264_mp4", frames=5).path) as recording:
        assert len(list(recording.pictures())) == 5
        with pytest.raises(RuntimeError, match="open it again"):
            next(recording.pictures())


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm"])
def test_whatever_is_broken_in_a_file_there_is_an_answer(
    tmp_path: Path, suffix: str, whole: Callable[[str], bytes]
) -> None:
    """Random damage, mostly in the header: pictures with rising times, or one clear error."""
    rng = np.random.default_rng(11)
    original = whole(suffix)[:60_000]
    path = tmp_path / f"broken{suffix}"
    answers = {"pictures": 0, "refused": 0}
    for _ in range(60):
        data = bytearray(original)
        for at in rng.integers(len(data) if rng.random() < 0.3 else 1500, size=rng.integers(1, 25)):
            data[at] = rng.integers(256)
        path.write_bytes(data)
        try:
            with Recording(path) as recording:
                t = [p.t for p in recording.pictures(5)]
        except SessionError:
            answers["refused"] += 1
        else:
            assert (np.diff(t) > 0).all()
            assert np.isfinite([recording.read_s, recording.cut_short_s]).all()
            answers["pictures"] += 1
    assert min(answers.values()) > 3
