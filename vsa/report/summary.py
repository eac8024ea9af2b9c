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
        Its row of features; what is missing is shown as "too little" (data).
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    source, frames = record["source"], record["quality"]["frames"]
    rate = frames / record["timings_s"]["wall"]
    partial = "" if record["status"] == "complete" else f", {record['status']}"
    table = Table(
        title=Text(
            f"{record['session_id']}: {source['duration_s']:.0f} s, {source['width']}x{source['height']}, "
            f"{frames} pictures analysed at {rate:.0f} a second{partial}"
        ),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("participant")
    for heading in ("tracked", "speaks", *(heading for heading, _, _ in _SHOWN)):
        table.add_column(heading, justify="right")
    for person in record["participants"]:
        scope = person["role"] or person["id"]
        cells = [_cell(features.get(f"{scope}.{name}", math.nan), form) for _, name, form in _SHOWN]
        table.add_row(
            Text(scope), f"{person['tracked_share']:.0%}", _speaks(record["sound"], person["id"]), *cells
        )
    if not record["participants"]:
        table.add_row("nobody", "0%", "", *("" for _ in _SHOWN))
    return table


def _speaks(sound: Mapping[str, Any], participant: str) -> str:
    """For how long somebody speaks, if there is sound and it is known who speaks."""
    if sound["kind"] == "none":
        return "no sound"
    said = {voice["participant"]: f"{voice['speech_s']:.0f} s" for voice in sound["voices"]}
    return said.get(participant, "not known")


def _cell(value: float, form: str) -> str:
    return "too little" if math.isnan(value) else form.format(value)
