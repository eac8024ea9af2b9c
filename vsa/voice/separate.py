"""Separate tracks, one person each: everybody's own speech is told from the others' bleed, then described."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples
from vsa.voice.activity import STEP_S, Activity, speaking, speech_probability
from vsa.voice.bleed import BleedPath, own_speech
from vsa.voice.prosody import prosody
from vsa.voice.quality import SoundQuality, sound_quality
from vsa.voice.threads import side_by_side
from vsa.voice.tracks import Common
from vsa.voice.voice_track import VoiceTrack, masked

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: Bleed is looked for in parts of this length, s: people put headsets on, and memory doesn't grow.
_BLEED_S = 1800.0
#: Signs that a track holds another's voice as the other's own track does: of the speech on that, so much is found again
#: on this one, without an echo and no weaker than so (or so much of it overlaps); with less speech, s, nothing is said.
_SAME_SHARE, _SAME_DB, _SAME_LEAST_S = 0.95, -10.0, 8.0


@dataclass(frozen=True, eq=False)
class OwnVoices:
    """When the person of each track speaks.

    Attributes
    ----------
    speech
        Probability for each track and 10 ms, (m,) each; NaN where the track has no sound.
    speaking
        The same, decided.
    paths
        The bleed that was found.
    heard_s
        How much speech is heard on each track, bleed and all, s.
    """

    speech: tuple[Floats, ...]
    speaking: tuple[Bools, ...]
    paths: tuple[BleedPath, ...]
    heard_s: tuple[float, ...]

    @property
    def mix(self) -> int | None:
        """The track that holds others' voices as their own tracks do, so that they are not apart; None if none does.

        A call program's recording beside one person's own, or the same call recorded twice, may pass for a track each.
        """
        echoed = [
            path.source
            for path in self.paths
            if path.found
            and path.removed_share >= _SAME_SHARE
            and path.level_db > _SAME_DB
            and path.echo_s == 0
            and self.heard_s[path.heard_in] >= _SAME_LEAST_S
        ]
        covering = [
            other
            for mine, other in permutations(range(len(self.speaking)), 2)
            if np.count_nonzero(self.speaking[mine]) * STEP_S >= _SAME_LEAST_S
            and np.mean(self.speaking[other][self.speaking[mine]]) >= _SAME_SHARE
        ]
        return max([*echoed, *covering], key=lambda k: np.count_nonzero(self.speaking[k]), default=None)


def own_voices(tracks: Common, rate_hz: int) -> OwnVoices:
    """Find each person's own speech on separate tracks.

    Raises
    ------
    ModelMissingError
        When the speech detector's file is not on this machine.
    """
    heard = side_by_side(speech_probability, tracks.samples)
    steps, length = len(heard[0].probability), round(_BLEED_S / STEP_S)
    starts = list(range(0, max(1, steps - length // 2), length))
    found = []
    for first, last in zip(starts, [*starts[1:], steps], strict=True):
        a, b = (round(step * STEP_S * rate_hz) for step in (first, last))
        activities = [Activity(STEP_S, one.probability[first:last]) for one in heard]
        parts = [_Part(samples, a, min(b, len(samples))) for samples in tracks.samples]
        found.append(own_speech(parts, activities, rate_hz))
    own = [np.concatenate([part.activities[k].probability for part in found]) for k in range(len(heard))]
    speech = tuple(masked(one, there) for one, there in zip(own, tracks.covered, strict=True))
    paths = tuple(_lasting(parts) for parts in zip(*(part.paths for part in found), strict=True))
    heard_s = tuple(float(np.count_nonzero(speaking(one.probability))) * STEP_S for one in heard)
    return OwnVoices(speech, tuple(speaking(one) for one in speech), paths, heard_s)


def described(
    tracks: Common, own: OwnVoices, names: Sequence[str], rate_hz: int
) -> list[tuple[VoiceTrack, SoundQuality]]:
    """Measure how each person speaks on their track.

    Parameters
    ----------
    tracks, own
        The tracks, and when their people speak.
    names
        Whose they are.
    rate_hz
        Of the tracks.
    """
    anyone = np.any(own.speaking, axis=0)

    def one(k: int) -> tuple[VoiceTrack, SoundQuality]:
        samples, there, says = tracks.samples[k], tracks.covered[k], own.speaking[k]
        quality = _quality(samples, rate_hz, there, says, anyone)
        how = prosody(samples, rate_hz, says, bandwidth_hz=quality.bandwidth_hz)
        measured = (masked(x, there) for x in (how.f0_hz, how.intensity_db, how.spectral_tilt_db))
        return VoiceTrack(names[k], tracks.start_s, own.speech[k], says, *measured), quality

    return side_by_side(one, range(len(names)))


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of a run of sound, read no further than it is looked at."""

    samples: Samples
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, part: slice) -> Floats:
        start, stop, _ = part.indices(len(self))
        return self.samples[self.first + start : self.first + max(start, stop)]


def _quality(samples: Samples, rate_hz: int, there: Bools, says: Bools, anyone: Bools) -> SoundQuality:
    """Quality of a track where it has sound: what was laid before and after it is no silence of its own."""
    steps = np.flatnonzero(there)
    first, last = (int(steps[0]), int(steps[-1]) + 1) if len(steps) else (0, 0)
    a, b = (min(round(step * STEP_S * rate_hz), len(samples)) for step in (first, last))
    found = sound_quality(_Part(samples, a, b), rate_hz, says[first:last], anyone=anyone[first:last])
    missing = found.missing_share if len(steps) else 1.0
    return replace(found, missing_share=1 - (1 - missing) * (last - first) / len(there))


def _lasting(parts: Sequence[BleedPath]) -> BleedPath:
    """One way of bleed over all parts of a recording: medians over those in which it was found."""
    there = [part for part in parts if part.found]
    if not there:
        return parts[0]
    delay_s, level_db, echo_s = np.median([(p.delay_s, p.level_db, p.echo_s) for p in there], axis=0)
    return replace(
        there[0],
        delay_s=float(delay_s),
        level_db=float(level_db),
        echo_s=float(echo_s),
        removed_share=float(np.mean([p.removed_share for p in parts])),
    )
