"""A run that is stopped goes on: nothing is done twice, nothing half done is left, and the numbers are the same."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import media_files
import pandas as pd
import pytest
from command import VSA, events, vsa
from pretrained import need_faces

FILES = ("face.parquet", "features.parquet")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    need_faces()
    folder = tmp_path_factory.mktemp("calls")
    return [
        media_files.write_pictures(folder / f"s{k}.mp4", media_files.portrait(60 + 5 * k)) for k in range(3)
    ]


@pytest.fixture(scope="module")
def undisturbed(calls: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    assert vsa("extract", *calls, "--out", out).returncode == 0
    return out


def stopped_in_the_second(calls: list[Path], out: Path, how: signal.Signals) -> int:
    """Start a batch and stop it while the second session is analysed."""
    with subprocess.Popen(
        [*VSA, "extract", *map(str, calls), "--out", str(out), "--json", "--jobs", "1"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "advance" and event["session_id"] == "s1":
                process.send_signal(how)
                break
        process.stdout.read()
    return process.returncode


def contents(out: Path, session_id: str) -> dict[str, bytes]:
    return {name: (out / session_id / name).read_bytes() for name in FILES}


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_batch_goes_on_where_it_stopped(
    calls: list[Path], undisturbed: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "out"
    assert stopped_in_the_second(calls, out, how) != 0
    assert (out / "s0" / "session.json").exists()
    assert not (out / "s1").exists()
    before = (out / "s0" / "session.json").stat().st_mtime_ns

    done = vsa("extract", *calls, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    told = events(done.stdout)
    assert sorted(e["session_id"] for e in told if e["event"] == "finish") == ["s1", "s2"]
    assert (out / "s0" / "session.json").stat().st_mtime_ns == before
    assert not list(out.glob(".*part"))
    for session_id in ("s0", "s1", "s2"):
        assert contents(out, session_id) == contents(undisturbed, session_id)
    assert (out / "features.parquet").read_bytes() == (undisturbed / "features.parquet").read_bytes()


@pytest.mark.slow
def test_other_settings_or_another_recording_are_done_anew(calls: list[Path], tmp_path: Path) -> None:
    call = tmp_path / "call.mp4"
    call.write_bytes(calls[0].read_bytes())
    out = tmp_path / "out"
    assert vsa("extract", call, "--out", out).returncode == 0
    again = events(vsa("extract", call, "--out", out, "--json").stdout)
    assert (again[0]["finished"], again[-1]["done"]) == (1, 0)
    slower = events(vsa("extract", call, "--out", out, "--fps", "5", "--json").stdout)
    assert (slower[0]["finished"], slower[-1]["done"]) == (0, 1)
    call.write_bytes(calls[1].read_bytes())
    other = events(vsa("extract", call, "--out", out, "--fps", "5", "--json").stdout)
    assert (other[0]["finished"], other[-1]["done"]) == (0, 1)


@pytest.mark.slow
def test_a_failure_that_was_mended_leaves_the_list(calls: list[Path], tmp_path: Path) -> None:
    call = tmp_path / "call.mp4"
    call.touch()
    out = tmp_path / "out"
    assert vsa("extract", call, "--out", out).returncode == 3
    assert "call" in (out / "failures.csv").read_text()
    call.write_bytes(calls[0].read_bytes())
    assert vsa("extract", call, "--out", out).returncode == 0
    assert (out / "failures.csv").read_text().splitlines() == ["session_id,stage,error,hint"]


def test_a_session_whose_own_row_was_changed_is_named_and_costs_nobody_else_theirs(
    calls: list[Path], undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out)
    own = out / "s1" / "features.parquet"
    row = pd.read_parquet(own)
    pd.concat([row, row.assign(session_id="s0"), row]).to_parquet(own)
    (out / "features.parquet").unlink()
    done = vsa("extract", *calls, "--out", out)
    assert done.returncode == 3
    assert "s1: FAILED" in done.stdout
    assert "it holds 3 rows, not one" in done.stdout
    assert "--afresh" in done.stdout
    assert "s1,features," in (out / "failures.csv").read_text()
    table = pd.read_parquet(out / "features.parquet")
    pd.testing.assert_frame_equal(
        table, pd.read_parquet(undisturbed / "features.parquet").drop(index=1).reset_index(drop=True)
    )
