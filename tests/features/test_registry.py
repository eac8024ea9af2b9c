from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from acted import session, table, times

from vsa.errors import InputError
from vsa.features import reference, registry
from vsa.features.registry import compute, features, find, is_full_name

#: Units of features, and how the names of those that have them end.
SUFFIXES = {
    "share": "_share",
    "difference": ("_difference", "_lift"),
    "1/min": "_per_min",
    "1/s": "_per_s",
    "s": "_s",
    "min": "_min",
    "deg": "_deg",
    "deg/s": "_deg_per_s",
    "cm": "_cm",
    "cm/s": "_cm_per_s",
    "px": "_px",
    "Hz": "_hz",
    "st": "_st",
    "dB": "_db",
    "grey levels/s": "_per_s",
    "z": "_z",
    "r": "_r",
    "ratio": "_ratio",
    "score": "_score",
    "1": "",
}
RANGES = {"share": (0.0, 1.0), "score": (0.0, 1.0), "difference": (-1.0, 1.0), "r": (-1.0, 1.0)}


def test_every_group_has_features_and_a_session_of_two_a_long_row():
    assert {entry.group for entry in features()} == set(registry.GROUPS)
    columns = sum(1 if entry.scope == registry.DYAD else 2 for entry in features())
    assert len(features()) >= 110
    assert columns == len(compute(session(table(times(1, 25)), table(times(1, 25), "p2"))).row)


@pytest.mark.parametrize("entry", features(), ids=lambda entry: entry.name)
def test_an_entry_says_all_that_a_reader_needs(entry):
    assert entry.definition.endswith(".")
    assert len(entry.definition) > 20
    assert entry.source
    assert entry.minimum
    assert entry.needs
    assert entry.group in registry.GROUPS
    assert len(entry.definition) <= 200
    per_10min = entry.unit.endswith("/10 min")
    assert entry.name.endswith("_per_10min" if per_10min else SUFFIXES[entry.unit])
    assert entry.range == RANGES.get(entry.unit, entry.range)


def test_a_name_is_taken_once_and_belongs_to_a_group():
    before = features()

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
    assert features() == before


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


def test_the_page_of_documentation_is_that_of_the_registry():
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text("utf-8")
    assert page == reference.markdown(), "docs/features.md is old: make docs"
