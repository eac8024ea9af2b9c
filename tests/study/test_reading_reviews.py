"""Marks that reviewers exported: what is read of them, and what is said of files that are not as they should be."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from vsa.errors import InputError
from vsa.study.reviews import read_reviews

HEADER = "session_id,verdict,probability,mark,note,reviewer,marked_at,model,model_print,simulated"
PRINT = "0123456789ab"


def line(session="s01", mark="agree", *, verdict="weak", note="", reviewer="AB", at="2026-01-05T10:00:00Z"):
    return f"{session},{verdict},0.5339,{mark},{note},{reviewer},{at},m.skops,{PRINT},false"


def written(path: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8-sig") -> Path:
    path.write_bytes("\r\n".join([header, *lines, ""]).encode(encoding))
    return path


def test_an_export_is_read_whole(tmp_path):
    note = '"smiles, ""late""\nthen; silence – 3:10"'
    path = written(tmp_path / "a.csv", line("007", note=note), line("s02", "cannot tell", verdict="abstain"))
    first, second = read_reviews([path]).to_dict("records")
    assert first == {
        "session_id": "007",
        "verdict": "weak",
        "mark": "agree",
        "probability": 0.5339,
        "note": 'smiles, "late"\nthen; silence – 3:10',
        "reviewer": "AB",
        "marked_at": pd.Timestamp("2026-01-05T10:00:00Z"),
        "model": "m.skops",
        "model_print": PRINT,
        "simulated": False,
    }
    assert (second["session_id"], second["mark"], second["verdict"]) == ("s02", "cannot tell", "abstain")


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8")])
def test_what_spreadsheets_save_is_read(tmp_path, delimiter, encoding):
    path = written(
        tmp_path / "a.csv",
        line(note="grün").replace(",", delimiter),
        header=HEADER.replace(",", delimiter),
        encoding=encoding,
    )
    if delimiter == ";":
        path.write_bytes(path.read_bytes().replace(b"0.5339", b"0,5339"))
    (row,) = read_reviews([path]).to_dict("records")
    assert (row["note"], row["probability"], row["mark"]) == ("grün", 0.5339, "agree")


def test_initials_that_look_like_nothing_are_somebodys(tmp_path):
    table = read_reviews([written(tmp_path / "a.csv", line(reviewer="NA"), line("null", reviewer="None"))])
    assert table["reviewer"].tolist() == ["NA", "None"]
    assert table["session_id"].tolist() == ["s01", "null"]


def test_apostrophes_before_formulas_are_taken_away(tmp_path):
    path = written(tmp_path / "a.csv", line("'=1+1", note="'-5 and more"), line("'quoted'", note="''=x"))
    first, second = read_reviews([path]).to_dict("records")
    assert (first["session_id"], first["note"]) == ("=1+1", "-5 and more")
    assert (second["session_id"], second["note"]) == ("'quoted'", "'=x")


def test_every_fault_is_told_with_its_place_and_what_would_be_right(tmp_path):
    first = written(
        tmp_path / "a.csv",
        line(note='"two\nlines"'),
        line(mark="yes"),
        line("", at="yesterday"),
        line(verdict="red").replace("0.5339", "53"),
    )
    second = written(tmp_path / "b.csv", line().replace(PRINT, "1.23E+11").replace("false", "perhaps"))
    third = written(tmp_path / "c.csv", "s01,agree", header="session_id,mark")
    with pytest.raises(InputError) as raised:
        read_reviews([first, second, third])
    for said in (
        "a.csv, row 3, column mark: 'yes' is none; write one of agree, disagree, cannot tell",
        "a.csv, row 4, column session_id: it is empty",
        "a.csv, row 4, column marked_at: 'yesterday' is none; write a time as 2026-01-31T09:30:00Z",
        "a.csv, row 5, column verdict: 'red' is none; write what the list said: weak, ok, abstain",
        "a.csv, row 5, column probability: '53' is none; write a number from 0 to 1",
        "b.csv, row 2, column model_print: '1.23e+11' is none",
        "b.csv, row 2, column simulated: 'perhaps' is none; write true or false",
        "c.csv, row 1: there is no column verdict",
    ):
        assert said.lower() in str(raised.value).lower()
    assert len(str(raised.value).splitlines()) == 9


def test_the_later_mark_of_a_reviewer_counts_and_that_is_said(tmp_path):
    path = written(
        tmp_path / "a.csv",
        line(mark="disagree", at="2026-01-06T09:00:00+01:00"),
        line(mark="agree", at="2026-01-06T07:59:59Z", reviewer="ab"),
        line(mark="cannot tell", reviewer="CD"),
    )
    again = written(tmp_path / "b.csv", line("S01", "agree", at="2026-01-06T08:00:01Z"))
    alone = read_reviews([path])
    assert dict(zip(alone["reviewer"], alone["mark"], strict=True)) == {"AB": "disagree", "CD": "cannot tell"}
    assert alone.attrs["notes"] == ("Marks that the same reviewer made anew later do not count: 1.",)
    both = read_reviews([path, again])
    assert dict(zip(both["reviewer"], both["mark"], strict=True)) == {"AB": "agree", "CD": "cannot tell"}


def test_reviewers_without_initials_are_told_apart_by_their_files(tmp_path):
    paths = [written(tmp_path / name, line(reviewer="")) for name in ("a.csv", "b.csv")]
    table = read_reviews(paths)
    assert table["reviewer"].nunique() == 2
    assert [note.split()[0] for note in table.attrs["notes"]] == ["a.csv", "b.csv"]


def test_a_note_alone_is_no_mark(tmp_path):
    table = read_reviews([written(tmp_path / "a.csv", line(mark="", note="see later"), line("s02"))])
    assert table["session_id"].tolist() == ["s02"]
    assert "a.csv: rows with a note and no mark do not count: 1." in table.attrs["notes"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        (b"", "no column session_id"),
        (f"{HEADER}\r\n".encode(), "there are no marks"),
        (b'session_id,verdict,mark\ns01,weak,"agree', "can't be read as a table"),
        (b"session_id,verdict,mark\ns01,weak,agree,more", "1 more cells than the header"),
    ],
)
def test_files_that_hold_no_marks_are_refused_in_words(tmp_path, content, said):
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_reviews([path])
