"""A model that meets people it has never seen: other means, other effects, other cameras, and sessions it knows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from vsa.bond import store
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.new_cohort import evaluate_on
from vsa.bond.starting import start_from
from vsa.bond.training import train
from vsa.commands.evaluate import evaluate
from vsa.errors import InputError
from vsa.report.evaluation_text import new_cohort_text
from vsa.simulate.cohort import EFFECTS, simulate_cohort
from vsa.study.tables import read_table

pytestmark = pytest.mark.slow

STRONG = {name: 2 * r for name, r in EFFECTS.items()}
QUICK = Settings(permutations=0, draws=100, repeats=1)


def renamed(table, word="new"):
    return table.assign(
        **{name: f"{word}-" + table[name].astype(str) for name in ("session_id", "client_id")}
    )


@pytest.fixture(scope="module")
def same_world():
    return renamed(simulate_cohort(50, 4, seed=21, effects=STRONG))


@pytest.fixture(scope="module")
def found(strong_model, same_world):
    return evaluate_on(strong_model, same_world)


def test_in_the_same_world_it_does_as_in_its_training(found, strong_trained):
    told = found.performance
    trained = strong_trained.evaluation.held_out[0].of_model["r"]
    assert told.scores["r"].low < trained.high
    assert trained.low < told.scores["r"].high
    assert told.scores["r2"].value > told.training_mean["r2"].value
    assert told.slope.low < 1 < told.slope.high
    assert told.coverage.share.value == pytest.approx(0.9, abs=0.06)
    assert told.flags["auc"].low > 0.55
    assert found.simulated
    poor = found.outside["reason"].str.contains("in view|missing")
    assert poor.any()
    assert (~poor).sum() <= 0.03 * found.sessions + 1


def test_a_shifted_bond_is_seen_and_recalibration_mends_it(strong_model, same_world):
    lower = same_world.assign(bond=same_world["bond"] * 0.8 - 0.5)
    found = evaluate_on(strong_model, lower)
    assert found.performance.shift.high < -0.8
    assert "It is not calibrated here" in new_cohort_text(found, strong_model.info)
    started = start_from(strong_model, "strong.skops", lower, settings=QUICK)
    assert started.how == "recalibrate"
    assert started.r2["as it is"].value < 0 < started.r2["recalibrated"].value
    assert started.r2["recalibrated"].value > started.r2["trained anew"].value - 0.05
    model = started.trained.model
    assert model.info.started_from == "recalibrated from strong.skops"
    fresh = renamed(simulate_cohort(40, 4, seed=33, effects=STRONG), "third")
    fresh["bond"] = fresh["bond"] * 0.8 - 0.5
    assert evaluate_on(model, fresh).performance.shift.value == pytest.approx(0, abs=0.25)


def test_a_recalibrated_model_is_saved_whole(strong_model, same_world, tmp_path):
    started = start_from(strong_model, "strong.skops", same_world, how="recalibrate", settings=QUICK)
    path = tmp_path / "again.skops"
    store.save(started.trained.model, path)
    back = store.load(path)
    assert back.info == started.trained.info
    assert np.array_equal(back.expected(same_world), started.trained.model.expected(same_world))


def test_where_effects_are_others_it_is_trained_anew(strong_model):
    turned = {name: -1.5 * r for name, r in STRONG.items()}
    table = renamed(simulate_cohort(90, 4, seed=8, effects=turned))
    started = start_from(strong_model, "strong.skops", table, settings=QUICK)
    assert started.how == "refit"
    assert started.refit_gain.low > 0
    assert started.trained.info.started_from == ""
    found = evaluate_on(strong_model, table)
    assert found.performance.slope.high < 0.5


def test_sessions_of_the_training_are_left_out_and_all_of_them_refused(
    strong_model, strong_cohort, same_world
):
    both = pd.concat([strong_cohort.head(12), same_world], ignore_index=True)
    found = evaluate_on(strong_model, both)
    assert found.sessions == len(same_world)
    assert any("12 of 212 sessions were in the model's training" in note for note in found.notes)
    with pytest.raises(InputError, match=r"All 360 sessions .* were in the model's training"):
        evaluate_on(strong_model, strong_cohort)
    with pytest.raises(InputError, match="12 of these sessions were in the training"):
        start_from(strong_model, "strong.skops", both)


def test_ids_that_another_study_gave_too_are_no_sessions_of_the_training(strong_model):
    other = simulate_cohort(30, 3, seed=55, effects=STRONG)
    found = evaluate_on(strong_model, other)
    assert found.sessions == len(other)
    assert not any("in the model's training and are left out" in note for note in found.notes)
    assert any("share their ids" in note for note in found.notes)


def test_clients_of_the_training_are_named(strong_model, strong_cohort):
    again = strong_cohort.head(40).assign(session_id=[f"later-{k}" for k in range(40)])
    assert any("10 clients have other sessions" in note for note in evaluate_on(strong_model, again).notes)


def test_another_camera_shows_as_drift_and_its_first_name_is_the_moved_signal(strong_model, same_world):
    moved = same_world.copy()
    name = "client.head.movement_deg_per_s"
    moved[name] = moved[name] * 4
    found = evaluate_on(strong_model, moved)
    assert "client: " in " ".join(found.drift.said())
    worst = max(found.drift.features, key=lambda one: one.psi)
    assert worst.feature == name


def test_without_bonds_or_with_few_it_says_what_it_can(strong_model, same_world):
    none = evaluate_on(strong_model, same_world.drop(columns="bond"))
    assert none.performance is None
    assert "no column 'bond'" in none.why
    few = same_world.assign(bond=same_world["bond"].where(same_world.index < 8))
    assert "8 sessions with a bond: 20 are the least" in evaluate_on(strong_model, few).why


def test_real_and_simulated_are_never_taken_for_each_other(strong_model, same_world):
    real = same_world.drop(columns="simulated")
    assert any(
        "says nothing about how it does for people" in note for note in evaluate_on(strong_model, real).notes
    )
    with pytest.raises(InputError, match="trained on SIMULATED sessions, and these are real"):
        start_from(strong_model, "strong.skops", real)


def test_the_command_writes_what_the_library_finds(strong_model, same_world, found, tmp_path):
    store.save(strong_model, tmp_path / "m.skops")
    same_world.to_csv(tmp_path / "new.csv", index=False)
    arguments = ["m.skops", "new.csv", "--out", "out", "--json"]
    done = CliRunner().invoke(evaluate, [str(tmp_path / one) if one[0] != "-" else one for one in arguments])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["performance"]["scores"]["r2"]["value"] == pytest.approx(found.performance.scores["r2"].value)
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == told
    assert len(pd.read_csv(tmp_path / "out" / "outside.csv")) == len(found.outside)
    words = CliRunner().invoke(evaluate, [str(tmp_path / "m.skops"), str(tmp_path / "new.csv")]).stdout
    for said in (
        "SIMULATED",
        "sessions with a bond",
        "slope",
        "can't be judged",
        "differ from those of the training",
    ):
        assert said in words


def test_models_of_other_raters_are_told_apart(strong_model, same_world, tmp_path):
    by_therapist = same_world.assign(rater="therapist")
    assert any("rated by therapist" in note for note in evaluate_on(strong_model, by_therapist).notes)
    both = pd.concat([same_world.assign(rater="client"), by_therapist])[["session_id", "rater", "bond"]]
    both.to_csv(tmp_path / "both.csv", index=False)
    from vsa.study.tables import of_rater

    table = read_table(tmp_path / "both.csv")
    assert len(of_rater(table, "Client")) == len(same_world)
    with pytest.raises(InputError, match="no bonds rated by 'observer'"):
        of_rater(table, "observer")


def test_a_small_cohort_can_be_trained_in_the_same_words():
    table = simulate_cohort(12, 2, seed=1)
    assert any("12 clients are few" in line for line in train(table, settings=QUICK).evaluation.warnings)
