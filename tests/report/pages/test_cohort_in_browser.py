"""The cohort page in a browser: sorted, filtered, clicked, and opened with a thousand sessions."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from cohort_views import FRAME, HOSTILE, cohort, hostile, unlisted, write

FIRST = 50


def without_charts(view):
    """The same where nothing is known to draw: its list is the same, and it opens sooner."""
    return replace(view, sessions=tuple(replace(one, held_out=False, number=None) for one in view.sessions))


@pytest.fixture
def opened(browser_page, tmp_path):
    """Writes a cohort's page, and opens it."""

    def opens(view, frame=FRAME, hash=""):
        browser_page.goto(write(tmp_path, view, frame).as_uri() + hash)
        browser_page.wait_for_selector("html[data-drawn]")
        if browser_page.locator("[data-later]").count():
            browser_page.wait_for_selector("html[data-charts]")
        return browser_page

    return opens


def ids(page):
    return page.locator("[data-list] tbody bdi").evaluate_all(
        "all => all.filter(one => one.closest('th')).map(one => one.textContent)"
    )


def column(page, key):
    return page.locator(f"[data-list] tbody .c-{key}").all_inner_texts()


def sort(page, key):
    page.locator(f"th[data-key={key}] button").click()


def shown(page):
    return page.locator("[data-shown]").inner_text()


@pytest.mark.slow
def test_a_click_sorts_and_another_turns_it_round_with_what_is_missing_last(opened):
    view = cohort(40, 10)
    page = opened(without_charts(view))
    bonds = {one.session_id: one.bond for one in view.sessions}
    for state, sign in (("ascending", 1), ("descending", -1)):
        sort(page, "bond")
        assert page.locator("th[data-key=bond]").get_attribute("aria-sort") == state
        assert page.locator("[aria-sort]").count() == 1
        found = [bonds[one] for one in ids(page)]
        known = [bond for bond in found if bond == bond]
        assert known == sorted(known, key=lambda bond: sign * bond)
        assert len(known) < len(found)
        assert all(bond != bond for bond in found[len(known) :])


@pytest.mark.slow
def test_equal_ones_keep_the_order_of_the_list(opened):
    page = opened(without_charts(cohort(40, 10)))
    before = ids(page)
    sort(page, "verdict")
    assert ids(page) == before
    sort(page, "client")
    of = {one: before.index(one) for one in before}
    found = ids(page)
    for one, other in pairwise(found):
        assert one.partition("-")[0] < other.partition("-")[0] or of[one] < of[other]


@pytest.mark.slow
def test_the_most_probable_come_first_at_one_click_and_the_keyboard_sorts_as_well(opened):
    page = opened(without_charts(cohort(40, 10)))
    page.locator("th[data-key=probability] button").focus()
    page.keyboard.press("Enter")
    assert page.locator("th[data-key=probability]").get_attribute("aria-sort") == "descending"
    assert column(page, "rank")[:3] == ["1", "2", "3"]


@pytest.mark.slow
def test_filters_narrow_the_list_and_say_how_far(opened):
    view = cohort(180, 60)
    page = opened(without_charts(view))
    assert shown(page) == "180 sessions, the first 50 of them shown."
    page.select_option("[name=verdict]", "weak")
    assert shown(page) == "18 of 180 sessions shown."
    page.fill("[name=q]", "LISTENING  client")
    of = [
        one.session_id
        for one in view.sessions
        if one.flag.verdict == "weak" and any("listening" in reason.words for reason in one.flag.reasons)
    ]
    assert ids(page) == of
    assert shown(page) == f"{len(of)} of 180 sessions shown."
    page.select_option("[name='fact:modality']", "in person")
    assert ids(page) == [
        one.session_id
        for one in view.sessions
        if one.session_id in of and one.facts["modality"] == "in person"
    ]
    page.fill("[name=q]", "no such thing")
    assert shown(page) == "No session matches. Reset the filters to see all."
    page.locator("[data-filters] button[type=reset]").click()
    assert shown(page) == "180 sessions, the first 50 of them shown."
    assert page.input_value("[name=q]") == page.input_value("[name=verdict]") == ""


@pytest.mark.slow
def test_recordings_with_problems_can_be_listed(opened):
    view = cohort(180, 60)
    page = opened(without_charts(view))
    page.select_option("[name=recording]", "problems")
    assert set(ids(page)) == {one.session_id for one in view.sessions if one.problems}


@pytest.mark.slow
def test_filters_and_order_survive_a_visit_to_a_session_and_a_link(opened, tmp_path):
    view = cohort(40, 10)
    page = opened(without_charts(view))
    page.select_option("[name='fact:platform']", "zoom")
    sort(page, "bond")
    sort(page, "bond")
    before = ids(page)
    page.wait_for_function("() => location.hash.includes('sort=-bond')")
    address = page.url
    target = next(one for one in view.sessions if one.session_id == before[0])
    (tmp_path / "sessions").mkdir()
    (tmp_path / target.page).write_text(
        "<!DOCTYPE html><title>session</title><link rel='icon' href='data:,'>"
    )
    page.locator("[data-list] tbody a").first.click()
    page.wait_for_url("**/sessions/*.html")
    page.go_back()
    page.wait_for_selector("[data-filters]:not([hidden])")
    assert ids(page) == before
    assert page.input_value("[name='fact:platform']") == "zoom"
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("[data-filters]:not([hidden])")
    assert ids(page) == before
    assert page.locator("th[data-key=bond]").get_attribute("aria-sort") == "descending"


@pytest.mark.slow
def test_the_answer_leads_to_the_sessions_it_counts(opened):
    page = opened(without_charts(cohort(180, 60)))
    page.locator(".answer a.abstain").click()
    page.wait_for_function("() => document.querySelector('[name=verdict]').value === 'abstain'")
    assert shown(page) == "3 of 180 sessions shown."
    assert column(page, "verdict") == ["not judged"] * 3


@pytest.mark.slow
def test_an_address_that_names_nothing_known_shows_all(opened):
    page = opened(without_charts(cohort(40, 10)), hash="#verdict=bad&sort=none&fact:modality=%3Cb%3E&x=1")
    assert len(ids(page)) == 40
    assert page.input_value("[name=verdict]") == ""


@pytest.mark.slow
def test_the_rest_of_a_long_list_is_a_click_away(opened):
    page = opened(without_charts(cohort(180, 60)))
    rows = page.locator("[data-list] tbody tr")
    assert rows.count() == FIRST
    page.get_by_role("button", name="Show all 180").click()
    assert rows.count() == 180
    assert shown(page) == "180 sessions shown."
    assert page.locator("[data-all]").is_hidden()


def test_without_scripts_all_rows_are_there(browser, tmp_path):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(write(tmp_path, cohort(80, 20)).as_uri())
    rows = page.locator("[data-list] tbody tr")
    assert sum(rows.nth(k).is_visible() for k in (0, FIRST - 1, FIRST, 79)) == 4
    assert page.locator("[data-filters]").is_hidden()
    context.close()


@pytest.mark.slow
def test_marked_sessions_leave_the_list_of_those_not_yet_marked(opened):
    page = opened(without_charts(cohort(40, 10)))
    page.select_option("[name=mark]", "none")
    before = ids(page)
    page.locator(".mark-cell button").nth(1).click()
    page.keyboard.press("a")
    assert ids(page) == before, "a row must stay while its mark is being made"
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.querySelectorAll('[data-list] tbody tr').length === 39")
    assert ids(page) == [before[0], *before[2:]]
    page.select_option("[name=mark]", "some")
    assert ids(page) == [before[1]]


@pytest.mark.slow
def test_a_point_opens_its_session(opened, tmp_path):
    view = cohort(40, 10)
    (tmp_path / "sessions").mkdir()
    for one in view.sessions:
        (tmp_path / one.page).write_text(
            "<!DOCTYPE html><title>session</title><link rel='icon' href='data:,'>"
        )
    page = opened(view)
    chart = page.locator("[data-later=bonds-figure]")
    chart.scroll_into_view_if_needed()
    point = chart.locator(".scatterlayer .trace:last-child .point").first
    expected = chart.evaluate("one => one.data.at(-1).customdata[0]")
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".hoverlayer .hovertext")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(f"**/{expected}")


@pytest.mark.slow
def test_another_client_is_drawn_when_chosen(opened):
    view = cohort(40, 10)
    page = opened(view)
    chart = page.locator("#courses")

    def drawn():
        return chart.evaluate("one => one.data.find(trace => trace.meta === 'expected').y")

    page.select_option("[data-course]", "c003")
    own = sorted((one for one in view.sessions if one.client == "c003"), key=lambda one: one.number)
    assert drawn() == pytest.approx([one.expected for one in own if one.expected == one.expected], abs=1e-4)
    page.get_by_role("button", name="Next client").click()
    assert page.input_value("[data-course]") == "c004"
    assert page.locator("[data-course-name]").inner_text().startswith("c004 (4 sessions")
    page.select_option("[data-course]", "c001")
    assert page.get_by_role("button", name="Previous client").is_disabled()


@pytest.mark.slow
def test_the_dark_theme_keeps_the_chosen_client(opened):
    page = opened(cohort(40, 10))
    page.select_option("[data-course]", "c003")
    chosen = page.locator("#courses").evaluate("one => JSON.stringify(one.data.map(trace => trace.y))")
    page.locator("[data-theme-button]").click()
    after = page.locator("#courses").evaluate("one => JSON.stringify(one.data.map(trace => trace.y))")
    assert after == chosen


def test_names_that_mean_harm_do_none(opened):
    frame = replace(FRAME, study=HOSTILE[1], model=HOSTILE[1], label=HOSTILE[0])
    page = opened(hostile(), frame)
    page.on("dialog", lambda dialog: pytest.fail(f"a script of a name ran: {dialog.message}"))
    sort(page, "session")
    page.fill("[name=q]", "<IMG")
    assert ids(page)
    assert all("<img" in one for one in ids(page))
    page.fill("[name=q]", "")
    for name in (HOSTILE[0], HOSTILE[1], HOSTILE[2]):
        page.select_option("[data-course]", name)
        assert page.locator("[data-course-name]").inner_text().startswith(name)
    assert page.locator("img").count() == 0
    assert page.locator("[onerror], [onmouseover]").count() == 0


@pytest.mark.slow
def test_nothing_is_wider_than_the_window(opened):
    page = opened(hostile())
    for width in (1400, 1000, 800, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            "() => document.documentElement.scrollWidth <= window.innerWidth", timeout=5000
        )


@pytest.mark.slow
def test_a_list_without_flags_sorts_and_filters_too(opened):
    page = opened(unlisted(cohort(40, 10)), replace(FRAME, model="", label=""))
    sort(page, "bond")
    known = [float(text.split()[-1]) for text in column(page, "bond") if text.split()[-1] != "–"]
    assert known == sorted(known)
    page.select_option("[name=client]", "c002")
    assert ids(page)
    assert all(one.startswith("c002-") for one in ids(page))


def test_a_thousand_sessions_can_be_read_within_two_seconds(browser_page, tmp_path):
    address = write(tmp_path, cohort(1000, 250)).as_uri()
    browser_page.add_init_script(
        """new MutationObserver(() => {
            if (document.documentElement?.dataset.drawn) window.drawnMs ??= performance.now();
        }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-drawn"] });"""
    )
    took_ms = []
    for _ in range(3):  # the machine may be busy with something else
        browser_page.goto(address)
        browser_page.wait_for_selector("html[data-drawn]")
        took_ms.append(browser_page.evaluate("() => window.drawnMs"))
        if took_ms[-1] < 2000:
            break
    assert min(took_ms) < 2000


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "most_ms"), [(FIRST, 100), (1000, 300)])
def test_a_thousand_sessions_sort_without_a_wait(opened, rows, most_ms):
    page = opened(without_charts(cohort(1000, 250)))
    if rows == 1000:
        # not by the mouse: on a busy machine the page may still move under it
        page.get_by_role("button", name="Show all 1000").dispatch_event("click")
    took_ms = page.evaluate(
        """() => {
            const button = document.querySelector("th[data-key=client] button");
            const took = [...Array(5)].map(() => {
                const start = performance.now();
                button.click();
                document.body.offsetHeight;
                return performance.now() - start;
            });
            return Math.min(...took);
        }"""
    )
    assert page.locator("[data-list] tbody tr").count() == rows
    assert took_ms < most_ms, f"a sort takes {took_ms:.0f} ms"
