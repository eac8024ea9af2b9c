from __future__ import annotations

import math

import numpy as np
import pytest
from acted import face, lids, lose, plateau, session, table, times, voices

from vsa.features.acts import brow_raises, frowns, lip_presses
from vsa.features.registry import TooLittle, features, find
from vsa.features.smiling import narrowing

ROOMS = {f"vsa.features.{name}" for name in ("smiling", "expression", "acts")}
FACE = [entry for entry in features() if entry.compute.__module__ in ROOMS]
SCORES = 32  # brows 5, jaw 4, mouth 23


def value(name, of, scope="p1"):
    return find(f"face.{name}").compute(of, scope)


def row(of, scope="p1"):
    out = {}
    for entry in FACE:
        try:
            out[entry.name] = entry.compute(of, scope)
        except TooLittle:
            out[entry.name] = math.nan
    return out


def smiling(t, score, **others):
    return table(t, mouthSmileLeft=score, mouthSmileRight=score, **others)


def listened_to(t, *frames, seconds=120):
    """The other one speaks from 20 to 60 s, the first one from 60 to 100 s."""
    heard = voices(seconds, {"p1": [(60, 100)], "p2": [(20, 60)]})
    return session(*frames, table(t, "p2"), heard=heard)


def test_smiles_are_counted_timed_and_set_beside_who_speaks():
    t = times(120, 25)
    acts = 0.3 * plateau(t, 5, 7) + 0.4 * plateau(t, 30, 34) + 0.6 * plateau(t, 70, 78)
    talk = listened_to(t, smiling(t, acts))
    assert value("smile_share", talk) == pytest.approx(14 / 120, abs=0.006)
    assert value("smile_rate_per_min", talk) == pytest.approx(1.5)
    assert value("smile_duration_median_s", talk) == pytest.approx(4, abs=0.25)
    assert value("smile_intensity_score", talk) == pytest.approx(0.4, abs=0.01)
    assert value("smile_listening_share", talk) == pytest.approx(4 / 40, abs=0.01)
    assert value("smile_speaking_share", talk) == pytest.approx(8 / 40, abs=0.01)


def test_a_smile_that_was_cut_has_no_duration():
    t = times(60, 25)
    acts = sum(
        0.5 * plateau(t, at, at + lasting) for at, lasting in ((5, 1), (15, 1), (25, 1), (35, 9), (50, 9))
    )
    cut = lose(smiling(t, acts), ((t > 42) & (t < 46)) | ((t > 48) & (t < 52)))
    assert value("smile_duration_median_s", session(cut)) == pytest.approx(1, abs=0.25)
    with pytest.raises(TooLittle, match="smiles seen from beginning to end: 2, and 3 are needed"):
        value("smile_duration_median_s", session(cut).part(0, 20))


def test_eyes_take_part_in_some_smiles_and_blinks_are_not_that():
    t = times(120, 25)
    at = 5 + 11 * np.arange(10)
    acts = sum(plateau(t, a, a + 1) for a in at)
    warm = sum(plateau(t, a, a + 1) for a in at[:6])
    shut = sum(plateau(t, a + 0.45, a + 0.55, ramp_s=0.1) for a in at)
    person = smiling(
        t,
        0.5 * acts,
        eyeSquintLeft=0.25 + 0.1 * warm + 0.4 * shut,
        eyeSquintRight=0.15 + 0.1 * warm + 0.4 * shut,
        eye_open_left=lids(t, at + 0.5),
        eye_open_right=lids(t, at + 0.5),
    )
    assert value("duchenne_share", session(person)) == pytest.approx(0.6)
    small = person.assign(box_h=60.0)
    with pytest.raises(TooLittle, match="the eyes can be read without a smile"):
        value("duchenne_share", session(small))


@pytest.mark.slow
def test_eyes_in_the_smiles_of_real_people(face_table):
    # looked at: one lifts his cheeks as he bares his teeth, the other smiles with the mouth alone
    for clip, rest, narrow in (
        ("smiling_man_360p.mp4", (0, 0.5), True),
        ("webcam_man_53s.mp4", (10, 20), False),
    ):
        person = face(face_table(clip))
        squint = person.columns(("eyeSquintLeft", "eyeSquintRight")).mean(1)
        before = np.median(squint[(person.t >= rest[0]) & (person.t < rest[1])])
        (during,) = narrowing(person)
        assert (during - before >= 0.06) == narrow


def test_speed_of_the_upper_and_the_lower_face():
    t = times(120, 25)
    wave = np.abs((t % 2) / 2 - 0.5)  # 0.5 a second
    brows = session(table(t, browInnerUp=wave))
    jaw = session(table(t, jawOpen=wave))
    assert value("upper_expressivity_per_s", brows) == pytest.approx(0.5 / math.sqrt(5), rel=0.12)
    assert value("lower_expressivity_per_s", brows) == pytest.approx(0, abs=1e-9)
    assert value("lower_expressivity_per_s", jaw) == pytest.approx(0.5 / math.sqrt(27), rel=0.12)
    assert value("upper_expressivity_per_s", jaw) == pytest.approx(0, abs=1e-9)
    assert value("expressivity_per_s", jaw) == pytest.approx(0.5 / math.sqrt(SCORES), rel=0.12)
    in_speech = listened_to(t, table(t, jawOpen=np.where((t > 60) & (t < 100), wave, 0)))
    assert value("expressivity_speaking_per_s", in_speech) == pytest.approx(0.5 / math.sqrt(SCORES), rel=0.12)
    assert value("expressivity_listening_per_s", in_speech) == pytest.approx(0, abs=1e-3)


def test_range_and_jaw_are_standard_deviations():
    t = times(120, 25)
    half = 0.8 * (t % 10 < 5)
    talk = listened_to(t, table(t, jawOpen=half))
    assert value("jaw_open_sd_score", talk) == pytest.approx(0.4, abs=0.002)
    assert value("range_score", talk) == pytest.approx(0.4 / math.sqrt(SCORES), abs=0.001)
    mumbling = listened_to(t, table(t, jawOpen=half * np.where((t >= 60) & (t < 100), 0.25, 1)))
    assert value("jaw_speaking_sd_score", mumbling) == pytest.approx(0.1, abs=0.002)


def test_a_flat_face_rests_for_two_seconds():
    t = times(120, 25)
    # 30 s of brows that go up every 2 s and rest for 1.5 s: never flat. Then at rest.
    busy = 0.8 * ((t % 2 < 0.5) & (t < 30))
    talk = listened_to(t, table(t, browInnerUp=busy, browOuterUpLeft=busy))
    assert value("flat_share", talk) == pytest.approx(91.5 / 120, abs=0.005)
    assert value("flat_listening_share", talk) == pytest.approx(31.5 / 40, abs=0.01)
    # what a face scores at rest is its neutral
    heavy = session(table(t, browDownLeft=0.4, mouthShrugLower=0.3))
    assert value("flat_share", heavy) == 1


@pytest.mark.slow
def test_a_real_man_is_flat_after_he_stops_to_act(face_table):
    # looked at: he raises brows, smiles and opens his mouth until 19 s, turns his head, and sits still from 26 s
    man = session(face_table("webcam_man_53s.mp4"))
    assert value("flat_share", man.part(0, 19)) < 0.4
    assert value("flat_share", man.part(26, 50)) > 0.85


def test_asymmetry_is_of_movements_not_of_the_resting_face():
    t = times(120, 25)
    acts = plateau(t, 20, 40)
    crooked = session(table(t, mouthSmileLeft=0.1 + 0.5 * acts, mouthSmileRight=0.3 * acts))
    assert value("asymmetry_score", crooked) == pytest.approx(0.2, abs=0.01)
    even = session(table(t, mouthSmileLeft=0.1 + 0.5 * acts, mouthSmileRight=0.5 * acts))
    assert value("asymmetry_score", even) == pytest.approx(0, abs=1e-6)
    with pytest.raises(TooLittle, match=r"the face moves for 0\.0 s, and 5 s are needed"):
        value("asymmetry_score", session(table(t, head_yaw=25.0, mouthSmileLeft=acts)))
    one_brow = session(table(t, browOuterUpRight=0.4 * acts))
    assert value("asymmetry_score", one_brow) == pytest.approx(0.4, abs=0.03)


def test_the_raised_brows_of_the_webcam_clip(face_table):
    man = face_table("webcam_man_53s.mp4")
    # looked at: each of them is there, and nothing else is a raise
    raised = [(2.4, 3.4), (4.0, 5.1), (5.9, 6.8), (8.7, 9.8), (32.6, 33.4), (50.5, 51.2)]
    found = brow_raises(face(man))
    assert found.start_s == pytest.approx([a for a, _ in raised], abs=0.15)
    assert found.end_s == pytest.approx([b for _, b in raised], abs=0.15)
    assert value("brow_raise_rate_per_min", session(man)) == pytest.approx(6 / (53 / 60), rel=0.06)
    # and he lowers his head at 23 s, but not his brows; his lips close hard once, after the smile
    assert len(frowns(face(man))) == 0
    (press,) = lip_presses(face(man)).peak_s
    assert press == pytest.approx(10.5, abs=0.3)


def test_brows_count_against_own_neutral_and_with_the_head_up():
    t = times(120, 25)
    up, down = plateau(t, 20, 24) + plateau(t, 30, 32), plateau(t, 50, 62)
    brows = dict.fromkeys(("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.2 + 0.4 * up)
    frown = dict.fromkeys(("browDownLeft", "browDownRight"), 0.1 + 0.3 * down)
    person = session(table(t, **brows, **frown))
    assert value("brow_raise_rate_per_min", person) == pytest.approx(1)
    assert value("brow_raise_share", person) == pytest.approx(6 / 120, abs=0.005)
    assert value("frown_share", person) == pytest.approx(12 / 120, abs=0.005)
    reading = session(table(t, **frown, head_pitch=np.where((t > 49) & (t < 69), -25.0, 5.0)))
    assert value("frown_share", reading) == 0
    writing = session(table(t, **frown, head_pitch=np.where((t > 80) & (t < 100), -25.0, 5.0)))
    assert value("frown_share", writing) == pytest.approx(12 / 100, abs=0.005)


def test_lips_press_where_nobody_speaks_with_them():
    t = times(120, 25)
    press = plateau(t, 30, 36) + plateau(t, 62, 90) + plateau(t, 105, 110)
    lips = dict.fromkeys(("mouthPressLeft", "mouthPressRight"), 0.4 * press)
    talk = listened_to(t, smiling(t, 0.5 * plateau(t, 104, 111), **lips))
    # silent for 120 - 40 s; the press within the speech and the one within the smile are none
    assert value("lip_press_share", talk) == pytest.approx(6 / 80, abs=0.006)


def test_half_of_the_face_gone_leaves_the_shares_of_what_was_seen():
    t = times(120, 25)
    acts = 0.5 * ((t % 10) < 3)
    whole = smiling(t, acts, browInnerUp=acts, browOuterUpLeft=acts, browOuterUpRight=acts)
    half = row(listened_to(t, lose(whole, (t % 40) >= 20)))
    all_seen = row(listened_to(t, whole))
    assert {name for name in half if math.isnan(half[name])} == {
        "face.duchenne_share"
    }  # 6 of 12 smiles, 8 needed
    for name in set(half) - {"face.duchenne_share"}:
        assert half[name] == pytest.approx(all_seen[name], rel=0.12, abs=0.02), name


@pytest.mark.parametrize("entry", FACE, ids=lambda entry: entry.name)
def test_too_little_is_missing_with_a_reason(entry):
    scope = "p1"
    t = times(120, 25)
    score = 0.5 * ((t % 10) < 3)
    talk = listened_to(t, smiling(t, score, jawOpen=score))
    for poor in (
        listened_to(t, lose(smiling(t, score), t >= 0)),
        listened_to(t, lose(smiling(t, score), t > 3)),
        talk.part(0, 5),
        listened_to(
            t, table(t).drop(columns=[c for c in table(t) if c.startswith(("brow", "jaw", "mouth"))])
        ),
    ):
        with pytest.raises(TooLittle) as found:
            entry.compute(poor, scope)
        assert len(str(found.value)) > 10
    if "turns" in entry.needs or "voice" in entry.needs:
        with pytest.raises(TooLittle, match="there is no sound"):
            entry.compute(session(smiling(t, score), table(t, "p2")), scope)
        quiet = session(
            smiling(t, score), table(t, "p2"), heard=voices(120, {"p1": [(0, 1)], "p2": [(1, 2)]})
        )
        if entry.name != "face.lip_press_share":
            with pytest.raises(TooLittle, match=r"for [01]\.\d s, and 10 s are needed"):
                entry.compute(quiet, scope)


def test_rows_do_not_depend_on_start_and_hardly_on_the_frame_rate(face_table):
    man = face_table("webcam_man_53s.mp4")
    whole = row(session(man))
    later = row(session(man.assign(t=man["t"] + 1234.56)))
    half = row(session(man.iloc[::2]))
    known = [name for name, seen in whole.items() if not math.isnan(seen)]
    assert len(known) >= 10
    for name in known:
        assert later[name] == pytest.approx(whole[name], rel=0.02, abs=1e-3), name
        assert half[name] == pytest.approx(whole[name], rel=0.05, abs=2e-3), name
