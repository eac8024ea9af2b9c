"""What holds for every feature: what does not matter to it, and what it says where there is too little."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from acted import lose, session, table, times, voices
from conversing import PEOPLE, Conversation, conversation
from hypothesis import given, settings
from hypothesis import strategies as st

from vsa.features.registry import SessionFeatures, compute, features, find

SECONDS = 340.0
#: Filled in from other sessions (vsa.run.cohort_sync).
OTHERS = "_cohort_"
#: What little is left after a smooth line through noise.
NEAR_ZERO = {"percent/10 min": 0.3}


@cache
def talk(seed: int = 0) -> Conversation:
    return conversation(seed, SECONDS)


@cache
def row(seed: int = 0) -> SessionFeatures:
    return compute(talk(seed).session())


def differences(
    one: SessionFeatures, other: SessionFeatures, rel: float, absolute: float
) -> dict[str, tuple]:
    assert one.row.keys() == other.row.keys()
    found = {}
    for name, value in one.row.items():
        there = other.row[name]
        near = max(absolute, NEAR_ZERO.get(find(name).unit, 0))
        if not (math.isnan(value) and math.isnan(there)) and not abs(value - there) <= near + rel * abs(
            value
        ):
            found[name] = (value, there)
    return found


def test_a_lively_conversation_has_every_feature_but_a_few():
    missing = {name.partition(".")[2] for name in row().missing if OTHERS not in name}
    lags = {
        f"sync.{s}_{what}"
        for s in ("motion", "head", "smile", "f0", "intensity")
        for what in ("peak_lag_s", "lead_index")
    }
    of_the_track = {
        f"quality.{w}"
        for w in ("bandwidth_hz", "bleed_db", "clipping_share", "snr_db", "sound_missing_share")
    }
    unmeasured = {"quality.sync_offset_s", "quality.speakers_confidence"}
    of_longer_sessions = {
        "turns.talk_balance_sd",
        "turns.latency_slope_s_per_10min",
        "head.nod_listening_lift",
    }
    assert missing <= lags | of_the_track | unmeasured | of_longer_sessions
    assert len(row().row) - len(row().missing) >= 220


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(start_s=st.floats(0, 9000), swapped=st.booleans())
def test_when_the_clip_starts_and_who_is_listed_first_do_not_matter(start_s, swapped):
    later = conversation(0, SECONDS, start_s=start_s).session(order=(1, 0) if swapped else (0, 1))
    # one blink in forty may fall on the other side of where a turn begins
    assert differences(row(), compute(later), 0.03, 0.005) == {}


def test_names_of_participants_do_not_matter():
    other = compute(talk().session(roles=("therapist", "client")))
    swapped = {
        name: other.row[{"client": "therapist", "therapist": "client"}[scope] + "." + rest]
        for name in other.row
        for scope, _, rest in [name.partition(".")]
        if scope != "dyad"
    }
    for name, value in swapped.items():
        assert value == pytest.approx(row().row[name], nan_ok=True), name


@pytest.mark.slow
def test_half_the_frame_rate_gives_the_same_or_says_that_it_is_too_slow():
    whole = compute(conversation(0, SECONDS, fps=30).session())
    half = compute(conversation(0, SECONDS, fps=15).session())
    changed = differences(whole, half, 0.1, 0.04)
    slow = {name for name in changed if "new pictures a second" in half.missing.get(name, "")}
    assert {name.partition(".")[2] for name in slow} <= {"blink.duration_median_s"}
    rest = {name: pair for name, pair in changed.items() if name not in slow and "frame_rate_hz" not in name}
    # surrogates are other ones where samples differ a little: z moves by a few tenths
    assert {n: p for n, p in rest.items() if not (".sync." in n and abs(p[0] - p[1]) < 0.5)} == {}


@settings(max_examples=2, deadline=None)
@given(pitch=st.floats(0.75, 1.4), gain_db=st.floats(-20, 20))
def test_pitch_and_gain_change_the_level_of_pitch_only(pitch, gain_db):
    scaled = compute(conversation(0, SECONDS, pitch=pitch, gain_db=gain_db).session())
    changed = differences(row(), scaled, 0.005, 0.005)
    assert set(changed) <= {f"{who}.voice.f0_median_hz" for who in ("client", "therapist")}
    low, high = (found.row["client.voice.f0_median_hz"] for found in (row(), scaled))
    assert high / low == pytest.approx(pitch, rel=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_values_lie_in_their_range(seed):
    for name, value in row(seed).row.items():
        low, high = find(name).range
        assert math.isnan(value) or ((low is None or value >= low) and (high is None or value <= high)), name


def test_wild_signals_stay_in_range_too():
    rng = np.random.default_rng(0)
    t = times(100, 25)
    frames = []
    for who in PEOPLE:
        scores = {name: rng.uniform(0, 1, len(t)) for name in table(t[:2]).columns[20:]}
        angles = {n: rng.normal(0, 30, len(t)) for n in ("gaze_yaw", "gaze_pitch", "head_pitch", "head_yaw")}
        frames.append(table(t, who, **scores, **angles, head_z=rng.normal(60, 30, len(t))))
    spans = {who: np.sort(rng.uniform(0, 99, 80)).reshape(-1, 2).tolist() for who in PEOPLE}
    heard = voices(100, spans, f0_hz=lambda own: rng.uniform(60, 600, len(own)))
    for name, value in compute(session(*frames, heard=heard)).row.items():
        low, high = find(name).range
        assert math.isnan(value) or ((low is None or value >= low) and (high is None or value <= high)), name


def without(found: SessionFeatures, what: str) -> None:
    """Everything that needs it is missing, with a reason; a part of the recording is never mistaken for behaviour."""
    for name, value in found.row.items():
        if what in find(name).needs and find(name).group != "quality":
            assert math.isnan(value), name
    assert {name for name, value in found.row.items() if math.isnan(value)} == set(found.missing)
    assert all(len(reason) > 10 for reason in found.missing.values())


def test_no_sound():
    found = compute(talk().session(silent=True))
    without(found, "voice")
    assert {found.missing[n] for n in found.row if "voice" in find(n).needs} >= {"there is no sound"}
    # what rests on pictures alone is as it was
    for name, value in found.row.items():
        if find(name).needs == ("face",):  # thirds are those of the pictures, which end a moment earlier
            assert value == pytest.approx(row().row[name], rel=0.01, abs=0.002, nan_ok=True), name


def test_cameras_that_are_always_off():
    frames = {who: lose(frame, np.ones(len(frame), bool)) for who, frame in talk().frames.items()}
    found = compute(Conversation(frames, talk().heard).session())
    without(found, "face")
    assert found.row["client.quality.tracked_share"] == 0
    for name, value in found.row.items():
        if find(name).needs == ("voice",):
            assert value == pytest.approx(row().row[name], rel=0.01, abs=0.002, nan_ok=True), name


def test_nobody_speaks():
    heard = voices(SECONDS, {who: [] for who in PEOPLE})
    found = compute(session(*talk().frames.values(), roles=["client", "therapist"], heard=heard))
    said = {
        name: v
        for name, v in found.row.items()
        if find(name).group in ("voice", "turns") and not math.isnan(v)
    }
    # silence is known to be silent; nothing is known of turns, or of how anybody speaks
    assert {name.partition(".")[2] for name in said if said[name] != 0} <= {
        "turns.silence_share",
        *(f"turns.{third}_silence_share" for third in ("early", "middle", "late")),
    }
    assert math.isnan(found.row["client.turns.talk_share"])
    assert math.isnan(found.row["client.voice.pause_share"])


def test_one_participant():
    alone = session(talk().frames["p1"], roles=["client"])
    found = compute(alone)
    pair = {name: value for name, value in found.row.items() if find(name).scope == "dyad"}
    known = {name for name, value in pair.items() if not math.isnan(value)}
    assert known == {"dyad.quality.duration_min"}
    assert found.missing["dyad.gaze.mutual_share"] == "it takes two people, and there is 1"
    assert found.missing["dyad.sync.motion_p"] == "it takes two people, and there is 1"
    assert found.row["client.gaze.on_screen_share"] == pytest.approx(row().row["client.gaze.on_screen_share"])


def test_twenty_seconds_of_session():
    found = compute(conversation(0, 20).session())
    for name, reason in found.missing.items():
        assert reason, name
    for name in (
        "blink.rate_per_min",
        "head.nod_rate_per_min",
        "turns.turn_rate_per_min",
        "gaze.early_on_screen_share",
    ):
        assert math.isnan(found.row[f"client.{name}"]), name
    for name in ("sync.motion_surrogate_z", "sync.smile_p"):
        assert "too short" in found.missing[f"dyad.{name}"]
    assert found.row["client.gaze.on_screen_share"] == pytest.approx(
        row().row["client.gaze.on_screen_share"], abs=0.2
    )


@pytest.mark.parametrize("fps", [1, 2, 4, 7])
def test_a_camera_of_a_few_pictures_a_second_has_shares_and_no_events(fps):
    found = compute(conversation(0, SECONDS, fps=fps).session())
    for name in (
        "blink.rate_per_min",
        "head.nod_rate_per_min",
        "head.shake_rate_per_min",
        "gaze.aversion_rate_per_min",
    ):
        assert f"{fps:.1f} new pictures a second" in found.missing[f"client.{name}"]
    if fps < 3:  # nothing is followed in time
        assert found.missing["client.blink.closed_share"] == "the eyes are never in view without a break"
    same = (
        "quality.tracked_share",
        "gaze.down_share",
        "turns.talk_share",
        "voice.f0_sd_st",
        "head.distance_cm",
    )
    for name in same:
        assert found.row[f"client.{name}"] == pytest.approx(
            row().row[f"client.{name}"], rel=0.02, abs=0.02
        ), name


def test_half_of_a_face_gone_is_half_of_the_time_and_not_half_of_the_behaviour():
    frames = dict(talk().frames)
    t = frames["p1"]["t"].to_numpy()
    frames["p1"] = lose(frames["p1"], t % 60 >= 30)
    found = compute(Conversation(frames, talk().heard).session())
    assert found.row["client.quality.tracked_share"] == pytest.approx(0.5, abs=0.05)
    for name, value in found.row.items():
        whole = row().row[name]
        if not math.isnan(value) and whole > 0 and find(name).unit == "1/min":
            # a rate of events seen in half of the time is of the same size, whatever was not seen
            assert value < 2.5 * whole + 1, name
            assert value > 0.3 * whole - 1, name
    level = ("gaze.on_screen_share", "head.movement_deg_per_s", "face.smile_share", "blink.rate_per_min")
    for name in level:
        assert found.row[f"client.{name}"] == pytest.approx(row().row[f"client.{name}"], rel=0.3), name


def test_missing_rows_are_not_rows_of_zeros():
    """A table in which the lost rows are left out altogether gives the same as one in which they are NaN."""
    frames = dict(talk().frames)
    lost = frames["p1"]["t"].to_numpy() % 60 >= 45
    marked = Conversation({**frames, "p1": lose(frames["p1"], lost)}, talk().heard)
    cut = Conversation({**frames, "p1": frames["p1"][~lost]}, talk().heard)
    there, gone = compute(marked.session()), compute(cut.session())
    changed = differences(there, gone, 0.05, 0.02)
    assert {name for name in changed if ".quality." not in name} == set()


def test_every_feature_of_two_people_is_in_the_row():
    roles = {f"{role}.{e.name}" for role in ("client", "therapist") for e in features() if e.scope == "role"}
    assert set(row().row) == roles | {f"dyad.{e.name}" for e in features() if e.scope == "dyad"}
    assert isinstance(talk().frames["p1"], pd.DataFrame)
