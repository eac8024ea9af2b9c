"""Places that are no local files: what fsspec reads and writes, as ``s3://bucket/call.mp4`` or ``memory://call.mp4``.

`place_of` turns what a manifest or a command names into a `Path` or an `Address`; `fault_of` says in one line why an
address can't be read, and what to do. An address may hold a password or a token: what is printed, and what becomes of
an error, is without.
"""

from __future__ import annotations

import calendar
import errno
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import unquote

from vsa.study.address_errors import AddressError as AddressError
from vsa.study.address_errors import address_error
from vsa.study.address_text import file_path, lower_schemes, parts_of, shown_address
from vsa.study.blocks import BLOCK_BYTES, Blocks

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[A-Za-z][A-Za-z0-9+.-]+)*://")
#: Under what a store says when a file was changed, and what tells its content from another.
_TIMES = ("mtime", "LastModified", "last_modified", "modified")
_MARKS = ("ETag", "etag", "md5Hash", "md5_hash", "content_md5", "sha256", "checksum")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Found:
    """What a store says of what lies at an address.

    Attributes
    ----------
    folder
        Whether it is one.
    bytes
        Size; None if the store doesn't say.
    modified_ns
        When it was changed, ns since 1970; None if the store doesn't say.
    mark
        An ETag or checksum: two files with the same one have the same bytes. Empty if the store gives none.
    """

    folder: bool
    bytes: int | None
    modified_ns: int | None = None
    mark: str = ""


@dataclass(frozen=True, repr=False)
class Address:
    """A place that fsspec reaches; asked like a `Path`, as far as vsa asks.

    Parameters
    ----------
    url
        With all that is needed to get there, secrets too: never print it. ``str()`` is without them.

    Raises
    ------
    AddressError
        From all that goes there: it is not there, there is no driver, it can't be reached.
    """

    url: str

    def __str__(self) -> str:
        return shown_address(self.url)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    @property
    def name(self) -> str:
        """The file's name."""
        path = parts_of(self.url).path.rstrip("/")
        name = path.rsplit("/", 1)[-1]
        return unquote(name) if parts_of(self.url).scheme in ("http", "https") else name

    @property
    def stem(self) -> str:
        """The file's name without its last suffix."""
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        """The name's last suffix, with its dot."""
        return Path(self.name).suffix

    @property
    def parent(self) -> Address:
        """The folder that it is in."""
        parts = parts_of(self.url)
        return Address(parts.with_path(parts.path.rstrip("/").rpartition("/")[0]))

    def __truediv__(self, name: str) -> Address:
        parts = parts_of(self.url)
        return Address(parts.with_path(f"{parts.path.rstrip('/')}/{name}"))

    def absolute(self) -> Address:
        """Itself."""
        return self

    def found(self) -> Found:
        """What lies there."""
        fs, path = self.store()
        info = self.told(lambda: fs.info(path))
        when = next((info[key] for key in _TIMES if info.get(key)), None)
        if when is None:
            try:
                when = fs.modified(path)
            except Exception:  # many can't say, each in its own way
                when = None
        return Found(
            folder=info.get("type") == "directory",
            bytes=None if info.get("size") is None else int(info["size"]),
            modified_ns=_ns(when),
            mark=next((str(info[key]) for key in _MARKS if info.get(key)), ""),
        )

    def exists(self) -> bool:
        """Whether anything is there."""
        return self._found() is not None

    def is_dir(self) -> bool:
        """Whether it is a folder, as far as the store knows of folders."""
        found = self._found()
        return found is not None and found.folder

    def is_file(self) -> bool:
        """Whether a file is there."""
        found = self._found()
        return found is not None and not found.folder

    def open(self, mode: str = "rb") -> Blocks:
        """A file to read from, at any place of it; a few blocks of it are in memory.

        What reading it raises depends on the driver; see `told`.
        """
        size = self.found().bytes
        fs, path = self.store()

        def opened() -> Any:
            return fs.open(path, mode, block_size=BLOCK_BYTES, cache_type="none")

        file = self.told(opened)
        if isinstance(
            file, io.BytesIO
        ):  # in memory there is one for all, who would read on from where another is
            return Blocks(partial(fs.cat_file, path), size or 0, int)
        try:
            if size is None:
                raise ValueError
            file.seek(min(1, size))
        except Exception:  # each driver has its own way to say it
            file.close()
            raise AddressError(
                errno.ESPIPE,
                "only the whole of it can be had from there, not parts as they are needed",
                "Copy it to this machine, or put simplecache:: before the address: that copies it first.",
            ) from None

        def fetch(start: int, end: int) -> bytes:
            file.seek(start)
            return bytes(file.read(end - start))

        return Blocks(fetch, size, file.close)

    def read_bytes(self) -> bytes:
        """All of it: for tables, not for recordings."""
        fs, path = self.store()
        return cast(bytes, self.told(lambda: fs.cat_file(path)))

    def store(self) -> tuple[Any, str]:
        """File system of fsspec, and the path in it."""
        import fsspec

        return cast(tuple[Any, str], self.told(lambda: fsspec.core.url_to_fs(self.url)))

    def _found(self) -> Found | None:
        try:
            return self.found()
        except AddressError as error:
            if error.errno == errno.ENOENT:
                return None
            raise

    def told(self, ask: Callable[[], _T]) -> _T:
        """Ask the store for something; whatever it raises becomes an `AddressError`."""
        try:
            return ask()
        except AddressError:
            raise
        except Exception as error:  # drivers have their own, which share no base
            raise self.error(error) from None

    def error(self, error: Exception) -> AddressError:
        """What a driver's error comes to."""
        return address_error(error, self.url)


#: Where something is.
Place = Path | Address


def is_address(text: str) -> bool:
    """Whether a text is an address, and no path."""
    return bool(_ADDRESS.match(text))


def place_of(text: str, folder: Place = Path()) -> Place:
    """The place that a cell of a manifest, or an argument, names.

    Parameters
    ----------
    text
        A path, or an address of fsspec. ``file://`` gives a path.
    folder
        What a path is relative to.
    """
    if not is_address(text):
        return folder / text
    local = file_path(text)
    return Address(lower_schemes(text)) if local is None else folder / os.fspath(local)


def name_of(place: Place) -> str:
    """What a file or folder is called, also one that is given as ``.`` or ``..``.

    Examples
    --------
    >>> name_of(Path("studies/pilot")), name_of(Path(".")) == Path.cwd().name
    ('pilot', True)
    """
    if isinstance(place, Path) and place.name in ("", ".."):
        return place.resolve().name or str(place)
    return place.name


def fault_of(address: Address) -> str:
    """Why a file can't be read, with what to do, in one line without passwords; empty if it can.

    It asks the store, and reads nothing.
    """
    try:
        found = address.found()
    except AddressError as error:
        return f"{error}. {error.hint}"
    if found.folder:
        return "is a folder. Give the recording in it."
    return ""


def _ns(when: Any) -> int | None:
    if isinstance(when, datetime):
        return calendar.timegm(when.utctimetuple()) * 10**9 + when.microsecond * 1000
    if isinstance(when, int | float):
        return int(when * 10**9)
    return None
