"""The evaluation on cohorts whose truth is known: what is there is found, and what is not there is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from vsa.bond.cohort import Cohort
from vsa.bond.design import design_of
from vsa.bond.evaluation.conformal import coverage
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.evaluation.flag_scores import flag_scores, judged
from vsa.bond.evaluation.held_out import Candidates, hold_out
from vsa.bond.evaluation.permutation import permutation_tests
from vsa.bond.folds import circles
from vsa.bond.learners.choice import Learner
from vsa.bond.learners.families import FAMILIES, Ridge
from vsa.bond.training import train
from vsa.bond.weak import Weak, calibrate
from vsa.errors import InputError
from vsa.simulate.cohort import EFFECTS, CohortDesign, draw, simulate_cohort

QUICK = Settings(permutations=0, draws=200, repeats=1)


def signals(table, families=FAMILIES, seed=0):
    """A cohort with the procedure on its signals alone."""
    cohort = Cohort.from_table(table)
    none = cohort.covariates[[]]
    design = design_of(cohort.features, cohort.clients, none)
    x = design.matrix(cohort.features, cohort.clients, none)
    return cohort, Candidates((Learner(design, families, seed), x), None, "features")


def held_out(table, families=FAMILIES, seed=0, draws=200):
    cohort, candidates = signals(table, families, seed)
    found, predictions = hold_out(
        cohort, candidates, cohort.clients, "client", seed=seed, draws=draws, repeats=1
    )
    return cohort, candidates, found, predictions


def clients_known_by_their_habits(seed=0, clients=47, sessions=252):
    """Features that stay with a client and have nothing to do with the bond, which also stays with the client."""
    rng = np.random.default_rng(seed)
    who = np.sort(np.r_[np.arange(clients), rng.integers(0, clients, sessions - clients)])
    table = pd.DataFrame(
        {"session_id": [f"s{k}" for k in range(sessions)], "client_id": [f"c{c}" for c in who]}
    )
    table["bond"] = (
        3 + np.sqrt(0.6) * rng.standard_normal(clients)[who] + np.sqrt(0.4) * rng.standard_normal(sessions)
    )
    for k in range(30):
        habit = rng.standard_normal(clients)[who]
        table[f"client.voice.x{k}"] = habit + 0.3 * rng.standard_normal(sessions)
    return table


@pytest.mark.slow
def test_recognising_clients_does_not_pass_for_predicting_bond():
    table = clients_known_by_their_habits()
    assert (len(table), table["client_id"].nunique()) == (252, 47)
    found = train(table, settings=QUICK).evaluation
    assert found.held_out[0].by == "client"
    assert abs(found.held_out[0].of_model["r"].value) < 0.2
    assert found.held_out[0].of_model["r2"].value < 0.05
    assert 0.25 < found.leakage.session_r < 0.75
    assert found.leakage.notable
    assert any(line.startswith("Leakage: split by session") for line in found.warnings)
    cohort, _, by_session, _ = held_out(table.drop(columns="client_id"), (Ridge(),))
    assert by_session.of_model["spearman"].value > 0.25
    assert any("say nothing about new clients" in note for note in cohort.notes)


def test_an_effect_within_clients_is_found_there_and_not_between_them():
    design = CohortDesign(
        clients=80,
        effects={},
        within={"client.head.nod_rate_per_min": 0.45, "therapist.face.smile_share": 0.4},
        therapist_share=0,
    )
    cohort, candidates, found, _ = held_out(draw(design, 2).table, (Ridge(),))
    assert found.of_model["within_r"].low > 0.05
    assert found.of_model["between_r"].low < 0.1
    tests = {
        one.kind: one for one in permutation_tests(cohort, *candidates.features, seed=0, permutations=99)
    }
    assert tests["within"].p <= 0.02
    assert tests["between"].p > 0.05


def test_an_effect_between_clients_is_found_there_and_not_within_them():
    design = CohortDesign(
        clients=150,
        sessions=(3, 3),
        effects={},
        between={"client.head.nod_rate_per_min": 0.5, "client.face.expressivity_per_s": 0.45},
    )
    cohort, candidates, found, _ = held_out(draw(design, 3).table, (Ridge(),))
    assert found.of_model["between_r"].low > 0.2
    tests = {
        one.kind: one for one in permutation_tests(cohort, *candidates.features, seed=0, permutations=99)
    }
    assert tests["between"].p <= 0.02
    assert tests["within"].p > 0.05


@pytest.mark.slow
def test_in_a_hundred_cohorts_without_effects_chance_finds_what_chance_finds():
    """5 % rejections each; more than 12 of 100 have a probability of .2 %."""
    p = {"between": [], "within": []}
    better = 0
    for seed in range(100):
        design = CohortDesign(clients=40, sessions=(2, 6), effects={}, dropout=0.1, therapist_share=0.1)
        cohort, candidates, found, _ = held_out(draw(design, seed).table, (Ridge(),), seed)
        better += found.verdict == "better"
        for one in permutation_tests(cohort, *candidates.features, seed=seed, permutations=39):
            p[one.kind].append(one.p)
    assert better <= 5
    for values in p.values():
        assert 0 < np.mean(np.array(values) <= 0.05) <= 0.12
        assert 0.4 < np.mean(values) < 0.6


def test_the_therapist_in_a_feature_does_not_help_for_new_therapists_and_is_warned_of():
    table = draw(CohortDesign(clients=96, effects={}, therapist_share=0.4, client_share=0.2), 4).table
    code = table["therapist_id"].astype("category").cat.codes
    rng = np.random.default_rng(0)
    for k in range(6):  # enough to tell each therapist by
        secret = rng.standard_normal(code.max() + 1)
        table[f"therapist.voice.tone{k}"] = secret[code] + 0.02 * rng.standard_normal(len(table))
    cohort, candidates = signals(table)
    groups = circles(cohort.therapists, cohort.clients)
    by_client, by_therapist = (
        hold_out(cohort, candidates, who, name, seed=0, draws=200, repeats=1)[0]
        for who, name in ((cohort.clients, "client"), (groups, "therapist"))
    )
    assert by_client.of_model["r2"].value > 0.05
    assert by_client.of_model["r"].value > 0.25 > by_therapist.of_model["r"].value
    assert by_therapist.verdict != "better"
    assert by_therapist.of_model["r2"].value < 0.05
    assert any("tell therapists apart" in note and "therapist.voice.tone0" in note for note in cohort.notes)


def test_more_clients_bring_it_near_the_ceiling_that_is_known():
    """One session each: with x = r b + e, the best R2 of the latent bond is S / (1 + S), S = sum of r2 / (1 - r2)."""
    effects = {name: 2 * r for name, r in EFFECTS.items()}
    s = sum(r**2 / (1 - r**2) for r in effects.values())
    found = {}
    for clients in (60, 1000):
        design = CohortDesign(
            clients=clients, sessions=(1, 1), effects=effects, poor=0, gaps=0, ceiling=0.02, alpha=0.95
        )
        drawn = draw(design, 5)
        ceiling = drawn.table["bond"].corr(drawn.truth["latent_bond"]) ** 2 * s / (1 + s)
        found[clients] = held_out(drawn.table, (Ridge(),))[2].of_model["r2"].value / ceiling
    assert found[60] < found[1000]
    assert 0.8 < found[1000] < 1.1


@pytest.mark.slow
def test_a_result_that_is_too_good_asks_for_leakage_first():
    table = simulate_cohort(40, 2, seed=0)
    table["client.voice.warmth"] = table["bond"] + 0.4 * np.random.default_rng(0).standard_normal(len(table))
    warnings = train(table, settings=QUICK).evaluation.warnings
    assert any("look for leakage before believing it" in line for line in warnings)


@pytest.mark.slow
def test_intervals_and_probabilities_hold_for_new_people():
    shares, expected, happened, slopes = [], [], [], []
    for seed in range(10):
        effects = {name: 1.6 * r for name, r in EFFECTS.items()}
        table = draw(CohortDesign(clients=70, effects=effects), seed).table
        cohort, candidates, _, predictions = held_out(table, (Ridge(),), seed)
        shares.append(coverage(cohort, candidates, predictions, seed=seed, draws=20)[0].share.value)
        flags = flag_scores(cohort, predictions, "features", Weak(), seed=seed, draws=20)
        happened.append(flags.base_rate)
        expected.append(np.average([p for p, _, _ in flags.curve], weights=[n for _, _, n in flags.curve]))
        slopes.append(flags.scores["calibration_slope"].value)
    assert np.mean(shares) == pytest.approx(0.9, abs=0.03)
    assert np.mean(expected) == pytest.approx(np.mean(happened), abs=0.03)
    assert 0.7 < np.median(slopes) < 1.4


def test_flag_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    p = np.round(rng.random(200), 2)  # with ties
    y = (rng.random(200) < p).astype(float)
    weights = np.vstack([np.ones(200), rng.integers(0, 3, (20, 200))])
    found = judged(y[None], p[None], weights)
    assert found["auc"].value == pytest.approx(roc_auc_score(y, p))
    assert found["average_precision"].value == pytest.approx(average_precision_score(y, p))
    assert found["brier"].value == pytest.approx(brier_score_loss(y, p))
    assert found["calibration_slope"].value == pytest.approx(1, abs=0.3)
    assert found["calibration_intercept"].value == pytest.approx(0, abs=0.4)
    drawn = [roc_auc_score(y, p, sample_weight=one) for one in weights[1:]]
    assert found["auc"].low == pytest.approx(np.quantile(drawn, 0.025))


def test_precision_at_a_budget_is_the_share_of_weak_ones_at_the_top():
    p = np.linspace(1, 0, 100)
    y = np.zeros(100)
    y[[0, 1, 2, 7, 15, 60]] = 1
    found = judged(y[None], p[None], np.ones((2, 100)))
    assert [found[f"precision_{k}"].value for k in (5, 10, 20)] == [0.6, 0.4, 0.25]


def test_a_cut_is_learned_in_the_training_alone():
    y = np.arange(10.0)
    clients = np.array([f"c{k // 2}" for k in range(10)])
    assert Weak("lowest", 0.2).cut(y, clients) == pytest.approx(np.quantile(y, 0.2))
    assert Weak("below", 36).cut(y, clients) == 36
    # pairs that differ by 1: squared deviations of .25 each, one degree of freedom a pair
    assert Weak("drop", 1).cut(y, clients) == pytest.approx(np.sqrt(10 * 0.25 / 5))
    drop = Weak("drop", 1)
    label = drop.of(np.array([1.0, 3, 2, 5, 5, 5, 7]), np.array(list("aaabbbc")), 1.0)
    assert label[:6].tolist() == [1, 0, 0, 0, 0, 0]
    assert np.isnan(label[6])


@pytest.mark.parametrize("text", ["weakest", "lowest:0.9", "drop:9", "below:", "lowest:0", ""])
def test_what_defines_no_weak_bond_is_refused(text):
    with pytest.raises(InputError) as caught:
        Weak.parse(text)
    assert "lowest:0.2" in caught.value.hint or "drop:1" in caught.value.hint


def test_a_drop_cannot_be_learned_from_clients_with_one_session():
    with pytest.raises(InputError, match="hardly any client has several sessions"):
        Weak("drop", 1).cut(np.arange(30.0), np.array([f"c{k}" for k in range(30)]))


def test_probabilities_fall_with_the_expected_bond_and_are_the_base_rate_where_it_says_nothing():
    rng = np.random.default_rng(0)
    score = rng.standard_normal(300)
    weak = (rng.random(300) < 1 / (1 + np.exp(1.5 + 2 * score))).astype(float)
    found = calibrate(score, weak)
    assert found.slope == pytest.approx(-2, abs=0.6)
    assert (np.diff(found.probability(np.linspace(-3, 3, 9))) < 0).all()
    wrong_way = calibrate(-score, weak)
    assert wrong_way.slope == 0
    assert wrong_way.probability(np.array([-5.0, 5.0])) == pytest.approx(weak.mean())
    assert calibrate(score[:30], np.zeros(30)) is None
