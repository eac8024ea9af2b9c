"""A process that leaves at once: nothing that it had to say or do at its end is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def left(program: str, **options: object) -> subprocess.CompletedProcess[str]:
    begin = "from vsa.leaving import Leaving\nleaving = Leaving()\n"
    return subprocess.run(
        [sys.executable, "-c", begin + program], text=True, **({"capture_output": True} | options)
    )


def test_what_was_printed_and_what_was_to_be_done_at_the_end_is_done(tmp_path: Path) -> None:
    done = left(
        "import atexit, threading, time\n"
        f"atexit.register(lambda: open({str(tmp_path / 'end')!r}, 'w').close())\n"
        "threading.Thread(target=lambda: (time.sleep(0.3), print('from a thread'))).start()\n"
        "print('x' * 200_000)\n"
        "leaving.code = 3\n"
    )
    assert done.returncode == 3
    assert done.stdout == "x" * 200_000 + "\nfrom a thread\n"
    assert (tmp_path / "end").exists()


def test_it_is_not_taken_apart() -> None:
    program = "class Held:\n    def __del__(self): print('freed')\nheld = Held()\nleaving.code = 0\n"
    done = left(program)
    assert (done.returncode, done.stdout) == (0, "")
    taken_apart = subprocess.run(
        [sys.executable, "-c", program.replace("leaving.code = 0", "")], text=True, capture_output=True
    )
    assert taken_apart.stdout == "freed\n"


@pytest.mark.skipif(os.name != "posix", reason="Closes descriptors with a POSIX shell.")
def test_closed_descriptors_are_no_fault() -> None:
    program = "from vsa.leaving import Leaving\nLeaving().code = 4\n"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, program], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (4, "")


def test_an_error_that_nobody_caught_is_told() -> None:
    done = left("raise ValueError('lost')\n")
    assert done.returncode == 1
    assert "ValueError: lost" in done.stderr


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="This system has no /dev/full, the disk that is always full."
)
def test_what_could_not_be_printed_is_no_success() -> None:
    with open("/dev/full", "w") as full:
        done = left(
            "print('lost')\nleaving.code = 0\n", capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode not in (0, None)
    assert "No space left" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="Signals end processes on POSIX systems.")
def test_a_signal_is_still_seen_as_one() -> None:
    assert left("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n").returncode == -15
