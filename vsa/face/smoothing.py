"""One-euro smoothing of landmarks over time, with the settings of MediaPipe's VIDEO mode.

Source: Casiez, Roussel & Vogel 2012; settings from MediaPipe's face landmarker graph (minimum cutoff 0.05 Hz, beta
80, derivative cutoff 1 Hz, speeds relative to the size of the face).

As in MediaPipe, crops and the question whether the face is still there follow the unsmoothed landmarks; all that is
written (landmarks, boxes, pose, gaze, lids, expressions) comes from the smoothed ones. Without smoothing the median
landmark lies 0.35 to 0.85% of the outer-eye distance from MediaPipe's on the clips of tests/face/test_parity.py, with
it 0.04 to 0.13%.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_MIN_CUTOFF_HZ = 0.05
_BETA = 80.0
_SPEED_CUTOFF_HZ = 1.0


class OneEuro:
    """State of the filter for one face."""

    def __init__(self) -> None:
        self._t = 0.0
        self._raw: Floats | None = None
        self._speed: Floats
        self._smooth: Floats

    def __call__(self, t: float, points: Floats) -> Floats:
        """Smooth the landmarks of the next picture.

        Parameters
        ----------
        t
            Presentation time, s; later than the one before.
        points
            Shape (478, 3), px.

        Returns
        -------
        Shape (478, 3), px.
        """
        if self._raw is None:
            self._speed = np.zeros_like(points)
            self._smooth = points
        else:
            rate = np.float32(1 / (t - self._t))
            # rows of their own: reducing columns takes ten times as long
            size = np.float32(np.mean(np.ptp(np.ascontiguousarray(points[:, :2].T), axis=1)))
            speed = (points - self._raw) * (rate / size)
            self._speed = self._speed + _alpha(_SPEED_CUTOFF_HZ, rate) * (speed - self._speed)
            weight = _alpha(_MIN_CUTOFF_HZ + _BETA * np.abs(self._speed), rate)
            self._smooth = self._smooth + weight * (points - self._smooth)
        self._t, self._raw = t, points
        return self._smooth


def _alpha(cutoff_hz: npt.ArrayLike, rate_hz: np.float32) -> Floats:
    ratio = np.asarray(cutoff_hz, np.float32) * np.float32(2 * np.pi) / rate_hz
    return np.asarray(ratio / (ratio + 1), np.float32)
