"""``vsa doctor STUDY``: a sound study is called sound, and each thing that is not is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from studies import CLIENT, SESSIONS, make_study

from vsa import cli
from vsa.study import log
from vsa.study.checkup import examine_study, is_sound
from vsa.study.results import Results


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "study"
    make_study(folder, clients=6)
    log.record(folder, "extract", ["sim-c001-s1"], {"done": 24})
    log.record(folder, "train", ["sim-c001-s1"], {"sessions": 24})
    return folder


@pytest.fixture
def study(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "study"))


def wrong(study: Path, expect: str = "") -> dict[str, str]:
    checks = examine_study(study, expect)
    assert is_sound(checks) == all(check.verdict != "wrong" for check in checks)
    return {check.name: check.found for check in checks if check.verdict == "wrong"}


def warned(study: Path) -> dict[str, str]:
    return {check.name: check.found for check in examine_study(study) if check.verdict == "warn"}


def test_a_sound_study_is_sound_and_its_last_entry_is_shown(study: Path) -> None:
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    assert wrong(study) == warned(study) == {}
    last = log.entries(study)[-1].sha256
    assert any(last in check.found and "2 entries" in check.found for check in examine_study(study))
    assert wrong(study, last) == wrong(study, log.entries(study)[0].sha256[:12].upper()) == {}
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == before


def test_a_log_whose_end_was_cut_off_shows_against_what_was_noted(study: Path) -> None:
    last = log.entries(study)[-1].sha256
    path = study / "log.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert wrong(study) == {}
    assert last in wrong(study, last)["log"]


def test_a_changed_log_is_named_by_line(study: Path) -> None:
    path = study / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"done": 24', b'"done": 23'))
    assert "line 1 (entry 1) was changed" in wrong(study)["log"]


def test_features_that_disagree_with_the_sessions_are_named(study: Path) -> None:
    table = pd.read_parquet(study / "features.parquet")
    name = next(one for one in table if one.startswith("client.") and table[one].notna().all())
    table.loc[0, name] += 1
    extra = table.iloc[[5]].assign(session_id="nobody")
    pd.concat([table.drop(index=3), extra]).to_parquet(study / "features.parquet")
    found = wrong(study)["features.parquet"]
    assert "1 session not in it: sim-c001-s4" in found
    assert "1 session in it without a finished session: nobody" in found
    assert "1 session with other values than the session's own table: sim-c001-s1" in found
    Results(study).gather_features()
    assert wrong(study) == {}
    (study / "features.parquet").write_bytes(b"PAR1")
    assert "can't be read" in wrong(study)["features.parquet"]


def test_damaged_sessions_are_named(study: Path) -> None:
    (study / SESSIONS[0] / "voice.parquet").write_bytes(b"half")
    (study / SESSIONS[1] / "session.json").unlink()
    assert f"2 sessions: {SESSIONS[0]}, {SESSIONS[1]}" in wrong(study)["damaged"]


def test_consent_that_is_gone_or_not_known_is_said(study: Path) -> None:
    path = study / "manifest.csv"
    lines = path.read_text("utf-8-sig").splitlines()
    lines[1] = lines[1].replace(",yes,", ",no,")
    del lines[5]
    path.write_text("\n".join(lines) + "\n")
    assert "1 session in the folder without consent: sim-c001-s1" in wrong(study)["consent"]
    assert "1 session in the folder that the manifest lacks: sim-c002-s1" in warned(study)["consent"]
    path.unlink()
    assert "there is no manifest.csv" in warned(study)["manifest"]
    path.write_text("session_id,video\nx,y\n")
    assert "consent" in wrong(study)["manifest"]


def test_sessions_that_are_not_extracted_yet_are_said(study: Path) -> None:
    (study / "new.mp4").touch()
    with (study / "manifest.csv").open("a") as file:
        file.write("new-1,new.mp4,yes,,c9,t9,,\n")
    assert warned(study)["not extracted"] == "1 session: new-1"


def test_withdrawn_sessions_that_are_there_again_are_said(study: Path) -> None:
    shutil.copytree(study / SESSIONS[0], study.parent / "kept")
    with pytest.raises(SystemExit) as ended:
        cli.main(["withdraw", CLIENT, str(study), "--yes"])
    assert not ended.value.code
    assert wrong(study) == {}
    (study.parent / "kept").rename(study / SESSIONS[0])
    Results(study).gather_features()
    found = wrong(study)
    assert f"1 session withdrawn, and there again: {SESSIONS[0]}" in found["withdrawal"]
    assert SESSIONS[0] in found["consent"]


def test_the_command_prints_it_and_its_exit_code_says_whether_something_is_wrong(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["doctor", *arguments])
        return ended.value.code or 0, *capsys.readouterr()  # type: ignore[return-value]

    code, out, _ = run(str(study))
    assert code == 0
    assert "Nothing is wrong with the study." in out
    code, out, _ = run(str(study), "--json", "--expect", "0" * 64)
    assert code == 2
    assert json.loads(out)["sound"] is False
    assert {check["name"] for check in json.loads(out)["checks"]} >= {"log", "manifest", "features.parquet"}
    assert run(str(study), "--expect", "hello")[0] == 2
    assert run("--expect", "0" * 64)[0] == 2
    code, _, err = run(str(study.parent))
    assert code == 2
    assert "no study folder" in err
