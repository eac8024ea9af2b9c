"""The cpu engine against MediaPipe's FaceLandmarker, see `parity`. Run with ``-s`` to see the figures."""

from __future__ import annotations

import numpy as np
import parity
import pytest
from numpy.typing import NDArray
from parity import CLIPS, Clip, Differences, mediapipe_video

from vsa.face import bundle, geometry

pytestmark = pytest.mark.slow


@pytest.fixture(params=CLIPS)
def clip(request: pytest.FixtureRequest) -> Clip:
    print(f"\n{request.param}:", end=" ")
    return CLIPS[request.param]


@pytest.fixture
def differences(clip: Clip) -> Differences:
    return parity.differences(clip)


def _figures(values: NDArray[np.float64], unit: str) -> str:
    values = values[~np.isnan(values)]
    return (
        f"median {np.median(values):.3f}, p95 {np.percentile(values, 95):.3f}, max {values.max():.3f} {unit}"
    )


def test_every_face_that_mediapipe_sees_is_tracked(differences: Differences) -> None:
    tracked = ~np.isnan(differences.landmarks_pct[:, 0])
    print(f"{tracked.sum()} of {len(tracked)} pictures")
    assert len(tracked) >= 60
    assert tracked.mean() >= 0.99


def test_landmarks_lie_where_mediapipe_puts_them(differences: Differences) -> None:
    print(_figures(differences.landmarks_pct, "% of the outer-eye distance"))
    assert np.nanmedian(differences.landmarks_pct) < 0.7
    assert np.nanpercentile(differences.landmarks_pct, 95) < 2.0


def test_expressions_score_as_mediapipes_do(differences: Differences) -> None:
    print("largest of 52:", _figures(differences.blendshape, ""))
    assert np.nanmedian(differences.blendshape) < 0.06


def test_head_pose_is_mediapipes(differences: Differences) -> None:
    for name, values in zip(("yaw", "pitch", "roll"), differences.angles_deg.T, strict=True):
        print(f"{name}:", _figures(values, "deg"))
    assert (np.nanmedian(differences.angles_deg, axis=0) < 1.0).all()


def test_head_position_is_mediapipes(differences: Differences) -> None:
    for name, values in zip("xyz", differences.position_cm.T, strict=True):
        print(f"{name}:", _figures(values, "cm"))
    assert (np.nanmedian(differences.position_cm, axis=0) < 0.5).all()


def test_the_pose_of_mediapipes_own_landmarks_is_mediapipes_matrix(clip: Clip) -> None:
    theirs = mediapipe_video(clip)
    seen = ~np.isnan(theirs.points[:, 0, 0])
    heads = geometry.pose(theirs.points[seen].astype(np.float32), clip.tile, bundle.load().face)
    np.testing.assert_allclose(heads.angles_deg(), theirs.angles_deg[seen], atol=0.01)
    np.testing.assert_allclose(heads.position_cm, theirs.position_cm[seen], atol=0.01)
