"""Charts of a cohort for ``charts.js``: reported against expected bond, and what all of its charts share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from vsa.report.pages.view import ABSTAIN, CALLED, OK, WEAK

if TYPE_CHECKING:
    from vsa.report.pages.view_cohort import CohortView, Listed

Figure = dict[str, Any]

#: Verdict to its name, colour, symbol and size: told apart without colour too.
MARKS: Mapping[str, tuple[str, str, str, int]] = {
    OK: (CALLED[OK], "--p1", "circle-open", 7),
    ABSTAIN: ("not judged", "--abstain", "x-thin-open", 8),
    WEAK: ("review suggested", "--weak", "triangle-up", 11),
}
_LONGEST = 60  # of an id, where a point is told of
HOVER = "%{text}<extra></extra>"
LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0.0, "font": {"size": 12}}
MARGIN = {"l": 60, "r": 20, "t": 40, "b": 60}
NO_BONDS = "No bond is known of these sessions: there is nothing to draw. Give reported bonds with --bonds."
_NO_EXPECTED = "Nothing expects a bond here: that takes a model (--model)."
_NO_REPORTED = (
    "No reported bond is known of these sessions, so there is nothing to hold the expected one against."
)
_NONE_NEW = (
    "Of no session both are known: the reported bond, and the bond that was expected when the model had not seen its "
    "people."
)


@dataclass(frozen=True)
class Chart:
    """A figure, or why there is none.

    Attributes
    ----------
    figure
        As Plotly has it, colours by their names in ``vsa.css``; None if there is nothing to draw.
    why_none
        Why not; else empty.
    words
        What it shows, for those who don't see it, and how many.
    data
        What ``cohort.js`` needs besides.
    """

    figure: Figure | None
    why_none: str = ""
    words: str = ""
    data: Any = None


def bonds_chart(view: CohortView) -> Chart:
    """Reported against expected bond of people whom the model had not seen."""
    if not any(math.isfinite(one.bond) for one in view.sessions):
        return Chart(None, NO_BONDS if not expects(view.sessions) else _NO_REPORTED)
    if not expects(view.sessions):
        return Chart(None, _NO_EXPECTED)
    drawn = [one for one in view.sessions if one.held_out and math.isfinite(one.expected + one.bond)]
    if not drawn:
        return Chart(None, _NONE_NEW)
    span = ends(view, [b for one in drawn for b in (one.expected, one.bond)])
    line = {
        "type": "scatter", "mode": "lines", "x": list(span), "y": list(span), "hoverinfo": "skip",
        "name": "as expected", "line": {"color": "--faint", "width": 1, "dash": "dash"},
    }  # fmt: skip
    traces = [line]
    for verdict, (name, colour, symbol, size) in MARKS.items():
        of = [one for one in drawn if (one.flag.verdict if one.flag else OK) == verdict]
        if of:
            outline = {"width": 1.5, "color": colour}
            marker = {"color": colour, "symbol": symbol, "size": size, "line": outline}
            traces.append(_points(of, f"{name} ({len(of)})", marker))
    layout = {
        "height": 480,
        "margin": MARGIN,
        "xaxis": {
            "title": {"text": axis("Expected bond", view)},
            "range": list(span),
            "constrain": "domain",
        },
        "yaxis": {"title": {"text": axis("Reported bond", view)}, "range": list(span)},
        "legend": LEGEND,
        "hovermode": "closest",
        **cut(view),
    }
    left_out = len(view.sessions) - len(drawn)
    words = f"{many(len(drawn))} of people whom the model had not seen"
    if any(one.flag is not None and one.flag.in_training for one in drawn):
        words += "; those of its training as when their people were held out"
    words += f". Of {left_out} more, one of the two is not known." if left_out else "."
    return Chart({"data": traces, "layout": layout}, words=words)


def _points(of: Sequence[Listed], name: str, marker: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "name": name, "marker": marker,
        "x": [one.expected for one in of], "y": [one.bond for one in of],
        "text": [said(one) for one in of], "customdata": [one.page for one in of], "hovertemplate": HOVER,
    }  # fmt: skip


def said(one: Listed) -> str:
    """A session in a few lines, for Plotly: it reads marks such as ``<b>`` in text, so that ids are escaped."""
    name = one.session_id if len(one.session_id) <= _LONGEST else f"{one.session_id[:_LONGEST]}…"
    lines = [f"<b>{escape(name, quote=False)}</b>"]
    if math.isfinite(one.bond):
        lines.append(f"reported bond {one.bond:.2f}")
    if math.isfinite(one.expected):
        interval = f" ({one.low:.2f} to {one.high:.2f})" if math.isfinite(one.low + one.high) else ""
        lines.append(f"expected bond {one.expected:.2f}{interval}")
    if one.flag is not None:
        probable = one.flag.probability
        weak = f", weak bond {100 * probable:.0f} % probable" if math.isfinite(probable) else ""
        lines.append(f"{MARKS[one.flag.verdict][0]}{weak}")
    return "<br>".join(lines)


def expects(sessions: Iterable[Listed]) -> bool:
    """Whether of any session a bond is expected."""
    return any(math.isfinite(one.expected) for one in sessions)


def ends(view: CohortView, bonds: Iterable[float]) -> tuple[float, float]:
    """Of an axis: what the bonds span, and the line of a weak one, with some room."""
    known = [b for b in (*bonds, view.weak_cut) if math.isfinite(b)]
    low, high = min(known), max(known)
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def axis(what: str, view: CohortView) -> str:
    """The title of an axis of bonds."""
    scale = f", scale {view.scale[0]:g} to {view.scale[1]:g}" if view.scale else ""
    return f"{what} ('{escape(view.target, quote=False)}', points{scale})"


def cut(view: CohortView) -> dict[str, Any]:
    """Of a layout: a line at the bond up to which it is weak, with its name."""
    if not math.isfinite(view.weak_cut):
        return {}
    at = view.weak_cut
    line = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at, "layer": "below",
        "line": {"color": "--weak", "width": 1, "dash": "dot"},
    }  # fmt: skip
    note = {
        "xref": "paper", "x": 1, "y": at, "xanchor": "right", "yanchor": "top", "showarrow": False,
        "text": f"weak: {at:g} or less", "font": {"color": "--weak", "size": 12},
    }  # fmt: skip
    return {"shapes": [line], "annotations": [note]}


def many(n: int) -> str:
    """A number of sessions."""
    return f"{n} session{'s' * (n != 1)}"
