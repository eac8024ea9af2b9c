"""How the recordings of a training were made: the range of each quality, and what lies beyond it.

A range is widened before a recording is said to lie outside: new people's will always be a little different. By how
much is learned from people held out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.folds import Fold

Floats = npt.NDArray[np.float64]

#: By how much of its range a quality's range is widened on either side, at least.
WIDENED = 0.25
#: From fewer people more: this, divided by how many there are. Found with simulated cohorts of 12 to 100 clients.
_FOR_FEW = 20.0
#: The least that it is widened by, as a share of what the quality can be, or of its largest value: recordings may have
#: been alike by chance.
_LEAST_WIDENED = 0.05
#: Units of qualities that are compared by ratio: half as many pixels are as far as twice as many.
_RATIOS = ("px", "Hz", "min")


@dataclass(frozen=True, eq=False)
class RecordingsSeen:
    """Ranges of q qualities.

    Attributes
    ----------
    names
        Full names, (q,).
    seen
        Lowest and highest value in the training, (q, 2); NaN where there was none.
    allowed
        The same, widened; NaN where the training does not tell.
    """

    names: tuple[str, ...]
    seen: Floats
    allowed: Floats

    @classmethod
    def of(
        cls, quality: pd.DataFrame, held_out: Sequence[Fold], clients: int, within: float
    ) -> RecordingsSeen:
        """Learn the ranges.

        Each is widened by `WIDENED` of itself; by more with few clients, or if sessions of people held out lay further
        outside of the others' ranges.

        Parameters
        ----------
        quality
            Of the training, n rows; NaN where missing.
        held_out
            Rows of others and rows of those held out; each row is held out once.
        clients
            How many people the sessions are of.
        within
            Share of the sessions of new people that should lie inside in every quality.

        Examples
        --------
        >>> table = pd.DataFrame({"client.quality.snr_db": [10.0, 20.0, 30.0]})
        >>> RecordingsSeen.of(table, [], 100, 0.99).allowed
        array([[ 5., 35.]])
        """
        names = tuple(map(str, quality.columns))
        values = quality.to_numpy(np.float64)
        ratio, least = _kinds(names, values)
        with np.errstate(invalid="ignore"):
            scaled = np.where(ratio, np.log(np.where(ratio, values, 1.0)), values)
        ends = _lowest_and_highest(scaled)
        span = ends[:, 1] - ends[:, 0]
        beyond = [_beyond(scaled[train], scaled[test], span, least) for train, test in held_out]
        more = max(WIDENED, _FOR_FEW / clients)
        if names and beyond:
            more = max(more, float(np.quantile(np.concatenate(beyond), within, method="higher")))
        room = np.maximum(more * span, least)
        # always the same, and nothing to compare with: any difference would be too much
        room = np.where(room > 0, room, np.nan)
        allowed = np.stack([ends[:, 0] - room, ends[:, 1] + room], axis=1)
        by_ratio = ratio[:, None]
        return cls(
            names,
            _lowest_and_highest(values),
            np.where(by_ratio, np.exp(np.where(by_ratio, allowed, 0.0)), allowed),
        )

    def beyond(self, quality: pd.DataFrame, scopes: Collection[str] | None = None) -> list[list[str]]:
        """What lies outside, in words, for each of n rows.

        Parameters
        ----------
        quality
            n rows; what is not there or missing is not looked at.
        scopes
            Whose recording counts; None for everybody's.
        """
        told: list[list[str]] = [[] for _ in range(len(quality))]
        for name, seen, (low, high) in zip(self.names, self.seen, self.allowed, strict=True):
            if name not in quality or not (scopes is None or name.partition(".")[0] in scopes):
                continue
            values = quality[name].to_numpy(np.float64)
            for k in np.flatnonzero((values < low) | (values > high)):
                told[k].append(_said(name, float(values[k]), *seen.tolist()))
        return told

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All of it as arrays, for a file without pickle."""
        return {"names": np.array(self.names, np.str_), "seen": self.seen, "allowed": self.allowed}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> RecordingsSeen:
        """The inverse of `to_arrays`.

        Raises
        ------
        KeyError, ValueError
            When arrays are absent, or don't fit each other.
        """
        names = tuple(map(str, arrays["names"]))
        seen, allowed = (np.asarray(arrays[name], np.float64) for name in ("seen", "allowed"))
        if seen.shape != (len(names), 2) or allowed.shape != seen.shape:
            raise ValueError(f"{len(names)} names don't fit {seen.shape} and {allowed.shape}.")
        return cls(names, seen, allowed)


def _kinds(names: tuple[str, ...], values: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which are compared by ratio, and the least by which a range is widened, (q,) each."""
    from vsa.errors import InputError
    from vsa.features.registry import find

    ratio, least = np.zeros(len(names), np.bool_), np.zeros(len(names))
    for j, name in enumerate(names):
        try:
            entry = find(name)
            unit, (low, high) = entry.unit, entry.range
        except InputError:  # a study's own
            unit, low, high = "", None, None
        ratio[j] = unit in _RATIOS and not (values[:, j] <= 0).any()
        known = values[np.isfinite(values[:, j]), j]
        span = np.abs(known).max(initial=0.0) if low is None or high is None else high - low
        least[j] = _LEAST_WIDENED * (1.0 if ratio[j] else span)
    return ratio, least


def _lowest_and_highest(values: Floats) -> Floats:
    """Of each column, (q, 2); NaN where there is no value."""
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(0, initial=-np.inf)
    return np.asarray(np.where(known.any(0), [low, high], np.nan).T)


def _beyond(others: Floats, own: Floats, span: Floats, least: Floats) -> Floats:
    """How far sessions lie outside of others' ranges at most, as a share of the whole range; 0 for inside."""
    low, high = _lowest_and_highest(others).T
    out = np.fmax(low - own, own - high)
    far = out > least
    return np.asarray(np.where(far, out / np.where(span > 0, span, 1.0), 0.0).max(1, initial=0.0))


def _said(name: str, x: float, low: float, high: float) -> str:
    from vsa.features.words import label, value

    now, least, most = value(name, x), value(name, low), value(name, high)
    number, space, unit = least.partition(" ")
    low_end = number if space and most.endswith(space + unit) else least
    seen = most if least == most else f"{low_end} to {most}"
    whose, _, what = name.partition(".")
    if what == "quality.face_height_px":
        return f"the {whose}'s face is {now} high, and the model saw {seen}"
    return f"{label(name)}: {now}, and the model saw {seen}"
