"""Signals of which synchrony is measured: one series a person, on one even grid for the whole session.

- `motion`: motion energy of the person's picture, grey levels (Ramseyer & Tschacher 2011);
- `head`: speed at which the head turns, deg/s;
- `smile`: how far the mouth corners are raised, 0-1;
- `f0`, `intensity`: pitch (semitones) and loudness (dB) of the person's own speech as a moving average over
  `SPOKEN_S`. People seldom speak at the same time; the average carries over the other's turn, as in time-aligned moving
  averages (De Looze et al. 2014).

NaN where there is nothing to measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vsa.features.even import evenly
from vsa.features.limits import face_of, voice_of
from vsa.features.memo import once
from vsa.features.person import STEP_S, Face, Voice
from vsa.features.session import Session
from vsa.features.signals import Floats
from vsa.features.smiles import smile
from vsa.voice.prosody import semitones

#: Samples a second. What people do together in therapy is slower than 2 Hz (Altmann 2011; Fujiwara & Daibo 2016).
RATE_HZ = 10.0
#: Moving average of the voice, s, and the least voiced speech in it.
SPOKEN_S, LEAST_SPOKEN_S = 10.0, 1.0

#: What of ``face.parquet`` the series are made from.
COLUMNS = (
    *("t", "participant", "tracked", "motion"),
    *("head_yaw", "head_pitch", "head_roll", "mouthSmileLeft", "mouthSmileRight"),
)

Series = Callable[[Session, str], Floats]

_ANGLES = ("head_yaw", "head_pitch", "head_roll")
#: Turning is taken over this many samples: 0.2 s.
_TURN = 2


def motion(session: Session, scope: str) -> Floats:
    """Motion energy, shape (n,)."""
    face = face_of(session, scope)
    return _even(session, face, face.column("motion"))


def head(session: Session, scope: str) -> Floats:
    """Speed at which the head turns, deg/s, shape (n,)."""
    face = face_of(session, scope)
    angles = np.column_stack([_even(session, face, face.column(name)) for name in _ANGLES])
    speed = np.full(len(angles), np.nan)
    half = _TURN // 2
    speed[half:-half] = np.linalg.norm(angles[_TURN:] - angles[:-_TURN], axis=1) * RATE_HZ / _TURN
    return speed


def smiling(session: Session, scope: str) -> Floats:
    """How far the mouth corners are raised, 0-1, shape (n,)."""
    face = face_of(session, scope)
    start_s, end_s = session.span_s
    return evenly(face.t, smile(face), face.frontal, RATE_HZ, start_s=start_s, end_s=end_s)


def f0(session: Session, scope: str) -> Floats:
    """Pitch re own median, semitones, moving average over own speech, shape (n,)."""
    voice = voice_of(session, scope)
    return _spoken(session, voice, _semitones(voice))


def intensity(session: Session, scope: str) -> Floats:
    """Loudness re own median, dB, moving average over own voiced speech, shape (n,)."""
    voice = voice_of(session, scope)
    return _spoken(session, voice, np.where(np.isfinite(voice.f0_hz), voice.intensity_db, np.nan))


#: Of which synchrony is measured: name in feature names, what it is in words, and the series.
SIGNALS: Mapping[str, tuple[str, Series]] = {
    "motion": ("motion energy", motion),
    "head": ("head movement", head),
    "smile": ("smiling", smiling),
    "f0": ("pitch", f0),
    "intensity": ("loudness", intensity),
}


@once
def _semitones(voice: Voice) -> Floats:
    return np.asarray(semitones(np.where(voice.speaking, voice.f0_hz, np.nan).astype(np.float32)), np.float64)


def _even(session: Session, face: Face, values: Floats) -> Floats:
    start_s, end_s = session.span_s
    return evenly(face.t, values, face.tracked, RATE_HZ, start_s=start_s, end_s=end_s)


def _spoken(session: Session, voice: Voice, values: Floats) -> Floats:
    """Mean of what was spoken within half of `SPOKEN_S` of each sample."""
    used = voice.speaking & np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(used, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(used)])
    start_s, end_s = session.span_s
    middle = start_s + (np.arange(max(0, int((end_s - start_s) * RATE_HZ + 1e-6))) + 0.5) / RATE_HZ
    step = np.rint((middle - voice.start_s) / STEP_S)
    half = SPOKEN_S / STEP_S / 2
    first, last = (np.clip(step + side, 0, len(used)).astype(np.int64) for side in (-half, half))
    n = counts[last] - counts[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n * STEP_S >= LEAST_SPOKEN_S, (sums[last] - sums[first]) / n, np.nan)
