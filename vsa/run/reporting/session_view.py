"""A session as its page shows it: its row, its record, its signals, and what the list says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vsa.errors import VsaError
from vsa.features.session import scope_names
from vsa.report.pages.site import page_name
from vsa.report.pages.view import WEAK, Person, Recording, SessionView
from vsa.run.reporting.course import timeline_of
from vsa.run.reporting.flag_view import flag_view

if TYPE_CHECKING:
    from vsa.features.session import Session
    from vsa.report.pages.norms import Norms
    from vsa.report.sheet.content import Sheet
    from vsa.run.reporting.names import Names

_TABLE_ONLY = "This session is a row of a table: there are no signals to draw."
NOT_LINKED = Recording(
    "", 0.0, "The recording is not linked; 'vsa report --link-media' makes pages that play it."
)
_DAMAGED = (
    "Its signals can't be read: they are damaged, or an earlier vsa wrote them. Extract the session again."
)


@dataclass(frozen=True, eq=False)
class Row:
    """What the study's tables say of a session.

    Attributes
    ----------
    session_id
        As in the study.
    facts
        Column to text.
    values
        Feature to value.
    simulated
        Whether it is.
    bond
        As reported; NaN if it is not known.
    flag
        Its row of the review list; None without one.
    record
        ``session.json``; None for a row of a table.
    folder
        Of its signals; None where there are none.
    """

    session_id: str
    facts: Mapping[str, str]
    values: Mapping[str, float]
    simulated: bool
    bond: float
    flag: Mapping[str, Any] | None
    record: Mapping[str, Any] | None
    folder: Path | None


def session_view(
    row: Row, names: Names, norms: Norms, recording: Recording
) -> tuple[SessionView, Sheet | None]:
    """Gather what a session's page and its sheet show. Damaged signals cost the timeline and the sheet alone."""
    from vsa.run.moments import SessionMoments
    from vsa.run.reporting.sheet import sheet_of
    from vsa.run.session_features import session_of

    session: Session | None = None
    why = _TABLE_ONLY
    if row.folder is not None and row.record is not None:
        try:
            session = session_of(row.folder, row.record)
        except (OSError, ValueError, KeyError, VsaError, pa.ArrowException):
            why = _DAMAGED
    plain = plain_view(row, names, recording, why)
    if session is None:
        return plain, None
    # signals that can be read and make no sense are a defect, and are told as one: not caught here
    moments = SessionMoments(session)
    timeline = timeline_of(session)
    sheet = sheet_of(session, row.values, plain.missing, norms, timeline.synchrony, moments)
    view = replace(
        plain,
        timeline=timeline,
        why_no_timeline="",
        # moments take a while, and those of sessions without a flag are not asked for
        flag=flag_view(row.flag, moments) if row.flag and row.flag["verdict"] == WEAK else plain.flag,
        sheet="" if isinstance(sheet, str) else plain.page,
        why_no_sheet=sheet if isinstance(sheet, str) else "",
    )
    return view, None if isinstance(sheet, str) else sheet


def plain_view(
    row: Row, names: Names, recording: Recording = NOT_LINKED, why_no_timeline: str = _TABLE_ONLY
) -> SessionView:
    """The same without signals."""
    record = row.record or {}
    shown = names.session(row.session_id)
    source = record.get("source") or {}
    missing = (record.get("quality") or {}).get("features_missing") or {}
    return SessionView(
        session_id=shown,
        page=page_name(shown),
        sheet="",
        why_no_sheet="There are no signals to make a sheet of.",
        facts={**_ids(row, names), **names.facts(row.facts)},
        simulated=row.simulated,
        status=str(record.get("status") or ""),
        duration_s=float(source.get("duration_s") or math.nan),
        people=_people(record),
        notes=tuple(names.text(str(note)) for note in (record.get("quality") or {}).get("notes", [])),
        timeline=None,
        why_no_timeline=why_no_timeline,
        values=row.values,
        missing={name: str(reason) for name, reason in missing.items()},
        flag=None if row.flag is None else flag_view(row.flag, None),
        bond=row.bond,
        recording=recording,
    )


def _ids(row: Row, names: Names) -> dict[str, str]:
    who = {"client": names.client(row.facts.get("client_id", ""))}
    who["therapist"] = names.therapist(row.facts.get("therapist_id", ""))
    return {label: name for label, name in who.items() if name}


def _people(record: Mapping[str, Any]) -> tuple[Person, ...]:
    people = record.get("participants") or []
    heard = record.get("sound") or {}
    said = {voice["participant"]: voice.get("speech_s") for voice in heard.get("voices", [])}
    seen = (record.get("quality") or {}).get("participants") or {}
    return tuple(
        Person(
            scope=name,
            name=name,
            tracked_share=float(person.get("tracked_share") or 0.0),
            speech_s=_number(said.get(person["id"])),
            face_px=_number(seen.get(person["id"], {}).get("face_height_px")),
        )
        for person, name in zip(people, scope_names(people), strict=True)
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
