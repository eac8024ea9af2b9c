"""Results at an address: complete or absent, as in a folder, in a store that can't rename and may fail at any step."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from stores import CountedStore, counted, emptied, memory
from studies import make_study, write_session

from vsa.errors import InputError, SessionError
from vsa.notebook.results import OpenResults
from vsa.simulate.cohort import simulate_cohort
from vsa.study.addresses import Address, place_of
from vsa.study.consent import allowed_rows
from vsa.study.failures import Failure
from vsa.study.remote_results import RemoteResults, results_at
from vsa.study.results import Results
from vsa.study.session_files import SESSION_FILES
from vsa.study.tables import read_table


@pytest.fixture
def remote() -> RemoteResults:
    emptied()
    made = results_at(place_of("memory://studies/one"))
    assert isinstance(made, RemoteResults)
    made.prepare()
    return made


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return simulate_cohort(3, 2, seed=1)


def files(under: str) -> list[str]:
    return sorted(name.removeprefix(f"/{under}/") for name in memory().store if name.startswith(f"/{under}/"))


def write(results: Any, cohort: pd.DataFrame, *rows: int) -> None:
    for row in rows:
        write_session(results, cohort.iloc[row])


class Full:
    """The store in memory takes no more after so many files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, takes: int) -> None:
        self.left = takes
        fs = type(memory())
        put = fs.put_file

        def put_file(store: Any, local: str, path: str, **options: Any) -> None:
            if self.left == 0:
                raise OSError(errno.ENOSPC, "quota")
            self.left -= 1
            put(store, local, path, **options)

        monkeypatch.setattr(fs, "put_file", put_file)


def test_the_place_decides_how_results_are_kept(tmp_path: Path) -> None:
    assert isinstance(results_at(place_of(str(tmp_path))), Results)
    assert isinstance(results_at(place_of(f"file://{tmp_path}")), Results)
    assert isinstance(results_at(place_of("memory://x")), RemoteResults)


def test_all_is_as_in_a_folder(remote: RemoteResults, cohort: pd.DataFrame, tmp_path: Path) -> None:
    local = Results(tmp_path)
    for results in (local, remote):
        write(results, cohort, 2, 0, 1)
        results.note_failures([Failure("x", "media", "e", "h"), Failure("=y", "face", "e", "h")], [])
        results.note_failures([], ["x"])
        assert results.gather_features() == 3
    there = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert files("studies/one") == there
    for name in there:
        assert memory().cat_file(f"/studies/one/{name}") == (tmp_path / name).read_bytes()
    assert remote.sessions() == local.sessions()
    assert remote.failures() == local.failures()
    first = cohort["session_id"][0]
    assert remote.finished(first) == local.finished(first)
    assert remote.finished("nobody") is None
    assert remote.strangers(first) == remote.strangers("nobody") == []
    pd.testing.assert_frame_equal(read_table(remote.folder), read_table(tmp_path))


@pytest.mark.parametrize("takes", range(6))
def test_a_store_that_runs_full_leaves_a_session_complete_or_absent(
    remote: RemoteResults, cohort: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, takes: int
) -> None:
    """Also when it was there before: its files may be mixed then, so it must not count as finished."""
    name = cohort["session_id"][0]
    write(remote, cohort, 0)
    assert remote.sessions() == [name]
    Full(monkeypatch, takes)
    with pytest.raises(SessionError, match="is full") as caught:
        write(remote, cohort, 0)
    assert caught.value.stage == "write"
    assert remote.sessions() == []
    monkeypatch.undo()
    write(remote, cohort, 0)
    assert remote.sessions() == [name]


def test_a_session_that_fails_is_not_touched(remote: RemoteResults, cohort: pd.DataFrame) -> None:
    write(remote, cohort, 0)
    before = {name: memory().cat_file(name) for name in memory().store}
    made: list[Path] = []

    def fail() -> None:
        with remote.writing(cohort["session_id"][0]) as folder:
            made.append(folder)
            (folder / "face.parquet").write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert {name: memory().cat_file(name) for name in memory().store} == before
    assert not made[0].exists()


def test_what_a_new_session_has_not_goes(remote: RemoteResults, cohort: pd.DataFrame) -> None:
    name = cohort["session_id"][0]
    write(remote, cohort, 0)
    memory().pipe_file(f"/studies/one/{name}/landmarks.npz", b"old")
    write(remote, cohort, 0)
    assert f"{name}/landmarks.npz" not in files("studies/one")
    assert remote.finished(name) is not None


@pytest.mark.parametrize("damaged", ["face.parquet", "features.parquet", "session.json"])
def test_a_cut_off_file_makes_a_session_unfinished(
    remote: RemoteResults, cohort: pd.DataFrame, damaged: str
) -> None:
    name = cohort["session_id"][0]
    write(remote, cohort, 0, 1)
    at = f"/studies/one/{name}/{damaged}"
    memory().pipe_file(at, memory().cat_file(at)[:-7])
    assert remote.finished(name) is None
    assert remote.sessions() == [cohort["session_id"][1]]


def test_what_is_not_of_vsa_is_never_replaced(remote: RemoteResults, cohort: pd.DataFrame) -> None:
    name = cohort["session_id"][0]
    memory().pipe_file(f"/studies/one/{name}/notes.txt", b"mine")
    memory().pipe_file(f"/studies/one/{name}/more/notes.txt", b"mine")
    assert remote.strangers(name) == ["more", "notes.txt"]
    with pytest.raises(SessionError, match=r"notes\.txt.*not replaced"):
        write(remote, cohort, 0)
    assert memory().cat_file(f"/studies/one/{name}/notes.txt") == b"mine"
    assert not any(one.endswith(SESSION_FILES) for one in files("studies/one"))


def test_a_session_is_brought_here_while_it_is_needed(remote: RemoteResults, cohort: pd.DataFrame) -> None:
    name = cohort["session_id"][0]
    write(remote, cohort, 0)
    with remote.local(name, ("session.json", "turns.corrected.rttm")) as folder:
        assert [path.name for path in folder.iterdir()] == ["session.json"]
        assert json.loads((folder / "session.json").read_text()) == remote.finished(name)
    assert not folder.exists()
    with remote.local("nobody") as folder:
        assert list(folder.iterdir()) == []


def test_results_are_not_put_where_nobody_can_write(tmp_path: Path) -> None:
    for url, why in {
        "s4fs://bucket/out": "no protocol that is known",
        "zip://out::memory://none.zip": "does not exist",
    }.items():
        with pytest.raises(InputError, match=why):
            results_at(place_of(url)).prepare()
    (tmp_path / "out").mkdir()
    with counted(tmp_path), pytest.raises(InputError, match="can't be written"):
        results_at(place_of("counted://us:pa55word@store/out")).prepare()


def test_a_store_that_does_not_answer_is_not_taken_for_empty(
    remote: RemoteResults, cohort: pd.DataFrame, tmp_path: Path
) -> None:
    """Else finished sessions would be done again, and consent be overlooked."""
    local = Results(tmp_path / "out")
    local.prepare()
    write(local, cohort, 0)
    with counted(local.session(cohort["session_id"][0]), fails_after=0):
        far = results_at(place_of("counted://us:pa55word@store"))
        with pytest.raises(InputError, match="can't be reached") as caught:
            far.finished("s1")
    assert "pa55word" not in str(caught.value)
    assert CountedStore.ranges == ()


def test_consent_that_was_recorded_holds_at_an_address(remote: RemoteResults, cohort: pd.DataFrame) -> None:
    write(remote, cohort, 0, 1, 2)
    yes, no, unknown = cohort["session_id"][:3]
    for name, purposes in ((yes, ["quality", "training"]), (no, ["quality"])):
        record = remote.finished(name)
        assert record is not None
        remote.amend(name, {**record, "consent": {"by": {}, "purposes": purposes}})
    remote.gather_features()
    for source in (remote.folder, remote.folder / "features.parquet"):
        allowed = allowed_rows(read_table(source), source, "training")
        assert allowed.left_out == (no,)
        assert allowed.table["session_id"].tolist() == sorted([yes, unknown])
        assert any(unknown in note for note in allowed.notes)


def test_a_study_at_an_address_obeys_its_manifest(tmp_path: Path) -> None:
    make_study(tmp_path)
    emptied().put(str(tmp_path), "/study", recursive=True)
    far = place_of("memory://study")
    assert isinstance(far, Address)
    here, there = (allowed_rows(read_table(one), one, "training") for one in (tmp_path, far))
    pd.testing.assert_frame_equal(here.table, there.table)
    assert (here.left_out, here.notes) == (there.left_out, there.notes)


def test_notebooks_say_that_they_read_folders_only() -> None:
    with pytest.raises(InputError, match="memory://studies/one"):
        OpenResults("memory://studies/one")


@pytest.fixture(autouse=True)
def _nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is written on this machine on the way goes."""
    way = tmp_path / "way"
    way.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(way))
    yield
    assert list(way.iterdir()) == []
