"""Ending a process without taking it apart: to free what large libraries made takes up to half a second."""

from __future__ import annotations

import atexit
import os
import sys


class Leaving:
    """Ends this process as soon as whatever else was to be done at its end is done.

    Make it before heavy imports: what they register for the end then comes first.

    Attributes
    ----------
    code
        The exit code; 1 until somebody knows better.
    """

    def __init__(self) -> None:
        self.code = 1
        atexit.register(self._leave)

    def _leave(self) -> None:
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:  # closed before the start, as `>&-` does
                    stream.flush()
        except (OSError, ValueError):
            return  # nobody reads any more: Python's own end knows what to do then
        os._exit(self.code)
