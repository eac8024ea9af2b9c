"""The demo, in a quick form: everything it promises is there, and what is simulated says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from extraction import Quiet
from people import clip_path
from pretrained import need_faces

from vsa.bond import store
from vsa.commands.demo import demo
from vsa.errors import InputError
from vsa.run import demo as running
from vsa.run import demo_cohort
from vsa.study.simulated_mark import is_marked


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    need_faces()
    monkeypatch.setattr(demo_cohort, "_CLIENTS", 14)
    monkeypatch.setattr(demo_cohort, "_NEW", 2)
    monkeypatch.setattr(demo_cohort, "_SESSIONS", 2)
    monkeypatch.setattr(demo_cohort, "_SECONDS", 60.0)
    monkeypatch.setattr(demo_cohort, "_LONG_S", 75.0)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.slow
def test_the_whole_job_on_the_simulated_calls(tmp_path: Path) -> None:
    told = Quiet()
    done = running.run(tmp_path / "out", [], told, told.say)
    assert done.summary.exit_code == 0
    assert done.summary.done == ["s01_plain", "s02_camera_off", "s03_poor_line"]
    for name, found in done.known.items():  # bounds: about twice the errors in docs/accuracy.md
        print(name, found)
        assert found.people.both == found.people.true == found.people.found == 2
        assert found.face_share > 0.98
        assert 0.1 < found.gaze.median < 5  # measured: truth held against itself would be 0
        assert found.on_screen_kappa > 0.9
        assert max(found.head_yaw.median, found.head_pitch.median, found.head_roll.median) < 1.5
        assert found.blinks.recall > 0.75
        assert found.blinks.precision > 0.9
        assert found.nods.recall > 0.7
        assert found.nods.precision > 0.7
        assert found.speaker_share > 0.65
    assert done.known["s01_plain"].turns.recall > 0.8
    assert done.known["s01_plain"].speaker_share > 0.9
    assert done.scores is not None
    scores = pd.read_csv(done.scores)
    assert scores["simulated"].all()
    assert scores["bond"].between(1, 5).all()

    made = done.bond
    assert pd.read_csv(made.cohort)["simulated"].all()
    model = store.load(made.model)
    assert model.info.simulated
    assert "simulated" in model.info.label_source
    flags = pd.read_csv(made.flags)
    assert flags["simulated"].all()
    assert flags["verdict"].value_counts().to_dict() == {k: v for k, v in made.verdicts.items() if v}
    assert not set(flags["session_id"]) & set(pd.read_csv(made.cohort)["session_id"])
    assert set(pd.read_csv(made.bonds)["session_id"]) == set(flags["session_id"])
    pages = made.report.index.read_text("utf-8")
    assert "SIMULATED" in pages
    for name in flags["session_id"]:
        assert f'href="sessions/{name}.html"' in pages
        assert (made.report.index.parent / "sessions" / f"{name}.html").is_file()
    call = (made.report.index.parent / "sessions" / "s01_plain.html").read_text("utf-8")
    assert "media/s01_plain.mp4" in call
    for path in (made.cohort, made.model, made.flags):
        assert path.name.startswith("simulated_")
    lines = "\n".join(told.lines)
    assert "SIMULATED calls" in lines
    assert "SIMULATED answers" in lines
    assert "SIMULATED cohort" in lines


@pytest.mark.slow
def test_a_recording_of_ones_own(tmp_path: Path) -> None:
    clip = clip_path("smiling_man_360p.mp4")
    out = tmp_path / "out"
    done = CliRunner().invoke(demo, [str(out), "--media", str(clip)])
    assert done.exit_code == 0, done.output
    said = done.output
    assert "smiling_man_360p: 2 s, 640x360, 72 pictures" in said
    assert "SIMULATED calls" not in said
    assert "they say nothing about people" in said
    assert any(
        words in said
        for words in ("did not beat the training mean", "may be chance", "by more than chance explains")
    )
    assert max(map(len, said.splitlines())) <= 100 + len(str(out))
    places = said[said.index("Where everything is") :].splitlines()[1:-4]
    assert len(places) == 8
    for line in places:
        assert Path(line.split()[0]).exists(), line
    assert "beside what is true" not in said
    assert (out / "report" / "index.html").is_file()
    assert said.rstrip().endswith(str(Path("report") / "index.html"))
    assert "PARTLY SIMULATED" in (out / "report" / "index.html").read_text("utf-8")
    assert not is_marked(out / "study" / "features.parquet")  # a person is in it


@pytest.mark.slow
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
