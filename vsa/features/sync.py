"""Synchrony of a pair, signal by signal, beside what the same two signals give at times that don't belong together.

The raw strength of a correlation is not among the features: it is well above zero for people who have nothing to do
with each other (`vsa.features.synchrony`). Lag and leader are given only where the peak is beyond chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from vsa.features.chance import LEAST_BLOCKS, SURROGATES, WITHIN_CHANCE, SurrogateTest, against_surrogates
from vsa.features.coupled import RATE_HZ, SIGNALS, Series
from vsa.features.limits import pair_of
from vsa.features.memo import once
from vsa.features.registry import Bounds, TooLittle, feature
from vsa.features.session import Session
from vsa.features.synchrony import LAG_S, WINDOW_S

_SOURCE = (
    "Windowed lagged cross-correlation (60 s windows, step 30 s, lag 5 s): Boker et al. 2002, Ramseyer & Tschacher "
    f"2011; {SURROGATES} surrogates in which one series is moved in time: Moulder et al. 2018. Studies conflict on the "
    "bond: r = .06 (Jennissen et al. 2024), .19 (Gregorini et al. 2025)."
)


def _enter(name: str, words: str, series: Series) -> None:
    """Enter the features of one signal; they share one test of a session."""
    needs = ("voice",) if name in ("f0", "intensity") else ("face",)

    @once
    def tested(session: Session) -> SurrogateTest:
        pair = pair_of(session)
        both = [series(session, scope) for scope in pair]
        for scope, one in zip(pair, both, strict=True):
            if not np.isfinite(one).any():
                raise TooLittle(f"there is too little of {scope} to follow {words}")
        return against_surrogates(both[0], both[1], RATE_HZ)

    def against_chance(session: Session) -> SurrogateTest:
        test = tested(session)
        if test.reason:
            raise TooLittle(test.reason)
        return test

    def beyond_chance(session: Session) -> SurrogateTest:
        test = against_chance(session)
        if test.peak_p > WITHIN_CHANCE:
            raise TooLittle(f"the strongest correlation is within chance (p = {test.peak_p:.2f})")
        return test

    def enter(
        ending: str,
        definition: str,
        unit: str,
        bounds: Bounds,
        value: Callable[[SurrogateTest], float],
        checked: Callable[[Session], SurrogateTest] = against_chance,
    ) -> None:
        def compute(session: Session, scope: str) -> float:
            return value(checked(session))

        compute.__doc__ = definition
        feature(
            f"sync.{name}_{ending}",
            scope="dyad",
            unit=unit,
            range=bounds,
            expect="none",
            needs=needs,
            minimum=f"{LEAST_BLOCKS * (WINDOW_S + LAG_S):.0f} s; windows of which less than half is missing in both",
            source=_SOURCE,
        )(compute)

    enter(
        "surrogate_z",
        f"Synchrony of {words}: mean size of the correlation over windows and lags, in standard deviations from that "
        "of surrogates.",
        "z",
        (None, None),
        lambda test: test.z,
    )
    enter(
        "p",
        f"Share of surrogates whose synchrony of {words} is as strong: small is more than chance.",
        "1",
        (0.0, 1.0),
        lambda test: test.p,
    )
    enter(
        "peak_z",
        f"Strongest mean correlation of {words} over all lags, in standard deviations from the surrogates' strongest.",
        "z",
        (None, None),
        lambda test: test.peak_surrogate_z,
    )
    enter(
        "peak_lag_s",
        f"Lag of the strongest correlation of {words}: above 0 the first of the pair (client, therapist) leads.",
        "s",
        (-LAG_S, LAG_S),
        lambda test: test.observed.peak_lag_s,
        beyond_chance,
    )
    enter(
        "lead_index",
        f"Who leads in {words}: 1 if only the first of the pair (client, therapist) does, -1 if only the second.",
        "1",
        (-1.0, 1.0),
        lambda test: test.observed.lead_index,
        beyond_chance,
    )
    enter(
        "cohort_z",
        f"Synchrony of {words}, in standard deviations from that of the first of the pair with partners of other "
        "sessions.",
        "z",
        (None, None),
        lambda test: math.nan,
        with_others,
    )
    enter(
        "cohort_p",
        f"Share of partners of other sessions with whom synchrony of {words} is as strong: small is more than chance.",
        "1",
        (0.0, 1.0),
        lambda test: math.nan,
        with_others,
    )


def with_others(session: Session) -> SurrogateTest:
    """A session alone has no others: `vsa.run.cohort_sync` fills these in."""
    raise TooLittle("it takes the other sessions: run 'vsa sync DIR' on the results folder")


for _name, (_words, _series) in SIGNALS.items():
    _enter(_name, _words, _series)
