from __future__ import annotations

import numpy as np
import pytest
from acted import face, lose, nodding, table, times, uneven
from hypothesis import given, settings
from hypothesis import strategies as st

from vsa.features.nods import find_nods

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
