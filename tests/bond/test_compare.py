"""Comparing groups of clients: what is counted, tested, told and kept back, and which tables are refused."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from comparing import only_tests, people
from scipy import stats

from vsa.bond.comparison.compare import Settings, compare
from vsa.bond.comparison.table import comparison_table
from vsa.errors import InputError

pytestmark = pytest.mark.slow


def no_causes(words):
    said = " ".join(words).lower()
    for word in ("effect of", "because", "leads to", "due to", "influence", "no difference", "impact"):
        assert word not in said, word
    return said


def test_the_figures_are_those_of_the_clients_means():
    table = people(3, clients=70, sessions=(1, 6))
    test = only_tests(table, ["attachment"])["attachment"]
    means = table.groupby("client_id").agg(bond=("bond", "mean"), attachment=("attachment", "first"))
    groups = {level: own["bond"] for level, own in means.groupby("attachment")}
    theirs = stats.ttest_ind(groups[test.group], groups[test.reference], equal_var=False)
    assert (test.statistic, test.df2, test.p) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    for group in test.groups:
        own = groups[group.level]
        assert (group.clients, group.mean, group.sd) == (
            len(own),
            pytest.approx(own.mean()),
            pytest.approx(own.std()),
        )
        assert group.sessions == (table["attachment"] == group.level).sum()


def test_a_diagnosis_with_a_weaker_bond_is_found_and_named():
    table = people(1, clients=300, diagnosis_d={"personality": -1.2})
    found = compare(table, ["diagnosis"])
    (test,) = found.tests
    assert test.test == "Welch F"
    assert test.p_holm < 0.001
    assert 0.05 < test.share_low < test.eta2 < test.share_high
    others = {"depression", "anxiety", "adjustment", "other"}
    differ = [pair for pair in test.pairs if pair.p < 0.05]
    assert {pair.first for pair in differ} | {pair.second for pair in differ} == others | {"personality"}
    assert all("personality" in (pair.first, pair.second) for pair in differ)
    assert len(test.pairs) == 10
    said = no_causes(found.words)
    assert "pairs that differ" in said
    assert "more than chance alone would usually give" in said


def test_a_number_is_told_as_a_correlation():
    table = people(3, clients=100)
    table["anxiety_mean"] = 3 - table.groupby("client_id")["bond"].transform("mean")
    table["anxiety_mean"] += np.random.default_rng(1).normal(size=len(table))
    found = compare(table, ["anxiety_mean"])
    assert found.tests[0].r_high < 0
    assert "bond was lower on average where anxiety was higher (r = -." in found.words[1]


def test_many_alike_clients_are_called_equivalent_and_few_are_not():
    alike = {"in_person_d": 0.0, "in_person_share": 0.5, "anxiety_r": 0.0, "avoidance_r": 0.0}
    many = compare(people(2, clients=500, **alike), ["modality"])
    assert many.tests[0].equivalence_p < 0.05
    assert "can be excluded" in many.words[1]
    few = compare(people(2, clients=40, **alike), ["modality"])
    assert few.tests[0].p > 0.05
    assert few.tests[0].equivalence_p > 0.05
    said = no_causes(few.words)
    assert "can't be excluded" in said
    assert "leave it open" in said


def test_every_printed_t_and_f_gives_the_p_printed_with_it():
    """What the paper that this follows did not: its figures don't agree with each other."""
    table = people(5, clients=90, in_person_d=0.4, diagnosis_d={"anxiety": 0.5})
    table["anxiety_mean"] = np.random.default_rng(0).normal(size=len(table))
    found = compare(table, ["modality", "attachment", "diagnosis", "anxiety_mean", "gender"])
    said = " ".join(found.words)
    triples = re.findall(r"([tF])\(([\d.]+)(?:, ([\d.]+))?\) = (-?[\d.]+), p ([=<]) ([\d.]+\d|1)", said)
    assert len(triples) >= 6
    for kind, first, second, statistic, sign, p in triples:
        low, high = abs(float(statistic)) - 0.005, abs(float(statistic)) + 0.005
        if kind == "t":
            ends = [2 * stats.t.sf(max(x, 0), float(first)) for x in (high, low)]
        else:
            ends = [stats.f.sf(max(x, 0), float(first), float(second)) for x in (high, low)]
        if sign == "<":
            assert ends[0] < 0.001
        else:
            assert ends[0] - 0.0015 <= float(p) <= ends[1] + 0.0015, (kind, first, statistic, p)


def test_p_is_adjusted_for_all_tests_of_the_call():
    table = people(4, clients=100)
    table["goal_mean"] = table["bond"] + np.random.default_rng(1).normal(size=len(table))
    found = compare(table, ["modality", "attachment", "diagnosis"])
    assert found.tested == len(found.tests) == 6
    least = min(found.tests, key=lambda test: test.p)
    assert least.p_holm == pytest.approx(min(1, 6 * least.p))
    assert all(test.p_holm >= test.p for test in found.tests)


def test_few_clients_of_a_kind_are_not_tested_and_not_counted_anywhere():
    table = people(6, clients=60)
    clients = sorted(table["client_id"].unique())
    table["gender"] = table["client_id"].map({c: "woman" if k % 2 else "man" for k, c in enumerate(clients)})
    table.loc[table["client_id"].isin(clients[:3]), "gender"] = "non-binary"
    found = compare(table, ["gender"])
    (test,) = found.tests
    small = next(group for group in test.groups if group.level == "non-binary")
    assert not small.tested
    assert small.clients is small.sessions is None
    assert math.isnan(small.mean)
    assert {test.reference, test.group} == {"woman", "man"}
    assert test.n == 57
    assert "Too few to be tested (fewer than 5 clients): non-binary." in " ".join(found.words)
    rows = comparison_table(found)
    row = rows[(rows["what"] == "group") & (rows["group"] == "non-binary")].iloc[0]
    assert row["n"] == "<5"
    assert pd.isna(row["mean_group"])
    # the total is rounded, or it would tell how many they are
    table = table[~table["client_id"].isin(clients[-2:])]
    found = compare(table, ["gender"])
    assert found.rounded
    assert (found.clients, found.sessions) == (60, 230)


def test_a_group_below_least_is_told_and_not_tested():
    table = people(6, clients=60)
    clients = sorted(table["client_id"].unique())
    table["kind"] = table["client_id"].map({c: "a" if k < 8 else "bc"[k % 2] for k, c in enumerate(clients)})
    (test,) = compare(table, ["kind"], settings=Settings(least=10)).tests
    small = next(group for group in test.groups if group.level == "a")
    assert (small.clients, small.tested) == (8, False)
    assert test.n == 52


def test_clients_seen_both_ways_count_in_both_groups_and_it_is_said():
    table = people(7, clients=40, in_person_share=0.3)
    own = sorted(table["client_id"].unique())[:12]
    table.loc[table["client_id"].isin(own) & (table["session_number"] > 2), "modality"] = "in_person"
    table.loc[table["client_id"].isin(own) & (table["session_number"] <= 2), "modality"] = "online"
    found = compare(table, ["modality"])
    (test,) = found.tests
    assert test.repeated == 12
    assert test.n == 40
    assert sum(group.clients for group in test.groups) == 52
    assert "12 clients have sessions in several groups" in " ".join(found.words)
    assert "robust to likeness within clients" in found.models[0].method


def test_without_clients_sessions_count_and_it_is_said_loudly():
    found = compare(people(8).drop(columns="client_id"), ["modality"])
    assert found.unit == "session"
    assert any(note.startswith("NO client_id") for note in found.notes)
    assert found.tests[0].n == 240
    assert "sessions seen" in " ".join(found.words)


def test_scores_at_the_ceiling_are_told():
    table = people(9, clients=80).assign(instrument="wai-sr")
    table["bond"] = (4.2 + 0.8 * table["bond"]).clip(1, 5)
    found = compare(table, ["modality"])
    (score,) = found.scores
    assert score.scale == (1, 5)
    assert score.at_top == pytest.approx((table["bond"] >= 5).mean())
    assert score.at_top > 0.15
    assert f"{100 * score.at_top:.0f} % of bond (the highest possible, 5)" in " ".join(found.words)
    low = compare(people(9, clients=80), ["modality"])
    assert "as high as can be" not in " ".join(low.words)


def test_simulated_sessions_say_so_first_and_others_don_t():
    table = people(10)
    assert compare(table, ["modality"]).words[0].startswith("SIMULATED")
    real = compare(table.drop(columns="simulated"), ["modality"])
    assert not any("SIMULATED" in entry for entry in real.words)
    assert not real.simulated


def test_by_default_what_is_there_is_compared_and_a_score_is_not_tested_twice():
    table = people(11).assign(bond_mean=lambda t: t["bond"], goal_mean=lambda t: t["bond"] + t["age"] / 50)
    found = compare(table.drop(columns="diagnosis"))
    assert found.factors == ("modality", "attachment")
    assert [score.name for score in found.scores] == ["goal_mean", "bond"]


def test_attachment_told_once_holds_for_all_sessions_of_the_client_and_modality_does_not():
    table = people(12)
    whole = compare(table, ["attachment"]).tests[0]
    table["attachment"] = table["attachment"].where(table["session_number"] == 1)
    table["modality"] = table["modality"].where(table["session_number"] == 1)
    found = compare(table, ["attachment", "modality"])
    assert found.tests[0].p == pytest.approx(whole.p)
    assert sum(group.sessions for group in found.tests[0].groups) == 240
    assert sum(group.sessions for group in found.tests[1].groups) == 60
    assert any("attachment is told in some sessions" in note for note in found.notes)


def test_groups_that_go_with_therapists_are_said():
    table = people(13, clients=72)
    office = {name: f"office {k % 2}" for k, name in enumerate(sorted(table["therapist_id"].unique()))}
    table["office"] = table["therapist_id"].map(office)
    notes = compare(table, ["office", "modality"]).notes
    assert [note for note in notes if "can't be told apart" in note and "office" in note]
    assert not [note for note in notes if "modality" in note]


def test_the_record_is_json_and_the_table_has_a_row_for_each_thing():
    found = compare(people(14), ["modality", "diagnosis"])
    told = json.loads(json.dumps(found.record(), allow_nan=False))
    assert told["tests"][0]["p"] == pytest.approx(found.tests[0].p)
    assert told["tests"][1]["g"] is None
    rows = comparison_table(found)
    count = rows["what"].value_counts()
    assert count["test"] == 2
    assert count["group"] == sum(len(test.groups) for test in found.tests)
    assert count["pair"] == len(found.tests[1].pairs)
    assert count["coefficient"] == sum(len(model.coefficients) for model in found.models)
    first = rows[rows["what"] == "test"].iloc[0]
    assert first["g"] == found.tests[0].g
    assert rows["simulated"].all()


BAD = {
    "no such column": (lambda t: t, {"by": ["modaliti"]}, "no column modaliti"),
    "no such score": (lambda t: t, {"outcomes": ["wai"]}, "no column wai"),
    "no score at all": (lambda t: t.drop(columns="bond"), {}, "no scores to compare"),
    "nothing to compare by": (
        lambda t: t.drop(columns=["modality", "attachment", "diagnosis"]),
        {},
        "to compare by",
    ),
    "one group": (lambda t: t.assign(modality="online"), {"by": ["modality"]}, "'online' in every session"),
    "one group of all": (
        lambda t: t.assign(modality="online", attachment="secure", diagnosis="other"),
        {},
        "one group only",
    ),
    "constant score": (lambda t: t.assign(bond=4.0), {}, "4 in every session"),
    "empty score": (lambda t: t.assign(bond=np.nan), {}, "it is empty"),
    "words for scores": (
        lambda t: t.assign(bond=t["bond"].astype(object).mask(t.index == 3, "high")),
        {},
        "'high' is no number (row 5; 1 of 240",
    ),
    "yes and no": (lambda t: t.assign(bond=t["bond"] > 0), {}, "are no scores"),
    "session twice": (lambda t: pd.concat([t, t.head(1)]), {}, "more than once"),
    "half simulated": (
        lambda t: t.assign(simulated=t.index < 100),
        {},
        "mixes 100 simulated sessions with 140",
    ),
    "two raters": (
        lambda t: t.assign(rater=np.where(t.index % 2, "client", "observer")),
        {},
        "rated by client and observer",
    ),
    "ids": (lambda t: t, {"by": ["therapist_id"]}, "no single therapists"),
    "score as group": (lambda t: t, {"by": ["bond"]}, "both an outcome and"),
    "capitals": (
        lambda t: t.assign(modality=t["modality"].mask(t.index == 0, "Online").mask(t.index == 1, "online")),
        {},
        "differ in capitals only",
    ),
    "all too small": (
        lambda t: t.assign(kind="k" + t["client_id"].str[-2:]),
        {"by": ["kind"]},
        "all groups have fewer than 5 clients",
    ),
    "least": (lambda t: t, {"settings": Settings(least=2)}, "too small to be compared"),
    "margin": (lambda t: t, {"settings": Settings(margin=0)}, "margin of 0 SD"),
    "covariate": (lambda t: t, {"covariates": ["height"]}, "no column height"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_table_that_can_t_be_compared_says_why_in_a_line(case):
    change, arguments, said = BAD[case]
    table = change(people(15))
    table.attrs["source"] = "cohort.csv"
    with pytest.raises(InputError) as error:
        compare(table, **arguments)
    assert said in error.value.message
    assert "\n" not in error.value.message


def test_a_factor_that_can_t_be_tested_does_not_stop_the_others():
    table = people(16)
    rare = sorted(table["client_id"].unique())[:3]
    table["ward"] = np.where(table["client_id"].isin(rare), "north", "south")
    found = compare(table, ["ward", "modality"])
    assert found.tests[0].reason == "all groups but one have fewer than 5 clients"
    assert found.tests[1].tested
    assert found.tested == 1
    assert "not tested by ward: all groups but one have fewer than 5 clients" in " ".join(found.words)


def test_everybody_at_the_maximum_in_both_groups_is_no_test():
    table = people(17)
    table["goal_mean"] = 5.0
    table.loc[table["modality"] == "online", "goal_mean"] = 4.0
    found = compare(table, ["modality"], ["bond", "goal_mean"])
    assert "the same score" in found.tests[1].reason
    assert math.isnan(found.tests[1].p)


def test_the_direction_of_a_difference_is_said_in_words_and_signs_are_those_of_the_table():
    table = people(18, clients=200, in_person_share=0.5, in_person_d=-1.0)
    found = compare(table, ["modality"])
    (test,) = found.tests
    sentence = found.words[1]
    lower = "in person" if test.group == "in_person" else "online"
    higher = {"in person": "online", "online": "in person"}[lower]
    assert (test.g < 0) == (lower == "in person")
    side = "lower" if test.g < 0 else "higher"
    ends = sorted((abs(test.low), abs(test.high)))
    assert f"{abs(test.difference):.2f} points {side} in the" in sentence
    assert f"seen {lower} than in the" in sentence
    assert f"seen {higher} (95 % interval {ends[0]:.2f} to {ends[1]:.2f} {side}; Hedges' g" in sentence
    alike = people(18, clients=100, in_person_share=0.5, in_person_d=0.0)
    (test,) = (found := compare(alike, ["modality"])).tests
    assert f"{-test.low:.2f} lower to {test.high:.2f} higher" in found.words[1]
