"""A comparison for a terminal: who is in it, the tests, the models, and what that says."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING

from vsa.bond.comparison.columns import TOLD_FROM, label_of
from vsa.bond.comparison.design import TIMES
from vsa.bond.comparison.figures import (
    bare,
    degrees,
    effect,
    interval,
    margin_text,
    p_value,
    points,
    statistic,
)
from vsa.bond.comparison.phrases import level_text
from vsa.bond.comparison.words import SIMULATED

if TYPE_CHECKING:
    from vsa.bond.comparison.compare import Comparison
    from vsa.bond.comparison.model import Coefficient, Model, Term
    from vsa.bond.comparison.records import Group, Test

_WIDTH = 112
_HIDDEN = f"<{TOLD_FROM}"


def comparison_text(found: Comparison) -> str:
    """What was found, in a page or so; the models of the first score only."""
    return "\n".join(_lines(found))


def _lines(found: Comparison) -> Iterator[str]:
    if found.simulated:
        yield SIMULATED
    if not found.tested:
        for entry in found.words[found.simulated :]:
            yield from textwrap.wrap(entry, _WIDTH, break_on_hyphens=False)
        return
    about = "about " * found.rounded
    people = f" of {about}{found.clients} clients" if found.unit == "client" else ""
    scores = ", ".join(score.label for score in found.scores)
    yield f"{scores[0].upper()}{scores[1:]}: {about}{found.sessions} sessions{people} ({found.source})."
    for factor in found.factors:
        yield from _groups(found, factor)
    yield ""
    yield from _tests(found)
    for model in found.models[:2]:
        yield ""
        yield from _model(model, _label(found, model.outcome), found.unit)
    if more := [score.label for score in found.scores[1:]]:
        yield f"  (The models of {', '.join(more)} are in comparison.json, or --json.)"
    yield "\nIn words"
    for entry in found.words[found.simulated :]:
        yield from textwrap.wrap(
            entry, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
        yield ""
    for note in found.notes:
        yield f"Note: {note}"


def _label(found: Comparison, name: str) -> str:
    return next(score.label for score in found.scores if score.name == name)


def _groups(found: Comparison, factor: str) -> Iterator[str]:
    """Numbers and means, a row a group; a factor that is a number has none."""
    every = found.by(factor)
    levels = list(dict.fromkeys(group.level for test in every for group in test.groups))
    if not levels:
        return
    counted = f"{found.unit}s"
    yield ""
    yield f"{_cut(label_of(factor), 24):<24}{counted:>9}{'sessions':>10}" + "".join(
        f"{_cut(_label(found, test.outcome), 13) + ' (SD)':>18}" for test in every
    )
    for level in levels:
        groups = [next((group for group in test.groups if group.level == level), None) for test in every]
        first = next(group for group in groups if group is not None)
        yield (
            f"  {_cut(level_text(level), 22):<22}{_count(first.clients):>9}{_count(first.sessions):>10}"
            + "".join(f"{_mean(group):>18}" for group in groups)
        )


def _cut(text: str, width: int) -> str:
    """Text that leaves a space in a column of so many characters."""
    return text if len(text) < width else f"{text[: width - 4]}..."


def _count(n: int | None) -> str:
    return _HIDDEN if n is None else str(n)


def _mean(group: Group | None) -> str:
    if group is None:
        return "-"
    return f"{points(group.mean)} ({points(group.sd)})" if group.tested else "too few"


def _tests(found: Comparison) -> Iterator[str]:
    margin = margin_text(found.settings.margin)
    yield (
        f"{f'Tests ({found.unit}s count once)':<32}{'difference (95 %)':>23}  {'effect size':<25}{'test':<23}"
        f"{'p':>7}{'Holm p':>8}{f'within {margin}':>18}"
    )
    for factor in found.factors:
        every = found.by(factor)
        compared = next((test for test in every if test.group), None)
        way = f": {level_text(compared.group)} minus {level_text(compared.reference)}" if compared else ""
        yield f"  {label_of(factor)}{way}"
        for test in every:
            yield _row(test, _label(found, test.outcome))
    yield f"  {_how(found)}"


def _row(test: Test, label: str) -> str:
    if not test.tested:
        return f"    {_cut(label, 28):<28}not tested: {test.reason}"
    difference = "" if isnan(test.difference) else f"{points(test.difference)} ({_ends(test)})"
    within = ""
    if not isnan(test.equivalence_holm):
        within = f"{'yes' if test.equivalence_holm < 0.05 else 'not shown'}, {_p(test.equivalence_holm)}"
    numbers = f"{effect(test):<25}{statistic(test):<23}{_p(test.p):>7}{_p(test.p_holm):>8}"
    return f"    {_cut(label, 28):<28}{difference:>23}  {numbers}{within:>18}".rstrip()


def _ends(test: Test) -> str:
    return interval(test.low, test.high, bounded=False)


def _p(p: float) -> str:
    return p_value(p).removeprefix("p = ").removeprefix("p ")


def _how(found: Comparison) -> str:
    kinds = {test.test for test in found.tests if test.tested}
    said = ["g, r: 95 % intervals"] if kinds - {"Welch F"} else []
    said += ["eta2: 90 %"] if "Welch F" in kinds else []
    return f"{'; '.join(said)}. Tests that p is adjusted for (Holm): {found.tested}."


def _model(model: Model, label: str, unit: str) -> Iterator[str]:
    if model.reason:
        yield f"Model of {label} over {model.over}: none, for {model.reason}."
        yield from (f"  {note}" for note in model.notes)
        return
    yield f"Model of {label}: {model.formula}"
    people = f"{model.clients} {unit}s"
    rows = people if model.over == "clients" and model.n == model.clients else f"{model.n} rows of {people}"
    therapists = "" if model.therapists is None else f", {model.therapists} therapists"
    r2 = "" if isnan(model.r2) else f"; R2 {bare(model.r2)}"
    yield f"  {model.method[0].upper()}{model.method[1:]}; {rows}{therapists}{r2}"
    yield f"  {'':<46}{'points (95 %)':>24}{'SD (95 %)':>24}{'p':>8}"
    yield from (_coefficient(one) for one in model.coefficients)
    yield from (_term(term) for term in model.terms if term.df1 > 1)
    if model.shares is not None:
        yield f"  Variance without anything else in the model: {_shares(model)}"
    yield from (f"  {note}" for note in model.notes)


def _coefficient(one: Coefficient) -> str:
    in_points = f"{points(one.value)} ({interval(one.low, one.high, bounded=False)})"
    in_sd = f"{bare(one.sd)} ({interval(one.sd_low, one.sd_high)})"
    name = one.name if TIMES in one.name else one.name.replace("_", " ")
    return f"  {_cut(name, 46):<46}{in_points:>24}{in_sd:>24}{_p(one.p):>8}"


def _term(term: Term) -> str:
    f = f"F({degrees(term.df1)}, {degrees(term.df2)}) = {term.f:.2f}"
    return f"  {f'{label_of(term.name)}, all of it':<46}{f:>24}{'':>24}{_p(term.p):>8}"


def _shares(model: Model) -> str:
    shares: Sequence[tuple[str, float | None]] = (
        ()
        if model.shares is None
        else (
            ("therapists", model.shares.therapist),
            ("clients", model.shares.client),
            ("sessions", model.shares.session),
        )
    )
    return ", ".join(f"{name} {bare(share)}" for name, share in shares if share is not None) + "."
