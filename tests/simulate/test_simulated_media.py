"""Simulated studies: what is written down as true is what the recordings show and sound like."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import av
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from extraction import extracted
from portrait_faces import engine, mesh, portrait

import vsa
from vsa.cli import vsa as command_line
from vsa.errors import InputError, ModelMissingError
from vsa.media.picture import mean_difference
from vsa.media.recording import Recording
from vsa.media.sound import read_sound
from vsa.run.simulation import Simulated, sessions_of, write_study
from vsa.simulate.acting import act
from vsa.simulate.call import TALKERS, film_call
from vsa.simulate.conversation import melodies, plan_conversation, render
from vsa.simulate.filming import picture_times
from vsa.simulate.portraits import NAMES
from vsa.simulate.scenario import SCENARIOS, Camera, Light, Scenario, Shot, Slow, scenario
from vsa.simulate.speech import RATE_HZ
from vsa.simulate.truth import truth_of
from vsa.study.manifest import read_manifest
from vsa.voice.activity import STEP_S, speech_probability
from vsa.voice.pitch import f0_hz

pytestmark = pytest.mark.slow

SECONDS, FPS, SIZE = 8.0, 15.0, (640, 360)
OFF, FROZEN, STUTTER, SPARSE, CHANGE_S = (3.0, 4.6), Slow(1.0, 1.8, 0), Slow(1.8, 2.8, 5), (4.8, 5.8), 6.0
EVENTFUL = Scenario(
    "eventful",
    "A bit of everything.",
    SECONDS,
    FPS,
    SIZE,
    shots=(Shot(0.0), Shot(CHANGE_S, "speaker", "client")),
    cameras={"client": Camera(off=(OFF,)), "therapist": Camera(held=(FROZEN, STUTTER))},
    sparse=(Slow(*SPARSE, 5.0),),
    sound="channels",
)
TINY = Scenario("tiny", "", 1.0, 5.0, (320, 180))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    engine()
    out = tmp_path_factory.mktemp("simulated") / "study"
    calls = write_study(out, [Simulated("s1", EVENTFUL, 4)], mesh)
    return out, calls[0]


@pytest.fixture(scope="module")
def truth(study):
    return vsa.open_results(study[0] / "truth")["s1"]


@pytest.fixture(scope="module")
def measured(study, tmp_path_factory):
    """What extraction finds in the call."""
    plan = read_manifest(study[0] / "manifest.csv").plans[0]
    return extracted(plan, tmp_path_factory.mktemp("measured"))


def rows_of(truth, who):
    return truth.face[truth.face.participant == who].reset_index(drop=True)


def both(truth, measured, who):
    """Rows of one participant in which the face was followed: known, seen."""
    known, seen = rows_of(truth, who), measured.of(who)
    np.testing.assert_allclose(known.t, seen.t, atol=1e-3)
    tracked = (known.tracked & seen.tracked).to_numpy()
    return known[tracked], seen[tracked]


def test_truth_opens_as_results_and_says_that_it_is_simulated(study, truth):
    out, _ = study
    assert truth.record["simulated"] is True
    assert "SIMULATED" in truth.notes[0]
    assert list(truth.names.items()) == [("p1", "therapist"), ("p2", "client")]
    assert len(vsa.open_results(out / "truth").features) == 1
    known = truth.features.set_index(["scope", "feature"]).value
    assert np.isfinite(known["client", "quality.tracked_share"])
    assert "SIMULATED" in (out / "README.md").read_text()
    assert "Hopper" in (out / "README.md").read_text()
    with av.open(str(out / "media" / "s1.mp4")) as file:
        assert "SIMULATED" in file.metadata["title"]


def test_the_manifest_is_one_that_extraction_takes(study, measured):
    plan = read_manifest(study[0] / "manifest.csv").plans[0]
    assert plan.tiles == {"client": "right", "therapist": "left"}
    assert plan.facts["simulated"] == "true"
    assert [p["role"] for p in measured.record["participants"]] == ["therapist", "client"]


def test_pictures_have_the_times_of_the_truth(study, truth):
    with Recording(study[0] / "media" / "s1.mp4") as recording:
        times = np.array([picture.t for picture in recording.pictures()])
    np.testing.assert_allclose(times, rows_of(truth, "p1").t, atol=1e-3)
    gaps = np.diff(times)
    sparse = (times[1:] > SPARSE[0] + 0.21) & (times[1:] < SPARSE[1])
    np.testing.assert_allclose(gaps[sparse], 0.2, atol=0.01)
    np.testing.assert_allclose(gaps[times[1:] < SPARSE[0]], 1 / FPS, atol=0.001)


def test_a_camera_that_is_off_shows_nobody_and_the_voice_goes_on(truth, measured):
    known, seen = rows_of(truth, "p2"), measured.of("p2")
    off = known.t.between(OFF[0], OFF[1] - 1e-6).to_numpy()
    assert (known.tracked == ~off).all()
    assert known.loc[off, [*known.columns[4:]]].isna().all(axis=None)
    assert not seen.tracked[off].any()
    assert seen.tracked[~off].mean() > 0.9
    voice = truth.voice[(truth.voice.participant == "p2") & truth.voice.t.between(*OFF)]
    assert voice.speaking.notna().all()
    assert voice.speaking.any()


def test_faces_are_in_their_tiles_and_boxes_before_and_after_the_layout_changes(truth, measured):
    changes = truth.record["layout"][0]["changes"]
    assert [change["t"] for change in changes] == [0.0, CHANGE_S]
    for who in ("p1", "p2"):
        known, seen = both(truth, measured, who)
        for k, change in enumerate(changes):
            x, y, w, h = next(t["box"] for t in change["tiles"] if t["participant"] == who)
            now = (seen.t < CHANGE_S) if k == 0 else (seen.t > CHANGE_S + 0.3)
            for rows in (known[now.to_numpy()], seen[now.to_numpy()]):
                assert len(rows) > 10
                assert (rows.box_x > x - 5).all()
                assert (rows.box_x + rows.box_w < x + w + 5).all()
                assert (rows.box_y > y - 5).all()
                assert (rows.box_y + rows.box_h < y + h + 5).all()
        settled = (np.abs(seen.t - CHANGE_S) > 0.5).to_numpy()
        for name in ("box_x", "box_y", "box_w", "box_h"):
            error = np.abs(known[name] - seen[name])[settled] / known.box_h[settled]
            assert error.median() < 0.03, (who, name)


def test_heads_eyes_and_gaze_are_measured_as_the_truth_has_them(truth, measured):
    for who in ("p1", "p2"):
        known, seen = both(truth, measured, who)
        errors = {}
        for name in ("head_yaw", "head_pitch", "head_roll", "gaze_yaw"):
            difference = (seen[name] - known[name]).dropna()
            errors[name] = float(np.abs(difference - difference.median()).median())
            errors[f"{name} off by"] = float(difference.median())
        errors["eye_open"] = float(np.abs(seen.eye_open_left - known.eye_open_left).median())
        print(f"\n{who}: {errors}")
        assert errors["head_yaw"] < 2
        assert max(errors["head_pitch"], errors["head_roll"]) < 1.5
        assert max(abs(errors[f"head_{angle} off by"]) for angle in ("yaw", "pitch", "roll")) < 4
        assert errors["gaze_yaw"] < 5
        assert errors["eye_open"] < 0.12
        assert np.abs(seen.head_z / known.head_z - 1).median() < 0.03
        assert np.abs(seen.luma - known.luma).median() < 4


def test_repeated_pictures_are_repeated_and_say_what_was_filmed_before(study, truth):
    known = rows_of(truth, "p1")
    x, y, w, h = truth.record["participants"][0]["tile"]
    with Recording(study[0] / "media" / "s1.mp4") as recording:
        pictures = [picture for picture in recording.pictures() if picture.t < 2.9]
        seen = np.array([mean_difference(b, a, (x, y, w, h)) for a, b in pairwise(pictures)])
    still = (known.motion == 0).to_numpy()[1 : len(pictures)]
    n = np.round(known.t.to_numpy()[1 : len(pictures)] * FPS)  # no picture is left out before `SPARSE`
    frozen = (n >= FROZEN.start * FPS) & (n < FROZEN.end * FPS)
    expected = frozen | ((n > STUTTER.start * FPS) & (n < STUTTER.end * FPS) & (n % 3 != 0))
    assert (still == expected).all()
    assert still.sum() > 15
    print(f"\nrepeated: up to {seen[still].max():.3f}; others: from {seen[~still].min():.3f}")
    assert seen[still].max() < seen[~still].min()
    same = known[["head_yaw", "gaze_yaw", "eye_open_left", "mouthSmileLeft"]].diff().iloc[1 : len(pictures)]
    assert (same[still].fillna(0) == 0).all(axis=None)
    assert (known.head_yaw.diff().iloc[1 : len(pictures)][~still] != 0).all()


def test_voices_sound_where_the_plan_has_them(study, truth):
    (stream,) = read_sound(study[0] / "media" / "s1.mp4")
    for who, sound in zip(("p1", "p2"), stream.channels, strict=True):
        speaking = truth.voice[truth.voice.participant == who].speaking.to_numpy(bool)
        step = round(STEP_S * RATE_HZ)
        samples = sound.samples[:][: len(speaking) * step]
        level = np.sqrt(np.mean(samples[: len(samples) // step * step].reshape(-1, step) ** 2, axis=1))
        said = speaking[: len(level)]
        assert said.any()
        loud = level > 0.004
        print(f"\n{who}: loud in {loud[said].mean():.0%} of speech, in {loud[~said].mean():.1%} of the rest")
        assert loud[said].mean() > 0.85  # closures of consonants are silent
        assert loud[~said].mean() < 0.03


def test_silero_hears_the_speech(study, truth):
    (stream,) = read_sound(study[0] / "media" / "s1.mp4")
    for who, sound in zip(("p1", "p2"), stream.channels, strict=True):
        try:
            heard = speech_probability(sound.samples[:]).probability > 0.5
        except ModelMissingError as error:
            pytest.skip(str(error))
        speaking = truth.voice[truth.voice.participant == who].speaking.to_numpy(bool)[: len(heard)]
        heard = heard[: len(speaking)]
        print(f"\n{who}: {heard[speaking].mean():.0%} of speech, {heard[~speaking].mean():.1%} of the rest")
        assert heard[speaking].mean() > 0.85
        assert heard[~speaking].mean() < 0.2


def test_turns_are_those_of_the_plan_and_follow_from_the_voices(study, truth):
    planned = study[1].conversation.turns
    assert len(planned)
    names = {"p1": "therapist", "p2": "client"}
    assert [names[who] for who in truth.turns.participant] == list(planned.participant)
    np.testing.assert_allclose(truth.turns[["start", "end"]], planned[["start", "end"]])
    found = truth.conversation.table
    assert list(found.participant) == list(truth.turns.participant.astype(str))
    assert list(found.kind) == list(truth.turns.kind)
    np.testing.assert_allclose(found[["start", "end"]], planned[["start", "end"]], atol=0.011)
    lines = (study[0] / "truth" / "s1" / "turns.rttm").read_text().splitlines()
    assert len(lines) == len(planned)


def test_melodies_are_those_that_are_heard():
    talk = plan_conversation(16, 1, participants=tuple(TALKERS))
    voices = render(talk, voices=TALKERS)
    for role, melody in melodies(talk, TALKERS).items():
        voiced = np.isfinite(melody)
        seen = f0_hz(voices[role], RATE_HZ, voiced)
        both_known = voiced & np.isfinite(seen)
        error = np.abs(12 * np.log2(seen[both_known] / melody[both_known]))
        print(f"\n{role}: {both_known.sum()} steps, median {np.median(error):.2f} semitones")
        assert both_known.sum() > 0.7 * voiced.sum() > 70
        assert np.median(error) < 0.5


def test_events_are_in_the_rows(truth, study):
    events = pd.read_parquet(study[0] / "truth" / "s1" / "events.parquet")
    assert set(events.participant) == {"p1", "p2"}
    assert list(events[events.kind == "camera_off"][["participant", "start", "end"]].to_numpy()[0]) == [
        "p2",
        *OFF,
    ]
    assert events.start.is_monotonic_increasing
    seen = 0
    for event in events.itertuples():
        rows = rows_of(truth, event.participant)
        during = rows[rows.t.between(event.start, event.end)]
        if event.kind == "camera_off" or not during.tracked.all() or event.start < 3:
            continue
        seen += 1
        if event.kind == "blink":
            assert during.eyeBlinkLeft.max() > 0.5
        elif event.kind == "smile":
            assert during.mouthSmileRight.max() > 0.9
        elif event.kind == "look_away":
            assert during.gaze_yaw.abs().max() > 20
        elif event.kind == "head_turn":
            assert np.abs(during.head_yaw - rows.head_yaw.median()).max() > 6
    assert seen >= 3


def test_the_same_seed_gives_the_same_bytes_and_another_gives_another(tmp_path):
    def files(name, seed):
        out = tmp_path / name
        write_study(out, [Simulated("s", replace(TINY, seconds=4.0), seed)], mesh)
        return {
            str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
        }

    engine()
    one, same, other = files("one", 1), files("same", 1), files("other", 2)
    assert one == same
    for name in ("truth/s/face.parquet", "truth/s/voice.parquet", "truth/s/events.parquet", "media/s.mp4"):
        assert one[name] != other[name]


def test_what_cameras_do_changes_nothing_of_what_people_do(tmp_path):
    engine()
    dim = replace(TINY.with_cameras(light=Light(gain=0.4), noise_sd=6.0), crf=35, face_px=50.0)
    plain, dark = (film_call(tmp_path / f"{k}.mp4", mesh, one, 3) for k, one in enumerate((TINY, dim)))
    assert plain.events.equals(dark.events)
    assert plain.truth.equals(dark.truth)
    for role in plain.seen:
        assert dark.seen[role].luma.max() < 0.6 * plain.seen[role].luma.min()
        assert dark.seen[role].box[0, 3] < plain.seen[role].box[0, 3]
    assert dark.path.stat().st_size < plain.path.stat().st_size


@pytest.mark.parametrize("face_px", [80.0, 120.0])
def test_faces_are_as_large_as_asked_for(tmp_path, face_px):
    engine()
    call = film_call(tmp_path / "call.mp4", mesh, replace(TINY, size=(1280, 720), face_px=face_px), 0)
    heights = [
        person["face_height_px"] for person in truth_of(call, "s").record["quality"]["participants"].values()
    ]
    assert np.mean(heights) == pytest.approx(face_px, rel=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_every_turn_of_the_head_can_be_drawn(name):
    person = portrait(name)
    drawn = 0
    for seed in range(12):
        part = act(14.0, np.random.default_rng(seed), head_turns=True)
        (turn,) = (event for event in part.events if event.kind == "head_turn")
        for t in (turn.start + 0.5, turn.end - 0.5):
            state = part.state(t)
            person.render(state, (120, 96))
            assert abs(state.head_yaw_deg) > 6
            assert abs(state.gaze_yaw_deg) < 4
            drawn += 1
    assert drawn == 24


def test_without_head_turns_people_do_what_they_did():
    for seed in range(3):
        kinds = [event.kind for event in act(36, np.random.default_rng(seed)).events]
        turning = [event.kind for event in act(42, np.random.default_rng(seed), head_turns=True).events]
        assert sorted(kinds) == sorted(kind for kind in turning if kind != "head_turn")
        assert turning.count("head_turn") == 3


def test_every_named_scenario_fits_any_length():
    for name in SCENARIOS:
        for seconds in (4.0, 60.0):
            one = scenario(name, seconds).checked()
            times = picture_times(one)
            assert (one.name, one.seconds) == (name, seconds)
            assert times[0] == 0
            assert times[-1] < seconds
            assert all(0 <= shot.start < seconds for shot in one.shots)
            for camera in one.cameras.values():
                assert all(0 < start < end < seconds for start, end in camera.off)
    ids = [one.session_id for one in sessions_of([scenario("plain"), scenario("dim")], 3, 5)]
    assert ids == ["s01_plain", "s02_dim", "s03_plain"]


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"not empty: it holds notes\.txt"):
        write_study(tmp_path, [Simulated("s", TINY, 0)], mesh)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_call_that_cannot_be_is_refused_before_anything_is_written(tmp_path):
    out = tmp_path / "study"
    for wrong in (
        replace(TINY, seconds=0.0),
        replace(TINY, fps=0.0),
        replace(TINY, size=(10, 10)),
        replace(TINY, crf=99),
    ):
        with pytest.raises(InputError, match="can't be simulated"):
            write_study(out, [Simulated("s", wrong, 0)], mesh)
    assert not list(tmp_path.iterdir())


def test_the_command_makes_a_study(tmp_path):
    engine()
    out = tmp_path / "study"
    arguments = ["--seconds", "1", "--fps", "5", "--size", "320x180", "--crf", "30", "--seed", "3"]
    done = CliRunner().invoke(command_line, ["simulate", "media", str(out), *arguments, "--scenario", "dim"])
    assert done.exit_code == 0, done.output
    assert "SIMULATED" in done.output
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "answers.csv",
        "manifest.csv",
        "media",
        "truth",
    ]
    record = json.loads((out / "truth" / "s01_dim" / "session.json").read_text())
    assert record["simulation"]["seed"] == 3
    assert record["source"]["width"] == 320


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "sunny"], "no scenario 'sunny'"),
        (["--size", "wide"], "--size wide is no size"),
        (["--crf", "70"], "no CRF of 70"),
    ],
    ids=["scenario", "size", "crf"],
)
def test_what_the_command_cannot_do_it_says(tmp_path, arguments, said):
    done = CliRunner().invoke(command_line, ["simulate", "media", str(tmp_path / "x"), *arguments])
    assert isinstance(done.exception, InputError)
    assert said in done.exception.message
    assert not (tmp_path / "x").exists()
