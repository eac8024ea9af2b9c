"""A film decoded and encoded again as a worse camera or a worse line would have left it; the sound is copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
#: Tiles x, y, w, h, px.
Tiles = Mapping[str, tuple[int, int, int, int]]

#: As `vsa.media.encoder` writes: 20 can't be told from the source by eye.
GOOD_CRF = 20
_DIM, _NOISE_SD = 0.35, 6.0
_BACKLIT_GAIN, _BACKLIT_GAMMA, _VEIL = 0.45, 1.3, 22
_WARM = (1.2, 1.0, 0.65)


@dataclass(frozen=True)
class Worse:
    """What is done to the pictures of a film.

    Attributes
    ----------
    light
        Picture and tiles to another picture; None leaves it.
    scale
        Of both sides.
    crf
        H.264's quantizer.
    """

    light: Callable[[Image, Tiles, np.random.Generator], Image] | None = None
    scale: float = 1.0
    crf: int = GOOD_CRF


def write(source: Path, path: Path, how: Worse, tiles: Tiles, seed: int = 0) -> None:
    """Write the film again; times of pictures stay as they are."""
    rng = np.random.default_rng(seed)
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        film, sound = old.streams.video[0], old.streams.audio[0]
        size = tuple(round(side * how.scale / 2) * 2 for side in (film.width, film.height))
        options = {"crf": str(how.crf), "preset": "veryfast"}
        out: Any = new.add_stream("libx264", rate=film.average_rate, options=options)
        out.width, out.height = size
        out.pix_fmt, out.codec_context.time_base = "yuv420p", film.time_base
        copied: Any = new.add_stream_from_template(sound)
        for packet in old.demux(film, sound):
            if packet.stream is sound and packet.dts is not None:
                packet.stream = copied
                new.mux(packet)
            elif packet.stream is film:
                for frame in packet.decode():
                    shown = _picture(frame.to_ndarray(format="rgb24"), how, tiles, size, rng)
                    made = av.VideoFrame.from_ndarray(shown, format="rgb24")
                    made.pts, made.time_base = frame.pts, frame.time_base
                    new.mux(out.encode(made))
        new.mux(out.encode(None))


def _picture(rgb: Image, how: Worse, tiles: Tiles, size: tuple[int, ...], rng: np.random.Generator) -> Image:
    if how.light:
        rgb = how.light(rgb, tiles, rng)
    if how.scale != 1:
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(rgb)


def dim(rgb: Image, tiles: Tiles, rng: np.random.Generator) -> Image:
    """A third of the light, and the noise of a sensor that is short of it."""
    fields = _noises(rgb.shape[:2])
    more, less = fields[int(rng.integers(len(fields)))]
    shift = int(rng.integers(rgb.shape[1]))
    darker = cv2.LUT(rgb, np.round(_DIM * np.arange(256)).astype(np.uint8))
    brighter = cv2.add(darker, np.roll(more, shift, axis=1))
    return _only_tiles(rgb, np.asarray(cv2.subtract(brighter, np.roll(less, shift, axis=1))), tiles)


def backlit(rgb: Image, tiles: Tiles, rng: np.random.Generator) -> Image:
    """A window behind: what surrounds the head is near white, the head dark, and a veil of stray light over all."""
    behind = _behind(rgb.shape[:2], tuple(tiles.values()))
    dark = cv2.LUT(rgb, (255 * _BACKLIT_GAIN * (np.arange(256) / 255) ** _BACKLIT_GAMMA).astype(np.float32))
    return _only_tiles(rgb, np.asarray(_VEIL + (1 - behind) * dark + behind * (245 - _VEIL)), tiles)


def warm(rgb: Image, tiles: Tiles, rng: np.random.Generator) -> Image:
    """A lamp in the evening: more red, less blue."""
    table = np.clip(np.arange(256)[:, None] * np.array(_WARM), 0, 255).round().astype(np.uint8)
    return _only_tiles(rgb, np.asarray(cv2.LUT(rgb, table[:, None, :])), tiles)


@lru_cache(maxsize=1)
def _noises(shape: tuple[int, int]) -> list[tuple[Image, Image]]:
    """Some fields of noise in blotches, as a camera leaves it after its own smoothing: what it adds, what it takes."""
    rng = np.random.default_rng(0)
    out = []
    for _ in range(6):
        blotches = cv2.resize(rng.normal(0, 1.4 * _NOISE_SD, (shape[0] // 2, shape[1] // 2, 3)), shape[::-1])
        field = np.round(blotches + rng.normal(0, _NOISE_SD / 2, (*shape, 1)))
        out.append((np.maximum(field, 0).astype(np.uint8), np.maximum(-field, 0).astype(np.uint8)))
    return out


@lru_cache(maxsize=1)
def _behind(shape: tuple[int, int], tiles: tuple[tuple[int, int, int, int], ...]) -> NDArray[np.float32]:
    """1 where the window is seen, 0 on head and shoulders, (h, w, 1)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    out = np.zeros(shape, np.float32)
    for left, top, w, h in tiles:
        far = np.hypot((x - left - 0.53 * w) / (0.29 * w), (y - top - 0.55 * h) / (0.52 * h))
        below = np.clip((y - top - 0.75 * h) / (0.15 * h), 0, 1)
        inside = (x >= left) & (x < left + w) & (y >= top) & (y < top + h)
        out[inside] = (np.clip((far - 1) / 0.35, 0, 1) * (1 - below))[inside]
    return out[..., None]


def _only_tiles(rgb: Image, changed: NDArray[Any], tiles: Tiles) -> Image:
    """The picture with what lies in the tiles changed: the call program's frame stays as it is."""
    out = rgb.copy()
    for x, y, w, h in tiles.values():
        out[y : y + h, x : x + w] = changed[y : y + h, x : x + w]
    return out
