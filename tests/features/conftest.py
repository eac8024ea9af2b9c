from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from extraction import extracted
from people import clip_path


@pytest.fixture(scope="session")
def face_table(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | Path], pd.DataFrame]:
    """``face.parquet`` of a real clip (its file name) or of a file, extracted once."""
    done: dict[Path, pd.DataFrame] = {}

    def table(source: str | Path) -> pd.DataFrame:
        path = source if isinstance(source, Path) else clip_path(source)
        if path not in done:
            done[path] = extracted(path, tmp_path_factory.mktemp("extracted")).face
        return done[path]

    return table
