"""A rendered call in which both speak: mouths that open with the voice, sound in the file, who speaks found in it."""

from itertools import pairwise

import av
import numpy as np
import pytest
from extraction import extracted
from portrait_faces import engine, mesh, picture_of, portrait, settled
from scipy import signal

from vsa.errors import InputError, ModelMissingError, SessionError
from vsa.media.encoder import Encoder
from vsa.media.recording import Recording
from vsa.media.sound import read_sound
from vsa.media.sound_encoder import SoundTrack
from vsa.simulate.acting import act, speak
from vsa.simulate.call import CAST, OFF_CAMERA, write_call
from vsa.simulate.mouth import WIDEST_MM
from vsa.simulate.portraits import NAMES, PortraitState
from vsa.simulate.speech import MAN, RATE_HZ, WOMAN, Talker
from vsa.study.plan import SessionPlan, Video
from vsa.voice.activity import speech_probability
from vsa.voice.lips import lip_movement, speech_envelope
from vsa.voice.speakers import who_speaks

pytestmark = pytest.mark.slow

SECONDS, FPS = 20.0, 15.0
OLD_WOMAN = Talker(f0_hz=165.0, tract=1.1, syllables_hz=4.2)
SPOKEN = {
    "therapist": [(0.6, 4.4), (9.2, 12.4)],
    "client": [(4.8, 8.8), (16.2, 19.4)],
    OFF_CAMERA: [(12.8, 15.8)],
}
TALKERS = {"therapist": OLD_WOMAN, "client": WOMAN, OFF_CAMERA: MAN}
SILENT_SHUT = 0.001


def spoken_by(name, t):
    return np.any([(t >= start) & (t < end) for start, end in SPOKEN[name]], axis=0)


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    engine()
    voices = {
        name: TALKERS[name].says(times, SECONDS, seed) for seed, (name, times) in enumerate(SPOKEN.items())
    }
    path = tmp_path_factory.mktemp("speaking") / "call.mp4"
    return write_call(path, mesh, seconds=SECONDS, fps=FPS, voices=voices, rate_hz=RATE_HZ)


@pytest.fixture(scope="module")
def rows(call, tmp_path_factory):
    """Participant -> rows of ``face.parquet`` beside the truth, by picture."""
    roles = dict(zip(CAST, ("left", "right"), strict=True))
    got = extracted(SessionPlan("call", (Video(call.path),), roles), tmp_path_factory.mktemp("out"))
    out = {}
    for name, seen in zip(CAST, got.ids, strict=True):
        truth = call.truth[call.truth.participant == name].reset_index(drop=True)
        out[name] = got.of(seen).assign(mouth_open=truth.mouth_open, smile=truth.smile)
        assert out[name].tracked.mean() > 0.95
    return out


def measured(path, rows):
    """Speakers found in a file's sound by the lips of the call, and the times of its steps."""
    (sound,) = read_sound(path)[0].channels
    try:
        speech = speech_probability(sound.samples[:]).probability
    except ModelMissingError as error:
        pytest.skip(str(error))
    lips = {
        name: lip_movement(face.t, face, start_s=sound.start_s, steps=len(speech))
        for name, face in rows.items()
    }
    found = who_speaks(lips, speech, speech_envelope(sound.samples[:], RATE_HZ))
    return found, sound.start_s + (np.arange(len(speech)) + 0.5) * 0.01


def shares(found, t, late_s=0.0):
    """Of each one's time of speech, what went to the right column."""
    out = {}
    for column, name in enumerate((*CAST, OFF_CAMERA)):
        out[name] = float((found.chosen[spoken_by(name, t - late_s)] == column).mean())
    print(f"\noffset {found.offset_s:.2f} s, confidence {found.confidence:.2f}, right: {out}")
    return out


def test_speech_goes_to_whose_mouth_moves_and_a_voice_off_camera_to_nobody_on_screen(call, rows):
    found, t = measured(call.path, rows)
    got = shares(found, t)
    assert got["therapist"] >= 0.9
    assert got["client"] >= 0.9
    assert got[OFF_CAMERA] >= 0.8  # half a second to notice, of three
    assert found.offset_s == pytest.approx(0, abs=0.04)


def test_sound_that_comes_80_ms_late_is_noticed(call, rows, tmp_path):
    (sound,) = read_sound(call.path)[0].channels
    late = tmp_path / "late.mp4"
    track = SoundTrack(sound.samples[:], RATE_HZ, start_s=sound.start_s + 0.08)
    with Encoder(late, 64, 48, 1, [track]) as file:
        for t in range(int(SECONDS)):
            file.add(np.zeros((48, 64, 3), np.uint8), t)
    found, t = measured(late, rows)
    got = shares(found, t, late_s=0.08)
    assert found.offset_s == pytest.approx(0.08, abs=0.04)
    assert min(got[name] for name in CAST) >= 0.9


def test_the_jaw_is_seen_to_open_with_the_mouth(rows):
    for name, face in rows.items():
        r = np.corrcoef(face.mouth_open, np.sqrt(face.jawOpen))[0, 1]
        shut = face.jawOpen[face.mouth_open < SILENT_SHUT]
        wide = face.jawOpen[face.mouth_open > 0.6]
        print(
            f"\n{name}: mouth and root of jawOpen r {r:.2f}; shut {shut.median():.3f}, wide {wide.median():.3f}"
        )
        assert r > 0.75
        assert wide.median() > shut.quantile(0.95) + 0.05


def test_mouths_stay_shut_while_others_speak(call):
    for name in CAST:
        truth = call.truth[call.truth.participant == name]
        t = truth.t.to_numpy()
        around = spoken_by(name, t) | spoken_by(name, t + 0.3) | spoken_by(name, t - 0.2)
        assert truth.mouth_open[~around].max() < SILENT_SHUT
        assert 0.2 < truth.mouth_open[spoken_by(name, t)].mean() < 0.6


def test_smiles_are_seen_in_speech_too(rows):
    """Of the therapist; the client smiles in the photograph, and less while her jaw is down."""
    face = rows["therapist"]
    smile = (face.mouthSmileLeft + face.mouthSmileRight) / 2
    speaking = spoken_by("therapist", face.t.to_numpy())
    print(f"\nsmile scores in speech: {smile[speaking & (face.smile > 0.9)].describe()}")
    assert smile[face.smile > 0.9].median() > smile[face.smile < 0.05].quantile(0.95) + 0.2


@pytest.mark.parametrize("seed", range(4))
def test_the_mouth_leads_the_voice_by_what_is_known(seed):
    part = act(20, np.random.default_rng(0))
    voice = WOMAN.says([(1.0, 9.0), (11.0, 19.0)], 20, seed)
    said = speak(part, voice, RATE_HZ, np.random.default_rng(seed))
    assert (said.events, said.wave, said.fixations) == (part.events, part.wave, part.fixations)
    mouth = np.array([said.state(t).mouth_open for t in (np.arange(2000) + 0.5) / 100])
    envelope = np.asarray(speech_envelope(voice, RATE_HZ))
    during = slice(120, 900)
    r = [np.corrcoef(mouth[during], np.roll(envelope, -lag)[during])[0, 1] for lag in range(-10, 30)]
    begins = np.argmax(mouth > 0.05) / 100
    print(f"\nlead {np.argmax(r) - 10} x 10 ms, r {max(r):.2f}; opens {1 - begins:.2f} s before the voice")
    assert 7 <= np.argmax(r) - 10 <= 14
    assert 0.5 < max(r) < 0.95
    assert 0.08 < 1 - begins < 0.25


@pytest.mark.parametrize("name", NAMES)
def test_the_lips_part_and_the_chin_drops_by_what_was_asked_for(name):
    person = portrait(name)
    px_per_mm = np.mean([eye.px_per_mm for eye in person.eyes])
    rest, half, wide = (
        settled(picture_of(person.render(PortraitState(mouth_open=x)))) for x in (0.0, 0.5, 1.0)
    )
    gaps = np.array([points[14, 1] - points[13, 1] for points in (rest, half, wide)])
    print(f"\n{name}: lips apart by {np.diff(gaps, prepend=gaps[0]) / px_per_mm} mm more")
    assert gaps[2] - gaps[0] == pytest.approx(WIDEST_MM * px_per_mm, rel=0.25)
    assert gaps[0] + 3 < gaps[1] < gaps[2] - 3
    assert wide[152, 1] - rest[152, 1] == pytest.approx(WIDEST_MM * px_per_mm, rel=0.35)
    np.testing.assert_allclose(wide[[33, 133, 362, 263], 1], rest[[33, 133, 362, 263], 1], atol=2)


def noises(seconds, names, seed=0):
    rng = np.random.default_rng(seed)
    return {name: (0.2 * rng.standard_normal(round(seconds * RATE_HZ))).astype(np.float32) for name in names}


def heard_in(sound, voice):
    """Level of a voice's first half second in a sound (1: as it is), where it fits best, and when that is, s."""
    piece = voice[: RATE_HZ // 2]
    fits = signal.correlate(sound.samples[:], piece, "valid") / (piece @ piece)
    best = int(np.argmax(fits))
    return fits[best], sound.start_s + best / RATE_HZ


@pytest.mark.parametrize(
    ("how", "columns"),
    [
        ("mixed", [{"therapist", "client", OFF_CAMERA}]),
        ("channels", [{"therapist", OFF_CAMERA}, {"client", OFF_CAMERA}]),
        ("streams", [{"therapist"}, {"client"}, {OFF_CAMERA}]),
    ],
)
def test_voices_are_recorded_as_asked_for(tmp_path, how, columns):
    engine()
    voices = noises(0.8, (*CAST, OFF_CAMERA))
    made = write_call(
        tmp_path / "call.mp4", mesh, seconds=0.8, fps=5, size=(640, 360), voices=voices, sound=how
    )
    streams = read_sound(made.path)
    assert len(streams) == (len(columns) if how == "streams" else 1)
    sounds = [sound for stream in streams for sound in stream.channels]
    assert len(sounds) == len(columns)
    for sound, expected in zip(sounds, columns, strict=True):
        assert sound.duration_s == pytest.approx(0.8, abs=1024 / RATE_HZ)
        for name, voice in voices.items():
            level, at_s = heard_in(sound, voice)
            assert (level > 0.4) == (name in expected)
            if name in expected:
                assert abs(at_s) < 0.001


def test_without_sound_the_mouths_move_and_the_file_is_silent(tmp_path):
    engine()
    voices = noises(0.6, ["client"])
    made = write_call(
        tmp_path / "call.mp4", mesh, seconds=0.6, fps=5, size=(640, 360), voices=voices, sound=None
    )
    assert read_sound(made.path) == []
    widest = made.truth.groupby("participant").mouth_open.max()
    assert widest["client"] > 0.5
    assert widest["therapist"] == 0


def test_a_way_of_recording_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="mixed, channels, streams"):
        write_call(tmp_path / "call.mp4", mesh, voices=noises(0.5, CAST), sound="surround")


@pytest.mark.parametrize(
    ("voices", "said"),
    [
        ({"therapsit": np.zeros(8000, np.float32)}, "therapsit.*not in the simulated call"),
        ({"client": np.zeros((2, 8000), np.float32)}, r"client has the shape \(2, 8000\)"),
    ],
    ids=["nobody", "stereo"],
)
def test_a_voice_that_fits_nobody_is_refused(tmp_path, voices, said):
    engine()
    with pytest.raises(InputError, match=said):
        write_call(tmp_path / "call.mp4", mesh, seconds=0.5, voices=voices)
    assert not list(tmp_path.iterdir())


def test_sound_begins_when_asked_lasts_as_long_as_it_is_and_lies_beside_its_pictures(tmp_path):
    voice = noises(5.0, ["one"])["one"]
    path = tmp_path / "film.mp4"
    with Encoder(path, 64, 48, 10, [SoundTrack(voice, RATE_HZ, start_s=1.5, title="one")]) as file:
        for k in range(40):
            file.add(np.full((48, 64, 3), 5 * k, np.uint8), k / 10)
    with Recording(path) as recording:
        assert [round(p.t, 3) for p in recording.pictures()] == [k / 10 for k in range(40)]
    (stream,) = read_sound(path)
    (sound,) = stream.channels
    level, start_s = heard_in(sound, voice)
    assert level > 0.8
    assert start_s == pytest.approx(1.5, abs=0.001)
    assert sound.end_s == pytest.approx(6.5, abs=0.1)
    with av.open(str(path)) as container:
        at = [
            (float(p.pts * p.time_base), p.stream.type)
            for p in container.demux()
            if p.pts is not None and p.size
        ]
    both = [t for t, _ in at if 1.5 < t < 3.9]
    assert max(abs(b - a) for a, b in pairwise(both)) < 1.0


@pytest.mark.parametrize(
    "track",
    [
        SoundTrack(np.zeros(100, np.float32), 12_345),
        SoundTrack(np.zeros((3, 100), np.float32), RATE_HZ),
        SoundTrack(np.zeros(0, np.float32), RATE_HZ),
        SoundTrack(np.zeros(100, np.float32), RATE_HZ, start_s=-1.0),
    ],
    ids=["rate", "channels", "empty", "start"],
)
def test_sound_that_cannot_be_written_leaves_no_file(tmp_path, track):
    with pytest.raises(SessionError, match="sound can't be written") as caught:
        Encoder(tmp_path / "film.mp4", 64, 48, 10, [track])
    assert caught.value.stage == "write"
    assert not list(tmp_path.iterdir())


def test_a_film_that_is_given_up_halfway_leaves_no_file(tmp_path):
    voice = noises(2.0, ["one"])["one"]
    voice[100] = np.nan  # silence, not an end
    film = Encoder(tmp_path / "film.mp4", 64, 48, 10, [SoundTrack(voice, RATE_HZ)])
    with pytest.raises(RuntimeError, match="camera fell"), film:
        film_until_the_camera_falls(film)
    assert not list(tmp_path.iterdir())


def film_until_the_camera_falls(film):
    for k in range(10):
        film.add(np.zeros((48, 64, 3), np.uint8), k / 10)
    raise RuntimeError("camera fell")
