"""The timeline in a browser: zoom, pan, times that are chosen, the recording that follows, paper."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from timelines import REASONS, flagged, session, view_of

from vsa.report.pages.site import Site, templates
from vsa.report.pages.timeline import timeline_figure
from vsa.report.pages.view import Frame, Recording
from vsa.report.pages.view_timeline import no_spans

CLIP = Path(__file__).parents[3] / "sample_media" / "media" / "s01_plain.mp4"
NOT_LINKED = Recording("", 0.0, "The recording is not linked.")
PAGE = """{% extends "base.html" %}{% block scripts %}
<link rel="stylesheet" href="assets/timeline.css">
<script src="assets/plotly.min.js" defer></script>
<script src="assets/charts.js" defer></script>
<script src="assets/timeline.js" defer></script>
{% endblock %}{% block main %}
<button type="button" id="moment" data-seek="40" data-until="60">0:40</button>
<button type="button" id="early" data-seek="10">0:10</button>
<div style="height: 70rem"></div>{% include "timeline.html" %}
{% endblock %}"""
STATE = """() => {
  const chart = document.querySelector(".chart"), cursor = document.querySelector("[data-cursor]");
  const plot = chart.querySelector(".nsewdrag").getBoundingClientRect();
  const line = cursor.getBoundingClientRect();
  const [from, to] = chart.layout.xaxis.range;
  return {from, to, ticks: chart.layout.xaxis.ticktext, said: document.querySelector("[data-now]").textContent,
          line: cursor.hidden ? null : from + (line.left + 1 - plot.left) / plot.width * (to - from),
          film: document.querySelector("video")?.currentTime};
}"""


@pytest.fixture
def opened(browser_page, tmp_path):
    """Open a page with the session's timeline, and a recording if one is given."""

    def open_(recording=NOT_LINKED, fragment="", **changed):
        frame = Frame("study", "2026-01-01", "0", "", "", False, "none", (), "k", "", False)
        timeline, flag = session(**changed), flagged(*REASONS)
        Site(tmp_path, frame).write_assets()
        text = (
            templates()
            .from_string(PAGE)
            .render(
                frame=frame,
                up="",
                view=view_of(timeline, flag, recording),
                chart=timeline_figure(timeline, flag),
            )
        )
        (tmp_path / "page.html").write_text(text, "utf-8")
        browser_page.goto((tmp_path / "page.html").as_uri() + fragment)
        browser_page.wait_for_selector(".chart .barlayer .point", state="attached")
        return browser_page

    return open_


def state(page):
    return page.evaluate(STATE)


def shown(page):
    now = state(page)
    return round(now["from"], 2), round(now["to"], 2)


def at(page, seconds, row="client speaks"):
    """Where on the screen a time is, in a row."""
    page.locator(".timeline-plot").scroll_into_view_if_needed()
    box = page.locator(".chart .nsewdrag").first.bounding_box()
    label = page.locator(".chart .ytick text", has_text=row).bounding_box()
    start, end = shown(page)
    return box["x"] + (seconds - start) / (end - start) * box["width"], label["y"] + label["height"] / 2


def bars(lane):
    figure = timeline_figure(session(end_s=5400.0, lanes=(lane,), interruptions=()), flagged(*REASONS))
    return [one for one in figure["data"] if one["type"] == "bar"]


def until(page, true):
    """Wait for it; the page's policy forbids what Playwright's own waiting does."""
    for _ in range(100):
        if page.evaluate(true):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {true}")


@pytest.mark.slow
def test_buttons_and_keys_zoom_and_move_within_the_session(opened):
    page = opened()
    assert shown(page) == (0, 120)
    page.click("[data-move=closer]")
    assert shown(page) == (30, 90)
    page.click("[data-move=earlier]")
    assert shown(page) == (15, 75)
    page.focus(".timeline-plot")
    page.keyboard.press("ArrowRight")
    assert shown(page) == (30, 90)
    page.keyboard.press("+")
    assert shown(page) == (45, 75)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    assert shown(page) == (90, 120)
    page.keyboard.press("-")
    assert shown(page) == (60, 120)
    page.keyboard.press("0")
    assert shown(page) == (0, 120)


@pytest.mark.slow
def test_the_axis_stays_minutes_and_seconds_when_zoomed(opened):
    page = opened()
    for _ in range(4):
        page.click("[data-move=closer]")
    assert shown(page) == (56.25, 63.75)
    assert state(page)["ticks"] == ["0:57", "0:58", "0:59", "1:00", "1:01", "1:02", "1:03"]


@pytest.mark.slow
def test_a_moment_elsewhere_on_the_page_brings_the_chart_there_and_shows_the_stretch(opened):
    page = opened()
    page.click("#moment")
    now = state(page)
    assert (now["from"], now["to"]) == (30, 70)
    assert now["line"] == pytest.approx(40, abs=0.5)
    assert now["said"] == "At 0:40 of 2:00"
    until(page, "document.querySelector('.timeline-plot').getBoundingClientRect().top < innerHeight / 2")


@pytest.mark.slow
def test_moments_are_reached_by_keyboard(opened):
    page = opened()
    page.focus("#early")
    page.keyboard.press("Enter")
    assert state(page)["line"] == pytest.approx(10, abs=0.5)
    assert page.evaluate("document.activeElement.id") == "early"


@pytest.mark.slow
def test_a_time_out_of_view_comes_into_view_and_one_in_view_moves_nothing(opened):
    page = opened()
    for _ in range(2):
        page.click("[data-move=closer]")
    assert shown(page) == (45, 75)
    page.click("#early")
    start, end = shown(page)
    assert start <= 10 <= end
    assert end - start == 30
    page.locator(".timeline-events summary").click()
    page.mouse.click(*at(page, 20))
    assert shown(page) == (start, end)
    assert state(page)["line"] == pytest.approx(20, abs=0.3)


@pytest.mark.slow
def test_dragging_zooms_and_a_double_click_shows_all(opened):
    page = opened()
    (left, y), (right, _) = at(page, 30), at(page, 60)
    page.mouse.move(left, y)
    page.mouse.down()
    page.mouse.move(right, y + 3, steps=5)
    page.mouse.up()
    until(page, "document.querySelector('.chart').layout.xaxis.range[0] > 20")
    assert shown(page) == pytest.approx((30, 60), abs=0.5)
    page.mouse.dblclick(*at(page, 40))
    until(page, "document.querySelector('.chart').layout.xaxis.range[1] == 120")
    assert shown(page) == (0, 120)


@pytest.mark.slow
def test_the_part_that_is_shown_survives_another_theme_and_fits_on_paper(opened):
    page = opened()
    width = "document.querySelector('.main-svg').getBoundingClientRect().width"
    page.click("#moment")
    page.click("[data-theme-button]")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(width) < 690
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    until(page, f"{width} > 900")
    assert shown(page) == (30, 70)
    assert state(page)["line"] == pytest.approx(40, abs=0.5)


@pytest.mark.slow
def test_an_address_with_a_time_opens_there(opened):
    page = opened(fragment="#t=75")
    until(page, "!document.querySelector('[data-cursor]').hidden")
    assert state(page)["line"] == pytest.approx(75, abs=0.5)
    page.evaluate("location.hash = '#t=20,30'")
    until(page, "document.querySelector('.chart').layout.xaxis.range[0] == 12")
    assert shown(page) == (12, 38)


@pytest.mark.slow
def test_from_afar_short_looks_away_take_no_more_room_than_their_share_of_the_time(opened):
    starts = np.arange(0.0, 5400.0, 4.0)
    lane = replace(session().lanes[0], away=np.column_stack([starts, starts + 1.0]), gaze_unknown=no_spans())
    page = opened(end_s=5400.0, lanes=(lane,), interruptions=())
    number = [one.get("meta") for one in bars(lane)].index("<b>client</b> looks away")
    share = page.evaluate(
        """number => {
          const trace = document.querySelectorAll(".chart .barlayer .trace")[number];
          const widths = [...trace.querySelectorAll("path")].map((one) => one.getBBox().width);
          return widths.reduce((a, b) => a + b, 0) / document.querySelector(".chart .nsewdrag").getBBox().width;
        }""",
        number,
    )
    assert share == pytest.approx(0.25, abs=0.02)


@pytest.mark.slow
def test_hovering_tells_who_what_and_when(opened):
    page = opened()
    page.mouse.move(*at(page, 50))
    page.wait_for_selector(".hoverlayer text")
    assert "client: turn" in page.text_content(".hoverlayer")
    assert "0:40–1:10 (30.0 s)" in page.text_content(".hoverlayer")


def test_no_button_of_the_chart_sends_it_anywhere(opened):
    page = opened()
    titles = page.evaluate("[...document.querySelectorAll('.modebar-btn')].map((one) => one.dataset.title)")
    assert titles == ["Download plot as a PNG"]


def test_a_name_with_tags_is_shown_as_it_is(opened):
    client, therapist = session().lanes
    page = opened(lanes=(replace(client, name="<img src=x onerror=alert(1)>"), therapist))
    assert page.locator(".timeline img").count() == 0
    assert any(
        text.startswith("<img src=x") for text in page.locator(".chart .ytick text").all_text_contents()
    )


@pytest.fixture
def film(tmp_path):
    shutil.copy(CLIP, tmp_path / "clip.mp4")
    return Recording("clip.mp4", 2.0, "")


@pytest.mark.slow
def test_a_chosen_time_seeks_the_recording_on_its_own_clock(opened, film):
    page = opened(film)
    page.click("#early")
    until(page, "document.querySelector('video').currentTime > 9")
    # Chromium's player has the file's own times, whenever its first picture comes
    assert state(page)["film"] == pytest.approx(10.0, abs=0.1)
    page.evaluate("scrollTo(0, 0)")
    page.evaluate("document.querySelector('[data-move=whole]').click()")
    page.mouse.click(*at(page, 0.5))
    page.wait_for_timeout(400)
    assert state(page)["film"] == pytest.approx(0.5, abs=0.3)
    assert state(page)["line"] == pytest.approx(0.5, abs=0.3)


@pytest.mark.slow
def test_the_line_follows_the_recording_while_it_plays(opened, film):
    page = opened(film)
    page.click("#early")
    until(page, "document.querySelector('video').readyState >= 2")
    page.evaluate(
        "() => { const film = document.querySelector('video'); film.muted = true; return film.play(); }"
    )
    until(page, "document.querySelector('video').currentTime > 10.6")
    page.evaluate("document.querySelector('video').pause()")
    page.wait_for_timeout(200)
    now = state(page)
    assert now["line"] == pytest.approx(now["film"], abs=0.3)


@pytest.mark.slow
def test_a_recording_that_cannot_be_played_is_said_in_words(opened, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no film at all")
    page = opened(Recording("clip.mp4", 0.0, ""))
    page.wait_for_selector("[data-film-failed]:not([hidden])")
    page.click("#early")
    assert state(page)["line"] == pytest.approx(10, abs=0.5)
