"""What the cohort page shows; addresses are relative to it, and quoted for a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsa.report.pages.view import Flag


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
    left_out
        What to tell of pictures that are not shown.
    """

    name: str
    verdict: str
    about: Mapping[str, str]
    results: Mapping[str, str]
    pictures: Mapping[str, str]
    card: str
    left_out: tuple[str, ...] = ()


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
