"""A signal on an even grid: means where there are frames, lines over short holes, nothing elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from vsa.features.even import evenly


def test_bins_hold_the_mean_of_their_frames() -> None:
    t = np.arange(300) / 30 + 7
    even = evenly(t, 2 * t, np.ones(300, bool), 5, start_s=7, end_s=17)
    assert len(even) == 50
    np.testing.assert_allclose(even, 2 * (7 + np.arange(50) / 5 + 2.5 / 30))


def test_a_slow_camera_has_a_value_in_every_bin() -> None:
    t = np.arange(0, 10, 1 / 10)
    even = evenly(t, t, np.ones(len(t), bool), 25, start_s=0, end_s=9.9)
    assert np.isfinite(even[:-3]).all()
    assert np.abs(even - np.arange(len(even)) / 25)[:-3].max() < 0.05


@pytest.mark.parametrize(("hole_s", "bridged"), [(0.28, True), (0.4, False)])
def test_only_short_holes_are_bridged(hole_s: float, bridged: bool) -> None:
    t = np.arange(0, 4, 1 / 25)
    seen = (t < 2 - 1e-9) | (t >= 2 + hole_s - 1e-9)
    even = evenly(t, 3 * t, seen, 25, start_s=0, end_s=4)
    if bridged:
        np.testing.assert_allclose(even, 3 * t)
    else:
        assert np.isnan(even).sum() == round(hole_s * 25)
        np.testing.assert_allclose(even[seen], 3 * t[seen])


def test_half_the_frame_rate_gives_the_same_course() -> None:
    t = np.arange(0, 60, 1 / 30)
    values = np.sin(t)
    whole, half = (
        evenly(t[::k], values[::k], np.ones(len(t[::k]), bool), 10, start_s=0, end_s=60) for k in (1, 2)
    )
    assert np.nanmax(np.abs(whole - half)) < 0.04


def test_what_was_not_seen_is_missing() -> None:
    t = np.arange(0, 2, 1 / 25)
    values = np.where(t < 1, t, np.nan)
    even = evenly(t, values, t > 0.5, 25, start_s=-1, end_s=3)
    assert len(even) == 100
    assert np.flatnonzero(np.isfinite(even)).tolist() == list(range(38, 50))
    assert len(evenly(t, values, t > 0.5, 25, start_s=1, end_s=1)) == 0
    assert np.isnan(evenly(t[:0], values[:0], t[:0] > 0, 25, start_s=0, end_s=1)).all()
