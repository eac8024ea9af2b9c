from __future__ import annotations

import pandas as pd
import pytest

from vsa.features.registry import features, find
from vsa.simulate.cohort import EFFECTS, simulate_cohort


@pytest.fixture(scope="module")
def large():
    return simulate_cohort(1500, 4, seed=0)


def test_columns_are_those_of_the_registry_and_all_rows_say_simulated(large):
    expected = {
        f"{scope}.{entry.name}"
        for entry in features()
        for scope in (("dyad",) if entry.scope == "dyad" else ("client", "therapist"))
    }
    assert expected == {name for name in large.columns if name.count(".") == 2}
    assert large["simulated"].all()
    assert large["session_id"].is_unique
    assert all(
        large[name].str.startswith("sim-").all() for name in ("session_id", "client_id", "therapist_id")
    )


def test_effects_have_the_size_that_was_asked_for(large):
    for name in (column for column in large if column.count(".") == 2 and ".quality." not in column):
        r = large[name].corr(large["bond"], method="spearman")
        assert r == pytest.approx(EFFECTS.get(name, 0.0), abs=0.07), name


def test_sessions_lie_within_clients_within_therapists(large):
    assert large.groupby("client_id")["therapist_id"].nunique().max() == 1
    between = large.groupby("client_id")["bond"].mean().var() - large["bond"].var() / 4
    shared = (
        large.groupby("client_id")["bond"].mean().var() - large.groupby("client_id")["bond"].var().mean() / 4
    ) / (large["bond"].var())
    assert between > 0
    # the questionnaire is not perfectly reliable: its error lies within clients
    assert shared == pytest.approx(0.55 * 0.9, abs=0.06)


def test_values_lie_in_range_and_some_are_missing(large):
    for name in (column for column in large if column.count(".") == 2):
        low, high = find(name).range
        values = large[name].dropna()
        assert low is None or values.min() >= low
        assert high is None or values.max() <= high
    assert large["bond"].dropna().between(1, 5).all()
    assert large["bond"].isna().mean() < 0.01  # two of four answers left out
    assert 0.03 < large["client.face.smile_share"].isna().mean() < 0.12
    assert 0.02 < (large["client.quality.tracked_share"] < 0.5).mean() < 0.08


def test_the_seed_decides():
    assert simulate_cohort(10, 2, seed=4).equals(simulate_cohort(10, 2, seed=4))
    assert not simulate_cohort(10, 2, seed=4).equals(simulate_cohort(10, 2, seed=5))


def test_nothing_predicts_the_bond_where_no_effect_was_asked_for():
    table = simulate_cohort(1500, 4, seed=0, effects={})
    assert table.select_dtypes(float).corrwith(table["bond"]).drop("bond").abs().max() < 0.07
    assert isinstance(table, pd.DataFrame)
    assert table["bond"].std() > 0.5
