"""The overlay: same pictures, same times, and what is drawn points where it should."""

from fractions import Fraction

import av
import numpy as np
import pandas as pd
import pytest
from people import clip_path
from portrait_faces import engine, picture_of, portrait, settled

from vsa.errors import SessionError
from vsa.face.table import COLUMNS
from vsa.face.tiles import Tile
from vsa.face.tracker import LayoutSpan
from vsa.media.encoder import Encoder
from vsa.media.recording import Recording
from vsa.report.overlay import OverlayWriter, render_overlay

SIZE = (320, 240)
GREY = 90


def rows(times, participant="p1", *, tracked=True, **columns):
    """Rows of face.parquet for a face in the middle of the picture that looks straight ahead."""
    values = dict.fromkeys(COLUMNS, 0.0) | {"box_x": 110, "box_y": 70, "box_w": 100, "box_h": 110} | columns
    if not tracked:
        values = dict.fromkeys(COLUMNS, np.nan)
    return pd.DataFrame({"t": times, "participant": participant, "tracked": tracked} | values)


def recording(path, times):
    """A grey film whose pictures are shown at the given times."""
    with Encoder(path, *SIZE, 25) as file:
        for t in times:
            file.add(np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8), t)
    return path


def pictures(path):
    with Recording(path) as film:
        return [(picture.t, picture.rgb().astype(int)) for picture in film.pictures()]


def whiteness(rgb, at, reach=3):
    x, y = at
    return rgb[y - reach : y + reach + 1, x - reach : x + reach + 1].min(axis=2).max()


def drawn(tmp_path, face, **options):
    film = recording(tmp_path / "film.mp4", [0.0, 0.04])
    render_overlay(film, face, tmp_path / "over.mp4", **options)
    return pictures(tmp_path / "over.mp4")[0][1]


def test_times_of_a_variable_rate_are_kept(tmp_path):
    times = [0.4, 0.44, 0.5, 0.513, 0.7, 1.9]
    film = recording(tmp_path / "film.mp4", times)
    render_overlay(film, rows(times), tmp_path / "over.mp4")
    assert [t for t, _ in pictures(tmp_path / "over.mp4")] == pytest.approx(times, abs=1e-4)


def test_chosen_pictures_only_when_fewer_were_analysed(tmp_path):
    film = recording(tmp_path / "film.mp4", np.arange(25) / 25)
    render_overlay(film, rows(np.arange(25) / 25), tmp_path / "over.mp4", fps=5)
    assert [t for t, _ in pictures(tmp_path / "over.mp4")] == pytest.approx(np.arange(5) / 5, abs=1e-4)


@pytest.mark.parametrize(
    ("gaze", "towards"),
    [((30, 0), (1, 0)), ((-30, 0), (-1, 0)), ((0, 30), (0, -1)), ((0, -30), (0, 1))],
    ids=["left", "right", "up", "down"],
)
def test_the_arrow_points_where_the_eyes_point(tmp_path, gaze, towards):
    rgb = drawn(tmp_path, rows([0.0, 0.04], gaze_yaw=gaze[0], gaze_pitch=gaze[1]))
    x, y = 160, 70 + round(0.36 * 110)
    along = [whiteness(rgb, (x + 40 * towards[0], y + 40 * towards[1]))]
    behind = [whiteness(rgb, (x - 40 * towards[0], y - 40 * towards[1]))]
    assert min(along) > 180 > 140 > max(behind)


def test_who_looks_into_the_camera_has_no_arrow(tmp_path):
    rgb = drawn(tmp_path, rows([0.0, 0.04]))
    x, y = 160, 70 + round(0.36 * 110)
    assert max(whiteness(rgb, (x + dx, y + dy)) for dx, dy in ((40, 0), (-40, 0), (0, -25))) < 140
    assert whiteness(rgb, (x, y)) > 180


def test_no_gaze_no_arrow(tmp_path):
    rgb = drawn(tmp_path, rows([0.0, 0.04], gaze_yaw=np.nan, gaze_pitch=np.nan))
    assert whiteness(rgb, (160, 70 + round(0.36 * 110))) < 140


def test_the_axes_turn_with_the_head(tmp_path):
    def blue_tip(yaw):
        rgb = drawn(tmp_path, rows([0.0, 0.04], head_yaw=yaw, gaze_yaw=np.nan))
        blue = (rgb[..., 2] - rgb[..., 0] > 60) & (rgb[..., 2] - rgb[..., 1] > 60)
        blue[:, :115] = blue[:, 205:] = False  # the box has a light blue of its own
        return np.flatnonzero(blue.any(axis=0))

    assert blue_tip(40).max() > 170
    assert blue_tip(-40).min() < 150


def test_tiles_and_who_is_not_tracked(tmp_path):
    tiles = [Tile(4, 4, 150, 230, "borders"), Tile(166, 4, 150, 230, "borders")]
    face = pd.concat(
        [
            rows([0.0], "p1", box_x=40),
            rows([0.04], "p1", tracked=False),
            rows([0.0, 0.04], "p2", box_x=200),
        ]
    )
    film = recording(tmp_path / "film.mp4", [0.0, 0.04])
    render_overlay(film, face, tmp_path / "over.mp4", spans=[LayoutSpan(0.0, tiles)])
    (_, first), (_, second) = pictures(tmp_path / "over.mp4")

    def blueness(rgb, x, y):
        return int((rgb[y - 1 : y + 2, x - 1 : x + 2, 2] - rgb[y - 1 : y + 2, x - 1 : x + 2, 0]).max())

    for rgb in (first, second):
        assert blueness(rgb, 4, 120) > 50  # p1's tile keeps its colour when p1 is lost
        assert blueness(rgb, 315, 120) < 0  # p2's is another one
    assert blueness(first, 40, 140) > 50
    assert blueness(second, 40, 140) < 30  # no box without a face


def test_landmarks_are_drawn_where_they_are(tmp_path):
    engine()
    still = portrait("astronaut").still
    points = settled(picture_of(still))
    with Encoder(tmp_path / "film.mp4", still.shape[1], still.shape[0], 25) as file:
        for t in (0.0, 0.04):
            file.add(still, t)
    np.savez(
        tmp_path / "landmarks.npz",
        t=np.array([0.04, 0.0]),
        participant=np.array(["p1", "p1"]),
        xyz=np.stack([points + 1000, points]).astype(np.float32),
    )
    low, size = points[:, :2].min(0), np.ptp(points[:, :2], axis=0)
    face = rows([0.0, 0.04], box_x=low[0], box_y=low[1], box_w=size[0], box_h=size[1], gaze_yaw=np.nan)
    render_overlay(tmp_path / "film.mp4", face, tmp_path / "over.mp4", landmarks=tmp_path / "landmarks.npz")
    (_, first), (_, second) = pictures(tmp_path / "over.mp4")
    at = np.rint(points[[61, 291, 33, 263, 469, 476], :2]).astype(int)
    near = [
        np.abs(first[y - 2 : y + 3, x - 2 : x + 3] - second[y - 2 : y + 3, x - 2 : x + 3]).max()
        for x, y in at
    ]
    assert min(near) > 40


def test_a_real_call_keeps_its_pictures(tmp_path):
    clip = clip_path("smiling_man_360p.mp4")
    before = pictures(clip)
    times = [t for t, _ in before]
    render_overlay(clip, rows(times).iloc[:0], tmp_path / "over.mp4")
    after = pictures(tmp_path / "over.mp4")
    assert [t for t, _ in after] == pytest.approx(times, abs=1e-4)
    for (_, was), (_, now) in zip(before[::20], after[::20], strict=True):
        assert np.abs(was - now)[:300].mean() < 4  # no colour shifts; the time stands at the bottom


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path):
    film = recording(tmp_path / "film.mp4", [0.0, 0.04])
    with pytest.raises(SessionError, match="can't be written"):
        render_overlay(film, rows([0.0]), tmp_path / "no" / "such" / "over.mp4")
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(SessionError, match="can't be written"):
        render_overlay(film, rows([0.0]), tmp_path / "taken.mp4")
    assert {p.name for p in tmp_path.iterdir()} == {"film.mp4", "taken.mp4"}


def test_an_interrupted_overlay_leaves_nothing(tmp_path):
    out = tmp_path / "over.mp4"

    def stopped_halfway():
        with OverlayWriter(out, *SIZE, 25) as writer:
            writer.add(picture_of(np.full((SIZE[1], SIZE[0], 3), GREY, np.uint8)), [])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_halfway()
    assert not list(tmp_path.iterdir())


def test_the_file_says_its_rate(tmp_path):
    film = recording(tmp_path / "film.mp4", np.arange(50) / 25)
    render_overlay(film, rows([0.0]), tmp_path / "over.mp4")
    with av.open(str(tmp_path / "over.mp4")) as container:
        assert container.streams.video[0].average_rate == Fraction(25)
