"""Which tracks a file holds: a voice each in several streams or channels, or one mix.

It is found out from the sound, not assumed. Two channels hold a voice each if now the one is the louder by far, now the
other, both while they are well above their own noise; how often and by how much is what counts. A stereo picture of one
room differs by a few dB, a mono recording in two channels not at all. Of several streams (a recorder that keeps the mix
and each microphone), silent ones, copies and the mix of the others are left out first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Pcm, Samples, pieces
from vsa.media.sound import Sound, SoundStream
from vsa.voice.activity import STEP_S, step_count
from vsa.voice.delay import RATE_HZ, thinned
from vsa.voice.spectra import decibels

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

Kind = Literal["files", "streams", "channels", "mixed", "none"]

#: Two tracks hold a voice each if their level difference where the first leads and where the second leads is so
#: far apart. (A mix that is panned by 6 dB to either side reaches 12.)
APART_DB = 14.0
#: Each must lead for so long, s, and in this share of the time in which anybody is heard.
LEADS_S, LEADS_SHARE = 1.0, 0.04
#: A track of which others explain all but this is a copy or their mix, dB.
EXPLAINED_DB = -14.0
#: A track whose loud steps are below this is silent, dB re full scale.
SILENT_DB = -85.0

_LEAD_DB = 3.0
_OVER_NOISE_DB = 10.0
_QUIETER_DB = 30.0  # than the loud steps: nobody is heard
_SMOOTH = 10  # steps: 0.1 s


@dataclass(frozen=True)
class Tracks:
    """What there is to analyse.

    Attributes
    ----------
    kind
        ``files``, ``streams``, ``channels``: one voice a track, of different files, streams of one file, or channels of
        one stream; ``mixed``: one track with everybody; ``none``: no sound.
    sounds
        The tracks, in the order of the files, streams or channels.
    confidence
        0-1: how sure that is. Of separate tracks, 1 where the voices are 28 dB apart or more.
    notes
        What was left out and why, a sentence each without its full stop.
    """

    kind: Kind
    sounds: tuple[Sound, ...]
    confidence: float
    notes: tuple[str, ...] = ()

    @property
    def separate(self) -> bool:
        """Whether each track is one person's."""
        return self.kind in ("files", "streams", "channels")


@dataclass(frozen=True)
class Common:
    """Tracks on one time.

    Attributes
    ----------
    start_s
        Presentation time of sample 0 of each, s.
    samples
        (n,) each; silence where a track has nothing.
    covered
        (k, m) for each track and 10 ms: whether it has sound there. Elsewhere it is missing, not silent.
    """

    start_s: float
    samples: tuple[Samples, ...]
    covered: Bools


def tracks_of(streams: Sequence[SoundStream]) -> Tracks:
    """The tracks of one file.

    Parameters
    ----------
    streams
        What `vsa.media.sound.read_sound` gives.
    """
    heard = [stream for stream in streams if stream.heard]
    if not heard:
        return Tracks("none", (), 1.0)
    if len(heard) > 1:
        mixes = [stream.mixed() for stream in heard]
        return _chosen(mixes, "streams", lambda: mixes[0])
    (stream,) = heard
    if len(stream.channels) == 1:
        return Tracks("mixed", stream.channels, 1.0)
    return _chosen(stream.channels, "channels", stream.mixed)


def tracks_of_files(sounds: Sequence[Sound]) -> Tracks:
    """Tracks of which it is known that each is one person's file: kept, and checked for copies.

    Parameters
    ----------
    sounds
        One for each person, aligned.
    """
    common = on_common_time([_thin(sound) for sound in sounds])
    notes = [
        f"{sounds[j].name} holds the same sound as {sounds[i].name}: one of the files is the wrong one, or both the mix"
        for i, j in combinations(range(len(sounds)), 2)
        if _explained_db(common.samples[j], [common.samples[i]]) < EXPLAINED_DB
    ]
    return Tracks("files" if len(sounds) > 1 else "mixed", tuple(sounds), 0.0 if notes else 1.0, tuple(notes))


def on_common_time(sounds: Sequence[Sound]) -> Common:
    """Lay tracks side by side, from the earliest start to the latest end."""
    rate = sounds[0].rate_hz
    start_s = min(sound.start_s for sound in sounds)
    firsts = [round((sound.start_s - start_s) * rate) for sound in sounds]
    n = max(first + len(sound.samples) for first, sound in zip(firsts, sounds, strict=True))
    step = STEP_S * rate
    covered = np.zeros((len(sounds), step_count(round(n * 16_000 / rate))), np.bool_)
    samples = []
    for k, (first, sound) in enumerate(zip(firsts, sounds, strict=True)):
        last = first + len(sound.samples)
        covered[k, int(np.ceil(first / step)) : int(np.ceil(last / step))] = True
        if len(sound.samples) == n:
            samples.append(sound.samples)
            continue
        whole = sound.samples if isinstance(sound.samples, Pcm) else Pcm.of([sound.samples[:]])
        samples.append(whole.padded(first, n))
    return Common(start_s, tuple(samples), covered)


def _chosen(
    sounds: Sequence[Sound], kind: Literal["streams", "channels"], mix: Callable[[], Sound]
) -> Tracks:
    """One voice a track, if so it is; else the mix, or the one track that says anything."""
    common = on_common_time([_thin(sound) for sound in sounds])
    levels = [_levels(samples) for samples in common.samples]
    notes: list[str] = []
    left = [k for k, level in enumerate(levels) if _loud(level) > SILENT_DB]
    notes += [f"{sounds[k].name} is silent and was left out" for k in range(len(sounds)) if k not in left]
    for k in reversed(left[1:]):
        if any(_explained_db(common.samples[k], [common.samples[j]]) < EXPLAINED_DB for j in left if j < k):
            left.remove(k)
            notes.append(f"{sounds[k].name} holds the same sound as another and was left out")
    for k in list(left):
        others = [common.samples[j] for j in left if j != k]
        if len(left) > 2 and _explained_db(common.samples[k], others) < EXPLAINED_DB:
            left.remove(k)
            notes.append(f"{sounds[k].name} is the mix of the others and was left out")
    if not left:
        return Tracks("mixed", (mix(),), 1.0, (f"{mix().name} is silent",))
    if len(left) == 1:
        return Tracks("mixed", (sounds[left[0]],), 1.0, tuple(notes))
    apart = min(voices_apart_db(levels[i], levels[j]) for i, j in combinations(left, 2))
    if apart >= APART_DB:
        chosen = tuple(sounds[k] for k in left)
        return Tracks(kind, chosen, min(1.0, 0.5 + 0.5 * (apart - APART_DB) / APART_DB), tuple(notes))
    notes.append(f"its {kind} hold no voice each: they were taken as one mix")
    return Tracks("mixed", (mix(),), min(1.0, 0.5 + 0.5 * (APART_DB - apart) / APART_DB), tuple(notes))


def voices_apart_db(first: Floats, second: Floats) -> float:
    """How far the level difference of two tracks moves between the one's voice and the other's, dB.

    Parameters
    ----------
    first, second
        (m,) levels of each 10 ms, dB.

    Returns
    -------
    The median difference where the first leads less the median where the second leads; 0 if either hardly ever leads
    with a voice of its own.
    """
    loudest = np.maximum(first, second)
    heard = loudest > max(_loud(first), _loud(second)) - _QUIETER_DB
    apart = first - second
    leads = [
        heard & (sign * apart > _LEAD_DB) & (level > np.percentile(level, 10) + _OVER_NOISE_DB)
        for level, sign in ((first, 1), (second, -1))
    ]
    least = max(LEADS_S / STEP_S, LEADS_SHARE * np.count_nonzero(heard))
    if min(np.count_nonzero(lead) for lead in leads) < least:
        return 0.0
    return float(np.median(apart[leads[0]]) - np.median(apart[leads[1]]))


def _thin(sound: Sound) -> Sound:
    return Sound(sound.start_s, RATE_HZ, thinned(sound.samples, sound.rate_hz), sound.name)


def _levels(samples: Samples) -> Floats:
    """Level of each 10 ms, smoothed over 0.1 s, dB re full scale; without a constant offset."""
    step = round(STEP_S * RATE_HZ)
    power = np.empty(len(samples) // step, np.float32)
    for first in range(0, len(power), 10_000):
        last = min(first + 10_000, len(power))
        before = max(0, first * step - 1)
        x = samples[before : last * step]
        x = np.diff(x, prepend=x[:1]) if first == 0 else np.diff(x)
        whole = x.reshape(-1, step)
        power[first:last] = np.mean(whole * whole, axis=1)
    if len(power) >= _SMOOTH:
        power = np.convolve(power, np.full(_SMOOTH, 1 / _SMOOTH), "same")
    return decibels(power)


def _loud(level: Floats) -> float:
    return float(np.percentile(level, 97)) if len(level) else -120.0


def _explained_db(samples: Samples, others: Sequence[Samples]) -> float:
    """What is left of a track when the best sum of the others is taken off, dB re the track."""
    all_products = np.zeros((len(others) + 1,) * 2)
    for parts in zip(*(pieces(track) for track in (*others, samples)), strict=True):
        stacked = np.stack(parts)
        all_products += stacked @ stacked.T
    products, onto, whole = all_products[:-1, :-1], all_products[:-1, -1], all_products[-1, -1]
    if whole <= 0:
        return 0.0
    gains = np.linalg.lstsq(products, onto, rcond=1e-6)[0]
    left = max(whole - float(gains @ onto), 1e-9 * whole)
    return 10 * float(np.log10(left / whole))
