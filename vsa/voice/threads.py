"""Several tracks or pieces at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

_THREADS = 2


def side_by_side(run: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    """Do the same for each, two at a time: for what runs outside of Python for most of its time."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(run, items))
