"""What timelines are drawn on: a figure that is filled with rows from the top, its colours and its time axis."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from vsa.report.drawing import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Ink = tuple[float, float, float]

#: Of what was not measured, and of what is nobody's.
GREY: Ink = (0.88, 0.88, 0.88)
DARK: Ink = (0.2, 0.2, 0.2)
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_TICKS = 12
_WIDTH_IN, _LEAST_IN, _DPI = 12.0, 6.0, 100
#: Margins, in: for labels left and right, title and legend above, time below.
_LEFT, _RIGHT, _TOP, _BELOW = 1.2, 0.85, 0.62, 0.46
_UNIT_IN = 0.33  # what a strip needs to be read
#: A legend in one line needs this; in two, it needs more room above.
_WIDE_IN, _LINE_IN = 9.5, 0.17


class Span(NamedTuple):
    """The time that is drawn, s."""

    start_s: float
    end_s: float


class Inks(NamedTuple):
    """Of one person: for bars, for bands and backchannels, for lines and names."""

    solid: Ink
    light: Ink
    dark: Ink


def inks_of(k: int) -> Inks:
    """The k-th person's, after the colours that they have in a film by ``vsa extract --overlay``."""
    r, g, b = (v / 255 for v in COLOURS[k % len(COLOURS)])
    light = (0.4 * r + 0.6, 0.4 * g + 0.6, 0.4 * b + 0.6)
    return Inks((r, g, b), light, (0.68 * r, 0.68 * g, 0.68 * b))


class Timeline(Figure):
    """A figure that notebooks show by themselves, whether or not pyplot is in use."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


class Page:
    """Rows on one time axis.

    Parameters
    ----------
    figure
        To draw into; a new one of 12 inches by 6, or as high as it takes, if it is None.
    span
        The axis.
    units
        Height of all rows and of the room between them; a strip is 1 high.

    Attributes
    ----------
    narrow
        Whether a legend takes two lines.
    """

    def __init__(self, figure: Figure | None, span: Span, units: float) -> None:
        if figure is None:
            height_in = max(_LEAST_IN, _TOP + _BELOW + _UNIT_IN * units)
            figure = Timeline(figsize=(_WIDTH_IN, height_in), dpi=_DPI)
        self.figure, self.span = figure, span
        self.axes: list[Axes] = []
        self._width_in, self._height_in = map(float, figure.get_size_inches())
        self.narrow = self._width_in < _WIDE_IN
        above_in = _TOP + _LINE_IN * self.narrow
        self._unit_in = max(0.01, (self._height_in - above_in - _BELOW) / units)
        self._inner_in = max(0.5, self._width_in - _LEFT - _RIGHT)
        self._top_in = self._height_in - above_in

    @property
    def dot_s(self) -> float:
        """How long a dot is, s."""
        return (self.span.end_s - self.span.start_s) / self.dots

    @property
    def dots(self) -> int:
        """Across the axis."""
        return int(self._inner_in * self.figure.get_dpi())

    def skip(self, units: float) -> None:
        """Leave room."""
        self._top_in -= units * self._unit_in

    def row(self, units: float) -> Axes:
        """The next row."""
        self.skip(units)
        made = self.figure.add_axes(
            (*self._share(_LEFT, self._top_in), *self._share(self._inner_in, units * self._unit_in))
        )
        made.set_xlim(*self.span)
        made.tick_params(labelsize=7, length=2, bottom=False, labelbottom=False)
        for side in made.spines.values():
            side.set(linewidth=0.5, color="0.6")
        self.axes.append(made)
        return made

    def beside(self, rows: Sequence[Axes], text: str) -> None:
        """Write to the left of rows that belong together."""
        middle = (rows[0].get_position().y1 + rows[-1].get_position().y0) / 2
        self.figure.text(0.12 / self._width_in, middle, text, fontsize=8.5, va="center", linespacing=1.1)

    def above(self, depth_in: float) -> tuple[float, float]:
        """A place at the left edge, so far below the top, for the figure's own texts."""
        return self._share(0.12, self._height_in - depth_in)

    def time_axis(self) -> None:
        """Lines at round times through all rows, and the times under the last."""
        step = next(
            (s for s in _STEPS_S if (self.span.end_s - self.span.start_s) / s <= _TICKS), _STEPS_S[-1]
        )
        for ax in self.axes:
            ax.xaxis.set_major_locator(MultipleLocator(step))
            ax.grid(axis="x", color="0.9", lw=0.5)
            ax.set_axisbelow(True)
        last = self.axes[-1]
        last.tick_params(axis="x", bottom=True, labelbottom=True, labelsize=8.5)
        last.xaxis.set_major_formatter(FuncFormatter(lambda t, _: clock(t, step)))
        last.set_xlabel("time [min:s]", fontsize=8.5, labelpad=2)

    def _share(self, x_in: float, y_in: float) -> tuple[float, float]:
        return x_in / self._width_in, y_in / self._height_in


def two_ticks(ax: Axes, low: float, high: float) -> None:
    """Give an axis its limits and two round values, written inside of them: rows lie close."""
    decade = 10.0 ** np.ceil(np.log10(high - low))
    for step in (decade, decade / 2, decade / 4, decade / 5, decade / 10):
        bottom, top = step * np.ceil(low / step - 1e-9), step * np.floor(high / step + 1e-9)
        if bottom < top:
            break
    ax.set_ylim(low, high)
    ax.set_yticks([bottom, top], [f"{tick + 0.0:g}" for tick in (bottom, top)])  # no "-0"
    for label, value in zip(ax.get_yticklabels(), (bottom, top), strict=True):
        place = (value - low) / (high - low)
        label.set(va="bottom" if place < 0.15 else "top" if place > 0.85 else "center")


def clock(t: float, step: float = 1.0) -> str:
    """A time as m:ss, with tenths where ticks are closer than a second.

    Examples
    --------
    >>> clock(75), clock(5400), clock(-0.5, 0.1)
    ('1:15', '90:00', '-0:00.5')
    """
    tenths = round(abs(t) * 10)
    minutes, rest = divmod(tenths, 600)
    text = f"{minutes}:{rest / 10:04.1f}" if step < 1 else f"{minutes}:{rest // 10:02d}"
    return f"-{text}" if t < 0 and tenths else text
