"""From decoded sound to one even run of samples: stamps checked, gaps silenced, channels kept or mixed, resampled.

Positions are counted in samples from the stream's first stamp. A stamp that disagrees with the count by more than
`AT_ONCE_S` is followed at once; a smaller disagreement only if it lasts for some seconds (the clock of a live
recording jitters by some ms, and two clocks drift apart slowly).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Pcm, PcmWriter, quantized

Floats = npt.NDArray[np.float32]

#: A stamp this far from the count is followed at once, s.
AT_ONCE_S = 0.05
#: A smaller disagreement is followed from here on, s, if it lasts for so long, s.
LASTING_S, LASTING_FOR_S = 0.005, 3.0
#: A longer leap has to be borne out by the next stamp; a longer step back is a clock that was set back.
LEAP_S = 1.0
#: A longer gap is no part of a call, but a wrong stamp: the sound goes on where it was.
LONGEST_GAP_S = 6 * 3600.0
#: Louder than this (60 dB over full scale) is garbage, not sound.
_GARBAGE = 1000.0
_FULL_SCALE = 0.999
#: Samples that differ by less are the same; full scale is 1.
_SAME = 1e-5
#: How loud a channel of a surround layout is in the mix; others count half, the low-frequency channel not at all.
_WEIGHTS = {"FC": 1.0, "FL": 0.7071, "FR": 0.7071, "LFE": 0.0, "LFE2": 0.0}
_MOST_KEPT = 4
_PLANAR = {"u8p": np.uint8, "s16p": np.int16, "s32p": np.int32, "fltp": np.float32, "dblp": np.float64}


@dataclass
class SoundFaults:
    """What went wrong in a stream, counted as it is read.

    Attributes
    ----------
    gaps, gaps_s
        Stretches without sound in the file, which became silence: how many, and how long together, s.
    dropped_s
        Sound that the file has twice for the same time, s: the second was left out.
    not_numbers, samples
        Samples that were NaN, infinite or far beyond full scale and became silence, and all samples (of all channels).
    clipped
        Samples at full scale, as the file has them.
    bad_packets
        Pieces that could not be decoded.
    lowest, highest
        Smallest and largest sample.
    """

    gaps: int = 0
    gaps_s: float = 0.0
    dropped_s: float = 0.0
    not_numbers: int = 0
    samples: int = 0
    clipped: int = 0
    bad_packets: int = 0
    lowest: float = np.inf
    highest: float = -np.inf

    @property
    def silent(self) -> bool:
        """Whether all samples are the same."""
        return self.highest - self.lowest < _SAME


class SampleClock:
    """Where decoded sound belongs, in samples: what to fill in and what to leave out before it.

    Parameters
    ----------
    start_s
        Stamp of the stream's first sample, s.
    """

    def __init__(self, start_s: float) -> None:
        self._reached_s = start_s
        self._shift_s = 0.0
        self._lately: list[float] = []

    def place(self, stamp_s: float | None, next_s: float | None, length_s: float) -> float:
        """Take a piece of sound.

        Parameters
        ----------
        stamp_s, next_s
            Stamps of this piece and of the next, s; None where there is none.
        length_s
            Of this piece.

        Returns
        -------
        How long a silence comes before it, s; negative: how much of it, or of what follows, is left out.
        """
        correction = 0.0 if stamp_s is None else self._correction(stamp_s, next_s, length_s)
        self._reached_s += correction + length_s
        return correction

    def _correction(self, stamp_s: float, next_s: float | None, length_s: float) -> float:
        off = stamp_s + self._shift_s - self._reached_s
        if off > LEAP_S and next_s is not None and next_s < stamp_s:
            return 0.0  # one wrong stamp
        if off < -LEAP_S or off > LONGEST_GAP_S:
            self._shift_s -= off
            self._lately.clear()
            return 0.0
        if abs(off) > AT_ONCE_S:
            self._lately.clear()
            return off
        self._lately.append(off)
        if len(self._lately) * length_s < LASTING_FOR_S:
            return 0.0
        lasting = float(np.median(self._lately))
        self._lately.clear()
        return lasting if abs(lasting) > LASTING_S else 0.0


class Collector:
    """Gathers a stream's sound at one rate; at no time much more than the result is in memory.

    Parameters
    ----------
    rate_hz
        Of the result.
    faults
        Where to count.
    """

    def __init__(self, rate_hz: int, faults: SoundFaults) -> None:
        self.start_s = np.nan
        self._rate_hz = rate_hz
        self._faults = faults
        self._clock: SampleClock | None = None
        self._source_hz = 0
        self._channels = 0
        self._resampler: Any = None
        self._pending: list[Floats] = []
        self._pending_samples = 0
        self._leave_out = 0
        self._done: list[PcmWriter] = []

    def add(self, frame: Any, stamp_s: float | None, next_s: float | None) -> None:
        """Append a decoded frame."""
        sound = kept_channels(frame, self._heal(as_floats(frame)))
        if self._clock is None:
            self.start_s = stamp_s or 0.0
            self._clock = SampleClock(self.start_s)
            self._channels = sound.shape[1]
            self._done = [PcmWriter() for _ in range(self._channels)]
        if frame.sample_rate != self._source_hz:
            self._new_rate(frame.sample_rate)
        if sound.shape[1] != self._channels:
            sound = np.repeat(sound.mean(axis=1, keepdims=True), self._channels, axis=1)
        correction_s = self._clock.place(stamp_s, next_s, len(sound) / self._source_hz)
        correction = round(correction_s * self._source_hz)
        if correction > 0:
            self._faults.gaps += 1
            self._faults.gaps_s += correction_s
            self._silence(correction)
        self._leave_out += max(0, -correction)
        left_out = min(self._leave_out, len(sound))
        self._leave_out -= left_out
        self._faults.dropped_s += left_out / self._source_hz
        self._push(sound[left_out:])

    def channels(self) -> list[Pcm]:
        """Finish; the sound of each channel."""
        self._flush(last=True)
        return [writer.finished() for writer in self._done]

    def _heal(self, sound: Floats) -> Floats:
        faults = self._faults
        faults.samples += sound.size
        wrong = ~(np.abs(sound) <= _GARBAGE)
        if wrong.any():
            faults.not_numbers += int(wrong.sum())
            sound = np.where(wrong, np.float32(0), sound)
        if sound.size:
            faults.lowest = min(faults.lowest, float(sound.min()))
            faults.highest = max(faults.highest, float(sound.max()))
        faults.clipped += int((np.abs(sound) >= _FULL_SCALE).sum())
        return sound

    def _new_rate(self, source_hz: int) -> None:
        import soxr

        self._flush(last=True)
        self._source_hz = source_hz
        self._resampler = None
        if source_hz != self._rate_hz:
            self._resampler = soxr.ResampleStream(source_hz, self._rate_hz, self._channels, dtype="float32")

    def _silence(self, samples: int) -> None:
        while samples > 0:
            piece = min(samples, self._source_hz)
            self._push(np.zeros((piece, self._channels), np.float32))
            samples -= piece

    def _push(self, sound: Floats) -> None:
        self._pending.append(sound)
        self._pending_samples += len(sound)
        if self._pending_samples >= self._source_hz:
            self._flush()

    def _flush(self, *, last: bool = False) -> None:
        if not self._pending and self._resampler is None:
            return
        sound = np.concatenate([*self._pending, np.zeros((0, self._channels), np.float32)])
        self._pending, self._pending_samples = [], 0
        if self._resampler is not None:
            sound = self._resampler.resample_chunk(np.ascontiguousarray(sound), last=last)
        numbers = quantized(sound)
        for k, writer in enumerate(self._done):
            writer.add(numbers[:, k].copy())


def as_floats(frame: Any) -> Floats:
    """Samples of a decoded frame, (n, channels), full scale 1."""
    if frame.format.name.startswith("s64"):
        import av

        (frame,) = av.AudioResampler(format="flt").resample(frame)
    raw = (
        _planes(frame).T
        if frame.format.is_planar
        else frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    )
    if raw.dtype == np.uint8:
        return np.asarray((raw.astype(np.float32) - 128) / 128, np.float32)
    if raw.dtype.kind == "i":
        return np.asarray(raw * np.float32(1 / (np.iinfo(raw.dtype).max + 1)), np.float32)
    with np.errstate(over="ignore"):
        return np.asarray(raw, np.float32)


def _planes(frame: Any) -> npt.NDArray[Any]:
    """Channels of a planar frame, (channels, n).

    Of eight channels and more (a damaged packet may say 44), PyAV's `to_ndarray` takes what lies behind them for more,
    and crashes.
    """
    kind = _PLANAR[frame.format.name]
    planes = frame.planes[: frame.layout.nb_channels]
    return np.stack([np.frombuffer(plane, kind, count=frame.samples) for plane in planes])


def kept_channels(frame: Any, sound: Floats) -> Floats:
    """The channels that may hold a voice each; surround sound is mixed to one.

    Kept are mono, stereo, and up to four channels of which the file doesn't say where they belong (a recorder with
    several microphones).
    """
    names = [channel.name for channel in frame.layout.channels]
    several = len(names) <= _MOST_KEPT and set(names) == {"NONE"}
    if sound.shape[1] <= 2 or several:
        return sound
    weights = np.array([_WEIGHTS.get(name, 0.5) for name in names], np.float32)
    return np.asarray(sound @ weights[:, None], np.float32)
