"""Shakes of the head against acted ones, and nods and shakes of people who are rendered or filmed."""

from __future__ import annotations

import numpy as np
import pytest
from acted import face, lids, nodding, plateau, session, table, times, uneven, voices
from hypothesis import given, settings
from hypothesis import strategies as st
from media_files import FPS, write_pictures
from portrait_faces import portrait

from vsa.features.nods import find_nods
from vsa.features.registry import find
from vsa.features.shakes import find_shakes
from vsa.simulate.portraits import PortraitState

AT = [6.0, 14.0, 25.0, 39.0]


def shaking(t, at, size_deg=10.0, hz=2.0, cycles=2.0):
    """Yaw that goes to one side, the other and back `cycles` times at each time, by `size_deg` from side to side."""
    yaw = np.zeros_like(t)
    for start in at:
        phase = (t - start) * hz
        yaw += ((phase >= 0) & (phase <= cycles)) * size_deg / 2 * np.sin(2 * np.pi * phase)
    return yaw


@pytest.mark.parametrize("fps", [15, 25, 30])
@pytest.mark.parametrize(("hz", "cycles"), [(1.4, 2), (2, 1), (2, 3), (3, 3)])
def test_shakes_of_usual_speed_and_length(fps, hz, cycles):
    t = times(50, fps)
    found = find_shakes(face(table(t, head_yaw=-6 + shaking(t, AT, hz=hz, cycles=cycles))))
    assert len(found) == len(AT)
    for start, end, at in zip(found.start_s, found.end_s, AT, strict=True):
        assert start - 0.4 <= at + cycles / hz / 2 <= end + 0.4


@settings(max_examples=25, deadline=None)
@given(
    size=st.floats(7, 20),
    hz=st.floats(1.5, 3.0),
    nod=st.floats(-0.3, 0.3),
    seed=st.integers(0, 2**32 - 1),
)
def test_shakes_are_counted_among_noise_and_slow_posture_and_are_no_nods(size, hz, nod, seed):
    t = uneven(50, 25, seed)
    noise = np.random.default_rng(seed).normal(0, 0.15, (2, len(t)))
    shake = shaking(t, AT, size, hz)
    frame = table(
        t, head_yaw=8 * np.sin(2 * np.pi * t / 25) + shake + noise[0], head_pitch=nod * shake + noise[1]
    )
    assert len(find_shakes(face(frame))) == len(AT)
    assert len(find_nods(face(frame))) == 0


def test_glances_turns_and_slow_looks_to_both_sides_are_no_shakes():
    t = times(120, 25)
    noise = np.random.default_rng(1).normal(0, 0.3, len(t))
    glances = sum(15 * plateau(t, at, at + 0.3, ramp_s=0.25) for at in range(5, 115, 10))
    turned = sum(20 * plateau(t, at, at + 6, ramp_s=0.3) for at in range(5, 100, 20))
    both_sides = shaking(t, range(5, 100, 10), size_deg=30, hz=0.4, cycles=1)
    for yaw in (glances, turned, both_sides, 10 * np.sin(2 * np.pi * 0.3 * t)):
        assert len(find_shakes(face(table(t, head_yaw=yaw + noise)))) == 0


def test_nods_and_wobbles_are_no_shakes():
    t = times(50, 25)
    nod = nodding(t, AT, 12)
    assert len(find_shakes(face(table(t, head_pitch=nod, head_yaw=0.4 * nod)))) == 0
    wobble = shaking(t, AT, 14)
    assert len(find_shakes(face(table(t, head_roll=wobble, head_yaw=0.5 * wobble)))) == 0


def restless(t, seed):
    """Yaw, pitch and roll of somebody who turns the head to another pose every two seconds, within half a second."""
    rng = np.random.default_rng(seed)
    poses = []
    for spread in (8.0, 5.0, 3.0):
        pose, now = rng.normal(0, 0.12, len(t)), 0.0
        for at in np.cumsum(rng.uniform(1.0, 3.0, len(t) // 50)):
            then, done = rng.normal(0, spread), np.clip((t - t[0] - at) / rng.uniform(0.25, 0.7), 0, 1)
            pose += (then - now) * done**3 * (10 - 15 * done + 6 * done**2)
            now = then
        poses.append(pose)
    return poses


def scored(found, truth):
    """Recall and precision."""
    hits = [(found.start_s < end + 0.2) & (found.end_s > start - 0.2) for start, end in truth]
    return np.mean([hit.any() for hit in hits]), np.mean(np.any(hits, axis=0))


@pytest.mark.parametrize("find_gestures", [find_nods, find_shakes])
def test_gestures_of_restless_people_are_found_and_others_are_not_made_up(find_gestures):
    rng = np.random.default_rng(7)
    t = times(600, 25)
    yaw, pitch, roll = restless(t, 8)
    assert len(find_gestures(face(table(t, head_yaw=yaw, head_pitch=pitch, head_roll=roll)))) < 10
    truth = []
    for at in np.arange(4, 590, 8.0):
        hz, cycles, size = rng.uniform(1.3, 3.2), rng.integers(1, 5), rng.uniform(5, 14)
        truth.append((at, at + cycles / hz))
        if find_gestures is find_nods:
            pitch = pitch + nodding(t, [at], size, hz, cycles)
        else:
            yaw = yaw + shaking(t, [at], size, hz, cycles)
    found = find_gestures(face(table(t, head_yaw=yaw, head_pitch=pitch, head_roll=roll)))
    recall, precision = scored(found, truth)
    print(f"{find_gestures.__name__}: recall {recall:.2f}, precision {precision:.2f}")
    assert recall > 0.75
    assert precision > 0.85


SECONDS = 16
#: Start, size (deg), Hz, cycles.
NODS = [(1.0, 5.0, 2.0, 1), (5.6, 6.0, 1.6, 2), (11.6, 5.0, 2.8, 3)]
SHAKES = [(3.0, 9.0, 2.0, 2), (8.6, 10.0, 1.6, 1), (14.0, 8.0, 2.8, 3)]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory, face_table):
    """A rendered person, small and noisy, who nods and shakes the head, and also looks aside, down and tilts."""
    t = times(SECONDS, FPS)
    nods = sum(nodding(t, [at], size, hz, cycles) for at, size, hz, cycles in NODS)
    shakes = sum(shaking(t, [at], size, hz, cycles) for at, size, hz, cycles in SHAKES)
    yaw = 1.5 * np.sin(2 * np.pi * t / 5.3) + shakes + 7 * plateau(t, 7.4, 7.9, ramp_s=0.3)
    pitch = np.sin(2 * np.pi * t / 4.1) + nods - 5 * plateau(t, 10.2, 11.0, ramp_s=0.25)
    roll = 1.2 * np.sin(2 * np.pi * t / 7.9) + 5 * plateau(t, 13.0, 13.6)
    acts = zip(yaw, pitch, roll, lids(t, [2.4, 4.9, 9.8, 13.3], level=1.0, depth=1.0), strict=True)
    person, rng, pictures = portrait("grace_hopper"), np.random.default_rng(2), []
    for head_yaw, head_pitch, head_roll, lid in acts:
        state = PortraitState(
            lid_open=lid, head_yaw_deg=head_yaw, head_pitch_deg=head_pitch, head_roll_deg=head_roll
        )
        picture = person.render(state, (360, 288))
        noisy = picture + rng.normal(0, 4, picture.shape)
        pictures.append(np.clip(noisy, 0, 255).astype(np.uint8))
    clip = write_pictures(tmp_path_factory.mktemp("gestures") / "person.mp4", pictures, crf="26")
    return face(face_table(clip))


@pytest.mark.slow
@pytest.mark.parametrize(("find_gestures", "acted"), [(find_nods, NODS), (find_shakes, SHAKES)])
def test_a_rendered_person_s_nods_and_shakes_are_told_from_each_other(rendered, find_gestures, acted):
    found = find_gestures(rendered)
    middles = np.array([at + cycles / hz / 2 for at, _, hz, cycles in acted])
    assert len(found) == len(acted)
    assert (found.start_s + found.end_s) / 2 == pytest.approx(middles, abs=0.3)
    assert found.size == pytest.approx([size for _, size, _, _ in acted], rel=0.35)


@pytest.mark.parametrize("clip", ["webcam_man_53s.mp4", "talking_woman_512.mp4"])
def test_people_who_turn_sway_and_talk_do_not_shake_their_heads(face_table, clip):
    assert len(find_shakes(face(face_table(clip)))) == 0


def test_shakes_are_counted_per_minute_of_what_the_person_does():
    t = times(180, 25)
    # the other speaks in the first minute, this person in the second, nobody in the third
    heard = voices(180, {"p1": [(60, 120)], "p2": [(0, 60)]})
    yaw = shaking(t, [5, 15, 25, 35, 45, 70, 90, 150], cycles=2)
    acted = session(table(t, head_yaw=yaw), table(t, "p2"), heard=heard)

    def value(name):
        return find(f"head.{name}").compute(acted, "p1")

    assert value("shake_listening_per_min") == pytest.approx(5, rel=0.01)
    assert value("shake_speaking_per_min") == pytest.approx(2, rel=0.01)
    assert value("shake_rate_per_min") == pytest.approx(8 / 3, rel=0.01)
