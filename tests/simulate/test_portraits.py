"""Portraits that do as told: what is drawn is where the geometry says, and the face core sees the same."""

import cv2
import numpy as np
import pytest
from portrait_faces import picture_of, portrait, settled

from vsa.face import bundle, geometry
from vsa.simulate.eyes import IRIS_DIAMETER_MM, LIMBUS_DEPTH_MM, draw_eye
from vsa.simulate.portraits import CANVAS, NAMES, Portrait, PortraitState, gaze_grid, lid_grid

NOSE, CHIN, FOREHEAD = 1, 152, 10


def iris_at(eye, state):
    """Middle of the dark part of a drawn eye, px of its patch."""
    luma = draw_eye(eye, state.eye_direction, state.lid_open).mean(axis=2)
    y, x = np.mgrid[: luma.shape[0], : luma.shape[1]]
    inside = (y > eye.upper + 3) & (y < eye.lower - 1)
    iris = 0.5 * (eye.profile.mean() + np.nanmedian(eye.white.mean(axis=2)[inside]))
    dark = inside & (luma < iris)
    return np.array([x[dark].mean(), y[dark].mean()])


@pytest.mark.parametrize("name", NAMES)
def test_the_photo_is_as_it_was_but_for_the_eyes(name):
    person = portrait(name)
    drawn = person.render(PortraitState())
    changed = (drawn != person.still).any(axis=2)
    for eye in person.eyes:
        h, w = eye.skin.shape[:2]
        changed[eye.y0 : eye.y0 + h, eye.x0 : eye.x0 + w] = False
    assert not changed.any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("yaw", [-15.0, 15.0])
def test_the_iris_moves_by_the_sine_of_the_angle(name, yaw):
    for eye in portrait(name).eyes:
        moved = iris_at(eye, PortraitState(gaze_yaw_deg=yaw)) - iris_at(eye, PortraitState())
        expected = LIMBUS_DEPTH_MM * np.sin(np.radians(yaw)) * eye.px_per_mm
        assert moved[0] == pytest.approx(expected, rel=0.2)
        assert abs(moved[1]) < 0.2 * abs(expected)


@pytest.mark.parametrize("name", NAMES)
def test_irises_have_human_proportions(name):
    person = portrait(name)
    right, left = (np.array([e.x0 + e.centre[0], e.y0 + e.centre[1]]) for e in person.eyes)
    between_pupils_mm = np.linalg.norm(left - right) / np.mean([e.px_per_mm for e in person.eyes])
    assert 54 < between_pupils_mm < 74  # adults, Dodgson 2004: 52 to 78
    assert np.mean([2 * e.radius / e.px_per_mm for e in person.eyes]) == pytest.approx(IRIS_DIAMETER_MM)


def test_the_eyes_turn_back_as_much_as_the_head_turns():
    state = PortraitState(head_yaw_deg=10, head_pitch_deg=-5, head_roll_deg=4)
    np.testing.assert_allclose(state.rotation @ state.eye_direction, [0, 0, 1], atol=1e-12)
    assert PortraitState(head_yaw_deg=10).eye_in_head_deg == pytest.approx((-10, 0))
    assert PortraitState(head_yaw_deg=10, gaze_yaw_deg=10).eye_in_head_deg == pytest.approx((0, 0))


def test_lids_go_down_with_a_look_down():
    eye = portrait("astronaut").eyes[0]
    ahead, down = (
        draw_eye(eye, PortraitState(gaze_pitch_deg=p).eye_direction, 1.0).mean(axis=2) for p in (0, -20)
    )
    middle = len(eye.upper) // 2
    above_the_iris = slice(int(eye.upper[middle]) + 2, int(eye.upper[middle]) + 7)
    # where the white or the iris was there is lid now
    assert np.abs(down - ahead)[above_the_iris, middle - 3 : middle + 4].mean() > 20


@pytest.mark.parametrize("name", NAMES)
def test_closed_lids_hide_the_iris(name):
    shut = {}
    for state, rgb in lid_grid(portrait(name), (1.0, 0.0)):
        parts = []
        for eye in portrait(name).eyes:
            x, y = round(eye.x0 + eye.centre[0]), round(eye.y0 + eye.centre[1])
            parts.append(rgb[y - 3 : y + 4, x - 3 : x + 4].mean())
        shut[state.lid_open] = np.mean(parts)
    assert shut[0.0] > 1.5 * shut[1.0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("turn", "axis"), [("head_yaw_deg", 0), ("head_pitch_deg", 1), ("head_roll_deg", 2)])
def test_the_face_core_sees_the_head_turn_the_same_way(name, turn, axis):
    def angle(degrees):
        points = settled(picture_of(portrait(name).render(PortraitState(**{turn: degrees}))))
        return geometry.pose(points[None], (0, 0, *CANVAS), bundle.load().face).angles_deg()[0, axis]

    seen = (angle(8) - angle(-8)) / 16
    print(f"\n{name}: degrees measured per degree of {turn}: {seen:.2f}")
    assert 0.6 < seen < 1.3


def test_the_mesh_goes_where_the_picture_goes():
    person = portrait("astronaut")
    state = PortraitState(head_yaw_deg=8, head_pitch_deg=4, shift_x_px=10, shift_y_px=-6)
    expected = person.mesh(state) - person.mesh(PortraitState())
    seen = (settled(picture_of(person.render(state))) - settled(picture_of(person.still)))[:468, :2]
    inner = [NOSE, 4, 5, 61, 291, 33, 263, 133, 362]
    assert expected[NOSE, 0] > 10
    np.testing.assert_allclose(seen[inner], expected[inner], atol=5)


def test_a_smile_raises_the_corners_of_the_mouth():
    person = portrait("grace_hopper")
    rest, smile = (settled(picture_of(person.render(PortraitState(smile=s)))) for s in (0, 1))
    assert (
        smile[[61, 291], 1] - smile[[0, 17], 1].mean() < rest[[61, 291], 1] - rest[[0, 17], 1].mean()
    ).all()
    assert smile[291, 0] - smile[61, 0] > 1.08 * (rest[291, 0] - rest[61, 0])


def test_a_smaller_picture_is_the_same_picture():
    person, state = portrait("astronaut"), PortraitState(head_yaw_deg=5, gaze_yaw_deg=8, scale=1.02)
    small = person.render(state, (360, 288))
    shrunk = cv2.resize(person.render(state), (360, 288), interpolation=cv2.INTER_AREA)
    assert small.shape == (288, 360, 3)
    assert np.abs(small.astype(float) - shrunk).mean() < 4


@pytest.mark.parametrize("state", [{"scale": 0.8}, {"head_roll_deg": 25}, {"shift_y_px": 50}], ids=str)
def test_what_would_tear_the_still_is_refused(state):
    with pytest.raises(ValueError, match="further than a still can be bent"):
        portrait("astronaut").render(PortraitState(**state))


def test_an_unknown_portrait_is_refused():
    with pytest.raises(ValueError, match="astronaut, grace_hopper"):
        Portrait.load("mona_lisa", lambda rgb: np.zeros((478, 3)))


def test_grids_cover_what_was_asked_for():
    states = [state for state, _ in gaze_grid(portrait("astronaut"), (-5, 5), (-3, 0, 3))]
    assert {(s.gaze_yaw_deg, s.gaze_pitch_deg) for s in states} == {
        (y, p) for y in (-5, 5) for p in (-3, 0, 3)
    }
