"""How a new cohort differs from the training, feature by feature and as a whole.

As a whole: can a classifier tell new sessions from those of the training, when the clients are held out (Lopez-Paz &
Oquab 2017, ICLR)? By feature: the population stability index over the training's tenths, what is missing being a
category of its own. Both are held against chance by letting whole clients swap sides: sessions of one client are alike,
and a few clients with many sessions look like a difference where there is none. Clients of one therapist are alike too
in what therapists do: where therapists have several clients, whole therapists must swap sides, or a difference is found
nearly always. What is called drift is between people as well as between recordings; why it is there is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.seen.classifier import LEAST_GROUPS, told_apart
from vsa.bond.seen.features import FeatureDrift, feature_drift
from vsa.bond.seen.reference import Reference
from vsa.bond.seen.sides import Sides
from vsa.errors import InputError
from vsa.features.registry import DYAD

CLIENTS, THERAPISTS = "clients", "therapists"
#: Tests of features and of the whole, and the false discovery rate among features.
LEVEL = 0.05
#: Features named in words, at most.
_NAMED = 3
#: Clients, or therapists, below which only large differences show.
_FEW = 30
#: Standardised difference from which on a feature is said to be higher or lower.
_MOVED = 0.1
#: Of the share missing, from which on that is what is said.
_MORE_MISSING = 0.1


@dataclass(frozen=True)
class Drift:
    """What was found.

    Attributes
    ----------
    sessions, groups
        New ones; who swapped sides.
    training_sessions, training_groups
        That are compared with: withdrawn ones are not.
    unit
        What groups are: ``clients`` or ``therapists``.
    auc
        How well new sessions are told from those of the training, for groups held out; 0.5 is chance. NaN with too few.
    p
        (b + 1) / (m + 1), with b of m permutations that reach the AUC (Phipson & Smyth 2010).
    permutations
        m.
    features
        Those that differ first, by the size of the difference.
    why
        Why there are no tests; empty where there are.
    """

    sessions: int
    groups: int
    training_sessions: int
    training_groups: int
    unit: str
    auc: float
    p: float
    permutations: int
    features: tuple[FeatureDrift, ...]
    why: str

    @property
    def differing(self) -> tuple[FeatureDrift, ...]:
        """Features that differ by more than chance."""
        return tuple(one for one in self.features if one.q <= LEVEL)

    def said(self) -> tuple[str, ...]:
        """In words, a line each."""
        if self.why:
            return (self.why,)
        apart = self.p <= LEVEL
        whole = (
            f"Sessions of this cohort {'can' if apart else 'could not'} be told from those of the training "
            f"(AUC {self.auc:.2f}, 0.5 is chance, p = {self.p:.3f})"
        )
        count, total = len(self.differing), len(self.features)
        if count:
            named = ", ".join(_said(one) for one in self.differing[:_NAMED])
            joined = ": " if apart else ", but "
            verb = "differs" if count == 1 else "differ"
            lines = [f"{whole}{joined}{count} of {total} features {verb}; most: {named}."]
        else:
            lines = [f"{whole}; none of {total} features differs by more than chance."]
        if min(self.groups, self.training_groups) < _FEW:
            lines.append(
                f"With {self.groups} {self.unit} here and {self.training_groups} in the training, only large "
                "differences show."
            )
        if (
            self.unit != THERAPISTS
            and (apart or count)
            and any(_shared(one.feature) for one in self.features)
        ):
            lines.append(
                "Whole clients were compared: where some share a therapist, a difference may be one between a few "
                "therapists."
            )
        return tuple(lines)


def drift(
    reference: Reference,
    features_new: pd.DataFrame,
    training_groups: npt.NDArray[np.str_],
    new_groups: npt.NDArray[np.str_],
    *,
    seed: int,
    unit: str = CLIENTS,
) -> Drift:
    """Compare new sessions with those of a training.

    Parameters
    ----------
    reference
        What was kept of the training.
    features_new
        m rows with the reference's features; NaN where missing.
    training_groups
        Who must be kept together, for each row of the training, (n,); any labels. Clients; or, where they are known on
        both sides, therapists (`vsa.bond.folds.circles` where clients change them).
    new_groups
        The same for the new ones, (m,). They are taken to be others.
    seed
        Of permutations and folds.
    unit
        What the groups are, for words: ``clients`` or ``therapists``.

    Raises
    ------
    InputError
        When the groups are not those of the reference.
    """
    if len(training_groups) != len(reference.kept):
        raise InputError(
            f"The model's file tells of {len(training_groups)} training sessions and holds {len(reference.kept)}.",
            "Get the file again.",
        )
    old, new = reference.codes[reference.kept], reference.codes_of(features_new)
    groups = np.asarray(training_groups)[reference.kept]
    count, count_before = len(np.unique(new_groups)), len(np.unique(groups))
    few = min(count, count_before) < LEAST_GROUPS
    why = (
        f"{count} {unit} here and {count_before} in the training: {LEAST_GROUPS} are the least to tell a difference "
        "between cohorts from one between people."
    )
    sides = Sides.of(groups, new_groups)
    found = feature_drift(reference.features, old, new, None if few else sides, seed)
    found.sort(key=lambda one: (not one.q <= LEVEL, -np.nan_to_num(one.psi)))
    auc, p, permutations = (np.nan, np.nan, 0) if few else told_apart(np.concatenate([old, new]), sides, seed)
    return Drift(
        sessions=len(new),
        groups=count,
        training_sessions=len(old),
        training_groups=count_before,
        unit=unit,
        auc=float(auc),
        p=float(p),
        permutations=permutations,
        features=tuple(found),
        why=why if few else "",
    )


def _shared(feature: str) -> bool:
    """Whether clients of one therapist are alike in it."""
    return feature.partition(".")[0] in (DYAD, "therapist")


def _said(one: FeatureDrift) -> str:
    from vsa.features.words import label

    more = one.missing - one.missing_in_training
    if abs(more) >= _MORE_MISSING:
        how = f"missing in {one.missing:.0%} of sessions, in the training in {one.missing_in_training:.0%}"
    elif abs(one.difference) >= _MOVED:
        how = "higher" if one.difference > 0 else "lower"
    else:
        how = "spread in another way"
    return f"{label(one.feature)} (PSI {one.psi:.2f}, {one.psi_by_chance:.2f} by chance: {how})"
