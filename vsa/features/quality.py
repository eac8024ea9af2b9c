"""What the other features rest on: how much of the session was seen, and how well. `quality_sound` has the sound.

These describe the recording, not the people, and a bond is never predicted from them. Where a group of features rests
on a part of the session only, that part is here: gaze and blinks on `quality.eyes_share`, faces on
`quality.frontal_share`, heads on `quality.tracked_share`, voices on `quality.speech_share`, turns on
`quality.speakers_known_share`, synchrony of movement on `quality.both_tracked_share`.
"""

from __future__ import annotations

import numpy as np

from vsa.features.episodes import runs
from vsa.features.limits import LEVEL_S, face_of, need_seconds, pair_of
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Flags, quantile

#: A picture that does not change at all for this long is frozen, s. Recordings repeat single pictures of slower calls.
FROZEN_S = 1.0
#: A tile darker than this on the whole is dark, grey level 0-255.
DARK = 50.0


@feature(
    "quality.tracked_share",
    unit="share",
    needs=("face",),
    minimum="two analysed pictures",
    source="Studies leave out recordings below 90 % of pictures tracked (Koehler, MLASS scripts).",
)
def tracked_share(session: Session, role: str) -> float:
    """Share of the session in which the person's face was followed; a camera that is off counts as not followed."""
    face = session.faces[role]
    return _share(face, face.tracked)


@feature(
    "quality.frontal_share",
    unit="share",
    needs=("face",),
    minimum="two analysed pictures",
    source="Convention of this project: the time on which features of the face rest.",
)
def frontal_share(session: Session, role: str) -> float:
    """Share of the session in which the face is seen, turned no more than 40 degrees aside."""
    face = session.faces[role]
    return _share(face, face.frontal)


@feature(
    "quality.eyes_share",
    unit="share",
    needs=("face",),
    minimum="two analysed pictures",
    source="Convention of this project: the time on which gaze and blinks rest.",
)
def eyes_share(session: Session, role: str) -> float:
    """Share of the session in which lids and gaze can be read: a frontal face of 80 px or more."""
    face = session.faces[role]
    return _share(face, face.eyes)


@feature(
    "quality.face_height_px",
    unit="px",
    needs=("face",),
    minimum="one tracked picture",
    source="Gaze from smaller faces is poor: 120-150 px in OpenFace issue #71.",
)
def face_height_px(session: Session, role: str) -> float:
    """Median height of the box about the face's landmarks (hairline to chin), px of the recording."""
    face = face_of(session, role)
    return quantile(face.column("box_h")[face.tracked], face.weights_s[face.tracked], 0.5)


@feature(
    "quality.lost_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Convention of this project: a face that is lost often is poorly seen.",
)
def lost_rate_per_min(session: Session, role: str) -> float:
    """How often the face is lost while it is in view, per minute."""
    face = face_of(session, role)
    seconds = need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    seen = face.tracked
    return float(np.count_nonzero(seen[:-1] & ~seen[1:])) / (seconds / 60)


@feature(
    "quality.frame_rate_hz",
    unit="Hz",
    needs=("face",),
    minimum="three pictures of the face",
    source="Blinks need 15 new pictures a second, nods 12 (vsa.features.blinks, vsa.features.nods).",
)
def frame_rate_hz(session: Session, role: str) -> float:
    """New pictures of the person a second, from the median interval; pictures that repeat one do not count."""
    return face_of(session, role).rate_hz


@feature(
    "quality.frozen_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Convention of this project.",
)
def frozen_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the person's picture stands still for a second or more."""
    face = face_of(session, role)
    seconds = need_seconds(face, face.tracked, LEVEL_S, "the face is in view")
    # a repeated picture goes on from the one before: a freeze of k repeats lasts k + 1 pictures' time
    still = face.tracked & (face.column("motion") == 0)
    lasting = [face.weights_s[max(a - 1, 0) : b].sum() for a, b in runs(still)]
    return min(1.0, float(sum(one for one in lasting if one >= FROZEN_S)) / seconds)


@feature(
    "quality.dark_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face in view",
    source="Mean grey of the whole picture below 50 of 255: convention of this project. Of the picture and not of the "
    "face, so that it depends less on skin.",
)
def dark_share(session: Session, role: str) -> float:
    """Share of the time with the face in view in which the person's picture is dark."""
    face = face_of(session, role)
    luma = face.column("luma")
    known = face.tracked & np.isfinite(luma)
    if not known.any():
        raise TooLittle("brightness was not measured")
    seconds = need_seconds(face, known, LEVEL_S, "the face is in view")
    return face.seconds(known & (luma < DARK)) / seconds


@feature(
    "quality.duration_min",
    scope="dyad",
    unit="min",
    needs=("face",),
    minimum="two analysed pictures",
    source="Length of the recording.",
)
def duration_min(session: Session, scope: str) -> float:
    """Length of the session, from its first picture or sound to its last."""
    return span_s(session) / 60


@feature(
    "quality.both_tracked_share",
    scope="dyad",
    unit="share",
    needs=("face",),
    minimum="two people, two analysed pictures",
    source="Convention of this project: the time on which synchrony of movement and mutual features rest.",
)
def both_tracked_share(session: Session, scope: str) -> float:
    """Share of the session in which both faces are followed at the same time."""
    one, other = (session.faces[who] for who in pair_of(session))
    if not len(other.t):
        return 0.0
    nearest = np.clip(np.searchsorted(other.t, one.t, "right") - 1, 0, len(other.t) - 1)
    return _share(one, one.tracked & other.tracked[nearest])


def _share(face: Face, where: Flags) -> float:
    total = float(face.weights_s.sum())
    if not total > 0:
        raise TooLittle("fewer than two pictures were analysed")
    return face.seconds(where) / total


def span_s(session: Session) -> float:
    """Length of the session, s; `TooLittle` if there is none."""
    start, end = session.span_s
    if not end > start:
        raise TooLittle("fewer than two pictures were analysed")
    return end - start
