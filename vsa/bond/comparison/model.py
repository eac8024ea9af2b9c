"""All factors in one model: ``bond ~ modality * attachment + diagnosis + age + gender``.

Over clients (means of their sessions) by least squares with standard errors that need no equal variances (HC3); over
sessions with levels of their own for clients and therapists (see `vsa.bond.evaluation.mixed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.comparison.columns import Outcome, Sessions
from vsa.bond.comparison.design import CLIENTS_A_COLUMN, Design, design_of
from vsa.bond.comparison.factors import Factor
from vsa.bond.comparison.noncentral import LEVEL
from vsa.bond.evaluation.mixed import Robust, Shares, Weighted, levels, shares, variances

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coefficient:
    """One column of the model.

    Attributes
    ----------
    term, name
        Of which term, and which, for people.
    value, low, high
        Points of the outcome, with the 95 % interval.
    sd, sd_low, sd_high
        The same in SD of the clients' means.
    p
        Two-sided, of 0; not adjusted for the number of coefficients.
    """

    term: str
    name: str
    value: float
    low: float
    high: float
    sd: float
    sd_low: float
    sd_high: float
    p: float


@dataclass(frozen=True)
class Term:
    """All columns of a term at once: Wald's F."""

    name: str
    f: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True)
class Model:
    """A regression.

    Attributes
    ----------
    outcome
        The score.
    over
        What a row is.
    method
        How it was fitted, in words.
    formula
        What is in it.
    n, clients, therapists
        Rows, and whose; therapists are None where they are not known or not in it.
    coefficients, terms
        What was found.
    r2
        Of least squares; NaN of a mixed model.
    shares
        Of the score's variance between therapists, clients and sessions, without anything else in the model (intraclass
        correlations); None over clients.
    notes
        What was left out, and why.
    reason
        Why there is none; empty if there is one.
    """

    outcome: str
    over: Literal["clients", "sessions"]
    method: str = ""
    formula: str = ""
    n: int | None = None
    clients: int | None = None
    therapists: int | None = None
    coefficients: tuple[Coefficient, ...] = ()
    terms: tuple[Term, ...] = ()
    r2: float = nan
    shares: Shares | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""


def over_clients(
    sessions: Sessions, outcome: Outcome, factors: Sequence[Factor], covariates: Sequence[Factor], least: int
) -> Model:
    """Fit a model of the clients' means by least squares (HC3).

    A client in several groups has a row in each, and standard errors then allow for likeness within clients.

    Parameters
    ----------
    sessions
        The table.
    outcome
        The score.
    factors, covariates
        What is compared by, and allowed for.
    least
        Clients that a group must have.
    """
    from statsmodels.regression.linear_model import OLS

    who, y, terms = _client_rows(sessions.who, outcome.values, [*factors, *covariates])
    own, beside = terms[: len(factors)], terms[len(factors) :]
    design = design_of(who, np.isfinite(y), own, beside, least)
    empty = Model(outcome.name, "clients", notes=design.notes)
    if reason := _too_little(design, who, y):
        return _without(empty, reason)
    who, y = who[design.rows], y[design.rows]
    several = len(np.unique(who)) < len(who)
    rows = "clients' means" if sessions.unit == "client" else "sessions as if each were another client's"
    fit = OLS(y, np.column_stack([np.ones(len(y)), design.columns])).fit(
        **(
            {"cov_type": "cluster", "cov_kwds": {"groups": np.unique(who, return_inverse=True)[1]}}
            if several
            else {"cov_type": "HC3"}
        ),
        use_t=True,
    )
    df = float(len(np.unique(who)) - design.columns.shape[1] - 1)
    coefficients, found = _told(
        np.asarray(fit.params)[1:], np.asarray(fit.cov_params())[1:, 1:], df, design, _spread(who, y)
    )
    return Model(
        outcome=outcome.name,
        over="clients",
        method=f"least squares over {rows}, standard errors "
        + ("robust to likeness within clients" if several else "HC3"),
        formula=design.formula(outcome.name),
        n=len(y),
        clients=len(np.unique(who)),
        coefficients=coefficients,
        terms=found,
        r2=float(fit.rsquared),
        notes=design.notes,
    )


def over_sessions(
    sessions: Sessions, outcome: Outcome, factors: Sequence[Factor], covariates: Sequence[Factor], least: int
) -> Model:
    """Fit a mixed model of sessions, with levels of their own for clients and therapists; parameters as above.

    Where therapists' levels can't be estimated, with clients' only; where those can't either, by least squares with
    standard errors that allow for likeness within clients.
    """
    usable = np.isfinite(outcome.values)
    design = design_of(sessions.who, usable, factors, covariates, least)
    empty = Model(outcome.name, "sessions", notes=design.notes)
    rows = design.rows
    who, y = sessions.who[rows], outcome.values[rows]
    if reason := _too_little(design, sessions.who, outcome.values):
        return _without(empty, reason)
    therapists = None if sessions.therapists is None else sessions.therapists[rows]
    own, unknown = levels(who, therapists)
    if not own:
        return _without(empty, "neither clients nor therapists have enough sessions for levels of their own")
    scale = float(y.std())
    z, one = (y - y.mean()) / scale, np.ones((len(y), 1))
    columns = np.column_stack([one, design.columns])
    notes = [*design.notes, *unknown]
    found = variances(z, columns, own)
    if found is None and "therapist" in own and "client" in own:
        notes.append("The model with therapists did not converge: they are left out of it.")
        own = {"client": own["client"]}
        found = variances(z, columns, own)
    if found is None:
        notes.append("The mixed model did not converge: least squares, robust to likeness within clients.")
    regression = Robust(z, one, who) if found is None else Weighted(z, one, own, found)
    fit = regression.fit(design.columns, np.ones(len(z), np.bool_))
    if fit is None:
        return _without(empty, "its columns can't be told apart")
    alone = None if found is None else variances(z, one, own)
    df = float(len(np.unique(who)) - fit.coefficients)
    coefficients, terms = _told(scale * fit.beta, scale**2 * fit.covariance, df, design, _spread(who, y))
    mixed = f"mixed model over sessions, levels of {' and '.join(f'{name}s' for name in sorted(own, reverse=True))}"
    return Model(
        outcome=outcome.name,
        over="sessions",
        method="least squares over sessions, robust to likeness within clients" if found is None else mixed,
        formula=design.formula(outcome.name)
        + ("" if found is None else "".join(f" + (1 | {name})" for name in sorted(own, reverse=True))),
        n=len(y),
        clients=len(np.unique(who)),
        therapists=len(np.unique(therapists)) if therapists is not None and "therapist" in own else None,
        coefficients=coefficients,
        terms=terms,
        shares=None if alone is None else shares(alone),
        notes=tuple(notes),
    )


def _client_rows(
    who: npt.NDArray[np.str_], y: Floats, terms: Sequence[Factor]
) -> tuple[npt.NDArray[np.str_], Floats, list[Factor]]:
    """A row for each client, and group that it is in: means of scores and numbers over sessions with a score."""
    groups = [factor for factor in terms if not factor.continuous]
    frame = pd.DataFrame({"who": who, "y": y})
    for k, factor in enumerate(terms):
        frame[f"t{k}"] = factor.values.to_numpy()
    frame = frame[np.isfinite(y)]
    keys = ["who", *(f"t{terms.index(factor)}" for factor in groups)]
    frame[keys] = frame[keys].astype(object).where(frame[keys].notna(), "")
    numbers = ["y", *(f"t{k}" for k, factor in enumerate(terms) if factor.continuous)]
    frame[numbers] = frame[numbers].astype(np.float64)
    rows = frame.groupby(keys, sort=True)[numbers].mean().reset_index()
    found = []
    for k, factor in enumerate(terms):
        values = rows[f"t{k}"]
        if not factor.continuous:
            values = values.astype(object).where(values != "", None)
        found.append(Factor(factor.name, values, factor.levels))
    return rows["who"].to_numpy().astype(np.str_), rows["y"].to_numpy(np.float64), found


def _too_little(design: Design, who: npt.NDArray[np.str_], y: Floats) -> str:
    """Why nothing can be fitted; empty if it can."""
    clients, p = len(np.unique(who[design.rows])), design.columns.shape[1]
    if p == 0:
        return "nothing is left to put into it"
    if clients < CLIENTS_A_COLUMN * (p + 1):
        return f"{clients} clients are too few for {p + 1} coefficients"
    if np.ptp(y[design.rows]) == 0:
        return "the score is the same for all who are left"
    return ""


def _without(empty: Model, reason: str) -> Model:
    from dataclasses import replace

    return replace(empty, reason=reason)


def _spread(who: npt.NDArray[np.str_], y: Floats) -> float:
    """SD of the clients' means."""
    return float(pd.Series(y).groupby(who).mean().std(ddof=1))


def _told(
    beta: Floats, covariance: Floats, df: float, design: Design, sd: float
) -> tuple[tuple[Coefficient, ...], tuple[Term, ...]]:
    from scipy.stats import f, t

    error = np.sqrt(np.diag(covariance))
    half = float(t.ppf((1 + LEVEL) / 2, df)) * error
    of = {k: term for term, where in design.terms.items() for k in where}
    coefficients = []
    for k, (name, b, h, e) in enumerate(
        zip(design.names, beta.tolist(), half.tolist(), error.tolist(), strict=True)
    ):
        p = float(2 * t.sf(abs(b) / e, df))
        coefficients.append(Coefficient(of[k], name, b, b - h, b + h, b / sd, (b - h) / sd, (b + h) / sd, p))
    terms = []
    for name, where in design.terms.items():
        own = beta[list(where)]
        wald = float(own @ np.linalg.solve(covariance[np.ix_(where, where)], own)) / len(where)
        terms.append(Term(name, wald, float(len(where)), df, float(f.sf(wald, len(where), df))))
    return tuple(coefficients), tuple(terms)
