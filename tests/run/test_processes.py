"""Sessions side by side: the same numbers, a death that costs one session only, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import media_files
import pytest
from command import VSA, events, vsa
from extraction import Quiet
from pretrained import need_faces

from vsa import cores
from vsa.run import processes
from vsa.run.batch import extract
from vsa.run.settings import Settings
from vsa.study.failures import read_failures
from vsa.study.plan import from_media

FILES = ("face.parquet", "features.parquet")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three recordings; the first is the largest, so that its turn comes first."""
    need_faces()
    folder = tmp_path_factory.mktemp("calls")
    lengths = {"long": 600, "middle": 60, "short": 40}
    return [
        media_files.write_pictures(folder / f"{name}.mp4", (media_files.portrait(60) * 10)[:length])
        for name, length in lengths.items()
    ]


def children(pid: int) -> dict[int, str]:
    """Processes that a process began, with what they were called with."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == pid:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().replace("\0", " ")
            except (OSError, ValueError):
                continue
    return found


def workers_of(pid: int) -> list[int]:
    return [child for child, words in children(pid).items() if "vsa.run.child" in words]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find processes")
class TestProcesses:
    @pytest.mark.slow
    def test_numbers_are_those_of_one_process(self, calls: list[Path], tmp_path: Path) -> None:
        small = calls[1:]
        assert vsa("extract", *small, "--out", tmp_path / "one", "--jobs", "1").returncode == 0
        done = vsa("extract", *small, "--out", tmp_path / "two", "--jobs", "2")
        assert done.returncode == 0, done.stderr
        assert "; 2 at once)" in done.stdout
        for call in small:
            for name in FILES:
                one, two = (tmp_path / kind / call.stem / name for kind in ("one", "two"))
                assert one.read_bytes() == two.read_bytes()

    @pytest.mark.slow
    def test_a_caller_that_goes_on_keeps_no_workers(self, calls: list[Path], tmp_path: Path) -> None:
        plans = from_media(calls[1:])
        summary = extract(plans, tmp_path / "out", Settings(fps=5.0), Quiet(), jobs=2)
        assert len(summary.done) == 2
        assert not workers_of(os.getpid())

    @pytest.mark.slow
    def test_a_session_whose_process_dies_each_time_is_named_and_the_others_are_done(
        self, calls: list[Path], tmp_path: Path
    ) -> None:
        """The death is real; what kills is this test, for no file is known that kills the decoder."""
        out, killed = tmp_path / "out", 0
        with started(calls, out) as process:
            assert process.stdout is not None
            told = []
            for line in process.stdout:
                told.append(json.loads(line))
                if told[-1]["event"] == "advance" and told[-1]["session_id"] == "long":
                    victim = [pid for pid in workers_of(process.pid) if holds(pid, calls[0])]
                    for pid in victim:
                        os.kill(pid, signal.SIGKILL)
                        killed += 1
        assert killed == 3
        assert process.returncode == 3
        (failure,) = read_failures(out / "failures.csv")
        assert (failure.session_id, failure.stage) == ("long", "process")
        assert "killed by SIGKILL, 3 times" in failure.error
        assert {e["session_id"] for e in told if e["event"] == "finish"} == {"middle", "short"}
        assert not list(out.glob(".*part"))  # of the dead
        again = events(vsa("extract", *calls, "--out", out, "--json").stdout)
        assert [e["session_id"] for e in again if e["event"] == "finish"] == ["long"]
        assert read_failures(out / "failures.csv") == []
        assert not list(out.glob(".*part"))

    @pytest.mark.slow
    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
    def test_workers_end_with_the_run_and_leave_nothing_half_done(
        self, calls: list[Path], tmp_path: Path, how: signal.Signals
    ) -> None:
        out = tmp_path / "out"
        with started(calls, out) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line)["event"] == "advance":
                    break
            workers = workers_of(process.pid)
            assert workers
            process.send_signal(how)
            process.stdout.read()
        assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
        assert not list(out.glob(".*part"))
        done = events(vsa("extract", *calls, "--out", out, "--json").stdout)
        assert done[-1]["done"] + done[-1]["before"] == len(calls)
        assert done[-1]["failed"] == []


def started(calls: list[Path], out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*VSA, "extract", *map(str, calls), "--out", str(out), "--json", "--jobs", "2"],
        stdout=subprocess.PIPE,
        text=True,
    )


def holds(pid: int, file: Path) -> bool:
    """Whether a process has a file open."""
    try:
        opened = [entry.readlink() for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return file in opened


def test_results_in_memory_are_not_for_several_processes(tmp_path: Path) -> None:
    call = media_files.write_pictures(tmp_path / "s.mp4", media_files.portrait(5))
    done = vsa("extract", call, "--out", "memory://r", "--jobs", "2")
    assert done.returncode == 2
    assert "is in the memory of this process" in done.stderr


def test_as_many_at_once_as_there_are_cores_and_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 8)
    monkeypatch.setattr(cores, "free_bytes", lambda: 5 * cores.PROCESS_BYTES + 1)
    assert [processes.most_at_once(n) for n in (1, 3, 100)] == [1, 3, 5]
    monkeypatch.setattr(cores, "free_bytes", lambda: None)
    assert processes.most_at_once(100) == 8
    monkeypatch.setattr(cores, "free_bytes", lambda: 1000)
    assert processes.most_at_once(100) == 1
