"""What a timeline shows, held against conversations of which it is written down who does what when."""

from __future__ import annotations

import numpy as np
import pytest
from acted import lose, session, table, times
from conversing import PEOPLE, conversation, people

from vsa.features.session import Session
from vsa.report.pages.view_timeline import Spans, Timeline
from vsa.run.reporting.course import timeline_of

SECONDS = 420.0
ROLES = ("client", "therapist")


@pytest.fixture(scope="module")
def talk() -> Session:
    return conversation(seed=3, seconds=SECONDS).session()


@pytest.fixture(scope="module")
def timeline(talk: Session) -> Timeline:
    return timeline_of(talk)


@pytest.fixture(scope="module")
def done() -> dict:
    """What the two really do, by role."""
    return dict(zip(ROLES, people(3, SECONDS).values(), strict=True))


def overlap_share(found: Spans, true: list[tuple[float, float]]) -> float:
    """Of the time that is in one or the other, the share that is in both."""
    t = np.arange(0, SECONDS, 0.05)
    a, b = (np.any([(t >= s) & (t < e) for s, e in spans], axis=0) for spans in (found, true))
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("which", [0, 1])
def test_smiles_and_looks_away_stand_where_they_happened(timeline: Timeline, done: dict, which: int) -> None:
    lane = timeline.lanes[which]
    person = done[lane.scope]
    assert lane.missing == {}
    assert overlap_share(lane.smiles, person.smiles) > 0.8
    assert overlap_share(lane.away, person.away) > 0.8


def test_nods_stand_where_they_happened(timeline: Timeline, done: dict) -> None:
    for lane in timeline.lanes:
        true = np.array(done[lane.scope].nods)
        near = [np.abs(true - start).min() for start, _ in lane.nods]
        assert len(lane.nods) >= 0.8 * len(true)
        assert np.mean(np.array(near) < 1.0) > 0.9


def test_everything_lies_within_the_session_and_in_order(timeline: Timeline) -> None:
    for lane in timeline.lanes:
        for spans in (lane.turns, lane.backchannels, lane.away, lane.smiles, lane.nods, lane.unseen):
            assert (spans[:, 0] < spans[:, 1]).all()
            assert (np.diff(spans[:, 0]) >= 0).all()
            if len(spans):
                assert timeline.start_s - 0.1 <= spans.min()
                assert spans.max() <= timeline.end_s + 0.1
    assert (timeline.silences[:, 1] - timeline.silences[:, 0] >= 3 - 1e-6).all()
    assert all(cut.by != cut.of for cut in timeline.interruptions)


def test_a_face_out_of_view_is_grey_and_nothing_is_seen_there() -> None:
    t = times(120, 25)
    frames = [lose(table(t, who, gaze_yaw=4.0, gaze_pitch=-3.0), (t > 40) & (t < 70)) for who in PEOPLE]
    lane = timeline_of(session(*frames, roles=ROLES)).lanes[0]
    assert lane.unseen == pytest.approx(np.array([[40.04, 70.0]]), abs=0.1)
    assert lane.gaze_unknown == pytest.approx(np.array([[40.0, 70.0]]), abs=0.3)
    assert not len(lane.away)


def test_what_cannot_be_measured_at_all_says_why() -> None:
    t = times(30, 4)
    shown = timeline_of(session(table(t, "p1"), lose(table(t, "p2"), t >= 0), roles=ROLES))
    slow, lost = shown.lanes
    assert "new pictures a second" in slow.missing["nod"]
    assert lost.missing["smile"] == "the face was never tracked"
    assert shown.no_speech == "there is no sound"
    assert slow.missing["speech"] == "there is no sound"
    assert shown.synchrony.why_none == "the face was never tracked"


def test_synchrony_is_high_where_two_move_together_and_only_there() -> None:
    rng = np.random.default_rng(5)
    t = times(900, 10)
    kernel = np.ones(10) / 10
    both, own, other = (np.convolve(rng.exponential(1.0, len(t)), kernel, "same") for _ in range(3))
    together = (t > 300) & (t < 500)
    frames = [
        table(t, who, motion=1 + np.where(together, both + 0.3 * mine, mine))
        for who, mine in zip(PEOPLE, (own, other), strict=True)
    ]
    found = timeline_of(session(*frames, roles=ROLES)).synchrony
    inside = (found.t > 340) & (found.t < 460)
    outside = (found.t < 260) | (found.t > 540)
    assert found.z[inside].min() > 3
    assert np.mean(found.z[outside] < 1.64) > 0.85
    assert abs(np.mean(found.z[outside])) < 0.8
    assert found.overall_z > 3
    assert found.overall_p < 0.05
