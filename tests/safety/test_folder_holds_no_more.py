"""What extraction and reports leave behind, walked file by file: what docs say, and nothing else of anybody."""

from __future__ import annotations

import getpass
import json
import platform
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calling import call
from pretrained import need_faces
from studies import content

pytestmark = pytest.mark.slow  # it takes whole runs of commands

FILM = Path(__file__).parents[2] / "sample_media" / "media" / "s01_plain.mp4"
#: As a clinic may call a file and a folder.
PERSON, FOLDER = "Roe, Jane 1980-02-03", "intake of Dr Doe"
STUDY_FILES = {"features.parquet", "failures.csv", "log.jsonl"}
SESSION_FILES = {
    "session.json",
    "face.parquet",
    "landmarks.npz",
    "voice.parquet",
    "turns.parquet",
    "turns.rttm",
    "features.parquet",
}
RECORD = {
    "schema",
    "session_id",
    "status",
    "source",
    "further_sources",
    "sound_files",
    "participants",
    "engine",
    "settings",
    "versions",
    "quality",
    "timings_s",
    "hints",
    "layout",
    "sound",
    "facts",
    "consent",
    "face",
}
SUFFIXES = {".html", ".css", ".js", ".json", ".png"}
#: With which pictures, films and sounds begin (at which byte).
MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"\xff\xd8\xff"),
    (0, b"GIF8"),
    (0, b"BM"),
    (0, b"RIFF"),
    (0, b"\x1aE\xdf\xa3"),
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"ID3"),
    (0, b"\xff\xfb"),
    (0, b"FORM"),
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
)
#: Longer marks, which chance doesn't put into numbers, anywhere.
WITHIN = (
    b"\x89PNG\r\n\x1a\n",
    b"JFIF\x00",
    b"ftypisom",
    b"Exif\x00\x00",
    b"matroska",
    b"data:image",
    b"data:audio",
    b"data:video",
)


def is_media(held: bytes) -> bool:
    return any(held[at : at + len(mark)] == mark for at, mark in MAGIC) or any(one in held for one in WITHIN)


def machine() -> list[str]:
    """What tells this machine and its user from others; names that are words anyway tell nothing."""
    words = [platform.node(), str(Path.home()), getpass.getuser()]
    return [word for word in words if len(word) > 3 and word not in ("root", "user", "localhost", "runner")]


def telling(folder: Path, *words: str) -> list[str]:
    """Files that have any of some words, in capitals or not, as they stand or as pages and addresses spell them."""
    from html import escape
    from urllib.parse import quote

    spelled = {s.lower().encode() for word in words for s in (word, escape(word), quote(word))}
    found = []
    for path in sorted(folder.rglob("*")):
        held = (str(path.relative_to(folder)).encode() + b"\n" + content(path)).lower()
        if any(re.search(rb"(?<![a-z0-9])" + re.escape(one) + rb"(?![a-z0-9])", held) for one in spelled):
            found.append(str(path.relative_to(folder)))
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with a name that says too much, its manifest, and `out`, extracted with landmarks."""
    need_faces()
    place = tmp_path_factory.mktemp("clinic") / FOLDER
    place.mkdir()
    shutil.copy(FILM, place / f"{PERSON}.mp4")
    (place / "manifest.csv").write_text(f'session_id,video,consent,client_id\ns1,"{PERSON}.mp4",yes,c1\n')
    ended = call("extract", place / "manifest.csv", "--landmarks", "--out", place / "out")
    assert ended.code == 0, ended.said
    return place


@pytest.fixture(scope="module")
def pages(place: Path) -> Path:
    ended = call("report", place / "out", "--jobs", "1", "--out", place / "report")
    assert ended.code == 0, ended.said
    return place / "report"


def test_a_results_folder_holds_the_files_that_are_documented(place: Path) -> None:
    out = place / "out"
    assert {path.name for path in out.iterdir()} == STUDY_FILES | {"s1"}
    assert {path.name for path in (out / "s1").iterdir()} == SESSION_FILES
    assert not [path for path in out.rglob("*") if path.is_symlink()]


def test_no_file_is_a_picture_a_film_or_a_sound(place: Path) -> None:
    files = [path for path in (place / "out").rglob("*") if path.is_file()]
    assert not [path.name for path in files if is_media(path.read_bytes())]
    assert is_media((place / f"{PERSON}.mp4").read_bytes())


def test_tables_hold_the_numbers_that_are_documented_and_no_pictures_in_disguise(place: Path) -> None:
    session = place / "out" / "s1"
    face, voice, turns = (pd.read_parquet(session / f"{name}.parquet") for name in ("face", "voice", "turns"))
    assert set(voice) == {
        "t",
        "participant",
        "speech",
        "speaking",
        "f0_hz",
        "intensity_db",
        "spectral_tilt_db",
    }
    assert set(turns) == {"participant", "start", "end", "kind"}
    for table in (face, voice, turns):
        for name in table:
            assert (
                name == "participant"
                or name == "kind"
                or table[name].dtype.kind in "fb"
                or str(table[name].dtype) == "boolean"
            )
    assert set(face["participant"].astype(str)) <= {"p1", "p2", "client", "therapist"}
    seconds = face["t"].max() - face["t"].min()
    assert len(voice) <= 3 * 100 * (seconds + 1)  # a row each 10 ms is no sound
    with np.load(session / "landmarks.npz", allow_pickle=False) as held:
        assert set(held) == {"t", "participant", "xyz"}
        assert held["xyz"].shape[1:] == (478, 3)
    with zipfile.ZipFile(session / "landmarks.npz") as archive:
        assert not archive.comment


def test_the_record_has_the_keys_that_are_documented(place: Path) -> None:
    record = json.loads((place / "out" / "s1" / "session.json").read_text("utf-8"))
    assert set(record) <= RECORD, set(record) - RECORD
    assert record["source"]["name"] == f"{PERSON}.mp4"


def test_the_name_of_a_recording_stands_in_the_record_of_its_session_alone(place: Path, pages: Path) -> None:
    assert telling(place / "out", "Jane", "Roe") == ["s1/session.json"]
    assert not [name for name in telling(pages, "Jane", "Roe") if not name.startswith("assets/")]


def test_nothing_says_where_the_recording_lay_whose_machine_it_was_or_who_was_there(
    place: Path, pages: Path
) -> None:
    told = [*machine(), str(place), str(place.parent), FOLDER]
    assert set(telling(place / "out", *told)) <= {"log.jsonl"}  # who ran what: that is what it is for
    for line in (place / "out" / "log.jsonl").read_text().splitlines():
        entry = json.loads(line)
        entry.pop("who")
        assert not [word for word in told if word.lower() in json.dumps(entry).lower()]
    assert not [name for name in telling(pages, *told) if not name.startswith("assets/")]


def test_a_report_holds_pages_and_charts_and_no_picture_or_sound(
    pages: Path, made: Path, tmp_path: Path
) -> None:
    ended = call("report", made, "--rules", "--jobs", "1", "--out", tmp_path / "report")
    assert ended.code == 0, ended.said
    for report in (pages, tmp_path / "report"):
        for path in report.rglob("*"):
            name = str(path.relative_to(report))
            assert not path.is_symlink()
            if not path.is_file():
                continue
            assert path.suffix in SUFFIXES, name
            if path.suffix == ".png":
                assert name == "comparison.png" or name.startswith("model/")
            elif not name.startswith("assets/"):
                assert not is_media(path.read_bytes()), name
    told = telling(tmp_path / "report", *machine(), str(made), str(made.parent))
    assert not [name for name in told if not name.startswith("assets/")]
