"""Why a model expects less of a session: which signals pull it down, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from vsa.bond.design import Design
    from vsa.bond.model import BondModel

Side = Literal["low", "high"]
Floats = npt.NDArray[np.float64]

#: Reasons for a session, at most.
MOST = 3
#: What a signal must pull at least, as a share of the SD of the training's bonds; less is no reason.
_LEAST = 0.01
_THAN = {"low": "lower than", "high": "higher than"}


@dataclass(frozen=True)
class Reason:
    """One signal.

    Attributes
    ----------
    feature
        Its full name.
    direction
        ``low`` or ``high``, beside the training's sessions (or the client's own, for a drop).
    pull
        By how much the expected bond would be higher if the signal were at the training's median, points.
    words
        For people.
    """

    feature: str
    direction: Side
    pull: float
    words: str


def reasons(model: BondModel, table: pd.DataFrame, columns: Floats) -> list[tuple[Reason, ...]]:
    """The signals that pull the expected bond of each session down most, at most `MOST` of them.

    Each signal in turn is put at the training's median, with all others as they are. Where weak means a drop below the
    client's own level, only its deviation from the client's mean is.

    Parameters
    ----------
    model
        The model.
    table
        n sessions.
    columns
        `model.columns(table)`.
    """
    design = model.info.base_design or model.info.design
    drop = model.info.weak.kind == "drop" and design.split
    levels, changes = _pulls(model, columns, design)
    pulls = changes if drop else levels + changes
    least = _LEAST * model.info.bond_sd
    p = len(design.features)
    values = table[list(design.features)].to_numpy(np.float64)
    # of a client with several sessions, what pulls may be the level over them, or this session's change
    own_level = columns[:, :p] if design.split else values
    codes = model.reference.codes_of(pd.DataFrame(own_level, columns=list(design.features)))
    found = []
    for k in range(len(table)):
        some: list[Reason] = []
        for j in np.argsort(-pulls[k], kind="stable"):
            if len(some) == MOST or pulls[k, j] <= least:
                break
            if design.split and (drop or changes[k, j] > levels[k, j]):
                said: tuple[Side, str] | None = _as_change(
                    design.features[j], values[k, j], columns[k, p + j]
                )
            else:
                alone = not design.split or abs(columns[k, p + j]) < 1e-12
                said = _as_level(design.features[j], own_level[k, j], int(codes[k, j]), alone)
            if said is not None:
                some.append(Reason(design.features[j], said[0], float(pulls[k, j]), said[1]))
        found.append(tuple(some))
    return found


def _pulls(model: BondModel, columns: Floats, design: Design) -> tuple[Floats, Floats]:
    """By how much the level, and the change, of each signal pulls the expected bond down, (n, p) each, points."""
    expected, middle = model.predict(columns), np.array(model.info.middle)

    def without(k: int) -> Floats:
        moved = columns.copy()
        known = np.isfinite(columns[:, k])
        moved[known, k] = middle[k]
        return model.predict(moved) - expected

    p = len(design.features)
    levels = np.stack([without(k) for k in range(p)], axis=1)
    changes = np.stack([without(p + k) for k in range(p)], axis=1) if design.split else np.zeros_like(levels)
    return levels, changes


def _as_change(feature: str, x: float, change: float) -> tuple[Side, str]:
    from vsa.features.words import told

    side: Side = "low" if change < 0 else "high"
    return side, told(feature, x, f", {_THAN[side]} in this client's other sessions")


def _as_level(feature: str, x: float, tenth: int, alone: bool) -> tuple[Side, str] | None:
    """In words; None where it lies in the middle of the training, which nobody would take for a reason."""
    from vsa.features.words import told

    side: Side = "low" if tenth < 5 else "high"
    beyond = 9 - tenth if side == "low" else tenth
    if beyond <= 5:
        return None
    over = "" if alone else " over this client's sessions"
    return side, told(feature, x, f"{over}, {_THAN[side]} in {beyond} of 10 training sessions")
