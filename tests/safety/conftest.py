"""A small study with signals, and with rows enough to be judged; what commands say of it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

from vsa.run.cohort_files import write_cohort
from vsa.simulate.cohort import CohortDesign, simulate_cohort
from vsa.study.parquet import write_parquet


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short sessions of one client as extraction would write them, and twenty that are rows alone."""
    out = tmp_path_factory.mktemp("safety") / "study"
    write_cohort(out, CohortDesign(clients=1, sessions=(2, 2)), "signals", 5, seconds=40.0, fps=5.0)
    own = pd.read_parquet(out / "features.parquet")
    others = simulate_cohort(10, 2, seed=9)
    others["session_id"] = "row-" + others["session_id"]
    table = pd.concat([own, others[[name for name in others if name in own]]], ignore_index=True)
    write_parquet(table.copy().assign(simulated=True), out / "features.parquet")
    return out


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study", ignore=shutil.ignore_patterns("log.jsonl")))


@pytest.fixture(scope="session")
def secret() -> str:
    """Stands in what lies outside of a study, and may be found nowhere else."""
    return "sesame-" + hashlib.sha256(b"outside").hexdigest()[:12]
