"""Start offset and clock drift between two separately recorded files, from what both of them heard.

A microphone that hears the other voice (through a loudspeaker or the room) holds a copy of what the other file holds.
Roughly where: parts of 40 s are looked for in the whole of the other file by their band levels. Then exactly: windows
of 4 s are compared by whitened cross-correlation (`vsa.voice.delay`), and their lags lie on one line over time, whose
slope is the drift, or on two parallel ones when each hears the other: a voice always arrives later than it was spoken,
so the true offset lies in the middle between the two (as with the clocks of two computers, Mills 1991). With one line,
the offset holds but for the time that the voice took, which can't be told apart from it.

Files that don't hear each other can't be aligned by sound. Then it is looked at whether the two people take turns
(their speech overlaps less than it would by chance); if not even that, the track may belong to another call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples, resampled
from vsa.media.sound import Sound
from vsa.voice import delay
from vsa.voice.activity import STEP_S, stretches
from vsa.voice.lag_lines import LONGEST_WAY_S, MOST_DRIFT_PPM, Lags
from vsa.voice.spectra import mel_levels

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Heard = Literal["each other", "one way", "nothing"]
Belongs = Literal["yes", "not sure", "no sign of it"]

#: A drift is reported if it is known this exactly (standard error), ppm.
DRIFT_KNOWN_PPM = 5.0

_PART_S, _PARTS = 40.0, 12
_WINDOW_S, _WINDOWS = 4.0, 160
_PART_STANDS_OUT = 8.0
_WINDOW_STANDS_OUT = 7.5  # chance: 5 or 6
_SILENT = 1e-6  # standard deviation of a window without sound, full scale 1
_SURROGATES = 199
_UNLIKELY = 0.01
_FEWEST_STRETCHES = 8


@dataclass(frozen=True)
class Alignment:
    """How one file's time becomes another's: `t_reference = t + offset_s + drift_ppm * 1e-6 * (t - start_s)`.

    Attributes
    ----------
    heard
        Whether the files hear each other, one hears the other, or neither.
    belongs
        ``yes``; ``not sure`` (neither hears the other, and there is too little to tell, or they only take turns);
        ``no sign of it``: this track may belong to another call.
    offset_s
        What to add to this file's times, s; 0 if nothing was heard.
    drift_ppm
        How much slower this file's clock runs, in millionths; 0 if it could not be told from none, NaN if the
        recording is too short to know.
    start_s
        Time of this file at which `offset_s` holds, s: its first sample.
    way_s
        How long a voice takes to the other's file, s; NaN unless each hears the other.
    windows
        How many windows of 4 s heard the same sound at a lag that fits.
    confidence
        0-1: the share of windows with a common sound whose lag fits, lower for fewer than 8 of them.
    note
        The same as a sentence.
    """

    heard: Heard
    belongs: Belongs
    offset_s: float
    drift_ppm: float
    start_s: float
    way_s: float
    windows: int
    confidence: float
    note: str

    def to_reference(self, t: Doubles) -> Doubles:
        """Times of this file, s, on the reference's time."""
        drift_ppm = self.drift_ppm if np.isfinite(self.drift_ppm) else 0.0
        return np.asarray(t + self.offset_s + drift_ppm * 1e-6 * (t - self.start_s))


def align(
    reference: Sound, other: Sound, speaking: Bools | None = None, other_speaking: Bools | None = None
) -> Alignment:
    """Estimate how to bring `other` onto the time of `reference`.

    Parameters
    ----------
    reference, other
        The two files' sound; their lengths may differ, and their `start_s` may mean nothing to each other.
    speaking, other_speaking
        Who speaks where (10 ms steps, from `vsa.voice.activity.speaking`): only used when neither hears the other.
    """
    a, b = (delay.thinned(sound.samples, sound.rate_hz) for sound in (reference, other))
    near = _rough_lag(a, b)
    lags = Lags(*_exact_lags(a, b, near)) if near is not None else Lags(np.zeros(0), np.zeros(0))
    line = lags.line()
    starts = other.start_s - reference.start_s
    if line is None:
        return _unheard(reference, other, speaking, other_speaking)
    slope, offset, on = line
    second = lags.second(slope, offset, on)
    way = np.nan
    if second is not None:
        offset, way = (offset + second[0]) / 2, abs(offset - second[0]) / 2
        on = on | second[1]
    error = lags.drift_error(slope, on)
    drift = np.nan if error > DRIFT_KNOWN_PPM * 1e-6 else 0.0 if abs(slope) < 2 * error else slope
    if not abs(drift) > 0:
        offset += slope * float(lags.at[on].mean())
    found = int(on.sum())
    confidence = found / len(lags.at) * min(1.0, found / 8)
    offset -= starts
    heard: Heard = "one way" if second is None else "each other"
    words = "they hear each other" if second is not None else "one hears the other"
    exact = "" if second is not None else " (less the time that the voice took)"
    how = "unknown drift (too short)" if np.isnan(drift) else f"{1e6 * drift:+.1f} ppm drift"
    return Alignment(
        heard,
        "yes",
        offset,
        1e6 * drift,
        other.start_s,
        way,
        found,
        confidence,
        f"{other.name} is {offset:+.3f} s to {reference.name}{exact}, {how}: {words} in {found} windows of 4 s",
    )


def aligned(sound: Sound, alignment: Alignment) -> Sound:
    """The sound on the reference's time: moved, and resampled if the clocks drift apart."""
    samples = sound.samples
    if alignment.drift_ppm and np.isfinite(alignment.drift_ppm):
        stretch = 1 + alignment.drift_ppm * 1e-6
        samples = resampled(samples, sound.rate_hz, sound.rate_hz * stretch, "HQ", np.nan_to_num)
    return Sound(sound.start_s + alignment.offset_s, sound.rate_hz, samples, sound.name)


def _rough_lag(a: Samples, b: Samples) -> int | None:
    """Lag of `a` after `b` (samples), to about 0.3 s; None if nothing fits."""
    from scipy import fft
    from scipy.ndimage import maximum_filter1d

    first, second = (_changes(track) for track in (a, b))
    part = min(round(_PART_S / STEP_S), len(second))
    if part < 200 or len(first) < 200:
        return None
    size = fft.next_fast_len(len(first) + part, real=True)
    spectrum = fft.rfft(first, size, axis=0)
    lags = len(first) + len(second)  # from -len(second) on
    total, count = np.zeros(lags, np.float32), 0
    wide = 2 * round(MOST_DRIFT_PPM * 1e-6 * len(second)) + 1
    for start in _spread(len(second) - part + 1, part, _PARTS):
        piece = second[start : start + part]
        product = np.sum(spectrum * np.conj(fft.rfft(piece, size, axis=0)), axis=1)
        curve = fft.irfft(product, size)
        curve = np.roll(curve, part)[: len(first) + part]  # lags -part .. len(first)
        curve /= 1.4826 * np.median(np.abs(curve - np.median(curve))) + 1e-9
        at = len(second) - part - start
        total[at : at + len(curve)] += np.maximum(maximum_filter1d(curve, wide), 0) ** 2
        count += 1
    total = np.sqrt(total / max(count, 1))
    if not count or total.max() < _PART_STANDS_OUT / np.sqrt(min(count, 4)):
        return None
    return (int(total.argmax()) - len(second)) * round(STEP_S * delay.RATE_HZ)


def _changes(track: Samples) -> Floats:
    """Band levels, less their own mean over half a second: what moves in them."""
    from scipy.ndimage import uniform_filter1d

    levels = mel_levels(track)
    if not len(levels):
        return levels
    levels = np.clip(levels - uniform_filter1d(levels, 51, axis=0), -15, 15)
    return np.asarray(levels, np.float32)


def _spread(room: int, length: int, most: int) -> Iterator[int]:
    """At most so many starts, evenly over the room, not closer than a length."""
    count = max(1, min(most, room // length + 1))
    yield from np.unique(np.linspace(0, max(room - 1, 0), count).round().astype(int)).tolist()


def _exact_lags(a: Samples, b: Samples, near: int) -> tuple[Doubles, Doubles]:
    """For each window of `b` that `a` holds too: its middle and its lag, s."""
    rate = delay.RATE_HZ
    reach = round((LONGEST_WAY_S + 0.4) * rate) + round(MOST_DRIFT_PPM * 1e-6 * len(b) / 2)
    windows = delay.Windows(round(_WINDOW_S * rate), near - reach, near + reach)
    first, last = max(0, -near - reach), min(len(b), len(a) - near + reach)
    room = last - first - windows.length + 1
    if room < 1:
        return np.zeros(0), np.zeros(0)
    starts = [first + start for start in _spread(room, windows.length, _WINDOWS)]
    starts = [start for start in starts if np.std(delay.piece(b, start, windows.length)) > _SILENT]
    at, lag = [], []
    for start, curve in zip(starts, delay.curves(b, a, starts, windows), strict=True):
        if delay.standing_out(curve) > _WINDOW_STANDS_OUT:
            at.append((start + windows.length / 2) / rate)
            lag.append(delay.peak_lag(curve, windows.first_lag) / rate)
    return np.array(at), np.array(lag)


def _unheard(
    reference: Sound, other: Sound, speaking: Bools | None, other_speaking: Bools | None
) -> Alignment:
    chance = take_turns(reference, other, speaking, other_speaking)
    belongs: Belongs = "no sign of it" if chance > _UNLIKELY else "not sure"
    if np.isnan(chance):
        rest = "; there is too little speech to tell whether it belongs to this call"
    elif chance > _UNLIKELY:
        rest = (
            ", and the two don't take turns: the track may belong to another call, or start at another time"
        )
    else:
        rest = ", but the two take turns, as people in one call do; the files' own times are used"
    note = f"nothing of {other.name} is heard in {reference.name}, nor the other way round{rest}"
    return Alignment("nothing", belongs, 0.0, np.nan, other.start_s, np.nan, 0, 0.0, note)


def take_turns(
    reference: Sound, other: Sound, speaking: Bools | None, other_speaking: Bools | None, seed: int = 0
) -> float:
    """How likely so little overlap (or less) would be if the tracks had nothing to do with each other.

    One track is turned about by a random time (199 times); NaN with fewer than eight stretches of speech of either.
    """
    if speaking is None or other_speaking is None:
        return np.nan
    shift = round((other.start_s - reference.start_s) / STEP_S)
    first, last = max(0, shift), min(len(speaking), len(other_speaking) + shift)
    if last <= first:
        return np.nan
    a, b = speaking[first:last], other_speaking[first - shift : last - shift]
    if min(len(stretches(a)), len(stretches(b))) < _FEWEST_STRETCHES:
        return np.nan
    rng = np.random.default_rng(seed)
    real = np.count_nonzero(a & b)
    fewest = min(500, len(a) // 4)
    turned = [np.count_nonzero(a & np.roll(b, k)) for k in rng.integers(fewest, len(a) - fewest, _SURROGATES)]
    return float((1 + np.sum(np.array(turned) <= real)) / (1 + _SURROGATES))
