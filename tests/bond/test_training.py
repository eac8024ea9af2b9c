from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold

from vsa.bond import evaluation
from vsa.bond.cohort import Cohort
from vsa.bond.model import ALPHAS, _preparation, fit_ridge
from vsa.bond.training import train
from vsa.errors import InputError
from vsa.features.core import is_core
from vsa.simulate.cohort import EFFECTS, simulate_cohort


def test_planted_effects_are_found_for_new_clients_and_new_therapists(strong_model):
    clients, therapists = strong_model.info.evaluation
    assert (clients.by, clients.groups, therapists.by, therapists.groups) == ("client", 90, "therapist", 15)
    for test in (clients, therapists):
        assert test.verdict == "better"
        assert test.model.spearman > 0.3
        assert test.model.r2 > 0.1 > test.baseline.r2
        assert test.model.mae < test.baseline.mae


def test_the_signs_of_planted_effects_come_back(strong_model):
    weights = dict(zip(strong_model.info.features, strong_model.pipeline["ridge"].coef_, strict=False))
    assert all(np.sign(weights[name]) == np.sign(r) for name, r in EFFECTS.items() if abs(r) >= 0.15)
    planted = min(abs(weights[name]) for name in EFFECTS if abs(EFFECTS[name]) >= 0.2)
    assert planted > np.median([abs(w) for name, w in weights.items() if name not in EFFECTS])


@pytest.mark.parametrize("seed", range(4))
def test_nothing_to_find_is_not_found(seed):
    info = train(simulate_cohort(40, 4, seed=seed, effects={})).info
    for test in info.evaluation:
        assert test.verdict != "better"
        assert test.model.r2 < 0.03


def clients_known_by_their_habits(seed=0, clients=47, sessions=5):
    """Features that stay with a client and have nothing to do with the bond, which also stays with the client."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(clients), sessions)
    n = len(who)
    table = pd.DataFrame({"session_id": [f"s{k}" for k in range(n)], "client_id": [f"c{c}" for c in who]})
    table["bond"] = (
        3 + np.sqrt(0.6) * rng.standard_normal(clients)[who] + np.sqrt(0.4) * rng.standard_normal(n)
    )
    for k in range(30):
        habit = rng.standard_normal(clients)[who]
        table[f"client.voice.x{k}"] = habit + 0.3 * rng.standard_normal(n)
    return table


def test_recognising_clients_does_not_pass_for_predicting_bond():
    table = clients_known_by_their_habits()
    by_client = train(table).info
    assert by_client.grouped_by == "client"
    assert by_client.evaluation[0].model.r2 < 0.05
    assert abs(by_client.evaluation[0].model.spearman) < 0.2
    by_session = train(table.drop(columns="client_id")).info
    assert by_session.evaluation[0].model.spearman > 0.25
    assert by_session.evaluation[0].by == "session"
    assert any("say nothing about new clients" in note for note in by_session.notes)


def test_no_client_is_on_both_sides_of_a_fold_and_all_are_tested_once():
    groups = np.repeat([f"c{k}" for k in range(23)], 3)
    tested = np.zeros(len(groups), int)
    for train_rows, test_rows in evaluation.folds(groups, seed=5):
        assert not set(groups[train_rows]) & set(groups[test_rows])
        tested[test_rows] += 1
    assert (tested == 1).all()


def test_therapists_who_share_a_client_are_held_out_together():
    therapists = np.array(["a", "a", "b", "b", "c", "d"])
    clients = np.array(["1", "2", "2", "3", "4", "5"])
    joined = evaluation._joined(therapists, clients)
    assert len(set(joined[:4])) == 1
    assert len(set(joined)) == 3


def test_the_penalty_is_the_one_that_scikit_learn_chooses(strong_cohort):
    cohort = Cohort.from_table(strong_cohort)
    x, y, groups = cohort.features.to_numpy(), cohort.bond, cohort.clients
    own = fit_ridge(x, y, groups, seed=2)
    pipeline = _preparation()
    pipeline.steps.append(("ridge", Ridge()))
    inner = GroupKFold(5, shuffle=True, random_state=2)
    search = GridSearchCV(pipeline, {"ridge__alpha": ALPHAS}, scoring="neg_mean_squared_error", cv=inner)
    search.fit(x, y, groups=groups)
    # scikit-learn averages the folds' errors, vsa adds their squares up: neighbours at most
    steps = np.log10([own["ridge"].alpha, search.best_params_["ridge__alpha"]])
    assert abs(np.diff(steps)[0]) <= 0.5 + 1e-9
    search.best_estimator_.set_params(ridge__alpha=own["ridge"].alpha).fit(x, y)
    assert own.predict(x) == pytest.approx(search.best_estimator_.predict(x))


def test_the_same_seed_gives_the_same_numbers(strong_cohort, strong_model):
    again, other = train(strong_cohort, seed=3), train(strong_cohort, seed=4)
    assert again.info == strong_model.info
    assert np.array_equal(again.expected(strong_cohort), strong_model.expected(strong_cohort))
    one, two = again.info.evaluation[0], other.info.evaluation[0]
    assert one != two
    assert one.gain_low < two.gain < one.gain_high


def test_what_is_simulated_says_so(strong_model):
    assert strong_model.info.simulated
    assert "SIMULATED" in strong_model.info.label_source
    real = simulate_cohort(30, 2, seed=0).drop(columns="simulated")
    assert not train(real).info.simulated


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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.head(5), "5 sessions with a bond; 20 are the least"),
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
    ],
)
def test_a_cohort_that_cannot_be_trained_on_is_refused_in_one_line(change, said):
    with pytest.raises(InputError, match=said) as caught:
        train(change(simulate_cohort(20, 3, seed=0)))
    assert "\n" not in caught.value.message


def test_gaps_are_said_and_survived():
    table = simulate_cohort(30, 3, seed=0)
    table.loc[:9, "bond"] = np.nan
    table.loc[20:22, "client_id"] = None
    table["client.face.smile_share"] = np.nan
    table["therapist.head.nod_rate_per_min"] = 2.0
    info = train(table).info
    assert info.sessions == 80
    assert "client.face.smile_share" not in info.features
    said = " ".join(info.notes)
    assert "10 sessions have no bond" in said
    assert "3 sessions have no client_id" in said
    assert "client.face.smile_share, therapist.head.nod_rate_per_min" in said


def test_the_core_set_is_used_unless_all_are_asked_for_and_own_columns_always():
    table = simulate_cohort(20, 2, seed=0)
    table["client.voice.own_measure"] = np.random.default_rng(0).standard_normal(len(table))
    core, everything = train(table).info, train(table, use="all").info
    assert all(is_core(name) for name in set(core.features) - {"client.voice.own_measure"})
    assert "client.voice.own_measure" in core.features
    assert any("more are in the table" in note for note in core.notes)
    assert not any("more are in the table" in note for note in everything.notes)
    assert set(everything.features) > {*core.features, "client.blink.rate_per_min"}


def test_recording_quality_is_no_predictor(strong_model):
    assert not [name for name in strong_model.info.features if ".quality." in name]
    assert "client.quality.tracked_share" in strong_model.info.quality
