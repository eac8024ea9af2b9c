"""`vsa report` from end to end: on a study of simulated signals, and on tables."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from studies import content, holding, log_of

from vsa.bond import store
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.training import Trained, train
from vsa.cli import vsa
from vsa.run.cohort_files import write_cohort
from vsa.run.evaluation_files import write_evaluation
from vsa.run.reporting.listing import _held_out
from vsa.simulate.cohort import CohortDesign, simulate_cohort

HOSTILE = "<img src=x onerror=alert(1)>\"'</script>=1+1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short sessions, three of each of seven clients, as extraction would write them."""
    out = tmp_path_factory.mktemp("made") / "study"
    write_cohort(out, CohortDesign(clients=7, sessions=(3, 3)), "signals", 5, seconds=60.0, fps=10.0)
    return out


@pytest.fixture(scope="module")
def whole(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The report of all of them, by rules, and what was said."""
    out = tmp_path_factory.mktemp("whole") / "report"
    return out, report(made, "--rules", "--out", out)


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(simulate_cohort(30, 2, seed=2), settings=Settings(seed=0, permutations=0, repeats=1))


@pytest.fixture(scope="module")
def model(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "bond.skops"
    store.save(trained.model, path)
    write_evaluation(trained, path)
    return path


def report(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(vsa, ["report", *map(str, arguments), "--jobs", "1"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def failing(*arguments: str | Path) -> str:
    """What a call says that is refused."""
    done = CliRunner().invoke(vsa, ["report", *map(str, arguments), "--jobs", "1"])
    assert done.exit_code != 0
    return f"{done.output} {done.exception}"


#: For what does not need all of them.
ONE = ("--session", "sim-c001-s2")


def test_a_study_becomes_pages_without_a_model(made: Path, whole: tuple[Path, str]) -> None:
    out, said = whole
    index = (out / "index.html").read_text("utf-8")
    assert "21 session pages" in said
    assert str(out / "index.html") in said
    for name in pd.read_parquet(made / "features.parquet")["session_id"]:
        assert f'href="sessions/{name}.html"' in index
        page = (out / "sessions" / f"{name}.html").read_text("utf-8")
        assert name in page
        assert "SIMULATED" in page
        assert "timeline-data" in page
    assert "SIMULATED" in index
    assert json.loads((out / "report.json").read_text())["list"] == "rules"
    entry = log_of(made)[0]
    assert entry["command"] == "report"
    assert len(entry["ids"]) == 21


def test_a_table_and_a_model_become_the_review_list(model: Path, tmp_path: Path) -> None:
    table = simulate_cohort(6, 3, seed=9)
    table.to_csv(tmp_path / "cohort.csv", index=False)
    said = report(tmp_path / "cohort.csv", "--model", model, "--budget", "4", "--out", tmp_path / "report")
    assert "4 weak (review suggested)" in said
    index = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert index.count("badge weak") >= 4
    assert "bond.skops" in index
    for name in ("card.html", "expected.png", "predictors.png"):
        assert (tmp_path / "report" / "model" / name).is_file()
    report(tmp_path / "cohort.csv", "--model", model, "--budget", "4", "--out", tmp_path / "report")
    assert "There are no signals" in (tmp_path / "report" / "sessions").joinpath(
        f"{table['session_id'][0]}.html"
    ).read_text("utf-8")


def test_sessions_without_consent_have_no_page_and_are_named_with_the_reason(
    study: Path, tmp_path: Path
) -> None:
    manifest = pd.read_csv(study / "manifest.csv")
    manifest.loc[manifest["client_id"] == "sim-c002", "consent"] = "research"
    manifest.to_csv(study / "manifest.csv", index=False)
    report(study, *ONE, "--out", tmp_path / "report")
    index = (tmp_path / "report" / "index.html").read_text("utf-8")
    left_out = manifest["session_id"][manifest["client_id"] == "sim-c002"]
    assert len(left_out) == 3
    for name in left_out:
        assert name in index
        assert not (tmp_path / "report" / "sessions" / f"{name}.html").exists()
    assert "Not all of its people agreed to quality." in index
    assert "no session sim-c002-s1" in failing(study, "--session", "sim-c002-s1", "--out", tmp_path / "r2")


def test_a_session_is_used_as_the_study_around_it_says(study: Path, tmp_path: Path) -> None:
    first, second, *_ = sorted(path.name for path in study.glob("*-s?"))
    manifest = study / "manifest.csv"
    lines = manifest.read_text("utf-8-sig").splitlines()
    manifest.write_text(
        "\n".join(line.replace(",yes,", ",no,", 1) if line.startswith(first) else line for line in lines)
    )
    (study / "log.jsonl").unlink(missing_ok=True)
    for source in (study / first, study / first / "features.parquet"):
        assert "may be used for quality" in failing(source, "--out", tmp_path / "report")
        assert not (tmp_path / "report").exists()
    assert not (study / "log.jsonl").exists()
    report(study / second, "--out", tmp_path / "report")
    assert not (study / second / "log.jsonl").exists()
    assert [entry["ids"] for entry in log_of(study)] == [[second]]


def test_pages_for_research_have_no_list(study: Path, tmp_path: Path) -> None:
    report(study, "--purpose", "research", *ONE, "--out", tmp_path / "report")
    assert "badge weak" not in (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "--purpose research has none" in failing(
        study, "--rules", "--purpose", "research", "--out", tmp_path / "r2"
    )


def test_pseudonyms_leave_no_id_in_any_file(study: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a key that nobody can guess 7d1")
    key.chmod(0o600)
    report(study, "--rules", "--pseudonymize", key, "--out", tmp_path / "report")
    table = pd.read_csv(study / "manifest.csv")
    ids = [*table["session_id"], *table["client_id"].unique(), *table["therapist_id"].unique()]
    assert holding(tmp_path / "report", *ids, but=()) == []
    pages = {path.name for path in (tmp_path / "report" / "sessions").iterdir()}
    assert len(pages) == 21
    report(study, *ONE, "--pseudonymize", key, "--out", tmp_path / "again")
    assert {path.name for path in (tmp_path / "again" / "sessions").iterdir()} < pages
    key.write_text("another key that nobody can guess")
    report(study, *ONE, "--pseudonymize", key, "--out", tmp_path / "other")
    assert not {path.name for path in (tmp_path / "other" / "sessions").iterdir()} & pages


def test_hostile_ids_and_facts_stay_text(tmp_path: Path) -> None:
    table = simulate_cohort(7, 3, seed=9)
    table["session_id"] = [f"{HOSTILE}{k}" for k in range(len(table))]
    table["client_id"] = HOSTILE
    table["platform"] = HOSTILE
    table["remark"] = HOSTILE
    table.to_csv(tmp_path / "cohort.csv", index=False)
    report(tmp_path / "cohort.csv", "--rules", "--out", tmp_path / "report")
    pages = [*(tmp_path / "report").glob("*.html"), *(tmp_path / "report" / "sessions").iterdir()]
    assert len(pages) == 1 + len(table)
    for page in pages:
        text = page.read_text("utf-8")
        assert "<img src=x" not in text
        assert text.count("</script>") == text.count("<script")
    assert {page.resolve().parent for page in pages} == {
        (tmp_path / "report").resolve(),
        (tmp_path / "report" / "sessions").resolve(),
    }


def test_a_damaged_session_costs_only_its_timeline(study: Path, tmp_path: Path) -> None:
    name = sorted(p.parent.name for p in study.glob("*/session.json"))[0]
    voice = study / name / "voice.parquet"
    voice.write_bytes(voice.read_bytes()[: voice.stat().st_size // 2])
    assert "2 session pages" in report(study, "--session", name, *ONE, "--out", tmp_path / "report")
    assert "timeline-data" not in (tmp_path / "report" / "sessions" / f"{name}.html").read_text("utf-8")
    assert "timeline-data" in (tmp_path / "report" / "sessions" / "sim-c001-s2.html").read_text("utf-8")


def test_one_session_alone_can_be_asked_for(study: Path, tmp_path: Path) -> None:
    report(study, *ONE, "--out", tmp_path / "report")
    assert [p.name for p in (tmp_path / "report" / "sessions").iterdir()] == ["sim-c001-s2.html"]
    assert "no session nobody" in failing(study, "--session", "nobody", "--out", tmp_path / "r2")


def test_a_report_holds_no_picture_or_sound_of_people(whole: tuple[Path, str]) -> None:
    kinds = {path.suffix for path in whole[0].rglob("*") if path.is_file()}
    assert kinds <= {".html", ".css", ".js", ".json", ".png"}
    assert [path.name for path in whole[0].rglob("*.png")] in ([], ["comparison.png"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rules", "--model", "x"], "not both"),
        (["--budget", "0.1"], "needs a --model or --rules"),
        (["--rules", "--threshold", "0.3"], "Give a --budget"),
        (["--media", "."], "--link-media links them"),
        (["--pseudonymize", "key", "--link-media"], "would tell their names"),
        (["--pseudonymize", "no-such-key"], "no-such-key"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--bonds", "no-such-table.csv"], "no-such-table.csv"),
    ],
)
def test_a_call_that_cannot_be_right_says_so_and_writes_nothing(
    study: Path, tmp_path: Path, arguments: list[str], says: str
) -> None:
    assert says in failing(study, *arguments, "--out", tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_reported_bonds_are_shown_where_they_are_given(study: Path, tmp_path: Path) -> None:
    names = pd.read_parquet(study / "features.parquet")["session_id"]
    pd.DataFrame({"session_id": names, "bond": 4.125, "rater": "client"}).to_csv(
        study / "bonds.csv", index=False
    )
    assert f"give --bonds {study / 'bonds.csv'}" in report(study, *ONE, "--out", tmp_path / "without")
    report(study, *ONE, "--bonds", study / "bonds.csv", "--out", tmp_path / "with")
    assert b"4.12" in content(tmp_path / "with" / "index.html")
    assert b"4.12" not in content(tmp_path / "without" / "index.html")


def test_predictions_hold_no_formulas_and_a_report_knows_whose_they_are(
    trained: Trained, tmp_path: Path
) -> None:
    ids = '=HYPERLINK("http://x")' + trained.predictions["session_id"]
    told = trained.predictions.assign(session_id=ids)
    write_evaluation(replace(trained, predictions=told), tmp_path / "bond.skops")
    written = pd.read_csv(tmp_path / "bond-evaluation" / "predictions.csv")
    assert written["session_id"].str.startswith("'=").all()
    assert [*_held_out(tmp_path / "bond.skops")] == [*ids]


def test_nothing_but_pictures_and_text_is_taken_from_beside_a_model(model: Path, tmp_path: Path) -> None:
    simulate_cohort(6, 3, seed=9).to_csv(tmp_path / "cohort.csv", index=False)
    beside = tmp_path / "bond-evaluation"
    shutil.copy(model, tmp_path / "bond.skops")
    shutil.copytree(model.parent / "bond-evaluation", beside)
    (tmp_path / "secret").write_bytes((beside / "learning.png").read_bytes() + b"sesame")
    (beside / "expected.png").unlink()
    (beside / "expected.png").symlink_to(tmp_path / "secret")
    (beside / "predictors.png").write_text("<svg onload=alert(1)>")
    (beside / "card.html").write_text("<script>alert(1)</script>")
    with (beside / "card.md").open("a") as card:
        card.write("\n<script>alert(1)</script>\n\nAsk the library\n")
    made = (tmp_path / "cohort.csv", "--model", tmp_path / "bond.skops", "--out", tmp_path / "report")
    said = report(*made)
    assert {path.name for path in (tmp_path / "report" / "model").iterdir()} == {
        *("card.html", "flags.png", "signals.png", "learning.png")
    }
    for name in ("expected.png", "predictors.png"):
        assert f"{name} is not in the report" in said
        assert name not in (tmp_path / "report" / "index.html").read_text("utf-8")
    card = (tmp_path / "report" / "model" / "card.html").read_text("utf-8")
    assert "<script" not in card
    assert "Ask the library" in card
    assert "default-src 'none'" in card
    beside.rename(tmp_path / "elsewhere")
    beside.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert "learning.png is not in the report" in report(*made)
    assert [path.name for path in (tmp_path / "report" / "model").iterdir()] == ["card.html"]
