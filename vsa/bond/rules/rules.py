"""Flags without a model: sessions in which several signals lie at the end that the rules look at.

What is low or high is told by the cohort itself (`vsa.bond.rules.norms`): where a session stands among the others, each
client counting the same, and for waits and silences among those on the same platform. A signal is weak in the outer
tenth. Sessions with two weak signals or more are listed, those with most first, as far as the budget goes; those of
whom too little is known are not judged. docs/rules.md says more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.flags import DECIDES_NOTHING, SUGGESTION, Flags, allowed, session_ids
from vsa.bond.rules.file import Rules
from vsa.bond.rules.norms import IN_PERSON, ONE_CALL, expected_by_chance
from vsa.bond.rules.signals import Flagged, Floats, Signals, check, in_view, look, norm_notes

#: Reasons for a session, at most.
MOST = 3
#: Share of the signals that may be missing in a session that is judged.
MOST_MISSING = 0.5
NO_MODEL = (
    "No model and no self-report stands behind these flags: they say which sessions differ from the others of this "
    "cohort, not which bond is weak."
)
SIMULATED = "These sessions are SIMULATED: the list says nothing about people."
_TINY = 1e-9  # comparisons must not fall for the last digit of a sum


def flag_by_rules(table: pd.DataFrame, rules: Rules, budget: float = 0.1) -> Flags:
    """Make a review list of a table of sessions by rules.

    Parameters
    ----------
    table
        One row per session: `session_id`, features under their full names, and, where known, `client_id`, `platform`,
        `modality`, `simulated`. Signals that it lacks don't count.
    rules
        See `vsa.bond.rules.file.load_rules`.
    budget
        Below 1: share of the sessions that can be reviewed (rounded down, but one at the least); from 1 on: how many.

    Returns
    -------
    A list whose table has, one row per session in the order of the list: `session_id`, `verdict` (weak, ok, abstain),
    `suggestion`, `weak_signals` (how many; missing if not judged) among `signals_known`, `rank` (1 has most),
    `reason_1` to `reason_3` in words with `reason_1_feature` and `reason_1_direction`, `reason` (why it is not judged),
    `tracked_share`, `missing_share` (of the rules' signals), `label`, `label_source` and `simulated`.

    Raises
    ------
    InputError
        When there are fewer than 20 sessions, one is there twice, simulated and other sessions are mixed, no signal of
        the rules is there or one is no number, or the budget is none.
    """
    names = session_ids(table)
    count = allowed(budget, len(table))
    simulated = check(table, rules)
    tracked, reason = in_view(table, rules)
    usable = reason == ""
    signals = look(table, rules, usable)
    every = len(signals.names)
    known = np.where(usable, signals.known.sum(axis=1), np.isfinite(signals.values).sum(axis=1))
    for k in np.flatnonzero(usable & (known < (1 - MOST_MISSING) * every)):
        reason[k] = (
            f"{every - known[k]} of {every} signals are missing or can't be compared, and half are the most to judge "
            "from"
        )
    judged = reason == ""
    weak = (signals.out <= rules.share + _TINY) & judged[:, None]
    how_many = weak.sum(axis=1)
    order = _order(how_many, signals.out, judged)
    first = order[: int(judged.sum())]
    verdict = np.where(judged, "ok", "abstain").astype(object)
    verdict[[k for k in first if how_many[k] >= rules.least][:count]] = "weak"
    rank = np.full(len(order), np.nan)
    rank[first] = np.arange(1, len(first) + 1)
    flags = pd.DataFrame(
        {
            "session_id": names,
            "verdict": verdict,
            "suggestion": [SUGGESTION[v] for v in verdict],
            "weak_signals": pd.array(np.where(judged, how_many, np.nan), dtype="Int64"),
            "signals_known": known,
            "rank": pd.array(rank, dtype="Int64"),
            **_reasons(signals, weak),
            "reason": reason,
            "tracked_share": tracked,
            "missing_share": 1 - known / every,
            "label": _label(rules, len(table), count),
            "label_source": f"rules in {rules.file}; no self-report was used",
            "simulated": simulated,
        }
    )
    notes = [SIMULATED] if simulated else []
    notes += [
        NO_MODEL,
        _chance_note(signals, weak, judged, rules.least),
        *norm_notes(table, signals, usable),
    ]
    if never := [
        name
        for k, name in enumerate(signals.names)
        if not weak[:, k].any() and signals.known[judged, k].any()
    ]:
        notes.append(
            f"Weak in no session: {', '.join(never)}. Many share the outermost value, or there are few sessions."
        )
    if judged.mean() < 0.5:
        notes.append(f"{int((~judged).sum())} of {len(judged)} sessions are not judged; each row says why.")
    notes.append(DECIDES_NOTHING)
    return Flags(flags.iloc[order].reset_index(drop=True), tuple(notes))


def _order(how_many: npt.NDArray[np.int64], out: Floats, judged: Flagged) -> npt.NDArray[np.intp]:
    """Most weak signals first, then the furthest out over all that are known; those not judged come last."""
    known = np.isfinite(out)
    mean = np.where(known, out, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.lexsort((np.arange(len(mean)), mean, -how_many, ~judged))


def _reasons(signals: Signals, weak: Flagged) -> dict[str, list[str]]:
    """The weak signals that are furthest out, in words."""
    told: dict[str, list[str]] = {
        f"reason_{k + 1}{part}": [] for k in range(MOST) for part in ("", "_feature", "_direction")
    }
    for row in range(len(weak)):
        best = [int(j) for j in np.argsort(signals.out[row], kind="stable") if weak[row, j]]
        for k in range(MOST):
            j = best[k] if k < len(best) else None
            side = "" if j is None else ("low" if signals.low[row, j] else "high")
            told[f"reason_{k + 1}"].append("" if j is None else _words(signals, row, j))
            told[f"reason_{k + 1}_feature"].append("" if j is None else signals.names[j])
            told[f"reason_{k + 1}_direction"].append(side)
    return told


def _words(signals: Signals, row: int, j: int) -> str:
    from vsa.features.words import label, value

    name, place = signals.names[j], str(signals.places[row, j])
    than = "lower than in" if signals.low[row, j] else "higher than in"
    share = int(100 * signals.beyond[row, j] + _TINY)  # rounded down: it is never all of them
    where = ""
    if signals.rules[j].within == "platform" and place != ONE_CALL:
        where = f" {IN_PERSON}" if place == IN_PERSON else " on this platform"
    return f"{label(name)}: {value(name, signals.values[row, j])}, {than} {share} % of this cohort's sessions{where}"


def _label(rules: Rules, sessions: int, count: int) -> str:
    listed = "the first is" if count == 1 else f"the first {count} are"
    return (
        f"weak: {rules.least} or more of {len(rules.signals)} signals among the lowest (or highest) "
        f"{100 * rules.share:g} % of these {sessions} sessions; at most {listed} listed"
    )


def _chance_note(signals: Signals, weak: Flagged, judged: Flagged, least: int) -> str:
    """How many sessions have so many weak signals, and would by chance: the rules' bar, and twice as many.

    The second, because signals that go together put more sessions far over the bar, and not always more over it.
    """
    codes = np.stack([np.unique(column, return_inverse=True)[1] for column in signals.places.T], axis=1)
    told = []
    for bar in sorted({least, min(2 * least, len(signals.names))}):
        found = int((weak.sum(axis=1) >= bar).sum())
        chance = expected_by_chance(weak[judged], signals.known[judged], codes[judged], bar)
        told.append(f"With {bar} or more weak signals: {found} (by chance about {chance:.0f}).")
    return (
        f"Judged sessions: {int(judged.sum())}. {' '.join(told)} By chance: if the signals had nothing to do with each "
        "other. Some sessions are always the lowest."
    )
