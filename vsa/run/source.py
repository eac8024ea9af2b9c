"""The file of a recording: known again by its bytes, also when it is deleted or moved while it is analysed."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from vsa.errors import SessionError
from vsa.media.digest import sha256_of_file
from vsa.media.stream import said_of
from vsa.study.addresses import Address, AddressError, Found, Place

#: What is said of a pipe or a device, after its name, and what to do.
_STREAM = (" is a pipe or a device, not a file.", "Save the stream as a file first.")


@dataclass(frozen=True)
class Fingerprint:
    """What a file is known by.

    Attributes
    ----------
    bytes, modified_ns
        Size and time of change when it was opened; None if a store doesn't say.
    sha256
        Of its bytes; None if they changed while it was open, or could not be read again.
    mark
        What a store tells its content by (an ETag, a checksum); empty for files of this machine.
    """

    bytes: int | None
    modified_ns: int | None
    sha256: str | None
    mark: str = ""

    def record(self) -> dict[str, Any]:
        """For ``session.json``."""
        known = {"sha256": self.sha256, "bytes": self.bytes, "modified_ns": self.modified_ns}
        return {**known, "etag": self.mark} if self.mark else known


@dataclass
class Source:
    """A recording's file, held open: what is open can be read to its end although it was deleted.

    Raises
    ------
    SessionError
        Stage ``media``: it is no file, or can't be opened.
    """

    path: Path
    _file: io.BufferedReader = field(init=False, repr=False)
    _found: os.stat_result = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            if _is_stream(self.path):
                raise SessionError("media", f"{self.path.name}{_STREAM[0]}", _STREAM[1])
            self._file = self.path.open("rb")
        except OSError as error:
            raise SessionError(
                "media",
                f"{self.path.name}: can't be read ({error.strerror}).",
                "Check that the file is still there and that you may read it.",
            ) from None
        self._found = os.fstat(self._file.fileno())

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def held(self) -> Path:
        """Where it can be read while it is open, also when it was deleted or moved."""
        held = Path(f"/dev/fd/{self._file.fileno()}")
        return held if held.exists() else self.path

    def fingerprint(self) -> Fingerprint:
        """Read the file once more, in small pieces."""
        size, modified = self._found.st_size, self._found.st_mtime_ns
        try:
            self._file.seek(0)
            digest = hashlib.file_digest(self._file, "sha256").hexdigest()
            now = os.fstat(self._file.fileno())
        except OSError:
            return Fingerprint(size, modified, None)
        same = (now.st_size, now.st_mtime_ns) == (size, modified)
        return Fingerprint(size, modified, digest if same else None)


@dataclass
class FarSource:
    """A recording at an address. Nothing holds it: if it is deleted or the connection is lost, the session fails.

    Raises
    ------
    SessionError
        Stage ``media``: it is not there, or can't be reached.
    """

    held: Address
    _found: Found = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._found = _found(self.held)

    def __enter__(self) -> FarSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def fingerprint(self) -> Fingerprint:
        """Read the file once more, in small pieces."""
        before = self._found
        digest = sha256_of_file(self.held)
        same = _found(self.held) == before
        return Fingerprint(before.bytes, before.modified_ns, digest if same else None, before.mark)


def source_of(place: Place) -> Source | FarSource:
    """The file at a place."""
    return FarSource(place) if isinstance(place, Address) else Source(place)


def unchanged(place: Place, source: Mapping[str, Any]) -> bool:
    """Whether a recording is the one of which ``session.json`` says so much, or is gone.

    Results outlive recordings that were deleted, as consent may demand. Where the time of change is another, the bytes
    decide.

    Raises
    ------
    SessionError
        Stage ``media``: it is there and can't be read.
    """
    try:
        if isinstance(place, Address):
            found = place.found()
            size, modified, mark = found.bytes, found.modified_ns, found.mark
        else:
            own = place.stat()
            size, modified, mark = own.st_size, own.st_mtime_ns, ""
    except OSError:
        return True
    if size != source.get("bytes"):
        return False
    if mark and source.get("etag"):
        return bool(mark == source["etag"]) or sha256_of_file(place) == source.get("sha256")
    same_time = modified is not None and modified == source.get("modified_ns")
    return same_time or sha256_of_file(place) == source.get("sha256")


def unusable(place: Place) -> tuple[str, str] | None:
    """Why there is no recording at a place, to follow its name, and what to do; None if there may be one."""
    try:
        folder = place.found().folder if isinstance(place, Address) else place.is_dir()
        if folder:
            return " is a folder.", "Name the recordings in it, or give a manifest."
        there = isinstance(place, Address) or os.path.exists(place)
        if there and isinstance(place, Path) and _is_stream(place):
            return _STREAM
        return None if there else (": no such file.", "Check the path.")
    except AddressError as error:
        return f": {error}.", error.hint
    except OSError:  # not to be looked at
        return ": no such file.", "Check the path."


def _is_stream(path: Path) -> bool:
    """Whether it is neither file nor folder; to open a pipe may wait for ever."""
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _found(address: Address) -> Found:
    try:
        return address.found()
    except AddressError as error:
        raise said_of(address, error) from None
