"""Which versions of MediaPipe stay silent on the network."""

from __future__ import annotations

#: What to install. 0.10.33 asks the network for nothing; 0.10.35 looks up its maker's metrics server as soon as a task
#: runs (seen with strace: tests/run/test_no_network.py), and 1.x says in its notice that it sends usage metrics.
REQUIREMENT = "mediapipe>=0.10.32,<0.10.34"
_FIRST_THAT_REPORTS = (0, 10, 34)


def reports_usage(version: str) -> bool:
    """Whether a version of MediaPipe is one that reports its use, or later than those known not to."""
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    return numbers >= _FIRST_THAT_REPORTS
