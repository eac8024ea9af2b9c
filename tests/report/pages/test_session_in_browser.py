"""A session's page as a reader finds it: searching features, reading without scripts, on a narrow screen."""

from dataclasses import replace

import pytest
from session_pages import FRAME, HARM, HOSTILE, VIEW, cohort, every_feature, write

from vsa.report.pages.site import Site

# the timeline has tests of its own, and takes its time to be drawn
PLAIN = replace(VIEW, timeline=None, why_no_timeline="Its signals can't be read.")


@pytest.fixture
def opened(browser_page, tmp_path):
    """Write a page with its assets, and open it."""

    def go(view, norms, frame=FRAME):
        Site(tmp_path, frame).write_assets()
        browser_page.goto(write(tmp_path, view, norms, frame).as_uri())
        return browser_page

    return go


def test_searching_opens_the_groups_with_what_is_found_and_closes_them_after(opened):
    page = opened(*every_feature())
    assert not page.locator("details.group[open]").count()
    page.get_by_label("Find a feature").fill("smile shared")
    found = page.locator("tr[data-item]:visible")
    assert found.count() > 1
    # by name, label or definition
    said = found.evaluate_all("all => all.map(x => x.dataset.item + x.querySelector('th').textContent)")
    assert all("smile" in text.lower() and "shared" in text.lower() for text in said)
    assert page.locator("details.group:visible").evaluate_all("all => all.map(x => x.dataset.group)") == [
        "face"
    ]
    assert page.get_by_role("status").filter(has_text=f"{found.count()} of").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("details.group[open]").count()
    assert page.locator("details.group:visible").count() == 8


@pytest.mark.slow
def test_searching_finds_what_is_missing(opened):
    page = opened(PLAIN, cohort())
    page.get_by_label("Find a feature").fill("blinks per minute")
    assert page.get_by_text("therapist: blinks per minute").is_visible()
    assert not page.get_by_text("share of time smiling", exact=True).first.is_visible()


@pytest.mark.slow
def test_what_the_reader_opened_stays_open_after_a_search(opened):
    page = opened(PLAIN, cohort())
    page.locator("details.group[data-group=gaze] > summary").click()
    page.get_by_label("Find a feature").fill("blink")
    page.get_by_label("Find a feature").fill("")
    assert page.locator("details.group[open]").evaluate_all("all => all.map(x => x.dataset.group)") == [
        "gaze"
    ]


@pytest.mark.slow
def test_all_groups_open_by_keyboard(opened):
    page = opened(PLAIN, cohort())
    page.get_by_role("button", name="Open all groups").focus()
    page.keyboard.press("Enter")
    assert page.locator("details.group[open]").count() == 2
    page.keyboard.press("Enter")
    assert not page.locator("details.group[open]").count()


@pytest.mark.slow
def test_a_definition_opens_by_keyboard(opened):
    page = opened(PLAIN, cohort())
    summary = page.locator("summary", has_text="silence share")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.what[open]").inner_text() != summary.inner_text()


@pytest.mark.slow
def test_what_stands_out_leads_to_its_row(opened):
    page = opened(PLAIN, cohort())
    page.get_by_role("link", name="client: share of time smiling").click()
    target = page.locator("tr:target")
    assert target.get_attribute("data-item") == "face.smile_share"
    assert target.evaluate("x => x.getBoundingClientRect().top < innerHeight")


def test_the_page_reads_without_scripts(browser, tmp_path):
    Site(tmp_path, FRAME).write_assets()
    path = write(tmp_path, PLAIN, cohort())
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert not page.get_by_label("Find a feature").is_visible()
    assert page.get_by_text("Number 1 on the list").first.is_visible()
    page.locator("details.group[data-group=blink] > summary").click()
    assert page.get_by_text("12 new pictures a second, and 15 are needed").first.is_visible()
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [800, 1400])
def test_nothing_sticks_out_of_the_window(opened, width):
    view, norms = every_feature()
    page = opened(replace(HARM, timeline=None, values=view.values, session_id="a" * 300), norms)
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="Open all groups").click()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_names_that_mean_harm_are_shown_as_they_are(opened):
    page = opened(replace(HARM, timeline=None), cohort())
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    assert page.locator("h1 bdi").text_content() == HOSTILE
    page.get_by_label("Find a feature").fill("<img")
    assert page.locator("main img").count() == 0
    assert not dialogs
