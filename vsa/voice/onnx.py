"""ONNX Runtime, silent on the network."""

from __future__ import annotations

import os
from typing import Any

#: What to install. 1.29 and later keep a device id and a list of events in the user's cache and look up their maker's
#: metrics server within some 90 s (seen with strace), unless told not to before they are loaded; 1.27 has none of it.
REQUIREMENT = "onnxruntime>=1.20,<1.28"
_FIRST_THAT_REPORTS = (1, 28)


def silence() -> None:
    """Tell versions that would report their use not to; to be called before ONNX Runtime is imported."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def onnxruntime() -> Any:
    """The module, silenced."""
    silence()
    import onnxruntime as runtime

    return runtime


def reports_usage(version: str) -> bool:
    """Whether a version of ONNX Runtime is one that reports its use, or later than those known not to."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return numbers >= _FIRST_THAT_REPORTS
