"""A session on one time axis: who speaks, looks away, smiles and nods when, and how far movements go together.

Each kind of stretch in a row is one trace of bars, so that a long session stays light. Names come from users and Plotly
reads tags in text: names are escaped, and stand in hover texts as values, never as part of a template.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vsa.report.pages.timeline_events import SOMEBODY, events, gaps
from vsa.report.pages.timeline_rows import (
    AWAY,
    BACKCHANNEL,
    HATCHED,
    MOMENT,
    NOD,
    OVERLAP,
    PLAIN,
    SILENCE,
    TURN,
    Rows,
)
from vsa.report.pages.timeline_spans import rest
from vsa.report.pages.view import Flag
from vsa.report.pages.view_timeline import Lane, Synchrony, Timeline
from vsa.report.times import clock

Figure = dict[str, Any]

#: A window of unrelated movement lies above this once in 20, and as often below its negative.
CHANCE_Z = 1.64
#: Between ticks of the axis, s.
TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)

_ROW_PX, _SYNC_PX, _GAP_PX, _HEAD_PX, _FOOT_PX = 24, 124, 12, 12, 46
_COLOURS = (("--p1", "--p1-light"), ("--p2", "--p2-light"), ("--p3", "--chance"), ("--p4", "--chance"))
#: The page has its own; and Plotly's first one would upload the chart to its makers.
_NO_BUTTONS = ["sendcharttocloud", "zoom", "pan", "zoomin", "zoomout", "autoscale", "resetscale"]
#: In place of the scope of somebody who is none of the participants.
_OTHERS = ""
_UNHEARD, _UNSEEN, _NO_GAZE = (
    "not known whether this person speaks",
    "face not seen",
    "not known where this person looks",
)


def timeline_figure(timeline: Timeline, flag: Flag | None) -> Figure:
    """Draw a session.

    Parameters
    ----------
    timeline
        What happened when.
    flag
        Its moments are shaded, and numbered as its reasons are.

    Returns
    -------
    A Plotly figure: ``data`` and ``layout``, times in s. ``layout.meta`` has ``events`` and ``gaps`` for the page's
    tables, as `vsa.report.pages.timeline_events` makes them.
    """
    rows = Rows(timeline.start_s, timeline.end_s)
    bands = _moments(rows, flag)
    speaks = _speech(rows, timeline)
    for lane, colours in zip(timeline.lanes, _colours(timeline.lanes), strict=True):
        _behaviour(rows, lane, colours)
    _interruptions(rows, timeline, speaks)
    together = timeline.synchrony
    if together.why_none:
        rows.gap()
        rows.nothing(rows.row("", "movement together"), together.why_none)
    elif len(together.t):
        rows.traces.append(_synchrony(together))
    layout = _layout(rows, timeline)
    layout["shapes"] += bands
    layout["annotations"] = rows.notes
    layout["meta"] = {"events": events(timeline, flag), "gaps": gaps(timeline)}
    return {"data": rows.traces, "layout": layout}


def _colours(lanes: Sequence[Lane]) -> list[tuple[str, str]]:
    return [_COLOURS[k % len(_COLOURS)] for k in range(len(lanes))]


def _speech(rows: Rows, timeline: Timeline) -> dict[str, float]:
    """Draw who speaks when; the row of each scope."""
    speaks = {}
    for lane, (dark, light) in zip(timeline.lanes, _colours(timeline.lanes), strict=True):
        who = html.escape(lane.name)
        y = speaks[lane.scope] = rows.row(lane.name, "speaks")
        if why := lane.missing.get("speech") or timeline.no_speech:
            rows.nothing(y, why)
            continue
        rows.bars(y, f"<b>{who}</b>: {_UNHEARD}", lane.unheard, HATCHED)
        rows.bars(y, f"<b>{who}</b>: turn", lane.turns, TURN.of(dark))
        rows.bars(y, f"<b>{who}</b>: backchannel", lane.backchannels, BACKCHANNEL.of(light, dark))
    if len(timeline.strangers):
        y = speaks[_OTHERS] = rows.row("others", "speak")
        rows.bars(y, "<b>none of the participants</b> speaks", timeline.strangers, PLAIN.of("--faint"))
    if not timeline.no_speech:
        y = rows.row("", "silence, overlap")
        rows.bars(y, "<b>silence</b> of everybody", timeline.silences, SILENCE.of("--chance", "--faint"))
        rows.bars(y, "<b>overlap</b>: two or more speak", timeline.overlaps, OVERLAP.of("--text"))
    return speaks


def _behaviour(rows: Rows, lane: Lane, colours: tuple[str, str]) -> None:
    """Draw where a person looks, and when they smile and nod."""
    dark, light = colours
    who = html.escape(lane.name)
    rows.gap()
    y = rows.row(lane.name, "looks")
    if why := lane.missing.get("gaze"):
        rows.nothing(y, why)
    else:
        rows.bars(y, f"<b>{who}</b>: {_NO_GAZE}", lane.gaze_unknown, HATCHED)
        toward = rest(rows.span_s, lane.away, lane.gaze_unknown)
        rows.bars(y, f"<b>{who}</b> looks toward the screen", toward, PLAIN.of(light))
        rows.bars(y, f"<b>{who}</b> looks away", lane.away, AWAY.of(dark))
    for signal, word, spans, look in (
        ("smile", "smiles", lane.smiles, PLAIN),
        ("nod", "nods", lane.nods, NOD),
    ):
        y = rows.row(lane.name, word)
        if why := lane.missing.get(signal):
            rows.nothing(y, why)
            continue
        rows.bars(y, f"<b>{who}</b>: {_UNSEEN}", lane.unseen, HATCHED)
        rows.bars(y, f"<b>{who}</b> {word}", spans, look.of(dark))


def _interruptions(rows: Rows, timeline: Timeline, speaks: dict[str, float]) -> None:
    """Mark them at the upper rim of the interrupter's row."""
    names = {lane.scope: html.escape(lane.name) for lane in timeline.lanes}
    places = [(one, speaks.get(one.by, speaks.get(_OTHERS))) for one in timeline.interruptions]
    shown = [(one, y) for one, y in places if y is not None]
    if not shown:
        return
    taken = ["takes the turn", "does not take the turn"]
    rows.traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [round(one.start_s, 2) for one, _ in shown],
            "y": [round(y + 0.42, 2) for _, y in shown],
            "marker": {
                "symbol": ["triangle-down" if one.taken else "triangle-down-open" for one, _ in shown],
                "size": 9,
                "color": "--text",
                "line": {"width": 1.3},
            },
            "customdata": [
                f"<b>{names.get(one.by, SOMEBODY)}</b> interrupts {names.get(one.of, SOMEBODY)} at "
                f"{clock(one.start_s)} and {taken[not one.taken]}<br>speaks until {clock(one.end_s)}"
                for one, _ in shown
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
            "cliponaxis": False,
            "showlegend": False,
        }
    )


def _synchrony(together: Synchrony) -> dict[str, Any]:
    half = together.window_s / 2
    z = [round(float(one), 2) if math.isfinite(one) else None for one in together.z]
    beyond = [one is not None and abs(one) >= CHANCE_Z for one in z]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [round(float(t), 2) for t in together.t],
        "y": z,
        "yaxis": "y2",
        "line": {"color": "--text", "width": 1.5},
        "marker": {
            "symbol": ["circle" if one else "circle-open" for one in beyond],
            "size": 7,
            "color": "--text",
        },
        "customdata": [
            f"{clock(t - half)}–{clock(t + half)}<br>{'outside' if out else 'within'} the band of chance"
            for t, out in zip(together.t, beyond, strict=True)
        ],
        "hovertemplate": "<b>movement together</b>: z = %{y}<br>%{customdata}<extra></extra>",
        "showlegend": False,
    }


def _moments(rows: Rows, flag: Flag | None) -> list[Figure]:
    """Draw a row for each reason that has moments; bands over all rows."""
    bands: list[Figure] = []
    for number, why in enumerate(() if flag is None else flag.reasons, 1):
        if not why.moments:
            continue
        spans = np.array([(one.start_s, one.end_s) for one in why.moments])
        y = rows.row(f"reason {number}", "")
        rows.bars(y, f"<b>reason {number}</b>: {html.escape(why.words)}", spans, MOMENT, f"<b>{number}</b>")
        for one in why.moments:
            place = {"type": "rect", "x0": one.start_s, "x1": one.end_s, "yref": "paper", "y0": 0, "y1": 1}
            edge = {"color": "--accent", "width": 1, "dash": "dot"}
            bands.append(
                {**place, "fillcolor": "--accent", "opacity": 0.12, "layer": "below", "line": {"width": 0}}
            )
            bands.append({**place, "line": edge})
    if bands:
        rows.gap()
    return bands


def _layout(rows: Rows, timeline: Timeline) -> Figure:
    """Axes and sizes: rows above, synchrony below where there is some."""
    start_s, end_s = timeline.start_s, timeline.end_s
    rows_px = _ROW_PX * rows.height
    with_sync = any(one.get("yaxis") == "y2" for one in rows.traces)
    sync_px = _SYNC_PX if with_sync else 0
    plot_px = rows_px + (sync_px + _GAP_PX if with_sync else 0)
    ticks = np.arange(math.ceil(start_s / (step := _step(end_s - start_s))) * step, end_s + 1e-6, step)
    layout: Figure = {
        "height": round(_HEAD_PX + plot_px + _FOOT_PX),
        "margin": {"l": rows.label_px, "r": 30, "t": _HEAD_PX, "b": _FOOT_PX},
        "barmode": "overlay",
        "hovermode": "closest",
        "dragmode": "zoom",
        "modebar": {"remove": _NO_BUTTONS},
        "xaxis": {
            "range": [start_s, end_s],
            "minallowed": start_s,
            "maxallowed": end_s,
            "anchor": "free",
            "position": 0,
            "tickmode": "array",
            "tickvals": [float(t) for t in ticks],
            "ticktext": [clock(t) for t in ticks],
            "ticks": "outside",
            "zeroline": False,
            "title": {
                "text": f"time in the session ({'hours:' * (end_s >= 3600)}minutes:seconds)",
                "standoff": 6,
                "font": {"size": 13},
            },
        },
        "yaxis": {
            "range": [-rows.height, 0],
            "domain": [1 - rows_px / plot_px, 1],
            "fixedrange": True,
            "tickvals": [y for y, _ in rows.labels],
            "ticktext": [text for _, text in rows.labels],
            "showgrid": False,
            "zeroline": False,
        },
        "shapes": [],
    }
    if with_sync:
        size = [abs(z) for z in timeline.synchrony.z if math.isfinite(z)]
        most = max(3.0, *(one + 0.5 for one in size)) if size else 3.0
        layout["yaxis2"] = {
            "range": [-most, most],
            "domain": [0, sync_px / plot_px],
            "fixedrange": True,
            "tickvals": [-CHANCE_Z, 0, CHANCE_Z],
            "ticktext": [f"−{CHANCE_Z}", "0", f"{CHANCE_Z}"],
            "showgrid": False,
            "zeroline": True,
            "zerolinewidth": 1,
        }
        layout["shapes"] = [
            {
                "type": "rect",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "yref": "y2",
                "y0": -CHANCE_Z,
                "y1": CHANCE_Z,
                "fillcolor": "--chance",
                "line": {"width": 0},
                "layer": "below",
            }
        ]
        rows.notes.append(
            {
                "xref": "paper", "x": 0, "xanchor": "right", "xshift": -44, "yref": "y2", "y": 0,
                "align": "right", "showarrow": False, "text": "movement<br>together<br>(z)",
            }
        )  # fmt: skip
    return layout


def _step(span_s: float) -> float:
    """Between ticks, s: no more than twelve of them."""
    return float(next((step for step in TICKS_S if span_s / step <= 12), TICKS_S[-1]))
