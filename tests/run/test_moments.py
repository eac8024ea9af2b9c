"""Moments in sessions of which it is known what happens when; simulated, nobody in them is real."""

from __future__ import annotations

import json
import math
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from acted import lose, session, table, times, voices
from conversing import PEOPLE, Conversation, face_table, people

from vsa.errors import InputError
from vsa.features.core import CORE
from vsa.features.person import Face
from vsa.features.registry import DYAD, TooLittle, features, find
from vsa.features.session import Session
from vsa.report.times import clock
from vsa.run.corrections import settle, speech_in
from vsa.run.moments import Moment, SessionMoments, followed, moments
from vsa.run.stretches import Stretches

SECONDS, FPS = 900.0, 15.0
NODDING, STILL = (345.0, 405.0), (600.0, 660.0)  # the therapist nods more, and not at all
SMILING = (195.0, 255.0)
SILENT = (480.0, 545.0)


def without(events: list, start_s: float, end_s: float) -> None:
    def begins(event):
        return event[0] if isinstance(event, tuple) else event

    events[:] = [event for event in events if not start_s - 5 < begins(event) < end_s + 1]


def acted(seconds: float = SECONDS) -> Conversation:
    """People in conversation, with minutes in which something else goes on."""
    both = people(2, seconds)
    client, therapist = (both[who] for who in PEOPLE)
    therapist.nods[:] = [
        at for at in np.arange(8.0, seconds - 5, 12.0) if not STILL[0] - 2 < at < STILL[1]
    ] + list(np.arange(NODDING[0] + 1, NODDING[1] - 2, 3.5))
    without(client.smiles, *SMILING)
    client.smiles.extend((at, at + 4.0) for at in np.arange(SMILING[0], SMILING[1], 6.0))
    for person in both.values():
        without(person.spoken, *SILENT)
    own = times(seconds, FPS)
    frames = {who: face_table(both[who], who, own, own, FPS) for who in PEOPLE}
    heard = voices(
        seconds,
        {who: both[who].spoken for who in PEOPLE},
        f0_hz={who: lambda t, who=who: 160.0 * 2 ** (both[who].wave("f0", t) / 8) for who in PEOPLE},
    )
    return Conversation(frames, heard)


@pytest.fixture(scope="module")
def talk() -> Conversation:
    return acted()


@pytest.fixture(scope="module")
def whole(talk: Conversation) -> Session:
    return talk.session()


@pytest.fixture(scope="module")
def found(whole: Session) -> SessionMoments:
    return SessionMoments(whole)


@pytest.fixture(scope="module")
def folder(talk: Conversation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a finished session of a results folder."""
    place = tmp_path_factory.mktemp("results") / "s1"
    record = talk.write(place)
    settle(None, record["participants"], speech_in(place)).write(place, "s1")
    pd.DataFrame([{"session_id": "s1"}]).to_parquet(place / "features.parquet")
    (place / "session.json").write_text(json.dumps(record | {"status": "complete"}), "utf-8")
    return place


def share_within(moment: Moment, spans: tuple[float, float]) -> float:
    """How much of the planted time a moment covers."""
    return max(0.0, min(moment.end_s, spans[1]) - max(moment.start_s, spans[0])) / (spans[1] - spans[0])


@pytest.mark.parametrize(
    ("feature", "direction", "planted", "other"),
    [
        ("therapist.head.nod_rate_per_min", "high", NODDING, STILL),
        ("therapist.head.nod_rate_per_min", "low", STILL, NODDING),
        ("client.face.smile_share", "high", SMILING, STILL),
        ("client.face.smile_rate_per_min", "high", SMILING, STILL),
        ("dyad.turns.silence_share", "high", SILENT, NODDING),
        ("client.quality.speech_share", "low", SILENT, NODDING),
    ],
)
def test_the_minute_in_which_it_happens_is_found(found, feature, direction, planted, other):
    """Planted minutes begin on a quarter of a minute, and stretches half a minute apart: three quarters at least."""
    shown = found.find(feature, direction)
    best = (max if direction == "high" else min)(shown, key=lambda moment: moment.value)
    assert share_within(best, planted) >= 0.75
    assert all(share_within(moment, other) == 0 for moment in shown)
    opposite = found.find(feature, "low" if direction == "high" else "high")
    assert all(share_within(moment, planted) < 0.3 for moment in opposite)


def test_silence_is_found_with_its_size(found):
    (most,) = found.find("dyad.turns.silence_share", "high", most=1)
    assert most.value > 0.9
    assert most.end_s - most.start_s == 60


def test_one_who_never_does_it_has_no_moments_and_is_told_so():
    t = times(400, FPS)
    nods = table(t, "p1", head_pitch=np.zeros(len(t)))
    still = SessionMoments(session(nods, table(t, "p2"), roles=["client", "therapist"]))
    for direction in ("low", "high"):
        assert still.find("client.head.nod_rate_per_min", direction) == ()
        assert still.why("client.head.nod_rate_per_min", direction) == (
            f"no stretch of 60 s stands out as {direction}"
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", CORE)
def test_moments_keep_what_they_promise(found, whole, name):
    entry = find(name)
    for scope in whole.scopes if entry.scope == "role" else (DYAD,):
        for direction in ("low", "high"):
            shown = found.find(f"{scope}.{name}", direction, most=3)
            assert len(shown) <= 3
            assert bool(shown) != bool(found.why(f"{scope}.{name}", direction))
            starts, ends = ([getattr(moment, side) for moment in shown] for side in ("start_s", "end_s"))
            assert all(end <= start + 1e-6 for end, start in zip(ends, starts[1:], strict=False))
            assert all(start >= -1e-6 for start in starts)
            assert all(end <= SECONDS + 0.1 for end in ends)
            for moment in shown:
                there = entry.compute(whole.part(moment.start_s, moment.end_s), scope)
                assert moment.value == pytest.approx(there, rel=0.02, abs=0.01)
        low, high = (found.find(f"{scope}.{name}", side) for side in ("low", "high"))
        assert not low or not high or max(m.value for m in low) < min(m.value for m in high)


def test_most_features_of_the_core_set_have_moments(found):
    named = [f"{'client' if find(name).scope == 'role' else DYAD}.{name}" for name in CORE]
    assert sum(bool(found.find(name, "low") or found.find(name, "high")) for name in named) >= 12


def test_rare_things_are_looked_for_in_longer_stretches(found):
    shown = found.find("client.turns.gap_iqr_s", "high")
    assert {round(moment.end_s - moment.start_s) for moment in shown} == {300}


def test_moments_of_a_third_lie_in_it(found):
    for k, third in enumerate(("early", "middle", "late")):
        for direction in ("low", "high"):
            for moment in found.find(f"client.face.{third}_expressivity_per_s", direction):
                middle = (moment.start_s + moment.end_s) / 2
                assert k * SECONDS / 3 <= middle <= (k + 1) * SECONDS / 3
    early = found.find("client.face.early_smile_share", "high", most=1)
    assert early == found.find("client.face.smile_share", "high", most=1)
    assert all(share_within(m, SMILING) == 0 for m in found.find("client.face.late_smile_share", "high"))


def test_a_slope_is_shown_by_a_moment_early_and_one_late():
    t = times(900, FPS)
    fewer = np.concatenate([np.arange(5.0, 400, 9.0), np.arange(400.0, 895, 70.0)])
    smile = sum(np.interp(t - at, [-0.15, 0, 3, 3.15], [0, 0.5, 0.5, 0]) for at in fewer)
    client = table(t, "p1", mouthSmileLeft=smile, mouthSmileRight=smile)
    one = SessionMoments(session(client, table(t, "p2"), roles=["client", "therapist"]))
    first, last = one.find("client.face.smile_share_slope_per_10min", "low")
    assert first.end_s <= 330 < 570 <= last.start_s
    assert first.value > 0.3 > 0.1 > last.value
    assert one.find("client.face.smile_share_slope_per_10min", "high") == ()
    assert followed("client.face.smile_share_slope_per_10min") == "client.face.smile_share"


@pytest.mark.parametrize(
    ("feature", "why"),
    [
        ("attachment_anxiety", "it is not measured in the recording"),
        ("client.voice.creak_share", "it is not measured in the recording"),
        ("client.own.thing", "it is not measured in the recording"),
        ("supervisor.face.smile_share", "there is no supervisor in this session"),
        ("client.turns.silence_share", "it is not measured of one person"),
        ("dyad.face.smile_share", "it is not measured of a pair"),
        ("dyad.sync.head_surrogate_z", "synchrony is told from the whole session, not from a moment"),
        ("client.blink.duration_median_s", "no stretch of 300 s holds enough of it"),
    ],
)
def test_what_cannot_be_shown_gives_nothing_and_says_why(found, feature, why):
    for direction in ("low", "high"):
        assert found.find(feature, direction) == ()
        assert found.why(feature, direction) == why


def test_without_sound_there_are_no_moments_of_speech(talk):
    deaf = SessionMoments(talk.session(silent=True))
    assert deaf.find("client.turns.talk_share", "low") == ()
    assert deaf.why("client.turns.talk_share", "low") == "no stretch of 300 s holds enough of it"
    assert deaf.find("client.face.smile_share", "high")


def test_where_the_camera_is_off_there_is_no_moment(talk):
    frame = talk.frames["p1"]
    off = lose(frame, ((frame["t"] >= 180) & (frame["t"] < 600)).to_numpy())
    seen = SessionMoments(session(off, talk.frames["p2"], roles=["client", "therapist"]))
    for direction in ("low", "high"):
        shown = seen.find("client.face.expressivity_per_s", direction)
        assert shown
        assert all(moment.end_s <= 180 + 50 or moment.start_s >= 600 - 50 for moment in shown)


@pytest.mark.parametrize(("seconds", "length_s"), [(100.0, 25.0), (53.0, 15.0)])
def test_short_sessions_are_cut_into_shorter_stretches(seconds, length_s):
    t = times(seconds, FPS)
    smile = np.interp(t, [29.8, 30, 42, 42.2], [0, 0.5, 0.5, 0])
    one = SessionMoments(session(table(t, "p1", mouthSmileLeft=smile, mouthSmileRight=smile)))
    (moment,) = one.find("p1.face.smile_share", "high", most=1)
    assert moment.end_s - moment.start_s == pytest.approx(length_s)
    assert share_within(moment, (30.0, 42.0)) > 0.6


def test_a_clip_of_seconds_is_not_cut():
    one = SessionMoments(session(table(times(20, FPS), "p1")))
    assert one.find("p1.face.smile_share", "low") == ()
    assert one.why("p1.face.smile_share", "low") == "the session lasts 20 s and is too short to be cut"


def test_a_recording_that_begins_late_keeps_its_own_time():
    t = times(400, FPS, start_s=1000.0)
    smile = np.interp(t, [1149.8, 1150, 1205, 1205.2], [0, 0.5, 0.5, 0])
    one = SessionMoments(session(table(t, "p1", mouthSmileLeft=smile, mouthSmileRight=smile)))
    (moment,) = one.find("p1.face.smile_share", "high", most=1)
    assert share_within(moment, (1150.0, 1205.0)) > 0.9


def test_a_folder_gives_what_its_session_gives(found, folder):
    opened = SessionMoments(folder)
    for name in ("therapist.head.nod_rate_per_min", "client.turns.talk_share", "dyad.turns.silence_share"):
        assert opened.find(name, "high") == pytest.approx(found.find(name, "high"))
        assert moments(folder, name, "high", most=1) == pytest.approx(found.find(name, "high", most=1))


def test_a_folder_that_is_no_session_is_named(tmp_path, folder):
    with pytest.raises(InputError, match="nowhere is no finished session"):
        SessionMoments(tmp_path / "nowhere")
    hurt = tmp_path / "s2"
    hurt.mkdir()
    for path in folder.iterdir():
        (hurt / path.name).write_bytes(path.read_bytes())
    (hurt / "voice.parquet").write_bytes(b"PAR1, but the rest is not of this kind. PAR1")
    with pytest.raises(InputError, match="s2 is damaged"):
        SessionMoments(hurt)


@pytest.mark.parametrize(
    ("start_s", "length_s"), [(0.0, 60.0), (330.0, 60.0), (480.0, 120.0), (600.0, 300.0)]
)
def test_stretches_give_the_numbers_of_parts_of_the_session(whole, start_s, length_s):
    """But for the speakers' usual pitch and loudness, which are those of the minutes around."""
    quick, part = Stretches(whole), whole.part(start_s, start_s + length_s)
    compared = 0
    for entry in features():
        if entry.group == "sync":
            continue
        scope = "client" if entry.scope == "role" else DYAD
        short = quick.part(start_s, length_s, faces_only=entry.needs == ("face",))
        told = []
        for one in (part, short):
            try:
                told.append(float(entry.compute(one, scope)))
            except TooLittle:
                told.append(math.nan)
        assert math.isnan(told[0]) == math.isnan(told[1]), entry.name
        if entry.name.endswith(("_proximity_st", "_proximity_db", "_proximity_per_s", "_convergence_r")):
            continue
        assert told[1] == pytest.approx(told[0], rel=0.02, abs=0.01, nan_ok=True), entry.name
        compared += math.isfinite(told[0])
    assert compared > 60


@pytest.mark.parametrize("edges", [(0.0, 60.0), (337.5, 365.0), (480.0, 545.0), (880.0, 1000.0)])
def test_turns_of_a_stretch_are_those_of_the_part(whole, edges):
    start_s, end_s = edges
    quick = Stretches(whole).part(start_s, end_s - start_s).turns
    part = whole.part(start_s, end_s).turns
    assert quick.participants == part.participants
    for one in fields(part)[1:]:
        pd.testing.assert_frame_equal(getattr(quick, one.name), getattr(part, one.name))


def test_what_is_usual_for_a_face_is_that_of_the_whole_session(whole):
    part: Face = Stretches(whole).part(0.0, 60.0).faces["client"]
    assert part.own.t[-1] > SECONDS - 1
    assert 4 <= len(part.own.t) / SECONDS <= 8


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (750, "12:30"),
        (3600, "1:00:00"),
        (3725, "1:02:05"),
        (-5, "-0:05"),
    ],
)
def test_times_read_as_on_a_player(seconds, said):
    assert clock(seconds) == said


@pytest.mark.slow
def test_three_reasons_of_a_long_session_take_seconds(tmp_path):
    """Processor time, with a wide margin for a busy machine: 3 s are usual."""
    from vsa.run.cohort_simulation import write_sessions

    row = {"session_id": "s1", "client_id": "c1", "therapist_id": "t1", "bond_z": 0.0}
    write_sessions(tmp_path, pd.DataFrame([row]), seconds=3000, fps=12.5, seed=1)
    started = time.process_time()
    one = SessionMoments(tmp_path / "s1")
    named = ("client.face.smile_share", "therapist.turns.latency_median_s", "dyad.gaze.mutual_share")
    assert all(one.find(name, "low") for name in named)
    assert time.process_time() - started < 9
