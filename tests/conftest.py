"""Settings of all tests."""

import os
from pathlib import Path

import extraction
import pytest
from browsing import browser, browser_page  # noqa: F401  fixtures of all tests
from hypothesis import settings

# a busy machine is no fault of the code; and a change is taken for what it does, not for an example that was drawn
settings.register_profile("here", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session", autouse=True)
def _one_folder_for_all_processes(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "clips"
    shared.mkdir(mode=0o700, exist_ok=True)
    extraction.SHARED[:] = [Path(shared)]
