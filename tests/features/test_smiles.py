from __future__ import annotations

import numpy as np
import pytest
from acted import face, lose, plateau, table, times

from vsa.features.smiles import find_smiles


def smiling(t, score):
    return face(table(t, mouthSmileLeft=score, mouthSmileRight=score))


def test_the_smile_of_the_webcam_clip(face_table):
    found = find_smiles(face(face_table("webcam_man_53s.mp4")))
    # looked at: the corners begin to rise at frame 172 and are down at 249
    assert len(found) == 1
    assert (found.start_s * 25, found.end_s * 25) == (pytest.approx(172, abs=3), pytest.approx(248, abs=3))


def test_talking_is_not_smiling(face_table):
    talk = face_table("webcam_man_53s.mp4")
    jaw = talk[(talk["t"] > 11) & (talk["t"] < 19)]
    assert jaw["jawOpen"].max() > 0.5
    assert len(find_smiles(face(jaw))) == 0


def test_smiles_are_measured_from_the_own_neutral_face():
    t = times(60, 25)
    acts = plateau(t, 10, 13) + plateau(t, 30, 30.8) + plateau(t, 50, 50.1, ramp_s=0.1)
    for resting in (0.0, 0.25):
        found = find_smiles(smiling(t, resting + 0.4 * acts))
        assert found.start_s == pytest.approx([10, 30], abs=0.15)
        assert found.end_s == pytest.approx([13, 30.8], abs=0.15)
        assert found.size == pytest.approx([0.4, 0.4], abs=0.02)


def test_flicker_is_one_smile_and_a_minute_of_smiling_is_not_neutral():
    t = times(60, 25)
    flicker = 0.2 * plateau(t, 20, 24) + 0.03 * np.sin(2 * np.pi * 6 * t) * plateau(t, 20, 24)
    assert len(find_smiles(smiling(t, flicker))) == 1
    always = find_smiles(smiling(t, np.full_like(t, 0.8)))
    assert always.durations_s.sum() == pytest.approx(60, abs=0.2)


def test_a_smile_that_the_camera_missed_is_not_made_up():
    t = times(60, 25)
    score = 0.5 * plateau(t, 20, 30)
    frame = table(t, mouthSmileLeft=score, mouthSmileRight=score)
    found = find_smiles(face(lose(frame, (t > 22) & (t < 28))))
    assert found.durations_s.sum() == pytest.approx(4, abs=0.3)
