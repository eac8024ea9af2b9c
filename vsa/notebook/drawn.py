"""From a session's tables to what `vsa.report.timeline` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vsa.errors import InputError
from vsa.report.canvas import Span
from vsa.report.strips import FACE_COLUMNS
from vsa.report.timeline import Lane, draw_timeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vsa.notebook.session import OpenSession


def draw(session: OpenSession, start_s: float | None, end_s: float | None, figure: Figure | None) -> Figure:
    """Draw a session, or a part of it; see `OpenSession.draw`."""
    face, voice = session.face_columns(FACE_COLUMNS), session.voice
    turns, talk = session.turns, session.conversation
    edges = [t for table in (face, voice) if len(table) for t in (table["t"].min(), table["t"].max())]
    edges += [session.record["source"]["start_s"], *turns["end"]]
    first, last = min(edges), max(max(edges), session.record["source"]["start_s"] + session.duration_s)
    start = first if start_s is None else float(start_s)
    end = last if end_s is None else float(end_s)
    if not (start < end and start < last and end > first):
        raise InputError(
            f"There is nothing to draw from {start:g} s to {end:g} s.",
            f"Session '{session.id}' lasts from {first:.1f} s to {last:.1f} s.",
        )
    span = Span(max(start, first), min(end, last))
    homes = {p["id"]: p.get("gaze_neutral_deg") for p in session.record["participants"]}
    others = [w for table in (voice, turns) for w in table["participant"].unique() if w not in session.names]
    lanes = []
    for who in dict.fromkeys([*session.names, *others]):
        seen, heard, said = (
            table[(table["participant"] == who).to_numpy()] for table in (face, voice, turns)
        )
        lanes.append(Lane(who, session.names.get(who, who), seen, heard, said, homes.get(who)))
    title = (
        session.id if session.record["status"] == "complete" else f"{session.id} ({session.record['status']})"
    )
    return draw_timeline(
        lanes,
        span,
        title=title,
        overlaps=talk.overlaps,
        interruptions=talk.interruptions,
        figure=figure,
    )
