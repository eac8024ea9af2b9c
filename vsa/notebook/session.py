"""One finished session in a notebook: its tables, read when they are asked for, and its timeline."""

from __future__ import annotations

import html
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vsa.errors import InputError
from vsa.features.session import scope_names
from vsa.notebook import units
from vsa.notebook.features import tidy, wide
from vsa.notebook.units import no_unit, with_units
from vsa.study.face_table import read_face
from vsa.study.landmark_file import LandmarkFile
from vsa.study.voice_table import read_voice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vsa.voice.turns import Turns

_T = TypeVar("_T")
_KEYS = ("t", "participant", "tracked")
_PEOPLE_UNITS = no_unit(("participant", "name", "role", "source")) | {
    "tracked_share": "share",
    "speech_s": "s",
    "face_height_px": "px",
    "gaze_neutral_yaw": "deg",
    "gaze_neutral_pitch": "deg",
    **dict.fromkeys(("tile_x", "tile_y", "tile_w", "tile_h"), "px"),
}


class OpenSession:
    """One session of a results folder; `vsa.open_results` gives it.

    Every table has the unit of each of its columns in ``attrs["units"]``, and beside `participant` (``p1``, …) a column
    `name`: the role, or the id where there is no role. What could not be measured is NaN.

    Attributes
    ----------
    id
        The session's.
    folder
        Where it is.
    record
        Its ``session.json``.
    names
        Participant -> name.
    """

    def __init__(self, folder: Path, record: Mapping[str, Any]) -> None:
        self.id, self.folder, self.record = folder.name, folder, record
        people = record["participants"]
        self.names = {str(p["id"]): name for p, name in zip(people, scope_names(people), strict=True)}

    @property
    def duration_s(self) -> float:
        """Length of the recording, s."""
        return float(self.record["source"]["duration_s"])

    @property
    def notes(self) -> list[str]:
        """What extraction had to say of the recording."""
        return list(self.record["quality"].get("notes", []))

    @cached_property
    def participants(self) -> pd.DataFrame:
        """Who is in the session: one row each, with the quality of what was seen and heard of them."""
        voices = {v["participant"]: v.get("speech_s") for v in self.record["sound"]["voices"]}
        seen = self.record["quality"].get("participants", {})
        rows = []
        for person in self.record["participants"]:
            who = person["id"]
            yaw, pitch = person.get("gaze_neutral_deg") or (None, None)
            tile = person.get("tile") or (None,) * 4
            known = (self.names[who], person.get("role"), person.get("source"), person.get("tracked_share"))
            face_height = seen.get(who, {}).get("face_height_px")
            rows.append((who, *known, voices.get(who), face_height, yaw, pitch, *tile))
        table = pd.DataFrame(rows, columns=list(_PEOPLE_UNITS))
        types = {name: "float64" if unit else "str" for name, unit in _PEOPLE_UNITS.items()}
        return with_units(table.astype(types), _PEOPLE_UNITS)

    @cached_property
    def face(self) -> pd.DataFrame:
        """All of ``face.parquet``: one row a participant and analysed picture. See `face_columns` for less."""
        return self._face(None)

    def face_columns(self, columns: Iterable[str]) -> pd.DataFrame:
        """Some columns of ``face.parquet``, after `t`, `participant`, `name` and `tracked`.

        Raises
        ------
        InputError
            When there is no such column; the hint names the nearest.
        """
        wanted = list(dict.fromkeys(columns))
        there = self._read("face.parquet", lambda path: pq.read_schema(path).names)
        for name in wanted:
            if name not in (*there, "name"):
                raise _no_column(name, there)
        chosen = [*_KEYS, *(name for name in wanted if name not in (*_KEYS, "name"))]
        if "face" in self.__dict__:  # read already
            return with_units(self.face[[*chosen[:2], "name", *chosen[2:]]].copy(), units.FACE)
        return self._face(chosen)

    @cached_property
    def voice(self) -> pd.DataFrame:
        """``voice.parquet``: one row a voice and 10 ms; no rows without sound."""
        return self._named(self._read("voice.parquet", read_voice), units.VOICE)

    @cached_property
    def turns(self) -> pd.DataFrame:
        """``turns.parquet``: one row a turn or backchannel."""
        return self._named(self._read("turns.parquet", pd.read_parquet), units.TURNS)

    @cached_property
    def conversation(self) -> Turns:
        """What follows from the turns: gaps, pauses, overlaps, interruptions, transfers (`vsa.voice.turns.Turns`)."""
        from vsa.run.corrections import turns_in

        return self._read("voice.parquet", lambda path: turns_in(path.parent, self.record))

    @cached_property
    def features(self) -> pd.DataFrame:
        """The session's features: `scope`, `feature`, `value`, `unit`, `missing_reason`."""
        row = wide(self._read("features.parquet", pd.read_parquet))
        made = tidy(row, {self.id: self.missing}, {self.id: self.names.values()})
        return with_units(made.drop(columns="session_id"), made.attrs["units"])

    @property
    def missing(self) -> dict[str, str]:
        """Full name of each feature that is missing -> why."""
        return dict(self.record["quality"].get("features_missing", {}))

    @cached_property
    def landmarks(self) -> LandmarkFile | None:
        """``landmarks.npz``, read where needed with ``landmarks.at(t)``; None if it was not kept."""
        if not (self.folder / "landmarks.npz").is_file():
            return None
        return self._read("landmarks.npz", LandmarkFile)

    def signal(self, column: str, who: str | None = None) -> pd.Series:
        """One column of the face or the voice of one person, over time.

        Parameters
        ----------
        column
            Of `face` or `voice`.
        who
            Name or id; not needed where there is one.

        Returns
        -------
        Index `t`, s. ``attrs["unit"]`` is the column's.

        Raises
        ------
        InputError
            When there is no such column or person.
        """
        if column in units.VOICE and column not in units.FACE:
            table, unit = self.voice, units.VOICE[column]
        else:
            table, unit = self.face_columns([column]), units.FACE.get(column, units.UNKNOWN)
        everybody = {**self.names, **{w: w for w in table["participant"].unique() if w not in self.names}}
        ids = [
            i for i, name in everybody.items() if who in (i, name) or (who is None and len(everybody) == 1)
        ]
        if not ids:
            asked = f"nobody called '{who}'" if who else f"more than one person, and '{column}' is one's"
            raise InputError(
                f"Session '{self.id}' has {asked}.", f"Name one of {', '.join(everybody.values())}."
            )
        rows = table[(table["participant"] == ids[0]).to_numpy()]
        series = rows.set_index("t")[column]
        series.attrs = {"unit": unit, "participant": ids[0], "name": everybody[ids[0]]}
        return series

    def draw(
        self, start_s: float | None = None, end_s: float | None = None, *, figure: Figure | None = None
    ) -> Figure:
        """Draw who speaks when, and under it everybody's smile, gaze, head, movement and loudness.

        Grey is what was not measured. See `vsa.report.timeline.draw_timeline` for what is what.

        Parameters
        ----------
        start_s, end_s
            The part to draw, on the session's time; all of it else.
        figure
            To draw into; a new one of 12 inches else.

        Raises
        ------
        InputError
            When the part is empty or outside of the session, or a table can't be read.
        """
        from vsa.notebook.drawn import draw

        return draw(self, start_s, end_s, figure)

    def __repr__(self) -> str:
        people = ", ".join(self.names.values()) or "nobody"
        return f"<vsa session {self.id}: {self.duration_s:.0f} s, {people}, {self.record['status']}>"

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        title = f"<b>{html.escape(self.id)}</b>: {self.duration_s:.0f} s, {self.record['status']}"
        shown = self.participants[["participant", "name", "tracked_share", "speech_s", "face_height_px"]]
        table = shown.rename(columns={"tracked_share": "tracked", "speech_s": "speech [s]"}).rename(
            columns={"face_height_px": "face [px]"}
        )
        forms = {"tracked": "{:.0%}".format, "speech [s]": "{:.0f}".format, "face [px]": "{:.0f}".format}
        return f"<p>{title}</p>{table.to_html(index=False, formatters=forms, na_rep='')}<ul>{notes}</ul>"

    def _face(self, columns: list[str] | None) -> pd.DataFrame:
        return self._named(self._read("face.parquet", lambda path: read_face(path, columns)), units.FACE)

    def _named(self, table: pd.DataFrame, column_units: Mapping[str, str]) -> pd.DataFrame:
        """The table with `name` after `participant`, both as categories."""
        who = table["participant"].astype("category")
        table["participant"] = who
        name = who.cat.rename_categories([self.names.get(str(w), str(w)) for w in who.cat.categories])
        table.insert(table.columns.get_loc("participant") + 1, "name", name)
        return with_units(table, column_units)

    def _read(self, name: str, read: Callable[[Path], _T]) -> _T:
        path = self.folder / name
        try:
            return read(path)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException, zipfile.BadZipFile) as error:
            why = "it is not there" if isinstance(error, FileNotFoundError) else "it is damaged"
            raise InputError(
                f"{path} can't be read: {why}.", "Extract the session again, with 'vsa extract --afresh'."
            ) from None


def _no_column(name: str, there: Iterable[str]) -> InputError:
    import difflib

    near = difflib.get_close_matches(name, list(there), n=3, cutoff=0.4)
    hint = f"Did you mean {', '.join(near)}?" if near else "docs/formats.md lists the columns."
    return InputError(f"face.parquet has no column '{name}'.", hint)
