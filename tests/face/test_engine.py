"""The contract that every face engine keeps."""

from __future__ import annotations

import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from people import clip_path

from vsa import assets
from vsa.errors import InputError, ModelMissingError, VsaError
from vsa.face import bundle, crops, engine
from vsa.face.blendshapes import NAMES
from vsa.face.detector import SIZE
from vsa.face.tracker import Tracker
from vsa.face.tracklet import face_box
from vsa.media.recording import Recording

CLIP, TILE = "smiling_man_360p.mp4", (0, 0, 640, 360)
#: The man begins to smile within these pictures.
FIRST, COUNT = 14, 16


@pytest.fixture(autouse=True, scope="module")
def _models():
    try:
        assets.find(bundle.NAME)
    except ModelMissingError as error:
        pytest.skip(str(error))


@cache
def made(name):
    return engine.create(name, 2)


@pytest.fixture(params=["cpu", "mediapipe"])
def face_engine(request):
    return made(request.param)


@cache
def pictures():
    with Recording(clip_path(CLIP)) as recording:
        return list(itertools.islice(recording.pictures(), FIRST, FIRST + COUNT))


@cache
def squares():
    """What the detector is given, and how to get back to px of the pictures."""
    return [picture.letterbox(TILE, SIZE) for picture in pictures()]


@cache
def face_crops():
    """Crops around the face of each picture: where the cpu engine detects it."""
    found = made("cpu").detect([square for square, *_ in squares()])
    where = [
        crops.from_eyes(faces.boxes[0], faces.eyes[0])
        for faces in (f.moved(*view[1:]) for f, view in zip(found, squares(), strict=True))
    ]
    return [
        (crop, picture.warp(crop.matrix(), crops.SIZE))
        for crop, picture in zip(where, pictures(), strict=True)
    ]


def images():
    return [image for _, image in face_crops()]


def test_detects_the_one_face_where_its_landmarks_are(face_engine):
    found = face_engine.detect([square for square, *_ in squares()])
    points, _ = face_engine.landmarks(images())
    for faces, view, xyz, (crop, _) in zip(found, squares(), points, face_crops(), strict=True):
        assert len(faces) == 1
        moved = faces.moved(*view[1:])
        placed = crop.to_picture(xyz)
        x, y, w, h = face_box(placed)
        assert moved.scores[0] > 0.7
        assert np.hypot(*(moved.boxes[0, :2] + moved.boxes[0, 2:] / 2 - [x + w / 2, y + h / 2])) < 0.2 * w
        for eye, corners in zip(moved.eyes[0], ((33, 133), (263, 362)), strict=True):
            assert np.hypot(*(eye - placed[list(corners), :2].mean(0))) < 0.15 * w


def test_finds_no_face_in_an_empty_room(face_engine):
    room = np.full((SIZE, SIZE, 3), 90, np.uint8)
    assert [len(faces) for faces in face_engine.detect([room, room])] == [0, 0]
    _, presence = face_engine.landmarks([np.full((crops.SIZE, crops.SIZE, 3), 90, np.uint8)])
    assert presence[0] < 0.5


def test_shapes_and_ranges(face_engine):
    points, presence = face_engine.landmarks(images())
    scores = face_engine.blendshapes(points)
    assert points.shape == (COUNT, 478, 3)
    assert presence.shape == (COUNT,)
    assert scores.shape == (COUNT, len(NAMES)) == (COUNT, 52)
    assert ((presence > 0.9) & (presence <= 1)).all()
    assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_a_smile_shows_in_the_scores(face_engine, side):
    points, _ = face_engine.landmarks(images())
    smile = face_engine.blendshapes(points)[:, NAMES.index(f"mouthSmile{side}")]
    assert smile[:3].max() < 0.1
    assert smile[-3:].min() > 0.6


def test_nothing_in_nothing_out(face_engine):
    points, presence = face_engine.landmarks([])
    assert face_engine.detect([]) == []
    assert points.shape == (0, 478, 3)
    assert presence.shape == (0,)
    assert face_engine.blendshapes(points).shape == (0, 52)


def test_both_engines_give_the_same_numbers():
    cpu, reference = made("cpu"), made("mediapipe")
    inputs = [square for square, *_ in squares()]
    for ours, theirs in zip(cpu.detect(inputs), reference.detect(inputs), strict=True):
        np.testing.assert_array_equal(ours.boxes, theirs.boxes)
    points, presence = cpu.landmarks(images())
    np.testing.assert_array_equal(points, reference.landmarks(images())[0])
    np.testing.assert_array_equal(presence, reference.landmarks(images())[1])
    np.testing.assert_array_equal(cpu.blendshapes(points), reference.blendshapes(points))


def test_a_batch_gives_what_each_gives_alone(face_engine):
    points, presence = face_engine.landmarks(images())
    scores = face_engine.blendshapes(points)
    for k, image in enumerate(images()):
        one, sure = face_engine.landmarks([image])
        np.testing.assert_array_equal(one[0], points[k])
        assert sure[0] == presence[k]
        np.testing.assert_array_equal(face_engine.blendshapes(one)[0], scores[k])


def test_all_cores_on_one_face_give_the_same_landmarks(face_engine):
    one, _ = face_engine.landmarks(images())
    all_cores, _ = face_engine.landmarks(images(), alone=True)
    np.testing.assert_array_equal(all_cores, one)


def test_several_threads_at_once_get_what_one_thread_gets(face_engine):
    def everything(order):
        inputs = [squares()[k][0] for k in order]
        boxes = [faces.boxes for faces in face_engine.detect(inputs)]
        points, presence = face_engine.landmarks([images()[k] for k in order])
        back = np.argsort(order)
        scores = face_engine.blendshapes(points)
        return np.concatenate([boxes[k] for k in back]), points[back], presence[back], scores[back]

    expected = everything(list(range(COUNT)))
    rng = np.random.default_rng(1)
    orders = [rng.permutation(COUNT).tolist() for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(everything, orders):
            for one, other in zip(got, expected, strict=True):
                np.testing.assert_array_equal(one, other)


def test_streams_at_once_in_several_threads_get_what_each_gets_alone():
    reference = made("mediapipe")
    tiles = [TILE, (160, 0, 400, 360), (161, 21, 401, 331)]

    def followed(tile):
        stream = reference.stream(tile)
        try:
            return [stream.step(picture) for picture in pictures()]
        finally:
            stream.close()

    alone = [followed(tile) for tile in tiles]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(followed, tiles))
    for steps, others in zip(alone, together, strict=True):
        for (points, presence, scores), (points2, presence2, scores2) in zip(steps, others, strict=True):
            np.testing.assert_array_equal(points, points2)
            np.testing.assert_array_equal(scores, scores2)
            assert presence == presence2
    # one face, whatever the tile
    eyes = np.linalg.norm(alone[0][-1][0][33, :2] - alone[0][-1][0][263, :2])
    for steps in alone[1:]:
        apart = np.linalg.norm(steps[-1][0][:, :2] - alone[0][-1][0][:, :2], axis=1) / eyes
        assert np.median(apart) < 0.015


def test_a_stream_says_when_the_face_is_gone_and_finds_it_again():
    stream = made("mediapipe").stream(TILE)
    seen = pictures()[0]
    empty = type(seen)(
        seen.t + 0.04, np.full_like(seen.y, 90), np.full_like(seen.u, 128), np.full_like(seen.v, 128)
    )
    again = type(seen)(seen.t + 0.08, seen.y, seen.u, seen.v)
    try:
        (_, first, _), (points, lost, scores), (_, found, _) = (stream.step(p) for p in (seen, empty, again))
    finally:
        stream.close()
    assert lost == 0.0
    assert np.isnan(points).all()
    assert np.isnan(scores).all()
    assert first > 0.9 < found


def test_a_stream_takes_pictures_less_than_a_millisecond_apart():
    stream = made("mediapipe").stream(TILE)
    seen = pictures()[0]
    try:
        for k in range(4):
            _, presence, _ = stream.step(type(seen)(-0.5 + k * 0.0002, seen.y, seen.u, seen.v))
            assert presence > 0.9
    finally:
        stream.close()


def test_tracking_with_mediapipe_keeps_mediapipes_landmarks_and_scores():
    reference = made("mediapipe")
    stream = reference.stream(TILE)
    steps = [stream.step(picture) for picture in pictures()]
    stream.close()
    with ThreadPoolExecutor(2) as pool:
        tracker = Tracker(reference, pool)
        assert not tracker.process(list(enumerate(pictures())))
        measured = [future.result() for future in tracker.rest()]
        tracker.close()
    assert len(measured) == 1
    np.testing.assert_array_equal(measured[0].frame, range(COUNT))
    np.testing.assert_array_equal(measured[0].points, [points for points, _, _ in steps])
    np.testing.assert_array_equal(measured[0].blendshapes, [scores for _, _, scores in steps])
    np.testing.assert_array_equal(measured[0].presence, np.float32([presence for _, presence, _ in steps]))


def test_the_cpu_engine_follows_nobody_by_itself():
    assert made("cpu").stream(TILE) is None
    assert (made("cpu").follows, made("mediapipe").follows) == (False, True)


def test_engines_say_what_they_are(face_engine):
    assert face_engine.name in engine.NAMES
    assert any(digit.isdigit() for digit in face_engine.detail)


def test_auto_is_an_engine_that_runs_here():
    assert engine.create("auto", 1).name in engine.NAMES[1:]


def test_an_unknown_engine_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(InputError) as error:
        engine.create("tensorflow")
    assert "tensorflow" in error.value.message
    for name in engine.NAMES:
        assert name in error.value.hint


@pytest.mark.parametrize("name", ["auto", "cpu", "mediapipe"])
def test_missing_models_name_the_command_that_gets_them(name, tmp_path, monkeypatch):
    monkeypatch.delenv("VSA_MODELS", raising=False)
    monkeypatch.setenv("VSA_CACHE", str(tmp_path))
    bundle.load.cache_clear()
    try:
        with pytest.raises(ModelMissingError) as error:
            engine.create(name)
    finally:
        bundle.load.cache_clear()
    assert "vsa models pull" in error.value.hint
    assert bundle.NAME in error.value.message


@pytest.mark.parametrize("release", ["0.10.35", "1.2.0"])
def test_a_mediapipe_that_sends_usage_metrics_is_refused(monkeypatch, release):
    monkeypatch.setattr("vsa.face.mediapipe.version", lambda package: release)
    with pytest.raises(VsaError, match="usage metrics"):
        engine.create("mediapipe")


def test_engines_start_without_a_word_and_other_messages_come_through():
    code = """
import os, threading
from vsa.face import engine
from vsa.face.quiet import hushed
import numpy as np
for name in ("cpu", "mediapipe"):
    made = engine.create(name, 1)
    made.landmarks([np.zeros((256, 256, 3), np.uint8)])
with hushed():
    os.write(2, b"INFO: Created a delegate.\\nthe disk is on fire\\n")
os.write(2, b"done\\n")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == "the disk is on fire\ndone\n"
