"""One voice a track, or one mix: found out from the sound."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from people import clip_path
from speech import call

from vsa.media.samples import SoundFaults
from vsa.media.sound import Sound, SoundInfo, SoundStream, read_sound
from vsa.simulate.sound import room_noise, through_the_room
from vsa.simulate.speech import RATE_HZ
from vsa.voice.tracks import Tracks, on_common_time, tracks_of, tracks_of_files

Samples = NDArray[np.float32]
SECONDS = 60.0


def stream(*channels: Samples, index: int = 0, start_s: float = 0.0) -> SoundStream:
    info = SoundInfo("call.mkv", index, "", "flac", RATE_HZ, len(channels), "", SECONDS)
    sounds = tuple(
        Sound(start_s, RATE_HZ, samples.astype(np.float32), f"{index}.{k}")
        for k, samples in enumerate(channels)
    )
    return SoundStream(info, sounds, SoundFaults(), ())


def names(tracks: Tracks) -> list[str]:
    return [sound.name for sound in tracks.sounds]


@pytest.fixture(scope="module")
def voices() -> tuple[Samples, Samples]:
    return call(SECONDS, seed=1, bleed_db=(None, None)).tracks


@pytest.mark.parametrize("bleed", [(None, None), (-18.0, -18.0), (-10.0, -10.0), (-8.0, None)])
def test_a_voice_a_channel_is_found_whatever_the_bleed(bleed: tuple[float | None, float | None]) -> None:
    found = tracks_of([stream(*call(SECONDS, seed=2, bleed_db=bleed).tracks)])
    assert found.kind == "channels"
    assert found.separate
    assert names(found) == ["0.0", "0.1"]
    assert found.confidence > 0.5


def test_one_of_two_voices_may_be_recorded_much_louder(voices: tuple[Samples, Samples]) -> None:
    assert tracks_of([stream(voices[0], 0.1 * voices[1])]).kind == "channels"


def test_stereo_that_holds_one_mix_is_one_track(voices: tuple[Samples, Samples]) -> None:
    man, woman = voices
    mix = man + woman
    far = through_the_room(mix, delay_s=0.01, gain_db=-10.0, direct_db=-5.0)
    room = [
        through_the_room(man, delay_s=0.003 + 0.001 * k, gain_db=-2.0 * k, direct_db=0.0, seed=2 * k)
        + through_the_room(
            woman, delay_s=0.004 - 0.001 * k, gain_db=-2.0 + 2.0 * k, direct_db=0.0, seed=2 * k + 1
        )
        + room_noise(SECONDS, -60, k)
        for k in (0, 1)
    ]
    stereo = {
        "mono in both channels": (mix, mix),
        "one channel weaker, coded apart": (mix, 0.5 * mix + room_noise(SECONDS, -70, 4)),
        "panned a little": (man + 0.7 * woman, 0.7 * man + woman),
        "two microphones in one room": tuple(room),
        "a clip-on microphone and a camera's": (mix, far + room_noise(SECONDS, -42, 3)),
        "noise in one": (mix, room_noise(SECONDS, -45, 5)),
        "one voice only": (man, room_noise(SECONDS, -60, 5)),
    }
    for what, channels in stereo.items():
        found = tracks_of([stream(*channels)])
        assert found.kind == "mixed", what
        assert len(found.sounds) == 1


def test_a_channel_that_is_silent_is_left_out_and_said(voices: tuple[Samples, Samples]) -> None:
    found = tracks_of([stream(0 * voices[0], voices[0] + voices[1])])
    assert found.kind == "mixed"
    assert names(found) == ["0.1"]
    assert any("silent" in note for note in found.notes)


def test_a_recorder_that_keeps_the_mix_and_both_microphones(voices: tuple[Samples, Samples]) -> None:
    man, woman = voices
    streams = [
        stream(man + woman, index=1),
        stream(man, man, index=2),
        stream(woman, index=3),
        stream(0 * man, index=4),
    ]
    found = tracks_of(streams)
    assert found.kind == "streams"
    assert [sound.samples[:].std() for sound in found.sounds] == pytest.approx(
        [man.std(), woman.std()], rel=1e-3
    )
    assert any("mix of the others" in note for note in found.notes)
    assert any("silent" in note for note in found.notes)


def test_two_copies_of_the_mix_are_one(voices: tuple[Samples, Samples]) -> None:
    mix = voices[0] + voices[1]
    found = tracks_of([stream(mix, index=1), stream(0.8 * mix + room_noise(SECONDS, -75, 6), index=2)])
    assert found.kind == "mixed"
    assert names(found) == ["1.0"]


def test_streams_that_start_apart_are_compared_on_their_times(voices: tuple[Samples, Samples]) -> None:
    man, woman = voices
    found = tracks_of([stream(man, index=1), stream(woman[3 * RATE_HZ :], index=2, start_s=3.0)])
    assert found.kind == "streams"
    late_copy = tracks_of([stream(man, index=1), stream(man[3 * RATE_HZ :], index=2, start_s=3.0)])
    assert late_copy.kind == "mixed"


def test_the_same_file_given_for_two_people_is_said(voices: tuple[Samples, Samples]) -> None:
    man, woman = (Sound(0.0, RATE_HZ, voice, name) for voice, name in zip(voices, "ab", strict=True))
    assert tracks_of_files([man, woman]) == Tracks("files", (man, woman), 1.0)
    twice = tracks_of_files([man, Sound(0.0, RATE_HZ, 0.5 * man.samples, "c")])
    assert twice.confidence == 0
    assert "c holds the same sound as a" in twice.notes[0]


def test_nothing_to_hear_is_no_track() -> None:
    assert tracks_of([]).kind == "none"
    assert tracks_of([stream()]).kind == "none"
    assert tracks_of([stream(np.zeros(0))]).kind == "none"
    silent = tracks_of([stream(np.zeros(16_000), np.zeros(16_000))])
    assert silent.kind == "mixed"
    assert "silent" in silent.notes[-1]
    broken = tracks_of([stream(np.full(16_000, np.nan), np.zeros(16_000))])
    assert broken.kind == "mixed"


def test_tracks_of_different_length_share_a_time_and_say_where_they_have_sound() -> None:
    long = Sound(1.0, RATE_HZ, np.ones(5 * RATE_HZ, np.float32), "long")
    short = Sound(3.005, RATE_HZ, np.full(RATE_HZ, 0.5, np.float32), "short")
    common = on_common_time([long, short])
    assert common.start_s == 1.0
    assert {len(samples) for samples in common.samples} == {5 * RATE_HZ}
    assert common.samples[0] is long.samples  # no copy where none is needed
    assert common.samples[1][round(2.005 * RATE_HZ)] == 0.5
    assert common.samples[1][round(2.005 * RATE_HZ) - 1] == 0
    assert common.covered.shape == (2, 500)
    assert common.covered[0].all()
    assert np.flatnonzero(common.covered[1])[[0, -1]].tolist() == [201, 300]


@pytest.mark.parametrize(
    "name", ["talking_woman_512.mp4", "call_two_tiles.mp4", "smiling_man_360p.mp4", "two_speakers_30s.wav"]
)
def test_real_clips_hold_one_mix(name: str) -> None:
    found = tracks_of(read_sound(clip_path(name)))
    assert found.kind == "mixed"
    assert len(found.sounds) == 1
