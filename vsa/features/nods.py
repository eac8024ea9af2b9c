"""Nods: the head's pitch swings up and down, or down and up, and comes back. What makes a gesture: `swings`.

One nod is down and up; several in a row are one episode.
"""

from __future__ import annotations

from vsa.features.episodes import Episodes
from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.swings import Gesture, find_gestures

#: A nod's largest swing is at least this, from peak to peak.
LARGEST_DEG = 3.0
NOD = Gesture(axis="head_pitch", size_deg=LARGEST_DEG, swings=2, evenness=0.6)


@once
def find_nods(face: Face) -> Episodes:
    """Nods of one person; `size` is the largest swing from peak to peak, deg."""
    return find_gestures(face, NOD)
