"""A session of two people in conversation, its features, and a study of sessions around it; all simulated."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from conversing import conversation

from vsa.features.registry import DYAD, SessionFeatures, TooLittle, find
from vsa.features.time_course import THIRDS
from vsa.report.pages.norms import Norms
from vsa.report.pages.view import Moment
from vsa.report.pages.view_timeline import Synchrony


@pytest.fixture(scope="session")
def talk():
    """Seven minutes of a client and a therapist."""
    return conversation(seed=3, seconds=420.0, fps=15.0).session()


_EACH = (
    "gaze.on_screen_listening_share",
    "turns.latency_median_s",
    "turns.interruption_rate_per_min",
    "turns.backchannel_rate_per_min",
    "head.nod_listening_per_min",
    "turns.talk_share",
    "face.smile_share",
    "face.smile_answer_share",
    "face.smile_answer_lift",
    "quality.tracked_share",
    *(f"turns.{third}_latency_median_s" for third in THIRDS),
)
_BOTH = (
    "turns.silence_share",
    "turns.transition_rate_per_min",
    "face.shared_smile_share",
    "face.shared_smile_lift",
    "gaze.mutual_share",
    "gaze.mutual_lift",
    "quality.speakers_known_share",
    *(f"face.{third}_shared_smile_share" for third in THIRDS),
    *(f"gaze.{third}_mutual_share" for third in THIRDS),
    *(f"turns.{third}_silence_share" for third in THIRDS),
)


@pytest.fixture(scope="session")
def features(talk):
    """Of its row what a sheet shows, and why some of it is missing."""
    row, missing = {}, {}
    for scope in (*talk.scopes, DYAD):
        for name in _BOTH if scope == DYAD else _EACH:
            try:
                row[f"{scope}.{name}"] = find(name).compute(talk, scope)
            except TooLittle as why:
                row[f"{scope}.{name}"], missing[f"{scope}.{name}"] = math.nan, str(why)
    return SessionFeatures(row, missing)


@pytest.fixture(scope="session")
def study(features):
    """Makes norms of a study in whose middle the session lies, with some features moved by so many sessions."""

    def make(moved: dict[str, int] | None = None, sessions: int = 21) -> Norms:
        steps = np.arange(sessions) - sessions // 2
        columns = {
            name: value - 0.01 * (steps + (moved or {}).get(name, 0))
            for name, value in features.row.items()
            if math.isfinite(value)
        }
        return Norms(pd.DataFrame(columns), columns)

    return make


@pytest.fixture(scope="session")
def together():
    """Movement that goes together more than by chance."""
    return Synchrony(np.empty(0), np.empty(0), 60.0, 2.34, 0.0099, "")


@pytest.fixture
def two_moments():
    """Finds two moments of everything."""
    return lambda feature, side: (Moment(60.0, 120.0, feature, 0.5), Moment(240.0, 300.0, feature, 0.25))
