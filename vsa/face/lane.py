"""Jobs that follow one another, in a pool that others share."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

T = TypeVar("T")


class Lane:
    """Runs its jobs one after the other, in the order in which they came; it takes a thread only while one runs.

    Parameters
    ----------
    pool
        Where they run.
    """

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = False

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Run a job after those before it."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append((future, job))
            if self._running:
                return future
            self._running = True
        self._pool.submit(self._next)
        return future

    def _next(self) -> None:
        with self._lock:
            future, job = self._waiting.popleft()
        try:
            result = job()
        except BaseException as error:  # handed over, whatever it is
            future.set_exception(error)
        else:
            future.set_result(result)
        with self._lock:
            more = self._running = bool(self._waiting)
        if more:
            self._pool.submit(self._next)
