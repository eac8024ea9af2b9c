"""Baselines, parts, the learning curve and the ceiling, each against the same worked out another way."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from vsa.bond.cohort import Cohort
from vsa.bond.design import design_of
from vsa.bond.evaluation.baselines import from_history, plain
from vsa.bond.evaluation.ceiling import ceiling
from vsa.bond.evaluation.flag_scores import THRESHOLDS, _net_benefit
from vsa.bond.evaluation.held_out import Candidates, Predictions, hold_out
from vsa.bond.evaluation.parts import learning_curve, parts
from vsa.bond.folds import folds
from vsa.bond.learners.choice import Learner
from vsa.bond.learners.families import Ridge
from vsa.errors import InputError
from vsa.simulate.cohort import EFFECTS, CohortDesign, draw, simulate_cohort


def predictions_of(values):
    return Predictions((), (), {"features": values[None]}, np.zeros((1, len(values))))


def test_what_a_client_reported_before_is_taken_in_the_order_of_the_sessions():
    table = simulate_cohort(20, 3, seed=0)
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    cohort = Cohort.from_table(shuffled)
    mean = np.full((2, len(cohort)), 9.0)
    found = from_history(cohort, mean)
    rows = shuffled.set_index(["client_id", "session_number"])["bond"]
    for k, row in shuffled.iterrows():
        before = [rows[row["client_id"], n] for n in range(1, row["session_number"])]
        assert found["previous_bond"][1, k] == pytest.approx(before[-1] if before else 9.0)
        assert found["running_mean"][0, k] == pytest.approx(np.mean(before) if before else 9.0)
    assert from_history(Cohort.from_table(table.drop(columns="session_number")), mean) == {}
    assert from_history(Cohort.from_table(simulate_cohort(30, 1, seed=0)), mean[:, :30]) == {}


def test_dates_give_the_order_too():
    table = simulate_cohort(20, 3, seed=0)
    mean = np.zeros((1, len(table)))
    by_number = from_history(Cohort.from_table(table), mean)
    dated = table.assign(date=[f"2026-0{n}-11" for n in table["session_number"]]).drop(
        columns="session_number"
    )
    by_date = from_history(Cohort.from_table(dated), mean)
    assert by_date["running_mean"] == pytest.approx(by_number["running_mean"])


def test_covariates_and_quality_alone_predict_where_they_carry_the_bond():
    table = simulate_cohort(40, 2, seed=0)
    noise = np.random.default_rng(0).standard_normal((2, len(table)))
    table["age"] = table["bond"] * 10 + 4 * noise[0]
    table["client.quality.snr_db"] = -table["bond"] * 10 + 4 * noise[1]
    cohort = Cohort.from_table(table)
    outer = folds(cohort.clients, 0)
    for what in ("covariates", "quality"):
        assert np.corrcoef(plain(cohort, what, cohort.clients, outer, 0), cohort.bond)[0, 1] > 0.7
    bare = Cohort.from_table(table, covariates=[])
    assert plain(bare, "covariates", cohort.clients, outer, 0) is None


def test_parts_are_those_of_a_data_frame_and_small_ones_are_not_told():
    table = simulate_cohort(60, 2, seed=3)
    rare = table["client_id"].isin(table["client_id"].unique()[:9])
    table["gender"] = np.where(rare, "rare", np.where(table.index % 4 < 2, "woman", "man"))
    cohort = Cohort.from_table(table)
    rng = np.random.default_rng(0)
    expected, inside = cohort.bond + rng.standard_normal(len(cohort)), (rng.random(len(cohort)) < 0.8) * 1.0
    found = {(one.by, one.value): one for one in parts(cohort, predictions_of(expected), "features", inside)}
    tracked = table[["client.quality.tracked_share", "therapist.quality.tracked_share"]].min(axis=1)
    frame = table.assign(error=expected - table["bond"], inside=inside, unseen=1 - tracked)
    for kind in ("woman", "man"):
        own, one = frame[frame["gender"] == kind], found["gender", kind]
        assert (one.clients, one.sessions) == (own["client_id"].nunique(), len(own))
        assert one.mae == pytest.approx(own["error"].abs().mean())
        assert one.bias == pytest.approx(own["error"].mean())
        assert one.coverage == pytest.approx(own["inside"].mean())
        assert one.missing_face == pytest.approx(own["unseen"].mean())
    assert ("gender", "rare") not in found
    assert all(one.clients >= 10 for one in found.values())
    assert {"gender", "diagnosis", "age", "modality"} >= {by for by, _ in found}


def test_ages_go_into_bands_at_their_lower_edge():
    table = simulate_cohort(20, 1, seed=0).assign(age=[17, 18, 29, 30, 44, 45, 59, 60, 85, np.nan] * 2)
    bands = Cohort.from_table(table).groups["age"].tolist()[:9]
    assert bands == ["under 18", "18-29", "18-29", "30-44", "30-44", "45-59", "45-59", "60+", "60+"]
    assert pd.isna(Cohort.from_table(table).groups["age"].iloc[9])


def test_the_learning_curve_rises_and_ends_at_all_clients():
    effects = {name: 2 * r for name, r in EFFECTS.items()}
    cohort = Cohort.from_table(draw(CohortDesign(clients=120, effects=effects), 6).table)
    none = cohort.covariates[[]]
    design = design_of(cohort.features, cohort.clients, none)
    x = design.matrix(cohort.features, cohort.clients, none)
    candidates = Candidates((Learner(design, (Ridge(),)), x), None, "features")
    curve = learning_curve(cohort, candidates, seed=0)
    assert [point.clients for point in curve] == [48, 72, 96, 120]
    assert curve[-1].r2 > curve[0].r2
    whole, _ = hold_out(cohort, candidates, cohort.clients, "client", seed=0, draws=10, repeats=1)
    assert curve[-1].r2 == pytest.approx(whole.of_model["r2"].value)


def test_the_ceiling_is_what_the_reliability_allows():
    found = ceiling(0.81, False, 0.45)
    assert (found.r, found.r2, found.corrected_r) == pytest.approx((0.9, 0.81, 0.5))
    assert ceiling(None, False, 0.3) is None
    assert "not of this cohort" in ceiling(None, True, 0.3).source
    for wrong in (0, 1.2, -1):
        with pytest.raises(InputError, match="is none"):
            ceiling(wrong, True, 0.3)
    # a perfect model of a true score that is measured with this reliability reaches just that
    rng = np.random.default_rng(0)
    true = rng.standard_normal(200_000)
    seen = math.sqrt(0.81) * true + math.sqrt(0.19) * rng.standard_normal(200_000)
    assert np.corrcoef(true, seen)[0, 1] == pytest.approx(found.r, abs=0.005)


def test_net_benefit_is_that_of_vickers_and_elkin():
    p = np.array([[0.9, 0.6, 0.35, 0.2, 0.1]])
    y = np.array([[1.0, 0, 1, 0, 0]])
    flags, everybody = _net_benefit(y, p, 0.3)
    odds = 0.3 / 0.7
    assert flags == pytest.approx(2 / 5 - 1 / 5 * odds)
    assert everybody == pytest.approx(2 / 5 - 3 / 5 * odds)
    assert THRESHOLDS[0] == 0.05
