"""What pages show: plain values that `vsa.run.reporting` gathers and the other modules of this room lay out.

Texts are as they came, unescaped: the templates escape them. Times are s on the session's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsa.report.pages.view_timeline import Timeline

WEAK, OK, ABSTAIN = "weak", "ok", "abstain"
#: What verdicts are called on pages. `OK` is no more than that: what is below the line may be weak as well.
CALLED: Mapping[str, str] = {WEAK: "review suggested", OK: "not flagged", ABSTAIN: "not judged"}


@dataclass(frozen=True)
class Moment:
    """A stretch of the recording to look at; `value` is of `feature`, in its unit."""

    start_s: float
    end_s: float
    feature: str
    value: float


@dataclass(frozen=True)
class Reason:
    """A signal that speaks for a review, and where to look; `why_none` says why there are no moments."""

    feature: str
    direction: str
    words: str
    moments: tuple[Moment, ...]
    why_none: str


@dataclass(frozen=True)
class Flag:
    """What the review list says of a session. Numbers are NaN where there are none.

    Attributes
    ----------
    verdict
        `WEAK`, `OK` or `ABSTAIN`.
    suggestion
        The same for people; empty for `OK`.
    probability
        Of a weak bond.
    expected, low, high
        Expected bond and the ends of its interval.
    rank
        1 is the first; None where it is not judged.
    reasons
        At most three.
    unjudged
        Why it is not judged; empty if it is.
    in_training
        Whether the model learned from this session.
    weak_signals, signals_known
        Of a list by rules; None with a model.
    """

    verdict: str
    suggestion: str
    probability: float
    expected: float
    low: float
    high: float
    rank: int | None
    reasons: tuple[Reason, ...]
    unjudged: str
    in_training: bool
    weak_signals: int | None = None
    signals_known: int | None = None


@dataclass(frozen=True)
class Person:
    """A participant; `speech_s` is NaN where that is not known, `face_px` where no face was seen."""

    scope: str
    name: str
    tracked_share: float
    speech_s: float
    face_px: float


@dataclass(frozen=True)
class Recording:
    """The film of a session, where it may be played from the page.

    Attributes
    ----------
    address
        Relative to the page, quoted for a link; empty if the recording is not linked.
    offset_s
        Time of its first picture: where players that count from 0 have their 0.
    why_none
        Why it is not linked, or what of it is not, for people.
    """

    address: str
    offset_s: float
    why_none: str


@dataclass(frozen=True, eq=False)
class SessionView:
    """All that a session's page shows.

    Attributes
    ----------
    session_id
        As it is shown: a pseudonym if asked for.
    page, sheet
        File names below ``sessions/`` and ``sheets/``; `sheet` is empty where there is none, and `why_no_sheet` says
        why.
    facts
        What the manifest says of it, label to value: client, therapist, session number, modality …
    simulated
        Whether the session is.
    status
        ``complete`` or ``partial``; empty for a row of a table.
    duration_s
        NaN if it is not known.
    people
        Participants; empty for a row of a table.
    notes
        What extraction had to say.
    timeline
        None where there are no signals, and `why_no_timeline` says why.
    values
        Feature (full name) to value; NaN where missing.
    missing
        Feature to why it is missing.
    flag
        None without a model or rules.
    bond
        As reported; NaN if it is not known.
    recording
        To play.
    """

    session_id: str
    page: str
    sheet: str
    why_no_sheet: str
    facts: Mapping[str, str]
    simulated: bool
    status: str
    duration_s: float
    people: tuple[Person, ...]
    notes: tuple[str, ...]
    timeline: Timeline | None
    why_no_timeline: str
    values: Mapping[str, float]
    missing: Mapping[str, str]
    flag: Flag | None
    bond: float
    recording: Recording


@dataclass(frozen=True)
class Frame:
    """What stands on every page of a report.

    Attributes
    ----------
    study
        Name of the study.
    made
        Date, ISO 8601.
    version
        Of vsa.
    model
        What the list is made by: the model's file name, ``rules``, or empty without a list.
    label
        What a weak bond is, and where the list's line is drawn.
    simulated_model
        Whether the model learned from simulated sessions.
    simulated_data
        ``all``, ``some`` or ``none`` of the sessions.
    warnings
        What must be known before reading: that the model is no better than the mean, that sessions of its training were
        withdrawn …
    key
        Of reviewers' marks in the browser: the same for the same study and model.
    model_print
        First 12 digits of the SHA-256 of the model's file; empty with rules or without a list.
    pseudonyms
        Whether ids are pseudonyms.
    """

    study: str
    made: str
    version: str
    model: str
    label: str
    simulated_model: bool
    simulated_data: str
    warnings: tuple[str, ...]
    key: str
    model_print: str
    pseudonyms: bool
