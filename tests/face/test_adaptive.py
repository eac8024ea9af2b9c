from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from extraction import Extracted, clip, extracted, run
from numpy.typing import NDArray
from people import Box, Image, clip_path
from stage import MAN, Shown, named, paint, persons, write_call

from vsa.cli import vsa as command_line
from vsa.face import adaptive
from vsa.face.adaptive import Held
from vsa.face.blendshapes import NAMES
from vsa.face.crops import from_landmarks
from vsa.features.blinks import find_blinks
from vsa.features.person import Face
from vsa.media.picture import Picture, from_rgb
from vsa.study.plan import from_media

GAZE = ["gaze_yaw", "gaze_pitch"]
LIDS = ["eye_open_left", "eye_open_right"]
#: What rows that were taken over may differ by from the exact run's: expressions, gaze (deg), lids.
BOUND = (0.02, 0.5, 0.03)

TILE = Box(718, 182, 474, 356)


def choppy(path: Path, *, seconds: float = 3, camera: float = 10, fps: int = 30, crf: int = 23) -> Path:
    """A man on a line of `camera` pictures a second, recorded at `fps`: repeats that the coder makes unlike."""
    cast = named([MAN])

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        held = math.floor(t * camera + 1e-6) / camera
        return {name: paint(canvas, actor, TILE, held) for name, actor in cast.items()}

    return write_call(path, draw, persons(cast), size=(1280, 720), seconds=seconds, fps=fps, crf=crf).path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Extracted, Extracted]:
    """A choppy recording, exact and adaptive."""
    folder = tmp_path_factory.mktemp("choppy")
    source = choppy(folder / "call.mp4")
    return extracted(source, folder / "exact"), extracted(source, folder / "adaptive", adaptive=True)


def marked(got: Extracted) -> NDArray[np.bool_]:
    return got.face.interpolated.to_numpy(bool)


def apart(one: pd.DataFrame, other: pd.DataFrame) -> NDArray[np.float64]:
    """Largest difference of expressions, gaze (deg) and lids, row by row, (n, 3)."""
    scores = (one[list(NAMES)] - other[list(NAMES)]).abs().max(axis=1)
    gaze = np.hypot(*(one[GAZE] - other[GAZE]).to_numpy().T)
    lids = (one[LIDS] - other[LIDS]).abs().to_numpy().max(axis=1)
    return np.column_stack([scores, gaze, lids])


def test_repeats_of_a_choppy_call_need_not_be_read(both: tuple[Extracted, Extracted]) -> None:
    exact, quick = both
    share = marked(quick).mean()
    print(f"{share:.2f} taken over")
    assert share > 0.15
    assert quick.record["quality"]["participants"]["p1"]["interpolated_share"] == pytest.approx(
        share, abs=1e-3
    )
    assert quick.face.tracked.equals(exact.face.tracked)


def test_what_is_taken_over_is_what_would_have_been_read(both: tuple[Extracted, Extracted]) -> None:
    exact, quick = both
    off = apart(exact.face, quick.face)[marked(quick)]
    print(np.nanquantile(off, [0.5, 0.99, 1], axis=0).round(3))
    assert (np.nanmax(off, axis=0) < BOUND).all()


def test_nothing_is_taken_over_for_long(both: tuple[Extracted, Extracted]) -> None:
    rows = both[1].face
    read = rows.t.where(~rows.interpolated).ffill()
    assert (rows.t - read).max() <= adaptive.LONGEST_S + 1e-3


def test_without_the_setting_there_is_no_mark(both: tuple[Extracted, Extracted]) -> None:
    exact, quick = both
    assert "interpolated" not in exact.face
    assert list(quick.face) == [*exact.face, "interpolated"]
    assert "interpolated_share" not in exact.record["quality"]["participants"]["p1"]
    assert (exact.record["settings"]["adaptive"], quick.record["settings"]["adaptive"]) == (False, True)


def test_a_session_that_was_read_exactly_is_done_again_when_it_shall_be_quick(tmp_path: Path) -> None:
    plans = from_media([choppy(tmp_path / "call.mp4", seconds=0.5)])
    assert run(plans, tmp_path / "out")[0].done
    assert run(plans, tmp_path / "out", adaptive=True)[0].done
    assert not run(plans, tmp_path / "out", adaptive=True)[0].done


def test_the_command_line_has_it(tmp_path: Path) -> None:
    source = choppy(tmp_path / "call.mp4", seconds=1)
    words = ["extract", str(source), "--out", str(tmp_path / "out"), "--adaptive", "--jobs", "1"]
    done = CliRunner().invoke(command_line, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "interpolated" in pd.read_parquet(tmp_path / "out" / "call" / "face.parquet")


def face_points(lids: float = 0.3) -> NDArray[np.float32]:
    """Landmarks in the middle of 240x240 px with eyes 30 px wide, open by `lids` of that."""
    points = np.full((478, 3), 120, np.float32)
    points[0, :2], points[1, :2] = (60, 50), (180, 190)
    for (outer, inner), upper, lower in adaptive._EYES:
        left = 75 if outer == 33 else 135
        corners = [(left, 100), (left + 30, 100)]
        points[[outer, inner], :2] = corners if outer == 33 else corners[::-1]
        points[list(upper), :2] = (left + 15, 100 - 15 * lids)
        points[list(lower), :2] = (left + 15, 100 + 15 * lids)
    return points


def grey(t: float = 0.0) -> Picture:
    """A picture with texture everywhere."""
    rng = np.random.default_rng(0)
    return from_rgb(np.repeat(rng.integers(90, 150, (240, 240, 1)), 3, axis=2).astype(np.uint8), t)


def held(*lids: float, moved_px: float = 0.0) -> Held:
    """Readings with these lids, one after another; the last from a crop that was so far off."""
    found = None
    for k, opened in enumerate(lids):
        points = face_points(opened)
        crop = from_landmarks(points)
        late = replace(crop, x=crop.x + (moved_px if k == len(lids) - 1 else 0))
        found = Held.after(found, grey(), points, (60, 50, 120, 140), late)
    assert found is not None
    return found


def with_change(t: float, by: int, where: tuple[slice, slice]) -> Picture:
    picture = grey(t)
    y = picture.y.copy()
    y[where] += np.uint8(by)
    return replace(picture, y=y)


def test_a_picture_with_some_noise_is_the_same_and_one_with_other_eyes_is_not() -> None:
    before = held(0.3, 0.3)
    everywhere, an_eye = (slice(None), slice(None)), (slice(95, 105), slice(75, 105))
    assert before.still_shown(with_change(0.04, 1, everywhere))
    assert not before.still_shown(with_change(0.04, 8, an_eye))


def test_a_face_that_stands_still_is_looked_at_again_after_a_while() -> None:
    assert held(0.3, 0.3).still_shown(grey(0.2))
    assert not held(0.3, 0.3).still_shown(grey(0.24))


@pytest.mark.parametrize("lids", [(0.3,), (0.3, 0.2), (0.1, 0.1), (0.1, 0.3)])
def test_first_looks_and_blinks_are_never_taken_over(lids: tuple[float, ...]) -> None:
    assert not held(*lids).still_shown(grey(0.04))


def test_nothing_is_taken_over_while_the_crop_follows_the_head() -> None:
    assert held(0.3, 0.3, moved_px=0.1).still_shown(grey(0.04))
    assert not held(0.3, 0.3, moved_px=2).still_shown(grey(0.04))


@pytest.mark.parametrize(
    "name",
    [
        "smiling_man_360p.mp4",
        pytest.param("talking_woman_512.mp4", marks=pytest.mark.slow),
        pytest.param("face_then_noface_hevc.mov", marks=pytest.mark.slow),
        pytest.param("webcam_man_53s.mp4", marks=pytest.mark.slow),
    ],
)
def test_real_clips_keep_their_signals_and_blinks(name: str, tmp_path: Path) -> None:
    exact, quick = clip(name), extracted(clip_path(name), tmp_path / "out", adaptive=True)
    taken_over = marked(quick)
    off = apart(exact.face, quick.face)[taken_over]
    print(f"{name}: {taken_over.mean():.2f} taken over")
    if len(off):
        print(np.nanquantile(off, [0.5, 0.9, 0.95, 0.99, 1], axis=0).round(3))
        assert (np.nanmax(off, axis=0) < BOUND).all()
    for who in exact.ids:
        one, other = find_blinks(Face(who, exact.of(who))), find_blinks(Face(who, quick.of(who)))
        assert len(one) == len(other)
        assert np.abs(one.peak_s - other.peak_s).max(initial=0.0) < 0.05
