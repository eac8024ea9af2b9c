"""Regressions in which clients and therapists have their own levels of the bond.

The variance components are estimated once, without any signal, and kept: with small effects they hardly change from
signal to signal, and hundreds of signals are then as many generalised least squares (Kang et al. 2010, Nat. Genet. 42,
348). The overall scale is estimated anew for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vsa.bond.cohort import LEAST_GROUPS
from vsa.bond.folds import Groups

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: Part of a column's variance that others must leave it, to be told apart from them.
_OWN = 1e-8
#: Variance of a level, in that between sessions, from which on there is none between sessions to speak of.
_MOST = 1000.0


@dataclass(frozen=True)
class Shares:
    """Of the variance of the bond that covariates leave, between 0 and 1 (intraclass correlations).

    Attributes
    ----------
    therapist
        Between therapists; None if that can't be told, and then it is part of `client`.
    client
        Between clients of the same therapist; None if that can't be told, and then it is part of `session`.
    session
        Between sessions of a client; None if no share can be told.
    """

    therapist: float | None = None
    client: float | None = None
    session: float | None = None


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients of q columns beside the covariates: beta (q,), their covariance (q, q), coefficients in all."""

    beta: Floats
    covariance: Floats
    coefficients: int


class Regression(Protocol):
    """Of the bond on columns beside the covariates."""

    def fit(self, f: Floats, rows: Mask) -> Fit | None:
        """Take columns in, (n, q), in some of the rows, (n,); None if they can't be told apart."""


def levels(clients: Groups, therapists: Groups | None) -> tuple[dict[str, Groups], list[str]]:
    """Who can have levels of their own (``client``, ``therapist``), and notes on who cannot."""
    found, notes = dict[str, Groups](), list[str]()
    _, count = np.unique(clients, return_counts=True)
    if (count > 1).sum() >= LEAST_GROUPS:
        found["client"] = clients
    else:
        notes.append(
            f"Fewer than {LEAST_GROUPS} clients have several sessions: what lies between clients and what lies between "
            "their sessions can't be told apart."
        )
    if therapists is None:
        return found, notes
    pairs = np.unique(np.stack([therapists, clients]), axis=1)
    names, own = np.unique(pairs[0], return_counts=True)
    if len(names) < LEAST_GROUPS or (own > 1).sum() < LEAST_GROUPS:
        notes.append(
            f"Fewer than {LEAST_GROUPS} therapists have several clients: differences between therapists are not taken "
            "into account."
        )
    else:
        found["therapist"] = therapists
    return found, notes


def variances(y: Floats, z: Floats, who: Mapping[str, Groups]) -> dict[str, float] | None:
    """Variance of each level, and of ``session`` (the rest), by restricted maximum likelihood.

    Parameters
    ----------
    y
        The bond, (n,).
    z
        Covariates with a column of 1, (n, k), of full rank.
    who
        Whose level, (n,) each; clients may change therapist.

    Returns
    -------
    None if it does not converge, as where a client's sessions hardly differ.
    """
    from scipy.optimize import minimize

    n, k = z.shape
    levels, owner = _levels(who, n)
    products = _products(levels, np.column_stack([z, y]))

    def deviance(ratios: Floats) -> float:
        gram, volume = _weighted(products, np.sqrt(ratios)[owner])
        left = gram[-1, -1] - gram[:-1, -1] @ np.linalg.solve(gram[:-1, :-1], gram[:-1, -1])
        return float(volume + np.linalg.slogdet(gram[:-1, :-1])[1] + (n - k) * np.log(left))

    ratios = np.zeros(0)
    if who:
        # in variances, not in SD: at 0 the slope tells whether to leave it
        bounds = [(0.0, _MOST)] * len(who)
        found = minimize(deviance, np.full(len(who), 0.25), method="L-BFGS-B", bounds=bounds)
        ratios = found.x
        if not found.success or (ratios > 0.99 * _MOST).any():
            return None
    gram, _ = _weighted(products, np.sqrt(ratios)[owner])
    left = gram[-1, -1] - gram[:-1, -1] @ np.linalg.solve(gram[:-1, :-1], gram[:-1, -1])
    session = float(left / (n - k))
    return dict(zip(who, map(float, session * ratios), strict=True)) | {"session": session}


def shares(found: Mapping[str, float]) -> Shares:
    """Shares of the variances."""
    whole = sum(found.values())
    return Shares(**{name: value / whole for name, value in found.items()})


class Weighted:
    """Generalised least squares with the variances known.

    Parameters
    ----------
    y, z
        As for `variances`.
    who
        Whose level, (n,) each.
    found
        From `variances`.
    """

    def __init__(self, y: Floats, z: Floats, who: Mapping[str, Groups], found: Mapping[str, float]) -> None:
        self._zy = np.column_stack([z, y])
        self._levels, owner = _levels(who, len(y))
        self._sizes = np.sqrt(np.array([found[name] / found["session"] for name in who]))[owner]

    def fit(self, f: Floats, rows: Mask) -> Fit | None:
        """See `Regression`."""
        q, k = f.shape[1], self._zy.shape[1] - 1
        columns = np.column_stack([f, self._zy])[rows]
        whole, _ = _weighted(_products(self._levels[rows], columns), self._sizes)
        own, beside = [*range(q), -1], slice(q, q + k)
        inner = whole[beside, beside]
        across = whole[own, beside]
        partial = whole[np.ix_(own, own)] - across @ np.linalg.pinv(inner, hermitian=True) @ across.T
        if not _apart(partial[:q, :q], np.diag(whole)[:q]):
            return None
        coefficients = q + int(np.linalg.matrix_rank(inner, hermitian=True))
        inverse = np.linalg.inv(partial[:q, :q])
        beta = inverse @ partial[:q, -1]
        rest = partial[-1, -1] - beta @ partial[:q, -1]
        # with no sessions to spare the caller takes nothing from it
        return Fit(beta, inverse * rest / max(int(rows.sum()) - coefficients, 1), coefficients)


class Robust:
    """Least squares with standard errors that allow for any likeness within clients (sandwich, CR1).

    Parameters
    ----------
    y, z
        As for `variances`.
    clients
        (n,).
    """

    def __init__(self, y: Floats, z: Floats, clients: Groups) -> None:
        self._y, self._z, self._clients = y, z, clients

    def fit(self, f: Floats, rows: Mask) -> Fit | None:
        """See `Regression`."""
        z, fy = self._z[rows], np.column_stack([f, self._y])[rows]
        weights, _, rank, _ = np.linalg.lstsq(z, fy)
        left = fy - z @ weights
        x, y = left[:, :-1], left[:, -1]
        if not _apart(x.T @ x, (fy[:, :-1] ** 2).sum(0)):
            return None
        inverse = np.linalg.inv(x.T @ x)
        beta = inverse @ (x.T @ y)
        names, which = np.unique(self._clients[rows], return_inverse=True)
        sums = np.zeros((len(names), x.shape[1]))
        np.add.at(sums, which, x * (y - x @ beta)[:, None])
        n, groups, coefficients = len(y), len(names), int(rank) + x.shape[1]
        scale = groups / (groups - 1) * (n - 1) / (n - coefficients)
        return Fit(beta, scale * inverse @ (sums.T @ sums) @ inverse, coefficients)


def _levels(who: Mapping[str, Groups], n: int) -> tuple[Any, npt.NDArray[np.intp]]:
    """Whose sessions, sparse (n, people): a column of 1 for each person; and the kind of each column, (people,)."""
    from scipy.sparse import csr_array

    which = [np.unique(groups, return_inverse=True)[1] for groups in who.values()]
    counts = np.array([int(one.max()) + 1 for one in which], np.intp)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    columns = np.stack([one + s for one, s in zip(which, start, strict=False)], axis=1) if which else which
    rows = np.repeat(np.arange(n), len(which))
    found = csr_array((np.ones(len(rows)), (rows, np.ravel(columns))), shape=(n, int(start[-1])))
    return found, np.repeat(np.arange(len(counts)), counts)


def _products(levels: Any, a: Floats) -> tuple[Floats, Floats, Floats]:
    """Z'Z, Z'A and A'A."""
    return (levels.T @ levels).toarray(), levels.T @ a, a.T @ a


def _weighted(products: tuple[Floats, Floats, Floats], sizes: Floats) -> tuple[Floats, float]:
    """A' W^-1 A and log |W| for W = I + Z S^2 Z'; `sizes` are the SD in S, (people,).

    W is never made (Woodbury's identity), so that the cost is that of the people, not of their sessions.
    """
    from scipy.linalg import cho_factor, cho_solve

    people, sums, whole = products
    if not len(sizes):
        return whole, 0.0
    inner = cho_factor(np.eye(len(sizes)) + sizes[:, None] * people * sizes, lower=True)
    scaled = sizes[:, None] * sums
    return whole - scaled.T @ cho_solve(inner, scaled), float(2 * np.log(np.diag(inner[0])).sum())


def _apart(left: Floats, whole: Floats) -> bool:
    """Whether columns keep variance of their own beside covariates and each other."""
    if not (whole > 0).all() or not (np.diag(left) > _OWN * whole).all():
        return False
    spread = np.sqrt(np.diag(left))
    return bool(np.linalg.eigvalsh(left / np.outer(spread, spread))[0] > _OWN)
