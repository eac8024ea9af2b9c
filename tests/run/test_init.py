"""A new user's path: `vsa init`, two rows, `vsa extract`; and the mistakes that are made on it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from command import events, vsa
from people import clip_path

from vsa.errors import InputError
from vsa.run.batch import keep_consent
from vsa.study.chain import verify
from vsa.study.consent import consent_of, purposes_in
from vsa.study.log import entries
from vsa.study.manifest_row import KNOWN
from vsa.study.manifest_table import read_rows
from vsa.study.results import Results
from vsa.study.rows import read_grid
from vsa.study.template import COLUMNS, make_study


def fill(study: Path, *rows: str) -> None:
    with (study / "manifest.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)


def test_a_new_study_has_all_that_its_readme_and_messages_name(tmp_path: Path) -> None:
    study = tmp_path / "my study"
    done = vsa("init", study)
    assert done.returncode == 0, done.stderr
    assert f"vsa extract '{study}'" in done.stdout
    assert sorted(os.listdir(study)) == ["README.md", "log.jsonl", "manifest.csv"]
    assert verify(study).faults == ()
    told = (study / "README.md").read_text("utf-8")
    assert all(
        word in told for word in ("research", "quality", "training", "withdraw", "Names", f"'{study}'")
    )
    assert "{" not in told
    table = read_rows(study / "manifest.csv")
    assert tuple(table.header) == COLUMNS
    assert not table.rows
    comments = (study / "manifest.csv").read_text("utf-8-sig")
    assert all(name in comments for name in KNOWN)
    # whoever withdraws reads the manifest by other means
    grid = read_grid(study / "manifest.csv")
    assert grid is not None
    assert tuple(grid.header) == COLUMNS


def test_the_example_in_the_template_is_a_row_that_would_be_right(tmp_path: Path) -> None:
    make_study(tmp_path)
    lines = (tmp_path / "manifest.csv").read_text("utf-8-sig").splitlines()
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "s01.mp4").touch()
    fill(tmp_path, lines[-2].removeprefix("# "))
    from vsa.study.manifest import read_manifest

    (plan,) = read_manifest(tmp_path / "manifest.csv").plans
    assert plan.session_id == "s01"
    assert plan.tiles == {"therapist": "left", "client": "right"}
    assert plan.facts["bond"] == "5.5"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert make_study(tmp_path) == [tmp_path / "manifest.csv"]
    assert (tmp_path / "README.md").read_text() == "mine"
    (tmp_path / "manifest.csv").write_text("mine too")
    with pytest.raises(InputError, match="is there already") as caught:
        make_study(tmp_path)
    assert "vsa extract" in caught.value.hint
    assert (tmp_path / "manifest.csv").read_text() == "mine too"
    with pytest.raises(InputError, match="is a file"):
        make_study(tmp_path / "README.md")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["folder"], "folder is a folder without manifest.csv"),
        (["study"], "there are no sessions; add a row for each, below row 15"),
        (["study/manifest.csv"], "Give the study folder instead (vsa extract study)"),
        (["call.mp4"], "--out is missing"),
        (["study", "call.mp4"], "A study folder stands alone"),
        (["book.xlsx", "--out", "x"], "book.xlsx is a workbook"),
        (["call.mp4", "--out", "x", "--purpose", "quality"], "--purpose quality needs a manifest"),
    ],
)
def test_mistakes_on_the_way_are_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    make_study(tmp_path / "study")
    (tmp_path / "folder").mkdir()
    (tmp_path / "call.mp4").touch()
    monkeypatch.chdir(tmp_path)
    done = vsa("extract", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_recording_without_consent_is_never_opened(tmp_path: Path) -> None:
    """To open a pipe that nobody writes into would wait for ever, and to look at the other would be said."""
    make_study(tmp_path)
    os.mkfifo(tmp_path / "pipe.mp4")
    fill(
        tmp_path,
        "s01,pipe.mp4,,,yes,no,,,,,,,",
        "s02,gone/nowhere.mp4,,,research,training,,,,,,,",
        "s03,pipe.mp4,,,research,research,,,,,,,",
    )
    done = vsa("extract", tmp_path, "--purpose", "quality")
    assert done.returncode == 2
    assert "no session has consent for quality" in done.stderr
    assert done.stdout.splitlines() == [
        "Without consent, not processed: s01, s02, s03",
        "    s02: agreed to therapist: research; client: training; not all to quality",
        "    s03: agreed to therapist: research; client: research; not all to quality",
    ]


def test_what_the_study_has_no_consent_for_is_not_measured_by_another_name_or_manifest(
    tmp_path: Path,
) -> None:
    study, calls, other = tmp_path / "study", tmp_path / "calls", tmp_path / "other.csv"
    make_study(study)
    calls.mkdir()
    for name in ("a", "s01", "free"):
        (calls / f"{name}.mp4").write_bytes(name.encode())
    (calls / "link.mp4").symlink_to(calls / "a.mp4")
    (calls / "same.mp4").hardlink_to(calls / "a.mp4")
    fill(study, "s01,gone.mp4,,,yes,no,,,,,,,", "s02,../calls/a.mp4,,,yes,,,,,,,,")
    other.write_text("session_id,video,consent\nS01,calls/free.mp4,yes\n")
    refused = [calls / f"{name}.mp4" for name in ("a", "s01", "link", "same")]
    for source in (*refused, other):
        done = vsa("extract", source, "--out", study)
        assert done.returncode == 2
        assert "says no consent; it was not opened." in done.stderr
    assert vsa("extract", refused[0], "--out", study / "results").returncode == 2
    assert not (study / "failures.csv").exists()
    # what it does not name is nobody's no
    done = vsa("extract", calls / "free.mp4", "--out", study)
    assert done.returncode == 3
    assert "free" in (study / "failures.csv").read_text()


@pytest.mark.slow
def test_two_real_clips_from_init_to_results_and_consent_that_is_taken_back(tmp_path: Path) -> None:
    study = tmp_path / "study"
    assert vsa("init", study).returncode == 0
    (study / "recordings").mkdir()
    shutil.copy(clip_path("call_two_tiles.mp4"), study / "recordings" / "s01.mp4")
    fill(
        study,
        's01,recordings/s01.mp4,left,right,yes,research; quality,c01,t01,1,,online,client,"5,5"',
        f"s02,{clip_path('smiling_man_360p.mp4')},,,yes,no,c02,t01,1,,,,",
    )
    done = vsa("extract", study, "--fps", "5", "--json")
    assert done.returncode == 0, done.stderr
    assert (events(done.stdout)[-1]["done"], events(done.stdout)[-1]["failed"]) == (1, [])
    record = json.loads((study / "s01" / "session.json").read_text())
    people = {person["role"]: person["tracked_share"] for person in record["participants"]}
    assert set(people) == {"therapist", "client"}
    assert min(people.values()) > 0.9
    assert record["consent"]["purposes"] == ["quality", "research"]
    assert record["facts"]["bond"] == "5.5"
    assert pd.read_parquet(study / "features.parquet")["session_id"].tolist() == ["s01"]
    last = entries(study)[-1]
    assert (last.command, last.ids) == ("extract", ("s01",))
    assert last.outcome == {"done": 1, "before": 0, "failed": 0, "without_consent": 1, "purpose": "any"}
    assert verify(study).faults == ()

    # she agrees to less: nothing is measured again
    text = (study / "manifest.csv").read_text("utf-8-sig")
    (study / "manifest.csv").write_text(text.replace("yes,research; quality,c01", "yes,quality,c01"))
    again = vsa("extract", study, "--fps", "5", "--json")
    assert (events(again.stdout)[-1]["done"], events(again.stdout)[-1]["before"]) == (0, 1)
    now = json.loads((study / "s01" / "session.json").read_text())
    assert now == {**record, "consent": now["consent"]}
    assert now["consent"]["purposes"] == ["quality"]

    # and then to nothing: what was measured is still there, and is told
    text = (study / "manifest.csv").read_text()
    (study / "manifest.csv").write_text(text.replace("yes,quality,c01", "yes,no,c01"))
    gone = vsa("extract", study, "--fps", "5")
    assert gone.returncode == 2
    assert f"Their results are still in {study}: s01. To remove them: vsa withdraw" in gone.stdout
    assert json.loads((study / "s01" / "session.json").read_text())["consent"]["purposes"] == []


def test_consent_of_sessions_that_are_not_there_is_no_matter(tmp_path: Path) -> None:
    consent = consent_of({"": purposes_in("no")}, ())
    assert keep_consent({"s1": consent}, Results(tmp_path / "nowhere")) == []


def test_an_empty_name_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = vsa("init", "")
    assert done.returncode == 2
    assert "A path is empty" in done.stderr
    assert not list(tmp_path.iterdir())
