"""Telling a participant from a picture of a face: on a shared slide, a poster, a title, a frozen card.

A participant lives through time and moves as faces do:

- seen for at least 1 s or a third of the recording, and for at least 1% of it (10 s are always enough);
- the expression changes: the mean range (5th to 95th percentile) of the 52 scores, each averaged over stretches of
  about half a second so that camera noise and compression cancel, is above `LIVELY`. A slide that scrolls or a poster
  seen by a camera that moves changes its place and not its expression; a person who sits still blinks and swallows.

Measured (tests/face/test_calls.py): 0.001 to 0.004 for photographs on slides and walls, also with sensor noise and
strong compression; 0.02 and more for a man who sits still. A talking head in a shared film cannot be told from a
participant.
"""

from __future__ import annotations

import numpy as np

from vsa.face.people import Person

#: Mean range of expression scores above which a face is alive.
LIVELY = 0.008
#: Recordings shorter than this are too short to tell: s.
TOO_SHORT_S = 1.0
_SHORTEST_S, _SHORTEST_SHARE = 1.0, 1 / 3
_SMALLEST_SHARE, _ENOUGH_S = 0.01, 10.0


def liveliness(person: Person) -> float:
    """Mean range of the expression scores over the session, 0-1."""
    scores = person.moments()[:, 4:]
    low, high = np.percentile(scores, [5, 95], axis=0)
    return float((high - low).mean())


def is_participant(person: Person, frames: int, duration_s: float) -> bool:
    """Whether a face is a participant of a recording of so many pictures and seconds; see the module."""
    share = person.frames / max(frames, 1)
    seen_s = share * duration_s
    if duration_s < TOO_SHORT_S:
        return share >= _SHORTEST_SHARE
    long = seen_s >= _SHORTEST_S or share >= _SHORTEST_SHARE
    return long and (share >= _SMALLEST_SHARE or seen_s >= _ENOUGH_S) and liveliness(person) > LIVELY
