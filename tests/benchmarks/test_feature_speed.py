"""Features of a session of 50 minutes and two people from its tables: seconds and memory, beside reading the tables."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conversing import conversation

pytestmark = pytest.mark.benchmark

MINUTES = 50
_RUN = """
import json, resource, sys, time
from pathlib import Path
from vsa.features.registry import compute, features
from vsa.run.session_features import session_of
features()
folder = Path(sys.argv[1])
described = json.loads((folder / "session.json").read_text("utf-8"))
def seconds():
    return time.perf_counter(), time.process_time()
wall, cpu = seconds()
session = session_of(folder, described)
read, read_cpu = seconds()
found = compute(session)
done, done_cpu = seconds()
print(json.dumps({
    "read_s": read - wall, "compute_s": done - read, "cpu_s": done_cpu - cpu, "columns": len(found.row),
    "missing": len(found.missing), "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def test_features_of_a_session_of_50_minutes(
    figures: Callable[[str, str], Callable[[str], None]], tmp_path: Path
) -> None:
    folder = tmp_path / "long"
    described = conversation(1, MINUTES * 60.0).write(folder)
    (folder / "session.json").write_text(json.dumps(described), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(folder)], capture_output=True, text=True, check=True
    )
    took = json.loads(done.stdout)
    say = figures("performance", "Features: 50 minutes, two people, from the tables")
    say(
        f"{took['columns']} columns, {took['missing']} missing. 25 pictures a second, 100 voice steps a second.\n"
    )
    say("| what | |")
    say("|---|---|")
    say(f"| reading the tables, working out turns | {took['read_s']:.1f} s |")
    say(f"| computing the features | {took['compute_s']:.1f} s |")
    say(f"| as a multiple of reading | {took['compute_s'] / took['read_s']:.1f} |")
    say(f"| processor time of both | {took['cpu_s']:.1f} s |")
    say(f"| most memory | {took['peak_mb']:.0f} MB |")
    assert took["compute_s"] + took["read_s"] < 30
    assert took["peak_mb"] < 1000
