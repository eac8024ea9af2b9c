"""Calls as platforms and broadcasters draw them: rounded tiles, labels, highlights, captions, layouts that move.

A plan says for each moment who is shown where; `staged` draws it and keeps the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from people import Actor, Box, Image
from scenes import _photo
from stage import WALL, CallTruth, Shown, text, write_call

WHITE = (255, 255, 255)
NOWHERE = Box(0, 0, 0, 0)
_HIGHLIGHT = (70, 140, 255)


class Place(NamedTuple):
    """Where one moment shows somebody.

    `actor` None is a camera that is off: a card with initials. `at_s` shows the actor's picture of another time: a
    frozen picture. `photo` draws a portrait's photo, as of an account whose camera is off.
    """

    tile: Box
    actor: Actor | None = None
    at_s: float | None = None
    photo: str | None = None


Plan = Callable[[float], dict[str, Place]]
Over = Callable[[Image, float], None]


def staged(
    path: Path,
    people: dict[str, str],
    plan: Plan,
    *,
    size: tuple[int, int] = (1280, 720),
    seconds: float = 3,
    fps: int = 25,
    background: tuple[int, int, int] = WALL,
    radius: int = 0,
    labels: bool = False,
    speaking: Callable[[float], str | None] = lambda t: None,
    over: Over = lambda canvas, t: None,
    crf: int = 18,
    gop: int = 250,
) -> CallTruth:
    """Draw a plan.

    Parameters
    ----------
    people
        Name -> person of those who count as participants; other names in the plan are drawn only.
    plan
        Time (s) -> name -> place, in the order in which they are drawn. Who is left out is not on screen.
    radius
        Of the tiles' corners, px.
    labels
        Write each name into the lower left corner of its tile.
    speaking
        Whose tile has the coloured border of the active speaker, by time.
    over
        Draws on top: captions, logos.
    """

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        shown = {name: Shown(NOWHERE, NOWHERE, visible=False) for name in people}
        for name, place in plan(t).items():
            head = _fill(canvas, place, name, t, radius)
            if labels:
                _label(canvas, place.tile, name)
            if speaking(t) == name:
                _border(canvas, place.tile, radius)
            if name in shown:
                shown[name] = Shown(place.tile, head, visible=place.actor is not None)
        over(canvas, t)
        return shown

    return write_call(path, draw, people, size=size, seconds=seconds, fps=fps, background=background, crf=crf)


def _fill(canvas: Image, place: Place, name: str, t: float, radius: int) -> Box:
    tile = place.tile
    size = (tile.w, tile.h)
    head = NOWHERE
    if place.actor is not None:
        picture = place.actor.picture(t if place.at_s is None else place.at_s, size)
        head = place.actor.head(size).moved(tile.x, tile.y)
    else:
        picture = np.full((tile.h, tile.w, 3), (52, 54, 60), np.uint8)
        side = int(0.55 * min(size))
        if place.photo is not None:
            x, y = (tile.w - side) // 2, (tile.h - side) // 2
            disc = np.zeros((side, side), np.uint8)
            cv2.circle(disc, (side // 2, side // 2), side // 2, 1, -1)
            part = picture[y : y + side, x : x + side]
            part[:] = np.where(disc[..., None] > 0, _photo(place.photo, (side, side)), part)
        else:
            cv2.circle(picture, (tile.w // 2, tile.h // 2), side // 2, (170, 80, 90), -1, cv2.LINE_AA)
            text(picture, name[:2].upper(), (tile.w // 2 - side // 4, tile.h // 2 + side // 8), side / 80, 2)
    region = canvas[tile.y : tile.y + tile.h, tile.x : tile.x + tile.w]
    if radius:
        region[:] = np.where(_rounded(size, radius)[..., None] > 0, picture, region)
    else:
        region[:] = picture
    return head


def _rounded(size: tuple[int, int], radius: int) -> Image:
    w, h = size
    mask = np.zeros((h, w), np.uint8)
    mask[radius : h - radius, :] = 1
    mask[:, radius : w - radius] = 1
    for x in (radius, w - 1 - radius):
        for y in (radius, h - 1 - radius):
            cv2.circle(mask, (x, y), radius, 1, -1)
    return mask


def _label(canvas: Image, tile: Box, name: str) -> None:
    scale = max(0.35, tile.h / 600)
    (w, h), _ = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x, y = tile.x + 8, tile.y + tile.h - 8
    cv2.rectangle(canvas, (x, y - h - 8), (x + w + 8, y), (20, 20, 22), -1)
    text(canvas, name, (x + 4, y - 4), scale)


def _border(canvas: Image, tile: Box, radius: int) -> None:
    mask = np.pad(_rounded((tile.w, tile.h), max(radius, 1)), 4)
    outline = cv2.dilate(mask, np.ones((7, 7), np.uint8)) - mask
    x0, y0 = max(0, tile.x - 4), max(0, tile.y - 4)
    part = canvas[y0 : tile.y + tile.h + 4, x0 : tile.x + tile.w + 4]
    cut = outline[y0 - tile.y + 4 :, x0 - tile.x + 4 :][: part.shape[0], : part.shape[1]]
    part[cut > 0] = _HIGHLIGHT


def grid(size: tuple[int, int], n: int, columns: int, gap: int, margin: int) -> list[Box]:
    """16:9 tiles in rows, centred, as large as fit."""
    rows = -(-n // columns)
    w = min(
        (size[0] - 2 * margin - (columns - 1) * gap) // columns,
        (size[1] - 2 * margin - (rows - 1) * gap) // rows * 16 // 9,
    )
    h = w * 9 // 16
    top = (size[1] - rows * h - (rows - 1) * gap) // 2
    boxes = []
    for row in range(rows):
        seats = min(columns, n - row * columns)
        left = (size[0] - seats * w - (seats - 1) * gap) // 2
        boxes += [Box(left + k * (w + gap), top + row * (h + gap), w, h) for k in range(seats)]
    return boxes


def captions(size: tuple[int, int], lines: Sequence[str]) -> Over:
    """A broadcaster's lower third, a ticker that runs, and a logo in the corner."""
    w, h = size

    def draw(canvas: Image, t: float) -> None:
        top, deep = int(0.76 * h), int(0.09 * h)
        cv2.rectangle(canvas, (int(0.06 * w), top), (int(0.62 * w), top + deep), (16, 36, 96), -1)
        text(canvas, lines[int(t) % len(lines)], (int(0.08 * w), top + int(0.65 * deep)), h / 720, 2)
        cv2.rectangle(canvas, (0, int(0.92 * h)), (w, h), (230, 230, 236), -1)
        ticker = "   ***   ".join([*lines, *lines, *lines])
        at = (int(0.3 * w - 0.12 * w * t), int(0.975 * h))
        cv2.putText(canvas, ticker, at, cv2.FONT_HERSHEY_SIMPLEX, h / 900, (20, 20, 20), 1, cv2.LINE_AA)
        cv2.circle(canvas, (int(0.94 * w), int(0.09 * h)), int(0.05 * h), (200, 24, 40), -1, cv2.LINE_AA)
        text(canvas, "24", (int(0.925 * w), int(0.105 * h)), h / 900, 2)

    return draw
