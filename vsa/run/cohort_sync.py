"""Synchrony across a results folder: each pair against pairs who never met.

The first of a pair (the client) is set beside partners (therapists) of other sessions. Sessions of the same client are
left out: people carry their habits from one session to the next. This asks more than surrogates within the session do:
whatever all sessions have in common (greetings, the course of an hour) is in the pseudo-pairs too.

Source: Bernieri & Rosenthal 1991 (pseudo-interactions); Ramseyer & Tschacher 2011.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsa.errors import InputError
from vsa.features.chance import beyond_chance, pseudo
from vsa.features.coupled import COLUMNS, RATE_HZ, SIGNALS
from vsa.features.limits import pair_of
from vsa.features.registry import DYAD, TooLittle
from vsa.features.signals import Floats
from vsa.features.synchrony import synchrony
from vsa.run.session_features import session_of
from vsa.study.gathering import own_row
from vsa.study.parquet import read_parquet, write_row
from vsa.study.results import Results, write_json

#: Partners of other sessions: no p is below 1 / (partners + 1).
PARTNERS = 40
#: With fewer no p is as low as 0.05.
LEAST_PARTNERS = 19

_CHANGING = ("session.json", "features.parquet")


@dataclass(frozen=True, eq=False)
class Dyad:
    """A pair's series of all signals.

    Attributes
    ----------
    session_id, client
        The session, and whose it is: `client_id` of the manifest, or the session where there is none.
    first, second
        By signal, shape (n,); what is missing throughout is not there.
    missing
        Signal to why it has none.
    """

    session_id: str
    client: str
    first: Mapping[str, Floats]
    second: Mapping[str, Floats]
    missing: Mapping[str, str]


def compare(
    results: Results,
    names: Sequence[str],
    *,
    partners: int = PARTNERS,
    seed: int = 0,
    progress: Callable[[int, int], None],
    left_out: Callable[[str, str], object] | None = None,
) -> dict[str, dict[str, float]]:
    """Compare every session with the others, and write what comes out into their features.

    Parameters
    ----------
    results
        The folder.
    names
        Its finished sessions that may be compared.
    partners
        At most so many of other sessions, drawn by `seed`.
    progress
        Is told how many sessions are done, of how many.
    left_out
        Is told of a session that is damaged, and why; the others are compared without it. None: it is an error.

    Returns
    -------
    By session, the values of its ``dyad.sync.*_cohort_*`` columns; NaN where the reason is in its ``session.json``.

    Raises
    ------
    InputError
        When there are too few sessions, or one is damaged.
    SessionError
        Stage ``write``.
    """
    dyads = list[Dyad]()
    for name in names:
        try:
            dyads.append(_dyad(results, name))
        except InputError as error:
            if left_out is None:
                raise
            left_out(name, error.message)
    if len(dyads) <= LEAST_PARTNERS:
        raise InputError(
            f"{results.folder} holds {len(dyads)} finished sessions that may be used; comparing pairs across sessions "
            f"takes more than {LEAST_PARTNERS}.",
            "Within a session, 'dyad.sync.*_surrogate_z' compares without others.",
        )
    found = {}
    for k, dyad in enumerate(dyads):
        rng = np.random.default_rng([seed, k])
        values, missing = _beside(dyad, dyads, partners, rng)
        _write(results, dyad.session_id, values, missing)
        found[dyad.session_id] = values
        progress(k + 1, len(dyads))
    results.gather_features()
    return found


def _dyad(results: Results, name: str) -> Dyad:
    described = results.finished(name)
    try:
        session = session_of(results.session(name), described or {}, COLUMNS)
        own_row((results.session(name) / "features.parquet").read_bytes(), name)
        _ = (described or {})["quality"]["features_missing"]
    except (OSError, ValueError, KeyError):
        raise InputError(
            f"Session {name} is damaged, or an earlier vsa made it.",
            "Extract it again with 'vsa extract'.",
        ) from None
    first, second = dict[str, Floats](), dict[str, Floats]()
    missing = dict[str, str]()
    for signal, (_, series) in SIGNALS.items():
        try:
            one, other = pair_of(session)
            a, b = (series(session, who) for who in (one, other))
        except TooLittle as reason:
            missing[signal] = str(reason)
        else:
            first[signal], second[signal] = a, b
    client = str((described or {}).get("facts", {}).get("client_id") or f"session {name}")
    return Dyad(name, client, first, second, missing)


def _beside(
    dyad: Dyad, dyads: Sequence[Dyad], partners: int, rng: np.random.Generator
) -> tuple[dict[str, float], dict[str, str]]:
    """Values of one session, and why some are missing."""
    values, missing = dict[str, float](), dict[str, str]()
    for signal in SIGNALS:
        names = [f"{DYAD}.sync.{signal}_cohort_{what}" for what in ("z", "p")]
        others = [o.second[signal] for o in dyads if o.client != dyad.client and signal in o.second]
        drawn = [others[k] for k in rng.permutation(len(others))[:partners]]
        z, p, reason = _compared(dyad, signal, drawn)
        values |= dict(zip(names, (z, p), strict=True))
        missing |= dict.fromkeys(names, reason) if reason else {}
    return values, missing


def _compared(dyad: Dyad, signal: str, others: Sequence[Floats]) -> tuple[float, float, str]:
    if signal in dyad.missing:
        return math.nan, math.nan, dyad.missing[signal]
    observed = synchrony(dyad.first[signal], dyad.second[signal], RATE_HZ)
    if observed.reason:
        return math.nan, math.nan, observed.reason
    chance, _ = pseudo(dyad.first[signal], others, RATE_HZ)
    count = int(np.isfinite(chance).sum())
    if count < LEAST_PARTNERS:
        return (
            math.nan,
            math.nan,
            f"partners of other clients' sessions: {count}, and {LEAST_PARTNERS} are needed",
        )
    return *beyond_chance(observed.mean_abs_z, chance), ""


def _write(results: Results, name: str, values: Mapping[str, float], missing: Mapping[str, str]) -> None:
    with results.revising(name, _CHANGING) as folder:
        path = folder / "features.parquet"
        write_row({**read_parquet(path).iloc[0].to_dict(), **values}, path)
        described: dict[str, Any] | None = Results(folder.parent).finished(folder.name)
        assert described is not None
        reasons = {k: v for k, v in described["quality"]["features_missing"].items() if k not in values}
        described["quality"]["features_missing"] = reasons | dict(missing)
        write_json(folder / "session.json", described)
