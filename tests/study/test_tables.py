from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest

from vsa.errors import InputError
from vsa.study.tables import read_table, with_bonds, write_csv


def csv(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def test_ids_stay_text_and_numbers_become_numbers(tmp_path):
    table = read_table(csv(tmp_path, "session_id,client_id,bond\n007,01,3.5\n008,, \n"))
    assert table["session_id"].tolist() == ["007", "008"]
    assert table["client_id"].tolist()[0] == "01"
    assert table["client_id"].isna().tolist() == [False, True]
    assert table.attrs["source"] == "table.csv"


@pytest.mark.parametrize(
    "text",
    [
        "session_id,bond,x\na,3.5,1\nb,4.25,2\n",
        "\ufeffsession_id;bond;x\r\na;3,5;1\r\nb;4,25;2\r\n",  # as a European spreadsheet saves it
        "session_id\tbond\tx\na\t3.5\t1\nb\t4.25\t2\n",
        "session_id;bond;x\na;3.5;1\nb;4.25;2\n",
        "session_id\tbond\tx\r\na\t3.5\t1\r\nb\t4.25\t2\r\n".encode("utf-16"),  # a spreadsheet's Unicode text
        "session_id,bond,x\na,3.5,1,\nb,4.25,2,\n",  # rows that end in a comma
    ],
)
def test_delimiters_and_decimal_commas(tmp_path, text):
    table = read_table(csv(tmp_path, text))
    assert list(table.columns) == ["session_id", "bond", "x"]
    assert table["bond"].tolist() == [3.5, 4.25]


def test_cells_as_they_are_written_row_by_row(tmp_path):
    table = read_table(csv(tmp_path, "session_id;x;y\n007;3,0; 01\n\n008;;NA\n"), text=True)
    assert table["x"].fillna("").tolist() == ["3,0", "", ""]
    assert table["y"].fillna("").tolist() == [" 01", "", ""]
    assert table["session_id"].isna().tolist() == [False, True, False]


def test_parquet_and_results_folders_with_what_the_manifest_said(tmp_path):
    features = pd.DataFrame({"session_id": ["s1", "s2"], "client.face.smile_share": [0.1, np.nan]})
    features.to_parquet(tmp_path / "features.parquet")
    for name, client in (("s1", "007"), ("s2", "008")):
        (tmp_path / name).mkdir()
        facts = {
            "client_id": client,
            "bond": "3.5",
            "rater": "client",
            "note": "" if name == "s1" else "late",
        }
        (tmp_path / name / "session.json").write_text(json.dumps({"session_id": name, "facts": facts}))
    table = read_table(tmp_path)
    assert table["client_id"].tolist() == ["007", "008"]
    assert table["bond"].tolist() == [3.5, 3.5]
    assert table["note"].isna().tolist() == [True, False]
    assert read_table(tmp_path / "features.parquet")["session_id"].tolist() == ["s1", "s2"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("\n", "empty"),
        ("session_id,bond\n", "no rows"),
        ("session_id,bond,bond\na,1,2\n", "two columns are called bond"),
        ("session_id,bond\na,1,2,3,4\nb,1\n", "row 2 has 5 cells and the header 2"),
        (b"session_id,bond\n\xe9,1\n", "not UTF-8"),
        (b"\xff\xfes\x00e\x00s", "not UTF-8"),  # half a character of UTF-16
        (b"session\x00id,x\n1,2\n", "binary"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        read_table(csv(tmp_path, content))


def test_absent_tables_and_folders_without_results_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"no features\.parquet"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="can't be read"):
        read_table(csv(tmp_path, "no parquet", "table.parquet"))


def test_bonds_are_joined_by_session(tmp_path):
    features = read_table(
        csv(tmp_path, "session_id,client.face.smile_share,bond\n01,0.1,9\n02,0.2,9\n03,0.3,9\n")
    )
    bonds = read_table(csv(tmp_path, "session_id,client_id,bond\n02,7,4\n01,7,3\n99,8,1\n", "bonds.csv"))
    joined = with_bonds(features, bonds)
    assert joined["session_id"].tolist() == ["01", "02", "03"]
    assert joined["bond"].tolist()[:2] == [3, 4]
    assert np.isnan(joined["bond"].iloc[2])
    assert joined.attrs["source"] == "bonds.csv"


def test_bonds_that_do_not_fit_are_refused(tmp_path):
    features = read_table(csv(tmp_path, "session_id,x\n01,1\n"))
    with pytest.raises(InputError, match="more than one row for session 01"):
        with_bonds(features, read_table(csv(tmp_path, "session_id,bond\n01,1\n01,2\n", "b.csv")))
    with pytest.raises(InputError, match=r"No session_id of table\.csv is in b\.csv") as caught:
        with_bonds(features, read_table(csv(tmp_path, "session_id,bond\ns01,1\n", "b.csv")))
    assert "'01' and 's01'" in caught.value.hint
    with pytest.raises(InputError, match=r"b\.csv has no column session_id"):
        with_bonds(features, read_table(csv(tmp_path, "id,bond\ns01,1\n", "b.csv")))


def test_a_list_is_written_whole_or_not_at_all(tmp_path):
    write_csv(pd.DataFrame({"a": [1]}), tmp_path / "new" / "list.csv")
    assert (tmp_path / "new" / "list.csv").read_text() == "a\n1\n"
    assert os.listdir(tmp_path / "new") == ["list.csv"]
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="can't be written"):
        write_csv(pd.DataFrame({"a": [1]}), tmp_path / "folder")
    assert sorted(os.listdir(tmp_path)) == ["folder", "new"]


def test_a_list_for_people_holds_no_formulas(tmp_path):
    told = pd.DataFrame({"session_id": ["=HYPERLINK(A1)", "s01"], "note": ["+1", "-x"], "bond": [-1.5, 2.0]})
    write_csv(told, tmp_path / "list.csv", for_people=True)
    lines = (tmp_path / "list.csv").read_text().splitlines()
    assert lines[1:] == ["'=HYPERLINK(A1),'+1,-1.5", "s01,'-x,2.0"]
