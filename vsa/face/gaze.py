"""Where the eyes point, and how open they are, from the iris, the corners and the lids.

A ball is set behind the corners of each eye; the ray from the camera through the iris meets it where the eye points.
Both eyes are averaged. This is the optical direction as far as a camera sees it: the person's own neutral direction
(habit, a camera above the screen, the angle between optical and visual axis) is estimated per session and kept apart.

Sources: pupil about 10 mm in front of the eye's centre of rotation (Fry & Hill 1962); lid aperture over eye width as
in the eye aspect ratio of Soukupova & Cech 2016, taken in the head's frame so that a nod does not close the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.face.geometry import Heads, rays
from vsa.media.picture import Box

Doubles = npt.NDArray[np.float64]

#: Centre of rotation of the eye -> pupil, cm.
PUPIL_CM = 1.0
#: Midpoint of the corners -> centre of rotation, along the head's front, cm.
DEPTH_CM = 0.55
#: Lid aperture over eye width when an eye is shut, and when it is wide open.
SHUT, OPEN = 0.07, 0.36


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
        Yaw (positive to the subject's left) and pitch (positive up) from the line between the eyes and the camera: 0
        is straight at the camera. Shape (n, 2).
    open_left, open_right
        0 shut to 1 wide open, shape (n,).
    """

    gaze_deg: Doubles
    open_left: Doubles
    open_right: Doubles


def measure(points: npt.NDArray[np.float32], heads: Heads, tile: Box) -> Eyes:
    """Gaze and lids of landmarks (n, 478, 3) in px of the recording, with their poses and the person's tile."""
    left, right = (_direction(eye, points, heads, tile) for eye in (_LEFT, _RIGHT))
    both = left + right
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    to_camera = -heads.metric[:, [_LEFT.inner, _RIGHT.inner]].mean(1)
    to_camera /= np.linalg.norm(to_camera, axis=1, keepdims=True)
    gaze = _angles(both) - _angles(to_camera)
    return Eyes(gaze, _openness(_LEFT, heads), _openness(_RIGHT, heads))


def _direction(eye: _Eye, points: npt.NDArray[np.float32], heads: Heads, tile: Box) -> Doubles:
    """Unit vectors in the camera's frame, shape (n, 3)."""
    centre = heads.metric[:, [eye.outer, eye.inner]].mean(1) - heads.rotation[:, :, 2] * DEPTH_CM
    ray = rays(points[:, eye.iris, :2], tile)
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    along = np.einsum("ni,ni->n", ray, centre)
    beside2 = np.einsum("ni,ni->n", centre, centre) - along**2
    # a ray that passes beside the ball (an iris at its rim) is taken at its nearest point
    hit = ray * (along - np.sqrt(np.clip(PUPIL_CM**2 - beside2, 0, None)))[:, None] - centre
    return np.asarray(hit / np.linalg.norm(hit, axis=1, keepdims=True))


def _angles(direction: Doubles) -> Doubles:
    yaw = np.arctan2(direction[:, 0], direction[:, 2])
    return np.degrees(np.stack([yaw, np.arcsin(np.clip(direction[:, 1], -1, 1))], 1))


def _openness(eye: _Eye, heads: Heads) -> Doubles:
    used = heads.metric[:, [*eye.upper, *eye.lower, eye.outer, eye.inner]]
    own = np.einsum("nji,nkj->nki", heads.rotation, used)
    aperture = (own[:, :3, 1] - own[:, 3:6, 1]).mean(1)
    width = np.linalg.norm(own[:, 6] - own[:, 7], axis=1)
    return np.clip((aperture / width - SHUT) / (OPEN - SHUT), 0.0, 1.0)
