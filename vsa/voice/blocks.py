"""Long sound in short blocks: what is measured on the 10 ms grid takes the same memory for any length.

Step k of the grid covers the time from k · 10 ms to (k + 1) · 10 ms after sample 0; what describes it is measured
around its middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.activity import STEP_S

Floats32 = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

#: Whole seconds, so that a block starts on a sample at every rate.
_BLOCK_S = 30
_MARGIN_S = 1


@dataclass(frozen=True, eq=False)
class Block:
    """A part of the sound, resampled, with margins.

    Attributes
    ----------
    first, last
        The steps that the block is for: ``first`` to ``last - 1``.
    rate_hz
        Of `samples`.
    samples
        Float32, shape (n,), finite: from 1 s before step `first` to 1 s after step ``last - 1``; zero where the sound
        has not begun, has ended, or is not a number.
    known
        Steps of which every sample is there and finite, shape (last - first,).
    """

    first: int
    last: int
    rate_hz: int
    samples: Floats32
    known: Flags

    def windows(self, width_s: float, steps: npt.NDArray[np.intp], *, of: Any = None) -> npt.NDArray[Any]:
        """What lies around the middles of some steps.

        Parameters
        ----------
        width_s
            At most twice the margin of 1 s.
        steps
            Counted from `first`, shape (n,).
        of
            One value per sample, shape of `samples`; without it, the samples.

        Returns
        -------
        Shape (n, width), a copy.
        """
        width = round(width_s * self.rate_hz)
        middles = (_MARGIN_S + (steps + 0.5) * STEP_S) * self.rate_hz
        starts = np.round(middles - width / 2).astype(np.intp)
        values = self.samples if of is None else of
        return np.asarray(np.lib.stride_tricks.sliding_window_view(values, width)[starts])

    def bins(self, width_s: float, margin: int) -> Floats32:
        """The samples in equal bins, from `margin` bins before step `first` to as many after the last, (k, width)."""
        width = round(width_s * self.rate_hz)
        start = _MARGIN_S * self.rate_hz - margin * width
        count = round((self.last - self.first) * STEP_S / width_s) + 2 * margin
        return self.samples[start : start + count * width].reshape(count, width)


def blocks(samples: Samples, rate_hz: int, steps: int, to_hz: int) -> Iterator[Block]:
    """Cut sound into resampled blocks of 30 s.

    Parameters
    ----------
    samples
        Mono, shape (n,).
    rate_hz
        Of `samples`.
    steps
        Length of the grid; it may end before the sound does, or after.
    to_hz
        The rate that is wanted; resampled by SoXR.
    """
    import soxr

    length = round(_BLOCK_S / STEP_S)
    for first in range(0, steps, length):
        last = min(first + length, steps)
        start = round(first * STEP_S) * rate_hz
        end = start + int(np.ceil((last - first) * STEP_S * rate_hz - 1e-6))
        margin = _MARGIN_S * rate_hz
        part = _padded(samples, start - margin, end + margin)
        bad = ~np.isfinite(part)
        if bad.any():
            part = np.where(bad, np.float32(0), part)
        bad[: max(0, margin - start)] = True
        bad[max(0, len(samples) - (start - margin)) :] = True
        edges = np.round(margin + np.arange(last - first + 1) * STEP_S * rate_hz).astype(np.intp)
        missing = np.concatenate([[0], np.cumsum(bad)])
        known = missing[edges[1:]] == missing[edges[:-1]]
        if rate_hz != to_hz:
            part = soxr.resample(part, rate_hz, to_hz, "HQ")
        wanted = round(((last - first) * STEP_S + 2 * _MARGIN_S) * to_hz)
        yield Block(first, last, to_hz, _padded(part, 0, wanted), known)


def _padded(samples: Samples, start: int, end: int) -> Floats32:
    part = samples[max(0, start) : max(0, end)]
    before, after = max(0, -start), end - max(0, start) - len(part)
    return np.pad(part, (before, max(0, after))) if before or after > 0 else part
