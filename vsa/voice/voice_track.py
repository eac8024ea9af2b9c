"""What is known of one person's voice on the session's time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.voice.activity import STEP_S

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: Voices that nobody on screen has: one who is not in view, and one of whom it is not known who it is.
OFF_CAMERA, UNKNOWN = "off_camera", "unknown"


@dataclass(frozen=True, eq=False)
class VoiceTrack:
    """One voice, in steps of 10 ms; step k lasts from ``start_s + k * 0.01`` to ``start_s + (k + 1) * 0.01``.

    Attributes
    ----------
    participant
        Whose: an id, `OFF_CAMERA` or `UNKNOWN`.
    start_s
        Session time of the first step, s.
    speech
        Probability that this person speaks, 0-1, shape (m,); NaN where there is no sound, or it can't be said.
    speaking
        The same as a decision; False where `speech` is NaN.
    f0_hz, intensity_db, spectral_tilt_db
        From `vsa.voice.prosody`, shape (m,); NaN where there is nothing to measure, and, in mixed sound, where anybody
        else speaks.
    """

    participant: str
    start_s: float
    speech: Floats
    speaking: Bools
    f0_hz: Floats
    intensity_db: Floats
    spectral_tilt_db: Floats

    @property
    def speech_s(self) -> float:
        """How long this person speaks, s."""
        return float(np.count_nonzero(self.speaking)) * STEP_S

    @property
    def known_share(self) -> float:
        """Share of the steps in which it can be said whether this person speaks."""
        return float(np.isfinite(self.speech).mean()) if len(self.speech) else 0.0


def masked(values: Floats, there: Bools) -> Floats:
    """Values where they count; NaN elsewhere."""
    return np.asarray(np.where(there, values, np.float32(np.nan)), np.float32)
