"""Running the references and `vsa extract` on their own: seconds, and the most memory that vsa held."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command import weighed

from vsa.face import bundle

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Ran:
    """`seconds` of the whole process; `peak_mb` of its memory."""

    seconds: float
    peak_mb: float = float("nan")


def plain_mediapipe(call: Path, faces: int) -> tuple[dict[str, Any], Ran]:
    """The reference loop over a recording, and what it says it did."""
    return _told("plain_mediapipe.py", call, str(faces), str(bundle.load().path))


def floor(call: Path, faces: int) -> tuple[dict[str, Any], Ran]:
    """Decoding and the nets alone, on all cores, and what they say they did; see ``floor.py``."""
    return _told("floor.py", call, str(faces))


def _told(script: str, call: Path, *arguments: str) -> tuple[dict[str, Any], Ran]:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(HERE / script), str(call), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1]), Ran(time.perf_counter() - start)


def vsa_extract(call: Path, out: Path, *options: str) -> tuple[dict[str, Any], Ran]:
    """`vsa extract` over a recording, and the `session.json` that it wrote."""
    start = time.perf_counter()
    done, peak_mb = weighed(out.parent, "extract", call, "--out", out, "--afresh", *options)
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((out / call.stem / "session.json").read_text("utf-8")), Ran(seconds, peak_mb)
