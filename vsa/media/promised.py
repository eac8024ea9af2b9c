"""How long a file says that it is, whatever is left of it."""

from __future__ import annotations

from typing import Any

import av

#: These containers say in their header how long the recording is.
_PROMISING = ("mov", "matroska", "avi", "flv", "asf")


def promised_ends(container: Any, stream: Any) -> tuple[float | None, float | None]:
    """When the pictures, and when the whole file, should end as its header has it, s."""
    if not container.format.name.startswith(_PROMISING):
        return None, None
    of_pictures = None
    if stream.duration:
        of_pictures = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    elif (stated := _clock_s(stream.metadata.get("DURATION", ""))) is not None:
        of_pictures = stated  # Matroska: a tag of the stream
    # Matroska's length counts from 0, not from the first picture
    of_file = container.duration / av.time_base if container.duration else None
    return of_pictures, of_file


def missing_s(promised: tuple[float | None, float | None], pictures_s: float, all_s: float) -> float:
    """How much earlier than `promised_ends` says a file ended, s; less than half a second or 1% doesn't count.

    Parameters
    ----------
    promised
        What `promised_ends` gives.
    pictures_s, all_s
        When its pictures ended, and the last of its streams, s.
    """
    of_pictures, of_file = promised
    end_s, reached_s = (of_pictures, pictures_s) if of_pictures is not None else (of_file, all_s)
    if end_s is None:
        return 0.0
    missing = end_s - reached_s
    return missing if missing > max(0.5, 0.01 * end_s) else 0.0


def _clock_s(clock: str) -> float | None:
    """Seconds of a time written as hours:minutes:seconds."""
    try:
        hours, minutes, seconds = (float(part) for part in clock.split(":"))
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + seconds
