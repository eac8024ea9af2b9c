"""Behaviour by the same groups: what is planted stands out, and what the medium alone does is not taken for people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparing import people
from scipy import stats

from vsa.bond.comparison.compare import compare
from vsa.bond.comparison.features import MEDIA, NOT_COMPARED, core_features
from vsa.errors import InputError
from vsa.features.core import is_core
from vsa.simulate.cohort import CohortDesign, draw

pytestmark = pytest.mark.slow

WAIT, SMILE = "client.turns.latency_median_s", "client.face.smile_share"


def behaving(seed=0, delay=0.35, **design):
    """Clients with one wait and one other feature; platform B is slower."""
    table = people(seed, **{"in_person_share": 0.0, "clients": 200, **design})
    rng = np.random.default_rng([seed, 7])
    slow = table["platform"] == "platform B"
    table[WAIT] = 0.6 + delay * slow + rng.normal(0, 0.3, len(table))
    table[SMILE] = rng.uniform(0, 0.3, len(table))
    return table


def behaviour(found, feature, factor):
    return next(one for one in found.behaviours if (one.feature, one.factor) == (feature, factor))


@pytest.fixture(scope="module")
def drawn():
    return draw(CohortDesign(80, (3, 3), in_person_share=0.4), 4).table


def test_the_core_set_is_looked_at_and_nothing_else(drawn):
    names = core_features(drawn)
    assert len(names) > 15
    assert all(is_core(name) for name in names)
    found = compare(drawn, ["modality", "attachment"])
    assert {one.feature for one in found.behaviours} == set(names)
    assert len(found.behaviours) == 2 * len(names)
    assert found.tested == 2


def test_q_is_that_of_benjamini_and_hochberg_over_all_of_them(drawn):
    found = compare(drawn, ["modality", "attachment", "diagnosis"])
    tested = [one for one in found.behaviours if one.test.tested]
    q = stats.false_discovery_control([one.test.p for one in tested])
    assert [one.q for one in tested] == pytest.approx(q)
    assert all(np.isnan(one.q) for one in found.behaviours if not one.test.tested)


def test_waits_are_not_compared_between_a_room_and_a_call(drawn):
    found = compare(drawn, ["modality", "attachment"])
    delayed = [one for one in found.behaviours if one.factor == "modality" and one.centred]
    assert {one.feature.partition(".")[2] for one in delayed} == {
        "turns.latency_median_s",
        "turns.silence_share",
        "turns.overlap_share",
    }
    assert all(one.test.reason == NOT_COMPARED for one in delayed)
    assert behaviour(found, WAIT, "attachment").test.tested
    assert behaviour(found, SMILE, "modality").test.tested
    said = " ".join(found.words)
    assert "not compared by modality: the medium alone moves them" in said
    assert "recordings may be what differs" in said


@pytest.mark.parametrize("factor", MEDIA)
def test_waits_are_not_compared_by_the_medium_even_where_the_platform_column_says_the_same(factor):
    table = behaving(1, in_person_share=0.5)
    if factor == "modality":
        table["platform"] = "recorder"
    found = compare(table, [factor, "attachment"])
    assert behaviour(found, WAIT, factor).test.reason == NOT_COMPARED


def test_a_slow_platform_is_not_taken_for_a_difference_between_people():
    wrong, raw = 0, 0
    for seed in range(25):
        table = behaving(seed, clients=100)
        slow = table["platform"] == "platform B"
        rng = np.random.default_rng(seed)
        clients = table.groupby("client_id")["platform"].first()
        north = rng.random(len(clients)) < np.where(clients == "platform B", 0.8, 0.2)
        table["ward"] = table["client_id"].map(
            dict(zip(clients.index, np.where(north, "n", "s"), strict=True))
        )
        wrong += behaviour(compare(table, ["ward"], covariates=[]), WAIT, "ward").test.p < 0.05
        means = table.groupby(["client_id", "ward"])[WAIT].mean().reset_index()
        groups = [own[WAIT] for _, own in means.groupby("ward")]
        raw += stats.ttest_ind(*groups, equal_var=False).pvalue < 0.05
        assert slow.any()
    assert raw == 25
    assert wrong <= 4


def test_a_longer_wait_of_a_group_is_found_though_it_is_mostly_on_the_slow_platform():
    table = behaving(3, clients=300)
    rng = np.random.default_rng(3)
    clients = table.groupby("client_id")["platform"].first()
    north = rng.random(len(clients)) < np.where(clients == "platform B", 0.85, 0.15)
    table["ward"] = table["client_id"].map(dict(zip(clients.index, np.where(north, "n", "s"), strict=True)))
    table[WAIT] += 0.25 * (table["ward"] == "n")
    one = behaviour(compare(table, ["ward"], covariates=[]), WAIT, "ward")
    sign = 1 if one.test.group == "n" else -1
    low, high = sorted((sign * one.test.low, sign * one.test.high))
    assert low < 0.25 < high
    assert one.q < 0.001


def test_groups_that_don_t_meet_on_one_platform_have_no_wait_compared():
    table = behaving(4)
    table["ward"] = np.where(table["platform"] == "platform B", "north", "south")
    found = compare(table, ["ward"], covariates=[])
    assert behaviour(found, WAIT, "ward").test.reason == NOT_COMPARED
    assert behaviour(found, SMILE, "ward").test.tested
    assert "not compared by ward" in " ".join(found.words)


def test_without_platforms_calls_are_compared_as_if_on_one():
    table = behaving(5, delay=0.0).drop(columns="platform")
    one = behaviour(compare(table, ["attachment"]), WAIT, "attachment")
    assert one.test.tested
    assert one.centred


def test_waits_beside_a_number_are_taken_from_their_platform_too():
    table = behaving(6, clients=150, delay=0.0)
    rng = np.random.default_rng(6)
    anxiety = pd.Series(rng.normal(size=150), index=sorted(table["client_id"].unique()))
    table["anxiety_mean"] = table["client_id"].map(anxiety) + (table["platform"] == "platform B")
    table[WAIT] += 1.0 * (table["platform"] == "platform B")
    one = behaviour(compare(table, ["anxiety_mean"], covariates=[]), WAIT, "anxiety_mean")
    assert one.test.test == "Pearson r"
    assert abs(one.test.r) < 0.25
    assert one.test.p > 0.01


def test_what_stands_out_is_named_and_counted_beside_chance():
    table = behaving(7)
    table[SMILE] += 0.1 * (table["attachment"] == "secure")
    said = " ".join(compare(table, ["attachment"]).words)
    assert "Exploratory" in said
    assert "of 2 tests 1 has p below .05, where chance alone gives fewer than 1; 1 stands out" in said
    assert "client: share of time smiling, by attachment (g" in said


def test_missing_features_are_left_out_and_text_in_one_is_said():
    table = behaving(8)
    table.loc[table["attachment"] == "secure", SMILE] = np.nan
    one = behaviour(compare(table, ["attachment"]), SMILE, "attachment")
    assert one.test.reason == "one group only has values"
    table[SMILE] = table[SMILE].astype(object).mask(table.index == 0, "much")
    with pytest.raises(InputError, match="'much' is no number"):
        compare(table, ["attachment"])
