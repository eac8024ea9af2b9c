"""What several features rest on is worked out once for each person or session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

One = TypeVar("One")
Out = TypeVar("Out")


def once(function: Callable[[One], Out]) -> Callable[[One], Out]:
    """Remember what a function gives for each argument, as long as the argument lives.

    Parameters
    ----------
    function
        Of one argument that is compared by identity (`Face`, `Voice`, `Session`); what it returns is not changed
        afterwards. An error is not remembered.
    """
    known: WeakKeyDictionary[Any, Out] = WeakKeyDictionary()

    @wraps(function)
    def remembered(one: One) -> Out:
        try:
            return known[one]
        except KeyError:
            found = known[one] = function(one)
            return found

    return remembered
