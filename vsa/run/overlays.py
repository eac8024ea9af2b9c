"""A finished session drawn over its recordings, to check it by eye."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.study.face_table import read_face
from vsa.study.plan import SessionPlan

if TYPE_CHECKING:
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

    face = read_face(folder / "face.parquet")
    landmarks = folder / "landmarks.npz"
    films = []
    for video, layout in zip(plan.videos, record["layout"], strict=True):
        shown = [p["id"] for p in record["participants"] if video.role is None or p["role"] == video.role]
        films.append(film_of(out, video.role, len(plan.videos)))
        render_overlay(
            video.path,
            face[face["participant"].isin(shown)],
            films[-1],
            fps=fps,
            landmarks=landmarks if landmarks.exists() else None,
            spans=_spans(layout),
        )
    return films


def film_of(out: Path, role: str | None, recordings: int) -> Path:
    """Where a recording's film goes."""
    return out if recordings == 1 else out.with_stem(f"{out.stem}-{role}")


def _spans(layout: Mapping[str, Any]) -> list[LayoutSpan]:
    from vsa.face.tracker import LayoutSpan

    return [
        LayoutSpan(change["t"], [_tile(tile) for tile in change["tiles"]]) for change in layout["changes"]
    ]


def _tile(tile: Mapping[str, Any]) -> Tile:
    from vsa.face.tiles import Tile

    x, y, w, h = tile["box"]
    return Tile(x, y, w, h, tile["how"], tile["confidence"])
