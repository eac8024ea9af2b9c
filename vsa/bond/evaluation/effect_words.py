"""Which signals go with the bond, in sentences: how much, how sure, and against what studies report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from vsa.bond.evaluation.effects import Effect, Effects
from vsa.bond.evaluation.stability import Stability
from vsa.errors import InputError
from vsa.features.registry import DYAD, find

#: p and q below which something is said; one test in twenty is below without any effect.
CHANCE = 0.05
LIMIT = 8
_WEAK, _STRONG = "May be chance", "Shown here"
#: Scope -> those who are compared with each other, and what one of them is like in some sessions.
_WHO: Mapping[str, tuple[str, str]] = {
    "client": ("Clients", "the client was higher than usual for this client"),
    "therapist": ("Therapists", "the therapist was higher than usual with this client"),
    DYAD: ("Pairs", "the pair was higher than usual for this pair"),
}
_CITATION = re.compile(r"[A-Z][\w-]+(?: et al\.| & [A-Z][\w-]+)? \d{4}|PsyArXiv \w+")
_ABOUT_BOND = re.compile(r"alliance|relationship|connection|rapport|bond", re.IGNORECASE)


def effect_words(
    effects: Effects, stability: Sequence[Stability] = (), limit: int = LIMIT
) -> tuple[str, ...]:
    """Say which signals went with the bond.

    Parameters
    ----------
    effects
        Of the signals.
    stability
        Of the same; empty where it is not known.
    limit
        Signals to name at most, those of the smallest p.

    Returns
    -------
    The first sentence says SIMULATED where the sessions are not of people; the next counts what chance would bring.
    Then one entry of a few sentences for each signal whose p is below .05, and what the reader should know.

    Examples
    --------
    >>> from vsa.bond.cohort import Cohort
    >>> from vsa.bond.evaluation.effects import effects
    >>> from vsa.simulate.cohort import simulate_cohort
    >>> found = effects(Cohort.from_table(simulate_cohort(40, 3, seed=3, effects={})))
    >>> effect_words(found)[0]
    'SIMULATED sessions: this says nothing about people.'
    """
    return tuple(_sentences(effects, stability, limit))


def _sentences(effects: Effects, stability: Sequence[Stability], limit: int) -> Iterator[str]:
    if effects.simulated:
        yield "SIMULATED sessions: this says nothing about people."
    tested = [one for one in effects.effects if one.p is not None]
    told = sorted((one for one in tested if _below(one.p)), key=lambda one: one.p or 0.0)
    if not tested:
        yield "No signal could be tested."
    else:
        yield _count(len(tested), len(told), sum(_below(one.q) for one in told))
    held = {(one.feature, one.part): one for one in stability}
    for one in told[:limit]:
        yield _effect(one, held.get((one.feature, one.part)), len(tested))
    if len(told) > limit:
        more = len(told) - limit
        yield f"{more} more with p below .05 {'is' if more == 1 else 'are'} not named here."
    yield from _shares(effects)
    yield from effects.notes


def _below(value: float | None) -> bool:
    return value is not None and value < CHANCE


def _count(tests: int, below: int, sure: int) -> str:
    expected = f"{CHANCE * tests:.0f}" if CHANCE * tests >= 1 else "fewer than 1"
    counted = (
        f"f {tests} test{'s' * (tests != 1)}, {below} {'has' if below == 1 else 'have'} p below .05, and {expected} "
        f"{'is' if expected == '1' else 'are'} expected by chance"
    )
    if not sure:
        return f"No signal stands out: o{counted}."
    return f"O{counted}; {sure} {'stands' if sure == 1 else 'stand'} out (q below .05)."


def _effect(effect: Effect, held: Stability | None, tests: int) -> str:
    beta, low, high = effect.beta or 0.0, effect.low or 0.0, effect.high or 0.0
    sign = 1 if beta > 0 else -1
    ends = sorted((sign * low, sign * high))
    said = (
        f"{_direction(effect, 'higher' if sign > 0 else 'lower')}, by {_number(abs(beta))} SD for each SD more "
        f"(95 % interval {_number(ends[0])} to {_number(ends[1])}). "
    )
    said += _STRONG if _below(effect.q) else f"{_WEAK}: 1 of {tests} test{'s' * (tests != 1)}"
    return f"{said}{_held(held, sign)}. {_studies(effect)}"


def _direction(effect: Effect, bond: str) -> str:
    """Where the bond was higher, or lower: the beginning of a sentence."""
    from vsa.features.words import label

    called = label(effect.feature)
    scope, what = effect.feature.partition(".")[0], called.partition(": ")[2] or called
    other = (f"Those in the role {scope}", f"{scope} was higher than usual with this client")
    people, sessions = _WHO.get(scope, other)
    if effect.part == "level":
        return f"{people} who were higher than others in {what} had a {bond} reported bond"
    if effect.part == "":
        sessions = f"{sessions.partition(' was ')[0]} was higher than in others"
    return f"In sessions in which {sessions} in {what}, the reported bond was {bond}"


def _number(value: float) -> str:
    """Two digits, without the 0 before the point, as the field writes them."""
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 0.995 else f"{value:.2f}"


def _held(held: Stability | None, sign: int) -> str:
    if held is None:
        return ""
    if held.coefficient * sign < 0:
        return "; beside all other signals its direction was the opposite"
    return f"; the direction held in {100 * held.sign_consistency:.0f} % of resamples of these clients"


def _studies(effect: Effect) -> str:
    match effect.agrees:
        case "as reported":
            return f"Studies report the same direction{_source(effect.feature)}."
        case "opposite to what is reported":
            return f"Studies report the opposite{_source(effect.feature)}."
        case "studies report no direction":
            return "Studies report no direction."
        case _:
            return "What studies report is not known."


def _source(feature: str) -> str:
    """Who reports it, in brackets; empty where the registry does not say."""
    try:
        entry = find(feature)
        # a threshold's or a chance level's source may lie with the feature that it is made as
        alike = re.match(r"As (\w+\.\w+)", entry.source)
        sources = (entry.source, find(alike[1]).source if alike else "")
    except InputError:
        return ""
    for source in sources:
        parts = [part for part in re.split(r"(?<! al)\.\s|;", source) if _ABOUT_BOND.search(part)]
        if names := [name for part in parts for name in _CITATION.findall(part)]:
            return f" ({', '.join(dict.fromkeys(names))})"
    return ""


def _shares(effects: Effects) -> Iterator[str]:
    found = effects.shares
    between = {"therapists": found.therapist, "clients": found.client, "sessions": found.session}
    parts = [f"{100 * share:.0f} % between {who}" for who, share in between.items() if share is not None]
    if len(parts) > 1:
        of = " that covariates leave" if effects.covariates else ""
        yield f"Of the bond's variance{of}, there is {', '.join(parts[:-1])} and {parts[-1]}."
