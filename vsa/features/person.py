"""One person's signals: the face at the pictures' times, the voice every 10 ms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vsa.features import signals
from vsa.features.signals import Flags, Floats

if TYPE_CHECKING:
    import pandas as pd

#: A face turned farther to the side shows one eye and half a mouth: nothing fine is read from it.
FRONTAL_YAW_DEG = 40.0
#: Below this height of the face, px, eyes are too few pixels to read lids and gaze from.
EYES_FACE_PX = 80.0
#: Between steps of a voice, s.
STEP_S = 0.01

Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Face:
    """One person's face over the session, or over a part of it.

    Attributes
    ----------
    scope
        Its name in feature names: the role, or the id where there is no role.
    frame
        Rows of ``face.parquet`` for this person in order of time.
    gaze_neutral_deg
        The person's own home direction (yaw, pitch) if extraction found one.
    whole_session
        The face over the whole session, if this is a part: what is measured against the person's own habit (open
        eyes, neutral face, home direction) is measured against that. See `own`.
    """

    scope: str
    frame: pd.DataFrame
    gaze_neutral_deg: tuple[float, float] | None = None
    whole_session: Face | None = None

    @property
    def own(self) -> Face:
        """The face that says what is usual for this person: over the whole session."""
        return self.whole_session or self

    def between(self, start_s: float, end_s: float) -> Face:
        """The part from `start_s` up to `end_s`."""
        first, last = np.searchsorted(self.t, [start_s, end_s])
        rows = self.frame.iloc[first:last].reset_index(drop=True)
        return Face(self.scope, rows, self.gaze_neutral_deg, self.own)

    def column(self, name: str) -> Floats:
        """A column as float64, shape (n,); NaN where the face was not tracked, or everywhere if there is none."""
        if name not in self.frame:
            return np.full(len(self.frame), np.nan)
        values: Floats = self.frame[name].to_numpy(np.float64)
        return values

    def columns(self, names: Sequence[str]) -> Floats:
        """Several columns, shape (n, len(names))."""
        values = np.empty((len(self.frame), len(names)))
        for k, name in enumerate(names):
            values[:, k] = self.column(name)
        return values

    @cached_property
    def t(self) -> Floats:
        """Presentation times, s, shape (n,)."""
        values: Floats = self.frame["t"].to_numpy(np.float64)
        return values

    @cached_property
    def weights_s(self) -> Floats:
        """Time that each frame stands for, s, shape (n,)."""
        return signals.weights_s(self.t)

    @cached_property
    def tracked(self) -> Flags:
        """Where the face was followed, shape (n,)."""
        values: Flags = self.frame["tracked"].to_numpy(bool)
        return values

    @cached_property
    def frontal(self) -> Flags:
        """Tracked and turned no farther than `FRONTAL_YAW_DEG` from the camera, shape (n,)."""
        return self.tracked & (np.abs(self.column("head_yaw")) <= FRONTAL_YAW_DEG)

    @cached_property
    def eyes(self) -> Flags:
        """Where lids and gaze can be read: frontal, and the face large enough; shape (n,)."""
        lids = np.isfinite(self.column("eye_open_left") + self.column("eye_open_right"))
        return self.frontal & lids & (self.column("box_h") >= EYES_FACE_PX)

    @cached_property
    def rate_hz(self) -> float:
        """New pictures a second while the face was followed; NaN for fewer than three frames."""
        return signals.rate_hz(self.t[self.tracked], self.column("motion")[self.tracked] > 0)

    def seconds(self, where: Flags) -> float:
        """Time for which something holds, s."""
        return float(self.weights_s[where].sum())


@dataclass(frozen=True, eq=False)
class Voice:
    """One person's voice over the session, every 10 ms; all voices of a session begin together.

    Attributes
    ----------
    scope
        Its name in feature names.
    start_s
        When the first step begins, s.
    known
        Where it can be said whether this person speaks, shape (m,).
    speaking
        Where this person speaks: in an inter-pausal unit of the session's turns, which a person may have corrected;
        shape (m,).
    f0_hz, intensity_db, spectral_tilt_db
        As in ``voice.parquet``, shape (m,).
    whole_session
        As for `Face`.
    """

    scope: str
    start_s: float
    known: Flags
    speaking: Flags
    f0_hz: Floats32
    intensity_db: Floats32
    spectral_tilt_db: Floats32
    whole_session: Voice | None = None

    @property
    def own(self) -> Voice:
        """The voice that says what is usual for this person: over the whole session."""
        return self.whole_session or self

    @property
    def t(self) -> Floats:
        """When the steps begin, s, shape (m,)."""
        return np.asarray(self.start_s + STEP_S * np.arange(len(self.speaking)))

    def rows(self, start_s: float, end_s: float) -> slice:
        """The steps from `start_s` up to `end_s`."""
        first, last = (round((edge - self.start_s) / STEP_S) for edge in (start_s, end_s))
        first = min(max(first, 0), len(self.known))
        return slice(first, min(max(last, first), len(self.known)))

    def between(self, start_s: float, end_s: float) -> Voice:
        """The part from `start_s` up to `end_s`."""
        rows = self.rows(start_s, end_s)
        return Voice(
            self.scope,
            self.start_s + STEP_S * rows.start,
            self.known[rows],
            self.speaking[rows],
            self.f0_hz[rows],
            self.intensity_db[rows],
            self.spectral_tilt_db[rows],
            self.own,
        )

    @staticmethod
    def seconds(where: Flags) -> float:
        """Time for which something holds, s."""
        return float(np.count_nonzero(where)) * STEP_S
