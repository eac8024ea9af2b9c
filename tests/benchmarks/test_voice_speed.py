"""Speed of the voice room beside pYIN and beside Silero run step by step; accuracy of pitch and syllables."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from voices import CHILD, MAN, WOMAN, Samples, Speech, glide, noisy, on_grid, spoken, sung

from vsa.simulate.sound import write_sound
from vsa.voice.activity import MODEL, speech_probability
from vsa.voice.prosody import f0_hz, intensity_db, prosody, spectral_tilt_db, syllable_nuclei
from vsa.voice.quality import sound_quality

pytestmark = pytest.mark.benchmark

RATE_HZ = 16_000
Figures = Callable[[str, str], Callable[[str], None]]


def dialogue(minutes: int) -> tuple[Speech, Speech]:
    """Two tracks that speak half of the time each, in turn; one minute over and over, with noise at 30 dB."""
    sides = []
    for k, voice in enumerate((MAN, WOMAN)):
        s = spoken(60, RATE_HZ, voice=voice, phrase_s=2.9, pause_s=3.1, seed=k)
        shift = k * 300
        y = np.roll(noisy(s.samples, 30, seed=k), shift * 160)
        sides.append(Speech(np.tile(y, minutes), np.tile(np.roll(s.speaking, shift), minutes), s.nuclei_s))
    return sides[0], sides[1]


def cpu_seconds(run: Callable[[], object]) -> float:
    """Processor time of the faster of two runs: unlike the clock, what else the machine does hardly counts."""
    took = []
    for _ in range(2):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    return min(took)


def test_each_measure_as_a_multiple_of_real_time(figures: Figures) -> None:
    librosa = pytest.importorskip("librosa")
    say = figures("performance", "Voice: each measure on one core")
    say(
        "One track, 10 minutes, speech half of the time, 16 kHz. Others get its first minute. CPU time, best of 2.\n"
    )
    say("| measure | times real time |")
    say("|---|---|")
    side, _ = dialogue(10)
    y, speaking = side.samples, side.speaking
    f0, level = f0_hz(y, RATE_HZ, speaking), intensity_db(y, RATE_HZ, speaking)
    rates = {}
    for name, run in {
        "pitch": lambda: f0_hz(y, RATE_HZ, speaking),
        "pitch, were all of it speech": lambda: f0_hz(y, RATE_HZ, np.ones_like(speaking)),
        "intensity": lambda: intensity_db(y, RATE_HZ, speaking),
        "spectral tilt": lambda: spectral_tilt_db(y, RATE_HZ, np.isfinite(f0)),
        "syllable nuclei": lambda: syllable_nuclei(level, f0, speaking),
        "quality": lambda: sound_quality(y, RATE_HZ, speaking),
        "speech activity (Silero, whole sequences)": lambda: speech_probability(y),
    }.items():
        rates[name] = 600 / cpu_seconds(run)
        say(f"| {name} | {rates[name]:.0f} |")
    minute = y[: 60 * RATE_HZ]
    settings = {"sr": RATE_HZ, "fmin": 60, "fmax": 600, "frame_length": 1024, "hop_length": 160}
    librosa.pyin(minute[:RATE_HZ], **settings)
    librosa.yin(minute[:RATE_HZ], **settings)
    for name, run in {
        "librosa.pyin": lambda: librosa.pyin(minute, **settings),
        "librosa.yin (no voicing, no repair)": lambda: librosa.yin(minute, **settings),
        "Silero step by step": lambda: silero_stepwise(minute),
    }.items():
        rates[name] = 60 / cpu_seconds(run)
        say(f"| {name} | {rates[name]:.0f} |")
    assert rates["pitch"] > 10 * rates["librosa.pyin"]
    assert rates["speech activity (Silero, whole sequences)"] > rates["Silero step by step"]


def silero_stepwise(samples: Samples) -> None:
    """The same net, called once for every 32 ms."""
    from vsa import assets
    from vsa.voice.onnx import onnxruntime

    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    net = runtime.InferenceSession(str(assets.find(MODEL)), options, providers=["CPUExecutionProvider"])
    h = c = np.zeros((1, 1, 128), np.float32)
    for start in range(0, len(samples) - 576, 512):
        _, h, c = net.run(None, {"input": samples[None, start : start + 576], "h": h, "c": c})


@pytest.mark.parametrize("minutes", [50, 180])
def test_two_tracks_from_file_to_turns(minutes: int, figures: Figures, tmp_path: Path) -> None:
    """What `vsa extract` does with the sound of a recording, in a process of its own."""
    say = figures("performance", "Voice: a recording with a voice in each channel, from file to turns")
    if minutes == 50:
        say(
            "Stereo AAC in MP4, synthesized speech, each half of the time. Wall clock, and the most memory.\n"
        )
        say("| minutes | s | times real time | MB |")
        say("|---|---|---|---|")
    sides = dialogue(minutes)
    (path,) = write_sound(tmp_path / "call.mp4", {"a": sides[0].samples, "b": sides[1].samples})
    del sides
    done = subprocess.run(
        [sys.executable, "-c", FROM_FILE_TO_TURNS, str(path)], capture_output=True, text=True, check=True
    )
    took, peak_mb, kind, turns = done.stdout.split()
    say(f"| {minutes} | {float(took):.1f} | {60 * minutes / float(took):.0f} | {float(peak_mb):.0f} |")
    assert kind == "channels"
    assert int(turns) > 10 * minutes
    assert float(took) < 60 * minutes / 50
    assert float(peak_mb) < 1200


FROM_FILE_TO_TURNS = """
import sys, time
from pathlib import Path
start = time.perf_counter()
from vsa.media.sound import RATE_HZ, read_sound
from vsa.voice.ipu import speech_stretches
from vsa.voice.separate import described, own_voices
from vsa.voice.tracks import on_common_time, tracks_of
from vsa.voice.turns import find_turns
found = tracks_of(read_sound(Path(sys.argv[1])))
common = on_common_time(found.sounds)
own = own_voices(common, RATE_HZ)
heard = described(common, own, ["p1", "p2"], RATE_HZ)
turns = find_turns(speech_stretches({v.participant: v.speaking for v, _ in heard}, start_s=common.start_s))
status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent's memory too
peak = int(status.split("VmHWM:")[1].split()[0]) / 1000
print(time.perf_counter() - start, peak, found.kind, len(turns.turns))
"""


def test_accuracy_of_pitch_and_syllables(figures: Figures) -> None:
    say = figures("accuracy", "Pitch and syllables of synthesized voices")
    say(
        "Gliding vowels a, i, u; white noise; pYIN on the same sound. Errors over the steps that each calls voiced.\n"
    )
    say(
        "| Hz | noise | median error, semitones | octave errors | voiced | pYIN: median | octave errors | voiced |"
    )
    say("|---|---|---|---|---|---|---|---|")
    librosa = pytest.importorskip("librosa")
    for voice, low, high in ((MAN, 75, 220), (WOMAN, 150, 400), (CHILD, 220, 560)):
        contour = np.concatenate([glide(low, high, 3.6, RATE_HZ)] * 3)
        truth = on_grid(contour, RATE_HZ)
        third = len(contour) // 3
        vowels = [sung(contour[:third], RATE_HZ, voice=voice, vowel=v) for v in "aiu"]
        for snr_db in (30, 10, 0):
            y = np.concatenate([noisy(x, snr_db) for x in vowels])
            ours = f0_hz(y, RATE_HZ, np.ones(len(truth), bool))
            theirs, _, _ = librosa.pyin(y, sr=RATE_HZ, fmin=60, fmax=600, frame_length=1024, hop_length=80)
            cells = [deviation(f0, truth) for f0 in (ours, theirs[1::2][: len(truth)])]
            say(
                f"| {low}-{high} | {snr_db} dB | "
                + " | ".join(
                    f"{median:.3f} | {octave:.2%} | {voiced:.0%}" for median, octave, voiced in cells
                )
                + " |"
            )
            assert cells[0][0] < 0.3
            assert cells[0][1] < 0.01
    say("\n| syllables per second | counted of known, man | woman | child |")
    say("|---|---|---|---|")
    for rate in (3.0, 5.0, 7.0):
        shares = []
        for voice in (MAN, WOMAN, CHILD):
            s = spoken(60, RATE_HZ, voice=voice, syllables_per_s=rate)
            found = prosody(noisy(s.samples, 20), RATE_HZ, s.speaking).nuclei_s
            shares.append(len(found) / len(s.nuclei_s))
        say(f"| {rate:.0f} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
        assert all(abs(share - 1) < 0.1 for share in shares)


def deviation(f0: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """Median error in semitones, share of errors of half an octave or more, share of voiced steps."""
    voiced = np.isfinite(f0)
    apart = np.abs(12 * np.log2(f0[voiced] / truth[voiced]))
    return float(np.median(apart)), float(np.mean(apart > 6)), float(voiced.mean())
