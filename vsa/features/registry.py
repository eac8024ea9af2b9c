"""The registry: every feature's definition, and the row that they make of a session.

A feature is one function under `@feature`; its docstring's first line is its definition. Documentation, reports,
`vsa features` and the checks for missing data read the same entry.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from vsa.errors import InputError
from vsa.features.session import Session

Scope = Literal["role", "dyad"]
Expect = Literal["higher", "lower", "none"]
Bounds = tuple[float | None, float | None]
Function = Callable[[Session, str], float]

GROUPS = ("gaze", "blink", "face", "head", "voice", "turns", "sync", "quality")
#: Lowest and highest value that a unit allows.
UNIT_RANGES: Mapping[str, Bounds] = {
    "share": (0.0, 1.0),
    "score": (0.0, 1.0),
    "difference": (-1.0, 1.0),
    "r": (-1.0, 1.0),
    **dict.fromkeys(("1/min", "1/s", "min", "px", "Hz", "cm", "cm/s", "grey levels/s", "ratio"), (0.0, None)),
}
#: Scopes of a pair take this name in feature names.
DYAD = "dyad"

_NAME = re.compile(rf"({'|'.join(GROUPS)})\.[a-z][a-z0-9_]*")
_FULL_NAME = re.compile(rf"[A-Za-z][\w-]*\.({'|'.join(GROUPS)})\.[a-z][a-z0-9_]*")
_REGISTRY: dict[str, Feature] = {}
_DERIVED: list[Callable[[], None]] = []
_FILLING = threading.RLock()


class TooLittle(Exception):
    """A feature can't be computed from what there is; the text says why, for people."""


@dataclass(frozen=True)
class Feature:
    """One entry of the registry.

    Attributes
    ----------
    name
        ``<group>.<name>``; the unit ends it where there is one.
    definition
        What it is, in one sentence.
    scope
        ``role``: one value for each person; ``dyad``: one for a pair.
    unit
        ``share`` for 0-1, else the unit's sign.
    range
        Lowest and highest possible value; None where there is no bound.
    expect
        Direction that studies report with a stronger bond. Nothing is computed from it.
    needs
        Signals that it rests on.
    minimum
        Data that it needs at least, in words.
    source
        Where the definition comes from.
    version
        Raised when the same signals would give another number: models trained on the old one are refused.
    compute
        The function: session and scope in, the value out.
    """

    name: str
    definition: str
    scope: Scope
    unit: str
    range: Bounds
    expect: Expect
    needs: tuple[str, ...]
    minimum: str
    source: str
    version: int
    compute: Function

    @property
    def group(self) -> str:
        """One of `GROUPS`."""
        return self.name.split(".")[0]


@dataclass(frozen=True)
class SessionFeatures:
    """One session's row.

    Attributes
    ----------
    row
        Full name (``client.gaze.on_screen_share``) to value; NaN where it could not be computed.
    missing
        Full name to the reason, for each NaN.
    """

    row: Mapping[str, float]
    missing: Mapping[str, str]


def feature(
    name: str,
    *,
    unit: str,
    needs: tuple[str, ...],
    minimum: str,
    source: str,
    scope: Scope = "role",
    range: Bounds | None = None,
    expect: Expect = "none",
    version: int = 1,
) -> Callable[[Function], Function]:
    """Enter a function into the registry; see `Feature` for the parameters. The range may be that of the unit.

    Raises
    ------
    ValueError
        For a name outside the groups or taken already, or a function without a docstring: a defect, not an input.
    """

    def enter(function: Function) -> Function:
        definition = (function.__doc__ or "").strip().split("\n")[0]
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name}: a feature is called <group>.<name>, with group one of {GROUPS}")
        if name in _REGISTRY:
            raise ValueError(f"{name} is in the registry already")
        if not definition:
            raise ValueError(f"{name}: the docstring's first line is the definition, and there is none")
        _REGISTRY[name] = Feature(
            name,
            definition,
            scope,
            unit,
            UNIT_RANGES.get(unit, (None, None)) if range is None else range,
            expect,
            needs,
            minimum,
            source,
            version,
            function,
        )
        return function

    return enter


def entered(name: str) -> Feature:
    """The entry of a feature that is there already: for `derived`."""
    return _REGISTRY[name]


def features() -> tuple[Feature, ...]:
    """All features, in the order of `GROUPS` and then of their names."""
    _fill()
    return tuple(sorted(_REGISTRY.values(), key=lambda f: (GROUPS.index(f.group), f.name)))


def derived(enter: Callable[[], None]) -> Callable[[], None]:
    """Call a function that enters features made of others, once all others are there."""
    _DERIVED.append(enter)
    return enter


def find(name: str) -> Feature:
    """The entry of a feature, by its name or its full name with a scope.

    Raises
    ------
    InputError
        When there is none; the hint names the nearest.
    """
    _fill()
    short = name if name in _REGISTRY else name.partition(".")[2]
    if short in _REGISTRY:
        return _REGISTRY[short]
    import difflib

    near = difflib.get_close_matches(name, _REGISTRY, n=3, cutoff=0.4)
    hint = f"Did you mean {', '.join(near)}?" if near else "'vsa features list' shows all."
    raise InputError(f"There is no feature '{name}'.", hint)


def is_full_name(name: str) -> bool:
    """Whether a column is named as features are: ``<scope>.<group>.<name>``."""
    return _FULL_NAME.fullmatch(name) is not None


def versions(full_names: Iterable[str]) -> dict[str, int]:
    """Versions of those of the named features that this vsa computes."""
    _fill()
    short = {name: name.partition(".")[2] for name in full_names}
    return {name: _REGISTRY[s].version for name, s in short.items() if s in _REGISTRY}


def compute(session: Session) -> SessionFeatures:
    """Compute every feature of a session.

    What can't be computed is NaN, and `missing` says why.
    """
    row: dict[str, float] = {}
    missing: dict[str, str] = {}
    for entry in features():
        for scope in session.scopes if entry.scope == "role" else (DYAD,):
            name = f"{scope}.{entry.name}"
            try:
                value = float(entry.compute(session, scope))
            except TooLittle as reason:
                value, missing[name] = math.nan, str(reason)
            else:
                if not math.isfinite(value):
                    value, missing[name] = math.nan, "the signals give no value"
            row[name] = value
    return SessionFeatures(row, missing)


def _fill() -> None:
    """Have every module of this room imported, so that each has entered its features."""
    with _FILLING:  # a thread that imports ahead may be at it
        _import_all()


@cache
def _import_all() -> None:
    import vsa.features

    for module in pkgutil.iter_modules(vsa.features.__path__):
        importlib.import_module(f"vsa.features.{module.name}")
    for enter in _DERIVED:
        enter()
