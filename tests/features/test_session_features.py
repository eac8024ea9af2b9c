"""One session's row: known values, and what is said where there is too little to go on."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from acted import OPEN, lids, lose, nodding, plateau, session, table, times, uneven
from hypothesis import given, settings
from hypothesis import strategies as st

from vsa.errors import InputError
from vsa.features.registry import compute
from vsa.features.session import Session


def lively(seconds=120.0, fps=25.0, participant="p1", start_s=0.0, t=None) -> pd.DataFrame:
    """A person who blinks every 4 s, smiles and looks away for a while, nods, and turns the head slowly."""
    t = times(seconds, fps, start_s) if t is None else t
    own = t - start_s
    smile = 0.5 * (plateau(own, 20, 26) + plateau(own, 70, 76))
    eyes = lids(own, np.arange(2.0, seconds - 1, 4.0))
    jaw = 0.3 + 0.2 * np.sin(2 * np.pi * 0.5 * own)
    return table(
        t,
        participant,
        eye_open_left=eyes,
        eye_open_right=0.95 * eyes,
        mouthSmileLeft=smile,
        mouthSmileRight=smile,
        jawOpen=jaw,
        head_yaw=10 * np.sin(2 * np.pi * own / 10),
        head_pitch=nodding(own, [12.0, 33.0, 51.0, 64.0, 99.0]),
        gaze_yaw=5.0 + 25 * plateau(own, 40, 64, ramp_s=0.1),
        gaze_pitch=np.full_like(t, -8.0),
        motion=np.full_like(t, 2.0),
    )


def test_a_person_whose_behaviour_is_written_down():
    row = compute(session(lively(), roles=["client"])).row
    assert row["client.quality.tracked_share"] == 1
    assert row["client.quality.face_height_px"] == pytest.approx(160)
    assert row["client.gaze.on_screen_share"] == pytest.approx(1 - 24.1 / 120, abs=0.01)
    assert row["client.blink.rate_per_min"] == pytest.approx(15, abs=0.1)
    assert row["client.face.smile_share"] == pytest.approx(12 / 120, abs=0.005)
    assert row["client.face.smile_rate_per_min"] == pytest.approx(1)
    assert row["client.head.nod_rate_per_min"] == pytest.approx(2.5)
    assert row["client.head.motion_energy_per_s"] == pytest.approx(50)


def test_speeds_are_what_was_turned_and_moved():
    t = times(60, 25)
    turning = table(t, head_yaw=20 * np.abs((t % 4) / 2 - 1))  # 20 deg in 2 s, back and forth
    row = compute(session(turning)).row
    assert row["p1.head.movement_deg_per_s"] == pytest.approx(10, rel=0.06)
    # one of the scores that are followed changes by 0.5 a second, the others stay
    moving = table(t, jawOpen=np.abs((t % 2) / 2 - 0.5))
    scores = [name for name in moving.columns if name.startswith(("brow", "jaw", "mouth"))]
    expected = 0.5 / math.sqrt(len(scores))
    assert compute(session(moving)).row["p1.face.expressivity_per_s"] == pytest.approx(expected, rel=0.12)
    still = compute(session(table(t))).row
    assert still["p1.head.movement_deg_per_s"] == pytest.approx(0, abs=1e-6)
    assert still["p1.face.expressivity_per_s"] == pytest.approx(0, abs=1e-9)


def test_home_is_where_the_person_looks_most_and_extraction_may_give_it():
    t = times(60, 25)
    rng = np.random.default_rng(2)
    aside = rng.random(len(t)) < 0.35
    yaw = np.where(aside, 32.0, -14.0) + rng.normal(0, 2, len(t))
    frame = table(t, gaze_yaw=yaw, gaze_pitch=rng.normal(9, 2, len(t)))
    share = compute(session(frame)).row["p1.gaze.on_screen_share"]
    assert share == pytest.approx(1 - aside.mean(), abs=0.01)
    given_home = compute(session(frame, neutral=[32.0, 9.0])).row["p1.gaze.on_screen_share"]
    assert given_home == pytest.approx(aside.mean(), abs=0.01)


def test_gaze_that_follows_the_lids_in_a_blink_is_not_looking_away():
    t = times(60, 25)
    eyes = lids(t, np.arange(1.0, 59, 1.5))
    frame = table(t, eye_open_left=eyes, eye_open_right=eyes, gaze_pitch=-30 * (1 - eyes / OPEN))
    assert compute(session(frame)).row["p1.gaze.on_screen_share"] == pytest.approx(1)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_uneven_frame_times_leave_features_as_they_are(seed):
    even, uneven_ = (compute(session(lively(t=t))).row for t in (None, uneven(120, 25, seed)))
    for name in (
        *("gaze.on_screen_share", "blink.rate_per_min", "face.smile_share", "face.smile_rate_per_min"),
        *(
            "face.expressivity_per_s",
            "head.movement_deg_per_s",
            "head.nod_rate_per_min",
            "gaze.dispersion_deg",
        ),
        *("head.still_share", "head.yaw_sd_deg", "blink.duration_median_s"),
    ):
        assert uneven_[f"p1.{name}"] == pytest.approx(even[f"p1.{name}"], rel=0.12, abs=0.03), name


def test_motion_energy_counts_repeated_pictures_once():
    t = times(60, 30)
    shown_twice = np.where(np.arange(len(t)) % 2 == 0, 4.0, 0.0)
    row = compute(session(table(t, motion=shown_twice))).row
    assert row["p1.head.motion_energy_per_s"] == pytest.approx(60, rel=0.01)


@pytest.mark.parametrize("fps", [8, 10])
def test_slow_cameras_give_no_blink_or_nod_rate_and_say_why(fps):
    found = compute(session(lively(fps=fps)))
    for name in ("p1.blink.rate_per_min", "p1.head.nod_rate_per_min"):
        assert math.isnan(found.row[name])
        assert f"{fps:.1f} new pictures a second" in found.missing[name]
    assert found.row["p1.face.smile_share"] == pytest.approx(12 / 120, abs=0.02)
    assert found.row["p1.gaze.on_screen_share"] == pytest.approx(1 - 24 / 120, abs=0.02)


def test_a_call_at_10_pictures_recorded_at_30_is_a_slow_camera():
    slow = lively(fps=10)
    t = times(120, 30)
    fast = slow.iloc[np.minimum(np.arange(len(t)) // 3, len(slow) - 1)].assign(t=t)
    fast["motion"] = np.where(np.arange(len(t)) % 3 == 0, 2.0, 0.0)
    found = compute(session(fast))
    assert "10.0 new pictures a second" in found.missing["p1.blink.rate_per_min"]


def test_a_camera_that_is_off_half_the_time_changes_shares_but_not_rates():
    frame = lively(240)
    off = (frame["t"] >= 120).to_numpy()
    whole, half = compute(session(frame[~off])).row, compute(session(lose(frame, off))).row
    assert half["p1.quality.tracked_share"] == pytest.approx(0.5, abs=0.001)
    for name in ("blink.rate_per_min", "face.smile_share", "gaze.on_screen_share", "head.nod_rate_per_min"):
        assert half[f"p1.{name}"] == pytest.approx(whole[f"p1.{name}"], rel=0.02), name


def test_a_camera_that_is_always_off_is_missing_and_not_zero():
    found = compute(session(lose(lively(60), np.ones(60 * 25, bool))))
    seen = {name: value for name, value in found.row.items() if not math.isnan(value)}
    assert seen.pop("dyad.quality.duration_min") == pytest.approx(1)
    assert seen == {f"p1.quality.{what}_share": 0 for what in ("tracked", "frontal", "eyes")}
    for name in ("gaze.on_screen_share", "blink.rate_per_min", "face.smile_share", "head.nod_rate_per_min"):
        assert found.missing[f"p1.{name}"] == "the face was never tracked"


def test_short_sessions_small_faces_and_turned_heads_say_what_is_lacking():
    short = compute(session(lively(8)))
    assert "8.0 s, and 30 s are needed" in short.missing["p1.blink.rate_per_min"]
    assert "8.0 s, and 10 s are needed" in short.missing["p1.gaze.on_screen_share"]
    small = compute(session(lively().assign(box_h=40.0)))
    assert small.missing["p1.gaze.on_screen_share"] == "the face is 40 px high, and eyes need 80 px"
    assert small.missing["p1.blink.rate_per_min"] == "the face is 40 px high, and eyes need 80 px"
    assert not math.isnan(small.row["p1.face.smile_share"])
    aside = compute(session(lively().assign(head_yaw=60.0)))
    assert "within 40 deg" in aside.missing["p1.face.smile_share"]


def test_people_go_by_their_roles_in_any_order_of_rows():
    one, two = lively(participant="p1"), table(times(120, 25), "p2")
    there = compute(session(one, two, roles=["therapist", "client"]))
    mixed = pd.concat([two, one]).sample(frac=1, random_state=1)
    people = [{"id": "p2", "role": "client"}, {"id": "p1", "role": "therapist"}]
    back = compute(Session.from_tables({"session_id": "s", "participants": people}, mixed))
    assert {name.split(".")[0] for name in there.row} == {"therapist", "client", "dyad"}
    assert back.row == pytest.approx(dict(there.row), nan_ok=True)


def test_two_people_of_one_role_keep_their_own_columns():
    one, two = lively(participant="p1"), table(times(120, 25), "p2")
    row = compute(session(one, two, roles=["client", "client"])).row
    assert row["client.face.smile_share"] > 0.05
    assert row["client2.face.smile_share"] == 0


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="p1"):
        Session.from_tables({"session_id": "s", "participants": []}, lively(10))
    with pytest.raises(InputError, match="tracked"):
        Session.from_tables({"session_id": "s", "participants": []}, lively(10).drop(columns="tracked"))


def test_the_row_of_the_webcam_clip(face_table):
    row = compute(session(face_table("webcam_man_53s.mp4"))).row
    # what a person says who watched it: he looks at his screen, smiles once for 3 s, blinks twice, does not nod
    assert row["p1.gaze.on_screen_share"] > 0.9
    assert row["p1.face.smile_share"] == pytest.approx(3 / 53, abs=0.01)
    assert row["p1.blink.rate_per_min"] == pytest.approx(2 / 53.5 * 60, abs=0.1)
    assert row["p1.face.smile_rate_per_min"] == pytest.approx(1 / 53.5 * 60, abs=0.05)
    assert row["p1.head.nod_rate_per_min"] == 0
    assert row["p1.quality.tracked_share"] > 0.99
