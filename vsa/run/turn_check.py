"""What a file of corrected turns must keep to before it can replace what was found in a session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vsa.errors import InputError
from vsa.study.tiers import fault
from vsa.voice.voice_track import UNKNOWN

#: Players and converters add a little to the end of sound; farther out a turn belongs to another recording, s.
_SLACK_S = 0.5
#: ELAN rounds to milliseconds: what overlaps by no more touches, s.
_ROUNDING_S = 0.001


def shift_s(file: Path, described: Mapping[str, Any]) -> float:
    """Session time of a file's time 0, s.

    RTTM has the session's time. Praat and ELAN count from where the recording begins, with picture or sound.

    Parameters
    ----------
    file
        Its ending says which.
    described
        ``session.json``.
    """
    if file.suffix.lower() == ".rttm":
        return 0.0
    tracks = described["sound"]["tracks"]
    own = [track["start_s"] for track in tracks if track["alignment"] is None]  # on the recording's own time
    return float(min([described["source"]["start_s"], *(start for start in own if start is not None)]))


def check(file: Path, table: pd.DataFrame, described: Mapping[str, Any], *, empty: bool) -> pd.DataFrame:
    """Check corrected turns, and put them on the session's time.

    Parameters
    ----------
    file
        Where they were read from.
    table
        `participant`, `start`, `end` (s), `kind`.
    described
        ``session.json``.
    empty
        Whether there may be no turns.

    Raises
    ------
    InputError
        When there are none, somebody overlaps themselves, a turn lies outside of the recording, or has no speaker.
    """
    if table.empty and not empty:
        raise fault(file, 0, "it holds no turns.", "If nobody spoke in this session, say --empty.")
    nobody = table[table["participant"] == UNKNOWN]
    if len(nobody):
        raise fault(
            file,
            0,
            f"{len(nobody)} annotations are in a tier of {UNKNOWN}, the first at {nobody['start'].iloc[0]:.3f} s.",
            "Move each to the tier of the one who speaks, or delete it.",
        )
    for who, rows in table.groupby("participant", sort=False):
        _check_own(file, str(who), rows.sort_values(["start", "end"]))
    zero_s = shift_s(file, described)
    start_s, end_s = _span(described)
    for row in table.itertuples(index=False):
        if row.start < start_s - zero_s - _SLACK_S or row.end > end_s - zero_s + _SLACK_S:
            raise fault(
                file,
                0,
                f"the {row.kind} of {row.participant} from {row.start:.3f} to {row.end:.3f} s lies outside of the "
                f"recording ({start_s - zero_s:.3f} to {end_s - zero_s:.3f} s).",
                "Mend it, or see whether the file belongs to another session.",
            )
    return table.assign(start=table["start"] + zero_s, end=table["end"] + zero_s)


def _check_own(file: Path, who: str, rows: pd.DataFrame) -> None:
    reached = rows["end"].cummax().shift(fill_value=-float("inf"))
    over = rows[rows["start"] < reached - _ROUNDING_S]
    if len(over):
        first = over.iloc[0]
        raise fault(
            file,
            0,
            f"{who} overlaps themselves: the {first['kind']} from {first['start']:.3f} to {first['end']:.3f} s begins "
            f"before what comes before it ends ({reached[over.index[0]]:.3f} s)"
            + (f"; so do {len(over) - 1} more." if len(over) > 1 else "."),
            "End one before the other starts, or join them.",
        )


def _span(described: Mapping[str, Any]) -> tuple[float, float]:
    """Where the session begins and ends: its recording, or its sound where that is longer."""
    source = described["source"]
    lasting = [
        (part["start_s"], part["start_s"] + part["duration_s"])
        for part in (source, *described["sound"]["tracks"])
        if part["start_s"] is not None and part["duration_s"] is not None
    ]
    if not lasting:
        raise InputError(f"Session {described['session_id']} has no duration.", "Extract it again.")
    return min(start for start, _ in lasting), max(end for _, end in lasting)
