"""Results folders: a session is complete or absent, whatever happens while it is written."""

from __future__ import annotations

import csv
import errno
import json
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from vsa import open_results
from vsa.errors import InputError, SessionError
from vsa.study.cells import neutral, restored
from vsa.study.failures import Failure
from vsa.study.parquet import read_parquet, write_row
from vsa.study.results import Results, write_json
from vsa.study.simulated_mark import is_marked, mark

TABLES = ("face.parquet", "voice.parquet", "turns.parquet")


def fill(folder: Path, session_id: str, **row: float) -> None:
    """Write what a finished session holds."""
    for name in TABLES:
        pd.DataFrame({"t": [0.0]}).to_parquet(folder / name)
    pd.DataFrame([{"session_id": session_id, **row}]).to_parquet(folder / "features.parquet")
    write_json(folder / "session.json", {"session_id": session_id, "status": "complete", **row})


def finish(results: Results, session_id: str, **row: float) -> None:
    with results.writing(session_id) as folder:
        fill(folder, session_id, **row)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    made = Results(tmp_path / "out")
    made.prepare()
    return made


def hidden(results: Results) -> list[str]:
    return [name for name in os.listdir(results.folder) if name.startswith(".")]


def test_a_session_appears_whole_at_the_end(results: Results) -> None:
    with results.writing("s1") as folder:
        fill(folder, "s1")
        assert not results.session("s1").exists()
        assert results.finished("s1") is None
        assert results.sessions() == []
    assert results.sessions() == ["s1"]
    assert sorted(os.listdir(results.session("s1"))) == sorted([*TABLES, "features.parquet", "session.json"])
    assert hidden(results) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_what_breaks_off_between_files_leaves_nothing(results: Results, error: type[BaseException]) -> None:
    def broken_off() -> None:
        with results.writing("s1") as folder:
            (folder / "face.parquet").write_bytes(b"PAR1")
            raise error

    with pytest.raises(error):
        broken_off()
    assert os.listdir(results.folder) == []


def test_a_killed_process_leaves_nothing_under_the_final_name(results: Results) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from vsa.study.results import Results\n"
        "with Results(Path(sys.argv[1])).writing('s1') as folder:\n"
        "    (folder / 'face.parquet').write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(results.folder)], check=False)
    (left,) = os.listdir(results.folder)
    assert left.startswith(".s1.")
    assert results.sessions() == []
    results.prepare()
    assert os.listdir(results.folder) == []


def test_a_full_disk_is_told_from_a_locked_folder(results: Results) -> None:
    with pytest.raises(SessionError, match="is full") as caught, results.writing("s1"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.stage == "write"
    with pytest.raises(SessionError, match="can't be written"), results.writing("s1"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    with pytest.raises(BrokenPipeError), results.writing("s1"):
        raise BrokenPipeError(errno.EPIPE, "nobody listens")
    assert os.listdir(results.folder) == []


def test_a_session_that_is_done_again_takes_the_place_of_the_old_one(results: Results) -> None:
    finish(results, "s1", x=1.0)
    (results.session("s1") / "landmarks.npz").touch()
    with pytest.raises(RuntimeError), results.writing("s1"):
        raise RuntimeError
    assert (results.finished("s1") or {})["x"] == 1.0
    finish(results, "s1", x=2.0)
    assert (results.finished("s1") or {})["x"] == 2.0
    assert "landmarks.npz" not in os.listdir(results.session("s1"))
    assert hidden(results) == []


def test_a_folder_with_other_things_in_it_is_never_replaced(results: Results) -> None:
    own = results.session("s1")
    own.mkdir()
    (own / "recording.mp4").write_bytes(b"the only copy")
    assert results.strangers("s1") == ["recording.mp4"]
    with (
        pytest.raises(SessionError, match=r"holds what is no result of vsa \(recording\.mp4\)"),
        results.writing("s1") as folder,
    ):
        fill(folder, "s1")
    assert (own / "recording.mp4").read_bytes() == b"the only copy"
    assert os.listdir(results.folder) == ["s1"]
    (results.folder / "s2").write_text("a file")
    assert results.strangers("s2") == ["s2"]
    assert results.strangers("s3") == []


def test_two_runs_that_finish_the_same_session_at_once(results: Results) -> None:
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            for _ in range(15):
                finish(results, "s1", x=float(number))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    record = results.finished("s1")
    assert record is not None
    assert pd.read_parquet(results.session("s1") / "features.parquet")["x"].tolist() == [record["x"]]
    assert hidden(results) == []


def test_what_a_live_process_is_making_is_not_swept(results: Results) -> None:
    with results.writing("s1") as folder:
        fill(folder, "s1")
        results.prepare()
        assert folder.exists()
    assert results.sessions() == ["s1"]


def test_what_another_machine_is_making_is_swept_when_it_is_old(results: Results) -> None:
    with results.writing("s1") as folder:
        name = folder.name
    host = name.split(".")[2].split("-")[0]
    foreign = results.folder / name.replace(host, "0" * 6 if host != "0" * 6 else "1" * 6)
    foreign.mkdir()
    results.prepare()
    assert foreign.exists()
    old = time.time() - 8 * 24 * 3600
    os.utime(foreign, (old, old))
    results.prepare()
    assert not foreign.exists()


def test_a_session_that_was_moved_aside_by_a_killed_run_comes_back(results: Results) -> None:
    finish(results, "a.b 1", x=1.0)
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
    with results.writing("probe") as folder:
        fill(folder, "probe")
        host = folder.name.split(".")[2].split("-")[0]
    aside = results.folder / f".a.b 1.{host}-{int(ended.stdout)}-0123abcd.old.part"
    results.session("a.b 1").rename(aside)
    results.prepare()
    assert (results.finished("a.b 1") or {})["x"] == 1.0
    assert hidden(results) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("session.json", b""),
        ("session.json", b'{"session_id": "s1", "sta'),
        ("session.json", b"[]"),
        ("session.json", b'{"status": "begun"}'),
        ("session.json", b"\xff\xfe"),
        ("session.json", b"[" * 100_000),
        ("features.parquet", b"PAR1 cut off"),
        ("face.parquet", b""),
        ("face.parquet", None),
    ],
)
def test_a_damaged_session_is_not_finished(results: Results, name: str, content: bytes | None) -> None:
    finish(results, "s1")
    path = results.session("s1") / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert results.finished("s1") is None
    assert results.sessions() == []
    assert results.strangers("s1") == []
    finish(results, "s1")
    assert results.finished("s1") is not None


def test_features_are_gathered_in_order_of_id_with_every_column(results: Results) -> None:
    assert results.gather_features() == 0
    assert pd.read_parquet(results.folder / "features.parquet")["session_id"].tolist() == []
    finish(results, "s10", x=1.0)
    finish(results, "s2", y=2.0)
    finish(results, "a", x=3.0, y=4.0)
    (results.folder / "notes").mkdir()
    (results.session("s2") / "features.parquet").write_bytes(b"spoilt, and ends as it should: PAR1")
    assert results.gather_features() == 2
    table = pd.read_parquet(results.folder / "features.parquet")
    assert table["session_id"].tolist() == ["a", "s10"]
    assert table["x"].tolist() == [3.0, 1.0]
    assert table["y"].isna().tolist() == [False, True]
    assert hidden(results) == []


def test_what_is_gathered_is_what_pandas_puts_together(results: Results) -> None:
    rows = [
        {"session_id": "a", "x": 1.25, "y": float("nan")},
        {"session_id": "b", "y": -0.1, "z": 3.0},
        {"session_id": "c", "x": float("nan"), "y": float("nan"), "z": float("nan")},
    ]
    for row in rows:
        finish(results, row["session_id"])
        write_row(row, results.session(row["session_id"]) / "features.parquet")
    finish(results, "d", x=7.5)  # as pandas writes it
    results.gather_features()
    expected = pd.DataFrame([*rows, {"session_id": "d", "x": 7.5}])
    pd.testing.assert_frame_equal(pd.read_parquet(results.folder / "features.parquet"), expected)
    for row in rows:
        alone = read_parquet(results.session(row["session_id"]) / "features.parquet")
        pd.testing.assert_frame_equal(alone, pd.DataFrame([row]))


@pytest.mark.parametrize("value", ["text", [1.0, 2.0]])
def test_a_row_without_numbers_does_not_cost_the_others_theirs(results: Results, value: object) -> None:
    finish(results, "a", x=1.0)
    finish(results, "b")
    pd.DataFrame([{"session_id": "b", "x": value}]).to_parquet(results.session("b") / "features.parquet")
    finish(results, "c", x=3)
    assert results.gather_features() == 2
    expected = pd.DataFrame({"session_id": ["a", "c"], "x": [1.0, 3.0]})
    pd.testing.assert_frame_equal(pd.read_parquet(results.folder / "features.parquet"), expected)


def test_a_row_that_a_bad_disk_changed_is_noticed(results: Results) -> None:
    for name in ("a", "b"):
        finish(results, name)
        path = results.session(name) / "features.parquet"
        write_row({"session_id": name, "x": 1.25, "y": 2.5}, path)
    written, changed = (struct.pack("<d", value) for value in (1.25, 1.75))
    assert path.read_bytes().count(written) == 1
    path.write_bytes(path.read_bytes().replace(written, changed))
    assert results.gather_features() == 1
    assert pd.read_parquet(results.folder / "features.parquet")["session_id"].tolist() == ["a"]


def test_the_table_is_simulated_if_all_its_sessions_are(results: Results) -> None:
    for name in ("a", "b"):
        finish(results, name, x=1.0)
        mark([results.session(name) / "features.parquet"])
    write_row({"session_id": "b", "x": 2.0}, results.session("b") / "features.parquet")
    results.gather_features()
    assert is_marked(results.folder / "features.parquet")
    finish(results, "person", x=1.0)
    results.gather_features()
    assert not is_marked(results.folder / "features.parquet")
    assert not is_marked(results.folder / "absent.parquet")


def test_failures_are_merged_with_those_of_earlier_runs(results: Results) -> None:
    def failure(session_id: str, error: str = "bad") -> Failure:
        return Failure(session_id, "media", error, "mend it")

    results.note_failures([failure("s2"), failure("s1")], ["s0"])
    assert [f.session_id for f in results.failures()] == ["s1", "s2"]
    results.note_failures([failure("s1", "worse"), failure("s3")], ["s1"])
    assert [(f.session_id, f.error) for f in results.failures()] == [
        ("s1", "worse"),
        ("s2", "bad"),
        ("s3", "bad"),
    ]
    results.note_failures([], ["s1", "s2", "s3"])
    assert (results.folder / "failures.csv").read_text() == "session_id,stage,error,hint\n"


def test_no_cell_of_the_list_is_a_formula_and_all_are_read_back(results: Results) -> None:
    nasty = [
        '=HYPERLINK("http://x")',
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "'=1",
        'plain, with "quotes"\nand lines',
    ]
    made = [Failure(f"s{k}", "media", text, text) for k, text in enumerate(nasty)]
    results.note_failures(made, [])
    with (results.folder / "failures.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert results.failures() == made
    assert all(restored(neutral(text)) == text for text in nasty)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"", b"a;b\n1;2\n", b'session_id,stage,error,hint\ns1,"', b"\0"]
)
def test_a_spoilt_list_of_failures_does_not_stop_a_run(results: Results, content: bytes) -> None:
    (results.folder / "failures.csv").write_bytes(content)
    results.note_failures([Failure("s2", "media", "bad", "")], ["s1"])
    assert [f.session_id for f in results.failures()] == ["s2"]


def test_names_that_no_encoding_has_can_be_listed(results: Results) -> None:
    results.note_failures([Failure("s1", "media", "/disk/\udcff.mp4 does not exist", "")], [])
    assert "\\udcff" in results.failures()[0].error


def test_places_that_can_or_cannot_hold_results(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at all")
    for folder in (tmp_path / "file", tmp_path / "file" / "out", tmp_path / "dangling"):
        with pytest.raises(InputError, match="can't be written"):
            Results(folder).prepare()
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    through = Results(tmp_path / "link")
    through.prepare()
    finish(through, "s1")
    assert Results(tmp_path / "disk").sessions() == ["s1"]


def test_looking_at_results_changes_nothing(tmp_path: Path) -> None:
    absent = Results(tmp_path / "absent")
    assert absent.sessions() == []
    assert absent.failures() == []
    assert absent.finished("s1") is None
    assert not absent.folder.exists()


def test_a_record_is_amended_whole(results: Results) -> None:
    finish(results, "s1", x=1.0)
    record = results.finished("s1")
    assert record is not None
    results.amend("s1", {**record, "facts": {"bond": "3"}})
    assert (results.finished("s1") or {})["facts"] == {"bond": "3"}
    assert hidden(results) == []
    assert results.strangers("s1") == []
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.amend("s1", {"x": float("nan")})
    assert json.loads((results.session("s1") / "session.json").read_text())["x"] == 1.0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("participants", "x"),
        ("participants", [5]),
        ("sound", 5),
        ("sound", {"voices": "p1"}),
        ("source", {"duration_s": "x"}),
        ("source", 7),
        ("quality", {"notes": 3}),
        ("settings", []),
    ],
)
def test_a_session_whose_record_has_values_of_another_kind_is_not_finished(
    results: Results, key: str, value: object
) -> None:
    finish(results, "s1")
    path = results.session("s1") / "session.json"
    right = {**json.loads(path.read_text()), "source": None, "participants": [{"id": "p1", "role": None}]}
    path.write_text(json.dumps(right))
    assert results.sessions() == ["s1"]
    path.write_text(json.dumps({**right, key: value}))
    assert results.sessions() == []
    assert results.finished("s1") is None
    with pytest.warns(UserWarning, match=rf"'s1' can't be used: session.json is damaged, at {key}"):
        assert len(open_results(results.folder).overview) == 0
