"""Comparisons of many simulated cohorts: what is planted lies in the intervals; where nothing is, little is found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from comparing import only_tests, people
from scipy import stats

from vsa.simulate.cohort import CohortDesign
from vsa.simulate.cohort_people import draw_people


def test_a_planted_difference_lies_within_the_intervals_over_many_cohorts():
    held_points, held_g, found = [], [], []
    for seed in range(60):
        table = people(seed, clients=80, in_person_d=0.8)
        test = only_tests(table, ["modality"])["modality"]
        assert (test.reference, test.group) in (("online", "in_person"), ("in_person", "online"))
        sign = 1 if test.group == "in_person" else -1
        ends = sorted((sign * test.low, sign * test.high))
        held_points.append(ends[0] <= 0.8 <= ends[1])
        # the mean of four sessions varies less than a session does
        true_g = 0.8 / math.sqrt(0.05 + 0.5 + 0.45 / 4)
        ends = sorted((sign * test.g_low, sign * test.g_high))
        held_g.append(ends[0] <= true_g <= ends[1])
        found.append(sign * test.g)
    assert np.mean(held_points) >= 0.87
    assert np.mean(held_g) >= 0.87
    assert np.mean(found) == pytest.approx(true_g, abs=3 * np.std(found) / math.sqrt(60))


@pytest.mark.slow
def test_where_nothing_is_planted_one_test_in_twenty_is_below_05():
    null = {"in_person_d": 0.0, "anxiety_r": 0.0, "avoidance_r": 0.0}
    p = {"modality": [], "attachment": [], "diagnosis": [], "age": []}
    for seed in range(300):
        for name, test in only_tests(people(seed, **null), list(p)).items():
            p[name].append(test.p)
    for name, some in p.items():
        assert np.mean(np.array(some) < 0.05) <= 0.09, name
    every = np.concatenate(list(p.values()))
    assert 0.03 <= np.mean(every < 0.05) <= 0.07
    assert stats.kstest(every, "uniform").pvalue > 0.001


def test_sessions_of_one_client_are_no_independent_people():
    """Fifty sessions of each of few clients: a test over sessions would find modalities different by chance."""
    null = {"in_person_d": 0.0, "clients": 40, "sessions": (25, 25)}
    by_client, by_session = [], []
    for seed in range(40):
        table = people(seed, **null)
        by_client.append(only_tests(table, ["modality"])["modality"].p < 0.05)
        groups = [own["bond"] for _, own in table.groupby("modality")]
        by_session.append(stats.ttest_ind(*groups, equal_var=False).pvalue < 0.05)
    assert np.mean(by_session) > 0.5
    assert np.mean(by_client) < 0.18


def test_attachment_as_a_number_is_a_correlation():
    r = []
    for seed in range(30):
        drawn = draw_people(CohortDesign(clients=150, anxiety_r=-0.4, client_share=0.6), seed)
        table = drawn.sessions.assign(bond=drawn.bond, anxiety_mean=drawn.anxiety[drawn.client])
        test = only_tests(table, ["anxiety_mean"])["anxiety_mean"]
        assert test.test == "Pearson r"
        assert test.groups == ()
        r.append((test.r_low, test.r, test.r_high))
    low, middle, high = np.array(r).T
    true = -0.4 / math.sqrt(0.05 + 0.6 + 0.35 / 4)  # of a client's mean, not of a session
    assert np.mean((low <= true) & (true <= high)) >= 0.85
    assert middle.mean() == pytest.approx(true, abs=0.04)
