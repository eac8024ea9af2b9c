"""Pictures of an evaluation: expected against reported bond, predictors, flags, signals, learning.

Colours are those of Okabe & Ito (2008), and whatever they tell apart is told apart by shape, filling or dashes too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsa.bond.evaluation.baselines import NAMES, NEEDS_HISTORY
from vsa.report.evaluation_axes import BLUE, DARK, FAINT, GRID, ORANGE, Floats, panels, wrapped
from vsa.report.evaluation_flags import draw_flags
from vsa.report.evaluation_signals import draw_signals
from vsa.whole_file import replacing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vsa.bond.model import ModelInfo

DPI = 150
#: Below this R2 the axis ends; what lies there is written at its edge.
_LEAST_R2 = -0.6
_FIFTHS = 5


def draw_evaluation(info: ModelInfo, predictions: pd.DataFrame, folder: Path) -> tuple[str, ...]:
    """Write the pictures of a model's evaluation as PNG.

    Parameters
    ----------
    info
        The model's.
    predictions
        One row for each session of the training: `bond`, `expected` when its people were held out, and whether the
        bond lay `in_interval`.
    folder
        Where to; it is made if need be.

    Returns
    -------
    Names of the files: ``expected.png``, ``predictors.png``, ``flags.png`` (where flags could be tested),
    ``signals.png`` (where single signals were looked at), ``learning.png``.

    Raises
    ------
    InputError
        When they can't be written.
    """
    drawers: Mapping[str, Callable[[], Figure | None]] = {
        "expected.png": lambda: draw_expected(info, predictions),
        "predictors.png": lambda: draw_predictors(info),
        "flags.png": lambda: draw_flags(info),
        "signals.png": lambda: draw_signals(info),
        "learning.png": lambda: draw_learning(info),
    }
    written = []
    for name, drawer in drawers.items():
        if (figure := drawer()) is None:
            continue
        with replacing(folder / name) as part:
            figure.savefig(part, format="png", dpi=DPI)
        written.append(name)
    return tuple(written)


def draw_expected(info: ModelInfo, predictions: pd.DataFrame) -> Figure:
    """Reported against expected bond of people held out: all sessions, and their fifths, closer."""
    reported = predictions["bond"].to_numpy(np.float64)
    expected = predictions["expected"].to_numpy(np.float64)
    inside = predictions["in_interval"].to_numpy(np.bool_)
    figure, (every, fifths) = panels(
        info,
        "Reported and expected bond of people held out",
        columns=2,
        size=(9.6, 5.0),
        said=f"Bond: '{wrapped(info.target, 60, 1)}'. Solid line: reported as expected. Dashed: mean of the reported.",
    )
    every.scatter(
        expected[inside], reported[inside], s=15, lw=0, alpha=0.6, color=BLUE, label="inside of its interval"
    )
    every.scatter(
        expected[~inside], reported[~inside], s=20, lw=1, fc="none", ec=ORANGE, marker="D", label="outside"
    )
    _square(every, np.concatenate([expected, reported]), reported)
    every.set_title(f"{len(reported)} sessions", fontsize=10)
    x, y = _by_fifths(expected, reported)
    fifths.plot(x, y, "o-", color=BLUE, ms=8, lw=1, label="mean of a fifth of the sessions")
    _square(fifths, np.concatenate([x, y, [reported.mean()]]), reported)
    fifths.set_title("Closer: means of fifths by expected bond", fontsize=10)
    for ax in (every, fifths):
        ax.set(xlabel="Expected bond, points", ylabel="Reported bond, points")
    every.legend(loc="best", fontsize=8, framealpha=0.9)
    return figure


def _square(ax: Axes, drawn: Floats, reported: Floats) -> None:
    """The same scale both ways: how little expectations differ is part of what there is to see."""
    low, high = drawn.min(), drawn.max()
    room = max(0.08 * (high - low), 0.02 * reported.std(), 1e-6)
    ends = (low - room, high + room)
    ax.set(xlim=ends, ylim=ends, aspect="equal")
    ax.plot(ends, ends, color=DARK, lw=0.9, zorder=1)
    ax.axhline(reported.mean(), color=DARK, lw=0.9, ls=(0, (5, 3)), zorder=1)


def _by_fifths(expected: Floats, reported: Floats) -> tuple[Floats, Floats]:
    """Mean expected and reported bond of fifths by what was expected; equal ones stay together."""
    edges = np.quantile(expected, np.arange(1, _FIFTHS) / _FIFTHS)
    which = np.searchsorted(edges, expected)
    n = np.bincount(which, minlength=_FIFTHS)
    x, y = (np.bincount(which, v, _FIFTHS)[n > 0] / n[n > 0] for v in (expected, reported))
    return x, y


def draw_predictors(info: ModelInfo) -> Figure:
    """R2 of each predictor with its interval, for each way to hold people out."""
    tests = info.evaluation["held_out"]
    names = [name for name in NAMES if any(name in test["scores"] for test in tests)]
    starred = " * knows what the same client reported before; the others don't."
    figure, axes = panels(
        info,
        "What predicts the bond of people held out",
        columns=len(tests),
        size=(4.8 + 2.8 * len(tests), 1.5 + 0.4 * len(names)),
        said="Filled: from signals. Hollow: what any claim must beat. Lines are 95 % intervals."
        + starred * bool(set(names) & set(NEEDS_HISTORY)),
    )
    r2s = [test["scores"][name]["r2"] for test in tests for name in names if name in test["scores"]]
    ends = [end for r2 in r2s for end in r2.values() if end is not None]
    least, most = max(_LEAST_R2, min([-0.05, *ends])), max([0.1, *ends])
    room = 0.06 * (most - least)
    labels = [NAMES[name] + " (the model)" * (name == tests[0]["model"]) for name in names]
    for ax, test in zip(axes, tests, strict=True):
        ax.axvline(0, color=DARK, lw=0.8, zorder=1)
        for k, name in enumerate(names):
            if name in test["scores"]:
                _draw_r2(ax, -k, test["scores"][name]["r2"], name, least)
        ax.set(xlim=(least - room, most + room), ylim=(0.5 - len(names), 0.5))
        ax.set_xlabel("R2 (0: as the mean of all sessions; 1: everything)", fontsize=8.5)
        ax.set_title(f"New {test['by']}s ({test['groups']})", fontsize=10)
        ax.set_yticks([-k for k in range(len(names))], labels if ax is axes[0] else [""] * len(names))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color=GRID, lw=0.6)
    for tick, name in zip(axes[0].get_yticklabels(), names, strict=True):
        tick.set_fontweight("bold" if name == tests[0]["model"] else "normal")
    return figure


def _draw_r2(ax: Axes, y: float, r2: Mapping[str, Any], name: str, least: float) -> None:
    value, low, high = r2["value"], r2["low"], r2["high"]
    if value is None:
        ax.text(0, y, "  not known", va="center", fontsize=8, color=FAINT)
        return
    signals, history = name in ("features", "covariates_and_features"), name in NEEDS_HISTORY
    colour = BLUE if signals else ORANGE if history else FAINT
    seen = low is not None and high > least
    if seen:
        ax.plot([max(low, least), high], [y, y], color=colour, lw=1.8, solid_capstyle="butt", zorder=2)
    if value < least:
        ax.text(least, y + 0.28 * seen, f"← {value:.2f}", va="center", fontsize=8, color=colour)
        return
    marker = "o" if signals else "D" if history else "s"
    ax.plot([value], [y], marker, ms=7, mfc=colour if signals else "white", mec=colour, mew=1.5, zorder=3)


def draw_learning(info: ModelInfo) -> Figure:
    """R2 and r for clients held out, by how many clients there were."""
    points = info.evaluation["learning"]
    clients = [point["clients"] for point in points]
    figure, axes = panels(
        info,
        "How the model does with fewer clients",
        columns=2,
        size=(8.2, 3.6),
        said="For people held out. The last point is all clients; the others are means over some draws of clients.",
    )
    for ax, key, name in zip(axes, ("r2", "r"), ("R2", "r"), strict=True):
        values = [np.nan if point[key] is None else point[key] for point in points]
        ax.axhline(0, color=DARK, lw=0.8, ls=(0, (5, 3)))
        ax.plot(clients, values, "o-", color=BLUE, ms=7, lw=1.4)
        ax.set(xlabel="Clients", ylabel=name, xlim=(0, 1.08 * max(clients)))
        ax.margins(y=0.12)
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, -0.05), max(high, 0.15))
        ax.grid(color=GRID, lw=0.6)
    return figure
