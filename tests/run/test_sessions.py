"""Sessions of a batch: what counts as finished, what is done anew, what must not be lost, and overlays."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import compose
import cv2
import media_files
import numpy as np
import pytest
from command import VSA, vsa
from extraction import Quiet, extracted, run
from people import Actor
from pretrained import need_faces

from vsa import cores
from vsa.errors import InputError, SessionError
from vsa.media.digest import sha256_of_file
from vsa.media.recording import Recording
from vsa.run import batch, session
from vsa.run.settings import Settings
from vsa.run.source import Source
from vsa.study.chain import verify
from vsa.study.face_table import read_face
from vsa.study.plan import SessionPlan, Video
from vsa.study.results import Results
from vsa.study.tables import read_table


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two people, each in a recording of a second."""
    need_faces()
    folder = tmp_path_factory.mktemp("clips")
    people = {"client": Actor("astronaut", zoom=2.0), "therapist": Actor("grace_hopper")}
    return {
        name: media_files.write_pictures(
            folder / f"{name}.mp4", [actor.picture(k / 25, (480, 360)) for k in range(25)]
        )
        for name, actor in people.items()
    }


@pytest.fixture
def copies(clips: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """Recordings that a test may change, of one name in two folders."""
    made = {}
    for name, clip in clips.items():
        (tmp_path / name).mkdir()
        made[name] = Path(shutil.copy(clip, tmp_path / name / "video.mp4"))
    return made


def record_of(out: Path, session_id: str = "s1") -> dict[str, Any]:
    record = Results(out).finished(session_id)
    assert record is not None
    return record


def plan_of(clip: Path, **more: Any) -> SessionPlan:
    return SessionPlan("s1", (Video(clip),), **more)


def test_a_deleted_recording_leaves_a_finished_session_finished(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    plan, out = plan_of(copies["client"]), tmp_path / "out"
    assert run([plan], out)[0].done == ["s1"]
    copies["client"].unlink()
    summary, _ = run([plan], out)
    assert (summary.before, summary.done, summary.failed) == (["s1"], [], [])
    # with other settings it would have to be read
    with pytest.raises(InputError, match="no such file"):
        run([plan], out, fps=5.0)
    other = SessionPlan("s2", (Video(copies["therapist"]),))
    summary, _ = run([plan, other], out, fps=5.0)
    assert [(f.session_id, f.stage) for f in summary.failed] == [("s1", "media")]
    assert summary.done == ["s2"]
    assert record_of(out)["settings"]["fps"] == "native"


@pytest.mark.slow
def test_a_manifest_goes_on_when_recordings_of_finished_sessions_were_deleted(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    study = tmp_path / "study.csv"
    study.write_text("session_id,video,consent\ns1,client/video.mp4,yes\ns2,therapist/video.mp4,yes\n")
    assert vsa("extract", study, "--out", tmp_path / "out").returncode == 0
    copies["client"].unlink()
    again = vsa("extract", study, "--out", tmp_path / "out")
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1].startswith("0 done, 2 finished before.")
    other = vsa("extract", study, "--out", tmp_path / "other")
    assert other.returncode == 2
    assert "row 2, column video: 'client/video.mp4' does not exist" in other.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_two_runs_at_once_into_one_folder(copies: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = Path(shutil.copy(copies["client"], tmp_path / "call.mp4"))
    command = [*VSA, "extract", str(call), "--out", str(out)]
    pair = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    said = [process.communicate()[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0], said
    assert record_of(out, "call")["status"] == "complete"
    assert read_table(out)["session_id"].tolist() == ["call"]
    assert sorted(os.listdir(out)) == ["call", "failures.csv", "features.parquet", "log.jsonl"]
    assert verify(out).faults == ()


def test_a_copy_with_another_time_of_change_is_the_same_recording(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    plan, out = plan_of(copies["client"]), tmp_path / "out"
    run([plan], out)
    assert record_of(out)["source"]["sha256"] == sha256_of_file(copies["client"])
    os.utime(copies["client"])
    assert run([plan], out)[0].before == ["s1"]
    data = bytearray(copies["client"].read_bytes())
    data[-1] ^= 1
    copies["client"].write_bytes(data)
    assert run([plan], out)[0].done == ["s1"]


def test_a_corrected_tile_is_done_anew_and_a_late_answer_is_not(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run([plan_of(copies["client"], tiles={"client": 1})], out)
    assert record_of(out)["participants"][0]["role"] == "client"
    corrected = {"tiles": {"therapist": (0, 0, 480, 360)}}
    assert run([plan_of(copies["client"], **corrected)], out)[0].done == ["s1"]
    before = record_of(out)
    assert (before["participants"][0]["role"], before["hints"]) == (
        "therapist",
        {"therapist": [0, 0, 480, 360]},
    )

    summary, _ = run([plan_of(copies["client"], **corrected, facts={"client_id": "007", "bond": "4.5"})], out)
    assert summary.before == ["s1"]
    assert record_of(out) == {**before, "facts": {"client_id": "007", "bond": "4.5"}}
    table = read_table(out)
    assert (table["client_id"].tolist(), table["bond"].tolist()) == (["007"], [4.5])
    # a run without a manifest knows nothing and takes nothing away
    assert run([plan_of(copies["client"], **corrected)], out)[0].before == ["s1"]
    assert record_of(out)["facts"]["bond"] == "4.5"


def test_a_damaged_result_is_done_anew(copies: dict[str, Path], tmp_path: Path) -> None:
    plan, out = plan_of(copies["client"]), tmp_path / "out"
    run([plan], out)
    (out / "s1" / "session.json").write_text("{")
    assert run([plan], out)[0].done == ["s1"]
    assert record_of(out)["status"] == "complete"


def test_results_never_take_the_place_of_recordings(copies: dict[str, Path], tmp_path: Path) -> None:
    plan = SessionPlan("client", (Video(copies["client"]),))
    with pytest.raises(InputError, match=r"holds what is no result of vsa \(video\.mp4\)"):
        run([plan], tmp_path)
    assert copies["client"].exists()
    assert sorted(os.listdir(tmp_path)) == ["client", "therapist"]
    summary, _ = run([SessionPlan("s1", plan.videos)], tmp_path)  # beside other things is no fault
    assert summary.done == ["s1"]
    assert sorted(os.listdir(tmp_path)) == [
        *("client", "failures.csv", "features.parquet", "s1", "therapist")
    ]


@pytest.mark.slow
def test_one_recording_per_participant_each_with_its_own_film(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    plan = SessionPlan("s1", tuple(Video(path, role) for role, path in copies.items()))
    told = Quiet()
    steps: list[tuple[float, float, int]] = []
    told.advance = lambda session_id, *step: steps.append(step)  # type: ignore[method-assign]
    out, film = tmp_path / "out", tmp_path / "film.mp4"
    batch.extract([plan], out, Settings(), told, overlay=film)
    films = [tmp_path / "film-client.mp4", tmp_path / "film-therapist.mp4"]
    assert not film.exists()
    assert told.lines[-1] == f"Overlay: {films[0]}, {films[1]}"
    # one bar for both recordings, that never goes back
    assert steps == sorted(steps)
    assert steps[-1][0] == pytest.approx(2.0, abs=0.1)
    assert steps[-1][1:] == (pytest.approx(2.0, abs=0.02), 50)

    # a box, drawn in a colour of its own, in each film: only that recording's participant
    record = record_of(out)
    assert [(p["id"], p["role"], p["source"]) for p in record["participants"]] == [
        ("p1", "client", "video.mp4"),
        ("p2", "therapist", "video.mp4"),
    ]
    for made, path in zip(films, copies.values(), strict=True):
        with Recording(made) as drawn, Recording(path) as plain:
            pairs = [(a.rgb(), b.rgb()) for a, b in zip(drawn.pictures(), plain.pictures(), strict=True)]
        changed = np.abs(pairs[12][0].astype(int) - pairs[12][1]).max(axis=2) > 60
        labels = changed[:30, :160]  # the name and state of a participant, once
        assert labels.any()
        assert cv2.connectedComponents(changed.astype(np.uint8))[0] > 3

    # what is finished is drawn without being done again
    for made in films:
        made.unlink()
    before = (out / "s1" / "session.json").stat().st_mtime_ns
    summary = batch.extract([plan], out, Settings(), told, overlay=film)
    assert summary.before == ["s1"]
    assert all(made.exists() for made in films)
    assert (out / "s1" / "session.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["nowhere/film.mp4", "film.avi", "client/video.mp4"])
def test_a_film_that_cannot_or_must_not_be_written_is_refused_before_the_work(
    copies: dict[str, Path], tmp_path: Path, name: str
) -> None:
    size = copies["client"].stat().st_size
    with pytest.raises(InputError, match="--overlay"):
        batch.extract(
            [plan_of(copies["client"])], tmp_path / "out", Settings(), Quiet(), overlay=tmp_path / name
        )
    assert not (tmp_path / "out").exists()
    assert copies["client"].stat().st_size == size


def test_a_film_that_fails_costs_no_session(copies: dict[str, Path], tmp_path: Path) -> None:
    plan, out = plan_of(copies["client"]), tmp_path / "out"
    run([plan], out)
    copies["client"].unlink()
    with pytest.raises(SessionError, match="does not exist"):
        batch.extract([plan], out, Settings(), Quiet(), overlay=tmp_path / "film.mp4")
    assert record_of(out)["status"] == "complete"
    assert Results(out).failures() == []


def test_a_bad_second_recording_is_said_before_the_first_is_analysed(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    copies["therapist"].write_bytes(b"no film")
    plan = SessionPlan("s1", tuple(Video(path, role) for role, path in copies.items()))
    summary, told = run([plan], tmp_path / "out")
    assert summary.failed[0].stage == "media"
    assert not [line for line in told.lines if "pictures" in line]
    wrong = SessionPlan("s1", plan.videos[:1], {"client": (0, 0, 900, 360)})
    summary, _ = run([wrong], tmp_path / "out")
    assert "tile:client is 0,0,900,360, and video.mp4 has 480x360 px" in summary.failed[0].error


def test_a_tile_belongs_to_its_own_participants_recording(copies: dict[str, Path], tmp_path: Path) -> None:
    videos = tuple(Video(path, role) for role, path in copies.items())
    run([SessionPlan("s1", videos, {"client": (60, 0, 360, 360)})], tmp_path / "out")
    client, therapist = record_of(tmp_path / "out")["participants"]
    assert client["tile"] == [60, 0, 360, 360]
    assert client["tracked_share"] == 1.0
    assert therapist["tracked_share"] == 1.0
    layouts = record_of(tmp_path / "out")["layout"]
    assert layouts[0]["decided_by"] == ["manifest"]
    assert layouts[1]["decided_by"] != ["manifest"]


def test_a_recording_deleted_while_it_is_analysed_is_not_lost(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    digest = sha256_of_file(copies["client"])

    class Deletes(Quiet):
        def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
            copies["client"].unlink(missing_ok=True)

    batch.extract([plan_of(copies["client"])], tmp_path / "out", Settings(), Deletes())
    record = record_of(tmp_path / "out")
    assert record["status"] == "complete"
    assert record["source"]["sha256"] == digest


def test_a_recording_that_grows_while_it_is_analysed_is_partial(
    copies: dict[str, Path], tmp_path: Path
) -> None:
    class Grows(Quiet):
        def advance(self, session_id: str, done_s: float, total_s: float, frames: int) -> None:
            with copies["client"].open("ab") as file:
                file.write(b"more")

    plan, out = plan_of(copies["client"]), tmp_path / "out"
    batch.extract([plan], out, Settings(), Grows())
    record = record_of(out)
    assert (record["status"], record["source"]["sha256"]) == ("partial", None)
    assert "video.mp4 changed while it was read, or could not be read again" in record["quality"]["notes"]
    assert run([plan], out)[0].done == ["s1"]


def test_a_file_that_cannot_be_opened_is_the_medias_fault(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r"gone\.mp4: can't be read") as caught:
        Source(tmp_path / "gone.mp4")
    assert caught.value.stage == "media"


@pytest.mark.parametrize(
    ("make", "stage"),
    [
        (lambda path: OSError(5, "Input/output error", str(path)), "media"),
        (lambda path: OSError(28, "No space left on device"), "write"),
    ],
)
def test_trouble_with_a_disk_is_laid_at_the_right_door(
    copies: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, stage: str
) -> None:
    def broken(recording: Recording, fps: float | None = None) -> Iterator[Any]:
        raise make(recording.path)
        yield

    monkeypatch.setattr(Recording, "pictures", broken)  # a disk can't be broken here
    summary, _ = run([plan_of(copies["client"])], tmp_path / "out")
    assert [failure.stage for failure in summary.failed] == [stage]
    assert summary.exit_code == 3


def test_a_defect_costs_its_session_only_and_says_where_it_is(
    copies: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = session.seats_of

    def broken(plan: SessionPlan, parts: Any) -> Any:
        return real(plan, parts) if plan.session_id == "s2" else [][0]

    monkeypatch.setattr(session, "seats_of", broken)
    plans = [SessionPlan(name, (Video(copies["client"]),)) for name in ("s1", "s2")]
    summary, told = run(plans, tmp_path / "out")
    assert summary.done == ["s2"]
    (failure,) = summary.failed
    assert failure.stage == "defect"
    assert failure.error.startswith("IndexError: list index out of range (at ")
    assert "session.py:" in failure.error
    assert summary.exit_code == 1
    assert any("report it" in line for line in told.lines)


def test_the_documentation_names_everything_that_is_written(copies: dict[str, Path], tmp_path: Path) -> None:
    run([plan_of(copies["client"], facts={"bond": "3"})], tmp_path / "out", landmarks=True)
    told = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
    record = record_of(tmp_path / "out")
    (participant,), (layout,) = record["participants"], record["layout"]
    keys = [
        *record,
        *(key for name in ("source", "settings", "quality") for key in record[name]),
        *(*participant, *participant["identity"], *layout, *layout["changes"][0]),
        *record["quality"]["participants"]["p1"],
        *read_face(tmp_path / "out" / "s1" / "face.parquet").columns[:20],
        *os.listdir(tmp_path / "out" / "s1"),
    ]
    assert [key for key in keys if f"`{key}`" not in told] == []
    said = {line.split("`")[1] for line in told.splitlines() if line.startswith("| `")}
    assert {"video", "tile:<role>", "audio:<role>", "without_consent", "begin", "advance", "end"} <= said


@pytest.mark.slow
def test_a_long_recording_is_read_in_parts_where_there_are_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = compose.gallery(tmp_path / "call.mp4", n=2, size=(640, 360), seconds=125, fps=10).path
    one = extracted(call, tmp_path / "one", fps=5.0)
    monkeypatch.setattr(cores, "usable", lambda: 6)
    two = extracted(call, tmp_path / "two", fps=5.0)
    assert (one.record["source"]["segments"], two.record["source"]["segments"]) == (1, 2)
    assert two.ids == one.ids
    assert (two.face.t == one.face.t).all()
    assert (two.face.tracked == one.face.tracked).all()
    apart = (two.face.head_yaw - one.face.head_yaw).abs()
    assert apart.max() < 0.5
    assert apart[one.face.t < 50].max() == 0  # the first part is read as ever
