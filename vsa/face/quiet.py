"""Keeping the start-up notices of native libraries off the terminal."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: How TensorFlow Lite and Abseil begin lines that are no errors.
_NOTICE = re.compile(rb"INFO: |[IW]\d{4} \d\d:\d\d|WARNING: All log messages before absl")
_LOCK = threading.Lock()


@contextmanager
def hushed() -> Iterator[None]:
    """Drop notices that C++ code writes to standard error; whatever else is written there comes through at the end.

    Such code takes no logging settings from Python, so the file descriptor is held back for the whole process: keep
    it short. Does nothing where the system has no files in memory (all but Linux).
    """
    if not hasattr(os, "memfd_create"):
        yield
        return
    with _LOCK:
        try:
            own = os.dup(2)
        except OSError:  # standard error is closed
            yield
            return
        with os.fdopen(os.memfd_create("stderr"), "w+b") as held:
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(own, 2)
                os.close(own)
                held.seek(0)
                for line in held:
                    if not _NOTICE.match(line):
                        os.write(2, line)
