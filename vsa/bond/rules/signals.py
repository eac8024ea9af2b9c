"""What rules look at in a table of sessions: the signals, how far out each is, and who was in view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort_columns import LEAST_GROUPS, numbers, simulated_rows
from vsa.bond.rules.file import Rule, Rules
from vsa.bond.rules.norms import LEAST_SESSIONS, ONE_CALL, Groups, call_places, standing_within
from vsa.bond.seen.view import TRACKED, seen_enough
from vsa.errors import InputError
from vsa.features.registry import DYAD, find

Floats = npt.NDArray[np.float64]
Flagged = npt.NDArray[np.bool_]

_COHORT = "cohort"


@dataclass(frozen=True, eq=False)
class Signals:
    """n sessions by the k signals of the rules.

    Attributes
    ----------
    names, rules
        Full name of each, and its rule, (k,).
    values
        As measured, (n, k); NaN where missing.
    out
        How far out on the side that is looked at: the share of the sessions that are as far out or further, the session
        itself included, (n, k). Small is weak; NaN where it can't be told.
    beyond
        Share of the sessions that lie on the other side of the value, (n, k).
    low
        Whether it is the low end that the value is near to, (n, k).
    places
        What is compared with each other, (n, k); "" is not compared.
    clients
        Whose session each is, (n,); below 0 where it is not told.
    """

    names: tuple[str, ...]
    rules: tuple[Rule, ...]
    values: Floats
    out: Floats
    beyond: Floats
    low: Flagged
    places: Groups
    clients: npt.NDArray[np.int64]

    @property
    def known(self) -> Flagged:
        """Whether it can be told how far out a signal is, (n, k)."""
        return np.isfinite(self.out)


def check(table: pd.DataFrame, rules: Rules) -> bool:
    """Refuse a table that no norms can be made of; whether its sessions are simulated.

    Raises
    ------
    InputError
        When there are too few sessions, none of the signals, or simulated sessions among others.
    """
    source = _source(table)
    if len(table) < LEAST_SESSIONS:
        raise InputError(
            f"{source} has {len(table)} sessions; rules need {LEAST_SESSIONS}, for what is low is told by the others.",
            "Extract more sessions, or flag with a model that was trained on more.",
        )
    if not any(name in table for name in rules.signals):
        raise InputError(
            f"{source} has none of the {len(rules.signals)} signals of {rules.file}, as {next(iter(rules.signals))}.",
            "In a rule file of your own, scopes must be the roles of your sessions (docs/rules.md).",
        )
    rows = simulated_rows(table)
    if rows.any() and not rows.all():
        raise InputError(
            f"{source} mixes {int(rows.sum())} simulated sessions with {int((~rows).sum())} that are not.",
            "List one or the other: they are no norm for each other.",
        )
    return bool(rows.all())


def in_view(table: pd.DataFrame, rules: Rules) -> tuple[Floats, npt.NDArray[np.object_]]:
    """Say for how much of each session people were in view, of those whose faces the rules look at.

    Returns
    -------
    The lowest tracked share of them, (n,), NaN where the table tells none; and why a session can't be judged, or "".
    """
    faces = {name.split(".")[0] for name, rule in rules.signals.items() if "face" in find(rule.feature).needs}
    told = [
        name
        for name in map(str, table.columns)
        if name.endswith(f".{TRACKED}") and (DYAD in faces or name.split(".")[0] in faces)
    ]
    return seen_enough(numbers(table, told, _source(table)))


def look(table: pd.DataFrame, rules: Rules, usable: Flagged) -> Signals:
    """Say how far out each session is in each signal.

    Parameters
    ----------
    table
        n sessions.
    rules
        What to look at.
    usable
        Sessions that norms are made of, and for which it is said, (n,).

    Raises
    ------
    InputError
        When a signal is no number.
    """
    names = tuple(rules.signals)
    there = numbers(table, [name for name in names if name in table], _source(table))
    values = there.reindex(columns=list(names)).to_numpy(np.float64)
    clients, calls = _clients(table), call_places(table)
    everywhere = np.full(len(table), _COHORT)
    out, beyond = np.full((2, *values.shape), np.nan)
    low = np.zeros(values.shape, np.bool_)
    places = []
    for k, rule in enumerate(rules.signals.values()):
        places.append(calls if rule.within == "platform" else everywhere)
        found = standing_within(np.where(usable, values[:, k], np.nan), clients, places[k])
        low[:, k] = found.position < 0.5 if rule.weak == "both" else rule.weak == "low"
        beyond[:, k] = np.where(low[:, k], found.above, found.below)
        # of two ends each counts half as far in, so that the signal is weak as often as others
        out[:, k] = (1 - beyond[:, k]) * (2 if rule.weak == "both" else 1)
    return Signals(
        names, tuple(rules.signals.values()), values, out, beyond, low, np.stack(places, axis=1), clients
    )


def norm_notes(table: pd.DataFrame, signals: Signals, usable: Flagged) -> list[str]:
    """Say of what the norms are made, where it is not what one would think."""
    absent = [name for k, name in enumerate(signals.names) if not np.isfinite(signals.values[:, k]).any()]
    notes = (
        [f"Missing in every session: {', '.join(absent)}. A rule file of your own can leave them out."]
        if absent
        else []
    )
    untold = signals.clients < 0
    people, times = np.unique(signals.clients[usable], return_counts=True)
    if untold.all():
        notes.append("No client_id: a client with many sessions counts for as many in the norms.")
    elif untold.any():
        notes.append(f"Sessions without client_id: {untold.sum()}; each is taken as of a client of its own.")
    if not untold.all() and len(people) < LEAST_GROUPS:
        notes.append(f"Few clients make the norms: {len(people)}.")
    if len(set(times.tolist())) > 1:
        notes.append("In norms and percentages each client counts the same, whatever the number of sessions.")
    within = [k for k, rule in enumerate(signals.rules) if rule.within == "platform"]
    enough = np.ones(signals.values.shape, np.bool_)
    if within:
        calls = signals.places[:, within[0]]
        notes += _place_notes(calls, usable)
        many = [p for p in np.unique(calls) if p and (usable & (calls == p)).sum() >= LEAST_SESSIONS]
        enough[:, within] = np.isin(calls, many)[:, None]
    rare = np.isfinite(signals.values) & ~signals.known & usable[:, None] & enough
    if rare.any():
        some = [signals.names[k] for k in np.flatnonzero(rare.any(axis=0))]
        notes.append(
            f"Known in fewer than {LEAST_SESSIONS} sessions to compare, and not judged there: {', '.join(some)}."
        )
    return notes


def _place_notes(calls: Groups, usable: Flagged) -> list[str]:
    """What is compared within platforms, and where it is not."""
    notes = []
    if (calls == ONE_CALL).any():
        notes.append(
            "No platform is told: waits and silences are compared over all calls, though each platform delays them "
            "in its own way."
        )
    few = []
    for place in np.unique(calls[calls != ""]):
        if (number := int((usable & (calls == place)).sum())) < LEAST_SESSIONS:
            few.append(f"{place} ({number})")
    if few:
        notes.append(
            f"Waits and silences are compared within a platform, and not judged on those with fewer than "
            f"{LEAST_SESSIONS} usable sessions: {', '.join(few)}."
        )
    if untold := int((calls == "").sum()):
        notes.append(f"Sessions without a platform: {untold}; their waits and silences are not judged.")
    return notes


def _clients(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Numbers of the clients, (n,); a session whose client is not told has a number of its own, below 0."""
    told = table["client_id"] if "client_id" in table else pd.Series(pd.NA, index=table.index)
    told = told.astype("string").str.strip().replace("", pd.NA)
    codes = pd.factorize(told)[0]
    return np.where(codes < 0, -1 - np.arange(len(codes)), codes)


def _source(table: pd.DataFrame) -> str:
    return str(table.attrs.get("source", "The table"))
