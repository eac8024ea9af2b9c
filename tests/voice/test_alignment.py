"""Files that were recorded apart come onto one time by what both of them heard, or it is said that they can't."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from speech import TwoTracks, call

from vsa.media.sound import Sound
from vsa.simulate.sound import room_noise, through_the_room
from vsa.simulate.speech import RATE_HZ
from vsa.voice.activity import stretches
from vsa.voice.alignment import Alignment, align, aligned, take_turns

Samples = NDArray[np.float32]
WAY_S = 0.12


def recorded(
    samples: Samples, *, late_s: float = 0.0, slow_ppm: float = 0.0, until_s: float | None = None
) -> Sound:
    """The file of somebody who pressed the button later (or earlier), whose clock is slow, and who stopped early."""
    if late_s < 0:
        samples = np.concatenate([room_noise(-late_s, -65, 99), samples])
    samples = samples[round(max(late_s, 0) * RATE_HZ) :]
    if slow_ppm:
        samples = soxr.resample(samples, RATE_HZ * (1 + slow_ppm * 1e-6), RATE_HZ).astype(np.float32)
    if until_s is not None:
        samples = samples[: round(until_s * RATE_HZ)]
    return Sound(0.0, RATE_HZ, samples, "other.wav")


def reference(made: TwoTracks) -> Sound:
    return Sound(0.0, RATE_HZ, made.tracks[0], "reference.wav")


CASES: dict[str, dict[str, float]] = {
    "together": {},
    "3 s late": {"late_s": 3.0},
    "12.3 s early": {"late_s": -12.3},
    "slow clock": {"late_s": 3.0, "slow_ppm": 80.0},
    "fast clock": {"late_s": -0.4567, "slow_ppm": -150.0},
    "a minute of three": {"late_s": 70.0, "until_s": 60.0},
}


@pytest.fixture(scope="module")
def loudspeakers() -> TwoTracks:
    return call(180.0, seed=31, bleed_db=(-18.0, -18.0))


@pytest.mark.parametrize("case", CASES)
def test_offset_and_drift_are_found(loudspeakers: TwoTracks, case: str) -> None:
    truth = CASES[case]
    other = recorded(loudspeakers.tracks[1], **truth)
    found = align(reference(loudspeakers), other)
    print(case, found.note)
    assert found.heard == "each other"
    assert found.belongs == "yes"
    assert found.offset_s == pytest.approx(truth.get("late_s", 0.0), abs=0.002)
    assert found.way_s == pytest.approx(WAY_S, abs=0.002)
    assert found.confidence > 0.6
    if "until_s" in truth:
        assert np.isnan(found.drift_ppm)
        assert "too short" in found.note
    else:
        assert found.drift_ppm == pytest.approx(truth.get("slow_ppm", 0.0), abs=2.0)


def test_an_aligned_track_lies_where_it_would_without_the_faults(loudspeakers: TwoTracks) -> None:
    other = recorded(loudspeakers.tracks[1], late_s=3.0, slow_ppm=100.0)
    back = aligned(other, align(reference(loudspeakers), other))
    assert back.start_s == pytest.approx(3.0, abs=0.002)
    assert back.end_s == pytest.approx(180.0, abs=0.003)
    true = loudspeakers.tracks[1]
    for at in (20.0, 90.0, 170.0):  # the 18 ms that the clock lost by the end are back
        piece = true[round(at * RATE_HZ) : round((at + 4) * RATE_HZ)]
        first = round((at - back.start_s) * RATE_HZ) - 200
        around = back.samples[first : first + len(piece) + 400]
        lag = int(np.argmax(np.correlate(around, piece, "valid"))) - 200
        assert abs(lag) / RATE_HZ < 0.002


@pytest.mark.slow
@pytest.mark.parametrize(("bleed", "offset"), [((-18.0, None), 3.0 + WAY_S), ((None, -18.0), 3.0 - WAY_S)])
def test_with_one_loudspeaker_the_way_of_the_voice_stays_in_the_offset(
    bleed: tuple[float | None, float | None], offset: float
) -> None:
    made = call(120.0, seed=32, bleed_db=bleed)
    found = align(reference(made), recorded(made.tracks[1], late_s=3.0))
    assert found.heard == "one way"
    assert np.isnan(found.way_s)
    assert found.offset_s == pytest.approx(offset, abs=0.002)
    assert "less the time that the voice took" in found.note


def test_faint_bleed_in_an_echoing_room_is_enough() -> None:
    made = call(180.0, seed=33, bleed_db=(-28.0, -28.0), direct_db=-3.0, echo_s=0.6)
    found = align(reference(made), recorded(made.tracks[1], late_s=3.0, slow_ppm=20.0))
    assert found.offset_s == pytest.approx(3.0, abs=0.003)
    assert found.drift_ppm == pytest.approx(20.0, abs=4.0)


def unheard(first: TwoTracks, second: TwoTracks) -> Alignment:
    other = Sound(0.0, RATE_HZ, second.tracks[1], "other.wav")
    return align(reference(first), other, first.truth(0), second.truth(1))


@pytest.mark.slow
def test_a_track_of_another_call_is_said_to_be_one() -> None:
    for seed in (40, 41):
        here, there = (call(120.0, seed=k, bleed_db=(-18.0, -18.0)) for k in (seed, seed + 20))
        found = unheard(here, there)
        assert found.heard == "nothing"
        assert found.belongs == "no sign of it"
        assert found.confidence == 0
        assert found.offset_s == 0
        assert "another call" in found.note


def test_headsets_keep_the_files_times_and_taking_turns_speaks_for_one_call() -> None:
    made = call(150.0, seed=34, bleed_db=(None, None), overlaps=0.2)
    found = unheard(made, made)
    assert found.heard == "nothing"
    assert found.belongs == "not sure"
    assert found.offset_s == 0
    assert "take turns" in found.note
    assert take_turns(reference(made), reference(made), made.truth(0), made.truth(1)) < 0.01


def test_too_little_speech_says_nothing_about_belonging() -> None:
    made = call(30.0, seed=35, bleed_db=(None, None))
    assert len(stretches(made.truth(0))) < 8
    found = unheard(made, made)
    assert found.belongs == "not sure"
    assert "too little speech" in found.note


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0),
        np.zeros(50),
        np.zeros(40 * RATE_HZ),
        np.full(40 * RATE_HZ, np.nan),
        np.full(40 * RATE_HZ, 0.4),
    ],
    ids=["empty", "short", "silent", "not a number", "constant"],
)
def test_tracks_without_sound_are_not_aligned(samples: Samples) -> None:
    made = call(40.0, seed=36)
    nothing = Sound(0.0, RATE_HZ, samples.astype(np.float32), "nothing.wav")
    for found in (align(reference(made), nothing), align(nothing, reference(made)), align(nothing, nothing)):
        assert found.heard == "nothing"
        assert found.offset_s == 0
    assert aligned(nothing, align(reference(made), nothing)).start_s == 0


def test_a_note_that_both_hear_aligns_nothing() -> None:
    t = np.arange(60 * RATE_HZ) / RATE_HZ
    note = (0.2 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    tracks = [Sound(0.0, RATE_HZ, note + room_noise(60.0, -60, k), f"{k}.wav") for k in (0, 1)]
    assert align(*tracks).heard == "nothing"


def test_times_of_the_files_themselves_count() -> None:
    made = call(90.0, seed=37)
    first = Sound(100.0, RATE_HZ, made.tracks[0], "a.wav")
    second = Sound(50.0, RATE_HZ, made.tracks[1], "b.wav")
    found = align(first, second)
    assert found.offset_s == pytest.approx(50.0, abs=0.002)
    assert aligned(second, found).start_s == pytest.approx(100.0, abs=0.002)


def test_the_same_room_recorded_twice_by_phones() -> None:
    made = call(120.0, seed=38, bleed_db=(None, None))
    both = made.tracks[0] + made.tracks[1]
    phones = [
        through_the_room(both, delay_s=delay, gain_db=0.0, direct_db=0.0, seed=k)
        + room_noise(120.0, -55, 7 + k)
        for k, delay in enumerate((0.002, 0.008))
    ]
    found = align(Sound(0.0, RATE_HZ, phones[0], "a"), recorded(phones[1], late_s=5.0, slow_ppm=-30.0))
    assert found.heard == "one way"  # one lag for both voices: nothing tells the way from the offset
    assert found.offset_s == pytest.approx(5.0, abs=0.008)
    assert found.drift_ppm == pytest.approx(-30.0, abs=3.0)
