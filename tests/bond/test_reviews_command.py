"""``vsa evaluate --reviews``: what people marked, beside the study and the model that their report was made of."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from click.testing import CliRunner
from studies import log_of, make_study

from vsa import cli
from vsa.bond import store
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.flags import flag
from vsa.bond.training import train
from vsa.commands.evaluate import evaluate
from vsa.run.reporting.frame import file_print
from vsa.simulate.cohort import simulate_cohort
from vsa.study.pseudonyms import Pseudonyms
from vsa.study.tables import read_table

QUICK = Settings(permutations=0, draws=50, repeats=1)
BUDGET = 6
MODEL = "model.skops"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study of 48 sessions, a model of other people, and the table that it learned from."""
    folder = tmp_path_factory.mktemp("reviews")
    signals = list(make_study(folder / "study"))
    read_table(folder / "study").to_csv(folder / "study.csv", index=False)
    simulate_cohort(20, 2, seed=9)[signals].to_csv(folder / "training.csv", index=False)
    store.save(train(read_table(folder / "training.csv"), settings=QUICK).model, folder / MODEL)
    return folder


@pytest.fixture
def study(made, tmp_path):
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made" / "study"


def marked(study, of="study.csv", name="marks.csv", reviewer="AB", called=str):
    """Marks of the six flagged sessions, of which five are held for weak, and of six others, of which one is."""
    path = study.parent / MODEL
    listed = flag(store.load(path), read_table(study.parent / of), BUDGET).table
    weak, ok = (listed[listed["verdict"] == one].head(BUDGET) for one in ("weak", "ok"))
    table = pd.concat([weak, ok])[["session_id", "verdict", "probability"]]
    table["mark"] = ["agree"] * 5 + ["disagree"] * 2 + ["agree"] * 5
    table = table.assign(
        session_id=table["session_id"].map(called),
        note="a long look\naway",
        reviewer=reviewer,
        marked_at="2026-01-05T10:00:00Z",
        model=MODEL,
        model_print=file_print(path),
        simulated=True,
    )
    table.to_csv(study.parent / name, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return study.parent / name


def vsa(study, *arguments):
    """Evaluate the model on a study or table."""
    return CliRunner().invoke(evaluate, [str(study.parent / MODEL), str(study), *map(str, arguments)])


def test_the_precision_of_the_flags_as_people_judged_them_is_told_written_and_logged(study):
    reviews, out = marked(study), study.parent / "out"
    done = vsa(study, "--reviews", reviews, "--out", out)
    assert done.exit_code == 0, done.output
    assert "sessions with a bond, of 12 clients" in done.stdout
    for said in (
        "What reviewers say of the list (SIMULATED)",
        "12 marks of 12 sessions by 1 reviewer",
        "Flagged:              6 reviewed: 5 weak, 1 not weak, 0 undecided.",
        "Precision: 83% (",
        "5 of 6 decided ones were weak",
        "1 of 6 decided ones were weak",
        "draws marks toward it",
    ):
        assert said in done.stdout
    told = json.loads((out / "evaluation.json").read_text())
    assert told["performance"]["sessions"] == 48
    assert told["reviews"]["precision"]["count"] == 5
    assert told["reviews"]["flagged"]["listed"] == BUDGET
    assert "a long look" not in (out / "evaluation.json").read_text()
    entry = log_of(study)[-1]
    assert entry["outcome"] == {
        "model": MODEL,
        "sessions": 48,
        "outside": len(told["outside"]),
        "reviewed": 12,
    }


def test_two_reviewers_are_held_against_each_other(study):
    first, second = marked(study), marked(study, name="more.csv", reviewer="CD")
    done = vsa(study, "--reviews", first, "--reviews", second, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["reviews"]
    assert (told["reviewers"], told["sessions"], told["marks"]) == (2, 12, 24)
    assert told["agreement"]["value"] == 1
    assert told["agreement_sessions"] == 12


def test_sessions_of_the_training_are_judged_though_the_model_is_not_evaluated_on_them(study):
    table = study.parent / "training.csv"
    done = vsa(table, "--reviews", marked(study, "training.csv"))
    assert done.exit_code == 0, done.output
    assert "All 40 sessions were in the model's training" in done.stdout
    assert "5 of 6 decided ones were weak" in done.stdout
    assert "12 of 12 reviewed sessions were in the model's training" in done.stdout


def test_without_bonds_the_marks_are_judged_all_the_same(study):
    done = vsa(study, "--reviews", marked(study), "--bond", "absent")
    assert done.exit_code == 0, done.output
    assert "no column 'absent'" in done.stdout
    assert "5 of 6 decided ones were weak" in done.stdout


def consent(study, session, cell):
    path = study / "manifest.csv"
    lines = path.read_text("utf-8-sig").splitlines()
    changed = [
        one.replace(",yes,", f",{cell},", 1) if session == "" or one.startswith(f"{session},") else one
        for one in lines
    ]
    path.write_text("\n".join(changed))


def test_who_agreed_to_quality_alone_is_in_reviews_and_in_nothing_else(study):
    reviews = marked(study)
    consent(study, "", "quality")
    done = vsa(study, "--reviews", reviews)
    assert done.exit_code == 0, done.output
    assert "may be used for training: not all of its people agreed" in done.stdout
    assert "5 of 6 decided ones were weak" in done.stdout
    assert vsa(study).exit_code != 0


def test_who_did_not_agree_to_quality_is_not_judged(study):
    reviews = marked(study)
    session = pd.read_csv(reviews)["session_id"].iloc[0]
    consent(study, session, "research; training")
    done = vsa(study, "--reviews", reviews)
    assert done.exit_code == 0, done.output
    assert f"Left out, without consent for quality: {session}." in done.stdout
    assert "4 of 5 decided ones were weak" in done.stdout


def test_pseudonyms_are_traced_with_the_key_alone(study):
    key = study.parent / "key.txt"
    key.write_text("a key of sixteen bytes and more")
    key.chmod(0o600)
    reviews = marked(study, called=Pseudonyms.read(key).session)
    ids = pd.read_csv(reviews)["session_id"]
    assert not any("sim" in one for one in ids)
    done = vsa(study, "--reviews", reviews, "--pseudonymize", key)
    assert done.exit_code == 0, done.output
    assert "5 of 6 decided ones were weak" in done.stdout
    refused = vsa(study, "--reviews", reviews)
    assert "look like pseudonyms: give the report's key" in str(refused.exception)
    key.write_text("another key of sixteen bytes")
    refused = vsa(study, "--reviews", reviews, "--pseudonymize", key)
    assert "pseudonyms of another key" in str(refused.exception)


def test_marks_of_another_model_are_refused(study, capsys):
    reviews = marked(study)
    pd.read_csv(reviews).assign(model="other.skops", model_print="ffffffffffff").to_csv(reviews, index=False)
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", str(study.parent / MODEL), str(study), "--reviews", str(reviews)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "made with another model: other.skops (ffffffffffff)" in said
    assert f"{MODEL} is ({file_print(study.parent / MODEL)})" in said


def test_marks_of_a_list_by_rules_are_refused(study):
    reviews = marked(study)
    table = pd.read_csv(reviews).assign(model="rules", model_print=None)
    table.to_csv(reviews, index=False)
    assert "12 marks are of a list by rules" in str(vsa(study, "--reviews", reviews).exception)


def test_sessions_that_the_study_has_not_are_named_and_left_out(study):
    reviews = marked(study)
    table = pd.read_csv(reviews)
    table.loc[[0, 6], "session_id"] = ["gone-1", "gone-2"]
    table.to_csv(reviews, index=False)
    done = vsa(study, "--reviews", reviews)
    assert "that the study does not have are left out: gone-1, gone-2." in done.stdout
    assert "4 of 5 decided ones were weak" in done.stdout
    table.assign(session_id=[f"gone-{k}" for k in range(12)]).to_csv(reviews, index=False)
    assert "No marked session is in" in str(vsa(study, "--reviews", reviews).exception)


def test_a_flag_that_nobody_marked_shows_as_such(study):
    reviews = marked(study)
    table = pd.read_csv(reviews)
    table.drop(index=[1, 2]).to_csv(reviews, index=False)
    done = vsa(study, "--reviews", reviews, "--json")
    told = json.loads(done.stdout)["reviews"]
    assert (told["flagged"]["listed"], told["flagged"]["reviewed"]) == (6, 4)
    assert any("2 of 6 flagged sessions have no mark" in note for note in told["notes"])


def test_a_key_without_marks_is_a_slip(study):
    done = vsa(study, "--pseudonymize", study.parent / "key")
    assert done.exit_code == 2
    assert "--pseudonymize" in done.output
