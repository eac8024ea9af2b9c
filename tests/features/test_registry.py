from __future__ import annotations

import re

import numpy as np
import pytest
from acted import session, table, times

from vsa.errors import InputError
from vsa.features import registry
from vsa.features.registry import compute, features, find, is_full_name

NAMES = {
    "quality.tracked_share",
    "quality.face_height_px",
    "gaze.on_screen_share",
    "blink.rate_per_min",
    "face.smile_share",
    "face.smile_rate_per_min",
    "face.expressivity_per_s",
    "head.movement_deg_per_s",
    "head.nod_rate_per_min",
    "head.motion_energy_per_s",
}


def test_the_ten_face_features_are_there():
    assert {entry.name for entry in features()} >= NAMES


@pytest.mark.parametrize("entry", features(), ids=lambda entry: entry.name)
def test_an_entry_says_all_that_a_reader_needs(entry):
    assert entry.definition.endswith(".")
    assert len(entry.definition) > 20
    assert entry.source
    assert entry.minimum
    assert entry.needs
    assert entry.group in registry.GROUPS
    suffix = {"share": "_share", "1/min": "_per_min", "px": "_px", "deg/s": "_deg_per_s"}
    assert entry.name.endswith(suffix.get(entry.unit, ""))
    if entry.unit == "share":
        assert entry.range == (0.0, 1.0)


def test_a_name_is_taken_once_and_belongs_to_a_group():
    def enter(name):
        return registry.feature(
            name,
            scope="role",
            unit="s",
            range=(None, None),
            expect="none",
            needs=("face",),
            minimum="-",
            source="-",
        )

    def seconds(session, role):
        """Some seconds."""
        return 0.0

    with pytest.raises(ValueError, match="in the registry already"):
        enter("blink.rate_per_min")(seconds)
    with pytest.raises(ValueError, match="group"):
        enter("mood.happy_share")(seconds)
    with pytest.raises(ValueError, match="docstring"):
        enter("gaze.nothing")(lambda session, role: 0.0)
    assert {entry.name for entry in features()} == NAMES


def test_find_takes_both_names_and_proposes_the_nearest():
    assert find("blink.rate_per_min") is find("therapist.blink.rate_per_min")
    with pytest.raises(InputError, match=re.escape("face.smile_rate_per_min")):
        find("smile_rate")


def test_full_names_are_told_from_other_columns():
    assert is_full_name("client.gaze.on_screen_share")
    assert is_full_name("p1.head.nod_rate_per_min")
    for other in ("bond", "client_id", "gaze.on_screen_share", "client.mood.x", "facts.a.b"):
        assert not is_full_name(other)


def test_values_stay_in_their_range_whatever_the_signals():
    rng = np.random.default_rng(0)
    t = times(40, 25)
    names = ["eye_open_left", "eye_open_right", "mouthSmileLeft", "mouthSmileRight", "jawOpen"]
    wild = {name: rng.uniform(0, 1, len(t)) for name in names}
    angles = {
        name: rng.normal(0, 30, len(t)) for name in ("gaze_yaw", "gaze_pitch", "head_pitch", "head_yaw")
    }
    row = compute(session(table(t, **wild, **angles))).row
    for name, value in row.items():
        low, high = find(name).range
        assert np.isnan(value) or ((low is None or value >= low) and (high is None or value <= high)), name
