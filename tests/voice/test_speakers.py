"""Who speaks on mixed sound, held against real talkers: lips that vsa extracted, and the sound that is theirs.

Longer calls are composed of what was extracted from real clips, so that who speaks is certain: a talker's lips and
voice come from the same moment of the clip, a listener's lips from somewhere else.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from extraction import extracted
from mixed_sound import SECOND, STEP, Mixed, matched, samples, take_turns, talkers, two
from people import clip_path

from vsa.voice.activity import RATE_HZ
from vsa.voice.hmm import posterior, transition_matrix
from vsa.voice.lips import lip_movement, speech_envelope
from vsa.voice.speakers import NOBODY, UNKNOWN, Speakers, who_speaks


@pytest.fixture(scope="module")
def call() -> Mixed:
    return talkers().call


@pytest.fixture(scope="module")
def faces() -> dict[str, pd.DataFrame]:
    return talkers().faces


@pytest.fixture(scope="module")
def lips() -> dict[str, np.ndarray]:
    return talkers().lips


@pytest.fixture(scope="module")
def resting() -> np.ndarray:
    return talkers().resting


def share(found: Speakers, column: int, when: slice | np.ndarray = slice(None)) -> float:
    """Share of the speech time that a column gets."""
    chosen = found.chosen[when]
    return float((chosen[chosen != NOBODY] == column).mean())


OFF_CAMERA = 2  # the last of three columns


class TestTheCall:
    """One talks, one listens."""

    def test_speech_goes_to_the_one_who_talks(self, call, lips):
        found = who_speaks(two(lips["woman"], lips["still man"]), call.speech, call.envelope)
        assert share(found, 0) >= 0.95
        assert found.confidence > 0.9
        assert found.method.startswith("lips")
        # the pause at 6.5 to 7.1 s is nobody's
        assert (found.chosen[660:700] == NOBODY).all()
        assert found.speaking("p1").mean() > 0.75
        assert not found.speaking("p2").any()

    @pytest.mark.slow
    def test_mirrored_it_goes_to_the_other_side(self, call, faces, tmp_path):
        mirrored = mirror(clip_path("call_two_tiles.mp4"), tmp_path / "mirrored.mp4")
        got = extracted(mirrored, tmp_path / "out")
        assert got.ids == ["p1", "p2"]
        both = {p: lip_movement(got.of(p).t, got.of(p), start_s=0.0, steps=len(call)) for p in got.ids}
        found = who_speaks(both, call.speech, call.envelope)
        assert share(found, 1) >= 0.95
        assert abs(found.offset_s) <= 0.04

    @pytest.mark.parametrize("delay_s", [-0.2, -0.08, 0.0, 0.08, 0.2])
    def test_sound_that_is_early_or_late_is_found_and_corrected(self, call, lips, delay_s):
        moved = call.later(delay_s)
        found = who_speaks(two(lips["woman"], lips["still man"]), moved.speech, moved.envelope)
        assert found.offset_s == pytest.approx(delay_s, abs=0.04)
        assert share(found, 0) >= 0.95

    def test_start_of_the_sound_is_taken_into_account(self, call, faces):
        cut = Mixed.of(call.samples[SECOND * STEP :])
        from_there = {
            p: lip_movement(faces[p].t, faces[p], start_s=1.0, steps=len(cut)) for p in ("woman", "still man")
        }
        found = who_speaks(from_there, cut.speech, cut.envelope)
        assert abs(found.offset_s) <= 0.04
        assert share(found, 0) >= 0.95

    @pytest.mark.parametrize("from_step", range(0, 701, 100))
    def test_wide_open_mouth_without_sound_takes_no_speech(self, call, lips, from_step):
        listener = lips["man"][from_step : from_step + len(call)]
        found = who_speaks(two(listener, lips["woman"]), call.speech, call.envelope)
        assert share(found, 1) >= 0.95

    def test_small_movements_of_a_mumbler_are_enough(self, call, lips):
        found = who_speaks(two(0.3 * lips["woman"], lips["still man"]), call.speech, call.envelope)
        assert share(found, 0) >= 0.95


class TestOffCamera:
    """Nobody on screen speaks."""

    def test_voice_over_resting_mouths(self, call, lips, resting):
        """The off-camera voice is mixed in where the woman rests; afterwards she talks again."""
        other = samples("two_speakers_30s.wav")[8 * RATE_HZ : 14 * RATE_HZ]
        n = 6 * SECOND
        sound = Mixed.of(np.concatenate([call.samples, matched(other, call.samples), call.samples]))
        woman = np.concatenate([lips["woman"], resting[:n], lips["woman"]])
        man = np.resize(lips["still man"], woman.shape)
        found = who_speaks(two(woman, man), sound.speech, sound.envelope)
        # half a second at each change is left out
        before, there, after = (slice(a, b) for a, b in ((0, 750), (850, 1350), (1450, 2200)))
        assert share(found, 0, before) >= 0.95
        assert share(found, OFF_CAMERA, there) >= 0.95
        assert share(found, 0, after) >= 0.95

    def test_voice_over_lips_that_say_something_else(self, call, lips):
        """Muted talk: only agreement can tell, which takes seconds; most of the time over many voices."""
        off, kept = [], []
        for other in strangers(4 * SECOND, least_speech=0.6, step=SECOND):
            sound = Mixed.of(np.concatenate([call.samples[: 400 * STEP], matched(other, call.samples)]))
            found = who_speaks(two(lips["woman"], lips["still man"]), sound.speech, sound.envelope)
            kept.append(share(found, 0, slice(0, 400)))
            off.append(share(found, OFF_CAMERA, slice(400, 800)))
        print(f"4 s of another's voice over moving lips: {np.mean(off):.0%} off camera, {len(off)} voices")
        assert len(off) >= 20
        assert np.mean(off) > 0.65
        assert np.mean(kept) > 0.9

    @pytest.mark.parametrize("listener", ["still man", "man"])
    def test_sound_of_another_talk(self, lips, listener):
        """8 s of another talk over her lips, on many voices; and no offset is found in it."""
        off, offsets = [], []
        for other in strangers(8 * SECOND, least_speech=0.5, step=2 * SECOND):
            sound = Mixed.of(other)
            n = len(sound)
            found = who_speaks(two(lips["woman"][:n], lips[listener][:n]), sound.speech, sound.envelope)
            off.append(share(found, OFF_CAMERA))
            offsets.append(found.offset_s)
        print(f"8 s of another talk ({listener} beside): {np.mean(off):.0%} off camera, {len(off)} voices")
        assert len(off) >= 20
        assert np.mean(off) > 0.7
        assert np.isnan(offsets).mean() > 0.9

    def test_nobody_but_a_still_man(self, call, lips):
        found = who_speaks({"p1": lips["still man"]}, call.speech, call.envelope)
        assert share(found, 1) >= 0.95
        assert np.isnan(found.offset_s)


class TestLongerCalls:
    """A minute in which two people take turns, each with the lips that made the sound."""

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("listener", "turn_s", "least"),
        [
            ("resting", 4.0, 0.92),
            ("wide open", 4.0, 0.92),
            ("muted talk", 4.0, 0.92),
            ("resting", 2.5, 0.88),
            ("muted talk", 2.5, 0.88),
        ],
    )
    def test_turns_of_two_talkers(self, call, lips, resting, listener, turn_s, least):
        right, off = [], []
        for seed in range(3):
            talk = take_turns(call, lips, resting, listener=listener, turn_s=turn_s, seed=seed)
            sound = Mixed.of(talk.sound)
            found = who_speaks(two(*talk.lips), sound.speech, sound.envelope)
            spoken = (talk.truth != NOBODY) & (sound.speech > 0.5)
            right.append(float((found.chosen == talk.truth)[spoken].mean()))
            off.append(float((found.chosen == OFF_CAMERA)[spoken].mean()))
            assert abs(found.offset_s) <= 0.02
            assert abs(found.confidence - right[-1]) < 0.15
        print(f"turns of {turn_s} s, {listener}: {np.mean(right):.1%} right, {np.mean(off):.1%} off camera")
        assert np.mean(right) >= least

    @pytest.mark.parametrize("delay_s", [0.0, 0.2])
    def test_shift_of_the_sound_is_found_though_turns_are_short(self, call, lips, resting, delay_s):
        """Turns of 1.5 s, and a mouth that does not speak rests. With the lips of another call nothing is found."""
        talks = [
            take_turns(call, lips, resting, listener="resting", turn_s=1.5, seed=seed) for seed in range(8)
        ]
        found, unrelated = [], []
        for talk, other in zip(talks, [*talks[1:], talks[0]], strict=True):
            sound = Mixed.of(talk.sound).later(delay_s)
            found.append(who_speaks(two(*talk.lips), sound.speech, sound.envelope).offset_s)
            unrelated.append(who_speaks(two(*other.lips), sound.speech, sound.envelope).offset_s)
        found = np.array(found)
        known = np.isfinite(found)
        print(f"turns of 1.5 s, sound {delay_s} s late: {known.sum()} of {len(found)} shifts found")
        assert known.mean() > 0.9
        assert np.abs(found[known] - delay_s).max() <= 0.02
        assert np.isnan(unrelated).all()


class TestTwoAtOnce:
    """Her lips at two moments of the clip, on both sides."""

    DELAYS = range(150, 651, 100)

    def test_both_speak_at_once(self, call, lips):
        both = []
        for delay in self.DELAYS:
            sound = Mixed.of(call.samples + np.roll(call.samples, delay * STEP))
            found = who_speaks(
                two(lips["woman"], np.roll(lips["woman"], delay, axis=0)), sound.speech, sound.envelope
            )
            both.append(np.mean(found.speaking("p1") & found.speaking("p2")))
        print(f"8 s of two at once: seen {np.mean(both):.0%} of the time")
        assert np.mean(both) > 0.35

    def test_muted_talker_beside_is_not_taken_for_a_second_voice(self, call, lips):
        for delay in self.DELAYS:
            found = who_speaks(
                two(lips["woman"], np.roll(lips["woman"], delay, axis=0)), call.speech, call.envelope
            )
            assert np.mean(found.speaking("p2")) < 0.02
            assert share(found, 0) >= 0.95


class TestWhatCannotBeTold:
    def test_without_faces_nobody_is_guessed(self, call):
        for nobody in ({}, {"p1": np.full((len(call), 2), np.nan, np.float32)}):
            found = who_speaks(nobody, call.speech, call.envelope)
            assert "can't be told apart" in found.method
            assert found.probability.shape == (len(call), len(nobody) + 1)
            assert np.isnan(found.probability).all()
            assert np.isnan(found.confidence)
            assert np.isnan(found.offset_s)
            assert set(np.unique(found.chosen)) == {UNKNOWN, NOBODY}

    def test_silence_is_nobodys(self, lips):
        quiet = np.zeros(8 * SECOND, np.float32)
        found = who_speaks(two(lips["woman"], lips["still man"]), quiet, quiet)
        assert (found.chosen == NOBODY).all()
        assert np.isnan(found.confidence)

    def test_no_sound_is_missing_not_silent(self, call, lips):
        speech = call.speech.copy()
        speech[300:400] = np.nan
        found = who_speaks(two(lips["woman"], lips["still man"]), speech, call.envelope)
        assert np.isnan(found.probability[300:400]).all()
        assert (found.chosen[300:400] == UNKNOWN).all()
        assert share(found, 0, np.r_[0:300, 400:800]) >= 0.95

    def test_lost_for_a_moment_stays_hers_for_long_is_missing(self, call, lips):
        woman = lips["woman"].copy()
        woman[200:230] = np.nan
        woman[480:640] = np.nan
        found = who_speaks(two(woman, lips["still man"]), call.speech, call.envelope)
        assert share(found, 0, slice(0, 450)) >= 0.95
        assert np.isfinite(found.probability[:450]).all()
        assert np.isnan(found.probability[500:630, 0]).all()
        assert not np.isnan(found.probability[:, 1:]).any()

    def test_camera_that_is_off_throughout_has_no_probability(self, call, lips):
        found = who_speaks(
            two(lips["woman"], np.full_like(lips["woman"], np.nan)), call.speech, call.envelope
        )
        assert share(found, 0) >= 0.95
        assert np.isnan(found.probability[:, 1]).all()

    @pytest.mark.parametrize("steps", [0, 1, 7, 60])
    def test_very_short_sound(self, lips, steps):
        found = who_speaks(
            two(lips["woman"][:steps], lips["still man"][:steps]),
            np.ones(steps, np.float32),
            np.ones(steps, np.float32),
        )
        assert found.probability.shape == (steps, 3)
        assert found.chosen.shape == (steps,)

    def test_nine_faces_in_a_gallery(self, call, lips):
        gallery = {f"p{k}": lips["still man"] for k in range(1, 9)}
        found = who_speaks({**gallery, "p9": lips["woman"]}, call.speech, call.envelope)
        assert share(found, 8) >= 0.95


class TestLips:
    def test_holes_between_pictures_stay_missing(self):
        t = np.r_[0:1:0.04, 2:3:0.04]
        face = dict.fromkeys(
            ("jawOpen", "mouthFunnel", "mouthPressLeft", "mouthPressRight"), np.full(len(t), 0.25)
        )
        face["jawOpen"] = np.where(np.arange(len(t)) == 5, np.nan, 0.25)
        got = lip_movement(t, face, start_s=-0.5, steps=400)
        seen = np.isfinite(got[:, 0])
        assert not seen[:50].any()
        assert seen[51:145].all()  # one lost picture is bridged
        assert not seen[150:249].any()
        assert got[seen, 0] == pytest.approx(0.5 + 0.5 - 0.25, abs=1e-6)
        assert got[seen, 1] == pytest.approx(0, abs=1e-4)

    @pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 48000])
    def test_envelope_keeps_time_at_any_rate(self, rate_hz):
        t = np.arange(3 * rate_hz) / rate_hz
        burst = np.where((t > 1) & (t < 2), np.sin(2 * np.pi * 1500 * t), 0).astype(np.float32)
        got = speech_envelope(burst, rate_hz)
        assert len(got) == 300
        assert got[:90].max() < 0.05 * got.max()
        loud = np.flatnonzero(got > 0.5 * got.max())
        assert loud[0] == pytest.approx(100, abs=3)
        assert loud[-1] == pytest.approx(199, abs=3)

    def test_envelope_of_an_hour_is_that_of_its_parts(self, call):
        """Blocks leave no seam: a minute and a half in one go, and its middle alone."""
        sound = np.resize(call.samples, 90 * RATE_HZ)
        whole, middle = speech_envelope(sound, RATE_HZ), speech_envelope(sound[50 * RATE_HZ :], RATE_HZ)
        assert whole[5900:6100] == pytest.approx(middle[900:1100], rel=1e-4)

    @pytest.mark.parametrize("n", [0, 1, 159, 160, 161, 139_360, 44_100 * 3])
    @pytest.mark.parametrize("rate_hz", [16_000, 44_100])
    def test_envelope_has_the_steps_of_the_grid(self, n, rate_hz):
        assert len(speech_envelope(np.zeros(n, np.float32), rate_hz)) == -(-n * 100 // rate_hz)

    def test_numbers_that_are_none_count_as_silence(self):
        sound = np.full(RATE_HZ, np.nan, np.float32)
        sound[::7] = np.inf
        assert (speech_envelope(sound, RATE_HZ) == 0).all()
        assert len(speech_envelope(sound[:0], RATE_HZ)) == 0


class TestHiddenMarkovModel:
    def test_posterior_is_what_enumeration_gives(self):
        rng = np.random.default_rng(5)
        transition = transition_matrix(rng.uniform(1, 20, (3, 3)), 0.05)
        assert transition.sum(1) == pytest.approx(1)
        initial = np.array([0.5, 0.3, 0.2])
        seen = rng.normal(0, 1.5, (5, 3)).astype(np.float32)
        paths = np.array(np.meshgrid(*[range(3)] * 5, indexing="ij")).reshape(5, -1).T
        weight = np.array(
            [
                (initial @ transition)[path[0]]
                * np.prod([transition[a, b] for a, b in pairwise(path)])
                * np.exp(seen[range(5), path].sum(dtype=float))
                for path in paths
            ]
        )
        expected = np.array([[weight[paths[:, k] == s].sum() for s in range(3)] for k in range(5)])
        got = posterior(seen, transition, initial)
        assert got == pytest.approx(expected / weight.sum(), abs=1e-5)

    def test_long_and_extreme_evidence_stays_finite(self):
        seen = np.where(np.arange(20_000)[:, None] % 2, [[-900.0, 0.0]], [[0.0, -900.0]]).astype(np.float32)
        got = posterior(seen, transition_matrix(np.ones((2, 2)), 0.01), np.array([0.5, 0.5]))
        assert np.isfinite(got).all()
        assert got.sum(1) == pytest.approx(1, abs=1e-5)


@cache
def strangers(steps: int, *, least_speech: float, step: int) -> list[np.ndarray]:
    """Stretches of conversations between others, with enough speech in them."""
    out = []
    for name in ("two_speakers_30s.wav", "meeting_dev00.wav", "meeting_dev01.wav"):
        whole = Mixed.of(samples(name))
        for k in range(0, len(whole) - steps, step):
            if (whole.speech[k : k + steps] > 0.5).mean() >= least_speech:
                out.append(whole.samples[k * STEP : (k + steps) * STEP])
    return out


def mirror(source: Path, target: Path) -> Path:
    """Flip the picture left and right; the sound stays away."""
    import av

    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        pictures = old.streams.video[0]
        stream = new.add_stream(
            "libx264", rate=pictures.average_rate, options={"crf": "14", "preset": "superfast"}
        )
        stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, "yuv420p"
        for frame in old.decode(pictures):
            rgb = np.ascontiguousarray(frame.to_ndarray(format="rgb24")[:, ::-1])
            flipped = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            flipped.pts, flipped.time_base = frame.pts, frame.time_base
            new.mux(stream.encode(flipped))
        new.mux(stream.encode())
    return target
