"""A whole report in a real browser, as a reader goes through it: from the list to a session, its sheet, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsa.run.cohort_files import write_cohort
from vsa.run.reporting.build import build
from vsa.run.reporting.request import Request
from vsa.simulate.cohort import CohortDesign


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two sessions that are long enough for sheets and synchrony."""
    folder = tmp_path_factory.mktemp("browsed")
    write_cohort(
        folder / "study", CohortDesign(clients=2, sessions=(1, 1)), "signals", 5, seconds=330.0, fps=8.0
    )
    return build(Request(folder / "study", folder / "report", jobs=1)).index


def test_a_reader_goes_from_the_list_to_a_session_and_its_sheet(index: Path, browser_page) -> None:
    page = browser_page
    page.goto(index.as_uri())
    assert page.get_by_text("SIMULATED", exact=True).first.is_visible()
    page.get_by_role("link", name="sim-c001-s1", exact=True).click()
    page.wait_for_selector(".chart .barlayer .point", state="attached")
    assert page.locator("h1").inner_text().startswith("Session sim-c001-s1")
    assert page.get_by_text("Movement together:").is_visible()
    for row in ("therapist speaks", "client looks", "client smiles"):
        assert page.locator(".chart .ytick text", has_text=row).count()
    page.get_by_role("link", name="Practitioner's sheet").click()
    assert "not for personnel decisions" in page.locator("main").inner_text()
    page.get_by_role("link", name="study", exact=True).click()
    assert page.url == index.as_uri()


@pytest.mark.slow
def test_pages_open_without_a_network_from_wherever_they_were_moved(
    index: Path, browser_page, tmp_path: Path
) -> None:
    moved = index.parent.rename(tmp_path / "moved elsewhere & renamed #2")
    try:
        browser_page.context.set_offline(True)
        browser_page.goto((moved / "index.html").as_uri())
        browser_page.get_by_role("link", name="sim-c002-s1", exact=True).click()
        browser_page.wait_for_selector(".chart .barlayer .point", state="attached")
    finally:
        moved.rename(index.parent)
