from __future__ import annotations

import json
import re
import time
from dataclasses import asdict
from math import log

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, ks_2samp

from vsa.bond.seen.classifier import told_apart
from vsa.bond.seen.drift import drift
from vsa.bond.seen.features import psi
from vsa.bond.seen.reference import MISSING, Reference
from vsa.bond.seen.sides import Sides
from vsa.errors import InputError
from vsa.features.core import is_core
from vsa.simulate.cohort import CohortDesign, draw
from vsa.simulate.cohort_design import columns

pytestmark = pytest.mark.slow

CORE = [name for name in columns() if is_core(name)]
#: Clients of one therapist are alike in what therapists do, and in no other feature.
OF_CLIENTS = [name for name in CORE if not name.startswith("therapist.")]
NODS = "client.head.nod_rate_per_min"


def cohort(seed, clients, sessions, **design):
    sessions = (sessions, sessions) if isinstance(sessions, int) else sessions
    return draw(CohortDesign(clients, sessions, **design), seed).table


def compared(old, new, features=OF_CLIENTS, by="client_id", unit="clients", seed=0):
    groups = [table[by].to_numpy(str) for table in (old, new)]
    return drift(Reference.of(old[features]), new[features], *groups, seed=seed, unit=unit)


def cohorts(seed, many, clients, sessions, **design):
    """Cohorts of other clients and therapists, of one world; a draw for all of them is quicker than one for each."""
    table = cohort(seed, many * clients, sessions, **design)
    whose = table.groupby("client_id", sort=False).ngroup().to_numpy() // clients
    parts = [table[whose == k].reset_index(drop=True) for k in range(many)]
    assert sum(part["therapist_id"].nunique() for part in parts) == table["therapist_id"].nunique()
    return parts


@pytest.fixture(scope="module")
def worlds():
    return cohort(0, 75, 4), cohort(500, 75, 4)


def rejected(pairs, **how):
    """Share of pairs of cohorts that are told apart, share in which some feature differs, and what is found."""
    found = [compared(old, new, seed=k, **how) for k, (old, new) in enumerate(pairs)]
    return (
        np.mean([one.p <= 0.05 for one in found]),
        np.mean([len(one.differing) > 0 for one in found]),
        found,
    )


def test_new_people_of_the_same_world_are_told_apart_no_more_often_than_chance():
    parts = cohorts(3, 40, 36, 3)
    whole, features, found = rejected(zip(parts[::2], parts[1::2], strict=True), features=OF_CLIENTS[:6])
    assert whole <= 0.1
    assert features <= 0.1
    p = np.array([one.p for one in found])
    assert 0.3 < np.median(p) < 0.7
    assert p.min() < 0.25 < 0.75 < p.max()
    of_features = np.array([one.p for each in found for one in each.features])
    assert (of_features <= 0.05).mean() < 0.08
    assert (of_features <= 0.5).mean() == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(("old", "new"), [((60, 3), (6, 15)), ((60, 4), (24, 1))], ids=["many", "one"])
def test_clients_with_other_numbers_of_sessions_raise_no_alarm(old, new):
    names = OF_CLIENTS[:4]
    pairs = list(zip(cohorts(0, 10, *old, habit=0.9), cohorts(1, 10, *new, habit=0.9), strict=True))
    whole, features, _ = rejected(pairs, features=names)
    assert whole <= 0.15
    assert features <= 0.15
    # where clients have many, sessions that are taken for people do
    naive = [min(ks_2samp(a[name].dropna(), b[name].dropna()).pvalue for name in names) for a, b in pairs]
    if new[1] > 1:
        assert np.mean(np.array(naive) <= 0.05 / len(names)) > 0.4


def test_therapists_with_many_clients_raise_an_alarm_unless_whole_therapists_are_compared():
    parts = cohorts(5, 12, 60, 2)
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    names = [name for name in CORE if name.startswith("therapist.")]
    whole, features, found = rejected(pairs, features=names, by="therapist_id", unit="therapists")
    assert whole <= 0.17
    assert features <= 0.17
    assert all("With 10 therapists here and 10 in the training" in one.said()[1] for one in found)
    alarms = [compared(*pair, features=names) for pair in pairs[:2]]
    for one in alarms:
        if one.p <= 0.05:
            assert "where some share a therapist" in one.said()[-1]
    assert any(one.p <= 0.05 for one in alarms)


def test_a_feature_that_moved_is_found_and_named_first(worlds):
    old, new = worlds
    moved = new.assign(**{NODS: new[NODS] + old[NODS].std()})
    found = compared(old, moved)
    first, second = found.features[:2]
    assert first.feature == NODS
    assert first.q <= 0.05 < second.q
    assert first.psi > 0.3 > first.psi_by_chance
    assert first.difference > 0.5
    assert found.auc > 0.65
    assert found.p <= 0.01
    (line,) = found.said()[:1]
    assert line.startswith("Sessions of this cohort can be told from those of the training (AUC 0.")
    assert re.search(r"p = 0\.005\): 1 of \d+ features differs; most: client: nods per minute \(PSI \d", line)
    assert line.endswith("by chance: higher).")
    lower = compared(old, new.assign(**{NODS: new[NODS] - old[NODS].std()}))
    assert lower.features[0].difference < -0.5
    assert "by chance: lower" in lower.said()[0]


def test_a_feature_whose_spread_grew_is_found(worlds):
    old, new = worlds
    middle = old[NODS].median()
    found = compared(old, new.assign(**{NODS: middle + 4 * (new[NODS] - middle)}))
    assert found.features[0].feature == NODS
    assert found.features[0].q <= 0.05
    assert found.p <= 0.05


def test_values_that_are_missing_more_often_are_found(worlds):
    old, new = worlds
    gone = np.random.default_rng(0).random(len(new)) < 0.4
    found = compared(old, new.assign(**{NODS: new[NODS].mask(gone)}))
    first = found.features[0]
    assert first.feature == NODS
    assert first.q <= 0.05
    assert first.missing > 0.35
    assert first.missing_in_training < 0.15
    assert found.p <= 0.05
    assert f"missing in {first.missing:.0%} of sessions" in found.said()[0]


def test_a_cohort_that_does_not_differ_is_said_not_to(worlds):
    found = compared(*worlds, seed=1)
    assert found.p > 0.05
    line = found.said()[0]
    assert line.startswith("Sessions of this cohort could not be told from those of the training (AUC 0.")
    assert line.endswith(f"none of {len(OF_CLIENTS)} features differs by more than chance.")


def test_the_index_is_the_formula_written_out(worlds):
    old, new = [10, 20, 0, 70], [30, 30, 0, 40]
    a = [(count + 0.5) / 101.5 for count in (10, 20, 70)]
    b = [(count + 0.5) / 101.5 for count in (30, 30, 40)]
    expected = sum((y - x) * log(y / x) for x, y in zip(a, b, strict=True))
    assert float(psi(np.array(old, float), np.array(new, float))) == pytest.approx(expected)
    assert psi(np.array([5.0, 5.0]), np.array([50.0, 50.0])) == pytest.approx(0.0)
    assert np.isnan(psi(np.array([5.0, 5.0]), np.zeros(2)))
    # and in a cohort, where the shares are counted another way
    before, after = worlds
    # (a feature of which no value is a tenth itself)
    name = next(name for name in OF_CLIENTS if before[name].count() % 10 in (0, 2, 4, 8))
    one = next(f for f in compared(before, after).features if f.feature == name)
    edges = np.nanquantile(before[name], np.arange(1, 10) / 10)
    shares = []
    for table in (before, after):
        code = pd.cut(table[name], [-np.inf, *edges, np.inf], right=False).cat.codes
        counts = code.value_counts().reindex(range(-1, 10), fill_value=0) + 0.5
        shares.append(counts / counts.sum())
    expected = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    assert one.psi == pytest.approx(expected)


def test_the_index_by_chance_is_what_cohorts_of_one_world_give():
    own, by_chance = [], []
    parts = cohorts(4, 12, 30, 2)
    for k in range(0, 12, 2):
        found = compared(parts[k], parts[k + 1], OF_CLIENTS[:6])
        own += [one.psi for one in found.features]
        by_chance += [one.psi_by_chance for one in found.features]
    assert np.mean(own) == pytest.approx(np.mean(by_chance), rel=0.25)


def test_ps_and_their_correction_agree_with_scipy(worlds):
    old, new = (table.drop_duplicates("client_id").reset_index(drop=True) for table in worlds)
    new = new.assign(**{NODS: new[NODS] + 0.35 * old[NODS].std()})
    found = compared(old, new)
    by_name = {one.feature: one for one in found.features}
    assert [one.q for one in found.features] == pytest.approx(
        false_discovery_control([one.p for one in found.features])
    )
    theirs = np.array([ks_2samp(old[name].dropna(), new[name].dropna()).pvalue for name in OF_CLIENTS])
    ours = np.array([by_name[name].p for name in OF_CLIENTS])
    assert np.corrcoef(np.log(theirs), np.log(ours))[0, 1] > 0.6
    assert by_name[NODS].p < 0.15
    assert theirs[OF_CLIENTS.index(NODS)] < 0.15


def test_the_auc_is_about_that_of_a_logistic_regression_with_clients_held_out(worlds):
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.preprocessing import StandardScaler

    old, new = worlds
    for steps in (0.0, 0.5, 1.0):
        moved = new.copy()
        for name in OF_CLIENTS[:4]:
            moved[name] += steps * old[name].std()
        both = pd.concat([old, moved])
        x = StandardScaler().fit_transform(both[OF_CLIENTS].rank().fillna(both[OF_CLIENTS].rank().median()))
        y = np.repeat([0, 1], [len(old), len(moved)])
        groups = np.where(y == 1, "new ", "old ") + both["client_id"].to_numpy(str)
        splits = list(GroupKFold(10, shuffle=True, random_state=0).split(x, groups=groups))
        score = cross_val_predict(LogisticRegression(C=0.1), x, y, cv=splits, method="decision_function")
        assert compared(old, moved).auc == pytest.approx(roc_auc_score(y, score), abs=0.07)


def test_swapped_sides_keep_clients_whole_and_the_numbers_of_sessions():
    training = np.repeat(["a", "b", "c", "d"], [5, 1, 3, 2])
    new = np.repeat(["a", "b", "c"], [1, 4, 2])
    sides = Sides.of(training, new)
    old_side, new_side = (one[0] for one in sides.as_they_are())
    assert old_side.tolist() == [1] * 11 + [0] * 7
    assert new_side.tolist() == [0] * 11 + [1] * 7
    old_side, new_side = sides.swapped(np.random.default_rng(0), 3000)
    assert not ((old_side > 0) & (new_side > 0)).any()
    on_new = np.stack([new_side[:, sides.client == k].sum(1) for k in range(7)], axis=1)
    on_old = np.stack([old_side[:, sides.client == k].sum(1) for k in range(7)], axis=1)
    assert ((on_new == 0) | (on_old == 0)).all()
    assert ((on_new > 0).sum(1) == 3).all()
    assert ((on_old > 0).sum(1) == 4).all()
    assert (np.sort(on_new) <= np.sort([0, 0, 0, 0, 1, 4, 2])).all()
    assert (on_new > 0).mean(0) == pytest.approx(3 / 7, abs=0.05)
    # a client's sessions stand in for it alike
    first = new_side[:, :5].mean(0)
    assert first == pytest.approx(first.mean(), abs=0.05)


def test_fewer_than_five_clients_are_no_cohort(worlds):
    old, new = worlds
    four = new[new["client_id"].isin(new["client_id"].unique()[:4])].reset_index(drop=True)
    found = compared(old, four)
    assert np.isnan(found.auc)
    assert all(np.isnan(one.p) and np.isnan(one.q) for one in found.features)
    assert all(one.psi > 0 for one in found.features)
    assert found.said() == (
        "4 clients here and 75 in the training: 5 are the least to tell a difference between cohorts from one between "
        "people.",
    )


def test_few_clients_are_said_to_show_large_differences_only(worlds):
    old, new = worlds
    some = new[new["client_id"].isin(new["client_id"].unique()[:9])].reset_index(drop=True)
    assert (
        "With 9 clients here and 75 in the training, only large differences show."
        in compared(old, some).said()
    )


def test_sessions_that_were_withdrawn_are_not_compared_with(worlds):
    old, new = worlds
    reference = Reference.of(old[OF_CLIENTS])
    groups = old["client_id"].to_numpy(str)
    gone = np.flatnonzero(old["client_id"].isin(old["client_id"].unique()[:30]))
    less = reference.without(gone.tolist())
    assert (less.codes[gone] == MISSING).all()
    assert reference.kept.all()
    found = drift(less, new[OF_CLIENTS], groups, new["client_id"].to_numpy(str), seed=0)
    assert (found.training_sessions, found.training_groups) == (len(old) - len(gone), 45)
    never = old.drop(index=gone).reset_index(drop=True)
    missing = {one.feature: one.missing_in_training for one in found.features}
    assert missing == pytest.approx(never[OF_CLIENTS].isna().mean().to_dict())
    nothing = drift(
        reference.without(range(len(old))),
        new[OF_CLIENTS],
        groups,
        new["client_id"].to_numpy(str),
        seed=0,
    )
    assert nothing.why.startswith("75 clients here and 0 in the training")


def test_groups_that_are_not_those_of_the_training_are_refused(worlds):
    old, new = worlds
    with pytest.raises(InputError, match="tells of 3 training sessions and holds 300"):
        drift(
            Reference.of(old[CORE]), new[CORE], np.array(["a", "b", "c"]), new["client_id"].to_numpy(), seed=0
        )


def test_what_is_kept_are_tenths_of_the_training_in_its_order_and_they_come_back_from_a_file(worlds):
    old, new = worlds
    reference = Reference.of(old[CORE])
    expected = old[CORE].apply(lambda column: (column.rank(pct=True) * 10 - 0.05).clip(0, 9.99) // 1)
    known = old[CORE].notna().to_numpy()
    assert reference.codes.dtype == np.uint8
    assert ((reference.codes == MISSING) == ~known).all()
    assert np.abs(reference.codes[known] - expected.to_numpy()[known]).max() <= 1
    assert (reference.codes[known] == expected.to_numpy()[known]).mean() > 0.95
    arrays = reference.without([3]).to_arrays()
    assert not any(array.dtype.hasobject for array in arrays.values())
    read = Reference.from_arrays(arrays)
    assert (read.codes_of(new[CORE]) == reference.codes_of(new[CORE])).all()
    assert (read.codes[3] == MISSING).all()
    assert np.flatnonzero(~read.kept).tolist() == [3]
    assert read.codes_of(new[CORE[::-1]]).tolist() == read.codes_of(new[CORE]).tolist()
    with pytest.raises(ValueError, match="don't fit"):
        Reference.from_arrays(arrays | {"edges": arrays["edges"][1:]})


@pytest.mark.parametrize("shared", [0.1, 0.25, 0.4, 0.45])
def test_a_value_that_many_sessions_share_is_in_no_tenth_beyond_what_is_true_of_it(shared):
    count = int(400 * shared)
    low = np.r_[np.zeros(count), np.linspace(1, 2, 400 - count)]
    for values, value in ((low, 0.0), (2 - low, 2.0)):
        (code,) = Reference.of(pd.DataFrame({"a": values})).codes_of(pd.DataFrame({"a": [value]}))[0]
        others = (values > value).mean() if code < 5 else (values < value).mean()
        told = (9 - code) / 10 if code < 5 else code / 10
        assert (code < 5) == (value == 0.0)
        assert told <= others < told + 0.15


def test_what_has_no_value_in_training_or_is_not_finite_is_missing():
    nothing = Reference.of(pd.DataFrame({"client.own.x": [np.nan, np.inf]}))
    assert nothing.codes.tolist() == [[MISSING], [MISSING]]
    assert np.isnan(nothing.edges).all()


def test_the_same_seed_gives_the_same_and_it_is_quick_enough(worlds):
    start = time.perf_counter()
    first = compared(*worlds, features=CORE, seed=7)
    assert time.perf_counter() - start < 20
    assert compared(*worlds, features=CORE, seed=7) == first
    json.dumps(asdict(first), allow_nan=False)


def test_many_features_of_few_sessions_are_compared_too():
    many = [name for name in columns() if ".quality." not in name]
    old, new = cohort(1, 20, 2, clients_per_therapist=1), cohort(501, 20, 2, clients_per_therapist=1)
    reference = Reference.of(old[many])
    sides = Sides.of(old["client_id"].to_numpy(str), new["client_id"].to_numpy(str))
    same = told_apart(np.concatenate([reference.codes, reference.codes_of(new[many])]), sides, 0)
    assert same[1] > 0.05
    moved = new[many] + 0.7 * old[many].std()
    auc, p, _ = told_apart(np.concatenate([reference.codes, reference.codes_of(moved)]), sides, 0)
    assert auc > 0.9
    assert p <= 0.01
