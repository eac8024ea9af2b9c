"""The cohort page: the review list, the bonds, the model and how it did, groups, and what is not on the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsa.report.pages.cohort_charts import bonds_chart
from vsa.report.pages.cohort_courses import courses_chart
from vsa.report.pages.cohort_rows import (
    arranged,
    columns_of,
    has_intervals,
    natural,
    row_of,
    scale_of,
)
from vsa.report.pages.view import CALLED, WEAK

if TYPE_CHECKING:
    from vsa.report.pages.cohort_rows import Column
    from vsa.report.pages.view import Frame
    from vsa.report.pages.view_cohort import CohortView, Listed

#: The list is filtered by facts that have so few values; at most so many facts.
_MOST_VALUES, _MOST_FACETS, _LONGEST = 12, 6, 60
_FIRST_FACETS = ("modality", "platform", "attachment", "diagnosis")
#: Of the manifest, and nothing that sessions are told apart by.
_NO_FACETS = ("consent", "video", "audio", "tile", "date", "age")


@dataclass(frozen=True)
class Count:
    """A part of the answer; `words` are what follows the number."""

    verdict: str
    sessions: int
    words: str


@dataclass(frozen=True)
class Facet:
    """A fact to filter by: what it is called, and each value with how many sessions have it."""

    label: str
    values: tuple[tuple[str, int], ...]


def cohort_context(view: CohortView, frame: Frame) -> dict[str, Any]:
    """Lay out the cohort for ``cohort.html``.

    Parameters
    ----------
    view
        All that the page shows.
    frame
        What stands on every page; it says whether there is a list, and by what.

    Returns
    -------
    What the template names beside `frame` and `up`.
    """
    listed = any(one.flag is not None for one in view.sessions)
    sessions = arranged(view.sessions, listed)
    scale = scale_of(view)
    columns = columns_of(sessions, listed)
    facets = _facets(sessions)
    return {
        "view": view,
        "listed": listed,
        "called": CALLED,
        "counts": _counts(sessions) if listed else (),
        "columns": columns,
        "shows": frozenset(column.key for column in columns),
        "rows": [row_of(one, scale) for one in sessions],
        "scale": scale,
        "intervals": has_intervals(sessions),
        "seen": _seen(sessions) if listed else "",
        "facets": facets,
        "clients": _clients(sessions),
        "troubled": sum(1 for one in sessions if one.problems),
        "list_data": _list_data(sessions, columns, facets),
        "bonds": bonds_chart(view),
        "courses": courses_chart(view),
        "marked_training": len({one.flag.in_training for one in sessions if one.flag is not None}) > 1,
        "marked_simulated": frame.simulated_data == "some",
    }


def _counts(sessions: Sequence[Listed]) -> tuple[Count, ...]:
    """The answer in numbers: "18 of 180 sessions: review suggested"."""
    found = Counter(one.flag.verdict for one in sessions if one.flag is not None)
    n = len(sessions)
    return tuple(
        Count(verdict, found[verdict], f"of {n} session{'s' * (n != 1)}: {said}" if verdict == WEAK else said)
        for verdict, said in CALLED.items()
        if found[verdict] or verdict == WEAK
    )


def _seen(sessions: Sequence[Listed]) -> str:
    """What sessions of the training are shown with; empty where there are none."""
    trained = [one for one in sessions if one.flag is not None and one.flag.in_training]
    if not trained:
        return ""
    n = len(trained)
    whose = (
        "The model learned from all of these sessions"
        if n == len(sessions)
        else f"The model learned from {n} of these sessions (marked †)"
        if n > 1
        else "The model learned from one of these sessions (marked †)"
    )
    return (
        f"{whose}. Their expected bond is from when their people were held out, and has no interval; their probability "
        "looks better than it would for new people."
    )


def _facets(sessions: Sequence[Listed]) -> tuple[Facet, ...]:
    """Facts to filter by, the usual ones first."""
    labels = list(dict.fromkeys(label for one in sessions for label in one.facts))
    labels.sort(key=lambda one: _FIRST_FACETS.index(one) if one in _FIRST_FACETS else len(_FIRST_FACETS))
    found = []
    for label in labels:
        counted = Counter(value for one in sessions if (value := one.facts.get(label, "")))
        few = 2 <= len(counted) <= min(_MOST_VALUES, len(sessions) // 2)
        if few and not label.startswith(_NO_FACETS) and all(len(value) <= _LONGEST for value in counted):
            values = sorted(counted.items(), key=lambda pair: natural(pair[0]))
            found.append(Facet(label, tuple(values)))
    return tuple(found[:_MOST_FACETS])


def _clients(sessions: Sequence[Listed]) -> tuple[tuple[str, int], ...]:
    """Clients by id, and how many sessions are theirs; none where all sessions are of one."""
    counted = Counter(one.client for one in sessions if one.client)
    if len(counted) < 2:
        return ()
    return tuple(sorted(counted.items(), key=lambda pair: natural(pair[0])))


def _list_data(
    sessions: Sequence[Listed], columns: Sequence[Column], facets: Sequence[Facet]
) -> dict[str, Any]:
    """What ``list.js`` sorts and filters by, a value for each row of the table."""
    return {
        "ids": [one.session_id for one in sessions],
        "sort": {
            column.key: [column.value(one) for one in sessions] for column in columns if column.key != "mark"
        },
        "client": [one.client for one in sessions],
        "troubled": [bool(one.problems) for one in sessions],
        "facts": {facet.label: [one.facts.get(facet.label, "") for one in sessions] for facet in facets},
    }
