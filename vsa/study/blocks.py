"""A far file, of which a few blocks are in memory: what is read from start to end is fetched once."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

#: A part that is fetched at once, bytes, and how many of them are kept.
BLOCK_BYTES, BLOCKS = 1 << 22, 8


class Blocks(io.RawIOBase):
    """A file to read from at any place.

    fsspec has such a cache too; its own would stay in memory after it is closed, until Python looks for cycles.

    Parameters
    ----------
    fetch
        Gives the bytes from one place to another; may raise anything.
    size
        Of the file, bytes.
    close
        Lets go of what `fetch` reads from.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, close: Callable[[], object]) -> None:
        self._fetch, self._size, self._close = fetch, size, close
        self._at = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The place."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place.

        Raises
        ------
        ValueError
            When it is before the start.
        """
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if at < 0:
            raise ValueError("before the start of the file")
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all that are left; fewer at the end only.

        Raises
        ------
        EOFError
            When the file is shorter than it was.
        """
        end = self._size if size is None or size < 0 else min(self._size, self._at + size)
        pieces = []
        while self._at < end:
            number, start = divmod(self._at, BLOCK_BYTES)
            piece = self._block(number)[start : start + end - self._at]
            if not piece:
                raise EOFError("it ended early")
            pieces.append(piece)
            self._at += len(piece)
        return b"".join(pieces)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; how many bytes there were."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            self._kept.clear()
            self._close()
        super().close()

    def _block(self, number: int) -> bytes:
        if number not in self._kept:
            while len(self._kept) >= BLOCKS:
                self._kept.popitem(last=False)
            start = number * BLOCK_BYTES
            self._kept[number] = self._fetch(start, min(self._size, start + BLOCK_BYTES))
        self._kept.move_to_end(number)
        return self._kept[number]
