from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questionnaires import LINES, MOODS, STYLES, made, wide

from vsa.errors import InputError
from vsa.study.answers import answers_of
from vsa.study.instruments import load
from vsa.study.scoring import keyed, percentiles, scale_scores, score

moods = made("moods", MOODS)
describe = made("describe", STYLES)
lines = made("lines", LINES)


def scored(instrument, values, *, prorate=None, already_reversed=False, respondent="client", **columns):
    answers = answers_of(wide(instrument, values, **columns), instrument, respondent=respondent)
    return score(answers, instrument, prorate=prorate, already_reversed=already_reversed)


def test_reversed_items_are_turned_round_and_scales_scored():
    # by hand: bond = 5, 6, 8-2=6, 7 -> mean 6; task = 4, 3, 8-5=3, 2 -> mean 3; total (24 + 12) / 8 = 4.5
    row = scored(moods, [[5, 4, 6, 2, 3, 5, 7, 2]]).iloc[0]
    assert (row["bond_mean"], row["bond_sum"], row["bond_answered"], row["bond_prorated"]) == (
        6,
        24,
        4,
        False,
    )
    assert row["bond_pomp"] == pytest.approx(500 / 6)
    assert (row["task_mean"], row["task_sum"]) == (3, 12)
    assert row["task_pomp"] == pytest.approx(100 / 3)
    assert (row["total_mean"], row["total_sum"], row["total_answered"]) == (4.5, 36, 8)
    assert row["bond"] == 6
    assert (row["session_id"], row["rater"], row["instrument"], row["prorate"]) == (
        "s0",
        "client",
        "moods",
        0.75,
    )


def test_answers_that_were_reversed_before_are_left_as_they_are():
    row = scored(moods, [[5, 4, 6, 6, 3, 3, 7, 2]], already_reversed=True).iloc[0]
    assert (row["bond_mean"], row["task_mean"]) == (6, 3)


def test_the_short_wai_by_hand():
    # task 1, 2, 10, 12; bond 3, 5, 7, 9; goal 4, 6, 8, 11
    row = scored(load("wai-sr"), [[1, 2, 5, 3, 4, 2, 5, 1, 4, 3, 2, 4]]).iloc[0]
    assert (row["task_sum"], row["bond_sum"], row["goal_sum"], row["total_sum"]) == (10, 18, 8, 36)
    assert (row["task_mean"], row["bond_mean"], row["goal_mean"], row["total_mean"]) == (2.5, 4.5, 2, 3)
    assert (row["task_pomp"], row["bond_pomp"], row["goal_pomp"], row["total_pomp"]) == (37.5, 87.5, 25, 50)


def test_missing_rule_at_its_edge():
    full = [5, 4, 4, 3, 4, 2, 3, 4, 5, 3, 2, 4]
    three_of_four = [*full[:2], None, *full[3:]]  # item 3 of bond
    two_of_four = [*full[:2], None, 3, None, *full[5:]]  # items 3 and 5
    nine_of_twelve = [None, None, None, *full[3:]]  # 1 and 2 of task, 3 of bond
    eight_of_twelve = [None, None, None, None, *full[4:]]
    table = scored(load("wai-sr"), [full, three_of_four, two_of_four, nine_of_twelve, eight_of_twelve])
    assert table["bond_answered"].tolist() == [4, 3, 2, 3, 3]
    assert table["bond_prorated"].tolist() == [False, True, False, True, True]
    assert table["bond_mean"].tolist()[:2] == [4.0, 4.0]  # (4+4+3+5)/4; (4+3+5)/3
    assert table["bond_sum"].tolist()[:2] == [16, 16]
    assert math.isnan(table["bond_mean"][2])
    assert math.isnan(table["bond_sum"][2])
    assert math.isnan(table["bond"][2])
    assert table["total_answered"].tolist() == [12, 11, 10, 9, 8]
    assert table["total_mean"][3] == pytest.approx(sum(full[3:]) / 9)
    assert table["total_sum"][3] == pytest.approx(sum(full[3:]) / 9 * 12)
    assert table["total_mean"].isna().tolist() == [False, False, False, False, True]


def test_missing_rule_of_ones_own_is_written_down():
    values = [[5, 4, 6, None, 3, 5, 7, 2], [5, 4, None, None, 3, 5, 7, 2]]
    strict = scored(moods, values, prorate=1)
    assert strict["bond"].isna().all()
    assert (strict["task_mean"] == 3).all()
    loose = scored(moods, values, prorate=0.5)
    assert loose["bond"].tolist() == [6, 6]
    assert loose["prorate"].tolist() == [0.5, 0.5]
    for wrong in (0, -1, 1.2, math.nan):
        with pytest.raises(InputError, match="no share"):
            scored(moods, values, prorate=wrong)


def test_answers_out_of_range_are_never_clipped_and_count_as_not_answered():
    table = scored(moods, [[9, 4, 6, 2, 3, 5, 7, 2], [0, 4, 9, 2, 3, 5, 7, 2]])
    assert table["bond_answered"].tolist() == [3, 2]
    assert table["bond_mean"][0] == pytest.approx((6 + 6 + 7) / 3)
    assert math.isnan(table["bond_mean"][1])


def test_attachment_differences_and_style():
    table = scored(
        describe,
        [[6, 2, 3, 4], [2, 5, 5, 1], [2, 5, 5, 1], [2, 5, 5, 1], [2, 5, 5, 1], [None, 5, 3, 1]],
        describe_choice=["", "", "Preoccupied", "secure", "B", "fearful"],
    )
    assert table["self"].tolist()[:2] == [6 + 4 - 3 - 2, 2 + 1 - 5 - 5]
    assert table["other"].tolist()[:2] == [6 + 3 - 4 - 2, 2 + 5 - 1 - 5]
    # a tie goes to the choice if it is one of the two; someone who left one out may have rated it highest
    assert table["style"].fillna("").tolist() == ["secure", "", "preoccupied", "", "", ""]
    assert math.isnan(table["self"][5])
    assert "bond" not in table


def test_published_cut_off_is_a_column_and_missing_without_a_score():
    table = scored(lines, [[9.5, 9, 9, 9], [9, 9, 9, 9], [9, 9, 9, None]])
    assert table["total_sum"].tolist()[:2] == [36.5, 36]
    assert table["total_cut"].tolist()[:2] == [False, True]
    assert table["total_cut"].isna().tolist() == [False, False, True]
    assert table["bond"].tolist() == [9.5, 9, 9]


def test_percentile_is_that_of_the_middle_rank_among_the_same_respondents():
    scores = np.array([*range(1, 20), 10.0, np.nan, 1.0])
    raters = ["client"] * 21 + ["therapist"]
    found, count = percentiles(scores, raters)
    assert count.tolist() == [20] * 21 + [1]
    assert found[0] == 2.5  # none below, itself: half of 1 in 20
    assert found[9] == found[19] == (9 + 2 / 2) / 20 * 100
    assert found[18] == 97.5
    assert np.isnan(found[20:]).all()  # no score; one therapist
    assert np.isnan(percentiles(scores[:19], raters[:19])[0]).all()


def test_ids_of_people_and_what_is_simulated_go_into_the_scores():
    table = scored(
        moods, [[5, 4, 6, 2, 3, 5, 7, 2]], client_id=["007"], therapist_id=["t1"], simulated=[True], age=[33]
    )
    assert list(table.columns)[:7] == [
        "session_id",
        "client_id",
        "therapist_id",
        "simulated",
        "rater",
        "instrument",
        "prorate",
    ]
    assert (table["client_id"][0], table["simulated"][0]) == ("007", "True")
    assert "age" not in table


_answer = st.one_of(st.none(), st.integers(1, 7))
_rows = st.lists(st.lists(_answer, min_size=8, max_size=8).filter(any), min_size=1, max_size=6)
_few = settings(max_examples=25, deadline=None)


@_few
@given(_rows)
def test_scores_stay_within_their_range(values):
    table = scored(moods, values)
    for scale, items in moods.scales.items():
        mean = table[f"{scale}_mean"]
        there = mean.notna()
        assert mean[there].between(1, 7).all()
        assert table[f"{scale}_pomp"][there].between(0, 100).all()
        assert table[f"{scale}_sum"][there].between(len(items), 7 * len(items)).all()
        assert (there == (table[f"{scale}_answered"] / len(items) >= 0.75)).all()


@_few
@given(_rows)
def test_reversing_twice_changes_nothing(values):
    given_values = np.array(values, float)
    twice = keyed(keyed(given_values, moods), moods)
    np.testing.assert_array_equal(twice, given_values)


@_few
@given(_rows, st.randoms(use_true_random=False))
def test_order_of_rows_and_columns_does_not_matter(values, random):
    table = wide(moods, values)
    rows, columns = list(range(len(table))), list(table.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    once = score(answers_of(table, moods, respondent="client"), moods)
    mixed = score(answers_of(table.iloc[rows][columns], moods, respondent="client"), moods)
    back = mixed.sort_values("session_id", ignore_index=True)
    pd.testing.assert_frame_equal(back, once.sort_values("session_id", ignore_index=True))


@_few
@given(_rows)
def test_wide_and_long_tables_give_the_same(values):
    table = wide(moods, values)
    long = table.melt("session_id", var_name="item", value_name="value").sample(frac=1, random_state=0)
    from_wide = score(answers_of(table, moods, respondent="client"), moods)
    from_long = score(answers_of(long, moods, respondent="client", items="moods_{item}"), moods)
    by = {"by": "session_id", "ignore_index": True}
    pd.testing.assert_frame_equal(from_long.sort_values(**by), from_wide.sort_values(**by))


@_few
@given(st.lists(st.integers(1, 7), min_size=4, max_size=4), st.integers(0, 3))
def test_an_item_left_out_counts_as_the_mean_of_the_others(answers, left_out):
    values = np.array([answers], float)
    values[0, left_out] = np.nan
    others = np.delete(values[0], left_out).mean()
    filled = values.copy()
    filled[0, left_out] = others
    gap, full = scale_scores(values, 1, 7, 0.75), scale_scores(filled, 1, 7, 0.75)
    assert gap.mean[0] == pytest.approx(others)
    assert gap.mean[0] == pytest.approx(full.mean[0])
    assert gap.sum[0] == pytest.approx(full.sum[0])
