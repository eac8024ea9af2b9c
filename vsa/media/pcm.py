"""Sound in memory as 16-bit numbers: half of what float32 takes, which counts for hours of two tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_FULL_SCALE = 32768
#: Samples handled at once: 4 MB as float32.
PIECE = 1 << 20


class Samples(Protocol):
    """A run of mono sound, of which parts are looked at: `Pcm`, or a float32 array."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Floats: ...


class Pcm:
    """A run of mono sound, full scale 1; a slice of it is a float32 array.

    Parameters
    ----------
    values
        int16, shape (n,).
    """

    def __init__(self, values: npt.NDArray[np.int16]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, part: slice) -> Floats:
        return self._values[part] * np.float32(1 / _FULL_SCALE)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype)

    @classmethod
    def of(cls, pieces: Iterable[Floats]) -> Pcm:
        """Put pieces of float32 together; what lies beyond full scale is clipped."""
        parts = [quantized(piece) for piece in pieces]
        return (
            cls(np.concatenate(parts) if len(parts) != 1 else parts[0])
            if parts
            else cls(np.empty(0, np.int16))
        )

    def padded(self, before: int, length: int) -> Pcm:
        """With silence before it, and after it up to a length."""
        out = np.zeros(length, np.int16)
        out[before : before + len(self)] = self._values
        return Pcm(out)


def quantized(samples: Floats) -> npt.NDArray[np.int16]:
    """Float32 with full scale 1 as int16."""
    scaled = np.rint(samples * np.float32(_FULL_SCALE))
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
