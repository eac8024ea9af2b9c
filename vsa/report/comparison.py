"""A comparison of groups in one picture: means above, effect sizes below, a column a score.

Colours are those of Okabe & Ito (2008), and whatever they tell apart is told apart by shape or filling too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from vsa.bond.comparison.columns import label_of
from vsa.bond.comparison.figures import effect, margin_text
from vsa.bond.comparison.phrases import joined, level_text
from vsa.report.evaluation_axes import BLUE, DARK, FAINT, GRID, ORANGE, wrapped
from vsa.whole_file import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vsa.bond.comparison.compare import Comparison, Score
    from vsa.bond.comparison.records import Group, Test

DPI = 150
SURE = 0.05
#: Inches: labels at the left, a column, a row, title, a line of explanation, axis labels of one row of panels.
_LABELS_IN, _COLUMN_IN, _ROW_IN, _ABOVE_IN, _LINE_IN, _AXIS_IN = 2.4, 2.3, 0.25, 0.5, 0.18, 0.62
_LABEL_CHARACTERS = 34


def draw_comparison(found: Comparison, path: Path) -> None:
    """Write the picture as PNG.

    Raises
    ------
    InputError
        When it can't be written.
    """
    figure = comparison_figure(found)
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=DPI)


def comparison_figure(found: Comparison) -> Figure:
    """Means of the groups with their 95 % intervals, and effect sizes with theirs, for each score."""
    rows = _rows(found)
    above, below = len(rows), len(found.factors)
    columns = len(found.scores)
    width = _LABELS_IN + max(_COLUMN_IN * columns, 4.0)
    lines = textwrap.wrap(_said(found), int(width * 15.5))
    title = wrapped(_title(found), int(width * 9), 3).split("\n")
    foot, head = 0.2 + _LINE_IN * len(lines), 0.28 + 0.21 * len(title)
    heights = [_ROW_IN * n + _AXIS_IN for n in (above, below) if n]
    height = sum(heights) + foot + head
    figure = _figure(width, height, title, lines, (foot, head))
    panels = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights)
    for k, score in enumerate(found.scores):
        own = panels[:, k]
        if above:
            _means(own[0], found, score, rows, first=k == 0)
        _effects(own[-1], found, score, first=k == 0)
        own[0].set_title(wrapped(score.label, 24), fontsize=10, parse_math=False)
    return figure


def _figure(
    width: float, height: float, title: Sequence[str], lines: Sequence[str], room: tuple[float, float]
) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    foot, head = room
    rect = (0.01, foot / height, 0.98, 1 - (foot + head) / height)
    figure = Figure(
        figsize=(width, height), layout=ConstrainedLayoutEngine(rect=rect, w_pad=0.06), facecolor="white"
    )
    for k, line in enumerate(title):
        y = 1 - (0.14 + 0.21 * k) / height
        figure.text(
            0.18 / width, y, line, fontsize=12, fontweight="bold", va="top", color=DARK, parse_math=False
        )
    for k, line in enumerate(reversed(lines)):
        y = (0.08 + _LINE_IN * k) / height
        figure.text(0.18 / width, y, line, fontsize=8.5, color=FAINT, va="bottom", parse_math=False)
    return figure


def _title(found: Comparison) -> str:
    scores, factors = (
        joined([one.label for one in found.scores]),
        joined([label_of(one) for one in found.factors]),
    )
    said = f"{scores} by {factors}"
    return f"SIMULATED: {said}" if found.simulated else f"{said[0].upper()}{said[1:]}"


def _said(found: Comparison) -> str:
    said = [f"Points are means over {found.unit}s, or effect sizes; lines are 95 % intervals."]
    said.append(
        f"Filled below: p < .05 after correction for {found.tested} tests (Holm); hollow: may be chance."
    )
    if any(not isnan(test.g) for test in found.tests):
        said.append(f"Shaded: within {margin_text(found.settings.margin)}.")
    if any(_limits(found, score)[2] for score in found.scores):
        said.append("Dotted: the highest possible score.")
    said.append("Nobody was assigned to a group by chance.")
    return " ".join(said)


def _rows(found: Comparison) -> list[tuple[str, str]]:
    """Factor and group, "" for the factor's own line; none of a factor that is a number."""
    rows = []
    for factor in found.factors:
        levels = dict.fromkeys(group.level for test in found.by(factor) for group in test.groups)
        if levels:
            rows += [(factor, ""), *((factor, level) for level in levels)]
    return rows


def _group(found: Comparison, score: Score, factor: str, level: str) -> Group | None:
    test = next(test for test in found.by(factor) if test.outcome == score.name)
    return next((group for group in test.groups if group.level == level), None)


def _means(
    ax: Axes, found: Comparison, score: Score, rows: Sequence[tuple[str, str]], *, first: bool
) -> None:
    for k, (factor, level) in enumerate(rows):
        if not level:
            ax.axhspan(-k - 0.5, -k + 0.5, color="0.94", lw=0, zorder=0)
            continue
        group = _group(found, score, factor, level)
        if group is None or not group.tested:
            ax.text(
                0.5, -k, "too few", transform=ax.get_yaxis_transform(), ha="center", va="center", fontsize=8
            )
            continue
        ax.plot([group.low, group.high], [-k, -k], color=BLUE, lw=1.6, solid_capstyle="butt", zorder=2)
        ax.plot([group.mean], [-k], "o", ms=6, color=BLUE, zorder=3)
    low, high, dotted = _limits(found, score)
    ax.set_xlim(low, high)
    if dotted:
        ax.axvline(score.top, color=DARK, lw=1, ls=":", zorder=1)
    labels = [_row_label(found, factor, level) for factor, level in rows] if first else [""] * len(rows)
    _axis(ax, len(rows), labels, "mean, points")
    for tick, (_, level) in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("normal" if level else "bold")


def _limits(found: Comparison, score: Score) -> tuple[float, float, bool]:
    """Ends of the axis, the same for scores on the same scale, and whether the highest possible score lies in it."""
    alike = [one.name for one in found.scores if one is score or (one.scale and one.scale == score.scale)]
    ends = [
        end
        for test in found.tests
        if test.outcome in alike
        for group in test.groups
        if group.tested
        for end in (group.low, group.high)
    ]
    if not ends:
        return 0.0, 1.0, False
    room = max(0.08 * (max(ends) - min(ends)), 1e-6)
    low, high = min(ends) - room, max(ends) + room
    dotted = score.scale is not None and low < score.top < high + room
    return low, max(high, score.top + room / 2) if dotted else high, dotted


def _row_label(found: Comparison, factor: str, level: str) -> str:
    if not level:
        return wrapped(label_of(factor), _LABEL_CHARACTERS, 1)
    group = next(
        group for score in found.scores if (group := _group(found, score, factor, level)) is not None
    )
    n = "<5" if group.clients is None else str(group.clients)
    return f"{wrapped(level_text(level), _LABEL_CHARACTERS - 6, 1)} ({n})"


def _effects(ax: Axes, found: Comparison, score: Score, *, first: bool) -> None:
    tests = [
        next(test for test in found.by(factor) if test.outcome == score.name) for factor in found.factors
    ]
    margin = found.settings.margin
    # the same scale in all columns: effect sizes are there to be compared
    ends = [
        abs(end)
        for test in found.tests
        for end in (test.g_low, test.g_high, test.r_low, test.r_high)
        if not isnan(end)
    ]
    furthest = 1.12 * max([margin, *ends])
    ax.axvline(0, color=DARK, lw=0.8, zorder=1)
    for k, test in enumerate(tests):
        _effect(ax, -k, test, margin)
    ax.set_xlim(-furthest, furthest)
    _axis(
        ax, len(tests), [_effect_label(test) for test in tests] if first else [""] * len(tests), _unit(tests)
    )


def _effect(ax: Axes, y: float, test: Test, margin: float) -> None:
    if not test.tested or (isnan(test.g) and isnan(test.r)):
        said = effect(test) if test.tested else "not tested"
        where = ax.get_yaxis_transform()
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        ax.text(0.5, y, said, transform=where, ha="center", va="center", fontsize=8, bbox=box)
        return
    is_g = not isnan(test.g)
    value, low, high = (test.g, test.g_low, test.g_high) if is_g else (test.r, test.r_low, test.r_high)
    colour, marker = (BLUE, "o") if is_g else (ORANGE, "D")
    if is_g:
        ax.fill_between([-margin, margin], y - 0.5, y + 0.5, color="0.88", lw=0, zorder=0)
    ax.plot([low, high], [y, y], color=colour, lw=1.6, solid_capstyle="butt", zorder=2)
    fill = colour if test.p_holm < SURE else "white"
    ax.plot([value], [y], marker, ms=6, mfc=fill, mec=colour, mew=1.4, zorder=3)


def _effect_label(test: Test) -> str:
    name = label_of(test.factor)
    if test.group:
        name = f"{name}: {level_text(test.group)} minus {level_text(test.reference)}"
    return wrapped(name, _LABEL_CHARACTERS, 1)


def _unit(tests: Sequence[Test]) -> str:
    there = [name for name, drawn in (("Hedges' g", "g"), ("r (diamonds)", "r")) if _drawn(tests, drawn)]
    return ", ".join(there) or "effect size"


def _drawn(tests: Sequence[Test], which: str) -> bool:
    return any(not isnan(getattr(test, which)) for test in tests)


def _axis(ax: Axes, rows: int, labels: Sequence[str], unit: str) -> None:
    ax.set(ylim=(0.5 - rows, 0.5))
    ax.set_xlabel(unit, fontsize=8.5)
    ax.set_yticks([-k for k in range(rows)], labels, parse_math=False)
    ax.tick_params(labelsize=8.5)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(axis="x", color=GRID, lw=0.6)
    ax.locator_params(axis="x", nbins=5)
