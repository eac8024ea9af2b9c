"""The other voice in one's own track is no speech of one's own, and talking over each other stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from people import clip_path
from speech import TwoTracks, alternating, call

from vsa import assets
from vsa.media.sound import read_sound
from vsa.simulate.sound import room_noise, through_the_room
from vsa.simulate.speech import RATE_HZ
from vsa.voice.activity import MODEL, Activity, speaking, speech_probability
from vsa.voice.bleed import BleedPath, own_speech

Bools = NDArray[np.bool_]
Samples = NDArray[np.float32]

pytestmark = pytest.mark.skipif(
    any(state.asset.name == MODEL and state.state != "ok" for state in assets.status()),
    reason="the speech model is not here (vsa models pull)",
)


@dataclass(frozen=True)
class Outcome:
    """Shares of the call's time: overlaps that are none, before and after; and what of the truth is left."""

    false_before: float
    false_after: float
    overlap_kept: float
    own_lost: float
    paths: dict[tuple[int, int], BleedPath]


def outcome(made: TwoTracks) -> Outcome:
    raw = [speech_probability(track) for track in made.tracks]
    own = own_speech(made.tracks, raw)
    true = [made.truth(0), made.truth(1)]
    before = [speaking(activity.probability) for activity in raw]
    after = [speaking(activity.probability) for activity in own.activities]
    both, spoken = true[0] & true[1], true[0].sum() + true[1].sum()
    lost = sum(np.sum(t & b & ~a) for t, b, a in zip(true, before, after, strict=True))
    return Outcome(
        float(np.mean(before[0] & before[1] & ~both)),
        float(np.mean(after[0] & after[1] & ~both)),
        float(np.sum(after[0] & after[1] & both) / np.sum(before[0] & before[1] & both)),
        float(lost / spoken),
        {(path.source, path.heard_in): path for path in own.paths},
    )


ROOMS: dict[str, dict[str, float]] = {
    "usual": {},
    "close loudspeaker": {"direct_db": 10.0},
    "echoing": {"direct_db": -3.0, "echo_s": 0.7},
    "slow network": {"delay_s": 0.45},
    "one room": {"delay_s": 0.004},
}


@pytest.mark.parametrize(
    "room",
    ["usual", *(pytest.param(one, marks=pytest.mark.slow) for one in ROOMS if one != "usual")],
)
def test_bleed_makes_no_overlaps_and_takes_none_away(room: str) -> None:
    result = outcome(call(90.0, seed=11, bleed_db=(-15.0, -18.0), **ROOMS[room]))
    print(room, result)
    assert result.false_before > 0.12  # of all time; in most rooms half of it
    assert result.false_after < 0.02
    assert result.false_after < 0.08 * result.false_before
    assert result.overlap_kept > 0.9
    assert result.own_lost < 0.01
    for path, level in (((1, 0), -15.0), ((0, 1), -18.0)):
        assert result.paths[path].found
        assert result.paths[path].delay_s == pytest.approx(ROOMS[room].get("delay_s", 0.12), abs=0.002)
        assert result.paths[path].level_db == pytest.approx(level, abs=4.0)


def test_strong_bleed_leaves_own_speech() -> None:
    result = outcome(call(90.0, seed=12, bleed_db=(-8.0, -8.0)))
    assert result.false_before > 0.4
    assert result.false_after < 0.02
    assert result.own_lost < 0.02


def test_headsets_lose_nothing() -> None:
    made = call(90.0, seed=13, bleed_db=(None, None), overlaps=0.5)
    raw = [speech_probability(track) for track in made.tracks]
    own = own_speech(made.tracks, raw)
    assert not any(path.found for path in own.paths)
    for before, after in zip(raw, own.activities, strict=True):
        np.testing.assert_array_equal(before.probability, after.probability)


def test_one_with_a_loudspeaker_the_other_with_a_headset() -> None:
    result = outcome(call(90.0, seed=14, bleed_db=(-15.0, None)))
    assert result.paths[1, 0].found
    assert not result.paths[0, 1].found
    assert result.paths[1, 0].removed_share > 0.2
    assert result.false_after < 0.01
    assert result.overlap_kept > 0.9


def test_a_listener_who_never_speaks_is_silent_although_his_microphone_hears_her() -> None:
    made = call(60.0, seed=15, bleed_db=(None, None))
    woman = made.tracks[1]
    man = room_noise(60.0, -60, 3) + through_the_room(woman, gain_db=-20.0)
    raw = [speech_probability(track) for track in (man, woman)]
    assert speaking(raw[0].probability).mean() > 0.2
    own = own_speech([man, woman], raw)
    assert speaking(own.activities[0].probability).mean() < 0.02
    hers = speaking(own.activities[1].probability)
    assert np.sum(hers & made.truth(1)) / made.truth(1).sum() > 0.97


def real_voices() -> tuple[Samples, Samples]:
    """A man from a meeting and a woman from an address, without their pauses."""
    (meeting,) = read_sound(clip_path("meeting_dev00.wav"))
    (address,) = read_sound(clip_path("talking_woman_512.mp4"))
    man = meeting.channels[0].samples[round(6.7 * RATE_HZ) : round(8.9 * RATE_HZ)]
    woman = address.channels[0].samples[round(0.3 * RATE_HZ) : round(2.9 * RATE_HZ)]
    return tuple(0.06 * voice / np.sqrt(np.mean(voice**2)) for voice in (man, woman))  # type: ignore[return-value]


def test_real_voices_through_a_loudspeaker() -> None:
    seconds = 90.0
    spoken = alternating(seconds, 16, overlaps=0.4)
    voices = []
    for voice, times in zip(real_voices(), spoken, strict=True):
        track = np.zeros(round(seconds * RATE_HZ), np.float32)
        for start, end in times:
            at = slice(round(start * RATE_HZ), round(end * RATE_HZ))
            track[at] = np.resize(voice, at.stop - at.start)
        voices.append(track)
    tracks = tuple(
        voices[k] + room_noise(seconds, -65, k) + through_the_room(voices[1 - k], gain_db=-18.0, seed=k)
        for k in (0, 1)
    )
    result = outcome(TwoTracks(tracks, spoken))  # type: ignore[arg-type]
    print(result)
    assert result.false_before > 0.3
    assert result.false_after < 0.02
    assert result.overlap_kept > 0.85
    assert result.own_lost < 0.03


@pytest.mark.parametrize(
    "track",
    [np.zeros(0), np.zeros(100), np.zeros(32_000), np.full(32_000, 0.5), np.full(32_000, np.nan)],
    ids=["empty", "short", "silent", "constant", "not a number"],
)
def test_a_track_without_sound_changes_nothing(track: Samples) -> None:
    other = call(2.0, seed=1).tracks[0]
    tracks = [track.astype(np.float32), other[: len(track)]]
    raw = [speech_probability(samples) for samples in tracks]
    own = own_speech(tracks, raw)
    assert not any(path.found for path in own.paths)
    for before, after in zip(raw, own.activities, strict=True):
        np.testing.assert_array_equal(before.probability, after.probability)


def test_one_track_alone_and_three_together() -> None:
    made = call(60.0, seed=17, bleed_db=(-18.0, -18.0))
    alone = own_speech([made.tracks[0]], [Activity(0.01, np.ones(6000, np.float32))])
    assert alone.paths == ()
    third = room_noise(60.0, -60, 9) + through_the_room(
        made.tracks[0] + made.tracks[1], gain_db=-20.0, seed=8
    )
    tracks = [*made.tracks, third]
    raw = [speech_probability(track) for track in tracks]
    own = own_speech(tracks, raw)
    assert len(own.paths) == 6
    assert speaking(raw[2].probability).mean() > 0.4
    assert speaking(own.activities[2].probability).mean() < 0.05  # the third only listens
