"""Who is on screen, and that everybody stays who they are: composed calls of real people, with known truth."""

from __future__ import annotations

from pathlib import Path

import compose
import numpy as np
import pytest
from compose import Actor
from extraction import check, extracted
from people import clip_path

from vsa.study.plan import SessionPlan, Video


@pytest.mark.slow
def test_nine_tile_gallery_tracks_every_face(tmp_path: Path) -> None:
    got, _ = check(compose.gallery(tmp_path / "gallery.mp4"), tmp_path)
    assert got.record["layout"][0]["decided_by"] == ["borders"]


@pytest.mark.slow
def test_gallery_with_a_row_that_is_not_full_is_numbered_left_to_right_then_down(tmp_path: Path) -> None:
    truth = compose.gallery(tmp_path / "gallery.mp4", 5, seed=5, seconds=3)
    _, found = check(truth, tmp_path)
    order = sorted(truth.participants, key=lambda p: (p.tiles[0][1], p.tiles[0][0]))
    assert [found[p.name].participant for p in order] == ["p1", "p2", "p3", "p4", "p5"]


@pytest.mark.parametrize("gutter", [0, pytest.param(16, marks=pytest.mark.slow)])
def test_side_by_side(tmp_path: Path, gutter: int) -> None:
    truth = compose.side_by_side(tmp_path / "call.mp4", gutter=gutter, seconds=3)
    got, found = check(truth, tmp_path)
    for person in truth.participants:
        record = next(p for p in got.record["participants"] if p["id"] == found[person.name].participant)
        assert np.abs(np.array(record["tile"]) - person.tiles[0]).max() <= 8


@pytest.mark.slow
def test_speaker_view_with_a_small_self_view(tmp_path: Path) -> None:
    check(compose.speaker_view(tmp_path / "call.mp4", corner="top-left", seconds=3), tmp_path)


def test_camera_off_and_on_keeps_identity(tmp_path: Path) -> None:
    truth = compose.camera_off(tmp_path / "call.mp4")
    got, found = check(truth, tmp_path)
    off = ~truth["webcam_man"].visible
    assert not got.of(found["webcam_man"].participant).tracked.to_numpy(bool)[off].any()


@pytest.mark.slow
def test_hand_over_the_face_keeps_identity(tmp_path: Path) -> None:
    # while the hand rises and falls (0.2 s each) the truth calls a half covered face visible
    check(compose.hand_over_face(tmp_path / "call.mp4"), tmp_path, least=0.93)


@pytest.mark.slow
def test_tiles_that_swap_keep_identity(tmp_path: Path) -> None:
    truth = compose.tiles_swap(tmp_path / "call.mp4", at=(1.5, 3.0), gutter=0, seconds=4.5)
    got, _ = check(truth, tmp_path)
    assert all("appearance" in p["identity"]["joined_by"] for p in got.record["participants"])


@pytest.mark.slow
def test_screen_share_moves_the_tiles_and_its_photo_is_nobody(tmp_path: Path) -> None:
    got, _ = check(compose.screen_share(tmp_path / "call.mp4", stop_s=4.0), tmp_path)
    assert len(got.record["layout"][0]["changes"]) >= 3


@pytest.mark.slow
def test_two_people_who_cross_in_one_camera_stay_themselves(tmp_path: Path) -> None:
    # the one behind is found again once the other has passed
    check(compose.crossing(tmp_path / "call.mp4"), tmp_path, least=0.85, strayed=0.06)


@pytest.mark.slow
def test_a_poster_in_a_noisy_badly_compressed_picture_is_nobody(tmp_path: Path) -> None:
    truth = compose.poster(tmp_path / "call.mp4", seconds=5, noise=6.0, crf=34)
    got, _ = check(truth, tmp_path)
    assert got.record["layout"][0]["set_aside"], "the poster's face was not looked at"


def test_a_face_then_a_cartoon_title_is_one_participant() -> None:
    path = clip_path("face_then_noface_hevc.mov")
    import tempfile

    with tempfile.TemporaryDirectory() as out:
        got = extracted(path, Path(out))
    assert got.ids == ["p1"]
    rows = got.of("p1")
    assert rows.tracked[rows.t < 2.3].mean() > 0.97
    assert not rows.tracked[rows.t > 3.0].any()


def test_one_file_per_participant(tmp_path: Path) -> None:
    plan = SessionPlan(
        "s1",
        (
            Video(clip_path("talking_woman_512.mp4"), "therapist"),
            Video(clip_path("smiling_man_360p.mp4"), "client"),
        ),
    )
    got = extracted(plan, tmp_path)
    assert [(p["id"], p["role"]) for p in got.record["participants"]] == [
        ("p1", "therapist"),
        ("p2", "client"),
    ]
    assert len(got.of("p1")) == 200
    assert len(got.of("p2")) == 72
    assert got.record["further_sources"][0]["name"] == "smiling_man_360p.mp4"


def test_a_tile_that_the_manifest_gives_wins(tmp_path: Path) -> None:
    path = clip_path("call_two_tiles.mp4")
    plan = SessionPlan("s1", (Video(path),), {"client": (718, 182, 474, 356)})
    got = extracted(plan, tmp_path)
    assert [(p["role"], p["tile"]) for p in got.record["participants"]] == [("client", [718, 182, 474, 356])]
    assert got.record["layout"][0]["decided_by"] == ["manifest"]


def test_left_and_right_give_roles(tmp_path: Path) -> None:
    path = clip_path("call_two_tiles.mp4")
    got = extracted(SessionPlan("s1", (Video(path),), {"client": "right", "therapist": 1}), tmp_path)
    assert [(p["id"], p["role"]) for p in got.record["participants"]] == [
        ("p1", "therapist"),
        ("p2", "client"),
    ]


def test_a_role_whose_face_is_not_there_is_said(tmp_path: Path) -> None:
    path = clip_path("smiling_man_360p.mp4")
    got = extracted(SessionPlan("s1", (Video(path),), {"client": 1, "therapist": 2}), tmp_path)
    record = {p["role"]: p for p in got.record["participants"]}
    assert record["client"]["tracked_share"] > 0.95
    assert record["therapist"]["tracked_share"] == 0
    assert "no face was found for therapist" in got.record["quality"]["notes"]
    assert not got.of(record["therapist"]["id"]).tracked.any()


@pytest.mark.slow
def test_the_same_person_twice_on_screen_is_two_participants(tmp_path: Path) -> None:
    twins = (Actor("webcam_man"), Actor("webcam_man", mirror=True, phase_s=3.0))
    check(compose.side_by_side(tmp_path / "call.mp4", twins, seconds=3), tmp_path)
