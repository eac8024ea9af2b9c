"""Flags without a model: the odd ones out are found, for what they do and not for who or where they are."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from vsa.bond.flags import DECIDES_NOTHING
from vsa.bond.rules.file import load_rules, parse
from vsa.bond.rules.rules import NO_MODEL, SIMULATED, flag_by_rules
from vsa.errors import InputError
from vsa.simulate.cohort import EFFECTS, CohortDesign, draw

RULES = load_rules()
SIGNALS = list(RULES.signals)
ALIKE = CohortDesign(clients=40, sessions=(2, 2), effects={}, poor=0.0, gaps=0.0)
VOICE_ONLY = parse(
    "least = 1\n"
    + "".join(
        f'[[rules]]\nfeature = "{name}"\nweak = "high"\nwhy = "Why."\nsource = "A paper"\n'
        for name in ("client.turns.latency_median_s", "therapist.turns.latency_median_s")
    ),
    "voice.toml",
)


def one_rule(feature, weak, share=0.1):
    return parse(
        f'share = {share}\nleast = 1\n[[rules]]\nfeature = "{feature}"\nweak = "{weak}"\nwhy = "W."\nsource = "S"',
        "one.toml",
    )


@pytest.fixture(scope="module")
def alike():
    """Sessions in which nothing goes with anything."""
    return draw(ALIKE, 5).table.drop(columns="bond")


@pytest.fixture(scope="module")
def flags(alike):
    return flag_by_rules(alike, RULES)


def by_session(flags):
    return flags.table.set_index("session_id")


def note(flags, words):
    found = [one for one in flags.notes if words in one]
    assert len(found) == 1, flags.notes
    return found[0]


def test_a_session_that_is_far_out_in_several_ways_comes_first_and_the_reasons_say_in_which(alike):
    table = alike.copy()
    table.loc[33, ["client.head.nod_rate_per_min", "therapist.face.smile_share"]] = 0.0
    table.loc[33, ["dyad.turns.silence_share", "therapist.turns.latency_median_s"]] = 0.999, 30.0
    table.loc[33, "client.gaze.on_screen_share"] = 0.001
    first = flag_by_rules(table, RULES).table.iloc[0]
    assert first["session_id"] == table["session_id"][33]
    assert (first["verdict"], first["suggestion"], first["rank"]) == ("weak", "review suggested", 1)
    assert first["weak_signals"] >= 5
    sides = {first[f"reason_{k}_feature"]: first[f"reason_{k}_direction"] for k in (1, 2, 3)}
    planted = {
        "client.head.nod_rate_per_min": "low",
        "therapist.face.smile_share": "low",
        "client.gaze.on_screen_share": "low",
    }
    assert sides == planted  # the others are the outermost of a platform's fewer sessions
    told = [first[f"reason_{k}"] for k in (1, 2, 3)]
    assert "client: nods per minute: 0 per min, lower than in 98 % of this cohort's sessions" in told


def test_a_long_wait_is_high_and_told_as_compared_with_the_same_platform(alike):
    table = alike.copy()
    table.loc[33, "therapist.turns.latency_median_s"] = 30.0
    first = by_session(flag_by_rules(table, VOICE_ONLY)).loc[table["session_id"][33]]
    same = (table["platform"] == table["platform"][33]).sum()
    share = int(100 * (same - 1) / same)
    assert first["reason_1"] == (
        f"therapist: typical wait before taking the turn: 30 s, higher than in {share} % of this cohort's sessions on "
        "this platform"
    )
    assert (first["reason_1_feature"], first["reason_1_direction"]) == (
        "therapist.turns.latency_median_s",
        "high",
    )


def test_the_order_is_by_weak_signals_and_the_budget_ends_the_list(alike, flags):
    table = flags.table
    assert flags.counts == {"weak": 8, "ok": 72, "abstain": 0}
    assert (table["verdict"].head(8) == "weak").all()
    assert table["weak_signals"].is_monotonic_decreasing
    assert table["rank"].tolist() == list(range(1, 81))
    assert sorted(table["session_id"]) == sorted(alike["session_id"])
    for budget, weak in ((1, 1), (0.05, 4), (3, 3)):
        assert flag_by_rules(alike, RULES, budget).counts["weak"] == weak
    every = flag_by_rules(alike, RULES, 80).table
    assert ((every["verdict"] == "weak") == (every["weak_signals"] >= 2)).all()
    assert (every["verdict"] == "ok").any()


def test_signals_are_weak_as_often_as_the_rules_say(alike):
    for rules in (one_rule("client.face.smile_share", end) for end in ("low", "high", "both")):
        rows = by_session(flag_by_rules(alike, rules, 80)).loc[alike["session_id"]]
        assert rows["weak_signals"].sum() == 8
        values = alike["client.face.smile_share"][(rows["weak_signals"] == 1).to_numpy()]
        ranks = sorted(alike["client.face.smile_share"].rank()[values.index].astype(int).tolist())
        end = rules.rules[0].weak
        low, high = list(range(1, 9)), list(range(73, 81))
        assert ranks == {"low": low, "high": high, "both": low[:4] + high[-4:]}[end]
        sides = rows["reason_1_direction"].value_counts().to_dict()
        assert {side: n for side, n in sides.items() if side} == (
            {"low": 4, "high": 4} if end == "both" else {end: 8}
        )


def test_where_many_share_the_lowest_value_none_of_them_is_weak_and_it_is_said(alike):
    table = alike.copy()
    table.loc[: len(table) // 4, "client.head.nod_rate_per_min"] = 0.0
    flags = flag_by_rules(table, RULES, 80)
    told = flags.table[[f"reason_{k}_feature" for k in (1, 2, 3)]].to_numpy()
    assert "client.head.nod_rate_per_min" not in told
    assert note(flags, "Weak in no session").startswith("Weak in no session: client.head.nod_rate_per_min.")


def test_a_client_with_many_sessions_shifts_the_norms_no_more_than_with_one(alike):
    once = alike.drop(index=1)  # the first client has one session left
    copies = pd.concat([once.head(1)] * 60, ignore_index=True)
    copies["session_id"] = [f"again-{k}" for k in range(60)]
    often = pd.concat([copies, once.iloc[1:]], ignore_index=True)
    others = once["session_id"].iloc[1:]
    columns = ["weak_signals", *(f"reason_{k}" for k in (1, 2, 3))]
    one, many = (by_session(flag_by_rules(table, RULES, 200)).loc[others, columns] for table in (once, often))
    pd.testing.assert_frame_equal(one, many)
    nobody = often.drop(columns="client_id")
    unweighted = by_session(flag_by_rules(nobody, RULES, 200)).loc[others, columns]
    assert not unweighted.equals(one)
    assert note(flag_by_rules(nobody, RULES), "No client_id")
    assert note(flag_by_rules(often, RULES), "each client counts the same")


def test_a_slow_platform_does_not_fill_the_list():
    table = draw(CohortDesign(60, (2, 2), effects={}, platform_delay_s=5.0, poor=0.0, gaps=0.0), 8).table
    slow = set(table["session_id"][table["platform"] == "platform B"])
    assert 0.3 < len(slow) / len(table) < 0.7

    def of_slow(rules):
        rows = flag_by_rules(table, rules, 120).table
        weak = rows["session_id"][rows["weak_signals"] > 0]
        return np.mean([name in slow for name in weak])

    assert of_slow(VOICE_ONLY) == pytest.approx(len(slow) / len(table), abs=0.12)
    over_all = parse(
        'least = 1\n[[rules]]\nfeature = "turns.latency_median_s"\nscopes = ["client", "therapist"]\nweak = "high"\n'
        'why = "W."\nsource = "S"\nwithin = "cohort"',
        "over_all.toml",
    )
    assert of_slow(over_all) == 1.0


def test_on_a_platform_with_few_sessions_waits_are_not_judged_and_that_is_said(alike):
    table = alike.copy()
    table["platform"] = np.where(np.arange(80) < 19, "Rare", "Usual")
    table.loc[79, "platform"] = None
    flags = flag_by_rules(table, RULES, 80)
    assert "Rare (19)" in note(flags, "not judged on those with fewer than 20 usable sessions")
    assert note(flags, "Sessions without a platform: 1;")
    rows = by_session(flags).loc[table["session_id"]]
    assert rows["signals_known"].tolist() == [8] * 19 + [11] * 60 + [8]
    table.loc[19, "platform"] = "Rare"
    rows = by_session(flag_by_rules(table, RULES, 80)).loc[table["session_id"]]
    assert rows["signals_known"].head(20).tolist() == [11] * 20
    table.loc[0, "client.quality.tracked_share"] = 0.1  # one that is no norm leaves 19
    rows = by_session(flag_by_rules(table, RULES, 80)).loc[table["session_id"]]
    assert rows["signals_known"].iloc[1:20].tolist() == [8] * 19


def test_without_platforms_calls_are_compared_with_calls_and_rooms_with_rooms(alike):
    table = alike.drop(columns="platform")
    table["modality"] = np.where(np.arange(80) < 40, "in_person", "online")
    table["client.turns.latency_median_s"] += np.where(np.arange(80) < 40, 0.0, 50.0)
    flags = flag_by_rules(table, VOICE_ONLY, 80)
    assert note(flags, "No platform is told")
    waited = flags.table["reason_1_feature"] == "client.turns.latency_median_s"
    weak = flags.table["session_id"][waited]
    in_person = weak.isin(table["session_id"].head(40))
    assert 0 < in_person.sum() < len(weak)
    assert flags.table["reason_1"][waited][in_person].str.endswith("sessions in person").all()
    assert flags.table["reason_1"][waited][~in_person].str.endswith("cohort's sessions").all()


def test_poor_recordings_are_not_judged_and_are_no_norm(alike):
    table = alike.copy()
    table.loc[[0, 1], ["client.quality.tracked_share", "therapist.quality.tracked_share"]] = [
        [0.3, 0.9],
        [0.9, np.nan],
    ]
    table.loc[[0, 1], SIGNALS] = -5.0  # would be the lowest
    table.loc[2, SIGNALS[:6]] = np.nan
    table.loc[3, SIGNALS[:5]] = np.nan
    flags = flag_by_rules(table, RULES, 80)
    rows = by_session(flags).loc[table["session_id"]].reset_index(drop=True)
    assert rows["verdict"].head(4).tolist()[:3] == ["abstain"] * 3
    assert rows["verdict"][3] != "abstain"
    assert rows["reason"].head(4).tolist() == [
        "client was in view for 30% of the session, and 50% are needed",
        "how long therapist was in view is not known",
        "6 of 11 signals are missing or can't be compared, and half are the most to judge from",
        "",
    ]
    assert rows["suggestion"].head(3).eq("cannot tell from this recording").all()
    assert rows["weak_signals"].head(3).isna().all()
    assert rows["rank"].head(3).isna().all()
    assert rows[["reason_1", "reason_1_feature"]].head(3).eq("").all(axis=None)
    assert rows["missing_share"].head(4).tolist() == pytest.approx([0, 0, 6 / 11, 5 / 11])
    assert rows["tracked_share"].head(2).tolist() == [0.3, 0.9]
    assert flags.table["verdict"].tail(3).eq("abstain").all()
    without = by_session(flag_by_rules(table.iloc[2:], RULES, 80))
    same = ["verdict", "weak_signals", "reason_1", "reason_2", "reason_3"]
    pd.testing.assert_frame_equal(by_session(flags).loc[without.index, same], without[same])


def test_simulated_poor_recordings_abstain():
    table = draw(CohortDesign(60, (2, 2), poor=0.3), 2).table
    flags = flag_by_rules(table, RULES)
    seen = table[["client.quality.tracked_share", "therapist.quality.tracked_share"]].min(axis=1)
    poor = set(table["session_id"][seen < 0.5])
    assert len(poor) > 20
    assert poor == set(flags.table["session_id"][flags.table["reason"].str.contains("in view")])


def test_sound_alone_is_enough_for_rules_about_voices(alike):
    table = alike.copy()
    table[["client.quality.tracked_share", "therapist.quality.tracked_share"]] = np.nan
    flags = flag_by_rules(table, VOICE_ONLY)
    assert flags.counts == {"weak": 8, "ok": 72, "abstain": 0}
    assert flags.table["tracked_share"].isna().all()
    assert flag_by_rules(table, RULES).counts["abstain"] == 80


def test_a_session_with_half_of_the_signals_is_judged_and_one_with_fewer_is_not(alike):
    table = alike.copy()
    table.loc[[0, 1], "client.turns.latency_median_s"] = np.nan
    table.loc[1, "therapist.turns.latency_median_s"] = np.nan
    rows = by_session(flag_by_rules(table, VOICE_ONLY)).loc[table["session_id"]]
    assert (rows["verdict"] == "abstain").tolist() == [False, True] + [False] * 78


def test_signals_that_a_table_lacks_are_named_and_do_not_count(alike):
    lacking = ["client.gaze.on_screen_share", "therapist.gaze.on_screen_share"]
    flags = flag_by_rules(alike.drop(columns=lacking), RULES)
    assert note(flags, "Missing in every session").startswith(
        f"Missing in every session: {', '.join(lacking)}."
    )
    assert flags.table["signals_known"].eq(9).all()
    assert flags.counts["abstain"] == 0
    rare = alike.copy()
    rare.loc[19:, "client.face.smile_share"] = np.nan
    flags = flag_by_rules(rare, RULES)
    assert note(flags, "Known in fewer than 20 sessions").endswith(
        "not judged there: client.face.smile_share."
    )
    assert flags.table["signals_known"].eq(10).all()


def test_every_list_says_that_nothing_stands_behind_it_and_that_it_is_simulated(flags, alike):
    assert flags.notes[0] == SIMULATED
    assert NO_MODEL in flags.notes
    assert flags.notes[-1] == DECIDES_NOTHING
    table = flags.table
    assert table["simulated"].all()
    assert (
        table["label"]
        .eq(
            "weak: 2 or more of 11 signals among the lowest (or highest) 10 % of these 80 sessions; at most the "
            "first 8 are listed"
        )
        .all()
    )
    assert table["label_source"].eq("rules in rules.toml; no self-report was used").all()
    record = json.loads(json.dumps(flags.record(), allow_nan=False))
    assert record["counts"] == flags.counts
    real = flag_by_rules(alike.drop(columns="simulated"), RULES)
    assert SIMULATED not in real.notes
    assert not real.table["simulated"].any()
    assert note(
        flag_by_rules(alike.assign(client_id=["a", "b"] * 40), RULES), "Few clients make the norms: 2."
    )


def chance_of(flags):
    """Judged sessions, and pairs of found and expected: for the rules' bar, and for twice as many."""
    told = note(flags, "By chance")
    pairs = re.findall(r"With (\d+) or more weak signals: (\d+) \(by chance about (\d+)\)", told)
    return int(re.search(r"Judged sessions: (\d+)\.", told)[1]), [tuple(map(int, pair)) for pair in pairs]


def test_what_chance_would_list_is_what_independent_signals_do():
    found = []
    for seed in range(12):
        table = draw(CohortDesign(100, (1, 1), effects={}, habit=0.0, poor=0.0), seed).table
        judged, pairs = chance_of(flag_by_rules(table, RULES))
        assert judged > 95
        assert pairs[0][0] == 2
        found.append(pairs[0][1:])
    observed, expected = np.mean(found, axis=0)
    assert observed == pytest.approx(expected, abs=4)  # 3 standard errors
    assert 20 < expected < 32


def test_signals_that_go_together_put_more_sessions_far_over_the_bar_than_chance(alike):
    rng = np.random.default_rng(6)
    table, common = alike.copy(), rng.standard_normal(80)
    for name, rule in RULES.signals.items():
        side = 1 if rule.weak == "high" else -1
        table[name] = side * (0.7 * common + 0.7 * rng.standard_normal(80))
    _, ((bar, *_), (twice, found, by_chance)) = chance_of(flag_by_rules(table, RULES))
    assert (bar, twice) == (2, 4)
    assert found > 2 * by_chance > 0


def test_where_signals_go_with_the_bond_as_the_rules_have_it_listed_sessions_have_weaker_bonds():
    def gap(effects):
        """By how much the bond of the listed ones is lower, SD."""
        gaps = []
        for seed in range(8):
            drawn = draw(CohortDesign(80, (2, 2), effects=effects), seed)
            bond = drawn.truth.set_index("session_id")["latent_bond"]
            table = flag_by_rules(drawn.table.drop(columns="bond"), RULES).table
            gaps.append(bond.mean() - bond[table["session_id"][table["verdict"] == "weak"]].mean())
        return np.mean(gaps)

    assert gap({name: 2 * r for name, r in EFFECTS.items()}) > 0.4
    assert abs(gap({})) < 0.25


def test_the_reported_bond_has_no_part_in_it(alike, flags):
    rated = alike.assign(bond=np.random.default_rng(1).permutation(80))
    pd.testing.assert_frame_equal(flag_by_rules(rated, RULES).table, flags.table)


def test_tables_that_no_norms_can_be_made_of_are_refused(alike):
    with pytest.raises(InputError, match="has 19 sessions; rules need 20") as caught:
        flag_by_rules(alike.head(19), RULES)
    assert "model" in caught.value.hint
    assert len(flag_by_rules(alike.head(20), RULES).table) == 20
    with pytest.raises(InputError, match="mixes 40 simulated sessions with 40 that are not"):
        flag_by_rules(alike.assign(simulated=[True, False] * 40), RULES)
    with pytest.raises(InputError, match="more than once"):
        flag_by_rules(alike.assign(session_id="s1"), RULES)
    with pytest.raises(InputError, match="no column session_id"):
        flag_by_rules(alike.drop(columns="session_id"), RULES)
    with pytest.raises(InputError, match=r"none of the 11 signals of rules\.toml, as client\.gaze") as caught:
        flag_by_rules(
            alike.rename(columns=lambda name: name.replace("client.", "p1.")).drop(
                columns=[name for name in SIGNALS if not name.startswith("client.")]
            ),
            RULES,
        )
    assert "roles" in caught.value.hint
    with pytest.raises(InputError, match=r"client\.face\.smile_share: 'often' is no number"):
        flag_by_rules(alike.assign(**{"client.face.smile_share": "often"}), RULES)
    for budget in (0, -1, 2.5, float("nan")):
        with pytest.raises(InputError, match="budget"):
            flag_by_rules(alike, RULES, budget)
