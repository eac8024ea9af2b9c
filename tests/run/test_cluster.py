"""Sessions on a Dask cluster: what is lost is done again, what kills is named, nothing is there twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import media_files
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from command import VSA, events, vsa
from pretrained import need_faces

from vsa.cli import vsa as command_line
from vsa.errors import InputError
from vsa.run.cluster_file import QUIET, Request, read_request
from vsa.study.failures import read_failures

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'vsa[cluster]'")

from clusters import Dask, dask

FILES = ("face.parquet", "features.parquet")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    need_faces()
    folder = tmp_path_factory.mktemp("calls")
    pictures = media_files.portrait(60)
    return [media_files.write_pictures(folder / f"s{k}.mp4", pictures[: 40 + k]) for k in range(6)]


@pytest.fixture(scope="module")
def long_call(calls: list[Path]) -> Path:
    return media_files.write_pictures(calls[0].parent / "long.mp4", media_files.portrait(60) * 10)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Dask]:
    with dask(tmp_path, 3) as cluster:
        yield cluster


def follow(process: subprocess.Popen[str], event: str, session_id: str) -> list[dict[str, object]]:
    """What a run says up to an event."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(json.loads(line))
        if (told[-1]["event"], told[-1].get("session_id")) == (event, session_id):
            return told
    raise AssertionError(f"no {event} of {session_id}: {told}")


def started(calls: list[Path], out: Path, cluster: Dask) -> subprocess.Popen[str]:
    words = ["extract", *map(str, calls), "--out", str(out), "--json", "--cluster", cluster.address]
    return subprocess.Popen([*VSA, *words], stdout=subprocess.PIPE, text=True)


def rest(process: subprocess.Popen[str]) -> list[dict[str, object]]:
    assert process.stdout is not None
    return [json.loads(line) for line in process.stdout]


def whole(out: Path, calls: list[Path]) -> None:
    """Every session is there, once."""
    names = sorted(call.stem for call in calls)
    assert sorted(path.parent.name for path in out.glob("*/session.json")) == names
    assert sorted(pd.read_parquet(out / "features.parquet")["session_id"]) == names


def gone(pids: list[int]) -> bool:
    last = time.monotonic() + 15
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < last:
        time.sleep(0.1)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.slow
def test_numbers_are_those_of_one_process_and_nothing_is_left_running(
    calls: list[Path], three: Dask, tmp_path: Path
) -> None:
    assert vsa("extract", *calls[:2], "--out", tmp_path / "one", "--jobs", "1").returncode == 0
    done = vsa("extract", *calls[:2], "--out", tmp_path / "many", "--cluster", three.address)
    assert done.returncode == 0, done.stderr
    assert "engine cluster (tcp://127.0.0.1:" in done.stdout
    for call in calls[:2]:
        for name in FILES:
            one, many = (tmp_path / kind / call.stem / name for kind in ("one", "many"))
            assert one.read_bytes() == many.read_bytes()
    assert gone([pid for k in range(3) for pid in three.sessions_of(k)])


@pytest.mark.slow
def test_a_killed_worker_costs_no_session(
    calls: list[Path], long_call: Path, three: Dask, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with started([long_call, *calls], out, three) as process:
        told = follow(process, "start", "long")
        three.kill(whose(three, long_call))
        told += rest(process)
    assert process.returncode == 0
    finished = [e["session_id"] for e in told if e["event"] == "finish"]
    assert sorted(map(str, finished)) == sorted(call.stem for call in [long_call, *calls])
    whole(out, [long_call, *calls])
    again = events(vsa("extract", long_call, *calls, "--out", out, "--json").stdout)
    assert (again[-1]["before"], again[-1]["done"]) == (7, 0)
    assert not list(out.glob(".*part"))  # what the dead left


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_client_that_is_stopped_goes_on_when_it_is_started_again(
    calls: list[Path], long_call: Path, three: Dask, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "out"
    with started([*calls, long_call], out, three) as process:
        told = follow(process, "start", "long")
        process.send_signal(how)
        told += rest(process)
    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    if how == signal.SIGINT:
        assert gone([pid for k in range(3) for pid in three.sessions_of(k)])
        assert not (out / "long").exists()
    before = {path.parent.name: path.stat().st_mtime_ns for path in out.glob("*/session.json")}
    assert before
    again = events(
        vsa("extract", *calls, long_call, "--out", out, "--json", "--cluster", three.address).stdout
    )
    assert again[-1]["failed"] == []
    whole(out, [*calls, long_call])
    for name, stamp in before.items():
        assert (out / name / "session.json").stat().st_mtime_ns == stamp


@pytest.mark.slow
def test_a_session_that_kills_its_process_is_named_after_three_tries(
    calls: list[Path], long_call: Path, three: Dask, tmp_path: Path
) -> None:
    """The death is real; what kills is this test, for no file is known that kills the decoder."""
    out = tmp_path / "out"
    killed: set[int] = set()  # one that dies is seen for a while
    with started([long_call, *calls], out, three) as process:
        told = follow(process, "start", "long")
        last = time.monotonic() + 60
        while len(killed) < 3 and time.monotonic() < last:
            seen = {pid for k in range(3) for pid in three.sessions_of(k) if holds(pid, long_call)}
            for pid in seen - killed:
                os.kill(pid, signal.SIGKILL)
            killed |= seen
            time.sleep(0.05)
        told += rest(process)
    assert len(killed) == 3
    assert process.returncode == 3
    (failure,) = read_failures(out / "failures.csv")
    assert (failure.session_id, failure.stage) == ("long", "process")
    assert "killed by SIGKILL, 3 times" in failure.error
    whole(out, calls)
    assert all(worker.poll() is None for worker in three.workers)


@pytest.mark.slow
def test_what_a_cluster_cannot_do_is_said_before_it_begins(
    calls: list[Path], three: Dask, tmp_path: Path
) -> None:
    done = vsa("extract", calls[0], "--out", tmp_path / "o", "--cluster", three.address, "--engine", "cuda")
    assert done.returncode == 2
    assert "No worker of the cluster offers a GPU." in done.stderr
    done = vsa("extract", calls[0], "--out", "memory://o", "--cluster", three.address)
    assert done.returncode == 2
    assert "is in the memory of this process" in done.stderr


def holds(pid: int, file: Path) -> bool:
    try:
        return file in [entry.readlink() for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False


def whose(cluster: Dask, file: Path) -> int:
    """Which worker reads a file, once one does."""
    last = time.monotonic() + 30
    while time.monotonic() < last:
        for worker in range(len(cluster.workers)):
            if any(holds(pid, file) for pid in cluster.sessions_of(worker)):
                return worker
        time.sleep(0.05)
    raise AssertionError(f"nobody reads {file}")


@pytest.mark.slow
def test_no_scheduler_is_a_sentence(tmp_path: Path) -> None:
    call = tmp_path / "s.mp4"
    call.write_bytes(b"never opened")
    words = ["extract", str(call), "--out", str(tmp_path / "out"), "--cluster", "tcp://127.0.0.1:9"]
    error = CliRunner().invoke(command_line, words).exception
    assert isinstance(error, InputError)
    assert "no Dask scheduler at tcp://127.0.0.1:9" in error.message
    assert "dask scheduler" in error.hint


@pytest.mark.parametrize("where", ["cluster", "ucx://127.0.0.1:1", "foo://127.0.0.1:1"])
def test_what_is_no_address_is_a_sentence_at_once(tmp_path: Path, where: str) -> None:
    call = tmp_path / "s.mp4"
    call.write_bytes(b"never opened")
    done = vsa("extract", call, "--out", tmp_path / "out", "--cluster", where)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == f"Error: '{where}' is no address of a Dask scheduler."


class TestFile:
    def test_every_fault_is_named_with_the_nearest_key(self, tmp_path: Path) -> None:
        file = tmp_path / "c.toml"
        file.write_text('kind = "slurn"\nmemroy = "8GB"\njobs = 0\ngpu = "yes"\n')
        with pytest.raises(InputError) as caught:
            read_request(file)
        said = caught.value.message
        assert "memroy: no such key. Did you mean memory?" in said
        assert "jobs: a whole number from 1 is wanted." in said
        assert "gpu: true or false is wanted." in said
        assert "kind: 'slurn'" in said

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('kind = "local"\nmemory = "8GB"\n', "memory: it changes nothing where kind is 'local'"),
            ('address = "tcp://a:1"\njobs = 3\n', "jobs: it changes nothing where kind is 'address'"),
            (
                'kind = "slurm"\naddress = "tcp://a:1"\n',
                "address: it changes nothing where kind is 'slurm'",
            ),
            ('kind = "slurm"\nmemory = "banana"\n', "memory: 'banana' is no size"),
        ],
    )
    def test_keys_without_effect_are_refused(self, tmp_path: Path, text: str, said: str) -> None:
        file = tmp_path / "c.toml"
        file.write_text(text)
        with pytest.raises(InputError) as caught:
            read_request(file)
        assert str(file) in caught.value.message
        assert said in caught.value.message

    @pytest.mark.parametrize("memory", ["16GB", "1.5 GiB", "500MB"])
    def test_sizes_are_as_dask_reads_them(self, tmp_path: Path, memory: str) -> None:
        file = tmp_path / "c.toml"
        file.write_text(f'kind = "slurm"\nmemory = "{memory}"\n')
        assert read_request(file).memory == memory

    def test_an_address_is_needed_where_nothing_else_is_asked_for(self, tmp_path: Path) -> None:
        file = tmp_path / "c.toml"
        file.write_text("threads = 2\n")
        with pytest.raises(InputError, match="address: missing"):
            read_request(file)

    @pytest.mark.parametrize("kind", ["slurm", "pbs", "lsf", "sge"])
    def test_the_script_of_a_job_says_what_was_asked(self, kind: str) -> None:
        jobqueue = pytest.importorskip(
            "dask_jobqueue", reason="needs dask-jobqueue: pip install 'vsa[cluster]'"
        )
        request = Request(
            kind=kind, sessions=4, threads=2, walltime="04:00", queue="long", account="lab", gpu=True
        )
        classes = {"slurm": "SLURM", "pbs": "PBS", "lsf": "LSF", "sge": "SGE"}
        job = getattr(jobqueue, f"{classes[kind]}Cluster")
        with job(**request.script(gpu=True)) as cluster:
            script = cluster.job_script()
        assert "--nthreads 4" in script
        assert "--no-dashboard --dashboard-address localhost:0" in script
        assert "GPU=1" in script
        assert "long" in script
        assert "lab" in script
        assert "04:00" in script
        name = "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"
        assert f'export {name}="${{{name}:-False}}"' in script

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("echo 'sbatch: error: Invalid account lab' >&2; exit 1", "sbatch: error: Invalid account lab."),
            ("echo 'try later'; exit 1", "try later."),
            ("", "there is no command 'sbatch' here."),
        ],
    )
    def test_a_batch_system_that_takes_no_job_is_a_sentence_at_once(
        self, tmp_path: Path, body: str, said: str
    ) -> None:
        pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue: pip install 'vsa[cluster]'")
        call, file, commands = tmp_path / "s.mp4", tmp_path / "c.toml", tmp_path / "bin"
        media_files.write_pictures(call, [np.zeros((64, 64, 3), np.uint8)] * 5)
        file.write_text('kind = "slurm"\njobs = 2\npatience_s = 200\n')
        commands.mkdir()
        if body:
            (commands / "sbatch").write_text(f"#!/bin/sh\n{body}\n")
            (commands / "sbatch").chmod(0o755)
        done = vsa(
            "extract", call, "--out", tmp_path / "o", "--cluster", file, environment={"PATH": str(commands)}
        )
        assert done.returncode == 2
        assert done.stderr.splitlines() == [f"Error: slurm took no job: {said}", "  Nothing was started."]

    @pytest.mark.slow
    def test_workers_on_this_machine_are_quiet(self) -> None:
        dask = pytest.importorskip("dask", reason="needs Dask: pip install 'vsa[cluster]'")
        distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'vsa[cluster]'")
        with (
            Request(kind="local").begin(gpu=False) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            for key, value in QUIET.items():
                assert set(client.run(dask.config.get, key).values()) == {value}
        with dask.config.set({"distributed.admin.tick.interval": "50ms"}):
            Request(kind="local").begin(gpu=False).close()
            assert dask.config.get("distributed.admin.tick.interval") == "50ms"
