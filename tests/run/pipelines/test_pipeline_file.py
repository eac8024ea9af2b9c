"""A pipeline file is checked as a whole before anything starts, and says in words what is wrong."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from pipeline_studies import COMPARE, FLAG, HEAD, SCORE, call, write_pipeline

from vsa.errors import InputError
from vsa.run.pipelines.file import find, read
from vsa.run.pipelines.schema import arguments, paths

SHIPPED = ("quality", "research", "retrain")


def faults(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as error:
        read(write_pipeline(folder, text))
    return error.value.message


def test_a_misspelt_setting_is_named_with_the_nearest_right_one(tmp_path: Path) -> None:
    told = faults(tmp_path, HEAD + SCORE + "pro_rate = 1\n" + '[stage.flag]\nbudgte = 3\nout = "f.csv"\n')
    assert "[stage.score] pro_rate: no such setting. Did you mean prorate?" in told
    assert "[stage.flag] budgte: no such setting. Did you mean budget?" in told


def test_names_of_stages_and_tables_are_looked_up_too(tmp_path: Path) -> None:
    told = faults(tmp_path, HEAD.replace("version", "verison") + '[stages]\n[stage.trian]\nout = "m.skops"\n')
    assert "[stages]: no such table. Did you mean stage?" in told
    assert "[pipeline] verison: no such key. Did you mean version?" in told
    assert "[pipeline] version: missing, or not a whole number." in told
    assert "[stage.trian] is no command: 'trian'. Did you mean train?" in told


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seed = 'one'", "seed: 'one' is not a valid integer."),
        ("permutations = -1", "permutations: -1 is not in the range x>=0."),
        ("features = 'some'", "features: 'some' is not one of 'core', 'all'."),
        ("bond = ['a', 'b']", "bond: takes one value, and no list."),
        ("reliability = nan", "reliability: nan is no number."),
        ("weak = true", "weak: takes a text or a number."),
        ("contact = ''", "contact: is empty; leave it out instead."),
        ("start-from = 's3://a/b.skops'", "start-from: s3://a/b.skops: an address can't be used here."),
    ],
)
def test_a_value_that_the_command_would_refuse_is_refused_at_once(
    tmp_path: Path, line: str, said: str
) -> None:
    assert said in faults(tmp_path, f'{HEAD}[stage.train]\nout = "m.skops"\n{line}\n')


def test_switches_take_true_or_false(tmp_path: Path) -> None:
    assert "strict: takes true or false." in faults(tmp_path, HEAD + SCORE + 'strict = "yes"\n')


def test_what_a_command_needs_and_the_file_lacks_is_said(tmp_path: Path) -> None:
    told = faults(tmp_path, HEAD + "[stage.score]\n[stage.evaluate]\n[stage.train]\n")
    for stage, key in [
        ("score", "answers"),
        ("score", "instrument"),
        ("score", "out"),
        ("evaluate", "model"),
        ("train", "out"),
    ]:
        assert f"[stage.{stage}] {key}: missing; 'vsa {stage}' needs it." in told
    assert told.startswith(f"{tmp_path / 'small.toml'} has 5 faults:")


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 6" in faults(tmp_path, HEAD + "\n[stage.train\n")


def test_settings_become_the_words_of_the_command_line(tmp_path: Path) -> None:
    text = (
        f'{HEAD}[stage.odd]\ncommand = "compare"\nby = ["a", "b"]\noutcome = ["x", "y"]\nout = "../to"\n'
        + 'bonds = "-b.csv"\n[stage.flag]\nmodel = "m.skops"\nout = "f.csv"\nrules = false\n'
    )
    odd, flag = read(write_pipeline(tmp_path, text)).stages
    assert arguments(odd.command, odd.settings, Path("st")) == [
        *("compare", "--by", "a,b", "--outcome", "x", "--outcome", "y"),
        *("--out", "st/../to", "--bonds", "st/-b.csv", "st"),
    ]
    assert arguments(flag.command, flag.settings, Path("st")) == [
        "flag",
        "--out",
        "st/f.csv",
        "st/m.skops",
        "st",
    ]


def test_a_value_that_begins_with_a_hyphen_is_no_option(tmp_path: Path) -> None:
    text = f'{HEAD}[stage.train]\nout = "m.skops"\ncontact = "-0.2"\n'
    (stage,) = read(write_pipeline(tmp_path, text)).stages
    assert "--contact=-0.2" in arguments(stage.command, stage.settings, Path("st"))


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (
            SCORE.replace("wai-sr", "wai-srr"),
            "[stage.score] instrument: There is no questionnaire 'wai-srr'.",
        ),
        (SCORE + "prorate = 7\n", "prorate: --prorate 7 is no share of items."),
        (FLAG.replace("0.2", "-3"), "[stage.flag] budget: A budget of -3 is none."),
        (FLAG.replace("rules = true", 'model = "m.skops"') + "threshold = 0.3\n", "one of them, not both"),
        (FLAG.replace("rules = true", 'rules = true\nmodel = "m.skops"'), "model: not with rules"),
        (FLAG.replace("rules = true", ""), "[stage.flag] model: missing; set it, or rules = true."),
        (FLAG.replace("budget = 0.2", "threshold = 0.2"), "threshold: rules give no probability"),
        ('[stage.report]\nout = "r"\nthreshold = 5\n', "threshold: A threshold of 5 is no probability."),
        ('[stage.train]\nout = "m.skops"\nweak = "foo"\n', "weak: 'foo' defines no weak bond."),
        ('[stage.train]\nout = "m.skops"\nreliability = 7\n', "reliability: A reliability of 7 is none."),
        ("[stage.extract]\nfps = -3\n", "fps: --fps -3 is no rate."),
        ('[stage.extract]\nengine = "gpu"\n', "engine: there is no engine 'gpu'."),
        ('[stage.extract]\noverlay = "x.avi"\n', "overlay: x.avi: the film is an MP4 file."),
        (
            SCORE.replace("answers.csv", "~nosuchuser/b.csv"),
            "answers: ~nosuchuser/b.csv: there is no such user.",
        ),
        (SCORE.replace("answers.csv", "x" * 300), "answers: xxxxxxxxxx"),
    ],
)
def test_what_a_command_would_refuse_only_when_it_runs_is_refused_at_once(
    tmp_path: Path, stage: str, said: str
) -> None:
    assert said in faults(tmp_path, HEAD + stage)


def test_brackets_without_end_are_no_pipeline(tmp_path: Path) -> None:
    assert "lie more than 64 deep in each other" in faults(tmp_path, f"a = {'[' * 3000}")
    assert "a key in it has more than 64 parts" in faults(tmp_path, f"a{'.a' * 100_000} = 1")


def test_a_mark_of_unicode_at_the_beginning_is_passed_over(tmp_path: Path) -> None:
    """Notepad puts it there."""
    assert read(write_pipeline(tmp_path, "\ufeff" + HEAD + FLAG)).name == "small"


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes((HEAD + FLAG).replace("\n", "\r\n").encode())
    assert read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_pipelines_are_found_by_name_from_anywhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(find(name)).name == name
    assert find(f"pipelines/{name}.toml") == find(f"{name}.toml") == find(name)


@pytest.mark.parametrize("name", SHIPPED)
def test_settings_that_shipped_pipelines_offer_in_comments_are_right_too(name: str, tmp_path: Path) -> None:
    text = find(name).read_text("utf-8")
    offered = re.sub(r"^# ([a-z-]+ = )", r"\1", text, flags=re.MULTILINE)
    offered = offered.replace("rules = true\n", "")  # in the place of a model
    assert offered.count("\n") == text.count("\n") - (name == "quality")
    plain, full = (read(write_pipeline(tmp_path, one)).stages for one in (text, offered))
    assert sum(len(one.settings) for one in full) > sum(len(one.settings) for one in plain)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_setting_of_shipped_pipelines_says_why(name: str) -> None:
    known = set[str]()
    for line in find(name).read_text("utf-8").splitlines():
        key, found, rest = line.partition(" = ")
        if found and not key.startswith("#") and "#" not in rest:
            known.add(key)
    # paths of tables say what they are
    assert known <= {"name", "version", "purpose", "answers", "out", "bonds", "report", "outcome"}


def test_a_name_that_nothing_has_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"Did you mean quality\?.* quality, research, retrain"):
        find("qualty")


def test_print_gives_a_file_to_start_from(tmp_path: Path) -> None:
    done = call("quality", "--print")
    assert write_pipeline(tmp_path, done.stdout).read_text() == find("quality").read_text("utf-8")


def test_all_that_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("session_id,video,consent\n")
    done = call(write_pipeline(tmp_path, HEAD + SCORE + FLAG + COMPARE), "--study", tmp_path)
    assert isinstance(done.exception, InputError)
    assert "[stage.score] answers: answers.csv is not in" in done.exception.message
    assert "[stage.compare] clients: clients.csv is not in" in done.exception.message
    assert "bonds.csv" not in done.exception.message  # a stage before writes it
    assert not (tmp_path / "runs").exists()


def test_what_to_ask_a_batch_system_for_lies_in_the_study_and_an_address_nowhere(tmp_path: Path) -> None:
    def given(cluster: str) -> list[str]:
        return arguments("extract", {"cluster": cluster}, tmp_path)

    assert given("slurm.toml") == ["extract", "--cluster", str(tmp_path / "slurm.toml"), str(tmp_path)]
    assert given("tcp://10.0.0.5:8786")[:3] == ["extract", "--cluster", "tcp://10.0.0.5:8786"]
    assert [*paths("extract", {"cluster": "slurm.toml"})] == [("sources", "."), ("cluster", "slurm.toml")]
