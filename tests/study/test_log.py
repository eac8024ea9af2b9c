"""The study's log: entries chain, and whoever touches one is found out."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import vsa
from vsa.errors import SessionError
from vsa.study.chain import verify
from vsa.study.log import NOTHING, append, entries, parse, record

Lines = list[bytes]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Five entries."""
    for k in range(1, 6):
        record(tmp_path, "extract", [f"s{k}", "s0"], {"done": k, "out": "here"})
    return tmp_path


def lines(study: Path) -> Lines:
    return (study / "log.jsonl").read_bytes().splitlines()


def rewrite(study: Path, lines: Lines) -> None:
    (study / "log.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def changed(line: bytes, *, signed: bool = False, **values: object) -> bytes:
    """A line with other values, with a fingerprint to match if `signed`."""
    entry = parse(json.dumps({**json.loads(line), **values}).encode())
    assert entry is not None
    return type(entry)(**{**entry.__dict__, "sha256": entry.fingerprint()}).line() if signed else entry.line()


def test_an_entry_says_who_ran_what_when_on_which_sessions(tmp_path: Path) -> None:
    record(tmp_path, "turns import", ["s2", "s1", "s2"], {"sessions": 2})
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    held = json.loads(line)
    assert held["number"] == 1
    assert held["command"] == "turns import"
    assert held["ids"] == ["s1", "s2"]
    assert held["outcome"] == {"sessions": 2}
    assert held["vsa"] == vsa.__version__
    assert held["previous"] == NOTHING
    assert re.fullmatch(r"[0-9a-f]{64}", held["sha256"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", held["time"])
    assert abs(datetime.fromisoformat(held["time"]) - datetime.now(UTC)) < timedelta(minutes=1)
    owner = (tmp_path / "log.jsonl").stat().st_uid
    known = subprocess.run(["id", "-un", str(owner)], capture_output=True, text=True, check=False)
    assert held["who"] == (known.stdout.strip() or "unknown")


def test_who_it_was_cannot_be_set_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody else")
    assert append(tmp_path, "flag", [], {}).who != "somebody else"


def test_the_fingerprint_is_that_of_the_canonical_json(study: Path) -> None:
    """Worked out here without vsa, as another program would."""
    import hashlib

    before = "0" * 64
    for line in lines(study):
        held = json.loads(line)
        said = held.pop("sha256")
        text = json.dumps(held, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert said == hashlib.sha256(text.encode()).hexdigest()
        assert held["previous"] == before
        before = said


def test_an_untouched_log_has_no_faults(study: Path) -> None:
    chain = verify(study)
    assert chain.faults == chain.notes == ()
    assert [entry.number for entry in chain.entries] == [1, 2, 3, 4, 5]
    assert chain.last == json.loads(lines(study)[-1])["sha256"]
    assert all(chain.holds(entry.sha256) for entry in chain.entries)
    assert not chain.holds("f" * 64)


def test_names_of_any_script_are_kept(tmp_path: Path) -> None:
    names = ["sitzung-ä", "会話", "a\u2028b", "\udcff"]
    record(tmp_path, "extract", names, {"model": "modèle.skops"})
    assert verify(tmp_path).faults == ()
    assert entries(tmp_path)[0].ids == tuple(sorted(names))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda L: [*L[:1], changed(L[1], who="nobody"), *L[2:]], r"^line 2 \(entry 2\) was changed"),
        (lambda L: [*L[:1], L[1].replace(b'"done": 2', b'"done":  2'), *L[2:]], r"^line 2 .* was changed"),
        (lambda L: [*L[:1], changed(L[1], who="nobody", signed=True), *L[2:]], r"^line 3 .* from entry 2"),
        (lambda L: [*L[:2], *L[3:]], r"^entry 3 is missing before line 3"),
        (lambda L: [L[0], *L[3:]], r"^entries 2-3 are missing before line 2"),
        (lambda L: L[1:], r"^entry 1 is missing before line 1"),
        (lambda L: [*L[:2], L[1], *L[2:]], r"^line 3 \(entry 2\) was put in"),
        (lambda L: [*L[:2], changed(L[2], ids=["x"], signed=True), *L[2:]], r"^line 3 \(entry 3\) was put in"),
        (lambda L: [*L[:3], changed(L[2], ids=["x"], signed=True), *L[3:]], r"^line 4 \(entry 3\) was put in"),
        (lambda L: [L[0], L[2], L[1], *L[3:]], r"^line 3 \(entry 2\) was moved: it stands after entry 3"),
        (lambda L: [*L[1:], L[0]], r"^line 5 \(entry 1\) was moved: it stands after entry 5"),
        (lambda L: [*L[:2], L[2][:40], *L[3:]], r"^line 3: no entry"),
        (lambda L: [*L[:2], b"hello", *L[2:]], r"^line 3: no entry"),
        (lambda L: [*L, b"hello"], r"^line 6: no entry"),
    ],
    ids=[
        "edited", "respaced", "edited-and-signed", "removed", "two-removed", "first-removed", "twice",
        "put-in", "put-in-after", "swapped", "first-moved-last", "cut", "stray", "stray-last",
    ],
)  # fmt: skip
def test_whoever_touches_an_entry_is_found_out(
    study: Path, tamper: Callable[[Lines], Lines], said: str
) -> None:
    rewrite(study, tamper(lines(study)))
    faults = verify(study).faults
    assert re.search(said, "\n".join(faults), re.MULTILINE), faults
    append(study, "flag", [], {})
    assert set(faults) <= {*verify(study).faults} | {f for f in faults if "line 6: no entry" in f}


def test_renumbering_what_follows_a_removed_entry_does_not_hide_it(study: Path) -> None:
    whole = lines(study)
    last = [changed(line, number=k + 3, signed=True) for k, line in enumerate(whole[3:])]
    rewrite(study, [*whole[:2], *last])
    assert any("does not go on from entry 2" in fault for fault in verify(study).faults)


def test_a_cut_end_shows_only_against_a_fingerprint_that_was_kept(study: Path) -> None:
    kept = verify(study).last
    rewrite(study, lines(study)[:3])
    chain = verify(study)
    assert chain.faults == ()
    assert not chain.holds(kept)
    append(study, "flag", [], {})
    assert not verify(study).holds(kept)


def test_a_torn_line_is_kept_noted_by_the_next_entry_and_told(study: Path) -> None:
    torn = lines(study)[-1][:50]
    rewrite(study, lines(study)[:4])
    with (study / "log.jsonl").open("ab") as file:
        file.write(torn)
    chain = verify(study)
    assert chain.faults == ()
    assert "line 5, the last, is torn" in chain.notes[0]
    entry = append(study, "flag", ["s1"], {})
    assert entry.number == 5
    assert lines(study)[4] == torn
    chain = verify(study)
    assert chain.faults == ()
    assert chain.notes == ("line 5: torn, as entry 5 after it noted.",)
    rewrite(study, [*lines(study)[:4], b"something else", *lines(study)[5:]])
    assert "line 5: no entry" in verify(study).faults[0]
    rewrite(study, [*lines(study)[:4], *lines(study)[5:]])
    assert "which is gone" in verify(study).faults[0]


def test_a_whole_last_line_without_its_end_is_an_entry(study: Path) -> None:
    path = study / "log.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert verify(study).notes == ()
    assert append(study, "flag", [], {}).number == 6
    assert verify(study).faults == verify(study).notes == ()


@pytest.mark.parametrize("junk", [b"\0" * 100, b"\xff\xfe{", b"{" * 2000, b"[" * 100_000])
def test_what_a_power_cut_leaves_stops_nobody(study: Path, junk: bytes) -> None:
    with (study / "log.jsonl").open("ab") as file:
        file.write(junk)
    assert append(study, "flag", [], {}).number == 6
    assert verify(study).faults == ()


def test_processes_that_log_at_once_never_fork_the_chain(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom vsa.study.log import record\n"
        "for k in range(40): record(Path(sys.argv[1]), 'extract', [f'{sys.argv[2]}-{k}'] * 3, {'k': k})\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(one)]) for one in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    chain = verify(tmp_path)
    assert chain.faults == chain.notes == ()
    assert [entry.number for entry in chain.entries] == list(range(1, 161))
    assert {entry.ids[0] for entry in chain.entries} == {f"{one}-{k}" for one in range(4) for k in range(40)}


def test_a_process_killed_while_it_logs_costs_at_most_its_own_entry(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom vsa.study.log import record\n"
        "while True: record(Path(sys.argv[1]), 'extract', [f's{k}' for k in range(500)], {})\n"
    )
    for _ in range(3):
        running = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
        count = len(entries(tmp_path))
        while len(entries(tmp_path)) < count + 5:
            assert running.poll() is None
        running.send_signal(signal.SIGKILL)
        running.wait()
    append(tmp_path, "flag", [], {})
    assert verify(tmp_path).faults == ()


def test_a_log_that_cannot_be_written_is_said_and_stays_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log.jsonl").mkdir()
    record(tmp_path, "flag", ["s1"], {})
    assert "'flag' is not in the log" in capsys.readouterr().err
    with pytest.raises(SessionError, match="can't be written") as caught:
        append(tmp_path, "flag", ["s1"], {})
    assert caught.value.exit_code == 3


def test_a_full_disk_leaves_no_half_entry(study: Path) -> None:
    path = study / "log.jsonl"
    before = path.read_bytes()
    program = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom vsa.study.log import record\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "record(Path(sys.argv[1]), 'extract', ['s1'], {})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(study), str(len(before) + 30)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "not in the log" in done.stderr
    assert path.read_bytes() == before


def test_a_study_without_a_log_has_an_empty_chain(tmp_path: Path) -> None:
    chain = verify(tmp_path)
    assert chain.entries == chain.faults == chain.notes == ()
    assert chain.last == NOTHING
    assert not (tmp_path / "log.jsonl").exists()
