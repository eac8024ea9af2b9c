"""One face followed without interruption, and the numbers that are kept about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vsa.face.adaptive import Held
from vsa.face.crops import Crop
from vsa.face.engine import Stream
from vsa.face.smoothing import OneEuro
from vsa.face.tiles import Tile
from vsa.media.picture import Picture, mean_difference, mean_grey

Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(eq=False)
class Tracklet:
    """A face from where it was found until it was lost, jumped, met another face or its layout was cut.

    Attributes
    ----------
    number
        Unique within the session.
    tile
        The camera it is seen through.
    epoch
        Of the layout: position is evidence for who it is only within one epoch.
    crop
        Where it is looked for next.
    stream
        The engine's own follower, if it has one.
    last
        The last reading.
    held
        What was really read last, where it may be taken over.
    described, described_s
        How often its appearance was noted, and when last.
    pending
        Readings that were not handed on yet.
    """

    number: int
    tile: Tile
    epoch: int
    crop: Crop
    stream: Stream | None = None
    smooth: OneEuro = field(default_factory=OneEuro)
    last: Reading | None = None
    held: Held | None = None
    described: int = 0
    described_s: float = -np.inf
    pending: list[Reading] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    """What a tile shows in one picture.

    Attributes
    ----------
    motion
        Mean absolute grey difference to the picture before, 0-255; NaN for the first.
    luma
        Mean grey, 0-255: of the whole tile, so that it says how dark the room is and not the skin.
    """

    motion: float
    luma: float

    @classmethod
    def of(cls, picture: Picture, before: Picture | None, tile: Tile) -> Shown:
        """Measure a tile."""
        motion = float("nan") if before is None else mean_difference(picture, before, tile.box)
        return cls(motion, mean_grey(picture, tile.box))


@dataclass(frozen=True, eq=False)
class Reading:
    """One face in one picture.

    Attributes
    ----------
    frame
        Index of the analysed picture.
    t
        Presentation time, s.
    points
        Landmarks, shape (478, 3), px of the recording, unsmoothed.
    presence
        0-1.
    shown
        What the tile shows.
    repeated
        The tile shows the same picture as before: the result was taken over.
    interpolated
        The face's picture is the same but for the coder's noise: the result was taken over.
    blendshapes
        Expression scores (52,), where the engine follows by itself and gave them along.
    """

    frame: int
    t: float
    points: Floats
    presence: float
    shown: Shown
    repeated: bool
    blendshapes: Floats | None = None
    interpolated: bool = False

    @cached_property
    def box(self) -> Box:
        """Bounding box of the landmarks: x, y, w, h, px."""
        return face_box(self.points)


@dataclass(frozen=True, eq=False)
class Readings:
    """A tracklet's stretch within one chunk, smoothed, with expression scores; n rows.

    `changes` are mean absolute grey differences within the face, 0-255, between pictures a third of a second apart;
    `interpolated` is there with the setting `adaptive` only.
    """

    tracklet: int
    tile: Tile
    epoch: int
    frame: npt.NDArray[np.int64]
    t: npt.NDArray[np.float64]
    points: Floats
    presence: Floats
    motion: Floats
    luma: Floats
    repeated: npt.NDArray[np.bool_]
    blendshapes: Floats
    appearance: Floats | None
    clarity: float
    changes: list[float]
    interpolated: npt.NDArray[np.bool_] | None = None


def face_box(points: Floats) -> Box:
    """Bounding box of landmarks: x, y, w, h, px."""
    x, y = np.ascontiguousarray(
        points[:, :2].T
    )  # rows of their own: reducing columns takes ten times as long
    left, top = float(x.min()), float(y.min())
    return left, top, float(x.max()) - left, float(y.max()) - top


def middle(box: Box) -> tuple[float, float]:
    """Centre of a box, px."""
    return box[0] + box[2] / 2, box[1] + box[3] / 2
