"""One row of a manifest: which columns have a meaning, and what may stand in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date as Day
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from vsa.study import instruments
from vsa.study.cells import shown
from vsa.study.consent import purposes_in
from vsa.study.plan import id_fault, normal_id, parse_tile

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_WHOLE = re.compile(r"([+-]?\d+)[.,]0*")
_PARTS_OF_DATE = re.compile(r"(\d{1,4})[./\- ](\d{1,2})[./\- ](\d{1,4})\.?(?:[ T].*)?")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
#: Excel's day 0. It also counts a 29th of February 1900, before any recording.
_EXCEL_EPOCH = Day(1899, 12, 30)
_LONGEST_ID = 120
#: What other programs write for what is not known.
_UNKNOWN = ("na", "n/a", "nan", "null", "-", ".")


def _session_id(text: str) -> str:
    text = normal_id(text)
    if fault := id_fault(text):
        raise ValueError(f"can't name a session: {fault}")
    return text


def _person_id(text: str) -> str:
    if not text.isprintable() or len(text) > _LONGEST_ID:
        raise ValueError(f"must be one line of at most {_LONGEST_ID} printable characters")
    return normal_id(text)


def _number(text: str) -> str:
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text


def _whole_number(text: str) -> str:
    return found[1] if (found := _WHOLE.fullmatch(text)) else text


def _within_floats(number: Decimal) -> Decimal:
    if number.is_finite() and abs(number) > Decimal("1e300"):
        raise ValueError("must be a number")
    return number


def _questionnaire(text: str) -> str:
    """In one spelling, where vsa knows it; others are kept as they are."""
    name = text.lower().replace("_", "-").replace(" ", "-")
    if name in instruments.names():
        return name
    alike = [known for known in instruments.names() if known.replace("-", "") == name.replace("-", "")]
    if alike:
        raise ValueError(f"is written {alike[0]}: 'vsa score --list' names the questionnaires")
    return text


def _possible(bond: Decimal, row: ValidationInfo) -> Decimal:
    """Whether a bond can come from the questionnaire that the row names: as a mean of its answers or their sum."""
    name = row.data.get("instrument")
    key = instruments.load(name) if name in instruments.names() else None
    if key is None or key.bond is None:
        return bond
    count = len(key.scales[key.bond])
    value = float(bond)
    if key.low <= value <= key.high or count * key.low <= value <= count * key.high:
        return bond
    sums = f", and their sum from {count * key.low:g} to {count * key.high:g}" if count > 1 else ""
    raise ValueError(f"is no bond of the {name}: means go from {key.low:g} to {key.high:g}{sums}")


def _word(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.lower())


def _date(text: str) -> Day | datetime:
    try:
        return Day.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_date_fault(text)) from None


_Number = Annotated[
    Decimal, BeforeValidator(_number), Field(allow_inf_nan=False), AfterValidator(_within_floats)
]
_Word = BeforeValidator(_word)
_PersonId = Annotated[str, AfterValidator(_person_id)]


class ManifestRow(BaseModel):
    """A row whose cells are what they must be; cells that are empty are None.

    Attributes
    ----------
    session_id
        Names the session's folder.
    video, audio, tile, consent
        By role: where recordings and sound files are, where the participant is in the picture, and what was agreed to.
        The empty role is the column without one.
    client_id, therapist_id
        Pseudonyms.
    session_number
        The how many-th session of this client with this therapist.
    instrument, bond
        As it was reported, by `rater`, and with which questionnaire; a known one says which bonds there can be.
    simulated
        Whether nobody is in it.
    covariates
        All other columns, as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    session_id: Annotated[str, AfterValidator(_session_id)]
    video: Mapping[str, str]
    audio: Mapping[str, str]
    tile: Mapping[str, Annotated[Any, BeforeValidator(parse_tile)]]
    consent: Mapping[str, Annotated[Any, BeforeValidator(purposes_in)]]
    client_id: _PersonId | None = None
    therapist_id: _PersonId | None = None
    session_number: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=9999)] | None = None
    date: Annotated[Day | datetime, BeforeValidator(_date)] | None = None
    modality: Annotated[Literal["online", "in_person"], _Word] | None = None
    platform: str | None = None
    attachment: str | None = None
    diagnosis: str | None = None
    age: Annotated[_Number, Field(ge=0, le=120)] | None = None
    gender: str | None = None
    rater: Annotated[Literal["client", "therapist", "observer"], _Word] | None = None
    instrument: Annotated[str, AfterValidator(_questionnaire)] | None = None
    bond: Annotated[_Number, AfterValidator(_possible)] | None = None
    simulated: Annotated[bool, _Word] | None = None
    covariates: Mapping[str, str] = Field(default_factory=dict)

    def facts(self) -> dict[str, str]:
        """What is known of the session besides its recordings, as text."""
        known = {name: getattr(self, name) for name in FACTS}
        return {name: _text(value) for name, value in known.items() if value is not None} | dict(
            self.covariates
        )


#: Columns without a role that have a meaning, and of these the ones that are kept as facts.
FACTS = tuple(
    name
    for name in ManifestRow.model_fields
    if name not in ("session_id", "video", "audio", "tile", "consent", "covariates")
)
KNOWN = ("session_id", "video", "consent", *FACTS)

#: What would be right in a column.
_RIGHT: Mapping[str, str] = {
    "session_number": "must be a whole number from 1 on",
    "modality": "must be online or in_person; the program that was used goes into platform",
    "age": "must be years from 0 to 120, as a number",
    "rater": "must be client, therapist or observer: who reported the bond",
    "bond": "must be a number, as 4.5; leave it empty if nobody reported it",
    "simulated": "must be true or false",
}


def parse_row(cells: Mapping[str, str]) -> tuple[ManifestRow, list[tuple[str, str]]]:
    """Read a row.

    Parameters
    ----------
    cells
        Column to its cell, without blanks around it.

    Returns
    -------
    The row without the cells that have a fault (its id is then ``_``), and the faults: columns, each with the value and
    what would be right.
    """
    try:
        return ManifestRow(**_fields(cells)), []
    except ValidationError as error:
        faults = list(_faults(error, cells))
    bad = {column for column, _ in faults}
    right = {column: cell for column, cell in cells.items() if column not in bad}
    return ManifestRow(**_fields({"session_id": "_", **right})), faults


def _fields(cells: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {} for name in ("video", "audio", "tile", "consent", "covariates")}
    fields["session_id"] = cells.get("session_id", "")
    for column, cell in cells.items():
        kind, _, role = column.partition(":")
        if kind == "consent":
            fields[kind][role] = cell
        elif not cell or (column in FACTS and cell.lower() in _UNKNOWN):
            continue
        elif kind in ("video", "audio", "tile"):
            fields[kind][role] = cell
        elif column in FACTS:
            fields[column] = cell
        elif column and column != "session_id":
            fields["covariates"][column] = cell
    return fields


def _faults(error: ValidationError, cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for one in error.errors(include_url=False):
        place = [str(part) for part in one["loc"]]
        column = ":".join(part for part in place[:2] if part) if place[0] in ("tile", "consent") else place[0]
        value = cells.get(column, "")
        said = one.get("ctx", {}).get("error")
        right = str(said) if isinstance(said, ValueError) else _RIGHT.get(column, "can't be read")
        yield column, f"'{shown(value)}' {right}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, Day) else str(value)


def _date_fault(text: str) -> str:
    """Why a date can't be read, and which one may be meant."""
    if _SERIAL.fullmatch(text):
        day = _EXCEL_EPOCH + timedelta(days=int(text[:5]))
        return f"must be a date as year-month-day; if it is Excel's number of a day, write {day.isoformat()}"
    found = _PARTS_OF_DATE.fullmatch(text)
    if not found:
        return "must be a date as year-month-day: 2026-11-24"
    first, middle, last = (int(part) for part in found.groups())
    year_first = len(found[1]) == 4
    orders: list[Callable[[], Day]] = (
        [lambda: Day(first, middle, last), lambda: Day(first, last, middle)]
        if year_first
        else [lambda: Day(_year(last), middle, first), lambda: Day(_year(last), first, middle)]
    )
    days = [*dict.fromkeys(day for day in map(_day, orders) if day is not None)]
    if year_first:
        days = days[:1]
    if not days:
        return "is no day of the calendar; write year-month-day, as 2026-11-24"
    return f"must be written year-month-day: {' or '.join(day.isoformat() for day in days)}"


def _day(make: Callable[[], Day]) -> Day | None:
    try:
        return make()
    except ValueError:
        return None


def _year(number: int) -> int:
    return number + 2000 if number < 100 else number
