"""The command line itself: help, wrong calls, and nothing heavy loaded before it is needed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from command import vsa

from vsa.cli import COMMANDS

HEAVY = ("numpy", "cv2", "av", "pandas", "scipy", "mediapipe", "sklearn", "rich")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from vsa.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        f"    print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_who_hands_sessions_to_others_loads_nothing_that_analyses_them() -> None:
    program = (
        "import sys, vsa.run.batch, vsa.run.cluster, vsa.run.cluster_worker\n"
        "heavy = ('cv2', 'av', 'pandas', 'pyarrow', 'scipy', 'ai_edge_litert', 'onnxruntime')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_help_names_every_command_and_each_explains_itself() -> None:
    said = vsa("--help").stdout
    assert all(f"  {name} " in said for name in COMMANDS)
    assert "SOURCE..." in vsa("extract", "-h").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["measure"],
        ["extract"],
        ["extract", "call.mp4"],
        ["extract", "call.mp4", "--out"],
        ["extract", "call.mp4", "--out", "x", "--colour"],
        ["models", "push"],
        ["--verbose"],
    ],
)
def test_a_wrong_call_exits_2_and_says_how_to_go_on(arguments: list[str]) -> None:
    done = vsa(*arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr or "Usage" in done.stderr
    assert done.stdout == ""


def test_results_that_nobody_reads_end_the_command_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = "from vsa.cli import program; program(['features', 'list'])"
    done = subprocess.run([sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="This system has no /dev/full, the disk that is always full."
)
@pytest.mark.parametrize("arguments", [["--help"], ["features", "list"], ["models", "list", "--json"]])
def test_results_for_which_there_is_no_room_are_missed(arguments: list[str]) -> None:
    program = "import sys; from vsa.cli import program; program(sys.argv[1:])"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 3
    assert "The disk is full" in done.stderr
    assert "Traceback" not in done.stderr
