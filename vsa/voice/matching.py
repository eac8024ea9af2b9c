"""Which face belongs to which track: the mouth that moves with the voice on it.

Every pair is weighed as on mixed sound (`vsa.voice.lip_sync`): by how much the track's own speech is likelier if
this mouth makes it than if none does. One face and one track that are left over when
all others are matched belong together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.voice import lip_sync

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Matches:
    """Whose the tracks are.

    Attributes
    ----------
    names
        For each track the participant, or None if no mouth in view moves with it.
    confidence
        0-1, of the least certain one that was matched: how likely it is against any other face; 1 without any.
    """

    names: tuple[str | None, ...]
    confidence: float


def match(speech: Sequence[Floats], envelopes: Sequence[Floats], lips: Mapping[str, Floats]) -> Matches:
    """Match tracks with faces.

    Parameters
    ----------
    speech
        For each track, the probability that its person speaks, (m,), NaN where it has no sound.
    envelopes
        From `vsa.voice.lips.speech_envelope`, (m,) each.
    lips
        From `vsa.voice.lips.lip_movement`, (m, 2) for each face that could have a track.
    """
    from scipy.optimize import linear_sum_assignment

    faces = list(lips)
    names: list[str | None] = [None] * len(speech)
    if not faces or not speech:
        return Matches(tuple(names), 1.0)
    evidence = np.array(
        [
            [_evidence(said, sound, lips[face]) for face in faces]
            for said, sound in zip(speech, envelopes, strict=True)
        ]
    )
    confidence = 1.0
    for track, face in zip(*linear_sum_assignment(evidence, maximize=True), strict=True):
        others = np.delete(evidence[track], face).max(initial=0.0)
        if evidence[track, face] >= lip_sync.LEAST_OFFSET_EVIDENCE + others:
            names[track] = faces[face]
            confidence = min(confidence, float(1 / (1 + np.exp(-(evidence[track, face] - others)))))
    left = [k for k, name in enumerate(names) if name is None]
    free = [face for face in faces if face not in names]
    if len(left) == len(free) == 1 and len(speech) > 1:
        names[left[0]] = free[0]
    return Matches(tuple(names), confidence)


def _evidence(speech: Floats, envelope: Floats, lips: Floats) -> float:
    """Log-likelihood ratio, nats: this mouth makes this speech, against none does; at the likeliest offset."""
    heard = np.nan_to_num(speech)
    sound = lip_sync.standardized_envelope(np.nan_to_num(envelope), heard)
    movement, moving = lip_sync.standardized_movement(lips), lip_sync.moves(lips[:, 1], heard)
    return float(lip_sync.offset_scores([movement], [moving], sound, heard).max())
