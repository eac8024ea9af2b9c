from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.flags import NO_BETTER, UNCLEAR, flag
from vsa.bond.training import train
from vsa.bond.weak import Weak
from vsa.errors import InputError
from vsa.simulate.cohort import EFFECTS, simulate_cohort

QUICK = Settings(permutations=0, draws=50, repeats=1)


@pytest.fixture(scope="module")
def new_sessions():
    """Sessions of other people, of the same world."""
    table = simulate_cohort(50, 2, seed=77, effects={name: 2 * r for name, r in EFFECTS.items()})
    return table.assign(**{name: "new-" + table[name].astype(str) for name in ("session_id", "client_id")})


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
    assert judged["probability"].is_monotonic_decreasing
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
    assert (
        flags.table["label"]
        .str.contains("among the 10 of 100 sessions in which a weak bond is most probable")
        .all()
    )
    assert flags.table["simulated"].all()
    assert flags.table["model_against_mean"].eq("better").all()
    assert any("SIMULATED" in note for note in flags.notes)
    assert any("decides nothing about a person" in note for note in flags.notes)
    record = json.loads(json.dumps(flags.record(), allow_nan=False))
    assert record["counts"] == flags.counts


@pytest.mark.slow
def test_a_model_without_skill_says_that_its_flags_are_lots():
    table = simulate_cohort(30, 3, seed=9, effects={})
    model = train(table, settings=QUICK).model
    assert model.info.verdict != "better"
    assert {"no better": NO_BETTER, "unclear": UNCLEAR}[model.info.verdict] in flag(model, table).notes


def test_the_interval_and_the_reasons_stand_on_every_flag(flags, strong_model, new_sessions):
    judged = flags.table[flags.table["verdict"] != "abstain"]
    assert (judged["expected_low"] < judged["expected_bond"]).all()
    assert (judged["expected_bond"] < judged["expected_high"]).all()
    bond = new_sessions.set_index("session_id")["bond"]
    known = judged[judged["session_id"].isin(bond.dropna().index)].set_index("session_id")
    held = (bond[known.index] >= known["expected_low"]) & (bond[known.index] <= known["expected_high"])
    assert 0.8 < held.mean() <= 1
    weak = judged[judged["verdict"] == "weak"]
    assert weak["reason_1"].str.contains("lower than|higher than").all()
    assert weak["reason_1_feature"].isin(strong_model.info.features).all()
    assert weak["reason_1_direction"].isin(["low", "high"]).all()


def test_a_reason_is_what_pulls_the_expected_bond_down(strong_model, new_sessions):
    """Planted: one signal of one session at its worst end becomes its first reason."""
    table = new_sessions.copy()
    features = list(strong_model.info.features)
    table[features] = table[features].fillna(table[features].median())
    worst = "therapist.head.nod_rate_per_min"  # goes with a higher bond in this cohort
    one = table["client_id"] == table["client_id"].iloc[0]
    table.loc[one, features] = table[features].median().to_numpy()
    table.loc[one, worst] = table[worst].min()
    row = flag(strong_model, table, 1).table.set_index("session_id").loc[table["session_id"].iloc[0]]
    assert row["reason_1_feature"] == worst
    assert row["reason_1_direction"] == "low"
    assert row["reason_1"].startswith("therapist: nods per minute: ")
    better = table.copy()
    better.loc[one, worst] = table[worst].median()
    assert strong_model.expected(better)[0] > strong_model.expected(table)[0]


def test_a_threshold_takes_all_from_a_probability_on(strong_model, new_sessions):
    table = flag(strong_model, new_sessions, threshold=0.4).table
    weak = table[table["verdict"] == "weak"]
    assert len(weak) > 0
    assert (weak["probability"] >= 0.4).all()
    assert not (table.loc[table["verdict"] == "ok", "probability"] >= 0.4).any()
    assert table["label"].str.contains("probability of 40% or more").all()
    for wrong in (0, 1, 30):
        with pytest.raises(InputError, match="no probability"):
            flag(strong_model, new_sessions, threshold=wrong)


def test_sessions_unlike_the_training_are_not_judged(strong_model, new_sessions):
    table = new_sessions.copy()
    features = list(strong_model.info.features)
    table[features] = table[features].fillna(table[features].median())
    quality = [name for name in table if name.endswith("quality.tracked_share")]
    table[quality] = 0.95
    far = table.index[:5]
    for name in features:
        table.loc[far, name] = table[name].median() + 6 * table[name].std()
    rows = flag(strong_model, table, 1).table.set_index("session_id")
    assert (rows.loc[table.loc[far, "session_id"], "verdict"] == "abstain").all()
    assert rows.loc[table.loc[far, "session_id"], "reason"].str.len().min() > 20
    assert (rows["verdict"] == "abstain").sum() <= 5 + 4


def test_sessions_of_the_training_are_named(strong_model, strong_cohort):
    found = flag(strong_model, strong_cohort.head(30))
    assert found.table["in_training"].all()
    assert any("30 of these sessions were in the model's training" in note for note in found.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weak", "said"),
    [(Weak("drop", 1), "below the client's own mean"), (Weak("below", 3.5), "at or below 3.5")],
)
def test_what_weak_means_is_the_users_choice_and_printed(strong_cohort, new_sessions, weak, said):
    settings = Settings(permutations=0, draws=50, repeats=1, weak=weak)
    model = train(strong_cohort.head(160), settings=settings).model
    table = flag(model, new_sessions).table
    assert table["label"].str.contains(said).all()
    if weak.kind == "drop":
        alone = flag(model, new_sessions.drop_duplicates("client_id")).table
        reasons = alone.loc[alone["verdict"] == "abstain", "reason"]
        assert len(alone) == len(reasons)
        assert reasons.str.contains("only session of its client").any()


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
