"""From a session's signals to its practitioner's sheet."""

from __future__ import annotations

import pandas as pd
import pytest
from acted import times, voices
from conversing import PEOPLE, Conversation, face_table, people

from vsa.features.registry import find
from vsa.report.pages.norms import Norms
from vsa.report.sheet.content import Sheet
from vsa.run.moments import SessionMoments
from vsa.run.reporting.course import synchrony_of
from vsa.run.reporting.sheet import sheet_of

SECONDS, FPS = 600.0, 12.0
AWAY = (300.0, 356.0)  # the therapist looks aside nearly all the time
LOOKS = "therapist.gaze.on_screen_listening_share"


@pytest.fixture(scope="module")
def session():
    both = people(5, SECONDS)
    both["p2"].away[:] = [(at, at + 3.6) for at in range(int(AWAY[0]), int(AWAY[1]), 4)]
    own = times(SECONDS, FPS)
    frames = {who: face_table(both[who], who, own, own, FPS) for who in PEOPLE}
    return Conversation(frames, voices(SECONDS, {who: both[who].spoken for who in PEOPLE})).session()


@pytest.fixture(scope="module")
def made(session):
    seen = {f"{who}.quality.tracked_share": 1.0 for who in ("client", "therapist")}
    looks = find("gaze.on_screen_listening_share").compute(session, "therapist")
    values = {**seen, "dyad.quality.speakers_known_share": 1.0, LOOKS: looks}
    others = Norms(pd.DataFrame({LOOKS: [looks + 0.001 * k for k in range(20)]}), [LOOKS])
    return values, others


def test_a_thing_to_try_leads_to_where_it_happened(session, made):
    values, norms = made
    sheet = sheet_of(session, values, {}, norms, synchrony_of(session), SessionMoments(session))
    assert isinstance(sheet, Sheet)
    pick = sheet.training.attempt
    assert "looked toward the screen" in pick.seen
    shown = max(pick.moments, key=lambda one: min(one.end_s, AWAY[1]) - max(one.start_s, AWAY[0]))
    assert min(shown.end_s, AWAY[1]) - max(shown.start_s, AWAY[0]) >= 40
    assert shown.text.endswith(" %")


def test_a_session_that_is_poorly_seen_gets_the_reason_instead(session, made):
    values, norms = made
    poor = {**values, "client.quality.tracked_share": 0.2}
    why = sheet_of(session, poor, {}, norms, synchrony_of(session), SessionMoments(session))
    assert why == "The face of the client was followed in 20 % of the session, and 50 % are needed."
