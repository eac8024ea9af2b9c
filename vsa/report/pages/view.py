"""What pages show: plain values that `vsa.run.reporting` gathers and the other modules of this room lay out.

Texts are as they came, unescaped: the templates escape them. Times are s on the session's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: Start and end of each, s, in order of time, shape (n, 2).
Spans = npt.NDArray[np.float64]

WEAK, OK, ABSTAIN = "weak", "ok", "abstain"
#: What verdicts are called on pages. `OK` is no more than that: what is below the line may be weak as well.
CALLED: Mapping[str, str] = {WEAK: "review suggested", OK: "not flagged", ABSTAIN: "not judged"}


def no_spans() -> Spans:
    """None of them."""
    return np.empty((0, 2))


@dataclass(frozen=True, eq=False)
class Lane:
    """One person over the session.

    Attributes
    ----------
    scope, name
        As in feature names, and for people.
    turns, backchannels
        Pauses within turns included.
    away
        Looks away from the screen of 0.3 s or longer.
    gaze_unknown
        Where it can't be told whether the person looks toward the screen.
    smiles, nods
        Several nods in a row are one.
    unseen
        Where the face was not measured.
    unheard
        Where it is not known whether this person speaks.
    missing
        Signal (``speech``, ``gaze``, ``smile``, ``nod``) to why there is nothing of it in the whole session.
    """

    scope: str
    name: str
    turns: Spans = field(default_factory=no_spans)
    backchannels: Spans = field(default_factory=no_spans)
    away: Spans = field(default_factory=no_spans)
    gaze_unknown: Spans = field(default_factory=no_spans)
    smiles: Spans = field(default_factory=no_spans)
    nods: Spans = field(default_factory=no_spans)
    unseen: Spans = field(default_factory=no_spans)
    unheard: Spans = field(default_factory=no_spans)
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Interruption:
    """A turn that begins in another's; `by` and `of` are scopes."""

    start_s: float
    end_s: float
    by: str
    of: str
    taken: bool


@dataclass(frozen=True, eq=False)
class Synchrony:
    """How far the movement of two people goes together, window by window, against surrogates.

    Attributes
    ----------
    t
        Middle of each window, s, shape (n,).
    z
        Mean size of the correlation over lags, in standard deviations from that of surrogates of this window; NaN where
        there is none.
    window_s
        Length of a window.
    overall_z, overall_p
        Of the whole session (`vsa.features.synchrony.SurrogateTest`).
    why_none
        Why there is nothing, for people; else empty.
    """

    t: Floats
    z: Floats
    window_s: float
    overall_z: float
    overall_p: float
    why_none: str


@dataclass(frozen=True, eq=False)
class Timeline:
    """A session on one time axis.

    Attributes
    ----------
    start_s, end_s
        Of the session.
    lanes
        Participants, in the order of ``session.json``.
    strangers
        Speech of people who are none of the participants.
    silences
        Of everybody, of 3 s or longer.
    overlaps
        Speech by two or more.
    interruptions
        In order of time.
    synchrony
        Of the movement of the pair.
    no_speech
        Why it is not known who speaks when; empty if it is.
    """

    start_s: float
    end_s: float
    lanes: tuple[Lane, ...]
    strangers: Spans
    silences: Spans
    overlaps: Spans
    interruptions: tuple[Interruption, ...]
    synchrony: Synchrony
    no_speech: str


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


@dataclass(frozen=True)
class Listed:
    """A session on the cohort page.

    Attributes
    ----------
    session_id, client, therapist
        As they are shown; empty where not known.
    number
        Of the session among the client's; None if not known.
    page, sheet
        Relative to the cohort page, quoted for a link; empty where there is none.
    facts
        Column of the manifest (modality, attachment, diagnosis, platform …) to value.
    simulated
        Whether the session is.
    duration_s, tracked_share
        Length, and share of the session in which the person seen least was followed; NaN if not known.
    missing_share
        Of the features.
    problems
        What is wrong with the recording, in a few words each; empty if nothing is.
    bond
        As reported; NaN if not.
    expected, low, high
        Expected bond and interval; of sessions of the training, from when their people were held out (low and high
        NaN). NaN if there is none.
    held_out
        Whether `expected` is of people whom the model had not seen: of a new session, or held out in training.
    flag
        None without a list.
    """

    session_id: str
    client: str
    therapist: str
    number: int | None
    page: str
    sheet: str
    facts: Mapping[str, str]
    simulated: bool
    duration_s: float
    tracked_share: float
    missing_share: float
    problems: tuple[str, ...]
    bond: float
    expected: float
    low: float
    high: float
    held_out: bool
    flag: Flag | None


@dataclass(frozen=True)
class Excluded:
    """A session that is not on the list, and why."""

    session_id: str
    stage: str
    why: str
    hint: str


@dataclass(frozen=True)
class ModelView:
    """The model and how it did.

    Attributes
    ----------
    name
        Of its file.
    verdict
        For people held out, in a sentence.
    about
        Label to text: what it is, what it learned from.
    results
        Label to text: its scores for people held out, with intervals.
    pictures
        Address relative to the cohort page, quoted, to what it shows.
    card
        Address of its model card; empty if there is none.
    """

    name: str
    verdict: str
    about: Mapping[str, str]
    results: Mapping[str, str]
    pictures: Mapping[str, str]
    card: str


@dataclass(frozen=True)
class ComparisonView:
    """The alliance by groups.

    Attributes
    ----------
    text
        As `vsa.report.comparison_text` has it.
    picture
        Address relative to the cohort page, quoted; empty if nothing was drawn.
    why_none
        Why there is no comparison; else empty.
    """

    text: str
    picture: str
    why_none: str


@dataclass(frozen=True, eq=False)
class CohortView:
    """All that the cohort page shows.

    Attributes
    ----------
    sessions
        In the order of the list.
    excluded
        Those that are not on it.
    target, scale
        What the bond is called, and its lowest and highest score (None if not known).
    weak_cut
        The bond below which it counts as weak; NaN if there is none.
    model, comparison
        None without a model; the comparison.
    notes
        Of the list, for people.
    """

    sessions: tuple[Listed, ...]
    excluded: tuple[Excluded, ...]
    target: str
    scale: tuple[float, float] | None
    weak_cut: float
    model: ModelView | None
    comparison: ComparisonView
    notes: tuple[str, ...]
