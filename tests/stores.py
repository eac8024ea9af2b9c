"""Stores that tests reach through fsspec: one in memory, and one that counts what is read of it and can fail."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from vsa.study.addresses import Address, place_of


def memory() -> Any:
    """The store in memory, which is one for the whole process."""
    return fsspec.filesystem("memory")


def emptied() -> Any:
    """The same with nothing in it."""
    fs = memory()
    for name in list(fs.store):
        fs.store.pop(name)
    fs.pseudo_dirs[:] = [""]
    return fs


def address(text: str) -> Address:
    """An address, and no path."""
    place = place_of(text)
    assert isinstance(place, Address)
    return place


def in_memory(path: Path, name: str) -> Address:
    """Copy a file there; its address."""
    memory().pipe_file(f"/{name}", path.read_bytes())
    return address(f"memory://{name}")


class CountedStore(AbstractFileSystem):  # type: ignore[misc]
    """A folder of this machine that is reached as a far one: in ranges.

    What follows the last slash names the file; the rest of an address, and what follows a question mark, is its secret.
    """

    protocol = "counted"
    cachable = False
    folder = Path()
    ranges: tuple[tuple[int, int], ...] = ()
    fails_after: int | None = None

    def _local(self, path: str) -> Path:
        return self.folder / path.rsplit("/", 1)[-1].partition("?")[0]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        local = self._local(path)
        if not local.exists():
            raise FileNotFoundError(errno.ENOENT, f"no such thing: counted://{path}", path)
        stat = local.stat()
        kind = "directory" if local.is_dir() else "file"
        return {"name": path, "size": stat.st_size, "type": kind, "ETag": f'"{stat.st_mtime_ns}"'}

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        return _CountedFile(self, path, mode, **{k: v for k, v in options.items() if k != "autocommit"})


class _CountedFile(AbstractBufferedFile):  # type: ignore[misc]
    def _fetch_range(self, start: int, end: int) -> bytes:
        asked = CountedStore.ranges
        if CountedStore.fails_after is not None and len(asked) >= CountedStore.fails_after:
            raise ConnectionResetError(errno.ECONNRESET, f"the store at counted://{self.path} hung up")
        CountedStore.ranges = (*asked, (start, end))
        with self.fs._local(self.path).open("rb") as file:
            file.seek(start)
            return file.read(end - start)


@contextmanager
def counted(folder: Path, *, fails_after: int | None = None) -> Iterator[type[CountedStore]]:
    """``counted://`` reads this folder; after so many ranges, if given, it fails."""
    fsspec.register_implementation("counted", CountedStore, clobber=True)
    CountedStore.folder, CountedStore.ranges, CountedStore.fails_after = folder, (), fails_after
    yield CountedStore
