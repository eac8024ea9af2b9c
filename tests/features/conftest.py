from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from extraction import clip, extracted


@pytest.fixture(scope="session")
def face_table(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | Path], pd.DataFrame]:
    """``face.parquet`` of a real clip (its file name) or of a file, extracted once."""
    done: dict[str | Path, pd.DataFrame] = {}

    def table(source: str | Path) -> pd.DataFrame:
        if source not in done:
            made = isinstance(source, Path)
            got = extracted(source, tmp_path_factory.mktemp("made")) if made else clip(source)
            done[source] = got.face
        return done[source]

    return table
