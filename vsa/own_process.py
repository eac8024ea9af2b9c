"""A process of vsa's own below the present one, with a pipe that ends when it does.

`multiprocessing` would run the caller's main module again in it, and forbids a worker of Dask to have children.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from vsa.leaving import Leaving

#: What a process died of is tried so often in all; then it is named, and so is the stage of that failure.
TRIES, PROCESS = 3, "process"
#: Processes that are asked to stop get so long to remove what they were making, s.
PATIENCE_S = 5.0


class OwnProcess:
    """Runs a function of vsa.

    Parameters
    ----------
    function
        ``module:name``; it is called with its end of the pipe, and with what is `given`.
    given
        Can be pickled.

    Attributes
    ----------
    pipe
        Its end says that the process did.
    """

    def __init__(self, function: str, *given: object) -> None:
        self.pipe, theirs = Pipe()
        # until it is ready, a Ctrl-C ends it without a word
        begin = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)"
        call = f"from vsa.own_process import serve; serve({theirs.fileno()}, {function!r})"
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{begin}; {call}"],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()  # so that the pipe ends when the process does
        self.send(given)

    def send(self, what: object) -> None:
        """Send something; if it died, the pipe says so to who reads from it."""
        with suppress(OSError):
            self.pipe.send(what)

    def died(self) -> str:
        """How it came to its end, in words, once the pipe has ended."""
        self.pipe.close()
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(PATIENCE_S)
            if code < 0:
                with suppress(ValueError):
                    return f"was killed by {signal.Signals(-code).name}"
            return f"ended with code {code}"
        self._process.kill()
        self._process.wait()
        return "went silent"

    def interrupt(self) -> None:
        """Ask it to stop, and let whoever reads from its pipe see that."""
        if self._process.poll() is None:
            with suppress(OSError):
                os.kill(self._process.pid, signal.SIGINT)

    def gone(self, within_s: float) -> None:
        """Wait so long for its end, then kill it."""
        try:
            self._process.wait(max(0.0, within_s))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def end(processes: Iterable[OwnProcess]) -> None:
    """Stop processes, all at once: what they were making is removed."""
    processes = list(processes)
    for process in processes:
        process.pipe.close()
        process.interrupt()
    last = time.monotonic() + PATIENCE_S
    for process in processes:
        process.gone(last - time.monotonic())


def serve(handle: int, function: str) -> None:
    """What such a process does."""
    leaving = Leaving()
    pipe = Connection(handle)
    module, name = function.split(":")
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        getattr(importlib.import_module(module), name)(pipe, *pipe.recv())
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass  # nobody waits for it any more
    finally:
        with suppress(KeyboardInterrupt):
            signal.signal(
                signal.SIGINT, signal.SIG_IGN
            )  # it ends by itself: while Python clears up, it would be told
    leaving.code = 0
