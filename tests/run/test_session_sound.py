"""Sessions by ear, from files to tables: the ways in which calls are recorded, and those in which that goes wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from extraction import Extracted, Quiet, extracted, run
from people import clip_path
from portrait_faces import engine, mesh
from pretrained import need_faces, need_voices
from sound_files import (
    RATE_HZ,
    Samples,
    Stream,
    other_clock,
    resampled,
    says,
    spoil_sound,
    write_changed,
    write_film,
    write_sound,
)

from vsa.media.recording import Recording
from vsa.media.sound import read_sound
from vsa.run import batch
from vsa.run.settings import Settings
from vsa.simulate.call import write_call
from vsa.simulate.conversation import Conversation, plan_conversation, render
from vsa.simulate.sound import room_noise, with_bleed
from vsa.simulate.speech import MAN, WOMAN, Stretch, Talker
from vsa.study.plan import SessionPlan, Video
from vsa.study.voice_table import read_voice
from vsa.voice.voice_track import OFF_CAMERA, UNKNOWN

SECONDS = 40.0
NOISE_DB = -70.0
CLIENT, THERAPIST = "client", "therapist"
#: A sound file's codec, for all that are written here.
WAV = "pcm_s16le"


@pytest.fixture(scope="module", autouse=True)
def models() -> None:
    need_faces()
    need_voices()


@dataclass(frozen=True)
class Talk:
    """A conversation of a man, the client, and a woman, the therapist, each with a microphone and its noise."""

    plan: Conversation
    client: Samples
    therapist: Samples

    @property
    def mix(self) -> Samples:
        return self.client + self.therapist

    @property
    def both(self) -> Samples:
        return np.stack([self.client, self.therapist])

    @property
    def tracks(self) -> dict[str, Samples]:
        return {CLIENT: self.client, THERAPIST: self.therapist}

    def spoken(self, who: str) -> list[Stretch]:
        units = self.plan.units[self.plan.units.participant == who]
        return list(zip(units.start, units.end, strict=True))


def talk_of(seconds: float, seed: int) -> Talk:
    plan = plan_conversation(seconds, seed)
    voices = render(plan, voices={CLIENT: MAN, THERAPIST: WOMAN})
    noisy = (voices[who] + room_noise(seconds, NOISE_DB, k) for k, who in enumerate((CLIENT, THERAPIST)))
    return Talk(plan, *noisy)


@pytest.fixture(scope="module")
def talk() -> Talk:
    return talk_of(SECONDS, 1)


@pytest.fixture(scope="module")
def film(talk: Talk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The call as its program recorded it: one mixed sound, and nobody in view."""
    return write_film(tmp_path_factory.mktemp("film") / "call.mkv", Stream(talk.mix), seconds=SECONDS)


def wav(path: Path, samples: Samples, **more: Any) -> Path:
    return write_sound(path.with_suffix(".wav"), Stream(samples, codec=WAV, **more))


def own_files(folder: Path, **samples: Samples) -> dict[str, Path]:
    return {who: wav(folder / who, own) for who, own in samples.items()}


def session(film: Path | tuple[Video, ...], **more: Any) -> SessionPlan:
    return SessionPlan("s1", (Video(film),) if isinstance(film, Path) else film, **more)


def two(client: Path, therapist: Path) -> tuple[Video, ...]:
    return Video(client, CLIENT), Video(therapist, THERAPIST)


def ids(got: Extracted) -> dict[str, str]:
    """Role -> id."""
    return {p["role"]: p["id"] for p in got.record["participants"] if p["role"]}


def speech_s(got: Extracted) -> dict[str, float]:
    return {voice["participant"]: voice["speech_s"] for voice in got.record["sound"]["voices"]}


def noted(got: Extracted, words: str) -> bool:
    return any(words in note for note in got.record["quality"]["notes"])


def check_voices(
    got: Extracted,
    talk: Talk,
    kind: str,
    *,
    who: dict[str, str] | None = None,
    later_s: float = 0.0,
    least: float = 0.95,
) -> None:
    """Each one's voice speaks when its person does, and not otherwise."""
    sound = got.record["sound"]
    assert sound["kind"] == kind, (sound, got.record["quality"]["notes"])
    for role, participant in (who or ids(got)).items():
        spoken = [(start + later_s, end + later_s) for start, end in talk.spoken(role)]
        found, right = says(got, participant, spoken)
        print(f"{kind}: {role} is {participant}, {found:.3f} found, {right:.3f} right")
        assert min(found, right) >= least, (role, found, right)


def check_nothing_guessed(got: Extracted, speech: float) -> None:
    """That somebody speaks is known, who it is is not, and nothing says so."""
    assert got.record["sound"]["kind"] == "mixed"
    assert speech_s(got) == {UNKNOWN: pytest.approx(speech, rel=0.05)}
    assert noted(got, "it can't be told who speaks")
    assert len(pd.read_parquet(got.folder / "turns.parquet")) == 0
    assert (got.folder / "turns.rttm").read_text() == ""
    voice = read_voice(got.folder / "voice.parquet")
    assert voice[["f0_hz", "intensity_db", "spectral_tilt_db"]].isna().all(axis=None)


def check_mixed_prosody(got: Extracted) -> None:
    """What is measured of a voice is measured where nobody else speaks."""
    voice = read_voice(got.folder / "voice.parquet")
    speaking = voice.pivot(index="t", columns="participant", values="speaking").fillna(False).astype(bool)
    for who, rows in voice.groupby("participant"):
        says, others = speaking[who].to_numpy(), speaking.drop(columns=str(who)).any(axis=1).to_numpy()
        measured = rows[["f0_hz", "intensity_db", "spectral_tilt_db"]].notna().to_numpy()
        assert not measured[others].any(), who
        if says.any():
            assert measured[says & ~others, 1].all(), who
            assert measured[says & ~others, 0].mean() > 0.3, who  # voiced
            assert np.median(rows["intensity_db"].to_numpy()[says & ~others]) == pytest.approx(0, abs=0.1)


def heard_s(talk: Talk, until_s: float = SECONDS) -> float:
    """How long anybody speaks."""
    t = np.arange(0, until_s, 0.01)
    spoken = [s for who in (CLIENT, THERAPIST) for s in talk.spoken(who)]
    return float(np.any([(t >= start) & (t < end) for start, end in spoken], axis=0).sum() * 0.01)


# --- one mixed sound, faces in view: a real talker and a real listener ---------------------------------------------

#: The clip's pictures a second that are analysed.
CLIP_FPS = 12.5


@pytest.fixture(scope="module")
def clip_sound() -> Samples:
    (stream,) = read_sound(clip_path("call_two_tiles.mp4"))
    return stream.mixed().samples[:]


def test_all_speech_goes_to_the_one_whose_mouth_moves(tmp_path: Path) -> None:
    got = extracted(clip_path("call_two_tiles.mp4"), tmp_path, fps=CLIP_FPS)
    said = speech_s(got)
    assert said["p1"] >= 0.95 * sum(said.values()) > 4.0
    assert got.record["sound"]["picture_offset_s"] == pytest.approx(0, abs=0.04)
    turns = pd.read_parquet(got.folder / "turns.parquet")
    assert set(turns.participant) == {"p1"}


@pytest.mark.slow
def test_mirrored_it_goes_to_the_right_tile(clip_sound: Samples, tmp_path: Path) -> None:
    clip = clip_path("call_two_tiles.mp4")
    mirrored = write_changed(
        tmp_path / "call.mkv", clip, lambda picture: picture[:, ::-1], Stream(clip_sound)
    )
    got = extracted(mirrored, tmp_path / "out", fps=CLIP_FPS)
    said = speech_s(got)
    left, right = (p["tile"][0] for p in got.record["participants"])
    assert left < right
    assert said["p2"] >= 0.95 * sum(said.values()) > 4.0


@pytest.mark.parametrize("late_s", [0.08, pytest.param(-0.08, marks=pytest.mark.slow)])
def test_sound_that_is_80_ms_off_goes_to_the_same_mouth_and_the_offset_is_told(
    clip_sound: Samples, tmp_path: Path, late_s: float
) -> None:
    early = max(0, round(-late_s * RATE_HZ))
    sound = Stream(clip_sound[early:], start_s=max(0.0, late_s))
    moved = write_film(tmp_path / "call.mkv", sound, pictures=clip_path("call_two_tiles.mp4"))
    got = extracted(moved, tmp_path / "out", fps=CLIP_FPS)
    said = speech_s(got)
    assert said["p1"] >= 0.95 * sum(said.values()) > 4.0
    assert got.record["sound"]["picture_offset_s"] == pytest.approx(late_s, abs=0.04)


def test_a_third_voice_off_camera_goes_to_nobody_on_screen(clip_sound: Samples, tmp_path: Path) -> None:
    hers, his = [(0.0, 4.1)], [(4.2, 7.8)]
    mix = clip_sound.copy()
    mix[round(hers[0][1] * RATE_HZ) :] = 0
    third = MAN.says(his, len(mix) / RATE_HZ, seed=3)
    mix[: len(third)] += third
    film = write_film(tmp_path / "call.mkv", Stream(mix), pictures=clip_path("call_two_tiles.mp4"))
    got = extracted(film, tmp_path / "out", fps=CLIP_FPS)
    assert says(got, OFF_CAMERA, his)[0] >= 0.8  # half a second to notice
    assert says(got, OFF_CAMERA, hers)[0] == 0
    assert says(got, "p1", hers)[0] >= 0.8  # she pauses
    assert says(got, "p1", his)[0] <= 0.15
    assert says(got, "p2", [(0.0, 8.0)]) == (0, 0)
    assert OFF_CAMERA not in got.ids
    check_mixed_prosody(got)


# --- faces and a voice a track: two portraits that speak in turn ----------------------------------------------------

CALL_S, CALL_FPS = 24.0, 10.0
SIZE = (480, 270)
SAID: dict[str, list[Stretch]] = {
    THERAPIST: [(0.6, 4.4), (9.2, 12.4), (17.0, 19.6)],
    CLIENT: [(4.8, 8.8), (12.9, 16.6), (20.0, 23.4)],
}
#: The second recording, or file, was started so much later, or earlier.
LATER_S, EARLIER_S = 2.5, 0.8


@dataclass(frozen=True)
class FacedTalk(Talk):
    """The same with a film of both, without sound: the therapist is on the left."""

    pictures: Path

    def spoken(self, who: str) -> list[Stretch]:
        return SAID[who]


@pytest.fixture(scope="module")
def faced(tmp_path_factory: pytest.TempPathFactory) -> FacedTalk:
    engine()
    voices = {
        THERAPIST: Talker(165.0, 1.1, 4.2).says(SAID[THERAPIST], CALL_S, 1),
        CLIENT: WOMAN.says(SAID[CLIENT], CALL_S, 2),
    }
    path = tmp_path_factory.mktemp("faced") / "call.mp4"
    write_call(path, mesh, seconds=CALL_S, fps=CALL_FPS, size=SIZE, voices=voices, sound=None)
    client, therapist = (
        voices[who] + room_noise(CALL_S, NOISE_DB, k) for k, who in enumerate((CLIENT, THERAPIST))
    )
    return FacedTalk(plan_conversation(CALL_S), client, therapist, path)


def test_a_sound_file_gives_the_face_whose_mouth_moves_with_it_its_role(
    faced: FacedTalk, tmp_path: Path
) -> None:
    film = write_film(tmp_path / "call.mkv", Stream(faced.mix), pictures=faced.pictures)
    files = own_files(
        tmp_path,
        client=other_clock(faced.client, early_s=-1.7),
        therapist=other_clock(faced.therapist, early_s=EARLIER_S),
    )
    got = extracted(session(film, audio=files), tmp_path / "out")
    assert ids(got) == {THERAPIST: "p1", CLIENT: "p2"}
    assert len(got.record["participants"]) == 2
    assert got.record["sound"]["confidence"] > 0.9
    check_voices(got, faced, "files")
    offsets = {t["participant"]: t["alignment"]["offset_s"] for t in got.record["sound"]["tracks"]}
    assert offsets == {"p2": pytest.approx(1.7, abs=0.02), "p1": pytest.approx(-EARLIER_S, abs=0.02)}


def test_the_manifests_places_win_over_lips(faced: FacedTalk, tmp_path: Path) -> None:
    film = write_film(tmp_path / "call.mkv", Stream(faced.mix), pictures=faced.pictures)
    places = {CLIENT: "left", THERAPIST: "right"}  # not as the mouths move
    plan = session(film, audio=own_files(tmp_path, **faced.tracks), tiles=places)
    got = extracted(plan, tmp_path / "out", fps=5.0)
    assert ids(got) == {CLIENT: "p1", THERAPIST: "p2"}
    check_voices(got, faced, "files")


@pytest.mark.slow
def test_channels_are_matched_with_faces_whatever_their_order(faced: FacedTalk, tmp_path: Path) -> None:
    film = write_film(tmp_path / "call.mkv", Stream(faced.both), pictures=faced.pictures)
    got = extracted(film, tmp_path / "out")
    assert [t["participant"] for t in got.record["sound"]["tracks"]] == ["p2", "p1"]
    assert got.ids == ["p1", "p2"]
    check_voices(got, faced, "channels", who={THERAPIST: "p1", CLIENT: "p2"})
    turns = pd.read_parquet(got.folder / "turns.parquet")
    first = [(row.participant, row.start) for row in turns.itertuples()]
    expected = sorted((start, "p1" if who == THERAPIST else "p2") for who in SAID for start, _ in SAID[who])
    assert [who for who, _ in first] == [who for _, who in expected]
    assert [t for _, t in first] == pytest.approx([t for t, _ in expected], abs=0.1)


@pytest.mark.slow
def test_recordings_of_each_participant_share_one_time(faced: FacedTalk, tmp_path: Path) -> None:
    half = SIZE[0] // 2
    left = write_changed(tmp_path / "left.mkv", faced.pictures, lambda p: p[:, :half], Stream(faced.mix))
    # the client's computer records the same mix, softer, from 2.5 s later on
    right = write_changed(
        *(tmp_path / "right.mkv", faced.pictures, lambda p: p[:, half:]),
        Stream(0.7 * other_clock(faced.mix, early_s=-LATER_S)),
        from_s=LATER_S,
    )
    plan = session((Video(left, THERAPIST), Video(right, CLIENT)))
    out, overlay = tmp_path / "out", tmp_path / "film.mp4"
    summary = batch.extract([plan], out, Settings(), Quiet(), overlay=overlay)
    assert not summary.failed
    got = extracted(plan, out)  # as it lies there
    check_voices(got, faced, "mixed", least=0.9)
    assert noted(got, "one mix")
    assert got.record["source"]["clock"] is None
    (second,) = got.record["further_sources"]
    assert second["clock"]["offset_s"] == pytest.approx(LATER_S, abs=0.02)
    # rows of the second recording are where its pictures were in the first one's time
    client = got.of("p2")
    assert client.t.iloc[0] == pytest.approx(LATER_S, abs=0.12)
    assert client.t.iloc[-1] == pytest.approx(CALL_S - 1 / CALL_FPS, abs=0.12)
    talks = np.any([(client.t >= start) & (client.t < end) for start, end in SAID[CLIENT]], axis=0)
    assert client.jawOpen[talks].median() > 2 * client.jawOpen[~talks].median()
    # and the second one's film has its face drawn from its first picture to its last
    drawn_share = []
    with Recording(overlay.with_stem("film-client")) as drawn, Recording(right) as plain:
        for a, b in zip(drawn.pictures(), plain.pictures(), strict=True):
            changed = np.abs(a.rgb()[40:].astype(int) - b.rgb()[40:]).max(axis=2) > 60
            drawn_share.append(cv2.countNonZero(changed.astype(np.uint8)) > 50)
    assert np.mean(drawn_share) > 0.95


# --- a file for each participant, nobody in view --------------------------------------------------------------------


@pytest.mark.slow
def test_files_of_other_recorders_are_brought_onto_the_recordings_time(tmp_path: Path) -> None:
    talk = talk_of(180.0, 3)
    film = write_film(tmp_path / "call.mkv", Stream(talk.mix), seconds=180.0)
    files = own_files(
        tmp_path,
        client=other_clock(talk.client, early_s=-1.7),
        therapist=other_clock(talk.therapist, early_s=0.8, drift_ppm=80),
    )
    got = extracted(session(film, audio=files), tmp_path / "out")
    check_voices(got, talk, "files", least=0.98)
    for track, offset_s, drift_ppm in zip(got.record["sound"]["tracks"], (1.7, -0.8), (0, 80), strict=True):
        alignment = track["alignment"]
        assert alignment["offset_s"] == pytest.approx(offset_s, abs=0.02)
        assert alignment["drift_ppm"] == pytest.approx(drift_ppm, abs=10)
        assert alignment["belongs"] == "yes"
        assert track["start_s"] == pytest.approx(offset_s, abs=0.02)
    known = {voice["participant"]: voice["known_share"] for voice in got.record["sound"]["voices"]}
    assert known == {"p1": pytest.approx(1 - 2.5 / 180.8, abs=0.005), "p2": pytest.approx(1, abs=0.001)}
    planned = talk.plan.turns[talk.plan.turns["floor"]]
    turns = pd.read_parquet(got.folder / "turns.parquet")
    at = turns[turns.kind == "turn"].start.to_numpy()
    off = [np.abs(at - start).min() for start in planned.start]
    assert np.median(off) < 0.06


def test_the_pitch_is_the_persons_and_what_is_not_known_is_missing(
    talk: Talk, film: Path, tmp_path: Path
) -> None:
    half = round(SECONDS / 2) * RATE_HZ
    files = own_files(tmp_path, client=talk.client[:half], therapist=talk.therapist)
    got = extracted(session(film, audio=files), tmp_path / "out")
    voice = read_voice(got.folder / "voice.parquet")
    for who, talker in (("p1", MAN), ("p2", WOMAN)):
        own = voice[voice.participant == who]
        assert np.allclose(np.diff(own.t), 0.01)
        f0 = own.f0_hz.dropna()
        assert f0.median() == pytest.approx(talker.f0_hz, rel=0.15)
        assert ((f0 < 0.6 * talker.f0_hz) | (f0 > 1.7 * talker.f0_hz)).mean() < 0.02
        speaking = own.speaking.fillna(False).to_numpy(bool)
        assert own.f0_hz[~speaking].isna().all()
        assert 0.3 < own.f0_hz[speaking].notna().mean() < 1
        assert own.intensity_db[speaking].median() == pytest.approx(0, abs=0.01)
        assert own.intensity_db.dropna().between(-80, 30).all()
        assert own.speech.dropna().between(0, 1).all()
        assert own.spectral_tilt_db.notna().sum() == own.f0_hz.notna().sum()
        for column in ("f0_hz", "intensity_db", "spectral_tilt_db"):
            assert (own[column] == 0).mean() < 0.01
    client = voice[voice.participant == "p1"]
    after = client[client.t >= SECONDS / 2]
    assert len(after) == pytest.approx(SECONDS / 2 * 100, abs=2)
    columns = ["speech", "speaking", "f0_hz", "intensity_db", "spectral_tilt_db"]
    assert after[columns].isna().all(axis=None)
    assert client[client.t < SECONDS / 2 - 0.05][["speech", "speaking"]].notna().all(axis=None)
    found, right = says(got, "p1", [s for s in talk.spoken(CLIENT) if s[1] < SECONDS / 2])
    assert min(found, right) > 0.95
    quality, whole = (track["quality"] for track in got.record["sound"]["tracks"])
    assert quality["missing_share"] == pytest.approx(0.5, abs=0.01)
    assert quality["silent_share"] == 0
    assert quality["noise_level_dbfs"] == pytest.approx(whole["noise_level_dbfs"], abs=2)
    turns = pd.read_parquet(got.folder / "turns.parquet")
    assert turns[turns.participant == "p1"].end.max() <= SECONDS / 2


def test_without_any_sound_of_its_own_a_recordings_start_is_the_files(talk: Talk, tmp_path: Path) -> None:
    film = write_film(tmp_path / "call.mkv", seconds=SECONDS, start_s=5.0)
    got = extracted(session(film, audio=own_files(tmp_path, **talk.tracks)), tmp_path / "out")
    check_voices(got, talk, "files", later_s=got.record["source"]["start_s"])
    assert got.record["source"]["start_s"] == pytest.approx(5.0)
    assert noted(got, "taken to begin with the picture")
    assert got.record["sound"]["confidence"] <= 0.5  # nobody hears the other


def test_a_file_of_another_call_is_left_out(film: Path, talk: Talk, tmp_path: Path) -> None:
    other = talk_of(SECONDS, 7)
    files = own_files(tmp_path, client=talk.client, therapist=other.therapist)
    got = extracted(session(film, audio=files), tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk))
    assert noted(got, "may belong to another call")
    assert noted(got, "therapist.wav was left out; check audio:therapist in the manifest")


@pytest.mark.parametrize("sound_of", ["client", "mix"])
def test_the_same_file_for_both_is_not_two_voices(
    film: Path, talk: Talk, tmp_path: Path, sound_of: str
) -> None:
    file = wav(tmp_path / "same", getattr(talk, sound_of))
    got = extracted(session(film, audio={CLIENT: file, THERAPIST: file}), tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk))
    assert noted(got, "holds the same sound")
    assert noted(got, "own sound files are not used")


def test_a_silent_file_is_no_silent_person(film: Path, talk: Talk, tmp_path: Path) -> None:
    files = own_files(tmp_path, client=talk.client, therapist=np.zeros_like(talk.therapist))
    got = extracted(session(film, audio=files), tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk))
    assert noted(got, "there is nothing in therapist.wav")


def test_a_file_for_one_of_two_is_not_used(film: Path, talk: Talk, tmp_path: Path) -> None:
    files = own_files(tmp_path, client=talk.client)
    got = extracted(session(film, audio=files, tiles={CLIENT: "left", THERAPIST: "right"}), tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk))
    assert noted(got, "client.wav: not used, since audio:therapist is missing")


def test_half_a_file_and_a_file_with_wrong_numbers(film: Path, talk: Talk, tmp_path: Path) -> None:
    broken = own_files(tmp_path, client=talk.client)[CLIENT]
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    wrong = talk.therapist.copy()
    wrong[100_000:100_500], wrong[::7777] = np.nan, np.inf
    floats = write_sound(tmp_path / "floats.wav", Stream(wrong, codec="pcm_f32le"))
    got = extracted(session(film, audio={CLIENT: broken, THERAPIST: floats}), tmp_path / "out")
    check_voices(got, talk, "files", who={THERAPIST: ids(got)[THERAPIST]})
    assert noted(got, "are no sound (NaN, infinite) and count as silence")
    found, right = says(got, ids(got)[CLIENT], [s for s in talk.spoken(CLIENT) if s[1] < SECONDS / 2])
    assert min(found, right) > 0.95
    assert got.record["sound"]["voices"][0]["known_share"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("text.wav", "no audio or video file"),
        ("gone.wav", "does not exist"),
        ("film.mkv", "holds no sound"),
        ("empty.wav", "is empty"),
    ],
)
def test_a_file_that_is_no_sound_is_said_before_the_pictures_are_analysed(
    film: Path, talk: Talk, tmp_path: Path, name: str, said: str
) -> None:
    path = tmp_path / name
    if name == "text.wav":
        path.write_text("Session notes, 12 March\n" * 50)
    elif name == "film.mkv":
        write_film(path, seconds=2.0)
    elif name == "empty.wav":
        path.touch()
    files = {**own_files(tmp_path, client=talk.client), THERAPIST: path}
    told = Quiet()
    steps: list[Any] = []
    told.advance = lambda *step: steps.append(step)  # type: ignore[method-assign]
    summary = batch.extract([session(film, audio=files)], tmp_path / "out", Settings(), told)
    (failure,) = summary.failed
    assert (failure.stage, failure.hint) == ("media", "Check audio:therapist in the manifest.")
    assert name in failure.error
    assert said in failure.error
    assert steps == []
    assert not (tmp_path / "out" / "s1").exists()


# --- streams and channels of one recording --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec"), [("call.mkv", "flac"), pytest.param("call.mp4", "aac", marks=pytest.mark.slow)]
)
def test_streams_of_one_recording_with_the_mix_first(
    talk: Talk, tmp_path: Path, name: str, codec: str
) -> None:
    streams = [
        Stream(samples, title=title, codec=codec)
        for title, samples in (("Mix", talk.mix), ("Therapist", talk.therapist), ("client", talk.client))
    ]
    film = write_film(tmp_path / name, *streams, seconds=SECONDS)
    plan = session(film, tiles={CLIENT: "left", THERAPIST: "right"})
    got = extracted(plan, tmp_path / "out")
    assert ids(got) == {CLIENT: "p1", THERAPIST: "p2"}
    assert [track["participant"] for track in got.record["sound"]["tracks"]] == ["p2", "p1"]
    check_voices(got, talk, "streams")
    assert noted(got, "sound stream 1 (Mix) is the mix of the others and was left out")


def test_a_voice_a_channel(talk: Talk, tmp_path: Path) -> None:
    film = write_film(tmp_path / "call.mp4", Stream(talk.both, codec="aac"), seconds=SECONDS)
    got = extracted(film, tmp_path / "out")
    check_voices(got, talk, "channels", who={CLIENT: "p1", THERAPIST: "p2"})
    assert got.record["sound"]["confidence"] > 0.9
    assert [p["role"] for p in got.record["participants"]] == [None, None]


def panned(talk: Talk) -> Samples:
    return np.stack([0.9 * talk.client + 0.45 * talk.therapist, 0.45 * talk.client + 0.9 * talk.therapist])


@pytest.mark.slow
@pytest.mark.parametrize("channels", ["copy", "panned", "one silent"])
def test_stereo_that_is_one_mix(talk: Talk, tmp_path: Path, channels: str) -> None:
    second = {"copy": 0.7 * talk.mix, "one silent": np.zeros_like(talk.mix)}
    samples = panned(talk) if channels == "panned" else np.stack([talk.mix, second[channels]])
    film = write_film(tmp_path / "call.mp4", Stream(samples, codec="aac"), seconds=SECONDS)
    got = extracted(film, tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk))
    said = {"copy": "holds the same sound", "panned": "hold no voice each", "one silent": "is silent"}
    assert noted(got, said[channels])


def test_sound_that_starts_3_s_late_stays_on_the_pictures_time(talk: Talk, tmp_path: Path) -> None:
    late = Stream(talk.both[:, 3 * RATE_HZ :], start_s=3.0)
    got = extracted(write_film(tmp_path / "call.mkv", late, seconds=SECONDS), tmp_path / "out")
    check_voices(got, talk, "channels", who={CLIENT: "p1", THERAPIST: "p2"}, least=0.9)
    assert read_voice(got.folder / "voice.parquet").t.min() == pytest.approx(3.0)
    assert not noted(got, "before the file says")


# --- a recording for each participant, nobody in view ---------------------------------------------------------------


def recorded(folder: Path, *samples: Samples | None) -> tuple[Video, ...]:
    """The client's and the therapist's recording."""
    return two(
        *(
            write_film(folder / f"{k}.mkv", *([] if x is None else [Stream(x)]), seconds=SECONDS)
            for k, x in enumerate(samples)
        )
    )


@pytest.mark.slow
def test_recordings_that_hear_each_other_are_aligned_and_their_bleed_is_nobodys(tmp_path: Path) -> None:
    talk = talk_of(60.0, 1)
    heard = with_bleed(talk.tracks, -18)
    films = recorded(tmp_path, heard[CLIENT], other_clock(heard[THERAPIST], early_s=-LATER_S))
    got = extracted(session(films), tmp_path / "out")
    check_voices(got, talk, "files")
    (second,) = got.record["further_sources"]
    assert second["clock"]["offset_s"] == pytest.approx(LATER_S, abs=0.02)
    assert second["clock"]["heard"] == "each other"
    assert got.of("p2").t.iloc[0] == pytest.approx(LATER_S, abs=0.02)
    bleed = {(path["voice"], path["heard_with"]): path for path in got.record["sound"]["bleed"]}
    assert set(bleed) == {("p1", "p2"), ("p2", "p1")}
    assert all(path["delay_s"] == pytest.approx(0.12, abs=0.01) for path in bleed.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second"), [("mix", "mix"), ("mix", "therapist"), ("client", "mix")], ids=lambda name: name
)
def test_a_recording_of_everybody_is_not_taken_for_one_persons(
    talk: Talk, tmp_path: Path, first: str, second: str
) -> None:
    # the second's clock differs; so short a recording can't tell how much
    other = other_clock(0.5 * getattr(talk, second), early_s=-1.234567, drift_ppm=20)
    films = recorded(tmp_path, getattr(talk, first), other)
    got = extracted(session(films), tmp_path / "out")
    assert ids(got) == {CLIENT: "p1", THERAPIST: "p2"}
    if got.record["sound"]["kind"] == "files":  # the mix less the one voice is the other
        assert first != second
        check_voices(got, talk, "files")
    else:
        check_nothing_guessed(got, heard_s(talk))
        assert noted(got, "taken as one mix")


def test_a_recording_of_another_call_is_said_and_trusted_with_nothing(talk: Talk, tmp_path: Path) -> None:
    films = recorded(tmp_path, talk.client, talk_of(SECONDS, 7).therapist)
    got = extracted(session(films), tmp_path / "out")
    assert got.record["further_sources"][0]["clock"]["belongs"] == "no sign of it"
    assert got.record["sound"]["confidence"] == 0
    assert noted(got, "may belong to another call")


@pytest.mark.parametrize("with_sound", [0, 1])
@pytest.mark.parametrize("other", ["none", "silent"])
def test_only_one_of_two_recordings_has_sound(
    talk: Talk, tmp_path: Path, with_sound: int, other: str
) -> None:
    without = None if other == "none" else np.zeros_like(talk.mix)
    films = recorded(tmp_path, *([talk.mix, without] if with_sound == 0 else [without, talk.mix]))
    got = extracted(session(films), tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk))
    assert noted(got, "not every recording has sound: the first that has is taken as one mix")


# --- nothing to hear, and damage ------------------------------------------------------------------------------------


def test_mixed_and_nobody_in_view(film: Path, talk: Talk, tmp_path: Path) -> None:
    got = extracted(film, tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk))
    assert got.record["sound"]["confidence"] is None
    assert got.record["participants"] == []


def test_no_sound_at_all(tmp_path: Path) -> None:
    got = extracted(write_film(tmp_path / "call.mkv", seconds=5.0), tmp_path / "out")
    assert got.record["sound"]["kind"] == "none"
    assert got.record["status"] == "complete"
    assert noted(got, "has no sound")
    assert len(read_voice(got.folder / "voice.parquet")) == 0
    assert len(pd.read_parquet(got.folder / "turns.parquet")) == 0


def tone(seconds: float) -> Samples:
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("silence", np.zeros(20 * RATE_HZ, np.float32)),
        ("silence in two channels", np.zeros((2, 20 * RATE_HZ), np.float32)),
        ("a constant", np.full(20 * RATE_HZ, 0.5, np.float32)),
        ("a tone", tone(20.0)),
    ],
)
def test_what_is_no_speech_is_nobodys(tmp_path: Path, name: str, samples: Samples) -> None:
    film = write_film(tmp_path / "call.mkv", Stream(samples, codec="pcm_f32le"), seconds=20.0)
    got = extracted(film, tmp_path / "out")
    assert speech_s(got) == {UNKNOWN: 0.0}
    assert noted(got, "nobody is heard to speak in call.mkv, sound stream 1")
    assert not noted(got, "can't be told")
    if name != "a tone":
        assert noted(got, "silent")


def narrow(talk: Talk) -> Stream:
    return Stream(resampled(talk.both, RATE_HZ, 8000), rate_hz=8000, codec="pcm_mulaw")


def surround(talk: Talk, channels: int) -> Stream:
    silent = np.zeros((channels - 3, len(talk.mix)), np.float32)
    three = np.stack([0.3 * talk.client, 0.3 * talk.therapist, talk.mix])
    return Stream(np.concatenate([three, silent])[:, : 12 * RATE_HZ], codec="aac")


def test_the_telephones_8_khz(talk: Talk, tmp_path: Path) -> None:
    got = extracted(write_film(tmp_path / "call.mov", narrow(talk), seconds=SECONDS), tmp_path / "out")
    check_voices(got, talk, "channels", who={CLIENT: "p1", THERAPIST: "p2"})
    for track in got.record["sound"]["tracks"]:
        assert (track["rate_hz"], track["codec"]) == (8000, "pcm_mulaw")
        assert 3000 < track["quality"]["bandwidth_hz"] <= 4100
    voice = read_voice(got.folder / "voice.parquet")
    assert voice.spectral_tilt_db.isna().all()
    assert voice.f0_hz.notna().any()


@pytest.mark.slow
@pytest.mark.parametrize("channels", [6, 8])
def test_surround_sound_is_one_mix(talk: Talk, tmp_path: Path, channels: int) -> None:
    film = write_film(tmp_path / "call.mkv", surround(talk, channels), seconds=12.0)
    got = extracted(film, tmp_path / "out")
    check_nothing_guessed(got, heard_s(talk, 12.0))
    assert got.record["sound"]["tracks"][0]["channels"] == channels


def test_clipped_sound_is_heard_and_said(talk: Talk, tmp_path: Path) -> None:
    film = write_film(tmp_path / "call.mkv", Stream(np.clip(20 * talk.both, -1, 1)), seconds=SECONDS)
    got = extracted(film, tmp_path / "out")
    check_voices(got, talk, "channels", who={CLIENT: "p1", THERAPIST: "p2"}, least=0.9)
    assert noted(got, "the recording is clipped")
    assert min(t["quality"]["clipping_share"] for t in got.record["sound"]["tracks"]) > 0.05


def test_sound_that_cannot_be_decoded_costs_no_pictures(talk: Talk, tmp_path: Path) -> None:
    film = write_film(tmp_path / "call.mp4", Stream(talk.mix, codec="aac"), seconds=SECONDS)
    got = extracted(spoil_sound(film), tmp_path / "out")
    assert got.record["status"] == "partial"
    assert noted(got, "pieces could not be decoded")
    assert got.record["quality"]["frames"] == SECONDS
    assert sum(speech_s(got).values()) == 0


@pytest.mark.slow
def test_damage_in_one_persons_recording_or_file_is_said(film: Path, talk: Talk, tmp_path: Path) -> None:
    # from damage like this the decoder may gather that there are 44 channels
    sound = Stream(resampled(talk.therapist, RATE_HZ, 48_000), rate_hz=48_000, codec="aac")
    good = write_film(tmp_path / "good.mkv", Stream(talk.mix), seconds=SECONDS)
    bad = spoil_sound(write_film(tmp_path / "bad.mp4", sound, seconds=SECONDS))
    got = extracted(session(two(good, bad)), tmp_path / "out")
    assert got.record["status"] == "partial"
    check_nothing_guessed(got, heard_s(talk))
    files = {**own_files(tmp_path, client=talk.client), THERAPIST: bad}
    got = extracted(session(film, audio=files), tmp_path / "out")
    assert got.record["status"] == "partial"
    check_nothing_guessed(got, heard_s(talk))
    assert noted(got, "bad.mp4")


# --- what is done again, and what the documentation says ------------------------------------------------------------


@pytest.mark.slow
def test_a_changed_sound_file_is_heard_again_and_the_same_is_not(tmp_path: Path) -> None:
    talk = talk_of(12.0, 2)
    film = write_film(tmp_path / "call.mkv", Stream(talk.mix), seconds=12.0)
    files = own_files(tmp_path, **talk.tracks)
    plan, out = session(film, audio=files), tmp_path / "out"
    assert run([plan], out)[0].done == ["s1"]
    assert run([plan], out)[0].before == ["s1"]
    os.utime(files[CLIENT])
    assert run([plan], out)[0].before == ["s1"]
    data = bytearray(files[CLIENT].read_bytes())
    data[-1] ^= 1
    files[CLIENT].write_bytes(data)
    assert run([plan], out)[0].done == ["s1"]
    swapped = session(film, audio={CLIENT: files[THERAPIST], THERAPIST: files[CLIENT]})
    assert run([swapped], out)[0].done == ["s1"]
    assert run([session(film)], out)[0].done == ["s1"]
    record = json.loads((out / "s1" / "session.json").read_text())
    assert record["sound_files"] == []


@pytest.mark.slow
def test_the_documentation_names_all_that_is_said_of_sound(tmp_path: Path) -> None:
    talk = talk_of(60.0, 1)
    heard = with_bleed(talk.tracks, -18)
    films = recorded(tmp_path, talk.mix, other_clock(talk.mix, early_s=-1.0))
    files = own_files(tmp_path, client=heard[CLIENT], therapist=heard[THERAPIST])
    got = extracted(session(films, audio=files), tmp_path / "out")
    check_voices(got, talk, "files")
    record, sound = got.record, got.record["sound"]
    assert sound["bleed"]
    assert all(track["alignment"] for track in sound["tracks"])
    (second,) = record["further_sources"]
    parts = [sound, second, second["clock"], *record["sound_files"], *sound["bleed"], *sound["voices"]]
    parts += [part for track in sound["tracks"] for part in (track, track["alignment"], track["quality"])]
    keys = {key for part in [*parts, sound["turns"]] for key in part}
    tables: Sequence[pd.DataFrame] = (
        read_voice(got.folder / "voice.parquet"),
        pd.read_parquet(got.folder / "turns.parquet"),
    )
    keys |= {str(column) for table in tables for column in table.columns}
    keys |= set(tables[1]["kind"]) | {sound["kind"], *(p["alignment"]["heard"] for p in sound["tracks"])}
    told = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
    assert sorted(key for key in keys if f"`{key}`" not in told) == []


def test_one_file_beside_a_silent_recording_is_taken_as_the_mix(talk: Talk, tmp_path: Path) -> None:
    silent = write_film(tmp_path / "call.mkv", seconds=SECONDS)
    got = extracted(session(silent, audio=own_files(tmp_path, client=talk.mix)), tmp_path / "out")
    assert got.record["sound"]["kind"] == "mixed"
    assert noted(got, "taken as one mix with everybody")
    check_nothing_guessed(got, heard_s(talk))
