"""How sessions are analysed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """How recordings are analysed; part of every result.

    Attributes
    ----------
    fps
        Pictures a second, by time; None: all of them, capped at 30 (``native``).
    engine
        ``auto``, ``cpu``, ``cuda`` or ``mediapipe``.
    landmarks
        Keep ``landmarks.npz``.
    adaptive
        Take over what was read where a face's picture is the same but for the coder's noise.
    """

    fps: float | None = None
    engine: str = "auto"
    landmarks: bool = False
    adaptive: bool = False

    def as_record(self) -> dict[str, Any]:
        """For ``session.json``."""
        return {**asdict(self), "fps": "native" if self.fps is None else self.fps}
