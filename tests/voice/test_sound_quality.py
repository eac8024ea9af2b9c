"""Noise, clipping, bandwidth and offset against degradations of known size."""

from __future__ import annotations

import io
from functools import cache

import av
import numpy as np
import pytest
from voices import MAN, WOMAN, Samples, Speech, noisy, spoken, sung

from vsa.voice.quality import MOST_SNR_DB, bandwidth_hz, sound_quality

RATE_HZ = 16_000


@cache
def speech(rate_hz: int = RATE_HZ) -> Speech:
    return spoken(15, rate_hz, voice=WOMAN)


def in_speech(s: Speech, rate_hz: int) -> np.ndarray:
    return np.repeat(s.speaking, rate_hz // 100)


@pytest.mark.parametrize("snr_db", [35.0, 20.0, 10.0, 0.0])
@pytest.mark.parametrize("pink", [False, True])
@pytest.mark.parametrize("gain", [1.0, 0.02])
def test_signal_to_noise_ratio(snr_db: float, pink: bool, gain: float) -> None:
    s = speech()
    y = noisy(s.samples, snr_db, pink=pink)
    noise = y - s.samples
    truth = 10 * np.log10(np.mean(s.samples[in_speech(s, RATE_HZ)] ** 2.0) / np.mean(noise**2.0))
    q = sound_quality(y * np.float32(gain), RATE_HZ, s.speaking)
    assert q.snr_db == pytest.approx(truth, abs=1.5)


def test_another_voice_in_some_pauses_is_not_noise() -> None:
    s = speech()
    y = noisy(s.samples, 30)
    other = sung(np.full(len(y), 110.0), RATE_HZ, voice=MAN) * np.float32(0.3)
    heard = np.zeros(len(s.speaking), bool)
    heard[~s.speaking & (np.arange(len(heard)) % 600 < 200)] = True
    mixed = y + other * np.repeat(heard, 160)
    alone = sound_quality(y, RATE_HZ, s.speaking).snr_db
    assert sound_quality(mixed, RATE_HZ, s.speaking).snr_db == pytest.approx(alone, abs=1.5)
    loud = y + other * ~in_speech(s, RATE_HZ)
    assert sound_quality(loud, RATE_HZ, s.speaking).snr_db < alone - 10
    anyone = s.speaking | (np.arange(len(heard)) < 1150)
    late = y + other * (np.repeat(anyone, 160) & ~in_speech(s, RATE_HZ))
    assert sound_quality(late, RATE_HZ, s.speaking, anyone=anyone).snr_db == pytest.approx(alone, abs=1.5)


def test_without_pauses_there_is_no_ratio_and_silenced_pauses_have_the_highest() -> None:
    s = speech()
    q = sound_quality(noisy(s.samples, 20), RATE_HZ, np.ones(len(s.speaking), bool))
    assert np.isnan(q.snr_db)
    assert np.isnan(q.noise_level_dbfs)
    assert np.isfinite(q.speech_level_dbfs)
    gated = sound_quality(s.samples, RATE_HZ, s.speaking)
    assert gated.snr_db == MOST_SNR_DB
    assert gated.silent_share == pytest.approx(1 - s.speaking.mean(), abs=0.02)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
@pytest.mark.parametrize("gain", [1.6, 3.0, 6.0])
@pytest.mark.parametrize("rail", [1.0, 0.4])
def test_clipping_share(rate_hz: int, gain: float, rail: float) -> None:
    s = speech(rate_hz)
    y = np.clip(s.samples * np.float32(2 * gain * rail), -rail, rail).astype(np.float32)
    truth = np.mean(np.abs(y[in_speech(s, rate_hz)]) >= rail)
    found = sound_quality(y, rate_hz, s.speaking).clipping_share
    assert found == pytest.approx(truth, rel=0.3)
    assert truth > 1e-3


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 48_000])
def test_loud_speech_and_tones_are_not_clipped(rate_hz: int) -> None:
    s = speech(rate_hz)
    loud = (np.round(s.samples * 1.99 * 32767) / 32768).astype(np.float32)
    assert sound_quality(loud, rate_hz, s.speaking).clipping_share < 1e-4
    t = np.arange(3 * rate_hz) / rate_hz
    for f in (60, 150, 305, 440, 700, 917, 1500, 3000):
        tone = (0.9 * np.sin(2 * np.pi * f * t)).astype(np.float32)
        assert sound_quality(tone, rate_hz, np.ones(300, bool)).clipping_share < 1e-3, f


def test_one_click_does_not_hide_clipping() -> None:
    s = speech()
    y = np.clip(s.samples * 3, -0.5, 0.5).astype(np.float32)
    plain = sound_quality(y, RATE_HZ, s.speaking).clipping_share
    y[8 * RATE_HZ] = 0.99
    assert sound_quality(y, RATE_HZ, s.speaking).clipping_share > 0.8 * plain


@pytest.mark.parametrize("carried_hz", [8000, 12_000, 16_000, 24_000, 32_000])
@pytest.mark.parametrize("snr_db", [60, 20])
def test_bandwidth_of_speech_that_was_sampled_lower_before(carried_hz: int, snr_db: float) -> None:
    import soxr

    s = speech(48_000)
    low = soxr.resample(noisy(s.samples, snr_db), 48_000, carried_hz)
    y = (np.round(soxr.resample(low, carried_hz, 48_000) * 32767) / 32768).astype(np.float32)
    assert bandwidth_hz(y, 48_000, s.speaking) == pytest.approx(carried_hz / 2, rel=0.1)
    assert bandwidth_hz(low, carried_hz, s.speaking) == pytest.approx(carried_hz / 2, rel=0.1)


@pytest.mark.parametrize(
    ("codec", "bit_rate", "options", "from_hz", "to_hz"),
    [
        ("libopus", 32_000, {"cutoff": "4000"}, 3400, 5000),
        ("libopus", 32_000, {"cutoff": "12000"}, 11_000, 13_500),
        ("aac", 32_000, {}, 9000, 16_000),
        ("aac", 192_000, {}, 18_000, 24_000),
    ],
)
def test_bandwidth_after_codecs(
    codec: str, bit_rate: int, options: dict[str, str], from_hz: float, to_hz: float
) -> None:
    s = speech(48_000)
    y = coded(s.samples, codec, bit_rate, options)
    assert from_hz <= bandwidth_hz(y, 48_000, s.speaking) <= to_hz


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
def test_speech_that_fills_its_rate_has_half_of_it(rate_hz: int) -> None:
    s = speech(rate_hz)
    assert bandwidth_hz(noisy(s.samples, 30), rate_hz, s.speaking) == rate_hz / 2


def test_offset_and_missing_sound() -> None:
    s = speech()
    y = s.samples + np.float32(0.05)
    y[: 3 * RATE_HZ] = np.nan
    q = sound_quality(y, RATE_HZ, np.pad(s.speaking, (0, 500)))
    assert q.dc_offset == pytest.approx(0.05, abs=0.002)
    assert q.missing_share == pytest.approx(8 / 20, abs=0.002)
    assert q.rate_hz == RATE_HZ


@pytest.mark.parametrize("value", [0.0, 0.5, -0.5, np.nan])
def test_a_track_without_sound(value: float) -> None:
    speaking = np.zeros(300, bool)
    speaking[50:200] = True
    q = sound_quality(np.full(3 * RATE_HZ, value, np.float32), RATE_HZ, speaking)
    assert np.isnan(q.bandwidth_hz)
    if np.isnan(value):
        assert q.missing_share == 1
        assert np.isnan([q.snr_db, q.clipping_share, q.dc_offset, q.silent_share]).all()
    else:
        assert q.silent_share == 1
        assert q.dc_offset == pytest.approx(value)
        assert q.clipping_share == 0
        assert np.isnan([q.snr_db, q.speech_level_dbfs]).all()


def test_an_empty_track() -> None:
    q = sound_quality(np.empty(0, np.float32), RATE_HZ, np.empty(0, bool))
    assert np.isnan([q.bandwidth_hz, q.snr_db, q.clipping_share, q.dc_offset, q.missing_share]).all()


def coded(samples: Samples, codec: str, bit_rate: int, options: dict[str, str]) -> Samples:
    """The same after a lossy codec, at 48 kHz."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream(codec, rate=48_000, layout="mono", bit_rate=bit_rate, options=options)
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        fifo = av.AudioFifo()
        for part in av.AudioResampler(stream.format, "mono", 48_000).resample(frame):
            fifo.write(part)
        while (part := fifo.read(stream.codec_context.frame_size or 960, partial=True)) is not None:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as recording:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        frames = [f for packet in recording.decode(audio=0) for f in resampler.resample(packet)]
    return np.concatenate([f.to_ndarray()[0] for f in frames])
