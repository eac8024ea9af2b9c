"""Links to recordings: the right file, an address that a browser can open from disk, or why there is none."""

from __future__ import annotations

import html
import os
import shutil
from fractions import Fraction
from pathlib import Path, PureWindowsPath

import av
import numpy as np
import pytest
from media_files import write_pictures
from people import media_dir

from vsa.run.reporting.media import address_of, manifest_videos, recording_of, recordings_of
from vsa.run.reporting.request import Request
from vsa.run.reporting.session_view import Row

CLIP = b"not really a film, and as long as one"
HOSTILE = (
    "Anna & Bo #1 100%.mp4",
    'it\'s "quoted"?.mp4',
    "Gespräch ü 話.mp4",
    "a+b;c=d,e:f.mp4",
    "<img src=x>.mp4",
    "back\\slash.mp4",
)


def recorded(name: str = "s01.mp4", size: int | None = len(CLIP), **more: object) -> dict[str, object]:
    return {"source": {"name": name, "bytes": size, "start_s": 0.0, "role": None, "sha256": "0" * 64, **more}}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study whose manifest names a recording beside it, and a folder of other recordings."""
    study = tmp_path / "study"
    (study / "calls").mkdir(parents=True)
    (study / "manifest.csv").write_text("session_id,video,consent\nS01,calls/s01.mp4,yes\n")
    (study / "calls" / "s01.mp4").write_bytes(CLIP)
    (tmp_path / "archive").mkdir()
    return study


def found(study: Path, record: dict[str, object], *folders: Path, session: str = "s01"):
    named = manifest_videos(study).get(session, {})
    return recording_of(record, named, folders, study / "report" / "sessions")


def test_the_recording_that_the_manifest_names_is_linked(study):
    one = found(study, recorded(start_s=2.5))
    assert (one.address, one.offset_s, one.why_none) == ("../../calls/s01.mp4", 2.5, "")


def test_a_recording_that_was_moved_is_found_in_a_folder_that_is_given(study, tmp_path):
    (study / "calls" / "s01.mp4").rename(tmp_path / "archive" / "s01.mp4")
    assert found(study, recorded()).why_none == (
        "calls/s01.mp4 is not there. Where it lies can be told with --media FOLDER."
    )
    assert found(study, recorded(), tmp_path, tmp_path / "archive").address == "../../../archive/s01.mp4"


def test_another_file_of_that_name_is_never_played(study, tmp_path):
    (study / "calls" / "s01.mp4").write_bytes(CLIP + b"!")
    (tmp_path / "archive" / "s01.mp4").write_bytes(CLIP[1:])
    one = found(study, recorded(), tmp_path / "archive")
    assert one.address == ""
    assert "calls/s01.mp4 is not the file that was analysed (its size differs)." in one.why_none
    assert "archive/s01.mp4 is not the file that was analysed (its size differs)." in one.why_none


def test_a_recording_of_unknown_size_is_taken_by_its_name(study):
    assert found(study, recorded(size=None)).address == "../../calls/s01.mp4"


def test_a_folder_of_that_name_is_no_recording(study):
    (study / "calls" / "s01.mp4").unlink()
    (study / "calls" / "s01.mp4").mkdir()
    assert "calls/s01.mp4 is no file." in found(study, recorded(size=None)).why_none


def test_a_recording_at_an_address_is_not_linked_and_no_password_is_shown(study):
    (study / "manifest.csv").write_text(
        "session_id,video\ns01,s3://me:secret@store/calls/s01.mp4?token=abc\n"
    )
    one = found(study, recorded())
    assert one.address == ""
    assert "s3://store/calls/s01.mp4 is no file of this machine" in one.why_none
    assert "secret" not in one.why_none
    assert "abc" not in one.why_none


def test_of_one_recording_per_participant_that_of_the_sessions_clock_is_linked(study):
    (study / "manifest.csv").write_text(
        "session_id,video:client,video:therapist\ns01,calls/c.mp4,calls/s01.mp4\n"
    )
    (study / "calls" / "c.mp4").write_bytes(CLIP)
    record = {**recorded(role="therapist"), "further_sources": [{"name": "c.mp4", "role": "client"}]}
    one = found(study, record)
    assert one.address == "../../calls/s01.mp4"
    assert (
        one.why_none
        == "Only the first recording, that of the therapist, is linked: its time is the session's."
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a workbook", b"\xff\xfe\xfa", b"id;film\n1;2\n", None])
def test_a_manifest_that_cannot_be_read_keeps_no_report_from_being_made(study, tmp_path, content):
    if content is None:
        (study / "manifest.csv").unlink()
    else:
        (study / "manifest.csv").write_bytes(content)
    shutil.copy(study / "calls" / "s01.mp4", tmp_path / "archive")
    assert "no manifest of the study names it" in found(study, recorded()).why_none
    assert found(study, recorded(), tmp_path / "archive").address == "../../../archive/s01.mp4"


def test_faults_in_other_rows_and_columns_do_not_matter(study):
    (study / "manifest.csv").write_text(
        "session_id;video;consent;bond\ns00\ns00;x.mp4;perhaps;ninety\ns01;calls/s01.mp4;;\n"
    )
    assert found(study, recorded()).address == "../../calls/s01.mp4"


def test_the_manifest_above_a_folder_of_results_is_read(study):
    results = study / "results"
    results.mkdir()
    one = recording_of(recorded(), manifest_videos(results)["s01"], (), study / "report" / "sessions")
    assert one.address == "../../calls/s01.mp4"


@pytest.mark.skipif(os.name != "posix", reason="links and such names are of POSIX systems")
def test_a_study_behind_a_link_is_found_by_the_browser_too(study, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "link").symlink_to(study, target_is_directory=True)
    (study / "manifest.csv").write_text("session_id,video\ns01,../study/calls/s01.mp4\n")
    linked = tmp_path / "deep" / "er" / "link"
    one = recording_of(recorded(), manifest_videos(linked)["s01"], (), tmp_path / "report" / "sessions")
    # as a browser does: without ever looking at the disk
    assert Path(os.path.normpath(tmp_path / "report" / "sessions" / one.address)).read_bytes() == CLIP


def test_a_file_on_another_drive_has_a_whole_address():
    page = PureWindowsPath("C:\\study\\report\\sessions")
    assert address_of(PureWindowsPath("D:\\calls\\a b.mp4"), page) == "file:///D:/calls/a%20b.mp4"
    assert address_of(PureWindowsPath("c:\\Study\\calls\\a b.mp4"), page) == "../../calls/a%20b.mp4"


def test_nothing_is_linked_unasked_or_beside_pseudonyms(study):
    row = Row("S01", {}, {}, False, 4.0, None, recorded(), study / "S01")
    table = Row("s02", {}, {}, False, 4.0, None, None, None)
    drawn = Row(
        "s03", {}, {}, True, 4.0, None, recorded("s03", None, sha256=None) | {"simulated": True}, study
    )
    asked = {"study": study, "out": study / "report"}
    rows = (row, table, drawn)
    unasked = recordings_of(Request(**asked), rows)
    assert {one.address for one in unasked.values()} == {""}
    hidden = recordings_of(Request(**asked, link_media=True, pseudonymize=study / "key"), rows)
    assert {one.address for one in hidden.values()} == {""}
    linked = recordings_of(Request(**asked, link_media=True), rows)
    assert linked["S01"].address == "../../calls/s01.mp4"
    assert linked["s02"].why_none == "It is not known which recording this session is of."
    assert linked["s03"].why_none == "The session is simulated: there is no recording."


def test_real_recordings_are_told_from_each_other(tmp_path):
    films = sorted(media_dir().glob("*.m[po][4v]"))
    if len(films) < 2:
        pytest.skip(f"no clips are in {media_dir()}")
    for film in films:
        record = recorded(film.name, film.stat().st_size)
        one = recording_of(record, {}, [tmp_path, media_dir()], tmp_path / "report" / "sessions")
        assert Path(os.path.normpath(tmp_path / "report" / "sessions" / one.address)).samefile(film)
        other = films[films.index(film) - 1]
        shutil.copy(other, tmp_path / film.name)
        assert recording_of(record, {}, [tmp_path], tmp_path / "report" / "sessions").address == ""


@pytest.fixture
def page(browser_page):
    return browser_page


LOADED = """async () => {
  const film = document.querySelector("video");
  for (let k = 0; k < 60 && film.readyState < 2 && !film.error; k++) await new Promise((go) => setTimeout(go, 50));
  return [film.readyState >= 2, film.videoWidth, film.currentTime];
}"""


def opened(page, film: Path, out: Path):
    """What a browser makes of a page in a report that plays a film."""
    sessions = out / "sessions"
    sessions.mkdir(parents=True, exist_ok=True)
    address = html.escape(address_of(film, sessions))
    (sessions / "s01.html").write_text(
        f'<!DOCTYPE html><video preload="metadata" src="{address}"></video>', "utf-8"
    )
    page.goto((sessions / "s01.html").as_uri())
    return page.evaluate(LOADED)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such names")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_browser_plays_a_recording_whatever_its_name(page, tmp_path, name):
    folder = tmp_path / "calls #1 & 100%"
    folder.mkdir()
    film = write_pictures(folder / "plain.mp4", [np.full((64, 96, 3), 90, np.uint8)] * 5).rename(
        folder / name
    )
    there, width, _ = opened(page, film, tmp_path / "a report?")
    assert there
    if not width:
        pytest.skip("this Chromium can't decode H.264")
    assert width == 96


def test_chromium_keeps_the_files_own_times(page, tmp_path):
    """So the session's time is the player's, and only browsers that begin at 0 need `Recording.offset_s`."""
    film = tmp_path / "late.webm"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for k in range(10):
            picture = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 90, np.uint8), format="rgb24")
            picture.pts, picture.time_base = 30 + k, Fraction(1, 10)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    there, _, time = opened(page, film, tmp_path / "report")
    assert there
    assert time == pytest.approx(3.0, abs=0.01)
