"""Conversations by hand: what counts as trouble, and when the two are back in a smooth exchange."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from vsa.voice.repair import repairs
from vsa.voice.turns import find_turns


def talk(**said):
    """Speech as a table: talk(a=[(0, 2)], b=[(2.5, 3)])."""
    rows = [(who, *times) for who, stretches in said.items() for times in stretches]
    return find_turns(pd.DataFrame(rows, columns=["participant", "start", "end"]))


def told(found):
    return [
        (row.kind, round(row.start, 3), round(row.end, 3), row.first, row.outcome)
        for row in found.itertuples()
    ]


def exchange(at, gap=0.3, length=2.0, count=4, people=("a", "b")):
    """Turns one after the other from a time on."""
    said = {who: [] for who in people}
    for k in range(count):
        start = at + k * (length + gap)
        said[people[k % len(people)]].append((start, start + length))
    return said


def test_a_talk_without_trouble_has_none_and_keeps_its_types():
    found = repairs(talk(**exchange(0)))
    assert found.empty
    assert list(found.columns) == ["kind", "start", "end", "first", "outcome", "until_s"]
    assert found["start"].dtype == found["until_s"].dtype == "float64"
    assert repairs(talk(a=[])).dtypes.equals(found.dtypes)


def test_a_long_silence_is_repaired_when_the_floor_has_gone_over_twice():
    after = exchange(12)
    found = repairs(talk(a=[(0, 4), *after["a"]], b=[(4.2, 8), *after["b"]]), end_s=60)
    assert told(found) == [("silence", 8, 12, "a", "repaired")]
    assert found["until_s"].tolist() == [pytest.approx(4.6)]  # a, b, a again: the second transfer


def test_a_silence_just_too_short_is_no_trouble():
    after = exchange(10.99)
    assert repairs(talk(a=[(0, 4), *after["a"]], b=[(4.2, 8), *after["b"]])).empty


def test_one_who_goes_on_alone_after_a_silence_repairs_nothing():
    found = repairs(talk(a=[(0, 4)], b=[(4.2, 8), (12, 60)]), end_s=60)
    assert told(found) == [("silence", 8, 12, "b", "not repaired")]
    assert math.isnan(found["until_s"].iloc[0])


def test_slow_answers_after_a_silence_are_no_smooth_exchange():
    after = exchange(12, gap=2.1, count=6)
    found = repairs(talk(a=[(0, 4), *after["a"]], b=[(4.2, 8), *after["b"]]), end_s=60)
    assert told(found) == [("silence", 8, 12, "a", "not repaired")]


def test_a_repair_after_20_s_comes_too_late():
    """The silence ends at 12: b answers at 31.5, and a again at 32.5, or early enough at 31.9."""
    late = talk(a=[(0, 4), (12, 31), (32.5, 40)], b=[(4.2, 8), (31.5, 32.2)])
    assert told(repairs(late, end_s=60)) == [("silence", 8, 12, "a", "not repaired")]
    early = talk(a=[(0, 4), (12, 29), (31.9, 40)], b=[(4.2, 8), (29.5, 31.5)])
    assert told(repairs(early, end_s=60)) == [("silence", 8, 12, "a", "repaired")]


def test_an_interruption_is_trouble_once_and_repaired_by_later_turns_only():
    """b breaks in at 6 while a goes on until 7; that the floor goes to b then is no part of the repair."""
    turns = talk(a=[(0, 7), (10.2, 13)], b=[(6, 10), (13.3, 16)])
    found = repairs(turns, end_s=60)
    assert told(found) == [("overlap", 6, 7, "b", "repaired")]
    assert found["until_s"].tolist() == [pytest.approx(6.3)]
    alone = talk(a=[(0, 7), (10.2, 40)], b=[(6, 10)])
    assert told(repairs(alone, end_s=60)) == [("overlap", 6, 7, "b", "not repaired")]


def test_an_attempt_that_fails_is_trouble_after_which_the_other_goes_on():
    turns = talk(a=[(0, 9), (12.3, 15)], b=[(5, 6.5), (9.2, 12)])
    assert told(repairs(turns, end_s=60)) == [("overlap", 5, 6.5, "a", "repaired")]


def test_a_short_overlap_and_a_backchannel_are_no_trouble():
    assert repairs(talk(a=[(0, 4), (7.2, 12)], b=[(3.6, 7), (9, 9.8)])).empty


def test_smooth_turns_with_somebody_else_do_not_repair_an_overlap():
    turns = talk(a=[(0, 7)], b=[(6, 10), (12.4, 14), (16.4, 18)], c=[(10.2, 12.2), (14.2, 16.2)])
    assert told(repairs(turns, end_s=60)) == [("overlap", 6, 7, "b", "not repaired")]


def test_what_comes_at_the_end_of_the_recording_stays_open():
    turns = talk(a=[(0, 4), (12, 14)], b=[(4.2, 8)])
    assert told(repairs(turns)) == [("silence", 8, 12, "a", "open")]
    assert told(repairs(turns, end_s=31.99)) == [("silence", 8, 12, "a", "open")]
    assert told(repairs(turns, end_s=32)) == [("silence", 8, 12, "a", "not repaired")]


def test_a_repair_is_known_even_where_the_recording_ends_soon():
    after = exchange(12)
    turns = talk(a=[(0, 4), *after["a"]], b=[(4.2, 8), *after["b"]])
    assert told(repairs(turns, end_s=22)) == [("silence", 8, 12, "a", "repaired")]


def test_silence_before_the_first_word_and_after_the_last_is_no_trouble():
    assert repairs(talk(**exchange(10)), end_s=200).empty


def test_trouble_of_both_kinds_comes_in_order_of_time():
    after = exchange(20)
    turns = talk(a=[(0, 7), *after["a"]], b=[(6, 10), *after["b"]])
    assert [row[0] for row in told(repairs(turns, end_s=90))] == ["overlap", "silence"]
