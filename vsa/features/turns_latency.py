"""How soon each person takes the floor when another has had it.

A call makes latencies longer (Boland et al. 2022: 135 ms face to face, 487 ms on Zoom), and a recording made at one end
has the whole round trip in the other's latencies and nothing of it in its own person's. Compare sessions of one
platform, and changes within a session, before people.

As in the table of transfers, a turn that another begins after a long silence takes over too: somebody may think for
10 s before answering.
"""

from __future__ import annotations

import numpy as np

from vsa.features.limits import FEW, SEVERAL, enough, need_count
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Floats
from vsa.features.turns_known import known_turns, of, spread

#: A gap that lasts longer is long.
LONG_GAP_S = 2.0
#: A slope per 10 minutes rests on latencies that lie this far apart.
SLOPE_OVER_S = 300.0

_TAKEN = "turns taken over from another"
_OFFSET = "Floor transfer offset: Levinson & Torreira 2015; Reece et al. 2023."
_FAST = (
    "Faster responses, more connection, among strangers and friends: Templeton et al. 2022. Delay of calls: "
    "Boland et al. 2022."
)


@feature(
    "turns.gap_median_s",
    unit="s",
    range=(0.0, None),
    expect="lower",
    needs=("turns",),
    minimum=f"{FEW} gaps before the person's turns",
    source=f"Gaps: Sacks, Schegloff & Jefferson 1974; Heldner & Edlund 2010. {_FAST}",
)
def gap_median_s(session: Session, role: str) -> float:
    """Median silence after another's turn before this person takes the floor; overlaps are left out."""
    return float(np.median(_gaps(session, role, FEW)))


@feature(
    "turns.gap_iqr_s",
    unit="s",
    range=(0.0, None),
    needs=("turns",),
    minimum=f"{SEVERAL} gaps before the person's turns",
    source="Gaps: Sacks, Schegloff & Jefferson 1974; Heldner & Edlund 2010.",
)
def gap_iqr_s(session: Session, role: str) -> float:
    """Interquartile range of the silences after another's turn before this person takes the floor."""
    return spread(_gaps(session, role, SEVERAL))


@feature(
    "turns.long_gap_share",
    unit="share",
    needs=("turns",),
    minimum=f"{SEVERAL} {_TAKEN}",
    source="Long gaps part strangers and join friends: Templeton et al. 2023.",
)
def long_gap_share(session: Session, role: str) -> float:
    """Share of the turns taken over from another that this person begins after a silence of more than 2 s."""
    return float(np.mean(_latencies(session, role, SEVERAL) > LONG_GAP_S))


@feature(
    "turns.overlap_start_share",
    unit="share",
    needs=("turns",),
    minimum=f"{SEVERAL} {_TAKEN}",
    source=_OFFSET,
)
def overlap_start_share(session: Session, role: str) -> float:
    """Share of the turns taken over from another that this person begins before the other's turn is over."""
    return float(np.mean(_latencies(session, role, SEVERAL) < 0))


@feature(
    "turns.latency_median_s",
    unit="s",
    expect="lower",
    needs=("turns",),
    minimum=f"{FEW} {_TAKEN}",
    source=f"{_OFFSET} {_FAST}",
)
def latency_median_s(session: Session, role: str) -> float:
    """Median time from the end of another's turn to this person's that takes the floor; below 0 in overlap."""
    return float(np.median(_latencies(session, role, FEW)))


@feature(
    "turns.latency_p90_s",
    unit="s",
    needs=("turns",),
    minimum=f"{SEVERAL} {_TAKEN}",
    source=_OFFSET,
)
def latency_p90_s(session: Session, role: str) -> float:
    """Latency (end of another's turn to this person's that takes the floor) below which nine in ten stay."""
    return float(np.quantile(_latencies(session, role, SEVERAL), 0.9))


@feature(
    "turns.latency_slope_s_per_10min",
    unit="s/10 min",
    needs=("turns",),
    minimum=f"{SEVERAL} {_TAKEN}, from first to last {SLOPE_OVER_S / 60:.0f} min",
    source=f"{_OFFSET} Slope: Theil 1950; Sen 1968. That latencies change as rapport does: convention of this project.",
)
def latency_slope_s_per_10min(session: Session, role: str) -> float:
    """Change of this person's latency over the session: median of the slopes between any two turns taken over."""
    from scipy.stats import theilslopes

    latencies = _latencies(session, role, SEVERAL)
    at = of(known_turns(session).transfers, role)["start"].to_numpy(np.float64)
    enough(float(at[-1] - at[0]), SLOPE_OVER_S, "this person takes over turns")
    return float(theilslopes(latencies, at / 600).slope)


def _latencies(session: Session, role: str, least: int) -> Floats:
    """Floor transfer offsets of the turns that a person takes over, s."""
    offsets: Floats = of(known_turns(session).transfers, role)["offset"].to_numpy(np.float64)
    need_count(len(offsets), least, _TAKEN)
    return offsets


def _gaps(session: Session, role: str, least: int) -> Floats:
    """Those that are silences, s."""
    offsets = _latencies(session, role, 0)
    gaps = offsets[offsets > 0]
    need_count(len(gaps), least, "gaps before this person's turns")
    return gaps
