from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vsa.study import gathering
from vsa.study.checkup import examine_study
from vsa.study.gathering import ORIGINS, one_table
from vsa.study.parquet import read_row, write_row, write_table
from vsa.study.results import Results
from vsa.study.simulated_mark import is_marked, mark


def finish(folder: Path, session_id: str, **features: float | str) -> None:
    with Results(folder).writing(session_id) as made:
        for name in ("face", "voice", "turns"):
            pd.DataFrame({"t": [0.0]}).to_parquet(made / f"{name}.parquet")
        write_row({"session_id": session_id, **features}, made / "features.parquet")
        (made / "session.json").write_text('{"status": "complete"}')


def afresh(folder: Path, empty: Path) -> pa.Table:
    """What is gathered where nothing was gathered before."""
    shutil.rmtree(empty, ignore_errors=True)
    shutil.copytree(folder, empty)
    (empty / "features.parquet").unlink(missing_ok=True)
    Results(empty).gather_features()
    return read_row(empty / "features.parquet")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_to_sessions_the_table_is_as_if_gathered_for_the_first_time(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "results"
    folder.mkdir()

    def measure(name: str) -> None:
        columns = chance.sample("uvwxyz", chance.randint(0, 4))
        values: dict[str, float | str] = {c: chance.choice([chance.random(), float("nan")]) for c in columns}
        if chance.random() < 0.1:
            values[chance.choice("uvwxyz")] = "text"
        finish(folder, name, **values)

    def remove(name: str) -> None:
        shutil.rmtree(folder / name, ignore_errors=True)

    def simulate(name: str) -> None:
        with suppress(OSError, ValueError):  # not there, or damaged
            mark([folder / name / "features.parquet"])

    def damage(name: str) -> None:
        if (folder / name).exists():
            (folder / name / "features.parquet").write_bytes(b"of no use PAR1")

    actions: list[Callable[[str], None]] = [measure, measure, measure, remove, simulate, damage]
    for _ in range(25):
        for _ in range(chance.randint(0, 3)):
            chance.choice(actions)(chance.choice("abcdefg"))
        Results(folder).gather_features()
        found, expected = read_row(folder / "features.parquet"), afresh(folder, tmp_path / "afresh")
        assert found.equals(expected, check_metadata=True), (found.to_pydict(), expected.to_pydict())
        assert is_marked(folder / "features.parquet") == is_marked(tmp_path / "afresh" / "features.parquet")


def test_rows_of_files_that_are_known_are_not_taken_apart_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def spied(file: IO[bytes], *, alone: bool = False) -> pa.Table:
        table = read_row(file, alone=alone)
        read.extend(table["session_id"].to_pylist())
        return table

    def file(name: str, x: float) -> Callable[[], bytes]:
        write_row({"session_id": name, "x": x}, tmp_path / name)
        return (tmp_path / name).read_bytes

    monkeypatch.setattr(gathering, "read_row", spied)
    table = one_table([file("a", 1.0), file("b", 2.0), file("c", 3.0)])
    assert sorted(read) == ["a", "b", "c"]
    read.clear()
    again = one_table([file("a", 1.0), file("b", 2.5), file("d", 4.0)], table)
    assert sorted(read) == ["b", "d"]
    assert again.to_pydict() == {"session_id": ["a", "b", "d"], "x": [1.0, 2.5, 4.0]}
    assert again.equals(one_table([file("a", 1.0), file("b", 2.5), file("d", 4.0)]), check_metadata=True)


def test_what_another_program_changed_in_the_table_is_not_taken_over(tmp_path: Path) -> None:
    finish(tmp_path, "a", x=1.0)
    finish(tmp_path, "b", x=2.0)
    Results(tmp_path).gather_features()
    path = tmp_path / "features.parquet"
    table = read_row(path)
    changed = table.set_column(1, "x", pa.array([7.0, 7.0]))
    assert ORIGINS in changed.schema.metadata
    write_table(changed, path)
    Results(tmp_path).gather_features()
    assert read_row(path).equals(table)
    said = json.loads(table.schema.metadata[ORIGINS])
    said["rows"].reverse()  # each row is said to be of the other's file
    for spoilt in (b"{", b"[]", b"[" * 100_000, b'{"sha256": 1}', json.dumps(said).encode()):
        pq.write_table(table.replace_schema_metadata({ORIGINS: spoilt}), path)
        Results(tmp_path).gather_features()
        assert read_row(path).equals(table)


def test_a_link_in_the_place_of_the_table_is_not_followed(tmp_path: Path) -> None:
    folder, other = tmp_path / "results", tmp_path / "other.parquet"
    folder.mkdir()
    finish(folder, "a", x=1.0)
    Results(folder).gather_features()
    table = read_row(folder / "features.parquet")
    # its rows would be taken for those of the session
    elsewhere = one_table([(folder / "a" / "features.parquet").read_bytes], None)
    changed = elsewhere.set_column(1, "x", pa.array([7.0]))
    said = {"columns": [["session_id", "x"]], "rows": json.loads(elsewhere.schema.metadata[ORIGINS])["rows"]}
    said["sha256"] = gathering._fingerprint(changed, said)
    write_table(changed.replace_schema_metadata({ORIGINS: json.dumps(said)}), other)
    before = other.read_bytes()
    (folder / "features.parquet").unlink()
    (folder / "features.parquet").symlink_to(other)
    Results(folder).gather_features()
    assert read_row(folder / "features.parquet").equals(table)
    assert other.read_bytes() == before


def three_rows(folder: Path, *ids: str) -> None:
    table = pa.table({"session_id": [*ids], "x": [7.0] * len(ids)})
    write_table(table, folder / "features.parquet")


def test_a_file_of_several_rows_costs_its_session_alone_and_is_said(tmp_path: Path) -> None:
    for k, name in enumerate(("s01", "s02", "s03")):
        finish(tmp_path, name, x=float(k))
    Results(tmp_path).gather_features()
    three_rows(tmp_path / "s02", "s02", "s01", "s02")
    for _ in range(2):  # with what was gathered before, and without
        said: dict[str, str] = {}
        assert Results(tmp_path).gather_features(said.__setitem__) == 2
        assert said == {"s02": "it holds 3 rows, not one"}
        table = read_row(tmp_path / "features.parquet")
        assert table.to_pydict() == {"session_id": ["s01", "s03"], "x": [0.0, 2.0]}
        (tmp_path / "features.parquet").unlink()


def test_another_sessions_row_and_a_cut_file_are_said(tmp_path: Path) -> None:
    for k, name in enumerate(("s01", "s02", "s03")):
        finish(tmp_path, name, x=float(k))
    shutil.copy(tmp_path / "s01" / "features.parquet", tmp_path / "s02")
    cut = (tmp_path / "s03" / "features.parquet").read_bytes()
    (tmp_path / "s03" / "features.parquet").write_bytes(cut[: len(cut) // 2] + b"PAR1")
    said: dict[str, str] = {}
    for _ in range(2):
        assert Results(tmp_path).gather_features(said.__setitem__) == 1
        assert said == {"s02": "its row is not this session's", "s03": "it is damaged"}
    (check,) = [check for check in examine_study(tmp_path) if check.name == "features.parquet"]
    assert "2 sessions whose own table is damaged or not their one row: s02, s03" in check.found
    assert "--afresh" in check.todo


def test_a_row_that_would_unpack_to_millions_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(tmp_path, "s01", x=1.0)
    finish(tmp_path, "s02", x=2.0)
    rows = 2_000_000
    bomb = pa.table({"session_id": pa.repeat("s02", rows), "x": pa.repeat(0.0, rows)})
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("it was unpacked"))
    for place in ("s02", ""):
        pq.write_table(bomb, tmp_path / place / "features.parquet", row_group_size=rows)
    with pytest.raises(ValueError, match="rows"):
        gathering.gathered((tmp_path / "features.parquet").read_bytes())
    with pytest.raises(ValueError, match="2000000 rows"):
        gathering.own_row((tmp_path / "s02" / "features.parquet").read_bytes(), "s02")
    (check,) = [check for check in examine_study(tmp_path) if check.name == "features.parquet"]
    assert "2000000 rows" in check.found
