"""A long recording cut into segments gives what one run from start to end gives, also right at the seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import compose
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from stage import write_call
from variants import write_variant

from vsa.errors import InputError, SessionError
from vsa.face import cutting
from vsa.face.engine import FaceEngine, create
from vsa.face.follow import FaceTrack, Followed, follow
from vsa.face.segments import follow_in_segments
from vsa.face.table import COLUMNS
from vsa.media.recording import Recording

SMALL = (640, 360)
#: Largest difference at any row; twice what was measured (see `vsa.face.segments`).
ANY_ROW = {
    **dict.fromkeys(("head_yaw", "head_pitch", "head_roll"), 0.25),
    **dict.fromkeys(("box_x", "box_y", "box_w", "box_h"), 0.8),
    **dict.fromkeys(("eye_open_left", "eye_open_right"), 0.025),
    "motion": 0.0,
    "luma": 0.0,
}
#: Difference that 99.5% of the rows in which there is a gaze don't exceed, deg.
GAZE_DEG = 0.7


@dataclass(frozen=True)
class Run:
    """What was followed, and the recording afterwards."""

    followed: Followed
    recording: Recording

    def rows(self, face: FaceTrack) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        blocks = list(self.followed.blocks(face))
        return np.concatenate([b.tracked for b in blocks]), np.concatenate([b.values for b in blocks])


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    return create("cpu")


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Path]]:
    """Write a composed call with a key frame each second, once."""
    folder = tmp_path_factory.mktemp("calls")
    made: dict[str, Path] = {}

    def get(name: str, write: Callable[..., Any], *given: Any, **settings: Any) -> Path:
        if name not in made:
            made[name] = folder / f"{name}.mp4"
            write(made[name], *given, **settings)
        return made[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "write_call", partial(write_call, gop=25))
        yield get


@pytest.fixture(autouse=True)
def short_overlap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Long enough for tracking to settle, so that short calls can be cut; and nobody is left behind."""
    monkeypatch.setattr(cutting, "OVERLAP_S", 2.0)
    yield
    assert readers() == []


def readers() -> list[psutil.Process]:
    """Processes that read segments, and live."""
    found = list[psutil.Process]()
    for one in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # also one that was killed and nobody has waited for yet
            if any("vsa.face.segment" in word for word in one.cmdline()):
                found.append(one)
    return found


def small_call(composed: Callable[..., Path]) -> Path:
    return composed("small", compose.side_by_side, size=(480, 270), seconds=14)


def in_one(path: Path, folder: Path, engine: FaceEngine, **settings: Any) -> Run:
    folder.mkdir()
    with Recording(path) as recording:
        return Run(follow(recording, engine, folder, **settings), recording)


def cut(path: Path, folder: Path, engine: FaceEngine, segments: int, **settings: Any) -> Run:
    folder.mkdir()
    with Recording(path) as recording:
        found = follow_in_segments(recording, engine, folder, segments, shortest_s=4.0, **settings)
        return Run(found, recording)


def check_same(one: Run, other: Run) -> None:
    a, b = one.followed, other.followed
    np.testing.assert_array_equal(a.times, b.times)
    assert [f.person.tile for f in a.faces] == [f.person.tile for f in b.faces]
    assert len(a.set_aside) == len(b.set_aside)
    assert [(s.t, [t.box for t in s.tiles]) for s in a.spans] == [
        (s.t, [t.box for t in s.tiles]) for s in b.spans
    ]
    assert other.recording.faults == one.recording.faults
    assert other.recording.read_s == one.recording.read_s
    assert other.recording.cut_short_s == one.recording.cut_short_s
    for face, same in zip(a.faces, b.faces, strict=True):
        assert [(t.first_frame, t.last_frame) for t in face.person.tracks] == [
            (t.first_frame, t.last_frame) for t in same.person.tracks
        ]
        assert same.person.by == face.person.by
        check_rows(one.rows(face), other.rows(same))


def check_rows(
    one: tuple[NDArray[np.bool_], NDArray[np.float32]], other: tuple[NDArray[np.bool_], NDArray[np.float32]]
) -> None:
    (tracked, values), (also, others) = one, other
    np.testing.assert_array_equal(tracked, also)
    apart = np.abs(values - others)[tracked]
    for name, most in ANY_ROW.items():
        assert np.nanmax(apart[:, COLUMNS.index(name)]) <= most, name
    assert np.nanmax(apart[:, COLUMNS.index("luma") + 1 :]) <= 0.07
    for name in ("gaze_yaw", "gaze_pitch"):
        column = COLUMNS.index(name)
        assert np.nanpercentile(apart[:, column], 99.5) <= GAZE_DEG, name
        blind = np.isnan(values[tracked, column]) != np.isnan(others[tracked, column])
        assert blind.mean() <= 0.01


@pytest.mark.slow
def test_a_call_in_two_segments_is_the_call(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    path = small_call(composed)
    told: list[tuple[float, int]] = []
    two = cut(path, tmp_path / "two", engine, 2, fps=10, progress=lambda t, frames: told.append((t, frames)))
    assert (two.followed.segments, two.followed.in_one_go) == (2, None)
    check_same(in_one(path, tmp_path / "one", engine, fps=10), two)
    frames = [frames for _, frames in told]
    assert frames == sorted(frames)
    assert frames[-1] <= len(two.followed.times)
    assert told[-1][0] <= 14.0


@pytest.mark.slow
def test_a_layout_that_changes_just_behind_a_seam_keeps_everybody(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    path = composed("swap", compose.tiles_swap, at=(8.0, 16.5), size=SMALL, seconds=24)
    three = cut(path, tmp_path / "three", engine, 3)
    assert three.followed.segments == 3
    assert len(three.followed.faces) == 2
    check_same(in_one(path, tmp_path / "one", engine), three)


@pytest.mark.slow
def test_a_camera_that_is_off_while_a_segment_begins_comes_back_as_the_same_person(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    path = composed("off", compose.camera_off, off=(3.0, 12.0), size=SMALL, seconds=24)
    three = cut(path, tmp_path / "three", engine, 3)
    assert three.followed.segments == 3
    assert len(three.followed.faces) == 2
    check_same(in_one(path, tmp_path / "one", engine), three)


@pytest.mark.slow
def test_a_gallery_with_landmarks_is_joined_face_by_face(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    path = composed("gallery", compose.gallery, 3, size=SMALL, seconds=11)
    one = in_one(path, tmp_path / "one", engine, landmarks=True)
    two = cut(path, tmp_path / "two", engine, 2, landmarks=True)
    assert two.followed.segments == 2
    check_same(one, two)
    for face, same in zip(one.followed.faces, two.followed.faces, strict=True):
        points = [next(run.followed.blocks(f)).points for run, f in ((one, face), (two, same))]
        assert points[0] is not None
        assert points[1] is not None
        assert np.abs(points[0] - points[1]).max() < 2.0
        assert len(same.person.tracks) == 1


@pytest.mark.slow
def test_60_pictures_a_second_are_thinned_out_alike(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    path = composed("fast", compose.side_by_side, size=(320, 180), seconds=13, fps=60)
    with Recording(path) as recording:
        expected = [picture.t for picture in recording.pictures(11)]
    two = cut(path, tmp_path / "two", engine, 2, fps=11)
    assert two.followed.segments == 2
    assert two.followed.times.tolist() == expected


def test_each_segment_is_read_from_well_before_it_counts(composed: Callable[..., Path]) -> None:
    with Recording(small_call(composed)) as recording:
        _, times, (_, segment) = cutting.cut(recording, 2, shortest_s=4.0)
    ahead_s = segment.start_s - times[segment.first]
    assert cutting.OVERLAP_S <= ahead_s < cutting.OVERLAP_S + 1 + segment.chunk / 25


def test_a_short_recording_is_read_in_one_go_and_says_so(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    path = small_call(composed)
    (tmp_path / "run").mkdir()
    with Recording(path) as recording:
        found = follow_in_segments(recording, engine, tmp_path / "run", 4, fps=2)
    assert (found.segments, found.in_one_go) == (1, "it is too short to be cut")
    assert len(found.faces) == 2


@pytest.mark.slow
def test_without_key_frames_it_is_read_in_one_go(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "write_call", partial(write_call, gop=1000))
    path = tmp_path / "rare.mp4"
    compose.side_by_side(path, size=(480, 270), seconds=14)
    found = cut(path, tmp_path / "run", engine, 2, fps=10).followed
    assert (found.segments, found.in_one_go) == (1, "its key frames are too rare")
    assert len(found.faces) == 2


def test_a_container_without_index_is_read_in_one_go(tmp_path: Path, engine: FaceEngine) -> None:
    path = write_variant(tmp_path, "h264_ts").path
    found = cut(path, tmp_path / "run", engine, 2).followed
    assert found.segments == 1
    assert found.in_one_go is not None
    assert "container (mpegts)" in found.in_one_go


@pytest.mark.slow
def test_a_process_that_is_killed_again_and_again_is_one_clear_error_and_ends_the_others(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    def kill(t: float, frames: int) -> None:
        for one in readers()[:1]:
            one.kill()

    with pytest.raises(SessionError, match=r"killed by SIGKILL, 3 times\.") as caught:
        cut(small_call(composed), tmp_path / "run", engine, 2, fps=10, progress=kill)
    assert caught.value.stage == "process"
    assert caught.value.hint
    assert not readers()


@pytest.mark.slow
def test_a_part_whose_process_is_killed_once_is_read_again(
    tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine
) -> None:
    path, killed = small_call(composed), list[psutil.Process]()

    def kill(t: float, frames: int) -> None:
        if not killed:
            killed.extend(readers()[:1])
            killed[0].kill()

    again = cut(path, tmp_path / "run", engine, 2, fps=10, progress=kill)
    undisturbed = cut(path, tmp_path / "other", engine, 2, fps=10)
    assert len(killed) == 1
    for one, other in zip(again.followed.faces, undisturbed.followed.faces, strict=True):
        np.testing.assert_array_equal(again.rows(one)[1], undisturbed.rows(other)[1])


@pytest.mark.slow
def test_ctrl_c_ends_all_processes(tmp_path: Path, composed: Callable[..., Path], engine: FaceEngine) -> None:
    def interrupt(t: float, frames: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut(small_call(composed), tmp_path / "run", engine, 2, fps=10, progress=interrupt)


@pytest.mark.slow
def test_an_error_of_a_process_comes_through_as_it_is(tmp_path: Path, composed: Callable[..., Path]) -> None:
    odd = create("cpu")
    odd.name = "abacus"
    with pytest.raises(InputError, match="no engine 'abacus'") as caught:
        cut(small_call(composed), tmp_path / "run", odd, 2, fps=10)
    assert "Choose one of" in caught.value.hint
