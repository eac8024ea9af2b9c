from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.training import train
from vsa.errors import InputError
from vsa.features.core import is_core
from vsa.simulate.cohort import EFFECTS, simulate_cohort

QUICK = Settings(permutations=0, draws=200, repeats=1)


def test_planted_effects_are_found_for_new_clients_and_new_therapists(strong_trained):
    clients, therapists = strong_trained.evaluation.held_out
    assert (clients.by, clients.groups, therapists.by, therapists.groups) == ("client", 90, "therapist", 15)
    assert clients.verdict == "better"
    for test in (clients, therapists):
        assert test.of_model["spearman"].value > 0.25
        assert test.of_model["r2"].value > 0.05 > test.scores["training_mean"]["r2"].value
        assert test.of_model["mae"].value < test.scores["training_mean"]["mae"].value
    assert clients.over == "covariates"
    assert clients.increment.low > 0
    assert therapists.of_model["r2"].value < clients.of_model["r2"].value


def test_all_baselines_are_there_and_history_knows_more_than_covariates(strong_trained):
    scores = strong_trained.evaluation.held_out[0].scores
    assert {*scores} == {
        "training_mean",
        "quality",
        "covariates",
        "features",
        "covariates_and_features",
        "previous_bond",
        "running_mean",
    }
    assert scores["running_mean"]["r2"].value > 0.1 > scores["covariates"]["r2"].value
    assert scores["quality"]["r2"].value < 0.03


def test_the_signs_of_planted_effects_come_back(strong_trained):
    found = {one.feature: one for one in strong_trained.evaluation.effects.effects if one.part == "level"}
    for name, r in EFFECTS.items():
        if abs(r) >= 0.15:
            assert np.sign(found[name].beta) == np.sign(r)


@pytest.mark.slow
def test_nothing_to_find_is_not_found():
    for test in train(simulate_cohort(40, 4, seed=0, effects={}), settings=QUICK).evaluation.held_out:
        assert test.verdict != "better"
        assert test.of_model["r2"].value < 0.03


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers_and_others_lie_within_the_interval(strong_cohort):
    table = strong_cohort.head(120)
    settings = Settings(seed=3, permutations=9, draws=200, repeats=1)
    one, again = (train(table, settings=settings) for _ in range(2))
    assert one.info == again.info
    assert np.array_equal(one.model.expected(table), again.model.expected(table))
    other = train(table, settings=Settings(seed=4, permutations=0, draws=200, repeats=1))
    first, second = (each.evaluation.held_out[0].gain for each in (one, other))
    assert first != second
    assert first.low < second.value < first.high


def test_what_is_simulated_says_so(strong_model):
    assert strong_model.info.simulated
    assert "SIMULATED" in strong_model.info.label_source
    real = simulate_cohort(30, 2, seed=0).drop(columns="simulated")
    assert not Cohort.from_table(real).simulated
    assert "SIMULATED" not in Cohort.from_table(real).label_source


def without(name):
    return lambda table: table.drop(columns=name)


def with_bond(value):
    return lambda table: table.assign(bond=value)


def mixed(table):
    return table.assign(simulated=[True] * 20 + [False] * (len(table) - 20))


def twice(table):
    return pd.concat([table, table.iloc[:2]], ignore_index=True)


def copied(table):
    return pd.concat([table, table.iloc[[3]].assign(session_id="new", bond=1.0)], ignore_index=True)


def one_word(column):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[4, column] = "good"
        return table

    return change


def no_features(table):
    return table[["session_id", "client_id", "bond"]]


def made_of_the_bond(table):
    return table.assign(**{"client.voice.warmth": table["bond"] * 3 + 1})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.head(8), "8 sessions with a bond; 20 are the least"),
        (with_bond(4.0), "the bond is 4 in every session"),
        (with_bond(np.nan), "0 sessions with a bond"),
        (without("bond"), "no column 'bond' to predict.*session_number"),
        (with_bond("strong"), "'strong' is no number"),
        (one_word("bond"), "column bond: 'good' is no number .row 6"),
        (with_bond(True), "yes and no"),
        (one_word("client.face.smile_share"), "column client.face.smile_share: 'good' is no number"),
        (no_features, "no features that differ"),
        (lambda table: table.assign(client_id="me"), "1 clients; 5 are the least"),
        (twice, "session sim-c001-s1, sim-c001-s2 more than once"),
        (copied, "equal to the last digit"),
        (mixed, "mixes 20 simulated sessions with 40"),
        (made_of_the_bond, r"client\.voice\.warmth: all but equal to the bond"),
        (lambda table: table.assign(rater=["client", "therapist"] * 30), "rated by client and therapist"),
    ],
)
def test_a_cohort_that_cannot_be_trained_on_is_refused_in_one_line(change, said):
    with pytest.raises(InputError, match=said) as caught:
        train(change(simulate_cohort(20, 3, seed=0)))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("date", "2026-01-01", "a date tells sessions apart"),
        ("therapist_id", None, "it says who it is"),
        ("fps", range(60), "a property of the file"),
        ("goal_mean", range(60), "the same questionnaire"),
        ("nickname", [f"n{k}" for k in range(60)], "it names people"),
        ("mood", "bond", "the bond in another form"),
    ],
)
def test_covariates_that_leak_are_refused(name, values, said):
    table = simulate_cohort(20, 3, seed=0)
    if values == "bond":
        table[name] = -table["bond"]
    elif name == "date":
        table[name] = [f"2026-01-{k % 28 + 1:02d}" for k in range(60)]
    elif values is not None:
        table[name] = list(values)
    with pytest.raises(InputError, match=f"column {name} can't be a covariate: .*{said}"):
        train(table, covariates=[name])


def test_a_covariate_that_is_absent_is_named():
    with pytest.raises(InputError, match="no column severity"):
        train(simulate_cohort(20, 3, seed=0), covariates=["severity"])


@pytest.mark.slow
def test_gaps_are_said_and_survived():
    table = simulate_cohort(30, 3, seed=0)
    table.loc[:9, "bond"] = np.nan
    table.loc[20:22, "client_id"] = None
    table["client.face.smile_share"] = np.nan
    table["therapist.head.nod_rate_per_min"] = 2.0
    info = train(table, settings=QUICK).info
    assert info.sessions == 80
    assert "client.face.smile_share" not in info.features
    said = " ".join(info.notes)
    assert "10 sessions have no bond" in said
    assert "3 sessions have no client_id" in said
    assert "client.face.smile_share, therapist.head.nod_rate_per_min" in said


@pytest.mark.slow
def test_one_therapist_says_nothing_about_others():
    table = simulate_cohort(24, 3, seed=0).assign(therapist_id="t1")
    found = train(table, settings=QUICK).evaluation
    assert [one.by for one in found.held_out] == ["client"]
    assert any("All sessions are of one therapist" in line for line in found.warnings)
    table["therapist_id"] = np.where(np.arange(72) < 36, "t1", "t2")
    assert any(
        "2 therapists: 5 are the least" in line for line in train(table, settings=QUICK).evaluation.warnings
    )


@pytest.mark.slow
def test_covariates_that_are_asked_for_become_part_of_the_model():
    table = simulate_cohort(30, 3, seed=0)
    table["severity"] = table["bond"] * -2 + np.random.default_rng(0).standard_normal(len(table))
    trained = train(table, covariates=["severity", "gender"], settings=QUICK)
    assert trained.info.design.numbers == ("severity",)
    assert "gender" in trained.info.design.categories
    headline = trained.evaluation.held_out[0]
    assert headline.model == "covariates_and_features"
    assert headline.scores["covariates"]["r2"].value > 0.4
    assert abs(headline.increment.value) < 0.15
    lower = trained.model.expected(table.assign(severity=table["severity"] + 2)).mean()
    assert lower < trained.model.expected(table).mean() - 0.3
    with pytest.raises(InputError, match="no column severity, which the model takes"):
        trained.model.expected(table.drop(columns="severity"))


def test_the_core_set_is_used_unless_all_are_asked_for_and_own_columns_always():
    table = simulate_cohort(20, 2, seed=0)
    table["client.voice.own_measure"] = np.random.default_rng(0).standard_normal(len(table))
    core, everything = (Cohort.from_table(table, use=use) for use in ("core", "all"))
    assert all(is_core(name) for name in set(core.features) - {"client.voice.own_measure"})
    assert "client.voice.own_measure" in core.features
    assert any("more are in the table" in note for note in core.notes)
    assert not any("more are in the table" in note for note in everything.notes)
    assert set(everything.features) > {*core.features, "client.blink.rate_per_min"}


def test_features_can_be_left_out():
    cohort = Cohort.from_table(simulate_cohort(20, 2, seed=0), leave_out=["client.face.smile_share"])
    assert "client.face.smile_share" not in cohort.features


def test_recording_quality_is_no_predictor(strong_model):
    assert not [name for name in strong_model.info.features if ".quality." in name]
    assert "client.quality.tracked_share" in strong_model.info.quality
