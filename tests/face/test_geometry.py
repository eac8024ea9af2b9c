"""Head pose against known truth: the canonical face, turned and moved, seen by the camera that the fit assumes."""

import numpy as np
import pytest

from vsa import assets
from vsa.errors import ModelMissingError
from vsa.face import bundle, geometry

TILE = (310, 40, 640, 360)
NOSE, FOREHEAD, CHIN, RIGHT_EYE, LEFT_EYE = 1, 10, 152, 33, 263


@pytest.fixture(scope="module")
def face():
    try:
        assets.find(bundle.NAME)
    except ModelMissingError as error:
        pytest.skip(str(error))
    return bundle.load().face


def turned(yaw=0.0, pitch=0.0, roll=0.0):
    """Rotation of a head that is rolled, then pitched, then turned; built from what each word means."""
    y, p, r = np.radians([yaw, pitch, roll])
    # x to the picture's right (the subject's left), y up, z from the screen to the camera
    to_left = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    up = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    to_right_shoulder = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return to_left @ up @ to_right_shoulder


def seen(face, rotation, at_cm, tile=TILE):
    """Landmarks (1, 478, 3) in px of a face at (x, y, distance) in front of a camera of 63 degrees."""
    x, y, distance = at_cm
    world = face.points @ rotation.T + [x, y, -distance]
    depth = -world[:, 2]
    px_per_cm_at_1cm = tile[3] / 2 / np.tan(np.radians(63 / 2))
    across = tile[0] + tile[2] / 2 + px_per_cm_at_1cm * world[:, 0] / depth
    down = tile[1] + tile[3] / 2 - px_per_cm_at_1cm * world[:, 1] / depth
    # the network's depth: relative to the face, in the unit of x and y, negative toward the camera
    deep = (depth / depth.mean() - 1) * px_per_cm_at_1cm
    points = np.stack([across, down, deep], 1)
    return np.concatenate([points, points[:10]])[None].astype(np.float32)


def fitted(face, rotation, at_cm=(0.0, 0.0, 50.0), tile=TILE):
    return geometry.pose(seen(face, rotation, at_cm, tile), tile, face)


def test_the_canonical_face_has_its_left_on_the_right_of_the_picture_and_its_front_to_the_viewer(face):
    assert face.points[LEFT_EYE, 0] > 0 > face.points[RIGHT_EYE, 0]
    assert face.points[FOREHEAD, 1] > face.points[CHIN, 1]
    assert face.points[NOSE, 2] > face.points[[LEFT_EYE, RIGHT_EYE], 2].max()


def test_a_face_that_looks_straight_ahead_has_no_angles(face):
    heads = fitted(face, np.eye(3))
    np.testing.assert_allclose(heads.angles_deg(), 0, atol=1e-3)
    np.testing.assert_allclose(heads.rotation[0], np.eye(3), atol=1e-5)


@pytest.mark.parametrize("degrees", [-35.0, -10.0, 10.0, 35.0])
def test_yaw_is_positive_to_the_subjects_left(face, degrees):
    rotation = turned(yaw=degrees)
    points = seen(face, rotation, (0, 0, 50))[0]
    to_the_pictures_right = points[NOSE, 0] - points[[LEFT_EYE, RIGHT_EYE], 0].mean()
    assert np.sign(to_the_pictures_right) == np.sign(degrees)
    np.testing.assert_allclose(fitted(face, rotation).angles_deg(), [[degrees, 0, 0]], atol=1e-2)


@pytest.mark.parametrize("degrees", [-30.0, -10.0, 10.0, 30.0])
def test_pitch_is_positive_up(face, degrees):
    rotation = turned(pitch=degrees)
    nose_up = -(seen(face, rotation, (0, 0, 50))[0, NOSE, 1] - seen(face, np.eye(3), (0, 0, 50))[0, NOSE, 1])
    assert np.sign(nose_up) == np.sign(degrees)
    np.testing.assert_allclose(fitted(face, rotation).angles_deg(), [[0, degrees, 0]], atol=1e-2)


@pytest.mark.parametrize("degrees", [-40.0, -10.0, 10.0, 40.0])
def test_roll_is_positive_to_the_subjects_right_shoulder(face, degrees):
    rotation = turned(roll=degrees)
    points = seen(face, rotation, (0, 0, 50))[0]
    # the subject's right is the picture's left
    top_to_the_subjects_right = points[CHIN, 0] - points[FOREHEAD, 0]
    assert np.sign(top_to_the_subjects_right) == np.sign(degrees)
    np.testing.assert_allclose(fitted(face, rotation).angles_deg(), [[0, 0, degrees]], atol=1e-2)


@pytest.mark.parametrize("angles", [(20, 10, -15), (-30, -15, 10), (25, -20, 25)])
def test_angles_together_are_recovered(face, angles):
    heads = fitted(face, turned(*angles), (4.0, -3.0, 60.0))
    np.testing.assert_allclose(heads.angles_deg(), [angles], atol=1e-2)
    np.testing.assert_allclose(heads.rotation[0], turned(*angles), atol=1e-4)


@pytest.mark.parametrize("distance", [25.0, 50.0, 120.0])
def test_distance_is_in_centimetres(face, distance):
    position = fitted(face, np.eye(3), (0, 0, distance)).position_cm[0]
    np.testing.assert_allclose(position, [0, 0, distance], atol=2e-3 * distance)


@pytest.mark.parametrize(
    ("at_cm"), [(7.0, 0.0, 50.0), (-7.0, 0.0, 50.0), (0.0, 5.0, 50.0), (0.0, -5.0, 50.0)]
)
def test_position_is_positive_to_the_pictures_right_and_up(face, at_cm):
    points = seen(face, np.eye(3), at_cm)[0]
    centre = (
        points[[LEFT_EYE, RIGHT_EYE, CHIN, FOREHEAD], :2].mean(0)
        - np.array(TILE[:2])
        - np.array(TILE[2:]) / 2
    )
    if at_cm[0]:
        assert np.sign(centre[0]) == np.sign(at_cm[0])
    else:
        assert np.sign(-centre[1]) == np.sign(at_cm[1])
    np.testing.assert_allclose(fitted(face, np.eye(3), at_cm).position_cm[0], at_cm, atol=0.02)


def test_the_pose_does_not_depend_on_where_and_how_large_the_tile_is(face):
    rotation, at_cm = turned(20, 10, -10), (2.0, 1.0, 45.0)
    tiles = [(0, 0, 640, 360), (641, 13, 320, 240), (100, 200, 1280, 720), (5, 5, 300, 500)]
    heads = [fitted(face, rotation, at_cm, tile) for tile in tiles]
    for other in heads[1:]:
        np.testing.assert_allclose(other.angles_deg(), heads[0].angles_deg(), atol=1e-2)
        np.testing.assert_allclose(other.position_cm, heads[0].position_cm, atol=0.01)


def test_many_faces_at_once_give_what_each_gives_alone(face):
    views = [(turned(-20, 5, 0), (0, 0, 40)), (turned(10, -5, 8), (5, 2, 80)), (turned(), (-3, 0, 60))]
    points = np.concatenate([seen(face, *view) for view in views])
    together = geometry.pose(points, TILE, face)
    for k, view in enumerate(views):
        alone = fitted(face, *view)
        np.testing.assert_allclose(together.rotation[k], alone.rotation[0], atol=1e-9)
        np.testing.assert_allclose(together.position_cm[k], alone.position_cm[0], atol=1e-9)
