from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from vsa.bond.seen.support import Support, learn_support
from vsa.features.core import is_core
from vsa.simulate.cohort import CohortDesign, draw
from vsa.simulate.cohort_design import columns

pytestmark = pytest.mark.slow

CORE = [name for name in columns() if is_core(name)]
MANY = [name for name in columns() if ".quality." not in name][:200]
QUALITY = [name for name in columns() if ".quality." in name]


def cohort(seed, clients=80, sessions=3, **design):
    return draw(CohortDesign(clients, (sessions, sessions), **design), seed).table


def learned(table, features=CORE, quality=QUALITY):
    return learn_support(table[features], table[quality], table["client_id"].to_numpy(str), 0)


@pytest.fixture(scope="module")
def table():
    return cohort(0)


@pytest.fixture(scope="module")
def support(table):
    return learned(table)


def whole(seed, clients=40):
    """Sessions of new people with nothing missing, of the same world."""
    return cohort(seed, clients, poor=0.0, gaps=0.0)


def test_new_people_of_the_same_world_lie_inside():
    outside, sessions = 0, 0
    for seed in range(6):
        support, new = learned(cohort(seed)), cohort(100 + seed)
        outside += sum(reason != "" for reason in support.outside(new[CORE], new[QUALITY]))
        sessions += len(new)
    assert outside / sessions <= 0.02


def test_sessions_whose_signals_moved_lie_outside_and_the_reason_names_those(table, support):
    new = whole(200)
    moved = ["client.head.nod_rate_per_min", "dyad.turns.silence_share"]
    sd = table[CORE].std()
    everything = new[CORE] + 4 * sd
    assert (support.distance(everything) > 1).all()
    six = new[CORE].copy()
    rng = np.random.default_rng(0)
    for name in rng.choice(CORE, 6, replace=False):
        six[name] += 4 * sd[name] * rng.choice([-1, 1])
    assert (support.distance(six) > 1).mean() > 0.8
    two = new[CORE].copy()
    two[moved] += 30 * sd[moved]
    reasons = support.outside(two, new[[]])
    assert np.mean([reason != "" for reason in reasons]) > 0.95
    named = [reason for reason in reasons if reason]
    both = ("client: nods per minute", "both: silence share")
    assert np.mean([all(one in reason for one in both) for reason in named]) > 0.95
    assert all("times the limit) than 99.5 % of new people's did: most of all " in reason for reason in named)


def test_another_camera_lies_outside_and_is_said_with_its_values(table, support):
    new = whole(201)
    quality = new[QUALITY].copy()
    quality["client.quality.face_height_px"] = 18.0
    for reason in support.outside(new[CORE], quality):
        assert "the client's face is 18 px high, and the model saw " in reason
    name = "therapist.quality.frame_rate_hz"
    low, high = table[name].min(), table[name].max()
    quality = new[QUALITY].copy()
    quality[name] = 50 * high
    reason = support.outside(new[CORE], quality)[0]
    assert reason.startswith("therapist: ")
    assert f"and the model saw {low:.2g} to {high:.2g} Hz" in reason


def test_few_sessions_with_many_features_do_not_put_all_new_people_outside():
    from sklearn.covariance import LedoitWolf

    outside, naive = [], []
    for seed in range(5):
        old, new = cohort(seed, 25, 2), cohort(100 + seed, 50, 2)
        support = learned(old, MANY)
        outside.append((support.distance(new[MANY]) > 1).mean())
        # the trap: a limit from the sessions that the covariance was estimated from
        middle, sd = old[MANY].median(), old[MANY].std()
        z, z_new = (((one[MANY] - middle) / sd).fillna(0.0).to_numpy() for one in (old, new))
        model = LedoitWolf().fit(z)
        naive.append((model.mahalanobis(z_new) > np.quantile(model.mahalanobis(z), 0.995)).mean())
    assert np.mean(outside) <= 0.03
    assert np.mean(naive) > 0.3
    assert (learned(cohort(9, 25, 2), MANY).distance(cohort(109, 50, 2)[MANY] * 3) > 1).mean() > 0.9


def test_the_distance_is_that_of_mahalanobis_in_the_features_that_are_there(support):
    from scipy.spatial.distance import mahalanobis

    new = whole(202, 6)
    rng = np.random.default_rng(1)
    values = new[CORE].mask(rng.random((len(new), len(CORE))) < 0.4)
    found = support.distance(values)
    covariance = np.linalg.inv(support.precision)
    for row, distance in zip(values.to_numpy(), found, strict=True):
        there = np.flatnonzero(np.isfinite(row))
        z = 2 * np.arcsinh((row - support.center) / support.scale / 2)
        precision = np.linalg.inv(covariance[np.ix_(there, there)])
        assert distance * support.limit == pytest.approx(
            mahalanobis(z[there], support.mean[there], precision)
        )


def test_missing_values_never_push_a_session_outside(support):
    new = whole(203)
    rng = np.random.default_rng(2)
    values = new[CORE] * rng.lognormal(0, 0.5, (len(new), 1))
    before = support.distance(values)
    for share in (0.1, 0.5, 0.9):
        hidden = values.mask(rng.random(values.shape) < share)
        after = support.distance(hidden)
        known = np.isfinite(after)
        assert known.sum() > 0.8 * len(new)
        assert (after[known] <= before[known] + 1e-9).all()


def test_training_sessions_with_gaps_do_not_put_complete_ones_outside():
    outside = []
    for seed in range(5):
        support, new = learned(cohort(seed, gaps=0.4, poor=0.0), CORE), cohort(100 + seed, gaps=0.0, poor=0.0)
        outside.append((support.distance(new[CORE]) > 1).mean())
    assert np.mean(outside) <= 0.02


def test_a_session_without_any_feature_has_no_distance_and_no_reason(support):
    nothing = pd.DataFrame(np.nan, index=range(2), columns=CORE)
    assert np.isnan(support.distance(nothing)).all()
    assert support.outside(nothing, pd.DataFrame(index=range(2))) == ["", ""]


def test_unusual_combinations_lie_outside_though_each_value_is_usual():
    rng = np.random.default_rng(3)
    shared = rng.standard_normal((400, 1))
    names = ["client.own.a", "client.own.b", "client.own.c"]
    features = pd.DataFrame(shared + 0.1 * rng.standard_normal((400, 3)), columns=names)
    clients = np.repeat(np.arange(200), 2).astype(str)
    support = learn_support(features, pd.DataFrame(index=features.index), clients, 0)
    usual, unusual = [1.0, 1.0, 1.0], [1.0, -1.0, 1.0]
    distance = support.distance(pd.DataFrame([usual, unusual, [1.0, np.nan, 1.0]], columns=names))
    assert distance[0] < 1 < distance[1]
    assert distance[2] < 1


def test_qualities_that_are_missing_or_not_there_give_no_reason(support):
    new = whole(204)
    quality = new[QUALITY].copy()
    quality["client.quality.face_height_px"] = np.nan
    inside = np.flatnonzero(support.distance(new[CORE]) <= 1)
    rest = [name for name in QUALITY if name != "client.quality.face_height_px"]
    assert support.outside(new[CORE], quality) == support.outside(new[CORE], new[rest])
    reasons = support.outside(new[CORE], pd.DataFrame({"client.quality.unheard_of": 1e9}, index=new.index))
    assert all(reasons[k] == "" for k in inside)


def test_only_the_recordings_of_people_that_the_model_knows_count(table, support):
    new = whole(205)
    quality = new[QUALITY].assign(**{"therapist.quality.face_height_px": 5.0})
    own = [name for name in CORE if name.startswith("client.")]
    of_client = learned(table, own)
    assert not any("therapist" in reason for reason in of_client.outside(new[own], quality))
    assert all("therapist's face" in reason for reason in support.outside(new[CORE], quality))
    assert not any("therapist's" in reason for reason in support.outside(new[CORE], quality, ("client",)))


def test_a_quality_that_was_always_the_same_allows_what_is_nearly_the_same(table):
    name, own = "client.quality.frozen_share", "client.quality.own_count"
    old = table.assign(**{name: 0.0, own: 0.0})
    support = learned(old, quality=[name, own])
    values = table[CORE].head(3).fillna(table[CORE].median())
    quality = pd.DataFrame({name: [0.0, 0.02, 0.4], own: [0.0, 5.0, 5.0]}, index=values.index)
    reasons = support.outside(values, quality)
    assert [("frozen" in reason) for reason in reasons] == [False, False, True]
    assert "40 %, and the model saw 0 %" in reasons[2]
    assert not any("own count" in reason for reason in reasons)


def test_the_same_support_comes_back_from_a_file_without_pickle(support):
    new = cohort(206, 20)
    file = io.BytesIO()
    np.savez(file, **support.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as held:
        read = Support.from_arrays(dict(held))
        broken = dict(held)
    assert np.array_equal(read.distance(new[CORE]), support.distance(new[CORE]), equal_nan=True)
    quality = new[QUALITY] * 9
    assert read.outside(new[CORE], quality) == support.outside(new[CORE], quality)
    with pytest.raises(ValueError, match="precision has the shape"):
        Support.from_arrays(broken | {"precision": broken["precision"][1:]})
    with pytest.raises(ValueError, match="names don't fit"):
        Support.from_arrays(broken | {"recordings_allowed": broken["recordings_allowed"][1:]})
    with pytest.raises(KeyError):
        Support.from_arrays({name: array for name, array in broken.items() if name != "limit"})


def test_the_same_training_gives_the_same_support(table, support):
    again = learned(table)
    for name, array in support.to_arrays().items():
        assert np.array_equal(array, again.to_arrays()[name], equal_nan=array.dtype.kind == "f")
