import math
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from session_pages import (
    ABSTAINED,
    FLAG,
    FRAME,
    HARM,
    NAN,
    SLOW,
    TABLE_ROW,
    VALUES,
    VIEW,
    cohort,
    every_feature,
    write,
)

from vsa.report.pages.distribution import groups_of, strip_of
from vsa.report.pages.flag_card import scale_of
from vsa.report.pages.norms import Norms
from vsa.report.pages.session import session_context
from vsa.report.pages.standing_out import standing_out


def row(view, norms, name):
    rows = [one for group in groups_of(view, norms) for one in (*group.core, *group.others)]
    return next(one for one in rows if one.name == name)


def told(page):
    """What the page says, without marks and with single spaces."""
    body = re.sub(r"<script.*?</script>", " ", page.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def test_what_lies_farthest_from_the_middle_is_told_first():
    sentences = standing_out(VIEW, cohort()).sentences
    assert [one.text for one in sentences] == [
        "client: share of time smiling: 2 %, lower than in nearly all sessions",
        "therapist: share of time smiling: 10 %, lower than in 9 of 10 sessions",
        "both: silence share: 10 %, lower than in 9 of 10 sessions",
    ]


def test_an_ordinary_session_has_nothing_that_stands_out():
    usual = replace(VIEW, values=dict.fromkeys(VALUES, 0.545), missing={})
    found = standing_out(usual, cohort())
    assert not found.sentences
    assert found.note.startswith("0 of 5 core values lie outside of the middle 90 % of the 100 sessions")


def test_how_many_values_lie_far_out_is_told_beside_how_many_do_in_an_ordinary_session():
    # core values of sessions that are alike but for chance: the page's "about" is what happens
    view, norms = every_feature()
    draw = np.random.default_rng(11)
    counts = []
    for _ in range(40):
        values = dict(zip(view.values, draw.normal(size=len(view.values)).tolist(), strict=True))
        note = standing_out(replace(view, values=values), norms).note
        outside, known, _, _, usual = map(int, re.findall(r"\d+", note))
        counts.append(outside)
    assert known == 24
    assert usual == 2
    assert 0.5 * usual < np.mean(counts) < 2 * usual


def test_only_what_lies_outside_of_the_thin_line_is_bold():
    smiles = row(VIEW, cohort(), "face.smile_share")
    assert [(one.words, one.far) for one in smiles.cells] == [
        ("lower than in nearly all sessions", True),
        ("lower than in 9 of 10 sessions", False),
    ]


@pytest.mark.parametrize("x", [-3.0, -1.0, 0.0, 0.4, 2.0])
def test_a_session_lies_on_its_strip_where_it_lies_among_the_sessions(x):
    table = pd.DataFrame({"a": np.linspace(-2, 2, 81) ** 3})
    norm = Norms(table, ["a"]).of("a")
    strip = strip_of(norm, x)
    for quantile in ("p05", "p25", "p50", "p75", "p95"):
        assert (strip.at < getattr(strip, quantile)) == (x < getattr(norm, quantile))
    assert strip.beyond == 0


def test_a_session_far_off_is_an_arrow_at_the_end_of_its_strip():
    norm = cohort().of("client.face.smile_share")
    assert [strip_of(norm, x).beyond for x in (-5.0, 0.5, 5.0)] == [-1, 0, 1]
    assert 0 < strip_of(norm, -5.0).at < strip_of(norm, 5.0).at < 160


def test_without_differences_there_is_no_strip():
    norms = Norms(pd.DataFrame(dict.fromkeys(VALUES, np.full(30, 0.1))), VALUES)
    cell = row(VIEW, norms, "face.smile_share").cells[1]
    assert cell.strip is None
    assert cell.words == "about as in most sessions"


def test_what_is_missing_is_told_with_its_reason_and_the_same_reasons_together():
    groups = {group.name: group for group in groups_of(VIEW, cohort())}
    (lacking,) = groups["blink"].lacking
    assert lacking.why == SLOW
    assert lacking.labels == ("client: blinks per minute", "therapist: blinks per minute")
    of_one = row(VIEW, cohort(), "blink.duration_median_s").cells
    assert [(one.value, one.why) for one in of_one] == [("missing", SLOW), ("0.2 s", "")]
    core = row(VIEW, cohort(), "turns.talk_share").cells
    assert [(one.value, one.why, one.strip) for one in core] == [("missing", "there is no sound", None)] * 2


def test_with_few_sessions_the_page_has_values_and_says_why_no_more(tmp_path):
    page = write(tmp_path, VIEW, cohort(9))
    text = told(page)
    assert text.count("The cohort has 9 sessions, and 10 are needed") == 2  # at the top, and at the features
    assert "10 %" in text
    assert 'class="strip' not in page.read_text("utf-8")
    assert 'class="strip' in write(tmp_path, VIEW, cohort(10)).read_text("utf-8")


def test_a_feature_that_few_sessions_have_is_not_compared():
    few = pd.DataFrame(dict.fromkeys(VALUES, np.r_[np.arange(9.0), np.full(30, np.nan)]))
    cell = row(VIEW, Norms(few, VALUES), "face.smile_share").cells[0]
    assert (cell.value, cell.words, cell.strip) == ("2 %", "too few sessions have it to compare", None)


def test_the_page_begins_with_what_happened(tmp_path):
    text = told(write(tmp_path, VIEW, cohort()))
    order = [
        "Session s01",
        "review suggested Probability of a weak bond: 53 %. Number 1 on the list.",
        "client c01",
        "length 5:00",
        "98 %",
        "small, 62 px high: gaze and lids can't be read",
        "seldom in view",
        "What stands out",
        "client: share of time smiling: 2 %, lower than in nearly all sessions",
        "Expected bond 3.4 (bar: interval from 2.4 to 4.5). Reported bond (diamond) 2.2.",
        "1:15–2:15",
        "37 %",
        "No moments: it is spread evenly over the session.",
        "Features against the cohort",
    ]
    at = 0
    for one in order:
        assert one in text[at:], one
        at = text.index(one, at)


def test_moments_are_buttons_that_know_their_seconds(tmp_path):
    page = write(tmp_path, VIEW, cohort()).read_text("utf-8")
    assert '<button type="button" data-seek="75.0" data-until="135.0">1:15–2:15</button>' in page
    assert "missing" not in page[page.index('data-seek="200.0"') : page.index('data-seek="200.0"') + 200]


def test_without_a_timeline_moments_are_plain_and_the_page_says_why(tmp_path):
    page = write(
        tmp_path, replace(VIEW, timeline=None, why_no_timeline="Its signals can't be read."), cohort()
    )
    assert "data-seek" not in page.read_text("utf-8")
    assert "plotly" not in page.read_text("utf-8")
    assert "Its signals can't be read." in told(page)
    assert "1:15–2:15" in told(page)


def test_a_session_that_is_not_judged_says_why_and_shows_no_number_of_the_model(tmp_path):
    text = told(write(tmp_path, replace(VIEW, flag=ABSTAINED, bond=NAN), cohort()))
    assert "not judged Why not: client was in view for 12% of the session, and 50% are needed." in text
    assert "Expected bond" not in text
    assert "Probability" not in text
    assert not re.search(r"\bnan\b", text)


def test_a_list_by_rules_counts_signals_and_gives_no_probability(tmp_path):
    rules = replace(FLAG, probability=NAN, expected=NAN, low=NAN, high=NAN, weak_signals=4, signals_known=12)
    page = write(tmp_path, replace(VIEW, flag=rules, bond=NAN), cohort(), replace(FRAME, model="rules"))
    text = told(page)
    assert "4 of 12 known signals are weak." in text
    assert "The list is made by rules, without a model." in text
    assert "robability" not in text


def test_a_session_of_the_training_is_called_one(tmp_path):
    text = "The model learned from this session"
    assert text in told(write(tmp_path, replace(VIEW, flag=replace(FLAG, in_training=True)), cohort()))
    assert text not in told(write(tmp_path, VIEW, cohort()))


def test_a_session_without_a_flag_is_not_called_good(tmp_path):
    good = replace(FLAG, verdict="ok", suggestion="", rank=30, probability=0.1)
    text = told(write(tmp_path, replace(VIEW, flag=good), cohort()))
    assert "not flagged Probability of a weak bond: 10 %. Number 30 on the list." in text
    assert "It does not say that the bond is good." in text


def test_a_row_of_a_table_has_a_page_too(tmp_path):
    text = told(write(tmp_path, replace(TABLE_ROW, flag=None), cohort(), replace(FRAME, model="", label="")))
    assert "length not known" in text
    assert "This session is a row of a table: there are no signals to draw." in text
    assert "No practitioner's sheet: There are no signals to make a sheet of." in text
    assert "no reason is recorded" in text
    assert "Your review" not in text


def test_an_incomplete_or_simulated_recording_is_called_so(tmp_path):
    text = told(write(tmp_path, replace(VIEW, status="partial", simulated=True), cohort()))
    assert "Session s01 SIMULATED recording incomplete" in text
    plain = told(write(tmp_path, VIEW, cohort()))
    assert "SIMULATED" not in plain
    assert "incomplete" not in plain


def test_long_lists_of_notes_and_facts_open_on_demand(tmp_path):
    many = replace(
        VIEW, notes=tuple(f"note {k}" for k in range(9)), facts={f"fact {k}": "x" for k in range(12)}
    )
    page = write(tmp_path, many, cohort()).read_text("utf-8")
    assert "6 more notes" in page
    assert "2 more facts" in page
    assert all(f"note {k}</li>" in page for k in range(9))


def test_names_and_notes_that_mean_harm_stay_text(tmp_path):
    page = write(tmp_path, HARM, cohort()).read_text("utf-8")
    assert "<img" not in page
    assert "<script>alert" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_links_go_to_the_list_the_sheet_and_the_neighbours(tmp_path):
    page = write(tmp_path, VIEW, cohort(), neighbours=("s00.html", "s%2002.html")).read_text("utf-8")
    assert 'href="../index.html#list"' in page
    assert 'href="../sheets/s01.html"' in page
    assert '<a rel="prev" href="s00.html">' in page
    assert '<a rel="next" href="s%2002.html">' in page
    alone = write(tmp_path, VIEW, cohort()).read_text("utf-8")
    assert 'rel="prev"' not in alone
    assert 'rel="next"' not in alone


@pytest.mark.parametrize("people", [1, 2, 9])
def test_every_feature_stands_on_the_page_once(tmp_path, people):
    view, norms = every_feature(people)
    page = write(tmp_path, view, norms).read_text("utf-8")
    assert page.count('class="v"') == len(view.values)


def test_a_page_with_every_feature_is_light(tmp_path):
    view, norms = every_feature()
    assert len(view.values) > 350
    assert write(tmp_path, view, norms).stat().st_size < 400_000


def test_a_bond_lies_on_the_scale_where_it_belongs():
    drawn = scale_of(replace(FLAG, expected=3.0, low=1.0, high=9.0), 2.0, (1.0, 5.0), 2.5)
    ends = [place for place, _ in drawn.ticks]
    assert [text for _, text in drawn.ticks] == ["1", "2", "3", "4", "5"]
    assert drawn.expected == pytest.approx((ends[0] + ends[-1]) / 2)
    assert (drawn.low, drawn.high) == (ends[0], ends[-1])  # what lies beyond the scale ends where it ends
    assert drawn.bond == pytest.approx(ends[1])
    assert drawn.bond < drawn.cut < drawn.expected


def test_where_the_scale_is_not_known_the_drawing_says_that_it_is_a_part(tmp_path):
    drawn = scale_of(FLAG, 2.2, None, math.nan)
    assert not drawn.whole
    assert (drawn.ticks[0][1], drawn.ticks[-1][1]) == ("2", "5")
    assert drawn.cut is None
    assert "a part of the questionnaire's scale" in told(write(tmp_path, VIEW, cohort()))


def test_without_any_bond_nothing_is_drawn():
    assert scale_of(None, NAN, (1.0, 5.0), NAN) is None
    assert session_context(replace(VIEW, flag=None, bond=NAN), cohort(), FRAME)["scale"] is None
