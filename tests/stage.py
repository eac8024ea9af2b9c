"""Writing a composed call and keeping its truth, frame by frame."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from people import Actor, Box, Image

WALL = (30, 31, 34)
WOMAN = Actor("talking_woman")
MAN = Actor("webcam_man")
SMILER = Actor("smiling_man")


class Span(NamedTuple):
    """From start to end (s, end excluded) this participant had this tile, with the face seen or not."""

    start_s: float
    end_s: float
    tile: Box
    visible: bool


@dataclass(frozen=True)
class Participant:
    """The truth of one person, frame by frame.

    `tiles` and `heads` are (frames, 4) int, x y w h px: the tile, and a box that the face stays inside;
    `visible` is (frames,) bool: false while the camera is off or the face is covered.
    """

    name: str
    person: str
    fps: float
    tiles: NDArray[np.int64]
    heads: NDArray[np.int64]
    visible: NDArray[np.bool_]

    @property
    def spans(self) -> list[Span]:
        """Runs of frames with one tile and one visibility (moving tiles give a run a frame)."""
        state = np.column_stack([self.tiles, self.visible])
        cuts = np.flatnonzero((np.diff(state, axis=0) != 0).any(axis=1)) + 1
        edges = [0, *cuts.tolist(), len(state)]
        return [
            Span(a / self.fps, b / self.fps, Box(*self.tiles[a].tolist()), bool(self.visible[a]))
            for a, b in itertools.pairwise(edges)
        ]


@dataclass(frozen=True)
class CallTruth:
    """What a composed call holds. `decoys` are boxes of faces that are pictures and not participants."""

    path: Path
    width: int
    height: int
    fps: float
    frames: int
    participants: tuple[Participant, ...]
    decoys: tuple[Box, ...] = ()

    @property
    def times_s(self) -> NDArray[np.float64]:
        return np.arange(self.frames) / self.fps

    def __getitem__(self, name: str) -> Participant:
        return next(p for p in self.participants if p.name == name)


class Shown(NamedTuple):
    """Where one frame shows a participant."""

    tile: Box
    head: Box
    visible: bool = True


Draw = Callable[[float, Image], dict[str, Shown]]


@dataclass
class _Log:
    shown: list[Shown] = field(default_factory=list)


def write_call(
    path: Path,
    draw: Draw,
    people: dict[str, str],
    *,
    size: tuple[int, int],
    seconds: float,
    fps: int,
    background: tuple[int, int, int] = WALL,
    decoys: Sequence[Box] = (),
    crf: int = 18,
    gop: int = 250,
    encoder: Mapping[str, str] | None = None,
) -> CallTruth:
    """Draw each frame, encode it, and keep the truth.

    Parameters
    ----------
    draw
        Called with the time (s) and an empty RGB canvas to draw into; returns where each participant is.
    people
        Participant name -> person, in the order of the truth.
    crf, gop
        The encoder's quality (51 is worst) and how many frames lie between key frames.
    encoder
        Options of x264, instead of that quality.
    """
    logs = {name: _Log() for name in people}
    frames = round(seconds * fps)
    options = {"g": str(gop), **(encoder or {"crf": str(crf), "preset": "superfast"})}
    empty = np.full((size[1], size[0], 3), background, np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.colorspace = 6  # BT.601, which the conversion below uses
        for i in range(frames):
            canvas = empty.copy()
            for name, shown in draw(i / fps, canvas).items():
                logs[name].shown.append(shown)
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2YUV_I420), format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    participants = tuple(
        Participant(
            name,
            people[name],
            fps,
            np.array([s.tile for s in log.shown]),
            np.array([s.head for s in log.shown]),
            np.array([s.visible for s in log.shown]),
        )
        for name, log in logs.items()
    )
    return CallTruth(path, *size, fps, frames, participants, tuple(decoys))


def paint(canvas: Image, actor: Actor, tile: Box, t: float) -> Shown:
    """Draw an actor into a tile of the canvas."""
    picture = actor.picture(t, (tile.w, tile.h))
    canvas[tile.y : tile.y + tile.h, tile.x : tile.x + tile.w] = picture
    return Shown(tile, actor.head((tile.w, tile.h)).moved(tile.x, tile.y))


def named(actors: Sequence[Actor]) -> dict[str, Actor]:
    """Give each actor a name of its own: the person, and ``-2``, ``-3`` where it appears again."""
    out: dict[str, Actor] = {}
    for actor in actors:
        again = sum(other.person == actor.person for other in out.values())
        out[actor.person if not again else f"{actor.person}-{again + 1}"] = actor
    return out


def persons(cast: dict[str, Actor]) -> dict[str, str]:
    return {name: actor.person for name, actor in cast.items()}


def halves(size: tuple[int, int], gutter: int) -> tuple[Box, Box]:
    """Return two tiles beside each other that fill the frame but for the gutters."""
    w = (size[0] - 3 * gutter) // 2 if gutter else size[0] // 2
    h = size[1] - 2 * gutter
    return Box(gutter, gutter, w, h), Box(size[0] - gutter - w, gutter, w, h)


def text(canvas: Image, words: str, at: tuple[int, int], scale: float, weight: int = 1) -> None:
    """Write light letters; `at` is the left end of their base line."""
    cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (235, 235, 235), weight, cv2.LINE_AA)
