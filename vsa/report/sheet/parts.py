"""What a practitioner's sheet is made of: plain values that the template lays out."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """What was measured of one person, or of the two.

    Attributes
    ----------
    text
        The value with its unit, or ``not known``.
    more
        Where it lies among the study's sessions, and the like; the reason where it is not known. May be empty.
    below
        Share of the study's sessions below it, 0-1; NaN where that is not known.
    """

    text: str
    more: str
    below: float


@dataclass(frozen=True)
class Row:
    """One behaviour: a cell for each of the sheet's people, or one for them together.

    Attributes
    ----------
    label
        In plain words, with what it is counted by.
    cells
        In the order of the sheet's people; a single one for the two, or where it is known of nobody.
    studies
        Which side studies link with a stronger alliance, in a few words.
    """

    label: str
    cells: tuple[Cell, ...]
    studies: str


@dataclass(frozen=True)
class Course:
    """One behaviour in the early, middle and late third of the session; `more` of cells is why it is not known."""

    label: str
    cells: tuple[Cell, Cell, Cell]


@dataclass(frozen=True)
class Shown:
    """A stretch of the recording, s on the session's time; `text` is what was measured in it, with its unit."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True)
class Pick:
    """A strength or a thing to try.

    Attributes
    ----------
    seen
        What was measured, and where it lies among the study's sessions.
    suggestion
        What could be tried; empty for a strength.
    moments
        Of this recording: two, or fewer where `why_none` says so.
    show
        What the moments show: "where it was most".
    why_none
        Why there are not two moments; empty if there are.
    note
        Number of its footnote.
    """

    seen: str
    suggestion: str
    moments: tuple[Shown, ...]
    show: str
    why_none: str
    note: int


@dataclass(frozen=True)
class Note:
    """A footnote: what studies found, how strong that is, and what it does not show."""

    number: int
    name: str
    evidence: str
    grade: str
    limits: str


@dataclass(frozen=True)
class Training:
    """One strength and one thing to try; each None where `why_no_strength`, `why_no_attempt` says why."""

    strength: Pick | None
    attempt: Pick | None
    why_no_strength: str
    why_no_attempt: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Sheet:
    """All that a practitioner's sheet shows.

    Attributes
    ----------
    people
        Scopes, the therapist first: the columns of cells.
    communication, security
        Rows.
    course
        Over the session.
    training
        One strength, one thing to try.
    compared
        With what the sheet compares, for people.
    studies
        Evidence on every behaviour of the sheet; numbers are 0.
    """

    people: tuple[str, ...]
    communication: tuple[Row, ...]
    security: tuple[Row, ...]
    course: tuple[Course, ...]
    training: Training
    compared: str
    studies: tuple[Note, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why parts of the course are not known, each reason once."""
        reasons = (cell.more for row in self.course for cell in row.cells)
        return tuple(dict.fromkeys(filter(None, reasons)))

    @property
    def placed(self) -> bool:
        """Whether anything could be placed among the study's sessions."""
        cells = (cell for row in (*self.communication, *self.security) for cell in row.cells)
        return any(math.isfinite(cell.below) for cell in cells)
