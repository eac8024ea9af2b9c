"""Planned conversations: their truth agrees with itself, and their sound is where the plan says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyannote.core import Segment, Timeline

from vsa.errors import InputError
from vsa.media.sound import read_sound
from vsa.simulate.conversation import Conversation, plan_conversation, render
from vsa.simulate.sound import Samples, mixed, with_bleed, with_noise, write_sound
from vsa.simulate.speech import LEVEL, MAN, RATE_HZ, WOMAN
from vsa.simulate.turn_plan import Manner

TABLES = ("units", "turns", "transfers", "silences", "overlaps", "interruptions")


@pytest.fixture(scope="module")
def talk() -> Conversation:
    return plan_conversation(90, seed=3)


@pytest.fixture(scope="module")
def tracks(talk: Conversation) -> dict[str, Samples]:
    return render(talk)


def db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


def sounding(track: Samples) -> Timeline:
    """Where a track isn't silent, found from its samples alone; silences under 10 ms are zero crossings."""
    at = np.flatnonzero(track)
    cuts = np.flatnonzero(np.diff(at) > 0.01 * RATE_HZ)
    edges = zip(at[np.r_[0, cuts + 1]], at[np.r_[cuts, len(at) - 1]] + 1, strict=True)
    return Timeline([Segment(start / RATE_HZ, end / RATE_HZ) for start, end in edges])


def test_a_seed_gives_the_same_words_and_sound_again(talk: Conversation, tracks: dict[str, Samples]) -> None:
    again = plan_conversation(90, seed=3)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(talk, name))
    for who, track in render(again).items():
        np.testing.assert_array_equal(track, tracks[who])
    assert len(plan_conversation(90, seed=4).units) != len(talk.units) or not np.allclose(
        plan_conversation(90, seed=4).units["start"], talk.units["start"]
    )


def test_sound_is_where_the_plan_says_and_nowhere_else(
    talk: Conversation, tracks: dict[str, Samples]
) -> None:
    for who, track in tracks.items():
        assert track.dtype == np.float32
        assert len(track) == 90 * RATE_HZ
        planned = talk.units[talk.units["participant"] == who]
        found = sounding(track)
        assert len(found) == len(planned)
        np.testing.assert_allclose([s.start for s in found], planned["start"], atol=2e-3)
        np.testing.assert_allclose([s.end for s in found], planned["end"], atol=2e-3)
        said = [track[round(u.start * RATE_HZ) : round(u.end * RATE_HZ)] for u in planned.itertuples()]
        assert all(abs(db(one) - 20 * np.log10(LEVEL)) < 3 for one in said)


def test_at_48_khz_it_is_the_same_sound(talk: Conversation, tracks: dict[str, Samples]) -> None:
    for who, track in render(talk, 48_000).items():
        assert len(track) == 90 * 48_000
        thin = track[::3]  # nothing is above 8 kHz
        assert db(thin - tracks[who]) < db(tracks[who]) - 25


def test_counts_are_those_of_an_independent_count_on_the_sound(
    talk: Conversation, tracks: dict[str, Samples]
) -> None:
    one, other = (sounding(track) for track in tracks.values())
    both = Timeline([a & b for a, b in one.co_iter(other)])
    silent = one.union(other).support().gaps()
    counts = talk.counts
    assert len(both) == counts.overlaps_between + counts.overlaps_within
    assert len(silent) == counts.gaps + counts.pauses
    planned = talk.overlaps["end"] - talk.overlaps["start"]
    assert both.duration() == pytest.approx(planned.sum(), abs=2e-3 * len(both))
    planned = talk.silences["end"] - talk.silences["start"]
    assert silent.duration() == pytest.approx(planned.sum(), abs=2e-3 * len(silent))


@pytest.mark.parametrize("people", ["ab", "abc", "abcd"])
def test_the_truth_agrees_with_itself(people: str) -> None:
    for seed in range(20):
        talk = plan_conversation(120, seed, participants=tuple(people))
        counts, floor = talk.counts, talk.turns[talk.turns["floor"]]
        assert talk.units["end"].max() < 120
        assert (talk.units["end"] > talk.units["start"]).all()
        assert len(talk.transfers) == len(floor) - 1
        assert (talk.transfers["participant"] != talk.transfers["previous"]).all()
        assert counts.gaps == (talk.transfers["offset"] > 0).sum()
        assert counts.overlaps_between == (talk.transfers["offset"] < 0).sum()
        assert counts.interruptions == (talk.transfers["offset"] <= -0.5).sum()
        assert counts.backchannels == (talk.units["kind"] == "backchannel").sum()
        assert (talk.silences["end"] - talk.silences["start"]).max() < 3
        for _, mine in talk.units.groupby("participant"):  # nobody answers themselves within a pause's length
            assert (mine["start"].to_numpy()[1:] - mine["end"].to_numpy()[:-1]).min() >= 0.2 - 1e-9
        listened = talk.units[talk.units["kind"] == "backchannel"]
        assert (listened["end"] - listened["start"]).between(0.199, 0.801).all()


def test_times_are_distributed_as_published() -> None:
    talks = [plan_conversation(600, seed) for seed in range(12)]
    offsets = pd.concat([talk.transfers["offset"] for talk in talks])
    assert len(offsets) > 800
    assert 0.15 < offsets.median() < 0.25  # Levinson & Torreira 2015: about 200 ms
    assert 0.28 < (offsets < 0).mean() < 0.42  # Heldner & Edlund 2010: 40%
    assert offsets.mean() > offsets.median()
    pauses = pd.concat([t.silences.loc[t.silences["kind"] == "pause"] for t in talks])
    lasts = pauses["end"] - pauses["start"]
    assert 0.4 < lasts.median() < 0.6  # Campione & Véronis 2002
    speaking = sum((t.units["end"] - t.units["start"]).sum() for t in talks) / (600 * len(talks))
    assert 0.8 < speaking < 1.1
    kinds = talks[0].counts
    assert min(kinds.interruptions, kinds.failed_interruptions, kinds.backchannels) > 5


def test_clear_plans_stay_away_from_the_limits() -> None:
    for seed in range(10):
        talk = plan_conversation(120, seed, clear_s=0.08)
        assert talk.transfers["offset"].abs().min() >= 0.08
        lasts = talk.silences["end"] - talk.silences["start"]
        assert lasts.min() >= 0.08 - 1e-9
        assert (talk.overlaps["end"] - talk.overlaps["start"]).min() >= 0.08 - 1e-9


def test_a_conversation_without_interruptions_or_backchannels_has_none() -> None:
    quiet = Manner(interrupts=0.0, tries=0.0, encourages=0.0, answers_pause=0.0)
    counts = plan_conversation(300, 1, manner=quiet).counts
    assert (counts.interruptions, counts.failed_interruptions, counts.backchannels) == (0, 0, 0)
    assert counts.overlaps_within == 0
    assert counts.gaps > 0


def test_no_time_for_a_word_gives_empty_tables_and_silence() -> None:
    talk = plan_conversation(1.0)
    assert talk.counts.turns == 0
    assert talk.units["start"].dtype == np.float64
    assert not any(track.any() for track in render(talk).values())


@pytest.mark.parametrize("people", [(), ("a",), ("a", "a")])
def test_nobody_talks_alone(people: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="two people"):
        plan_conversation(60, participants=people)


@pytest.mark.slow
def test_voices_have_the_pitch_that_they_are_given() -> None:
    import librosa

    for talker in (MAN, WOMAN):
        f0 = librosa.yin(talker.speak(4.0, seed=2), fmin=60, fmax=400, sr=RATE_HZ)
        assert np.median(f0) == pytest.approx(talker.f0_hz, rel=0.15)


def test_an_utterance_lasts_as_long_as_asked() -> None:
    assert len(MAN.speak(0.05)) == 800
    assert len(WOMAN.speak(1.2345)) == 19_752
    with pytest.raises(InputError, match="Nobody says anything"):
        MAN.speak(0.0)


def test_bleed_is_as_late_and_as_loud_as_asked(tracks: dict[str, Samples]) -> None:
    silent = {"client": tracks["client"], "therapist": np.zeros_like(tracks["therapist"])}
    bleed = with_bleed(silent, -20.0, delay_s=0.12, echo_s=0.4, seed=1)
    np.testing.assert_array_equal(bleed["client"], tracks["client"])
    voice = np.abs(tracks["client"]) > 0.001
    late = np.roll(voice, round(0.12 * RATE_HZ))
    assert db(bleed["therapist"][late]) - db(tracks["client"][voice]) == pytest.approx(-20, abs=0.5)
    first = int(np.argmax(np.abs(bleed["therapist"]) > 1e-6)) - int(np.argmax(voice))
    assert first / RATE_HZ == pytest.approx(0.12, abs=0.01)


def test_noise_is_as_far_under_the_speech_as_asked(tracks: dict[str, Samples]) -> None:
    for who, track in with_noise(tracks, 20.0, seed=1).items():
        noise = track - tracks[who]
        assert db(tracks[who][tracks[who] != 0]) - db(noise) == pytest.approx(20, abs=2)


def test_every_way_of_recording_reads_back(tmp_path, tracks: dict[str, Samples]) -> None:
    client, therapist = tracks.values()
    (stereo,) = read_sound(write_sound(tmp_path / "call.wav", tracks)[0])
    for channel, track in zip(stereo.channels, (client, therapist), strict=True):
        np.testing.assert_allclose(np.asarray(channel.samples[:]), track, atol=1e-4)
    streams = read_sound(write_sound(tmp_path / "call.mka", tracks, recorded="streams")[0])
    assert [stream.info.title for stream in streams] == ["client", "therapist"]
    paths = write_sound(tmp_path / "call.flac", tracks, recorded="files")
    assert [path.name for path in paths] == ["call-client.flac", "call-therapist.flac"]
    for path, track in zip(paths, (client, therapist), strict=True):
        np.testing.assert_allclose(np.asarray(read_sound(path)[0].channels[0].samples[:]), track, atol=1e-4)
    (mono,) = read_sound(write_sound(tmp_path / "mix.wav", tracks, recorded="mixed")[0])
    np.testing.assert_allclose(np.asarray(mono.channels[0].samples[:]), mixed(tracks), atol=1e-4)


def test_aac_has_the_bit_rate_that_was_asked_for_and_keeps_time(tmp_path, tracks: dict[str, Samples]) -> None:
    path = tmp_path / "call.m4a"
    write_sound(path, tracks, bit_rate=64_000)
    assert path.stat().st_size * 8 / 90 == pytest.approx(64_000, rel=0.2)
    (stereo,) = read_sound(path)
    assert stereo.channels[0].start_s == pytest.approx(0, abs=1e-3)
    heard = np.asarray(stereo.channels[0].samples[: len(tracks["client"])])
    assert np.corrcoef(heard, tracks["client"][: len(heard)])[0, 1] > 0.95


def test_what_a_file_cannot_hold_is_said(tmp_path, tracks: dict[str, Samples]) -> None:
    with pytest.raises(InputError, match="holds one stream"):
        write_sound(tmp_path / "call.wav", tracks, recorded="streams")
    with pytest.raises(InputError, match="no sound file"):
        write_sound(tmp_path / "call.xyz", tracks)
    with pytest.raises(InputError, match="can't have a channel each"):
        write_sound(tmp_path / "call.wav", {**tracks, "third": tracks["client"]})
    with pytest.raises(InputError, match="differ in length"):
        write_sound(tmp_path / "call.wav", {"a": tracks["client"], "b": tracks["client"][:-5]})
