"""How a session goes: the core set of features in its early, middle and late third, and their slope.

Whatever is measured against a person's own habit (open eyes, neutral face, home direction) is measured against that of
the whole session, so that the thirds can be compared.
"""

from __future__ import annotations

from collections.abc import Callable

from vsa.features.core import CORE
from vsa.features.memo import once
from vsa.features.registry import Bounds, Feature, TooLittle, derived, entered, feature
from vsa.features.session import Session

THIRDS = ("early", "middle", "late")
#: A third shorter than this holds too little of anything, s.
LEAST_THIRD_S = 60.0

_SOURCE = "Thirds of the session: convention of this project. Course within sessions: Ramseyer & Tschacher 2011; as {}."


@once
def thirds(session: Session) -> tuple[Session, Session, Session]:
    """The session in three parts of equal length."""
    start, end = session.span_s
    third = (end - start) / 3
    if third < LEAST_THIRD_S:
        raise TooLittle(f"a third of the session lasts {third:.0f} s, and {LEAST_THIRD_S:.0f} s are needed")
    early, middle, late = (session.part(start + k * third, start + (k + 1) * third) for k in range(3))
    return early, middle, late


def _in_third(core: Feature, which: int) -> Callable[[Session, str], float]:
    def compute(session: Session, scope: str) -> float:
        return core.compute(thirds(session)[which], scope)

    compute.__doc__ = f"In the {THIRDS[which]} third of the session: {_lowered(core.definition)}"
    return compute


def _slope(core: Feature) -> Callable[[Session, str], float]:
    def compute(session: Session, scope: str) -> float:
        early, _, late = (core.compute(part, scope) for part in thirds(session))
        start, end = session.span_s
        return (late - early) / ((end - start) * 2 / 3) * 600

    of = _lowered(core.definition)
    compute.__doc__ = f"Change over the session, per 10 min, of a straight line through its thirds: {of}"
    return compute


def _lowered(text: str) -> str:
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def _enter(core: Feature) -> None:
    group, short = core.name.split(".")

    def enter(name: str, unit: str, bounds: Bounds, compute: Callable[[Session, str], float]) -> None:
        feature(
            f"{group}.{name}",
            scope=core.scope,
            unit=unit,
            range=bounds,
            expect="none",
            needs=core.needs,
            minimum=f"thirds of {LEAST_THIRD_S:.0f} s, each with {core.minimum}",
            source=_SOURCE.format(core.name),
            version=core.version,
        )(compute)

    for k, third in enumerate(THIRDS):
        enter(f"{third}_{short}", core.unit, core.range, _in_third(core, k))
    enter(f"{short}_slope_per_10min", f"{core.unit}/10 min", (None, None), _slope(core))


@derived
def _all() -> None:
    for name in CORE:
        _enter(entered(name))
