"""The calls that ship with vsa: small, whole, and openly simulated."""

from __future__ import annotations

import json

import av
import pandas as pd

import vsa
from vsa.data import data_file
from vsa.study.manifest import read_manifest
from vsa.study.simulated_mark import is_marked

SAMPLE = data_file("sample_media")


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 8e6


def test_its_manifest_is_clean_and_says_that_it_is_simulated() -> None:
    manifest = read_manifest(SAMPLE / "manifest.csv")
    assert not manifest.without_consent
    assert [plan.session_id for plan in manifest.plans] == ["s01_plain", "s02_camera_off", "s03_poor_line"]
    assert all(plan.facts["simulated"] == "true" for plan in manifest.plans)
    assert all(set(plan.tiles) == {"client", "therapist"} for plan in manifest.plans)


def test_every_file_says_that_it_is_simulated() -> None:
    assert "SIMULATED" in (SAMPLE / "README.md").read_text("utf-8")
    assert pd.read_csv(SAMPLE / "answers.csv")["simulated"].all()
    for path in (SAMPLE / "media").iterdir():
        with av.open(str(path)) as film:
            assert "SIMULATED" in film.metadata["title"]
            assert 20 <= film.duration / 1e6 <= 40
    for path in (SAMPLE / "truth").glob("*/session.json"):
        assert json.loads(path.read_text("utf-8"))["simulated"] is True
    tables = [*SAMPLE.rglob("*.parquet")]
    assert len(tables) == 3 * 5 + 1
    assert all(map(is_marked, tables))


def test_its_truth_opens_as_results_do() -> None:
    truth = vsa.open_results(SAMPLE / "truth")
    assert list(truth) == ["s01_plain", "s02_camera_off", "s03_poor_line"]
    face = pd.read_parquet(SAMPLE / "truth" / "s02_camera_off" / "face.parquet")
    assert 0.5 < face["tracked"].mean() < 0.95


def test_its_truth_is_of_these_files() -> None:
    from vsa.media.digest import sha256_of_file

    for path in (SAMPLE / "truth").glob("*/session.json"):
        source = json.loads(path.read_text("utf-8"))["source"]
        film = SAMPLE / "media" / f"{path.parent.name}.mp4"
        assert source["sha256"] == sha256_of_file(film), path.parent.name
        assert source["bytes"] == film.stat().st_size
