from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from vsa.bond.flags import NO_BETTER, flag
from vsa.bond.training import train
from vsa.errors import InputError
from vsa.simulate.cohort import EFFECTS, simulate_cohort


@pytest.fixture(scope="module")
def new_sessions():
    """Sessions of other people, of the same world."""
    return simulate_cohort(50, 2, seed=77, effects={name: 2 * r for name, r in EFFECTS.items()})


@pytest.fixture(scope="module")
def flags(strong_model, new_sessions):
    return flag(strong_model, new_sessions.drop(columns="bond"), 0.1)


def test_the_budget_is_kept_and_the_weakest_come_first(flags):
    table = flags.table
    assert flags.counts["weak"] == 10
    assert (table["verdict"].head(10) == "weak").all()
    assert table["suggestion"].head(10).eq("review suggested").all()
    judged = table[table["verdict"] != "abstain"]
    assert judged["expected_bond"].is_monotonic_increasing
    assert judged["rank"].tolist() == list(range(1, len(judged) + 1))
    assert table["session_id"].nunique() == len(table) == 100


def test_flagged_sessions_have_weaker_bonds(flags, new_sessions):
    bond = new_sessions.set_index("session_id")["bond"]
    judged = flags.table[flags.table["verdict"] != "abstain"]
    assert spearmanr(judged["expected_bond"], bond[judged["session_id"]]).statistic > 0.3
    weak = judged["session_id"][judged["verdict"] == "weak"]
    assert bond[weak].mean() < bond.mean() - 0.2


@pytest.mark.parametrize(("budget", "weak"), [(1, 1), (7, 7), (0.05, 5), (0.001, 1), (0.29, 29)])
def test_a_budget_is_a_share_below_one_and_a_number_from_one_on(strong_model, new_sessions, budget, weak):
    assert flag(strong_model, new_sessions, budget).counts["weak"] == weak


def test_sessions_above_the_training_mean_are_not_weak_however_large_the_budget(strong_model, new_sessions):
    table = flag(strong_model, new_sessions, 1000).table
    weak = table[table["verdict"] == "weak"]
    assert (weak["expected_bond"] < strong_model.info.bond_mean).all()
    assert (table["verdict"] == "ok").any()


def test_poor_recordings_are_not_judged_and_the_reason_is_given(strong_model, new_sessions):
    table = new_sessions.head(6).copy()
    table["client.quality.tracked_share"] = [0.3, 0.95, np.nan, 0.95, 0.95, 0.95]
    table["therapist.quality.tracked_share"] = 0.9
    features = list(strong_model.info.features)
    table[features] = table[features].fillna(table[features].median())
    table.loc[1, features[:18]] = np.nan
    rows = flag(strong_model, table, 1).table.set_index("session_id")
    first, second, third = table["session_id"].head(3)
    assert rows.loc[first, "reason"] == "client was in view for 30% of the session, and 50% are needed"
    assert "75% of the features are missing" in rows.loc[second, "reason"]
    assert "not known" in rows.loc[third, "reason"]
    assert rows.loc[[first, second, third], "verdict"].eq("abstain").all()
    assert rows.loc[[first, second, third], "expected_bond"].isna().all()
    assert rows["verdict"].eq("abstain").sum() == 3


def test_every_row_says_where_the_label_comes_from_and_that_it_is_simulated(flags):
    source = "column 'bond' of a simulated cohort, rated by client, SIMULATED"
    assert flags.table["label_source"].str.contains(source).all()
    assert flags.table["label"].str.contains("lowest 10 of 100 sessions").all()
    assert flags.table["simulated"].all()
    assert flags.table["model_against_mean"].eq("better").all()
    assert any("SIMULATED" in note for note in flags.notes)
    assert any("decides nothing about a person" in note for note in flags.notes)
    record = json.loads(json.dumps(flags.record(), allow_nan=False))
    assert record["counts"] == flags.counts


def test_a_model_without_skill_says_that_its_flags_are_lots():
    table = simulate_cohort(30, 3, seed=9, effects={})
    model = train(table)
    assert model.info.evaluation[0].verdict == "no better"
    assert NO_BETTER in flag(model, table).notes


def test_tables_without_what_the_model_needs_are_refused(strong_model, new_sessions):
    lacking = new_sessions.drop(columns=["client.gaze.on_screen_share", "therapist.face.smile_share"])
    with pytest.raises(InputError, match=r"lacks 2 of the 24 features .*client\.gaze\.on_screen_share"):
        flag(strong_model, lacking)
    with pytest.raises(InputError, match="no column session_id"):
        flag(strong_model, new_sessions.drop(columns="session_id"))
    with pytest.raises(InputError, match="more than once"):
        flag(strong_model, new_sessions.iloc[[0, 0, 1]])
    for budget in (0, -1, 2.5, float("nan")):
        with pytest.raises(InputError, match="budget"):
            flag(strong_model, new_sessions, budget)
