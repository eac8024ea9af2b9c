"""From pixels to features: a rendered person whose blinks, nods, smiles and gaze are known."""

from __future__ import annotations

import numpy as np
import pytest
from acted import face, lids, nodding, plateau, session, times
from extraction import extracted
from media_files import FPS, write_pictures

from vsa.features.blinks import find_blinks
from vsa.features.nods import find_nods
from vsa.features.registry import compute
from vsa.features.smiles import find_smiles
from vsa.simulate.portraits import Portrait, PortraitState

BLINKS = [1.5, 4.0, 4.9, 12.5]
NODS = [2.2, 13.2]
SMILE = (5.6, 7.6)
AWAY = (8.5, 11.5)
SECONDS = 15


@pytest.fixture(scope="module")
def tracked(tmp_path_factory, face_table):
    folder = tmp_path_factory.mktemp("rendered")

    def mesh(still):
        clip = write_pictures(folder / "still.mp4", [still] * 3, crf="4")
        session = extracted(clip, folder / "out", landmarks=True)
        with np.load(session.folder / "landmarks.npz") as found:
            return found["xyz"][0].astype(float)

    person = Portrait.load("grace_hopper", mesh)
    t = times(SECONDS, FPS)
    acts = zip(
        lids(t, BLINKS, level=1.0, depth=1.0),
        nodding(t, NODS, size_deg=9),
        plateau(t, *SMILE),
        20 * plateau(t, *AWAY, ramp_s=0.05),
        strict=True,
    )
    states = [
        PortraitState(lid_open=lid, head_pitch_deg=pitch, smile=smile, gaze_yaw_deg=yaw)
        for lid, pitch, smile, yaw in acts
    ]
    return face_table(write_pictures(folder / "person.mp4", [person.render(state) for state in states]))


def test_blinks(tracked):
    assert find_blinks(face(tracked)).peak_s == pytest.approx(BLINKS, abs=2 / FPS)


def test_nods(tracked):
    found = find_nods(face(tracked))
    assert len(found) == len(NODS)
    assert (found.start_s + found.end_s) / 2 == pytest.approx(np.array(NODS) + 0.5, abs=0.3)


def test_smiles(tracked):
    found = find_smiles(face(tracked))
    assert (found.start_s, found.end_s) == (
        pytest.approx([SMILE[0]], abs=0.2),
        pytest.approx([SMILE[1]], abs=0.2),
    )


def test_gaze_and_smile_shares(tracked):
    row = compute(session(tracked)).row
    assert row["p1.gaze.on_screen_share"] == pytest.approx(1 - (AWAY[1] - AWAY[0]) / SECONDS, abs=0.05)
    assert row["p1.face.smile_share"] == pytest.approx((SMILE[1] - SMILE[0]) / SECONDS, abs=0.03)
    assert row["p1.quality.tracked_share"] == 1
