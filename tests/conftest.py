"""Settings of all tests."""

import os
from pathlib import Path

import extraction
import pytest
from hypothesis import settings

# a change is taken or not for what it does, not for an example that happened to be drawn
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _one_folder_for_all_processes(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "clips"
    shared.mkdir(mode=0o700, exist_ok=True)
    extraction.SHARED[:] = [Path(shared)]
