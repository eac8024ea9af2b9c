"""Calls as platforms and broadcasters draw them: decorations, photos, people who come, go and change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from extraction import check
from people import Actor, Box
from platforms import WHITE, Place, captions, grid, staged
from stage import MAN, SMILER, WOMAN, halves

pytestmark = pytest.mark.slow

ANNA = WOMAN
BEN = MAN
CARL = SMILER
DORA = Actor("talking_woman", mirror=True, tint=(1.0, 0.85, 0.7), phase_s=2.7)
CAST = {"anna": ANNA, "ben": BEN, "carl": CARL, "dora": DORA}
SMALL = (640, 360)


def cast(*names: str) -> dict[str, str]:
    return {name: CAST[name].person for name in names}


def test_photos_and_initials_in_a_decorated_gallery_are_nobody(tmp_path: Path) -> None:
    # labels, a border that moves with the speaker, strong compression, key frames that redraw the stills
    boxes = grid(SMALL, 6, 3, 8, 8)
    tiles = {name: Place(box, CAST[name]) for name, box in zip(CAST, boxes, strict=False)}
    tiles |= {"xavier": Place(boxes[4]), "grace": Place(boxes[5], photo="grace_hopper")}
    truth = staged(
        tmp_path / "call.mp4",
        cast(*CAST),
        lambda t: tiles,
        size=SMALL,
        background=WHITE,
        radius=8,
        labels=True,
        speaking=lambda t: list(tiles)[int(t / 0.6) % 6],
        crf=34,
        gop=40,
        seconds=4,
    )
    check(truth, tmp_path)


def test_split_screen_with_captions_a_logo_and_no_gutter(tmp_path: Path) -> None:
    left, right = halves(SMALL, 0)
    truth = staged(
        tmp_path / "call.mp4",
        cast("anna", "ben"),
        lambda t: {"anna": Place(left, ANNA), "ben": Place(right, BEN)},
        size=SMALL,
        over=captions(SMALL, ["ANNA - VIENNA", "LIVE FROM OSLO"]),
        crf=30,
    )
    got, _ = check(truth, tmp_path)
    assert {p["tile"][2] for p in got.record["participants"]} <= set(range(300, 341))


def test_the_speaker_who_is_also_in_the_strip_is_one_participant(tmp_path: Path) -> None:
    strip = [Box(976, 16 + k * 186, 288, 162) for k in range(3)]

    def plan(t: float) -> dict[str, Place]:
        tiles = {
            name: Place(box, CAST[name]) for name, box in zip(("anna", "ben", "carl"), strip, strict=True)
        }
        return {**tiles, "large": Place(Box(0, 0, 960, 720), (ANNA, BEN)[int(t / 1.5) % 2])}

    check(staged(tmp_path / "call.mp4", cast("anna", "ben", "carl"), plan, seconds=4.5), tmp_path)


def test_camera_that_comes_back_under_another_light_keeps_identity(tmp_path: Path) -> None:
    left, right = halves((1280, 720), 16)
    dusk = replace(BEN, tint=(0.5, 0.55, 0.65), phase_s=9.0)

    def plan(t: float) -> dict[str, Place]:
        ben = BEN if t < 1.5 else dusk if t >= 3.0 else None
        return {"anna": Place(left, ANNA), "ben": Place(right, ben)}

    truth = staged(tmp_path / "call.mp4", cast("anna", "ben"), plan, seconds=4.5)
    got, found = check(truth, tmp_path)
    assert not got.of(found["ben"].participant).tracked.to_numpy(bool)[~truth["ben"].visible].any()


def test_somebody_else_who_takes_a_seat_is_another_participant(tmp_path: Path) -> None:
    left, right = halves(SMALL, 8)

    def plan(t: float) -> dict[str, Place]:
        late = {"ben": Place(right, BEN)} if t < 1.6 else {"carl": Place(right, CARL)} if t >= 2.2 else {}
        return {"anna": Place(left, ANNA), **late}

    check(staged(tmp_path / "call.mp4", cast("anna", "ben", "carl"), plan, size=SMALL, seconds=4), tmp_path)


def test_people_who_join_late_and_leave_early_change_the_grid_and_nobody_else(tmp_path: Path) -> None:
    two, four = grid(SMALL, 2, 2, 8, 8), grid(SMALL, 3, 2, 8, 8)

    def plan(t: float) -> dict[str, Place]:
        names, boxes = (
            (("anna", "ben"), two)
            if t < 1.5
            else (("anna", "ben", "carl"), four)
            if t < 3
            else (("ben", "carl"), two)
        )
        return {name: Place(box, CAST[name]) for name, box in zip(names, boxes, strict=True)}

    check(staged(tmp_path / "call.mp4", cast("anna", "ben", "carl"), plan, size=SMALL, seconds=4.5), tmp_path)


def test_a_face_of_60_px_in_a_window_that_moves_from_corner_to_corner(tmp_path: Path) -> None:
    corners = [Box(1174, 614, 90, 90), Box(16, 16, 90, 90)]
    truth = staged(
        tmp_path / "call.mp4",
        cast("ben", "anna"),
        lambda t: {
            "ben": Place(Box(0, 0, 1280, 720), BEN),
            "anna": Place(corners[int(t / 1.5) % 2], ANNA),
        },
    )
    assert np.median(truth["anna"].heads[:, 3]) < 65
    check(truth, tmp_path)


def test_frozen_pictures_and_dropped_frames_end_nobody(tmp_path: Path) -> None:
    left, right = halves(SMALL, 8)

    def plan(t: float) -> dict[str, Place]:
        dropped = int(t * 25 + 1e-6) // 5 * 5 / 25
        frozen = 1.0 if 1 < t < 2.4 else None
        return {"anna": Place(left, ANNA, at_s=dropped), "ben": Place(right, BEN, at_s=frozen)}

    check(staged(tmp_path / "call.mp4", cast("anna", "ben"), plan, size=SMALL, crf=28), tmp_path)


def test_a_phone_held_upright(tmp_path: Path) -> None:
    size = (480, 854)
    truth = staged(
        tmp_path / "call.mp4",
        cast("ben", "anna"),
        lambda t: {"ben": Place(Box(0, 0, *size), BEN), "anna": Place(Box(350, 20, 115, 200), ANNA)},
        size=size,
        seconds=2,
    )
    check(truth, tmp_path)
