from __future__ import annotations

import dataclasses
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people import clip_path

from vsa.voice.ipu import inter_pausal_units, speech_stretches
from vsa.voice.turns import Rules, corrected_turns, find_turns

REAL = ["ocfop", "wprog", "ylzez", "zfzlc"]
FRAMES = ("units", "turns", "transfers", "silences", "overlaps", "alone", "interruptions")
EVERYONE_TAKES_THE_FLOOR = Rules(backchannel_s=0)


def talk(**said):
    """Speech as a table: talk(a=[(0, 2)], b=[(2.5, 3)])."""
    rows = [(who, *times) for who, stretches in said.items() for times in stretches]
    return pd.DataFrame(rows, columns=["participant", "start", "end"])


def rows(table, *columns):
    return [
        tuple(row)
        for row in table[list(columns)].astype(object).where(table[list(columns)].notna(), None).values
    ]


def spoken(turns):
    """Turns and backchannels in short: who, from, to, kind, + with the floor."""
    return [
        f"{t.participant} {t.start:g}-{t.end:g} {t.kind}{'+' * t.floor}"
        for t in turns.turns.itertuples(index=False)
    ]


# What people mean, one example each


def test_pauses_under_200_ms_are_part_of_speech():
    speech = talk(a=[(0, 1), (1.19, 2), (2.2, 3)], b=[(5, 6)])
    units = [(unit.start / 1e6, unit.end / 1e6) for unit in inter_pausal_units(speech) if unit.who == "a"]
    assert units == [(0, 2), (2.2, 3)]


def test_exactly_200_ms_is_a_pause_wherever_it_stands():
    for shift in np.arange(0, 4000, 37.37):
        at = round(float(shift), 2)
        assert len(inter_pausal_units(talk(a=[(at, at + 12.16), (at + 12.36, at + 13)]))) == 2


def test_a_gap_is_between_speakers_and_a_pause_within_one():
    turns = find_turns(talk(a=[(0, 2), (2.5, 4)], b=[(4.3, 7)]))
    assert spoken(turns) == ["a 0-4 turn+", "b 4.3-7 turn+"]
    assert rows(turns.silences, "start", "end", "kind", "before", "after") == [
        (2, 2.5, "pause", "a", "a"),
        (4, 4.3, "gap", "a", "b"),
    ]
    assert rows(turns.transfers, "participant", "previous", "start", "offset") == [("b", "a", 4.3, 0.3)]
    assert turns.overlaps.empty
    assert turns.interruptions.empty


def test_a_short_overlap_between_speakers_is_a_transfer_below_zero_and_no_interruption():
    turns = find_turns(talk(a=[(0, 4)], b=[(3.7, 7)]))
    assert rows(turns.overlaps, "start", "end", "kind", "before", "after") == [(3.7, 4, "between", "a", "b")]
    assert turns.transfers["offset"].tolist() == [-0.3]
    assert turns.interruptions.empty


def test_touching_turns_have_no_gap_and_no_overlap():
    turns = find_turns(talk(a=[(0, 2)], b=[(2, 4)]))
    assert turns.transfers["offset"].tolist() == [0]
    assert turns.silences.empty
    assert turns.overlaps.empty


@pytest.mark.parametrize("times", [(2, 2.4), (4.2, 4.8), (3.8, 4.3), (4.2, 5.2)])
def test_what_a_listener_says_in_a_second_or_less_leaves_the_floor_where_it_was(times):
    turns = find_turns(talk(a=[(0, 4), (6, 9)], b=[times]))
    assert spoken(turns) == ["a 0-9 turn+", f"b {times[0]:g}-{times[1]:g} backchannel"]
    assert turns.transfers.empty
    assert turns.interruptions.empty
    assert set(turns.silences["kind"]) == {"pause"}
    assert set(turns.overlaps["kind"]) <= {"within"}


def test_more_than_a_second_in_a_pause_is_a_turn():
    turns = find_turns(talk(a=[(0, 4), (6, 9)], b=[(4.2, 5.21)]))
    assert spoken(turns) == ["a 0-4 turn+", "b 4.2-5.21 turn+", "a 6-9 turn+"]


def test_a_short_answer_after_which_the_other_takes_three_seconds_to_go_on_is_a_turn():
    turns = find_turns(talk(a=[(0, 4), (8, 12)], b=[(4.4, 5)]))
    assert spoken(turns) == ["a 0-4 turn+", "b 4.4-5 turn+", "a 8-12 turn+"]
    assert turns.transfers["offset"].tolist() == [0.4, 3]


def test_encouragement_in_a_long_pause_of_therapy_is_a_backchannel():
    turns = find_turns(talk(client=[(0, 6), (10, 15)], therapist=[(7.8, 8.2)]))
    assert turns.table["kind"].tolist() == ["turn", "backchannel"]


def test_a_short_beginning_of_ones_own_turn_is_part_of_it():
    turns = find_turns(talk(a=[(0, 4)], b=[(4.2, 4.7), (5.1, 8)]))
    assert spoken(turns) == ["a 0-4 turn+", "b 4.2-8 turn+"]


def test_a_quick_exchange_is_made_of_turns():
    turns = find_turns(talk(a=[(0, 0.8), (2, 2.7), (4, 4.6)], b=[(1, 1.6), (3, 3.8)]))
    assert turns.table["kind"].tolist() == ["turn"] * 5
    assert len(turns.transfers) == 4


def test_backchannels_in_a_row_all_count():
    turns = find_turns(talk(a=[(0, 4), (6, 9)], b=[(1, 1.4), (1.9, 2.2), (4.3, 4.6), (5, 5.4)]))
    assert turns.table["kind"].value_counts().to_dict() == {"backchannel": 4, "turn": 1}


def test_an_overlap_that_takes_the_floor_is_an_interruption():
    turns = find_turns(talk(a=[(0, 4)], b=[(3, 7)]))
    assert rows(turns.interruptions, "participant", "interrupted", "start", "end", "taken") == [
        ("b", "a", 3, 4, True)
    ]
    assert turns.transfers["offset"].tolist() == [-1]


def test_an_overlap_that_does_not_take_the_floor_is_a_failed_interruption():
    turns = find_turns(talk(a=[(0, 8)], b=[(3, 5)]))
    assert rows(turns.interruptions, "participant", "interrupted", "start", "end", "taken") == [
        ("b", "a", 3, 5, False)
    ]
    assert spoken(turns) == ["a 0-8 turn+", "b 3-5 turn"]
    assert turns.transfers.empty
    assert turns.overlaps["kind"].tolist() == ["within"]


def test_the_floor_taken_back_is_two_transfers():
    turns = find_turns(talk(a=[(0, 5), (6.4, 9)], b=[(4, 7)]))
    assert rows(turns.transfers, "participant", "offset") == [("b", -1), ("a", -0.6)]
    assert turns.interruptions["taken"].tolist() == [True, True]


def test_two_who_start_at_once_interrupt_nobody():
    for b in (2, 2.1, 1.9):
        turns = find_turns(talk(a=[(2, 6)], b=[(b, 3)]))
        assert turns.interruptions.empty
        assert turns.table["kind"].tolist() == ["turn", "turn"]
    turns = find_turns(talk(a=[(2, 6)], b=[(2, 3)]))
    assert spoken(turns) == ["a 2-6 turn+", "b 2-3 turn"]
    assert turns.overlaps["kind"].tolist() == ["open"]


def test_two_who_say_the_same_in_the_same_time_leave_the_floor_to_nobody():
    turns = find_turns(talk(a=[(1, 4)], b=[(1, 4)]))
    assert spoken(turns) == ["a 1-4 turn", "b 1-4 turn"]
    assert turns.transfers.empty
    assert turns.alone.empty


def test_a_starter_who_gives_way_after_a_pause_of_the_other_interrupts_nobody():
    turns = find_turns(talk(a=[(0, 5), (6, 9)], b=[(6, 7.5)]))
    assert spoken(turns) == ["a 0-9 turn+", "b 6-7.5 turn"]
    assert turns.interruptions.empty


def test_three_seconds_of_silence_end_a_turn():
    assert spoken(find_turns(talk(a=[(0, 2), (4.99, 6)]))) == ["a 0-6 turn+"]
    turns = find_turns(talk(a=[(0, 2), (5, 6)]))
    assert spoken(turns) == ["a 0-2 turn+", "a 5-6 turn+"]
    assert turns.silences["kind"].tolist() == ["pause"]
    assert turns.transfers.empty


def test_an_overlap_inside_another_of_three_people():
    turns = find_turns(talk(a=[(0, 10)], b=[(2, 8)], c=[(4, 4.5), (9, 12)]))
    assert spoken(turns) == [
        "a 0-10 turn+",
        "b 2-8 turn",
        "c 4-4.5 backchannel",
        "c 9-12 turn+",
    ]
    assert rows(turns.overlaps, "start", "end", "kind") == [(2, 8, "within"), (9, 10, "between")]
    assert rows(turns.interruptions, "participant", "interrupted", "taken") == [
        ("b", "a", False),
        ("c", "a", True),
    ]


def test_the_floor_goes_around_among_four():
    turns = find_turns(talk(a=[(0, 2)], b=[(2.2, 5)], c=[(5.5, 8)], d=[(7.9, 11)]), participants=["d", "e"])
    assert rows(turns.transfers, "previous", "participant", "offset") == [
        ("a", "b", 0.2),
        ("b", "c", 0.5),
        ("c", "d", -0.1),
    ]
    assert turns.participants == ("d", "e", "a", "b", "c")


def test_one_speaker_has_pauses_and_nothing_else():
    turns = find_turns(talk(a=[(0, 1), (1.5, 2)]), participants=["a", "b"])
    assert turns.participants == ("a", "b")
    assert turns.silences["kind"].tolist() == ["pause"]
    assert turns.transfers.empty
    assert turns.overlaps.empty


def test_nobody_speaks():
    turns = find_turns(talk(), participants=["a", "b"])
    for name in FRAMES:
        assert getattr(turns, name).empty
    assert turns.table.dtypes["start"] == np.float64
    assert list(turns.table) == ["participant", "start", "end", "kind"]


def test_stretches_that_do_not_last_or_have_no_time_are_no_speech():
    turns = find_turns(talk(a=[(0, 2), (3, 3), (5, 4), (np.nan, 6), (7, np.inf)], b=[(1, 1)]))
    assert spoken(turns) == ["a 0-2 turn+"]


def test_flags_on_a_grid_become_stretches():
    flags = np.zeros(1000, bool)
    flags[[0, 1, 2, 500, 999]] = True
    speech = speech_stretches({"a": flags, "b": ~flags[:5], "c": np.zeros(0, bool)}, 0.01, start_s=3)
    assert rows(speech, "participant", "start", "end") == [
        ("a", 3, 3.03),
        ("b", 3.03, 3.05),
        ("a", 8, 8.01),
        ("a", 12.99, 13),
    ]


# Real conversations, counted a second time with pyannote.core


def real(name):
    lines = [line.split() for line in clip_path(f"turns/{name}.rttm").read_text().splitlines()]
    return pd.DataFrame(
        [(w[7], float(w[3]), float(w[3]) + float(w[4])) for w in lines],
        columns=["participant", "start", "end"],
    )


class SecondCount:
    """Heldner & Edlund (2010) with the intervals of pyannote.core."""

    def __init__(self, speech):
        core = pytest.importorskip(
            "pyannote.core", reason="pyannote.core is not installed (a dev dependency)"
        )
        said = core.Annotation()
        for i, row in enumerate(speech.itertuples(index=False)):
            said[core.Segment(row.start, row.end), i] = row.participant
        units = core.Annotation()
        for who in said.labels():
            for i, unit in enumerate(said.label_timeline(who).support(collar=0.2 - 1e-6)):
                units[unit, f"{who}{i}"] = who
        both = units.get_overlap()
        self.units = units
        self.alone = sorted(
            (part, who) for who in units.labels() for part in units.label_timeline(who).extrude(both)
        )
        self.silences = [(s.start, s.end, self._kind(s, "pause", "gap")) for s in units.get_timeline().gaps()]
        self.overlaps = [(s.start, s.end, self._kind(s, "within", "between")) for s in both]

    def _kind(self, stretch, same, other):
        before = [who for part, who in self.alone if part.end <= stretch.start + 1e-9]
        after = [who for part, who in self.alone if part.start >= stretch.end - 1e-9]
        if not before or not after:
            return "open"
        return same if before[-1] == after[0] else other


@pytest.mark.parametrize("name", REAL)
def test_real_conversations_have_the_same_gaps_and_overlaps_when_counted_with_pyannote(name):
    speech = real(name)
    turns, second = find_turns(speech, EVERYONE_TAKES_THE_FLOOR), SecondCount(speech)
    assert len(turns.units) == sum(1 for _ in second.units.itertracks())
    for ours, theirs in ((turns.silences, second.silences), (turns.overlaps, second.overlaps)):
        assert ours["kind"].tolist() == [kind for _, _, kind in theirs]
        np.testing.assert_allclose(
            ours[["start", "end"]].to_numpy(), np.array(theirs)[:, :2].astype(float), rtol=0, atol=1e-6
        )
    talked = turns.alone.groupby("participant").apply(lambda part: (part["end"] - part["start"]).sum())
    for who in second.units.labels():
        alone = sum(part.duration for part, speaker in second.alone if speaker == who)
        assert talked[who] == pytest.approx(alone, abs=1e-6)
    changes = sum(a != b for (_, a), (_, b) in zip(second.alone, second.alone[1:], strict=False))
    assert len(turns.transfers) == changes


@pytest.mark.parametrize("name", REAL)
def test_real_backchannels_change_what_the_floor_is_and_not_who_is_heard(name):
    speech = real(name)
    turns, plain = find_turns(speech), find_turns(speech, EVERYONE_TAKES_THE_FLOOR)
    for ours, theirs in ((turns.silences, plain.silences), (turns.overlaps, plain.overlaps)):
        pd.testing.assert_frame_equal(ours[["start", "end"]], theirs[["start", "end"]])
    pd.testing.assert_frame_equal(turns.alone, plain.alone)
    said = turns.table[turns.table["kind"] == "backchannel"]
    assert 1 <= len(said) < 30
    assert ((said["end"] - said["start"]) <= 1 + 1e-9).all()
    assert len(turns.transfers) < len(plain.transfers)


# Conversations made up so that everything about them is known


def made_up(seed, exchanges=60):
    """A conversation of two, and its truth."""
    rng = np.random.default_rng(seed)
    truth = {
        "offsets": [],
        "turns": [],
        "backchannels": 0,
        "taken": 0,
        "failed": 0,
        "pauses": 0,
        "gaps": 0,
        "between": 0,
        "within": 0,
    }
    speech = []
    now, who = 0.5, 0
    for _ in range(exchanges):
        me, other = "ab"[who], "ba"[who]
        start = at = now
        for j in range(rng.integers(1, 4)):
            if j:
                pause = rng.uniform(0.25, 0.9)
                truth["pauses"] += 1
                if pause > 0.7 and rng.random() < 0.5:
                    speech.append((other, at + 0.1, at + pause - 0.1))
                    truth["backchannels"] += 1
                    truth["pauses"] += 1  # a silence before it, and one after
                at += pause
            length = rng.uniform(4, 7)
            speech.append((me, at, at + length))
            what = rng.choice(["nothing", "backchannel", "failed"])
            if what == "backchannel":
                speech.append((other, at + 1.2, at + 1.2 + rng.uniform(0.2, 0.9)))
                truth["backchannels"] += 1
                truth["within"] += 1
            elif what == "failed":
                speech.append((other, at + 1.2, at + 1.2 + rng.uniform(1.05, 1.4)))
                truth["failed"] += 1
                truth["within"] += 1
            at += length
        truth["turns"].append((me, start, at))
        how = rng.choice(["gap", "overlap", "interruption"], p=[0.5, 0.3, 0.2])
        offset = {"gap": (0.02, 1.5), "overlap": (-0.4, -0.02), "interruption": (-0.85, -0.55)}[how]
        offset = rng.uniform(*offset)
        truth["offsets"].append(offset)
        truth["gaps"] += how == "gap"
        truth["between"] += how != "gap"
        truth["taken"] += how == "interruption"
        now, who = at + offset, 1 - who
    truth["offsets"].pop()
    truth["gaps"] -= how == "gap"
    truth["between"] -= how != "gap"
    truth["taken"] -= how == "interruption"
    return pd.DataFrame(speech, columns=["participant", "start", "end"]).sample(
        frac=1, random_state=seed
    ), truth


@pytest.mark.parametrize("seed", range(8))
def test_made_up_conversations_are_understood_to_the_last_count(seed):
    speech, truth = made_up(seed)
    turns = find_turns(speech)
    with_floor = turns.turns[turns.turns["floor"]]
    assert with_floor["participant"].tolist() == [who for who, _, _ in truth["turns"]]
    np.testing.assert_allclose(
        with_floor[["start", "end"]].to_numpy(), [times for _, *times in truth["turns"]], atol=1e-5
    )
    np.testing.assert_allclose(turns.transfers["offset"], truth["offsets"], atol=1e-5)
    assert (turns.table["kind"] == "backchannel").sum() == truth["backchannels"]
    assert turns.interruptions["taken"].sum() == truth["taken"]
    assert (~turns.interruptions["taken"]).sum() == truth["failed"]
    assert turns.silences["kind"].value_counts().to_dict() == {"pause": truth["pauses"], "gap": truth["gaps"]}
    counted = {"within": truth["within"], "between": truth["between"]}
    assert turns.overlaps["kind"].value_counts().to_dict() == counted


# Whatever people do

conversations = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 40_000), st.integers(0, 6_000)), max_size=25
)
short = settings(max_examples=40, deadline=None)


def as_speech(drawn, shift_ms=0):
    rows = [
        (who, (start + shift_ms) / 1000, (start + length + shift_ms) / 1000) for who, start, length in drawn
    ]
    return pd.DataFrame(rows, columns=["participant", "start", "end"])


def same(ours, theirs, but=()):
    for name in FRAMES:
        if name not in but:
            pd.testing.assert_frame_equal(
                getattr(ours, name), getattr(theirs, name), check_exact=False, atol=1e-6
            )


@given(conversations)
@short
def test_all_time_is_silence_overlap_or_one_speaker(drawn):
    speech = as_speech(drawn)
    turns = find_turns(speech)
    parts = pd.concat([turns.silences, turns.overlaps, turns.alone])[["start", "end"]].sort_values("start")
    lasting = speech[speech["end"] > speech["start"]]
    if lasting.empty:
        assert parts.empty
        return
    assert parts["start"].iloc[0] == pytest.approx(lasting["start"].min(), abs=1e-6)
    assert parts["end"].iloc[-1] == pytest.approx(lasting["end"].max(), abs=1e-6)
    np.testing.assert_allclose(parts["start"].to_numpy()[1:], parts["end"].to_numpy()[:-1], atol=1e-6)
    assert (parts["end"] > parts["start"]).all()


@given(conversations)
@short
def test_every_unit_is_in_one_row_and_every_row_is_as_long_as_its_units(drawn):
    turns = find_turns(as_speech(drawn))
    seen = 0
    for row in turns.turns.itertuples(index=False):
        units = turns.units
        own = units[
            (units["participant"] == row.participant)
            & (units["kind"] == row.kind)
            & (units["start"] >= row.start)
            & (units["end"] <= row.end)
        ]
        assert own["start"].min() == row.start
        assert own["end"].max() == row.end
        seen += len(own)
        if row.kind == "backchannel":
            assert row.end - row.start <= 1 + 1e-6
            assert not row.floor
    assert seen == len(turns.units)
    assert (turns.transfers["participant"] != turns.transfers["previous"]).all()
    assert turns.turns["floor"].sum() >= len(turns.transfers)


@given(conversations, st.randoms(use_true_random=False))
@short
def test_the_order_of_rows_does_not_matter(drawn, random):
    other = list(drawn)
    random.shuffle(other)
    same(find_turns(as_speech(drawn)), find_turns(as_speech(other)))


@given(conversations, st.integers(-100_000, 10_000_000))
@short
def test_later_is_the_same_later(drawn, shift_ms):
    turns, later = find_turns(as_speech(drawn)), find_turns(as_speech(drawn, shift_ms))
    moved = {}
    for name in FRAMES:
        table = getattr(later, name).copy()
        for column in {"start", "end"} & set(table):
            table[column] -= shift_ms / 1000
        moved[name] = table
    same(turns, dataclasses.replace(later, **moved))


@given(conversations)
@short
def test_roles_that_change_places_change_places_in_the_result(drawn):
    names = {"a": "c", "b": "b", "c": "a"}
    turns = find_turns(as_speech(drawn))
    mirrored = find_turns(as_speech([(names[who], *times) for who, *times in drawn]))
    for name in FRAMES:
        ours, theirs = getattr(turns, name).copy(), getattr(mirrored, name).copy()
        for column in {"participant", "previous", "interrupted", "before", "after"} & set(theirs):
            theirs[column] = theirs[column].map(names)
        if name == "interruptions":  # of two who speak at once, which one is interrupted is nobody's to say
            ours, theirs = ours.drop(columns="interrupted"), theirs.drop(columns="interrupted")
        by = [column for column in ("start", "end", "participant") if column in ours]
        pd.testing.assert_frame_equal(
            ours.sort_values(by, ignore_index=True).fillna("nobody"),
            theirs.sort_values(by, ignore_index=True).fillna("nobody"),
            check_dtype=False,
        )


# What a person corrected


@given(conversations)
@short
def test_turns_that_a_person_left_alone_stay_what_they_were(drawn):
    speech = as_speech(drawn)
    turns = find_turns(speech)
    same(turns, corrected_turns(turns.table, speech))


@pytest.mark.parametrize("name", REAL)
def test_real_turns_read_back_are_what_they_were(name):
    speech = real(name)
    turns = find_turns(speech)
    same(turns, corrected_turns(turns.table, speech))


def test_a_corrected_kind_wins_over_the_rules():
    speech = talk(a=[(0, 4), (6, 9)], b=[(4.4, 5)])
    table = pd.DataFrame(
        [("a", 0, 4, "turn"), ("b", 4.4, 5, "turn"), ("a", 6, 9, "turn")],
        columns=["participant", "start", "end", "kind"],
    )
    turns = corrected_turns(table, speech)
    assert spoken(turns) == ["a 0-4 turn+", "b 4.4-5 turn+", "a 6-9 turn+"]
    assert turns.transfers["offset"].tolist() == [0.4, 1]
    assert set(turns.silences["kind"]) == {"gap"}


def test_corrected_ends_win_and_pauses_within_stay():
    speech = talk(a=[(0, 2), (2.6, 4), (30, 31)], b=[(5, 8)])
    table = pd.DataFrame(
        [("a", 0.1, 4.2, "turn"), ("b", 4.5, 8, "turn"), ("a", 9, 10, "turn")],
        columns=["participant", "start", "end", "kind"],
    )
    turns = corrected_turns(table, speech, participants=["a", "b"])
    assert rows(turns.units, "participant", "start", "end") == [
        ("a", 0.1, 2),
        ("a", 2.6, 4.2),
        ("b", 4.5, 8),
        ("a", 9, 10),
    ]
    assert turns.table.shape == (3, 4)


def test_corrections_without_what_was_heard_are_speech_throughout():
    table = pd.DataFrame(
        [("a", 0, 4, "turn"), ("a", 3, 5, "turn"), ("a", 5, 6, "turn"), ("b", 1, 1.5, "backchannel")],
        columns=["participant", "start", "end", "kind"],
    )
    turns = corrected_turns(table)
    assert spoken(turns) == ["a 0-6 turn+", "b 1-1.5 backchannel"]


def test_fifty_minutes_of_quick_talk_take_seconds_at_most():
    rng = np.random.default_rng(3)
    starts = np.cumsum(rng.exponential(0.8, 4000))
    speech = pd.DataFrame(
        {
            "participant": rng.choice(["a", "b"], 4000),
            "start": starts,
            "end": starts + rng.exponential(1, 4000),
        }
    )
    since = time.perf_counter()
    turns = find_turns(speech)
    assert time.perf_counter() - since < 5  # 0.2 s when it was written
    assert len(turns.turns) > 500
    pd.testing.assert_frame_equal(turns.turns, find_turns(speech[::-1]).turns)


# Parts of a session, and other names


PART = talk(a=[(0, 4), (4.5, 8), (20, 26)], b=[(2, 2.4), (8.3, 12), (25, 29)])


def test_a_part_has_what_begins_in_it_whole_and_what_lasts_cut():
    part = find_turns(PART).between(3, 22)
    assert spoken(part) == ["b 8.3-12 turn+", "a 20-26 turn+"]
    assert rows(part.units, "participant", "start", "end") == [
        ("a", 3, 4),
        ("a", 4.5, 8),
        ("b", 8.3, 12),
        ("a", 20, 22),
    ]
    assert rows(part.transfers, "participant", "start") == [("b", 8.3), ("a", 20)]
    assert [start for (start,) in rows(part.interruptions, "start")] == []
    assert find_turns(PART).between(22, 30).interruptions["start"].tolist() == [25]


@given(cut_s=st.floats(0.5, 28.5))
def test_two_parts_hold_what_the_whole_does(cut_s):
    whole = find_turns(PART)
    one, other = whole.between(0, cut_s), whole.between(cut_s, 30)
    for name in ("turns", "transfers", "interruptions"):
        assert sum(len(getattr(part, name)) for part in (one, other)) == len(getattr(whole, name)), name
    for name in ("units", "silences", "overlaps", "alone"):
        lengths = [
            (table["end"] - table["start"]).sum() for table in (getattr(t, name) for t in (one, other, whole))
        ]
        assert lengths[0] + lengths[1] == pytest.approx(lengths[2]), name


def test_other_names_are_in_every_table():
    renamed = find_turns(PART, participants=["a", "b", "c"]).renamed({"a": "client", "b": "therapist"})
    assert renamed.participants == ("client", "therapist", "c")
    assert renamed.transfers[["participant", "previous"]].iloc[0].tolist() == ["therapist", "client"]
    assert renamed.interruptions[["participant", "interrupted"]].iloc[0].tolist() == ["therapist", "client"]
    named = {
        who
        for name in FRAMES
        for c in ("participant", "previous", "before", "after", "interrupted")
        if c in getattr(renamed, name)
        for who in getattr(renamed, name)[c].dropna()
    }
    assert named == {"client", "therapist"}
    assert {who for who in renamed.silences["before"] if who is None or who != who} <= {None}
