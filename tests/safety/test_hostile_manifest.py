"""Manifests that somebody wrote to do harm: each is refused with its row and column, and nothing happens."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from calling import call, state

from vsa.errors import InputError
from vsa.study.manifest import read_manifest


def write(folder: Path, **cells: str) -> Path:
    """A manifest of one session that is right but for some cells; there is a recording beside it."""
    (folder / "a.mp4").write_bytes(b"\0" * 64)
    row = {"session_id": "s1", "video": "a.mp4", "consent": "yes"} | cells
    path = folder / "manifest.csv"
    with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        out = csv.writer(file)
        out.writerow(row)
        out.writerow(row.values())
    return path


IDS = {
    "up": "../../etc",
    "absolute": "/etc/cron.d/x",
    "address": "file:///etc/passwd",
    "windows": r"C:\Windows\x",
    "share": r"\\server\share",
    "pipe": "|touch owned",
    "shell": "$(touch owned)",
    "back ticks": "`touch owned`",
    "formula": '=HYPERLINK("http://x";"y")',
    "other formula": "@SUM(1)",
    "NUL": "s\0x",
    "line break": "s1\ns2",
    "turned text": "s1\u202e4pm",
    "isolate": "s\u2066x",
    "invisible": "s\u200b1",
    "escape": "s\x1b]0;x\x07",
    "long": "x" * 5000,
    "page": "<script>alert(1)</script>",
    "dots": "..",
    "home": "~root",
    "option": "--out",
}


@pytest.mark.parametrize("name", IDS.values(), ids=IDS)
def test_ids_that_are_no_plain_folder(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, session_id=name)
    before = state(tmp_path)
    ended = call("extract", path, "--out", tmp_path / "out" / "deep")
    assert ended.code == 2
    assert "row 2, column session_id" in ended.said or "NUL" in ended.said or "no CSV" in ended.said
    assert "Nothing was started" in ended.said or "CSV" in ended.said
    assert all(character.isprintable() or character == "\n" for character in ended.said)
    assert len(ended.said) < 2000
    assert state(tmp_path) == before


@pytest.mark.parametrize("name", ["con", "NUL", "com1.x", "Aux"])
def test_names_that_windows_keeps_for_itself_are_no_pages_there(tmp_path: Path, name: str) -> None:
    """They are folders like others here; the report's pages, which travel, are called otherwise."""
    from vsa.report.pages.site import page_name

    assert page_name(name).lower() != f"{name}.html".lower()
    assert page_name(name) == page_name(name)


VIDEOS = {
    "a device": "/dev/zero",
    "a pipe of the system": "/proc/self/fd/0",
    "the passwords": "/etc/passwd",
    "the passwords as an address": "file:///etc/passwd",
    "a command": "|touch owned",
    "ffmpeg's own": "concat:a.mp4|a.mp4",
    "ffmpeg's network": "tcp://127.0.0.1:9",
    "ffmpeg's pictures": "lavfi://color=red",
    "a pipe": "pipe:0",
    "data": "data:video/mp4;base64,AAAA",
    "chained": "zip://a.mp4::file:///etc/passwd",
    "no such driver": "nope://x",
    "NUL": "a\0.mp4",
    "line break": "a.mp4\nb.mp4",
    "long": "a/" * 4000 + "x.mp4",
    "half a pair": "a\udcff.mp4",
    "a pattern": "*.mp4",
    "home": "~/a.mp4",
    "variable": "$HOME/a.mp4",
}


@pytest.mark.parametrize("name", VIDEOS.values(), ids=VIDEOS)
def test_recordings_that_are_something_else(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, video=name)
    before = state(tmp_path)
    ended = call("extract", path, "--out", tmp_path / "out")
    assert ended.code in (2, 3), ended.said
    assert "root:" not in ended.said
    assert "is a defect" not in ended.said
    assert all(character.isprintable() or character == "\n" for character in ended.said)
    assert len(ended.said) < 3000
    now = {name: held for name, held in state(tmp_path).items() if not name.startswith("out")}
    assert now == before
    if ended.code == 3:  # the session failed by itself, and the list says why
        assert (tmp_path / "out" / "failures.csv").is_file()


@pytest.mark.parametrize(
    "cell", ["=1+1", '=HYPERLINK("http://x")', "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1"]
)
def test_covariates_that_are_formulas_stay_text_to_spreadsheets(tmp_path: Path, cell: str) -> None:
    from vsa.study.tables import write_csv

    (plan,) = read_manifest(write(tmp_path, platform=cell, remark=cell)).plans
    assert plan.facts["remark"] == cell.strip()
    write_csv(pd.DataFrame([plan.facts]), tmp_path / "list.csv", for_people=True)
    with (tmp_path / "list.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert not [one for row in rows for one in row if one[:1] in ("=", "+", "-", "@", "\t", "\r")]


@pytest.mark.parametrize(
    "content",
    [
        b"session_id,video,consent\n" + b"x" * 200_000 + b",a.mp4,yes\n",
        b"session_id,video,consent\n" + b'"' * 99_999,
        b"," * 200_000 + b"\n",
        b"session_id,video,consent\n" + b"s1,a.mp4,yes\n" * 4_000,
        b"session_id,session_id,video,consent\ns1,s2,a.mp4,yes\n",
        b"\xef\xbb\xbf\xef\xbb\xbfsession_id,video,consent\n\x00\x00\x00",
        b"\xff\xfe" + b"session_id,video,consent\n",
        b"sep=|\nsession_id|video|consent\ns1|a.mp4|yes\n",
    ],
    ids=["long cell", "quotes", "wide", "many", "twice", "marks", "half UTF-16", "odd separator"],
)
def test_tables_that_are_made_to_choke_on(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path / "manifest.csv")
    assert len(str(caught.value)) < 12_000
