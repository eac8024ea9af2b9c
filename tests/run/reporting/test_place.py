"""The folder of a report: whole or as it was, and never in the place of something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsa.errors import InputError, SessionError
from vsa.report.pages.site import page_name
from vsa.run.reporting.place import report_folder, write_record


def make(out: Path, text: str) -> None:
    with report_folder(out) as folder:
        (folder / "index.html").write_text(text)
        write_record(folder, {"vsa": "0"})


def test_a_report_takes_the_place_of_an_earlier_one_and_of_all_of_it(tmp_path: Path) -> None:
    out = tmp_path / "report"
    make(out, "first")
    (out / "sessions").mkdir()
    (out / "sessions" / "gone.html").write_text("withdrawn")
    make(out, "second")
    assert (out / "index.html").read_text() == "second"
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "report.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    make(tmp_path / "report", "here")
    assert (tmp_path / "report" / "index.html").read_text() == "here"


@pytest.mark.parametrize("stranger", ["thesis.docx", "index.html"])
def test_what_is_no_report_is_never_replaced(tmp_path: Path, stranger: str) -> None:
    (tmp_path / stranger).write_text("mine")
    with pytest.raises(InputError, match=f"{stranger}, which is no report of vsa: it is not replaced"):
        make(tmp_path, "theirs")
    assert (tmp_path / stranger).read_text() == "mine"


def test_a_file_of_ones_own_in_a_report_keeps_it_from_being_replaced(tmp_path: Path) -> None:
    make(tmp_path / "report", "first")
    (tmp_path / "report" / "reviews.csv").write_text("marks")
    with pytest.raises(InputError, match=r"holds reviews\.csv"):
        make(tmp_path / "report", "second")
    assert (tmp_path / "report" / "reviews.csv").read_text() == "marks"


@pytest.mark.parametrize(
    "name",
    [
        *("sessions/notes.docx", "sessions/My notes.html", "sessions/s01_files/a.css", "sheets/s01.pdf"),
        *("assets/logo.png", "model/reviews.csv"),
    ],
)
def test_so_does_one_in_a_folder_of_a_report(tmp_path: Path, name: str) -> None:
    make(tmp_path / "report", "first")
    own = tmp_path / "report" / name
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    with pytest.raises(InputError, match=f"holds {'/'.join(name.split('/')[:2])}, which is no report"):
        make(tmp_path / "report", "second")
    assert own.read_text() == "mine"


def test_so_does_a_link_in_place_of_a_folder_or_page(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    make(tmp_path / "report", "first")
    (tmp_path / "report" / "sessions").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(InputError, match="holds sessions, which is no report"):
        make(tmp_path / "report", "second")
    assert (tmp_path / "report" / "sessions").is_symlink()


@pytest.mark.parametrize("session", ["s01", "con", "Bob & I", "S-7K3Q-F2XM", "é", "#", "a_b.c-d", "x" * 200])
def test_pages_of_all_sessions_are_known_by_name(tmp_path: Path, session: str) -> None:
    make(tmp_path / "report", "first")
    for folder in ("sessions", "sheets"):
        (tmp_path / "report" / folder).mkdir()
        (tmp_path / "report" / folder / page_name(session)).touch()
    make(tmp_path / "report", "second")
    assert not (tmp_path / "report" / "sessions").exists()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ValueError("a defect"), KeyboardInterrupt()]
)
def test_a_report_that_fails_leaves_the_earlier_one(tmp_path: Path, error: BaseException) -> None:
    out = tmp_path / "report"
    make(out, "first")

    def spoilt() -> None:
        with report_folder(out) as folder:
            (folder / "index.html").write_text("half")
            raise error

    with pytest.raises((SessionError, ValueError, KeyboardInterrupt)) as told:
        spoilt()
    if isinstance(error, OSError):
        assert "No space left on device" in str(told.value)
    assert (out / "index.html").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_file_in_the_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "report").touch()
    with pytest.raises(InputError, match="is a file"):
        make(tmp_path / "report", "")
