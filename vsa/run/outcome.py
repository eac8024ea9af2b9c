"""What comes of a session that was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """A finished session: its ``session.json``, and how many pictures a second were analysed."""

    session_id: str
    record: dict[str, Any]
    frames: int
    seconds: float
