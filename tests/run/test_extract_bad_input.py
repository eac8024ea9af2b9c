"""Bad input: one clear line, the right exit code, never a traceback, and the other sessions finish."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import media_files
import pytest
from command import VSA, events, vsa, weighed
from pretrained import need_faces


@pytest.fixture(autouse=True)
def _models() -> None:
    need_faces()


def failures(out: Path) -> dict[str, dict[str, str]]:
    with (out / "failures.csv").open(newline="", encoding="utf-8") as file:
        return {row["session_id"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", [*media_files.HOPELESS, "one_frame"])
def test_a_hopeless_file_is_said_in_a_line_and_exits_3(tmp_path: Path, name: str) -> None:
    make = {**media_files.HOPELESS, **media_files.ODD}[name]
    path = make(tmp_path)
    out = tmp_path / "out"
    done = vsa("extract", path, "--out", out)
    assert done.returncode == 3, done.stdout + done.stderr
    (failed,) = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert path.name in failed
    row = failures(out)[path.stem]
    assert row["stage"] == "media"
    assert row["error"]
    assert row["hint"]
    assert not (out / path.stem).exists()


def test_a_path_that_does_not_exist_exits_2_and_starts_nothing(tmp_path: Path) -> None:
    done = vsa("extract", tmp_path / "nowhere.mp4", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "nowhere.mp4: no such file" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    done = vsa("extract", tmp_path / "calls", "--out", tmp_path / "out")
    assert done.returncode in (2, 3)
    assert "is a folder" in done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_said_at_once_and_does_not_hang_a_batch(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "live.mp4")
    alone = vsa("extract", tmp_path / "live.mp4", "--out", tmp_path / "out")
    assert alone.returncode == 2
    assert "live.mp4 is a pipe or a device, not a file" in alone.stderr
    assert not (tmp_path / "out").exists()
    other = media_files.HOPELESS["empty"](tmp_path)
    batch = vsa("extract", other, tmp_path / "live.mp4", "--out", tmp_path / "out", "--jobs", "1")
    assert batch.returncode == 3
    assert "pipe" in failures(tmp_path / "out")["live"]["error"]


@pytest.mark.slow
def test_in_a_batch_of_ten_with_three_bad_seven_finish(tmp_path: Path) -> None:
    good = media_files.good(tmp_path)
    sources = [Path(shutil.copy(good, tmp_path / f"s{k}.mp4")) for k in range(7)]
    bad = [media_files.empty(tmp_path), media_files.random_bytes(tmp_path), tmp_path / "gone.mp4"]
    out = tmp_path / "out"
    done = vsa("extract", *sources[:4], *bad, *sources[4:], "--out", out)
    assert done.returncode == 3
    assert set(failures(out)) == {"empty", "noise", "gone"}
    for source in sources:
        assert json.loads((out / source.stem / "session.json").read_text())["status"] == "complete"


def test_a_truncated_recording_is_analysed_and_marked_partial(tmp_path: Path) -> None:
    path = media_files.truncated(tmp_path)
    out = tmp_path / "out"
    done = vsa("extract", path, "--out", out)
    assert done.returncode == 0, done.stdout
    record = json.loads((out / "truncated" / "session.json").read_text())
    assert record["status"] == "partial"
    assert 0 < record["quality"]["frames"] < 100
    assert "partial" in done.stdout


def test_no_sound_is_noted_and_no_fault(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = vsa("extract", media_files.no_audio(tmp_path), "--out", out)
    assert done.returncode == 0
    assert "no_audio.mp4 has no sound" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_8k_is_analysed_within_memory(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done, peak_mb = weighed(tmp_path, "extract", media_files.eight_k(tmp_path, 12), "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (out / "eight_k" / "face.parquet").exists()
    print(f"peak {peak_mb:.0f} MB")
    assert peak_mb < 1200


@pytest.mark.slow
def test_a_file_that_vanishes_while_it_is_read_costs_only_itself(tmp_path: Path) -> None:
    path = media_files.write_pictures(tmp_path / "vanishing.mp4", media_files.portrait(50) * 8)
    good = media_files.good(tmp_path)
    out = tmp_path / "out"
    with subprocess.Popen(
        [*VSA, "extract", str(path), str(good), "--out", str(out), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "advance":
                os.truncate(path, 0)
                path.unlink()
                break
        rest = events(process.stdout.read())
        said = process.stderr.read()
    assert "Traceback" not in said
    assert process.returncode in (0, 3)
    assert any(e["event"] == "finish" and e["session_id"] == good.stem for e in rest)
    mine = [e for e in rest if e["event"] in ("finish", "fail") and e["session_id"] == "vanishing"]
    assert len(mine) == 1
    if mine[0]["event"] == "finish":
        assert mine[0]["status"] == "partial"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_an_output_folder_that_cannot_be_written_as_a_user(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = vsa("extract", media_files.good(tmp_path), "--out", locked / "out")
    assert done.returncode == 2
    assert "can't be written" in done.stderr


def test_an_output_folder_that_is_a_file_exits_2(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = vsa("extract", media_files.good(tmp_path), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "can't be written" in done.stderr
    assert "--out" in done.stderr


@pytest.mark.slow
def test_a_full_disk_is_said_and_nothing_half_done_is_left(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can't be mounted here (needs root)")
    try:
        (disk / "filler").write_bytes(bytes((1 << 20) - 8192))
        done = vsa("extract", media_files.no_audio(tmp_path), "--out", disk / "out")
        assert done.returncode in (2, 3)
        assert "full" in done.stdout + done.stderr
        assert not (disk / "out" / "no_audio").exists()
        assert not list((disk / "out").glob(".*part"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_missing_models_name_the_command_that_gets_them(tmp_path: Path) -> None:
    done = vsa(
        "extract",
        media_files.good(tmp_path),
        "--out",
        tmp_path / "out",
        environment={"VSA_CACHE": str(tmp_path / "nothing"), "VSA_MODELS": ""},
    )
    assert done.returncode == 2
    assert "vsa models pull" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rate", ["0", "-3", "many", "nan"])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: str) -> None:
    done = vsa("extract", media_files.good(tmp_path), "--out", tmp_path / "out", f"--fps={rate}")
    assert done.returncode == 2
    assert "--fps" in done.stderr


def test_processes_here_and_a_cluster_at_once_are_refused(tmp_path: Path) -> None:
    call = media_files.ODD["one_frame"](tmp_path)
    done = vsa("extract", call, "--out", tmp_path / "out", "--jobs", "2", "--cluster", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert "--jobs 2" in done.stderr
    assert "--cluster" in done.stderr
    assert not (tmp_path / "out").exists()


def test_two_files_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    good = media_files.good(tmp_path)
    (tmp_path / "more").mkdir()
    other = Path(shutil.copy(good, tmp_path / "more" / good.name))
    done = vsa("extract", good, other, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "would both be session" in done.stderr


def test_an_engine_that_is_none_is_named_with_those_that_are(tmp_path: Path) -> None:
    done = vsa("extract", media_files.good(tmp_path), "--out", tmp_path / "out", "--engine", "gpu")
    assert done.returncode == 2
    assert "cpu" in done.stderr
