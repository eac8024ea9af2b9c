"""Tables of faces: what is written comes back, in the types that the format promises."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from vsa.face.table import COLUMNS
from vsa.study.face_table import read_face, write_face, write_landmarks
from vsa.study.landmark_file import LandmarkFile


@dataclass(frozen=True)
class Rows:
    t: npt.NDArray[np.float64]
    tracked: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float32]
    points: npt.NDArray[np.float32] | None


def rows(start: float, count: int, seed: int, landmarks: bool = True) -> Rows:
    """Rows of which about a third were not tracked."""
    rng = np.random.default_rng(seed)
    tracked = rng.random(count) > 0.3
    values = rng.normal(0, 50, (count, len(COLUMNS))).astype(np.float32)
    values[~tracked] = np.nan
    points = rng.normal(300, 100, (int(tracked.sum()), 478, 3)).astype(np.float32)
    return Rows(start + np.arange(count) / 29.97, tracked, values, points if landmarks else None)


def session() -> list[tuple[str, Rows]]:
    return [("p1", rows(0, 40, 1)), ("p1", rows(40 / 29.97, 25, 2)), ("p2", rows(0, 65, 3))]


def test_rows_come_back_bit_for_bit(tmp_path: Path) -> None:
    blocks = session()
    write_face(tmp_path / "face.parquet", COLUMNS, blocks)
    table = read_face(tmp_path / "face.parquet")
    assert table["participant"].tolist() == ["p1"] * 65 + ["p2"] * 65
    np.testing.assert_array_equal(table["t"], np.concatenate([b.t for _, b in blocks]))
    np.testing.assert_array_equal(table["tracked"], np.concatenate([b.tracked for _, b in blocks]))
    np.testing.assert_array_equal(
        table[list(COLUMNS)].to_numpy(), np.concatenate([b.values for _, b in blocks])
    )


def test_types_are_those_of_the_format_and_missing_is_nan(tmp_path: Path) -> None:
    write_face(tmp_path / "face.parquet", COLUMNS, session())
    schema = pq.read_schema(tmp_path / "face.parquet")
    assert schema.names[:8] == [
        *("t", "participant", "tracked", "confidence"),
        *("box_x", "box_y", "box_w", "box_h"),
    ]
    assert len(schema.names) == 3 + 17 + 52
    assert schema.field("t").type == pa.float64()
    assert schema.field("tracked").type == pa.bool_()
    assert schema.field("participant").type.value_type == pa.string()
    assert {schema.field(name).type for name in COLUMNS} == {pa.float32()}
    stored = pq.read_table(tmp_path / "face.parquet")
    assert all(column.null_count == 0 for column in stored.columns)
    table = read_face(tmp_path / "face.parquet")
    assert table.loc[~table["tracked"], list(COLUMNS)].isna().all(axis=None)
    assert table.loc[table["tracked"], list(COLUMNS)].notna().all(axis=None)


def test_some_columns_can_be_read_alone(tmp_path: Path) -> None:
    write_face(tmp_path / "face.parquet", COLUMNS, session())
    assert list(read_face(tmp_path / "face.parquet", ["t", "head_yaw"])) == ["t", "head_yaw"]


def test_a_session_of_nobody_is_a_table_without_rows(tmp_path: Path) -> None:
    write_face(tmp_path / "face.parquet", COLUMNS, [])
    table = read_face(tmp_path / "face.parquet")
    assert (len(table), list(table)[3:]) == (0, list(COLUMNS))
    write_landmarks(tmp_path / "landmarks.npz", [], tmp_path)
    with np.load(tmp_path / "landmarks.npz", allow_pickle=False) as stored:
        assert stored["xyz"].shape == (0, 478, 3)
    assert LandmarkFile(tmp_path / "landmarks.npz").at(0.0) == {}


def test_landmarks_are_a_plain_npz_of_the_tracked_rows(tmp_path: Path) -> None:
    blocks = [*session(), ("p3", rows(0, 5, 4, landmarks=False))]
    write_landmarks(tmp_path / "landmarks.npz", blocks, tmp_path)
    assert os.listdir(tmp_path) == ["landmarks.npz"]
    with np.load(tmp_path / "landmarks.npz", allow_pickle=False) as stored:
        assert sorted(stored) == ["participant", "t", "xyz"]
        t, who, xyz = stored["t"], stored["participant"], stored["xyz"]
    assert (t.dtype, xyz.dtype, who.dtype.kind) == (np.float64, np.float32, "U")
    assert xyz.shape == (len(t), 478, 3)
    np.testing.assert_array_equal(t, np.concatenate([b.t[b.tracked] for _, b in session()]))
    np.testing.assert_array_equal(
        xyz, np.concatenate([b.points for _, b in session() if b.points is not None])
    )
    assert set(who) == {"p1", "p2"}


def test_landmarks_are_found_by_time(tmp_path: Path) -> None:
    blocks = session()
    write_landmarks(tmp_path / "landmarks.npz", blocks, tmp_path)
    stored = LandmarkFile(tmp_path / "landmarks.npz")
    block = blocks[2][1]
    assert block.points is not None
    for place, k in enumerate(np.flatnonzero(block.tracked)):
        np.testing.assert_array_equal(stored.at(float(block.t[k]))["p2"], block.points[place])
    unseen = int(np.flatnonzero(~block.tracked)[0])
    assert "p2" not in stored.at(float(block.t[unseen]))
