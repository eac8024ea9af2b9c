"""Manifests of any dialect, and study folders whose tables are of any shape: what is made of them, or words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fuzzing import CELLS, TIMES, quick, tables, taken
from hypothesis import example, given
from hypothesis import strategies as st

from vsa.study.blanked import blanked
from vsa.study.failures import read_failures
from vsa.study.manifest import read_consent, read_manifest
from vsa.study.plan import id_fault
from vsa.study.tables import read_table
from vsa.study.withdrawal import find

COLUMNS = st.sampled_from(
    [
        *(
            "session_id",
            "video",
            "consent",
            "session_id",
            "video",
            "consent",
            "video:client",
            "consent:client",
        ),
        *(
            "tile:client",
            "audio:client",
            "client_id",
            "therapist_id",
            "date",
            "bond",
            "age",
            "rater",
            "x",
            "",
        ),
    ]
)
RIGHT = st.sampled_from(
    [
        "s1",
        "s2",
        "a.mp4",
        "yes",
        "no",
        "research",
        "left",
        "0,0,640,360",
        "9" * 30,
        "0,0,0,0",
        "c1",
        "client",
        "staff",
    ]
)


@quick(300)
@given(tables(COLUMNS, RIGHT | CELLS | TIMES))
def test_any_table_is_a_manifest_or_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").touch()
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    taken(lambda: read_consent(path))
    if found := taken(lambda: read_manifest(path)):
        assert all(not id_fault(plan.session_id) and plan.consent for plan in found.plans)


@quick(200)
@given(tables(COLUMNS, RIGHT | CELLS))
def test_withdrawing_reads_any_manifest_and_any_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    (tmp_path / "more.csv").write_bytes(content)
    if subject := taken(lambda: find(tmp_path, "c1")):
        changed = taken(lambda: blanked(tmp_path, subject))
        assert changed is None or changed.rows >= 0


@quick(200)
@given(tables(COLUMNS, RIGHT | CELLS))
def test_any_table_is_a_table_or_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    for text in (False, True):
        table = taken(lambda as_text=text: read_table(path, text=as_text))
        assert table is None or len(table)
    assert isinstance(read_failures(path), list)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.slow
@quick(150)
@example("facts", 1)
@example("facts", {"client_id": [1], "platform": {"a": 1}})
@given(st.sampled_from(["facts", "consent", "status", "session_id", "source", "quality"]), JSON)
def test_records_of_sessions_of_any_shape(study: Path, key: str, value: object) -> None:
    path = study / "sim-c001-s2" / "session.json"
    whole = path.read_bytes()
    try:
        path.write_text(json.dumps({**json.loads(whole), key: value}), "utf-8")
        table = taken(lambda: read_table(study))
        assert table is None or len(table) == 22
        taken(lambda: find(study, "sim-c001"))
    finally:
        path.write_bytes(whole)
