"""ELAN's annotation files (.eaf, format 3.0).

They are XML, and a person may have got one from anywhere: a file with a document type is refused, so that there are
no entities to expand and nothing else is ever opened.
"""

from __future__ import annotations

import math
import mimetypes
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from vsa.errors import InputError
from vsa.study.cells import shown
from vsa.study.tiers import KINDS, Mark, Tier, content, fault, number

_SAVE_AGAIN = "Save it again in ELAN."
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def write_eaf(tiers: Sequence[Tier], media: str = "", when: datetime | None = None) -> str:
    """The text of an .eaf file; ELAN keeps whole milliseconds.

    Parameters
    ----------
    tiers
        Marks in order of time, none over another. What lasts less than a millisecond is left out.
    media
        Name of the recording, which ELAN looks for beside the file.
    when
        Date of the file; now if it is not given.

    Raises
    ------
    InputError
        When a mark begins before 0.
    """
    slots: list[int] = []
    body: list[str] = []
    annotations = 0
    for tier in tiers:
        kept = []
        for mark in tier.marks:
            start, end = round(1000 * mark.start), round(1000 * mark.end)
            if start < 0:
                raise InputError(
                    f"ELAN has no time before 0, and {tier.name} has {mark.start:.3f} s.",
                    "Use a TextGrid.",
                )
            if end > start:
                kept.append((start, end, mark.label))
        head = f"LINGUISTIC_TYPE_REF={_attr(tier.kind)} PARTICIPANT={_attr(tier.participant)}"
        body.append(f"    <TIER {head} TIER_ID={_attr(tier.name)}{'>' if kept else '/>'}")
        for start, end, label in kept:
            slots += [start, end]
            annotations += 1
            refs = f'TIME_SLOT_REF1="ts{len(slots) - 1}" TIME_SLOT_REF2="ts{len(slots)}"'
            body += [
                "        <ANNOTATION>",
                f'            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a{annotations}" {refs}>',
                f"                <ANNOTATION_VALUE>{escape(label)}</ANNOTATION_VALUE>",
                "            </ALIGNABLE_ANNOTATION>",
                "        </ANNOTATION>",
            ]
        if kept:
            body.append("    </TIER>")
    date = (when or datetime.now(UTC)).isoformat(timespec="seconds")
    times = sorted(enumerate(slots, 1), key=lambda slot: slot[1])
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<ANNOTATION_DOCUMENT AUTHOR="vsa" DATE="{date}" FORMAT="3.0" VERSION="3.0" xmlns:xsi="{_INSTANCE}" '
            f'xsi:noNamespaceSchemaLocation="{_SCHEMA}">',
            '    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">',
            *_media(media),
            f'        <PROPERTY NAME="lastUsedAnnotationId">{annotations}</PROPERTY>',
            "    </HEADER>",
            "    <TIME_ORDER>",
            *(f'        <TIME_SLOT TIME_SLOT_ID="ts{i}" TIME_VALUE="{time}"/>' for i, time in times),
            "    </TIME_ORDER>",
            *body,
            *(
                f'    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="{kind}" TIME_ALIGNABLE="true"/>'
                for kind in KINDS
            ),
            "</ANNOTATION_DOCUMENT>",
            "",
        ]
    )


def read_eaf(path: Path) -> list[Tier]:
    """Read the tiers of an .eaf file; annotations that only refer to others are left out.

    Parts of an annotation, in tiers that divide it, may have no time of their own: NaN.

    Raises
    ------
    InputError
        When it can't be read as one; names the line.
    """
    return _Reader(path).read(content(path))


class _Reader:
    """Collects time slots and tiers; the times of annotations are looked up when everything is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._doctype
        self._parser.ExternalEntityRefHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._root = ""
        self._slots: dict[str, float] = {}
        self._tiers: list[Tier] = []
        #: Tier, slots, line and label of annotations.
        self._found: list[tuple[Tier, str, str, int, list[str]]] = []
        self._value: list[str] | None = None

    def read(self, data: bytes) -> list[Tier]:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            why = expat.ErrorString(error.code)
            raise fault(self._path, error.lineno, f"it is no sound XML ({why}).", _SAVE_AGAIN) from None
        except (LookupError, ValueError) as error:  # an encoding that Python doesn't know
            raise fault(self._path, 1, f"it can't be decoded ({error}).", "Save it as UTF-8.") from None
        for tier, first, second, line, label in self._found:
            start, end = self._time(first, line), self._time(second, line)
            if end < start:
                raise fault(
                    self._path,
                    line,
                    f"an annotation runs backwards, from {start:g} to {end:g} s.",
                    _SAVE_AGAIN,
                )
            if start != end:  # also when one of them is not known
                tier.marks.append(Mark(start, end, "".join(label), line))
        return self._tiers

    def _doctype(self, *_: object) -> int:
        raise fault(
            self._path,
            self._parser.CurrentLineNumber,
            "it declares a document type or entities, which ELAN's files don't.",
            "Don't trust it; save it again in ELAN if it is yours.",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        if not self._root:
            self._root = name
            if name != "ANNOTATION_DOCUMENT":
                raise fault(self._path, line, f"this is {shown(name, 30)}, no ELAN file.", _SAVE_AGAIN)

        def needed(key: str) -> str:
            if key not in attributes:
                raise fault(self._path, line, f"{name} has no {key}.", _SAVE_AGAIN)
            return attributes[key]

        if name == "HEADER":
            units = attributes.get("TIME_UNITS", "milliseconds")
            if units != "milliseconds":
                raise fault(
                    self._path,
                    line,
                    f"its times are in {shown(units, 30)}, not in milliseconds.",
                    _SAVE_AGAIN,
                )
        elif name == "TIME_SLOT":
            value = attributes.get("TIME_VALUE")
            self._slots[needed("TIME_SLOT_ID")] = (
                math.nan if value is None else number(self._path, line, value, 0.001)
            )
        elif name == "TIER":
            self._tiers.append(
                Tier(
                    needed("TIER_ID"),
                    kind=attributes.get("LINGUISTIC_TYPE_REF", ""),
                    participant=attributes.get("PARTICIPANT", ""),
                    line=line,
                )
            )
        elif name == "ALIGNABLE_ANNOTATION":
            if not self._tiers:
                raise fault(self._path, line, "an annotation is in no tier.", _SAVE_AGAIN)
            label: list[str] = []
            slots = needed("TIME_SLOT_REF1"), needed("TIME_SLOT_REF2")
            self._found.append((self._tiers[-1], *slots, line, label))
        elif name == "ANNOTATION_VALUE":
            self._value = self._found[-1][4] if self._found else None

    def _end(self, name: str) -> None:
        if name in ("ANNOTATION_VALUE", "ALIGNABLE_ANNOTATION"):
            self._value = None

    def _characters(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def _time(self, slot: str, line: int) -> float:
        if slot not in self._slots:
            raise fault(self._path, line, f"there is no time slot '{shown(slot, 30)}'.", _SAVE_AGAIN)
        return self._slots[slot]


def _media(name: str) -> list[str]:
    if not name:
        return []
    kind = mimetypes.guess_type(name)[0] or "unknown"
    url = _attr(f"./{quote(name)}")
    return [f'        <MEDIA_DESCRIPTOR MEDIA_URL={url} MIME_TYPE="{kind}" RELATIVE_MEDIA_URL={url}/>']


def _attr(text: str) -> str:
    return quoteattr(text)
