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


def _clock_s(clock: str) -> float | None:
    """Seconds of a time written as hours:minutes:seconds."""
    try:
        hours, minutes, seconds = (float(part) for part in clock.split(":"))
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + seconds
