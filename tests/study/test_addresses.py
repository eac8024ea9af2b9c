"""Addresses: which texts are some, what may be said of them, and reading from them."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import fsspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stores import address, counted, emptied, in_memory, memory

from vsa.errors import InputError
from vsa.study.addresses import AddressError, fault_of, place_of
from vsa.study.session_files import read_record
from vsa.study.tables import read_table

#: Text that may stand in a password without being coded; what ends it is coded by those who write it.
_SECRETS = st.text("abcXYZ0189-_.~!$&'()*+,;=/?", min_size=6, max_size=20).map(lambda text: f"q{text}q")


@pytest.fixture(autouse=True)
def _store() -> None:
    emptied()


@pytest.mark.parametrize(
    "text", ["call.mp4", "a/b.mp4", "/a/b.mp4", "C:/calls/a.mp4", "C:\\a.mp4", "a:b.mp4", "a/s3://b"]
)
def test_a_path_stays_a_path(text: str) -> None:
    assert place_of(text, Path("study")) == Path("study") / text


def test_a_file_address_is_a_path_of_this_machine(tmp_path: Path) -> None:
    assert place_of("file:///calls/my%20call.mp4") == Path("/calls/my call.mp4")
    assert place_of("FILE://localhost/calls/a.mp4") == Path("/calls/a.mp4")
    assert place_of("file://calls/a.mp4", Path("/study")) == Path("/study/calls/a.mp4")
    odd = tmp_path / "50%20off.mp4"
    odd.touch()
    assert place_of(f"file://{odd}") == odd
    assert place_of((tmp_path / "a b.mp4").as_uri()) == tmp_path / "a b.mp4"


def test_the_name_is_that_of_the_file() -> None:
    for text, name in {
        "s3://bucket/calls/s07.mp4": "s07.mp4",
        "S3://bucket/calls/S07.MP4": "S07.MP4",
        "https://host/calls/my%20call.mp4?token=abc": "my call.mp4",
        "simplecache::s3://bucket/s07.mp4": "s07.mp4",
        "zip://inner.mp4::s3://bucket/all.zip": "inner.mp4",
        "memory://a#1.mp4": "a#1.mp4",
    }.items():
        assert address(text).name == name
        assert address(text).stem == name.rsplit(".", 1)[0]
    assert address("s3://b/x/y.mp4").parent == address("s3://b/x")
    assert address("https://host/x?key=1") / "a.csv" == address("https://host/x/a.csv?key=1")


@example(user="q000000q", password="q000000q", token="q0=&00=q")
@given(user=_SECRETS, password=_SECRETS, token=_SECRETS)
def test_no_secret_is_ever_shown(user: str, password: str, token: str) -> None:
    """Also where a password was not coded as it should be."""
    for text in (
        f"sftp://{user.replace('/', 'x').replace('?', 'x')}:{password}@host:22/calls/s07.mp4?token={token}",
        f"zip://s07.mp4::https://us:{password}@host/all.zip?token={token}",
    ):
        one = address(text)
        error = one.error(OSError(errno.EIO, f"GET {text} failed for {password} with {token}"))
        for said in (
            str(one),
            repr(one),
            one.name,
            str(error),
            error.hint,
            str(one.parent),
            f"{one}",
            repr(error),
        ):
            for secret in (password, token):
                assert secret not in said


def test_what_is_wrong_is_said_in_one_line_with_what_to_do() -> None:
    in_memory(Path(__file__), "calls/a.mp4")
    assert fault_of(address("memory://calls/a.mp4")) == ""
    assert fault_of(address("memory://calls/b.mp4")) == "does not exist. Check the address."
    assert fault_of(address("memory://calls")) == "is a folder. Give the recording in it."
    assert fault_of(address("s4fs://calls/a.mp4")).startswith("s4fs:// is no protocol that is known. ")
    assert "Is it memory://?" in fault_of(address("memry://a.mp4"))


@pytest.mark.parametrize(
    ("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs"), ("sftp", "paramiko")]
)
def test_a_missing_driver_is_named_with_its_package(scheme: str, package: str) -> None:
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError:
        pass
    else:
        pytest.skip(f"{package} is installed")
    for text in (
        f"{scheme}://bucket/a.mp4",
        f"simplecache::{scheme}://bucket/a.mp4",
        f"zip://a::{scheme}://b/a.zip",
    ):
        assert fault_of(address(text)) == f"no driver for {scheme}:// is installed. pip install {package}"


def test_a_store_that_hangs_up_is_told_from_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(100))
    with counted(tmp_path, fails_after=0):
        file = address("counted://us:pass99word@store/a.mp4?key=k3y0").open()
        with pytest.raises(AddressError) as caught:
            address("counted://us:pass99word@store/a.mp4?key=k3y0").told(lambda: file.read(10))
    assert caught.value.errno == errno.ECONNRESET
    assert "can't be reached" in str(caught.value)
    assert not {"pass99word", "k3y0"} & set(str(caught.value).replace("=", " ").replace("@", " ").split())


def test_a_file_in_memory_is_read_by_several_at_once() -> None:
    """The store hands the same open file to everybody."""
    memory().pipe_file("/a.bin", bytes(range(100)))
    first, second = address("memory://a.bin").open(), address("memory://a.bin").open()
    assert first.read(10) == bytes(range(10))
    assert second.read(5) == bytes(range(5))
    assert first.seek(-3, 2) == 97
    assert first.read() == bytes([97, 98, 99])
    assert second.read(3) == bytes([5, 6, 7])
    assert first.read(10) == b""


def test_what_lies_in_an_archive_is_reached_through_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("calls/a.mp4", b"0123456789")
    in_memory(tmp_path / "all.zip", "all.zip")
    inner = address("zip://calls/a.mp4::memory://all.zip")
    assert fault_of(inner) == ""
    with inner.open() as file:
        file.seek(4)
        assert file.read() == b"456789"


def test_what_is_found_tells_a_changed_file() -> None:
    memory().pipe_file("/a.bin", bytes(100))
    one = address("memory://a.bin")
    before = one.found()
    assert before == one.found()
    assert (before.bytes, before.folder) == (100, False)
    memory().pipe_file("/a.bin", bytes(99) + b"x")
    assert one.found() != before
    assert not (one.parent / "b.bin").exists()
    assert one.parent.is_dir()


def test_tables_are_read_from_addresses(tmp_path: Path) -> None:
    (tmp_path / "bonds.csv").write_text("session_id;bond\ns1;4,5\ns2;3,5\n", "utf-8")
    table = read_table(in_memory(tmp_path / "bonds.csv", "t/bonds.csv"))
    assert table["bond"].tolist() == [4.5, 3.5]
    table.to_parquet(tmp_path / "bonds.parquet")
    assert read_table(in_memory(tmp_path / "bonds.parquet", "t/bonds.parquet")).equals(table)
    with pytest.raises(InputError, match=r"memory://t/none.csv does not exist"):
        read_table(address("memory://t/none.csv"))
    with pytest.raises(InputError, match=r"no features\.parquet"):
        read_table(address("memory://t"))
    with pytest.raises(InputError, match="no protocol that is known"):
        read_table(address("s4fs://t/bonds.csv"))


def test_no_answer_of_a_store_is_not_taken_for_no_record(tmp_path: Path) -> None:
    """Consent stands in it."""
    (tmp_path / "session.json").write_text("{}")
    assert read_record(address("memory://nobody")) is None
    with counted(tmp_path, fails_after=0), pytest.raises(InputError, match="can't be reached"):
        read_record(address("counted://store"))
