"""Whether a face's picture is the one that was read last, but for the coder's noise: the setting ``adaptive``.

A call program that gets 10 or 15 pictures a second records 25 or 30: most are repeats, and its coder leaves each a
little different. A repeat is taken over: its landmarks are those of the last reading, and smoothing, expressions,
gaze and lids go on from there as ever. It is not, where a second look at one picture would say something else: while
the crop has not caught up with the head, and while lids move.

Rows that were taken over beside the exact run's, largest difference. The bound is .02, 0.5 degrees and .03; the
network's own jitter, from crops of a calm man moved by up to a quarter of a px, is .024, 0.68 and .021.

==============================================  =======  ===========  =============  =======
recording (pictures/s of the camera in those)   share    expressions  gaze, degrees  lids
==============================================  =======  ===========  =============  =======
calm man, 10 in 30, crf 23                      .28      .013         0.40           .007
calm man, 10 in 30, crf 28                      .22      .019         0.25           .008
calm man, 12.5 in 25, crf 23                    .22      .015         0.50           .007
calm man, 12.5 in 25, crf 28                    .22      .013         0.45           .011
calm man, 15 in 30, crf 23                      .27      .014         0.62 (1 row)   .015
calm man, 15 in 30, crf 28                      .22      .013         0.24           .019
woman who moves and talks, these six            0-.05    .015         0.28           .006
webcam_man_53s                                  .06      .014         0.32           .010
call_two_tiles, its man                         .01      .013         0.15           .002
the other clips                                 0
==============================================  =======  ===========  =============  =======

Blinks were the same in all. Rows that are read after one that was taken over differ as by the network's jitter (.031 at
most). So a calm listener is read a quarter less often, and people who move are not: where the crop follows a moving
head, the exact run itself reads one picture twice in two ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vsa.face.crops import Crop, from_landmarks
from vsa.media.picture import GREY_GAIN, Picture, even_region

Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]

#: Nothing is taken over for longer than this without a reading, s: what drifts slowly would be missed.
LONGEST_S = 0.2
#: Where no cell of a face's box differs by more than this, grey levels of 255, the picture is the same. Repeats that
#: x264 coded at crf 23 to 28 differ by up to 3.6 (median 0.6 to 1.5), other pictures of a person who talks by 4 to 100.
NOISE = 1.5
#: Cells across a face's box: each is compared on its own, for what moves in a face is small beside it.
CELLS = 12
#: A crop has caught up when the one from its own landmarks differs by less than this, in its side: half a px of the
#: network's input. From anywhere, a second look at one picture moves expressions by up to .16 and gaze by 6 degrees.
SETTLED = 0.002
#: Lids over the eye's width: below this they may be closing, and faster than this from reading to reading they move.
LIDS_OPEN, LIDS_MOVE = 0.15, 0.03

#: Corners, upper and lower lid of each eye.
_EYES = (((33, 133), (160, 159, 158), (144, 145, 153)), ((263, 362), (387, 386, 385), (373, 374, 380)))


@dataclass(frozen=True, eq=False)
class Held:
    """A reading that later pictures may be compared with.

    Attributes
    ----------
    picture
        What was read.
    box
        The face's, px.
    lids
        Aperture over width of both eyes, shape (2,).
    steady
        A second look would see the same.
    """

    picture: Picture
    box: Box
    lids: Floats
    steady: bool

    @classmethod
    def after(cls, before: Held | None, picture: Picture, points: Floats, box: Box, crop: Crop) -> Held:
        """Hold a reading; `before` is the one before it, and `crop` the one that it was read from."""
        lids = _lids(points)
        steady = (
            before is not None
            and bool(np.min([lids, before.lids]) > LIDS_OPEN)
            and bool(np.abs(lids - before.lids).max() < LIDS_MOVE)
            and _apart(crop, from_landmarks(points)) < SETTLED
        )
        return cls(picture, box, lids, steady)

    def still_shown(self, picture: Picture) -> bool:
        """Whether a later picture shows the same face, unmoved."""
        # times are of 90 kHz clocks at best
        if not self.steady or picture.t - self.picture.t > LONGEST_S + 1e-4:
            return False
        return float(differences(self.picture, picture, self.box).max()) < NOISE


def differences(one: Picture, other: Picture, box: Box) -> Floats:
    """Mean absolute grey differences of two pictures in the cells of a face's box, 0-255, shape (down, across)."""
    left, top, right, bottom = even_region(box, one.width, one.height)
    cell = max(2, (right - left) // CELLS)
    # whole cells only: shrinking by a whole number is far quicker than by any other
    across, down = max(1, (right - left) // cell), max(1, (bottom - top) // cell)
    part = slice(top, min(bottom, top + down * cell)), slice(left, min(right, left + across * cell))
    changed = cv2.absdiff(one.y[part], other.y[part])
    cells = cv2.resize(changed.astype(np.float32), (across, down), interpolation=cv2.INTER_AREA)
    return np.asarray(cells) * np.float32(GREY_GAIN)


def _lids(points: Floats) -> Floats:
    apertures = []
    for (outer, inner), upper, lower in _EYES:
        apart = points[list(upper), :2].mean(0) - points[list(lower), :2].mean(0)
        width = points[outer, :2] - points[inner, :2]
        apertures.append(math.hypot(*apart) / max(math.hypot(*width), 1e-6))
    return np.array(apertures, np.float32)


def _apart(one: Crop, other: Crop) -> float:
    """How far two crops differ at their edges, at most, in the other's side."""
    turned = (one.angle - other.angle + math.pi) % (2 * math.pi) - math.pi
    moved = math.hypot(one.x - other.x, one.y - other.y) / other.side
    return moved + abs(math.log(one.side / other.side)) / 2 + abs(turned) / 2
