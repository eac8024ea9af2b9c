"""Marks of reviewers beside the study and the model that their report was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from vsa.bond.evaluation.reviews import Reviewed, judge
from vsa.bond.flags import flag
from vsa.bond.seen.again import learned_from
from vsa.errors import InputError
from vsa.run.reporting.frame import RULES, file_print
from vsa.study.cells import shown
from vsa.study.consent import allowed_rows
from vsa.study.pseudonyms import Pseudonyms, looks_like
from vsa.study.reviews import read_reviews
from vsa.study.rows import key
from vsa.study.tables import read_table

if TYPE_CHECKING:
    from vsa.bond.model import BondModel
    from vsa.study.addresses import Place

#: Sessions that a note names.
_NAMED = 5


@dataclass(frozen=True)
class ReviewedStudy:
    """What reviewers say, and the ids of the sessions that they marked, as the study has them."""

    found: Reviewed
    ids: tuple[str, ...]


def judge_study(
    paths: Sequence[Path],
    model: Path,
    loaded: BondModel,
    study: Place,
    keyfile: Path | None = None,
    *,
    seed: int = 0,
) -> ReviewedStudy:
    """Hold a model's list of a study against the marks of reviewers.

    What the reviewers saw counts: the verdicts are those of the marks. The model ranks the study's sessions anew, to
    tell which of the flagged ones have no mark: a list flags all down to some rank, so all that stand before the last
    flagged one with a mark.

    Parameters
    ----------
    paths
        Files of marks.
    model, loaded
        The model's file, and what is in it.
    study
        A results folder or table. Sessions whose people did not all agree to quality are left out.
    keyfile
        Of the pseudonyms, if the marks name sessions by these.
    seed
        Of resampling.

    Raises
    ------
    InputError
        When the marks can't be read, were made with another model, or none is of a session of this study.
    """
    reviews = read_reviews(paths)
    notes = [*reviews.attrs["notes"], *_check_model(reviews, model)]
    table = read_table(study)
    if "session_id" not in table:
        raise InputError(f"{table.attrs['source']} has no column session_id.", "Reviews are matched by it.")
    allowed = allowed_rows(table, study, "quality")
    ids = table["session_id"].dropna().astype(str).tolist()
    known = {key("session", one): one for one in ids}
    if keyfile is not None:
        pseudonyms = Pseudonyms.read(keyfile)
        notes += pseudonyms.notes
        known |= {key("session", pseudonyms.session(one)): one for one in ids}
    reviews["session_id"] = [known.get(key("session", one), one) for one in reviews["session_id"]]
    strange = ~reviews["session_id"].isin(table["session_id"])
    if strange.any():
        notes.append(_strangers(reviews, strange, study, keyfile))
    reviews = _once(reviews[reviews["session_id"].isin(allowed.table["session_id"])])
    if reviews.empty:
        raise InputError(
            "All marked sessions that the study has lack consent for quality.",
            "It stands in the manifest; marks of other sessions can't be judged.",
        )
    if "client_id" in allowed.table:
        reviews["client_id"] = reviews["session_id"].map(allowed.table.set_index("session_id")["client_id"])
    listed = flag(loaded, allowed.table, 1).table
    found = judge(reviews, _as_reviewed(listed, reviews), seed=seed)
    return ReviewedStudy(
        replace(
            found,
            simulated=found.simulated or bool(listed["simulated"].any()),
            notes=(*notes, *allowed.notes, *found.notes),
        ),
        tuple(sorted(reviews["session_id"].unique())),
    )


def why_not_evaluated(loaded: BondModel, study: Place) -> str:
    """Why a study says nothing of how a model does for new people; empty if it can.

    A quality team reviews sessions that the model learned from, or that nobody gave for training.
    """
    try:
        allowed = allowed_rows(read_table(study), study, "training")
    except InputError as error:
        return error.message
    if learned_from(loaded, allowed.table).all():
        return (
            f"All {len(allowed.table)} sessions were in the model's training: nothing is said of how it does for new "
            "people."
        )
    return ""


def _check_model(reviews: pd.DataFrame, model: Path) -> list[str]:
    own = file_print(model)
    others = reviews[(reviews["model_print"] != own) & (reviews["model_print"] != "")]
    if len(others):
        made = others[["model", "model_print"]].drop_duplicates()
        with_ = ", ".join(f"{shown(name, 60)} ({digits})" for name, digits in made.itertuples(index=False))
        raise InputError(
            f"{len(others)} of {len(reviews)} marks were made with another model: {with_}; {model.name} is ({own}).",
            "Give the model that the report was made with.",
        )
    unnamed = reviews["model_print"] == ""
    if (rules := unnamed & (reviews["model"] == RULES)).any():
        raise InputError(
            f"{int(rules.sum())} marks are of a list by rules, which no model made.",
            "Give marks of a report with --model.",
        )
    return [f"{int(unnamed.sum())} marks do not say which model's list they are of."] if unnamed.any() else []


def _strangers(reviews: pd.DataFrame, strange: pd.Series[bool], study: Place, keyfile: Path | None) -> str:
    """What to tell of marks of sessions that the study does not have.

    Raises
    ------
    InputError
        When it has none.
    """
    names = reviews.loc[strange, "session_id"].unique()
    hidden = any(looks_like(one) for one in names)
    if hidden and keyfile is None:
        hint = "They look like pseudonyms: give the report's key with --pseudonymize."
    elif hidden:
        hint = "They look like pseudonyms of another key: give that of the report."
    else:
        hint = "Give the study that the report was made of."
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = ", ".join(shown(one, 40) for one in names[:_NAMED]) + more
    if strange.all():
        raise InputError(f"No marked session is in {study}: {listed}.", hint)
    return f"Marked sessions that the study does not have are left out: {listed}. {hint if hidden else ''}".strip()


def _once(reviews: pd.DataFrame) -> pd.DataFrame:
    """The later mark where a reviewer named a session by its id and by its pseudonym."""
    order = reviews.sort_values("marked_at", kind="stable", na_position="first")
    who = order.assign(reviewer=order["reviewer"].str.casefold())
    again = who.duplicated(["session_id", "reviewer"], keep="last")
    return order[~again].sort_index().reset_index(drop=True)


def _as_reviewed(listed: pd.DataFrame, reviews: pd.DataFrame) -> pd.DataFrame | None:
    """The list with the verdicts that it had for the reviewers at the least; None if none of its flags has a mark."""
    weak = reviews.loc[reviews["verdict"] == "weak", "session_id"]
    last = listed.loc[listed["session_id"].isin(weak), "rank"].max()
    if pd.isna(last):
        return None
    judged = listed["rank"].notna()
    verdict = listed["verdict"].mask(judged, "ok").mask(judged & (listed["rank"] <= last), "weak")
    return listed[["session_id", "in_training"]].assign(verdict=verdict)
