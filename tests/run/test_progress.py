"""What a run shows while it goes on: bars in a terminal, plain lines elsewhere, JSON for machines."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path

import media_files
import pytest
from command import VSA, events, vsa
from pretrained import need_faces

from vsa.commands.progress import Plain
from vsa.study.failures import Failure

#: What a terminal is told: colours, cursor moves, and what erases a line.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two good recordings and a bad one between them."""
    need_faces()
    folder = tmp_path_factory.mktemp("calls")
    pictures = media_files.portrait(60)
    first = media_files.write_pictures(folder / "first.mp4", pictures * 4)
    last = media_files.write_pictures(folder / "last [red] :smile:.mp4".replace(":", "!"), pictures)
    return [first, media_files.random_bytes(folder, 1000), last]


def in_terminal(arguments: list[str], columns: int = 100, **environment: str) -> tuple[str, int]:
    """What a command writes to a terminal of its own, and how it ends."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    with subprocess.Popen([*VSA, *arguments], stdout=theirs, stderr=theirs, env=settings) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # the last of them has let go of the terminal
                break
            if not more:
                break
            said += more
        os.close(ours)
    return said.decode("utf-8"), process.returncode


def lines(written: str) -> list[str]:
    """Lines as they were written one over another, without control sequences."""
    return [line.rstrip() for line in re.split(r"[\r\n]+", CONTROL.sub("", written)) if line.strip()]


@pytest.mark.slow
def test_bars_in_a_terminal_show_the_rate_and_the_time_left(calls: list[Path], tmp_path: Path) -> None:
    written, code = in_terminal(["extract", *map(str, calls), "--out", str(tmp_path / "out"), "--jobs", "1"])
    assert code == 3
    shown = lines(written)
    assert any(re.match(r"first +━.* 0:0\d/0:10 +\d+ pictures/s +0:\d\d left$", line) for line in shown), (
        shown
    )
    assert any(re.match(r"sessions +━.* 0/3 +\d:\d\d left$", line) for line in shown), shown
    assert any(
        line.startswith("[1/3] first: 1 participant (p1 tracked 100%), 240 pictures") for line in shown
    )
    assert any(line.startswith("[2/3] noise: FAILED. noise.mp4: ") for line in shown)
    assert any(line.startswith("[3/3] last [red] !smile!: 1 participant") for line in shown)
    assert shown[-1].startswith("sessions") or shown[-1].startswith("2 done, 1 failed, see ")
    assert not [c for c in CONTROL.sub("", written) if not c.isprintable() and c not in "\r\n"]
    assert max(map(len, (line for line in shown if "━" in line))) <= 100


@pytest.mark.slow
def test_a_terminal_that_can_do_little_gets_plain_lines(calls: list[Path], tmp_path: Path) -> None:
    written, code = in_terminal(["extract", str(calls[2]), "--out", str(tmp_path / "out")], TERM="dumb")
    assert code == 0
    assert "\x1b" not in written
    assert "━" not in written
    assert any(line.startswith("1 done. Results:") for line in lines(written))


def test_plain_lines_where_there_is_no_terminal(calls: list[Path], tmp_path: Path) -> None:
    done = vsa("extract", *calls[1:], "--out", tmp_path / "out")
    assert done.returncode == 3
    assert all(c.isprintable() or c == "\n" for c in done.stdout + done.stderr)
    said = done.stdout.splitlines()
    assert said[0].startswith("2 sessions; engine ")
    assert [line for line in said if line.startswith("[1/2] noise: FAILED. ")]
    assert (
        said[-1] == f"1 done, 1 failed, see {tmp_path / 'out' / 'failures.csv'}. Results: {tmp_path / 'out'}"
    )


def test_an_output_that_knows_ascii_only_is_no_obstacle(calls: list[Path], tmp_path: Path) -> None:
    call = tmp_path / "Séance.mp4"
    call.write_bytes(calls[2].read_bytes()[:500])
    done = vsa("extract", call, "--out", tmp_path / "out", environment={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 3
    assert "[1/1] S\\xe9ance: FAILED." in done.stdout


def test_names_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Plain().fail(Failure("s1", "media", "\x1b[2Jgone\n\x07 does not exist \udcff", ""))
    assert capsys.readouterr().out == "[1/0] s1: FAILED. \\x1b[2Jgone\\n\\x07 does not exist \\udcff \n"


@pytest.mark.slow
def test_json_lines_tell_everything(calls: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = vsa("extract", *calls, "--out", out, "--json", "--jobs", "1")
    assert done.returncode == 3
    told = events(done.stdout)
    kinds = [event["event"] for event in told]
    assert kinds[0] == "begin"
    assert [kind for kind in kinds if kind != "advance"] == [
        *("begin", "start", "finish", "start", "fail", "start", "finish", "end"),
    ]
    assert told[0]["sessions"] == 3
    steps = [e for e in told if e["event"] == "advance" and e["session_id"] == "first"]
    assert [e["frames"] for e in steps] == sorted({e["frames"] for e in steps})
    assert all(0 <= e["done_s"] <= e["total_s"] for e in steps)
    assert steps[-1]["total_s"] == pytest.approx(9.6, abs=0.05)
    (finish, _) = [e for e in told if e["event"] == "finish"]
    assert (finish["status"], finish["participants"], finish["frames"]) == ("complete", 1, 240)
    (fail,) = [e for e in told if e["event"] == "fail"]
    assert (fail["session_id"], fail["stage"]) == ("noise", "media")
    assert (told[-1]["done"], told[-1]["failed"], told[-1]["out"]) == (2, ["noise"], str(out))


def test_without_consent_is_told(calls: list[Path], tmp_path: Path) -> None:
    study = tmp_path / "study.csv"
    study.write_text(f"session_id,video,consent\ns1,{calls[2]},yes\ns2,nowhere.mp4,no\n")
    told = events(vsa("extract", study, "--out", tmp_path / "out", "--json", "--fps", "5").stdout)
    assert told[0] == {"event": "without_consent", "session_id": "s2"}
    assert told[-1]["done"] == 1
    again = vsa("extract", study, "--out", tmp_path / "out", "--fps", "5").stdout.splitlines()
    assert again[0] == "Without consent, not processed: s2"
    assert again[1].startswith("1 session, 1 finished before; engine ")


def test_ctrl_c_is_a_sentence_and_keeps_what_is_finished(calls: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        [*VSA, "extract", *map(str, reversed(calls)), "--out", str(out), "--json", "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "advance" and event["session_id"] == "first":
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.strip() == "Stopped. What is finished is kept; run the same command again to go on."
    assert sorted(os.listdir(out)) == [*("failures.csv", "features.parquet"), calls[2].stem, "log.jsonl"]
    assert "noise,media," in (out / "failures.csv").read_text()
    import pandas as pd

    assert pd.read_parquet(out / "features.parquet")["session_id"].tolist() == [calls[2].stem]
