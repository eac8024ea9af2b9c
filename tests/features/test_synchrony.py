"""Synchrony against a plain computation, known lags, and what unrelated series give."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import kstest

from vsa.features.chance import against_surrogates, beyond_chance, pseudo
from vsa.features.synchrony import synchrony
from vsa.features.wclc import Layout, lagged_z

RATE_HZ = 5
SHORT = {"window_s": 20.0, "step_s": 10.0, "lag_s": 3.0}


def wandering(rng: np.random.Generator, n: int, keeps: float = 0.8) -> np.ndarray:
    """A first-order autoregressive series."""
    return np.asarray(lfilter([1], [1, -keeps], rng.normal(size=n + 200))[200:])


def plainly(x: np.ndarray, y: np.ndarray, layout: Layout) -> np.ndarray:
    """What rMEA's MEAccf describes, window by window and lag by lag, with `np.corrcoef`."""
    table = []
    for start in range(0, len(x) - layout.window - layout.lag + 1, layout.step):
        a, b = (s[start : start + layout.window + layout.lag] for s in (x, y))
        row = np.full(2 * layout.lag + 1, np.nan)
        if max(np.isnan(a).sum(), np.isnan(b).sum()) <= len(a) / 2:
            for k, lag in enumerate(range(-layout.lag, layout.lag + 1)):
                u = a[max(-lag, 0) : max(-lag, 0) + layout.window]
                v = b[max(lag, 0) : max(lag, 0) + layout.window]
                both = np.isfinite(u) & np.isfinite(v)
                u, v = u[both], v[both]
                if np.sum(u != v) >= 2 and u.std() > 0 and v.std() > 0:
                    row[k] = np.clip(np.arctanh(np.corrcoef(u, v)[0, 1]), -10, 10)
        table.append(row)
    return np.array(table)


@pytest.mark.parametrize("missing", ["nothing", "scattered", "stretches", "one of the two"])
def test_equals_a_plain_computation_of_what_rmea_does(missing: str) -> None:
    rng = np.random.default_rng(3)
    x, y = wandering(rng, 1500) + 100, 1e-3 * wandering(rng, 1500)
    if missing == "scattered":
        for series in (x, y):
            series[rng.random(1500) < 0.3] = np.nan
    elif missing == "stretches":
        x[200:290], y[600:640], y[1000:1200] = np.nan, np.nan, np.nan
    elif missing == "one of the two":
        x[400:430] = np.nan
    layout = Layout(100, 50, 15)
    truth = plainly(x, y, layout)
    z, _ = lagged_z(x, y, layout)
    np.testing.assert_allclose(z, truth, atol=1e-9)
    found = synchrony(x, y, RATE_HZ, window_s=20, step_s=10, lag_s=3)
    assert found.mean_abs_z == pytest.approx(np.nanmean(np.abs(truth)), abs=1e-12)
    np.testing.assert_allclose(found.profile, np.nanmean(truth, axis=0), atol=1e-9)
    assert found.windows == len(truth)
    assert found.windows_used == np.isfinite(truth).any(1).sum()


def test_series_that_are_equal_are_left_out_of_the_mean_as_in_rmea_and_make_the_peak() -> None:
    x = wandering(np.random.default_rng(0), 1000)
    truth = plainly(x, x, Layout(100, 50, 15))
    found = synchrony(x, x, RATE_HZ, **SHORT)
    assert np.isnan(truth[:, 15]).all()
    assert found.mean_abs_z == pytest.approx(np.nanmean(np.abs(truth)))
    assert (found.peak_z, found.peak_lag_s, found.leader) == (10.0, 0.0, "neither")


def test_small_movement_beside_a_large_one_is_still_seen() -> None:
    rng = np.random.default_rng(5)
    x, y = wandering(rng, 1000), wandering(rng, 1000)
    x[100:110] += 1e4
    y[300:310] -= 1e4
    layout = Layout(100, 50, 15)
    np.testing.assert_allclose(lagged_z(x, y, layout)[0], plainly(x, y, layout), atol=1e-6)


@pytest.mark.parametrize("lag_s", [-3.2, -0.48, 0.0, 0.6, 4.0])
@pytest.mark.parametrize("rate_hz", [12.5, 25])
def test_a_delayed_copy_with_noise_gives_lag_and_leader(lag_s: float, rate_hz: float) -> None:
    rng = np.random.default_rng(11)
    n, delay = round(600 * rate_hz), round(lag_s * rate_hz)
    course = wandering(rng, n + 400, 0.95)
    first = course[200 : 200 + n]
    second = course[200 - delay : 200 - delay + n] + 2 * course.std() * wandering(rng, n, 0.3)
    test = against_surrogates(first, second, rate_hz, surrogates=39, seed=1)
    assert test.observed.peak_lag_s == pytest.approx(delay / rate_hz, abs=0.1)
    assert test.leader == ("neither" if lag_s == 0 else "first" if lag_s > 0 else "second")
    assert test.p == test.peak_p == 1 / 40
    if lag_s:
        assert np.sign(test.observed.lead_index) == np.sign(lag_s)


def test_one_who_moves_less_when_the_other_moves_more_has_a_negative_peak() -> None:
    rng = np.random.default_rng(2)
    x = wandering(rng, 1500)
    found = synchrony(x[10:], 3 - x[:-10] + 0.3 * rng.normal(size=1490), RATE_HZ, **SHORT)
    assert found.peak_z < -0.5
    assert (found.peak_lag_s, found.leader) == (2.0, "first")


WINDOWS = {"window_s": 30, "step_s": 15, "lag_s": 5}


@pytest.mark.slow
def test_p_of_unrelated_series_is_uniform() -> None:
    rng = np.random.default_rng(8)
    n = 29
    found = []
    for seed in range(160):
        x, y = wandering(rng, 600), wandering(rng, 600)
        test = against_surrogates(x, y, 1, surrogates=n, seed=seed, window_s=30, step_s=15, lag_s=5)
        found.append((test.p, test.peak_p))
    for p in np.transpose(found):
        # p stands on steps of 1 / (n + 1): spread each over its step
        assert kstest(p - rng.random(len(p)) / (n + 1), "uniform").pvalue > 0.01
        assert np.mean(p <= 0.1) < 0.16


def test_windows_of_unrelated_series_lie_about_those_of_their_surrogates() -> None:
    rng = np.random.default_rng(21)
    found = np.concatenate(
        [
            against_surrogates(
                wandering(rng, 900), wandering(rng, 900), 1, surrogates=39, seed=k, **WINDOWS
            ).window_z
            for k in range(12)
        ]
    )
    assert abs(found.mean()) < 0.15
    assert 0.85 < found.std() < 1.2
    assert np.mean(found > 1.64) < 0.09


def test_mean_abs_z_of_unrelated_series_is_far_from_0() -> None:
    rng = np.random.default_rng(0)
    n = 5 * 1800
    found = synchrony(wandering(rng, n, 0.93), wandering(rng, n, 0.93), 5, window_s=30, step_s=15, lag_s=5)
    assert 0.2 < found.mean_abs_z < 0.3


def test_power_grows_with_coupling() -> None:
    rng = np.random.default_rng(4)
    z = []
    for coupling in (0.0, 0.3, 0.6, 1.2):
        of_pairs = []
        for seed in range(8):
            x = wandering(rng, 900)
            y = wandering(rng, 900) + coupling * np.roll(x, 2)
            of_pairs.append(
                against_surrogates(x, y, 1, surrogates=19, seed=seed, window_s=30, step_s=15, lag_s=5).z
            )
        z.append(np.mean(of_pairs))
    assert abs(z[0]) < 1.2
    assert np.all(np.diff(z) > 0.5)
    assert z[-1] > 5


@pytest.mark.parametrize(
    ("seconds", "spoil", "says"),
    [
        (20, "", "20 s are too short: a window with its lag takes 23 s"),
        (0, "", "too short"),
        (300, "constant", "the second series does not vary"),
        (300, "missing", "the second series is missing throughout"),
        (300, "mostly", "in no window are both series there"),
        (300, "in turn", "in no window are both series there"),
    ],
)
def test_what_cannot_be_said_is_nan_with_a_reason(seconds: int, spoil: str, says: str) -> None:
    rng = np.random.default_rng(0)
    n = seconds * RATE_HZ
    x, y = wandering(rng, n), wandering(rng, n)
    if spoil == "constant":
        y[:] = 0.1
    elif spoil == "missing":
        y[:] = np.nan
    elif spoil == "mostly":
        y[np.arange(n) % 3 > 0] = np.nan
    elif spoil == "in turn":
        x[::2], y[1::2] = np.nan, np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        test = against_surrogates(x, y, RATE_HZ, surrogates=5, **SHORT)
    found = test.observed
    assert np.isnan([found.mean_abs_z, found.peak_z, found.peak_lag_s, test.z, test.p, test.peak_p]).all()
    assert says in found.reason
    assert test.reason == found.reason
    assert (test.leader, found.windows_used, len(test.mean_abs_z)) == ("", 0, 0)


def test_a_session_too_short_for_surrogates_has_synchrony_and_says_why_no_test() -> None:
    rng = np.random.default_rng(0)
    x, y = wandering(rng, 60 * RATE_HZ), wandering(rng, 60 * RATE_HZ)
    test = against_surrogates(x, y, RATE_HZ, **SHORT)
    assert np.isfinite(test.observed.mean_abs_z)
    assert np.isnan(test.p)
    assert "that takes 115 s" in test.reason


@settings(max_examples=20)
@given(
    scale=st.sampled_from([1e-6, -3.0, 1e6]),
    offset=st.sampled_from([-1e3, 0.0, 1e5]),
    seed=st.integers(0, 2**32 - 1),
    gaps=st.booleans(),
)
def test_scale_and_offset_do_not_matter_and_swapping_mirrors(
    scale: float, offset: float, seed: int, gaps: bool
) -> None:
    rng = np.random.default_rng(seed)
    x, y = wandering(rng, 400), wandering(rng, 400)
    if gaps:
        x[rng.random(400) < 0.2] = np.nan
    found = synchrony(x, y, RATE_HZ, **SHORT)
    other = synchrony(x * scale + offset * abs(scale), y, RATE_HZ, **SHORT)
    assert other.mean_abs_z == pytest.approx(found.mean_abs_z, rel=1e-6)
    np.testing.assert_allclose(other.z, np.sign(scale) * found.z, atol=1e-6)
    swapped = synchrony(y, x, RATE_HZ, **SHORT)
    np.testing.assert_allclose(swapped.z, found.z[:, ::-1], atol=1e-9)
    assert swapped.lead_index == pytest.approx(-found.lead_index, abs=1e-9)
    if found.peak_lag_s:
        assert swapped.peak_lag_s == -found.peak_lag_s


def test_the_same_seed_gives_the_same_test_and_another_one_other_surrogates() -> None:
    rng = np.random.default_rng(0)
    x, y = wandering(rng, 1000), wandering(rng, 1000)
    one, again, other = (
        against_surrogates(x, y, RATE_HZ, surrogates=9, seed=seed, **SHORT) for seed in (1, 1, 2)
    )
    assert (one.mean_abs_z == again.mean_abs_z).all()
    assert (one.mean_abs_z != other.mean_abs_z).any()
    assert (one.seed, other.seed) == (1, 2)


def test_surrogates_pair_no_window_with_its_own_time() -> None:
    """A copy is found only where it belongs: no surrogate of it comes near."""
    rng = np.random.default_rng(0)
    x = wandering(rng, 1000)
    test = against_surrogates(x, x + 0.1 * rng.normal(size=1000), RATE_HZ, surrogates=50, **SHORT)
    assert test.observed.peak_z > 1.5
    assert test.peak_abs_z.max() < 0.6


def test_pseudo_pairs_of_people_who_never_met() -> None:
    rng = np.random.default_rng(6)
    course = wandering(rng, 1500)
    first, second = course + 0.5 * rng.normal(size=1500), course + 0.5 * rng.normal(size=1500)
    others = [wandering(rng, n) for n in (1500, 1200, 2000, 1500, 1500, 900)] + [np.full(1500, np.nan)]
    mean_abs_z, peak_abs_z = pseudo(first, others, RATE_HZ, **SHORT)
    assert np.isfinite(mean_abs_z).tolist() == [True] * 6 + [False]
    assert mean_abs_z[1] == synchrony(first[:1200], others[1], RATE_HZ, **SHORT).mean_abs_z
    found = synchrony(first, second, RATE_HZ, **SHORT)
    z, p = beyond_chance(abs(found.peak_z), peak_abs_z)
    assert z > 3
    assert p == 1 / 7


def test_beyond_chance() -> None:
    z, p = beyond_chance(5.0, np.array([1.0, 2.0, 3.0, np.nan]))
    assert (z, p) == (pytest.approx(3.0), 0.25)
    assert beyond_chance(2.0, np.array([1.0, 2.0, 3.0]))[1] == 0.75
    assert np.isnan(beyond_chance(1.0, np.array([1.0]))).all()
    assert np.isnan(beyond_chance(np.nan, np.arange(9.0))).all()
    z, p = beyond_chance(1.0, np.ones(4))
    assert np.isnan(z)
    assert p == 1


def test_wrong_calls_are_defects() -> None:
    x = np.zeros(100)
    with pytest.raises(ValueError, match="one length"):
        synchrony(x, x[:-1], RATE_HZ)
    with pytest.raises(ValueError, match="a window takes"):
        synchrony(x, x, RATE_HZ, window_s=0.1)
