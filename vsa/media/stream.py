"""Recordings at addresses: read piece by piece while they are decoded, never copied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vsa.errors import SessionError
from vsa.study.addresses import Address, AddressError

#: FFmpeg asks for so much at once, bytes.
PIECE_BYTES = 1 << 18


class Stream:
    """A file at an address, as PyAV reads it.

    What goes wrong is kept and looks like the end of the file: FFmpeg takes either for granted, and a recording must
    not count as cut short because a network failed. So `check` is asked when the end is reached.

    Parameters
    ----------
    address
        Of the file.

    Raises
    ------
    SessionError
        Stage ``media``: it can't be opened, or read only from start to end.
    """

    def __init__(self, address: Address) -> None:
        self.name = address.name  # FFmpeg looks at the suffix
        self._address = address
        self._error: BaseException | None = None
        try:
            self._file = address.open()
        except AddressError as error:
            raise said_of(address, error) from None

    def read(self, size: int) -> bytes:
        """At most so many bytes; fewer at the end only."""
        if self._error is not None:
            return b""
        try:
            return self._file.read(size)
        except BaseException as error:  # Ctrl-C too: PyAV would only print it
            self._error = error
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; damaged files send FFmpeg to places before the start."""
        try:
            return self._file.seek(offset, whence)
        except ValueError:
            return -1

    def tell(self) -> int:
        """The place."""
        return self._file.tell()

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Let go of the connection, and of what is in memory."""
        self._file.close()

    def check(self) -> None:
        """Say what went wrong so far.

        Raises
        ------
        SessionError
            Stage ``media``.
        """
        if isinstance(self._error, Exception):
            raise said_of(self._address, self._address.error(self._error))
        if self._error is not None:
            raise self._error


def stream_of(container: Any) -> Stream | None:
    """From where a container of PyAV reads; None if from a file of this machine."""
    file = getattr(container.file, "file", None)
    return file if isinstance(file, Stream) else None


def check(container: Any) -> None:
    """Say what went wrong with reading a container so far; for files of this machine, FFmpeg says it.

    Raises
    ------
    SessionError
        Stage ``media``.
    """
    if (stream := stream_of(container)) is not None:
        stream.check()


def shut(container: Any) -> None:
    """Close a container and what it reads from."""
    stream = stream_of(container)
    container.close()
    if stream is not None:
        stream.close()


@contextmanager
def closing(container: Any) -> Iterator[Any]:
    """`shut` it at the end of a block."""
    try:
        yield container
    finally:
        shut(container)


def said_of(address: Address, error: AddressError) -> SessionError:
    """What went wrong at an address, as a session's error."""
    return SessionError("media", f"{address}: {error}.", error.hint)
