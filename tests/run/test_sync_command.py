"""`vsa sync` as a person uses it: text files and sessions, words and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from command import vsa
from scipy.signal import lfilter

from vsa.commands.sync import sync
from vsa.errors import InputError
from vsa.face.follow import Block
from vsa.face.table import COLUMNS
from vsa.study import log
from vsa.study.face_table import write_face
from vsa.study.motion_energy import Pair, read_pair, write_pair
from vsa.study.results import Results, write_json

RATE_HZ = 10
KEYS = {
    *("mean_abs_z", "peak_z", "peak_lag_s", "leader", "surrogate_z", "p", "peak_surrogate_z", "peak_p"),
    *("names", "settings", "seed", "windows", "windows_used", "reasons"),
}


def coupled(
    seconds: float, *, delay_s: float = 1.2, rate_hz: float = RATE_HZ
) -> tuple[np.ndarray, np.ndarray]:
    """Motion of one, and of another who follows."""
    rng = np.random.default_rng(7)
    n, delay = round(seconds * rate_hz), round(delay_s * rate_hz)
    course = lfilter([1], [1, -0.9], rng.normal(size=n + delay)) ** 2
    return course[delay:], course[:n] + rng.gamma(1, 2, n)


@pytest.fixture
def mea_file(tmp_path: Path) -> Path:
    path = tmp_path / "100_01.txt"
    write_pair(path, Pair(("client", "therapist"), *coupled(600)))
    return path


def said(*arguments: object) -> str:
    done = CliRunner().invoke(sync, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def record(*arguments: object) -> dict[str, Any]:
    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found: dict[str, Any] = json.loads(said(*arguments, "--json"), parse_constant=no_constant)
    assert found.keys() >= KEYS
    assert {key for key, value in found.items() if value is None} == set(found["reasons"])
    return found


def test_a_coupled_pair_in_json(mea_file: Path) -> None:
    found = record(mea_file, "--rate", RATE_HZ, "--seed", 3)
    assert found["peak_lag_s"] == pytest.approx(1.2, abs=0.1)
    assert found["leader"] == "client"
    assert found["p"] == found["peak_p"] == 1 / 101
    assert found["surrogate_z"] > 3
    assert found["names"] == ["client", "therapist"]
    assert found["settings"] == {
        "rate_hz": 10,
        "window_s": 60,
        "step_s": 30,
        "lag_s": 5,
        "surrogates": 100,
    }
    assert (found["seed"], found["windows"], found["windows_used"], found["reasons"]) == (3, 18, 18, {})
    swapped = record(mea_file, "--rate", RATE_HZ, "--columns", "2,1", "--surrogates", 19)
    assert swapped["peak_lag_s"] == -found["peak_lag_s"]
    assert swapped["leader"] == "client"
    assert swapped["mean_abs_z"] == pytest.approx(found["mean_abs_z"], abs=1e-5)


def test_words_give_each_value_beside_that_of_chance(mea_file: Path) -> None:
    text = said(mea_file, "--rate", RATE_HZ)
    assert "client and therapist: 10.0 min at 10 Hz; 18 of 18 windows" in text
    assert "client leads, therapist follows after 1.20 s." in text
    assert "go together more than the same two at other times" in text
    assert "about 0.24" in text
    for line in text.splitlines():
        if "mean |z| 0." in line:
            assert "100 surrogates" in line
    raw = record(mea_file, "--rate", RATE_HZ, "--surrogates", 0)
    assert raw["leader"] == "client"
    untested = said(mea_file, "--rate", RATE_HZ, "--surrogates", 0)
    assert "no surrogates were asked for" in untested
    assert f"{raw['mean_abs_z']:.3f}" in text
    assert f"{raw['mean_abs_z']:.3f}" not in untested


def test_unrelated_people_are_not_said_to_lead(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    path = tmp_path / "s_1.txt"
    write_pair(path, Pair(("a", "b"), *lfilter([1], [1, -0.9], rng.normal(size=(2, 9000)))))
    found = record(path, "--rate", RATE_HZ)
    assert found["mean_abs_z"] > 0.1
    assert min(found["p"], found["peak_p"]) > 0.05
    assert found["leader"] == "neither"
    text = said(path, "--rate", RATE_HZ)
    assert "within chance" in text
    assert "leads" not in text.replace("Nobody leads", "")


def test_two_files_and_a_file_with_more_columns(mea_file: Path, tmp_path: Path) -> None:
    whole = record(mea_file, "--rate", RATE_HZ, "--surrogates", 0)
    pair = read_pair(mea_file)
    one, other, wide = tmp_path / "c.txt", tmp_path / "t.csv", tmp_path / "wide.csv"
    one.write_text("\n".join(map(str, pair.first)))
    other.write_text("therapist\n" + "\n".join(map(str, pair.second)))
    pd.DataFrame({"c": pair.first, "frame": 1, "t": pair.second}).to_csv(wide, index=False)
    apart = record(one, other, "--rate", RATE_HZ, "--surrogates", 0)
    chosen = record(wide, "--columns", "1,3", "--rate", RATE_HZ, "--surrogates", 0)
    assert apart["mean_abs_z"] == chosen["mean_abs_z"] == whole["mean_abs_z"]
    assert (apart["names"], chosen["names"]) == (["c", "therapist"], ["c", "t"])
    assert whole["p"] is None
    assert "no surrogates were asked for" in whole["reasons"]["p"]


@pytest.mark.parametrize(
    ("seconds", "surrogates", "says"),
    [
        (30, 20, "30 s are too short"),
        (120, 20, "too short to move the series"),
        (400, 5, "5 surrogates can't"),
    ],
)
def test_too_little_to_say_is_null_with_a_reason(
    tmp_path: Path, seconds: int, surrogates: int, says: str
) -> None:
    path = tmp_path / "s_1.txt"
    write_pair(path, Pair(("a", "b"), *coupled(seconds)))
    found = record(path, "--rate", RATE_HZ, "--surrogates", surrogates)
    assert any(says in reason for reason in found["reasons"].values())
    assert says in said(path, "--rate", RATE_HZ, "--surrogates", surrogates)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{file}"], "Give it, as --rate 25"),
        (["{file}", "--rate", "10", "--window", "0.1"], "Correct --rate, --window"),
        (["{file}", "--rate", "nan"], "Correct --rate"),
        (["{file}", "--rate", "10", "--columns", "1"], "is not two columns"),
        (["{file}", "--rate", "10", "--columns", "1,7"], "there is no column 7"),
        (["none.txt", "--rate", "10"], "can't be read"),
        (["{folder}"], "no finished session"),
        (["{file}", "--rate", "10", "--export", "{file}"], "is there already"),
    ],
)
def test_wrong_calls_say_what_to_do(mea_file: Path, arguments: list[str], says: str) -> None:
    filled = [a.format(file=mea_file, folder=mea_file.parent) for a in arguments]
    done = vsa("sync", *filled)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())


def session(out: Path, series: dict[str, np.ndarray], fps: float) -> Path:
    """A finished session whose motion is known."""
    results = Results(out)
    results.prepare()
    roles = ("client", "therapist", None)
    with results.writing("s1") as folder:
        blocks = []
        for who, motion in series.items():
            values = np.full((len(motion), len(COLUMNS)), np.nan, np.float32)
            values[:, COLUMNS.index("motion")] = motion
            blocks.append((who, Block(100 + np.arange(len(motion)) / fps, np.isfinite(motion), values, None)))
        write_face(folder / "face.parquet", COLUMNS, blocks)
        for name in ("voice", "turns", "features"):
            pd.DataFrame({"x": [1]}).to_parquet(folder / f"{name}.parquet")
        people = [{"id": who, "role": role} for who, role in zip(series, roles, strict=False)]
        write_json(
            folder / "session.json", {"session_id": "s1", "status": "complete", "participants": people}
        )
    return out / "s1"


def test_a_session_goes_out_for_rmea_and_comes_back_the_same(tmp_path: Path) -> None:
    first, second = coupled(400, rate_hz=25)
    first[2000:2500] = np.nan
    folder = session(tmp_path / "out", {"p1": first, "p2": second}, fps=25)
    file = tmp_path / "s1_01.txt"
    assert "--rate 25" in said(folder, "--export", file)
    pair = read_pair(file)
    assert pair.names == ("client", "therapist")
    np.testing.assert_allclose(pair.first, np.float32(first), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(pair.second, np.float32(second), rtol=1e-5, atol=1e-6)
    (folder.parent / "log.jsonl").touch()  # makes it a study
    here, there = record(folder, "--surrogates", 20), record(file, "--rate", 25, "--surrogates", 20)
    (entry,) = log.entries(folder.parent)
    assert (entry.command, entry.ids, entry.outcome) == ("sync", ("s1",), {"compared": 1})
    assert here["leader"] == there["leader"] == "client"
    assert here["mean_abs_z"] == pytest.approx(there["mean_abs_z"], abs=1e-5)
    assert here["missing_share"] == [0.05, 0.0]
    with pytest.raises(InputError, match="inside the session"):
        said(folder, "--export", folder / "s1_01.txt")
    said(folder, "--export", file, "--force", "--rate", 5)
    assert len(read_pair(file).first) == 2000


def test_a_session_without_consent_for_research_is_neither_compared_nor_exported(tmp_path: Path) -> None:
    folder = session(tmp_path / "out", dict(zip(("client", "therapist"), coupled(90), strict=True)), RATE_HZ)
    export = tmp_path / "s1.txt"
    arguments = ["--rate", str(RATE_HZ), "--window", "20", "--step", "10", "--surrogates", "0"]
    for consent, agreed in (("quality", False), ("no", False), ("research", True)):
        (tmp_path / "out" / "manifest.csv").write_text(f"session_id,consent\n{folder.name},{consent}\n")
        for further in ([], ["--export", str(export)]):
            done = vsa("sync", folder, *arguments, *further)
            assert done.returncode == (0 if agreed else 2), done.stderr
            assert ("may not be used for research" in done.stderr) is not agreed
        assert export.exists() is agreed


def test_of_three_people_two_are_named(tmp_path: Path) -> None:
    first, second = coupled(100)
    folder = session(tmp_path / "out", {"p1": first, "p2": second, "p3": first}, fps=RATE_HZ)
    with pytest.raises(InputError, match=r"1 client, 2 therapist, 3 p3.*--columns 1,3"):
        said(folder)
    assert record(folder, "--columns", "2,3", "--rate", 10, "--surrogates", 0)["names"] == ["therapist", "p3"]
