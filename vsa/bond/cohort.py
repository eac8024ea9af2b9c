"""Sessions with their features, the bond that was reported, and whose they are; checked once, here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond import cohort_columns as columns
from vsa.bond import covariates as known
from vsa.bond import leakage
from vsa.bond.cohort_columns import (
    LEAST_GROUPS,
    LEAST_SESSIONS,
    Use,
    feature_values,
    simulated_rows,
    without_rounding,
)
from vsa.errors import InputError
from vsa.features.registry import is_full_name

__all__ = ["LEAST_GROUPS", "LEAST_SESSIONS", "QUALITY", "Cohort", "Use", "feature_values", "simulated_rows"]

Floats = npt.NDArray[np.float64]

#: Describe the recording, not the person: they decide whether to judge a session, and are no predictors.
QUALITY = ".quality."
#: Features that a note names; a recording without sound lacks hundreds.
_NAMED = 8


@dataclass(frozen=True, eq=False)
class Cohort:
    """n sessions to train and test on.

    Attributes
    ----------
    sessions
        Ids, shape (n,).
    features
        Predictors by their full names, shape (n, p); NaN where a feature could not be computed.
    quality
        Recording quality features, n rows; never predictors.
    covariates
        What is known without watching, n rows of numbers or text.
    groups
        By what performance is looked at in parts, n rows of text.
    bond
        What was reported, shape (n,).
    clients
        Whose session it is, shape (n,); a session without a known client stands for itself.
    therapists
        The same for therapists; None if they are not known.
    order
        Puts a client's sessions in their order, (n,); None if it is not known.
    grouped_by
        What is held out together: ``client``, or ``session`` if no client is known.
    target
        Name of the bond column.
    scale
        Lowest and highest possible bond; None if the questionnaire is not known.
    raters
        Who reported the bond, where that is known.
    label_source
        Where the bond comes from, in words; printed with everything that follows from it.
    simulated
        The rows are not of people.
    notes
        What the reader should know.
    """

    sessions: npt.NDArray[np.str_]
    features: pd.DataFrame
    quality: pd.DataFrame
    covariates: pd.DataFrame
    groups: pd.DataFrame
    bond: Floats
    clients: npt.NDArray[np.str_]
    therapists: npt.NDArray[np.str_] | None
    order: Floats | None
    grouped_by: Literal["client", "session"]
    target: str
    scale: tuple[float, float] | None
    raters: tuple[str, ...]
    label_source: str
    simulated: bool
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.bond)

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        bond: str = "bond",
        *,
        use: Use | tuple[str, ...] = "core",
        covariates: Iterable[str] | None = None,
        leave_out: Iterable[str] = (),
        least: int = LEAST_SESSIONS,
    ) -> Cohort:
        """Check a table and take a cohort from it.

        Parameters
        ----------
        table
            One row per session: features under their full names (``client.gaze.on_screen_share``), the bond, and, where
            known, `session_id`, `client_id`, `therapist_id`, `rater`, `simulated`, `instrument` and covariates.
        bond
            The column to predict.
        use
            Predict from ``core`` features of vsa, and any of the table's own, from ``all``, or from those named.
        covariates
            Columns to take as covariates; None for those of `vsa.bond.covariates.COVARIATES` that are there.
        leave_out
            Columns that are no predictors.
        least
            Sessions that there must be.

        Raises
        ------
        InputError
            When it is too small, the bond is absent, no number or constant, rows are there twice, features are
            absent or no numbers, simulated and real rows or raters are mixed, or a column leaks the bond.
        """
        source = str(table.attrs.get("source", "the table"))
        y = columns.bond(table, bond, source)
        rated = np.isfinite(y)
        notes = [f"{(~rated).sum()} sessions have no bond and are left out."] if not rated.all() else []
        table, y = table[rated].reset_index(drop=True), y[rated]
        columns.check_size(y, bond, source, least)
        raters = known.raters(table, source)
        simulated = columns.simulated(table, source)
        out = {*leave_out, bond}
        names = [str(name) for name in table.columns if is_full_name(str(name)) and name not in out]
        values = columns.numbers(table, names, source)
        is_quality = np.array([QUALITY in name for name in values.columns], bool)
        if isinstance(use, tuple):
            predictors = feature_values(table, use)
        else:
            predictors = columns.chosen(values.loc[:, ~is_quality], use, notes)
            columns.check_copies(table, predictors, source)
            predictors = _useful(predictors, source, notes)
            leakage.check_features(predictors, y, source)
        clients, grouped_by = columns.clients(table, source, notes)
        therapists = columns.therapists(table, notes)
        beside = known.covariates(table, covariates, source, notes)
        leakage.check_covariates(beside, y, clients, source)
        notes += leakage.warnings(predictors, clients, therapists)
        return cls(
            sessions=columns.ids(table),
            features=predictors,
            quality=values.loc[:, is_quality],
            covariates=beside,
            groups=known.groups(table),
            bond=y,
            clients=clients,
            therapists=therapists,
            order=known.order(table),
            grouped_by=grouped_by,
            target=bond,
            scale=known.scale(table, bond, y),
            raters=raters,
            label_source=columns.label_source(table, bond, source, simulated),
            simulated=simulated,
            notes=tuple(notes),
        )

    def at(self, rows: npt.NDArray[np.intp]) -> Cohort:
        """Some of the sessions, by their numbers."""
        from dataclasses import replace

        frames = ("features", "quality", "covariates", "groups")
        return replace(
            self,
            sessions=self.sessions[rows],
            bond=self.bond[rows],
            clients=self.clients[rows],
            therapists=None if self.therapists is None else self.therapists[rows],
            order=None if self.order is None else self.order[rows],
            **{name: getattr(self, name).iloc[rows].reset_index(drop=True) for name in frames},
        )


def _useful(predictors: pd.DataFrame, source: str, notes: list[str]) -> pd.DataFrame:
    """Those that differ between sessions."""
    even = pd.DataFrame(without_rounding(predictors.to_numpy(np.float64)), columns=predictors.columns)
    useless = [name for name in even if even[name].nunique() < 2]
    if useless:
        more = f" and {len(useless) - _NAMED} more" if len(useless) > _NAMED else ""
        notes.append(
            f"Missing or the same in all sessions, and left out: {', '.join(useless[:_NAMED])}{more}."
        )
        predictors = predictors.drop(columns=useless)
    if predictors.empty or predictors.shape[1] == 0:
        raise InputError(
            f"{source} has no features that differ between sessions.",
            "Columns are called as 'vsa features list' shows, with the role before: client.gaze.on_screen_share.",
        )
    return predictors
