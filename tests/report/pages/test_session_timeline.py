"""The timeline of a session's page: every event is drawn where it happened, and what is missing says so."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from timelines import NO_SYNCHRONY, REASONS, flagged, session, spans, view_of

from vsa.report.pages.site import templates
from vsa.report.pages.timeline import timeline_figure
from vsa.report.pages.timeline_spans import both, rest
from vsa.report.pages.view import Recording
from vsa.report.pages.view_timeline import Interruption, Lane, no_spans


def drawn(figure, words):
    """Stretches of the bars whose hover text has `words`, as people see them; and the row they are in."""
    found = [one for one in figure["data"] if words in re.sub("<.*?>", "", one.get("meta", ""))]
    assert len(found) == 1, words
    (trace,) = found
    assert len(set(trace["y"])) == 1
    labels = dict(
        zip(figure["layout"]["yaxis"]["tickvals"], figure["layout"]["yaxis"]["ticktext"], strict=True)
    )
    stretches = [
        (start, round(start + size, 2)) for start, size in zip(trace["base"], trace["x"], strict=True)
    ]
    return stretches, re.sub("<.*?>", "", labels[trace["y"][0]])


def synchrony_line(figure):
    return next(one for one in figure["data"] if one.get("yaxis") == "y2")


def interruption_marks(figure):
    return next(one for one in figure["data"] if one["type"] == "scatter" and one.get("yaxis") != "y2")


@pytest.mark.parametrize(
    ("words", "stretches", "row"),
    [
        ("client: turn", [(5, 20), (40, 70)], "client speaks"),
        ("client: backchannel", [(30, 30.5)], "client speaks"),
        ("therapist: turn", [(20, 35), (65, 100)], "therapist speaks"),
        ("silence", [(105, 110)], "silence, overlap"),
        ("overlap", [(65, 70)], "silence, overlap"),
        ("client looks away", [(10, 12), (50, 55)], "client looks"),
        ("client looks toward", [(0, 10), (12, 20), (25, 50), (55, 120)], "client looks"),
        ("not known where this person looks", [(20, 25)], "client looks"),
        ("client smiles", [(60, 66)], "client smiles"),
        ("client nods", [(31, 32)], "client nods"),
    ],
)
def test_each_kind_of_event_is_drawn_in_its_row_from_when_to_when_it_happened(words, stretches, row):
    assert drawn(timeline_figure(session(), None), words) == (stretches, row)


def test_hover_says_who_what_from_when_to_when_and_how_long():
    trace = next(
        one for one in timeline_figure(session(), None)["data"] if "looks away" in one.get("meta", "")
    )
    assert trace["meta"] == "<b>client</b> looks away"
    assert trace["customdata"] == ["0:10–0:12 (2.0 s)", "0:50–0:55 (5.0 s)"]


def test_an_interruption_stands_on_the_row_of_who_interrupts_filled_if_the_turn_was_taken():
    figure = timeline_figure(session(), None)
    marks = interruption_marks(figure)
    rows = dict(
        zip(figure["layout"]["yaxis"]["ticktext"], figure["layout"]["yaxis"]["tickvals"], strict=True)
    )
    assert marks["x"] == [65.0, 68.0]
    assert marks["marker"]["symbol"] == ["triangle-down", "triangle-down-open"]
    for y, label in zip(marks["y"], ["<b>therapist</b> speaks", "<b>client</b> speaks"], strict=True):
        assert abs(y - rows[label]) < 0.5


def test_an_interruption_by_somebody_else_is_on_the_row_of_others():
    unknown = (Interruption(66.0, 67.0, "speaker_3", "client", False),)
    figure = timeline_figure(session(strangers=spans((66, 67)), interruptions=unknown), None)
    rows = dict(
        zip(figure["layout"]["yaxis"]["ticktext"], figure["layout"]["yaxis"]["tickvals"], strict=True)
    )
    assert abs(interruption_marks(figure)["y"][0] - rows["<b>others</b> speak"]) < 0.5
    assert "somebody else" in interruption_marks(figure)["customdata"][0]


def test_moments_shade_the_whole_height_and_are_numbered_as_their_reasons():
    figure = timeline_figure(session(), flagged(*REASONS))
    assert drawn(figure, "reason 1: client smiles little") == ([(40, 100)], "reason 1")
    assert drawn(figure, "reason 2: long gaps") == ([(10, 70)], "reason 2")
    bands = {(one["x0"], one["x1"]) for one in figure["layout"]["shapes"] if one.get("xref") != "paper"}
    assert bands == {(40, 100), (10, 70)}


def test_a_reason_without_moments_does_not_shift_the_numbers_of_the_others():
    silent = replace(REASONS[0], moments=(), why_none="it describes the whole session")
    figure = timeline_figure(session(), flagged(silent, REASONS[1]))
    assert drawn(figure, "reason 2: long gaps")[1] == "reason 2"
    assert not any("reason 1" in one.get("meta", "") for one in figure["data"])


def test_synchrony_has_a_hole_where_there_is_none_and_tells_chance_from_more():
    line = synchrony_line(timeline_figure(session(), None))
    assert line["y"] == [0.5, None, 2.4]
    assert line["marker"]["symbol"] == ["circle-open", "circle-open", "circle"]
    assert "0:00–1:00" in line["customdata"][0]
    assert "within" in line["customdata"][0]
    assert "outside" in line["customdata"][2]


def test_the_axis_of_synchrony_holds_all_of_its_values():
    far = replace(session().synchrony, z=np.array([-7.5, 0.0, 2.0]))
    low, high = timeline_figure(session(synchrony=far), None)["layout"]["yaxis2"]["range"]
    assert low < -7.5
    assert high > 2.0


def test_a_row_without_its_signal_says_why_and_draws_no_event():
    lane = Lane(
        "client", "client", missing={"gaze": "the face is too small", "nod": "too few pictures a second"}
    )
    figure = timeline_figure(session(lanes=(lane,), synchrony=NO_SYNCHRONY, interruptions=()), None)
    told = " ".join(note["text"] for note in figure["layout"]["annotations"])
    for why in ("the face is too small", "too few pictures a second", "the session is too short"):
        assert why in told
    assert not any("toward" in one.get("meta", "") for one in figure["data"])
    assert figure["layout"]["meta"]["gaps"] == [
        "gaze of client: the face is too small",
        "nods of client: too few pictures a second",
        "movement together: the session is too short",
    ]


def test_without_known_speakers_the_rows_of_speech_say_so_and_claim_no_silence():
    lanes = tuple(replace(lane, turns=no_spans(), backchannels=no_spans()) for lane in session().lanes)
    figure = timeline_figure(
        session(
            lanes=lanes,
            no_speech="there is no sound",
            silences=no_spans(),
            overlaps=no_spans(),
            interruptions=(),
        ),
        None,
    )
    told = [note["text"] for note in figure["layout"]["annotations"]]
    assert sum("there is no sound" in text for text in told) == 2
    assert "silence, overlap" not in figure["layout"]["yaxis"]["ticktext"]


def test_time_in_which_it_is_not_known_who_speaks_or_the_face_was_not_seen_is_hatched():
    lane = replace(session().lanes[0], unheard=spans((80, 90)))
    figure = timeline_figure(session(lanes=(lane,), interruptions=()), None)
    for words, stretch in (("not known whether", (80, 90)), ("not known where", (20, 25))):
        assert drawn(figure, words)[0] == [stretch]
    hatched = [one for one in figure["data"] if "pattern" in one.get("marker", {})]
    assert {row["meta"].partition(": ")[2] for row in hatched} == {
        "not known whether this person speaks",
        "not known where this person looks",
        "face not seen",
    }


def test_names_of_people_are_text_and_never_markup_or_colours():
    lane = replace(
        session().lanes[0], name="--p1<a href='https://x'>y</a>%{x}", missing={"nod": "<img src=x>"}
    )
    figure = timeline_figure(session(lanes=(lane,)), None)
    text = json.dumps(figure["data"]) + json.dumps(figure["layout"]["yaxis"])
    assert "<a " not in text
    assert "&lt;a " in text
    assert not any("%{x}" in one["hovertemplate"] for one in figure["data"])
    assert not any(one.startswith("--") for one in figure["layout"]["yaxis"]["ticktext"])
    assert "<img" not in json.dumps([figure["data"], figure["layout"]["annotations"]])


def test_the_table_has_the_events_of_the_chart_with_smiles_of_both_where_they_overlap():
    listed = {
        one["kind"]: one["rows"]
        for one in timeline_figure(session(), flagged(*REASONS))["layout"]["meta"]["events"]
    }
    assert listed == {
        "Moments behind the reasons": [
            [40.0, 100.0, "reason 1: client smiles little"],
            [10.0, 70.0, "reason 2: long gaps"],
        ],
        "Interruptions": [
            [65.0, 100.0, "therapist interrupts client and takes the turn"],
            [68.0, 69.0, "client interrupts therapist and does not take the turn"],
        ],
        "Silences of 3 s or longer": [[105.0, 110.0, "nobody speaks"]],
        "Smiles at the same time": [[60.0, 62.0, "client and therapist smile"]],
    }


def test_stretches_of_both_are_where_the_two_overlap():
    found = both(spans((0, 4), (6, 10)), spans((1, 2), (3, 7), (9, 12)))
    assert found.tolist() == [[1, 2], [3, 4], [6, 7], [9, 10]]
    assert len(both(no_spans(), spans((1, 2)))) == 0


def test_the_rest_of_a_session_is_what_no_stretch_covers_also_at_its_ends():
    assert rest((0, 10), spans((2, 6), (3, 4)), spans((5, 7))).tolist() == [[0, 2], [7, 10]]
    assert rest((0, 10), spans((-1, 1), (9, 12))).tolist() == [[1, 9]]
    assert rest((0, 10), no_spans()).tolist() == [[0, 10]]
    assert len(rest((0, 10), spans((0, 10)))) == 0


@pytest.mark.parametrize(
    ("end_s", "last", "most"), [(30.0, "0:30", 12), (600.0, "10:00", 12), (5400.0, "1:30:00", 12)]
)
def test_the_axis_reads_minutes_and_seconds_whatever_the_length(end_s, last, most):
    axis = timeline_figure(session(end_s=end_s), None)["layout"]["xaxis"]
    assert axis["range"] == [0.0, end_s]
    assert axis["ticktext"][0] == "0:00"
    assert axis["ticktext"][-1] == last
    assert 4 <= len(axis["ticktext"]) <= most + 1


def busy(minutes):
    rng = np.random.default_rng(3)

    def episodes(every_s, lasting_s):
        starts = np.arange(0, 60 * minutes - every_s, every_s) + rng.random(int(60 * minutes / every_s) - 1)
        return np.column_stack([starts, starts + lasting_s])

    lane = {
        "turns": episodes(8, 5), "backchannels": episodes(12, 0.5), "away": episodes(4, 1.5),
        "smiles": episodes(20, 3), "nods": episodes(15, 1),
    }  # fmt: skip
    lanes = (Lane("client", "client", **lane), Lane("therapist", "therapist", **lane))
    cuts = tuple(
        Interruption(float(t), float(t) + 2, "client", "therapist", True) for t in range(0, 60 * minutes, 15)
    )
    return session(
        end_s=60.0 * minutes,
        lanes=lanes,
        overlaps=episodes(5, 0.4),
        silences=episodes(60, 3.5),
        interruptions=cuts,
    )


def test_a_session_of_fifty_minutes_stays_light():
    figure = timeline_figure(busy(50), flagged(*REASONS))
    assert sum(len(one["x"]) for one in figure["data"]) > 4000
    assert len(json.dumps(figure, separators=(",", ":"))) < 600_000
    assert len(figure["data"]) < 40


def coloured(value):
    """The figure with a colour in place of each token of the style."""
    if isinstance(value, dict):
        return {key: coloured(one) for key, one in value.items()}
    if isinstance(value, list):
        return [coloured(one) for one in value]
    return "#123456" if isinstance(value, str) and value.startswith("--") else value


@pytest.mark.parametrize(
    "timeline",
    [session(), session(synchrony=NO_SYNCHRONY), session(strangers=spans((1, 2))), session(lanes=())],
    ids=["whole", "without synchrony", "with others", "nobody"],
)
def test_plotly_knows_everything_in_the_figure(timeline):
    graph = pytest.importorskip("plotly.graph_objects")
    made = graph.Figure(coloured(timeline_figure(timeline, flagged(*REASONS))))
    assert len(made.data) > 0


def page_of(timeline, recording=None):
    view = view_of(timeline, None, recording or Recording("", 0.0, "The recording was moved."))
    return templates().get_template("timeline.html").render(view=view, chart=timeline_figure(timeline, None))


def test_the_page_says_why_there_is_no_recording_and_has_no_player():
    text = page_of(session())
    assert "The recording was moved." in text
    assert "<video" not in text


def test_the_player_knows_its_offset_and_the_address_is_quoted():
    text = page_of(session(), Recording('../a"b.mp4', 2.5, ""))
    assert 'data-offset="2.5"' in text
    assert "../a&#34;b.mp4" in text


def test_the_page_escapes_names_in_the_table_and_in_the_data():
    lanes = tuple(replace(one, name=f"</script><b>{one.name}") for one in session().lanes)
    text = page_of(session(lanes=lanes))
    assert "</script><b>" not in text
    assert "&lt;/script&gt;&lt;b&gt;client interrupts" in text


def test_the_page_tells_overall_synchrony_with_its_chance():
    assert "z = 1.0, p = 0.16: no more than chance" in page_of(session())
    strong = replace(session().synchrony, overall_z=4.0, overall_p=0.01)
    assert "z = 4.0, p = 0.01: more than chance" in page_of(session(synchrony=strong))
    assert "p =" not in page_of(session(synchrony=NO_SYNCHRONY))


def test_times_of_the_table_are_buttons_that_seek():
    text = page_of(session())
    assert '<button type="button" data-seek="105.0" data-until="110.0">1:45–1:50</button>' in text
