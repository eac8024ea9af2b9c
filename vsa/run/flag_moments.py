"""The moments in a recording that show why its session is on a review list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vsa.errors import VsaError
from vsa.study.addresses import Place
from vsa.study.plan import id_fault

if TYPE_CHECKING:
    import pandas as pd

_REASONS = ("reason_1", "reason_2", "reason_3")


def with_moments(flags: pd.DataFrame, study: Place) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Add `reason_1_moments` to `reason_3_moments`, as ``12:30-13:30, 31:00-32:00``; and say where that failed.

    They are looked for in flagged sessions whose signals lie in the study; elsewhere the cells are empty.

    Parameters
    ----------
    flags
        The table of `vsa.bond.flags.Flags`.
    study
        The results folder, or a table, which has no signals.
    """
    told = {reason: [""] * len(flags) for reason in _REASONS}
    notes = []
    for k, row in enumerate(flags.to_dict("records")):
        name = str(row["session_id"])
        folder = study / name if isinstance(study, Path) and not id_fault(name) else None
        if row["verdict"] == "weak" and folder is not None and (folder / "session.json").is_file():
            try:
                found = _moments(folder, row)
            except VsaError as error:  # the flag stands without
                notes.append(f"No moments for {row['session_id']}: {error}")
                continue
            for reason, words in found.items():
                told[reason][k] = words
    out = flags.copy()
    for reason in _REASONS:
        at = int(out.columns.get_loc(f"{reason}_direction")) + 1
        out.insert(at, f"{reason}_moments", told[reason])
    return out, tuple(notes)


def _moments(folder: Path, row: dict[str, object]) -> dict[str, str]:
    from vsa.report.times import clock
    from vsa.run.moments import SessionMoments

    session = SessionMoments(folder)
    found = {}
    for reason in _REASONS:
        feature, direction = str(row[f"{reason}_feature"]), row[f"{reason}_direction"]
        if not feature:
            continue
        some = session.find(feature, "low" if direction == "low" else "high")
        found[reason] = ", ".join(f"{clock(one.start_s)}-{clock(one.end_s)}" for one in some)
    return found
