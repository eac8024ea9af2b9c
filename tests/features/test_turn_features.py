"""Turn-taking: conversations whose timing is written down, planned ones with known truth, and what is lacking."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from acted import session, table, times, voices
from hypothesis import given, settings
from hypothesis import strategies as st

from vsa.features.registry import TooLittle, features
from vsa.features.session import Session
from vsa.simulate.conversation import plan_conversation

CYCLES = 12


def call(seconds, speech, *, people=("p1", "p2"), roles=(), start_s=0.0, **others) -> Session:
    """People whose faces don't matter, and who speak at the given times."""
    frames = [table(times(seconds, 2, start_s), who) for who in people]
    speech = {who: speech.get(who, []) for who in (*people, *(speech.keys() - set(people)))}
    return session(*frames, roles=roles, heard=voices(seconds, speech, start_s=start_s, **others))


def turns_row(of: Session) -> tuple[dict[str, float], dict[str, str]]:
    """The features of turn-taking, and why others are missing."""
    row, missing = {}, {}
    for entry in features():
        if not entry.compute.__module__.startswith("vsa.features.turns_"):
            continue
        for scope in of.scopes if entry.scope == "role" else ("dyad",):
            name = f"{scope}.{entry.name}"
            try:
                row[name] = entry.compute(of, scope)
            except TooLittle as reason:
                row[name], missing[name] = math.nan, str(reason)
    return row, missing


def repeated(pattern, every_s, count, start_s=0.0):
    """The same stretches of speech (who, start, end) again and again."""
    speech = {}
    for k in range(count):
        for who, a, b in pattern:
            speech.setdefault(who, []).append((start_s + k * every_s + a, start_s + k * every_s + b))
    return speech


def exchange(latencies, turn_s=3.0, names=("p1", "p2"), start_s=0.0):
    """Two who alternate, each turn that long; latency k lies before turn k + 1. Returns speech and its end."""
    speech, at = {who: [] for who in names}, start_s
    for k, latency in enumerate([0.0, *latencies]):
        at += latency
        speech[names[k % 2]].append((at, at + turn_s))
        at += turn_s
    return speech, at


# One cycle of 20 s: p1 speaks with a pause of 0.5 s and a backchannel by p2; p2 answers after 0.4 s; p1 takes over
# 0.2 s too early; p2 answers after 1 s; nobody speaks for 3 s, and p1 begins again.
CYCLE = [
    ("p1", 0.0, 4.0),
    ("p2", 2.0, 2.4),
    ("p1", 4.5, 8.0),
    ("p2", 8.4, 12.0),
    ("p1", 11.8, 14.0),
    ("p2", 15.0, 17.0),
]


def test_a_conversation_that_is_written_down():
    row, missing = turns_row(call(20.0 * CYCLES, repeated(CYCLE, 20.0, CYCLES)))
    between = np.tile([8.4, 3.4, 3.2, 5.0], CYCLES)[:-1]  # the beginnings of turns
    expected = {
        "p1.turns.talk_share": 9.7 / 15.7,
        "p2.turns.talk_share": 6.0 / 15.7,
        "p1.turns.turn_rate_per_min": 6.0,
        "p2.turns.turn_rate_per_min": 6.0,
        "p1.turns.turn_median_s": (8.0 + 2.2) / 2,
        "p2.turns.turn_median_s": (3.6 + 2.0) / 2,
        "p1.turns.turn_p90_s": 8.0,
        "p2.turns.turn_p90_s": 3.6,
        "p1.turns.monologue_share": 0.0,
        "p1.turns.pause_median_s": 0.5,
        "p1.turns.pause_rate_per_min": 60 / 9.7,
        "p2.turns.pause_rate_per_min": 0.0,
        "p1.turns.hold_share": 1 / 3,
        "p1.turns.gap_median_s": 3.0,
        "p2.turns.gap_median_s": 0.7,
        "p1.turns.gap_iqr_s": 0.0,
        "p2.turns.gap_iqr_s": 0.6,
        "p1.turns.long_gap_share": 11 / 23,
        "p2.turns.long_gap_share": 0.0,
        "p1.turns.overlap_start_share": 12 / 23,
        "p2.turns.overlap_start_share": 0.0,
        "p1.turns.latency_median_s": -0.2,
        "p2.turns.latency_median_s": 0.7,
        "p1.turns.latency_p90_s": 3.0,
        "p2.turns.latency_p90_s": 1.0,
        "p1.turns.backchannel_rate_per_min": 0.0,
        "p2.turns.backchannel_rate_per_min": 60 / 9.7,
        "p1.turns.silence_breaking_share": 1.0,
        "p2.turns.silence_breaking_share": 0.0,
        "dyad.turns.talk_balance": 1 - 3.7 / 15.7,
        "dyad.turns.overlap_share": 0.6 / 15.1,
        "dyad.turns.silence_share": 4.9 / 20,
        "dyad.turns.long_silence_rate_per_min": 11 / 4,
        "dyad.turns.transition_rate_per_min": 47 / 4,
        "dyad.turns.transfer_offset_median_s": 0.4,
        "dyad.turns.transfer_offset_iqr_s": 0.9,  # 12 each of -0.2, 0.4 and 1.0, 11 of 3.0
        "dyad.turns.rhythm_cv": np.std(between) / np.mean(between),
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, abs=1e-3), name
    assert missing["p2.turns.hold_share"] == "silences after this person's speech: 0, and 8 are needed"
    assert missing["p2.turns.pause_median_s"] == "pauses: 0, and 3 are needed"
    assert missing["p2.turns.latency_slope_s_per_10min"] == (
        "this person takes over turns for 226.6 s, and 300 s are needed"
    )


def test_interruptions_are_counted_for_who_makes_them_and_whether_they_succeed():
    cut = [("p1", 0.0, 5.0), ("p2", 4.0, 8.0), ("p1", 6.0, 7.5)]
    swapped = [({"p1": "p2", "p2": "p1"}[who], a, b) for who, a, b in cut]
    speech = repeated(cut, 10.0, 9)
    for who, spans in repeated(swapped, 10.0, 3, start_s=90.0).items():
        speech[who] += spans
    row, _ = turns_row(call(120.0, speech))
    assert row["p2.turns.interruption_rate_per_min"] == pytest.approx(4.5)
    assert row["p1.turns.interruption_rate_per_min"] == pytest.approx(1.5)
    assert row["p1.turns.interruption_failed_rate_per_min"] == pytest.approx(4.5)
    assert row["p2.turns.interruption_failed_rate_per_min"] == pytest.approx(1.5)
    assert row["dyad.turns.interruption_asymmetry"] == pytest.approx(-0.5)


def test_a_monologue_is_a_turn_of_half_a_minute_whatever_the_listener_hums():
    pattern = [
        ("p1", 0.0, 15.0),
        ("p2", 7.0, 7.5),
        ("p1", 15.3, 30.3),
        ("p2", 31.0, 36.0),
        ("p1", 36.5, 46.5),
    ]
    row, _ = turns_row(call(500.0, repeated(pattern, 50.0, 10)))
    assert row["p1.turns.monologue_share"] == pytest.approx(30 / 40, abs=1e-3)
    assert row["p2.turns.monologue_share"] == 0


def test_latency_that_grows_by_a_tenth_of_a_second_a_minute():
    latencies = []
    at = 3.0
    for k in range(180):
        latencies.append(0.2 + 0.1 * at / 60 if k % 2 == 0 else 0.5)
        at += latencies[-1] + 3.0
    latencies[40] = 2.8  # one answer that took long
    speech, end = exchange(latencies)
    row, _ = turns_row(call(end + 1, speech))
    assert row["p2.turns.latency_slope_s_per_10min"] == pytest.approx(1.0, rel=0.02)
    assert row["p1.turns.latency_slope_s_per_10min"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("together", "low", "high"), [(1, 0.8, 1.0), (0, -0.17, 0.17), (-1, -1.0, -0.8)])
def test_latencies_that_move_together_are_coupled_and_habits_are_not(together, low, high):
    rng = np.random.default_rng(4)
    mood = np.repeat(rng.permutation(np.linspace(-1, 1, 50)), 6)  # changes every six turns
    other = together * mood if together else rng.permutation(mood)
    latencies = np.where(np.arange(len(mood)) % 2, 0.4 + 0.2 * mood, 1.6 + 0.8 * other)
    speech, end = exchange(latencies, turn_s=1.5)
    row, _ = turns_row(call(end + 1, speech))
    assert low <= row["dyad.turns.latency_coupling_r"] <= high


def test_a_steady_beat_of_turns_and_bursts():
    speech, end = exchange(np.full(40, 0.5), turn_s=2.0)
    assert turns_row(call(end + 1, speech))[0]["dyad.turns.rhythm_cv"] == pytest.approx(0, abs=1e-6)
    bursts = np.tile([0.1, 0.1, 0.1, 2.9, 2.9], 10)
    speech, end = exchange(bursts, turn_s=1.5)
    found = turns_row(call(end + 1, speech))[0]["dyad.turns.rhythm_cv"]
    assert found == pytest.approx(np.std(bursts + 1.5) / np.mean(bursts + 1.5), abs=1e-6)


def test_balance_that_moves_though_it_evens_out():
    minutes = np.arange(0.0, 1200.0, 5.0)
    handed_over = {
        "p1": [(t, t + 4) for t in minutes if t < 600],
        "p2": [(t, t + 4) for t in minutes if t >= 600],
    }
    shares = [1.0] * 16 + [0.8, 0.6, 0.4, 0.2] + [0.0] * 16  # windows of 150 s, 30 s apart
    row, _ = turns_row(call(1200.0, handed_over))
    assert row["dyad.turns.talk_balance"] == pytest.approx(1)
    assert row["dyad.turns.talk_balance_sd"] == pytest.approx(np.std(shares), abs=1e-3)
    even = {"p1": [(t, t + 2) for t in minutes], "p2": [(t + 2.5, t + 4.5) for t in minutes]}
    assert turns_row(call(1200.0, even))[0]["dyad.turns.talk_balance_sd"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("people", [("client", "therapist"), ("a", "b", "c")])
def test_planned_conversations_of_two_and_three(people):
    plan = plan_conversation(600.0, seed=3, participants=people, clear_s=0.03)
    speech = {who: own[["start", "end"]].to_numpy() for who, own in plan.units.groupby("participant")}
    row, missing = turns_row(call(600.0, speech, people=people))
    talked = {who: (own["end"] - own["start"]).sum() for who, own in plan.units.groupby("participant")}
    for who in people:

        def own(rows, who=who):
            return rows[rows["participant"] == who]

        takes, cuts = own(plan.transfers)["offset"], own(plan.interruptions)["taken"]
        listened = own(plan.turns)["kind"] == "backchannel"
        assert row[f"{who}.turns.talk_share"] == pytest.approx(talked[who] / sum(talked.values()), abs=2e-3)
        assert row[f"{who}.turns.turn_rate_per_min"] == pytest.approx(own(plan.turns)["floor"].sum() / 10)
        assert row[f"{who}.turns.latency_median_s"] == pytest.approx(takes.median(), abs=1e-3)
        assert row[f"{who}.turns.latency_p90_s"] == pytest.approx(takes.quantile(0.9), abs=1e-3)
        assert row[f"{who}.turns.gap_median_s"] == pytest.approx(takes[takes > 0].median(), abs=1e-3)
        assert row[f"{who}.turns.overlap_start_share"] == pytest.approx((takes < 0).mean())
        assert row[f"{who}.turns.interruption_rate_per_min"] == pytest.approx(cuts.sum() / 10)
        assert row[f"{who}.turns.interruption_failed_rate_per_min"] == pytest.approx((~cuts).sum() / 10)
        if len(people) == 2:
            others = sum(talked.values()) - talked[who]
            rate = listened.sum() / (others / 60)
            assert row[f"{who}.turns.backchannel_rate_per_min"] == pytest.approx(rate, rel=2e-3)
    if len(people) == 2:
        assert row["dyad.turns.transition_rate_per_min"] == pytest.approx(len(plan.transfers) / 10)
        offsets = plan.transfers["offset"]
        assert row["dyad.turns.transfer_offset_median_s"] == pytest.approx(offsets.median(), abs=1e-3)
    else:
        dyadic = {name: why for name, why in missing.items() if name.startswith("dyad.")}
        assert set(dyadic.values()) == {"it takes two people, and there are 3"}


def test_what_reaches_into_unknown_time_does_not_count():
    speech = repeated(CYCLE, 20.0, CYCLES)
    # nobody knows who speaks within the gaps of 0.4 s, of every other silence of 3 s, and when p2's last turn begins
    holes = [(20 * k + 8.1, 20 * k + 8.2) for k in range(CYCLES)]
    holes += [(20 * k + 18, 20 * k + 19) for k in range(0, CYCLES, 2)]
    holes += [(20 * (CYCLES - 1) + 14.5, 20 * (CYCLES - 1) + 15.0)]
    row, _ = turns_row(call(20.0 * CYCLES, speech, unknown=holes))
    known = (20 * CYCLES - sum(b - a for a, b in holes)) / 60
    assert row["p2.turns.gap_median_s"] == pytest.approx(1.0, abs=1e-6)
    assert row["p1.turns.long_gap_share"] == pytest.approx(5 / 17)
    assert row["dyad.turns.long_silence_rate_per_min"] == pytest.approx(5 / known, rel=1e-3)
    assert row["p2.turns.turn_rate_per_min"] == pytest.approx((2 * CYCLES - 1) / known, rel=1e-3)
    assert row["p1.turns.turn_rate_per_min"] == pytest.approx(2 * CYCLES / known, rel=1e-3)
    silent = 4.9 * CYCLES - sum(b - a for a, b in holes)
    assert row["dyad.turns.silence_share"] == pytest.approx(silent / (60 * known), abs=1e-3)


def test_speech_in_unknown_time_is_in_no_denominator():
    speech = {"p1": [(0, 40), (41, 61)], "p2": [(62, 100)]}
    row, _ = turns_row(call(100.0, speech, unknown=[(10, 40)]))
    assert row["p1.turns.talk_share"] == pytest.approx(30 / 68, abs=1e-3)
    assert row["dyad.turns.talk_balance"] == pytest.approx(1 - 8 / 68, abs=1e-3)


def test_a_voice_off_camera_takes_part_but_is_not_one_of_the_pair():
    speech = {"p1": [(0.0, 20.0)], "p2": [(21.0, 31.0)], "off_camera": [(32.0, 42.0)]}
    row, _ = turns_row(call(60.0, speech))
    assert row["p1.turns.talk_share"] == pytest.approx(0.5, abs=1e-3)
    assert row["dyad.turns.transition_rate_per_min"] == pytest.approx(1)
    assert row["dyad.turns.silence_share"] == pytest.approx(1 / 3, abs=1e-3)
    assert row["dyad.turns.talk_balance"] == pytest.approx(1 - 10 / 30, abs=1e-3)


def no_sound():
    return session(*(table(times(60, 5), who) for who in ("p1", "p2")))


def one_voice_unheard():
    frames = [table(times(100, 5), who) for who in ("p1", "p2")]
    return session(*frames, heard=voices(100.0, {"p1": [(0.0, 50.0)]}))


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (no_sound, "there is no sound"),
        (lambda: call(100.0, {"p1": [(0.0, 50.0)]}, people=("p1",)), "there is one person only"),
        (one_voice_unheard, "it is never known whether p2 speaks"),
        (
            lambda: call(100.0, repeated(CYCLE, 20.0, 5), unknown=[(0.0, 60.0)]),
            "who speaks is known 40% of the time, and 50% are needed",
        ),
    ],
)
def test_nothing_is_said_of_turns_when_it_is_not_known_who_speaks(of, why):
    row, missing = turns_row(of())
    assert len(missing) == len(row) >= 30
    assert set(missing.values()) == {why}
    assert all(math.isnan(value) for value in row.values())


def test_twenty_seconds_are_too_short_but_for_shares():
    row, missing = turns_row(call(20.0, repeated(CYCLE, 20.0, 1)))
    there = {name for name, value in row.items() if not math.isnan(value)}
    assert there == {"p1.turns.talk_share", "p2.turns.talk_share"} | {
        f"dyad.turns.{name}" for name in ("talk_balance", "overlap_share", "transfer_offset_median_s")
    }
    assert missing["p1.turns.turn_rate_per_min"] == "it is known who speaks for 20.0 s, and 30 s are needed"
    assert missing["dyad.turns.silence_share"] == "it is known who speaks for 20.0 s, and 30 s are needed"
    assert missing["p1.turns.turn_median_s"] == "turns: 2, and 3 are needed"
    assert missing["p2.turns.backchannel_rate_per_min"] == "others speak for 9.7 s, and 30 s are needed"
    assert missing["p2.turns.monologue_share"].startswith("this person speaks in turns for 5.6 s")
    assert missing["p1.turns.latency_p90_s"] == "turns taken over from another: 1, and 8 are needed"
    assert (
        missing["dyad.turns.latency_coupling_r"] == "transfers that follow each other: 2, and 20 are needed"
    )
    assert missing["dyad.turns.talk_balance_sd"] == "windows of 150 s with speech: 0, and 8 are needed"


def test_two_who_are_silent_for_two_minutes():
    row, missing = turns_row(call(120.0, {}))
    there = {name: value for name, value in row.items() if name not in missing}
    assert there.pop("dyad.turns.silence_share") == 1
    # these are 0 because two minutes were heard and nothing happened in them
    counts = ["turn_rate_per_min", "interruption_rate_per_min", "interruption_failed_rate_per_min"]
    assert there == dict.fromkeys(
        [f"{who}.turns.{name}" for who in ("p1", "p2") for name in counts]
        + ["dyad.turns.long_silence_rate_per_min", "dyad.turns.transition_rate_per_min"],
        0.0,
    )
    assert missing["p1.turns.talk_share"] == "somebody speaks for 0.0 s, and 10 s are needed"


def test_the_silent_one_of_two_has_a_share_but_no_latency():
    row, missing = turns_row(call(100.0, {"p1": [(10.0, 90.0)]}))
    assert row["p2.turns.talk_share"] == 0
    assert row["dyad.turns.talk_balance"] == 0
    assert row["p2.turns.backchannel_rate_per_min"] == 0
    assert missing["p2.turns.latency_median_s"] == "turns taken over from another: 0, and 3 are needed"
    assert missing["p2.turns.monologue_share"].startswith("this person speaks in turns for 0.0 s")
    assert missing["p1.turns.backchannel_rate_per_min"] == "others speak for 0.0 s, and 30 s are needed"


def test_thirds_of_a_session_are_measured_for_themselves():
    parts = [
        "p1",
        "p2",
        "p1",
    ]  # who speaks most in each: a monologue lasts from the first third into the second
    pattern = {"p1": [("p1", 0.0, 6.0), ("p2", 7.0, 9.0)], "p2": [("p1", 0.0, 2.0), ("p2", 2.5, 8.5)]}
    speech = {"p1": [(290.0, 340.0)], "p2": []}
    for k, (who, cycles) in enumerate(zip(parts, (29, 25, 30), strict=True)):
        for one, spans in repeated(pattern[who], 10.0, cycles, 300.0 * k + (50 if k == 1 else 0)).items():
            speech[one] += spans
    whole = call(900.0, speech)
    early, middle, late = (turns_row(whole.part(300.0 * k, 300.0 * (k + 1)))[0] for k in range(3))
    assert [round(row["p1.turns.latency_median_s"], 3) for row in (early, middle, late)] == [1.0, 1.5, 1.0]
    assert late["p1.turns.talk_share"] == pytest.approx(0.75, abs=1e-3)
    assert middle["p1.turns.talk_share"] == pytest.approx((40 + 25 * 2) / (40 + 25 * 8), abs=1e-3)
    # it belongs to the third in which it begins, with the 10 s that lie there
    assert early["p1.turns.monologue_share"] == pytest.approx(10 / (29 * 6 + 10), abs=1e-3)
    assert middle["p1.turns.monologue_share"] == 0


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), start_s=st.floats(0, 5000))
def test_neither_order_nor_names_nor_the_clock_matter(seed, start_s):
    plan = plan_conversation(240.0, seed=seed, clear_s=0.03)
    speech = {who: own[["start", "end"]].to_numpy() for who, own in plan.units.groupby("participant")}
    row, missing = turns_row(call(240.0, speech, people=("client", "therapist")))
    start_s = round(start_s, 2)
    later = turns_row(call(240.0, speech, people=("therapist", "client"), start_s=start_s))
    assert later[1].keys() == missing.keys()  # the words may round a time the other way
    other = {"client": "therapist", "therapist": "client"}
    swapped, _ = turns_row(
        call(240.0, {other[who]: spans for who, spans in speech.items()}, people=("client", "therapist"))
    )
    for name, value in row.items():
        assert later[0][name] == pytest.approx(value, rel=1e-3, abs=1e-3, nan_ok=True), name
        who, _, rest = name.partition(".")
        sign = -1 if rest == "turns.interruption_asymmetry" else 1
        assert swapped[f"{other.get(who, who)}.{rest}"] == pytest.approx(sign * value, abs=1e-6, nan_ok=True)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_values_stay_in_their_range_whatever_is_said(seed):
    rng = np.random.default_rng(seed)
    speech = {}
    for who in ("p1", "p2"):
        starts = np.sort(rng.uniform(0, 390, rng.integers(0, 120)))
        speech[who] = [
            (a, a + length) for a, length in zip(starts, rng.exponential(2, len(starts)), strict=True)
        ]
    holes = [(a, a + 4.0) for a in rng.uniform(0, 390, 5)]
    row, missing = turns_row(call(400.0, speech, unknown=holes))
    limits = {entry.name: entry.range for entry in features()}
    for name, value in row.items():
        low, high = limits[name.partition(".")[2]]
        assert math.isnan(value) == (name in missing), name
        if name not in missing:
            assert (-math.inf if low is None else low) <= value <= (math.inf if high is None else high), name
    assert pd.Series(missing, dtype=object).str.len().gt(10).all()
