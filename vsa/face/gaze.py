"""Where the eyes point, and how open they are, from the iris, the corners and the lids.

A face is small beside its distance, so it is taken as seen along one line of sight: the head's turn from that line
comes from all landmarks, and the eye's turn in the head from where the iris stands between the corners. No field of
view is needed, and a head at the edge of its tile that looks into the camera has gaze 0 like one in the middle.

Both eyes are averaged by how wide they are seen. This is the optical direction as far as a camera sees it. A person's
own neutral direction (habit, a camera above the screen, the angle between optical and visual axis, the shape of the
lids) is estimated per session and kept apart: `vsa.face.neutral`.

Sources: pupil and limbus about 10.5 mm in front of the eye's centre of rotation, which lies 13.5 mm behind the cornea
(Fry & Hill 1962); lid aperture over eye width as in the eye aspect ratio of Soukupova & Cech 2016, taken in the head's
frame so that a nod does not close the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.face.bundle import CanonicalFace
from vsa.face.geometry import orthographic

Doubles = npt.NDArray[np.float64]

#: Centre of rotation -> iris, cm.
IRIS_CM = 1.05
#: Midpoint of the corners -> centre of rotation: backwards and up, in the head's frame, cm. With this depth gaze does
#: not follow the head's yaw in people who turn it and go on looking at the screen (tests/face/test_gaze.py).
DEPTH_CM, RISE_CM = 0.55, 0.18
#: The landmark network shows about this share of the iris' movement up and down in the head, and all of it to the
#: sides: 0.4 to 0.8 in three people and two portraits who look on while the head nods, 0.2 to 0.3 where only the eyes
#: of the portraits move.
VERTICAL_SHARE = 0.55
#: Lid aperture over eye width when an eye is shut, and when it is wide open.
SHUT, OPEN = 0.075, 0.38
#: Less open than this an eye shows no iris, and its landmarks for it are made up.
HIDDEN = 0.22


@dataclass(frozen=True)
class _Eye:
    outer: int
    inner: int
    iris: int
    upper: tuple[int, int, int]
    lower: tuple[int, int, int]


_RIGHT = _Eye(33, 133, 468, (160, 159, 158), (144, 145, 153))
_LEFT = _Eye(263, 362, 473, (387, 386, 385), (373, 374, 380))


@dataclass(frozen=True)
class Eyes:
    """The eyes of one face over n pictures.

    Attributes
    ----------
    gaze_deg
        Yaw (positive to the subject's left) and pitch (positive up) from the line between the face and the camera: 0
        is straight at the camera. NaN while the lids hide both irises. Shape (n, 2).
    open_left, open_right
        0 shut to 1 wide open, shape (n,).
    """

    gaze_deg: Doubles
    open_left: Doubles
    open_right: Doubles


def measure(points: npt.NDArray[np.float32], face: CanonicalFace) -> Eyes:
    """Gaze and lids of landmarks (n, 478, 3) in px of the recording."""
    rotation, px_per_cm = orthographic(points, face)
    seen = points * [1.0, -1.0, -1.0] / px_per_cm[:, None, None]
    both, width_sum = np.zeros((len(points), 3)), np.zeros((len(points), 1))
    opened = []
    for eye in (_LEFT, _RIGHT):
        opened.append(_openness(eye, seen, rotation))
        width = np.linalg.norm(seen[:, eye.outer, :2] - seen[:, eye.inner, :2], axis=1)
        width = (width * (opened[-1] > HIDDEN))[:, None]
        both += width * _direction(eye, seen, rotation)
        width_sum += width
    gaze = _angles(np.where(width_sum > 0, both, np.nan))
    return Eyes(gaze, *opened)


def _direction(eye: _Eye, seen: Doubles, rotation: Doubles) -> Doubles:
    """Unit vectors from the face's line of sight, shape (n, 3)."""
    offset = seen[:, eye.iris, :2] - seen[:, [eye.outer, eye.inner], :2].mean(1)
    # How far the iris stands in front of the corners depends on where it points: three rounds settle it.
    front = np.full(len(seen), IRIS_CM)
    for _ in range(3):
        flat = offset - rotation[:, :2, 2] * (front - DEPTH_CM)[:, None]
        x, y = np.moveaxis(np.linalg.solve(rotation[:, :2, :2], flat[..., None])[..., 0], -1, 0)
        y = (y - RISE_CM) / VERTICAL_SHARE
        beside = np.hypot(x, y)
        # an iris beyond the rim of its ball is taken at 60 degrees from the front
        back = np.minimum(1.0, 0.87 * IRIS_CM / np.maximum(beside, 1e-9))
        x, y = x * back, y * back
        front = np.sqrt(IRIS_CM**2 - x**2 - y**2)
    return np.asarray(np.einsum("nij,nj->ni", rotation, np.stack([x, y, front], 1)) / IRIS_CM)


def _angles(direction: Doubles) -> Doubles:
    x, y, z = direction.T
    return np.asarray(np.degrees(np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))], 1)))


def _openness(eye: _Eye, seen: Doubles, rotation: Doubles) -> Doubles:
    used = seen[:, [*eye.upper, *eye.lower, eye.outer, eye.inner]]
    own = np.einsum("nji,nkj->nki", rotation, used)
    aperture = (own[:, :3, 1] - own[:, 3:6, 1]).mean(1)
    width = np.linalg.norm(own[:, 6] - own[:, 7], axis=1)
    return np.asarray(np.clip((aperture / width - SHUT) / (OPEN - SHUT), 0.0, 1.0))
