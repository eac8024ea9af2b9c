"""What a timeline draws of a signal: no more points than it has dots across, and where nothing was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
#: Angle (yaw, pitch), deg.
Direction = tuple[float, float]

#: Columns of ``face.parquet`` that are drawn.
FACE_COLUMNS = (
    "mouthSmileLeft",
    "mouthSmileRight",
    "gaze_yaw",
    "gaze_pitch",
    "head_pitch",
    "motion",
)
#: Rows that are farther apart than this have nothing between them, s.
HOLE_S = 1.0


@dataclass(frozen=True, eq=False)
class Line:
    """A signal as it is drawn: mean, lowest and highest value at each time, shape (n,); NaN breaks it."""

    t: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Signal:
    """A row of strips.

    Attributes
    ----------
    key
        Its name in code.
    label, unit
        At the axis.
    source
        The table, ``face`` or ``voice``.
    values
        From rows of that table and the person's home direction (deg, or None) to values, shape (n,).
    limits
        Of the axis, from all that is drawn of the signal.
    """

    key: str
    label: str
    unit: str
    source: str
    values: Callable[[pd.DataFrame, Direction | None], Floats]
    limits: Callable[[Floats], tuple[float, float]]


def angle_deg(yaw_deg: Floats, pitch_deg: Floats, home: Direction) -> Floats:
    """Angle between a direction and `home`, deg, shape (n,)."""
    yaw, pitch, (to_yaw, to_pitch) = np.radians(yaw_deg), np.radians(pitch_deg), np.radians(home)
    cosine = np.sin(pitch) * np.sin(to_pitch) + np.cos(pitch) * np.cos(to_pitch) * np.cos(yaw - to_yaw)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def line(t: Floats, values: Floats, span: tuple[float, float], dots: int) -> Line:
    """Thin a signal for drawing.

    Parameters
    ----------
    t
        Times in order, s, shape (n,).
    values
        Shape (n,); NaN where there is none.
    span
        Start and end of the axis, s.
    dots
        Across the axis. A signal with more than twice as many samples is given by mean and range in each dot; one
        with fewer as it is, broken where rows are missing.
    """
    inside = slice(*np.searchsorted(t, span))
    t, values = t[inside], values[inside]
    if len(t) <= 2 * dots:
        holes = np.flatnonzero(np.diff(t) > HOLE_S) + 1
        t, values = np.insert(t, holes, t[holes - 1]), np.insert(values, holes, np.nan)
        return Line(t, values, values, values)
    known = np.isfinite(values)
    width = (span[1] - span[0]) / dots
    dot = np.minimum(((t - span[0]) / width).astype(np.int64), dots - 1)[known]
    values = values[known]
    count = np.bincount(dot, minlength=dots)
    low, high = np.full(dots, np.inf), np.full(dots, -np.inf)
    np.minimum.at(low, dot, values)
    np.maximum.at(high, dot, values)
    some = count > 0
    mean = np.full(dots, np.nan)
    mean[some] = np.bincount(dot, values, dots)[some] / count[some]
    low[~some] = high[~some] = np.nan
    middle = span[0] + width * np.arange(0.5, dots)
    return Line(np.asarray(middle, np.float64), mean, low, high)


def unmeasured(t: Floats, measured: Flags, span: tuple[float, float]) -> Floats:
    """Stretches of an axis in which something was not measured.

    Parameters
    ----------
    t
        Times of rows in order, s, shape (n,). A row stands until the next one, and for `HOLE_S` at most.
    measured
        Whether there is a reading, shape (n,).
    span
        Start and end of the axis, s.

    Returns
    -------
    Start and end, s, in order of time, shape (m, 2); they don't touch.
    """
    if not len(t):
        return np.array([span])
    after = np.append(t[1:], max(t[-1], span[1]))
    until = np.where(after - t > HOLE_S, t + HOLE_S, after)
    without = ~measured
    spans = [np.column_stack([t[without], until[without]]), np.column_stack([until, after])[until < after]]
    if t[0] - span[0] > HOLE_S:
        spans.append(np.array([[span[0], t[0]]]))
    found = np.concatenate(spans).clip(*span)
    found = found[np.argsort(found[:, 0], kind="stable")]
    found = found[found[:, 0] < found[:, 1]]
    if not len(found):
        return found
    first = np.append(True, found[1:, 0] > np.maximum.accumulate(found[:, 1])[:-1] + 1e-9)
    return np.column_stack([found[first, 0], np.maximum.reduceat(found[:, 1], np.flatnonzero(first))])


def _column(name: str) -> Callable[[pd.DataFrame, Direction | None], Floats]:
    return lambda rows, _: np.asarray(rows[name], np.float64)


def _smile(rows: pd.DataFrame, _: Direction | None) -> Floats:
    return np.asarray(rows[["mouthSmileLeft", "mouthSmileRight"]].mean(axis=1, skipna=False), np.float64)


def _away(rows: pd.DataFrame, home: Direction | None) -> Floats:
    if home is None:
        return np.full(len(rows), np.nan)
    yaw, pitch = np.asarray(rows[["gaze_yaw", "gaze_pitch"]], np.float64).T
    return angle_deg(yaw, pitch, home)


def _loudness(rows: pd.DataFrame, _: Direction | None) -> Floats:
    """Only where this person speaks: between words it is the room's."""
    speaks = rows["speaking"].fillna(False).to_numpy(np.bool_)
    return np.where(speaks, np.asarray(rows["intensity_db"], np.float64), np.nan)


def _bulk(low: float, high: float, least: float) -> Callable[[Floats], tuple[float, float]]:
    """Limits about nearly all values, `least` wide at least, within `low` and `high`."""

    def limits(values: Floats) -> tuple[float, float]:
        known = values[np.isfinite(values)]
        a, b = np.quantile(known, (0.002, 0.998)) if len(known) else (0.0, 0.0)
        grow = max(0.05 * (b - a), (least - (b - a)) / 2)
        a, b = max(low, a - grow), min(high, b + grow)
        return (a, max(b, a + least)) if a == low else (min(a, b - least), b)

    return limits


#: From top to bottom.
SIGNALS = (
    Signal("smile", "smile", "0–1", "face", _smile, lambda _: (0.0, 1.0)),
    Signal("gaze", "gaze off\nown home", "deg", "face", _away, _bulk(0.0, 60.0, 30.0)),
    Signal("head", "head\nup / down", "deg", "face", _column("head_pitch"), _bulk(-90.0, 90.0, 20.0)),
    Signal("motion", "movement", "grey levels", "face", _column("motion"), _bulk(0.0, 255.0, 2.0)),
    Signal("loudness", "loudness", "dB", "voice", _loudness, _bulk(-80.0, 60.0, 20.0)),
)
