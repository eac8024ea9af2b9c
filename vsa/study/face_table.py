"""``face.parquet`` and ``landmarks.npz``: written a block at a time, so that memory does not grow with the session."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from vsa.study.parquet import read_signals

if TYPE_CHECKING:
    import pandas as pd


class Block(Protocol):
    """Consecutive rows of one participant (`vsa.face.follow.Block`)."""

    @property
    def t(self) -> npt.NDArray[np.float64]: ...  # noqa: D102
    @property
    def tracked(self) -> npt.NDArray[np.bool_]: ...  # noqa: D102
    @property
    def values(self) -> npt.NDArray[np.float32]: ...  # noqa: D102
    @property
    def points(self) -> npt.NDArray[np.float32] | None: ...  # noqa: D102


def write_face(path: Path, columns: Iterable[str], blocks: Iterable[tuple[str, Block]]) -> None:
    """Write ``face.parquet``.

    Parameters
    ----------
    path
        The file.
    columns
        Names of the values, in their order.
    blocks
        Participant and rows, participant after participant, each in order of time. Where rows of a face that was
        seen are marked as `interpolated` or not, that is a column too.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(columns)
    blocks, marked = _marked(blocks)
    schema = pa.schema(
        [
            ("t", pa.float64()),
            ("participant", pa.dictionary(pa.int8(), pa.string())),
            ("tracked", pa.bool_()),
            *((name, pa.float32()) for name in names),
            *([("interpolated", pa.bool_())] if marked else []),
        ]
    )
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        for participant, block in blocks:
            who = pa.DictionaryArray.from_arrays(np.zeros(len(block.t), np.int8), [participant])
            arrays = [
                pa.array(block.t),
                who,
                pa.array(block.tracked),
                *(pa.array(np.ascontiguousarray(column)) for column in block.values.T),
            ]
            if marked:
                taken_over = _marks(block)
                arrays.append(pa.array(np.zeros(len(block.t), bool) if taken_over is None else taken_over))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _marked(blocks: Iterable[tuple[str, Block]]) -> tuple[Iterator[tuple[str, Block]], bool]:
    """All blocks, and whether rows are marked, which a participant without a face doesn't tell."""
    rest = iter(blocks)
    ahead: list[tuple[str, Block]] = []
    for participant, block in rest:
        ahead.append((participant, block))
        if _marks(block) is not None or block.tracked.any():
            break
    return chain(ahead, rest), bool(ahead) and _marks(ahead[-1][1]) is not None


def _marks(block: Block) -> npt.NDArray[np.bool_] | None:
    """Which rows were taken over, (n,); only blocks of an extraction may say so."""
    return getattr(block, "interpolated", None)


def read_face(path: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read ``face.parquet``; NaN where the face was not tracked. Raises as `vsa.study.parquet.read_signals`."""
    return read_signals(path, columns)


def write_landmarks(path: Path, blocks: Iterable[tuple[str, Block]], folder: Path) -> None:
    """Write ``landmarks.npz``: ``t`` (n,), ``participant`` (n,), ``xyz`` (n, 478, 3) px, for tracked rows.

    `folder` takes an intermediate file.
    """
    raw = folder / "xyz.f32"
    times, names = [], []
    with raw.open("wb") as file:
        for participant, block in blocks:
            if block.points is not None:
                np.ascontiguousarray(block.points, np.float32).tofile(file)
                times.append(block.t[block.tracked])
                names.append(np.full(len(times[-1]), participant))
    t = np.concatenate(times or [np.empty(0)])
    who = np.concatenate(names or [np.empty(0, "<U1")])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in (("t", t), ("participant", who)):
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        with archive.open("xyz.npy", "w", force_zip64=True) as member:
            header: dict[str, Any] = {"descr": "<f4", "fortran_order": False, "shape": (len(t), 478, 3)}
            np.lib.format.write_array_header_2_0(member, header)
            for chunk in _chunks(raw):
                member.write(chunk)
    raw.unlink()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            yield chunk
