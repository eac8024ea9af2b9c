"""What is remembered of each tracklet once its readings are on disk: where, when, and what it looked like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vsa.face.tiles import Tile
from vsa.face.tracklet import Box, Readings, face_box

Floats = npt.NDArray[np.float32]

#: Readings that one moment is the mean of.
_MOMENT = 12


@dataclass(eq=False)
class Track:
    """Summary of one tracklet.

    Attributes
    ----------
    number, tile, epoch
        See `Tracklet`.
    frames
        Pictures in which it was read.
    first_t, last_t
        s.
    first_box, last_box
        Of the face, px.
    moments
        One row per stretch: time (s), the face's centre (px) and width (px), then 52 expression scores.
    changes
        One number per third of a second: how far the face's pixels differ before and after, grey levels (0-255).
    """

    number: int
    tile: Tile
    epoch: int
    frames: int
    first_frame: int
    last_frame: int
    first_t: float
    last_t: float
    first_box: Box
    last_box: Box
    moments: list[Floats] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    _looks: list[tuple[float, Floats]] = field(default_factory=list)

    @cached_property
    def appearance(self) -> Floats | None:
        """Median description over its clearest stretches; None if it was never described. Ask when it is complete."""
        if not self._looks:
            return None
        bar = 0.8 * max(clarity for clarity, _ in self._looks)
        return np.asarray(np.median([look for c, look in self._looks if c >= bar], axis=0), np.float32)

    @property
    def clarity(self) -> float:
        """Of its clearest stretch, 0-1: how far its appearance can be trusted."""
        return max((clarity for clarity, _ in self._looks), default=0.0)

    def extend(self, readings: Readings) -> None:
        """Take in another stretch."""
        earlier = readings.frame[0] < self.first_frame
        if earlier:
            self.first_frame, self.first_t = int(readings.frame[0]), float(readings.t[0])
            self.first_box = face_box(readings.points[0])
        if readings.frame[-1] > self.last_frame:
            self.last_frame, self.last_t = int(readings.frame[-1]), float(readings.t[-1])
            self.last_box = face_box(readings.points[-1])
        self.frames += len(readings.frame)
        self._note(readings)

    def followed_by(self, other: Track) -> Track:
        """Add what another run measured of this tracklet later."""
        return replace(
            self,
            frames=self.frames + other.frames,
            last_frame=other.last_frame,
            last_t=other.last_t,
            last_box=other.last_box,
            moments=[*self.moments, *other.moments],
            changes=[*self.changes, *other.changes],
            _looks=[*self._looks, *other._looks],
        )

    def _note(self, readings: Readings) -> None:
        low, high = readings.points[:, :, :2].min(1), readings.points[:, :, :2].max(1)
        middle, width = (low + high) / 2, high[:, :1] - low[:, :1]
        rows = np.concatenate([readings.t[:, None], middle, width, readings.blendshapes], axis=1)
        parts = max(1, len(rows) // _MOMENT)
        self.moments += [part.mean(0).astype(np.float32) for part in np.array_split(rows, parts)]
        self.changes += readings.changes
        if readings.appearance is not None:
            self._looks.append((readings.clarity, readings.appearance))


def track_of(readings: Readings) -> Track:
    """Begin the summary of a tracklet with its first stretch."""
    track = Track(
        readings.tracklet,
        readings.tile,
        readings.epoch,
        len(readings.frame),
        int(readings.frame[0]),
        int(readings.frame[-1]),
        float(readings.t[0]),
        float(readings.t[-1]),
        face_box(readings.points[0]),
        face_box(readings.points[-1]),
    )
    track._note(readings)
    return track
