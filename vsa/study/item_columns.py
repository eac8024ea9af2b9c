"""Which columns of a table (or names in a long one) are the items of a questionnaire, however they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vsa.errors import InputError
from vsa.study.cells import shown
from vsa.study.instruments import Instrument
from vsa.study.instruments import names as known_names

#: What people write for who filled in a form -> who that is. "c", "p" and "t" are left out: they mean too much.
RESPONDENTS: Mapping[str, str] = {
    **dict.fromkeys(("client", "clients", "patient", "patients", "consumer"), "client"),
    **dict.fromkeys(("therapist", "therapists", "counselor", "counsellor", "clinician"), "therapist"),
    **dict.fromkeys(("psychotherapist", "provider", "practitioner"), "therapist"),
    **dict.fromkeys(("observer", "observers", "judge", "coder"), "observer"),
}
_ITEM = "{item}"
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,4}(?![0-9])")
#: Groups of columns that a message tells of.
_TOLD = 4


@dataclass(frozen=True)
class ItemNames:
    """The names that a table has for a questionnaire's items.

    Attributes
    ----------
    of
        Item -> its names: one column in a wide table, or spellings in a long one. Items without a name are absent.
    pattern
        As ``--items`` would say it.
    respondent
        Who filled the items in, if their names say so (``client_wai_3``); else None.
    """

    of: Mapping[str, tuple[str, ...]]
    pattern: str
    respondent: str | None


@dataclass
class _Group:
    """Names that differ in the item alone."""

    before: str
    after: str
    tokens: tuple[str, ...]
    items: dict[str, list[str]] = field(default_factory=dict)
    beyond: list[str] = field(default_factory=list)

    @property
    def pattern(self) -> str:
        return f"{self.before}{_ITEM}{self.after}"

    @property
    def respondent(self) -> str | None:
        return next((RESPONDENTS[token] for token in self.tokens if token in RESPONDENTS), None)


def squash(name: str) -> str:
    """A name without case, blanks and punctuation."""
    return re.sub(r"[\W_]", "", name).casefold()


def find_items(
    names: Sequence[str], instrument: Instrument, pattern: str | None = None, respondents: Sequence[str] = ()
) -> ItemNames:
    """Find a questionnaire's items among names.

    An item's name is a prefix, its number (or its name, where the items have names) and a suffix; prefix and suffix are
    the same for all but for the name of the scale that an item belongs to (``bond3``). Case, separators and leading
    zeros don't matter.

    Parameters
    ----------
    names
        The table's columns, or what the column of items of a long table holds.
    instrument
        The questionnaire.
    pattern
        The names, with ``{item}`` where the item stands: nothing is guessed, and items may be absent.
    respondents
        Whose answers are wanted: names that say another's are passed over. Empty: the questionnaire's.

    Raises
    ------
    InputError
        When the items are not all there, when there are several sets of them, or when they look like another
        questionnaire's. Says what was found.

    Examples
    --------
    >>> from vsa.study.instruments import load
    >>> find_items([f"WAI-SR.{k:02}" for k in range(1, 13)], load("wai-sr")).pattern
    'WAI-SR.{item}'
    """
    if pattern is not None:
        return _by_pattern(names, instrument, pattern)
    groups = _groups(names, instrument)
    wanted = set(respondents or instrument.respondents)
    fitting = [
        group
        for group in groups
        if len(group.items) == len(instrument.items)
        and not group.beyond
        and not _others(group, instrument)
        and group.respondent in {None, *wanted}
    ]
    documented = [g for g in fitting if (squash(g.before), g.after) == (squash(instrument.id), "")]
    named = [group for group in fitting if _mentioned(group, instrument) == instrument.id]
    some = documented or named or fitting
    if len(some) != 1:
        raise _unclear(names, instrument, some or groups, several=bool(some))
    return _found(some[0], instrument)


def _by_pattern(names: Sequence[str], instrument: Instrument, pattern: str) -> ItemNames:
    if pattern.count(_ITEM) != 1:
        raise InputError(
            f"--items '{shown(pattern)}' does not hold {_ITEM} once.",
            f"Write {_ITEM} where an item's number or name stands, as 'wai_{_ITEM}'.",
        )
    before, after = pattern.split(_ITEM)
    group = _Group(before, after, _tokens(before, after))
    for name in names:
        for start, item, end in _splits(name, instrument):
            around = {(squash(b), squash(a)) for b, a in _without_scale(start, item, end, instrument)}
            if item in instrument.items and (squash(before), squash(after)) in around:
                group.items.setdefault(item, []).append(name)
    if not group.items:
        raise InputError(
            f"No column fits --items '{shown(pattern)}' with an item of {instrument.id} in it.",
            f"There are: {_listed(names)}.",
        )
    for item, some in group.items.items():
        if (exact := f"{before}{item}{after}") in some:
            group.items[item] = [exact]
    return _found(group, instrument)


def _found(group: _Group, instrument: Instrument) -> ItemNames:
    of = {item: tuple(group.items[item]) for item in instrument.items if item in group.items}
    return ItemNames(of, group.pattern, group.respondent)


def _groups(names: Sequence[str], instrument: Instrument) -> list[_Group]:
    """Names by what is left of them without the item; those with the most items first."""
    groups: dict[tuple[str, str], _Group] = {}
    for name in names:
        for before, item, after in _splits(name, instrument):
            for start, end in _without_scale(before, item, after, instrument):
                key = squash(start), squash(end)
                group = groups.setdefault(key, _Group(start, end, _tokens(start, end)))
                if item not in instrument.items:
                    group.beyond.append(item)
                elif name not in group.items.setdefault(item, []):
                    group.items[item].append(name)
    distinct: dict[tuple[object, ...], _Group] = {}
    for group in groups.values():
        if group.items:
            distinct.setdefault(tuple(sorted((item, *some) for item, some in group.items.items())), group)
    return sorted(distinct.values(), key=lambda group: -len(group.items))


def _splits(name: str, instrument: Instrument) -> Iterator[tuple[str, str, str]]:
    """Ways to see a name as something, an item, and something."""
    if all(item.isdecimal() for item in instrument.items):
        for match in _NUMBER.finditer(name):
            yield name[: match.start()], str(int(match[0])), name[match.end() :]
        return
    for item in instrument.items:
        for match in re.finditer(r"[\W_]*".join(map(re.escape, squash(item))), name, re.IGNORECASE):
            yield name[: match.start()], item, name[match.end() :]


def _without_scale(before: str, item: str, after: str, instrument: Instrument) -> Iterator[tuple[str, str]]:
    """What stands around an item; also without the name of its scale, as in ``bond3``."""
    yield before, after
    for scale, items in instrument.scales.items():
        spelled = r"[\W_]*".join(map(re.escape, squash(scale)))
        if item in items and (match := re.search(rf"(?<![^\W_]){spelled}[\W_]*$", before, re.IGNORECASE)):
            yield before[: match.start()], after


def _tokens(before: str, after: str) -> tuple[str, ...]:
    return tuple(token.casefold() for part in (before, after) for token in _TOKEN.findall(part))


def _mentioned(group: _Group, instrument: Instrument) -> str | None:
    """The questionnaire that names say they belong to: the longest one that they spell."""
    known = {squash(which): which for which in (*known_names(), instrument.id)}
    tokens = group.tokens
    spelled = {
        "".join(tokens[k:m]) for k in range(len(tokens)) for m in range(k + 1, len(tokens) + 1)
    } & known.keys()
    return known[max(spelled, key=len)] if spelled else None


def _others(group: _Group, instrument: Instrument) -> str | None:
    """Another questionnaire that names belong to.

    A parallel form may use the names of its model (wai-sr, wai-sr-t), and a file of one's own anybody's.
    """
    if instrument.id not in known_names():
        return None
    which = _mentioned(group, instrument)
    return None if which is None or f"{instrument.id}-".startswith(f"{which}-") else which


def _unclear(
    names: Sequence[str], instrument: Instrument, groups: Sequence[_Group], *, several: bool
) -> InputError:
    many = f"{len(instrument.items)} items"
    if several:
        message = f"The {many} of {instrument.id} are there more than once:"
    elif groups:
        message = f"The {many} of {instrument.id} were not found. What looks like items:"
    else:
        return InputError(
            f"Nothing looks like the {many} of {instrument.id} ({_listed(instrument.items)}).",
            f"There are: {_listed(names)}. Say how they are called, as --items 'wai_{_ITEM}'.",
        )
    lines = [f"\n  {shown(group.pattern)}: {_told(group, instrument)}" for group in groups[:_TOLD]]
    likely = [group for group in groups if not _others(group, instrument) and not _strange(group, instrument)]
    if not likely:
        hint = "'vsa score --list' names the questionnaires; give the one that was filled in."
        return InputError(message + "".join(lines), hint)
    absent = "" if several else "; an item without a column then counts as not answered"
    return InputError(
        message + "".join(lines), f"Say which they are: --items '{shown(likely[0].pattern)}'{absent}."
    )


def _told(group: _Group, instrument: Instrument) -> str:
    told = [f"{len(group.items)} of {len(instrument.items)}"]
    if absent := [item for item in instrument.items if item not in group.items]:
        told.append(f"without {_listed(absent)}")
    if group.beyond:
        told.append(f"and {_listed(sorted(set(group.beyond), key=int))}, which {instrument.id} doesn't have")
    if other := _others(group, instrument):
        told.append(f"looks like {other}")
    if _strange(group, instrument):
        told.append(f"looks filled in by the {group.respondent}")
    return ", ".join(told)


def _strange(group: _Group, instrument: Instrument) -> bool:
    """Whether names say that somebody filled the items in who can't have."""
    return group.respondent not in {None, *instrument.respondents}


def _listed(names: Sequence[str], longest: int = 12) -> str:
    some = ", ".join(shown(str(name), 40) for name in names[:longest])
    return some if len(names) <= longest else f"{some}, … ({len(names)} in all)"
