"""Pixels of a picture, against an independent computation on its whole RGB, and motion against plain NumPy."""

from __future__ import annotations

import gc
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from media_files import write_pictures
from people import Actor, Image
from variants import write_variant

from vsa.media.frames import Turn
from vsa.media.picture import Picture, even_region, from_rgb, mean_difference, mean_grey
from vsa.media.recording import Recording


def picture_of(rgb: Image) -> Picture:
    """Planes of an RGB picture (ITU-R BT.601, limited range), each chroma sample the mean of its four px."""
    h, w = rgb.shape[:2]
    even = np.pad(rgb, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge").astype(float)
    luma = even @ [0.299, 0.587, 0.114]
    planes = [16 + luma[:h, :w] * 219 / 255]
    for channel, span in ((2, 1.772), (0, 1.402)):
        difference = (even[..., channel] - luma) / span * 224 / 255
        planes.append(128 + difference.reshape(len(even) // 2, 2, -1, 2).mean(axis=(1, 3)))
    y, u, v = (np.round(plane).astype(np.uint8) for plane in planes)
    return Picture(0.0, y, u, v)


@pytest.fixture(scope="module")
def portrait() -> Image:
    return Actor("astronaut", zoom=2.0).picture(0, (640, 480))


def soft(rgb: Image) -> Image:
    """Without detail finer than chroma can hold, so that what differs is where pixels lie, not how sharp they are."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 2.5), np.uint8)


def turned(scale: float, degrees: float, at: tuple[float, float], size: int) -> np.ndarray:
    """The map that puts `at` in the middle of a square."""
    matrix = cv2.getRotationMatrix2D(at, degrees, scale)
    matrix[:, 2] += size / 2 - np.array(at)
    return matrix


@pytest.mark.parametrize(
    ("scale", "degrees"), [(1.0, 0.0), (0.6, 0.0), (1.9, 0.0), (0.8, 25.0), (1.3, -70.0), (1.0, 180.0)]
)
def test_crop_shows_what_a_crop_of_the_whole_colour_picture_shows(
    portrait: Image, scale: float, degrees: float
) -> None:
    picture = picture_of(soft(portrait))
    matrix = turned(scale, degrees, (320, 200), 256)
    expected = cv2.warpAffine(
        picture.rgb(), matrix, (256, 256), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(float)
    error = picture.warp(matrix, 256) - expected
    assert np.abs(error).mean() < 1.2
    assert np.abs(error.mean(axis=(0, 1))).max() < 0.5
    assert np.percentile(np.abs(error), 99) < 6


@pytest.mark.parametrize("scale", [0.5, 0.7, 1.0, 2.0, 3.5])
def test_colour_lies_where_the_light_is(scale: float) -> None:
    """A red spot stays on the same pixels, however the crop is scaled: chroma has half the resolution."""
    ys, xs = np.indices((240, 320))
    spot = np.exp(-((xs - 159.5) ** 2 + (ys - 119.5) ** 2) / (2 * 14.0**2))
    rgb = np.stack([128 + 90 * spot, 128 - 50 * spot, 128 - 50 * spot], axis=2).round().astype(np.uint8)
    crop = picture_of(rgb).warp(turned(scale, 0.0, (159.5, 119.5), 256), 256).astype(float)
    redness = np.clip(crop[..., 0] - crop[..., 1] - 20, 0, None)
    ys, xs = np.indices(redness.shape)
    centre = np.array([(xs * redness).sum(), (ys * redness).sum()]) / redness.sum()
    # the middle of the spot was put at 128
    np.testing.assert_allclose(centre, 128, atol=0.1)


@pytest.mark.parametrize(
    "box", [(0, 0, 640, 480), (101, 37, 330, 402), (320, 0, 320, 480), (-40, -20, 300, 300)]
)
@pytest.mark.parametrize("size", [128, 256])
def test_letterbox_shows_the_region_with_black_bars(
    portrait: Image, box: tuple[float, float, float, float], size: int
) -> None:
    picture = picture_of(soft(portrait))
    rgb, scale, dx, dy = picture.letterbox(box, size)
    x, y, w, h = box
    assert scale == pytest.approx(size / max(w, h))
    # the region's middle comes to the square's middle
    assert (x + w / 2) * scale + dx == pytest.approx(size / 2)
    assert (y + h / 2) * scale + dy == pytest.approx(size / 2)

    whole = picture.rgb()
    sigma = max(0.0, 0.5 / scale - 0.5)  # what shrinking by area takes away
    if scale < 0.5:
        whole = cv2.GaussianBlur(whole, (0, 0), sigma)
    expected = cv2.warpAffine(whole, np.array([[scale, 0, dx], [0, scale, dy]]), (size, size)).astype(float)
    left, top = round((size - w * scale) / 2), round((size - h * scale) / 2)
    assert rgb[:, :left].max(initial=0) == rgb[:top].max(initial=0) == 0
    inside = np.zeros((size, size), bool)
    inside[max(top, round(dy)) + 2 : size - top - 2, max(left, round(dx)) + 2 : size - left - 2] = True
    error = (rgb - expected)[inside]
    assert np.abs(error).mean() < 2.0
    assert np.abs(error.mean(axis=0)).max() < 0.6


def test_shrinking_does_not_shift(portrait: Image) -> None:
    """A found face must lie where it is: less than half a px of the source off, at a tenth of its size."""
    rgb = np.full((720, 1280, 3), 40, np.uint8)
    rgb[300:420, 600:760] = 220
    square, scale, dx, dy = picture_of(rgb).letterbox((0, 0, 1280, 720), 128)
    light = square.astype(float).mean(axis=2)
    light[light < 60] = 0
    light[light > 0] -= 40
    ys, xs = np.indices(light.shape)
    at = np.array([(xs * light).sum(), (ys * light).sum()]) / light.sum()
    np.testing.assert_allclose((at - (dx, dy)) / scale, (679.5, 359.5), atol=0.5)


def test_region_in_colour_is_cut_from_the_whole(portrait: Image) -> None:
    picture = picture_of(portrait)
    whole = picture.rgb()
    for box in [(101.2, 37.7, 330, 402), (0, 0, 33, 33), (600, 440, 200, 200), (639, 479, 1, 1)]:
        x0, y0, x1, y1 = even_region(box, 640, 480)
        np.testing.assert_array_equal(picture.rgb(box), whole[y0:y1, x0:x1])
        assert x0 % 2 == y0 % 2 == 0


@pytest.mark.parametrize("size", [(321, 241), (320, 241), (321, 240)])
def test_odd_sizes_keep_their_last_row_and_column(portrait: Image, size: tuple[int, int]) -> None:
    rgb = soft(cv2.resize(portrait, size, interpolation=cv2.INTER_AREA))
    shown = picture_of(rgb).rgb()
    assert shown.shape == rgb.shape
    assert np.abs(shown.astype(float) - rgb).mean() < 2


@pytest.mark.parametrize("size", [(320, 240), (321, 241)])
def test_planes_of_a_colour_picture(portrait: Image, size: tuple[int, int]) -> None:
    rgb = np.ascontiguousarray(cv2.resize(portrait, size, interpolation=cv2.INTER_AREA))
    ours, expected = from_rgb(rgb, 1.5), picture_of(rgb)
    assert (ours.t, ours.width, ours.height) == (1.5, *size)
    for mine, theirs in ((ours.y, expected.y), (ours.u, expected.u), (ours.v, expected.v)):
        assert np.abs(mine.astype(int) - theirs).max() <= 1
    assert np.abs(from_rgb(soft(rgb)).rgb().astype(float) - soft(rgb)).mean() < 1.5


def test_matrices_agree_with_the_standards() -> None:
    """ITU-R BT.709-6 (3.2, 3.3): luma and colour differences of pure colours, to 8 bits."""
    red, green, blue = 0.2126, 0.7152, 0.0722
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (224, 172, 141)], float)
    light = colours @ [red, green, blue]
    cb, cr = (colours[:, 2] - light) / (2 * (1 - blue)), (colours[:, 0] - light) / (2 * (1 - red))
    y = np.round(16 + 219 / 255 * light)[None].repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)
    u, v = (np.round(128 + 224 / 255 * c)[None].astype(np.uint8) for c in (cb, cr))
    shown = Picture(0.0, y, u, v, "bt709").rgb()[0, ::2]
    assert np.abs(shown - colours).max() <= 2


def test_motion_is_the_mean_absolute_grey_difference() -> None:
    rng = np.random.default_rng(7)
    planes = rng.integers(16, 236, (2, 90, 120), dtype=np.uint8)
    chroma = np.full((45, 60), 128, np.uint8)
    a, b = (Picture(0.04 * k, y, chroma, chroma) for k, y in enumerate(planes))
    for x, y, w, h in [(0, 0, 120, 90), (13, 7, 51, 40), (119, 89, 1, 1)]:
        differences = [
            abs(int(planes[0][row, column]) - int(planes[1][row, column]))
            for row in range(y, y + h)
            for column in range(x, x + w)
        ]
        expected = sum(differences) / len(differences) * 255 / 219
        assert mean_difference(a, b, (x, y, w, h)) == pytest.approx(expected, rel=1e-9)
    assert mean_difference(a, a, (0, 0, 120, 90)) == 0


def test_grey_is_from_black_to_white_and_of_the_region_only() -> None:
    rgb = np.zeros((64, 96, 3), np.uint8)
    rgb[:, 48:] = 255
    rgb[:32, :48] = 100
    picture = from_rgb(rgb)
    assert mean_grey(picture, (48, 0, 48, 64)) == pytest.approx(255, abs=1)
    assert mean_grey(picture, (0, 32, 48, 32)) == pytest.approx(0, abs=1)
    assert mean_grey(picture, (0, 0, 48, 32)) == pytest.approx(100, abs=1)
    assert mean_grey(picture, (0, 0, 48, 64)) == pytest.approx(50, abs=1)
    assert np.isnan(mean_grey(picture, (200, 0, 10, 10)))


def test_motion_is_missing_where_pictures_cannot_be_compared() -> None:
    chroma = np.full((45, 60), 128, np.uint8)
    a = Picture(0.0, np.zeros((90, 120), np.uint8), chroma, chroma)
    b = Picture(0.0, np.zeros((60, 80), np.uint8), chroma, chroma)
    assert np.isnan(mean_difference(a, b, (0, 0, 120, 90)))
    assert np.isnan(mean_difference(a, a, (200, 0, 10, 10)))


def test_turns_are_those_of_numpy() -> None:
    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    quarter = Turn(transpose=True, flip_x=True)
    np.testing.assert_array_equal(quarter(plane), np.rot90(plane, -1))
    assert (quarter.clockwise_deg, quarter.mirrored) == (90, False)
    half = Turn(flip_x=True, flip_y=True)
    np.testing.assert_array_equal(half(plane), np.rot90(plane, 2))
    assert (half.clockwise_deg, half.mirrored) == (180, False)
    three = Turn(transpose=True, flip_y=True)
    np.testing.assert_array_equal(three(plane), np.rot90(plane, 1))
    assert (three.clockwise_deg, three.mirrored) == (270, False)
    swapped = Turn(flip_x=True)
    np.testing.assert_array_equal(swapped(plane), plane[:, ::-1])
    assert (swapped.clockwise_deg, swapped.mirrored) == (0, True)
    assert Turn()(plane) is plane


@pytest.mark.parametrize("name", ["h264_mp4", "mpeg4_mp4", "vp9_webm", "hevc_10bit", "rotated_90"])
def test_pictures_stay_as_they_were_while_decoding_goes_on(tmp_path: Path, name: str) -> None:
    path = write_variant(tmp_path, name).path
    with Recording(path) as recording:
        kept = []
        sums = []
        for picture in recording.pictures():
            kept.append(picture)
            sums.append([int(plane.sum()) for plane in (picture.y, picture.u, picture.v)])
    del recording
    gc.collect()
    with Recording(path) as other:  # takes whatever memory was given back
        assert sum(1 for _ in other.pictures()) == len(kept)
    assert [[int(plane.sum()) for plane in (p.y, p.u, p.v)] for p in kept] == sums
    with av.open(str(path)) as container:
        fresh = [frame.reformat(format="yuv420p") for frame in container.decode(video=0)]
    if name != "rotated_90":
        for picture, frame in zip(kept, fresh, strict=True):
            luma = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
            assert np.abs(picture.y.astype(int) - luma[: picture.height, : picture.width]).max() <= 1


def test_ordinary_pictures_are_not_copied(tmp_path: Path) -> None:
    with Recording(write_variant(tmp_path, "h264_mp4", frames=3).path) as recording:
        picture = next(recording.pictures())
    assert not picture.y.flags.owndata
    assert not picture.y.flags.writeable or picture.y.base is not None


def peak_mb(path: Path, then: str) -> float:
    """Largest memory of a fresh Python that reads a recording, MB."""
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from vsa.media.reader import ChunkReader\nfrom vsa.media.recording import Recording\n"
        f"with Recording(Path(sys.argv[1])) as recording:\n    {then}\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    return float(done.stdout) / 1024


def test_memory_for_8k_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "eight_k.mp4"
    frame = av.VideoFrame(7680, 4320, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuv420p"
        for k in range(16):
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    # 16 pictures alone hold 800 MB
    assert peak_mb(path, "with ChunkReader(recording.pictures()) as chunks: sum(map(len, chunks))") < 600


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4, 360, 640, 3), dtype=np.uint8)
    read = "with ChunkReader(recording.pictures()) as chunks: sum(map(len, chunks))"
    short = write_pictures(tmp_path / "short.mp4", [noise[k % 4] for k in range(100)], crf="35")
    long = write_pictures(tmp_path / "long.mp4", [noise[k % 4] for k in range(350)], crf="35")
    assert peak_mb(long, read) - peak_mb(short, read) < 30  # the pictures between them hold 86 MB


def test_a_closed_recording_keeps_no_pictures(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4, 360, 640, 3), dtype=np.uint8)
    path = write_pictures(tmp_path / "call.mp4", [noise[k % 4] for k in range(150)], crf="35")
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from vsa.media.recording import Recording\nfrom vsa.memory import give_back\n"
        "def held():\n    give_back(1e9)\n"
        "    return next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmRSS'))\n"
        "with Recording(Path(sys.argv[1])) as recording:\n"
        "    before, pictures = held(), list(recording.pictures())\n"
        "    opened = held()\n    del pictures\n"
        "print(opened - before, held() - before, recording.read_s)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    opened_kb, kept_kb, read_s = map(float, done.stdout.split())
    assert opened_kb > 30_000  # 150 pictures of 345 kB
    assert kept_kb < opened_kb / 4
    assert read_s == pytest.approx(150 / 25, abs=0.1)


def test_full_range_and_limited_range_give_the_same_grey(tmp_path: Path) -> None:
    """So that motion means the same for each."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    lumas = []
    for pixels, full in (("yuv420p", False), ("yuvj420p", True)):
        path = tmp_path / f"{pixels}.mp4"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
            stream.width, stream.height, stream.pix_fmt = 256, 64, pixels
            frame = av.VideoFrame.from_ndarray(ramp, format="rgb24").reformat(
                format=pixels, dst_color_range=2 if full else None
            )
            frame.pts, frame.time_base = 0, Fraction(1, 25)
            container.mux([*stream.encode(frame), *stream.encode(None)])
        with Recording(path) as recording:
            lumas.append(next(recording.pictures()).y[32].astype(int))
    assert np.abs(lumas[0] - lumas[1]).max() <= 3
    assert lumas[1].min() >= 15
    assert lumas[1].max() <= 236
