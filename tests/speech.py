"""Calls of two people who speak in turn, a track each, with known times: synthesized voices in simulated rooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsa.simulate.sound import room_noise, through_the_room
from vsa.simulate.speech import MAN, WOMAN, Samples, Stretch


def alternating(
    seconds: float, seed: int = 0, *, overlaps: float = 0.1
) -> tuple[list[Stretch], list[Stretch]]:
    """Two people's speech in a conversation: turns of 0.4 to 5 s in alternation, a share of them in overlap."""
    rng = np.random.default_rng(seed)
    spoken: tuple[list[Stretch], list[Stretch]] = ([], [])
    at, who = 0.5, 0
    while True:
        length = float(rng.choice([rng.uniform(0.4, 1.0), rng.uniform(1.5, 5.0)]))
        if at + length > seconds - 0.3:
            return spoken
        spoken[who].append((at, at + length))
        overlap = length > 1.5 and rng.uniform() < overlaps
        at += length - rng.uniform(0.4, 1.0) if overlap else length + rng.uniform(0.15, 0.9)
        who = 1 - who


@dataclass(frozen=True)
class TwoTracks:
    """A call of two, a track each: what is in the tracks, and who speaks when."""

    tracks: tuple[Samples, Samples]
    spoken: tuple[list[Stretch], list[Stretch]]

    def truth(self, who: int) -> NDArray[np.bool_]:
        """Whether that person speaks, on the 10 ms grid."""
        t = (np.arange(-(-len(self.tracks[who]) // 160)) + 0.5) * 0.01
        return np.any([(t >= start) & (t < end) for start, end in self.spoken[who]], axis=0)


def call(
    seconds: float,
    seed: int = 0,
    *,
    bleed_db: tuple[float | None, float | None] = (-18.0, -18.0),
    overlaps: float = 0.3,
    noise_db: float = -65.0,
    **room: float,
) -> TwoTracks:
    """A man and a woman in a call, a track each.

    `bleed_db` is the level at which the other is heard in the man's and in the woman's track (None: a headset);
    `room` goes to `through_the_room`.
    """
    spoken = alternating(seconds, seed, overlaps=overlaps)
    voices = [
        who.says(times, seconds, seed * 2 + k)
        for k, (who, times) in enumerate(zip((MAN, WOMAN), spoken, strict=True))
    ]
    tracks = []
    for k, level in enumerate(bleed_db):
        track = voices[k] + room_noise(seconds, noise_db, seed * 2 + k)
        if level is not None:
            track += through_the_room(voices[1 - k], gain_db=level, seed=seed * 2 + k, **room)
        tracks.append(track)
    return TwoTracks((tracks[0], tracks[1]), spoken)
