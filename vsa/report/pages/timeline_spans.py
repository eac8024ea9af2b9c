"""What stretches of time have in common, and what they leave."""

from __future__ import annotations

import numpy as np

from vsa.report.pages.view_timeline import Spans

_ROUNDING_S = 1e-6


def both(first: Spans, second: Spans) -> Spans:
    """Where stretches of one lie over stretches of the other; each has its own in order and apart, shape (n, 2)."""
    found, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        start, end = max(first[i, 0], second[j, 0]), min(first[i, 1], second[j, 1])
        if end > start:
            found.append((start, end))
        if first[i, 1] < second[j, 1]:
            i += 1
        else:
            j += 1
    return np.array(found, np.float64).reshape(-1, 2)


def rest(span_s: tuple[float, float], *others: Spans) -> Spans:
    """What of a session lies in none of `others`, which come in any order; shape (n, 2)."""
    taken = np.concatenate([one.reshape(-1, 2) for one in others])
    taken = taken[np.argsort(taken[:, 0], kind="stable")]
    starts = np.maximum.accumulate([span_s[0], *taken[:, 1]])
    left = np.column_stack([starts, [*taken[:, 0], span_s[1]]])
    return np.asarray(left[left[:, 1] - left[:, 0] > _ROUNDING_S])
