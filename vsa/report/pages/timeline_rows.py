"""The rows of a timeline, from top to bottom, and the bars in them."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vsa.report.pages.view_timeline import Spans
from vsa.report.times import clock

Trace = dict[str, Any]

#: Characters of a name beside a row, and of a reason inside one; all of it stands below the chart.
_NAME, _WHY = 16, 68
_GAP = 0.45
#: Width of a character beside a row, and of what else is there, px.
_CHARACTER_PX, _BESIDE_PX, _LEAST_PX = 7.6, 16, 118


@dataclass(frozen=True)
class Look:
    """How the bars of a kind look.

    Attributes
    ----------
    width
        In rows.
    fill, edge
        Colours as tokens; no outline without `edge`.
    hatched
        In place of a solid fill.
    to_scale
        Of a whole session most bars are thinner than a dot of the screen. To scale, they make a shade that tells
        how much of the time they take; else each is a dot wide, so that it is seen: right for rare events alone.
    """

    width: float
    fill: str = ""
    edge: str = ""
    hatched: bool = False
    to_scale: bool = False

    def of(self, fill: str, edge: str = "") -> Look:
        """The same in a colour, outlined if `edge` is given."""
        return replace(self, fill=fill, edge=edge)

    def marker(self) -> Trace:
        """As Plotly has it."""
        # Plotly widens bars without an outline to whole dots; one as thin as this is not seen
        line = {"width": 1 if self.edge else 0.02 * self.to_scale, "color": self.edge or self.fill}
        if not self.hatched:
            return {"color": self.fill, "line": line}
        pattern = {
            "shape": "/", "size": 6, "solidity": 0.3, "fillmode": "replace",
            "fgcolor": self.fill, "bgcolor": "--back",
        }  # fmt: skip
        return {"color": self.fill, "line": line, "pattern": pattern}


#: Looks without their colours. Height tells turns from backchannels, an outline silence from overlap.
TURN, AWAY, OVERLAP = Look(0.64, to_scale=True), Look(0.64, to_scale=True), Look(0.4, to_scale=True)
BACKCHANNEL, SILENCE = Look(0.34), Look(0.5)
PLAIN, NOD = Look(0.64), Look(0.4)
HATCHED = Look(0.64, "--line", hatched=True)
MOMENT = Look(0.8, "--accent")


class Rows:
    """Rows as they are filled.

    Parameters
    ----------
    start_s, end_s
        Of the session.

    Attributes
    ----------
    traces, notes
        Bars and annotations, as Plotly has them.
    labels
        Middle of each row and its label.
    height
        In rows; the first row lies from 0 to -1.
    """

    def __init__(self, start_s: float, end_s: float) -> None:
        self.span_s = (start_s, end_s)
        self.traces: list[Trace] = []
        self.notes: list[Trace] = []
        self.labels: list[tuple[float, str]] = []
        self.height = 0.0
        self._longest = 0

    def row(self, who: str, what: str) -> float:
        """Begin a row, and say where its middle is; `who` is shown in bold."""
        y = round(-self.height - 0.5, 2)
        self.height += 1
        short = who if len(who) <= _NAME else f"{who[: _NAME - 1]}…"
        # the tag also keeps a name that begins like a colour token from being read as one
        self.labels.append((y, f"<b>{html.escape(short)}</b> {what}".strip() if who else what))
        self._longest = max(self._longest, len(f"{short} {what}".strip()))
        return y

    def gap(self) -> None:
        """Leave some room before the next row."""
        self.height = round(self.height + _GAP, 2)

    def bars(self, y: float, what: str, spans: Spans, look: Look, inside: str = "") -> None:
        """Draw stretches; `what` is told of each on hover, and `inside` stands in it: both are escaped text."""
        if not len(spans):
            return
        text = (
            {
                "text": inside,
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "insidetextfont": {"color": "--back", "size": 12},
            }
            if inside
            else {}
        )
        self.traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [y] * len(spans),
                "base": [round(float(start), 2) for start, _ in spans],
                "x": [round(float(end - start), 2) for start, end in spans],
                "width": look.width,
                "marker": look.marker(),
                "meta": what,
                "customdata": [f"{stretch(start, end)} ({length(end - start)})" for start, end in spans],
                "hovertemplate": "%{meta}<br>%{customdata}<extra></extra>",
                "showlegend": False,
                **text,
            }
        )

    def nothing(self, y: float, why: str) -> None:
        """Say in a row why there is nothing in it."""
        self.bars(y, f"missing: {html.escape(why)}", np.array([self.span_s]), HATCHED)
        short = why if len(why) <= _WHY else f"{why[: _WHY - 1]}…"
        self.notes.append(
            {
                "xref": "paper", "x": 0.005, "xanchor": "left", "y": y, "showarrow": False,
                "text": f"missing: {html.escape(short)}",
                "font": {"color": "--faint", "size": 12}, "bgcolor": "--back", "borderpad": 1,
            }
        )  # fmt: skip

    @property
    def label_px(self) -> int:
        """Room for the labels."""
        return max(_LEAST_PX, round(_CHARACTER_PX * self._longest + _BESIDE_PX))


def stretch(start_s: float, end_s: float) -> str:
    """From when to when."""
    return f"{clock(start_s)}–{clock(end_s)}"


def length(seconds: float) -> str:
    """How long, in digits that mean something.

    Examples
    --------
    >>> length(0.42), length(75.2)
    ('0.4 s', '1:15')
    """
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)
