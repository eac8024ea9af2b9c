"""Analyses of simulated cohorts find what was planted where it was planted, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vsa.errors import InputError
from vsa.simulate.cohort import CohortDesign, draw
from vsa.simulate.cohort_design import columns

WITHIN, BETWEEN = "client.head.nod_rate_per_min", "client.face.smile_share"
NULL = CohortDesign(effects={}, therapist_share=0.0, poor=0.0, gaps=0.0)


def both_ways(cohort, feature):
    """Correlation of a feature with the reported bond between clients, and within them."""
    rows = cohort.table[["client_id", feature, "bond"]].dropna()
    values = rows[[feature, "bond"]].rank().assign(client=rows["client_id"])
    means = values.groupby("client").transform("mean")
    apart = values[[feature, "bond"]] - means
    between = values.groupby("client").mean().corr().iloc[0, 1]
    return between, apart.corr().iloc[0, 1]


def share_between(values, groups):
    """One-way ANOVA estimate of the share of variance between groups."""
    grouped = pd.Series(values).groupby(pd.Series(groups).to_numpy())
    count = grouped.size()
    size = (count.sum() - (count**2).sum() / count.sum()) / (len(count) - 1)
    within = (grouped.var() * (count - 1)).sum() / (count.sum() - len(count))
    between = (count * (grouped.mean() - np.mean(values)) ** 2).sum() / (len(count) - 1)
    return (between - within) / (between + (size - 1) * within)


def p_values(cohort):
    names = [name for name in columns() if ".quality." not in name]
    rated = cohort.table[cohort.table["bond"].notna()]
    return np.array([stats.pearsonr(rated[name].rank(), rated["bond"])[1] for name in names])


def test_an_effect_within_clients_is_not_found_between_them_nor_the_other_way_round():
    cohort = draw(
        replace(NULL, clients=700, sessions=(4, 8), within={WITHIN: 0.3}, between={BETWEEN: 0.3}), 1
    )
    between, within = both_ways(cohort, WITHIN)
    assert abs(between) < 0.1
    assert within > 0.2
    between, within = both_ways(cohort, BETWEEN)
    assert between > 0.2
    assert abs(within) < 0.06


def test_shares_of_the_latent_bond_come_back_from_an_analysis_of_variance():
    design = replace(NULL, clients=1500, sessions=(5, 5), clients_per_therapist=10, client_share=0.4)
    cohort = draw(replace(design, therapist_share=0.2), 2)
    bond, clients = cohort.truth["latent_bond"], cohort.table["client_id"]
    assert share_between(bond, clients) == pytest.approx(0.6, abs=0.04)
    own = bond.groupby(clients).mean()
    therapists = cohort.table.groupby("client_id")["therapist_id"].first()
    # the mean of a client's sessions keeps a fifth of what differs between them
    assert share_between(own, therapists) == pytest.approx(0.2 / (0.6 + 0.4 / 5), abs=0.07)


def test_features_stay_with_the_person_whose_they_are():
    cohort = draw(replace(NULL, clients=600, sessions=(2, 2)), 3).table
    theirs, own = cohort["therapist.blink.rate_per_min"].rank(), cohort["client.blink.rate_per_min"].rank()
    assert share_between(theirs, cohort["therapist_id"]) == pytest.approx(0.5, abs=0.1)
    assert abs(share_between(own, cohort["therapist_id"])) < 0.05
    assert share_between(own, cohort["client_id"]) == pytest.approx(0.5, abs=0.08)


def test_p_values_are_spread_evenly_where_nothing_goes_with_the_bond():
    found = p_values(draw(replace(NULL, clients=600, sessions=(1, 1)), 4))
    assert len(found) > 300
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert 0.02 < (found < 0.05).mean() < 0.09


def test_sessions_of_one_client_taken_for_independent_make_something_of_nothing():
    found = p_values(draw(replace(NULL, clients=75, sessions=(8, 8), client_share=0.6), 5))
    assert (found < 0.05).mean() > 0.15


def test_features_that_tell_clients_apart_make_a_ridge_look_good_until_clients_are_held_out():
    names = tuple(name for name in columns() if name.startswith("client.") and ".quality." not in name)[:60]
    design = replace(NULL, clients=47, sessions=(5, 6), client_share=0.6, identity=names)
    scores = []
    for seed in range(4):
        cohort = draw(design, seed)
        x, y = cohort.table[list(names)].rank(), cohort.truth["latent_bond"]
        ridge = make_pipeline(StandardScaler(), Ridge(10.0))
        split = cross_val_predict(ridge, x, y, cv=KFold(5, shuffle=True, random_state=0))
        held = cross_val_predict(ridge, x, y, cv=GroupKFold(5), groups=cohort.table["client_id"])
        scores.append((np.corrcoef(split, y)[0, 1], np.corrcoef(held, y)[0, 1]))
    split, held = np.mean(scores, axis=0)
    assert split - held > 0.3, (split, held)
    assert abs(held) < 0.2, held


def test_clients_with_a_weaker_bond_leave_sooner():
    design = CohortDesign(clients=1500, sessions=(8, 8), dropout=0.1)
    cohort = draw(design, 6)
    count = cohort.table.groupby("client_id").size()
    assert set(count) == set(range(1, 9))
    numbers = cohort.table.groupby("client_id")["session_number"]
    assert (numbers.max() == count).all()
    first = cohort.truth["latent_bond"][cohort.table["session_number"] == 1]
    left = (count < 8).reindex(cohort.table.loc[first.index, "client_id"]).to_numpy()
    assert first[~left].mean() - first[left].mean() > 0.3
    assert draw(replace(design, dropout=0.0), 6).table.groupby("client_id").size().eq(8).all()


def test_a_diagnosis_matters_only_if_asked_for():
    for shift in (0.0, 0.6):
        cohort = draw(CohortDesign(clients=1500, sessions=(1, 1), diagnosis_d={"personality": -shift}), 7)
        there = cohort.table["diagnosis"] == "personality"
        bond = cohort.truth["latent_bond"]
        assert bond[~there].mean() - bond[there].mean() == pytest.approx(shift, abs=0.2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"effects": {"client.gaze.on_screen": 0.2}}, "no feature client.gaze.on_screen"),
        ({"identity": ("p1.gaze.on_screen_share",)}, "no feature p1"),
        ({"between": {WITHIN: 0.7}, "effects": {WITHIN: 0.7}}, "can't correlate so highly"),
        ({"habit": 1.5}, "habit 1.5 is no share"),
        ({"dropout": float("nan")}, "dropout nan is no share"),
        ({"diagnosis_d": {"none": 0.2}}, "no diagnosis none"),
        ({"instrument": "rq"}, "measures attachment"),
        ({"instrument": "wai-b3", "alpha": 1.0}, "no share"),
        ({"alpha": 0.999}, "can't have an alpha"),
    ],
)
def test_what_makes_no_sense_is_said(change, said):
    with pytest.raises(InputError, match=said):
        draw(replace(CohortDesign(clients=5), **change))
