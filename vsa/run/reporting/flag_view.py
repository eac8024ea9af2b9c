"""A row of the review list as pages show it, with the moments of its reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vsa.report.pages.view import WEAK, Flag, Moment, Reason
from vsa.run.moments import Direction, followed

if TYPE_CHECKING:
    from vsa.run.moments import SessionMoments

_REASONS = (1, 2, 3)
_NO_SIGNALS = "there are no signals of this session to look in"
_NOT_ASKED = "moments are looked for in flagged sessions only"


def flag_view(row: Mapping[str, Any], moments: SessionMoments | None) -> Flag:
    """Lay out a row of `vsa.bond.flags.Flags`.

    Parameters
    ----------
    row
        Column to value.
    moments
        Of the session; None where there are no signals, or they are not asked for.
    """
    return Flag(
        verdict=str(row["verdict"]),
        suggestion=str(row["suggestion"]),
        probability=_number(row, "probability"),
        expected=_number(row, "expected_bond"),
        low=_number(row, "expected_low"),
        high=_number(row, "expected_high"),
        rank=_count(row, "rank"),
        reasons=tuple(_reason(row, k, moments) for k in _REASONS if row.get(f"reason_{k}")),
        unjudged=str(row.get("reason") or ""),
        in_training=bool(row.get("in_training", False)),
        weak_signals=_count(row, "weak_signals"),
        signals_known=_count(row, "signals_known"),
    )


def _reason(row: Mapping[str, Any], k: int, moments: SessionMoments | None) -> Reason:
    feature, direction = str(row[f"reason_{k}_feature"]), str(row[f"reason_{k}_direction"])
    side: Direction = "low" if direction == "low" else "high"
    found = () if moments is None else moments.find(feature, side)
    return Reason(
        feature=feature,
        direction=direction,
        words=str(row[f"reason_{k}"]),
        moments=tuple(Moment(one.start_s, one.end_s, followed(feature), one.value) for one in found),
        why_none="" if found else _why_none(row) if moments is None else moments.why(feature, side),
    )


def _why_none(row: Mapping[str, Any]) -> str:
    return _NO_SIGNALS if row["verdict"] == WEAK else _NOT_ASKED


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return math.nan if value is None else float(value)


def _count(row: Mapping[str, Any], name: str) -> int | None:
    import pandas as pd

    value = row.get(name)
    return None if value is None or pd.isna(value) else int(value)
