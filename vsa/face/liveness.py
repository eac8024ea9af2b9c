"""Telling a participant from a picture of a face: on a shared slide, a poster, a title, a profile photo, a card.

A participant lives through time and moves as faces do:

- seen for at least 1 s or a third of the recording, and for at least 1% of it (10 s are always enough);
- the face's pixels change: within a third of a second by at least `STILL` grey levels, more often than not. Photos and
  initials in place of a camera that is off don't, but for key frames that show them anew, a little different; what
  is wrongly seen as a face in them wanders only with the coding's noise. Such tracklets are nobody's (`is_still`), so
  that the profile photo of a participant is not taken for the participant;
- the expression changes: the mean range (5th to 95th percentile) of the 52 scores, each averaged over stretches of
  about half a second so that camera noise and compression cancel, is above `LIVELY`. A slide that scrolls or a poster
  behind somebody changes its place or its surroundings and not its expression; a person who sits still blinks and
  swallows.

Measured (composed calls, 360p to 1080p, CRF 18 to 40, key frames each 1.6 to 10 s): change 0.6 to 30 grey levels for
people, also sitting still in strongly compressed pictures, at most 0.05 for still tiles. Range 0.001 to 0.004 for
photographs on slides and walls with sensor noise, 0.02 and more for people; 0.007 to 0.03 for photographs that move
in the picture all the time (a hand-held camera, a portrait that sways), which pass, as does a slide that scrolls for
more than 1% of a recording and 1 s. A talking head in a shared film cannot be told from a participant.
"""

from __future__ import annotations

import numpy as np

from vsa.face.people import Person
from vsa.face.tracks import Track

#: Mean range of expression scores above which a face is alive.
LIVELY = 0.0055
#: Change of a face, grey levels, below which it is a still, see `vsa.face.tracks.Track`.
STILL = 0.2
#: Changes that must be known to call a tracklet still: two thirds of a second.
_LEAST_CHANGES = 2
#: Recordings shorter than this are too short to tell: s.
TOO_SHORT_S = 1.0
_SHORTEST_S, _SHORTEST_SHARE = 1.0, 1 / 3
_SMALLEST_SHARE, _ENOUGH_S = 0.01, 10.0


def is_still(*tracks: Track) -> bool:
    """Whether tracklets show a still picture most of the while; False where they are too short to tell."""
    changes = [change for track in tracks for change in track.changes]
    return len(changes) >= _LEAST_CHANGES and float(np.median(changes)) < STILL


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
    if is_still(*person.tracks):
        return False
    long = seen_s >= _SHORTEST_S or share >= _SHORTEST_SHARE
    return long and (share >= _SMALLEST_SHARE or seen_s >= _ENOUGH_S) and liveliness(person) > LIVELY
