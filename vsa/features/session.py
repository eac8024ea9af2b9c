"""What features are computed from: one session's signals, by person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from vsa.errors import InputError
from vsa.features import signals
from vsa.features.signals import Flags, Floats

#: A face turned farther to the side shows one eye and half a mouth: nothing fine is read from it.
FRONTAL_YAW_DEG = 40.0
#: Below this height of the face, px, eyes are too few pixels to read lids and gaze from.
EYES_FACE_PX = 80.0

#: Columns that no face table is without; a feature asks for the others by name.
REQUIRED = ("t", "participant", "tracked")


@dataclass(frozen=True, eq=False)
class Face:
    """One person's face over the session.

    Attributes
    ----------
    scope
        Its name in feature names: the role, or the id where there is no role.
    frame
        Rows of ``face.parquet`` for this person in order of time.
    gaze_neutral_deg
        The person's own home direction (yaw, pitch) if extraction found one.
    """

    scope: str
    frame: pd.DataFrame
    gaze_neutral_deg: tuple[float, float] | None = None

    def column(self, name: str) -> Floats:
        """A column as float64, shape (n,); NaN where the face was not tracked, or everywhere if there is none."""
        if name not in self.frame:
            return np.full(len(self.frame), np.nan)
        values: Floats = self.frame[name].to_numpy(np.float64)
        return values

    def columns(self, names: Sequence[str]) -> Floats:
        """Several columns, shape (n, len(names))."""
        return np.column_stack([self.column(name) for name in names])

    @cached_property
    def t(self) -> Floats:
        """Presentation times, s, shape (n,)."""
        values: Floats = self.frame["t"].to_numpy(np.float64)
        return values

    @cached_property
    def weights_s(self) -> Floats:
        """Time that each frame stands for, s, shape (n,)."""
        return signals.weights_s(self.t)

    @cached_property
    def tracked(self) -> Flags:
        """Where the face was followed, shape (n,)."""
        values: Flags = self.frame["tracked"].to_numpy(bool)
        return values

    @cached_property
    def frontal(self) -> Flags:
        """Tracked and turned no farther than `FRONTAL_YAW_DEG` from the camera, shape (n,)."""
        return self.tracked & (np.abs(self.column("head_yaw")) <= FRONTAL_YAW_DEG)

    @cached_property
    def eyes(self) -> Flags:
        """Where lids and gaze can be read: frontal, and the face large enough; shape (n,)."""
        lids = np.isfinite(self.column("eye_open_left") + self.column("eye_open_right"))
        return self.frontal & lids & (self.column("box_h") >= EYES_FACE_PX)

    @cached_property
    def rate_hz(self) -> float:
        """New pictures a second while the face was followed; NaN for fewer than three frames."""
        return signals.rate_hz(self.t[self.tracked], self.column("motion")[self.tracked] > 0)

    def seconds(self, where: Flags) -> float:
        """Time for which something holds, s."""
        return float(self.weights_s[where].sum())


@dataclass(frozen=True, eq=False)
class Session:
    """One session as features see it.

    Attributes
    ----------
    session_id
        As in ``session.json``.
    faces
        By scope (role or id), in the order of ``session.json``.
    """

    session_id: str
    faces: Mapping[str, Face]

    @property
    def scopes(self) -> tuple[str, ...]:
        """The people: their roles, or ids where there are none."""
        return tuple(self.faces)

    @classmethod
    def from_tables(cls, meta: Mapping[str, Any], face: pd.DataFrame) -> Session:
        """Take a session from what extraction wrote.

        Parameters
        ----------
        meta
            ``session.json``: `session_id`, and `participants` with `id`, `role` and `gaze_neutral_deg`.
        face
            ``face.parquet``, in any order of rows.

        Raises
        ------
        InputError
            When the table lacks its key columns or the two don't fit together.
        """
        session_id = str(meta.get("session_id", ""))
        missing = [name for name in REQUIRED if name not in face]
        if missing:
            raise InputError(
                f"The face table of session '{session_id}' has no column {', '.join(missing)}.",
                "Extract the session again.",
            )
        people = list(meta.get("participants", []))
        ids = face["participant"].astype(str)
        unknown = sorted(set(ids) - {str(person["id"]) for person in people})
        if unknown:
            raise InputError(
                f"The face table of session '{session_id}' has rows of {', '.join(unknown)}, whom session.json does "
                "not name.",
                "Extract the session again.",
            )
        faces = {}
        for scope, person in zip(scope_names(people), people, strict=True):
            rows = face[(ids == str(person["id"])).to_numpy()]
            rows = rows.sort_values("t", kind="stable").drop_duplicates("t").reset_index(drop=True)
            neutral = person.get("gaze_neutral_deg")
            faces[scope] = Face(
                scope, rows, None if neutral is None else (float(neutral[0]), float(neutral[1]))
            )
        return cls(session_id, faces)


def scope_names(people: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names by which feature names call people: roles, ids without one, `client`, `client2` for two of one role.

    Parameters
    ----------
    people
        Participants of ``session.json``.
    """
    names: list[str] = []
    for person in people:
        name = str(person.get("role") or person["id"])
        same = sum(str(other.get("role") or other["id"]) == name for other in people[: len(names)])
        names.append(name if same == 0 else f"{name}{same + 1}")
    return names
