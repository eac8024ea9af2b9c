"""Pitch against synthesized voices with known pitch, and against pYIN on real voices."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from people import clip_path
from voices import CHILD, MAN, WOMAN, Floats, Samples, Voice, glide, noisy, on_grid, spoken, sung, vibrato

from vsa.voice.pitch import f0_hz
from vsa.voice.prosody import semitones

RATE_HZ = 16_000
RANGES = {"man": (MAN, 75.0, 220.0), "woman": (WOMAN, 150.0, 400.0), "child": (CHILD, 220.0, 560.0)}


def always(contour: Floats) -> np.ndarray:
    return np.ones(len(contour), bool)


def errors_st(samples: Samples, truth: Floats, rate_hz: int = RATE_HZ) -> Floats:
    """Error of each voiced step in semitones; at least half of the steps must be voiced."""
    found = f0_hz(samples, rate_hz, always(truth))
    assert found.shape == truth.shape
    assert np.isfinite(found).mean() > 0.5
    return 12 * np.log2(found / truth)[np.isfinite(found)]


@pytest.mark.parametrize("who", RANGES)
@pytest.mark.parametrize("snr_db", [30, 10, 5])
def test_gliding_vowels(who: str, snr_db: int) -> None:
    voice, low, high = RANGES[who]
    contour = glide(low, high, 3.6, RATE_HZ)
    for k, vowel in enumerate("aiu"):
        y = noisy(sung(contour, RATE_HZ, voice=voice, vowel=vowel), snr_db, seed=k)
        errors = errors_st(y, on_grid(contour, RATE_HZ))
        assert np.median(np.abs(errors)) < 0.15, vowel
        assert np.mean(np.abs(errors) > 6) < 0.01, vowel


@pytest.mark.parametrize("who", RANGES)
def test_vibrato_is_followed_without_delay(who: str) -> None:
    voice, _, _ = RANGES[who]
    contour = vibrato(voice.pitch_hz, 1.0, 5.5, 4.0, RATE_HZ)
    truth = on_grid(contour, RATE_HZ)
    y = noisy(sung(contour, RATE_HZ, voice=voice, jitter=0.003), 20)
    errors = errors_st(y, truth)
    assert np.median(np.abs(errors)) < 0.3
    assert np.mean(np.abs(errors) > 6) < 0.01
    found = f0_hz(y, RATE_HZ, always(truth))
    steps = range(-2, 3)
    fits = [np.nanmean(np.abs(np.log2(found[5:-5] / np.roll(truth, k)[5:-5]))) for k in steps]
    assert steps[int(np.argmin(fits))] == 0


@pytest.mark.parametrize("rate_hz", [8000, 22_050, 44_100, 48_000])
def test_every_sample_rate_gives_the_same_pitch(rate_hz: int) -> None:
    contour = glide(100, 300, 2.4, rate_hz)
    errors = errors_st(noisy(sung(contour, rate_hz), 20), on_grid(contour, rate_hz), rate_hz)
    assert np.median(np.abs(errors)) < 0.15
    assert np.mean(np.abs(errors) > 6) < 0.01


@pytest.mark.parametrize("voice", [MAN, WOMAN])
def test_telephone_speech_without_its_fundamental(voice: Voice) -> None:
    from scipy.signal import butter, sosfiltfilt

    contour = glide(0.8 * voice.pitch_hz, 1.6 * voice.pitch_hz, 3.6, RATE_HZ)
    line = butter(4, [300, 3400], "bandpass", fs=RATE_HZ, output="sos")
    y = noisy(sosfiltfilt(line, sung(contour, RATE_HZ, voice=voice)).astype(np.float32), 20)
    errors = errors_st(y, on_grid(contour, RATE_HZ))
    assert np.median(np.abs(errors)) < 0.3
    assert np.mean(np.abs(errors) > 6) < 0.01


def test_a_stretch_whose_second_harmonic_rules_is_no_octave_up() -> None:
    # The fundamental is kept at a third for half a second: alone, these steps look like the octave above.
    n = 4 * RATE_HZ
    contour = np.full(n, 120.0)
    phase = 2 * np.pi * np.cumsum(contour) / RATE_HZ
    odd = np.where((np.arange(n) > 2 * RATE_HZ) & (np.arange(n) < 2.5 * RATE_HZ), 0.12, 1.0)
    y = sum((odd if h % 2 else 1.0) * np.sin(h * phase) / h for h in range(1, 20))
    errors = errors_st(noisy((0.1 * y).astype(np.float32), 25), on_grid(contour, RATE_HZ))
    assert np.mean(np.abs(errors) > 6) < 0.01


def test_in_loud_noise_the_speakers_range_keeps_the_octave() -> None:
    s = spoken(20, RATE_HZ, voice=CHILD)
    truth = on_grid(vibrato(CHILD.pitch_hz, 3.0, 0.4, 20.0, RATE_HZ), RATE_HZ)
    f0 = f0_hz(noisy(s.samples, 0), RATE_HZ, s.speaking)
    errors = 12 * np.log2(f0 / truth)[np.isfinite(f0)]
    assert len(errors) > 0.4 * s.speaking.sum()
    assert np.mean(np.abs(errors) > 6) < 0.01


@pytest.mark.parametrize(("voice", "usual_hz", "rare_hz"), [(WOMAN, 160.0, 400.0), (MAN, 120.0, 65.0)])
def test_a_squeal_or_a_creak_far_from_the_usual_pitch_stays(
    voice: Voice, usual_hz: float, rare_hz: float
) -> None:
    t = np.arange(12 * RATE_HZ) / RATE_HZ
    contour = np.where(t % 4 > 3, rare_hz, usual_hz) * 2 ** (0.08 * np.sin(5 * t))
    speaking = np.arange(1200) % 100 < 80
    y = noisy(sung(contour, RATE_HZ, voice=voice) * np.repeat(speaking, 160), 25)
    errors = 12 * np.log2(f0_hz(y, RATE_HZ, speaking) / on_grid(contour, RATE_HZ))
    assert np.isfinite(errors[speaking]).mean() > 0.95
    assert np.nanmean(np.abs(errors) > 6) < 0.01


def test_pauses_hisses_and_noise_have_no_pitch() -> None:
    speech = spoken(12, RATE_HZ, voice=WOMAN)
    f0 = f0_hz(noisy(speech.samples, 30), RATE_HZ, np.ones(len(speech.speaking), bool))
    assert np.isfinite(f0[~speech.speaking]).mean() < 0.02
    assert np.isfinite(f0[speech.speaking]).mean() > 0.6
    for pink in (False, True):
        noise = noisy(np.full(10 * RATE_HZ, 1e-6, np.float32), -90, pink=pink)
        assert np.isfinite(f0_hz(noise, RATE_HZ, np.ones(1000, bool))).mean() < 0.01


def test_only_speech_gets_a_pitch() -> None:
    contour = glide(100, 200, 2.4, RATE_HZ)
    speaking = np.zeros(240, bool)
    speaking[50:90] = speaking[150:200] = True
    f0 = f0_hz(sung(contour, RATE_HZ), RATE_HZ, speaking)
    assert np.isnan(f0[~speaking]).all()
    assert np.isfinite(f0[speaking]).mean() > 0.95


def test_blocks_leave_no_seam() -> None:
    # Longer than two blocks of 30 s; the seams and the rest are equally exact.
    contour = vibrato(180.0, 2.0, 0.7, 62.0, 8000)
    truth = on_grid(contour, 8000)
    f0 = f0_hz(sung(contour, 8000, voice=WOMAN, vowel="i"), 8000, always(truth))
    errors = np.abs(12 * np.log2(f0 / truth))
    assert np.isfinite(errors).all()
    assert errors[5:-5].max() < 0.5


@pytest.mark.parametrize("seconds", [0.0, 0.004, 0.01, 0.05])
def test_hardly_any_sound(seconds: float) -> None:
    y = sung(np.full(round(seconds * RATE_HZ), 150.0), RATE_HZ) if seconds else np.empty(0, np.float32)
    steps = -(-len(y) // 160)
    assert f0_hz(y, RATE_HZ, np.ones(steps, bool)).shape == (steps,)


@pytest.mark.parametrize("value", [0.0, 0.3, -1.0, np.nan, np.inf])
def test_a_constant_has_no_pitch(value: float) -> None:
    y = np.full(2 * RATE_HZ, value, np.float32)
    assert np.isnan(f0_hz(y, RATE_HZ, np.ones(200, bool))).all()


def test_an_offset_does_not_matter() -> None:
    contour = glide(100, 200, 2.4, RATE_HZ)
    y = sung(contour, RATE_HZ)
    speaking = np.ones(240, bool)
    plain, shifted = f0_hz(y, RATE_HZ, speaking), f0_hz(y + np.float32(0.4), RATE_HZ, speaking)
    inside = slice(10, -10)
    assert (np.isfinite(plain[inside]) == np.isfinite(shifted[inside])).mean() > 0.99
    assert np.nanmax(np.abs(12 * np.log2(plain[inside] / shifted[inside]))) < 0.05


def test_missing_samples_cost_only_themselves() -> None:
    contour = glide(100, 200, 2.4, RATE_HZ)
    y = sung(contour, RATE_HZ)
    y[RATE_HZ : RATE_HZ + 1600] = np.nan
    f0 = f0_hz(y, RATE_HZ, np.ones(240, bool))
    errors = 12 * np.log2(f0 / on_grid(contour, RATE_HZ))
    assert np.isnan(f0[100:110]).all()
    assert np.isfinite(np.delete(f0, slice(95, 115))).mean() > 0.95
    assert np.nanmean(np.abs(errors) > 6) < 0.01


def test_a_grid_longer_than_the_sound_ends_in_missing_values() -> None:
    y = sung(np.full(RATE_HZ, 150.0), RATE_HZ)
    f0 = f0_hz(y, RATE_HZ, np.ones(300, bool))
    assert np.isfinite(f0[5:95]).all()
    assert np.isnan(f0[100:]).all()


@pytest.mark.slow
def test_thirty_minutes_of_one_note() -> None:
    t = np.arange(30 * 60 * 8000, dtype=np.float32) * np.float32(0.5)
    y = np.sin(np.float32(2 * np.pi) * (t % 8 / np.float32(8))).astype(np.float32)  # 500 Hz at 8 kHz
    f0 = f0_hz(y, 8000, np.ones(30 * 60 * 100, bool))
    assert np.isfinite(f0).mean() > 0.99
    assert np.nanmax(np.abs(f0 - 500)) < 2


def test_semitones_are_relative_to_the_speakers_median() -> None:
    f0 = np.array([np.nan, 100, 200, 200, 400], np.float32)
    np.testing.assert_allclose(semitones(f0), [np.nan, -12, 0, 0, 12], atol=1e-5)
    assert np.isnan(semitones(np.full(3, np.nan, np.float32))).all()


def mono_16k(path: Path) -> Samples:
    with av.open(str(path)) as recording:
        resampler = av.AudioResampler("flt", "mono", RATE_HZ)
        frames = [f for packet in recording.decode(audio=0) for f in resampler.resample(packet)]
        frames += resampler.resample(None)
        return np.concatenate([f.to_ndarray()[0] for f in frames])


@pytest.mark.parametrize(
    ("clip", "part_s", "overlaps_s"),
    [
        ("talking_woman_512.mp4", (0, 8), []),
        # Where both speak at once there is no one pitch (two_speakers_30s.rttm).
        (
            "two_speakers_30s.wav",
            (8, 22),
            [(9.9, 10.05), (10.55, 11.05), (14.45, 14.75), (18.0, 18.65), (21.45, 21.8)],
        ),
    ],
)
@pytest.mark.slow
def test_real_voices_against_pyin(
    clip: str, part_s: tuple[int, int], overlaps_s: list[tuple[float, float]]
) -> None:
    librosa = pytest.importorskip("librosa")
    y = mono_16k(clip_path(clip))[part_s[0] * RATE_HZ : part_s[1] * RATE_HZ]
    # pYIN's frames are centred on multiples of its hop: every other one is the middle of a step.
    theirs, _, _ = librosa.pyin(y, sr=RATE_HZ, fmin=60, fmax=600, frame_length=1024, hop_length=80)
    theirs = theirs[1::2][: len(y) // 160]
    ours = f0_hz(y, RATE_HZ, np.ones(len(theirs), bool))
    middles = part_s[0] + (np.arange(len(theirs)) + 0.5) * 0.01
    one = ~np.any([(middles > a) & (middles < b) for a, b in overlaps_s], axis=0) if overlaps_s else True
    both = np.isfinite(ours) & np.isfinite(theirs) & one
    apart = np.abs(12 * np.log2(ours[both] / theirs[both]))
    assert both.sum() > 0.85 * np.count_nonzero(np.isfinite(theirs) & one)
    assert np.median(apart) < 0.15
    assert np.mean(apart > 1) < 0.06
    assert np.mean(apart > 6) < 0.01
