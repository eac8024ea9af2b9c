"""How much the head moves, how it is held and where it is, against people whose heads move by known amounts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from acted import lose, nodding, plateau, session, table, times, voices
from people import clip_path

from vsa.features.leaning import LEAN_SHARE
from vsa.features.registry import TooLittle, features, find

SECONDS = 120.0
#: Partner speaks in the first minute, this person in the second.
SPEECH = {"p1": [(60.0, 120.0)], "p2": [(0.0, 60.0)]}

MODULES = {f"vsa.features.{name}" for name in ("head", "gestures", "posture", "leaning")}
HEAD = [entry.name for entry in features() if entry.compute.__module__ in MODULES]
WITH_VOICE = [name for name in HEAD if "listening" in name or "speaking" in name]


def value(name, acted, scope="p1"):
    return find(f"head.{name}").compute(acted, scope)


def reason(name, acted, scope="p1"):
    with pytest.raises(TooLittle) as raised:
        find(name).compute(acted, scope)
    return str(raised.value)


def talk(**columns):
    t = times(SECONDS, 25)
    here = {name: column(t) if callable(column) else column for name, column in columns.items()}
    return session(table(t, **here), table(t, "p2"), heard=voices(SECONDS, SPEECH))


def triangle(t, size, period):
    """To and fro between 0 and `size` at an even speed."""
    return size * np.abs((2 * t / period) % 2 - 1)


def test_movement_is_known_while_listening_and_while_speaking():
    acted = talk(
        # 10 deg/s while the other speaks, 2 deg/s while this one does
        head_yaw=lambda t: np.where(t < 60, triangle(t, 10, 2), 10 + triangle(t, 2, 2) - 2),
        head_x=lambda t: triangle(t, 15, 6),
        motion=lambda t: np.where(t < 60, 2.0, 0.5),
    )
    assert value("movement_listening_deg_per_s", acted) == pytest.approx(10, rel=0.12)
    assert value("movement_speaking_deg_per_s", acted) == pytest.approx(2, rel=0.12)
    assert value("movement_deg_per_s", acted) == pytest.approx(6, rel=0.12)
    assert value("translation_cm_per_s", acted) == pytest.approx(5, rel=0.1)
    assert value("motion_energy_listening_per_s", acted) == pytest.approx(2 * 25)
    assert value("motion_energy_speaking_per_s", acted) == pytest.approx(0.5 * 25)
    assert value("motion_energy_per_s", acted) == pytest.approx(1.25 * 25, rel=0.01)


def test_a_head_that_comes_nearer_does_not_move_sideways():
    assert value("translation_cm_per_s", talk(head_z=lambda t: 60 + triangle(t, 5, 2))) == 0


def test_still_share_is_the_time_without_turns():
    acted = talk(head_pitch=lambda t: np.where(t < 30, 8 * np.sin(2 * np.pi * t / 2), 0))
    assert value("still_share", acted) == pytest.approx(0.75, abs=0.02)
    assert value("still_share", talk(head_pitch=lambda t: np.sin(2 * np.pi * t))) == 1


def test_spreads_are_standard_deviations_that_outliers_do_not_move():
    rng = np.random.default_rng(3)
    normal = {
        name: rng.normal(5, sd, round(SECONDS * 25)) for name, sd in (("yaw", 6), ("pitch", 4), ("roll", 2))
    }
    acted = talk(**{f"head_{name}": angle for name, angle in normal.items()})
    wild = {name: np.where(rng.random(len(angle)) < 0.03, 60.0, angle) for name, angle in normal.items()}
    jumping = talk(**{f"head_{name}": angle for name, angle in wild.items()})
    for name, sd in (("yaw_sd_deg", 6), ("pitch_sd_deg", 4), ("roll_sd_deg", 2)):
        assert value(name, acted) == pytest.approx(sd, rel=0.06)
        assert value(name, jumping) == pytest.approx(sd, rel=0.12)


@pytest.mark.parametrize("camera_deg", [0, 14])
def test_poses_are_told_from_the_usual_one_wherever_the_camera_stands(camera_deg):
    acted = talk(
        head_roll=lambda t: 14 * plateau(t, 10, 40) - 12 * plateau(t, 70, 76),
        head_yaw=lambda t: camera_deg + 20 * plateau(t, 20, 32),
        head_pitch=lambda t: camera_deg - 25 * plateau(t, 80, 92) + 25 * plateau(t, 100, 112),
    )
    assert value("tilt_share", acted) == pytest.approx(36 / SECONDS, abs=0.005)
    assert value("tilt_listening_share", acted) == pytest.approx(30 / 60, abs=0.01)
    assert value("facing_share", acted) == pytest.approx(1 - 36 / SECONDS, abs=0.005)
    assert value("facing_listening_share", acted) == pytest.approx(1 - 12 / 60, abs=0.01)
    assert value("lowered_share", acted) == pytest.approx(12 / SECONDS, abs=0.005)


def test_leaning_is_measured_from_the_usual_distance():
    def distance(t):
        return 50 * (1 - 0.2 * plateau(t, 20, 44) + 0.3 * plateau(t, 80, 92))

    acted = talk(head_z=distance)
    assert value("distance_cm", acted) == pytest.approx(50)
    assert value("lean_in_share", acted) == pytest.approx(24 / SECONDS, abs=0.005)
    assert value("lean_back_share", acted) == pytest.approx(12 / SECONDS, abs=0.005)
    assert value("posture_shift_rate_per_min", acted) == pytest.approx(4 / 2, abs=0.01)
    twice = talk(head_z=lambda t: 2 * distance(t))  # another camera
    for name in ("lean_in_share", "lean_back_share", "distance_spread_ratio"):
        assert value(name, twice) == pytest.approx(value(name, acted))
    part = acted.part(20.0, 44.0)
    assert value("lean_in_share", part) == pytest.approx(1, abs=0.01)
    assert value("distance_cm", part) == pytest.approx(40, abs=0.1)


def test_the_distance_s_spread_and_slope():
    rng = np.random.default_rng(5)
    t = times(600, 25)
    distance = 60 + rng.normal(0, 3, len(t))
    acted = session(table(t, head_z=distance))
    assert value("distance_spread_ratio", acted) == pytest.approx(3 / 60, rel=0.05)
    assert value("distance_slope_percent_per_10min", acted) == pytest.approx(0, abs=0.5)
    nearer = session(table(t, head_z=distance - 6 * t / 600))
    assert value("distance_slope_percent_per_10min", nearer) == pytest.approx(-100 * 6 / 57, rel=0.05)


def test_a_nod_a_turn_or_a_short_sway_is_no_change_of_posture():
    acted = talk(
        head_pitch=lambda t: nodding(t, np.arange(5, 110, 7), 12),
        head_y=lambda t: nodding(t, np.arange(5, 110, 7), 6),
        head_x=lambda t: 9 * (plateau(t, 30, 30.8) + plateau(t, 90, 90.8)),
    )
    assert value("posture_shift_rate_per_min", acted) == 0


@pytest.fixture(scope="module")
def lively():
    """A head that nods and sways for ten minutes; the same later, at half the rate, and with half of it gone."""
    t = times(600, 25)
    rng = np.random.default_rng(11)
    wave = np.interp(t, np.arange(0, 601, 1.5), rng.normal(0, 1, 401))
    whole = table(
        t,
        head_yaw=5 * wave,
        head_pitch=3 * wave + nodding(t, np.arange(4, 590, 6), 9),
        head_roll=4 * wave,
        head_x=3 * wave,
        head_z=60 + 5 * wave,
        motion=np.abs(np.gradient(wave)),
    )
    halved = whole[::2].assign(motion=2 * whole["motion"][::2])
    frames = [whole, whole.assign(t=t + 977.7), halved, lose(whole, (t // 15) % 2 == 1)]
    return [session(frame.reset_index(drop=True)) for frame in frames]


@pytest.mark.parametrize("name", [name for name in HEAD if name not in WITH_VOICE])
def test_a_lively_head_reads_the_same_later_at_half_the_rate_and_with_half_of_it_gone(lively, name):
    whole, later, halved, half_gone = (find(name).compute(acted, "p1") for acted in lively)
    assert math.isfinite(whole)
    assert later == pytest.approx(whole, rel=1e-3, abs=1e-3)
    assert halved == pytest.approx(whole, rel=0.05, abs=0.02)
    assert half_gone == pytest.approx(whole, rel=0.2, abs=0.05 if name.endswith("_share") else 0.5)


@pytest.mark.parametrize("name", HEAD)
def test_what_is_missing_is_said(name):
    t = times(SECONDS, 25)
    gone = lose(table(t), t >= 0)
    heard = voices(SECONDS, SPEECH)
    assert reason(name, session(gone, table(t, "p2"), heard=heard)) == "the face was never tracked"
    short = lose(table(t), t > 4)
    assert "needed" in reason(name, session(short, table(t, "p2"), heard=heard))
    if name in WITH_VOICE:
        assert reason(name, session(table(t))) == "there is no sound"
        silent = voices(SECONDS, {"p1": [], "p2": []})
        assert "needed" in reason(name, session(table(t), table(t, "p2"), heard=silent))


def test_rates_and_slopes_need_longer_than_levels():
    t = times(20, 25)
    acted = session(table(t))
    for name in HEAD:
        if name.endswith("_per_min") and name not in WITH_VOICE:
            assert "30 s are needed" in reason(name, acted)
    assert value("movement_deg_per_s", acted) == 0
    assert value("still_share", acted) == 1
    assert reason("head.distance_slope_percent_per_10min", session(table(times(130, 25)))) == (
        "half minutes with the face in view: 5, and 8 are needed"
    )


def test_without_the_distance_or_in_profile_there_is_no_leaning():
    t = times(60, 25)
    assert reason("head.lean_in_share", session(table(t).drop(columns="head_z"))) == (
        "the head's distance was not measured"
    )
    assert "within 40 deg of the camera" in reason("head.lean_in_share", session(table(t, head_yaw=60.0)))


@pytest.fixture(scope="module")
def webcam_man(face_table):
    """A man who sits still and talks until 19 s, turns, nods slowly and sways until 31 s, leans in, then far back."""
    clip_path("webcam_man_53s.mp4")
    return session(face_table("webcam_man_53s.mp4"))


def seconds_of(name, acted):
    """A share as seconds of the part's time."""
    start, end = acted.span_s
    return value(name, acted) * (end - start)


def test_a_real_man_leans_in_and_back_when_a_viewer_says_so(webcam_man):
    assert seconds_of("lean_in_share", webcam_man) == pytest.approx(2.8, abs=0.5)
    assert seconds_of("lean_back_share", webcam_man) == pytest.approx(5.6, abs=0.6)
    assert value("posture_shift_rate_per_min", webcam_man) * 53.5 / 60 == pytest.approx(3, abs=0.05)


def test_speech_turns_and_nods_of_a_real_man_are_no_leaning(webcam_man):
    moving = webcam_man.part(0.0, 31.0)
    assert np.ptp(moving.faces["p1"].column("head_yaw")) > 25
    assert np.ptp(moving.faces["p1"].column("head_pitch")) > 25
    assert moving.faces["p1"].column("jawOpen").max() > 0.5
    for name in ("lean_in_share", "lean_back_share", "posture_shift_rate_per_min"):
        assert value(name, moving) == 0
    distance = moving.faces["p1"].column("head_z")
    assert np.abs(distance / np.median(distance) - 1).max() < LEAN_SHARE


def test_a_real_man_is_still_while_he_only_moves_his_mouth(webcam_man):
    quiet, lively = webcam_man.part(0.0, 19.0), webcam_man.part(19.0, 31.0)
    assert value("still_share", quiet) > 0.95
    assert value("still_share", lively) < 0.1
    assert value("movement_deg_per_s", lively) > 4 * value("movement_deg_per_s", quiet)
    assert value("translation_cm_per_s", lively) > 5 * value("translation_cm_per_s", quiet)


def test_the_row_of_a_part_keeps_to_the_habit_of_the_whole(webcam_man):
    back = webcam_man.part(36.5, 40.5)
    assert isinstance(back.faces["p1"].frame, pd.DataFrame)
    long_back = webcam_man.part(30.0, 42.0)
    assert value("lean_back_share", long_back) == pytest.approx(5.6 / 12, abs=0.06)
