"""Times as people read them."""

from __future__ import annotations

import math


def clock(seconds: float) -> str:
    """A time as m:ss, or h:mm:ss from an hour on; ``?`` where there is none.

    Examples
    --------
    >>> clock(750), clock(3725), clock(59.9), clock(-5)
    ('12:30', '1:02:05', '1:00', '-0:05')
    """
    if not math.isfinite(seconds):
        return "?"
    whole = math.floor(abs(seconds) + 0.5)
    minutes, rest = divmod(whole, 60)
    hours, left = divmod(minutes, 60)
    text = f"{hours}:{left:02d}:{rest:02d}" if hours else f"{left}:{rest:02d}"
    return f"-{text}" if seconds < 0 and whole else text
