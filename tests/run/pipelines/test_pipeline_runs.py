"""Only what has to run runs, a run that was stopped goes on, and what was done is written down."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import media_files
import pytest
from pipeline_studies import (
    COMPARE,
    FLAG,
    HEAD,
    SCORE,
    SMALL,
    call,
    change_answer,
    prepare,
    ran,
    records,
    write_pipeline,
)
from pretrained import need_faces
from studies import CLIENT, SESSIONS, THERAPIST, holding, log_of

from vsa.errors import InputError
from vsa.run.withdrawal import plan as withdrawal
from vsa.study.checkup import examine_study
from vsa.study.withdrawal import find


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in which all has run once."""
    study = tmp_path_factory.mktemp("prepared") / "study"
    study.mkdir()
    prepare(study)
    file = write_pipeline(study.parent)
    assert ran(call(file, "--study", study, "--json")) == ["score", "flag", "compare"]
    return study


@pytest.fixture
def study(prepared: Path, tmp_path: Path) -> Path:
    return shutil.copytree(prepared, tmp_path / "study")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_pipeline(tmp_path)


def change_record(study: Path, **values: object) -> None:
    path = study / SESSIONS[0] / "session.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_nothing_runs_twice(study: Path, file: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in study.rglob("*.csv")}
    assert ran(call(file, "--study", study, "--json")) == []
    assert before == {path: path.stat().st_mtime_ns for path in study.rglob("*.csv")}
    assert {one["state"] for one in records(study)[-1]["stages"]} == {"unchanged"}


def test_a_file_that_was_only_touched_changes_nothing(study: Path, file: Path) -> None:
    (study / "answers.csv").touch()
    assert ran(call(file, "--study", study, "--json")) == []


def test_a_changed_input_runs_what_reads_it_and_what_follows(study: Path, file: Path) -> None:
    change_answer(study)
    told = json.loads(call(file, "--study", study, "--json", "--dry-run").stdout)
    assert {one["stage"]: one["do"] for one in told["stages"]} == {
        "score": "run",
        "flag": "skip",
        "compare": "maybe",
    }
    assert ran(call(file, "--study", study, "--json")) == ["score", "compare"]


def test_a_changed_input_of_the_last_stage_runs_that_alone(study: Path, file: Path) -> None:
    with (study / "clients.csv").open("a") as table:
        table.write("nobody,one,true\n")
    assert ran(call(file, "--study", study, "--json")) == ["compare"]


def test_a_changed_session_runs_what_reads_the_study(study: Path, file: Path) -> None:
    change_record(study, status="complete", note="another face")
    assert ran(call(file, "--study", study, "--json")) == ["flag", "compare"]


def test_corrected_turns_count_as_a_change(study: Path, file: Path) -> None:
    (study / SESSIONS[0] / "turns.corrected.rttm").write_text("SPEAKER s 1 0.0 2.0 <NA> turn p2 <NA> <NA>\n")
    assert ran(call(file, "--study", study, "--json")) == ["flag", "compare"]


def test_the_same_session_measured_again_changes_nothing(prepared: Path, tmp_path: Path) -> None:
    """It took longer, from a copy of the recording."""
    study = shutil.copytree(prepared, tmp_path / "study")
    source = {"name": "a.mp4", "sha256": "0f", "bytes": 2}
    change_record(study, timings_s={"wall": 1.0}, source={**source, "modified_ns": 1})
    file = write_pipeline(tmp_path)
    assert ran(call(file, "--study", study, "--json")) == ["flag", "compare"]
    change_record(study, timings_s={"wall": 9.0}, source={**source, "modified_ns": 2})
    assert ran(call(file, "--study", study, "--json")) == []
    change_record(study, source={**source, "sha256": "0e"})
    assert ran(call(file, "--study", study, "--json")) == ["flag", "compare"]


def test_a_stage_whose_result_is_as_before_runs_nothing_after_it(study: Path, file: Path) -> None:
    text = (study / "answers.csv").read_text()
    (study / "answers.csv").write_text(text + "\n")  # other bytes, the same answers
    assert ran(call(file, "--study", study, "--json")) == ["score"]


def test_a_changed_setting_runs_its_stage_and_is_named(study: Path, tmp_path: Path) -> None:
    file = write_pipeline(tmp_path, SMALL.replace("budget = 0.2", "budget = 0.3"))
    done = call(file, "--study", study)
    assert "flag: runs, budget is set anew." in done.stderr
    assert [one["state"] for one in records(study)[-1]["stages"]] == ["unchanged", "done", "unchanged"]


def test_results_that_were_removed_or_edited_are_made_again(study: Path, file: Path) -> None:
    (study / "flags.csv").unlink()
    (study / "comparison" / "comparison.csv").write_text("mine\n")
    assert "flags.csv is missing" in call(file, "--study", study, "--dry-run").stdout
    assert ran(call(file, "--study", study, "--json")) == ["flag", "compare"]


@pytest.mark.parametrize("what", ["code", "versions"])
def test_another_vsa_or_library_runs_all_again(study: Path, file: Path, what: str) -> None:
    for path in (study / "runs").iterdir():  # as they would be of another one
        record = json.loads(path.read_text())
        record[what] = {**record[what], "numpy": "1.0"} if what == "versions" else "code:0"
        path.write_text(json.dumps(record))
    told = call(file, "--study", study, "--dry-run").stdout
    assert told.count("numpy is of another version" if what == "versions" else "vsa is another") == 3


def test_a_damaged_record_counts_as_none(study: Path, file: Path) -> None:
    for path in (study / "runs").iterdir():
        path.write_text(path.read_text()[:500])
    assert call(file, "--study", study, "--dry-run").stdout.count("it has not run yet") == 3


def test_stages_can_be_chosen_and_forced(study: Path, file: Path) -> None:
    def do(*words: str) -> list[str]:
        return ran(call(file, "--study", study, "--json", *words))

    assert do("--only", "flag", "--force") == ["flag"]
    assert do("--from", "flag", "--force") == ["flag", "compare"]
    change_answer(study)
    assert do("--only", "flag") == []
    assert do("--from", "flag") == []
    assert do() == ["score", "compare"]
    wrong = call(file, "--study", study, "--only", "flags").exception
    assert isinstance(wrong, InputError)
    assert "Did you mean flag?" in wrong.message


def test_a_dry_run_leaves_no_trace(study: Path, file: Path) -> None:
    change_answer(study)
    before = {path: path.stat().st_mtime_ns for path in study.rglob("*")}
    assert call(file, "--study", study, "--dry-run").exit_code == 0
    assert before == {path: path.stat().st_mtime_ns for path in study.rglob("*")}


def test_a_failing_stage_stops_the_run_and_what_was_done_is_kept(study: Path, tmp_path: Path) -> None:
    last = FLAG.replace("flag]", 'last]\ncommand = "flag"').replace("flags.csv", "last.csv")
    text = SMALL.replace("budget = 0.2", "budget = 0.3") + last
    file = write_pipeline(tmp_path, text.replace('"group"', '"grup"'))
    done = call(file, "--study", study)
    assert isinstance(done.exception, InputError)
    assert "compare: stopped." in done.stderr
    record = records(study)[-1]
    assert [one["state"] for one in record["stages"]] == ["unchanged", "done", "failed"]
    assert record["exit_code"] == 2
    assert log_of(study)[-1]["outcome"]["failed"] == 1
    assert not (study / "last.csv").exists()
    write_pipeline(tmp_path, text)
    assert ran(call(file, "--study", study, "--json")) == ["last"]


def test_a_killed_run_goes_on_where_it_stood(study: Path, file: Path) -> None:
    shutil.rmtree(study / "runs")
    words = [sys.executable, "-c", "from vsa.commands.run import run; run()", file, "--study", study]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    end = time.monotonic() + 120
    while not (found := records(study)) or found[0]["stages"][0]["state"] != "done":
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert records(study)[0]["exit_code"] is None
    states = {one["stage"]: one["state"] for one in records(study)[0]["stages"]}
    assert states["score"] == "done"
    assert "compare" not in states or states["compare"] == "running"
    left = [name for name in ("score", "flag", "compare") if states.get(name) != "done"]
    assert ran(call(file, "--study", study, "--json")) == left


def test_some_failed_recordings_do_not_stop_the_rest(study: Path, tmp_path: Path) -> None:
    need_faces()
    cohort = tmp_path / "broken"
    cohort.mkdir()
    broken = media_files.HOPELESS["random_bytes"](cohort)
    (cohort / "manifest.csv").write_text(f"session_id,video,consent\ns1,{broken.name},yes\n")
    shutil.copy(study / "answers.csv", cohort)
    file = write_pipeline(tmp_path, f'{HEAD}[stage.extract]\npurpose = "research"\n{SCORE}')
    done = call(file, "--study", cohort)
    assert done.exit_code == 3
    assert [(one["state"], one["exit_code"]) for one in records(cohort)[0]["stages"]] == [
        ("done", 3),
        ("done", 0),
    ]
    assert (cohort / "bonds.csv").is_file()


def test_a_record_repeats_to_the_same_results(study: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "elsewhere"
    fresh.mkdir()
    prepare(fresh)
    (record,) = (study / "runs").iterdir()
    told = json.loads(call(record, "--study", fresh, "--json").stdout)
    assert told["differences"] == []
    assert told["same"] == {"bonds.csv": True, "flags.csv": True, "comparison": True}
    assert not (fresh / record.relative_to(study)).exists()
    assert records(fresh)[0]["pipeline"] == records(study)[0]["pipeline"]


def test_a_record_says_what_differs_when_it_is_repeated(study: Path, tmp_path: Path) -> None:
    (path,) = (study / "runs").iterdir()
    record = json.loads(path.read_text())
    record["versions"]["numpy"] = "1.0"
    (tmp_path / "record.json").write_text(json.dumps(record))
    change_answer(study)
    words = (tmp_path / "record.json", "--study", study)
    told = call(*words, "--dry-run").stdout
    assert "numpy was 1.0, and is " in told
    assert "score: answers.csv is not what was read." in told
    done = call(*words)
    assert "bonds.csv: NOT the same as then." in done.stdout
    assert "flags.csv: the same as then." in done.stdout


def test_a_record_of_some_stages_repeats_these(study: Path, file: Path, tmp_path: Path) -> None:
    assert ran(call(file, "--study", study, "--json", "--only", "score", "--force")) == ["score"]
    fresh = tmp_path / "elsewhere"
    fresh.mkdir()
    prepare(fresh)
    last = sorted((study / "runs").iterdir())[-1]
    assert ran(call(last, "--study", fresh, "--json")) == ["score"]
    assert not (fresh / "flags.csv").exists()
    assert ran(call(last, "--study", fresh, "--json", "--only", "flag")) == ["flag"]


def edited(record: dict, **values: object) -> dict:
    return {**record, **values}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda one: edited(
                one, pipeline={**one["pipeline"], "text": one["pipeline"]["text"].replace("0.2", "0.9")}
            ),
            "was changed",
        ),
        (lambda one: edited(one, asked=["score", "other"]), "was changed"),
        (lambda one: edited(one, versions=[1]), "is no record of a run"),
        (lambda one: edited(one, stages=[{**one["stages"][0], "reads": None}]), "is no record of a run"),
        (lambda one: edited(one, asked=None), "is no record of a run"),
    ],
)
def test_a_record_that_was_edited_is_refused(
    study: Path, tmp_path: Path, change: Callable, said: str
) -> None:
    (tmp_path / "record.json").write_text(json.dumps(change(records(study)[0])))
    done = call(tmp_path / "record.json", "--study", study)
    assert isinstance(done.exception, InputError)
    assert said in done.exception.message
    assert len(records(study)) == 1


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        (
            SCORE.replace("bonds.csv", "manifest.csv"),
            "[stage.score] out: manifest.csv is a file that the study",
        ),
        (SCORE + 'report = "log.jsonl"\n', "report: log.jsonl is no name for it: it ends in .csv"),
        (
            SCORE.replace("bonds.csv", "failures.csv"),
            "out: failures.csv is a file that the study keeps itself",
        ),
        (SCORE.replace("bonds.csv", "runs/a.csv"), "out: runs/a.csv is where the records of runs lie"),
        (SCORE.replace("bonds.csv", "answers.csv"), "out: answers.csv is what [stage.score] reads"),
        (SCORE.replace("bonds.csv", f"{SESSIONS[0]}/a.csv"), "is in the results of a session"),
        (SCORE.replace("bonds.csv", "a/../clients.csv") + COMPARE, ""),
        (
            COMPARE + SCORE.replace("bonds.csv", "a/../clients.csv"),
            "clients.csv is what [stage.compare] reads",
        ),
        (FLAG.replace("flags.csv", "features.parquet"), "out: features.parquet is no name for it"),
        (
            FLAG + FLAG.replace("flag]", 'b]\ncommand = "flag"'),
            "[stage.b] out: flags.csv is written by [stage.flag]",
        ),
        ('[stage.report]\nout = "."\n', "[stage.report] out: . is the study folder, or holds it"),
        ('[stage.report]\nout = ".."\n', "[stage.report] out: .. is the study folder, or holds it"),
        ('[stage.train]\nout = "features.csv"\n', "[stage.train] out: features.csv is no name for it"),
    ],
)
def test_nothing_that_is_needed_is_written_over(study: Path, tmp_path: Path, stages: str, said: str) -> None:
    kept = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    done = call(write_pipeline(tmp_path, HEAD + stages), "--study", study, "--dry-run")
    if not said:
        assert done.exit_code == 0
        return
    assert isinstance(done.exception, InputError)
    assert said in done.exception.message
    done = call(tmp_path / "small.toml", "--study", study)
    assert isinstance(done.exception, InputError)
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == kept


def test_what_is_no_bond_model_is_said_before_anything_starts(study: Path, tmp_path: Path) -> None:
    text = SMALL.replace("rules = true", 'model = "clients.csv"').replace("budget = 0.2", "budget = 0.3")
    done = call(write_pipeline(tmp_path, text), "--study", study)
    assert isinstance(done.exception, InputError)
    assert "[stage.flag] model: clients.csv." in done.exception.message
    assert len(records(study)) == 1


def test_stages_that_exclude_each_other_are_no_success(study: Path, file: Path) -> None:
    done = call(file, "--study", study, "--only", "score", "--from", "flag")
    assert isinstance(done.exception, InputError)
    assert "No stage is left" in done.exception.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
def test_an_input_that_can_not_be_read_is_named(study: Path, file: Path) -> None:
    (study / "answers.csv").chmod(0)
    done = call(file, "--study", study, "--dry-run")
    assert isinstance(done.exception, InputError)
    assert "answers.csv can't be read" in done.exception.message


def test_records_go_into_no_linked_folder(study: Path, file: Path, tmp_path: Path) -> None:
    (study / "runs").rename(tmp_path / "outside")
    (study / "runs").symlink_to(tmp_path / "outside")
    done = call(file, "--study", study, "--force")
    assert isinstance(done.exception, InputError)
    assert "is a link" in done.exception.message
    assert len([*(tmp_path / "outside").iterdir()]) == 1


class TestExtraction:
    """With a recording that is measured."""

    @pytest.fixture(scope="class")
    @classmethod
    def measured(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        need_faces()
        study = tmp_path_factory.mktemp("measured") / "study"
        cls.recorded(study)
        assert ran(call(cls.file(study.parent), "--study", study, "--json")) == ["extract"]
        return study

    @staticmethod
    def recorded(study: Path, pictures: int = 20) -> None:
        (study / "media").mkdir(parents=True)
        media_files.write_pictures(study / "media" / "a.mp4", media_files.portrait(pictures))
        (study / "manifest.csv").write_text("session_id,video,consent\ns1,media/a.mp4,yes\n")

    @staticmethod
    def file(folder: Path) -> Path:
        return write_pipeline(folder, f'{HEAD}[stage.extract]\npurpose = "research"\njobs = 1\n')

    def test_a_record_repeats_to_the_same_in_a_copy(self, measured: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy"
        copy.mkdir()
        shutil.copytree(measured / "media", copy / "media", copy_function=shutil.copyfile)
        shutil.copyfile(measured / "manifest.csv", copy / "manifest.csv")
        (record,) = (measured / "runs").iterdir()
        told = json.loads(call(record, "--study", copy, "--json").stdout)
        assert told["differences"] == []
        assert told["same"] == {"what the recordings hold": True, ".": True}
        assert (
            json.loads(call(record, "--study", measured, "--json", "--dry-run").stdout)["differences"] == []
        )

    def test_another_recording_is_said(self, measured: Path, tmp_path: Path) -> None:
        self.recorded(tmp_path / "other", 24)
        (record,) = (measured / "runs").iterdir()
        told = json.loads(call(record, "--study", tmp_path / "other", "--json").stdout)
        assert told["differences"] == ["extract: the study is not what was read."]
        assert told["same"] == {"what the recordings hold": False, ".": False}

    def test_force_measures_again(self, measured: Path, tmp_path: Path) -> None:
        study = shutil.copytree(measured, tmp_path / "study")
        at = (study / "s1" / "face.parquet").stat().st_ino
        call(self.file(tmp_path), "--study", study)
        assert (study / "s1" / "face.parquet").stat().st_ino == at
        call(self.file(tmp_path), "--study", study, "--force")
        assert (study / "s1" / "face.parquet").stat().st_ino != at

    def test_sessions_of_another_vsa_are_said_and_recorded(self, measured: Path, tmp_path: Path) -> None:
        study = shutil.copytree(measured, tmp_path / "study")
        path = study / "s1" / "session.json"
        found = json.loads(path.read_text())
        path.write_text(json.dumps({**found, "versions": {**found["versions"], "vsa": "0.0.7"}}))
        file = self.file(tmp_path)
        assert "kept: 1 by vsa 0.0.7" in call(file, "--study", study, "--dry-run").stdout
        call(file, "--study", study)
        assert records(study)[-1]["stages"][0]["measured_by"] == {"0.0.7": 1}


def test_the_command_lines_of_a_record_do_the_same_by_hand(study: Path) -> None:
    lines = [one["command_line"] for one in records(study)[0]["stages"]]
    assert str(study) not in str(lines)
    flags = (study / "flags.csv").read_bytes()
    (study / "flags.csv").unlink()
    vsa = 'vsa() { "$PYTHON" -c "from vsa.cli import program; program()" "$@"; }\n'
    environment = {**os.environ, "STUDY": str(study), "PYTHON": sys.executable}
    subprocess.run(["bash", "-ec", vsa + lines[1]], check=True, capture_output=True, env=environment)
    assert (study / "flags.csv").read_bytes() == flags


def test_records_say_what_was_done_with_what_and_nothing_of_people(study: Path) -> None:
    (record,) = records(study)
    assert record["versions"].keys() >= {"vsa", "python", "numpy", "scikit-learn"}
    score, flag, compare = record["stages"]
    assert score["settings"]["instrument"] == "wai-sr"
    assert {*compare["reads"]} == {".", "bonds.csv", "clients.csv"}
    assert compare["reads"]["bonds.csv"] == score["writes"]["bonds.csv"]
    assert flag["seed"] is None
    assert holding(study / "runs", CLIENT, THERAPIST, *SESSIONS) == []
    entry = log_of(study)[-1]
    assert (entry["command"], entry["ids"]) == ("run", [])
    assert (study / entry["outcome"]["record"]).is_file()


def test_withdrawing_and_checking_a_study_take_no_offence_at_records(study: Path) -> None:
    found = withdrawal(study, find(study, CLIENT))
    touched = [
        *found.named,
        *found.closed,
        *found.folders,
        *(path for path, _ in (*found.tables, *found.unread)),
    ]
    assert not [path for path in touched if "runs" in path.parts]
    assert not [one for one in examine_study(study) if "runs" in one.name + one.found]
