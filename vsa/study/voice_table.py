"""``voice.parquet``: one row per voice and 10 ms."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from vsa.study.parquet import read_signals

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STEP_S = 0.01
#: Columns of numbers.
VALUES = ("f0_hz", "intensity_db", "spectral_tilt_db")
_ROWS = 1 << 17  # written at once


class Voice(Protocol):
    """One voice (`vsa.voice.voice_track.VoiceTrack`)."""

    @property
    def participant(self) -> str: ...  # noqa: D102
    @property
    def start_s(self) -> float: ...  # noqa: D102
    @property
    def speech(self) -> npt.NDArray[np.float32]: ...  # noqa: D102
    @property
    def speaking(self) -> npt.NDArray[np.bool_]: ...  # noqa: D102
    @property
    def f0_hz(self) -> npt.NDArray[np.float32]: ...  # noqa: D102
    @property
    def intensity_db(self) -> npt.NDArray[np.float32]: ...  # noqa: D102
    @property
    def spectral_tilt_db(self) -> npt.NDArray[np.float32]: ...  # noqa: D102


def write_voice(path: Path, voices: Iterable[Voice]) -> None:
    """Write ``voice.parquet``, voice after voice, each in order of time; without voices it has no rows."""
    import pyarrow.parquet as pq

    schema = _schema()
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        for voice in voices:
            for first in range(0, len(voice.speech), _ROWS):
                writer.write_table(_rows(voice, slice(first, first + _ROWS), schema))


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [
            ("t", pa.float64()),
            ("participant", pa.dictionary(pa.int8(), pa.string())),
            ("speech", pa.float32()),
            ("speaking", pa.bool_()),
            *((name, pa.float32()) for name in VALUES),
        ]
    )


def _rows(voice: Voice, rows: slice, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    speech = voice.speech[rows]
    unknown = ~np.isfinite(speech)
    t = np.round(voice.start_s + STEP_S * np.arange(rows.start, rows.start + len(speech)), 6)
    return pa.Table.from_arrays(
        [
            pa.array(t),
            pa.DictionaryArray.from_arrays(np.zeros(len(speech), np.int8), [voice.participant]),
            pa.array(speech),
            pa.array(voice.speaking[rows], mask=unknown),
            *(pa.array(np.ascontiguousarray(getattr(voice, name)[rows])) for name in VALUES),
        ],
        schema=schema,
    )


def read_voice(path: Path) -> pd.DataFrame:
    """Read ``voice.parquet``; `speaking` is nullable boolean, missing where it can't be said who speaks.

    Raises as `vsa.study.parquet.read_signals`.
    """
    return read_signals(path).astype({"speaking": "boolean", "participant": "str"})


def speaking_of(voice: pd.DataFrame) -> tuple[float, dict[str, npt.NDArray[np.bool_]]]:
    """When each voice of ``voice.parquet`` speaks.

    Returns
    -------
    Time of the first step, s, and bool (m,) for each voice, in the table's order; False where it can't be said.
    """
    start_s = float(voice["t"].min()) if len(voice) else 0.0
    said = {
        str(who): rows["speaking"].fillna(False).to_numpy(np.bool_)
        for who, rows in voice.groupby("participant", sort=False)
    }
    return start_s, said
