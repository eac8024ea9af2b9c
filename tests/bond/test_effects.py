"""Which signals go with the bond, on cohorts whose truth is known, and beside statsmodels called another way."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from vsa.bond.cohort import Cohort
from vsa.bond.evaluation.effect_words import effect_words
from vsa.bond.evaluation.effects import Effect, Effects, effects
from vsa.bond.evaluation.mixed import Robust, Shares, Weighted, variances
from vsa.bond.evaluation.stability import Stability
from vsa.simulate.cohort import CohortDesign, draw, simulate_cohort

pytestmark = pytest.mark.slow

SMILES, NODS, WAIT = (
    "therapist.face.smile_share",
    "client.head.nod_rate_per_min",
    "client.turns.latency_median_s",
)


def found_in(table, names=None, covariates=None):
    """Effects of a cohort on core features, or on those named, by feature and part."""
    cohort = Cohort.from_table(table, use=names or "core", covariates=covariates)
    return {(one.feature, one.part): one for one in effects(cohort, seed=0).effects}


def people(seed, clients=60, sessions=4, circle=6, features=8, weights=(0.0, 0.0), shares=(0.1, 0.4)):
    """A table in which each feature has a level and a change with weights that are known; and the true betas.

    The bond is made of the means and deviations as they are in the table, so that the truth is exact.
    """
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(clients), sessions)
    whose = who // circle
    table = pd.DataFrame(
        {"session_id": [f"s{k}" for k in range(len(who))], "client_id": [f"c{k}" for k in who]}
    )
    table["therapist_id"] = [f"t{k}" for k in whose]
    therapist, client = shares
    bond = np.sqrt(therapist) * rng.standard_normal(whose.max() + 1)[whose]
    bond += np.sqrt(client) * rng.standard_normal(clients)[who]
    bond += np.sqrt(1 - therapist - client) * rng.standard_normal(len(who))
    columns = {}
    for k in range(features):
        x = rng.standard_normal(clients)[who] + rng.standard_normal(len(who))
        level = pd.Series(x).groupby(who).transform("mean").to_numpy()
        bond = bond + weights[0] * level + weights[1] * (x - level)
        columns[f"client.voice.x{k}"] = x
    table = pd.concat([table.assign(bond=bond), pd.DataFrame(columns)], axis=1)
    truth = {
        (name, part): weight * np.std(x) / np.std(bond)
        for name, x in columns.items()
        for part, weight in zip(("level", "change"), weights, strict=True)
    }
    return table, truth


def test_effects_are_those_of_a_full_mixed_model_for_each_signal():
    table = draw(CohortDesign(clients=150, therapist_share=0.2), 3).table
    names = (SMILES, NODS, "client.face.expressivity_per_s", "dyad.turns.silence_share")
    found = found_in(table, names, ["session_number"])
    for name in names:
        part = table[[name, "bond", "session_number", "client_id", "therapist_id"]].rename(
            columns={name: "x"}
        )
        bond, spread = table["bond"], part["x"].std(ddof=0)
        part = part.dropna()
        part["y"] = (part["bond"] - bond.mean()) / bond.std(ddof=0)
        part["level"] = part["x"].groupby(part["client_id"]).transform("mean")
        part["change"] = (part["x"] - part["level"]) / spread
        part["level"] = part["level"] / spread
        full = smf.mixedlm(
            "y ~ session_number + level + change",
            part,
            groups="therapist_id",
            re_formula="1",
            vc_formula={"client": "0 + C(client_id)"},
        ).fit(method="powell")
        for which in ("level", "change"):
            one = found[name, which]
            assert one.n == len(part)
            se = (one.high - one.low) / 2 / student.ppf(0.975, 150 - 4)
            assert se == pytest.approx(full.bse[which], rel=0.06)
            assert one.beta == pytest.approx(full.params[which], abs=0.25 * se)


def test_clients_who_change_therapist_are_taken_with_both():
    rng = np.random.default_rng(0)
    clients, therapists = np.repeat(np.arange(40), 3).astype(str), rng.integers(0, 7, 120).astype(str)
    z, f, y = np.ones((120, 1)), rng.standard_normal((120, 2)), rng.standard_normal(120)
    rows = rng.random(120) < 0.8
    who, sizes = (
        {"client": clients, "therapist": therapists},
        {"client": 0.5, "therapist": 0.3, "session": 0.9},
    )
    v = 0.9 * np.eye(120)
    v += 0.5 * (clients[:, None] == clients) + 0.3 * (therapists[:, None] == therapists)
    truth = sm.GLS(y[rows], np.column_stack([f, z])[rows], sigma=v[np.ix_(rows, rows)]).fit()
    fit = Weighted(y, z, who, sizes).fit(f, rows)
    assert fit.coefficients == 3
    np.testing.assert_allclose(fit.beta, truth.params[:2], rtol=1e-9)
    np.testing.assert_allclose(fit.covariance, truth.cov_params()[:2, :2], rtol=1e-9)


def test_without_a_mixed_model_errors_allow_for_likeness_of_a_clients_sessions():
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(30), 4)
    z, f, y = np.column_stack([np.ones(120), rng.random(120)]), rng.random((120, 2)), rng.random(120)
    rows = rng.random(120) < 0.9
    x = np.column_stack([f, z])[rows]
    truth = sm.OLS(y[rows], x).fit(cov_type="cluster", cov_kwds={"groups": codes[rows]})
    fit = Robust(y, z, codes.astype(str)).fit(f, rows)
    np.testing.assert_allclose(fit.beta, truth.params[:2], rtol=1e-9)
    np.testing.assert_allclose(fit.covariance, truth.cov_params()[:2, :2], rtol=1e-9)


def test_a_bond_that_clients_gave_once_and_for_all_needs_the_robust_errors_and_says_so():
    table, _ = people(0, features=2)
    table["bond"] = table.groupby("client_id")["bond"].transform("mean")
    found = effects(Cohort.from_table(table, use="all"), seed=0)
    assert found.method == "robust"
    assert any("did not converge" in note for note in found.notes)
    assert found.shares == Shares()
    assert all(one.low < one.beta < one.high for one in found.effects if one.part == "level")


def levelled(seed, clients, variance):
    """A bond with levels of therapists and clients, who change therapist at times; and whose sessions they are."""
    rng = np.random.default_rng(seed)
    n = 4 * clients
    who = np.repeat(np.arange(clients), 4)
    whose = who // 6
    changed = (who % 10 == 0) & (np.arange(n) % 4 > 1)
    whose = np.where(changed, (whose + 1) % (clients // 6), whose)
    parts = [
        rng.standard_normal(whose.max() + 1)[whose],
        rng.standard_normal(clients)[who],
        rng.standard_normal(n),
    ]
    y = sum(np.sqrt(size) * part for size, part in zip(variance, parts, strict=True))
    return y, np.ones((n, 1)), {"client": who.astype(str), "therapist": whose.astype(str)}


def test_variance_between_therapists_and_clients_comes_back():
    found = variances(*levelled(2, 600, (0.25, 0.49, 0.25)))
    assert found["therapist"] == pytest.approx(0.25, abs=0.1)
    assert found["client"] == pytest.approx(0.49, abs=0.08)
    assert found["session"] == pytest.approx(0.25, abs=0.02)


@pytest.mark.filterwarnings("ignore::Warning")  # of statsmodels, where one is nought
@pytest.mark.parametrize(
    ("seed", "variance"),
    [(0, (0.3, 0.3, 0.4)), (1, (0.0, 0.5, 0.5)), (2, (0.2, 0.0, 0.8)), (3, (0.0, 0.0, 1.0))],
)
def test_variances_are_those_of_statsmodels_also_where_one_is_nought(seed, variance):
    y, z, who = levelled(seed, 42, variance)
    found = variances(y, z, who)
    data = pd.DataFrame({"y": y, **who})
    formula = {name: f"0 + C({name})" for name in who}
    model = smf.mixedlm("y ~ 1", data, groups=np.ones(len(y)), re_formula="0", vc_formula=formula)
    truth = model.fit(method=["bfgs", "powell"])
    named = dict(zip(model.exog_vc.names, truth.vcomp, strict=True)) | {"session": truth.scale}
    for name, value in named.items():
        assert found[name] == pytest.approx(value, abs=2e-3)


def test_an_effect_of_the_level_alone_is_found_there():
    found = found_in(people(4, clients=150, features=3, weights=(0.25, 0.0))[0], "all")
    level, change = ([found[f"client.voice.x{k}", part] for k in range(3)] for part in ("level", "change"))
    assert all(one.low > 0 and one.q < 0.05 for one in level)
    assert np.mean([one.beta for one in change]) == pytest.approx(0, abs=0.06)


def test_an_effect_within_clients_alone_is_found_there():
    design = CohortDesign(clients=100, effects={}, within={NODS: 0.4})
    found = found_in(draw(design, 5).table, (NODS, SMILES))
    assert found[NODS, "change"].low > 0.1
    assert found[NODS, "change"].p < 1e-4
    assert found[NODS, "level"].low < 0 < found[NODS, "level"].high
    assert found[SMILES, "change"].p > 0.01


def test_intervals_hold_the_truth_nineteen_times_in_twenty():
    """320 intervals: 95 % have a standard error of 1.2 points."""
    inside, signs = [], []
    for seed in range(20):
        table, truth = people(seed, weights=(-0.12, 0.15))
        for key, one in found_in(table, "all").items():
            inside.append(one.low <= truth[key] <= one.high)
            if one.part == "change":
                signs.append(one.beta > 0)
    assert len(inside) == 320
    assert 0.915 < np.mean(inside) < 0.985
    assert np.mean(signs) > 0.95


def test_where_nothing_goes_with_the_bond_one_test_in_twenty_says_so():
    """960 tests: 5 % have a standard error of .7 points, somewhat more as tests of a cohort hang together."""
    p = []
    for seed in range(20):
        table, _ = people(100 + seed, features=24)
        p += [one.p for one in found_in(table, "all").values()]
    p = np.array(p)
    assert len(p) == 960
    assert 0.03 < np.mean(p < 0.05) < 0.07
    assert np.mean(p) == pytest.approx(0.5, abs=0.04)
    np.testing.assert_allclose(np.quantile(p, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.06)


def test_therapists_habits_do_not_pass_for_effects_in_simulated_cohorts():
    p = {"client": [], "therapist": [], "dyad": []}
    for seed in range(15):
        table = draw(CohortDesign(sessions=(2, 6), effects={}, therapist_share=0.2, changing=0.1), seed).table
        for (name, _), one in found_in(table, "all").items():
            p[name.partition(".")[0]].append(one.p)
    for values in p.values():
        assert 0.025 < np.mean(np.array(values) < 0.05) < 0.065


def test_q_is_that_of_benjamini_and_hochberg():
    found = [one for one in found_in(simulate_cohort(60, 4, seed=2)).values() if one.p is not None]
    truth = multipletests([one.p for one in found], method="fdr_bh")[1]
    np.testing.assert_allclose([one.q for one in found], truth)


def test_a_signal_is_the_same_in_other_units():
    table = simulate_cohort(40, 3, seed=0)
    scaled = table.assign(**{NODS: 1000 * table[NODS] - 3, "bond": 20 * table["bond"] + 1}).drop(
        columns="instrument", errors="ignore"
    )
    one, other = (found_in(some, (NODS,))[NODS, "change"] for some in (table, scaled))
    assert (one.beta, one.p) == pytest.approx((other.beta, other.p))


def test_what_cannot_be_computed_has_a_reason_and_no_number():
    table, _ = people(7, features=3)
    clients = table["client_id"].unique()
    table["client.voice.x0"] = table.groupby("client_id")["client.voice.x0"].transform("first")
    table.loc[~table["client_id"].isin(clients[:3]), "client.voice.x1"] = np.nan
    table["covariate"] = table["client.voice.x2"]
    found = found_in(table, tuple(f"client.voice.x{k}" for k in range(3)), ["covariate"])
    assert found["client.voice.x0", "level"].beta is not None
    constant = found["client.voice.x0", "change"]
    assert (constant.beta, constant.p, constant.q) == (None, None, None)
    assert constant.reason == "this part of it is the same in all sessions"
    rare = found["client.voice.x1", "level"]
    assert (rare.beta, rare.n) == (None, 12)
    assert rare.reason == "it is known of 3 clients, too few"
    assert found["client.voice.x2", "level"].reason == "it can't be told apart from the covariates"


def test_few_people_are_looked_at_without_covariates_or_therapists_and_it_is_said():
    found = effects(Cohort.from_table(simulate_cohort(10, 4, seed=0)), seed=0)
    assert found.covariates == ()
    assert any("without covariates" in note for note in found.notes)
    assert any("Fewer than 5 therapists" in note for note in found.notes)
    assert found.shares.therapist is None
    assert found.shares.client + found.shares.session == pytest.approx(1)


def test_one_session_a_client_is_ordinary_regression():
    table, _ = people(3, clients=80, sessions=1, features=2)
    table = table.drop(columns="therapist_id")
    found = found_in(table, "all")
    x = table["client.voice.x0"]
    truth = sm.OLS(sm.add_constant(table["bond"]).iloc[:, 1], sm.add_constant(x)).fit()
    one = found["client.voice.x0", ""]
    assert one.beta == pytest.approx(truth.params.iloc[1] * x.std() / table["bond"].std())
    assert one.p == pytest.approx(truth.pvalues.iloc[1])


def test_direction_is_held_against_what_studies_report():
    table, _ = people(8, clients=100, features=3, weights=(0.3, 0.3))
    own = table.rename(columns={"client.voice.x0": SMILES, "client.voice.x1": WAIT, "client.voice.x2": NODS})
    found = found_in(own.assign(**{"client.voice.own": table["client.voice.x0"] ** 2}), "all")
    assert found[SMILES, "change"].agrees == "as reported"
    assert found[WAIT, "change"].agrees == "opposite to what is reported"
    assert found[NODS, "change"].agrees == "studies report no direction"
    assert found["client.voice.own", "change"].agrees == "not known"
    assert found[WAIT, "change"].expect == "lower"


# Words


def told(*single, simulated=False, **more):
    return Effects(tuple(single), Shares(), "mixed", (), 60, (), simulated, **more)


def effect(feature, part, beta, q, p=0.01, agrees="studies report no direction"):
    return Effect(feature, part, beta, beta - 0.16, beta + 0.16, p, q, 200, "none", agrees)


def held(feature, part, coefficient, share):
    return Stability(feature, part, coefficient, share, 0.5, 3, 1, 9)


def test_a_sentence_says_whose_signal_how_much_how_sure_and_what_studies_report():
    found = told(effect("client.face.smile_share", "level", 0.21, 0.02, agrees="as reported"))
    count, line = effect_words(found, [held("client.face.smile_share", "level", 0.1, 0.96)])
    assert count == (
        "Of 1 test, 1 has p below .05, and fewer than 1 are expected by chance; 1 stands out (q below .05)."
    )
    assert line == (
        "Clients who were higher than others in share of time smiling had a higher reported bond, by .21 SD for each "
        "SD more (95 % interval .05 to .37). Shown here; the direction held in 96 % of resamples of these clients. "
        "Studies report the same direction (PsyArXiv b2a87)."
    )


def test_a_change_is_told_as_one_and_a_lower_bond_as_lower():
    found = told(effect(WAIT, "change", -0.3, 0.2, agrees="as reported"), effect(SMILES, "level", 0.3, 0.2))
    _, change, level = effect_words(found, [held(WAIT, "change", 0.1, 0.9)])
    assert change.startswith(
        "In sessions in which the client was higher than usual for this client in typical wait"
    )
    assert "the reported bond was lower, by .30 SD for each SD more (95 % interval .14 to .46)" in change
    assert "May be chance: 1 of 2 tests; beside all other signals its direction was the opposite" in change
    assert "(Templeton et al. 2022)" in change
    assert level.startswith(
        "Therapists who were higher than others in share of time smiling had a higher reported bond"
    )
    assert "resamples" not in level


def test_what_studies_report_the_other_way_round_is_said():
    opposite = effect(WAIT, "change", 0.3, 0.2, agrees="opposite to what is reported")
    assert effect_words(told(opposite))[1].endswith("Studies report the opposite (Templeton et al. 2022).")
    own = effect("client.voice.own", "change", 0.3, 0.2, agrees="not known")
    assert effect_words(told(own))[1].endswith("What studies report is not known.")


def test_no_signal_stands_out_where_chance_brings_as_many():
    nothing = [effect(f"client.voice.x{k}", "level", 0.01, 0.9, p=0.6) for k in range(53)]
    few = [effect(f"client.voice.y{k}", "level", 0.2, 0.7, p=0.03) for k in range(3)]
    words = effect_words(told(*nothing, *few))
    assert words[0] == "No signal stands out: of 56 tests, 3 have p below .05, and 3 are expected by chance."
    assert all("May be chance: 1 of 56 tests" in line for line in words[1:])
    assert len(words) == 4


def test_the_clearest_come_first_and_the_others_are_counted():
    many = [effect(f"client.voice.x{k}", "level", 0.2, 0.02, p=0.01 - 0.0005 * k) for k in range(12)]
    words = effect_words(told(*many), limit=4)
    assert "x11" in words[1]
    assert words[-1] == "8 more with p below .05 are not named here."
    assert len(words) == 6


def test_simulated_cohorts_say_so_first_and_nothing_sounds_causal():
    cohort = Cohort.from_table(simulate_cohort(60, 4, seed=1, effects={SMILES: 0.4, WAIT: -0.3}))
    found = effects(cohort, seed=0)
    words = effect_words(found)
    assert words[0].startswith("SIMULATED")
    assert not effect_words(replace(found, simulated=False))[0].startswith("SIMULATED")
    assert any("Shown here" in line for line in words)
    assert any(line.startswith("Of the bond's variance that covariates leave") for line in words)
    causal = r"\b(because|cause[sd]?|leads? to|improve[sd]?|due to|effect of|increase[sd]?|makes?)\b"
    assert not re.search(causal, " ".join(words), re.IGNORECASE)


def test_where_nothing_could_be_tested_it_is_said():
    one = replace(effect(WAIT, "", 0.1, None), beta=None, low=None, high=None, p=None, reason="too few")
    assert effect_words(told(one)) == ("No signal could be tested.",)
