"""Which signals go with the bond, one by one: a reading aid beside the predictions, and nothing is chosen by it.

bond ~ the signal's level + its change + covariates, with clients and therapists as random effects. Levels tell clients
apart, changes tell sessions of a client apart; the two need not agree (Curran & Bauer 2011, Annu. Rev. Psychol. 62,
583-619).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import Cohort
from vsa.bond.design import design_of
from vsa.bond.evaluation.mixed import (
    Mask,
    Regression,
    Robust,
    Shares,
    Weighted,
    levels,
    shares,
    variances,
)
from vsa.bond.learners.preparation import preparation
from vsa.features.registry import Expect, features

Floats = npt.NDArray[np.float64]
Part = Literal["level", "change", ""]
Agrees = Literal["as reported", "opposite to what is reported", "studies report no direction", "not known"]

LEVEL = 0.95
#: Clients for each column of covariates, below which these are left out.
_CLIENTS_A_COLUMN = 3
#: A part whose SD is a smaller share of the signal's is rounding.
_NO_SPREAD = 1e-6


@dataclass(frozen=True)
class Effect:
    """A signal, or one part of it, beside the bond.

    Attributes
    ----------
    feature
        Full name.
    part
        ``level``: the client's mean; ``change``: the session's deviation from it; empty where clients have one session.
    beta
        SD of the bond for each SD of the signal; both SD are over all sessions, so that the parts compare. None if it
        can't be computed.
    low, high
        Its 95 % interval, by t with as many degrees of freedom as clients less coefficients. That is few enough for
        levels and fewer than changes would need.
    p
        Two-sided, of no effect.
    q
        The same over all signals and parts of the cohort (Benjamini & Hochberg 1995, JRSS B 57, 289).
    n
        Sessions in which the signal is known.
    expect
        Direction that studies report with a stronger bond, by the registry; ``none`` for a study's own signals.
        Nothing is computed from it.
    agrees
        With that; told only if the interval excludes 0.
    reason
        Why there is no beta.
    """

    feature: str
    part: Part
    beta: float | None
    low: float | None
    high: float | None
    p: float | None
    q: float | None
    n: int
    expect: Expect
    agrees: Agrees
    reason: str = ""


@dataclass(frozen=True)
class Effects:
    """All of a cohort.

    Attributes
    ----------
    effects
        In the order of the features; of each the level first.
    shares
        Of the bond's variance, between therapists, clients and sessions.
    method
        ``mixed``: random effects; ``robust``: least squares with standard errors robust to clients, where the mixed
        model did not converge.
    covariates
        That were taken into account.
    clients
        How many there are.
    notes
        What the reader should know.
    simulated
        The sessions are not of people.
    words
        For people, from `vsa.bond.evaluation.effect_words`; empty until they are put there.
    """

    effects: tuple[Effect, ...]
    shares: Shares
    method: Literal["mixed", "robust"]
    covariates: tuple[str, ...]
    clients: int
    notes: tuple[str, ...]
    simulated: bool
    words: tuple[str, ...] = ()


def effects(cohort: Cohort, *, seed: int = 0) -> Effects:
    """Look at each feature of a cohort by itself.

    Parameters
    ----------
    cohort
        The sessions.
    seed
        Nothing is drawn here; it is taken because all parts of an evaluation take one.

    Examples
    --------
    >>> from vsa.simulate.cohort import simulate_cohort
    >>> found = effects(Cohort.from_table(simulate_cohort(40, 3, seed=1)))
    >>> found.effects[0].feature, found.effects[0].part, found.method
    ('client.gaze.on_screen_share', 'level', 'mixed')
    """
    y = (cohort.bond - cohort.bond.mean()) / cohort.bond.std()
    z, names, notes = _covariates(cohort)
    who, unknown = levels(cohort.clients, cohort.therapists)
    found = variances(y, z, who)
    regression: Regression
    if found is None:
        regression = Robust(y, z, cohort.clients)
        unknown = [
            "The mixed model did not converge: least squares with standard errors that allow for likeness of a "
            "client's sessions are shown, and differences between therapists are not taken into account."
        ]
    else:
        regression = Weighted(y, z, who, found)
    design = design_of(cohort.features, cohort.clients, cohort.covariates[[]])
    x = design.matrix(cohort.features, cohort.clients, cohort.covariates[[]])
    parts: tuple[Part, ...] = ("level", "change") if design.split else ("",)
    expected = {entry.name: entry.expect for entry in features()}
    told: list[Effect] = []
    for name in design.features:
        values = cohort.features[name].to_numpy(np.float64)
        expect = expected.get(name.partition(".")[2])
        told += _effects(name, expect, parts, values, x[:, design.columns_of(name)], cohort, regression)
    return Effects(
        effects=_with_q(told),
        shares=Shares() if found is None else shares(found),
        method="robust" if found is None else "mixed",
        covariates=names,
        clients=len(np.unique(cohort.clients)),
        notes=(*notes, *unknown),
        simulated=cohort.simulated,
    )


def _covariates(cohort: Cohort) -> tuple[Floats, tuple[str, ...], list[str]]:
    """Columns with one of 1 (n, k), of full rank; their names; notes."""
    one = np.ones((len(cohort), 1))
    beside = cohort.covariates[[name for name in cohort.covariates if cohort.covariates[name].nunique() > 1]]
    design = design_of(cohort.features[[]], cohort.clients, beside)
    if not design.columns:
        return one, (), []
    columns = preparation(design).fit_transform(design.matrix(cohort.features[[]], cohort.clients, beside))
    z = _independent(np.column_stack([one, columns]))
    clients = len(np.unique(cohort.clients))
    if clients < _CLIENTS_A_COLUMN * z.shape[1]:
        note = (
            f"{clients} clients are too few for {z.shape[1] - 1} columns of covariates: single signals are looked at "
            "without covariates."
        )
        return one, (), [note]
    return z, tuple(map(str, beside)), []


def _independent(columns: Floats) -> Floats:
    """Without columns that follow from others."""
    from scipy.linalg import qr

    _, r, order = qr(columns, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    return np.asarray(columns[:, np.sort(order[: int((size > 1e-8 * size[0]).sum())])])


def _effects(
    name: str,
    expect: Expect | None,
    parts: tuple[Part, ...],
    values: Floats,
    x: Floats,
    cohort: Cohort,
    regression: Regression,
) -> list[Effect]:
    """The parts of a signal, without q; values (n,), x (n, parts); `expect` is None for a study's own."""
    known: Mask = np.isfinite(values)
    nothing = Effect(name, "", None, None, None, None, None, int(known.sum()), expect or "none", "not known")
    spread = float(np.std(values[known])) if known.any() else 0.0
    deviation = x - x[known].mean(0) if known.any() else x
    with np.errstate(invalid="ignore"):
        varying = [k for k in range(len(parts)) if deviation[known, k].std() > _NO_SPREAD * spread]
    found = dict[int, Effect]()
    reason = "it is the same in all sessions"
    if varying and spread > 0:
        clients = len(np.unique(cohort.clients[known]))
        fit = regression.fit(np.where(known[:, None], deviation[:, varying] / spread, 0.0), known)
        if fit is None:
            reason = "it can't be told apart from the covariates"
        elif clients <= fit.coefficients:
            reason = f"it is known of {clients} clients, too few"
        else:
            told = _interval(fit.beta, np.sqrt(np.diag(fit.covariance)), clients - fit.coefficients)
            for k, (beta, low, high, p) in zip(varying, told, strict=True):
                agrees = _agreement(expect, low, high)
                found[k] = replace(nothing, beta=beta, low=low, high=high, p=p, agrees=agrees)
            reason = "this part of it is the same in all sessions"
    return [
        replace(found[k], part=part) if k in found else replace(nothing, part=part, reason=reason)
        for k, part in enumerate(parts)
    ]


def _interval(beta: Floats, se: Floats, df: int) -> list[tuple[float, float, float, float]]:
    """Coefficient, ends of its interval, and p, of each."""
    from scipy.stats import t

    half = t.ppf((1 + LEVEL) / 2, df) * se
    p = 2 * t.sf(np.abs(beta) / se, df)
    ends = zip(beta, beta - half, beta + half, p, strict=True)
    return [(float(b), float(low), float(high), float(chance)) for b, low, high, chance in ends]


def _agreement(expect: Expect | None, low: float, high: float) -> Agrees:
    if expect == "none":
        return "studies report no direction"
    if expect is None or low <= 0 <= high:
        return "not known"
    return "as reported" if (low > 0) == (expect == "higher") else "opposite to what is reported"


def _with_q(told: list[Effect]) -> tuple[Effect, ...]:
    from scipy.stats import false_discovery_control

    p = [one.p for one in told if one.p is not None]
    q = iter(map(float, false_discovery_control(p)) if p else ())
    return tuple(one if one.p is None else replace(one, q=next(q)) for one in told)
