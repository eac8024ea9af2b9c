"""Marks in a real browser: made by keyboard, kept, shared by the pages of a report, exported, loaded, cleared."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2
import pytest

from vsa.report.pages import site as pages
from vsa.report.pages.site import PLOTLY, Site
from vsa.report.pages.view import ABSTAIN, OK, WEAK, Frame
from vsa.study.reviews import read_reviews

#: Ids that a careless page would run, compute or lose.
HOSTILE = ("<img src=x onerror=document.title='run'>", "__proto__", "=1+1", "\"quoted\", 'it'")
IDS = ("s01", "s02", "s03", "s04", *HOSTILE)
VERDICTS = (WEAK, WEAK, OK, ABSTAIN, OK, OK, OK, OK)
FRAME = Frame("Pilot/1", "2026-01-05", "1", "m.skops", "", False, "none", (), "k1", "0123456789ab", False)
LIST = """{% extends "base.html" %}{% from "marks_cell.html" import mark_cell %}{% block title %}List{% endblock %}
{% block main %}{% include "marks_tools.html" %}<table>{% for one in rows %}
<tr><td><a href="{{ one.page }}">{{ one.session_id }}</a></td>
{{ mark_cell(one.session_id, one.flag, one.simulated) }}</tr>
{% endfor %}</table>{% endblock %}"""
SESSION = """{% extends "base.html" %}{% block title %}Session{% endblock %}
{% block main %}{% include "marks.html" %}{% include "marks_tools.html" %}{% endblock %}"""


@dataclass(frozen=True)
class FlagOfOne:
    verdict: str
    probability: float


@dataclass(frozen=True)
class One:
    session_id: str
    page: str
    flag: FlagOfOne | None
    simulated: bool = False


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Writes pages of a report that hold the marks and little else."""
    own = jinja2.DictLoader({"of_a_list.html": LIST, "of_a_session.html": SESSION})
    made = pages.templates().overlay(loader=jinja2.ChoiceLoader([own, pages.templates().loader]))
    monkeypatch.setattr(pages, "templates", lambda: made)

    def write(name: str = "report", **changes) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        site = Site(folder, replace(FRAME, **changes))
        site.write_assets()
        (folder / "assets" / PLOTLY).unlink()
        rows = [
            One(one, f"sessions/{k}.html", FlagOfOne(verdict, float("nan") if verdict == ABSTAIN else 0.5))
            for k, (one, verdict) in enumerate(zip(IDS, VERDICTS, strict=True))
        ]
        site.write("index.html", "of_a_list.html", rows=rows)
        for row in rows:
            site.write(row.page, "of_a_session.html", view=row)
        site.write("sessions/none.html", "of_a_session.html", view=replace(rows[0], flag=None))
        return folder

    return write


def cell(page, session: str):
    return page.locator(".mark-cell").nth(IDS.index(session)).locator("button")


def opened(page, folder: Path, path: str = "index.html"):
    page.goto((folder / path).as_uri())
    return page


def exported(page) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.click("[data-export]")
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def load(page, path: Path) -> str:
    with page.expect_file_chooser() as waiting:
        page.click("[data-load]")
    waiting.value.set_files(path)
    page.wait_for_function("document.querySelector('[data-outcome]').textContent")
    return page.inner_text("[data-outcome]")


def test_a_reviewer_goes_through_the_list_by_keyboard(report, browser_page):
    page = opened(browser_page, report())
    cell(page, "s01").focus()
    for key in ("Enter", "a", "n"):
        page.keyboard.press(key)
    page.keyboard.type("a long silence at 3:10, d and c")
    for key in ("Control+Enter", "d", "ArrowDown", "c", "ArrowDown", "a", "a", "Escape"):
        page.keyboard.press(key)
    told = [cell(page, one).inner_text() for one in IDS[:4]]
    assert told == ["Agree + note", "Disagree", "Can't tell", "Mark"]
    sync_api = pytest.importorskip("playwright.sync_api")  # there is one, or there were no page
    sync_api.expect(cell(page, "s04")).to_be_focused()  # the dialog tells that it closed after the key
    assert page.inner_text("[data-count]") == "3 sessions marked, not exported yet."


@pytest.mark.slow
def test_the_question_is_that_of_the_verdict(report, browser_page):
    page = opened(browser_page, report())
    for session, asked in (("s01", "was weak here?"), ("s03", "not weak here?"), ("s04", "can't be judged?")):
        cell(page, session).click()
        assert asked in page.inner_text("dialog legend")
        assert page.inner_text("dialog [data-title]") == session
        page.keyboard.press("Escape")


def test_marks_outlive_the_page_and_are_those_of_the_sessions_page(report, browser_page):
    folder = report()
    page = opened(browser_page, folder, "sessions/0.html")
    page.click("text=Disagree")
    page.fill("textarea", "  said <b>well</b>\nthen left")
    page.reload()
    assert page.get_attribute("text=Disagree", "aria-pressed") == "true"
    assert page.input_value("textarea") == "  said <b>well</b>\nthen left"
    assert page.inner_text("[data-said]").startswith("Marked: disagree (")
    opened(page, folder)
    assert cell(page, "s01").inner_text() == "Disagree + note"
    opened(page, folder, "sessions/0.html")
    page.click("text=Disagree")
    page.fill("textarea", "")
    assert page.inner_text("[data-said]") == "Not marked yet."
    assert page.inner_text("[data-count]") == "No session marked yet."


@pytest.mark.slow
def test_another_list_has_marks_of_its_own(report, browser_page):
    page = opened(browser_page, report())
    cell(page, "s01").click()
    page.keyboard.press("a")
    opened(page, report("other", key="k2"))
    assert cell(page, "s01").inner_text() == "Mark"


def test_an_export_is_what_vsa_evaluate_reads(report, browser_page, tmp_path):
    page = opened(browser_page, report())
    for session in IDS:
        cell(page, session).click()
        page.keyboard.press("a" if session != "s04" else "c")
        page.fill("dialog textarea", f'@sum(1) "{session}"\n, ü')
        page.keyboard.press("Escape")
    page.fill("[data-initials]", "NA")
    page.keyboard.press("Tab")
    name, content = exported(page)
    assert name.startswith("reviews-Pilot-1-20")
    assert name.endswith(".csv")
    assert content.startswith(b"\xef\xbb\xbfsession_id,verdict,probability,mark,note,reviewer,marked_at,")
    assert content.count(b"\r\n") == len(IDS) + 1
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row[0] for row in rows[1:]] == [*IDS[:-2], "'=1+1", IDS[-1]]
    assert not [one for row in rows for one in row if one.startswith(("=", "+", "-", "@"))]
    path = tmp_path / name
    path.write_bytes(content)
    table = read_reviews([path])
    assert table["session_id"].tolist() == list(IDS)
    assert table["verdict"].tolist() == list(VERDICTS)
    assert table["note"].tolist() == [f'@sum(1) "{one}"\n, ü' for one in IDS]
    assert table["probability"].fillna(-1).tolist() == [-1 if one == ABSTAIN else 0.5 for one in VERDICTS]
    assert set(table["reviewer"]) == {"NA"}
    assert set(table["model_print"]) == {FRAME.model_print}
    assert page.title() == "List"
    assert page.inner_text("[data-count]") == f"{len(IDS)} sessions marked, exported."


@pytest.mark.slow
def test_an_export_loaded_elsewhere_gives_the_same_marks_back(report, browser_page, tmp_path):
    folder = report()
    page = opened(browser_page, folder)
    for session in HOSTILE:
        cell(page, session).click()
        page.keyboard.press("d")
        page.fill("dialog textarea", f"=x, {session}")
        page.keyboard.press("Escape")
    path = tmp_path / "marks.csv"
    path.write_bytes(exported(page)[1])
    kept = held_by(page)
    page.once("dialog", lambda asked: asked.accept())
    page.click("[data-clear]")
    assert page.inner_text("[data-count]") == "No session marked yet."
    assert load(page, path) == f"marks.csv: {len(HOSTILE)} marks added."
    assert held_by(page) == kept
    assert page.title() == "List"


def held_by(page) -> dict:
    return json.loads(page.evaluate("localStorage.getItem('vsa-marks:k1')"))


@pytest.mark.slow
def test_loading_keeps_the_newer_mark_and_never_takes_another_reviewers_for_ones_own(
    report, browser_page, tmp_path
):
    page = opened(browser_page, report())
    page.fill("[data-initials]", "AB")
    page.keyboard.press("Tab")
    for session in IDS[:4]:
        cell(page, session).click()
        page.keyboard.press("a")
        page.keyboard.press("Escape")
    head = "session_id;verdict;mark;reviewer;marked_at;model;model_print\n"
    rows = [
        ("s01", "disagree", "AB", "2099-01-05T10:00:00Z", FRAME.model_print),
        ("s02", "disagree", "AB", "2020-01-05T10:00:00Z", FRAME.model_print),
        ("s03", "disagree", "CD", "2099-01-05T10:00:00Z", FRAME.model_print),
        ("s04", "disagree", "AB", "2099-01-05T10:00:00Z", "ffffffffffff"),
        ("__proto__", "cannot tell", "CD", "", FRAME.model_print),
        ("s02", "nonsense", "AB", "", FRAME.model_print),
    ]
    path = tmp_path / "marks.csv"
    lines = [f"{one};weak;{mark};{who};{at};m.skops;{made}" for one, mark, who, at, made in rows]
    path.write_text(head + "\n".join(lines))
    said = load(page, path)
    told = [cell(page, one).inner_text() for one in (*IDS[:4], "__proto__")]
    assert told == ["Disagree", "Agree", "Agree", "Agree", "Can't tell"]
    for part in (
        "1 mark added",
        "1 mark replaced by newer ones",
        "1 mark left",
        "1 mark by another reviewer left out",
        "1 mark of another list left out",
        "1 row without",
    ):
        assert part in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'session_id,mark\n"s01,agree', "a quote in it is not closed"),
        (b"a,b\n1,2", "no column session_id and mark"),
    ],
)
def test_a_file_that_holds_no_marks_changes_nothing_and_says_why(
    report, browser_page, tmp_path, content, said
):
    page = opened(browser_page, report())
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    told = load(page, path)
    assert said in told
    assert told.endswith("Nothing was changed.")
    assert page.inner_text("[data-count]") == "No session marked yet."


@pytest.mark.slow
def test_clearing_asks_first(report, browser_page):
    page = opened(browser_page, report())
    cell(page, "s01").click()
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    page.once("dialog", lambda asked: asked.dismiss())
    page.click("[data-clear]")
    assert cell(page, "s01").inner_text() == "Agree"


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["setItem", "both"])
def test_without_storage_marks_last_as_long_as_the_page_and_that_is_said(report, browser_page, broken):
    names = ["setItem"] if broken == "setItem" else ["setItem", "getItem"]
    for name in names:
        browser_page.add_init_script(
            f"Storage.prototype.{name} = () => {{ throw new DOMException('no', 'QuotaExceededError'); }}"
        )
    page = opened(browser_page, report())
    assert not page.is_visible("[data-trouble]")
    page.fill("[data-initials]", "AB")
    for session in ("s01", "s02"):
        cell(page, session).click()
        page.keyboard.press("a")
        page.keyboard.press("Escape")
    assert "could not keep the last marks" in page.inner_text("[data-trouble]")
    assert [cell(page, one).inner_text() for one in ("s01", "s02", "s03")] == ["Agree", "Agree", "Mark"]
    assert exported(page)[1].count(b",AB,") == 2
    page.on("dialog", lambda asked: asked.accept())


@pytest.mark.slow
def test_what_other_pages_left_in_the_storage_does_no_harm(report, browser_page):
    folder = report()
    page = opened(browser_page, folder)
    for held in ("no json", "[1, 2]", "null", '{"s01": 7, "s02": {"mark": "x"}, "s03": {"mark": "agree"}}'):
        page.evaluate("held => localStorage.setItem('vsa-marks:k1', held)", held)
        page.reload()
        cell(page, "s02").click()
        page.keyboard.press("Escape")
    assert [cell(page, one).inner_text() for one in IDS[:4]] == ["Mark", "Mark", "Agree", "Mark"]


@pytest.mark.slow
def test_a_mark_made_in_another_tab_shows(report, browser_page):
    folder = report()
    page = opened(browser_page, folder)
    other = browser_page.context.new_page()
    opened(other, folder, "sessions/1.html")
    other.click("text=Can't tell")
    page.wait_for_function("document.querySelectorAll('.mark-cell button')[1].textContent === \"Can't tell\"")
    cell(page, "s01").click()
    page.keyboard.press("a")
    assert page.inner_text("[data-count]").startswith("2 sessions marked")


@pytest.mark.slow
def test_without_a_list_there_is_nothing_to_agree_with(report, browser_page):
    page = opened(browser_page, report(model=""), "sessions/none.html")
    assert page.locator(".marks, .marks-tools").count() == 0


@pytest.mark.slow
def test_paper_has_the_mark_and_the_note_and_no_buttons(report, browser_page):
    page = opened(browser_page, report(), "sessions/0.html")
    page.click("text=Disagree")
    page.fill("textarea", "left early")
    page.emulate_media(media="print")
    assert page.is_visible("text=Marked: disagree")
    assert page.inner_text("[data-note-print]") == "left early"
    assert not page.is_visible("textarea")
    assert not page.is_visible("text=Export marks")
