"""A Dask cluster that is not as it should be: what is lost, another's, late or far away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import media_files
import pytest
from command import VSA, events, vsa
from pretrained import need_faces

from vsa.run.child import Child
from vsa.run.settings import Settings

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'vsa[cluster]'")

from clusters import Dask, dask
from dask import config

from vsa.run import cluster_worker
from vsa.run.cluster_file import environment

#: A worker whose vsa says that it is another one.
OTHER = "import vsa; vsa.__version__ = '0.0.1'; from distributed.cli.dask_worker import main; main()"

#: A worker with other versions of all that Dask compares.
VERSIONS = """
from distributed import versions

versions._version_cached = lambda name: "0.0.1"
from distributed.cli.dask_worker import main

main()
"""

#: A worker of a Python that has no vsa.
NONE = """
import sys


class Without:
    def find_spec(self, name, path=None, target=None):
        if name == "vsa":
            raise ModuleNotFoundError("No module named 'vsa'", name="vsa")


sys.meta_path.insert(0, Without())
from distributed.cli.dask_worker import main

main()
"""

#: A driver of fsspec.
SHELF = """
from fsspec.implementations.local import LocalFileSystem


class Shelf(LocalFileSystem):
    protocol = "shelf"

    def __init__(self, **options):
        super().__init__(**{**options, "auto_mkdir": True})

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(str(path).removeprefix("shelf://"))
"""


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_faces()
    folder = tmp_path_factory.mktemp("calls")
    return media_files.write_pictures(folder / "call.mp4", media_files.portrait(20))


@pytest.fixture(scope="module")
def long_call(call: Path) -> Path:
    return media_files.write_pictures(call.parent / "long.mp4", media_files.portrait(60) * 20)


def joined(cluster: Dask, *words: str) -> None:
    """Start one more worker and wait for it."""
    from distributed import Client

    before = len(cluster.workers)
    cluster.workers.append(begun(cluster, *words))
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(before + 1, timeout=60)


def begun(cluster: Dask, *words: str) -> subprocess.Popen[bytes]:
    """One more worker, that may not be there yet."""
    options = (
        *("--scheduler-file", str(cluster.folder / "scheduler.json")),
        *("--nthreads", "1", "--no-dashboard", "--no-nanny"),
    )
    with (cluster.folder / "late.log").open("wb") as log:
        return subprocess.Popen(
            [*words, *options], cwd=cluster.folder, stdout=log, stderr=log, start_new_session=True
        )


def shelf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install its driver for processes that are begun from now on."""
    driver = folder / "driver"
    (driver / "shelf-1.dist-info").mkdir(parents=True)
    (driver / "shelf-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1\n")
    (driver / "shelf-1.dist-info" / "entry_points.txt").write_text("[fsspec.specs]\nshelf = shelf:Shelf\n")
    (driver / "shelf.py").write_text(SHELF)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(driver), *([before] if before else [])]))


@pytest.mark.slow
def test_paths_count_from_where_the_command_was_given(call: Path, tmp_path: Path) -> None:
    """Workers stand in other folders."""
    study = tmp_path / "study"
    study.mkdir()
    (study / "call.mp4").write_bytes(call.read_bytes())
    (study / "manifest.csv").write_text("session_id,video,consent\ns1,call.mp4,yes\n")
    with dask(tmp_path, 1) as cluster:
        for source, out in (("study", "study/s1"), ("study/call.mp4", "out/call")):
            more = [] if source == "study" else ["--out", "out"]
            done = subprocess.run(
                [*VSA, "extract", source, *more, "--cluster", cluster.address],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert (tmp_path / out / "session.json").exists()


@pytest.mark.slow
def test_recordings_and_results_are_in_a_store(
    call: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All processes find its driver, as that of S3: it is installed. What it stores is in a folder here."""
    assert vsa("extract", call, "--out", tmp_path / "plain").returncode == 0
    shelf(tmp_path, monkeypatch)
    media, store = f"shelf://{call}", f"shelf://{tmp_path}/store"
    with dask(tmp_path, 1) as cluster:
        done = vsa("extract", media, "--out", store, "--cluster", cluster.address)
        assert done.returncode == 0, done.stdout + done.stderr
        again = events(vsa("extract", media, "--out", store, "--json").stdout)
    assert (again[-1]["before"], again[-1]["done"]) == (1, 0)
    for name in ("call/face.parquet", "features.parquet"):
        assert (tmp_path / "store" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def certificate(folder: Path, name: str) -> dict[str, str]:
    """One that signs itself, for all of a cluster; as settings of Dask."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine: no certificate can be made")
    key, made = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)),
        ],
        check=True,
        capture_output=True,
    )
    tls = "distributed.comm.tls."
    for_each = {
        f"{tls}{who}.{what}": str(path)
        for who in ("client", "scheduler", "worker")
        for what, path in (("cert", made), ("key", key))
    }
    return {f"{tls}ca-file": str(made), "distributed.comm.default-scheme": "tls", **for_each}


def test_a_secured_scheduler_wants_certificates(call: Path, tmp_path: Path) -> None:
    words = ["extract", call, "--out", tmp_path / "out", "--cluster"]
    none = vsa(*words, "tls://127.0.0.1:1")
    assert none.returncode == 2
    assert "can't be reached (no certificates are set)" in none.stderr
    assert not (tmp_path / "out" / "call").exists()


@pytest.mark.slow
def test_sessions_on_a_secured_cluster(call: Path, tmp_path: Path) -> None:
    own, other = certificate(tmp_path, "own"), certificate(tmp_path, "other")
    words = ["extract", call, "--out", tmp_path / "out", "--cluster"]
    with config.set(own), dask(tmp_path, 1, settings=own) as cluster:
        assert cluster.address.startswith("tls://")
        for environ, what in ((None, "no certificates are set"), (environment(other), "certificate")):
            refused = vsa(*words, cluster.address, environment=environ)
            assert refused.returncode == 2
            assert f"{cluster.address} can't be reached (" in refused.stderr
            assert what in refused.stderr
        assert not (tmp_path / "out" / "call").exists()
        done = vsa(*words, cluster.address, environment=environment(own))
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "call" / "session.json").exists()


@pytest.mark.slow
def test_a_scheduler_that_is_lost_ends_the_run_with_a_sentence(
    call: Path, long_call: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with dask(tmp_path, 1) as cluster:
        words = ["extract", call, long_call, "--out", out, "--json", "--cluster", cluster.address]
        with subprocess.Popen(
            [*VSA, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                if '"finish"' in line:
                    break
            os.killpg(cluster.scheduler.pid, signal.SIGKILL)
            process.stdout.read()
            said = process.stderr.read()
    assert process.returncode == 2, said
    assert "The scheduler of the cluster was lost." in said
    assert "Traceback" not in said
    assert (out / "call" / "session.json").exists()
    again = events(vsa("extract", call, long_call, "--out", out, "--json").stdout)
    assert again[-1]["before"] >= 1
    assert again[-1]["failed"] == []


@pytest.mark.slow
def test_a_worker_with_another_version_is_named_before_the_start(call: Path, tmp_path: Path) -> None:
    with dask(tmp_path, 1) as cluster:
        joined(cluster, sys.executable, "-c", OTHER)
        done = vsa("extract", call, "--out", tmp_path / "out", "--cluster", cluster.address)
    assert done.returncode == 2
    assert "has vsa 0.0.1, and here it is" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_other_versions_of_what_dask_needs_are_no_table(call: Path, tmp_path: Path) -> None:
    with dask(tmp_path, 1) as cluster:
        joined(cluster, sys.executable, "-c", VERSIONS)
        done = vsa("extract", call, "--out", tmp_path / "out", "--cluster", cluster.address)
    assert done.returncode == 0
    assert "Mismatched versions" not in done.stderr


@pytest.mark.slow
def test_a_worker_without_vsa_is_named_before_the_start(call: Path, tmp_path: Path) -> None:
    (tmp_path / "hidden" / "vsa").mkdir(parents=True)
    (tmp_path / "hidden" / "vsa" / "__init__.py").write_text("__version__ = '0.0.1'\n")
    with dask(tmp_path, 1) as cluster:
        joined(
            cluster,
            "env",
            f"PYTHONPATH={tmp_path / 'hidden'}",
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
        )
        done = vsa("extract", call, "--out", tmp_path / "out", "--cluster", cluster.address)
    assert done.returncode == 2
    assert "can't load the same vsa: " in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "named"),
    [(OTHER, "has vsa 0.0.1, and here it is"), (NONE, " has no vsa.")],
    ids=["other", "none"],
)
def test_a_worker_that_came_late_is_checked_named_and_gets_no_session(
    call: Path, long_call: Path, tmp_path: Path, begin: str, named: str
) -> None:
    from distributed import Client

    more = [tmp_path / f"more{k}.mp4" for k in range(4)]
    for copy in more:
        copy.write_bytes(call.read_bytes())
    with dask(tmp_path, 1) as cluster:
        words = ["extract", long_call, call, *more, "--out", tmp_path / "out", "--cluster", cluster.address]
        with subprocess.Popen(
            [*VSA, *map(str, words), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                if '"start"' in line:
                    break
            with Client(cluster.address, set_as_default=False) as client:
                asked = client.run_on_scheduler(
                    lambda dask_scheduler: [
                        {*(task.resource_restrictions or ())}
                        for task in dask_scheduler.tasks.values()
                        if str(task.key).startswith("vsa-session-")
                    ]
                )
                offered = [{*one["resources"]} for one in client.scheduler_info()["workers"].values()]
            joined(cluster, sys.executable, "-c", begin)  # it offers nothing of that
            told = process.stdout.read()
            said = process.stderr.read()
    assert process.returncode == 2
    assert named in said
    assert '"fail"' not in told
    assert asked
    assert all(one and [one] == offered for one in asked)


@pytest.mark.slow
def test_sessions_wait_for_a_worker_that_is_checked(call: Path, tmp_path: Path) -> None:
    """Also where none was left."""
    other = call.with_name("other.mp4")
    other.write_bytes(call.read_bytes())
    with dask(tmp_path, 1) as cluster:
        words = ["extract", call, other, "--out", tmp_path / "out", "--cluster", cluster.address]
        with subprocess.Popen(
            [*VSA, *map(str, words), "--json"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if '"start"' in line:
                    break
            cluster.kill(0)
            time.sleep(3)
            cluster.workers.append(begun(cluster, sys.executable, "-m", "distributed.cli.dask_worker"))
            told = events(process.stdout.read())
    assert process.returncode == 0
    assert told[-1]["failed"] == []


@pytest.mark.slow
def test_a_worker_that_does_not_reach_the_store_is_named_before_the_start(
    call: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dask(tmp_path, 1) as cluster:  # where the driver is not installed
        shelf(tmp_path, monkeypatch)
        done = vsa("extract", call, "--out", f"shelf://{tmp_path}/store", "--cluster", cluster.address)
        assert done.returncode == 2
        assert f"can't reach the results at shelf://{tmp_path}/store: " in done.stderr
        assert "The worker tcp://127.0.0.1:" in done.stderr


@pytest.mark.slow
def test_workers_that_never_live_long_enough_end_the_run_with_a_sentence(
    call: Path, long_call: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    with dask(tmp_path, 1) as cluster:
        file.write_text(f'address = "{cluster.address}"\npatience_s = 4\n')
        words = ["extract", call, long_call, "--out", tmp_path / "out", "--cluster", file]
        with subprocess.Popen(
            [*VSA, *map(str, words), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                if '"start"' in line:
                    break
            cluster.kill(0)
            process.stdout.read()
            said = process.stderr.read()
    assert process.returncode == 2
    assert "For 4 s the cluster had no worker that lived long enough to be checked." in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_silent_scheduler_does_not_keep_a_run_from_being_stopped(long_call: Path, tmp_path: Path) -> None:
    with dask(tmp_path, 1) as cluster:
        words = ["extract", long_call, "--out", tmp_path / "out", "--cluster", cluster.address, "--json"]
        with subprocess.Popen([*VSA, *map(str, words)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if '"start"' in line:
                    break
            os.kill(cluster.scheduler.pid, signal.SIGSTOP)
            time.sleep(3)
            process.send_signal(signal.SIGINT)
            try:
                assert process.wait(30) == 130
            finally:
                process.kill()


@pytest.mark.parametrize("error", [PermissionError(13, "no"), FileNotFoundError(2, "gone")])
def test_what_a_check_can_not_read_is_a_fault_of_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    from vsa.face import bundle

    def load() -> None:
        raise error

    monkeypatch.setattr(bundle, "load", load)
    found = cluster_worker.fault(cluster_worker.Order("test", tmp_path, Settings(), 1), None)
    assert found is not None
    assert str(error) in found[0]


@pytest.mark.slow
def test_a_worker_alone_that_is_killed_leaves_no_process_behind(
    call: Path, long_call: Path, tmp_path: Path
) -> None:
    """Not even where its sessions' processes are not killed with it."""
    out = tmp_path / "out"
    with dask(tmp_path, 2) as cluster:
        words = ["extract", long_call, call, "--out", out, "--json", "--cluster", cluster.address]
        with subprocess.Popen([*VSA, *map(str, words)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if '"start"' in line and '"long"' in line:
                    break
            children = [cluster.sessions_of(k) for k in range(2)]
            (victim,) = [k for k in range(2) if any(holds(pid, long_call) for pid in children[k])]
            os.kill(cluster.workers[victim].pid, signal.SIGKILL)
            cluster.workers[victim].wait()
            told = events(process.stdout.read())
        assert process.returncode == 0
        assert told[-1]["failed"] == []
        assert gone(children[victim])
    assert sorted(path.parent.name for path in out.glob("*/session.json")) == ["call", "long"]
    assert not list(out.glob(".*part"))


def test_a_process_that_waits_in_vain_for_a_session_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody says that a client was killed."""
    monkeypatch.setattr(cluster_worker, "_IDLE_S", 0.3)
    order = cluster_worker.Order("test", tmp_path, Settings(), 1)
    crew = cluster_worker._Crew()
    child = crew.child(order)
    assert isinstance(child, Child)
    crew.rest(child)
    assert crew.child(order) is child  # it is kept for the next one
    time.sleep(0.5)
    assert child._process.poll() is None  # and not ended meanwhile
    crew.rest(child)
    child._process.wait(10)
    other = crew.child(order)
    assert other is not child
    crew.end()
    assert other is not None
    other._process.wait(10)
    assert crew.child(order) is None


def holds(pid: int, file: Path) -> bool:
    try:
        return file in [entry.readlink() for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False


def gone(pids: list[int]) -> bool:
    last = time.monotonic() + 15
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < last:
        time.sleep(0.1)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)
