"""The cohort page: what stands on it, in which order, and what of names can't get into it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest
from cohort_views import CUT, FRAME, HOSTILE, MODEL, NAN, by_rules, cohort, hostile, unlisted

from vsa.report.pages.cohort import cohort_context
from vsa.report.pages.site import script_json, templates

UNLISTED = replace(FRAME, model="", label="", simulated_model=False)
RULES = replace(FRAME, model="rules", label="weak: two signals or more", simulated_model=False)


class _Page(HTMLParser):
    """Tags, attributes, text outside of scripts, and what the script blocks hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.blocks, self.text = [], {}, ""
        self.rows, self.cells, self._script = [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs).get("id", "")
        if tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag):
        if tag == "script":
            self._script = None

    def handle_data(self, data):
        if self._script is not None:
            self.blocks[self._script] = self.blocks.get(self._script, "") + data
            return
        self.text += data
        if self.rows:
            self.rows[-1] += data


def page(view, frame=FRAME):
    html = templates().get_template("cohort.html").render(frame=frame, up="", **cohort_context(view, frame))
    return _Page(html)


def words(text):
    return re.sub(r"\s+", " ", text)


def figure(found):
    """As Plotly takes it: raises on what it does not know."""
    coloured = re.sub(r'"--[a-z0-9-]+"', '"#888"', str(script_json(found)))
    return go.Figure(json.loads(coloured))


def test_the_answer_comes_first():
    view = cohort(180, 60)
    text = words(page(view).text)
    answer = text.index("18 of 180 sessions: review suggested.")
    assert answer < text.index("159: not flagged.") < text.index("3: not judged.")
    assert answer < text.index(MODEL.verdict) < text.index("Your initials")


def test_sessions_for_review_lead_by_rank_and_those_not_judged_come_last():
    view = cohort(60, 20)
    shuffled = replace(view, sessions=view.sessions[::-1])
    sessions = [row.session for row in cohort_context(shuffled, FRAME)["rows"]]
    assert [one.flag.verdict for one in sessions] == ["weak"] * 6 + ["ok"] * 53 + ["abstain"]
    ranks = [one.flag.rank for one in sessions[:-1]]
    assert ranks == sorted(ranks)
    assert sessions[-1].flag.rank is None


def test_a_threshold_that_lists_more_than_ranks_tell_keeps_reviews_first():
    view = cohort(30, 10)
    late = max((one for one in view.sessions if one.flag.rank), key=lambda one: one.flag.rank)
    weak = replace(late, flag=replace(late.flag, verdict="weak", suggestion="review suggested"))
    changed = replace(view, sessions=tuple(weak if one is late else one for one in view.sessions))
    rows = cohort_context(changed, FRAME)["rows"]
    assert [row.session.flag.verdict for row in rows[:5]] == ["weak"] * 4 + ["ok"]


def test_without_a_list_sessions_stand_by_id_and_nothing_is_said_of_flags():
    view = unlisted(cohort(60, 20))
    found = cohort_context(view, UNLISTED)
    ids = [row.session.session_id for row in found["rows"]]
    assert ids[:3] == ["c001-s1", "c001-s2", "c001-s3"]
    assert not found["shows"] & {"rank", "verdict", "probability", "reasons", "mark", "expected", "signals"}
    html = page(view, UNLISTED)
    assert "no review list" in html.text
    assert "review suggested" not in html.text
    assert not any("data-mark-of" in attributes for _, attributes in html.tags)


def test_session_10_comes_after_session_9():
    view = unlisted(cohort(12, 1))
    assert [row.session.number for row in cohort_context(view, UNLISTED)["rows"]] == list(range(1, 13))


def test_rules_show_signals_in_place_of_probabilities():
    view = by_rules(cohort(60, 20))
    found = cohort_context(view, RULES)
    assert "signals" in found["shows"]
    assert not found["shows"] & {"probability", "expected"}
    html = page(view, RULES)
    assert "rules, without a model" in html.text
    assert "5 of 14" in words(html.text)
    assert "Nothing expects a bond here" in html.text


def test_all_rows_can_be_read_without_scripts():
    view = cohort(180, 60)
    html = page(view)
    marked = [attributes["data-mark-of"] for _, attributes in html.tags if "data-mark-of" in attributes]
    assert sorted(marked) == sorted(one.session_id for one in view.sessions)
    row = words(next(text for text in html.rows if view.sessions[0].session_id in text))
    first = view.sessions[0]
    for part in (
        "review suggested",
        f"{100 * first.flag.probability:.0f} %",
        f"{first.expected:.1f}",
        f"{first.low:.1f}–{first.high:.1f}",
        first.client,
        *(reason.words for reason in first.flag.reasons),
    ):
        assert part in row


def test_what_is_not_known_is_no_zero():
    view = cohort(12, 4)
    bare = replace(view.sessions[0], bond=NAN, tracked_share=NAN, duration_s=NAN, number=None)
    html = page(replace(view, sessions=(bare, *view.sessions[1:])))
    row = words(next(text for text in html.rows if bare.session_id in text))
    assert "reported –" in row
    assert "session –" in row
    assert " 0 %" not in row
    assert "nan" not in html.text.lower()


def test_sessions_of_the_training_are_shown_as_when_held_out():
    some = cohort(60, 20, in_training=0.5)
    n = sum(one.flag.in_training for one in some.sessions)
    html = page(some)
    assert f"The model learned from {n} of these sessions (marked †)" in words(html.text)
    assert html.text.count("†") == n + 1
    every = page(cohort(60, 20, in_training=1.1))
    assert "learned from all of these sessions" in words(every.text)
    assert "†" not in every.text
    assert "learned from all" not in page(cohort(60, 20)).text


def test_only_people_whom_the_model_had_not_seen_are_held_against_what_it_expected():
    view = cohort(60, 20)
    seen = tuple(replace(one, held_out=k % 2 == 0) for k, one in enumerate(view.sessions))
    chart = cohort_context(replace(view, sessions=seen), FRAME)["bonds"]
    drawn = [
        point for trace in chart.figure["data"][1:] for point in zip(trace["x"], trace["y"], strict=True)
    ]
    told = [
        (one.expected, one.bond) for one in seen if one.held_out and math.isfinite(one.expected + one.bond)
    ]
    assert sorted(drawn) == sorted(told)
    assert chart.words.startswith(f"{len(told)} sessions of people whom the model had not seen")


def test_flags_differ_by_shape_and_not_by_colour_alone():
    traces = figure(cohort_context(cohort(180, 60), FRAME)["bonds"].figure).data[1:]
    symbols = [trace.marker.symbol for trace in traces]
    assert len(symbols) == len(set(symbols)) >= 2


def test_a_course_goes_by_session_number_and_no_line_joins_two_clients():
    view = cohort(30, 10)
    chart = cohort_context(replace(view, sessions=view.sessions[::-1]), FRAME)["courses"]
    grey = figure(chart.figure).data[0]
    assert sum(x is None for x in grey.x) == 10
    for name, one in chart.data["clients"].items():
        own = sorted(
            (s for s in view.sessions if s.client == name and math.isfinite(s.expected)),
            key=lambda s: s.number,
        )
        known = [k for k, x in enumerate(one["x"]) if math.isfinite(one["expected"][k])]
        assert [one["x"][k] for k in known] == [s.number for s in own]
        assert [one["page"][k] for k in known] == [s.page for s in own]
    assert chart.data["first"] == next(one for one in view.sessions if one.flag.rank == 1).client


def test_the_bond_that_counts_as_weak_is_drawn_where_it_is_known():
    chart = cohort_context(cohort(30, 10), FRAME)["bonds"].figure
    assert [shape.y0 for shape in figure(chart).layout.shapes] == [CUT]
    none = cohort_context(replace(cohort(30, 10), weak_cut=NAN), FRAME)
    assert "shapes" not in none["bonds"].figure["layout"]
    assert none["scale"].cut is None


@pytest.mark.parametrize(
    ("change", "bonds", "courses"),
    [
        ({"bond": NAN}, "No reported bond", ""),
        ({"bond": NAN, "expected": NAN}, "No bond is known", "No bond is known"),
        ({"client": ""}, "", "client_id"),
        ({"number": None}, "", "session_number"),
        ({"held_out": False}, "no session both", ""),
    ],
)
def test_no_chart_is_empty_and_the_page_says_why_there_is_none(change, bonds, courses):
    view = cohort(30, 10)
    found = cohort_context(
        replace(view, sessions=tuple(replace(one, **change) for one in view.sessions)), FRAME
    )
    for chart, why in ((found["bonds"], bonds), (found["courses"], courses)):
        assert why in chart.why_none
        assert bool(chart.figure) == (not why)


def test_no_sessions_are_no_error():
    view = replace(cohort(12, 4), sessions=())
    html = page(view, UNLISTED)
    assert "There are no sessions." in html.text
    assert ("table", "list") not in [(tag, attributes.get("class")) for tag, attributes in html.tags]


def test_filters_offer_facts_with_few_values_and_no_dates():
    facets = {facet.label: dict(facet.values) for facet in cohort_context(cohort(180, 60), FRAME)["facets"]}
    assert list(facets) == ["modality", "platform", "attachment"]
    assert set(facets["modality"]) == {"online", "in person"}
    assert sum(facets["modality"].values()) == 180


def test_what_scripts_sort_by_agrees_with_the_rows():
    view = cohort(60, 20)
    found = cohort_context(view, FRAME)
    data = json.loads(str(script_json(found["list_data"])))
    rows = [row.session for row in found["rows"]]
    assert data["ids"] == [one.session_id for one in rows]
    for key, of in (("bond", "bond"), ("expected", "expected"), ("number", "number"), ("client", "client")):
        told = [None if x != x else x for x in (getattr(one, of) for one in rows)]
        assert data["sort"][key] == pytest.approx(told, abs=1e-4)
    assert set(data["sort"]) == {column.key for column in found["columns"]} - {"mark"}
    assert None in data["sort"]["probability"]


def test_names_that_mean_harm_stay_text():
    frame = replace(FRAME, study=HOSTILE[1], model=HOSTILE[1], label=HOSTILE[0], warnings=(HOSTILE[1],))
    harmless, harmful = page(cohort(40, 10)), page(hostile(), frame)
    kinds = {(tag, name) for tag, attributes in harmless.tags for name in attributes}
    left = {(tag, name) for tag, attributes in harmful.tags for name in attributes} - kinds
    assert {tag for tag, _ in harmful.tags} <= {tag for tag, _ in harmless.tags} | {"pre", "span"}
    assert left <= {
        ("div", "tabindex"),
        ("div", "role"),
        ("div", "aria-label"),
        ("p", "role"),
        ("p", "class"),
    }
    for name in HOSTILE:
        assert name in harmful.text
    sources = {
        attributes["src"] for tag, attributes in harmful.tags if tag == "script" and "src" in attributes
    }
    assert sources == {a["src"] for tag, a in harmless.tags if tag == "script" and "src" in a}
    for name in ("list-data", "bonds-figure", "courses-figure", "courses-data"):
        json.loads(harmful.blocks[name])
    links = [a["href"] for tag, a in harmful.tags if tag == "a" and "href" in a]
    links = [one for one in links if not one.startswith(("#", "index.html"))]
    assert links
    assert all(re.fullmatch(r"(sessions|sheets)/[\w.%-]+\.html(#t=\d+)?", one) for one in links)


def test_points_tell_names_in_a_way_that_plotly_shows_them():
    chart = cohort_context(hostile(), FRAME)["bonds"]
    told = [text for trace in chart.figure["data"][1:] for text in trace["text"]]
    assert any("&lt;img src=x" in text for text in told)
    assert not any("<img" in text or "</script" in text for text in told)


def test_what_is_left_out_says_why_and_what_to_do():
    html = page(cohort(12, 4))
    row = words(next(text for text in html.rows if "s-broken" in text))
    assert "The file ends in the middle of a packet." in row
    assert "Copy it again." in row
    assert (
        "None: every session that was found is on the list." in page(replace(cohort(12, 4), excluded=())).text
    )


def test_the_models_pictures_have_words_and_wait_until_they_are_seen():
    view = replace(
        cohort(12, 4),
        model=replace(MODEL, pictures={"model/a.png": "What it shows."}, card="model/card.html"),
    )
    html = page(view)
    images = [attributes for tag, attributes in html.tags if tag == "img"]
    assert images == [{"src": "model/a.png", "alt": "What it shows.", "loading": "lazy"}]
    assert any(attributes.get("href") == "model/card.html" for _, attributes in html.tags)


def test_a_thousand_sessions_weigh_under_5_mb():
    view = cohort(1000, 250)
    html = templates().get_template("cohort.html").render(frame=FRAME, up="", **cohort_context(view, FRAME))
    assert html.count("data-mark-of=") == 1000
    assert len(html.encode()) < 5e6
