"""A finished session's tables as features see them, and the row that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vsa.features.session import Session
from vsa.memory import give_back
from vsa.run.corrections import turns_in
from vsa.study.face_table import read_face
from vsa.study.parquet import write_row
from vsa.study.voice_table import read_voice


def session_of(folder: Path, described: Mapping[str, Any], columns: Iterable[str] | None = None) -> Session:
    """A session as features see it, from its folder and its ``session.json``; all columns of the face, or some."""
    # signals that were drawn have no source
    length_s = float((described.get("source") or {}).get("duration_s") or 0.0)
    turns = turns_in(folder, described)
    give_back(length_s)
    seen = Session.from_tables(described, read_face(folder / "face.parquet", columns))
    give_back(length_s)
    session = seen.with_voices(described, read_voice(folder / "voice.parquet"), turns)
    give_back(length_s)
    return session


def write_features(folder: Path, described: Mapping[str, Any]) -> dict[str, str]:
    """Compute ``features.parquet`` from a session's tables.

    Parameters
    ----------
    folder
        The session's, with its tables.
    described
        ``session.json``.

    Returns
    -------
    Feature to why it is missing.
    """
    from vsa.features.registry import compute

    found = compute(session_of(folder, described))
    write_row({"session_id": described["session_id"], **found.row}, folder / "features.parquet")
    return dict(found.missing)
