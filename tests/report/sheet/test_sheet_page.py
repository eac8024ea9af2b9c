"""The sheet as a page: on paper, and with names that were made to break it."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from vsa.report.pages.site import Site, page_name
from vsa.report.pages.view import Frame, Person, Recording, SessionView
from vsa.report.sheet.content import compose

FRAME = Frame("Study", "2026-01-31", "1.0", "", "", False, "none", (), "k", "", False)
MOVED = {"therapist.face.smile_share": 9, "therapist.gaze.on_screen_listening_share": -9}
#: As long as reasons get.
REASON = "the face is within 40 deg of the camera for 3.2 s, and 10 s are needed"


def view_of(name="s01", simulated=False, **facts):
    people = tuple(Person(who, who, 0.97, 170.0, 240.0) for who in ("therapist", "client"))
    recording = Recording("", 0.0, "The recording is not linked.")
    return SessionView(
        name, page_name(name), page_name(name), "", facts, simulated, "complete", 3125.0, people, (), None, "", {}, {},
        None, math.nan, recording,
    )  # fmt: skip


@pytest.fixture
def sheet(talk, features, study, together, two_moments):
    return compose(talk, features.row, features.missing, study(MOVED), together, two_moments)


@pytest.fixture
def written(tmp_path):
    def write(view, sheet, frame=FRAME):
        site = Site(tmp_path, frame)
        site.write_assets()
        site.write(f"sheets/{view.sheet}", "sheet.html", view=view, sheet=sheet)
        return tmp_path / "sheets" / view.sheet

    return write


@pytest.fixture
def printed(browser_page):
    """Prints a page to PDF on A4, as a browser does."""

    def pdf(address):
        browser_page.goto(address.as_uri())
        return browser_page.pdf(prefer_css_page_size=True)

    return pdf


def pages(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_it_fits_one_page_also_where_names_are_long_and_much_is_missing(
    talk, features, study, together, two_moments, written, printed
):
    gone = {
        name: REASON
        for name in features.row
        if (name.split(".")[1] in ("face", "head") and name not in MOVED) or "early" in name
    }
    values = {**features.row, **dict.fromkeys(gone, math.nan)}
    sheet = compose(talk, values, gone, study(MOVED), together, two_moments)
    facts = {
        "client": "client-017-a",
        "therapist": "therapist-04",
        "session number": "12",
        "date": "2026-03-17",
    }
    view = view_of("S-2026-031-client-17-therapist-4", True, **facts, modality="online", platform="a browser")
    frame = replace(FRAME, study="A study with a name that is rather long, second wave")
    assert pages(printed(written(view, sheet, frame))) == 1


def test_moments_lead_to_the_timeline_of_the_session(sheet, written):
    html = written(view_of(), sheet).read_text("utf-8")
    assert (
        re.findall(r'href="(\.\./sessions/s01\.html#t=[\d.]+)"', html)
        == [
            "../sessions/s01.html#t=60.0",
            "../sessions/s01.html#t=240.0",
        ]
        * 2
    )
    assert "1:00–2:00" in html


def test_every_footnote_that_is_pointed_at_is_there_with_its_strength(sheet, written):
    html = written(view_of(), sheet).read_text("utf-8")
    for number in re.findall(r'href="#note-(\d)"', html):
        assert f'id="note-{number}"' in html
    assert "with a stronger alliance: more (weak)" in html
    assert "PsyArXiv b2a87" in html


def test_a_simulated_session_says_so_and_a_real_one_does_not(sheet, written):
    assert "SIMULATED" in written(view_of(simulated=True), sheet).read_text("utf-8")
    assert "SIMULATED" not in written(view_of(), sheet).read_text("utf-8")


def test_names_that_hold_markup_are_shown_as_text(sheet, written):
    bad = "<script>alert(1)</script>"
    html = written(view_of(bad, client=bad), sheet, replace(FRAME, study=bad)).read_text("utf-8")
    assert bad not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


def test_it_says_whom_it_is_for_and_what_it_is_not(sheet, written):
    html = written(view_of(), sheet).read_text("utf-8")
    assert "For the therapist and the supervisor." in html
    assert "no appraisal; not for personnel decisions" in html
    assert "eye contact" not in html


def test_no_strength_and_nothing_to_try_are_said_with_their_reason(
    talk, features, study, together, two_moments, written
):
    few = compose(talk, features.row, features.missing, study(sessions=4), together, two_moments)
    html = written(view_of(), few).read_text("utf-8")
    assert html.count("This study has 4 sessions; to tell what stands out takes 10.") == 2
    assert '<svg class="place"' not in html


def test_why_a_third_is_not_known_is_told_once_below_the_course(
    talk, features, study, together, two_moments, written
):
    early = [name for name in features.row if ".early_" in name]
    values = {**features.row, **dict.fromkeys(early, math.nan)}
    gone = compose(talk, values, dict.fromkeys(early, REASON), study(), together, two_moments)
    assert f"Not known because: {REASON}." in written(view_of(), gone).read_text("utf-8")
