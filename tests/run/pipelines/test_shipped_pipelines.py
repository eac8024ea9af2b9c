"""The pipelines that ship with vsa, as their three users run them, in studies whose sessions are simulated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from pipeline_studies import call, ran

from vsa.cli import vsa
from vsa.run.cohort_files import write_cohort
from vsa.simulate.cohort import CohortDesign
from vsa.study.results import Results

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sessions of a minute of 24 clients; there are no recordings, so pipelines begin behind `extract`."""
    study = tmp_path_factory.mktemp("cohort") / "study"
    write_cohort(study, CohortDesign(clients=24, sessions=(1, 1)), "signals", 3, seconds=60)
    return study


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of other people."""
    folder = tmp_path_factory.mktemp("model")
    write_cohort(folder / "others", CohortDesign(clients=20, sessions=(3, 3)), "features", 9)
    words = ["train", str(folder / "others" / "cohort.csv"), "--permutations", "0", "--out"]
    done = CliRunner().invoke(vsa, [*words, str(folder / "current.skops")])
    assert done.exit_code == 0, done.output + str(done.exception)
    return folder


@pytest.fixture
def study(cohort: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cohort, tmp_path / "study")


def test_research_writes_comparison_and_report_and_does_nothing_twice(study: Path) -> None:
    words = ("research", "--study", study, "--json", "--from", "score")
    assert ran(call(*words)) == ["score", "sync", "compare", "report"]
    assert (study / "report-research" / "index.html").is_file()
    assert json.loads((study / "comparison" / "comparison.json").read_text())
    assert ran(call(*words)) == []  # though sync has changed what it reads
    Results(study).gather_features()  # as extraction does when it finds nothing new
    assert ran(call(*words)) == []


def test_quality_lists_sessions_by_the_model_and_again_when_that_changes(study: Path, model: Path) -> None:
    shutil.copy(model / "current.skops", study / "bond.skops")
    words = ("quality", "--study", study, "--json", "--from", "flag")
    assert ran(call(*words)) == ["flag", "report"]
    assert (study / "report" / "index.html").is_file()
    assert ran(call(*words)) == []
    shutil.copytree(model / "current-evaluation", study / "bond-evaluation")
    assert ran(call(*words)) == ["report"]  # which shows the model's card


def test_retrain_tests_the_present_model_and_repeats_to_the_same_one(
    study: Path, model: Path, tmp_path: Path
) -> None:
    again = shutil.copytree(study, tmp_path / "again" / "study")
    for folder in (study, again):
        shutil.copy(model / "current.skops", folder)
    assert ran(call("retrain", "--study", study, "--json")) == ["score", "evaluate", "train"]
    assert json.loads((study / "evaluation-current" / "evaluation.json").read_text())["performance"]
    (record,) = (study / "runs").iterdir()
    told = json.loads(call(record, "--study", again, "--json").stdout)
    assert told["same"]["bond.skops"]
    assert told["same"]["bond-evaluation"]
    assert (study / "bond.skops").read_bytes() != (study / "current.skops").read_bytes()
