"""What a session's timeline shows; times are s on the session's time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: Start and end of each, s, in order of time, shape (n, 2).
Spans = npt.NDArray[np.float64]


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
        Of the whole session (`vsa.features.chance.SurrogateTest`).
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
