"""One short clip in many containers, codecs, pixel formats and time bases, each frame's number drawn in it.

Each frame carries its number in a row of squares along the top, and one white corner (upper left) beside
three black ones, so that a test can tell from a decoded picture which frame it is and which way up it stands.
The person is a public-domain portrait with a slow sway.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from people import Actor, Image

COLUMNS, ROWS, BITS = 20, 15, 10
BT709, UNTAGGED, BT2020 = 1, 2, 9
FPS = 25


@dataclass(frozen=True)
class Variant:
    """How to write the clip.

    Parameters
    ----------
    suffix
        Container, by the file's name.
    codec, pixels, options
        Encoder, its pixel format, its options.
    size
        Encoded width and height, px.
    rotation
        Degrees by which a player turns the stored picture counter-clockwise to show it upright.
    aspect
        Width to height of one stored pixel.
    mirrored
        Whether a player then swaps left and right.
    full_range
        Luma 0-255 and not 16-235.
    colour
        The file's tag for the matrix between RGB and luma and chroma (ITU-T H.273); 2 is no tag, taken as BT.601.
    times_s
        Presentation time of each frame; None is 1/25 s apart from 0.
    stamped
        False where the container carries no presentation times.
    lead_s
        What the container's writer adds to every time, so that no decoding time is negative.
    tolerance_s
        How far the container's clock may round a time.
    """

    suffix: str = ".mp4"
    codec: str = "libx264"
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (320, 240)
    rotation: int = 0
    aspect: Fraction = Fraction(1)
    mirrored: bool = False
    full_range: bool = False
    colour: int = UNTAGGED
    times_s: tuple[float, ...] | None = None
    stamped: bool = True
    lead_s: float = 0.0
    tolerance_s: float = 1e-4


@dataclass(frozen=True)
class VariantTruth:
    """What a variant shows: the upright picture's size (square pixels), and frame k's time, `times_s[k]`.

    `offset_s` is the first frame's time as the container stores it.
    """

    path: Path
    variant: Variant
    width: int
    height: int
    times_s: NDArray[np.float64]

    @property
    def offset_s(self) -> float:
        return float(self.times_s[0])


def _irregular(frames: int = 40) -> tuple[float, ...]:
    steps = np.tile([14, 42, 33, 17, 40, 40, 100, 20], frames // 8 + 1)[: frames - 1]
    return tuple((np.concatenate([[0], np.cumsum(steps)]) / 1000).tolist())


def _repeated(frames: int = 40) -> tuple[float, ...]:
    """Every fifth frame carries the time of the frame before it."""
    return tuple((k - (k % 5 == 4)) / FPS for k in range(frames))


def _gap(frames: int = 40) -> tuple[float, ...]:
    """Three seconds without a picture in the middle."""
    return tuple(k / FPS + 3.0 * (k >= frames // 2) for k in range(frames))


_X265 = {"preset": "ultrafast", "x265-params": "log-level=none"}
_SVT = {"preset": "12", "crf": "30", "svtav1-params": "lp=1"}
_VPX = {"b": "1M", "deadline": "realtime", "cpu-used": "8"}
_FAST = {"crf": "18", "preset": "veryfast"}
_INTRA = {"qscale": "3", "g": "1"}
_H264 = Variant(options=_FAST)
_MS = 1e-3

VARIANTS: dict[str, Variant] = {
    "h264_mp4": _H264,
    "h264_mov": replace(_H264, suffix=".mov"),
    "h264_mkv": replace(_H264, suffix=".mkv", tolerance_s=_MS),
    "h264_ts": replace(_H264, suffix=".ts", options={**_FAST, "bf": "0"}, tolerance_s=_MS),
    "hevc_mp4": Variant(codec="libx265", options=_X265),
    "mpeg4_mp4": Variant(codec="mpeg4", options={"qscale": "3"}),
    "mpeg2_mpg": Variant(
        suffix=".mpg",
        codec="mpeg2video",
        options={"qscale": "3", "bf": "2"},
        lead_s=0.54,
        tolerance_s=_MS,
    ),
    "h264_flv": replace(_H264, suffix=".flv", lead_s=0.08, tolerance_s=_MS),
    "mpeg4_avi": Variant(suffix=".avi", codec="mpeg4", options={"qscale": "3"}),
    "vp8_webm": Variant(suffix=".webm", codec="libvpx", options=_VPX, tolerance_s=_MS),
    "vp9_webm": Variant(suffix=".webm", codec="libvpx-vp9", options=_VPX, tolerance_s=_MS),
    "av1_mp4": Variant(codec="libsvtav1", options=_SVT),
    "av1_10bit_webm": Variant(
        suffix=".webm",
        codec="libsvtav1",
        pixels="yuv420p10le",
        options=_SVT,
        tolerance_s=_MS,
    ),
    "prores_mov": Variant(suffix=".mov", codec="prores_ks", pixels="yuv422p10le"),
    "mjpeg_avi": Variant(suffix=".avi", codec="mjpeg", pixels="yuvj420p", full_range=True, options=_INTRA),
    "yuv422p10le": replace(_H264, pixels="yuv422p10le"),
    "yuv420p10le": replace(_H264, pixels="yuv420p10le"),
    "hevc_10bit": Variant(codec="libx265", pixels="yuv420p10le", options=_X265),
    "yuv444p": replace(_H264, pixels="yuv444p"),
    "nv12": replace(_H264, pixels="nv12"),  # the encoder takes it and stores yuv420p
    "yuvj420p_full_range": replace(_H264, pixels="yuvj420p", full_range=True),
    "rgb24_x264": Variant(codec="libx264rgb", pixels="rgb24", options=_FAST, suffix=".mkv", tolerance_s=_MS),
    "rgb24_png": Variant(codec="png", pixels="rgb24", suffix=".mov"),
    "bgr0_ffv1": Variant(codec="ffv1", pixels="bgr0", suffix=".mkv", tolerance_s=_MS),
    "bt709": replace(_H264, colour=BT709),
    "bt709_422_10bit": replace(_H264, pixels="yuv422p10le", colour=BT709),
    "bt2020_10bit": Variant(codec="libx265", pixels="yuv420p10le", options=_X265, colour=BT2020),
    "gray": replace(_H264, pixels="gray", full_range=True),
    "gray_ffv1_16bit": Variant(codec="ffv1", pixels="gray16le", suffix=".mkv", tolerance_s=_MS),
    "odd_size_444": replace(_H264, pixels="yuv444p", size=(321, 241)),
    "odd_size_420_ffv1": Variant(codec="ffv1", size=(321, 241), suffix=".mkv", tolerance_s=_MS),
    "wide_pixels": replace(_H264, size=(240, 240), aspect=Fraction(4, 3)),
    "rotated_90": replace(_H264, rotation=90),
    "rotated_180": replace(_H264, rotation=180),
    "rotated_270": replace(_H264, rotation=270),
    "mirrored": replace(_H264, mirrored=True),
    "mirrored_rotated_90": replace(_H264, rotation=90, mirrored=True),
    "variable_rate_mp4": replace(_H264, times_s=_irregular()),
    "variable_rate_mkv": replace(_H264, suffix=".mkv", times_s=_irregular(), tolerance_s=_MS),
    "starts_at_2s_mp4": replace(_H264, times_s=tuple(2 + k / FPS for k in range(40))),
    "starts_at_2s_mkv": replace(
        _H264, suffix=".mkv", times_s=tuple(2 + k / FPS for k in range(40)), tolerance_s=_MS
    ),
    "gap_of_3s": replace(_H264, times_s=_gap()),
    "repeated_times": Variant(suffix=".mkv", codec="ffv1", times_s=_repeated(), tolerance_s=_MS),
    "no_times_h264": replace(_H264, suffix=".h264", stamped=False, tolerance_s=_MS),
    "upside_down_rows_avi": Variant(suffix=".avi", codec="rawvideo", pixels="bgr24"),
    "no_times_mpeg4_b_frames": Variant(
        suffix=".avi", codec="mpeg4", options={"qscale": "3", "bf": "2"}, stamped=False, tolerance_s=_MS
    ),
    "no_times_avi_b_frames": replace(_H264, suffix=".avi", stamped=False, tolerance_s=_MS),
}


def write_variant(folder: Path, name: str, *, frames: int = 40) -> VariantTruth:
    """Write one of `VARIANTS` into a folder.

    Returns
    -------
    VariantTruth
        `frames` long (variants with times of their own: 40).
    """
    variant = VARIANTS[name]
    times = np.array(variant.times_s if variant.times_s is not None else np.arange(frames) / FPS)
    w, h = variant.size
    upright = (h, w) if variant.rotation in (90, 270) else (w, h)
    path = folder / f"{name}{variant.suffix}"
    clock = Fraction(1, 90000) if variant.times_s is not None else Fraction(1, FPS)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(variant.codec, rate=FPS, options=dict(variant.options))
        stream.width, stream.height, stream.pix_fmt = w, h, variant.pixels
        context = stream.codec_context
        context.time_base = clock
        if variant.aspect != 1:
            context.sample_aspect_ratio = variant.aspect
        if variant.full_range:
            context.color_range = 2
        if variant.colour != UNTAGGED:
            context.colorspace = context.color_primaries = variant.colour
        last = -1
        for k, t in enumerate(times):
            picture = marked(k, (round(upright[0] * variant.aspect), upright[1]))
            if variant.aspect != 1:
                picture = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
            # The player turns by `rotation`, then mirrors; the stored picture is turned the other way.
            shown = picture[:, ::-1] if variant.mirrored else picture
            stored = np.ascontiguousarray(np.rot90(shown, -variant.rotation // 90))
            frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
            frame = frame.reformat(
                format=variant.pixels,
                dst_color_range=2 if variant.full_range else None,
                dst_colorspace=None if variant.colour == UNTAGGED else variant.colour,
            )
            stamp = round(float(t) / clock)
            # Encoders refuse a repeated time, so a frame is encoded just after it and stamped afterwards.
            last = max(stamp, last + 1)
            frame.pts, frame.time_base = last, clock
            packets = stream.encode(frame)
            if last != stamp:
                for packet in packets:
                    packet.pts = packet.dts = stamp
            container.mux(packets)
        container.mux(stream.encode(None))
    if variant.rotation or variant.mirrored:
        turn_container(path, variant.rotation, mirrored=variant.mirrored)
    return VariantTruth(path, variant, round(upright[0] * variant.aspect), upright[1], times + variant.lead_s)


def marked(number: int, size: tuple[int, int]) -> Image:
    """A picture of a person, (h, w, 3) RGB, that carries its number and shows which way up it stands."""
    w, h = size
    picture = Actor("astronaut", zoom=2.0).picture(number / FPS, size)
    bits = [number >> k & 1 for k in range(BITS)]
    cells = [1, 0, *bits, sum(bits) % 2]
    xs = np.arange(w) * COLUMNS // w
    ys = np.arange(h) * ROWS // h
    row = np.zeros(COLUMNS, np.uint8)
    row[: len(cells)] = np.array(cells) * 255
    picture[ys == 0] = row[xs][:, None]
    for corner in (0, COLUMNS - 1):
        picture[np.ix_(ys == ROWS - 1, xs == corner)] = 0
    return picture


def number_of(rgb: Image) -> int | None:
    """Read the frame number from an upright RGB or grey picture of any size; None if it can't be read."""
    grey = rgb.mean(axis=2) if rgb.ndim == 3 else rgb
    h, w = grey.shape
    y = int(h / ROWS / 2)
    cells = []
    for k in range(BITS + 3):
        x = int((k + 0.5) * w / COLUMNS)
        cells.append(int(grey[y - 2 : y + 3, x - 2 : x + 3].mean() > 127))
    *bits, parity = cells[2:]
    if cells[:2] != [1, 0] or sum(bits) % 2 != parity:
        return None
    return sum(bit << k for k, bit in enumerate(bits))


def is_upright(rgb: Image) -> bool:
    """Tell whether the picture stands upright and is not mirrored."""
    grey = rgb.mean(axis=2) if rgb.ndim == 3 else rgb
    h, w = grey.shape
    y, x = int(h / ROWS / 2), int(w / COLUMNS / 2)
    corners = [grey[a, b] > 127 for a, b in ((y, x), (y, w - 1 - x), (h - 1 - y, x), (h - 1 - y, w - 1 - x))]
    return corners == [True, False, False, False] and number_of(rgb) is not None


def turn_container(path: Path, degrees: int, *, mirrored: bool = False) -> None:
    """Patch the display matrix of an MP4's track header: players turn the picture counter-clockwise, then mirror it.

    The header box (tkhd, ISO 14496-12) ends in nine 32-bit numbers and the track's width and height.
    """
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    matrix = at + (52 if data[at] == 1 else 40)
    one = 1 << 16
    side = -one if mirrored else one
    struct.pack_into(">9i", data, matrix, cos * side, -sin * one, 0, sin * side, cos * one, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
