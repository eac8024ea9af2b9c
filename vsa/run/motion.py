"""Motion energy of two people of an extracted session, on one even grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vsa.errors import InputError
from vsa.features.even import evenly
from vsa.features.session import scope_names
from vsa.study.face_table import read_face
from vsa.study.motion_energy import Pair
from vsa.study.results import Results


def motion_pair(session: Path, rate_hz: float, columns: tuple[int, int] | None = None) -> Pair:
    """Motion energy of two participants, from ``face.parquet``.

    Parameters
    ----------
    session
        The session's folder, DIR/<session_id>.
    rate_hz
        Samples a second; each is the mean of the frames in its time, NaN where the face was not tracked.
    columns
        Which participants, counted from 1 in the order of ``session.json``; needed when there are not two.

    Raises
    ------
    InputError
        When the folder is no finished session, or it is not plain who is meant.
    """
    folder = session.resolve()
    described = Results(folder.parent).finished(folder.name)
    if described is None:
        raise InputError(
            f"{session} is no finished session.", "Give the folder of one, DIR/<session_id>, or a text file."
        )
    people = described.get("participants", [])
    names = scope_names(people)
    if len(people) < 2:
        raise InputError(f"{session} has one participant, and two are compared.", "Give another session.")
    if columns is None and len(people) > 2:
        who = ", ".join(f"{k} {name}" for k, name in enumerate(names, 1))
        raise InputError(f"{session} has {len(people)} participants: {who}.", "Say which two: --columns 1,3")
    chosen = [k - 1 for k in columns or (1, 2)]
    if not all(0 <= k < len(people) for k in chosen) or chosen[0] == chosen[1]:
        raise InputError(
            f"{session} has {len(people)} participants; --columns names two of them, counted from 1.",
            "Correct --columns.",
        )
    try:
        face = read_face(folder / "face.parquet", ("t", "participant", "motion"))
    except (OSError, ValueError, KeyError):
        raise InputError(
            f"Session {session} is damaged, or an earlier vsa made it: face.parquet can't be read.",
            "Extract it again with 'vsa extract --afresh'.",
        ) from None
    t = face["t"].to_numpy(np.float64)
    start_s, end_s = (float(t.min()), float(t.max()) + 1 / rate_hz) if len(t) else (0.0, 0.0)
    series = []
    for k in chosen:
        rows = face[(face["participant"].astype(str) == str(people[k]["id"])).to_numpy()]
        values = rows["motion"].to_numpy(np.float64)
        seen = np.isfinite(values)
        series.append(
            evenly(rows["t"].to_numpy(np.float64), values, seen, rate_hz, start_s=start_s, end_s=end_s)
        )
    return Pair((names[chosen[0]], names[chosen[1]]), series[0], series[1])
