"""``vsa withdraw`` as people meet it: what goes, what stays, and what happens when it is stopped."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from command import vsa as process
from extraction import Quiet
from studies import CLIENT, SESSIONS, THERAPIST, holding, log_of, make_study, manifest_rows

from vsa import cli
from vsa.bond.store import load
from vsa.run.batch import extract
from vsa.run.settings import Settings
from vsa.run.withdrawal import carry_out
from vsa.study.chain import verify
from vsa.study.gathering import ORIGINS
from vsa.study.manifest import read_manifest
from vsa.study.plan import SessionPlan, Video
from vsa.study.pseudonyms import Pseudonyms
from vsa.study.results import Results
from vsa.study.tables import read_table
from vsa.study.withdrawal import find


def vsa(capsys, *arguments):
    """Exit code, what was printed, and what was complained of."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code or 0, out, err


QUICK = ("--permutations", 0)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A study with a model inside and one outside, both trained on all, and a review list."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    make_study(folder)
    for arguments in (
        ["train", folder, "--out", folder / "model.skops", *QUICK],
        ["flag", folder / "model.skops", folder, "--out", folder / "flags.csv"],
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        assert not ended.value.code
    return folder


@pytest.fixture
def study(template, tmp_path):
    return Path(shutil.copytree(template, tmp_path / "study"))


def test_nothing_in_the_folder_has_the_person_any_more_and_the_rest_is_as_it_was(study, capsys):
    assert len(holding(study, CLIENT)) > 12
    before = {name: (study / name).read_bytes() for name in ("answers.csv", "bonds.csv", "manifest.csv")}
    features = pd.read_parquet(study / "features.parquet")
    code, out, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 0
    assert holding(study, CLIENT) == []
    for name in SESSIONS:
        assert f"{name}/" in out
        assert f"media/{name}.mp4" in out
    for said in ("answers.csv: 8 rows", "failures.csv: 1 row\n", "manifest.csv: 4 rows", "flags.csv: 4 rows"):
        assert said in out
    assert "recurrent" not in " ".join(map(str, manifest_rows(study)[8].values()))
    kept = features[~features["session_id"].isin(SESSIONS)].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_parquet(study / "features.parquet"), kept)
    assert ORIGINS not in pq.read_schema(study / "features.parquet").metadata
    Results(study).gather_features()
    pd.testing.assert_frame_equal(pd.read_parquet(study / "features.parquet"), kept)
    assert len(json.loads(pq.read_schema(study / "features.parquet").metadata[ORIGINS])["rows"]) == len(kept)
    assert Results(study).sessions() == kept["session_id"].tolist()
    scores = pd.read_parquet(study / "tables" / "more" / "scores.parquet")
    assert scores.index.name == "session_id"
    assert scores.index.tolist() == kept["session_id"].tolist()
    answers, bonds = before["answers.csv"], before["bonds.csv"]
    for name in SESSIONS:
        rows = f'{name};client;3,5;"said ""well"";\n then left"\r\n {name} ;therapist;;\r\n'.encode()
        assert answers.count(rows) == 1
        answers = answers.replace(rows, b"")
        bonds = re.sub(rf"^{name},.*\n".encode(), b"", bonds, flags=re.MULTILINE)
    assert (study / "answers.csv").read_bytes() == answers
    assert (study / "bonds.csv").read_bytes() == bonds
    same = [
        (a, b)
        for a, b in zip(
            before["manifest.csv"].splitlines(),
            (study / "manifest.csv").read_bytes().splitlines(),
            strict=True,
        )
        if a != b
    ]
    assert len(same) == 4
    assert all(new.endswith(b'.mp4,withdrawn,"0,0,640,360",,,,') for _, new in same)


@pytest.mark.slow
def test_training_on_the_rest_works_and_knows_nothing_of_her(study, capsys):
    vsa(capsys, "withdraw", CLIENT, study, "--yes")
    code, out, err = vsa(capsys, "train", study, "--out", study / "model.skops", *QUICK)
    assert code == 0, err
    assert "44 sessions of 11 clients" in out
    assert load(study / "model.skops").info.withdrawn == ()
    trained = log_of(study)[-1]
    assert trained["command"] == "train"
    assert trained["outcome"] == {"model": "model.skops", "sessions": 44}
    assert not {*SESSIONS} & {*trained["ids"]}
    assert verify(study).faults == ()


def test_extraction_never_does_them_again_and_says_so(study, capsys):
    vsa(capsys, "withdraw", CLIENT, study, "--yes")
    manifest = read_manifest(study / "manifest.csv", finished=Results(study).sessions())
    assert sorted(manifest.without_consent) == sorted(SESSIONS)
    assert not {*SESSIONS} & {plan.session_id for plan in manifest.plans}


@pytest.mark.slow
def test_models_that_learned_from_her_are_marked_and_say_so_when_used(study, capsys, tmp_path):
    elsewhere = tmp_path / "models" / "other.skops"
    assert vsa(capsys, "train", study, "--out", elsewhere, "--features", "all", *QUICK)[0] == 0
    learned = load(study / "model.skops")
    code, out, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 0
    assert "model.skops: 4 of its sessions" in out
    assert "other.skops: 4 of its sessions" in out
    for path in (study / "model.skops", elsewhere):
        (mark,) = load(path).info.withdrawn
        assert len(mark.rows) == 4
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert not any(CLIENT.encode() in archive.read(name) for name in archive.namelist())
    table = read_table(study)
    assert (load(study / "model.skops").expected(table) == learned.expected(table)).all()
    code, out, _ = vsa(capsys, "flag", study / "model.skops", study, "--out", study / "flags.csv")
    assert code == 0
    assert "4 sessions of its training were withdrawn on 20" in out
    assert "train it again" in out
    vsa(capsys, "withdraw", "sim-c005", study, "--yes")
    assert "8 sessions" in vsa(capsys, "flag", elsewhere, study, "--out", study / "flags.csv")[1]


@pytest.mark.slow
def test_a_model_that_did_not_learn_from_her_is_left_alone(study, capsys):
    vsa(capsys, "withdraw", CLIENT, study, "--yes")
    vsa(capsys, "train", study, "--out", study / "later.skops", *QUICK)
    before = (study / "later.skops").read_bytes()
    code, out, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 0
    assert "Nothing of theirs is left" in out
    assert "later.skops" not in out
    assert (study / "later.skops").read_bytes() == before


def test_models_of_earlier_versions_and_broken_ones_are_listed(study, capsys):
    old = study / "old.skops"
    with zipfile.ZipFile(study / "model.skops") as archive, zipfile.ZipFile(old, "w") as new:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "vsa.json":
                held = json.loads(content)
                del held["trained_on"], held["withdrawn"]
                content = json.dumps(held).encode()
            new.writestr(name, content)
    assert load(old).info.trained_on is None
    (study / "broken.skops").write_bytes(b"no zip")
    (study / "model.skops").unlink()
    code, out, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 0
    assert "old.skops: an earlier vsa made it" in out
    assert "broken.skops: " in out
    assert "model.skops: the log names it, and it is not there" in out
    assert load(old).info.withdrawn == ()


def test_a_dry_run_lists_the_same_and_changes_nothing(study, capsys):
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    code, out, _ = vsa(capsys, "withdraw", CLIENT, study, "--dry-run", "--json")
    assert code == 0
    would = json.loads(out)
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == before
    did = json.loads(vsa(capsys, "withdraw", CLIENT, study, "--yes", "--json")[1])
    assert would.pop("dry_run") is True
    assert did.pop("dry_run") is False
    assert did == would
    assert did["tables"]["features.parquet"] == 4
    assert did["sessions"] == list(SESSIONS)


def test_without_a_terminal_it_asks_for_yes_and_removes_nothing(study):
    before = holding(study, CLIENT)
    done = process("withdraw", CLIENT, study)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert holding(study, CLIENT) == before
    assert all(entry["command"] != "withdraw" for entry in log_of(study))


def test_a_therapist_takes_all_their_sessions_and_a_session_only_itself(study, capsys):
    code, out, _ = vsa(capsys, "withdraw", "sim-c008-s2", study, "--yes")
    assert code == 0
    assert holding(study, "sim-c008-s2") == []
    assert len(Results(study).sessions()) == 47
    code, out, _ = vsa(capsys, "withdraw", THERAPIST, study, "--yes")
    assert code == 0
    assert "24 sessions" in out
    assert "sessions of 6 clients too" in out
    assert holding(study, THERAPIST) == holding(study, CLIENT) == []
    assert len(Results(study).sessions()) == 23


def test_what_vsa_cannot_tell_is_listed_to_be_looked_at(study, capsys):
    (study / "films").mkdir()
    (study / "films" / f"{SESSIONS[0]}-check.mp4").write_bytes(b"film")
    (study / "notes.txt").write_text(f"{CLIENT.upper()} called today")
    (study / "near.txt").write_text(f"{CLIENT}4 and x{CLIENT} are other people")
    (study / "answers.xlsx").write_bytes(b"PK packed")
    (study / "torn.csv").write_text(f'session_id,x\n{SESSIONS[0]},"never closed\n')
    (study / "gone.parquet").write_bytes(b"PAR1 damaged")
    (study / "remarks.csv").write_text(f"session_id,remark\nother,she knows {CLIENT}\n{SESSIONS[1]},x\n")
    (study / SESSIONS[0] / "my notes.docx").write_bytes(b"mine")
    would = json.loads(vsa(capsys, "withdraw", CLIENT, study, "--dry-run", "--json")[1])
    code, out, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes", "--json")
    assert code == 0
    told = json.loads(out)
    assert {*would["named"]} == {*told["named"]} - {"remarks.csv"}
    assert {*told["unread"]} == {"torn.csv", "gone.parquet"}
    assert {*told["named"]} == {
        f"films/{SESSIONS[0]}-check.mp4", "notes.txt", "torn.csv", "remarks.csv",
        f"{SESSIONS[0]}/my notes.docx",
    }  # fmt: skip
    assert {*told["closed"]} == {"answers.xlsx", "gone.parquet"}
    assert [path.name for path in (study / SESSIONS[0]).iterdir()] == ["my notes.docx"]
    assert (study / "remarks.csv").read_text() == f"session_id,remark\nother,she knows {CLIENT}\n"


def test_what_is_under_pseudonyms_is_listed_with_what_to_do(study, tmp_path, capsys):
    """Without the key nobody can tell whether it is about her."""
    (tmp_path / "key").write_text("a key for tests alone, of no use")
    name = Pseudonyms(b"a key for tests alone, of no use").session(SESSIONS[0])
    shared = ("--rules", "--pseudonymize", tmp_path / "key", "--jobs", 1, "--session", SESSIONS[0])
    assert vsa(capsys, "report", study, *shared, "--out", study / "shared")[0] == 0
    (page,) = (study / "shared" / "sessions").iterdir()
    assert page.name.startswith(name)
    shutil.copy(page, study / page.name)
    (study / "reviews.csv").write_text(f"session_id,mark\n{name},agree\n")
    (study / "own.csv").write_text("session_id,mark\nother,agree\n")
    would = json.loads(vsa(capsys, "withdraw", CLIENT, study, "--dry-run", "--json")[1])
    assert would["pseudonymous"] == ["shared", page.name, "reviews.csv"]
    code, out, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 0
    assert re.search(r"Under pseudonyms.*Make these reports anew:\n  shared/\n", out)
    assert re.search(rf"Under pseudonyms.*yourself.*:\n  {page.name}\n  reviews\.csv\n", out)
    assert page.is_file()


def test_ids_of_the_study_are_not_taken_for_pseudonyms(study, capsys):
    for path in (study / "manifest.csv", study / "bonds.csv"):
        path.write_text(path.read_text("utf-8-sig").replace("sim-c001-s1", "S-7K3Q-F2XM"))
    told = json.loads(vsa(capsys, "withdraw", CLIENT, study, "--yes", "--json")[1])
    assert told["pseudonymous"] == []


def test_what_killed_runs_left_goes_too(study, capsys):
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
    foreign = study / f".{SESSIONS[0]}.0a0b0c-{int(ended.stdout)}-0123abcd.part"
    foreign.mkdir()
    (foreign / "face.parquet").write_text(CLIENT)
    with Results(study).writing(SESSIONS[1]) as folder:
        name = folder.name
        shutil.copytree(study / SESSIONS[1], folder, dirs_exist_ok=True)
    mine = name.removeprefix(f".{SESSIONS[1]}.").split("-")[0]
    aside = study / f".{SESSIONS[1]}.{mine}-{int(ended.stdout)}-0123abcd.old.part"
    (study / SESSIONS[1]).rename(aside)
    table = study / f".flags.csv.{int(ended.stdout)}.part"
    table.write_text(CLIENT)
    code, _, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 0
    assert holding(study, CLIENT) == []
    assert not [path for path in study.iterdir() if path.name.startswith(".")]


def test_a_session_that_is_being_written_stops_it_before_anything_is_removed(study, capsys):
    before = holding(study, CLIENT)
    with Results(study).writing(SESSIONS[2]) as folder:
        shutil.copytree(study / SESSIONS[2], folder, dirs_exist_ok=True)
        code, _, err = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 2
    assert "is being written by another run" in err
    assert holding(study, CLIENT) == before


_KILLED = """
import os, signal, sys
from pathlib import Path
from vsa import cli
from vsa.run import withdrawal
steps = withdrawal._steps
def some(study, found):
    for k, step in enumerate(steps(study, found)):
        if k == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield step
withdrawal._steps = some
cli.main(["withdraw", sys.argv[3], sys.argv[1], "--yes"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 3, 7])
def test_killed_in_the_middle_the_same_command_goes_on(study, tmp_path, capsys, after):
    whole = Path(shutil.copytree(study, tmp_path / "whole"))
    vsa(capsys, "withdraw", CLIENT, whole, "--yes")
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(study), str(after), CLIENT], check=False)
    assert killed.returncode == -9
    assert holding(study, CLIENT)
    code, out, _ = vsa(capsys, "doctor", study)
    assert code == 2
    assert f"withdraw {CLIENT}" in " ".join(out.split())
    code, _, _ = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 0
    assert holding(study, CLIENT) == []
    names = [sorted(str(p.relative_to(one)) for p in one.rglob("*")) for one in (study, whole)]
    assert names[0] == names[1]
    for name in names[0]:
        if (study / name).is_file() and name not in ("log.jsonl", "model.skops"):
            assert (study / name).read_bytes() == (whole / name).read_bytes(), name
    assert len(load(study / "model.skops").info.withdrawn[0].rows) == 4
    assert "withdraw" not in vsa(capsys, "doctor", study)[1]


def test_with_the_manifest_emptied_and_all_tables_gone_the_log_still_knows_her_sessions(study, capsys):
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(study), "1", CLIENT], check=False)
    assert killed.returncode == -9
    for path in (study / "tables" / "more").iterdir():
        path.unlink()
    for name in SESSIONS:  # no facts any more
        (study / name / "session.json").write_text("{}")
    assert vsa(capsys, "withdraw", CLIENT, study, "--yes")[0] == 0
    assert holding(study, CLIENT) == []


_SHORT_OF_ROOM = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
from vsa import cli
cli.main(["withdraw", sys.argv[3], sys.argv[1], "--yes"])
"""


def test_a_disk_error_in_the_middle_is_told_and_the_same_command_goes_on(study, capsys):
    """No file may be larger than the log will be: that is less than the table of features."""
    room = (study / "log.jsonl").stat().st_size + 2000
    assert room < (study / "features.parquet").stat().st_size
    done = subprocess.run(
        [sys.executable, "-c", _SHORT_OF_ROOM, str(study), str(room), CLIENT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "features.parquet" in done.stderr
    assert "goes on" in done.stderr
    assert "Traceback" not in done.stderr
    left = holding(study, CLIENT)
    assert "features.parquet" in left
    assert not {*left} & {*SESSIONS}
    assert log_of(study)[-1]["outcome"]["step"] == "unfinished"
    assert vsa(capsys, "withdraw", CLIENT, study, "--yes")[0] == 0
    assert holding(study, CLIENT) == []


def test_nothing_is_removed_if_the_intent_cannot_be_logged(study, capsys):
    before = holding(study, CLIENT)
    log = study / "log.jsonl"
    log.rename(study.parent / "log.jsonl")
    log.mkdir()
    code, _, err = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 3
    assert "log.jsonl" in err
    assert holding(study, CLIENT) == before


def test_the_log_has_the_intent_before_and_the_end_after(study, capsys):
    vsa(capsys, "withdraw", CLIENT, study, "--yes")
    begin, end = log_of(study)[-2:]
    for entry, step in ((begin, "begin"), (end, "end")):
        assert entry["command"] == "withdraw"
        assert entry["ids"] == list(SESSIONS)
        assert entry["outcome"]["step"] == step
        assert entry["outcome"]["person"] == CLIENT
        assert entry["outcome"]["as"] == "client"
    assert "media" not in json.dumps([begin, end])


def test_unknown_ids_and_ambiguous_ones(study, capsys):
    code, _, err = vsa(capsys, "withdraw", "sim-c099", study, "--yes")
    assert code == 2
    assert "49 sessions, 12 clients and 2 therapists" in err
    assert "sim-c001" not in err
    code, _, err = vsa(capsys, "withdraw", "SIM-C003", study, "--yes")
    assert code == 2
    assert "differs in capitals only" in err
    (study / "more.csv").write_text("session_id,client_id,bond\nsim-t01,sim-c100,3\n")
    code, _, err = vsa(capsys, "withdraw", "sim-t01", study, "--yes")
    assert code == 2
    assert "--as session or --as therapist" in err
    assert vsa(capsys, "withdraw", "sim-t01", study, "--as", "session", "--yes")[0] == 0
    assert (study / "more.csv").read_text() == "session_id,client_id,bond\n"
    assert len(Results(study).sessions()) == 48
    assert vsa(capsys, "withdraw", CLIENT, study.parent, "--yes")[0] == 2


def test_a_manifest_that_cannot_be_read_stops_it(study, capsys):
    before = holding(study, CLIENT)
    (study / "manifest.csv").write_text('session_id,video,consent\ns1,"a.mp4,yes\n')
    code, _, err = vsa(capsys, "withdraw", CLIENT, study, "--yes")
    assert code == 2
    assert "Mend it first" in err
    assert holding(study, CLIENT) == before


def test_a_recording_under_a_withdrawn_id_is_not_opened(study, tmp_path, capsys):
    vsa(capsys, "withdraw", CLIENT, study, "--yes")
    film = tmp_path / f"{SESSIONS[0].upper()}.mp4"
    film.write_bytes(b"never read")
    code, _, complaint = vsa(capsys, "extract", film, "--out", study)
    assert code == 2
    assert "was withdrawn from this study" in complaint
    assert "the recording was not opened" in complaint
    assert SESSIONS[0].upper() not in (study / "failures.csv").read_text("utf-8")
    assert not (study / SESSIONS[0].upper()).exists()


def test_a_run_that_goes_on_meanwhile_does_not_open_what_was_withdrawn(study, tmp_path):
    told = Quiet()
    plans = []
    for name in ("new", *SESSIONS[:2]):
        film = tmp_path / f"{name}.mp4"
        film.write_bytes(b"no film")
        plans.append(SessionPlan(name, (Video(film),)))

    def begin(session_id):
        assert session_id == "new"  # nobody else's turn ever comes
        carry_out(study, find(study, CLIENT))

    told.start = begin
    summary = extract(plans, study, Settings(), told, afresh=True)
    assert [(one.session_id, one.stage) for one in summary.failed] == [
        ("new", "media"),
        *((name, "consent") for name in SESSIONS[:2]),
    ]
    failures = (study / "failures.csv").read_text("utf-8")
    assert "new" in failures
    assert SESSIONS[0] not in failures
    assert not any((study / name).exists() for name in SESSIONS)


def test_what_the_model_kept_of_her_features_goes_too(study, capsys):
    before = load(study / "model.skops")
    rows = before.info.trained_on.rows({"session": list(SESSIONS)})
    assert len(rows) == len(SESSIONS)
    assert vsa(capsys, "withdraw", CLIENT, study, "--yes")[0] == 0
    after = load(study / "model.skops").reference
    assert not after.kept[list(rows)].any()
    assert (after.codes[list(rows)] == 255).all()
    others = np.setdiff1d(np.arange(len(after.codes)), rows)
    assert (after.codes[others] == before.reference.codes[others]).all()
