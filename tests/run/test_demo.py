"""The demo, in a quick form: everything it promises is there, and what is simulated says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from extraction import Quiet
from people import clip_path

from vsa.bond import store
from vsa.commands.demo import demo
from vsa.errors import InputError, ModelMissingError
from vsa.face import bundle
from vsa.run import demo as running
from vsa.study.results import Results


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        bundle.load()
    except ModelMissingError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(running, "CALL_S", 12.0)
    monkeypatch.setattr(running, "_CLIENTS", 40)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.slow
def test_the_whole_job_on_a_simulated_call(tmp_path: Path) -> None:
    told = Quiet()
    done = running.run(tmp_path / "out", [], told, told.say)
    assert done.summary.exit_code == 0
    record = Results(done.sessions).finished("simulated_call")
    assert record is not None
    assert [p["role"] for p in record["participants"]] == ["therapist", "client"]
    assert min(p["tracked_share"] for p in record["participants"]) > 0.95
    assert record["quality"]["frames"] == 300
    truth = pd.read_csv(done.truth)
    said = truth[truth["kind"] == "turn"]
    spoken = {v["participant"]: v["speech_s"] for v in record["sound"]["voices"]}
    ids = {p["role"]: p["id"] for p in record["participants"]}
    for role, turns in said.groupby(
        "participant"
    ):  # mixed sound and short turns: about right is all it can be
        length_s = float((turns["end"] - turns["start"]).sum())
        assert 0.5 * length_s < spoken[ids[role]] < 1.5 * length_s, (role, length_s, spoken)
    assert done.truth is not None
    assert set(pd.read_csv(done.truth)["participant"]) == {"therapist", "client"}

    made = done.bond
    assert pd.read_csv(made.cohort)["simulated"].all()
    model = store.load(made.model)
    assert model.info.simulated
    assert "simulated" in model.info.label_source
    flags = pd.read_csv(made.flags)
    assert flags["simulated"].all()
    assert flags["verdict"].value_counts().to_dict() == {k: v for k, v in made.verdicts.items() if v}
    assert not set(flags["session_id"]) & set(pd.read_csv(made.cohort)["session_id"][: model.info.sessions])
    for path in (made.cohort, made.model, made.flags, done.call, done.truth):
        assert path is not None
        assert path.name.startswith("simulated_")
    lines = "\n".join(told.lines)
    assert "SIMULATED call" in lines
    assert "SIMULATED cohort" in lines


def test_a_recording_of_ones_own(tmp_path: Path) -> None:
    clip = clip_path("smiling_man_360p.mp4")
    out = tmp_path / "out"
    done = CliRunner().invoke(demo, [str(out), "--media", str(clip)])
    assert done.exit_code == 0, done.output
    said = done.output
    assert "smiling_man_360p: 2 s, 640x360, 72 pictures" in said
    assert "SIMULATED call" not in said
    assert "they say nothing about people" in said
    assert any(
        words in said
        for words in ("did not beat the training mean", "may be chance", "by more than chance explains")
    )
    assert max(map(len, said.splitlines())) <= 100 + len(str(out))
    places = said[said.index("Where everything is") :].splitlines()[1:-2]
    assert len(places) == 5
    for line in places:
        assert Path(line.split()[0]).exists(), line
    assert not (out / "media").exists()


def test_a_bad_recording_costs_the_demo_only_that(tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no film" * 100)
    done = CliRunner().invoke(demo, [str(tmp_path / "out"), "--media", str(bad)])
    assert done.exit_code == 3, done.output
    assert "bad failed: bad.mp4: this is no audio or video file" in done.output
    assert "failures.csv" in done.output


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="can't be written"):
        running.run(tmp_path / "file" / "out", [], Quiet(), print)
