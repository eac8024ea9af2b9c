"""Words for features: whoever reads a reason can tell which of 248 numbers is meant, and how large it is."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from vsa.features.core import CORE
from vsa.features.registry import DYAD, features
from vsa.features.words import label, longer, value

ALL = features()


@pytest.mark.parametrize("role", ["client", "therapist", "p1"])
def test_no_two_features_of_a_person_or_pair_are_called_the_same(role):
    scopes = {entry.name: role if entry.scope == "role" else DYAD for entry in ALL}
    words = Counter(label(f"{scope}.{name}") for name, scope in scopes.items())
    assert len(ALL) > 200
    assert [one for one, times in words.items() if times > 1] == []


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_every_feature_has_a_short_label_in_words(entry):
    for scope in ("client", "therapist") if entry.scope == "role" else (DYAD,):
        said = label(f"{scope}.{entry.name}")
        who, _, what = said.partition(": ")
        assert who == ("both" if scope == DYAD else scope)
        assert 5 <= len(what) <= 90
        assert "_" not in said
        assert "  " not in said
        assert "{" not in said
        assert what == what.strip()


def test_core_labels_are_short_enough_for_a_line():
    assert max(len(label(f"therapist.{name}")) for name in CORE) <= 70


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("client.face.smile_share", "client: share of time smiling"),
        ("therapist.head.nod_rate_per_min", "therapist: nods per minute"),
        ("dyad.turns.silence_share", "both: silence share"),
        ("supervisor.head.nod_rate_per_min", "supervisor: nods per minute"),
        ("client2.head.nod_rate_per_min", "client2: nods per minute"),
        ("client.head.early_nod_rate_per_min", "client: nods per minute, early third"),
        (
            "client.head.nod_rate_per_min_slope_per_10min",
            "client: nods per minute, change over the session",
        ),
        ("client.head.nod_listening_per_min", "client: nods per minute, while listening"),
        ("client.blink.rate_speaking_per_min", "client: blinks per minute, while speaking"),
        ("dyad.sync.f0_surrogate_z", "both: synchrony of pitch, against chance"),
    ],
)
def test_labels_say_who_what_and_when(name, said):
    assert label(name) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("attachment_anxiety", "attachment anxiety"),
        ("client.phq9_total", "client phq9 total"),
        ("client.voice.creak_share", "client: share of creak"),
        ("client.head.jerk_rate_per_min", "client: head jerks per minute"),
        ("p1.turns.sigh_median_s", "p1: typical sigh"),
        ("dyad.sync.own_signal", "both: own signal"),
        ("_", "_"),
    ],
)
def test_a_studys_own_columns_are_readable(name, said):
    assert label(name) == said
    assert longer(name) == ""


@pytest.mark.parametrize(
    ("name", "x", "said"),
    [
        ("client.face.smile_share", 0.1234, "12 %"),
        ("client.face.smile_share", 0.034, "3.4 %"),
        ("client.face.smile_share", 0.0, "0 %"),
        ("client.face.smile_share", 0.000002, "about 0 %"),
        ("client.face.smile_share", 1.0, "100 %"),
        ("therapist.turns.latency_median_s", 0.8, "0.8 s"),
        ("therapist.turns.latency_median_s", -0.125, "-0.12 s"),
        ("therapist.turns.turn_p90_s", 123.4, "123 s"),
        ("therapist.turns.turn_p90_s", 9.97, "10 s"),
        ("client.head.nod_rate_per_min", 3.14159, "3.1 per min"),
        ("client.gaze.home_pitch_deg", -12.2, "-12°"),
        ("client.head.movement_deg_per_s", 4.26, "4.3° per s"),
        ("client.voice.f0_sd_st", 4.2, "4.2 semitones"),
        ("client.voice.f0_median_hz", 203.4, "203 Hz"),
        ("client.voice.spectral_tilt_db", -14.7, "-15 dB"),
        ("dyad.gaze.mutual_lift", 0.05, "+5 percentage points"),
        ("dyad.gaze.mutual_lift", -0.05, "-5 percentage points"),
        ("dyad.sync.head_surrogate_z", 1.84, "1.8 SD"),
        ("client.face.smile_share_slope_per_10min", 0.021, "+2.1 percentage points in 10 min"),
        ("client.head.nod_rate_per_min_slope_per_10min", -0.4, "-0.4 per min in 10 min"),
        ("client.head.distance_slope_percent_per_10min", -1.5, "-1.5 % in 10 min"),
        ("client.voice.creak_share", 0.5, "50 %"),
        ("client.head.jerk_rate_per_min", 0.5, "0.5 per min"),
        ("attachment_anxiety", 3.25, "3.2"),
        ("own_share", 12.0, "12"),
    ],
)
def test_values_are_written_as_people_write_them(name, x, said):
    assert value(name, x) == said


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_what_is_not_there_is_never_a_number(x):
    assert value("client.face.smile_share", x) == "missing"
    assert value("client.face.smile_share_slope_per_10min", x) == "missing"


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_no_value_loses_its_unit(entry):
    said = value(f"client.{entry.name}", 12.0)
    number = said.lstrip("+").split(" ")[0].rstrip("°")
    assert float(number) == (1200 if entry.unit.startswith(("share", "difference")) else 12)
    pure = entry.unit in ("1", "r", "score", "ratio")
    assert pure == (said == "12")


def test_the_longer_words_are_the_definition():
    assert longer("client.face.smile_share").startswith("Share of the time with the face in view")
    assert all(longer(f"client.{entry.name}") == entry.definition for entry in ALL)
