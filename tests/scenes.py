"""Composed calls in which something other than the participants shows a face, or covers one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from people import Actor, Box, Image, still
from stage import MAN, SMILER, WOMAN, CallTruth, Shown, halves, named, paint, persons, write_call

SKIN = (196, 150, 125)


def screen_share(
    path: Path,
    actors: Sequence[Actor] = (WOMAN, MAN),
    *,
    start_s: float = 2.0,
    stop_s: float = math.inf,
    photo: str = "astronaut",
    size: tuple[int, int] = (1280, 720),
    seconds: float = 6,
    fps: int = 25,
) -> CallTruth:
    """`side_by_side`; from start_s to stop_s a slide with text and a photo of a face, small tiles beside it.

    The photo is the decoy: it is on screen from start_s to stop_s and never moves.
    """
    cast = named(actors)
    wide = halves(size, 16)
    w = size[0] // 5
    h = w * 3 // 4
    small = [Box(size[0] - w - 16, 16 + k * (h + 16), w, h) for k in range(len(cast))]
    slide = Box(16, 16, size[0] - w - 48, size[1] - 32)
    sheet, decoy = _slide(slide, photo)

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        shared = start_s <= t < stop_s
        if shared:
            canvas[slide.y : slide.y + slide.h, slide.x : slide.x + slide.w] = sheet
        tiles = small if shared else wide
        return {n: paint(canvas, a, tile, t) for (n, a), tile in zip(cast.items(), tiles, strict=True)}

    return write_call(
        path, draw, persons(cast), size=size, seconds=seconds, fps=fps, decoys=[decoy.moved(slide.x, slide.y)]
    )


def _slide(slide: Box, photo: str) -> tuple[Image, Box]:
    sheet = np.full((slide.h, slide.w, 3), 250, np.uint8)
    dark = (40, 44, 60)
    cv2.putText(sheet, "Session plan", (40, 90), cv2.FONT_HERSHEY_DUPLEX, 1.6, dark, 2, cv2.LINE_AA)
    for k, line in enumerate(
        ("1  How was the week?", "2  Steps we agreed on", "3  What helps", "4  Next time")
    ):
        at = (40, 180 + 64 * k)
        cv2.putText(sheet, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, dark, 2, cv2.LINE_AA)
    side = slide.w // 3
    box = Box(slide.w - side - 40, slide.h - side - 40, side, side)
    picture = _photo(photo, (side, side))
    sheet[box.y : box.y + side, box.x : box.x + side] = picture
    return sheet, box


def _photo(name: str, size: tuple[int, int]) -> Image:
    """A still that never moves, cropped to head and shoulders."""
    rgb = still(name)
    x, y, w, h = Actor(name, zoom=2.0 if name == "astronaut" else 1.1)._crop(rgb.shape[1], rgb.shape[0], size)
    picture: Image = cv2.resize(rgb[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA)
    return picture


def poster(
    path: Path,
    actor: Actor = MAN,
    *,
    photo: str = "grace_hopper",
    noise: float = 0.0,
    crf: int = 18,
    size: tuple[int, int] = (1280, 720),
    seconds: float = 6,
    fps: int = 25,
) -> CallTruth:
    """One person, full frame, with a framed photo of another face on the wall behind that never moves.

    `noise` is the standard deviation of a sensor's noise, grey levels; `crf` the encoder's quality (51 is worst).
    """
    cast = named([actor])
    tile = Box(0, 0, *size)
    head = actor.head(size)
    h = int(0.42 * size[1])
    w = int(0.8 * h)
    free_right = size[0] - head.x - head.w
    x = size[0] - w - 30 if free_right >= head.x else 30
    frame = Box(x, 30, w, h)
    inner = Box(x + 10, 40, w - 20, h - 20)
    picture = _photo(photo, (inner.w, inner.h))
    fields = (4 if noise else 0, *size[::-1], 3)
    grain = np.random.default_rng(0).normal(0, noise, fields).astype(np.int16)

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        shown = {name: paint(canvas, a, tile, t) for name, a in cast.items()}
        cv2.rectangle(canvas, (frame.x, frame.y), (x + w, frame.y + h), (74, 52, 36), -1)
        canvas[inner.y : inner.y + inner.h, inner.x : inner.x + inner.w] = picture
        if noise:
            # a few fields of noise, each time from another place on: to draw a new one takes longer than to encode it
            rng = np.random.default_rng(round(t * fps))
            rows, columns = (int(rng.integers(n)) for n in canvas.shape[:2])
            moved = np.roll(grain[rng.integers(len(grain))], (rows, columns), axis=(0, 1))
            cv2.add(canvas, moved, dst=canvas, dtype=cv2.CV_8U)
        return shown

    people = persons(cast)
    return write_call(path, draw, people, size=size, seconds=seconds, fps=fps, decoys=[frame], crf=crf)


def crossing(
    path: Path,
    front: Actor = SMILER,
    behind: Actor = MAN,
    *,
    size: tuple[int, int] = (1280, 720),
    seconds: float = 8,
    fps: int = 25,
) -> CallTruth:
    """Two people cut out at head and shoulders change sides; `front` passes in front of `behind`.

    They stand still for the first and last fifth. A covered face counts as not visible from 30% on. `tiles`
    is the box of the moving cut-out. The cut-outs keep a rim of their own background.
    """
    cast = named([front, behind])
    names = list(cast)
    room = _room(size)
    h = int(0.8 * size[1])
    w = int(0.75 * h)
    matte = {name: _bust(actor, (w, h)) for name, actor in cast.items()}

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        canvas[:] = room
        along = float(np.clip((t / seconds - 0.2) / 0.6, 0, 1))
        along = along * along * (3 - 2 * along)
        left, right = 0.06 * size[0], size[0] * 0.94 - w
        here = {names[0]: left + (right - left) * along, names[1]: right - (right - left) * along}
        shown = {}
        for name in (names[1], names[0]):
            tile = Box(round(here[name]), size[1] - h, w, h)
            picture = cast[name].picture(t, (w, h))
            alpha = matte[name][..., None]
            region = canvas[tile.y :, tile.x : tile.x + w]
            region[:] = (picture * alpha + region * (1 - alpha)).astype(np.uint8)
            shown[name] = Shown(tile, cast[name].head((w, h)).moved(tile.x, tile.y))
        hidden = shown[names[1]].head
        cover = np.zeros(canvas.shape[:2], np.float32)
        passing = shown[names[0]].tile
        cover[passing.y :, passing.x : passing.x + w] = matte[names[0]]
        share = float(cover[hidden.y : hidden.y + hidden.h, hidden.x : hidden.x + hidden.w].mean())
        shown[names[1]] = shown[names[1]]._replace(visible=share < 0.3)
        return shown

    return write_call(path, draw, persons(cast), size=size, seconds=seconds, fps=fps)


def _bust(actor: Actor, size: tuple[int, int]) -> NDArray[np.float32]:
    """A soft mask, 0-1, of head, hair and shoulders."""
    head = actor.head(size)
    cx, cy = head.x + head.w / 2, head.y + head.h / 2
    mask = np.zeros(size[::-1], np.float32)
    skull = (1.12 * head.w, 1.45 * head.h)
    cv2.ellipse(mask, ((cx, cy - 0.1 * head.h), skull, 0), 1.0, -1)
    neck = cy + 0.55 * head.h
    outline = [
        (cx - 0.35 * head.w, cy),
        (cx + 0.35 * head.w, cy),
        (cx + 0.4 * head.w, neck),
        (cx + 1.0 * head.w, neck + 0.35 * head.h),
        (cx + 1.1 * head.w, size[1]),
        (cx - 1.1 * head.w, size[1]),
        (cx - 1.0 * head.w, neck + 0.35 * head.h),
        (cx - 0.4 * head.w, neck),
    ]
    cv2.fillPoly(mask, [np.array(outline).round().astype(np.int32)], 1.0)
    mask[:, :3] = mask[:, -3:] = 0
    soft: NDArray[np.float32] = cv2.GaussianBlur(mask, (0, 0), 4)
    return soft


def _room(size: tuple[int, int]) -> Image:
    """A plain wall, lighter at the top, with a skirting board."""
    shade = np.linspace(1.0, 0.82, size[1])[:, None, None]
    room = (shade * np.array([205, 200, 188]) * np.ones((1, size[0], 1))).astype(np.uint8)
    room[int(0.9 * size[1]) :] = (150, 130, 110)
    return room


def hand_over_face(
    path: Path,
    actors: Sequence[Actor] = (WOMAN, MAN),
    *,
    who: int = 1,
    covered: tuple[float, float] = (3.0, 4.0),
    size: tuple[int, int] = (1280, 720),
    seconds: float = 6,
    fps: int = 25,
) -> CallTruth:
    """`side_by_side` where a skin-coloured hand covers one whole face for a while.

    Not visible means covered in full; while the hand rises and falls (0.2 s before and after) the face counts
    as visible.
    """
    cast = named(actors)
    tiles = halves(size, 16)

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        shown = {n: paint(canvas, a, tile, t) for (n, a), tile in zip(cast.items(), tiles, strict=True)}
        name = list(cast)[who]
        away = max(covered[0] - t, t - covered[1] + 1e-9, 0.0) / 0.2
        if away < 1:
            _hand(canvas, shown[name], away)
            shown[name] = shown[name]._replace(visible=away > 0)
        return shown

    return write_call(path, draw, persons(cast), size=size, seconds=seconds, fps=fps)


def _hand(canvas: Image, over: Shown, away: float) -> None:
    tile, head = over.tile, over.head
    region = canvas[tile.y : tile.y + tile.h, tile.x : tile.x + tile.w]
    cx, cy = head.x - tile.x + head.w / 2, head.y - tile.y + head.h / 2 + away * 1.3 * tile.h
    cv2.ellipse(region, ((cx, cy), (1.1 * head.w, 1.2 * head.h), 0), SKIN, -1, cv2.LINE_AA)
    for k in (-1, 0, 1):
        x = int(cx + 0.18 * k * head.w)
        line = ((x, int(cy - 0.5 * head.h)), (x, int(cy - 0.05 * head.h)))
        cv2.line(region, *line, (158, 112, 92), 2, cv2.LINE_AA)
