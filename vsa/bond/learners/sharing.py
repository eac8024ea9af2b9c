"""Work shared by the cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def shared(function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], cores: int) -> list[Any]:
    """Call a function with each of some arguments, in as many processes; the results in the order of the calls.

    Processes have one thread each for linear algebra, so that they don't get into each other's way. On one core nothing
    is started.
    """
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", n_jobs=cores, inner_max_num_threads=1):
        return list(Parallel()(delayed(function)(*arguments) for arguments in calls))
