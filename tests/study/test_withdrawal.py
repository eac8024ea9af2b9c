"""Rows out of tables and cells out of rows: what is not asked for stays byte for byte. Whose sessions an id means."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import markupsafe
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsa.errors import InputError
from vsa.report.pages.site import script_json
from vsa.study import log
from vsa.study.blanked import blanked
from vsa.study.manifest import read_manifest
from vsa.study.places import look
from vsa.study.remains import search
from vsa.study.removal import count_rows, remove_rows
from vsa.study.results import Results
from vsa.study.rows import read_grid, with_cells
from vsa.study.withdrawal import Subject, find

S2 = {"session": ("s2",)}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("session_id,x\ns1,1\ns2,2\ns3,3\n", "session_id,x\ns1,1\ns3,3\n"),
        ("session_id,x\ns1,1\ns2,2", "session_id,x\ns1,1\n"),
        ("Session ID;x\r\ns2;1,5\r\ns1;2,5\r\n", "Session ID;x\r\ns1;2,5\r\n"),
        ("x\tsession_id\n1\t s2 \n2\ts1\n", "x\tsession_id\n2\ts1\n"),
        ('session_id,x\n"s2","a\nb ""c"""\n"s1","d\n', None),
        ('session_id,x\n"s2","a\nb ""c"""\n"s1","d\ne"\n', 'session_id,x\n"s1","d\ne"\n'),
        ("session_id,x\nS2,1\ns22,2\nxs2,3\ns2 ,4\n", "session_id,x\ns22,2\nxs2,3\n"),
        ("# session_id,x\n# s2,1\nsession_id,x\ns2,1\n", "# session_id,x\n# s2,1\nsession_id,x\n"),
        ("# of the study\n\nsession_id,x\n\ns2,1\n,\n", "# of the study\n\nsession_id,x\n\n,\n"),
        ("sep=;\nsession_id;a,b\ns2;1\ns1;2\n", "sep=;\nsession_id;a,b\ns1;2\n"),
        ("session_id,note\ns1,s2 was better\n", "session_id,note\ns1,s2 was better\n"),
        ("name,x\ns2,1\n", "name,x\ns2,1\n"),
    ],
)
def test_rows_go_and_the_rest_stays_as_it_stands(tmp_path: Path, text: str, left: str | None) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    if left is None:
        with pytest.raises(ValueError, match="unexpected end of data"):
            remove_rows(path, S2)
        assert path.read_bytes() == text.encode()
        return
    count = count_rows(path, S2)
    assert remove_rows(path, S2) == count
    assert path.read_bytes() == left.encode()
    assert count_rows(path, S2) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_the_encoding_stays(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "table.csv"
    bom = b"\xfe\xff" if encoding == "utf-16-be" else b""
    rows = ["session_id;remark\r\n", "Müller-2;weg\r\n", "Jörg-1;bleibt — „so“\r\n"]
    path.write_bytes(bom + "".join(rows).encode(encoding))
    assert remove_rows(path, {"session": ("Müller-2",)}) == 1
    assert path.read_bytes() == bom + (rows[0] + rows[2]).encode(encoding)


def test_permissions_stay_and_nothing_is_left_over(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("session_id\ns2\n")
    path.chmod(0o640)
    remove_rows(path, S2)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["table.csv"]


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


@given(
    # a row that begins with # is a comment, and no row
    rows=st.lists(
        st.lists(_cells, min_size=3, max_size=3).filter(lambda row: not row[0].startswith("#")),
        min_size=1,
        max_size=5,
    ),
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_cells_are_changed_as_a_csv_reader_sees_them(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    delimiter: str,
    end: str,
    quoting: int,
) -> None:
    """Whatever cells hold: the second becomes another, the rest is read as before."""
    text = io.StringIO(newline="")
    out = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    out.writerows([["session_id", "b", "c"], *rows])
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    path.write_bytes(text.getvalue().encode())
    grid = read_grid(path)
    assert grid is not None
    assert grid.bytes_of([row.text for row in grid.rows]) == path.read_bytes()
    new = [
        with_cells(row, delimiter, grid.header, lambda name, cell: "new" if name == "b" else None)
        for row in grid.rows[1:]
    ]
    again = csv.reader(io.StringIO("".join(new), newline=""), delimiter=delimiter, strict=True)
    assert [*again] == [[first, "new", last] for first, _, last in rows]


@pytest.mark.parametrize("ids", [["s1", "s2", "s3"], [1, 2, 3], [1.0, 2.0, None]])
def test_rows_of_parquet_go_and_types_and_index_stay(tmp_path: Path, ids: list[object]) -> None:
    table = pd.DataFrame(
        {"session_id": ids, "x": pd.array([1, None, 3], dtype="Int8")}, index=["a", "b", "c"]
    )
    table.to_parquet(tmp_path / "t.parquet", compression="zstd")
    assert remove_rows(tmp_path / "t.parquet", {"session": ("s2", "2")}) == 1
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table.drop(index="b"))


MANIFEST = (
    "\ufeffsession_id;video:client;video:therapist;audio:client;consent:client;consent:therapist;client_id;therapist_id;"
    'bond;tile:client;"my; notes"\r\n'
    's1;a/1.mp4;a/2.mp4;;yes;"yes";c1;t1;4,5;;"he said ""no"""\r\n'
    '"s2"; b.mp4 ;"http://host/c.mp4";d.wav;yes;quality;"c2";t1;3,5;left;"two\r\nlines"\r\n'
    "s3;e.mp4;f.mp4;;no;no;c2;t2;;;\r\n"
)


def test_a_manifest_keeps_every_byte_but_the_cells_of_who_is_withdrawn(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(MANIFEST.encode())
    subject = find(tmp_path, "c2")
    without = blanked(tmp_path, subject)
    assert without.rows == 2
    assert not without.commented
    lines = MANIFEST.encode().split(b"\r\n")
    assert without.content.split(b"\r\n") == [
        *lines[:2],
        b'"s2"; b.mp4 ;"http://host/c.mp4";d.wav;withdrawn;withdrawn;;;;left;',
        b"s3;e.mp4;f.mp4;;withdrawn;withdrawn;;;;;",
        b"",
    ]
    assert [*without.recordings] == [
        *(str(tmp_path / "b.mp4"), "http://host/c.mp4", str(tmp_path / "d.wav")),
        *(str(tmp_path / name) for name in ("e.mp4", "f.mp4")),
    ]
    (tmp_path / "manifest.csv").write_bytes(without.content)
    assert blanked(tmp_path, subject).rows == 0


def test_an_emptied_manifest_is_clean_and_its_sessions_have_no_consent(tmp_path: Path) -> None:
    rows = (
        "session_id,video,consent,client_id,date\ns1,s1.mp4,yes,c1,2024-05-01\ns2,s2.mp4,yes,c2,2024-05-02\n"
    )
    (tmp_path / "manifest.csv").write_text(rows)
    (tmp_path / "s1.mp4").touch()
    without = blanked(tmp_path, find(tmp_path, "c2"))
    assert without.rows == 1
    assert not without.commented
    (tmp_path / "manifest.csv").write_bytes(without.content)
    manifest = read_manifest(tmp_path / "manifest.csv")
    assert [plan.session_id for plan in manifest.plans] == ["s1"]
    assert [*manifest.without_consent] == ["s2"]


def test_comments_in_a_manifest_that_speak_of_somebody_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "# c2 said yes in May\n# session_id,client_id\nsession_id,client_id\ns2,c2\n"
    )
    without = blanked(tmp_path, find(tmp_path, "c2"))
    assert without.commented
    assert without.content == b"# c2 said yes in May\n# session_id,client_id\nsession_id,client_id\ns2,\n"


def test_whose_sessions_an_id_means_is_read_from_all_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("session_id,client_id\nm1,anna\nm2,ben\n")
    (tmp_path / "bonds.csv").write_text("client id;session id\nanna;b1\n")
    pd.DataFrame({"session_id": ["p1"], "client_id": ["anna"]}).to_parquet(tmp_path / "more.parquet")
    (tmp_path / "f1").mkdir()
    (tmp_path / "f1" / "session.json").write_text('{"session_id": "f1", "facts": {"client_id": "anna"}}')
    log.append(
        tmp_path, "withdraw", ["l1"], {"step": "begin", "as": "client", "person": "anna", "sessions": 1}
    )
    subject = find(tmp_path, "anna")
    assert subject.kind == "client"
    assert subject.sessions == ("b1", "f1", "l1", "m1", "p1")
    assert subject.since
    assert find(tmp_path, "M1").sessions == ("m1",)
    for name in ("Anna", "ann", "anna ben", "", "*"):
        with pytest.raises(InputError):
            find(tmp_path, name)
    with pytest.raises(InputError):
        find(tmp_path, "anna", "therapist")


def test_names_of_what_is_in_the_making_are_those_that_vsa_gives(tmp_path: Path) -> None:
    results = Results(tmp_path)
    with results.writing("a.b 1") as folder:
        assert look(tmp_path).making[folder][0] == "a.b 1"
    (tmp_path / "s1").mkdir()
    with results._whole("s1/session.json") as part:
        part.touch()
        assert look(tmp_path).making[part][0] == "s1"
        part.rename(tmp_path / "s1" / "session.json")
        (tmp_path / "s1" / "session.json").rename(part)
    with results._whole("features.parquet") as part:
        part.touch()
        assert look(tmp_path).making[part][0] == "features.parquet"


def test_an_id_is_found_where_it_stands_alone(tmp_path: Path) -> None:
    texts = {
        "yes.txt": "of C-01, today",
        "yes2.json": '{"id":"c-01"}',
        "no.txt": "of c-012 and ac-01",
        "utf16.txt": "",
        "c-01_left.png": "",
        "no.mp4": "c-01",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "utf16.txt").write_bytes("it is c-01".encode("utf-16"))
    pd.DataFrame({"who": ["x", "about c-01"], "v": [1.0, 2.0]}).to_parquet(tmp_path / "words.parquet")
    named, closed = search(tmp_path, look(tmp_path), ["c-01"])
    assert {path.name for path in named} == {
        "yes.txt", "yes2.json", "utf16.txt", "c-01_left.png", "words.parquet"
    }  # fmt: skip
    assert closed == ()
    assert search(tmp_path, look(tmp_path), ["会話"]) == ((), ())


def test_a_session_is_not_its_client(tmp_path: Path) -> None:
    subject = Subject("session", "s1", ("s1",))
    (tmp_path / "t.csv").write_text("session_id,client_id\ns2,s1\ns1,c1\n")
    assert remove_rows(tmp_path / "t.csv", subject.ids) == 1
    assert (tmp_path / "t.csv").read_text() == "session_id,client_id\ns2,s1\n"


def test_quotes_in_comments_and_rows_over_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    text = '# she said,"well" and left\nsession_id,note\n# s1, "odd\ns1,"two\nlines"\ns2,"a ""b"""\n'
    path.write_text(text, "utf-8")
    grid = read_grid(path)
    assert grid is not None
    assert "".join(row.text for row in grid.rows) == text
    assert [record for _, record in grid.records()] == [
        {"session_id": "s1", "note": "two\nlines"},
        {"session_id": "s2", "note": 'a "b"'},
    ]
    path.write_text('session_id,note\ns1,"never closed\n', "utf-8")
    with pytest.raises(ValueError, match="unexpected end"):
        read_grid(path)


@pytest.mark.parametrize("name", ["a&b's #1", 'Zoë "<x>"', "Jörg & Åsa/2"])
@pytest.mark.parametrize(
    "write",
    [
        html.escape,
        lambda name: html.escape(name, quote=False),
        lambda name: str(markupsafe.escape(name)),
        json.dumps,
        lambda name: json.dumps(name, ensure_ascii=False),
        script_json,
        lambda name: html.escape(json.dumps({"id": name})),
        lambda name: f"films/{quote(' ' + name, safe='')}.mp4",
        lambda name: f"films/{quote(name)}.mp4",
    ],
)
def test_ids_are_found_as_pages_json_and_addresses_write_them(
    tmp_path: Path, name: str, write: Callable[[str], str]
) -> None:
    (tmp_path / "page.html").write_text(f"<p>{write(name)}</p>", "utf-8")
    (tmp_path / "other.html").write_text(f"<p>{write(name + '1')}, {write('x' + name)}</p>", "utf-8")
    assert search(tmp_path, look(tmp_path), [name])[0] == (tmp_path / "page.html",)


def test_of_a_manifest_that_is_a_link_nobody_is_withdrawn(tmp_path: Path) -> None:
    """What it points to would keep everything."""
    (tmp_path / "study").mkdir()
    (tmp_path / "real.csv").write_text("session_id,client_id\ns1,c1\n")
    (tmp_path / "study" / "manifest.csv").symlink_to(tmp_path / "real.csv")
    with pytest.raises(InputError, match=r"manifest\.csv is a link") as refused:
        find(tmp_path / "study", "c1")
    assert "Nothing was removed" in str(refused.value)
    assert (tmp_path / "study" / "manifest.csv").is_symlink()
