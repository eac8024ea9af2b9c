"""What the other features rest on: how much of the session the face was seen, and how large."""

from __future__ import annotations

from vsa.features.limits import face_of
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import quantile


@feature(
    "quality.tracked_share",
    scope="role",
    unit="share",
    range=(0.0, 1.0),
    expect="none",
    needs=("face",),
    minimum="two analysed pictures",
    source="Studies leave out recordings below 90 % of pictures tracked (Koehler, MLASS scripts).",
)
def tracked_share(session: Session, role: str) -> float:
    """Share of the session in which the person's face was followed; a camera that is off counts as not followed."""
    face = session.faces[role]
    total = float(face.weights_s.sum())
    if not total > 0:
        raise TooLittle("fewer than two pictures were analysed")
    return face.seconds(face.tracked) / total


@feature(
    "quality.face_height_px",
    scope="role",
    unit="px",
    range=(0.0, None),
    expect="none",
    needs=("face",),
    minimum="one tracked picture",
    source="Gaze from smaller faces is poor: 120-150 px in OpenFace issue #71.",
)
def face_height_px(session: Session, role: str) -> float:
    """Median height of the box about the face's landmarks (hairline to chin), px of the recording."""
    face = face_of(session, role)
    return quantile(face.column("box_h")[face.tracked], face.weights_s[face.tracked], 0.5)
