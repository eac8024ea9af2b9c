"""Decoding ahead of the analysis, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType

from vsa.media.picture import Picture

Chunk = list[tuple[int, Picture]]

#: Chunks that wait, at most.
_AHEAD = 2
#: Bound for all pictures held at once.
_LIMIT_BYTES = 200_000_000


def chunk_length(picture_bytes: int, size: int) -> int:
    """How many pictures of so many bytes the chunks of a `ChunkReader` hold that was asked for `size`."""
    return max(1, min(size, _LIMIT_BYTES // (_AHEAD + 2) // picture_bytes))


class ChunkReader:
    """Pictures in numbered chunks, read ahead by a thread while the last chunk is analysed.

    A context manager that gives an iterator::

        with ChunkReader(recording.pictures(fps)) as chunks:
            for chunk in chunks:
                ...

    What the pictures' iterator raises is raised here after the pictures that came before it. On leaving the block,
    at its end or early, the thread ends and the iterator is closed.

    Parameters
    ----------
    pictures
        Used, and at the end closed, by the reading thread only.
    size
        Pictures in a chunk, at most.
    first
        Number of the first picture.
    ahead
        Chunks that wait, at most.
    limit_bytes
        Bound for all pictures held at once: waiting, being gathered, and in the chunk given out last. Chunks of
        large pictures are shorter; a single picture is given out however large it is.

    Attributes
    ----------
    decode_s
        Time that the thread has spent in the pictures' iterator, s.
    """

    def __init__(
        self,
        pictures: Iterator[Picture],
        *,
        size: int = 16,
        first: int = 0,
        ahead: int = _AHEAD,
        limit_bytes: int = _LIMIT_BYTES,
    ) -> None:
        self.decode_s = 0.0
        self._pictures = pictures
        self._size = size
        self._number = first
        self._ahead = ahead
        self._chunk_bytes = limit_bytes // (ahead + 2)
        self._waiting: deque[Chunk] = deque()
        self._changed = threading.Condition()
        self._stopped = False  # by the consumer
        self._ended = False  # by the thread
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="vsa-decode", daemon=True)

    def __enter__(self) -> ChunkReader:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join()

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended or self._stopped)
            if self._waiting:
                chunk = self._waiting.popleft()
                self._changed.notify_all()
                return chunk
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def _read(self) -> None:
        error: BaseException | None = None
        chunk: Chunk = []
        held_bytes = 0
        try:
            while (picture := self._next_picture()) is not None:
                if chunk and held_bytes + picture.nbytes > self._chunk_bytes:
                    self._give(chunk)
                    chunk, held_bytes = [], 0
                chunk.append((self._number, picture))
                held_bytes += picture.nbytes
                self._number += 1
                if len(chunk) == self._size:
                    self._give(chunk)
                    chunk, held_bytes = [], 0
        except BaseException as raised:  # handed over, whatever it is
            error = raised
        if chunk:
            self._give(chunk)
        del chunk
        close = getattr(self._pictures, "close", None)
        if close is not None:
            close()
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _next_picture(self) -> Picture | None:
        if self._stopped:
            return None
        start = time.perf_counter()
        try:
            return next(self._pictures, None)
        finally:
            self.decode_s += time.perf_counter() - start

    def _give(self, chunk: Chunk) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < self._ahead or self._stopped)
            if not self._stopped:
                self._waiting.append(chunk)
                self._changed.notify_all()
