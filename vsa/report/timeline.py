"""A session at a glance: who speaks when, and what faces and voices do meanwhile.

From top to bottom:

- one lane a voice: solid bars are turns (pauses included), light ones backchannels; a triangle stands where an
  interruption begins, white if it failed to take the floor; under the lanes, where two or more speak at once;
- for each signal one strip a person, all of one signal on one scale: smile, the angle between gaze and the direction in
  which this person looks most (dashed: the edge of the cone that counts as the screen), head up and down, movement of
  the picture, and loudness while speaking, re this person's own median.

Grey is what was not measured: the face out of view, or not known who speaks. Where there are more samples than dots,
the line is their mean and the band about it their range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from vsa.features.gaze import SCREEN_CONE_DEG
from vsa.report.canvas import DARK, GREY, Inks, Page, Span, inks_of, two_ticks
from vsa.report.strips import SIGNALS, Direction, Floats, Signal, line, unmeasured

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Heights, of which a strip has 1: lane of a voice, that of overlaps, room between signals and between strips.
_LANE, _OVERLAP, _BETWEEN, _WITHIN = 0.62, 0.4, 0.3, 0.12
#: Backchannels have edges while dots are shorter than this, s; then the edges would be all of them.
_EDGES_S = 0.15
_MARK: dict[str, Any] = {"mec": "black", "mew": 0.7, "ms": 4.5}
_EDGE: dict[str, Any] = {"color": "0.4", "lw": 0.7, "ls": (0, (4, 3))}
_SAID: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}


@dataclass(frozen=True, eq=False)
class Lane:
    """One voice, and the face that it belongs to if it was seen.

    Attributes
    ----------
    id, name
        The participant's, and what people are told.
    face, voice
        Own rows of ``face.parquet`` (`t`, `tracked` and `FACE_COLUMNS`) and ``voice.parquet``, in order of time.
    turns
        `start`, `end` (s), `kind`.
    home_deg
        Where this person looks most (yaw, pitch); None if it is not known.
    """

    id: str
    name: str
    face: pd.DataFrame
    voice: pd.DataFrame
    turns: pd.DataFrame
    home_deg: Direction | None = None


def draw_timeline(
    lanes: Sequence[Lane],
    span: Span,
    *,
    title: str,
    overlaps: pd.DataFrame,
    interruptions: pd.DataFrame,
    figure: Figure | None = None,
) -> Figure:
    """Draw a session; the module says what is what.

    Parameters
    ----------
    lanes
        From top to bottom. Those who were never seen have a lane and strips of their voice.
    span
        The part to draw.
    title
        Above it.
    overlaps
        `start`, `end` (s) of speech by two or more (`vsa.voice.turns.Turns`).
    interruptions
        `participant` (id), `start` (s), `taken` (bool).
    figure
        To draw into; it should be empty. A new one of 12 inches by 6, or more for more than two people, else.

    Returns
    -------
    The figure. Bars and lines carry ids (`gid`): ``turn:<id>``, ``backchannel:<id>``, ``overlap``, ``smile:<id>``,
    ``unmeasured:smile:<id>`` …
    """
    inks = {lane.id: inks_of(k) for k, lane in enumerate(lanes)}
    groups = [(signal, [lane for lane in lanes if len(_rows(signal, lane))]) for signal in SIGNALS]
    groups = [(signal, own) for signal, own in groups if own]
    speech = _LANE * max(len(lanes), 1) + _OVERLAP * (len(lanes) > 1)
    units = speech + sum(_BETWEEN + len(own) + _WITHIN * (len(own) - 1) for _, own in groups)
    page = Page(figure, span, units)
    _draw_speech(page.row(speech), lanes, inks, page, overlaps, interruptions)
    for signal, own in groups:
        page.skip(_BETWEEN - _WITHIN)
        _draw_signal(signal, own, inks, page)
    page.time_axis()
    page.figure.text(*page.above(0.1), title, fontsize=11, fontweight="bold", va="top")
    _legend(page, lanes, inks)
    return page.figure


def _draw_speech(
    ax: Axes,
    lanes: Sequence[Lane],
    inks: dict[str, Inks],
    page: Page,
    overlaps: pd.DataFrame,
    interruptions: pd.DataFrame,
) -> None:
    """Lane k lies about -k."""
    span = page.span
    edge = 0.7 if page.dot_s < _EDGES_S else 0.0
    names = [(-float(k), lane.name, inks[lane.id].dark) for k, lane in enumerate(lanes)]
    for (y, _, _), lane in zip(names, lanes, strict=True):
        ink = inks[lane.id]
        grey = _unmeasured(lane.voice, lane.voice["speech"].notna().to_numpy(np.bool_), span)
        _bars(ax, grey, (y - 0.5, 1), f"unmeasured:speech:{lane.id}", fc=GREY, lw=0)
        turns, short = (
            _within(lane.turns[lane.turns["kind"] == kind], page) for kind in ("turn", "backchannel")
        )
        _bars(ax, turns, (y - 0.31, 0.62), f"turn:{lane.id}", fc=ink.solid, lw=0)
        _bars(ax, short, (y - 0.2, 0.4), f"backchannel:{lane.id}", fc=ink.light, ec=ink.dark, lw=edge)
        for fill, gid, taken in (("black", "interruption", True), ("white", "failed interruption", False)):
            whose = (interruptions["participant"] == lane.id) & (interruptions["taken"] == taken)
            t = interruptions["start"][whose].to_numpy(np.float64)
            t = t[(t >= span.start_s) & (t <= span.end_s)]
            ax.plot(t, np.full(len(t), y + 0.42), "v", mfc=fill, gid=f"{gid}:{lane.id}", **_MARK)
    floor = -len(lanes) + 0.5 if lanes else -0.5
    if len(lanes) > 1:
        depth = _OVERLAP / _LANE
        where = (floor - 0.85 * depth, 0.7 * depth)
        _bars(ax, _within(overlaps, page), where, "overlap", fc=DARK, lw=0)
        ax.axhline(floor, lw=0.5, color="0.8")
        names.append((floor - depth / 2, "both speak" if len(lanes) == 2 else "overlap", DARK))
        floor -= depth
    if not any(len(lane.voice) for lane in lanes):
        ax.text(
            0.5, 0.5, "no sound" if lanes else "nobody was seen or heard", transform=ax.transAxes, **_SAID
        )
    ax.set_ylim(floor, 0.55)
    ax.set_yticks([y for y, _, _ in names], [name for _, name, _ in names])
    for label, (_, _, colour) in zip(ax.get_yticklabels(), names, strict=True):
        label.set(color=colour, fontsize=8.5, fontweight="normal" if colour == DARK else "bold")
    ax.tick_params(axis="y", length=0)


def _draw_signal(signal: Signal, lanes: Sequence[Lane], inks: dict[str, Inks], page: Page) -> None:
    """One strip a lane, all on one scale."""
    lines, greys = [], []
    for lane in lanes:
        rows = _rows(signal, lane)
        t = rows["t"].to_numpy(np.float64)
        lines.append(line(t, signal.values(rows, lane.home_deg), page.span, page.dots))
        known = rows["tracked"] if signal.source == "face" else rows["speech"].notna()
        greys.append(_unmeasured(rows, known.to_numpy(np.bool_), page.span))
    low, high = signal.limits(np.concatenate([part for one in lines for part in (one.low, one.high)]))
    strips = []
    for lane, drawn, grey in zip(lanes, lines, greys, strict=True):
        page.skip(_WITHIN)
        ax = page.row(1.0)
        strips.append(ax)
        ink = inks[lane.id]
        _bars(ax, grey, (low, high - low), f"unmeasured:{signal.key}:{lane.id}", fc=GREY, lw=0)
        if drawn.low is not drawn.high:
            ax.fill_between(drawn.t, drawn.low, drawn.high, color=ink.light, lw=0)
        ax.plot(drawn.t, drawn.mean, color=ink.dark, lw=0.9, gid=f"{signal.key}:{lane.id}")
        if signal.key == "gaze" and lane.home_deg is None:
            said = "too few readings to know where this person looks most"
            ax.text(0.5, 0.5, said, transform=ax.transAxes, **_SAID)
        elif signal.key == "gaze":
            ax.axhline(SCREEN_CONE_DEG, **_EDGE)
        two_ticks(ax, low, high)
        ax.text(1.006, 0.5, lane.name, transform=ax.transAxes, color=ink.dark, fontsize=8, va="center")
    page.beside(strips, f"{signal.label}\n[{signal.unit}]")


def _legend(page: Page, lanes: Sequence[Lane], inks: dict[str, Inks]) -> None:
    """What is what, in one line; with more than two, who is who stands at the lanes only."""
    cone = f"edge of the screen's cone ({SCREEN_CONE_DEG:.0f}°)"
    marks: list[Any] = [
        *(Patch(color=inks[lane.id].solid, label=lane.name) for lane in lanes if len(lanes) <= 2),
        Patch(fc="0.4", ec="0.4", lw=0.7, label="turn"),
        Patch(fc="0.8", ec="0.3", lw=0.7, label="backchannel"),
    ]
    if len(lanes) > 1:
        marks += [
            Line2D([], [], ls="", marker="v", mfc="black", label="interruption", **_MARK),
            Line2D([], [], ls="", marker="v", mfc="white", label="failed interruption", **_MARK),
        ]
    marks += [Line2D([], [], label=cone, **_EDGE), Patch(fc=GREY, lw=0, label="not measured")]
    page.figure.legend(
        handles=marks,
        loc="upper left",
        bbox_to_anchor=page.above(0.34),
        ncols=(len(marks) + 1) // 2 if page.narrow else len(marks),
        frameon=False,
        fontsize=8,
        handlelength=1.4,
        handletextpad=0.5,
        columnspacing=1.3,
        borderpad=0,
        borderaxespad=0,
    )


def _bars(ax: Axes, spans: Floats, where: tuple[float, float], gid: str, **style: Any) -> None:
    widths = [(float(start), float(end - start)) for start, end in spans]
    ax.broken_barh(widths, where, gid=gid, **style)


def _rows(signal: Signal, lane: Lane) -> pd.DataFrame:
    return lane.face if signal.source == "face" else lane.voice


def _unmeasured(rows: pd.DataFrame, measured: npt.NDArray[np.bool_], span: Span) -> Floats:
    return unmeasured(rows["t"].to_numpy(np.float64), measured, span)


def _within(bars: pd.DataFrame, page: Page) -> Floats:
    """Start and end of those that can be seen, (n, 2); none is narrower than a dot."""
    times = np.asarray(bars[["start", "end"]], np.float64)
    times = times[(times[:, 1] > page.span.start_s) & (times[:, 0] < page.span.end_s)]
    lacks = np.maximum(0, page.dot_s - np.diff(times))
    return times + lacks * (-0.5, 0.5)
