"""Text and numbers get into pages safely, whatever they are."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsa.report.pages.norms import LEAST, Norms
from vsa.report.pages.site import link, page_name, script_json, templates


@given(st.text())
def test_no_text_ends_a_script_block(text: str) -> None:
    block = str(script_json({"note": text}))
    assert not re.search(r"[<>&\u2028\u2029]", block)
    assert json.loads(block)["note"] == text


def test_what_is_no_number_is_null_in_scripts() -> None:
    assert (
        script_json({"x": np.array([1.0, math.nan, math.inf]), "n": np.int64(3)})
        == '{"x":[1.0,null,null],"n":3}'
    )


@given(st.text(min_size=1))
def test_a_page_is_called_so_that_it_stays_in_its_folder(text: str) -> None:
    name = page_name(text)
    assert re.fullmatch(r"[A-Za-z0-9][\w.-]*\.html", name, re.ASCII)
    assert len(name) <= 120


@given(st.lists(st.text(min_size=1), unique=True, min_size=2, max_size=8))
def test_no_two_sessions_share_a_page(names: list[str]) -> None:
    assert len({page_name(name).lower() for name in names}) == len(names)


@pytest.mark.parametrize("name", ["nul", "COM1.x", "..", ".hidden", "a/b", "a\\b", "-rf", "é", "S1"])
def test_names_that_a_system_would_stumble_over_get_another(name: str) -> None:
    assert page_name(name) != f"{name}.html"


def test_links_are_quoted() -> None:
    assert link("sessions", "a b#1?.html") == "sessions/a%20b%231%3F.html"
    assert link("..", 'x"y') == "../x%22y"


def test_templates_escape_and_miss_nothing_silently() -> None:
    made = templates().from_string("{{ a }}")
    assert made.render(a='<b onclick="x">') == "&lt;b onclick=&#34;x&#34;&gt;"
    with pytest.raises(Exception, match="'a' is undefined"):
        made.render()


def test_a_session_is_placed_among_the_others() -> None:
    table = pd.DataFrame({"x": np.arange(100.0), "few": [1.0] * (LEAST - 1) + [math.nan] * (101 - LEAST)})
    norms = Norms(table, ["x", "few"])
    found = norms.of("x")
    assert found is not None
    assert (found.p25, found.p50, found.p75) == tuple(np.quantile(np.arange(100), (0.25, 0.5, 0.75)))
    assert norms.below("x", 89.5) == 0.9
    assert norms.below("x", 10.0) == 0.105  # one of them equals it and counts half
    assert norms.words("x", 90.0) == "higher than in 9 of 10 sessions"
    assert norms.words("x", 22.0) == "lower than in 8 of 10 sessions"
    assert norms.of("few") is None
    assert norms.words("few", 1.0) == norms.words("x", math.nan) == ""
