"""The command line as a user meets it: a process of its own, its exit code and what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Runs `vsa` with this test's Python, wherever its script may be.
VSA = (sys.executable, "-c", "from vsa.cli import program; program()")


def vsa(
    *arguments: str | Path, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; no traceback may be seen whatever the input is."""
    done = subprocess.run(
        [*prefix, *VSA, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr + done.stdout
    return done


#: Runs `vsa` and then writes the most memory that it held into the file named first (getrusage would count what the
#: process that started it held).
VSA_WEIGHED = (
    sys.executable,
    "-c",
    "import sys, re\n"
    "from pathlib import Path\n"
    "from vsa.cli import program\n"
    "try:\n"
    "    program(sys.argv[2:])\n"
    "finally:\n"
    "    kb = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
    "    Path(sys.argv[1]).write_text(kb)\n",
)


def weighed(folder: Path, *arguments: str | Path) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a command to its end; also the most memory that it held, MB. Linux only."""
    peak = folder / "peak_kb"
    done = subprocess.run(
        [*VSA_WEIGHED, str(peak), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    return done, int(peak.read_text()) / 1024


def events(stdout: str) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(line) for line in stdout.splitlines()]
