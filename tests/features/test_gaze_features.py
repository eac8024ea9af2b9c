"""Gaze of people who look away at known times, alone and in twos."""

from __future__ import annotations

import numpy as np
import pytest
from acted import OPEN, face, lids, lose, plateau, session, table, times, uneven, voices
from hypothesis import given, settings
from hypothesis import strategies as st

from vsa.features import looks
from vsa.features.registry import TooLittle, find

HOME = (-14.0, 6.0)
#: Ten looks of 2 s to one side in 120 s.
TEN = [(5.0 + 12 * k, 7.0 + 12 * k) for k in range(10)]
ONE = ("on_screen_share", "aside_share", "down_share", "aversion_rate_per_min", "aversion_median_s")


def looking(t, away=(), toward=(25.0, 0.0), noise_deg=0.0, **columns):
    """A person who looks home but for the given times (s after the first)."""
    own, rng = t - t[0], np.random.default_rng(len(t))
    off = np.zeros(len(t))
    for start, end in away:
        off[(own >= start - 1e-9) & (own < end - 1e-9)] = 1.0
    yaw, pitch = (h + off * d + rng.normal(0, noise_deg, len(t)) for h, d in zip(HOME, toward, strict=True))
    return table(t, **{"gaze_yaw": yaw, "gaze_pitch": pitch} | columns)


def gaze(name, frame_or_session, scope="p1"):
    s = frame_or_session if hasattr(frame_or_session, "scopes") else session(frame_or_session)
    return find(f"gaze.{name}").compute(s, scope)


def lacking(name, s, scope="p1"):
    with pytest.raises(TooLittle) as reason:
        gaze(name, s, scope)
    return str(reason.value)


def test_ten_looks_to_the_side_in_two_minutes():
    frame = looking(times(120, 25), TEN, noise_deg=1.5)
    assert gaze("home_yaw_deg", frame) == pytest.approx(HOME[0], abs=0.3)
    assert gaze("home_pitch_deg", frame) == pytest.approx(HOME[1], abs=0.3)
    assert gaze("on_screen_share", frame) == pytest.approx(100 / 120, abs=0.002)
    assert gaze("aside_share", frame) == pytest.approx(20 / 120, abs=0.002)
    assert gaze("down_share", frame) == 0
    assert gaze("aversion_rate_per_min", frame) == pytest.approx(5, rel=0.01)
    assert gaze("aversion_median_s", frame) == pytest.approx(2, abs=0.05)
    assert gaze("on_screen_median_s", frame) == pytest.approx(10, abs=0.05)
    assert gaze("shift_rate_per_min", frame) == pytest.approx(10, rel=0.06)
    # the median of the length of two normal errors is 1.177 of their spread; looks away add to it
    assert gaze("dispersion_deg", looking(times(120, 25), noise_deg=1.5)) == pytest.approx(1.766, abs=0.05)


def test_looks_down_are_down_and_not_aside():
    frame = looking(times(120, 25), TEN, toward=(0.0, -25.0))
    assert gaze("down_share", frame) == pytest.approx(20 / 120, abs=0.002)
    assert gaze("aside_share", frame) == 0
    up = looking(times(120, 25), TEN, toward=(0.0, 25.0))
    assert gaze("down_share", up) == 0
    assert gaze("on_screen_share", up) == pytest.approx(100 / 120, abs=0.002)


def test_what_nobody_would_call_a_look_away():
    t = times(120, 25)
    glances = looking(t, [(k, k + 0.16) for k in range(5, 110, 5)])
    assert gaze("aversion_rate_per_min", glances) == 0
    back = looking(t, [(10, 12), (12.16, 14), (30, 32), (50, 52)])
    assert gaze("aversion_rate_per_min", back) == pytest.approx(1.5, rel=0.01)
    rim = looking(
        t, toward=(0.0, 0.0), gaze_yaw=np.where((t > 60) & (t < 80), 11.8, 0.0) + np.sin(40 * t) * 0.9
    )
    assert gaze("aversion_rate_per_min", rim) == 0


def test_blinks_and_lost_moments_do_not_cut_a_look():
    t = times(120, 25)
    shut = lids(t, [6.0, 18.0, 22.0, 60.0, 61.0])
    frame = looking(t, TEN, eye_open_left=shut, eye_open_right=shut)
    frame["gaze_pitch"] -= 40 * (1 - shut / OPEN)  # the iris seems to go down with the lids
    lost = lose(frame, ((t > 29.5) & (t < 29.7)) | ((t > 42.0) & (t < 42.2)))
    for name in ("aversion_rate_per_min", "aversion_median_s", "on_screen_median_s", "on_screen_share"):
        assert gaze(name, lost) == pytest.approx(gaze(name, looking(t, TEN)), rel=0.01), name
    assert gaze("down_share", lost) == 0


def test_a_head_turned_to_the_window_is_a_look_away_though_its_eyes_cannot_be_read():
    t = times(120, 25)
    yaw = 60 * plateau(t, 30, 40) + 60 * plateau(t, 60, 70) + 60 * plateau(t, 90, 100)
    frame = table(t, head_yaw=yaw, gaze_yaw=yaw)
    assert gaze("aside_share", frame) == pytest.approx(30 / 120, abs=0.01)
    assert gaze("aversion_median_s", frame) == pytest.approx(10.2, abs=0.15)
    # beside the camera sits a second screen: this is where the person looks
    side = table(t, head_yaw=35 + 0.1 * yaw, gaze_yaw=35 + 0.1 * yaw)
    assert gaze("on_screen_share", side) == 1


def test_lids_lowered_over_notes_are_a_look_down_and_a_smile_that_narrows_the_eyes_is_not():
    t = times(120, 25)
    low = plateau(t, 20, 25) + plateau(t, 50, 55) + plateau(t, 80, 85)
    eyes = OPEN * (1 - 0.55 * low)
    hidden = np.where(eyes < 0.475, np.nan, 0.0)
    notes = table(t, eye_open_left=eyes, eye_open_right=eyes, gaze_yaw=hidden, gaze_pitch=hidden)
    assert gaze("down_share", notes) == pytest.approx(15 / 120, abs=0.01)
    assert gaze("aversion_rate_per_min", notes) == pytest.approx(1.5, rel=0.01)
    seen = notes.assign(gaze_yaw=0.0, gaze_pitch=0.0)  # the iris is guessed under the lids
    assert gaze("down_share", seen) == pytest.approx(15 / 120, abs=0.01)
    assert gaze("aside_share", seen) == 0
    narrow = notes.assign(eye_open_left=0.65, eye_open_right=0.65)
    narrow.loc[:300, ["eye_open_left", "eye_open_right"]] = 0.9
    assert gaze("down_share", narrow.assign(gaze_yaw=0.0, gaze_pitch=0.0)) == 0
    smiling = notes.assign(mouthSmileLeft=0.6 * low, mouthSmileRight=0.6 * low)
    assert gaze("down_share", smiling) == 0
    assert gaze("on_screen_share", smiling) == 1


def test_shifts_are_jumps_between_fixations():
    t = times(60, 30)
    jumps = np.arange(1.0, 59, 1.0)
    stairs = np.searchsorted(jumps, t, "right") % 2 * 10.0
    assert gaze("shift_rate_per_min", table(t, gaze_yaw=stairs)) == pytest.approx(len(jumps), rel=0.04)
    assert gaze("shift_rate_per_min", table(t, gaze_pitch=stairs)) == pytest.approx(len(jumps), rel=0.04)
    small = table(t, gaze_yaw=0.5 * stairs)
    drift = table(t, gaze_yaw=15 * np.sin(2 * np.pi * t / 6))
    noise = table(t, gaze_yaw=np.random.default_rng(1).normal(0, 1.5, len(t)))
    assert [gaze("shift_rate_per_min", f) for f in (small, drift, noise)] == [0, 0, 0]


def test_a_slow_camera_still_gives_shares_and_says_why_there_is_no_more():
    slow = looking(times(120, 5), TEN)
    assert gaze("on_screen_share", slow) == pytest.approx(100 / 120, abs=0.01)
    assert lacking("aversion_rate_per_min", session(slow)) == "5.0 new pictures a second, and 8 are needed"
    assert lacking("shift_rate_per_min", session(looking(times(120, 10), TEN))).startswith(
        "10.0 new pictures"
    )


@settings(max_examples=8, deadline=None)
@given(start_s=st.floats(0, 5000), fps=st.sampled_from([12.5, 24.0, 30.0]), seed=st.integers(0, 2**32 - 1))
def test_start_frame_rate_and_uneven_times_change_nothing(start_s, fps, seed):
    reference = looking(times(120, 25), TEN)
    for frame in (looking(times(120, fps, start_s), TEN), looking(uneven(120, 25, seed), TEN)):
        for name in ONE:
            assert gaze(name, frame) == pytest.approx(gaze(name, reference), rel=0.03, abs=0.005), name


def speaking_in_turns(seconds=160.0):
    """They take turns of 4 s; p1 begins."""
    starts = np.arange(0.0, seconds, 8.0)
    return voices(seconds, {"p1": [(a, a + 3.9) for a in starts], "p2": [(a + 4, a + 7.9) for a in starts]})


def test_more_toward_the_screen_while_listening_than_while_speaking():
    t = times(160, 25)
    # away for the first 2 s of each own turn, and for 1 s of every other turn of the other
    away = [(8.0 * k, 8.0 * k + 2) for k in range(20)] + [(16.0 * k + 5, 16.0 * k + 6) for k in range(10)]
    s = session(looking(t, away), table(t, "p2"), heard=speaking_in_turns())
    assert gaze("on_screen_speaking_share", s) == pytest.approx(1.9 / 3.9, abs=0.01)
    assert gaze("on_screen_listening_share", s) == pytest.approx(1 - 0.5 / 3.9, abs=0.01)
    assert gaze("listening_speaking_difference", s) == pytest.approx(2 / 3.9 - 0.5 / 3.9, abs=0.02)
    assert gaze("listening_speaking_difference", s, "p2") == 0
    assert gaze("away_at_turn_start_share", s) == 1
    assert gaze("back_at_turn_end_share", s) == 1
    assert gaze("away_at_turn_start_share", s, "p2") == 0
    assert lacking("back_at_turn_end_share", s, "p2").startswith(
        "own turns with a look away and their end in view: 0"
    )


def test_who_looks_away_at_some_turns_and_stays_away_at_some_ends():
    t = times(160, 25)
    away = [(8.0 * k + (0.2 if k % 2 else 1.5), 8.0 * k + (4.4 if k % 5 == 0 else 3.0)) for k in range(20)]
    s = session(looking(t, away), table(t, "p2"), heard=speaking_in_turns())
    assert gaze("away_at_turn_start_share", s) == pytest.approx(0.5)
    assert gaze("back_at_turn_end_share", s) == pytest.approx(0.8)


def test_time_in_which_nobody_knows_who_speaks_and_turns_out_of_view_do_not_count():
    t = times(160, 25)
    away = [(8.0 * k, 8.0 * k + 2) for k in range(20)]
    heard = speaking_in_turns()
    s = session(lose(looking(t, away), t >= 80), table(t, "p2"), heard=heard)
    assert gaze("on_screen_speaking_share", s) == pytest.approx(1.9 / 3.9, abs=0.01)
    assert gaze("away_at_turn_start_share", s) == 1
    few = session(lose(looking(t, away), t >= 40), table(t, "p2"), heard=heard)
    assert (
        lacking("away_at_turn_start_share", few)
        == "own turns with their first second in view: 5, and 8 are needed"
    )
    assert lacking("on_screen_listening_share", session(looking(t), table(t, "p2"))) == "there is no sound"
    silent = session(looking(t), table(t, "p2"), heard=voices(160, {"p1": [], "p2": [(0, 150)]}))
    assert "in speech for 0.0 s, and 10 s are needed" in lacking("on_screen_speaking_share", silent)
    assert lacking("away_at_turn_start_share", silent).startswith("own turns of 1 s or longer: 0")


def both(first, second, seconds=240.0, roles=("client", "therapist"), fps=(25.0, 15.0)):
    """Two who look away at known times, seen by two cameras of different rates."""
    frames = [
        looking(times(seconds, rate, 0.011 * k), away).assign(participant=f"p{k + 1}")
        for k, (away, rate) in enumerate(zip((first, second), fps, strict=True))
    ]
    return session(*frames, roles=roles)


#: They look toward each other's picture for 6 s; then the client looks away, at every fourth time the therapist.
BY_CLIENT = [(8.0 * k + 6, 8.0 * k + 8) for k in range(30) if k % 4]
BY_THERAPIST = [(8.0 * k + 6, 8.0 * k + 8) for k in range(30) if k % 4 == 0]


def test_two_who_look_toward_their_screens_at_the_same_time():
    s = both(BY_CLIENT, BY_THERAPIST)
    client, therapist = 1 - 44 / 240, 1 - 16 / 240
    assert gaze("mutual_share", s, "dyad") == pytest.approx(1 - 60 / 240, abs=0.01)
    assert gaze("mutual_lift", s, "dyad") == pytest.approx(0.75 - client * therapist, abs=0.01)
    assert gaze("mutual_median_s", s, "dyad") == pytest.approx(6, abs=0.1)
    assert gaze("mutual_rate_per_min", s, "dyad") == pytest.approx(29 / 4, rel=0.01)
    assert gaze("looks_away_first_share", s, "client") == pytest.approx(22 / 30, abs=0.02)
    assert gaze("looks_away_first_share", s, "therapist") == pytest.approx(8 / 30, abs=0.02)


def test_looking_away_together_is_more_than_chance_and_independent_looks_are_not():
    rng = np.random.default_rng(4)

    def some():
        starts = np.cumsum(rng.uniform(3, 9, 100))
        return [(a, a + d) for a, d in zip(starts, rng.uniform(0.6, 2.4, 100), strict=True)]

    one = some()
    chance = [gaze("mutual_lift", both(one, some(), 600), "dyad") for _ in range(8)]
    together = gaze("mutual_lift", both(one, one, 600), "dyad")
    p = gaze("mutual_share", both(one, one, 600), "dyad")
    assert together == pytest.approx(p - p * p, abs=0.005)
    assert abs(np.mean(chance)) < 0.01 < 0.1 < together


def test_the_order_of_people_changes_nothing():
    names = ("mutual_share", "mutual_lift", "mutual_median_s", "mutual_rate_per_min")
    there = both(BY_CLIENT, BY_THERAPIST, fps=(25.0, 25.0))
    back = both(BY_THERAPIST, BY_CLIENT, roles=("therapist", "client"), fps=(25.0, 25.0))
    for name in names:
        assert gaze(name, there, "dyad") == pytest.approx(gaze(name, back, "dyad"), rel=0.01), name
    first = "looks_away_first_share"
    assert gaze(first, there, "client") == pytest.approx(gaze(first, back, "client"))


def test_only_time_in_which_both_can_be_read_counts():
    t = times(240, 25)
    one = lose(looking(t, BY_CLIENT), t >= 160)
    two = lose(looking(t, BY_THERAPIST).assign(participant="p2"), t < 80)
    s = session(one, two)
    assert gaze("mutual_share", s, "dyad") == pytest.approx(0.75, abs=0.01)
    assert gaze("mutual_rate_per_min", s, "dyad") == pytest.approx(60 / 8, rel=0.1)
    apart = session(lose(one, t >= 80), two)
    assert lacking("mutual_share", apart, "dyad") == (
        "it can be told of both where they look for 0.0 s, and 10 s are needed"
    )


@pytest.mark.parametrize("name", ["mutual_share", "mutual_lift", "mutual_median_s", "mutual_rate_per_min"])
def test_a_pair_takes_two_people_who_are_seen(name):
    t = times(60, 25)
    assert lacking(name, session(table(t)), "dyad") == "it takes two people, and there is 1"
    three = session(*(table(t, f"p{k}") for k in range(3)))
    assert lacking(name, three, "dyad") == "it takes two people, and there are 3"
    gone = session(table(t), lose(table(t, "p2"), t >= 0))
    assert lacking(name, gone, "dyad") == "the face was never tracked"


def test_who_never_looks_away_has_no_lengths_and_a_rate_of_zero():
    t = times(60, 25)
    s = session(table(t), table(t, "p2"))
    assert gaze("aversion_rate_per_min", s) == 0
    assert lacking("aversion_median_s", s) == "looks away seen from beginning to end: 0, and 3 are needed"
    assert gaze("mutual_share", s, "dyad") == 1
    assert gaze("mutual_lift", s, "dyad") == 0
    assert lacking("looks_away_first_share", s).startswith(
        "times of both looking toward their screens, ended by one of them: 0"
    )
    assert lacking("mutual_median_s", s, "dyad").startswith("times when both look toward their screens")


def test_twenty_seconds_give_shares_and_no_rates():
    s = session(looking(times(20, 25), [(5, 8), (10, 12), (14, 16)]), table(times(20, 25), "p2"))
    assert gaze("on_screen_share", s) == pytest.approx(13 / 20, abs=0.01)
    assert gaze("mutual_share", s, "dyad") == pytest.approx(13 / 20, abs=0.01)
    rates = ("aversion_rate_per_min", "aversion_median_s", "on_screen_median_s", "shift_rate_per_min")
    for name in (*rates, "looks_away_first_share"):
        assert "20.0 s, and 30 s are needed" in lacking(name, s), name
    for name in ("mutual_median_s", "mutual_rate_per_min"):
        assert "for 20.0 s, and 30 s are needed" in lacking(name, s, "dyad"), name


def test_half_the_face_gone_leaves_what_was_measured_in_the_other_half():
    t = times(240, 25)
    whole = looking(t, TEN + [(a + 120, b + 120) for a, b in TEN])
    half = lose(whole, t >= 120)
    names = (
        *ONE,
        "on_screen_median_s",
        "shift_rate_per_min",
        "dispersion_deg",
        "home_yaw_deg",
        "home_pitch_deg",
    )
    for name in names:
        assert gaze(name, half) == pytest.approx(gaze(name, whole), rel=0.02, abs=1e-3), name
    for name in names:
        assert lacking(name, session(lose(whole, t >= 0))) == "the face was never tracked"


def test_a_part_of_a_session_is_measured_against_the_home_of_the_whole():
    t = times(120, 25)
    s = session(looking(t, [(90.0, 120.0)]))
    late = s.part(90, 120)
    assert gaze("home_yaw_deg", late) == pytest.approx(HOME[0], abs=0.3)
    assert gaze("on_screen_share", late) == 0


def test_the_man_at_the_webcam_looks_on_for_all_of_his_clip(face_table):
    frame = face_table("webcam_man_53s.mp4")
    assert gaze("on_screen_share", frame) > 0.98
    assert gaze("aversion_rate_per_min", frame) < 1.5
    assert gaze("down_share", frame) < 0.01
    # he raises his brows and moves his head; his eyes make no large jump
    assert gaze("shift_rate_per_min", frame) < 3
    assert looks.seconds(face(frame)) > 50
