"""A chart of a cohort for ``charts.js``: each client's bonds over the sessions, one client's in colour."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsa.report.pages.cohort_charts import (
    HOVER,
    LEGEND,
    MARGIN,
    NO_BONDS,
    Chart,
    axis,
    cut,
    ends,
    expects,
    many,
    said,
)
from vsa.report.pages.cohort_rows import has_intervals, natural
from vsa.report.pages.view import WEAK

if TYPE_CHECKING:
    from vsa.report.pages.view_cohort import CohortView, Listed

_NO_NUMBERS = (
    "Which session of a client's came first is not known (column session_number): no course can be drawn."
)
_NO_CLIENTS = "Whose the sessions are is not known (column client_id): no course can be drawn."


@dataclass(frozen=True)
class Course:
    """A client and what is known of the sessions, which are in order of their numbers."""

    client: str
    sessions: tuple[Listed, ...]

    @property
    def flagged(self) -> int:
        """How many are listed for review."""
        return sum(1 for one in self.sessions if one.flag is not None and one.flag.verdict == WEAK)


def courses_chart(view: CohortView) -> Chart:
    """All clients' bonds over their sessions in grey, and one client's in colour, whom ``cohort.js`` changes."""
    reported = any(math.isfinite(one.bond) for one in view.sessions)
    if not reported and not expects(view.sessions):
        return Chart(None, NO_BONDS)
    if not any(one.client for one in view.sessions):
        return Chart(None, _NO_CLIENTS)
    of = _courses(view.sessions)
    if not of:
        return Chart(None, _NO_NUMBERS)
    courses = {course.client: _course(course) for course in of}
    first = max(of, key=_urgency)
    expected = "expected, with interval" if has_intervals(view.sessions) else "expected"
    chosen = _chosen(courses[first.client], reported, expected if expects(view.sessions) else "")
    traces = [_everybody(of, reported), *chosen]
    known = [b for one in view.sessions for b in (one.bond, one.expected, one.low, one.high)]
    layout = {
        "height": 480,
        "margin": MARGIN,
        "xaxis": {"title": {"text": "Number of the session"}, **_whole_numbers(of)},
        "yaxis": {"title": {"text": axis("Bond", view)}, "range": list(ends(view, known))},
        "legend": LEGEND,
        "hovermode": "closest",
        **cut(view),
    }
    what = "reported" if reported else "expected"
    words = f"{len(of)} client{'s' * (len(of) != 1)}; each grey line is one client's {what} bond."
    data = {"clients": courses, "first": first.client}
    return Chart({"data": traces, "layout": layout}, words=words, data=data)


def _courses(sessions: Iterable[Listed]) -> list[Course]:
    """Clients of whom a bond is known, by id."""
    found: dict[str, list[Listed]] = defaultdict(list)
    for one in sessions:
        if one.client and one.number is not None and (math.isfinite(one.bond) or math.isfinite(one.expected)):
            found[one.client].append(one)
    return [
        Course(client, tuple(sorted(found[client], key=lambda one: one.number or 0)))
        for client in sorted(found, key=natural)
    ]


def _urgency(course: Course) -> tuple[float, int]:
    """The client of the first session of the list before others, as far as there is a list; then the longest course."""
    ranks = [one.flag.rank for one in course.sessions if one.flag is not None and one.flag.rank is not None]
    return -min(ranks, default=math.inf), len(course.sessions)


def _course(course: Course) -> dict[str, Any]:
    """A client's sessions for ``cohort.js``, which puts them into the traces of `_chosen`."""
    of = course.sessions
    n, flagged = len(of), course.flagged
    return {
        "said": f"{course.client} ({many(n)}{f', {flagged} for review' if flagged else ''})",
        "x": [one.number for one in of],
        "bond": [one.bond for one in of],
        "expected": [one.expected for one in of],
        "above": [one.high - one.expected for one in of],
        "below": [one.expected - one.low for one in of],
        "page": [one.page for one in of],
        "text": [said(one) for one in of],
    }


def _everybody(courses: Sequence[Course], reported: bool) -> dict[str, Any]:
    """One trace with a gap after each client: much quicker than a trace a client, and than a thousand markers."""
    x: list[float] = []
    y: list[float] = []
    for course in courses:
        x += [one.number or 0 for one in course.sessions]
        y += [one.bond if reported else one.expected for one in course.sessions]
        x.append(math.nan)
        y.append(math.nan)
    alone = any(len(course.sessions) == 1 for course in courses)  # no line shows these
    return {
        "type": "scatter", "mode": "lines+markers" if alone else "lines", "x": x, "y": y, "hoverinfo": "skip",
        "name": f"all clients, {'reported' if reported else 'expected'}", "connectgaps": False,
        "line": {"color": "--line", "width": 1}, "marker": {"color": "--line", "size": 3},
    }  # fmt: skip


def _chosen(course: Mapping[str, Any], reported: bool, expected: str) -> list[dict[str, Any]]:
    """The chosen client's bonds; `meta` says what of the client a trace shows, `expected` names one."""
    shared = {
        "type": "scatter", "mode": "lines+markers", "x": course["x"], "text": course["text"],
        "customdata": course["page"], "hovertemplate": HOVER, "connectgaps": False,
    }  # fmt: skip
    traces = []
    if expected:
        interval = {
            "type": "data", "symmetric": False, "array": course["above"], "arrayminus": course["below"],
            "color": "--p1-light", "thickness": 7, "width": 0,
        }  # fmt: skip
        square = {"color": "--back", "size": 8, "symbol": "square", "line": {"color": "--p1", "width": 2}}
        line = {"color": "--p1", "width": 2, "dash": "dot"}
        told = {"meta": "expected", "y": course["expected"], "name": expected}
        traces.append({**shared, **told, "error_y": interval, "line": line, "marker": square})
    if reported:
        line = {"color": "--p2", "width": 2.5}
        told = {"meta": "bond", "y": course["bond"], "name": "reported"}
        traces.append({**shared, **told, "line": line, "marker": {"color": "--p2", "size": 9}})
    return traces


def _whole_numbers(courses: Sequence[Course]) -> dict[str, Any]:
    """An axis of session numbers: no half ones."""
    numbers = [one.number or 0 for course in courses for one in course.sessions]
    step = max(1, math.ceil((max(numbers) - min(numbers)) / 12))
    return {"dtick": step, "tick0": min(numbers), "range": [min(numbers) - 0.5, max(numbers) + 0.5]}
