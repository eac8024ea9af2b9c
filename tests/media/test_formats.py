"""Whatever container, codec and pixel format a call was recorded in: the same pictures, upright, at their times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from people import Image, clip_path
from variants import (
    BT709,
    BT2020,
    FPS,
    ROWS,
    UNTAGGED,
    VARIANTS,
    is_upright,
    marked,
    number_of,
    write_variant,
)

from vsa.media.picture import Picture
from vsa.media.recording import Recording

#: What lossy coding costs at most, mean absolute grey levels.
CODING_LOSS = 6.0


def read(path: Path, fps: float | None = None) -> tuple[Recording, list[Picture]]:
    with Recording(path) as recording:
        return recording, list(recording.pictures(fps))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_picture_is_upright_in_its_colours_and_at_its_time(tmp_path: Path, name: str) -> None:
    truth = write_variant(tmp_path, name, frames=20)
    recording, pictures = read(truth.path)
    rgb = [picture.rgb() for picture in pictures]
    # a repeated stamp is spread to where the next one leaves room, which is where the frame was filmed
    times = np.arange(len(truth.times_s)) / FPS if name == "repeated_times" else truth.times_s

    assert [number_of(image) for image in rgb] == list(range(len(times)))
    assert all(is_upright(image) for image in rgb)
    assert all(image.shape == (truth.height, truth.width, 3) for image in rgb)
    assert (recording.info.width, recording.info.height) == (truth.width, truth.height)

    t = np.array([picture.t for picture in pictures])
    np.testing.assert_allclose(t, times, atol=truth.variant.tolerance_s)
    assert (np.diff(t) > 0).all()
    assert recording.info.start_s == pytest.approx(truth.offset_s, abs=truth.variant.tolerance_s)
    assert recording.read_s == pytest.approx(times[-1] - times[0] + 1 / recording.info.fps, abs=0.002)
    assert recording.cut_short_s == 0
    assert recording.faults.bad_packets == recording.faults.damaged_pictures == 0

    grey_only = "gray" in name
    for k in (0, len(rgb) // 2, len(rgb) - 1):
        drawn = marked(k, (truth.width, truth.height))
        if grey_only:
            drawn = np.repeat((drawn @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
        below = drawn.shape[0] // ROWS + 4  # the sharp squares of the number lose most
        error = rgb[k][below:].astype(float) - drawn[below:]
        assert np.abs(error).mean() < CODING_LOSS
        assert np.abs(error.mean(axis=(0, 1))).max() < 2, "a cast over the whole picture"


@pytest.mark.parametrize(
    "name",
    [
        "variable_rate_mp4",
        "starts_at_2s_mp4",
        "starts_at_2s_mkv",
        "gap_of_3s",
        "h264_ts",
        "vp8_webm",
        "mpeg4_avi",
    ],
)
def test_declared_length_is_that_of_the_pictures(tmp_path: Path, name: str) -> None:
    truth = write_variant(tmp_path, name)
    recording, _ = read(truth.path)
    assert recording.info.duration_s == pytest.approx(truth.times_s[-1] - truth.times_s[0], abs=0.13)


def test_length_of_a_raw_stream_is_unknown_until_it_is_read(tmp_path: Path) -> None:
    recording, _ = read(write_variant(tmp_path, "no_times_h264").path)
    assert np.isnan(recording.info.duration_s)
    assert recording.read_s == pytest.approx(40 / FPS)
    assert recording.cut_short_s == 0


COLOURS = [
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (255, 255, 255), (0, 0, 0),
    (128, 128, 128), (224, 172, 141), (141, 85, 54), (198, 134, 66), (60, 46, 40), (240, 194, 170),
]  # fmt: skip


def patches() -> Image:
    return np.repeat(np.repeat(np.array(COLOURS, np.uint8)[None], 64, axis=0), 32, axis=1)


def write_colours(path: Path, codec: str, pixels: str, colour: int = UNTAGGED, full: bool = False) -> Path:
    with av.open(str(path), "w") as container:
        options = {"crf": "1", "preset": "fast"} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = patches().shape[1], patches().shape[0], pixels
        context = stream.codec_context
        if colour != UNTAGGED:
            context.colorspace = colour
        if full:
            context.color_range = 2
        frame = av.VideoFrame.from_ndarray(patches(), format="rgb24").reformat(
            format=pixels,
            dst_colorspace=None if colour == UNTAGGED else colour,
            dst_color_range=2 if full else None,
        )
        frame.pts, frame.time_base = 0, Fraction(1, FPS)
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize(
    ("codec", "pixels", "colour", "full"),
    [
        ("libx264", "yuv420p", UNTAGGED, False),
        ("libx264", "yuv420p", BT709, False),
        ("libx264", "yuv420p", BT2020, False),
        ("libx264", "yuv420p10le", BT709, False),
        ("libx264", "yuv444p", BT709, False),
        ("libx264", "yuvj420p", UNTAGGED, True),
        ("libx264", "yuv420p", BT709, True),
        ("ffv1", "bgr0", UNTAGGED, False),
        ("png", "rgb24", UNTAGGED, False),
    ],
)
def test_colours_are_those_that_were_recorded(
    tmp_path: Path, codec: str, pixels: str, colour: int, full: bool
) -> None:
    suffix = ".mkv" if codec == "ffv1" else ".mov"
    _, (picture,) = read(write_colours(tmp_path / f"colours{suffix}", codec, pixels, colour, full))
    middles = picture.rgb()[32, 16::32].astype(int)
    # mixed with another matrix, the pure colours are off by 20 to 80
    assert np.abs(middles - COLOURS).max() <= 6


@pytest.mark.parametrize("name", ["two_cameras_default", "two_cameras_larger"])
def test_of_two_video_streams_the_default_or_the_larger_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        sizes = [(320, 240), (640, 480)]
        streams = []
        for width, height in sizes:
            stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            if name == "two_cameras_larger":
                stream.disposition = av.stream.Disposition.default
            streams.append(stream)
        if name == "two_cameras_default":
            streams[0].disposition = av.stream.Disposition.default
        for k in range(5):
            for stream, size in zip(streams, sizes, strict=True):
                frame = av.VideoFrame.from_ndarray(marked(k, size), format="rgb24")
                frame.pts, frame.time_base = k, Fraction(1, FPS)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    recording, pictures = read(path)
    chosen = 0 if name == "two_cameras_default" else 1
    assert recording.info.video_streams == 2
    assert recording.info.video_stream == chosen
    assert (pictures[0].width, pictures[0].height) == sizes[chosen]
    assert [number_of(picture.rgb()) for picture in pictures] == list(range(5))


@pytest.mark.parametrize("second", [(640, 480), (160, 120), (240, 320)], ids=["larger", "smaller", "upright"])
def test_resolution_that_changes_on_the_way_is_fitted_to_the_first(
    tmp_path: Path, second: tuple[int, int]
) -> None:
    parts = []
    for number, size in enumerate([(320, 240), second]):
        part = tmp_path / f"{number}.h264"
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "18"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for k in range(10):
                frame = av.VideoFrame.from_ndarray(marked(10 * number + k, size), format="rgb24")
                frame.pts, frame.time_base = k, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.h264"
    joined.write_bytes(b"".join(parts))

    recording, pictures = read(joined)
    assert len(pictures) == 20
    assert {(p.width, p.height) for p in pictures} == {(320, 240)}
    assert recording.faults.resized_pictures == 10
    if second == (240, 320):  # not stretched: bars left and right
        last = pictures[-1].rgb()
        assert last[:, :64].max() < 24
        assert last[:, -64:].max() < 24
        assert number_of(last[:, 70:250]) == 19
    else:
        assert [number_of(p.rgb()) for p in pictures] == list(range(20))


def test_a_colon_or_a_percent_sign_in_the_name_is_just_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write_variant(tmp_path, "h264_mp4", frames=5).path
    monkeypatch.chdir(tmp_path)
    for name in ("10:30 call.mp4", "100%d.mp4", "http:call.mp4"):
        whole.rename(name)
        whole = Path(name)
        assert len(read(whole)[1]) == 5


def test_cover_art_is_no_camera(tmp_path: Path) -> None:
    path = tmp_path / "cover.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 800, 800, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        camera = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        camera.width, camera.height, camera.pix_fmt = 320, 240, "yuv420p"
        still = av.VideoFrame.from_ndarray(marked(0, (800, 800)), format="rgb24").reformat(format="yuvj420p")
        still.pts, still.time_base = 0, Fraction(1, 1)
        container.mux([*cover.encode(still), *cover.encode(None)])
        for k in range(5):
            frame = av.VideoFrame.from_ndarray(marked(k, (320, 240)), format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(camera.encode(frame))
        container.mux(camera.encode(None))
    with av.open(str(path)) as container:
        kinds = [
            bool(int(s.disposition) & int(av.stream.Disposition.attached_pic))
            for s in container.streams.video
        ]
        assert sorted(kinds) == [False, True]
    assert [number_of(p.rgb()) for p in read(path)[1]] == list(range(5))


def test_real_phone_clip_tagged_bt709_has_its_own_colours() -> None:
    """Against FFmpeg's own conversion, which follows the tag."""
    path = clip_path("face_then_noface_hevc.mov")
    with Recording(path) as recording:
        ours = next(recording.pictures()).rgb().astype(float)
    with av.open(str(path)) as container:
        theirs = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float)
    assert np.abs(ours - theirs).mean() < 2.5
    assert np.abs((ours - theirs).mean(axis=(0, 1))).max() < 2
