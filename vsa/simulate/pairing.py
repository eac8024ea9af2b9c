"""Results folders of one session, the truth's and extraction's, and whose rows in one are whose in the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vsa.errors import InputError
from vsa.features.person import Face
from vsa.features.signals import Flags, Floats
from vsa.study.face_table import read_face
from vsa.study.results import Results
from vsa.study.voice_table import STEP_S, read_voice

#: Of ``events.parquet``.
EVENTS = ("participant", "kind", "start", "end")
#: What participants are called in tables of extraction who are nobody's in the truth.
OTHER = "other"


@dataclass(frozen=True, eq=False)
class Tables:
    """One session's folder.

    Attributes
    ----------
    record
        ``session.json``.
    face, voice, turns
        As in docs/formats.md.
    events
        `EVENTS`; empty where the folder is not the truth's.
    """

    record: Mapping[str, Any]
    face: pd.DataFrame
    voice: pd.DataFrame
    turns: pd.DataFrame
    events: pd.DataFrame

    @classmethod
    def read(cls, folder: Path, *, truth: bool = False) -> Tables:
        """Read a session's folder, the truth's or extraction's.

        Raises
        ------
        InputError
            When it is no finished session, its tables can't be read, or the truth holds no events.
        """
        record = Results(folder.parent).finished(folder.name)
        if record is None:
            raise InputError(
                f"{folder} holds no finished session.", "Give the folder of one session, truth/ID or DIR/ID."
            )
        path = folder / "events.parquet"
        if truth and not path.is_file():
            raise InputError(
                f"{folder} holds no events.parquet: it is not the truth of a simulated session.",
                "Give truth/ID as 'vsa simulate media' wrote it.",
            )
        try:
            return cls(
                record,
                read_face(folder / "face.parquet"),
                read_voice(folder / "voice.parquet"),
                pd.read_parquet(folder / "turns.parquet"),
                pd.read_parquet(path) if truth else pd.DataFrame(columns=list(EVENTS)),
            )
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"A table in {folder} can't be read ({error}).", "Make it afresh.") from None

    def rows_of(self, who: str) -> pd.DataFrame:
        """One participant's rows of the face, in order of time, each time once."""
        rows = self.face[(self.face["participant"].astype(str) == who).to_numpy()]
        return rows.sort_values("t", kind="stable").drop_duplicates("t").reset_index(drop=True)

    def face_of(self, who: str) -> Face:
        """One participant's face as features see it."""
        return Face(who, self.rows_of(who), self.home_of(who))

    def home_of(self, who: str) -> tuple[float, float] | None:
        """The direction in which a participant looks most, as ``session.json`` has it: yaw and pitch, deg."""
        found = next(p for p in self.record["participants"] if p["id"] == who).get("gaze_neutral_deg")
        return None if found is None else (float(found[0]), float(found[1]))


def spans_of(table: pd.DataFrame, who: str, kind: str) -> Floats:
    """Start and end of one participant's rows of a kind, in events or turns, s, shape (n, 2), in order of time."""
    own = (table["participant"].astype(str) == who) & (table["kind"].astype(str) == kind)
    return np.asarray(table.loc[own, ["start", "end"]].sort_values("start"), np.float64).reshape(-1, 2)


def same_people(known: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, str]:
    """Who is who: by role, else by the place of their tiles in the picture.

    Parameters
    ----------
    known, seen
        ``session.json`` of the truth and of extraction.

    Returns
    -------
    Id in the truth to id in the results, for those who were found.
    """
    from scipy.optimize import linear_sum_assignment

    roles = {p["role"]: p["id"] for p in seen["participants"] if p.get("role")}
    out = {p["id"]: roles[p["role"]] for p in known["participants"] if p.get("role") in roles}
    left = [p for p in known["participants"] if p["id"] not in out and p.get("tile")]
    free = [p for p in seen["participants"] if p["id"] not in out.values() and p.get("tile")]
    if left and free:
        here, there = (
            np.array([_middle(p, of) for p in people]) for people, of in ((left, known), (free, seen))
        )
        away = np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1))
        for i, k in zip(*linear_sum_assignment(away), strict=True):
            out[left[i]["id"]] = free[k]["id"]
    return out


def _middle(participant: Mapping[str, Any], record: Mapping[str, Any]) -> tuple[float, float]:
    """Of a tile, as shares of the picture: a call may have been scaled."""
    x, y, w, h = participant["tile"]
    source = record.get("source") or {}
    return (x + w / 2) / (source.get("width") or 1), (y + h / 2) / (source.get("height") or 1)


def beside(known: pd.DataFrame, t: Floats, columns: Iterable[str]) -> pd.DataFrame:
    """The truth at the times of pictures.

    Parameters
    ----------
    known
        One participant's rows of the truth, in order of time, each time once.
    t
        Times, s, shape (n,).
    columns
        Which of its numbers.

    Returns
    -------
    n rows: `shown`, whether the truth has a picture within half a frame of its own, and the camera is on in it; the
    columns, NaN where the truth has none.
    """
    table = known.reindex(columns=["t", "tracked", *columns]).astype(np.float64).set_index("t")
    if len(table) < 2:
        return pd.DataFrame(np.nan, range(len(t)), list(columns)).assign(shown=False)
    half_frame = 0.505 * float(np.median(np.diff(table.index)))
    found = table.reindex(t, method="nearest", tolerance=half_frame).reset_index(drop=True)
    return found.drop(columns="tracked").assign(shown=found["tracked"] == 1)


def shown_throughout(known: pd.DataFrame, spans: Floats) -> Flags:
    """Whether the camera was on during all of each event, shape (n,); `known` as in `beside`."""
    off = ~known["tracked"].to_numpy(bool)
    before = np.concatenate([[0], np.cumsum(off)])
    t = known["t"].to_numpy(np.float64)
    first, end = np.searchsorted(t, spans[:, 0], "left"), np.searchsorted(t, spans[:, 1], "right")
    return np.asarray(before[end] == before[first])


def speaking(voice: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Who speaks in each 10 ms.

    Parameters
    ----------
    voice
        ``voice.parquet``.
    names
        New names of those in it; who is not named keeps the old one.

    Returns
    -------
    A boolean column for each name, by the number of the 10 ms since 0 s; False where it can't be said.
    """
    steps = np.rint(voice["t"].to_numpy(np.float64) / STEP_S).astype(np.int64)
    who = [names.get(one, one) for one in voice["participant"].astype(str)]
    said = voice["speaking"].fillna(False).to_numpy(np.bool_)
    if not len(voice):
        return pd.DataFrame(dtype=bool)
    long = pd.DataFrame({"step": steps, "who": who, "said": said})
    table = long.groupby(["step", "who"])["said"].any().unstack(fill_value=False)
    return table.astype(bool)
