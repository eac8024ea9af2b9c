from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import skops.io

from vsa.bond.store import load, save
from vsa.errors import InputError


class Foreign:
    """Stands for code that a file from elsewhere might bring."""


@pytest.fixture
def saved(strong_model, tmp_path):
    path = tmp_path / "model.skops"
    save(strong_model, path)
    return path


def rewritten(path, member, change):
    """The same zip with one member changed."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    held[member] = change(held[member])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)


def with_info(path, **values):
    rewritten(path, "vsa.json", lambda text: json.dumps({**json.loads(text), **values}).encode())


def test_a_model_comes_back_as_it_was(strong_model, strong_cohort, saved):
    back = load(saved)
    assert back.info == strong_model.info
    assert np.array_equal(back.expected(strong_cohort), strong_model.expected(strong_cohort))
    assert sorted(os.listdir(saved.parent)) == ["model.skops"]


def test_the_file_holds_no_pickle_and_says_what_it_is(saved):
    with zipfile.ZipFile(saved) as archive:
        assert not [
            name for name in archive.namelist() if "pickle" in name or name.endswith((".pkl", ".joblib"))
        ]
        info = json.loads(archive.read("vsa.json"))
    assert info["simulated"] is True
    assert info["schema"] == 2
    assert {"vsa", "scikit-learn", "skops", "numpy", "python"} <= set(info["versions"])
    assert info["evaluation"]["held_out"][0]["scores"]["training_mean"]["mae"]["value"] > 0


def test_foreign_types_are_refused(strong_model, saved):
    with zipfile.ZipFile(saved) as archive:
        info = archive.read("vsa.json")
    skops.io.dump({"pipeline": strong_model.pipeline, "conformal": Foreign(), "base": None}, saved)
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("vsa.json", info)
    with pytest.raises(InputError, match=r"does not load: .*Foreign"):
        load(saved)


def test_models_of_other_features_are_refused(saved):
    with zipfile.ZipFile(saved) as archive:
        versions = json.loads(archive.read("vsa.json"))["feature_versions"]
    with_info(
        saved, feature_versions={**versions, "client.blink.rate_per_min": 99, "client.gaze.gone_share": 1}
    )
    with pytest.raises(InputError, match=r"2 features .*another way.*client\.blink\.rate_per_min") as caught:
        load(saved)
    assert "one version" in caught.value.hint


def test_numbers_that_come_out_differently_are_refused(saved):
    with_info(saved, probe=0.123)
    with pytest.raises(InputError, match="gives other numbers"):
        load(saved)


def test_other_schemas_and_damaged_files_are_refused(saved, tmp_path):
    whole = saved.read_bytes()
    with_info(saved, schema=7)
    with pytest.raises(InputError, match="schema 7"):
        load(saved)
    with_info(saved, schema=2, design=None)
    with pytest.raises(InputError, match="damaged"):
        load(saved)
    rewritten_path = tmp_path / "half.skops"
    rewritten_path.write_bytes(whole[: len(whole) // 2])
    for path, said in (
        (rewritten_path, "no bond model"),
        (tmp_path / "absent.skops", "does not exist"),
        (tmp_path, "does not exist"),
    ):
        with pytest.raises(InputError, match=said):
            load(path)
    saved.write_bytes(whole)
    rewritten(saved, "schema.json", lambda text: text[:100])
    with pytest.raises(InputError, match="damaged"):
        load(saved)


def test_a_place_that_cannot_be_written_is_said(strong_model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        save(replace(strong_model), tmp_path / "file" / "model.skops")


@pytest.mark.parametrize(
    "values",
    [
        {"calibration": {"intercept": 0.0, "slope": None, "base_rate": 0.2}},
        {"calibration": {"intercept": "0", "slope": -1.0, "base_rate": 0.2}},
        {"quality": [["zz"]]},
        {"people": 5},
        {"people": {"gender": {"f": "many"}}},
        {"scale": [1, 2, 3]},
        {"weak": {"kind": "loud", "value": 0.2}},
        {"middle": ["x"]},
        {"weak_cut": None},
        {"versions": {"vsa": 1}},
    ],
)
def test_values_of_foreign_types_are_said_before_anything_is_computed(saved, values):
    with_info(saved, **values)
    with pytest.raises(InputError, match=r"its vsa\.json is damaged"):
        load(saved)
