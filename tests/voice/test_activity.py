"""Speech is found where it is, to a few hundredths of a second, and nowhere else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from people import clip_path
from speech import alternating

from vsa import assets
from vsa.errors import ModelMissingError
from vsa.media.sound import read_sound
from vsa.simulate.sound import room_noise
from vsa.simulate.speech import MAN, RATE_HZ, WOMAN, Talker
from vsa.voice.activity import MODEL, STEP_S, speaking, speech_probability, stretches
from vsa.voice.onnx import onnxruntime

Bools = NDArray[np.bool_]
SECONDS = 60.0

pytestmark = pytest.mark.skipif(
    any(state.asset.name == MODEL and state.state != "ok" for state in assets.status()),
    reason="the speech model is not here (vsa models pull)",
)


def found(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Start and end of each stretch of speech, s."""
    return stretches(speaking(speech_probability(samples).probability)) * STEP_S


def told(spoken: list[tuple[float, float]], steps: int) -> Bools:
    """Truth on the 10 ms grid."""
    t = (np.arange(steps) + 0.5) * STEP_S
    return np.any([(t >= start) & (t < end) for start, end in spoken], axis=0)


@cache
def said(talker: Talker) -> tuple[NDArray[np.float32], list[tuple[float, float]]]:
    spoken, _ = alternating(SECONDS, seed=4)
    return talker.says(spoken, SECONDS, seed=2), spoken


@pytest.mark.parametrize("talker", [MAN, WOMAN], ids=["man", "woman"])
@pytest.mark.parametrize("noise_db", [-70, -50, -38])
def test_speech_begins_and_ends_where_it_does(talker: Talker, noise_db: float) -> None:
    voice, spoken = said(talker)
    times = found(voice + room_noise(SECONDS, noise_db))
    truth = np.array(spoken)
    nearest = np.abs(times[None, :, :] - truth[:, None, :]).min(axis=1)
    assert np.median(nearest[:, 0]) < 0.02
    assert np.median(nearest[:, 1]) < 0.03
    assert (nearest[:, 0] < 0.06).mean() > 0.9
    assert (nearest[:, 1] < 0.1).mean() > 0.85
    assert len(times) == pytest.approx(len(truth), abs=2)


def test_a_quiet_track_and_a_constant_offset_change_little() -> None:
    voice, spoken = said(WOMAN)
    sound = voice + room_noise(SECONDS, -70)
    truth = told(spoken, round(SECONDS / STEP_S))
    for changed in (sound, sound * 0.003, sound + 0.4, np.clip(sound * 20, -1, 1)):
        heard = speaking(speech_probability(changed.astype(np.float32)).probability)
        assert np.mean(heard == truth) > 0.96


def test_telephone_sound_is_heard(tmp_path: Path) -> None:
    import soxr

    voice, spoken = said(MAN)
    narrow = soxr.resample(soxr.resample(voice + room_noise(SECONDS, -65), RATE_HZ, 8000), 8000, RATE_HZ)
    heard = speaking(speech_probability(narrow.astype(np.float32)).probability)
    assert np.mean(heard == told(spoken, len(heard))) > 0.95


def test_samples_that_are_no_numbers_are_silence() -> None:
    voice, spoken = said(MAN)
    broken = voice + room_noise(SECONDS, -65)
    broken[::1000] = np.nan
    broken[round(30 * RATE_HZ) : round(33 * RATE_HZ)] = np.inf
    activity = speech_probability(broken)
    assert np.isfinite(activity.probability).all()
    heard = speaking(activity.probability)
    assert not heard[3060:3300].any()
    truth = told(spoken, len(heard))
    elsewhere = np.r_[0:2990, 3320:6000]
    assert np.mean(heard[elsewhere] == truth[elsewhere]) > 0.9


T = np.arange(20 * RATE_HZ) / RATE_HZ
NO_SPEECH = {
    "silence": 0 * T,
    "constant": 0 * T + 0.5,
    "step": (T > 9) * 0.7,
    "note": 0.3 * np.sin(2 * np.pi * 440 * T),
    "deep sawtooth": 0.6 * ((110 * T) % 1 - 0.5),
    "clipped tone": np.clip(9 * np.sin(2 * np.pi * 200 * T), -1, 1),
    "hum": 0.1 * np.sin(2 * np.pi * 50 * T),
    "white noise": np.random.default_rng(0).normal(0, 0.1, len(T)),
    "clicks": (np.arange(len(T)) % 8000 == 0) * 0.9,
    "not a number": np.full(len(T), np.nan),
}


@pytest.mark.parametrize("kind", NO_SPEECH)
def test_what_is_no_speech_is_none(kind: str) -> None:
    activity = speech_probability(NO_SPEECH[kind].astype(np.float32))
    assert len(activity.probability) == 2000
    assert not speaking(activity.probability).any()


@pytest.mark.slow
def test_half_an_hour_of_one_note_is_no_speech() -> None:
    t = np.arange(1800 * RATE_HZ, dtype=np.float32)
    note = 0.3 * np.sin(t * np.float32(2 * np.pi * 250 / RATE_HZ) % np.float32(2 * np.pi))
    assert not speaking(speech_probability(note.astype(np.float32)).probability).any()


@pytest.mark.parametrize(("samples", "steps"), [(0, 0), (1, 1), (160, 1), (161, 2), (511, 4), (16_000, 100)])
def test_every_sample_belongs_to_a_step(samples: int, steps: int) -> None:
    activity = speech_probability(np.zeros(samples, np.float32))
    assert activity.step_s == 0.01
    assert activity.probability.shape == (steps,)
    assert activity.probability.dtype == np.float32


def test_whole_sequences_equal_running_it_step_by_step() -> None:
    """The model, one frame after the other with its state carried by hand, as a live detector would."""
    from vsa.voice import activity

    samples = np.concatenate([WOMAN.speak(20.0, seed=3), room_noise(20.0, -50)])
    net = onnxruntime().InferenceSession(str(assets.find(MODEL)), providers=["CPUExecutionProvider"])
    h = c = np.zeros((1, 1, 128), np.float32)
    late = np.zeros(64, np.float32)
    steps = []
    for start in range(0, len(samples), 512):
        frame = samples[start : start + 512] - np.float32(samples.mean(dtype=np.float64))
        frame = np.concatenate([late, frame, np.zeros(512 - len(frame), np.float32)])
        late = frame[-64:]
        probability, h, c = net.run(None, {"input": frame[None], "h": h, "c": c})
        steps.append(probability[0])
    whole = activity._silero(samples, 1.0)  # two calls of 1024 frames and what is left
    np.testing.assert_allclose(whole, steps, atol=1e-5)


def test_hysteresis_begins_at_enter_and_lasts_until_leave() -> None:
    p = np.array([0.4, 0.49, 0.5, 0.4, 0.36, 0.34, 0.4, np.nan, 0.9, 0.9, np.nan, 0.4], np.float32)
    inside = speaking(p, shortest_s=0.0)
    assert inside.tolist() == [False, False, True, True, True, False, False, False, True, True, False, False]
    assert not speaking(p, shortest_s=0.04).any()
    assert speaking(np.ones(8, np.float32)).all()
    assert not speaking(np.ones(7, np.float32)).any()
    assert speaking(np.zeros(0, np.float32)).shape == (0,)


def human_labels(name: str, recording: str) -> list[tuple[float, float]]:
    lines = [line.split() for line in clip_path(name).read_text().splitlines()]
    return [(float(w[3]), float(w[3]) + float(w[4])) for w in lines if w[1] == recording]


@pytest.mark.parametrize(
    ("clip", "labels", "recording", "missed_at_most"),
    [
        ("two_speakers_30s.wav", "two_speakers_30s.rttm", "sample", 0.03),
        # these labels bridge pauses of a second and more, in which nothing is heard
        ("meeting_dev00.wav", "meeting_dev.rttm", "dev00", 0.40),
        ("meeting_dev01.wav", "meeting_dev.rttm", "dev01", 0.20),
    ],
)
def test_real_conversations_agree_with_human_labels(
    clip: str, labels: str, recording: str, missed_at_most: float
) -> None:
    spoken = human_labels(labels, recording)
    (stream,) = read_sound(clip_path(clip))
    heard = speaking(speech_probability(stream.channels[0].samples).probability)[:3000]
    truth = told(spoken, len(heard))
    t = (np.arange(len(heard)) + 0.5) * STEP_S
    clear = np.all([np.abs(t - edge) > 0.25 for edge in (stretches(truth) * STEP_S).ravel()], axis=0)
    assert np.mean(heard[clear & ~truth]) < 0.02
    assert np.mean(~heard[clear & truth]) < missed_at_most
    assert np.sum(heard & ~truth) / truth.sum() < 0.02  # also at the edges


def test_the_woman_in_the_call_is_heard_and_in_both_clips_at_the_same_times() -> None:
    heard = []
    for name in ("talking_woman_512.mp4", "call_two_tiles.mp4"):
        (stream,) = read_sound(clip_path(name))
        mixed = stream.mixed()
        assert mixed is not None
        heard.append(speaking(speech_probability(mixed.samples).probability)[:799])
    assert 0.7 < heard[0].mean() < 0.9
    assert np.mean(heard[0] == heard[1]) > 0.98


def test_without_the_model_it_says_which_command_gets_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from vsa.voice import activity

    monkeypatch.setenv("VSA_MODELS", str(tmp_path))
    monkeypatch.setenv("VSA_CACHE", str(tmp_path))
    activity._session.cache_clear()
    with pytest.raises(ModelMissingError, match="vsa models pull"):
        speech_probability(np.zeros(16_000, np.float32))
