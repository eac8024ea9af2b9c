"""Units of the columns of a session's tables, as docs/formats.md has them; empty where a column has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from vsa.face.blendshapes import NAMES

if TYPE_CHECKING:
    import pandas as pd

FACE: Mapping[str, str] = {
    "t": "s",
    "participant": "",
    "name": "",
    "tracked": "",
    "interpolated": "",
    "confidence": "0-1",
    **dict.fromkeys(("box_x", "box_y", "box_w", "box_h"), "px"),
    **dict.fromkeys(("head_yaw", "head_pitch", "head_roll"), "deg"),
    **dict.fromkeys(("head_x", "head_y", "head_z"), "cm"),
    **dict.fromkeys(("gaze_yaw", "gaze_pitch"), "deg"),
    **dict.fromkeys(("eye_open_left", "eye_open_right"), "0-1"),
    **dict.fromkeys(("motion", "luma"), "0-255"),
    **dict.fromkeys(NAMES, "0-1"),
}
VOICE: Mapping[str, str] = {
    "t": "s",
    "participant": "",
    "name": "",
    "speech": "0-1",
    "speaking": "",
    "f0_hz": "Hz",
    "intensity_db": "dB",
    "spectral_tilt_db": "dB",
}
TURNS: Mapping[str, str] = {"participant": "", "name": "", "start": "s", "end": "s", "kind": ""}
#: Of a column that another version of vsa wrote.
UNKNOWN = "unknown"


def with_units(table: pd.DataFrame, units: Mapping[str, str]) -> pd.DataFrame:
    """The same table, with the unit of each of its columns in ``attrs["units"]``."""
    table.attrs["units"] = {str(name): units.get(str(name), UNKNOWN) for name in table.columns}
    return table


def no_unit(names: Iterable[str]) -> dict[str, str]:
    """Entries for columns that have none: names, kinds, texts."""
    return dict.fromkeys(names, "")
