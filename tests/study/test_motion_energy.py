"""Motion energy as text: the ways in which people have it, and what is said of files that can't be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsa.errors import InputError
from vsa.study.motion_energy import Pair, read_pair, write_pair


def written(folder: Path, content: str | bytes, name: str = "100_01.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        '"pat" "th"\n1550 6948\n1317.5 NA\n0 1e3\n',
        "pat\tth\r\n1550\t6948\r\n1317.5\t\r\n0\t1000\r\n",
        "pat,th\n1550,6948\n1317.5,NaN\n0,1000",
        "pat;th\n1550;6948\n1317,5;na\n0;1000\n\n",
        "\ufeffpat; th\n1550; 6948\n1317.5;\n0; 1000\n",
        "  pat   th \n 1550   6948\n 1317.5    NA\n   0 1000\n",
        "pat\tth\t\n1550\t6948\t\n1317.5\tNA\t\n0\t1000\t\n",
        '"pat","th"\n"1550","6948"\n"1317.5",""\n"0","1000"\n',
        "\n\npat th\n1550 6948\n1317.5 .\n0 1000\n",
    ],
)
def test_reads_what_mea_rmea_and_spreadsheets_write(tmp_path: Path, content: str) -> None:
    pair = read_pair(written(tmp_path, content))
    assert pair.names == ("pat", "th")
    np.testing.assert_array_equal(pair.first, [1550, 1317.5, 0])
    np.testing.assert_array_equal(pair.second, [6948, np.nan, 1000])


def test_utf16_and_names_in_another_encoding_are_read(tmp_path: Path) -> None:
    assert read_pair(written(tmp_path, "a b\n1 2\n3 4\n".encode("utf-16"))).second.tolist() == [2, 4]
    assert read_pair(written(tmp_path, "Müller b\n1 2\n3 4\n".encode("cp1252"))).first.tolist() == [1, 3]


def test_a_file_without_names(tmp_path: Path) -> None:
    pair = read_pair(written(tmp_path, "1 2\n3 4\n"))
    assert pair.names == ("column 1", "column 2")
    assert pair.first.tolist() == [1, 3]


def test_columns_are_chosen_among_several(tmp_path: Path) -> None:
    path = written(tmp_path, "frame left right\n1 10 20\n2 11 21\n")
    pair = read_pair(path, columns=(3, 2))
    assert pair.names == ("right", "left")
    assert (pair.first.tolist(), pair.second.tolist()) == ([20, 21], [10, 11])


def test_two_files_with_one_column_each(tmp_path: Path) -> None:
    a = written(tmp_path, "1\n2\nNA\n", "client.txt")
    b = written(tmp_path, "motion\n4\n5\n6\n", "therapist.txt")
    pair = read_pair(a, b)
    assert pair.names == ("client", "motion")
    np.testing.assert_array_equal(pair.first, [1, 2, np.nan])
    assert read_pair(b, b).names == ("motion (1)", "motion (2)")
    wide = written(tmp_path, "x y\n7 8\n7 8\n7 8\n", "wide.txt")
    assert read_pair(b, wide, columns=(1, 2)).second.tolist() == [8, 8, 8]


@pytest.mark.parametrize(
    ("content", "says", "hint"),
    [
        ("", "it is empty", "Give a text file"),
        ("\n \n", "it is empty", "Give a text file"),
        ("a b\n", "names and no numbers", "below them"),
        ("a\n1\n2\n", "it has one column, and two are compared", "other person's file"),
        ("a b c\n1 2 3\n", "it has 3 columns", "--columns 1,3"),
        ("a b\n1 2\n3\n", "line 3: there is 1 value, and 2", "or NA"),
        ("a b\n1 2\n3 4 5\n", "line 3: there are 3 values", "or NA"),
        ("a b\n1 2\n\n3 4\n", "line 3", "or NA"),
        ("a b\n1 2\n3 x7\n", "line 3: 'x7' is no number", "write NA"),
        ("a b\n1 2\ninf 3\n", "line 3: 'inf' is no number", "write NA"),
        ("a b\n1 2\na b\n", "line 3: 'a' is no number", "write NA"),
        (b"\x00\x00\x00\x18ftypmp42", "it is not a text file", "motion energy as text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, content: str | bytes, says: str, hint: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_pair(path)
    assert str(path) in caught.value.message
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_wrong_columns_lengths_and_paths(tmp_path: Path) -> None:
    two = written(tmp_path, "a b\n1 2\n3 4\n")
    one = written(tmp_path, "1\n2\n3\n", "one.txt")
    for columns, says in (((1, 3), "there is no column 3"), ((0, 1), "no column 0"), ((2, 2), "named twice")):
        with pytest.raises(InputError, match=says):
            read_pair(two, columns=columns)
    with pytest.raises(InputError, match=r"has 3 samples and .*has 2"):
        read_pair(one, two, columns=(1, 1))
    with pytest.raises(InputError, match="2 columns, and one would be read"):
        read_pair(one, two)
    with pytest.raises(InputError, match="can't be read"):
        read_pair(tmp_path / "none.txt")
    with pytest.raises(InputError, match="can't be read"):
        read_pair(tmp_path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    first = rng.gamma(1, 5, 500)
    first[::7] = np.nan
    pair = Pair(("the client", 'th"1"'), first, 1e-4 * rng.gamma(1, 5, 500))
    path = tmp_path / "s_01.txt"
    write_pair(path, pair)
    assert path.read_text("utf-8").startswith('"the client" "th\'1\'"\nNA 0.000')
    back = read_pair(path)
    assert back.names == ("the client", "th'1'")
    np.testing.assert_allclose(back.first, pair.first, atol=1e-6)
    np.testing.assert_allclose(back.second, pair.second, rtol=1e-5)
    with pytest.raises(InputError, match="can't be written"):
        write_pair(tmp_path / "no" / "such" / "folder.txt", pair)
