from __future__ import annotations

import numpy as np
import pytest
from acted import OPEN, face, lids, lose, plateau, table, times, uneven
from hypothesis import given, settings
from hypothesis import strategies as st
from people import clip_path

from vsa.features.blinks import find_blinks


def blinking(t, openness):
    return face(table(t, eye_open_left=openness, eye_open_right=0.93 * openness))


@pytest.mark.slow
def test_both_annotated_blinks_and_no_other_in_the_webcam_clip(face_table):
    truth = np.genfromtxt(
        clip_path("webcam_man_53s_blinks.csv"), delimiter=",", skip_header=1, usecols=(0, 1, 2)
    )
    found = find_blinks(face(face_table("webcam_man_53s.mp4")))
    seen = np.column_stack([found.start_s, found.peak_s, found.end_s]) * 25
    assert seen.shape == truth.shape, f"blinks at frames {seen.tolist()}"
    assert np.abs(seen - truth).max() <= 2


@pytest.mark.parametrize(
    ("clip", "fps", "reviewed"),
    [  # most closed frames, looked at one by one
        ("talking_woman_512.mp4", 25, [11, 27, 35, 56, 80, 97, 110, 130, 150, 178]),
        ("smiling_man_360p.mp4", 30, [27]),
        ("face_then_noface_hevc.mov", 30, [27]),
    ],
)
def test_every_blink_of_people_who_talk_and_smile(face_table, clip, fps, reviewed):
    found = find_blinks(face(face_table(clip)))
    assert len(found) == len(reviewed), f"blinks at frames {(found.peak_s * fps).round(1).tolist()}"
    assert np.abs(found.peak_s * fps - reviewed).max() <= 2


def test_half_the_frame_rate_finds_the_same_blinks(face_table):
    whole = face_table("talking_woman_512.mp4")
    found = find_blinks(face(whole.iloc[::2]))
    assert np.allclose(found.peak_s, find_blinks(face(whole)).peak_s, atol=0.05)


@pytest.mark.parametrize("fps", [15, 25, 30])
def test_blinks_at_usual_frame_rates(fps):
    t, truth = times(60, fps), np.arange(2.03, 58, 2.71)
    found = find_blinks(blinking(t, lids(t, truth)))
    assert len(found) == len(truth)
    assert np.abs(found.peak_s - truth).max() <= 1.5 / fps
    # half closed from 35 ms into the closing to half of the opening: 150 ms
    assert np.median(found.durations_s) == pytest.approx(0.15, abs=0.6 / fps)


@settings(max_examples=30, deadline=None)
@given(
    gaps=st.lists(st.floats(0.6, 6), min_size=1, max_size=20),
    level=st.floats(0.35, 1.0),
    depth=st.floats(0.65, 1.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_blinks_are_counted_for_any_eyes_and_uneven_frame_times(gaps, level, depth, seed):
    truth = 1.0 + np.cumsum(gaps)
    t = uneven(float(truth[-1]) + 3, 25, seed)
    noise = np.random.default_rng(seed).normal(0, 0.02 * level, len(t))
    found = find_blinks(blinking(t, np.clip(lids(t, truth, level, depth) + noise, 0, 1)))
    assert len(found) == len(truth)
    assert np.abs(found.peak_s - truth).max() < 0.1


def test_looking_down_squinting_and_shut_eyes_are_no_blinks():
    t = times(60, 25)
    down = 1 - 0.55 * plateau(t, 10, 14)
    glance = 1 - 0.35 * plateau(t, 20, 20.2)
    squint = 1 - 0.45 * plateau(t, 30, 34, ramp_s=0.3)
    shut = 1 - plateau(t, 45, 47)
    assert len(find_blinks(blinking(t, OPEN * down * glance * squint * shut))) == 0


def test_blinks_count_while_the_person_looks_down():
    t = times(60, 25)
    down = OPEN * (1 - 0.4 * plateau(t, 10, 40))
    truth = [5.0, 10.2, 20.0, 25.0, 50.0]
    assert find_blinks(blinking(t, lids(t, truth, down))).peak_s == pytest.approx(truth, abs=0.06)


def test_a_wink_or_a_single_bad_picture_is_no_blink():
    t = times(30, 25)
    one_eye = face(table(t, eye_open_left=OPEN, eye_open_right=lids(t, [10.0])))
    glitch = np.where(np.arange(len(t)) % 100 == 50, 0.0, OPEN)
    assert len(find_blinks(one_eye)) == 0
    assert len(find_blinks(blinking(t, glitch))) == 0


def test_a_face_lost_in_mid_blink_is_no_blink():
    t = times(30, 25)
    frame = table(t, eye_open_left=lids(t, [10.0, 20.0]), eye_open_right=lids(t, [10.0, 20.0]))
    found = find_blinks(face(lose(frame, (t > 9.95) & (t < 10.2))))
    assert found.peak_s == pytest.approx([20.0], abs=0.06)


def test_a_camera_off_for_a_minute_does_not_shift_blink_times():
    t = times(180, 25)
    truth = np.array([10.0, 30.0, 50.0, 130.0, 150.0])
    frame = table(t, eye_open_left=lids(t, truth), eye_open_right=lids(t, truth))
    found = find_blinks(face(lose(frame, (t > 60) & (t < 120))))
    assert found.peak_s == pytest.approx(truth, abs=0.06)


def test_no_eyes_no_blinks():
    t = times(10, 25)
    assert len(find_blinks(face(lose(table(t), t >= 0)))) == 0
    assert len(find_blinks(blinking(t, np.zeros_like(t)))) == 0
