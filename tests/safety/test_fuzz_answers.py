"""Answers to questionnaires of any shape are answers, or are refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from fuzzing import CELLS, NUMBERS, quick, tables, taken
from hypothesis import given
from hypothesis import strategies as st

from vsa.study.answers import read_answers
from vsa.study.instruments import load

COLUMNS = st.sampled_from(
    [
        *(
            "session_id",
            "client_id",
            "therapist_id",
            "respondent",
            "rater",
            "item",
            "value",
            "choice",
            "simulated",
        ),
        *("instrument", "wai_sr_1", "wai_sr_2", "Session ID", "x", ""),
    ]
)
WHO = st.sampled_from(["client", "therapist", "observer", "s1", "c1", "wai_sr_1", "wai-sr"])


def check(path: Path, content: bytes, instrument: str) -> None:
    path.write_bytes(content)
    form = load(instrument)
    found = taken(lambda: read_answers(path, form))
    if found is None:
        return
    assert len(found) == len(found.ids) == len(found.values) > 0
    given_ = found.values[np.isfinite(found.values)]
    assert ((given_ >= form.low) & (given_ <= form.high)).all()
    assert all(found.ids)


@quick(250)
@given(tables(COLUMNS, WHO | CELLS), st.sampled_from(["wai-sr", "ecr-s"]))
def test_any_table_is_answers_or_is_refused(tmp_path: Path, content: bytes, instrument: str) -> None:
    check(tmp_path / "answers.csv", content, instrument)


@quick(150)
@given(
    st.lists(st.lists(NUMBERS | CELLS, min_size=12, max_size=12), min_size=1, max_size=3),
    st.sampled_from(",;\t"),
)
def test_a_form_that_was_filled_in_by_anybody_with_anything(
    tmp_path: Path, rows: list[list[str]], delimiter: str
) -> None:
    import csv

    with (tmp_path / "answers.csv").open("w", newline="", encoding="utf-8", errors="replace") as file:
        out = csv.writer(file, delimiter=delimiter)
        out.writerow(["session_id", "respondent", *(f"wai_sr_{k}" for k in range(1, 13))])
        out.writerows([f"s{k}", "client", *row] for k, row in enumerate(rows))
    check(tmp_path / "answers.csv", (tmp_path / "answers.csv").read_bytes(), "wai-sr")
