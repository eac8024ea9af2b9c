"""Shakes: the head's yaw swings to one side, to the other and back. What makes a gesture: `swings`.

A glance to the side is two swings, away and back; the least that people call shaking the head are three: out, across to
the other side, and back. The first and the last go half as far as the one across.
"""

from __future__ import annotations

from vsa.features.episodes import Episodes
from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.swings import Gesture, find_gestures

#: A shake's largest swing is at least this, from side to side.
LARGEST_DEG = 4.0
SHAKE = Gesture(axis="head_yaw", size_deg=LARGEST_DEG, swings=3, evenness=0.35)


@once
def find_shakes(face: Face) -> Episodes:
    """Shakes of the head of one person; `size` is the largest swing from side to side, deg."""
    return find_gestures(face, SHAKE)
