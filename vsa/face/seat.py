"""Following every face inside one tile, picture by picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vsa.face import crops, scan
from vsa.face.adaptive import Held
from vsa.face.detector import Detections, overlaps
from vsa.face.engine import FaceEngine, Floats
from vsa.face.tiles import Tile
from vsa.face.tracklet import Box, Reading, Shown, Tracklet, middle
from vsa.media.picture import Picture, mean_difference

Numbered = tuple[int, Picture]

#: Tracklets that a seat may number.
_MOST_TRACKLETS = 1_000_000

#: Presence below this means that the face is lost (MediaPipe's default).
MIN_PRESENCE = 0.5
#: While a face is missing from the tile it is looked for this often, s; else, for a further one, this often.
LOOK_EVERY_S, LOOK_FOR_MORE_S = 0.2, 1.0
#: Faces don't move further than this between pictures, in face widths, plus so many a second.
_JUMP_WIDTHS = 0.35
_JUMP_WIDTHS_PER_S = 5.0
#: Two boxes that overlap this much may have become one face.
_MEETING = 0.35


class Seat:
    """The faces seen through one camera.

    Parameters
    ----------
    engine
        Finds and follows.
    tile
        The camera's rectangle.
    epoch
        Of the layout, see `Tracklet`.
    number
        Of the seat within the session; its tracklets count on from it, whatever other seats do meanwhile.
    adaptive
        Take over what was read where a face's picture is the same but for the coder's noise.

    Attributes
    ----------
    holes
        Smaller tiles inside this one: faces in them are their seats' business.
    """

    def __init__(
        self, engine: FaceEngine, tile: Tile, epoch: int, number: int, *, adaptive: bool = False
    ) -> None:
        self.engine = engine
        self.tile = tile
        self.epoch = epoch
        self.holes: list[Tile] = []
        self.live: list[Tracklet] = []
        self._adaptive = adaptive
        self._numbers = itertools.count(number * _MOST_TRACKLETS)
        self._touched: dict[int, Tracklet] = {}
        self._boxes: dict[int, list[tuple[float, float, float, float]]] = {}
        self._expected = 0
        self._looked_s = -np.inf
        self._last: Picture | None = None
        self._last_seen: tuple[float, float, float, float] | None = None

    def follow(
        self,
        pictures: Sequence[Numbered],
        earlier: Sequence[Numbered],
        found: Detections | None,
        *,
        alone: bool,
    ) -> list[Tracklet]:
        """Analyse the next pictures.

        Parameters
        ----------
        pictures
            Index and picture, in order.
        earlier
            The pictures before them up to the last cut of the layout: a face that is found late is followed
            backwards through them to where it appeared.
        found
            Faces that a scan of the first picture found inside the tile, if there was one.
        alone
            No other seat is analysed at the same time.

        Returns
        -------
        Tracklets with new readings in `pending`; some of them have ended.
        """
        self._touched = {t.number: t for t in self.live}
        self._boxes = {frame: self._boxes.get(frame, []) for frame, _ in earlier}
        for k, (frame, picture) in enumerate(pictures):
            shown = Shown.of(picture, self._last, self.tile)
            self._boxes[frame] = []
            for face in list(self.live):
                self._step(face, frame, picture, shown, alone)
            self._part_meeting(frame)
            every_s = LOOK_EVERY_S if len(self.live) < max(1, self._expected) else LOOK_FOR_MORE_S
            if (k == 0 and found is not None) or picture.t - self._looked_s >= every_s - 1e-6:
                for face in self._look(frame, picture, shown, found if k == 0 else None, alone):
                    self._backwards(face, picture, [*earlier, *pictures[:k]], alone)
            self._boxes[frame] += [f.last.box for f in self.live if f.last is not None]
            if self.live and self.live[0].last is not None:
                self._last_seen = self.live[0].last.box
            self._expected = max(self._expected, len(self.live))
            self._last = picture
        return [t for t in self._touched.values() if t.pending]

    def close(self) -> None:
        """End all tracklets."""
        for face in list(self.live):
            self._end(face)

    def _step(self, face: Tracklet, frame: int, picture: Picture, shown: Shown, alone: bool) -> None:
        previous = face.last
        if shown.motion == 0.0 and previous is not None and face.stream is None:
            # the tile repeats its picture: so does the result
            self._keep(face, replace(previous, frame=frame, t=picture.t, shown=shown, repeated=True))
            return
        if previous is not None and face.held is not None and face.held.still_shown(picture):
            taken_over = replace(
                previous, frame=frame, t=picture.t, shown=shown, repeated=False, interpolated=True
            )
            self._keep(face, taken_over)
            return
        reading = self._read(face, frame, picture, shown, alone)
        if reading.presence < MIN_PRESENCE or not self._mine(*middle(reading.box)):
            self._end(face)
            return
        seconds = picture.t - self._last.t if self._last is not None else 0.0
        if previous is not None and _jumped(previous.box, reading.box, seconds):
            self._end(face)
            face = self._start(face.crop)
        if self._adaptive and face.stream is None:
            face.held = Held.after(face.held, picture, reading.points, reading.box, face.crop)
        self._keep(face, reading)

    def _read(self, face: Tracklet, frame: int, picture: Picture, shown: Shown, alone: bool) -> Reading:
        if face.stream is not None:
            points, presence, scores = face.stream.step(picture)
            return Reading(frame, picture.t, points, presence, shown, False, scores)
        raw, sure = self.engine.landmarks([self._crop(picture, face.crop)], alone=alone)
        return Reading(frame, picture.t, face.crop.to_picture(raw[0]), float(sure[0]), shown, False)

    def _crop(self, picture: Picture, crop: crops.Crop) -> Any:
        """Pixels for the landmark network: the tile's, with its border repeated, and none of a neighbour's."""
        seen, left, top = picture.part(self.tile.box)
        return self.engine.cut(seen, replace(crop, x=crop.x - left, y=crop.y - top).matrix())

    def _keep(self, face: Tracklet, reading: Reading) -> None:
        face.last = reading
        if not reading.repeated:
            face.crop = crops.from_landmarks(reading.points)
        face.pending.append(reading)

    def _start(self, crop: crops.Crop) -> Tracklet:
        face = Tracklet(next(self._numbers), self.tile, self.epoch, crop, self.engine.stream(self.tile.box))
        self.live.append(face)
        self._touched[face.number] = face
        return face

    def _end(self, face: Tracklet) -> None:
        self.live.remove(face)
        if face.stream is not None:
            face.stream.close()
            face.stream = None
        self._looked_s = -np.inf

    def _part_meeting(self, frame: int) -> None:
        """Where two faces become one, end both: who goes on is decided by appearance over the whole session."""
        for one, other in itertools.combinations(list(self.live), 2):
            if one not in self.live or other not in self.live or one.last is None or other.last is None:
                continue
            if overlaps(one.last.box, [other.last.box])[0] < _MEETING:
                continue
            better, worse = (one, other) if one.last.presence >= other.last.presence else (other, one)
            if worse.pending and worse.pending[-1].frame == frame:
                worse.pending.pop()
            self._end(worse)
            if len(better.pending) > 1 and better.pending[-1].frame == frame:
                reading = better.pending.pop()
                self._end(better)
                self._keep(self._start(better.crop), reading)

    def _look(
        self, frame: int, picture: Picture, shown: Shown, found: Detections | None, alone: bool
    ) -> list[Tracklet]:
        self._looked_s = picture.t
        if found is None:
            boxes: list[tuple[float, float, float, float]] = [self.tile.box]
            if self._last_seen is not None:
                x, y, w, h = self._last_seen
                boxes.append((x - w, y - h, 3 * w, 3 * h))
            found = scan.look(self.engine, picture, boxes)
        new = []
        for box, eyes in zip(found.boxes, found.eyes, strict=True):
            x, y = box[:2] + box[2:] / 2
            if not self._mine(x, y) or self._taken(float(x), float(y), box):
                continue
            face = self._start(crops.from_eyes(box, eyes))
            reading = self._read(face, frame, picture, shown, alone)
            if face.stream is None and reading.presence >= MIN_PRESENCE:
                # from the detector's crop landmarks lie elsewhere than from their own: settle before they count
                face.crop = crops.from_landmarks(reading.points)
                reading = self._read(face, frame, picture, shown, alone)
            centre = middle(reading.box)
            if reading.presence < MIN_PRESENCE or not self._mine(*centre) or self._taken(*centre, but=face):
                self._end(face)
                del self._touched[face.number]
                continue
            self._keep(face, reading)
            new.append(face)
        self._looked_s = picture.t
        return new

    def _mine(self, x: float, y: float) -> bool:
        return self.tile.holds(x, y) and not any(hole.holds(x, y) for hole in self.holes)

    def _taken(self, x: float, y: float, box: Floats | None = None, *, but: Tracklet | None = None) -> bool:
        for face in self.live:
            if face is but or face.last is None:
                continue
            live = face.last.box
            if live[0] < x < live[0] + live[2] and live[1] < y < live[1] + live[3]:
                return True
            if box is not None and overlaps(live, [box])[0] > 0.2:
                return True
        return False

    def _backwards(self, face: Tracklet, later: Picture, earlier: Sequence[Numbered], alone: bool) -> None:
        if face.stream is not None or not earlier:
            return
        first = face.pending[0]
        crop, last = face.crop, first
        readings: list[Reading] = []
        for k in range(len(earlier) - 1, -1, -1):
            frame, picture = earlier[k]
            before = earlier[k - 1][1] if k else None
            shown = Shown.of(picture, before, self.tile)
            if mean_difference(later, picture, self.tile.box) == 0.0:
                reading = replace(last, frame=frame, t=picture.t, shown=shown, repeated=True)
            else:
                raw, sure = self.engine.landmarks([self._crop(picture, crop)], alone=alone)
                reading = Reading(frame, picture.t, crop.to_picture(raw[0]), float(sure[0]), shown, False)
                if reading.presence < MIN_PRESENCE or _jumped(last.box, reading.box, 0.0):
                    break
            box = reading.box
            if any(overlaps(box, [other])[0] > 0.2 for other in self._boxes.get(frame, [])):
                break
            readings.append(reading)
            self._boxes.setdefault(frame, []).append(box)
            last, later = reading, picture
            crop = crops.from_landmarks(reading.points)
        face.pending[:0] = readings[::-1]


def _jumped(before: Box, after: Box, seconds: float) -> bool:
    (x0, y0), (x1, y1) = middle(before), middle(after)
    width = max(before[2], 1.0)
    allowed = (_JUMP_WIDTHS + _JUMP_WIDTHS_PER_S * min(seconds, 0.5)) * width
    return math.hypot(x1 - x0, y1 - y0) > allowed or not 0.6 < after[2] / width < 1.67
