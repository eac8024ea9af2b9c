"""Reports, lists and models are made with the network cut, and ask for none."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command import vsa

from vsa.simulate.cohort import simulate_cohort

pytestmark = pytest.mark.slow  # it takes whole runs of commands

#: It takes long.
TRAIN = pytest.param("train", marks=pytest.mark.slow)
CUT = ["unshare", "--net", "--map-root-user"]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rated") / "cohort.csv"
    table = simulate_cohort(20, 2, seed=2)
    half = table["client_id"].rank(method="dense") % 2 == 0
    table.assign(modality=half.map({True: "online", False: "in_person"})).to_csv(path, index=False)
    return path


def arguments(command: str, study: Path, rated: Path, out: Path) -> list[str | Path]:
    return {
        "report": ["report", study, "--rules", "--link-media", "--session", "sim-c001-s1", "--out", out],
        "flag": ["flag", study, "--rules", "--out", out],
        "train": ["train", rated, "--permutations", "0", "--out", out],
        "compare": ["compare", rated, "--by", "modality", "--out", out],
    }[command]


@pytest.mark.parametrize("command", ["report", "flag", TRAIN, "compare"])
def test_it_runs_without_any_network_interface(
    study: Path, rated: Path, tmp_path: Path, command: str
) -> None:
    if shutil.which("unshare") is None or subprocess.run([*CUT, "true"], capture_output=True).returncode:
        pytest.skip("a network namespace can't be made here")
    done = vsa(*arguments(command, study, rated, tmp_path / "out"), prefix=CUT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["report", "flag", TRAIN])
def test_no_connection_outside_this_machine_is_tried(
    study: Path, rated: Path, tmp_path: Path, command: str
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    log = tmp_path / "connects"
    watched = ["strace", "-f", "-qq", "-e", "trace=connect,sendto", "-o", str(log)]
    if subprocess.run([*watched, "true"], capture_output=True).returncode:
        pytest.skip("strace can't trace here")
    done = vsa(*arguments(command, study, rated, tmp_path / "out"), prefix=watched)
    assert done.returncode == 0, done.stderr
    tried = [line for line in log.read_text().splitlines() if re.search(r"sa_family=AF_INET6?\b", line)]
    assert not tried, tried


def test_pages_name_no_address_that_a_browser_would_load(study: Path, tmp_path: Path) -> None:
    """Nor send anything to: they say so to the browser themselves."""
    done = vsa("report", study, "--rules", "--session", "sim-c001-s1", "--out", tmp_path / "report")
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "report").rglob("*.html"))
    assert len(pages) >= 2
    for page in pages:
        text = page.read_text("utf-8")
        assert "Content-Security-Policy" in text
        loads = re.findall(r"""(?:src|action|srcset|data|poster)\s*=\s*["']([^"']*)""", text)
        loads += re.findall(r"""<link[^>]*href=["']([^"']*)""", text)
        assert loads
        assert not [one for one in loads if re.match(r"[a-z]+:|//", one, re.IGNORECASE) and one != "data:,"]
    for style in (tmp_path / "report").rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//|@import", style.read_text("utf-8"))
