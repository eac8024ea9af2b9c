"""How right flags are in the judgement of people who looked at the sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.evaluation.evaluate import plain
from vsa.bond.evaluation.flag_scores import judged as flag_judged
from vsa.bond.evaluation.resampling import Estimate, Resampler
from vsa.bond.evaluation.shares import Share, alpha, share_of
from vsa.bond.folds import Groups

Floats = npt.NDArray[np.float64]

#: Of each kind, for an AUC.
LEAST_OF_A_KIND = 5
#: (verdict, mark) -> whether the reviewer holds the bond for weak; what is not here judges nothing.
_HELD: Mapping[tuple[str, str], bool] = {
    ("weak", "agree"): True,
    ("weak", "disagree"): False,
    ("ok", "agree"): False,
    ("ok", "disagree"): True,
}
CLUSTERED = "Wilson's; sessions of one client count for fewer where they are alike"
INDEPENDENT = "Wilson's, as if each session were of another client: clients are not known"
SEEN = "Reviewers saw what the list says before they judged, and that draws marks toward it."


@dataclass(frozen=True)
class Judged:
    """Sessions with one verdict of the list.

    Attributes
    ----------
    listed
        How many the list at hand has; None if there is none.
    reviewed
        Of these.
    weak, not_weak
        By more than half of a session's marks.
    undecided
        The others.
    """

    listed: int | None
    reviewed: int
    weak: int
    not_weak: int
    undecided: int


@dataclass(frozen=True)
class Reviewed:
    """What reviewers say of a list.

    Attributes
    ----------
    sessions, reviewers, marks
        How many.
    by_verdict
        Verdict of the list to how many marks say agree, disagree, cannot tell.
    flagged, unflagged
        Sessions of which the list says weak, and ok.
    precision
        Share of weak ones among the flagged that could be decided.
    missed
        Share of weak ones among the unflagged that could be decided.
    cannot_tell
        Share of the marks, where the list has judged.
    auc
        Of the list's probability against weak and not weak; the value is None with fewer than `LEAST_OF_A_KIND` of one.
    agreement, agreement_sessions
        Krippendorff's alpha (nominal: weak, not weak) and the sessions that two or more reviewers decided.
    interval
        How the intervals of the shares were made.
    simulated
        Whether the sessions or the model's are.
    notes
        What to know.
    """

    sessions: int
    reviewers: int
    marks: int
    by_verdict: Mapping[str, Mapping[str, int]]
    flagged: Judged
    unflagged: Judged
    precision: Share
    missed: Share
    cannot_tell: Share
    auc: Estimate
    agreement: Estimate
    agreement_sessions: int
    interval: str
    simulated: bool
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return dict(plain(self))


def judge(reviews: pd.DataFrame, flags: pd.DataFrame | None = None, *, seed: int = 0) -> Reviewed:
    """Hold a list against the marks of reviewers.

    A session counts once. It is weak, or not, if more than half of its marks say so; else it is undecided.

    Parameters
    ----------
    reviews
        One row for each session and reviewer: `session_id`, `verdict` (weak, ok, abstain: what the reviewer saw),
        `mark` (agree, disagree, cannot tell), `probability`, `reviewer`, `marked_at`, `simulated`; and `client_id`
        where known.
    flags
        The list: `session_id` and `verdict` of all its sessions; and `in_training`. None if it is not at hand.
    seed
        Of resampling.
    """
    sessions = _sessions(reviews)
    known = sessions["client_id"].notna()
    units = np.asarray(sessions["client_id"].where(known, sessions["session_id"]).astype(str), np.str_)
    unit_of = dict(zip(sessions["session_id"], units, strict=True))
    told = reviews[reviews["verdict"] != "abstain"]
    flagged, unflagged = (
        _share(sessions["weak"], (sessions["verdict"] == one) & sessions["decided"], units)
        for one in ("weak", "ok")
    )
    return Reviewed(
        sessions=len(sessions),
        reviewers=reviews["reviewer"].str.casefold().nunique(),
        marks=len(reviews),
        by_verdict={
            str(one): {str(mark): int(n) for mark, n in rows["mark"].value_counts().sort_index().items()}
            for one, rows in reviews.groupby("verdict")
        },
        flagged=_judged(sessions, flags, "weak"),
        unflagged=_judged(sessions, flags, "ok"),
        precision=flagged,
        missed=unflagged,
        cannot_tell=share_of(
            (told["mark"] == "cannot tell").to_numpy(bool),
            np.asarray([unit_of[one] for one in told["session_id"]], np.str_),
        ),
        auc=_auc(sessions, units, seed),
        **_agreement(sessions, units, seed),
        interval=CLUSTERED if known.any() else INDEPENDENT,
        simulated=bool(reviews["simulated"].any()),
        notes=tuple(_notes(sessions, flags)),
    )


def _share(weak: pd.Series[bool], which: pd.Series[bool], units: Groups) -> Share:
    return share_of(weak[which].to_numpy(bool), units[which.to_numpy(bool)])


def _agreement(sessions: pd.DataFrame, units: Groups, seed: int) -> dict[str, Any]:
    says = sessions[["says_weak", "says_not"]].to_numpy(np.float64)
    doubly = (says.sum(1) >= 2) & (sessions["verdict"] != "abstain").to_numpy(bool)
    return {
        "agreement": alpha(says[doubly], units[doubly], seed),
        "agreement_sessions": int(doubly.sum()),
    }


def _sessions(reviews: pd.DataFrame) -> pd.DataFrame:
    """One row a session, with how many marks say weak and not weak; the verdict is that of the latest mark."""
    told = reviews.sort_values("marked_at", kind="stable", na_position="first")
    says = [_HELD.get(pair) for pair in zip(told["verdict"], told["mark"], strict=True)]
    told = told.assign(says_weak=[one is True for one in says], says_not=[one is False for one in says])
    if "client_id" not in told:
        told["client_id"] = None
    by = told.groupby("session_id", sort=True)
    table = by.agg(
        verdict=("verdict", "last"),
        verdicts=("verdict", "nunique"),
        probability=("probability", "last"),
        client_id=("client_id", "last"),
        says_weak=("says_weak", "sum"),
        says_not=("says_not", "sum"),
        marks=("mark", "size"),
    ).reset_index()
    table["weak"] = 2 * table["says_weak"] > table["marks"]
    table["decided"] = table["weak"] | (2 * table["says_not"] > table["marks"])
    return table


def _judged(sessions: pd.DataFrame, flags: pd.DataFrame | None, verdict: str) -> Judged:
    own = sessions[sessions["verdict"] == verdict]
    weak = int(own["weak"].sum())
    decided = int(own["decided"].sum())
    listed = None if flags is None else int((flags["verdict"] == verdict).sum())
    return Judged(listed, len(own), weak, decided - weak, len(own) - decided)


def _auc(sessions: pd.DataFrame, units: Groups, seed: int) -> Estimate:
    told = (
        sessions["decided"] & sessions["probability"].notna() & sessions["verdict"].isin(["weak", "ok"])
    ).to_numpy(bool)
    label = sessions.loc[told, "weak"].to_numpy(np.float64)
    if min(label.sum(), len(label) - label.sum()) < LEAST_OF_A_KIND:
        return Estimate(None)
    probability = sessions.loc[told, "probability"].to_numpy(np.float64)
    return flag_judged(label[None], probability[None], Resampler(units[told], seed).weights)["auc"]


def _notes(sessions: pd.DataFrame, flags: pd.DataFrame | None) -> Iterator[str]:
    yield SEEN
    if two := int((sessions["verdicts"] > 1).sum()):
        yield (
            f"Reviewers saw different verdicts of {two} session{'s' * (two != 1)}: lists of another budget, or of "
            "other sessions. The verdict is that of the latest mark."
        )
    if flags is None:
        yield (
            "It is not known which sessions the list flags beside these: if reviewers chose, what they say is of their "
            "choice."
        )
        return
    listed = flags.set_index("session_id")["verdict"]
    flagged = listed.index[listed == "weak"]
    if left := int((~flagged.isin(sessions["session_id"])).sum()):
        yield (
            f"{left} of {len(flagged)} flagged sessions have no mark: if reviewers chose which to look at, "
            "the precision is that of their choice."
        )
    if (sessions["verdict"] == "ok").any():
        yield (
            "The share of missed ones is of the sessions that reviewers took from the others. It holds for all of them "
            "only if they were drawn by lot."
        )
    now = sessions["session_id"].map(listed)
    if other := int((now.notna() & (now != sessions["verdict"])).sum()):
        yield (
            f"The list says of {other} session{'s' * (other != 1)} something else now than reviewers saw: the study or "
            "the budget has changed since. What they saw counts."
        )
    if "in_training" in flags:
        seen = int(
            flags.loc[flags["in_training"].astype(bool), "session_id"].isin(sessions["session_id"]).sum()
        )
        if seen:
            yield (
                f"{seen} of {len(sessions)} reviewed sessions were in the model's training: of new ones it may know "
                "less."
            )
