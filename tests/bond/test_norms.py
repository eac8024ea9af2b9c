"""Where sessions stand in their cohort, and what chance would do: held against other ways to compute the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, percentileofscore

from vsa.bond.rules.norms import LEAST_SESSIONS, call_places, expected_by_chance, standing, standing_within


def test_a_session_weighs_one_over_the_number_of_its_clients_sessions_with_a_value():
    rng = np.random.default_rng(3)
    values = rng.integers(0, 12, 80).astype(float)
    values[rng.random(80) < 0.15] = np.nan
    clients = rng.choice(list("abcdefgh"), 80, p=[0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    found = standing(values, clients)
    known = {
        c: [v for v, own in zip(values, clients, strict=True) if own == c and v == v] for c in set(clients)
    }
    known = {c: some for c, some in known.items() if some}
    for k, value in enumerate(values):
        if np.isnan(value):
            assert np.isnan(found.below[k])
            continue
        below = np.mean([np.mean([v < value for v in some]) for some in known.values()])
        above = np.mean([np.mean([v > value for v in some]) for some in known.values()])
        assert found.below[k] == pytest.approx(below)
        assert found.above[k] == pytest.approx(above)


def test_with_a_client_for_each_session_percentiles_are_the_usual_ones():
    values = np.random.default_rng(4).integers(0, 30, 70).astype(float)
    found = standing(values, np.arange(70))
    for k, value in enumerate(values):
        assert 100 * found.position[k] == pytest.approx(percentileofscore(values, value, kind="mean"))
        assert 100 * found.below[k] == pytest.approx(percentileofscore(values, value, kind="strict"))


def test_the_chance_of_so_many_is_the_binomial_one_where_all_is_known():
    rng = np.random.default_rng(1)
    weak = np.stack([rng.permutation(200) < 20 for _ in range(11)], axis=1)
    known, codes = np.ones_like(weak), np.zeros(weak.shape, int)
    for least in (1, 2, 4, 11):
        assert expected_by_chance(weak, known, codes, least) == pytest.approx(
            200 * binom.sf(least - 1, 11, 0.1)
        )
    assert expected_by_chance(weak, known, codes, 12) == 0


def test_with_gaps_platforms_and_different_rates_chance_is_what_shuffling_each_signal_gives():
    rng = np.random.default_rng(2)
    known = rng.random((150, 6)) < 0.8
    codes = np.stack([np.zeros(150, int), *[rng.integers(0, 2, 150) for _ in range(5)]], axis=1)
    weak = known & (rng.random((150, 6)) < np.where(codes == 1, 0.4, 0.1))
    counts = []
    for _ in range(1500):
        shuffled = weak.copy()
        for k in range(6):
            for code in (0, 1):
                rows = np.flatnonzero(known[:, k] & (codes[:, k] == code))
                shuffled[rows, k] = weak[rng.permutation(rows), k]
        counts.append((shuffled.sum(axis=1) >= 2).sum())
    error = np.std(counts) / np.sqrt(len(counts))
    assert expected_by_chance(weak, known, codes, 2) == pytest.approx(np.mean(counts), abs=4 * error)


def test_places_do_not_touch_each_other_and_small_or_untold_ones_have_no_standing():
    rng = np.random.default_rng(5)
    values, clients = rng.standard_normal(90), rng.integers(0, 12, 90)
    places = np.array(["a"] * 40 + ["b"] * LEAST_SESSIONS + ["c"] * (LEAST_SESSIONS - 1) + [""] * 11)
    found = standing_within(values, clients, places)
    alone = standing(values[:40], clients[:40])
    np.testing.assert_array_equal(found.position[:40], alone.position)
    assert np.isfinite(found.position).tolist() == [True] * 60 + [False] * 30
    values[0] = np.nan
    assert np.isnan(standing_within(values[:20], clients[:20], places[:20]).position).all()


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        ({"platform": ["Zoom", " Teams ", None]}, ["Zoom", "Teams", ""]),
        (
            {"platform": ["Zoom", None, None], "modality": ["online", "in_person", "online"]},
            ["Zoom", "in person", ""],
        ),
        ({"modality": ["online", "in_person", None]}, ["call", "in person", "call"]),
        ({"platform": [None, "", np.nan]}, ["call", "call", "call"]),
        ({}, ["call", "call", "call"]),
    ],
)
def test_calls_are_told_apart_by_platform_and_from_rooms_by_modality(columns, places):
    assert call_places(pd.DataFrame({"session_id": ["1", "2", "3"], **columns})).tolist() == places
