"""Models, and behaviour beside them, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vsa.bond.comparison.columns import label_of
from vsa.bond.comparison.design import TIMES
from vsa.bond.comparison.features import MEDIA, NOT_COMPARED
from vsa.bond.comparison.figures import bare, degrees, effect, interval, p_value, points
from vsa.bond.comparison.phrases import joined

if TYPE_CHECKING:
    from vsa.bond.comparison.compare import Comparison
    from vsa.bond.comparison.features import Behaviour
    from vsa.bond.comparison.model import Coefficient, Model, Term

SURE = 0.05
#: Features that are named, at most.
_NAMED = 5


def model_words(found: Comparison) -> Iterator[str]:
    """The models of the first score."""
    clients, sessions = found.models[:2]
    label = found.scores[0].label
    if clients.reason:
        yield f"No model of all factors together: {clients.reason}."
    else:
        yield _terms(found, clients, label)
    if sessions.reason:
        yield f"No mixed model over sessions: {sessions.reason}."
    else:
        yield _mixed(found, clients, sessions, label)


def _terms(found: Comparison, model: Model, label: str) -> str:
    names = [label_of(term.name) for term in model.terms if TIMES not in term.name]
    beside = f"With {joined(names)} in one model of {label}" if len(names) > 1 else f"In the model of {label}"
    told = [_term(model, term) for term in model.terms if _asked(found, term.name)]
    if not told:
        return f"{beside} nothing is left of what is compared by."
    return (
        f"{beside} ({model.clients} {found.unit}s): {'; '.join(told)}. These p are of single terms, and not corrected "
        "for their number."
    )


def _asked(found: Comparison, term: str) -> bool:
    """Whether it is compared by, or is an interaction of what is."""
    return all(part in found.factors for part in term.split(TIMES))


def _term(model: Model, term: Term) -> str:
    f = f"F({degrees(term.df1)}, {degrees(term.df2)}) = {term.f:.2f}, {p_value(term.p)}"
    if TIMES in term.name:
        one, other = (label_of(part) for part in term.name.split(TIMES))
        return f"interaction of {one} and {other} {f}"
    own = [one for one in model.coefficients if one.term == term.name]
    return _coefficient(own[0]) if len(own) == 1 else f"{label_of(term.name)} {f}"


def _coefficient(one: Coefficient) -> str:
    name = one.name.removeprefix(f"{one.term}: ").replace("_", " ")
    ends = interval(one.low, one.high, bounded=False)
    return f"{name} {points(one.value)} points ({ends}; {bare(one.sd)} SD), {p_value(one.p)}"


def _mixed(found: Comparison, clients: Model, model: Model, label: str) -> str:
    """What the model over sessions says otherwise, and whose the variance is."""
    by = {one.name: one for one in model.coefficients}
    compared = [
        (one, by[one.name]) for one in clients.coefficients if one.name in by and one.term in found.factors
    ]
    other = [b for a, b in compared if (a.p < SURE) != (b.p < SURE)]
    said = f"{'The m' if model.method.startswith('m') else 'L'}{model.method[1:]} ({model.n} sessions), "
    if other:
        said += f"says otherwise in this: {'; '.join(_coefficient(one) for one in other)}."
    elif compared:
        said += "agrees in which intervals leave out 0."
    else:
        said += "has terms of its own (see its table)."
    if model.shares is None:
        return said
    shares = (
        ("therapists", model.shares.therapist),
        ("clients", model.shares.client),
        ("sessions", model.shares.session),
    )
    parts = [f"{100 * share:.0f} % between {name}" for name, share in shares if share is not None]
    return f"{said} Of the variance of {label} lie {joined(parts)}."


def behaviour_words(found: Comparison) -> Iterator[str]:
    """Features by the same factors; nothing if none are in the table."""
    tested = [one for one in found.behaviours if one.test.tested]
    if not found.behaviours:
        return
    yield _stands_out(tested) if tested else "Behaviour by the same groups: nothing could be tested."
    apart = [one for one in found.behaviours if one.test.reason == NOT_COMPARED]
    if apart:
        names = joined([label_of(name) for name in dict.fromkeys(one.factor for one in apart)])
        centred = any(one.centred and one.test.tested for one in found.behaviours)
        yield (
            f"Waits, silences and overlaps are not compared by {names}: the medium alone moves them (135 ms between "
            "turns in a room, 487 ms in a video call; Boland et al. 2022) and can't be told apart from these groups."
            + (" By the others they are taken from the median of their platform." if centred else "")
        )
    if any(factor in MEDIA for factor in found.factors):
        yield (
            "Rooms and calls are also filmed and heard in different ways: where behaviour differs by modality, "
            "recordings may be what differs."
        )


def _stands_out(tested: list[Behaviour]) -> str:
    below = sum(one.test.p < SURE for one in tested)
    sure = sorted((one for one in tested if one.q < SURE), key=lambda one: one.q)
    n = len(tested)
    chance = f"about {SURE * n:.0f}" if SURE * n >= 1 else "fewer than 1"
    said = (
        f"Exploratory, behaviour by the same groups: of {n} test{'s' * (n != 1)} {below} "
        f"{'has' if below == 1 else 'have'} p below .05, where chance alone gives {chance}; "
    )
    if not sure:
        return f"{said}none stands out (q below .05)."
    named = "; ".join(_named(one.feature, one.factor, effect(one.test)) for one in sure[:_NAMED])
    more = f" and {len(sure) - _NAMED} more" if len(sure) > _NAMED else ""
    return f"{said}{len(sure)} stand{'s' * (len(sure) == 1)} out (q below .05): {named}{more}."


def _named(feature: str, factor: str, size: str) -> str:
    from vsa.features.words import label

    return f"{label(feature)}, by {label_of(factor)} ({size})"
