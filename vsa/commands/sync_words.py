"""What ``vsa sync`` says of two series: as a record for machines, and in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsa.features.chance import SurrogateTest
    from vsa.study.motion_energy import Pair


def record_of(pair: Pair, test: SurrogateTest, settings: dict[str, float]) -> dict[str, Any]:
    """The JSON document: what has no value is null, and `reasons` says why."""
    from vsa.features.chance import WITHIN_CHANCE

    found = test.observed
    n = len(test.mean_abs_z)
    names = {"first": pair.names[0], "second": pair.names[1], "neither": "neither"}
    leader = names.get(test.leader)
    lead_reason = found.reason
    if leader and 0 < n < round(1 / WITHIN_CHANCE) - 1:
        leader, lead_reason = None, f"{n} surrogates can't give a p of {WITHIN_CHANCE}"
    values = {
        "mean_abs_z": found.mean_abs_z,
        "peak_z": found.peak_z,
        "peak_lag_s": found.peak_lag_s,
        "lead_index": found.lead_index,
        "surrogate_z": test.z,
        "p": test.p,
        "surrogate_mean": float(test.mean_abs_z.mean()) if n else math.nan,
        "surrogate_sd": float(test.mean_abs_z.std(ddof=1)) if n > 1 else math.nan,
        "peak_surrogate_z": test.peak_surrogate_z,
        "peak_p": test.peak_p,
    }
    shown = {name: value if math.isfinite(value) else None for name, value in values.items()}
    reasons = {
        name: (found.reason if name in ("mean_abs_z", "peak_z", "peak_lag_s") else test.reason)
        or "both sides are equal or there is no lag"
        for name, value in shown.items()
        if value is None
    }
    if leader is None:
        reasons["leader"] = lead_reason or test.reason
    return {
        "names": list(pair.names),
        "duration_s": round(len(pair.first) / settings["rate_hz"], 3),
        "missing_share": [round(_missing(series), 4) for series in (pair.first, pair.second)],
        **shown,
        "leader": leader,
        "windows": found.windows,
        "windows_used": found.windows_used,
        "settings": settings,
        "seed": test.seed,
        "reasons": reasons,
    }


def _missing(series: Any) -> float:
    import numpy as np

    return float(1 - np.isfinite(series).mean()) if len(series) else 0.0


def told(record: dict[str, Any]) -> list[str]:
    """The same in words; no value without what chance gives."""
    first, second = record["names"]
    settings = record["settings"]
    lines = [
        f"{first} and {second}: {record['duration_s'] / 60:.1f} min at {settings['rate_hz']:g} Hz; "
        f"{record['windows_used']} of {record['windows']} windows of {settings['window_s']:g} s used, "
        f"lags to {settings['lag_s']:g} s."
    ]
    if None in (record[name] for name in ("p", "surrogate_z", "peak_p", "peak_surrogate_z")):
        why = (
            record["reasons"].get("p")
            or record["reasons"].get("surrogate_z")
            or "the peak is always the same"
        )
        return [*lines, f"Nothing can be said about synchrony: {why}.", _caution(record)]
    lines += [
        f"Together: surrogate z {record['surrogate_z']:+.2f}, p = {record['p']:.3f}  "
        f"(mean |z| {record['mean_abs_z']:.3f}; {settings['surrogates']} surrogates: "
        f"{record['surrogate_mean']:.3f} ± {record['surrogate_sd']:.3f})",
        f"Peak: lag {abs(record['peak_lag_s']):.2f} s, surrogate z {record['peak_surrogate_z']:+.2f}, "
        f"p = {record['peak_p']:.3f}  (z {record['peak_z']:+.3f})",
    ]
    lines.append(
        f"{first} and {second} go together more than the same two at other times."
        if record["p"] <= 0.05
        else f"{first} and {second} go together no more than the same two at other times: this is within chance."
    )
    lines.append(_lead(record))
    return [*lines, _caution(record)]


def _caution(record: dict[str, Any]) -> str:
    here = record["surrogate_mean"]
    return (
        "Unrelated signals have a mean |z| too: about 0.24 where they vary slowly"
        f"{'' if here is None else f', {here:.3f} here'}. Only the comparison with surrogates counts."
    )


def _lead(record: dict[str, Any]) -> str:
    first, second = record["names"]
    if record["leader"] is None:
        return f"Who leads can't be told: {record['reasons']['leader']}."
    if record["peak_p"] > 0.05:
        return "Nobody leads: the peak is within chance."
    way = "" if record["peak_z"] > 0 else " It is opposite: one moves less when the other moves more."
    if record["leader"] == "neither":
        return f"Nobody leads: both move at once.{way}"
    other = second if record["leader"] == first else first
    return f"{record['leader']} leads, {other} follows after {abs(record['peak_lag_s']):.2f} s.{way}"
