"""Reviewers' marks of any shape are marks, or are refused in words."""

from __future__ import annotations

from pathlib import Path

from fuzzing import CELLS, NUMBERS, TIMES, quick, tables, taken
from hypothesis import example, given
from hypothesis import strategies as st

from vsa.study.reviews import MARKS, VERDICTS, read_reviews

HEADER = "session_id,verdict,mark,marked_at,probability\n"
COLUMNS = st.sampled_from(
    [
        *("session_id", "verdict", "mark", "probability", "note", "reviewer", "marked_at", "model"),
        *("model_print", "simulated", "client_id", "x", "", "Mark"),
    ]
)
RIGHT = st.sampled_from(["s1", "S1", *VERDICTS, *MARKS, "cannot_tell", "true", "0123456789ab"])


def check(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    table = taken(lambda: read_reviews([path]))
    if table is None:
        return
    assert len(table)
    assert set(table["mark"]) <= set(MARKS)
    assert set(table["verdict"]) <= set(VERDICTS)
    assert table["session_id"].str.len().min() > 0
    assert table["probability"].dropna().between(0, 1).all()


@quick(250)
@given(tables(COLUMNS, RIGHT | CELLS))
def test_any_table_is_marks_or_is_refused(tmp_path: Path, content: bytes) -> None:
    check(tmp_path / "marks.csv", content)


@quick(250)
@given(
    st.lists(st.tuples(RIGHT, st.sampled_from(VERDICTS), st.sampled_from(MARKS), TIMES, NUMBERS), max_size=4)
)
@example([("s1", "weak", "agree", "0001-01-01T00:00+14:00", "")])
@example([("s1", "weak", "agree", "9999-12-31T23:59:59-12:00", "1")])
@example([("s1", "weak", "agree", "1500-01-01", "1"), ("s1", "weak", "agree", "2026-01-31T09:30:00Z", "1")])
def test_marks_that_are_nearly_right(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    text = HEADER + "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    check(tmp_path / "marks.csv", text.encode())
