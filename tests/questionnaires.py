"""Questionnaires and tables of answers for tests; none of these questionnaires exists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsa.study.instruments import Instrument, parse

_HEAD = 'name = "Made up"\nsource = "none"\nrights = "none"\n'
#: Six items of two scales, two of them reversed; 1 to 7, three of four must be answered.
MOODS = """measures = "alliance"
respondents = ["client", "therapist"]
items = 8
range = [1, 7]
reversed = [4, 6]
prorate = 0.75
bond = "bond"
[scales]
bond = [1, 3, 4, 7]
task = [2, 5, 6, 8]
total = "all"
[verified]
items = "made up"
range = "made up"
scales = "made up"
"""
#: Four descriptions, as in the RQ.
STYLES = """measures = "attachment"
respondents = ["client"]
items = ["secure", "fearful", "preoccupied", "dismissing"]
range = [1, 7]
prorate = 1
[scales]
secure = ["secure"]
fearful = ["fearful"]
preoccupied = ["preoccupied"]
dismissing = ["dismissing"]
[differences]
self = {plus = ["secure", "dismissing"], minus = ["preoccupied", "fearful"]}
other = {plus = ["secure", "preoccupied"], minus = ["dismissing", "fearful"]}
"""
#: Marks on lines of 10 cm with a published cut-off, as in the SRS.
LINES = """measures = "alliance"
respondents = ["client"]
items = 4
range = [0, 10]
whole = false
prorate = 1
bond = "bond"
cuts = [{scale = "total", at = 36, source = "the maker"}]
[scales]
bond = [1]
total = "all"
"""


def made(which: str, text: str) -> Instrument:
    return parse(which, _HEAD + text, which)


def wide(
    instrument: Instrument, values: Sequence[Sequence[object]], **columns: Sequence[object]
) -> pd.DataFrame:
    """One row a session, in the documented form; None where not answered."""
    prefix = instrument.id.replace("-", "_")
    items = pd.DataFrame(values, columns=[f"{prefix}_{item}" for item in instrument.items], dtype=object)
    ids = {"session_id": [f"s{k}" for k in range(len(values))]}
    return pd.concat([pd.DataFrame({**ids, **columns}), items], axis=1)


def one_factor(n: int, loadings: Sequence[float], own: Sequence[float], seed: int) -> np.ndarray:
    """(n, k) items that one factor makes: loading times the factor, and noise of an SD of their own."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, 1)) * loadings + random.normal(size=(n, len(loadings))) * own
