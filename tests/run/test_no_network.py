"""Extraction runs with the network cut, and asks for none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import media_files
import pytest
from command import vsa
from pretrained import need_faces

from vsa import assets
from vsa.errors import ModelMissingError
from vsa.voice import activity


@pytest.fixture(autouse=True)
def _models() -> None:
    need_faces()


def test_it_runs_without_any_network_interface(tmp_path: Path) -> None:
    cut = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*cut, "true"], capture_output=True).returncode:
        pytest.skip("a network namespace can't be made here")
    done = vsa("extract", media_files.with_sound(tmp_path), "--out", tmp_path / "out", prefix=cut)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "with_sound" / "voice.parquet").exists()


@pytest.mark.parametrize("engine", ["cpu", pytest.param("mediapipe", marks=pytest.mark.slow)])
def test_no_connection_outside_this_machine_is_tried(tmp_path: Path, engine: str) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = tmp_path / "connects"
    watched = ["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(log)]
    if subprocess.run([*watched, "true"], capture_output=True).returncode:
        pytest.skip("strace can't trace here")
    call = media_files.with_sound(tmp_path)
    done = vsa("extract", call, "--out", tmp_path / "out", "--engine", engine, prefix=watched)
    assert done.returncode == 0, done.stderr
    tried = [line for line in log.read_text().splitlines() if re.search(r"sa_family=AF_INET6?\b", line)]
    assert not tried, tried


def test_the_speech_detector_leaves_nothing_about_its_use(tmp_path: Path) -> None:
    """ONNX Runtime 1.29 and later keep a device id and a list of events in the home folder, to be sent later."""
    try:
        model = assets.find(activity.MODEL)
    except ModelMissingError as error:
        pytest.skip(str(error))
    program = (
        "import numpy as np; from vsa.voice.activity import speech_probability as p; p(np.zeros(16000, 'f'))"
    )
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "VSA_MODELS": str(model.parent)}
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **places}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
