"""Pitch of the voice: YIN on the 10 ms grid, only where somebody speaks, and the likeliest path through its candidates.

1. **_Candidates.** For each step in speech, 40 ms of sound around its middle, at 8 kHz, give YIN's cumulative mean
   normalized difference d' for lags of 1/600 to 1/60 s. The difference runs over all pairs within the window, which
   is symmetric about its middle whatever the lag, so that a gliding pitch is not dated early or late. Each minimum
   of d', refined with a parabola, is a candidate that costs d': 0 for a perfectly periodic sound, about 1 for noise.
2. **Path.** Octave jumps are repaired by choosing for all steps together (Viterbi): the sum of the candidates' costs,
   of a small cost for each octave down, of `JUMP` for each octave between neighbours, of `TURN` for a change
   between voiced and unvoiced, and of `UNVOICED` for an unvoiced step is the least that it can be.
3. **The speaker's range.** The first path says where the speaker's voice lies: from 0.75 times its lower quartile to
   twice its upper. A second path charges candidates for lying outside, so that a whole stretch an octave off is
   repaired too. They are not forbidden: a laugh or a creak that is clearly periodic stays.

Sources: YIN, de Cheveigné & Kawahara 2002; path and its costs, Boersma 1993; two passes, De Looze & Hirst 2008 (their
ceiling is lower: 1.5 times for even speech).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.blocks import Block, Flags, Floats32, blocks

LOWEST_HZ, HIGHEST_HZ = 60.0, 600.0

#: Cost of an octave down, of an octave between neighbours, of a change of voicing, of an unvoiced step.
OCTAVE, JUMP, TURN, UNVOICED = 0.02, 0.35, 0.14, 0.5
#: Cost of each octave outside the speaker's range.
OUTSIDE = 0.3

_RATE_HZ = 8000
_WINDOW_S = 0.04
_CANDIDATES = 7
#: Steps of a part of the path, how far it looks over its edges, and how many parts are searched at once.
_PART, _OVERLAP, _SIDE_BY_SIDE = 256, 64, 256
_NEVER = np.float32(1e6)


def f0_hz(samples: Samples, rate_hz: int, speaking: Flags) -> Floats32:
    """Fundamental frequency of one person's voice.

    Parameters
    ----------
    samples
        Mono, shape (n,); values that are not finite count as missing.
    rate_hz
        Of `samples`; 8 kHz or more.
    speaking
        Where this person speaks, one value per 10 ms from sample 0, shape (m,).

    Returns
    -------
    Hz, 60-600, shape (m,); NaN where nobody speaks, the voice is unvoiced or the sound is missing.
    """
    where, found = [np.empty(0, np.intp)], [_Candidates.none()]
    for block in blocks(samples, rate_hz, len(speaking), _RATE_HZ):
        steps = np.flatnonzero(speaking[block.first : block.last] & block.known)
        if len(steps):
            where.append(block.first + steps)
            found.append(_candidates(block, steps))
    at, candidates = np.concatenate(where), _Candidates.joined(found)
    f0 = np.full(len(speaking), np.nan, np.float32)
    f0[at] = _path(candidates, at)
    voiced = f0[np.isfinite(f0)]
    if len(voiced):
        low, high = np.percentile(voiced, [25, 75])
        f0[at] = _path(candidates.within(0.75 * low, 2 * high), at)
    return f0


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Possible pitches of each step: log2 of Hz, and cost, shape (n, 7); `_NEVER` where there are fewer."""

    octaves: Floats32
    cost: Floats32

    @classmethod
    def none(cls) -> _Candidates:
        """Of no step."""
        return cls(np.empty((0, _CANDIDATES), np.float32), np.empty((0, _CANDIDATES), np.float32))

    @classmethod
    def joined(cls, parts: list[_Candidates]) -> _Candidates:
        """Of one part after the other."""
        return cls(np.concatenate([p.octaves for p in parts]), np.concatenate([p.cost for p in parts]))

    def within(self, low_hz: float, high_hz: float) -> _Candidates:
        """The same, with a charge for what lies outside a range."""
        low, high = np.log2([low_hz, high_hz]).astype(np.float32)
        outside = np.maximum(low - self.octaves, 0) + np.maximum(self.octaves - high, 0)
        return _Candidates(self.octaves, self.cost + np.float32(OUTSIDE) * outside)


def _candidates(block: Block, steps: npt.NDArray[np.intp]) -> _Candidates:
    """Minima of YIN's normalized difference, the cheapest ones."""
    difference, normalized = _differences(block.windows(_WINDOW_S, steps), _longest_lag())
    inner = normalized[:, 1:-1]
    minimum = (inner <= normalized[:, :-2]) & (inner < normalized[:, 2:])
    minimum[:, : int(_RATE_HZ / HIGHEST_HZ) - 2] = False
    lags = np.arange(2, normalized.shape[1], dtype=np.float32)
    rough = np.where(minimum, inner + np.float32(OCTAVE) * np.log2(lags), _NEVER)
    best = np.argpartition(rough, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    cost = np.take_along_axis(rough, best, axis=1)
    before, at, after = (np.take_along_axis(difference, best + k, axis=1) for k in (0, 1, 2))
    bend = np.maximum(before - 2 * at + after, np.float32(1e-20))
    shift = np.clip((before - after) / 2 / bend, -1, 1)
    before, at, after = (np.take_along_axis(normalized, best + k, axis=1) for k in (0, 1, 2))
    # The minimum between two samples is deeper than both.
    deeper = np.clip((before - after) ** 2 / 8 / np.maximum(before - 2 * at + after, np.float32(1e-6)), 0, at)
    f0 = _RATE_HZ / (lags[best] + shift)
    cost = np.where((f0 >= LOWEST_HZ) & (f0 <= HIGHEST_HZ), cost - deeper, _NEVER)
    return _Candidates(np.log2(f0), cost - np.float32(OCTAVE * np.log2(_RATE_HZ / HIGHEST_HZ)))


def _longest_lag() -> int:
    return int(np.ceil(_RATE_HZ / LOWEST_HZ)) + 2


def _differences(windows: Floats32, longest: int) -> tuple[Floats32, Floats32]:
    """YIN's difference function, and the same divided by its mean over the shorter lags.

    Parameters
    ----------
    windows
        Shape (n, width).
    longest
        In samples.

    Returns
    -------
    Two arrays for the lags of 1 to `longest` samples, shape (n, longest).
    """
    from scipy import fft

    width = windows.shape[1]
    x = windows - windows.mean(1, keepdims=True)
    size = fft.next_fast_len(width + longest, real=True)
    spectrum = fft.rfft(x, size, axis=1)
    together = fft.irfft(spectrum.real**2 + spectrum.imag**2, size, axis=1)[:, 1 : longest + 1]
    power = np.cumsum(x * x, axis=1)
    lag = np.arange(1, longest + 1)
    pairs = power[:, width - 1 - lag] + power[:, -1:] - power[:, lag - 1]
    difference = np.maximum(pairs - 2 * together, 0) / (width - lag).astype(np.float32)
    mean = np.cumsum(difference, axis=1) / lag.astype(np.float32)
    # A window without sound is no period of anything.
    silent = power[:, -1:] < width * 1e-12
    normalized = np.where(silent, np.float32(1), difference / np.maximum(mean, np.float32(1e-20)))
    return difference, normalized


def _path(candidates: _Candidates, at: npt.NDArray[np.intp]) -> Floats32:
    """The cheapest sequence of candidates, in Hz, NaN for unvoiced; shape (n,).

    All steps are cut into parts that are searched side by side. Each part starts `_OVERLAP` steps early and ends
    as much late: paths from different beginnings have met long before.
    """
    n = len(at)
    pick = np.empty(-(-n // _PART) * _PART, np.intp)
    for start in range(0, n, _SIDE_BY_SIDE * _PART):
        firsts = np.arange(start, min(n, start + _SIDE_BY_SIDE * _PART), _PART)
        chosen = _cheapest(candidates, at, firsts + np.arange(-_OVERLAP, _PART + _OVERLAP)[:, None])
        found = chosen[_OVERLAP:-_OVERLAP].T.reshape(-1)
        pick[start : start + len(found)] = found
    pick = pick[:n]
    voiced = pick < _CANDIDATES
    f0 = np.full(n, np.nan, np.float32)
    f0[voiced] = 2 ** candidates.octaves[voiced, pick[voiced]]
    return f0


def _cheapest(
    candidates: _Candidates, at: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.int8]:
    """Viterbi's search down each column of `rows`; the candidate of each, `_CANDIDATES` for unvoiced."""
    inside = (rows >= 0) & (rows < len(at))
    rows = np.clip(rows, 0, len(at) - 1)
    octaves = candidates.octaves[rows]
    cost = np.concatenate([candidates.cost[rows], np.full((*rows.shape, 1), UNVOICED, np.float32)], axis=2)
    cost[~inside] = 0
    neighbours = inside[1:] & inside[:-1] & (at[rows[1:]] - at[rows[:-1]] == 1)
    parts = rows.shape[1]
    came_from = np.empty((len(rows) - 1, parts, _CANDIDATES + 1), np.int8)
    total = cost[0]
    change = np.zeros((parts, _CANDIDATES + 1, _CANDIDATES + 1), np.float32)
    for k in range(1, len(rows)):
        change[:, :-1, :-1] = JUMP * np.abs(octaves[k - 1][:, :, None] - octaves[k][:, None, :])
        change[:, -1, :-1] = change[:, :-1, -1] = TURN
        step = total[:, :, None] + change * neighbours[k - 1][:, None, None]
        came_from[k - 1] = step.argmin(1)
        total = step.min(1) + cost[k]
    chosen = np.empty(rows.shape, np.int8)
    chosen[-1] = total.argmin(1)
    for k in range(len(rows) - 2, -1, -1):
        chosen[k] = came_from[k][np.arange(parts), chosen[k + 1]]
    return chosen
