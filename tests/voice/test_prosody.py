"""Loudness, spectral tilt and syllables against synthesized speech."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from voices import CHILD, MAN, WOMAN, Speech, Voice, noisy, spoken, sung

from vsa.voice.prosody import intensity_db, prosody, spectral_tilt_db
from vsa.voice.syllables import articulation_rate, speech_rate, syllable_nuclei

RATE_HZ = 16_000


@cache
def speech(voice: Voice = MAN, rate: float = 4.0, rate_hz: int = RATE_HZ) -> Speech:
    return spoken(20, rate_hz, voice=voice, syllables_per_s=rate)


@pytest.mark.parametrize("gain", [0.003, 0.1, 1.9])
def test_gain_does_not_change_intensity(gain: float) -> None:
    s = speech()
    plain = intensity_db(s.samples, RATE_HZ, s.speaking)
    scaled = intensity_db(s.samples * np.float32(gain), RATE_HZ, s.speaking)
    np.testing.assert_allclose(plain, scaled, atol=0.01)


def test_intensity_is_relative_to_the_persons_own_speech() -> None:
    s = speech()
    y = noisy(s.samples, 30)
    level = intensity_db(y, RATE_HZ, s.speaking)
    assert np.median(level[s.speaking]) == pytest.approx(0, abs=0.01)
    assert np.median(level[~s.speaking]) < -20


def test_a_louder_phrase_is_louder_by_what_was_added() -> None:
    s = speech()
    middle = len(s.samples) // 2
    y = s.samples.copy()
    y[middle:] *= np.float32(10 ** (-12 / 20))
    change = intensity_db(y, RATE_HZ, s.speaking) - intensity_db(s.samples, RATE_HZ, s.speaking)
    half = len(s.speaking) // 2
    before, after = change[: half - 5][s.speaking[: half - 5]], change[half + 5 :][s.speaking[half + 5 :]]
    assert np.median(before) - np.median(after) == pytest.approx(12, abs=0.05)


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 48_000])
def test_intensity_is_the_same_at_every_rate(rate_hz: int) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 200 * np.arange(6 * rate_hz) / rate_hz)).astype(np.float32)
    swell = np.repeat(10 ** (np.repeat([-20.0, 0.0, -10.0], 200) / 20), rate_hz // 100)
    level = intensity_db(tone * swell.astype(np.float32), rate_hz, np.ones(600, bool))
    assert np.median(level[410:590]) - np.median(level[10:190]) == pytest.approx(10, abs=0.05)
    assert np.median(level[210:390]) - np.median(level[10:190]) == pytest.approx(20, abs=0.05)


def test_an_offset_is_no_sound() -> None:
    s = speech()
    shifted = intensity_db(noisy(s.samples, 40) + np.float32(0.5), RATE_HZ, s.speaking)
    np.testing.assert_allclose(
        shifted[5:-5], intensity_db(noisy(s.samples, 40), RATE_HZ, s.speaking)[5:-5], atol=0.05
    )


def test_missing_sound_is_missing() -> None:
    s = speech()
    y = s.samples.copy()
    y[5 * RATE_HZ : 6 * RATE_HZ] = np.nan
    level = intensity_db(y, RATE_HZ, s.speaking)
    assert np.isnan(level[500:600]).all()
    assert np.isfinite(np.delete(level, slice(500, 600))).all()
    longer = intensity_db(s.samples, RATE_HZ, np.pad(s.speaking, (0, 100)))
    assert np.isnan(longer[-100:]).all()


def test_nobody_speaks() -> None:
    s = speech()
    nobody = np.zeros(len(s.speaking), bool)
    p = prosody(s.samples, RATE_HZ, nobody)
    assert np.isnan(p.f0_hz).all()
    assert np.isnan(p.intensity_db).all()
    assert np.isnan(p.spectral_tilt_db).all()
    assert len(p.nuclei_s) == 0
    assert np.isnan(articulation_rate(p.nuclei_s, nobody))


@pytest.mark.parametrize("value", [0.0, 0.7, np.nan])
def test_a_track_without_sound(value: float) -> None:
    p = prosody(np.full(3 * RATE_HZ, value, np.float32), RATE_HZ, np.ones(300, bool))
    assert np.isnan(p.f0_hz).all()
    assert np.isnan(p.intensity_db).all()
    assert np.isnan(p.spectral_tilt_db).all()
    assert len(p.nuclei_s) == 0


def test_an_empty_track() -> None:
    p = prosody(np.empty(0, np.float32), RATE_HZ, np.empty(0, bool))
    assert p.f0_hz.shape == p.intensity_db.shape == p.spectral_tilt_db.shape == p.nuclei_s.shape == (0,)


def test_tilt_rises_by_what_the_upper_band_gains() -> None:
    from scipy import fft

    y = sung(np.full(3 * RATE_HZ, 120.0), RATE_HZ)
    spectrum = fft.rfft(y)
    f = fft.rfftfreq(len(y), 1 / RATE_HZ)
    bright = fft.irfft(spectrum * np.where(f > 1020, 10 ** (9 / 20), 1.0), len(y)).astype(np.float32)
    voiced = np.ones(300, bool)
    rise = spectral_tilt_db(bright, RATE_HZ, voiced) - spectral_tilt_db(y, RATE_HZ, voiced)
    assert np.median(rise) == pytest.approx(9, abs=0.4)


def test_tilt_is_the_ratio_of_the_bands() -> None:
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    y = (0.2 * np.sin(2 * np.pi * 500 * t) + 0.02 * np.sin(2 * np.pi * 3000 * t)).astype(np.float32)
    for gain in (1, 0.01):
        tilt = spectral_tilt_db(y * np.float32(gain), RATE_HZ, np.ones(200, bool))
        np.testing.assert_allclose(tilt[5:-5], -20, atol=0.05)


def test_tilt_is_missing_where_the_track_does_not_reach_5_khz() -> None:
    y = sung(np.full(16_000, 120.0), 8000)
    assert np.isnan(spectral_tilt_db(y, 8000, np.ones(200, bool))).all()
    wide = sung(np.full(2 * RATE_HZ, 120.0), RATE_HZ)
    assert np.isnan(spectral_tilt_db(wide, RATE_HZ, np.ones(200, bool), bandwidth_hz=3800)).all()
    unvoiced = np.zeros(200, bool)
    unvoiced[50:60] = True
    assert (np.isfinite(spectral_tilt_db(wide, RATE_HZ, unvoiced)) == unvoiced).all()


@pytest.mark.slow
@pytest.mark.parametrize("voice", [MAN, WOMAN, CHILD])
@pytest.mark.parametrize("rate", [3.0, 5.0, 7.0])
@pytest.mark.parametrize("snr_db", [60, 15])
def test_syllables_are_counted_where_they_are(voice: Voice, rate: float, snr_db: int) -> None:
    s = speech(voice, rate)
    found = prosody(noisy(s.samples, snr_db), RATE_HZ, s.speaking).nuclei_s
    assert len(found) == pytest.approx(len(s.nuclei_s), rel=0.1)
    nearest = np.abs(found[:, None] - s.nuclei_s).min(axis=1)
    assert np.mean(nearest < 0.06) > 0.9
    assert articulation_rate(found, s.speaking) == pytest.approx(rate, rel=0.1)


def test_clicks_hisses_and_others_are_no_syllables() -> None:
    s = speech()
    y = s.samples.copy()
    pauses = np.flatnonzero(~s.speaking)[::60]
    y[pauses * 160 + 80] = 0.9
    p = prosody(y, RATE_HZ, s.speaking)
    assert len(p.nuclei_s) == pytest.approx(len(s.nuclei_s), abs=3)
    # The same peaks without a pitch: whispered or hissed.
    assert len(syllable_nuclei(p.intensity_db, np.full_like(p.f0_hz, np.nan), s.speaking)) == 0
    half = s.speaking.copy()
    half[len(half) // 2 :] = False
    assert syllable_nuclei(p.intensity_db, p.f0_hz, half).max() < 0.01 * len(half) / 2


def test_a_long_vowel_is_one_syllable() -> None:
    y = sung(np.full(2 * RATE_HZ, 140.0), RATE_HZ, jitter=0.004)
    y *= np.sin(np.pi * np.arange(len(y)) / len(y)).astype(np.float32)
    assert len(prosody(y, RATE_HZ, np.ones(200, bool)).nuclei_s) == 1


def test_rates_need_a_second() -> None:
    nuclei = np.array([0.1, 0.3, 0.6, 1.4, 1.9])
    assert speech_rate(nuclei, 0.0, 2.0) == pytest.approx(2.5)
    assert speech_rate(nuclei, 0.2, 1.5) == pytest.approx(3 / 1.3)
    assert np.isnan(speech_rate(nuclei, 0.0, 0.9))
    assert articulation_rate(nuclei, np.ones(250, bool)) == pytest.approx(2.0)
    assert np.isnan(articulation_rate(nuclei, np.ones(99, bool)))
