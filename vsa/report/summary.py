"""One session at a glance, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

#: Column heading, feature, how it is shown.
_SHOWN = (
    ("gaze on screen", "gaze.on_screen_share", "{:.0%}"),
    ("smiling", "face.smile_share", "{:.0%}"),
    ("blinks/min", "blink.rate_per_min", "{:.0f}"),
    ("nods/min", "head.nod_rate_per_min", "{:.1f}"),
)


def session_table(record: Mapping[str, Any], features: Mapping[str, float]) -> Table:
    """Lay out who was on screen, how well they were seen, and what stands out.

    Parameters
    ----------
    record
        The session's ``session.json``.
    features
        Its row of features.
    """
    from rich.table import Table

    source, frames = record["source"], record["quality"]["frames"]
    rate = frames / record["timings_s"]["wall"]
    table = Table(
        title=f"{record['session_id']}: {source['duration_s']:.0f} s, {source['width']}x{source['height']}, "
        f"{frames} pictures analysed at {rate:.0f} a second, {record['status']}",
        title_justify="left",
    )
    for heading in ("participant", "tracked", *(heading for heading, _, _ in _SHOWN)):
        table.add_column(heading)
    for person in record["participants"]:
        scope = person["role"] or person["id"]
        cells = [_cell(features.get(f"{scope}.{name}", math.nan), form) for _, name, form in _SHOWN]
        table.add_row(scope, f"{person['tracked_share']:.0%}", *cells)
    return table


def _cell(value: float, form: str) -> str:
    return "too little data" if math.isnan(value) else form.format(value)
