"""Answers have the reliability, ceiling and gaps that were asked for, judged by formulas written apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vsa.errors import InputError
from vsa.simulate.answers import CEILINGS, answers_for
from vsa.study.instruments import load, names

N = 4000
LATENT = np.random.default_rng(5).standard_normal(N)
IDS = pd.DataFrame({"session_id": [f"s{k}" for k in range(N)]})
CLEAN = {"missing": 0.0, "straight": 0.0}


def keyed(table, key, scale):
    prefix = key.id.replace("-", "_")
    columns = []
    for item in key.scales[scale]:
        values = table[f"{prefix}_{item}"].astype(float)
        columns.append(key.low + key.high - values if item in key.reversed else values)
    return np.column_stack(columns)


def alpha(values):
    """From the mean correlation of items and their covariances: k c / (v + (k - 1) c)."""
    covariance = np.cov(values, rowvar=False)
    k = len(covariance)
    c = (covariance.sum() - np.trace(covariance)) / (k * (k - 1))
    return k * c / (np.trace(covariance) / k + (k - 1) * c)


@pytest.mark.parametrize("which", names())
def test_every_questionnaire_has_the_alpha_and_ceiling_asked_for(which):
    key = load(which)
    table = answers_for(IDS, LATENT, key, seed=2, **CLEAN)
    scale = key.bond or next(iter(key.scales))
    values = keyed(table, key, scale)
    assert values.min() >= key.low
    assert values.max() <= key.high
    if values.shape[1] > 2 and which != "srs":
        assert alpha(values) == pytest.approx(0.9, abs=0.02)
    assert (values == key.high).all(axis=1).mean() == pytest.approx(CEILINGS[key.measures], abs=0.025)
    assert np.corrcoef(values.mean(axis=1), LATENT)[0, 1] > 0.8


@pytest.mark.parametrize(("asked", "ceiling"), [(0.7, 0.05), (0.8, 0.3), (0.95, 0.1)])
def test_other_alphas_and_ceilings_come_out_too(asked, ceiling):
    key = load("wai-sr")
    values = keyed(answers_for(IDS, LATENT, key, seed=1, alpha=asked, ceiling=ceiling, **CLEAN), key, "bond")
    assert alpha(values) == pytest.approx(asked, abs=0.03)
    assert (values == 5).all(axis=1).mean() == pytest.approx(ceiling, abs=0.025)


def test_scales_are_alike_and_not_the_same():
    key = load("wai-sr")
    table = answers_for(IDS, LATENT, key, seed=1, **CLEAN)
    bond, goal = (keyed(table, key, scale).mean(axis=1) for scale in ("bond", "goal"))
    assert 0.5 < np.corrcoef(bond, goal)[0, 1] < 0.85


def test_answers_are_left_out_and_some_people_tick_the_same_all_along():
    key = load("wai-36")
    table = answers_for(IDS, LATENT, key, seed=1, missing=0.1, straight=0.05).filter(like="wai_36_")
    assert table.isna().mean().mean() == pytest.approx(0.1, abs=0.01)
    assert (table.nunique(axis=1) == 1).mean() == pytest.approx(0.05, abs=0.015)


def test_who_fills_it_in_and_what_cannot_be_asked_for():
    key = load("wai-36")
    assert set(answers_for(IDS[:5], LATENT[:5], key, seed=1, respondent="therapist")["respondent"]) == {
        "therapist"
    }
    with pytest.raises(InputError, match="not filled in by the therapist"):
        answers_for(IDS[:5], LATENT[:5], load("wai-sr"), seed=1, respondent="therapist")
    with pytest.raises(InputError, match="no share"):
        answers_for(IDS[:5], LATENT[:5], key, seed=1, alpha=1.0)
