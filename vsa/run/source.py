"""The file of a recording: known again by its bytes, also when it is deleted or moved while it is analysed."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from vsa.errors import SessionError


@dataclass(frozen=True)
class Fingerprint:
    """What a file is known by.

    Attributes
    ----------
    bytes, modified_ns
        Size and time of change when it was opened.
    sha256
        Of its bytes; None if they changed while it was open, or could not be read again.
    """

    bytes: int
    modified_ns: int
    sha256: str | None


@dataclass
class Source:
    """A recording's file, held open: what is open can be read to its end although it was deleted.

    Raises
    ------
    SessionError
        Stage ``media``: it can't be opened.
    """

    path: Path
    _file: io.BufferedReader = field(init=False, repr=False)
    _found: os.stat_result = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
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
