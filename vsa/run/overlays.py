"""A finished session drawn over its recordings, to check it by eye."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsa.study.face_table import read_face
from vsa.study.plan import SessionPlan
from vsa.study.voice_table import STEP_S, read_voice, speaking_of

if TYPE_CHECKING:
    import pandas as pd

    from vsa.face.tiles import Tile
    from vsa.face.tracker import LayoutSpan


def draw(
    out: Path, plan: SessionPlan, folder: Path, record: Mapping[str, Any], fps: float | None
) -> list[Path]:
    """Draw one film for each recording of a session.

    Parameters
    ----------
    out
        The film. With one recording per participant each has its own, with ``-<role>`` before the suffix.
    plan
        The session.
    folder
        Its results.
    record
        Its ``session.json``.
    fps
        As in the analysis.

    Returns
    -------
    The films written.

    Raises
    ------
    SessionError
        When a recording can't be read, or a film can't be written; the results are not touched.
    """
    from vsa.report.overlay import render_overlay

    face = _with_speech(read_face(folder / "face.parquet"), read_voice(folder / "voice.parquet"))
    landmarks = folder / "landmarks.npz"
    films = []
    sources = [record["source"], *record["further_sources"]]
    for video, layout, source in zip(plan.videos, record["layout"], sources, strict=True):
        shown = [p["id"] for p in record["participants"] if video.role is None or p["role"] == video.role]
        films.append(film_of(out, video.role, len(plan.videos)))
        render_overlay(
            video.path,
            face[face["participant"].isin(shown)],
            films[-1],
            fps=fps,
            landmarks=landmarks if landmarks.exists() else None,
            spans=_spans(layout),
            session_time=partial(_session_time, source["clock"]),
        )
    return films


def film_of(out: Path, role: str | None, recordings: int) -> Path:
    """Where a recording's film goes."""
    return out if recordings == 1 else out.with_stem(f"{out.stem}-{role}")


def _session_time(clock: Mapping[str, float | None] | None, t: float) -> float:
    """A recording's time on the session's; see `vsa.voice.alignment.Alignment`."""
    if clock is None:
        return t
    drift = 1e-6 * (clock["drift_ppm"] or 0.0)
    return float(t + (clock["offset_s"] or 0.0) + drift * (t - (clock["start_s"] or 0.0)))


def _with_speech(face: pd.DataFrame, voice: pd.DataFrame) -> pd.DataFrame:
    """Face rows with whether their person speaks then."""
    start_s, says = speaking_of(voice)
    speaks = np.zeros(len(face), bool)
    for who, flags in says.items():
        rows = np.flatnonzero(face["participant"] == who)
        steps = np.floor((face["t"].to_numpy()[rows] - start_s) / STEP_S).astype(int)
        inside = (steps >= 0) & (steps < len(flags))
        speaks[rows[inside]] = flags[steps[inside]]
    return face.assign(speaks=speaks)


def _spans(layout: Mapping[str, Any]) -> list[LayoutSpan]:
    from vsa.face.tracker import LayoutSpan

    return [
        LayoutSpan(change["t"], [_tile(tile) for tile in change["tiles"]]) for change in layout["changes"]
    ]


def _tile(tile: Mapping[str, Any]) -> Tile:
    from vsa.face.tiles import Tile

    x, y, w, h = tile["box"]
    return Tile(x, y, w, h, tile["how"], tile["confidence"])
