"""What pictures of an evaluation are drawn on: a title, panels side by side, and how to read them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vsa.bond.model import ModelInfo

Floats = npt.NDArray[np.float64]

#: Of Okabe & Ito 2008; they differ in lightness too.
BLUE, ORANGE, SKY = "#0072B2", "#D55E00", "#56B4E9"
DARK, FAINT, GRID = "#222222", "#707070", "0.9"
#: Inches above the panels for the title, and below them for a line of explanation.
_ABOVE_IN, _LINE_IN = 0.46, 0.18


def panels(
    info: ModelInfo, title: str, *, columns: int, size: tuple[float, float], said: str = ""
) -> tuple[Figure, list[Axes]]:
    """Make a figure.

    Parameters
    ----------
    info
        The model's: simulated ones say so in the title.
    title
        What the picture is about.
    columns
        Panels side by side.
    size
        Width and height, inches.
    said
        Below the panels: how to read them.

    Returns
    -------
    The figure, and its axes from left to right.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width, height = size
    lines = textwrap.wrap(said, int(width * 15.5))
    below = (0.18 + _LINE_IN * len(lines)) if lines else 0.0
    rect = (0.01, below / (height + below), 0.98, 1 - (below + _ABOVE_IN) / (height + below))
    figure = Figure(
        figsize=(width, height + below),
        layout=ConstrainedLayoutEngine(rect=rect, w_pad=0.08),
        facecolor="white",
    )
    told = f"SIMULATED: {title[0].lower()}{title[1:]}" if info.simulated else title
    figure.text(
        0.18 / width,
        1 - 0.14 / (height + below),
        told,
        fontsize=12,
        fontweight="bold",
        va="top",
        color=DARK,
    )
    for k, line in enumerate(reversed(lines)):
        y = (0.08 + _LINE_IN * k) / (height + below)
        figure.text(0.18 / width, y, line, fontsize=8.5, color=FAINT, va="bottom")
    axes = figure.subplots(1, columns, squeeze=False)[0].tolist()
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8.5)
        ax.set_axisbelow(True)
    return figure, axes


def wrapped(text: str, width: int, lines: int = 2) -> str:
    r"""Text in so many lines of so many characters at most; what is too long loses words before its end.

    Examples
    --------
    >>> wrapped("share of the talking in which they overlap", 24)
    'share of the talking in\nwhich they overlap'
    >>> wrapped("share of the talking in which they overlap, while listening, late third", 24)
    'share of the talking in\n... late third'
    """
    text = " ".join(text.split())
    kept = textwrap.wrap(text, width)
    if len(kept) <= lines:
        return "\n".join(kept)
    end = text[-(width - 4) :]
    return "\n".join([*kept[: lines - 1], f"... {end.partition(' ')[2] or end}"])
