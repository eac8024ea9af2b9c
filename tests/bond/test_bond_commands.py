"""The commands do what the library does, and say it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from vsa import cli
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.flags import flag
from vsa.bond.store import load
from vsa.bond.training import train
from vsa.simulate.cohort import simulate_cohort
from vsa.study.tables import read_table


def vsa(capsys, *arguments):
    """Exit code, what was printed, and what was complained of."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code or 0, out, err


@pytest.fixture
def files(tmp_path):
    cohort = simulate_cohort(30, 2, seed=2)
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    simulate_cohort(10, 2, seed=8).drop(columns="bond").to_csv(tmp_path / "new.csv", index=False)
    return tmp_path


@pytest.mark.slow
def test_train_and_flag_from_end_to_end(files, capsys):
    model, flags = files / "model.skops", files / "flags.csv"
    code, out, _ = vsa(
        capsys, "train", files / "cohort.csv", "--out", model, "--seed", 4, "--permutations", 9
    )
    assert code == 0
    for words in ("SIMULATED", "New clients", "New therapists", "mean of the training", "R2", "MAE", "p = "):
        assert words in out
    code, out, _ = vsa(capsys, "flag", model, files / "new.csv", "--budget", "0.2", "--out", flags)
    assert code == 0
    for words in ("review suggested", "SIMULATED", "decides nothing", "cohort.csv"):
        assert words in out
    written = pd.read_csv(flags)
    unjudged = written[written["verdict"] == "abstain"].head(3)
    assert len(unjudged)
    assert all(f"{row['session_id']}: {row['reason']}" in out for _, row in unjudged.iterrows())
    same = flag(load(model), read_table(files / "new.csv"), 0.2).table
    assert written["session_id"].tolist() == same["session_id"].tolist()
    assert written["expected_bond"].to_numpy() == pytest.approx(same["expected_bond"].to_numpy(), nan_ok=True)
    assert written["simulated"].all()
    assert written["label_source"].str.contains("SIMULATED").all()


@pytest.mark.slow
def test_json_of_the_commands_is_what_the_library_gives(files, capsys):
    model = files / "model.skops"
    _, out, _ = vsa(capsys, "train", files / "cohort.csv", "--out", model, "--permutations", 0, "--json")
    info = train(read_table(files / "cohort.csv"), settings=Settings(permutations=0)).info
    told = json.loads(out)
    assert told["design"]["features"] == list(info.features)
    assert told["evaluation"] == json.loads(json.dumps(info.evaluation))
    assert told["simulated"] is True
    _, out, _ = vsa(
        capsys, "flag", model, files / "new.csv", "--budget", 3, "--out", files / "f.csv", "--json"
    )
    told = json.loads(out)
    assert told["counts"] == {
        "weak": 3,
        "ok": sum(told["counts"].values()) - 3 - told["counts"]["abstain"],
    } | {"abstain": told["counts"]["abstain"]}
    assert len(told["sessions"]) == 20


@pytest.mark.slow
def test_bonds_come_from_a_table_of_their_own(files, capsys):
    cohort = pd.read_csv(files / "cohort.csv")
    own = ["session_id", "client_id", "therapist_id", "bond", "simulated"]
    cohort[own].rename(columns={"bond": "wai_bond"}).to_csv(files / "bonds.csv", index=False)
    cohort.drop(columns=own[1:]).to_parquet(files / "features.parquet")
    arguments = ["--bonds", files / "bonds.csv", "--bond", "wai_bond", "--out", files / "m.skops", "--json"]
    arguments += ["--permutations", 0]
    code, out, _ = vsa(capsys, "train", files, *arguments)
    assert code == 0
    told = json.loads(out)
    assert (
        told["label_source"]
        == "column 'wai_bond' of bonds.csv, rated by client, SIMULATED: not reported by people"
    )
    alone = train(read_table(files / "cohort.csv"), settings=Settings(permutations=0)).info
    scores = [one["held_out"][0]["scores"]["features"] for one in (told["evaluation"], alone.evaluation)]
    assert scores[0] == scores[1]


def test_the_registry_is_listed_and_shown(capsys):
    code, out, _ = vsa(capsys, "features", "list", "--json")
    assert code == 0
    listed = {entry["name"]: entry for entry in json.loads(out)}
    assert len(listed) >= 10
    code, out, _ = vsa(capsys, "features", "show", "client.head.nod_rate_per_min")
    assert code == 0
    assert listed["head.nod_rate_per_min"]["definition"] in out
    assert listed["head.nod_rate_per_min"]["source"] in out
    code, out, _ = vsa(capsys, "features", "list")
    assert all(name in out for name in listed)


def test_a_study_that_one_stands_in_is_called_after_its_folder(files, capsys, monkeypatch):
    study = files / "pilot"
    (study / "s1").mkdir(parents=True)
    read_table(files / "new.csv").head(3).to_parquet(study / "features.parquet")
    for inside, given in ((study, "."), (study / "s1", "..")):
        monkeypatch.chdir(inside)
        code, _, err = vsa(capsys, "flag", given, "--rules", "--out", files / "f.csv")
        assert code == 2
        assert "Error: pilot has 3 sessions; rules need 20" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "{}/new.csv", "--out", "{}/m"], "no column 'bond'"),
        (["train", "{}/cohort.csv", "--bond", "client_id", "--out", "{}/m"], "is no number"),
        (["train", "{}/absent.csv", "--out", "{}/m"], "does not exist"),
        (["flag", "{}/cohort.csv", "{}/new.csv", "--out", "{}/f.csv"], "no bond model"),
        (["train", "{}/cohort.csv", "--out", "{}/m", "--weak", "worst"], "defines no weak bond"),
        (["train", "{}/cohort.csv", "--out", "{}/m", "--covariates", "shoe"], "no column shoe"),
        (["train", "{}/cohort.csv", "--out", "{}/m", "--start-from", "{}/cohort.csv"], "no bond model"),
        (["flag", "{}/new.csv", "--out", "{}/f.csv"], "Give a model and a study"),
        (["flag", "{}/cohort.csv", "{}/new.csv", "--rules", "--out", "{}/f.csv"], "the study or table alone"),
        (["evaluate", "{}/cohort.csv", "{}/new.csv"], "no bond model"),
        (["features", "show", "mood"], "There is no feature 'mood'"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(files, capsys, arguments, said):
    before = sorted(path.name for path in files.iterdir())
    code, out, err = vsa(capsys, *(argument.replace("{}", str(files)) for argument in arguments))
    assert code == 2
    assert said in err
    assert not out
    assert len([line for line in err.strip().splitlines() if not line.startswith(("Usage", "Try"))]) <= 3
    assert sorted(path.name for path in files.iterdir()) == before
