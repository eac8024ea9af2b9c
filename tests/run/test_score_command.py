from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from command import vsa as vsa_process
from questionnaires import MOODS, one_factor, wide

from vsa.cli import main
from vsa.study.instruments import load, names
from vsa.study.tables import read_table, with_bonds

HEAD = 'name = "Made up"\nsource = "none"\nrights = "Nobody\'s."\n'
wai = load("wai-sr")


@pytest.fixture
def vsa(capsys):
    """The command line in this process, which is quicker than one for each call."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        return CompletedProcess(arguments, ended.value.code, *capsys.readouterr())

    return run


def answered(n, *, low=1, high=5, seed=0, reversed_=(), items=12):
    loadings = [-0.8 if k in reversed_ else 0.8 for k in range(1, items + 1)]
    return np.clip(np.round((low + high) / 2 + one_factor(n, loadings, [0.6] * items, seed)), low, high)


@pytest.fixture
def answers(tmp_path):
    """Sixty sessions of twenty clients; two answers missing, three unusable."""
    table = wide(wai, answered(60).astype(int).astype(object), client_id=[f"c{k // 3}" for k in range(60)])
    table.loc[3, "wai_sr_3"] = None
    table.loc[4, ["wai_sr_5", "wai_sr_7"]] = [7, None]
    table.loc[5, "wai_sr_1"] = "often"
    table.loc[6, "wai_sr_1"] = 2.5
    path = tmp_path / "answers.csv"
    table.to_csv(path, index=False)
    return path


def test_scores_are_written_and_what_is_odd_is_said(answers, tmp_path):
    out = tmp_path / "bonds.csv"
    done = vsa_process("score", answers, "--instrument", "wai-sr", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "60 filled in by the client (wai-sr has no other form)" in done.stdout
    assert "s4 (client, row 6), item 5: '7' is out of range; whole numbers 1 to 5" in done.stdout
    assert "s5 (client, row 7), item 1: 'often' is not a number" in done.stdout
    assert "s3 (client, row 5), item 3: not answered" in done.stdout
    assert "3 answers can't be scored" in done.stdout
    assert "Several are of the same clients" in done.stdout
    assert "no norms" in done.stdout
    assert wai.rights in done.stdout
    scores = read_table(out)
    assert len(scores) == 60
    assert scores["bond"].isna().sum() == 1  # s4: two of four
    assert scores["bond_prorated"].sum() == 1
    assert (scores["bond_percentile_n"] == 59).all()
    given = pd.read_csv(answers)
    expected = given[[f"wai_sr_{k}" for k in (3, 5, 7, 9)]].apply(pd.to_numeric).mean(axis=1)
    np.testing.assert_allclose(scores["bond"].drop([3, 4]), expected.drop([3, 4]))


def test_train_takes_the_scores(vsa, answers, tmp_path):
    vsa("score", answers, "--instrument", "wai-sr", "--out", tmp_path / "bonds.csv")
    features = pd.DataFrame({"session_id": [f"s{k}" for k in range(60)], "client.face.smile_share": 0.1})
    joined = with_bonds(features, read_table(tmp_path / "bonds.csv"))
    assert joined["bond"].notna().sum() == 59
    assert set(joined["rater"]) == {"client"}


def test_everything_is_in_the_document_for_machines(vsa, answers, tmp_path):
    done = vsa(
        "score", answers, "--instrument", "wai-sr", "--out", tmp_path / "b.csv", "--json", "--prorate", "1"
    )
    told = json.loads(done.stdout)
    assert (told["instrument"], told["prorate"], told["respondents"]) == ("wai-sr", 1, {"client": 60})
    assert len(told["problems"]) == 5
    assert told["problems"][0] == {
        "session_id": "s3",
        "rater": "client",
        "row": 5,
        "item": "3",
        "value": "",
        "what": "not answered",
    }
    bond = next(one for one in told["reliability"] if one["scale"] == "bond")
    assert bond["n"] == 58
    assert 0.7 < bond["alpha"] <= bond["omega"] < 1
    assert not told["unverified"]


def test_report_lists_all_and_strict_stops(vsa, answers, tmp_path):
    report, out = tmp_path / "odd.csv", tmp_path / "bonds.csv"
    common = ("score", answers, "--instrument", "wai-sr", "--out", out, "--report", report)
    done = vsa(*common, "--strict")
    assert done.returncode == 2
    assert "3 answers can't be scored; nothing was scored" in done.stderr
    assert "'often' is not a number" in done.stderr
    assert not out.exists()
    listed = pd.read_csv(report, dtype=str)
    assert listed["problem"].value_counts().to_dict() == {
        "not answered": 2,
        "out of range": 1,
        "not a number": 1,
        "not a whole number": 1,
    }
    assert vsa(*common).returncode == 0
    clean = tmp_path / "clean.csv"
    wide(wai, [[3] * 12]).to_csv(clean, index=False)
    assert vsa("score", clean, "--instrument", "wai-sr", "--out", out, "--strict").returncode == 0


def test_answers_reversed_before_are_suspected_and_can_be_said(vsa, tmp_path):
    key = tmp_path / "moods.toml"
    key.write_text(HEAD + MOODS)
    done_before = answered(60, high=7, items=8)  # all the same way round
    wide_table = wide(load(str(key)), done_before.astype(int))
    wide_table.to_csv(tmp_path / "a.csv", index=False)
    common = ("score", tmp_path / "a.csv", "--instrument", key, "--out", tmp_path / "b.csv")
    done = vsa(*common, "--respondent", "client")
    assert "looks reversed already" in done.stdout
    assert "item 4 goes against its scale" in done.stdout
    assert "from memory, not compared with the form" in done.stdout
    assert "which items are reversed" in done.stdout
    said = vsa(*common, "--respondent", "client", "--already-reversed")
    assert "goes against" not in said.stdout
    assert "reversed already" not in said.stdout
    raw = answered(60, high=7, items=8, reversed_=(4, 6))
    wide(load(str(key)), raw.astype(int)).to_csv(tmp_path / "a.csv", index=False)
    assert "goes against" not in vsa(*common, "--respondent", "client").stdout
    wrong = vsa(*common, "--respondent", "client", "--already-reversed")
    assert "leave --already-reversed away" in wrong.stdout


def test_answers_on_another_range_are_suspected(vsa, tmp_path):
    wide(wai, answered(40, low=0, high=4).astype(int)).to_csv(tmp_path / "a.csv", index=False)
    done = vsa("score", tmp_path / "a.csv", "--instrument", "wai-sr", "--out", tmp_path / "b.csv")
    assert "Answers run from 0 to 4, those to wai-sr from 1 to 5" in done.stdout


def test_ceiling_and_few_scores_are_said(vsa, tmp_path):
    values = answered(30).astype(int)
    values[:9] = 5
    wide(wai, values).to_csv(tmp_path / "a.csv", index=False)
    done = vsa("score", tmp_path / "a.csv", "--instrument", "wai-sr", "--out", tmp_path / "b.csv")
    assert "of the bond scores are the highest possible" in done.stdout
    assert "percentiles are among 30 bond scores only" in done.stdout
    wide(wai, values[:15]).to_csv(tmp_path / "a.csv", index=False)
    done = vsa("score", tmp_path / "a.csv", "--instrument", "wai-sr", "--out", tmp_path / "b.csv")
    assert "no percentiles, they take 20 bond scores and there are 15" in done.stdout
    assert "no alpha: fewer than 20 complete rows" in done.stdout
    assert read_table(tmp_path / "b.csv")["bond_percentile"].isna().all()


def test_both_respondents_are_kept_apart_and_train_needs_one(vsa, tmp_path):
    table = wide(load("wai-s"), answered(60, high=7).astype(int), respondent=["client", "therapist"] * 30)
    table["session_id"] = [f"s{k // 2}" for k in range(60)]
    table.to_csv(tmp_path / "a.csv", index=False)
    common = ("score", tmp_path / "a.csv", "--instrument", "wai-s", "--out", tmp_path / "b.csv")
    done = vsa(*common)
    assert "30 filled in by the client" in done.stdout
    assert "30 filled in by the therapist" in done.stdout
    assert "takes one row a session: score again with --respondent" in done.stdout
    assert len(read_table(tmp_path / "b.csv")) == 60
    vsa(*common, "--respondent", "client")
    assert set(read_table(tmp_path / "b.csv")["rater"]) == {"client"}


def test_styles_of_attachment_come_with_a_warning(vsa, tmp_path):
    table = wide(load("rq"), [[6, 2, 3, 4], [5, 5, 1, 2]], respondent="client", rq_choice=["", "fearful"])
    table.rename(columns={"session_id": "client_id"}).to_csv(tmp_path / "a.csv", index=False)
    done = vsa("score", tmp_path / "a.csv", "--instrument", "rq", "--out", tmp_path / "b.csv")
    assert done.returncode == 0, done.stderr
    assert "authors don't recommend" in done.stdout
    assert pd.read_csv(tmp_path / "b.csv")["style"].tolist() == ["secure", "fearful"]


def test_list_names_all_with_what_is_from_memory(vsa, tmp_path):
    done = vsa("score", "--list")
    assert done.returncode == 0
    assert all(name in done.stdout for name in names())
    assert "from memory" in done.stdout
    told = {one["id"]: one for one in json.loads(vsa("score", "--list", "--json").stdout)}
    assert told["wai-sr"]["scales"]["bond"] == ["3", "5", "7", "9"]


def test_wrong_calls_are_refused_in_words(vsa, answers, tmp_path):
    out = tmp_path / "b.csv"
    done = vsa("score", answers)
    assert done.returncode == 2
    assert "Missing --instrument, --out" in done.stderr
    for arguments, said in (
        (("--instrument", "wai"), "no questionnaire 'wai'"),
        (("--instrument", "wai-36"), "36 items of wai-36 were not found"),
        (("--instrument", "wai-sr", "--respondent", "therapist"), "not by the therapist"),
        (("--instrument", "wai-sr", "--prorate", "2"), "no share"),
        (("--instrument", "wai-sr", "--column", "session_id"), "not of the form"),
        (("--instrument", "wai-sr", "--items", "q{item}"), "No column fits"),
    ):
        done = vsa("score", answers, "--out", out, *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not out.exists()
    before = answers.read_bytes()
    done = vsa("score", answers, "--instrument", "wai-sr", "--out", answers)
    assert (done.returncode, "the same file" in done.stderr) == (2, True)
    assert answers.read_bytes() == before


def test_scoring_into_a_study_is_logged(vsa, answers, tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (study / "manifest.csv").write_text("session_id,video,consent\n")
    done = vsa("score", answers, "--instrument", "wai-sr", "--out", study / "bonds.csv")
    assert done.returncode == 0, done.stderr
    entry = json.loads((study / "log.jsonl").read_text())
    assert (entry["command"], len(entry["ids"])) == ("score", 60)
    assert entry["outcome"] == {"scores": "bonds.csv", "instrument": "wai-sr", "rows": 60}


def test_the_example_in_the_documentation_is_a_questionnaire(vsa, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "questionnaires.md"
    key = tmp_path / "my-form.toml"
    key.write_text(page.read_text("utf-8").split("```toml\n")[1].split("```")[0], "utf-8")
    wide(load(str(key)), [[7, 1, 1, 7, 7]]).to_csv(tmp_path / "a.csv", index=False)
    done = vsa(
        "score",
        tmp_path / "a.csv",
        "--instrument",
        key,
        "--respondent",
        "client",
        "--out",
        tmp_path / "b.csv",
    )
    assert done.returncode == 0, done.stderr
    assert read_table(tmp_path / "b.csv")["bond"].tolist() == [7]
