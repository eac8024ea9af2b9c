from __future__ import annotations

import numpy as np
import pytest
from acted import face, lose, nodding, session, table, times, uneven, voices
from hypothesis import given, settings
from hypothesis import strategies as st

from vsa.features.nods import find_nods
from vsa.features.registry import TooLittle, find

AT = [6.0, 14.0, 25.0, 39.0]


def pitching(t, pitch, **others):
    return face(table(t, head_pitch=pitch, **others))


@pytest.mark.parametrize("fps", [15, 25, 30])
@pytest.mark.parametrize(("hz", "cycles"), [(1.3, 2), (2, 1), (2, 3), (3, 3)])
def test_nods_of_usual_speed_and_length(fps, hz, cycles):
    t = times(50, fps)
    found = find_nods(pitching(t, 8 + nodding(t, AT, hz=hz, cycles=cycles)))
    assert len(found) == len(AT)
    for start, end, at in zip(found.start_s, found.end_s, AT, strict=True):
        assert start - 0.4 <= at + cycles / hz / 2 <= end + 0.4


@settings(max_examples=25, deadline=None)
@given(
    size=st.floats(5, 15),
    hz=st.floats(1.5, 3.0),
    turn=st.floats(-8, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_nods_are_counted_among_noise_and_slow_posture(size, hz, turn, seed):
    t = uneven(50, 25, seed)
    posture = turn * np.sin(2 * np.pi * t / 25)
    pitch = posture + nodding(t, AT, size, hz) + np.random.default_rng(seed).normal(0, 0.15, len(t))
    assert len(find_nods(pitching(t, pitch))) == len(AT)


def test_no_nods_in_noise_small_tremor_or_slow_movement():
    t = times(120, 25)
    noise = np.random.default_rng(1).normal(0, 0.3, len(t))
    slow = 10 * np.sin(2 * np.pi * 0.3 * t)
    tremor = 0.7 * np.sin(2 * np.pi * 3 * t)
    for pitch in (noise, slow + noise, tremor):
        assert len(find_nods(pitching(t, pitch))) == 0


def test_lowering_the_head_and_turning_it_are_no_nods():
    t = times(60, 25)
    lowered = -15 * np.clip((t - 20) / 0.4, 0, 1) + 15 * np.clip((t - 30) / 0.4, 0, 1)
    assert len(find_nods(pitching(t, lowered))) == 0
    shake = nodding(t, AT, size_deg=15)
    assert len(find_nods(pitching(t, 0.3 * shake, head_yaw=shake))) == 0


def test_a_face_that_comes_and_goes_does_not_nod():
    t = times(60, 25)
    pitch = np.where((t // 3).astype(int) % 2 == 0, 0.0, -12.0)
    frame = table(t, head_pitch=pitch)
    assert len(find_nods(face(lose(frame, t % 3 < 0.5)))) == 0


def test_raising_the_head_and_coming_half_the_way_back_is_no_nod():
    t = times(60, 25)
    raised = 11 * np.clip((t - 20) / 0.35, 0, 1) - 5 * np.clip((t - 20.4) / 0.35, 0, 1)
    assert len(find_nods(pitching(t, raised))) == 0


def test_a_tilting_head_does_not_nod():
    t = times(60, 25)
    tilt = nodding(t, AT, size_deg=12)
    assert len(find_nods(pitching(t, 0.4 * tilt, head_roll=tilt))) == 0


def test_a_repeated_picture_changes_no_nod():
    t = times(50, 30)
    pitch = nodding(t, AT, hz=2, cycles=3)
    found, repeated = (find_nods(pitching(t, y)) for y in (pitch, np.repeat(pitch[::2], 2)))
    assert len(found) == len(repeated) == len(AT)
    assert repeated.size == pytest.approx(found.size, rel=0.15)


def test_a_real_man_who_raises_and_lowers_his_head_slowly_does_not_nod(face_table):
    acted = face(face_table("webcam_man_53s.mp4"))
    assert np.ptp(acted.column("head_pitch")) > 20
    assert len(find_nods(acted)) == 0


SPEECH = {"p1": [(60, 120)], "p2": [(0, 10), (10.6, 60)]}


def talk(pitch, heard=None):
    t = times(180, 25)
    return session(
        table(t, head_pitch=pitch(t)),
        table(t, "p2"),
        heard=heard or voices(180, SPEECH),
        roles=("client", "therapist"),
    )


def value(name, acted):
    return find(f"head.{name}").compute(acted, "client")


def test_nods_are_counted_per_minute_of_what_the_person_does():
    # six while the other speaks, one of them begins in the pause; two while this person does; one in silence
    at = [5, 10.1, 20, 30, 40, 50, 70, 100, 150]
    acted = talk(lambda t: nodding(t, at, size_deg=7, hz=2, cycles=2))
    listened = 59.4 / 60
    assert value("nod_listening_per_min", acted) == pytest.approx(6 / listened, rel=0.01)
    assert value("nod_speaking_per_min", acted) == pytest.approx(2, rel=0.01)
    assert value("nod_rate_per_min", acted) == pytest.approx(3, rel=0.01)
    assert value("nod_listening_lift", acted) == pytest.approx(6 / 9 - 59.4 / 180, abs=0.01)
    assert value("nod_size_median_deg", acted) == pytest.approx(7, rel=0.05)
    assert value("nod_duration_median_s", acted) == pytest.approx(1.0, abs=0.15)


def test_a_nod_with_a_short_mhm_is_a_listener_s():
    heard = voices(180, {"p1": [(20.2, 20.5), (60, 120)], "p2": [(0, 60)]})
    acted = talk(lambda t: nodding(t, [20], hz=2, cycles=2), heard)
    assert value("nod_listening_per_min", acted) == pytest.approx(1, rel=0.01)
    assert value("nod_speaking_per_min", acted) == 0


def test_time_in_which_it_is_not_known_who_speaks_does_not_count():
    at = [5, 15, 25, 35, 45, 52, 56, 70, 100, 150]
    acted = talk(lambda t: nodding(t, at), voices(180, SPEECH, unknown=[(0, 30), (120, 180)]))
    assert value("nod_listening_per_min", acted) == pytest.approx(4 / 0.5, rel=0.02)
    with pytest.raises(TooLittle, match="nods while it is known who speaks: 6, and 8 are needed"):
        value("nod_listening_lift", acted)


def test_a_slow_camera_and_few_nods_are_said():
    t = times(120, 8)
    with pytest.raises(TooLittle, match=r"8\.0 new pictures a second, and 12 are needed"):
        find("head.nod_rate_per_min").compute(session(table(t)), "p1")
    with pytest.raises(TooLittle, match="nods: 1, and 3 are needed"):
        value("nod_size_median_deg", talk(lambda t: nodding(t, [30])))
