"""A comparison in words: what was found, how sure it is, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import TYPE_CHECKING

from vsa.bond.comparison.columns import TOLD_FROM, label_of
from vsa.bond.comparison.figures import bare, effect, interval, margin_text, p_value, points, statistic
from vsa.bond.comparison.phrases import joined, kind, level_text
from vsa.bond.comparison.words_model import behaviour_words, model_words

if TYPE_CHECKING:
    from vsa.bond.comparison.compare import Comparison, Score
    from vsa.bond.comparison.records import Group, Test

SIMULATED = "SIMULATED sessions: this says nothing about people."
SURE = 0.05
#: Said at the end, whatever was found.
NOT_ASSIGNED = (
    "Nobody was assigned to a group by chance: differences may come from who is in the groups, and these figures can't "
    "say why there are any."
)
_MORE = "That is more than chance alone would usually give"
_CHANCE = "hance alone can give that"


def words(found: Comparison) -> tuple[str, ...]:
    """Say what was found, one entry for each thing: each factor, the models, ceilings, behaviour, limits.

    The first entry says SIMULATED where the sessions are not of people. There is no word of causes, and none that
    groups are alike unless an equivalence test says so.
    """
    return tuple(_entries(found))


def _entries(found: Comparison) -> Iterator[str]:
    if found.simulated:
        yield SIMULATED
    for factor in found.factors:
        yield _factor(found, factor)
    yield from model_words(found)
    if ceilings := [score for score in found.scores if score.ceiling]:
        yield _ceiling(ceilings)
    yield from behaviour_words(found)
    yield NOT_ASSIGNED


def _factor(found: Comparison, factor: str) -> str:
    """The first score in full, the others in short; groups that are too small; people in several groups."""
    every = found.by(factor)
    told = [test for test in every if test.tested]
    label = label_of(factor)
    said = []
    if told:
        first = told[0]
        said.append(f"By {label}: {_sentence(found, first)} {_verdict(found, first)}{_ranks(first)}")
    if len(told) > 1:
        said.append(_others(found, told[1:]))
    said += [
        f"{_label(found, test)} is not tested by {label}: {test.reason}." for test in every if not test.tested
    ]
    if small := list(
        dict.fromkeys(group.level for test in every for group in test.groups if not group.tested)
    ):
        few = f"fewer than {found.settings.least} {found.unit}s"
        said.append(f"Too few to be tested ({few}): {joined([level_text(level) for level in small])}.")
    if repeated := max((test.repeated for test in told), default=0):
        who = f"{repeated} clients have" if repeated >= TOLD_FROM else "A few clients have"
        said.append(
            f"{who} sessions in several groups and count once in each, as if they were others; the model over sessions "
            "knows who they are."
        )
    return " ".join(said)


def _label(found: Comparison, test: Test) -> str:
    return next(score.label for score in found.scores if score.name == test.outcome)


def _sentence(found: Comparison, test: Test) -> str:
    if not isnan(test.r):
        return _correlated(found, test)
    return _spread(found, test) if isnan(test.g) else _apart(found, test)


def _correlated(found: Comparison, test: Test) -> str:
    return (
        f"{_label(found, test)} was {'higher' if test.r > 0 else 'lower'} on average where {label_of(test.factor)} was "
        f"higher (r = {bare(test.r)}, 95 % interval {interval(test.r_low, test.r_high)}, {test.n} {found.unit}s; "
        f"{statistic(test)}, {_tail(found, test)})."
    )


def _apart(found: Comparison, test: Test) -> str:
    """Two groups; signs of g and t are those of the table: below 0 is lower."""
    groups = {group.level: group for group in test.groups}
    one, other = _who(found, test, groups[test.group]), _who(found, test, groups[test.reference])
    apart = points(abs(test.difference))
    if float(apart) == 0:
        said = f"{_label(found, test)} differed by 0.00 points on average between the {one} and the {other}"
    else:
        said = f"{_label(found, test)} was on average {_beside(test.difference)} in the {one} than in the {other}"
    return (
        f"{said} (95 % interval {_ends(test.low, test.high)}; Hedges' g {bare(test.g)}, "
        f"{interval(test.g_low, test.g_high)}; Welch {statistic(test)}, {_tail(found, test)})."
    )


def _beside(difference: float) -> str:
    return f"{points(abs(difference))} points {'lower' if difference < 0 else 'higher'}"


def _ends(low: float, high: float) -> str:
    """An interval of a difference, without a sign: 0.21 lower to 0.10 higher."""
    if low < 0 < high:
        return f"{points(-low)} lower to {points(high)} higher"
    ends = sorted((abs(low), abs(high)))
    return f"{points(ends[0])} to {points(ends[1])} {'higher' if low >= 0 else 'lower'}"


def _spread(found: Comparison, test: Test) -> str:
    """Three groups or more."""
    tested = sorted((group for group in test.groups if group.tested), key=lambda group: group.mean)
    lowest, highest = (f"{points(one.mean)} ({level_text(one.level)})" for one in (tested[0], tested[-1]))
    return (
        f"mean {_label(found, test)} was between {lowest} and {highest} in {len(tested)} groups of {test.n} "
        f"{found.unit}s (Welch {statistic(test)}, {_tail(found, test)}; eta squared {bare(test.eta2)}, 90 % interval "
        f"{interval(test.share_low, test.share_high)}; omega squared {bare(test.omega2)})."
    )


def _who(found: Comparison, test: Test, group: Group) -> str:
    return f"{group.clients} {found.unit}s {kind(test.factor, group.level)}"


def _tail(found: Comparison, test: Test) -> str:
    own = p_value(test.p)
    return own if found.tested == 1 else f"{own}, {p_value(test.p_holm, 'Holm p')}"


def _verdict(found: Comparison, test: Test) -> str:
    sure = test.p_holm < SURE
    many = f"Among {found.tested} tests, c" if test.p < SURE else "C"
    said = _MORE if sure else many + _CHANCE
    if not isnan(test.r):
        return f"{said}." if sure else f"{said}, which is no evidence that there is no association."
    if isnan(test.g):
        return (
            f"{said}.{_pairs(test)}" if sure else f"{said}, which is no evidence that the groups are alike."
        )
    margin = f"a difference of {margin_text(found.settings.margin)} or more, in either direction,"
    p = p_value(test.equivalence_holm, "equivalence p")
    if test.equivalence_holm < SURE:
        return f"{said}; {margin} can be excluded ({p})."
    return f"{said}." if sure else f"{said}, and {margin} can't be excluded ({p}): these data leave it open."


def _pairs(test: Test) -> str:
    told = [pair for pair in test.pairs if pair.p < SURE]
    if not told:
        return " No single pair of groups differs by more than chance would usually give (Games-Howell)."
    named = [
        f"{level_text(pair.second)} and {level_text(pair.first)} (g {bare(pair.g)}, {p_value(pair.p)})"
        for pair in told
    ]
    return f" Pairs that differ, by Games-Howell: {'; '.join(named)}."


def _ranks(test: Test) -> str:
    if isnan(test.rank_p) or (test.rank_p < SURE) == (test.p < SURE):
        return ""
    return f" A test of ranks says otherwise ({test.rank_test} {p_value(test.rank_p)}): look at how scores are spread."


def _others(found: Comparison, rest: Sequence[Test]) -> str:
    """The other scores of a factor, in one sentence."""
    some = [
        f"{_label(found, test)} {effect(test)}, {_tail(found, test)}{_mark(found, test)}" for test in rest
    ]
    first = rest[0]
    way = f" ({level_text(first.group)} minus {level_text(first.reference)})" if first.group else ""
    said = f"The other score{'s' * (len(rest) > 1)}{way}: {'; '.join(some)}."
    if len(rest) > 1 and all(test.p_holm >= SURE for test in rest):
        said += " Chance alone can give each of these."
    return said


def _mark(found: Comparison, test: Test) -> str:
    if test.p_holm < SURE:
        return " (more than chance would usually give)"
    if test.equivalence_holm < SURE:
        return f" (a difference of {margin_text(found.settings.margin)} or more can be excluded)"
    return ""


def _ceiling(scores: Sequence[Score]) -> str:
    some = []
    for one in scores:
        top = f"the highest {'possible' if one.scale else 'that occurs'}, {one.top:g}"
        some.append(f"{100 * one.at_top:.0f} % of {one.label} ({top})")
    return (
        f"Many sessions' scores can't be told apart, for they are as high as can be: {joined(some)}. Groups may differ "
        "by more, or less, than is told here."
    )
