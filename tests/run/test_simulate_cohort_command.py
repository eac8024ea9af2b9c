"""`vsa simulate cohort` as a user meets it: what it writes goes through score, train and flag."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import vsa

import vsa as package
from vsa.study.results import Results
from vsa.study.simulated_mark import is_marked


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohort") / "out"
    done = vsa(
        "simulate", "cohort", out, "--clients", 30, "--sessions", "2-4", "--unrated", "0.1", "--seed", 4
    )
    assert done.returncode == 0, done.stderr
    assert "SIMULATED sessions of 30 clients" in done.stdout
    return out


def test_its_answers_score_to_the_bond_that_it_gives(cohort: Path) -> None:
    done = vsa("score", cohort / "answers.csv", "--instrument", "wai-sr", "--out", cohort / "bonds.csv")
    assert done.returncode == 0, done.stderr
    assert "simulated" in done.stdout
    given = pd.read_csv(cohort / "cohort.csv").set_index("session_id")["bond"].dropna()
    scored = pd.read_csv(cohort / "bonds.csv").set_index("session_id")["bond"]
    assert scored.loc[given.index].to_numpy() == pytest.approx(given.to_numpy())


@pytest.mark.slow
def test_it_can_be_trained_on_and_flagged(cohort: Path) -> None:
    model = cohort / "m.skops"
    done = vsa("train", cohort / "cohort.csv", "--out", model, "--permutations", 0)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stdout
    assert "latent" not in done.stdout
    done = vsa("flag", model, cohort / "cohort.csv", "--out", cohort / "flags.csv")
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(cohort / "flags.csv")["simulated"].all()


def test_every_file_says_that_it_is_simulated(cohort: Path) -> None:
    for name in ("cohort.csv", "answers.csv", "attachment.csv", "truth.csv"):
        assert pd.read_csv(cohort / name)["simulated"].all(), name
    assert "SIMULATED" in (cohort / "README.md").read_text("utf-8")
    design = json.loads((cohort / "design.json").read_text("utf-8"))
    assert design["simulated"] is True
    assert (design["seed"], design["design"]["sessions"]) == (4, [2, 4])


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert vsa("simulate", "cohort", tmp_path / name, "--clients", 8, "--seed", 2).returncode == 0
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


@pytest.mark.slow
def test_a_cohort_of_signals_is_a_study(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = vsa(
        "simulate", "cohort", out, "--clients", 2, "--sessions", 1, "--level", "signals", "--seconds", 60, "--json"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sessions"] == 2
    for name in Results(out).sessions():
        record = Results(out).finished(name)
        assert record is not None
        assert record["simulated"] is True
        assert record["facts"]["simulated"] == "true"
        assert not [fact for fact in record["facts"] if "latent" in fact or fact == "bond_z"]
    tables = [*out.rglob("*.parquet")]
    assert len(tables) == 2 * 4 + 1
    assert all(map(is_marked, tables))
    opened = package.open_results(out)
    assert len(opened) == 2
    manifest = pd.read_csv(out / "manifest.csv")
    assert sorted(manifest["session_id"]) == sorted(opened)
    assert manifest["simulated"].all()
    assert not {"bond", "bond_z"} & set(manifest)
    assert "Nothing is wrong with the study" in vsa("doctor", out).stdout
    assert np.isfinite(pd.read_parquet(out / "features.parquet")["client.gaze.on_screen_share"]).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sessions", "4-2"], "no cohort"),
        (["--sessions", "many"], "no number of sessions"),
        (["--instrument", "x"], "no questionnaire"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_nothing_is_left(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = vsa("simulate", "cohort", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = vsa("simulate", "cohort", tmp_path, "--clients", 5)
    assert done.returncode == 2
    assert "mine.txt" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
