"""Behaviour by the same groups, beside the scores: the core set of features, looked at and not tested for a claim.

Calls delay what is said, by some 350 ms a turn (135 ms between turns in a room, 487 ms over a video call: Boland et
al. 2022), and not all by the same. Waits, silences and overlaps are therefore taken from the median of their platform,
and compared by what varies on a platform. People in a room and people in a call are not compared in them at all:
taking each from its own median would remove whatever differs, and leaving it in would show the medium. A baseline of
each pair does not help either: what differs between pairs goes with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort_columns import numbers
from vsa.bond.comparison.columns import Names, Sessions
from vsa.bond.comparison.factors import Factor
from vsa.bond.comparison.groups import compare_groups, units
from vsa.bond.comparison.records import Settings, Test
from vsa.bond.rules.norms import call_places
from vsa.features.core import is_core
from vsa.features.registry import is_full_name

Floats = npt.NDArray[np.float64]

#: Moved by the delay of a call.
_DELAYED = re.compile(r"latency|gap|offset|silence|overlap")
#: Differ in the medium by what they are, whatever the column `platform` says.
MEDIA = ("modality", "platform")
#: Why waits have no test by it.
NOT_COMPARED = "not comparable: the medium alone moves it, and differs with this factor"


@dataclass(frozen=True)
class Behaviour:
    """A feature by one factor.

    Attributes
    ----------
    feature, factor
        Full name, and the column.
    test
        As for scores; `test.outcome` is the feature.
    q
        Share of chance findings among all with a p as small, over the whole call (Benjamini & Hochberg 1995); NaN
        without a test.
    centred
        Taken from the median of its platform.
    """

    feature: str
    factor: str
    test: Test
    q: float
    centred: bool


def core_features(table: pd.DataFrame) -> list[str]:
    """Columns of the core set."""
    return [name for name in map(str, table.columns) if is_full_name(name) and is_core(name)]


def compare_features(
    sessions: Sessions, factors: Sequence[Factor], settings: Settings, features: Iterable[str]
) -> tuple[Behaviour, ...]:
    """Look at features by the same factors as scores.

    Parameters
    ----------
    sessions
        The table.
    factors
        What is compared by.
    settings
        How small a group may be.
    features
        Their columns.

    Raises
    ------
    InputError
        When one of them holds something else than numbers.
    """
    from scipy.stats import false_discovery_control

    values = numbers(sessions.table, features, sessions.source)
    places = call_places(sessions.table)
    found: list[tuple[str, bool, Test]] = []
    for name in map(str, values):
        x = values[name].to_numpy(np.float64)
        delayed = bool(_DELAYED.search(name))
        for factor in factors:
            kept = _centred(x, places, sessions, factor, settings.least) if delayed else x
            if kept is None:
                found.append((name, True, Test(name, factor.name, reason=NOT_COMPARED)))
                continue
            people = units(sessions.who, kept, factor)
            found.append((name, delayed, compare_groups(name, factor, people, settings, pairs=False)))
    p = [test.p for _, _, test in found if test.tested]
    q = iter(np.asarray(false_discovery_control(p)).tolist() if p else ())
    return tuple(
        Behaviour(name, test.factor, test, next(q) if test.tested else math.nan, centred)
        for name, centred, test in found
    )


def _centred(x: Floats, places: Names, sessions: Sessions, factor: Factor, least: int) -> Floats | None:
    """Distances from the platform's median, (n,), where groups can be compared on it; None if they can on none."""
    if factor.name in MEDIA:
        return None
    rows = pd.DataFrame({"who": sessions.who, "value": factor.values.to_numpy(), "x": x, "place": places})
    rows = rows[np.isfinite(x) & rows["value"].notna() & (rows["place"] != "")]
    by = ["place"] if factor.continuous else ["place", "value"]
    clients = rows.groupby(by)["who"].nunique()
    clients = clients[clients >= least]
    if not factor.continuous:
        clients = _crossed(clients)
        both = pd.MultiIndex.from_frame(rows[["place", "value"]])
        rows = rows[both.isin(clients.index)]
    else:
        rows = rows[rows["place"].isin(clients.index)]
    if rows.empty:
        return None
    # each client counts the same, and so does each group: else a median leans to the group with most clients there
    means = rows.groupby([*by, "who"])["x"].mean()
    middle = means.groupby(by).median().groupby("place").mean()
    out = np.full(len(x), np.nan)
    out[rows.index] = rows["x"] - rows["place"].map(middle)
    return out


def _crossed(clients: pd.Series) -> pd.Series:
    """Clients by platform and group, for groups on all platforms that are kept; these have two or more."""
    table = clients.unstack()
    table = table[table.notna().sum(axis=1) > 1]
    if len(table) and len(table.dropna(axis=1).columns) < 2:
        table = table.loc[[table.sum(axis=1).idxmax()]]
    return table.dropna(axis=1).stack()
