"""What reviewers say of a review list, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsa.bond.evaluation.reviews import Judged, Reviewed
    from vsa.bond.evaluation.shares import Share


def reviews_text(found: Reviewed) -> str:
    """What `vsa evaluate --reviews` found."""
    return "\n".join(_lines(found))


def _lines(found: Reviewed) -> Iterator[str]:
    yield "What reviewers say of the list" + (" (SIMULATED)" if found.simulated else "")
    yield (
        f"  {_many(found.marks, 'mark')} of {_many(found.sessions, 'session')} by "
        f"{_many(found.reviewers, 'reviewer')}; a session is weak, or not, if more than half of its marks say so."
    )
    yield f"  Flagged:              {_judged(found.flagged)}"
    if found.precision.of:
        yield f"    Precision: {_share(found.precision)} decided ones were weak{_bounds(found.flagged)}."
    yield f"  Not flagged:          {_judged(found.unflagged)}"
    if found.missed.of:
        yield f"    Missed: {_share(found.missed)} decided ones were weak{_bounds(found.unflagged)}."
    if unjudged := found.by_verdict.get("abstain"):
        told = ", ".join(f"{mark} {count}" for mark, count in unjudged.items())
        yield f"  Not judged (abstain): {told}."
    if found.cannot_tell.count:
        yield f"  Can't tell: {_share(found.cannot_tell)} marks where the list has judged."
    if found.auc.value is not None:
        yield f"  Probability against what reviewers hold for weak: AUC {found.auc}, of these sessions alone."
    if found.agreement.value is not None:
        yield (
            f"  Agreement of reviewers: Krippendorff's alpha {found.agreement} in {found.agreement_sessions} sessions "
            "(1: they agree, 0: as by lot)."
        )
    elif found.reviewers > 1:
        yield (
            f"  Agreement of reviewers can't be told: {_many(found.agreement_sessions, 'session')} decided by two or "
            "more, or all of one mind."
        )
    yield f"  Intervals (95 %): {found.interval}."
    for note in found.notes:
        yield f"  Note: {note}"


def _judged(told: Judged) -> str:
    if not told.reviewed:
        return "none was reviewed."
    return (
        f"{told.reviewed} reviewed: {told.weak} weak, {told.not_weak} not weak, {told.undecided} undecided."
    )


def _bounds(told: Judged) -> str:
    """What the undecided ones would make of a share."""
    if not told.undecided:
        return ""
    least, most = told.weak / told.reviewed, (told.weak + told.undecided) / told.reviewed
    return f"; of all {told.reviewed}, whatever the undecided are, {least:.0%} to {most:.0%}"


def _share(told: Share) -> str:
    found = told.share
    if found.value is None or found.low is None or found.high is None:
        return f"{told.count} of {told.of}"
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%}), {told.count} of {told.of}"


def _many(count: int, name: str) -> str:
    return f"{count} {name}{'s' * (count != 1)}"
