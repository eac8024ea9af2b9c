"""How often a person blinks; `vsa.features.blinks` finds the blinks."""

from __future__ import annotations

from vsa.features.blinks import NEEDED_RATE_HZ, find_blinks
from vsa.features.limits import EVENTS_S, face_of, need_eyes, need_rate
from vsa.features.registry import feature
from vsa.features.session import Session


@feature(
    "blink.rate_per_min",
    scope="role",
    unit="1/min",
    range=(0.0, None),
    expect="none",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} s with eyes that can be read, {NEEDED_RATE_HZ:.0f} new pictures a second",
    source="Stern, Walrath & Goldstein 1984 (durations); Soukupova & Cech 2016 (lid opening). In conversation "
    "10.5 to 32.5 a minute: Doughty 2001.",
)
def rate_per_min(session: Session, role: str) -> float:
    """Blinks per minute in which the eyes can be read."""
    face = face_of(session, role)
    need_rate(face, NEEDED_RATE_HZ)
    return len(find_blinks(face)) / (need_eyes(face, EVENTS_S) / 60)
