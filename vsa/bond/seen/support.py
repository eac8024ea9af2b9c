"""How far a session lies from what a model has seen: beyond that, what the model expects of it is a guess.

Two questions are asked. Do the session's signals go together as those of the training did (Mahalanobis distance, with
the covariance of Ledoit & Wolf 2004, J. Multivar. Anal. 88, 365-411)? Was it recorded as they were? What counts as far
is learned from people held out: sessions lie closer to a covariance that was estimated from them than others do, and
the more so the more features there are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort_columns import without_rounding
from vsa.bond.folds import folds
from vsa.bond.seen.recordings import RecordingsSeen
from vsa.features.registry import DYAD

Floats = npt.NDArray[np.float64]

#: Of the sessions of new people, how many should lie within the limit.
WITHIN = 0.995
#: Groups below which the percentile of people held out lies beyond the sample.
_FEW = 200
#: Features, and qualities, that are named for a session, at most.
_NAMED = 2
_RECORDINGS = "recordings_"


@dataclass(frozen=True, eq=False)
class Support:
    """What a model saw of p features, and how it was recorded.

    Attributes
    ----------
    features
        Full names, (p,).
    center, scale
        Median of each in the training, and a robust SD, (p,).
    mean, precision
        Mean (p,) and inverse covariance (p, p) of the standardised features.
    limit
        Distance from `mean` within which `WITHIN` of the sessions of new people lie.
    recordings
        Ranges of their qualities.
    """

    features: tuple[str, ...]
    center: Floats
    scale: Floats
    mean: Floats
    precision: Floats
    limit: float
    recordings: RecordingsSeen

    def distance(self, features: pd.DataFrame) -> Floats:
        """How far sessions lie from the training, relative to the limit: 1 is at it.

        A feature that is missing is taken to be what the others let expect; it never adds to the distance.

        Parameters
        ----------
        features
            n rows with `features`; NaN where missing.

        Returns
        -------
        (n,); NaN where all features are missing.
        """
        parts = self._parts(features)
        known = np.isfinite(_values(features, self.features)).any(1)
        return np.where(known, np.sqrt(parts.sum(1).clip(0)) / self.limit, np.nan)

    def outside(
        self, features: pd.DataFrame, quality: pd.DataFrame, roles: Collection[str] | None = None
    ) -> list[str]:
        """Why sessions lie outside of what the model saw, in words.

        Parameters
        ----------
        features
            n rows with `features`; NaN where missing.
        quality
            n rows with qualities of the recording; what is not there or missing gives no reason.
        roles
            Whose recording counts, by the scope of the quality (``client``, ``dyad``). None for those of whom the model
            knows features; for everybody, if it knows features of both together.

        Returns
        -------
        n reasons; "" for sessions inside.
        """
        distance, parts = self.distance(features), self._parts(features)
        recorded = self.recordings.beyond(quality, self._scopes() if roles is None else roles)
        told = [some[:_NAMED] for some in recorded]
        for k in np.flatnonzero(distance > 1):
            told[k].append(self._far(float(distance[k]), parts[k]))
        return ["; ".join(some) for some in told]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All of it as arrays, for a file without pickle."""
        own = {name: np.asarray(getattr(self, name), np.float64) for name in _shapes(0)}
        recordings = {f"{_RECORDINGS}{name}": array for name, array in self.recordings.to_arrays().items()}
        return {"features": np.array(self.features, np.str_), **own, **recordings}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Support:
        """The inverse of `to_arrays`.

        Raises
        ------
        KeyError, ValueError
            When arrays are absent, or don't fit each other.
        """
        names = tuple(map(str, arrays["features"]))
        own: dict[str, Any] = {}
        for name, shape in _shapes(len(names)).items():
            own[name] = np.asarray(arrays[name], np.float64)
            if own[name].shape != shape:
                raise ValueError(f"{name} has the shape {own[name].shape}, not {shape}.")
        recordings = {
            name.removeprefix(_RECORDINGS): array
            for name, array in arrays.items()
            if name.startswith(_RECORDINGS)
        }
        own["limit"] = float(own["limit"])
        return cls(features=names, **own, recordings=RecordingsSeen.from_arrays(recordings))

    def _parts(self, features: pd.DataFrame) -> Floats:
        values = _values(features, self.features)
        return _parts(_squeezed(values, self.center, self.scale) - self.mean, self.precision)

    def _far(self, distance: float, parts: Floats) -> str:
        """Why a session lies too far, with the features that add most to its distance."""
        from vsa.features.words import label

        first = np.argsort(-parts, kind="stable")[:_NAMED]
        most = [label(self.features[j]) for j in first if parts[j] >= parts[first[0]] / 2]
        return (
            f"its signals lie further from the training's sessions ({distance:.1f} times the limit) than "
            f"{100 * WITHIN:g} % of new people's did: most of all {' and '.join(most)}"
        )

    def _scopes(self) -> frozenset[str] | None:
        scopes = frozenset(name.partition(".")[0] for name in self.features)
        return None if DYAD in scopes else scopes | {DYAD}


def learn_support(
    features: pd.DataFrame, quality: pd.DataFrame, clients: npt.NDArray[np.str_], seed: int
) -> Support:
    """Learn what a model has seen.

    The limit is the percentile `WITHIN` of distances of sessions whose client was held out (5 folds). With fewer than
    200 clients that lies beyond the sample: then it is at least where it would be if the distances' logarithms were
    normal, as a prediction interval (Student's t for as many clients).

    Parameters
    ----------
    features
        Of the training, n rows; NaN where missing.
    quality
        Qualities of the recordings, n rows.
    clients
        Whose session it is, (n,); two or more.
    seed
        Of the folds.
    """
    names = tuple(map(str, features.columns))
    x = _values(features, names)
    center, scale, mean, precision, shrinkage = _learned(x)
    held_out = folds(clients, seed)
    squared = np.empty(len(x))
    for train, test in held_out:
        # as much shrinkage as in the whole: with more, what few sessions can't tell would count for less
        of_others = _learned(x[train], shrinkage)
        squared[test] = _parts(_squeezed(x[test], *of_others[:2]) - of_others[2], of_others[3]).sum(1)
    missing = np.isnan(x).sum(1)
    # of a session of which something is missing, that counts as much as what is there does: the limit is for whole ones
    each = squared.sum() / max(x.size - missing.sum(), 1)
    people = len(np.unique(clients))
    limit = _percentile(np.sqrt(squared.clip(0) + missing * each), people)
    recordings = RecordingsSeen.of(quality, held_out, people, WITHIN)
    return Support(names, center, scale, mean, precision, limit, recordings)


def _shapes(p: int) -> dict[str, tuple[int, ...]]:
    return {"center": (p,), "scale": (p,), "mean": (p,), "precision": (p, p), "limit": ()}


def _values(table: pd.DataFrame, names: tuple[str, ...]) -> Floats:
    values = table[list(names)].to_numpy(np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _squeezed(x: Floats, center: Floats, scale: Floats) -> Floats:
    """Standardised, with long tails drawn in: rates and times have them, and would make up any distance."""
    return np.asarray(2 * np.arcsinh((x - center) / scale / 2))


def _learned(x: Floats, shrinkage: float | None = None) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Center, scale, mean, precision and shrinkage; what is missing becomes the median."""
    from sklearn.covariance import ledoit_wolf_shrinkage

    center, scale = _middle_and_spread(x)
    z = np.nan_to_num(_squeezed(x, center, scale))
    mean = z.mean(0)
    z = z - mean
    if shrinkage is None:
        shrinkage = float(ledoit_wolf_shrinkage(z, assume_centered=True)) if z.size else 0.0
    covariance = z.T @ z / len(z)
    usual = np.trace(covariance) / max(len(mean), 1) or 1.0
    # never quite without: features that are copies of each other have no inverse
    delta = max(shrinkage, 1e-6)
    shrunk = (1 - delta) * covariance + delta * usual * np.eye(len(mean))
    return center, scale, mean, np.linalg.inv(shrunk), shrinkage


def _middle_and_spread(x: Floats) -> tuple[Floats, Floats]:
    import warnings

    x = without_rounding(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value
        low, middle, high = np.nan_to_num(np.nanpercentile(x, [25, 50, 75], axis=0))
        sd = np.nan_to_num(np.nanstd(x, axis=0))
    spread = (high - low) / 1.349
    spread = np.where(spread > 0, spread, sd)
    return middle, np.where(spread > 0, spread, 1.0)


def _parts(z: Floats, precision: Floats) -> Floats:
    """What each feature adds to the squared Mahalanobis distance, (n, p); 0 where it is missing.

    Missing values are taken to be their conditional mean: the sum is then the distance in the features that are there.
    """
    z = z.copy()
    missing = np.isnan(z)
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    for k, gone in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == k)
        if gone.all():
            z[rows] = 0.0
        elif gone.any():
            there = precision[np.ix_(gone, ~gone)] @ z[np.ix_(rows, ~gone)].T
            z[np.ix_(rows, gone)] = -np.linalg.solve(precision[np.ix_(gone, gone)], there).T
    return np.where(missing, 0.0, z * (z @ precision))


def _percentile(distance: Floats, clients: int) -> float:
    from scipy.stats import t

    limit = float(np.quantile(distance, WITHIN, method="higher"))
    if clients < _FEW and limit > 0:
        middle, upper = np.log(np.quantile(distance, [0.5, 0.841]).clip(1e-12))
        steps = t.ppf(WITHIN, clients - 1) * np.sqrt(1 + 1 / clients)
        limit = max(limit, float(np.exp(middle + steps * (upper - middle))))
    return limit if limit > 0 else 1.0
