"""Whether probabilities of a weak bond hold, and what flags are worth: one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vsa.report.evaluation_axes import BLUE, DARK, FAINT, GRID, ORANGE, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vsa.bond.model import ModelInfo


def draw_flags(info: ModelInfo) -> Figure | None:
    """Calibration curve beside net benefit, for people held out; None where flags could not be tested."""
    flags = info.evaluation["flags"]
    if flags is None:
        return None
    figure, (left, right) = panels(
        info,
        "Flags of a weak bond, for people held out",
        columns=2,
        size=(9.6, 4.6),
        said="Net benefit: weak bonds found, less reviews of others weighed by the odds of the threshold, in 100 "
        "sessions (Vickers & Elkin 2006). Flags are worth it where their line lies above both others.",
    )
    _calibration(left, flags)
    _benefit(right, flags)
    return figure


def _calibration(ax: Axes, flags: Mapping[str, Any]) -> None:
    mean, weak, _ = np.array(flags["curve"], np.float64).T
    end = min(1.0, 1.12 * max(mean.max(), weak.max(), flags["base_rate"]) + 0.02)
    ax.plot([0, end], [0, end], color=DARK, lw=0.9, label="as often as said")
    ax.axhline(flags["base_rate"], color=FAINT, lw=0.9, ls=(0, (5, 3)), label="share of weak bonds")
    ax.plot(mean, weak, "o-", color=BLUE, ms=8, lw=1, label="a fifth of the sessions")
    ax.set(xlim=(0, end), ylim=(0, end), aspect="equal", xlabel="Mean probability", ylabel="Were weak")
    _in_percent(ax.xaxis)
    _in_percent(ax.yaxis)
    ax.set_title("Do probabilities hold?", fontsize=10)
    ax.grid(color=GRID, lw=0.6)
    ax.legend(loc="best", fontsize=8, framealpha=0.9)


def _benefit(ax: Axes, flags: Mapping[str, Any]) -> None:
    threshold = np.array([float(t) for t in flags["net_benefit"]])
    by_flags, by_all = 100 * np.array(list(flags["net_benefit"].values()), np.float64).T
    ax.axhline(0, color=DARK, lw=1.2, label="review none")
    ax.plot(threshold, by_all, color=ORANGE, lw=1.4, ls=(0, (5, 2)), label="review all")
    ax.plot(threshold, by_flags, "o-", color=BLUE, ms=5, lw=1.6, label="review those flagged")
    top = max(1.0, by_flags.max(), by_all.max())
    # reviewing all falls without end, and would flatten the rest
    ax.set_ylim(max(min(by_flags.min(), by_all.min()), -0.4 * top) - 0.05 * top, 1.1 * top)
    ax.set(xlabel="Probability from which on to review", ylabel="Net benefit in 100 sessions")
    _in_percent(ax.xaxis)
    ax.set_title("Are flags worth it?", fontsize=10)
    ax.grid(color=GRID, lw=0.6)
    ax.legend(loc="best", fontsize=8, framealpha=0.9)


def _in_percent(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
