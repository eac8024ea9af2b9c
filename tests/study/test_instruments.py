"""Every questionnaire that comes with vsa against sheets scored by hand, and what is said of bad files."""

from __future__ import annotations

import tomllib
from importlib import resources

import pandas as pd
import pytest
from questionnaires import wide

from vsa.errors import InputError
from vsa.study.answers import answers_of
from vsa.study.instruments import PARTS, load, names, parse
from vsa.study.scoring import score

FORMS = ("wai-36", "wai-s", "wai-sr", "wai-sr-t")
#: What nobody has compared with a source so far; a key that is checked leaves this list.
FROM_MEMORY = {
    "ecr-12": ("range",),
    "haq-ii": ("range", "scales"),
    "sai": ("range",),
    "star-c": ("range", "reversed", "scales"),
    "star-p": ("range", "reversed", "scales"),
    "wai-sr-t": ("range", "reversed"),
    "watoci": ("range", "reversed", "scales"),
}


def scored(which: str, sheet: list[float], respondent: str | None = None) -> pd.Series:
    instrument = load(which)
    who = respondent or instrument.respondents[0]
    return score(answers_of(wide(instrument, [sheet]), instrument, respondent=who), instrument).iloc[0]


def sums(which: str, sheet: list[float]) -> dict[str, float]:
    row = scored(which, sheet)
    return {scale: row[f"{scale}_sum"] for scale in load(which).scales}


def test_every_file_is_read_and_says_what_it_must():
    assert len(names()) == 18
    for which in names():
        instrument = load(which)
        assert instrument.id == which
        assert all((instrument.name, instrument.source, instrument.rights))
        assert set(instrument.verified) == set(PARTS)
        assert (instrument.bond is None) == (instrument.measures == "attachment" or which in NO_BOND)


NO_BOND = ("haq-ii", "star-p", "star-c")


def test_what_is_from_memory_is_marked_so():
    assert {which: load(which).unverified for which in names() if load(which).unverified} == FROM_MEMORY


def test_files_hold_no_wording_of_items():
    """Item names are numbers or one word for what is rated; sentences in the first person are nobody's key."""
    folder = resources.files("vsa.study") / "questionnaires"
    for which in names():
        text = (folder / f"{which}.toml").read_text("utf-8")
        found = tomllib.loads(text)
        assert isinstance(found["items"], int) or len(found["items"]) <= 4
        assert not any(word in f" {text.lower()} " for word in (" i ", " my ", " me ", "____"))


def test_all_answers_are_needed_only_where_it_says_so():
    whole = {which for which in names() if load(which).prorate == 1}
    assert whole == {"srs", "rq", "arm-5", "wai-b3", "softa-o"}
    assert all(load(which).prorate == 0.75 for which in names() if which not in whole)


def test_only_the_srs_has_a_published_cut_off():
    assert [which for which in names() if load(which).cuts] == ["srs"]
    assert [(cut.scale, cut.score, cut.at) for cut in load("srs").cuts] == [("total", "sum", 36)]


def test_who_fills_in_what():
    assert {which: load(which).respondents for which in ("srs", "star-p", "star-c", "sai", "softa-o")} == {
        "srs": ("client",),
        "star-p": ("client",),
        "star-c": ("therapist",),
        "sai": ("client",),
        "softa-o": ("observer",),
    }
    assert load("wai-36").respondents == ("client", "therapist", "observer")
    assert load("wai-sr").respondents == ("client",)
    assert load("wai-sr-t").respondents == ("therapist",)


# ------------------------------------------------------------------------------------- answer sheets, scored by hand


def test_wai_36_by_hand():
    sheet = [2, 6, 3, 5, 7, 6, 1, 6, 3, 2, 3, 1]  # items 1-12
    sheet += [5, 7, 2, 6, 7, 5, 7, 3, 6, 5, 6, 6]  # 13-24
    sheet += [4, 7, 2, 5, 2, 6, 3, 5, 1, 5, 6, 7]  # 25-36
    # task 2, 4, 7r, 11r, 13, 15r, 16, 18, 24, 31r, 33r, 35: 6+5+(8-1)+(8-3)+5+(8-2)+6+5+6+(8-3)+(8-1)+6 = 69
    # bond 1r, 5, 8, 17, 19, 20r, 21, 23, 26, 28, 29r, 36: (8-2)+7+6+7+7+(8-3)+6+6+7+5+(8-2)+7 = 75
    # goal 3r, 6, 9r, 10r, 12r, 14, 22, 25, 27r, 30, 32, 34r:
    #      (8-3)+6+(8-3)+(8-2)+(8-1)+7+5+4+(8-2)+6+5+(8-5) = 65
    assert sums("wai-36", sheet) == {"task": 69, "bond": 75, "goal": 65, "total": 209}
    assert scored("wai-36", sheet)["bond"] == 6.25  # 75 / 12


def test_wai_36_reverses_item_29_and_not_28():
    """A public data set has it the other way round."""
    sheet = [4] * 36
    sheet[27], sheet[28] = 7, 2  # items 28 and 29: 10x4 + 7 + (8-2) = 53, and not 10x4 + (8-7) + 2
    assert sums("wai-36", sheet)["bond"] == 53


def test_wai_s_by_hand():
    # task 1, 2, 8, 12: 6+5+6+6 = 23; bond 3, 5, 7, 9: 7+6+7+5 = 25; goal 4r, 6, 10r, 11: (8-2)+5+(8-3)+4 = 20
    sheet = [6, 5, 7, 2, 6, 5, 7, 6, 5, 3, 4, 6]
    assert sums("wai-s", sheet) == {"task": 23, "bond": 25, "goal": 20, "total": 68}
    assert scored("wai-s", sheet, "therapist")["goal_mean"] == 5


def test_wai_sr_by_hand():
    # task 1, 2, 10, 12: 3+4+3+4 = 14; bond 3, 5, 7, 9: 5+5+4+5 = 19; goal 4, 6, 8, 11: 2+3+4+2 = 11
    assert sums("wai-sr", [3, 4, 5, 2, 5, 3, 4, 4, 5, 3, 2, 4]) == {
        "task": 14,
        "bond": 19,
        "goal": 11,
        "total": 44,
    }


def test_wai_sr_of_the_therapist_by_hand():
    # task 2+4+3+4 = 13; bond 5+4+5+3 = 17; goal 3+4+1+2 = 10
    row = scored("wai-sr-t", [2, 4, 5, 3, 4, 4, 5, 1, 3, 3, 2, 4])
    assert (row["task_sum"], row["bond_sum"], row["goal_sum"], row["total_sum"]) == (13, 17, 10, 40)
    assert row["rater"] == "therapist"


def test_wai_b3_by_hand():
    # goal 3, task 4, bond 5
    assert sums("wai-b3", [3, 4, 5]) == {"goal": 3, "task": 4, "bond": 5, "total": 12}
    assert scored("wai-b3", [3, 4, 5], "therapist")["bond_pomp"] == 100


def test_watoci_by_hand():
    # items 1-12 as the WAI-S: task 23, bond 25, goal 20; theory of change 13-17: 7+6+5+7+6 = 31; 23+25+20+31 = 99
    sheet = [6, 5, 7, 2, 6, 5, 7, 6, 5, 3, 4, 6, 7, 6, 5, 7, 6]
    assert sums("watoci", sheet) == {
        "task": 23,
        "bond": 25,
        "goal": 20,
        "theory_of_change": 31,
        "total": 99,
    }
    assert scored("watoci", sheet)["theory_of_change_mean"] == pytest.approx(6.2)


def test_srs_by_hand():
    # 9.1 + 8.4 + 9.5 + 8.5 = 35.5, at or below 36; 9.5 + 9 + 9.5 + 9 = 37, above
    row = scored("srs", [9.1, 8.4, 9.5, 8.5])
    assert row["total_sum"] == pytest.approx(35.5)
    assert row["bond"] == 9.1
    assert row["total_cut"]
    assert not scored("srs", [9.5, 9, 9.5, 9])["total_cut"]


@pytest.mark.parametrize(
    "sheet", [[9, 9, 9, 9], [9.1, 8.4, 9.6, 8.9], [8.8, 9.9, 9.6, 7.7], [9.3, 9.4, 9.6, 7.7]]
)
def test_srs_of_exactly_36_is_at_its_cut_off(sheet):
    assert scored("srs", sheet)["total_cut"]


def test_arm_5_by_hand():
    # 6 + 7 + (8-2) + 5 + 6 = 30
    row = scored("arm-5", [6, 7, 2, 5, 6])
    assert (row["total_sum"], row["total_mean"], row["bond"]) == (30, 6, 6)


def test_haq_ii_by_hand():
    # as given, items 1-3, 5-7, 9, 10, 12-15, 17, 18: 5+6+5 + 6+4+5 + 6+5 + 6+6+6+5 + 4+5 = 74
    # reversed 4, 8, 11, 16, 19: (7-2)+(7-1)+(7-2)+(7-3)+(7-1) = 26
    sheet = [5, 6, 5, 2, 6, 4, 5, 1, 6, 5, 2, 6, 6, 6, 5, 3, 4, 5, 1]
    assert sums("haq-ii", sheet) == {"total": 100}
    assert "bond" not in scored("haq-ii", sheet)


def test_star_p_by_hand():
    # positive collaboration 1, 2, 3, 5, 6, 8: 3+4+3+4+2+3 = 19; positive input 10, 11, 12: 3+2+4 = 9
    # non-supportive input 4r, 7r, 9r: (4-1)+(4-0)+(4-1) = 10
    assert sums("star-p", [3, 4, 3, 1, 4, 2, 0, 3, 1, 3, 2, 4]) == {
        "positive_collaboration": 19,
        "positive_clinician_input": 9,
        "non_supportive_clinician_input": 10,
        "total": 38,
    }


def test_star_c_by_hand():
    # positive collaboration 1, 2, 5, 7, 10, 12: 4+3+4+2+3+4 = 20; positive input 3, 8, 11: 3+4+3 = 10
    # emotional difficulties 4r, 6r, 9r: (4-1)+(4-0)+(4-1) = 10
    assert sums("star-c", [4, 3, 3, 1, 4, 0, 2, 4, 1, 3, 3, 4]) == {
        "positive_collaboration": 20,
        "positive_clinician_input": 10,
        "emotional_difficulties": 10,
        "total": 40,
    }


def test_sai_by_hand():
    # bond 2, 3, 5: 5+3+5 = 13; task and goal 1, 4, 6: 4+4+2 = 10
    assert sums("sai", [4, 5, 3, 4, 5, 2]) == {"bond": 13, "task_goal": 10, "total": 23}


def test_softa_o_by_hand():
    row = scored("softa-o", [2, 1, -1, 0])
    assert (row["engagement_mean"], row["emotional_connection_mean"]) == (2, 1)
    assert (row["safety_mean"], row["shared_purpose_mean"]) == (-1, 0)
    assert row["bond"] == 1
    assert row["emotional_connection_pomp"] == pytest.approx(400 / 6)  # (1 - -3) / 6
    assert row["rater"] == "observer"


def test_softa_o_of_one_client_has_no_shared_purpose():
    instrument = load("softa-o")
    table = wide(instrument, [[2, 1, -1, None]])
    row = score(answers_of(table, instrument, respondent="observer"), instrument).iloc[0]
    assert row["bond"] == 1
    assert pd.isna(row["shared_purpose_mean"])


def test_rq_of_the_profile_that_bartholomew_gives_as_an_example():
    # secure 6, fearful 2, preoccupied 1, dismissing 4: self (6+4)-(1+2) = 7; other (6+1)-(4+2) = 1
    row = scored("rq", [6, 2, 1, 4])
    assert (row["self_model"], row["other_model"], row["style"]) == (7, 1, "secure")


def test_ecr_r_by_hand():
    anxiety = [2, 3, 1, 4, 5, 3, 2, 3, 6, 2, 7, 4, 3, 1, 2, 5, 3, 1]
    # 9r, 11r: 2+3+1+4+5+3+2+3 +(8-6)+ 2 +(8-7)+ 4+3+1+2+5+3+1 = 47
    avoidance = [3, 6, 4, 7, 2, 1, 2, 6, 5, 7, 6, 5, 7, 2, 6, 5, 7, 6]
    # 20r, 22r, 26r-31r, 33r-36r: 3+(8-6)+4+(8-7)+2+1+2 +2+3+1+2+3+1 +2 +2+3+1+2 = 37
    assert sums("ecr-r", anxiety + avoidance) == {"anxiety": 47, "avoidance": 37}


def test_ecr_by_hand():
    # odd items; 3r, 15r, 19r, 25r, 27r, 29r, 31r, 33r, 35r
    avoidance = [3, 6, 2, 3, 2, 1, 2, 6, 2, 7, 3, 1, 6, 7, 5, 6, 7, 5]
    # 3+(8-6)+2+3+2+1+2+(8-6)+2+(8-7)+3+1+(8-6)+(8-7)+(8-5)+(8-6)+(8-7)+(8-5) = 36
    anxiety = [5, 4, 6, 5, 7, 4, 5, 3, 6, 3, 2, 5, 4, 5, 3, 6, 4, 5]
    # even items; 22r: 5+4+6+5+7+4+5+3+6+3+(8-2)+5+4+5+3+6+4+5 = 86
    sheet = [answer for pair in zip(avoidance, anxiety, strict=True) for answer in pair]
    assert sums("ecr", sheet) == {"avoidance": 36, "anxiety": 86}


def test_ecr_s_by_hand():
    # avoidance 1r, 3, 5r, 7, 9r, 11: (8-6)+2+(8-7)+1+(8-6)+3 = 11; anxiety 2, 4, 6, 8r, 10, 12: 5+4+3+(8-2)+5+6 = 29
    assert sums("ecr-s", [6, 5, 2, 4, 7, 3, 1, 2, 6, 5, 3, 6]) == {"avoidance": 11, "anxiety": 29}


def test_ecr_12_by_hand():
    # anxiety 1, 2, 3, 5, 7, 8: 5+6+4+3+5+4 = 27; avoidance 4, 6r, 9r-12r: 2+(8-6)+(8-7)+(8-6)+(8-5)+(8-6) = 12
    assert sums("ecr-12", [5, 6, 4, 2, 3, 6, 5, 4, 7, 6, 5, 6]) == {"anxiety": 27, "avoidance": 12}


# ---------------------------------------------------------------------------- people who tick the same place all along


@pytest.mark.parametrize(
    ("which", "same", "expected"),
    [
        # task 7 as given, 5 reversed: 7x7+5x1; bond 9 and 3; goal 6 and 6
        ("wai-36", 7, {"task": 54, "bond": 66, "goal": 48, "total": 168}),
        ("wai-36", 1, {"task": 42, "bond": 30, "goal": 48, "total": 120}),
        ("wai-s", 7, {"task": 28, "bond": 28, "goal": 16, "total": 72}),
        ("wai-s", 1, {"task": 4, "bond": 4, "goal": 16, "total": 24}),
        ("watoci", 7, {"task": 28, "bond": 28, "goal": 16, "theory_of_change": 35, "total": 107}),
        ("wai-sr", 5, {"task": 20, "bond": 20, "goal": 20, "total": 60}),
        ("haq-ii", 6, {"total": 89}),  # 14x6 + 5x1
        ("haq-ii", 1, {"total": 44}),  # 14x1 + 5x6
        ("arm-5", 7, {"total": 29}),  # 4x7 + 1
        ("ecr-r", 7, {"anxiety": 114, "avoidance": 54}),  # 16x7 + 2x1; 6x7 + 12x1
        ("ecr", 7, {"avoidance": 72, "anxiety": 120}),  # 9x7 + 9x1; 17x7 + 1
        ("ecr-s", 7, {"avoidance": 24, "anxiety": 36}),  # 3x7 + 3x1; 5x7 + 1
        ("ecr-12", 7, {"anxiety": 42, "avoidance": 12}),  # 6x7; 1x7 + 5x1
    ],
)
def test_the_same_answer_all_along(which, same, expected):
    assert sums(which, [same] * len(load(which).items)) == expected


@pytest.mark.parametrize(
    ("which", "lowest", "highest"),
    [
        ("wai-36", 36, 252),
        ("wai-s", 12, 84),
        ("wai-sr", 12, 60),
        ("wai-sr-t", 12, 60),
        ("wai-b3", 3, 15),
        ("watoci", 17, 119),
        ("srs", 0, 40),
        ("arm-5", 5, 35),
        ("haq-ii", 19, 114),
        ("star-p", 0, 48),
        ("star-c", 0, 48),
        ("sai", 0, 30),
    ],
)
def test_lowest_and_highest_sum(which, lowest, highest):
    instrument = load(which)
    low, high = instrument.low, instrument.high
    worst = [high if item in instrument.reversed else low for item in instrument.items]
    best = [low if item in instrument.reversed else high for item in instrument.items]
    assert (scored(which, worst)["total_sum"], scored(which, best)["total_sum"]) == (lowest, highest)


# --------------------------------------------------------------------------------- keys that must agree with each other


@pytest.mark.parametrize("which", FORMS)
def test_the_scales_of_a_wai_are_alike_in_size_and_share_the_items(which):
    instrument = load(which)
    parts = [instrument.scales[scale] for scale in ("task", "bond", "goal")]
    assert {len(part) for part in parts} == {len(instrument.items) // 3}
    assert sorted(sum(parts, ()), key=int) == list(instrument.items)


@pytest.mark.parametrize("which", [which for which in names() if which not in {"srs", "arm-5", "haq-ii"}])
def test_every_item_is_in_one_scale_besides_the_total(which):
    instrument = load(which)
    parts = [items for scale, items in instrument.scales.items() if scale != "total"]
    assert sorted(sum(parts, ())) == sorted(instrument.items)


def keyed_alike(short: str, long: str, taken: list[int]) -> None:
    """Item k of a short form is item taken[k] of the long one: same scale, same direction."""
    some, all_ = load(short), load(long)
    assert len(taken) == len(some.items)
    for item, origin in zip(some.items, map(str, taken), strict=True):
        of_scale = {scale for scale, items in some.scales.items() if item in items} - {"total"}
        of_origin = {scale for scale, items in all_.scales.items() if origin in items} - {"total"}
        assert of_scale == of_origin, item
        assert (item in some.reversed) == (origin in all_.reversed), item


def test_the_short_wai_is_keyed_as_its_items_are_in_the_long_one():
    keyed_alike("wai-s", "wai-36", [2, 4, 8, 12, 21, 22, 23, 24, 26, 27, 32, 35])


def test_the_short_ecr_is_keyed_as_its_items_are_in_the_long_one():
    keyed_alike("ecr-s", "ecr", [33, 18, 11, 26, 35, 16, 17, 22, 27, 32, 13, 6])  # Wei et al. 2007


def test_the_ecr_12_is_keyed_as_its_items_are_in_the_long_one():
    keyed_alike("ecr-12", "ecr", [2, 6, 8, 9, 14, 15, 18, 24, 25, 27, 29, 31])


def test_watoci_begins_with_the_short_wai():
    watoci, short = load("watoci"), load("wai-s")
    assert watoci.reversed == short.reversed
    assert all(watoci.scales[scale] == short.scales[scale] for scale in ("task", "bond", "goal"))


def test_client_and_therapist_have_the_same_short_revised_key():
    client, therapist = load("wai-sr"), load("wai-sr-t")
    assert (client.scales, client.reversed, client.low, client.high) == (
        therapist.scales,
        therapist.reversed,
        therapist.low,
        therapist.high,
    )


def test_forms_made_from_the_wai_sr_take_their_bond_items_from_its_bond():
    bond = load("wai-sr").scales["bond"]
    brief = {"goal": "11", "task": "10", "bond": "9"}
    assert all(origin in load("wai-sr").scales[item] for item, origin in brief.items())
    session = dict(zip(load("sai").items, ("6", "7", "5", "8", "9", "12"), strict=True))
    assert {session[item] for item in load("sai").scales["bond"]} <= set(bond)
    assert not {session[item] for item in load("sai").scales["task_goal"]} & set(bond)


def test_the_two_long_ecrs_are_not_keyed_alike():
    """Public code mixes them up."""
    assert load("ecr").reversed != load("ecr-r").reversed
    assert load("ecr").scales != load("ecr-r").scales


# ----------------------------------------------------------------------------------------------------------- bad files

GOOD = """name = "Trust in three"
source = "nowhere"
rights = "nobody's"
measures = "alliance"
respondents = ["client"]
items = 3
range = [1, 7]
reversed = [2]
bond = "trust"

[scales]
trust = [1, 2]
total = "all"
"""


def fault(text: str) -> str:
    with pytest.raises(InputError) as error:
        parse("trust", text, "trust.toml")
    assert "trust.toml" in str(error.value)
    return str(error.value)


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "trust.toml"
    path.write_text(GOOD, "utf-8")
    instrument = load(str(path))
    assert (instrument.id, instrument.scales) == ("trust", {"trust": ("1", "2"), "total": ("1", "2", "3")})
    assert (instrument.prorate, instrument.whole, instrument.unverified) == (0.75, True, PARTS)


def test_a_questionnaire_that_does_not_exist():
    with pytest.raises(InputError, match=r"no questionnaire 'wai'.*There are arm-5, .*wai-sr"):
        load("wai")
    with pytest.raises(InputError, match=r"mine\.toml can't be read"):
        load("mine.toml")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("reversed = [2]", "reversed = [4]", "reversed: there is no item 4"),
        ("reversed = [2]", "reversed = [2, 2]", "reversed: an item is there twice"),
        ("reversed = [2]", "reversed = [true]", "reversed: 'true' won't do; it must list items"),
        ("trust = [1, 2]", "trust = [1, 9]", "scales.trust: there is no item 9"),
        ("trust = [1, 2]", "trust = [1, 1]", "scales.trust: an item is there twice"),
        ("trust = [1, 2]", "trust = []", "scales.trust: it has no items"),
        ("trust = [1, 2]", 'trust = "some"', "scales.trust: 'some' won't do; it must list items"),
        ("trust = [1, 2]", "Trust = [1, 2]", "scales.Trust: 'Trust' won't do"),
        ('bond = "trust"', 'bond = "bond"', "bond: there is no scale 'bond'"),
        ("items = 3", 'items = ["a", "b", "a"]', "items: a name is there twice"),
        ("items = 3", "items = 0", "items: '0' won't do; it must be how many there are"),
        ("items = 3", "items = true", "items: 'true' won't do"),
        ("items = 3", "", "items: is missing; it must be how many there are"),
        ("range = [1, 7]", "range = [7, 1]", "range: 7 is not below 1"),
        ("range = [1, 7]", "range = [1]", "range: must be the lowest and the highest answer, as [1, 7]"),
        ("range = [1, 7]", "range = [1, inf]", "range: 'inf' won't do"),
        ("range = [1, 7]", "range = [nan, 7]", "range: 'nan' won't do"),
        (
            "range = [1, 7]",
            "range = [1, 7]\nprorate = 75",
            "prorate: '75' won't do; it must be a share above 0",
        ),
        ("range", "rnge", "rnge: there is no such key; is range meant?"),
        ('"client"', '"nurse"', "respondents: 'nurse' won't do; it must list who fills it in"),
        ('["client"]', "[]", "respondents: must list who fills it in"),
        ('"alliance"', '"bonding"', 'measures: \'bonding\' won\'t do; it must be "alliance" or "attachment"'),
        ('"nowhere"', "3", "source: '3' won't do; it must be text in quotes"),
        (GOOD[-14:], 'total = "all"\nprorate = 1\n', "scales.prorate: '1' won't do"),
        (
            GOOD[-14:],
            'total = "all"\n[verified]\nitems = true\n',
            "verified.items: 'true' won't do; it must say",
        ),
        (GOOD[-14:], 'total = "all"\n[verified]\nrang = "a book"\n', "verified.rang:"),
        (
            GOOD[-14:],
            'total = "all"\n[differences]\nd = {plus = [1]}\n',
            "differences.d: must be {plus = [items]",
        ),
        (
            GOOD[-14:],
            'total = "all"\n[differences]\nd = {plus = [1], minus = [8]}\n',
            "differences.d: there is no",
        ),
        (
            GOOD[-14:],
            'total = "all"\n[differences]\ntotal = {plus = [1], minus = [2]}\n',
            "both a scale and a",
        ),
        (
            "[scales]",
            'cuts = [{scale = "all", at = 3, source = "x"}]\n[scales]',
            "cuts: there is no scale 'all'",
        ),
        ("[scales]", 'cuts = [{scale = "total", source = "x"}]\n[scales]', "cuts, number 1, at: is missing"),
        ("[scales]", "scales", "is no TOML file"),
    ],
)
def test_a_fault_in_a_file_is_named(old, new, told):
    assert GOOD.count(old) >= 1
    assert told in fault(GOOD.replace(old, new, 1))


def test_all_faults_are_named_at_once():
    text = GOOD.replace("items = 3\n", "").replace('"alliance"', '"love"').replace("[2]", '["Two"]')
    told = fault(text)
    assert all(f"\n  {key}: " in told for key in ("items", "measures", "reversed"))


def test_messages_are_not_pydantics():
    told = fault(GOOD.replace("items = 3", 'items = ["A b"]').replace("[1, 2]", "[1.5]"))
    assert not any(word in told for word in ("Input should", "valid", "pattern", "literal", "constrained"))
