"""What a design asks for is what is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from vsa.errors import InputError
from vsa.simulate.cohort import CohortDesign, draw

SMILE, NOD = "therapist.face.smile_share", "client.head.nod_rate_per_min"
LARGE = CohortDesign(
    clients=1200,
    sessions=(2, 6),
    changing=0.3,
    anxiety_r=-0.2,
    avoidance_r=-0.3,
    in_person_share=0.4,
    in_person_d=0.3,
    effects={SMILE: 0.25},
    within={NOD: 0.3},
    unrated=0.1,
)


@pytest.fixture(scope="module")
def large():
    return draw(LARGE, seed=3)


def ranked(values):
    """Features have skewed scales; ranks undo that."""
    return pd.Series(values).rank().to_numpy()


def r(x, y):
    known = np.isfinite(x) & np.isfinite(y)
    return float(np.corrcoef(x[known], y[known])[0, 1])


def test_the_bond_is_made_of_the_parts_that_were_asked_for(large):
    truth = large.truth
    assert truth["latent_session"].var() == pytest.approx(0.45, abs=0.03)
    client = truth["latent_client"].groupby(large.table["client_id"]).first()
    person = large.table.groupby("client_id")["modality"].first() == "in_person"
    assert client[~person.to_numpy()].var() == pytest.approx(0.5, abs=0.06)
    assert (truth.filter(["latent_therapist", "latent_client", "latent_session"]).sum(axis=1)).to_numpy() == (
        pytest.approx(truth["latent_bond"].to_numpy())
    )
    assert client[person.to_numpy()].mean() - client[~person.to_numpy()].mean() == pytest.approx(
        0.3, abs=0.12
    )


def test_effects_between_and_within_clients_are_told_apart(large):
    table, bond = large.table, large.truth["latent_bond"].to_numpy()
    assert r(ranked(table[SMILE]), bond) == pytest.approx(0.25, abs=0.05)
    change = large.truth["latent_session"].to_numpy()
    assert r(ranked(table[NOD]), change) == pytest.approx(0.3, abs=0.05)
    level = large.truth["latent_client"].to_numpy() + large.truth["latent_therapist"].to_numpy()
    assert abs(r(ranked(table[NOD]), level)) < 0.05


def test_clients_have_as_many_sessions_as_allowed_and_some_change_therapist(large):
    count = large.table.groupby("client_id").size()
    assert set(count) == {2, 3, 4, 5, 6}
    changes = large.table.groupby("client_id")["therapist_id"].nunique() > 1
    assert changes.mean() == pytest.approx(0.3, abs=0.05)
    assert large.table["session_id"].is_unique


def test_some_sessions_have_no_bond_and_no_answers(large):
    missing = large.table["bond"].isna()
    assert missing.mean() == pytest.approx(0.1, abs=0.02)
    assert set(large.answers["session_id"]) >= set(large.table["session_id"][~missing])


def test_attachment_goes_with_the_bond_and_with_the_four_prototypes(large):
    per_client = large.truth.groupby(large.table["client_id"])["latent_client"].first()
    ratings = large.attachment_answers.set_index("client_id").loc[per_client.index]
    anxious = (
        ratings["rq_fearful"] + ratings["rq_preoccupied"] - ratings["rq_secure"] - ratings["rq_dismissing"]
    )
    assert -0.4 < r(anxious.to_numpy(float), per_client.to_numpy()) < -0.1
    assert ratings.filter(like="rq_").min().min() == 1
    assert ratings.filter(like="rq_").max().max() == 7


def test_a_slow_platform_lengthens_gaps_and_nothing_else(large):
    online = large.table[large.table["modality"] == "online"]
    slow = online["platform"] == "platform B"
    by = online.groupby(slow)
    offset = by["dyad.turns.transfer_offset_median_s"].mean()
    assert offset[True] - offset[False] == pytest.approx(0.35, abs=0.06)
    # clients differ, sessions of one are alike: the error of a mean is one over clients
    assert abs(by["bond"].mean().diff().iloc[-1]) < 0.12


def test_growth_shows_over_sessions():
    cohort = draw(CohortDesign(clients=400, sessions=(5, 5), growth=0.2), seed=2)
    means = cohort.truth.groupby(cohort.table["session_number"])["latent_bond"].mean()
    assert np.polyfit(means.index, means, 1)[0] == pytest.approx(0.2, abs=0.03)


def test_nothing_latent_is_in_what_a_model_gets(large):
    assert not [name for name in large.table if "latent" in str(name)]
    assert not [name for name in large.answers if "latent" in str(name)]
    for part in (large.table, large.truth, large.answers, large.attachment_answers):
        assert part["simulated"].all()


def test_features_that_tell_clients_apart_leak_where_folds_split_clients():
    names = (
        "client.gaze.on_screen_share",
        "client.blink.rate_per_min",
        "client.face.smile_share",
        "client.head.movement_deg_per_s",
    )
    design = CohortDesign(
        clients=47, sessions=(5, 6), client_share=0.9, therapist_share=0.0, effects={}, identity=names
    )
    gaps = []
    for seed in range(2):
        cohort = draw(replace(design, gaps=0.0, poor=0.0), seed)
        x = np.column_stack([ranked(cohort.table[name]) for name in names])
        y, clients = cohort.truth["latent_bond"].to_numpy(), cohort.table["client_id"]
        forest = RandomForestRegressor(40, random_state=0)
        split = cross_val_predict(forest, x, y, cv=KFold(5, shuffle=True, random_state=0))
        held = cross_val_predict(forest, x, y, cv=GroupKFold(5), groups=clients)
        gaps.append(r(split, y) - r(held, y))
        assert r(cross_val_predict(Ridge(), x, y, cv=GroupKFold(5), groups=clients), y) < 0.25
    assert np.mean(gaps) > 0.3, gaps


def test_the_seed_decides():
    small = CohortDesign(clients=8, sessions=(1, 3))
    one, same, other = draw(small, 1), draw(small, 1), draw(small, 2)
    for name in ("table", "truth", "answers", "attachment_answers"):
        assert getattr(one, name).equals(getattr(same, name))
        assert not getattr(one, name).equals(getattr(other, name))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"clients": 0}, "no cohort"),
        ({"sessions": (3, 2)}, "no cohort"),
        ({"client_share": 0.97, "therapist_share": 0.1}, "don't add up"),
        ({"client_share": 0.01}, "don't add up"),
        ({"effects": {SMILE: 1.0}}, "can't correlate so highly"),
        ({"effects": {SMILE: 0.8}, "within": {SMILE: 0.7}}, "can't correlate so highly"),
        ({"instrument": "no-such"}, "no questionnaire"),
    ],
)
def test_what_cannot_be_drawn_is_said(change, said):
    with pytest.raises(InputError, match=said):
        draw(replace(CohortDesign(clients=5), **change))
