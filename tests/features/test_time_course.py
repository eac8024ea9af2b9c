"""Thirds of a session and their slope, of behaviour that changes at known times."""

from __future__ import annotations

import numpy as np
import pytest
from acted import face, lose, plateau, session, table, times, voices

from vsa.features.core import CORE, is_core
from vsa.features.own_neutral import above_neutral, upright
from vsa.features.registry import TooLittle, find

SECONDS = 360.0
T = times(SECONDS, 25)


def value(s, name: str, scope: str = "p1") -> float:
    return find(name).compute(s, scope)


def test_smiles_that_grow_more_from_third_to_third():
    starts = [20.0, 140.0, 180.0, 250.0, 275.0, 300.0, 325.0]  # 1, 2 and 4 smiles of 6 s
    smile = 0.5 * sum(plateau(T, a, a + 6.0, 0.01) for a in starts)
    s = session(table(T, mouthSmileLeft=smile, mouthSmileRight=smile))
    shares = [value(s, f"face.{third}_smile_share") for third in ("early", "middle", "late")]
    assert shares == pytest.approx([6 / 120, 12 / 120, 24 / 120], abs=0.002)
    # from 60 s to 300 s, the middles of the first third and the last
    assert value(s, "face.smile_share_slope_per_10min") == pytest.approx((24 - 6) / 120 / 240 * 600, abs=0.01)


def test_thirds_are_measured_against_the_habit_of_the_whole_session():
    # who smiles all through the last third smiles there, although a third by itself has no other face to compare
    smile = np.where(T >= 240, 0.5, 0.0)
    gaze = np.where(T >= 240, 35.0, 0.0)  # and looks away
    s = session(table(T, mouthSmileLeft=smile, mouthSmileRight=smile, gaze_yaw=gaze))
    assert value(s, "face.late_smile_share") == pytest.approx(1, abs=0.01)
    assert value(s, "face.early_smile_share") == 0
    assert value(s, "gaze.early_on_screen_share") == pytest.approx(1, abs=0.01)
    assert value(s, "gaze.late_on_screen_share") == pytest.approx(0, abs=0.01)


def test_pitch_and_scores_of_a_part_are_held_against_what_is_usual_over_the_session():
    lowered, frown = np.where(T >= 240, -20.0, 0.0), np.where(T >= 240, 0.5, 0.1)
    whole = face(table(T, head_pitch=lowered, browDownLeft=frown, browDownRight=frown))
    part = whole.between(240, 360)
    assert not upright(part).any()
    assert upright(whole).mean() == pytest.approx(2 / 3, abs=0.01)
    assert above_neutral(part, ["browDownLeft", "browDownRight"]).mean() == pytest.approx(0.4, abs=0.01)


def test_talk_is_counted_in_the_third_in_which_it_is_spoken():
    said = {
        "p1": [(k * 10.0, k * 10 + 4.0) for k in range(12)],
        "p2": [(k * 10 + 5.0, k * 10 + 9.0) for k in range(24)],
    }
    s = session(table(T), table(T, "p2"), heard=voices(SECONDS, said))
    assert value(s, "turns.early_talk_share") == pytest.approx(0.5)
    assert value(s, "turns.middle_talk_share") == 0
    assert value(s, "turns.early_latency_median_s") == pytest.approx(1, abs=0.01)
    assert value(s, "turns.early_silence_share", "dyad") == pytest.approx(0.2, abs=0.01)
    assert value(s, "turns.late_silence_share", "dyad") == pytest.approx(1)
    with pytest.raises(TooLittle, match=r"somebody speaks for 0\.0 s"):
        value(s, "turns.late_talk_share")
    with pytest.raises(TooLittle, match=r"somebody speaks for 0\.0 s"):
        value(s, "turns.talk_share_slope_per_10min")  # never from two thirds of three


@pytest.mark.parametrize("core", CORE)
def test_every_core_feature_has_its_thirds_and_says_when_they_are_too_short(core):
    group, short = core.split(".")
    entry = find(core)
    scope = "dyad" if entry.scope == "dyad" else "p1"
    few = session(table(T[: 25 * 90]), table(T[: 25 * 90], "p2"))
    for name in (f"early_{short}", f"middle_{short}", f"late_{short}", f"{short}_slope_per_10min"):
        assert find(f"{group}.{name}").scope == entry.scope
        assert not is_core(f"p1.{group}.{name}")
        with pytest.raises(TooLittle, match="a third of the session lasts 30 s, and 60 s are needed"):
            value(few, f"{group}.{name}", scope)


def test_a_camera_that_went_off_leaves_the_other_thirds():
    s = session(lose(table(T), T >= 240))
    assert value(s, "gaze.middle_on_screen_share") == pytest.approx(1)
    with pytest.raises(TooLittle, match="never tracked"):
        value(s, "gaze.late_on_screen_share")
