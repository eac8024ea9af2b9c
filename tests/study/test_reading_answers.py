from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from questionnaires import MOODS, STYLES, made, wide

from vsa.errors import InputError
from vsa.study.answers import answers_of, read_answers
from vsa.study.instruments import load
from vsa.study.item_columns import find_items

moods = made("moods", MOODS)
describe = made("describe", STYLES)
wai = load("wai-sr")
TWELVE = range(1, 13)


def found(names, instrument=wai, **settings):
    return {item: some[0] for item, some in find_items(list(names), instrument, **settings).of.items()}


@pytest.mark.parametrize(
    "pattern",
    [
        "wai_sr_{}",
        "WAI-SR{}",
        "WAI.SR.{}",
        "q{:02}",
        "Item {}",
        "{}",
        "T1_WAI{}",
        "WAI12_SR_{}",
        "wai{}_pre",
        "client WAI {}",
    ],
)
def test_items_are_found_however_they_are_called(pattern):
    names = [pattern.format(k) for k in TWELVE]
    others = ["session_id", "age", "date_2024", "phq_1", "phq_2", "wai_total"]
    assert found([*others, *reversed(names)]) == dict(zip(wai.items, names, strict=True))


def test_items_that_are_called_by_their_scale():
    scales = {item: scale for scale in ("task", "bond", "goal") for item in wai.scales[scale]}
    for pattern in ("{scale}{item}", "WAI_{scale}_{item}"):
        names = [pattern.format(scale=scales[item], item=item) for item in wai.items]
        assert found(names) == dict(zip(wai.items, names, strict=True))
    with pytest.raises(InputError, match="12 items of wai-sr were not found"):
        found([f"{scale}{k}" for scale in ("task", "bond", "goal") for k in range(1, 5)])  # numbered anew


def test_items_with_names():
    for pattern in ("{}", "RQ {}", "rq.{}", "{}_rating"):
        names = [pattern.format(style.title()) for style in describe.items]
        assert found(names, describe) == dict(zip(describe.items, names, strict=True))


def test_of_several_questionnaires_the_one_that_is_named_is_taken():
    ours = [f"WAI_SR_{k}" for k in TWELVE]
    others = [f"q{k}" for k in TWELVE] + [f"wai_s_{k}" for k in TWELVE] + [f"ecr_{k}" for k in range(1, 37)]
    assert found(others + ours) == dict(zip(wai.items, ours, strict=True))


def test_two_sets_of_items_are_not_chosen_between():
    names = [f"T{t}_wai_sr_{k}" for t in (1, 2) for k in TWELVE]
    with pytest.raises(InputError, match=r"more than once:\n  T1_wai_sr_\{item\}: 12 of 12\n") as caught:
        found(names)
    assert "--items 'T1_wai_sr_{item}'" in caught.value.hint
    assert found(names, pattern="t2 wai-sr {item}")["3"] == "T2_wai_sr_3"


def test_an_absent_item_is_named_unless_the_pattern_is_given():
    names = [f"wai_{k}" for k in TWELVE if k != 7]
    with pytest.raises(InputError, match=r"wai_\{item\}: 11 of 12, without 7 ") as caught:
        found(names)
    assert "--items 'wai_{item}'" in caught.value.hint
    assert len(found(names, pattern="wai_{item}")) == 11


def test_items_of_another_questionnaire_are_refused():
    with pytest.raises(InputError, match=r"13, 14, .* which wai-sr doesn't have"):
        found(f"wai_{k}" for k in range(1, 37))
    with pytest.raises(InputError, match=r"looks like wai-s\b(?!-)"):
        found(f"wai_s_{k}" for k in TWELVE)
    with pytest.raises(InputError, match="looks like wai-sr-t"):
        found(f"wai_sr_t_{k}" for k in TWELVE)  # the therapist's form is no client's
    assert len(found((f"wai_sr_{k}" for k in TWELVE), load("wai-sr-t"))) == 12  # parallel forms share numbers


def test_patterns_that_say_nothing_are_refused():
    for pattern in ("wai", "{item}{item}"):
        with pytest.raises(InputError, match="once"):
            found(["wai1"], pattern=pattern)
    with pytest.raises(InputError, match="No column fits") as caught:
        found(["wai1", "age"], pattern="q{item}")
    assert "wai1, age" in caught.value.hint
    with pytest.raises(InputError, match="Nothing looks like"):
        found(["age", "sex"])


def rows(n=3):
    return np.random.default_rng(0).integers(1, 8, (n, 8)).tolist()


def test_who_answered_must_be_known():
    table = wide(moods, rows())
    with pytest.raises(InputError, match="doesn't say who filled in moods"):
        answers_of(table, moods)
    assert set(answers_of(table, moods, respondent="therapist").raters) == {"therapist"}
    short = wide(wai, [[3] * 12])  # it has no other form
    assert answers_of(short, wai).raters == ("client",)
    with pytest.raises(InputError, match="filled in by the client, not by the therapist"):
        answers_of(short, wai, respondent="therapist")


def test_respondents_of_a_column_by_any_of_their_names():
    table = wide(moods, rows(4), Rater=["Patient", "therapist", "CLIENT", "counsellor"])
    assert answers_of(table, moods).raters == ("client", "therapist", "client", "therapist")
    clients = answers_of(table, moods, respondent="client")
    assert clients.ids == ("s0", "s2")
    with pytest.raises(InputError, match="AB, T: who is that"):
        answers_of(wide(moods, rows(2), rater=["AB", "T"]), moods)
    by_name = answers_of(
        wide(moods, rows(2), rater=["AB", "T"]), moods, respondent="client", columns={"respondent": ""}
    )
    assert len(by_name) == 2


def test_therapists_are_never_taken_for_clients():
    table = wide(wai, [[3] * 12] * 3, respondent=["client", "therapist", ""])
    with pytest.raises(InputError) as caught:
        answers_of(table, wai)
    assert "row 3: the therapist answered, and wai-sr is for the client" in caught.value.message
    assert "row 4: it doesn't say who answered" in caught.value.message
    assert answers_of(table.iloc[:2], wai, respondent="client").ids == ("s0",)
    named = wide(wai, [[3] * 12]).rename(columns=lambda name: name.replace("wai_sr", "therapist_wai_sr"))
    with pytest.raises(InputError, match="looks filled in by the therapist"):
        answers_of(named, wai)
    with pytest.raises(InputError, match="looks filled in by the therapist, not by the client"):
        answers_of(named, wai, items="therapist_wai_sr_{item}")


def test_columns_of_both_in_one_row():
    both = pd.concat(
        [
            wide(moods, [[k] * 8]).set_index("session_id").add_prefix(f"{who}_")
            for who, k in (("client", 2), ("therapist", 3))
        ],
        axis=1,
    )
    both = both.reset_index()
    for who, k in (("client", 2), ("therapist", 3)):
        answers = answers_of(both, moods, respondent=who)
        assert (answers.values == k).all()
        assert answers.raters == (who,)


def test_somebody_who_answered_twice_is_named_with_rows():
    table = wide(moods, rows(3), respondent=["client"] * 3)
    table["session_id"] = ["s1", "s2", "s1"]
    with pytest.raises(InputError, match="rows 2 and 4: s1 has two of the client's"):
        answers_of(table, moods)
    table["respondent"] = ["client", "client", "therapist"]
    assert len(answers_of(table, moods)) == 3
    long = table.melt(["session_id", "respondent"], var_name="item", value_name="value")
    again = pd.concat([long, long.iloc[:1]])
    with pytest.raises(InputError, match="rows 2 and 26: item 1 of s1 \\(client\\) is there twice"):
        answers_of(again, moods)


def test_ids_must_be_there():
    table = wide(moods, rows(2))
    with pytest.raises(InputError, match="no column session_id; there are moods_1"):
        answers_of(table.drop(columns="session_id"), moods, respondent="client")
    table["session_id"] = ["s1", " "]
    with pytest.raises(InputError, match="row 3: there are answers and no id"):
        answers_of(table, moods, respondent="client")
    called = table.rename(columns={"session_id": "Sitzung"}).iloc[:1]
    assert answers_of(called, moods, respondent="client", columns={"session_id": "Sitzung"}).ids == ("s1",)
    with pytest.raises(InputError, match="no column 'x'"):
        answers_of(called, moods, respondent="client", columns={"session_id": "x"})
    with pytest.raises(InputError, match="is not known") as caught:
        answers_of(table, moods, respondent="client", columns={"sitting": "x"})
    assert "session_id" in caught.value.hint


def test_attachment_may_be_asked_once_a_client():
    table = wide(describe, [[6, 2, 3, 4]]).rename(columns={"session_id": "client_id"})
    answers = answers_of(table, describe)
    assert (answers.key, answers.ids, answers.carried) == ("client_id", ("s0",), {})
    with pytest.raises(InputError, match="no column session_id"):
        answers_of(wide(moods, rows(1)).rename(columns={"session_id": "client_id"}), moods)


def test_what_cannot_be_scored_is_listed_by_person_and_item():
    table = wide(wai, [[3, None, 7, "x", 2.5, "4 ", "3,0", True, "inf", "0", -1, "."], [3] * 12])
    answers = answers_of(table, wai)
    listed = {(p.id, p.rater, p.row, p.item, p.value): p.what for p in answers.problems}
    assert listed == {
        ("s0", "client", 2, "2", ""): "not answered",
        ("s0", "client", 2, "3", "7"): "out of range",
        ("s0", "client", 2, "4", "x"): "not a number",
        ("s0", "client", 2, "5", "2.5"): "not a whole number",
        ("s0", "client", 2, "8", "True"): "not a number",
        ("s0", "client", 2, "9", "inf"): "not a number",
        ("s0", "client", 2, "10", "0"): "out of range",
        ("s0", "client", 2, "11", "-1"): "out of range",
        ("s0", "client", 2, "12", ""): "not answered",
    }
    assert [p.item for p in answers.problems if not p.faulty] == ["2", "12"]
    np.testing.assert_array_equal(answers.values[0], [3, *[np.nan] * 4, 4, 3, *[np.nan] * 5])


def test_rows_without_any_answer_are_left_out_and_counted():
    table = wide(moods, [*rows(2), [None] * 8])
    answers = answers_of(table, moods, respondent="client")
    assert (len(answers), answers.blank) == (2, 1)
    assert not answers.problems
    with pytest.raises(InputError, match="holds no answers"):
        answers_of(table.iloc[2:], moods, respondent="client")


def test_a_column_that_says_which_questionnaire():
    table = wide(moods, rows(3)).assign(instrument=["MOODS", "phq", "moods"])
    assert answers_of(table, moods, respondent="client").ids == ("s0", "s2")
    with pytest.raises(InputError, match="no wai-sr among MOODS, moods, phq"):
        answers_of(table, wai)


def test_long_tables_with_other_questionnaires_and_a_choice():
    table = pd.DataFrame(
        [
            ("s1", "client", "describe_secure", 5),
            ("s1", "client", "describe_fearful", 5),
            ("s1", "client", "phq_1", 3),
            ("s1", "client", "describe_preoccupied", 2),
            ("s1", "client", "describe_dismissing", 1),
            ("s1", "client", "describe_choice", "fearful"),
        ],
        columns=["session_id", "respondent", "Question", "Answer"],
    )
    answers = answers_of(table, describe)
    assert answers.values.tolist() == [[5, 5, 2, 1]]
    assert answers.choices == ("fearful",)


def test_two_columns_for_one_item_are_refused():
    table = wide(moods, rows(1)).assign(Moods_01=[3])
    with pytest.raises(InputError, match="moods_1 and Moods_01 are both item 1"):
        answers_of(table, moods, respondent="client")
    assert answers_of(table, moods, respondent="client", items="moods_{item}").items.of["1"] == ("moods_1",)


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("plain.csv", lambda t: t.to_csv(index=False).encode()),
        ("bom.csv", lambda t: t.to_csv(index=False).encode("utf-8-sig")),
        ("excel.csv", lambda t: t.to_csv(index=False, sep=";").replace("4.5", "4,5").encode()),
        ("unicode.txt", lambda t: t.to_csv(index=False, sep="\t").encode("utf-16")),
        ("windows.csv", lambda t: t.to_csv(index=False, lineterminator="\r\n").encode()),
        ("blank.csv", lambda t: t.to_csv(index=False).replace("\n007", "\n\n007").encode()),
        ("table.parquet", None),
    ],
)
def test_files_as_programs_save_them(tmp_path, name, encode):
    values = np.round(np.random.default_rng(1).uniform(1, 5, (3, 12))).tolist()
    table = wide(wai, values, client_id=["01", "02", "03"])
    table["session_id"] = ["005", "006", "007"]
    table["wai_sr_1"] = ["2", "4.5", "3"]
    path = tmp_path / name
    if encode:
        path.write_bytes(encode(table))
    else:
        numbers = table.iloc[:, 3:].astype(float)
        pd.concat([table.iloc[:, :3], numbers], axis=1).to_parquet(path)
    answers = read_answers(path, wai)
    assert answers.ids == ("005", "006", "007")
    assert answers.carried == {"client_id": ("01", "02", "03")}
    assert [(p.id, p.row, p.item, p.what) for p in answers.problems] == [
        ("006", 3, "1", "not a whole number")
    ]
    np.testing.assert_array_equal(answers.values[:, 1:], np.array(values)[:, 1:])
    np.testing.assert_array_equal(answers.values[:, 0], [2, np.nan, 3])


def test_rows_are_counted_as_a_spreadsheet_does_it(tmp_path):
    path = tmp_path / "answers.csv"
    head = "session_id," + ",".join(f"wai_sr_{k}" for k in TWELVE)
    path.write_text(f"{head}\n\ns1,9{',3' * 11}\n,,,,,,,,,,,,\ns2,0{',3' * 11}\n")
    assert [(p.id, p.row) for p in read_answers(path, wai).problems] == [("s1", 3), ("s2", 5)]
