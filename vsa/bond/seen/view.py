"""Whether people were in view for long enough to judge a session."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

LEAST_TRACKED = 0.5
TRACKED = "quality.tracked_share"


def seen_enough(shares: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.object_]]:
    """The lowest share of the session in which somebody was in view, (n,), and why it can't be judged, or "".

    Parameters
    ----------
    shares
        A column ``<scope>.quality.tracked_share`` for each person that matters, n rows; NaN where it is not known.
    """
    reason = np.full(len(shares), "", object)
    lowest = np.full(len(shares), np.nan)
    for name in map(str, shares):
        share, person = shares[name].to_numpy(np.float64), name.split(".")[0]
        lowest = np.fmin(lowest, share)
        for k in np.flatnonzero(~(share >= LEAST_TRACKED) & (reason == "")):
            reason[k] = (
                f"how long {person} was in view is not known"
                if np.isnan(share[k])
                else f"{person} was in view for {share[k]:.0%} of the session, and {LEAST_TRACKED:.0%} are needed"
            )
    return lowest, reason
