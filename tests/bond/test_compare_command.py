"""``vsa compare`` does what the library does, joins what lies in several tables, and keeps to consent."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from comparing import people

from vsa.bond.comparison.clients import with_clients
from vsa.bond.comparison.compare import Settings
from vsa.bond.comparison.compare import compare as library
from vsa.commands.compare import compare
from vsa.commands.score import score
from vsa.errors import InputError
from vsa.report.comparison_text import comparison_text
from vsa.simulate.cohort import CohortDesign, draw
from vsa.study.log import entries
from vsa.study.tables import read_table


def vsa_compare(*arguments, fails=False):
    """What was printed, and what was complained of."""
    done = CliRunner().invoke(compare, [str(one) for one in arguments])
    if fails:
        assert done.exception is not None
        return done.exception
    assert done.exception is None, done.output
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    drawn = draw(CohortDesign(48, (2, 4), in_person_share=0.4, in_person_d=0.9), 2)
    few = [name for name in drawn.table if "." not in name or name.startswith("client.face")]
    drawn.table[few].to_csv(folder / "cohort.csv", index=False)
    drawn.table[few].drop(columns=["bond", "rater"]).to_parquet(folder / "features.parquet")
    drawn.answers.to_csv(folder / "answers.csv", index=False)
    drawn.attachment_answers.to_csv(folder / "attachment.csv", index=False)
    for name, instrument in (("answers", "wai-sr"), ("attachment", "rq")):
        out = folder / f"{name}-scores.csv"
        done = CliRunner().invoke(
            score, [str(folder / f"{name}.csv"), "--instrument", instrument, "--out", str(out)]
        )
        assert done.exit_code == 0, done.output
    return folder


def test_what_is_printed_and_written_is_what_the_library_finds(files, tmp_path):
    out, _ = vsa_compare(files / "cohort.csv", "--by", "modality,diagnosis", "--out", tmp_path / "new" / "c")
    found = library(read_table(files / "cohort.csv"), ["modality", "diagnosis"])
    assert out.startswith(comparison_text(found))
    folder = tmp_path / "new" / "c"
    assert sorted(path.name for path in folder.iterdir()) == [
        "comparison.csv",
        "comparison.json",
        "comparison.png",
    ]
    assert json.loads((folder / "comparison.json").read_text()) == json.loads(json.dumps(found.record()))
    rows = pd.read_csv(folder / "comparison.csv")
    tests = rows[rows["what"] == "test"]
    assert tests["p"].to_numpy() == pytest.approx([test.p for test in found.tests])
    assert tests["p_adjusted"].to_numpy() == pytest.approx([test.p_holm for test in found.tests])
    assert rows["simulated"].all()
    out, _ = vsa_compare(files / "cohort.csv", "--by", "modality,diagnosis", "--json")
    assert json.loads(out) == json.loads(json.dumps(found.record()))


def test_nothing_is_written_without_out(files):
    before = sorted(files.rglob("*"))
    out, _ = vsa_compare(files / "cohort.csv")
    assert sorted(files.rglob("*")) == before
    assert "Written" not in out


def test_scores_and_attachment_come_from_tables_of_vsa_score(files):
    out, _ = vsa_compare(
        *(files / "features.parquet", "--bonds", files / "answers-scores.csv", "--json"),
        *("--clients", files / "attachment-scores.csv", "--by", "modality,self_model,style"),
    )
    told = json.loads(out)
    assert [one["name"] for one in told["scores"]] == ["total_mean", "goal_mean", "task_mean", "bond"]
    assert told["scores"][0]["scale"] == [1, 5]
    by = {(test["outcome"], test["factor"]): test for test in told["tests"]}
    scores = pd.read_csv(files / "answers-scores.csv")
    attachment = pd.read_csv(files / "attachment-scores.csv").set_index("client_id")
    means = scores.groupby("client_id")["bond"].mean()
    r = np.corrcoef(means, attachment["self_model"].reindex(means.index))[0, 1]
    assert by["bond", "self_model"]["r"] == pytest.approx(r)
    levels = {group["level"] for group in by["bond", "style"]["groups"]}
    assert levels <= {"secure", "fearful", "preoccupied", "dismissing"}


def test_settings_are_those_of_the_library(files):
    out, _ = vsa_compare(
        *(files / "cohort.csv", "--by", "diagnosis,attachment", "--outcome", "bond", "--least", 9),
        *("--margin", 0.5, "--covariates", "age", "--json"),
    )
    found = library(
        read_table(files / "cohort.csv"),
        ["diagnosis", "attachment"],
        ["bond"],
        covariates=["age"],
        settings=Settings(9, 0.5),
    )
    assert json.loads(out) == json.loads(json.dumps(found.record()))
    assert "gender" not in found.models[0].formula
    text = comparison_text(found)
    assert "within .5 SD" in text
    assert "too few" in text


def test_sessions_without_consent_for_research_are_left_out_and_the_log_says_what_was_done(tmp_path):
    table = people(1)
    no = sorted(table["client_id"].unique())[:4]
    table.to_csv(tmp_path / "cohort.csv", index=False)
    consent = np.where(table["client_id"].isin(no), "training", "research")
    manifest = pd.DataFrame({"session_id": table["session_id"], "video": "a.mp4", "consent": consent})
    manifest.to_csv(tmp_path / "manifest.csv", index=False)
    out, complaints = vsa_compare(
        tmp_path / "cohort.csv", "--by", "modality", "--out", tmp_path / "c", "--json"
    )
    assert json.loads(out)["clients"] == 56
    assert "without consent for research" in complaints
    (entry,) = entries(tmp_path)
    assert entry.command == "compare"
    assert set(entry.ids) == set(table["session_id"][~table["client_id"].isin(no)])
    assert entry.outcome == {"by": "modality", "outcomes": "bond", "sessions": 224, "written": "c"}


def test_of_several_raters_one_is_compared(tmp_path):
    table = people(2).assign(rater="client")
    observer = table.assign(rater="observer", bond=table["bond"] + 10)
    pd.concat([table, observer]).to_csv(tmp_path / "both.csv", index=False)
    out, _ = vsa_compare(tmp_path / "both.csv", "--by", "modality", "--rater", "observer", "--json")
    assert json.loads(out)["tests"][0]["groups"][0]["mean"] > 8
    assert isinstance(vsa_compare(tmp_path / "both.csv", "--rater", "therapist", fails=True), InputError)


def test_a_page_of_text_says_simulated_counts_and_keeps_small_groups_back(tmp_path):
    table = people(3)
    rare = sorted(table["client_id"].unique())[:2]
    table["diagnosis"] = table["diagnosis"].mask(table["client_id"].isin(rare), "rare one")
    table.to_csv(tmp_path / "t.csv", index=False)
    out, _ = vsa_compare(tmp_path / "t.csv")
    assert out.startswith("SIMULATED")
    assert "about 240 sessions of about 60 clients" in out
    line = next(line for line in out.splitlines() if line.strip().startswith("rare one"))
    assert line.split() == ["rare", "one", "<5", "<5", "too", "few"]
    for words in ("Holm p", "within .3 SD", "eta2", "Mixed model over sessions", "In words", "by chance"):
        assert words in out
    assert max(map(len, out.splitlines())) < 150


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="client_id"), "no column client_id"),
        (lambda t: pd.concat([t, t.head(1)]), "more than once"),
        (lambda t: t.assign(client_id="x" + t["client_id"]), "No client_id of"),
        (lambda t: t.assign(simulated=False), "one is simulated and the other is not"),
    ],
)
def test_a_table_of_clients_that_does_not_fit_says_why(change, said):
    sessions = people(4)
    clients = sessions[["client_id", "simulated"]].drop_duplicates("client_id").assign(anxiety_mean=3.0)
    with pytest.raises(InputError, match=said):
        with_clients(sessions, change(clients).reset_index(drop=True))


def test_what_a_table_of_clients_says_of_its_own_form_is_not_taken_for_the_sessions():
    sessions = people(5).assign(instrument="wai-sr", rater="client")
    clients = sessions[["client_id", "simulated"]].drop_duplicates("client_id")
    clients = clients.assign(instrument="rq", rater="therapist", anxiety_mean=range(60), age=99)
    joined = with_clients(sessions, clients)
    assert set(joined["instrument"]) == {"wai-sr"}
    assert set(joined["rater"]) == {"client"}
    assert set(joined["age"]) == {99}
    assert len(joined) == len(sessions)
    assert joined["session_id"].tolist() == sessions["session_id"].tolist()


@pytest.fixture
def online(tmp_path):
    """A study of three clients who were all seen online; scores and what is known of clients lie apart."""
    table = people(6).assign(modality="online", rater="client").drop(columns=["attachment", "diagnosis"])
    table = table[table["client_id"].isin(sorted(table["client_id"].unique())[:3])]
    study = tmp_path / "pilot"
    for name in table["session_id"]:
        (study / name).mkdir(parents=True)
        facts = {"modality": "online", "client_id": table.set_index("session_id")["client_id"][name]}
        (study / name / "session.json").write_text(json.dumps({"session_id": name, "facts": facts}))
    table[["session_id", "simulated"]].to_parquet(study / "features.parquet")
    table[["session_id", "bond"]].to_csv(study / "bonds.csv", index=False)
    clients = table[["client_id", "simulated"]].drop_duplicates()
    clients.assign(attachment=["secure", None, None], diagnosis=None).to_csv(
        study / "clients.csv", index=False
    )
    return study


def test_one_group_only_is_said_and_written_and_no_error_where_nobody_named_a_column(online):
    given = (online, "--bonds", online / "bonds.csv", "--clients", online / "clients.csv")
    (online / "c").mkdir()
    (online / "c" / "comparison.png").write_text("of an earlier comparison")
    out, _ = vsa_compare(*given, "--out", online / "c")
    said = " ".join(out.split())
    assert "There is one group only: modality is 'online' in every session (the manifest of pilot)" in said
    assert "attachment is 'secure' in every session that tells it (clients.csv)" in said
    assert "diagnosis is empty (clients.csv)" in said
    assert sorted(path.name for path in (online / "c").iterdir()) == ["comparison.csv", "comparison.json"]
    told = json.loads((online / "c" / "comparison.json").read_text())
    assert told["tested"] == 0
    assert told["clients"] != 3  # so few could be recognised
    assert told["scores"] == told["models"] == told["behaviours"] == []
    rows = pd.read_csv(online / "c" / "comparison.csv")
    assert rows["factor"].tolist() == ["modality", "attachment", "diagnosis"]
    assert rows["what"].tolist() == ["test"] * 3
    assert rows["reason"][0] == "it is 'online' in every session (the manifest of pilot)"
    assert set(told) == set(library(people(1), ["modality"]).record())
    assert json.loads(vsa_compare(*given, "--json")[0]) == told
    (entry, _) = entries(online)
    assert entry.outcome["outcomes"] == "bond"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("modality", "the manifest of pilot, column modality: it is 'online'"),
        ("diagnosis", "clients.csv, column diagnosis: it is empty"),
    ],
)
def test_one_group_of_a_column_that_was_named_is_an_error_that_names_its_file(online, by, said):
    given = (online, "--bonds", online / "bonds.csv", "--clients", online / "clients.csv")
    error = vsa_compare(*given, "--by", by, "--out", online / "c", fails=True)
    assert isinstance(error, InputError)
    assert error.message.startswith(said)
    assert f"take {by} out of --by, or the stage out of the pipeline" in error.hint
    assert not (online / "c").exists()


def test_small_groups_can_t_be_asked_for(files):
    done = CliRunner().invoke(compare, [str(files / "cohort.csv"), "--least", "2"])
    assert done.exit_code == 2
