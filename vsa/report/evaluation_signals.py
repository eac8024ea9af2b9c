"""The signals that stand out most, one by one: one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vsa.bond.card.signals import signs_kept, strongest
from vsa.bond.evaluation.effect_words import CHANCE
from vsa.features.words import label
from vsa.report.evaluation_axes import BLUE, DARK, FAINT, GRID, ORANGE, panels, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vsa.bond.model import ModelInfo

Record = Mapping[str, Any]

#: Part of a signal -> what it is called, its marker and colour, and how far from the middle of the row it lies.
_PARTS: Mapping[str, tuple[str, str, str, float]] = {
    "level": ("level: clients among each other", "o", BLUE, 0.17),
    "change": ("change: sessions of a client among each other", "D", ORANGE, -0.17),
    "": ("sessions among each other", "o", BLUE, 0.0),
}


def draw_signals(info: ModelInfo) -> Figure | None:
    """Coefficients of the signals that stand out most, with intervals; None where single signals were not looked at."""
    found = info.evaluation["effects"]
    rows = strongest(found["effects"])
    if not rows:
        return None
    kept = signs_kept(info)
    figure, (ax,) = panels(
        info,
        f"Signals beside the bond, those with the smallest p; {_standing_out(found['effects'])}",
        columns=1,
        size=(9.2, 1.5 + 0.45 * len(rows)),
        said=f"Each signal by itself{' beside covariates' * bool(found['covariates'])}, allowing for likeness of the "
        f"same person's sessions; lines are 95 % intervals. Filled: shown here (q below {CHANCE:.2f}); hollow: may be "
        "chance. In order of p. Same sign: resamples of the clients in which its weight beside all others keeps its "
        "sign.",
    )
    ax.axvline(0, color=DARK, lw=0.8, zorder=1)
    for k, parts in enumerate(rows):
        for effect in parts:
            _draw(ax, -k, effect, kept.get((effect["feature"], effect["part"])))
        if k % 2:
            ax.axhspan(-k - 0.5, -k + 0.5, color="0.96", lw=0, zorder=0)
    ax.set(ylim=(0.5 - len(rows), 0.5), xlabel="SD of the bond for each SD of the signal")
    ax.set_yticks(
        [-k for k in range(len(rows))],
        [wrapped(label(parts[0]["feature"]), 36) for parts in rows],
        parse_math=False,
    )
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=GRID, lw=0.6)
    if kept:
        ax.text(1.02, 1.005, "same sign", transform=ax.transAxes, fontsize=8, color=FAINT, va="bottom")
    _legend(ax, rows)
    return figure


def _standing_out(effects: Sequence[Record]) -> str:
    tests = [effect["q"] for effect in effects if effect["q"] is not None]
    sure = sum(q < CHANCE for q in tests)
    return f"{sure} of {len(tests)} stand{'s' * (sure == 1)} out" if sure else "none stands out"


def _draw(ax: Axes, y: float, effect: Record, kept: float | None) -> None:
    _, marker, colour, aside = _PARTS[effect["part"]]
    y += aside
    if effect["low"] is not None:
        ax.plot([effect["low"], effect["high"]], [y, y], color=colour, lw=1.5, zorder=2)
    sure = effect["q"] is not None and effect["q"] < CHANCE
    ax.plot(
        [effect["beta"]], [y], marker, ms=6.5, mfc=colour if sure else "white", mec=colour, mew=1.4, zorder=3
    )
    if kept is not None:
        where = ax.get_yaxis_transform()
        ax.text(1.02, y, f"{100 * kept:.0f} %", transform=where, fontsize=7.5, color=colour, va="center")


def _legend(ax: Axes, rows: Sequence[Sequence[Record]]) -> None:
    from matplotlib.lines import Line2D

    there = {effect["part"] for parts in rows for effect in parts}
    handles = [
        Line2D([], [], ls="", marker=marker, ms=6.5, mfc="white", mec=colour, mew=1.4, label=name)
        for part, (name, marker, colour, _) in _PARTS.items()
        if part in there
    ]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=8, frameon=False)
