"""Sound as 16-bit numbers, in memory or, beyond an hour, on disk where only this process can read it.

No raw audio may lie on a disk, and memory may not grow with a recording. So what does not fit goes to a file without a
name, which is gone when the process ends, however it ends; it can't be read without a key that is only in memory
(SHAKE-256 as a stream cipher: FIPS 202; Bertoni, Daemen, Peeters & Van Assche 2011, Cryptographic sponge functions).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vsa.errors import SessionError

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int16]

#: Samples of one run of sound that are kept in memory: 134 MB, or 70 minutes at 16 kHz.
IN_MEMORY = 1 << 26
#: Samples handled at once: 4 MB as float32.
PIECE = 1 << 20

_FULL_SCALE = 32768
_BLOCK = 1 << 16  # samples that are read or written at once on disk


class Samples(Protocol):
    """A run of mono sound, of which parts are looked at: `Pcm`, or a float32 array."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Floats: ...


class Pcm:
    """A run of mono sound, full scale 1; a slice (without a step) of it is a float32 array.

    Parameters
    ----------
    values
        int16, shape (n,).
    """

    def __init__(self, values: Numbers | _OnDisk) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, part: slice) -> Floats:
        return np.asarray(self._values[part] * np.float32(1 / _FULL_SCALE), np.float32)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype)

    @classmethod
    def of(cls, pieces: Iterable[Floats]) -> Pcm:
        """Put pieces of float32 together; what lies beyond full scale is clipped."""
        writer = PcmWriter()
        for piece in pieces:
            writer.add(quantized(piece))
        return writer.finished()

    def padded(self, before: int, length: int) -> Pcm:
        """With silence before it, and after it up to a length."""
        writer = PcmWriter()
        writer.silence(before)
        for start in range(0, len(self), PIECE):
            writer.add(self._values[start : start + PIECE])
        writer.silence(length - before - len(self))
        return writer.finished()


class PcmWriter:
    """Gathers 16-bit numbers.

    Parameters
    ----------
    in_memory
        From so many on they go to the disk.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._parts: list[Numbers] = []
        self._count = 0
        self._disk: _OnDisk | None = None

    def add(self, values: Numbers) -> None:
        """Append some, shape (n,)."""
        self._parts.append(values)
        self._count += len(values)
        if self._count >= (self._in_memory if self._disk is None else _BLOCK):
            self._disk = self._disk or _OnDisk()
            for part in self._parts:
                self._disk.append(part)
            self._parts, self._count = [], 0

    def silence(self, samples: int) -> None:
        """Append zeros."""
        for start in range(0, samples, PIECE):
            self.add(np.zeros(min(PIECE, samples - start), np.int16))

    def finished(self) -> Pcm:
        """All of it."""
        if self._disk is not None:
            for part in self._parts:
                self._disk.append(part)
            return Pcm(self._disk)
        return Pcm(np.concatenate([np.empty(0, np.int16), *self._parts]))


class _OnDisk:
    """Numbers in a file that has no name and is enciphered."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="vsa-", buffering=0)  # noqa: SIM115 - it lives as long as this
        self._key = secrets.token_bytes(32)
        self._rest = np.empty(0, np.int16)  # not yet a whole block
        self._blocks = 0

    def __len__(self) -> int:
        return self._blocks * _BLOCK + len(self._rest)

    def append(self, values: Numbers) -> None:
        values = np.concatenate([self._rest, values])
        whole = len(values) // _BLOCK
        for block in values[: whole * _BLOCK].reshape(-1, _BLOCK):
            data = (block ^ self._stream(self._blocks)).tobytes()
            _write(self._file.fileno(), data, self._blocks * len(data))
            self._blocks += 1
        self._rest = values[whole * _BLOCK :].copy()

    def __getitem__(self, part: slice) -> Numbers:
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise IndexError("no steps")
        first, last = start // _BLOCK, -(-stop // _BLOCK)
        blocks = [self._block(k) for k in range(first, last)]
        joined = np.concatenate(blocks) if len(blocks) != 1 else blocks[0]
        return (
            joined[start - first * _BLOCK : max(stop, start) - first * _BLOCK] if blocks else self._rest[:0]
        )

    def _block(self, k: int) -> Numbers:
        if k == self._blocks:
            return self._rest
        data = os.pread(self._file.fileno(), 2 * _BLOCK, 2 * _BLOCK * k)
        return np.frombuffer(data, np.int16) ^ self._stream(k)

    def _stream(self, k: int) -> Numbers:
        return np.frombuffer(hashlib.shake_256(self._key + k.to_bytes(8, "big")).digest(2 * _BLOCK), np.int16)


def _write(file: int, data: bytes, at: int) -> None:
    try:
        whole = os.pwrite(file, data, at) == len(data)
    except OSError:
        whole = False
    if not whole:
        raise SessionError(
            "write",
            f"There is no room for temporary files in {tempfile.gettempdir()}.",
            "Make room, or name another folder in the environment variable TMPDIR.",
        )


def quantized(samples: Floats) -> Numbers:
    """Float32 with full scale 1 as int16; NaN is silence."""
    scaled = np.nan_to_num(np.rint(samples * np.float32(_FULL_SCALE)))
    return np.asarray(np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1), np.int16)


def pieces(samples: Samples, length: int = PIECE) -> Iterator[Floats]:
    """Consecutive parts, each of a length but the last."""
    for start in range(0, len(samples), length):
        yield samples[start : start + length]


def resampled(
    samples: Samples,
    from_hz: float,
    to_hz: float,
    quality: str,
    clean: Callable[[Floats], Floats] | None = None,
) -> Pcm:
    """Resample piece by piece with SoXR.

    Parameters
    ----------
    samples
        Shape (n,).
    from_hz, to_hz
        Rates.
    quality
        SoXR's name of it: ``MQ``, ``HQ``, …
    clean
        Is done to each piece before.
    """
    import soxr

    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality=quality)

    def parts() -> Iterator[Floats]:
        for piece in pieces(samples):
            yield stream.resample_chunk(piece if clean is None else clean(piece))
        yield stream.resample_chunk(np.empty(0, np.float32), last=True)

    return Pcm.of(parts())
