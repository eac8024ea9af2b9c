"""What is said of the recording: known shares of pictures and sound, and what is missing where nothing was recorded."""

from __future__ import annotations

import numpy as np
import pytest
from acted import lose, session, table, times, voices
from extraction import clip
from people import clip_path

from vsa.features.registry import TooLittle, find
from vsa.media.recording import Recording

SECONDS = 60.0
T = times(SECONDS, 25)


def value(s, name: str, scope: str = "p1") -> float:
    return find(f"quality.{name}").compute(s, scope)


def lacking(s, name: str, scope: str = "p1") -> str:
    with pytest.raises(TooLittle) as reason:
        value(s, name, scope)
    return str(reason.value)


def test_what_features_rest_on_are_shares_of_the_whole_recording():
    aside = np.where(T < 15, 60.0, 0.0)  # a quarter of the time turned away
    small = np.where(T >= 48, 50.0, 160.0)  # a fifth of it too small for eyes
    s = session(lose(table(T, head_yaw=aside, box_h=small), (T >= 30) & (T < 36)))
    assert value(s, "tracked_share") == pytest.approx(0.9, abs=0.002)
    assert value(s, "frontal_share") == pytest.approx(0.9 - 0.25, abs=0.002)
    assert value(s, "eyes_share") == pytest.approx(0.9 - 0.25 - 0.2, abs=0.002)
    assert value(s, "face_height_px") == pytest.approx(160)
    assert value(s, "lost_rate_per_min") == pytest.approx(1 / 0.9, rel=0.01)


def test_a_slow_camera_in_a_fast_recording_and_a_frozen_picture():
    every_other = np.where(np.arange(len(T)) % 2 == 0, 2.0, 0.0)  # a call at 12.5 pictures a second
    s = session(table(T, motion=every_other))
    assert value(s, "frame_rate_hz") == pytest.approx(12.5)
    assert value(s, "frozen_share") == 0
    still = (T >= 10) & (T < 19)  # the picture of 9.96 s stays until 19 s
    blinked = (T >= 40) & (T < 40.5)  # too short to be called frozen
    s = session(table(T, motion=np.where(still | blinked, 0.0, 2.0)))
    assert value(s, "frozen_share") == pytest.approx(9.04 / SECONDS, abs=1e-6)
    assert value(s, "frame_rate_hz") == pytest.approx(25)


def test_a_dark_picture_is_dark_and_an_old_table_does_not_know():
    s = session(table(T, luma=np.where(T < 18, 30.0, 120.0)))
    assert value(s, "dark_share") == pytest.approx(0.3, abs=0.002)
    assert lacking(session(table(T).drop(columns="luma")), "dark_share") == "brightness was not measured"


def test_the_brightness_of_a_real_call_is_that_of_each_persons_tile():
    got = clip("call_two_tiles.mp4")
    with Recording(clip_path("call_two_tiles.mp4")) as recording:
        first = next(iter(recording.pictures())).rgb().astype(float)
    for person in got.record["participants"]:
        x, y, w, h = person["tile"]
        grey = first[y : y + h, x : x + w] @ [0.299, 0.587, 0.114]
        assert got.of(person["id"])["luma"].iloc[0] == pytest.approx(grey.mean(), abs=2)
    one, other = (got.of(who)["luma"].iloc[0] for who in ("p1", "p2"))
    assert abs(one - other) > 10


def test_both_faces_are_seen_where_neither_is_lost():
    one, other = lose(table(T), T < 30), lose(table(T, "p2"), (T >= 20) & (T < 45))
    assert value(session(one, other), "both_tracked_share", "dyad") == pytest.approx(15 / 60, abs=0.002)
    assert value(session(one, other), "duration_min", "dyad") == pytest.approx(1)
    assert lacking(session(one), "both_tracked_share", "dyad") == "it takes two people, and there is 1"


TRACKS = {
    "tracks": [
        {
            "participant": "p1",
            "quality": {"snr_db": 31.5, "clipping_share": 0.02, "bandwidth_hz": 7800.0, "missing_share": 0.1},
        },
        {
            "participant": "p2",
            "quality": {"snr_db": None, "clipping_share": 0.0, "bandwidth_hz": 3400.0, "missing_share": 0.0},
        },
    ],
    "bleed": [
        {"voice": "p2", "heard_with": "p1", "level_db": -24.0},
        {"voice": "off_camera", "heard_with": "p1", "level_db": -18.5},
    ],
    "confidence": 0.83,
    "picture_offset_s": None,
}


def heard(**sound):
    said = {"p1": [(5.0, 20.0)], "p2": [(21.0, 27.0)]}
    return voices(SECONDS, said, unknown=[(48.0, 60.0)], sound=TRACKS | sound)


def test_sound_of_each_person_is_that_of_their_track():
    s = session(table(T), table(T, "p2"), roles=["therapist", "client"], heard=heard())
    assert value(s, "snr_db", "therapist") == 31.5
    assert value(s, "clipping_share", "therapist") == 0.02
    assert value(s, "bandwidth_hz", "client") == 3400
    assert value(s, "sound_missing_share", "therapist") == 0.1
    assert value(s, "bleed_db", "therapist") == -18.5  # the loudest of the others
    assert lacking(s, "snr_db", "client") == "it could not be measured on this track"
    assert lacking(s, "bleed_db", "client") == "no other voice was found on this person's track"
    assert (
        lacking(s, "sync_offset_s", "dyad")
        == "it could not be measured by how much sound and picture are apart"
    )
    assert value(s, "speech_share", "therapist") == pytest.approx(15 / 60)
    assert value(s, "speech_known_share", "client") == pytest.approx(48 / 60, abs=0.001)
    assert value(s, "speakers_known_share", "dyad") == pytest.approx(48 / 60, abs=0.001)
    assert value(s, "speakers_confidence", "dyad") == 0.83


def test_one_mix_is_everybodys_track_and_has_no_bleed():
    mix = [{"participant": None, "quality": {"snr_db": 20.0}}]
    s = session(table(T), table(T, "p2"), heard=heard(tracks=mix, picture_offset_s=0.04))
    mixed = dict(s.sound) | {"kind": "mixed"}
    s = type(s)(s.session_id, s.faces, s.voices, s.others, s.turns, "", mixed)
    assert value(s, "snr_db", "p1") == value(s, "snr_db", "p2") == 20
    assert value(s, "sync_offset_s", "dyad") == 0.04
    assert lacking(s, "bleed_db") == "the participants have no tracks of their own"


def test_what_a_person_corrected_is_sure():
    s = session(table(T), table(T, "p2"), heard=heard())
    corrected = dict(s.sound) | {"turns": {"from": "corrected"}}
    s = type(s)(s.session_id, s.faces, s.voices, s.others, s.turns, "", corrected)
    assert value(s, "speakers_confidence", "dyad") == 1


def test_a_recording_without_sound_or_faces_says_so():
    s = session(lose(table(T), T >= 0))
    for name in ("face_height_px", "lost_rate_per_min", "frame_rate_hz", "frozen_share", "dark_share"):
        assert lacking(s, name) == "the face was never tracked"
    assert value(s, "tracked_share") == value(s, "eyes_share") == 0
    for name in ("snr_db", "clipping_share", "bandwidth_hz", "sound_missing_share", "speech_share"):
        assert lacking(s, name) == "there is no sound"
    assert lacking(s, "speakers_known_share", "dyad") == "there is no sound"
    assert lacking(s, "speakers_confidence", "dyad") == "nobody was heard to speak"
    few = session(table(T[:3]))
    assert "0.1 s, and 10 s are needed" in lacking(few, "dark_share")
    assert lacking(session(table(T[:1])), "tracked_share") == "fewer than two pictures were analysed"
