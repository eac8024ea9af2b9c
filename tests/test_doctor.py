"""`vsa doctor`: says what is there and what to do about what is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from vsa import assets, doctor
from vsa.commands.doctor import doctor as command
from vsa.errors import ModelMissingError


def named(checks: list[doctor.Check], name: str) -> doctor.Check:
    return next(check for check in checks if check.name == name)


def test_without_models_it_exits_2_and_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSA_CACHE", str(tmp_path))
    monkeypatch.delenv("VSA_MODELS", raising=False)
    result = CliRunner().invoke(command, ["--json"])
    assert result.exit_code == 2
    report = json.loads(result.output)
    assert report["can_extract"] is False
    face = next(check for check in report["checks"] if check["name"] == "model for face")
    assert face["verdict"] == "missing"
    assert "vsa models pull" in face["todo"]


def test_with_models_extraction_can_run() -> None:
    try:
        assets.find("face_landmarker.task")
    except ModelMissingError as error:
        pytest.skip(str(error))
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0, result.output
    assert "Extraction can run." in result.output


def test_every_codec_that_calls_are_recorded_in_can_be_read() -> None:
    video = named(doctor.examine(), "video")
    assert video.verdict == "ok"
    for codec in ("h264", "hevc", "mpeg4", "vp8", "vp9", "av1"):
        assert codec in video.found


def test_the_engines_load_and_everything_not_ok_says_what_to_do() -> None:
    checks = doctor.examine()
    assert named(checks, "engine cpu").verdict == "ok"
    assert named(checks, "OpenCV").verdict == "ok"
    assert named(checks, "engine mediapipe").verdict == "ok"
    assert all(check.todo for check in checks if check.verdict != "ok")


def test_two_opencv_wheels_over_each_other_are_noticed() -> None:
    check = doctor.judge_opencv(["opencv-contrib-python 4.12", "opencv-python 4.11"])
    assert check.verdict == "warn"
    assert "pip uninstall opencv-contrib-python opencv-python" in check.todo


@pytest.mark.parametrize("version", ["0.10.35", "1.2.3"])
def test_a_mediapipe_that_reports_usage_is_warned_of_and_not_imported(tmp_path: Path, version: str) -> None:
    """An installed one, as pip would have recorded it, whose import would fail the look."""
    info = tmp_path / f"mediapipe-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: mediapipe\nVersion: {version}\n")
    (tmp_path / "mediapipe").mkdir()
    (tmp_path / "mediapipe" / "__init__.py").write_text("raise SystemExit('imported')")
    code = "from vsa.doctor import examine; print([c for c in examine() if c.name == 'engine mediapipe'])"
    here = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": here},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "verdict='warn'" in done.stdout
    assert "usage metrics" in done.stdout


def test_an_unwritable_cache_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VSA_CACHE", str(tmp_path / "file"))
    check = named(doctor.examine(), "cache folder")
    assert check.verdict == "warn"
    assert "VSA_CACHE" in check.todo


def test_a_library_that_lacks_its_system_library_names_the_package() -> None:
    assert "libgl1" in doctor._system_library("libGL.so.1: cannot open shared object file")
    assert "libegl1" in doctor._system_library("libEGL.so.1: cannot open shared object file")
    assert "libglib2.0-0" in doctor._system_library("libgthread-2.0.so.0: cannot open shared object file")
