"""Models of all factors at once: against statsmodels called another way, against truth; what is left out of them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from comparing import people

from vsa.bond.comparison.columns import read_outcomes, read_sessions
from vsa.bond.comparison.compare import compare
from vsa.bond.comparison.factors import read_factor
from vsa.bond.comparison.model import over_clients, over_sessions

pytestmark = pytest.mark.slow

BY = ("modality", "attachment", "diagnosis")


def model(table, fit=over_clients, by=BY, covariates=("age", "gender"), least=5):
    notes = []
    sessions = read_sessions(table, notes)
    (score,) = read_outcomes(sessions, ["bond"], notes)
    factors, beside = ([read_factor(sessions, name, notes) for name in some] for some in (by, covariates))
    return fit(sessions, score, factors, beside, least)


def named(found):
    return {one.name: one for one in found.coefficients}


def two_genders(table):
    table["gender"] = table["gender"].where(table["gender"] != "non-binary", "woman")
    return table


def coded(table):
    """Differences between groups averaged over the others', as the model of vsa has them, by hand."""
    out = {
        "in_person": (table["modality"] == "in_person") - 0.5,
        "secure": (table["attachment"] == "secure") - 0.5,
    }
    for level in ("anxiety", "adjustment", "personality", "other"):
        out[level] = (table["diagnosis"] == level) - 0.2
    out["man"] = (table["gender"] == "man") - 0.5
    return table.assign(**out)


FORMULA = "bond ~ in_person * secure + anxiety + adjustment + personality + other + age + man"


def test_clients_means_are_fitted_as_statsmodels_does_with_hc3():
    table = two_genders(people(2, clients=160, in_person_d=0.5))
    found = model(table)
    clients = coded(table.groupby("client_id").first().assign(bond=table.groupby("client_id")["bond"].mean()))
    theirs = smf.ols(FORMULA, clients).fit(cov_type="HC3", use_t=True)
    ours = named(found)
    assert found.formula == "bond ~ modality + attachment + diagnosis + age + gender + modality:attachment"
    assert (found.n, found.clients) == (160, 160)
    assert found.r2 == pytest.approx(theirs.rsquared)
    (modality,) = (one for one in found.coefficients if one.term == "modality")
    sign = 1 if modality.name.startswith("modality: in_person") else -1
    assert sign * modality.value == pytest.approx(theirs.params["in_person"])
    assert modality.p == pytest.approx(theirs.pvalues["in_person"])
    assert modality.high - modality.low == pytest.approx(np.ptp(theirs.conf_int().loc["in_person"]))
    sd = clients["bond"].std()
    assert (modality.sd, modality.sd_high) == pytest.approx((modality.value / sd, modality.high / sd))
    age = ours["each SD more of age"]
    assert age.value == pytest.approx(theirs.params["age"] * clients["age"].std())
    assert age.p == pytest.approx(theirs.pvalues["age"])
    (crossed,) = (one for one in found.coefficients if one.term == "modality × attachment")
    assert abs(crossed.value) == pytest.approx(abs(theirs.params["in_person:secure"]))
    assert crossed.p == pytest.approx(theirs.pvalues["in_person:secure"])
    diagnosis = next(term for term in found.terms if term.name == "diagnosis")
    test = theirs.f_test("anxiety = 0, adjustment = 0, personality = 0, other = 0")
    assert (diagnosis.f, diagnosis.p) == pytest.approx((float(test.fvalue), float(test.pvalue)))
    assert (diagnosis.df1, diagnosis.df2) == (4, test.df_denom)


def test_sessions_are_fitted_as_statsmodels_does_with_therapists_and_clients():
    table = coded(two_genders(people(3, clients=120, in_person_d=0.6, therapist_share=0.2)))
    found = model(table, over_sessions)
    theirs = smf.mixedlm(
        FORMULA, table, groups="therapist_id", re_formula="1", vc_formula={"client": "0 + C(client_id)"}
    ).fit(reml=True)
    (modality,) = (one for one in found.coefficients if one.term == "modality")
    sign = 1 if modality.name.startswith("modality: in_person") else -1
    assert sign * modality.value == pytest.approx(theirs.params["in_person"], abs=0.01)
    half = (modality.high - modality.low) / 2
    # an interval by t, of so many clients less coefficients
    assert half == pytest.approx(theirs.bse["in_person"] * 1.982, rel=0.05)
    empty = smf.mixedlm(
        "bond ~ 1", table, groups="therapist_id", re_formula="1", vc_formula={"client": "0 + C(client_id)"}
    ).fit(reml=True)
    whole = float(empty.cov_re.iloc[0, 0] + empty.vcomp[0] + empty.scale)
    assert found.shares.client == pytest.approx(empty.vcomp[0] / whole, abs=0.01)
    assert found.shares.session == pytest.approx(empty.scale / whole, abs=0.01)
    assert found.therapists == 20
    assert found.formula.endswith("+ (1 | therapist) + (1 | client)")


@pytest.mark.parametrize("fit", [over_clients, over_sessions])
def test_what_is_planted_lies_within_the_intervals_of_both_models(fit):
    held, below = {"modality": [], "diagnosis": []}, []
    for seed in range(25):
        table = people(seed, clients=120, in_person_d=0.7, diagnosis_d={"anxiety": -0.5})
        found = model(table, fit)
        (modality,) = (one for one in found.coefficients if one.term == "modality")
        truth = 0.7 if "in_person minus" in modality.name else -0.7
        held["modality"].append(modality.low <= truth <= modality.high)
        for one in found.coefficients:
            if one.term == "diagnosis" and "anxiety" in one.name:
                truth = -0.5 if "anxiety minus" in one.name else 0.5
                held["diagnosis"].append(one.low <= truth <= one.high)
            if one.term in ("age", "modality × attachment"):
                below.append(one.p < 0.05)
    assert np.mean(held["modality"]) >= 0.84
    assert np.mean(held["diagnosis"]) >= 0.84
    assert np.mean(below) <= 0.14


def test_a_factor_that_only_goes_with_another_loses_its_difference_in_the_model():
    table = people(4, clients=400, in_person_d=0.0, anxiety_r=0.0, avoidance_r=0.0)
    rng = np.random.default_rng(0)
    clients = table.groupby("client_id")["modality"].first()
    ward = np.where(rng.random(len(clients)) < np.where(clients == "online", 0.8, 0.2), "north", "south")
    table["ward"] = table["client_id"].map(dict(zip(clients.index, ward, strict=True)))
    table["bond"] += 1.0 * (table["ward"] == "north")
    simple = compare(table, ["modality"]).tests[0]
    assert simple.p < 0.001
    (modality,) = (
        one for one in model(table, by=("modality", "ward")).coefficients if one.term == "modality"
    )
    assert modality.low < 0 < modality.high


def test_an_interaction_is_found_and_main_differences_are_averages_over_it():
    table = people(5, clients=400, in_person_d=0.0, anxiety_r=0.0, avoidance_r=0.0)
    both = (table["modality"] == "in_person") & (table["attachment"] == "secure")
    table["bond"] += 1.2 * both
    found = model(table)
    (crossed,) = (one for one in found.coefficients if one.term == "modality × attachment")
    same_sign = ("in_person" in crossed.name) == ("attachment secure" in crossed.name)
    truth = 1.2 if same_sign else -1.2
    assert crossed.low < truth < crossed.high
    (modality,) = (one for one in found.coefficients if one.term == "modality")
    truth = 0.6 if "in_person minus" in modality.name else -0.6
    assert modality.low < truth < modality.high


def test_clients_in_several_groups_don_t_make_intervals_narrow():
    """Half of each client's sessions in person: rows of the same client are alike."""
    wrong = 0
    for seed in range(40):
        table = people(seed, clients=40, client_share=0.9, therapist_share=0.0, in_person_share=0.0)
        table["place"] = np.where(table["client_id"].str[-1].astype(int) % 2 == 0, "a", "b")
        table["modality"] = np.where(table["session_number"] > 2, "in_person", "online")
        found = model(table, by=("modality", "place"), covariates=())
        assert "robust to likeness within clients" in found.method
        assert (found.n, found.clients) == (80, 40)
        (place,) = (one for one in found.coefficients if one.term == "place")
        wrong += place.p < 0.05
    assert wrong <= 6


def test_what_is_left_out_of_a_model_is_said():
    table = people(6, clients=100)
    clients = np.array(sorted(table["client_id"].unique()))
    table["age"] = table["age"].where(~table["client_id"].isin(clients[:30]))
    table["diagnosis"] = table["diagnosis"].where(~table["client_id"].isin(clients[:10]))
    table["gender"] = np.where(table["client_id"].isin(clients[50:53]), "non-binary", table["gender"])
    rare = table["client_id"].isin(clients[40:46])
    table["attachment"] = np.where(rare, "disorganised", table["attachment"])
    table["copy"] = table["modality"].map({"online": "x", "in_person": "y"})
    found = model(table, by=(*BY, "copy"))
    said = " ".join(found.notes)
    assert "age is left out: not known of 30 of 100 clients" in said
    assert "not known: 10" in said
    assert "gender non-binary" in said
    assert "modality × attachment is left out" in said
    assert "copy is left out: it can't be told apart" in said
    assert found.clients == 100 - 10 - table.loc[table["gender"] == "non-binary", "client_id"].nunique()
    assert {term.name for term in found.terms} == {"modality", "attachment", "diagnosis", "gender"}


def test_few_clients_have_a_small_model_or_none_and_it_is_said():
    small = model(people(7, clients=26, in_person_share=0.5))
    assert any("too few for" in note for note in small.notes)
    assert small.coefficients
    assert 3 * (len(small.coefficients) + 1) <= small.clients
    none = model(people(7, clients=12, in_person_share=0.5), by=("modality",), covariates=(), least=8)
    assert none.reason
    assert none.coefficients == ()


def test_one_session_a_client_has_no_mixed_model_and_it_is_said():
    table = people(8, clients=60, sessions=(1, 1)).drop(columns="therapist_id")
    found = model(table, over_sessions)
    assert "enough sessions" in found.reason
    clients = model(table)
    assert clients.coefficients
    assert not math.isnan(clients.r2)


def test_one_score_a_client_repeated_over_its_sessions_falls_back_to_least_squares_and_says_so():
    table = people(1)
    table["bond"] = table.groupby("client_id")["bond"].transform("first")
    found = compare(table, ["modality", "attachment"])
    clients, sessions = found.models
    assert "robust to likeness within clients" in sessions.method
    assert "did not converge" in " ".join(sessions.notes)
    assert sessions.shares is None
    assert "(1 |" not in sessions.formula
    assert sessions.coefficients[0].value == pytest.approx(clients.coefficients[0].value)
    assert "Least squares over sessions, robust to likeness" in " ".join(found.words)


def test_without_therapists_the_mixed_model_has_clients_only():
    found = model(people(9).drop(columns="therapist_id"), over_sessions)
    assert found.formula.endswith("+ (1 | client)")
    assert "therapist" not in found.formula
    assert found.shares.therapist is None
    assert found.shares.client + found.shares.session == pytest.approx(1)
    # two therapists are too few for levels of their own
    table = people(9)
    table["therapist_id"] = np.where(table["therapist_id"] < "sim-t05", "sim-t01", "sim-t02")
    found = model(table, over_sessions)
    assert found.therapists is None
    assert any("Fewer than 5 therapists" in note for note in found.notes)


def test_numbers_in_a_model_are_counted_in_sd_of_clients():
    table = people(10, clients=100)
    table["years"] = table["age"] * 1.0
    months = table.assign(years=table["age"] * 12.0)
    one, other = (model(t, covariates=("years",)) for t in (table, months))
    assert named(one)["each SD more of years"].value == pytest.approx(
        named(other)["each SD more of years"].value
    )


def test_words_tell_the_model_and_where_the_mixed_one_says_otherwise():
    found = compare(people(11, clients=150, in_person_d=0.9), ["modality", "attachment"])
    said = " ".join(found.words)
    clients, sessions = found.models
    (modality,) = (one for one in clients.coefficients if one.term == "modality")
    assert f"{modality.value:.2f} points ({modality.low:.2f} to {modality.high:.2f}" in said
    assert "interaction of modality and attachment F(1, " in said
    agree = all(
        (one.p < 0.05) == (other.p < 0.05)
        for one, other in zip(clients.coefficients, sessions.coefficients, strict=True)
        if one.term in ("modality", "attachment")
    )
    assert ("agrees in which intervals leave out 0" in said) == agree
    assert f"{100 * sessions.shares.client:.0f} % between clients" in said


def test_a_table_with_nothing_known_but_the_score_has_no_model():
    table = people(12)[["session_id", "client_id", "modality", "bond"]].copy()
    table["modality"] = table["modality"].where(np.arange(len(table)) % 4 == 0)
    table.loc[table["client_id"] > "sim-c040", "modality"] = pd.NA
    found = compare(table, ["modality"])
    assert "nothing is left to put into it" in found.models[0].reason
    assert "modality is left out: not known of" in " ".join(found.models[0].notes)
    assert found.tests[0].tested
