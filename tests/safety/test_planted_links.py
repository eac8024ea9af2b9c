"""Links that somebody planted in a results folder: nothing outside of it is read into results, written or deleted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import media_files
import pandas as pd
import pytest
from calling import call, state
from pretrained import need_faces
from studies import content

pytestmark = pytest.mark.slow  # it takes whole runs of commands

ONE, TWO = "sim-c001-s1", "sim-c001-s2"


@pytest.fixture
def outside(study: Path, tmp_path: Path, secret: str) -> Path:
    """A session of another study, which a person of this one may not see: a secret stands in its record."""
    other = Path(shutil.copytree(study / TWO, tmp_path / "outside" / TWO))
    record = json.loads((other / "session.json").read_text("utf-8"))
    record["facts"] = {**(record.get("facts") or {}), "platform": secret, "remark": secret}
    record["quality"] = {**record["quality"], "notes": [secret]}
    (other / "session.json").write_text(json.dumps(record), "utf-8")
    (tmp_path / "outside" / "passwords").write_text(f"{secret}\n")
    return tmp_path / "outside"


def report(study: Path, out: Path) -> str:
    ended = call("report", study, "--rules", "--session", TWO, "--session", ONE, "--jobs", "1", "--out", out)
    assert ended.code == 0, ended.said
    return ended.said


def told(folder: Path, secret: str) -> list[str]:
    """Files that hold the secret."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if secret.encode() in content(path)]


class TestOfASession:
    """Its whole folder is a link to one elsewhere."""

    @pytest.fixture
    def planted(self, study: Path, outside: Path) -> Path:
        shutil.rmtree(study / TWO)
        (study / TWO).symlink_to(outside / TWO, target_is_directory=True)
        return study

    def test_a_report_shows_nothing_of_it(
        self, planted: Path, outside: Path, tmp_path: Path, secret: str
    ) -> None:
        before = state(outside)
        report(planted, tmp_path / "report")
        assert told(tmp_path / "report", secret) == []
        page = (tmp_path / "report" / "sessions" / f"{TWO}.html").read_text("utf-8")
        assert "timeline-data" not in page
        assert "timeline-data" in (tmp_path / "report" / "sessions" / f"{ONE}.html").read_text("utf-8")
        assert state(outside) == before

    def test_a_list_has_nothing_of_it(
        self, planted: Path, outside: Path, tmp_path: Path, secret: str
    ) -> None:
        ended = call("flag", planted, "--rules", "--budget", "22", "--out", tmp_path / "flags.csv")
        assert ended.code == 0, ended.said
        assert secret not in (tmp_path / "flags.csv").read_text() + ended.said

    def test_withdrawing_removes_nothing_of_it_and_names_the_link(self, planted: Path, outside: Path) -> None:
        before = state(outside)
        ended = call("withdraw", "sim-c001", planted, "--yes")
        assert ended.code == 0, ended.said
        assert state(outside) == before
        assert not (planted / ONE).exists()
        assert TWO in ended.said.partition("Look at these yourself")[2]

    def test_a_session_is_not_written_through_it(self, planted: Path, outside: Path, tmp_path: Path) -> None:
        before = state(outside)
        recording = tmp_path / f"{TWO}.mp4"
        media_files.no_audio(tmp_path).rename(recording)
        ended = call("extract", recording, "--out", planted)
        assert ended.code == 2
        assert f"{TWO} is there and holds what is no result of vsa" in ended.said
        assert state(outside) == before

    def test_turns_are_not_changed_through_it(self, planted: Path, outside: Path, tmp_path: Path) -> None:
        before = state(outside)
        (tmp_path / "mine.rttm").write_text(f"SPEAKER {TWO} 1 1.0 9.0 <NA> turn@client client <NA> <NA>\n")
        for arguments in (["import", planted / TWO, tmp_path / "mine.rttm"], ["reset", planted / TWO]):
            ended = call("turns", *arguments)
            assert ended.code == 2
            assert f"{TWO} is a link" in ended.said
        assert state(outside) == before


@pytest.mark.parametrize("name", ["session.json", "face.parquet", "voice.parquet", "turns.parquet"])
def test_a_file_that_is_a_link_makes_its_session_no_result(
    study: Path, outside: Path, tmp_path: Path, secret: str, name: str
) -> None:
    (study / TWO / name).unlink()
    (study / TWO / name).symlink_to(outside / TWO / name)
    before = state(outside)
    report(study, tmp_path / "report")
    assert told(tmp_path / "report", secret) == []
    assert "timeline-data" not in (tmp_path / "report" / "sessions" / f"{TWO}.html").read_text("utf-8")
    ended = call("withdraw", TWO, study, "--yes")
    assert ended.code == 0, ended.said
    assert not (study / TWO).exists()
    assert state(outside) == before


@pytest.mark.parametrize("name", ["features.parquet", "failures.csv"])
def test_a_table_that_is_a_link_to_something_else_is_told_and_replaced_alone(
    study: Path, outside: Path, tmp_path: Path, secret: str, name: str
) -> None:
    (study / name).unlink(missing_ok=True)
    (study / name).symlink_to(outside / "passwords")
    before = state(outside)
    ended = call("report", study, "--rules", "--jobs", "1", "--session", ONE, "--out", tmp_path / "report")
    assert secret not in ended.said
    if (tmp_path / "report").exists():
        assert told(tmp_path / "report", secret) == []
    if name == "features.parquet":
        assert ended.code == 2
        assert "can't be read as a table" in ended.said
    call("withdraw", ONE, study, "--yes")
    assert state(outside) == before


def test_a_log_that_is_a_link_is_not_written_through(study: Path, outside: Path, tmp_path: Path) -> None:
    """A line of it in somebody's start-up file would be a way to have commands run."""
    (study / "log.jsonl").symlink_to(outside / "passwords")
    before = state(outside)
    ended = call("flag", study, "--rules", "--out", tmp_path / "flags.csv")
    assert ended.code == 0
    assert "not in the log" in ended.said
    ended = call("withdraw", TWO, study, "--yes")
    assert ended.code != 0
    assert (study / TWO).exists()
    assert state(outside) == before


def test_what_was_left_in_the_making_is_no_way_out(study: Path, outside: Path) -> None:
    """Extraction removes what a killed run left: of a link, the link."""
    for k, end in enumerate((".part", ".old.part")):
        (study / f".{TWO}.aaaaaa-999999-0000000{k}{end}").symlink_to(outside / TWO, target_is_directory=True)
    for path in study.glob(".*.part"):
        os.utime(path, (0, 0), follow_symlinks=False)
    os.utime(outside / TWO, (0, 0))
    before = state(outside)
    ended = call("withdraw", "sim-c001", study, "--yes")
    assert ended.code in (0, 3), ended.said
    assert state(outside) == before
    assert not (study / TWO).is_dir()


def test_a_list_is_not_written_through_a_link(study: Path, outside: Path, tmp_path: Path) -> None:
    (tmp_path / "flags.csv").symlink_to(outside / "passwords")
    (tmp_path / f".other.csv.{os.getpid()}.part").symlink_to(outside / "passwords")
    before = state(outside)
    assert call("flag", study, "--rules", "--out", tmp_path / "flags.csv").code == 0
    assert call("flag", study, "--rules", "--out", tmp_path / "other.csv").code == 0
    assert not (tmp_path / "flags.csv").is_symlink()
    assert state(outside) == before


def test_an_evaluation_is_not_written_through_a_link(study: Path, outside: Path) -> None:
    (study / "bond-evaluation").symlink_to(outside, target_is_directory=True)
    before = state(outside)
    ended = call("train", study, "--permutations", "0", "--out", study / "bond.skops")
    assert ended.code == 2
    assert "bond-evaluation is a link" in ended.said
    assert not (study / "bond.skops").exists()
    assert state(outside) == before


def test_a_report_takes_the_place_of_a_link_and_not_of_what_it_points_to(
    study: Path, outside: Path, tmp_path: Path
) -> None:
    report(study, outside / "report")
    (tmp_path / "report").symlink_to(outside / "report", target_is_directory=True)
    before = state(outside)
    report(study, tmp_path / "report")
    assert not (tmp_path / "report").is_symlink()
    assert state(outside) == before
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize(
    "name", ["../outside/sim-c001-s2", "/../{outside}/sim-c001-s2", "{outside}/sim-c001-s2"]
)
def test_an_id_that_is_a_path_leads_nowhere(
    study: Path, outside: Path, tmp_path: Path, secret: str, name: str
) -> None:
    """`features.parquet` came from somewhere, and so did the ids in it."""
    table = pd.read_parquet(study / "features.parquet")
    table.loc[table["session_id"] == TWO, "session_id"] = name.format(outside=outside)
    table.to_parquet(study / "features.parquet", index=False)
    (study / "manifest.csv").unlink()
    before = state(outside)
    for arguments in (
        ("report", study, "--rules", "--jobs", "1", "--out", tmp_path / "report"),
        ("flag", study, "--rules", "--budget", "22", "--out", tmp_path / "flags.csv"),
    ):
        ended = call(*arguments)
        assert secret not in ended.said
    assert told(tmp_path / "report", secret) == []
    assert secret.encode() not in content(tmp_path / "flags.csv")
    assert state(outside) == before


def test_recordings_may_lie_behind_links(tmp_path: Path) -> None:
    """They are read, and never written: a study of links to a store's files is an ordinary one."""
    need_faces()
    (tmp_path / "store").mkdir()
    recording = media_files.no_audio(tmp_path / "store")
    (tmp_path / "s1.mp4").symlink_to(recording)
    before = state(tmp_path / "store")
    ended = call("extract", tmp_path / "s1.mp4", "--out", tmp_path / "out")
    assert ended.code == 0, ended.said
    assert (tmp_path / "out" / "s1" / "session.json").is_file()
    assert state(tmp_path / "store") == before
