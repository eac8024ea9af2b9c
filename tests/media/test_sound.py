"""Sound comes at its true time, whatever the file's coding, and what is wrong with it is said."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_files import HOPELESS, no_audio
from numpy.typing import NDArray
from people import clip_path

from vsa.errors import SessionError
from vsa.media.pcm import PcmWriter
from vsa.media.samples import SampleClock
from vsa.media.sound import RATE_HZ, SoundStream, read_sound

Samples = NDArray[np.float32]
BURSTS_S = (0.7, 1.9, 2.6)


def bursts(rate: int, seconds: float = 3.2, at: Sequence[float] = BURSTS_S) -> Samples:
    """Short tones of 600 Hz, each with its middle at a known time."""
    t = np.arange(round(seconds * rate)) / rate
    return sum(0.4 * np.exp(-(((t - s) / 0.01) ** 2)) * np.cos(2 * np.pi * 600 * (t - s)) for s in at).astype(
        np.float32
    )


def middles(samples: Samples, start_s: float = 0.0) -> list[float]:
    """Times of the middle of each burst."""
    energy = np.convolve(np.asarray(samples, np.float64) ** 2, np.hanning(641), "same")
    found = []
    for _ in range(20):
        k = int(energy.argmax())
        if energy[k] < 0.5:
            break
        around = slice(max(0, k - 800), k + 800)
        weight = energy[around]
        found.append(
            start_s + float((np.arange(len(energy))[around] * weight).sum() / weight.sum()) / RATE_HZ
        )
        energy[around] = 0
    return sorted(found)


Piece = tuple[float, Samples]  # presentation time, (channels, n)


def write(
    path: Path,
    streams: Sequence[Sequence[Piece]],
    rate: int,
    codec: str,
    layout: str = "mono",
    titles: str = "",
) -> Path:
    """Write streams of pieces, each at its own presentation time."""
    with av.open(str(path), "w") as container:
        made = []
        for k in range(len(streams)):
            stream = container.add_stream(codec, rate=rate, layout=layout)
            if titles:
                stream.metadata["title"] = titles[k]
            made.append(stream)
        for stream, pieces in zip(made, streams, strict=True):
            form = stream.codec_context.format.name
            for start, sound in pieces:
                resampler = av.AudioResampler(
                    form, layout, rate, frame_size=stream.codec_context.frame_size or 960
                )
                whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=layout)
                whole.sample_rate, whole.pts, whole.time_base = rate, 0, Fraction(1, rate)
                at = round(start * rate)
                for frame in [*resampler.resample(whole), *resampler.resample(None)]:
                    frame.pts, frame.time_base = at, Fraction(1, rate)
                    at += frame.samples
                    container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def read_one(path: Path) -> SoundStream:
    (stream,) = read_sound(path)
    return stream


CODINGS = {
    "16-bit": ("a.wav", "pcm_s16le", 48_000),
    "24-bit": ("a.wav", "pcm_s24le", 48_000),
    "float": ("a.wav", "pcm_f32le", 44_100),
    "double": ("a.wav", "pcm_f64le", 96_000),
    "8-bit": ("a.wav", "pcm_u8", 22_050),
    "telephone": ("a.wav", "pcm_mulaw", 8_000),
    "flac": ("a.flac", "flac", 44_100),
    "aac": ("a.mp4", "aac", 48_000),
    "aac 44.1": ("a.m4a", "aac", 44_100),
    "opus": ("a.webm", "libopus", 48_000),
    "mp3": ("a.mp3", "libmp3lame", 44_100),
    "16 kHz": ("a.wav", "pcm_s16le", 16_000),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_sound_keeps_its_time_and_level_in_every_coding(tmp_path: Path, coding: str) -> None:
    name, codec, rate = CODINGS[coding]
    try:
        path = write(tmp_path / name, [[(0.0, bursts(rate)[None])]], rate, codec)
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this PyAV writes no {codec}")
    stream = read_one(path)
    (sound,) = stream.channels
    assert sound.rate_hz == RATE_HZ
    assert sound.samples[:].dtype == np.float32
    np.testing.assert_allclose(middles(sound.samples, sound.start_s), BURSTS_S, atol=0.0015)
    assert sound.end_s == pytest.approx(3.2, abs=0.06)  # coders fill their last block
    assert np.abs(sound.samples).max() == pytest.approx(0.4, rel=0.1)
    assert stream.info.rate_hz == rate
    assert stream.notes == ()


def test_stereo_keeps_both_channels_and_surround_becomes_one(tmp_path: Path) -> None:
    left, right = bursts(48_000, at=[0.5]), bursts(48_000, at=[1.5])
    stereo = read_one(
        write(tmp_path / "s.wav", [[(0, np.stack([left, right]))]], 48_000, "pcm_s16le", "stereo")
    )
    for channel, at in zip(stereo.channels, (0.5, 1.5), strict=True):
        assert middles(channel.samples) == pytest.approx([at], abs=0.001)
    mixed = stereo.mixed()
    assert mixed is not None
    assert middles(mixed.samples) == pytest.approx([0.5, 1.5], abs=0.001)
    assert np.abs(mixed.samples).max() == pytest.approx(0.2, rel=0.01)
    parts = np.zeros((6, len(left)), np.float32)  # left, right, centre, low, back left, back right
    parts[2], parts[3] = left, right
    surround = read_one(write(tmp_path / "c.flac", [[(0, parts)]], 48_000, "flac", "5.1"))
    (one,) = surround.channels
    assert surround.info.channels == 6
    assert middles(one.samples) == pytest.approx([0.5], abs=0.001)  # the low-frequency channel is no voice


def test_microphones_that_the_file_does_not_place_are_kept(tmp_path: Path) -> None:
    sound = np.stack([bursts(16_000, at=[at]) for at in (0.5, 1.0, 1.5)])
    with wave.open(str(tmp_path / "three.wav"), "wb") as file:
        file.setnchannels(3)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((sound.T * 32767).astype("<i2").tobytes())
    stream = read_one(tmp_path / "three.wav")
    assert len(stream.channels) in (1, 3)  # FFmpeg may call three channels a surround layout
    if len(stream.channels) == 3:
        found = [middles(channel.samples)[0] for channel in stream.channels]
        assert found == pytest.approx([0.5, 1.0, 1.5], abs=0.001)


@pytest.mark.parametrize(
    ("name", "codec"), [("late.mkv", "pcm_s16le"), ("late.webm", "libopus"), ("late.mp4", "aac")]
)
def test_a_stream_that_starts_late_starts_late(tmp_path: Path, name: str, codec: str) -> None:
    early, late = bursts(48_000)[None], bursts(48_000, at=[1.0])[None]
    streams = read_sound(
        write(tmp_path / name, [[(0.0, early)], [(3.0, late)]], 48_000, codec, titles=["me", "you"])
    )
    first, second = (stream.channels[0] for stream in streams)
    np.testing.assert_allclose(middles(first.samples, first.start_s), BURSTS_S, atol=0.002)
    assert second.start_s == pytest.approx(3.0, abs=0.03)
    assert middles(second.samples, second.start_s) == pytest.approx([4.0], abs=0.002)
    if name.endswith("mkv"):
        assert [stream.info.title for stream in streams] == ["me", "you"]


def test_a_gap_becomes_silence_and_what_follows_keeps_its_time(tmp_path: Path) -> None:
    pieces = [(0.0, bursts(48_000, 2.0, [1.0])[None]), (4.5, bursts(48_000, 2.0, [1.0])[None])]
    stream = read_one(write(tmp_path / "gap.mkv", [pieces], 48_000, "pcm_s16le"))
    (sound,) = stream.channels
    assert middles(sound.samples) == pytest.approx([1.0, 5.5], abs=0.002)
    assert np.abs(sound.samples[round(2.1 * RATE_HZ) : round(4.4 * RATE_HZ)]).max() < 1e-4
    assert stream.faults.gaps == 1
    assert stream.faults.gaps_s == pytest.approx(2.5, abs=0.01)
    assert any("2.50 s" in note for note in stream.notes)


def placed(stamps: Sequence[float | None], length_s: float = 0.02) -> tuple[NDArray[np.float64], float]:
    """Where pieces of equal length end up, and the total of what was filled in or left out."""
    clock = SampleClock(stamps[0] or 0.0)
    at, out, moved = stamps[0] or 0.0, [], 0.0
    for stamp, after in zip(stamps, [*stamps[1:], None], strict=True):
        correction = clock.place(stamp, after, length_s)
        at, moved = at + correction, moved + abs(correction)
        out.append(at)
        at += length_s
    return np.array(out), moved


def test_stamps_that_jitter_move_nothing() -> None:
    true = np.arange(1000) * 0.02
    jitter = np.random.default_rng(0).uniform(-0.015, 0.015, 1000)
    jitter[0] = 0.0
    at, moved = placed(list(true + jitter))
    assert moved == 0
    np.testing.assert_allclose(at, true, atol=1e-9)


def test_a_clock_that_drifts_is_followed_within_some_milliseconds() -> None:
    true = np.arange(30_000) * 0.02 * (1 + 200e-6)  # 10 minutes, 0.12 s of drift
    at, moved = placed(list(true))
    assert np.abs(at - true).max() < 0.009
    assert moved == pytest.approx(0.12, abs=0.01)


def test_one_wrong_stamp_and_a_clock_set_back_are_not_believed() -> None:
    true: list[float | None] = list(np.arange(200) * 0.02)
    true[50], true[80] = 3600.0, None
    at, moved = placed(true)
    assert moved == 0
    assert at[-1] == pytest.approx(199 * 0.02)
    back = [*np.arange(100) * 0.02 + 1000, *np.arange(100) * 0.02]
    at, moved = placed(back)
    assert moved == 0
    assert at[-1] == pytest.approx(1000 + 199 * 0.02)


def test_sound_that_the_file_has_twice_is_left_out() -> None:
    stamps = [*np.arange(100) * 0.02, *(1.7 + np.arange(100) * 0.02)]
    at, _ = placed(stamps)
    np.testing.assert_allclose(at[100:], stamps[100:], atol=1e-9)


def test_samples_that_are_no_numbers_become_silence_and_are_counted(tmp_path: Path) -> None:
    sound = bursts(16_000)
    sound[1000:1010], sound[2000], sound[3000], sound[4000] = np.nan, np.inf, -np.inf, 1e30
    header = b"RIFF\0\0\0\0WAVEfmt " + (16).to_bytes(4, "little")
    form = (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + (16_000).to_bytes(4, "little")
    form += (64_000).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    data = sound.astype("<f4").tobytes()
    (tmp_path / "nan.wav").write_bytes(header + form + b"data" + len(data).to_bytes(4, "little") + data)
    stream = read_one(tmp_path / "nan.wav")
    (channel,) = stream.channels
    assert np.isfinite(channel.samples).all()
    assert np.abs(channel.samples).max() < 0.41
    assert stream.faults.not_numbers == 13
    assert middles(channel.samples) == pytest.approx(BURSTS_S, abs=0.001)
    assert any("13 samples" in note for note in stream.notes)


def test_silent_and_clipped_recordings_are_said(tmp_path: Path) -> None:
    silent = write(tmp_path / "silent.wav", [[(0, np.zeros((1, 16_000), np.float32))]], 16_000, "pcm_s16le")
    assert "the stream is silent throughout" in read_one(silent).notes
    constant = write(tmp_path / "dc.wav", [[(0, np.full((1, 16_000), 0.5, np.float32))]], 16_000, "pcm_s16le")
    assert "the stream is silent throughout" in read_one(constant).notes
    loud = np.clip(8 * np.sin(np.arange(16_000) / 7), -1, 1).astype(np.float32)[None]
    clipped = read_one(write(tmp_path / "loud.wav", [[(0, loud)]], 16_000, "pcm_s16le"))
    assert any("clipped" in note for note in clipped.notes)


def test_a_file_without_sound_gives_no_streams(tmp_path: Path) -> None:
    assert read_sound(no_audio(tmp_path)) == []


@pytest.mark.parametrize("kind", sorted(set(HOPELESS) - {"audio_only", "eight_pixels"}))
def test_files_that_hold_no_media_are_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SessionError) as caught:
        read_sound(HOPELESS[kind](tmp_path))
    assert caught.value.stage == "media"
    assert "\n" not in str(caught.value)


def test_an_empty_stream_is_there_and_says_so(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    stream = read_one(tmp_path / "empty.wav")
    assert not stream.heard
    assert any("empty" in note for note in stream.notes)


def test_a_damaged_and_a_cut_file_give_what_is_left_at_its_time(tmp_path: Path) -> None:
    sound = bursts(48_000, 20.0, np.arange(1, 20))
    path = write(tmp_path / "whole.mka", [[(0, sound[None])]], 48_000, "aac")
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(1)
    middle = len(data) // 2
    data[middle : middle + 3000] = rng.bytes(3000)
    (tmp_path / "damaged.mka").write_bytes(data)
    (channel,) = read_one(tmp_path / "damaged.mka").channels
    found = np.array(middles(channel.samples, channel.start_s))
    right = np.abs(found - np.round(found)) < 0.003
    assert right.sum() >= 13  # a cluster of 5 s is gone; the rest is where it was, also behind it
    assert {1.0, 5.0, 17.0, 19.0} <= set(np.round(found[right]))
    assert right.mean() > 0.9
    whole = write(tmp_path / "whole.wav", [[(0, sound[None])]], 48_000, "pcm_s16le").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    cut = read_one(tmp_path / "cut.wav")
    assert cut.channels[0].duration_s == pytest.approx(10.0, abs=0.01)


def test_real_clips_are_read_as_ffmpeg_has_them() -> None:
    path = clip_path("talking_woman_512.mp4")  # 16 kHz already: sample for sample
    with av.open(str(path)) as container:
        whole = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    stream = read_one(path)
    assert len(stream.channels) == 2
    for channel, stored in zip(stream.channels, whole, strict=True):
        kept = channel.samples[: len(stored)]  # as 16-bit numbers
        np.testing.assert_allclose(kept, stored[: len(kept)], atol=0.51 / 32768)
    meeting = read_one(clip_path("meeting_dev00.wav"))
    assert meeting.channels[0].duration_s == pytest.approx(30.0, abs=0.001)
    late = read_one(clip_path("face_then_noface_hevc.mov"))
    assert late.channels[0].start_s == pytest.approx(2.43, abs=0.001)  # its sound begins after its picture


def test_memory_holds_the_result_and_little_more(tmp_path: Path) -> None:
    seconds, rate = 300, 44_100
    piece = (np.random.default_rng(0).standard_normal((rate, 2)) * 3000).astype("<i2").tobytes()
    with wave.open(str(tmp_path / "long.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        for _ in range(seconds):
            file.writeframesraw(piece)
    code = (
        "import sys, resource\nfrom pathlib import Path\nimport soxr\nfrom vsa.media.sound import read_sound\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = peak()\n(stream,) = read_sound(Path(sys.argv[1]))\n"
        "print(peak() - before, len(stream.channels[1].samples))\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "long.wav"], capture_output=True, text=True, check=True
    )
    grown_mb, samples = (float(word) for word in out.stdout.split())
    assert samples == seconds * RATE_HZ
    assert grown_mb < 2 * 4 * samples / 2**20 + 30


@pytest.mark.parametrize("in_memory", [1, 100_000, 10**9])
def test_long_sound_is_the_same_on_disk_as_in_memory(in_memory: int) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(-32768, 32768, 400_001).astype(np.int16)
    writer = PcmWriter(in_memory)
    for piece in np.array_split(numbers, np.sort(rng.integers(0, len(numbers), 20))):
        writer.add(piece)
    sound = writer.finished()
    whole = numbers / np.float32(32768)
    assert len(sound) == len(whole)
    np.testing.assert_array_equal(sound[:], whole)
    for first, last in np.sort(rng.integers(0, len(whole) + 1, (100, 2)), axis=1):
        np.testing.assert_array_equal(sound[first:last], whole[first:last])
    np.testing.assert_array_equal(sound[len(whole) - 5 : len(whole) + 5], whole[-5:])
    padded = sound.padded(7, len(whole) + 20)[:]
    np.testing.assert_array_equal(padded[7:-13], whole)
    assert not padded[:7].any()
    assert not padded[-13:].any()


def test_what_lies_on_disk_can_not_be_read_as_sound() -> None:
    tone = np.full(1 << 17, 12345, np.int16)
    writer = PcmWriter(in_memory=1)
    writer.add(tone)
    file = writer._disk._file  # type: ignore[union-attr]
    stored = np.frombuffer(os.pread(file.fileno(), 1 << 18, 0), np.int16)
    assert len(stored) == len(tone)
    assert np.abs(np.corrcoef(stored[:-1], stored[1:])[0, 1]) < 0.02  # noise, and other noise in each block
    assert np.mean(stored[: 1 << 16] == stored[1 << 16 :]) < 0.001
    assert os.fstat(file.fileno()).st_nlink == 0  # it has no name
