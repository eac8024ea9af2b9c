"""Calls composed from real people, with known truth: who is where, and whether the face is seen.

Each function writes an H.264 file without sound and returns its `CallTruth`. Nothing is random unless a seed
is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from people import Actor, Box, Image
from scenes import crossing, hand_over_face, poster, screen_share
from stage import (
    MAN,
    SMILER,
    WOMAN,
    CallTruth,
    Participant,
    Shown,
    Span,
    halves,
    named,
    paint,
    persons,
    text,
    write_call,
)

__all__ = [
    "GALLERY",
    "Actor",
    "Box",
    "CallTruth",
    "Participant",
    "Span",
    "camera_off",
    "crossing",
    "gallery",
    "hand_over_face",
    "poster",
    "screen_share",
    "side_by_side",
    "single",
    "speaker_view",
    "tiles_swap",
    "two_tile_call",
    "two_tile_call_60s",
]


def _tiled(
    path: Path,
    actors: Sequence[Actor],
    tiles: Sequence[Box],
    *,
    size: tuple[int, int],
    seconds: float,
    fps: int,
) -> CallTruth:
    cast = named(actors)

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        return {n: paint(canvas, a, tile, t) for (n, a), tile in zip(cast.items(), tiles, strict=True)}

    return write_call(path, draw, persons(cast), size=size, seconds=seconds, fps=fps)


def side_by_side(
    path: Path,
    actors: Sequence[Actor] = (WOMAN, MAN),
    *,
    gutter: int = 16,
    size: tuple[int, int] = (1280, 720),
    seconds: float = 4,
    fps: int = 25,
) -> CallTruth:
    """Two tiles that fill the frame; `gutter` 0 makes the pictures touch."""
    return _tiled(path, actors, halves(size, gutter), size=size, seconds=seconds, fps=fps)


def single(
    path: Path, actor: Actor = MAN, *, size: tuple[int, int] = (1280, 720), seconds: float = 4, fps: int = 25
) -> CallTruth:
    """One person at one camera, as a recording of each participant's own shows them: 4:3, black at both sides."""
    w = size[1] * 4 // 3
    tile = Box((size[0] - w) // 2, 0, w, size[1])
    return _tiled(path, (actor,), [tile], size=size, seconds=seconds, fps=fps)


def two_tile_call(path: Path, *, seconds: float = 60, fps: int = 25) -> CallTruth:
    """The benchmark's call: laid out as ``call_two_tiles.mp4`` (square and 4:3 tile on a dark 720p frame)."""
    tiles = (Box(146, 182, 356, 356), Box(718, 182, 474, 356))
    return _tiled(path, (WOMAN, MAN), tiles, size=(1280, 720), seconds=seconds, fps=fps)


def two_tile_call_60s(path: Path) -> CallTruth:
    """60 s of `two_tile_call`."""
    return two_tile_call(path, seconds=60)


#: Real clips first. The portraits at the end sway without changing their expression: just enough to count as alive.
GALLERY = (
    WOMAN,
    MAN,
    Actor("smiling_man", zoom=1.2),
    Actor("talking_woman", mirror=True, tint=(1.0, 0.85, 0.7), phase_s=2.7),
    Actor("webcam_man", mirror=True, tint=(0.8, 0.95, 1.1), zoom=1.3, phase_s=8.0),
    Actor("smiling_man", mirror=True, tint=(0.75, 0.8, 0.9), phase_s=1.1),
    Actor("webcam_man", tint=(1.1, 0.9, 0.75), zoom=1.5, phase_s=4.0),
    Actor("astronaut", zoom=2.2),
    Actor("grace_hopper"),
)


def gallery(
    path: Path,
    n: int = 9,
    *,
    size: tuple[int, int] = (1280, 720),
    seconds: float = 4,
    fps: int = 25,
    seed: int | None = None,
) -> CallTruth:
    """1 to 9 tiles in rows, dark gutters of 8 px; a last row that is not full is centred.

    With a `seed` the seats are shuffled.
    """
    gutter = 8
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    w = ((size[0] - gutter * (columns + 1)) // columns) // 2 * 2
    h = ((size[1] - gutter * (rows + 1)) // rows) // 2 * 2
    tiles = []
    for row in range(rows):
        seats = min(columns, n - row * columns)
        left = (size[0] - seats * w - (seats - 1) * gutter) // 2
        top = (size[1] - rows * h - (rows - 1) * gutter) // 2 + row * (h + gutter)
        tiles += [Box(left + k * (w + gutter), top, w, h) for k in range(seats)]
    actors = list(GALLERY[:n])
    if seed is not None:
        np.random.default_rng(seed).shuffle(tiles)
    return _tiled(path, actors, tiles, size=size, seconds=seconds, fps=fps)


def speaker_view(
    path: Path,
    actors: Sequence[Actor] = (MAN, SMILER),
    *,
    corner: str = "bottom-right",
    inset: tuple[int, int] = (240, 135),
    size: tuple[int, int] = (1280, 720),
    seconds: float = 4,
    fps: int = 25,
) -> CallTruth:
    """One large picture with a small self view over its corner, 16 px from the edges."""
    x = 16 if "left" in corner else size[0] - 16 - inset[0]
    y = 16 if "top" in corner else size[1] - 16 - inset[1]
    return _tiled(path, actors, (Box(0, 0, *size), Box(x, y, *inset)), size=size, seconds=seconds, fps=fps)


def camera_off(
    path: Path,
    actors: Sequence[Actor] = (WOMAN, MAN),
    *,
    who: int = 1,
    off: tuple[float, float] = (2.0, 6.0),
    size: tuple[int, int] = (1280, 720),
    seconds: float = 8,
    fps: int = 25,
) -> CallTruth:
    """`side_by_side` with one camera off from off[0] to off[1]: a flat card with initials in its place."""
    cast = named(actors)
    tiles = halves(size, 16)

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        out = {}
        for k, ((name, actor), tile) in enumerate(zip(cast.items(), tiles, strict=True)):
            if k == who and off[0] <= t < off[1]:
                _card(canvas, tile, "".join(word[0] for word in actor.person.split("_")).upper())
                out[name] = Shown(tile, actor.head((tile.w, tile.h)).moved(tile.x, tile.y), visible=False)
            else:
                out[name] = paint(canvas, actor, tile, t)
        return out

    return write_call(path, draw, persons(cast), size=size, seconds=seconds, fps=fps)


def _card(canvas: Image, tile: Box, initials: str) -> None:
    cv2.rectangle(canvas, (tile.x, tile.y), (tile.x + tile.w - 1, tile.y + tile.h - 1), (44, 46, 51), -1)
    centre = (tile.x + tile.w // 2, tile.y + tile.h // 2)
    radius = min(tile.w, tile.h) // 6
    cv2.circle(canvas, centre, radius, (70, 96, 150), -1, cv2.LINE_AA)
    text(canvas, initials, (centre[0] - int(0.62 * radius), centre[1] + int(0.3 * radius)), radius / 34, 3)


def tiles_swap(
    path: Path,
    actors: Sequence[Actor] = (WOMAN, MAN),
    *,
    at: Sequence[float] = (3.0,),
    gutter: int = 16,
    size: tuple[int, int] = (1280, 720),
    seconds: float = 6,
    fps: int = 25,
) -> CallTruth:
    """`side_by_side` whose two tiles change places, from one frame to the next, at each time in `at`."""
    cast = named(actors)
    tiles = halves(size, gutter)

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        order = tiles[::-1] if sum(t >= change for change in at) % 2 else tiles
        return {n: paint(canvas, a, tile, t) for (n, a), tile in zip(cast.items(), order, strict=True)}

    return write_call(path, draw, persons(cast), size=size, seconds=seconds, fps=fps)
