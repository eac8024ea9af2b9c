"""Rules for flags without a model: which end of which signal is looked at, and why. One TOML file, checked here.

The file beside this module, ``rules.toml``, is a starting convention; docs/rules.md shows how to change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from vsa.errors import InputError
from vsa.features.registry import DYAD, Feature, find
from vsa.study.cells import shown
from vsa.toml_file import parsed

End = Literal["low", "high", "both"]
Within = Literal["cohort", "platform"]

#: Comes with vsa.
DEFAULT = "rules.toml"
#: Of a cohort's sessions, how many can be called lowest: with 20 of them, one is a twentieth.
SHARES = (0.05, 0.5)

_HINT = "docs/rules.md says what a rule file holds."
_TOP = ("share", "least", "rules")
_SHARE = f"it must be a share from {SHARES[0]:g} to {SHARES[1]:g}"
_LEAST = "it must be a whole number from 1 on"
_TEXTS: Mapping[str, str] = {
    "why": "it must be a sentence in quotes: what the signal has to do with the bond",
    "source": "it must say in quotes where that was read",
    "doubt": "it must be a sentence in quotes: what speaks against it",
}
_CHOICES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "weak": (get_args(End), 'it must be "low", "high" or "both"'),
    "within": (get_args(Within), 'it must be "cohort" or "platform"'),
}
_FEATURE = "it must be one that 'vsa features list' shows, in quotes"
_SCOPES = 'it must list whose, as ["client", "therapist"]'
_KEYS = ("feature", "scopes", *_CHOICES, *_TEXTS)
_SCOPE = re.compile(r"[A-Za-z][\w-]*")
#: Lengthened by the delay of a call, so that platforms are not compared with each other.
_DELAYED = re.compile(r"latency|gap|offset|silence")


@dataclass(frozen=True)
class Rule:
    """One signal, of one or more people.

    Attributes
    ----------
    feature
        Its name without scope: ``face.smile_share``.
    scopes
        Whose: roles, or ``dyad``.
    weak
        The end that is looked at; ``both``: either.
    why, source, doubt
        What it has to do with the bond, where that was read, and what speaks against it (may be empty).
    within
        Compared over the ``cohort``, or within a ``platform`` only, because its delay would show.
    """

    feature: str
    scopes: tuple[str, ...]
    weak: End
    why: str
    source: str
    doubt: str
    within: Within

    @property
    def signals(self) -> tuple[str, ...]:
        """Full names of its columns."""
        return tuple(f"{scope}.{self.feature}" for scope in self.scopes)


@dataclass(frozen=True)
class Rules:
    """All rules of a file.

    Attributes
    ----------
    file
        Its name, for people.
    share
        A signal is weak among the sessions of this share at its end.
    least
        Weak signals that a session must have to be listed.
    rules
        One or more.
    """

    file: str
    share: float
    least: int
    rules: tuple[Rule, ...]

    @property
    def signals(self) -> dict[str, Rule]:
        """Full name of each column that is looked at, and its rule."""
        return {name: rule for rule in self.rules for name in rule.signals}


def load_rules(path: Path | None = None) -> Rules:
    """Read a rule file.

    Parameters
    ----------
    path
        A TOML file of one's own; None for the one that comes with vsa.

    Raises
    ------
    InputError
        When it can't be read, or is wrong: every fault is named.

    Examples
    --------
    >>> rules = load_rules()
    >>> rules.share, rules.signals["dyad.turns.silence_share"].weak
    (0.1, 'high')
    """
    if path is None:
        return parse((resources.files("vsa.bond.rules") / DEFAULT).read_text("utf-8"), DEFAULT)
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} can't be read ({getattr(error, 'strerror', None) or 'it is not UTF-8 text'}).",
            "Check the path.",
        ) from None
    return parse(text, path.name)


def parse(text: str, where: str) -> Rules:
    """Read the text of a rule file; `where` names it.

    Raises
    ------
    InputError
        With every fault.
    """
    try:
        found = parsed(text)
    except ValueError as error:
        raise InputError(f"{where} is no TOML file: {error}.", _HINT) from None
    faults = list(_strangers("", found, _TOP))
    share, least = found.get("share", 0.1), found.get("least", 2)
    if isinstance(share, bool) or not isinstance(share, int | float) or not SHARES[0] <= share <= SHARES[1]:
        faults.append(_wrong("share", share, _SHARE))
    if isinstance(least, bool) or not isinstance(least, int) or least < 1:
        faults.append(_wrong("least", least, _LEAST))
        least = 1
    rules = _rules(found, faults)
    signals = [name for rule in rules for name in rule.signals]
    faults += [
        f"rules: {name} is looked at twice; keep one"
        for name in sorted({*signals})
        if signals.count(name) > 1
    ]
    if not faults and least > len(signals):
        faults.append(f"least: {least} weak signals are never there, for the rules look at {len(signals)}")
    if faults:
        told = "".join(f"\n  {fault}" for fault in faults)
        raise InputError(f"{where} is no rule file:{told}", _HINT)
    return Rules(where, float(share), least, tuple(rules))


def _rules(found: Mapping[str, Any], faults: list[str]) -> list[Rule]:
    some = found.get("rules")
    if not isinstance(some, list) or not some or not all(isinstance(one, dict) for one in some):
        faults.append("rules: there must be one or more, each below a line [[rules]]")
        return []
    read = [_rule(number + 1, one, faults) for number, one in enumerate(some)]
    return [rule for rule in read if rule is not None]


def _rule(number: int, found: Mapping[str, Any], faults: list[str]) -> Rule | None:
    """One rule; None, and what is wrong in `faults`, if it is none."""
    name = found.get("feature")
    named = f" ({shown(name, 60)})" if isinstance(name, str) else ""
    at = f"rule {number}{named}, "
    before = len(faults)
    faults += _strangers(at, found, _KEYS)
    entry = _feature(at, found, faults)
    scopes = _scopes(at, found, entry, faults)
    for key, (choices, right) in _CHOICES.items():
        if key not in found and key == "weak":
            faults.append(f"{at}weak: is missing; {right}")
        elif key in found and found[key] not in choices:
            faults.append(_wrong(f"{at}{key}", found[key], right))
    for key, right in _TEXTS.items():
        if key not in found and key != "doubt":
            faults.append(f"{at}{key}: is missing; {right}")
        elif key in found and not (isinstance(found[key], str) and found[key].strip()):
            faults.append(_wrong(f"{at}{key}", found[key], right))
    if entry is None or len(faults) > before:
        return None
    return Rule(
        feature=entry.name,
        scopes=scopes,
        weak=found["weak"],
        why=found["why"].strip(),
        source=found["source"].strip(),
        doubt=found.get("doubt", "").strip(),
        within=found.get("within", "platform" if _DELAYED.search(entry.name) else "cohort"),
    )


def _feature(at: str, found: Mapping[str, Any], faults: list[str]) -> Feature | None:
    name = found.get("feature")
    if not isinstance(name, str):
        told = (
            f"{at}feature: is missing; {_FEATURE}" if name is None else _wrong(f"{at}feature", name, _FEATURE)
        )
        faults.append(told)
        return None
    try:
        entry = find(name)
    except InputError as error:
        faults.append(f"{at}feature: there is none of that name; {error.hint}")
        return None
    if entry.group == "quality":
        faults.append(f"{at}feature: it describes the recording, not the people")
        return None
    return entry


def _scopes(at: str, found: Mapping[str, Any], entry: Feature | None, faults: list[str]) -> tuple[str, ...]:
    """Whose signal it is: told in the feature's full name, or by `scopes`."""
    some = found.get("scopes")
    if entry is None:
        return ()
    full = str(found["feature"]).removesuffix(entry.name).rstrip(".")
    if some is None and not full:
        if entry.scope == DYAD:
            return (DYAD,)
        faults.append(f"{at}scopes: is missing; {_SCOPES}")
        return ()
    if some is not None and full:
        faults.append(f"{at}scopes: the feature's name says already whose it is; keep one of the two")
        return ()
    scopes = [full] if some is None else some
    right = (
        isinstance(scopes, list)
        and scopes
        and all(isinstance(s, str) and _SCOPE.fullmatch(s) for s in scopes)
    )
    if not right:
        faults.append(_wrong(f"{at}scopes", scopes, _SCOPES))
    elif len({*scopes}) < len(scopes):
        faults.append(f"{at}scopes: somebody is there twice")
    elif entry.scope == DYAD and scopes != [DYAD]:
        faults.append(f'{at}scopes: it is of both together; leave scopes out, or say ["{DYAD}"]')
    elif entry.scope != DYAD and DYAD in scopes:
        faults.append(f"{at}scopes: it is of one person, not of both together; {_SCOPES}")
    return tuple(map(str, scopes)) if right else ()


def _strangers(at: str, found: Mapping[str, Any], keys: Iterable[str]) -> Iterable[str]:
    for key in found:
        if key not in keys:
            meant = get_close_matches(key, list(keys), n=1)
            yield f"{at}{shown(key, 40)}: there is no such key{f'; is {meant[0]} meant?' if meant else ''}"


def _wrong(place: str, value: object, right: str) -> str:
    return f"{place}: '{shown(str(value), 40)}' won't do; {right}"
