"""Questionnaires as data: one TOML file each, with the key of an instrument and never the wording of its items.

What a file says is described by `Instrument`; docs/questionnaires.md shows how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from vsa.errors import InputError
from vsa.study.cells import shown
from vsa.study.instrument_faults import plain
from vsa.toml_file import parsed

Respondent = Literal["client", "therapist", "observer"]
#: What a key consists of; each part was read in a source, or it was not.
PARTS = ("items", "range", "reversed", "scales")

_FOLDER = "questionnaires"
_ItemName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Item = Annotated[int, Field(strict=True)] | _ItemName
_Items = Literal["all"] | list[_Item]


@dataclass(frozen=True)
class Cut:
    """A cut-off that the instrument's maker publishes: a `score` of `scale` at or below `at` asks for a closer look."""

    scale: str
    score: Literal["mean", "sum"]
    at: float
    source: str


@dataclass(frozen=True)
class Instrument:
    """One questionnaire's key.

    Attributes
    ----------
    id
        As on the command line: ``wai-sr``; its file is called so.
    name, source, rights
        In full; where it was published; who holds the rights in its items.
    measures
        ``alliance`` or ``attachment``.
    respondents
        Who may fill it in.
    items
        Names of the items in order: numbers as text, or words where printings differ in order.
    low, high
        Range of an answer.
    whole
        Whether answers are whole numbers.
    reversed
        Items that are scored low + high - answer.
    scales
        Scale -> its items.
    differences
        Derived score -> scales' items that are added, and that are taken off.
    bond
        The scale that stands for the bond; None if it has none.
    prorate
        Share of a scale's items that must be answered for it to have a score; 1: all of them.
    cuts
        Published cut-offs; none where none were found.
    verified
        Part of the key (`PARTS`) -> where it was read; None: it is from memory.
    notes
        What whoever uses it should know.
    """

    id: str
    name: str
    source: str
    rights: str
    measures: str
    respondents: tuple[str, ...]
    items: tuple[str, ...]
    low: float
    high: float
    whole: bool
    reversed: tuple[str, ...]
    scales: Mapping[str, tuple[str, ...]]
    differences: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    bond: str | None
    prorate: float
    cuts: tuple[Cut, ...]
    verified: Mapping[str, str | None]
    notes: tuple[str, ...]

    @property
    def unverified(self) -> tuple[str, ...]:
        """Parts of the key that nobody has compared with a source."""
        return tuple(part for part in PARTS if self.verified[part] is None)


class _Cut(BaseModel):
    model_config = ConfigDict(extra="forbid")
    scale: str
    score: Literal["mean", "sum"] = "sum"
    at: float
    source: str


class _Difference(BaseModel):
    model_config = ConfigDict(extra="forbid")
    plus: list[_Item]
    minus: list[_Item]


class _Verified(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: str | Literal[False] = False
    range: str | Literal[False] = False
    reversed: str | Literal[False] = False
    scales: str | Literal[False] = False


class _File(BaseModel):
    """What a file may hold."""

    model_config = ConfigDict(extra="forbid")
    name: str
    source: str
    rights: str
    measures: Literal["alliance", "attachment"]
    respondents: Annotated[list[Respondent], Field(min_length=1)]
    items: Annotated[int, Field(gt=0, le=500, strict=True)] | Annotated[list[_ItemName], Field(min_length=1)]
    range: tuple[FiniteFloat, FiniteFloat]
    whole: bool = True
    reversed: list[_Item] = []
    prorate: Annotated[float, Field(gt=0, le=1)] = 0.75
    bond: str | None = None
    scales: Annotated[dict[_ItemName, _Items], Field(min_length=1)]
    differences: dict[_ItemName, _Difference] = {}
    cuts: list[_Cut] = []
    notes: list[str] = []
    verified: _Verified = _Verified()


def names() -> list[str]:
    """Ids of the questionnaires that come with vsa, sorted."""
    folder = resources.files("vsa.study") / _FOLDER
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def load(which: str) -> Instrument:
    """Read a questionnaire.

    Parameters
    ----------
    which
        One of `names`, or the path of a TOML file of one's own.

    Raises
    ------
    InputError
        When there is none of that name, or its file is wrong: every fault is named.

    Examples
    --------
    >>> load("wai-sr").scales["bond"]
    ('3', '5', '7', '9')
    """
    if which in names():
        return _shipped(which)
    path = Path(which)
    if path.suffix != ".toml":
        raise InputError(
            f"There is no questionnaire '{shown(which)}'.",
            f"There are {', '.join(names())}; or give the path of a TOML file of your own.",
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} can't be read ({getattr(error, 'strerror', None) or 'it is not UTF-8 text'}).",
            "Check the path.",
        ) from None
    return parse(path.stem, text, str(path))


@cache
def _shipped(which: str) -> Instrument:
    text = (resources.files("vsa.study") / _FOLDER / f"{which}.toml").read_text("utf-8")
    return parse(which, text, f"{which}.toml")


def parse(which: str, text: str, where: str) -> Instrument:
    """Read the text of a questionnaire's file; `where` names it in messages.

    Raises
    ------
    InputError
        With every fault.
    """
    hint = "docs/questionnaires.md says what a questionnaire's file holds."
    try:
        held = parsed(text)
    except ValueError as error:
        raise InputError(f"{where} is no TOML file: {error}.", hint) from None
    try:
        found = _File.model_validate(held)
    except ValidationError as error:
        told = "".join(f"\n  {fault}" for fault in plain(error.errors(), _File.model_fields))
        raise InputError(f"{where} is no questionnaire's file:{told}", hint) from None
    made = _instrument(which, found)
    if faults := _faults(made):
        told = "".join(f"\n  {fault}" for fault in faults)
        raise InputError(f"{where} contradicts itself:{told}", hint)
    return made


def _instrument(which: str, found: _File) -> Instrument:
    count = found.items
    items = tuple(str(k + 1) for k in range(count)) if isinstance(count, int) else tuple(count)

    def listed(some: _Items) -> tuple[str, ...]:
        return items if some == "all" else tuple(map(str, some))

    verified = found.verified.model_dump()
    return Instrument(
        id=which,
        name=found.name,
        source=found.source,
        rights=found.rights,
        measures=found.measures,
        respondents=tuple(found.respondents),
        items=items,
        low=found.range[0],
        high=found.range[1],
        whole=found.whole,
        reversed=tuple(map(str, found.reversed)),
        scales={scale: listed(some) for scale, some in found.scales.items()},
        differences={
            name: (listed(pair.plus), listed(pair.minus)) for name, pair in found.differences.items()
        },
        bond=found.bond,
        prorate=found.prorate,
        cuts=tuple(Cut(cut.scale, cut.score, cut.at, cut.source) for cut in found.cuts),
        verified={part: verified[part] or None for part in PARTS},
        notes=tuple(found.notes),
    )


def _faults(made: Instrument) -> list[str]:
    """What a file may say of each part, and not of both together."""
    faults = []
    if len(set(made.items)) < len(made.items):
        faults.append("items: a name is there twice")
    if not made.low < made.high:
        faults.append(f"range: {made.low:g} is not below {made.high:g}")
    lists = {
        "reversed": made.reversed,
        **{f"scales.{name}": some for name, some in made.scales.items()},
        **{f"differences.{name}": (*plus, *minus) for name, (plus, minus) in made.differences.items()},
    }
    for name, some in lists.items():
        if not some and name != "reversed":
            faults.append(f"{name}: it has no items")
        if strangers := [item for item in some if item not in made.items]:
            faults.append(f"{name}: there is no item {', '.join(strangers)}")
        if len(set(some)) < len(some):
            faults.append(f"{name}: an item is there twice")
    for named, scale in (("bond", made.bond), *(("cuts", cut.scale) for cut in made.cuts)):
        if scale is not None and scale not in made.scales:
            faults.append(f"{named}: there is no scale '{scale}'")
    if both := set(made.scales) & set(made.differences):
        faults.append(f"{', '.join(sorted(both))} is both a scale and a difference")
    return faults
