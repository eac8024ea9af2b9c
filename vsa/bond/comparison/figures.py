"""Figures as they are printed, so that words, tables and pictures say the same ones."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsa.bond.comparison.records import Test


def bare(x: float, digits: int = 2) -> str:
    """A number of which most are below 1 (g, r, shares), without the 0 before the point.

    Examples
    --------
    >>> bare(0.104), bare(-0.3), bare(-0.001), bare(1.25)
    ('.10', '-.30', '.00', '1.25')
    """
    text = f"{x:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def points(x: float) -> str:
    """A difference or mean in points.

    Examples
    --------
    >>> points(-0.004), points(3.456)
    ('0.00', '3.46')
    """
    text = f"{x:.2f}"
    return text.removeprefix("-") if float(text) == 0 else text


def margin_text(margin: float) -> str:
    """The margin of an equivalence test.

    Examples
    --------
    >>> margin_text(0.3), margin_text(0.25), margin_text(1.0)
    ('.3 SD', '.25 SD', '1 SD')
    """
    text = f"{margin:g}"
    return f"{text.removeprefix('0') if text.startswith('0.') else text} SD"


def p_value(p: float, name: str = "p") -> str:
    """A p value with its sign.

    Examples
    --------
    >>> p_value(0.0423), p_value(0.0002), p_value(1.0, "Holm p")
    ('p = .042', 'p < .001', 'Holm p = 1')
    """
    if p < 0.001:
        return f"{name} < .001"
    text = bare(p, 3)
    return f"{name} = {'1' if text == '1.000' else text}"


def interval(low: float, high: float, *, bounded: bool = True) -> str:
    """Ends of an interval: of g, r and shares (`bounded`), else in points."""
    tell = bare if bounded else points
    return f"{tell(low)} to {tell(high)}"


def degrees(df: float) -> str:
    """Degrees of freedom: whole ones as such.

    Examples
    --------
    >>> degrees(41.234), degrees(58.0)
    ('41.2', '58')
    """
    return f"{df:.0f}" if float(df).is_integer() else f"{df:.1f}"


def statistic(test: Test) -> str:
    """A test with its degrees of freedom: ``t(41.2) = 0.42``, ``F(4, 31.3) = 0.27``; empty if there is none."""
    if not test.tested:
        return ""
    if isnan(test.df1):
        return f"t({degrees(test.df2)}) = {test.statistic:.2f}"
    return f"F({degrees(test.df1)}, {degrees(test.df2)}) = {test.statistic:.2f}"


def effect(test: Test) -> str:
    """The effect size with its interval: g of two groups, eta squared of more, r; empty if there is none."""
    if not isnan(test.g):
        return f"g {bare(test.g)} ({interval(test.g_low, test.g_high)})"
    if not isnan(test.r):
        return f"r {bare(test.r)} ({interval(test.r_low, test.r_high)})"
    return f"eta2 {bare(test.eta2)} ({interval(test.share_low, test.share_high)})" if test.tested else ""
