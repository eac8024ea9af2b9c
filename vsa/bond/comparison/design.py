"""The columns of a regression on what people differ in: groups, numbers, and one interaction.

Groups are columns of 0 and 1 less 1 / number of groups; numbers are in SD from their mean, over clients. A coefficient
of modality is then the difference between its groups, averaged over those of attachment with the same weight for each,
also where their interaction is in the model (the test of a whole term is a type III test).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.comparison.columns import Names, counted
from vsa.bond.comparison.factors import Factor

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: What people are asked for that is more than its groups; interactions with modality are looked at.
ATTACHMENT = (
    "attachment",
    "style",
    "anxiety_mean",
    "avoidance_mean",
    "self_model",
    "other_model",
    "secure_mean",
    "fearful_mean",
    "preoccupied_mean",
    "dismissing_mean",
)
MODALITY = "modality"
TIMES = " × "
#: Of clients without it, from which on a column is left out rather than the clients.
MOST_MISSING = 0.2
#: Clients for each coefficient, at least.
CLIENTS_A_COLUMN = 3


@dataclass(frozen=True, eq=False)
class Design:
    """Columns for the m of n rows that can be used.

    Attributes
    ----------
    rows
        Which, (n,).
    columns
        (m, p), without the one of 1.
    names
        Of the columns, for people.
    terms
        Term to the numbers of its columns.
    notes
        What was left out, and why.
    """

    rows: Mask
    columns: Floats
    names: tuple[str, ...]
    terms: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]

    def formula(self, outcome: str) -> str:
        """As statistics programs write it."""
        return f"{outcome} ~ {' + '.join(self.terms).replace(TIMES, ':') or '1'}"


def design_of(
    who: Names,
    usable: Mask,
    factors: Sequence[Factor],
    covariates: Sequence[Factor],
    least: int,
) -> Design:
    """Decide on the columns.

    Parameters
    ----------
    who
        Whose row, (n,): clients are counted, not rows.
    usable
        Rows with a score, (n,).
    factors
        What is compared by, n values each.
    covariates
        What is allowed for.
    least
        Clients that a group, and each cell of an interaction, must have.
    """
    notes: list[str] = []
    kept = _known_of_most(who, usable, [*factors, *covariates], notes)
    rows, levels = _rows(who, usable, kept, least, notes)
    kept = [factor for factor in kept if factor.continuous or len(levels[factor.name]) > 1]
    crossed = _interactions(who, rows, kept, levels, least, notes)
    beside = {factor.name for factor in covariates}
    clients = len(np.unique(who[rows]))
    while (size := _size(kept, levels, crossed)) * CLIENTS_A_COLUMN > clients and (
        crossed or any(factor.name in beside for factor in kept)
    ):
        gone = [TIMES.join(pair) for pair in crossed] or [one.name for one in kept if one.name in beside]
        notes.append(
            f"Left out, for {clients} clients are too few for {size} coefficients: {', '.join(gone)}."
        )
        kept = kept if crossed else [factor for factor in kept if factor.name not in beside]
        crossed = []
    return _columns(who, rows, kept, levels, crossed, notes)


def _known_of_most(who: Names, usable: Mask, terms: Sequence[Factor], notes: list[str]) -> list[Factor]:
    kept = []
    for factor in terms:
        known = factor.values.notna().to_numpy()
        of = len(np.unique(who[usable]))
        missing = of - len(np.unique(who[usable & known]))
        if missing > MOST_MISSING * of:
            notes.append(f"{factor.name} is left out: not known of {counted(missing)} of {of} clients.")
        else:
            kept.append(factor)
    return kept


def _rows(
    who: Names, usable: Mask, kept: Sequence[Factor], least: int, notes: list[str]
) -> tuple[Mask, dict[str, tuple[str, ...]]]:
    """Rows with everything known, in groups that are large enough; and these groups."""
    rows = usable.copy()
    for factor in kept:
        rows &= factor.values.notna().to_numpy()
    incomplete = len(np.unique(who[usable])) - len(np.unique(who[rows]))
    if incomplete:
        notes.append(f"Clients left out because something of the above is not known: {counted(incomplete)}.")
    small: dict[str, list[str]] = {}
    while True:
        before = rows.sum()
        for factor in kept:
            for level in factor.levels:
                own = rows & (factor.values == level).to_numpy()
                if own.any() and len(np.unique(who[own])) < least:
                    rows &= ~own
                    small.setdefault(factor.name, []).append(level)
        if rows.sum() == before:
            break
    if small:
        said = "; ".join(f"{name} {', '.join(levels)}" for name, levels in small.items())
        notes.append(f"Clients of groups with fewer than {least} are left out: {said}.")
    levels = {factor.name: _levels(factor, rows) for factor in kept if not factor.continuous}
    for name, some in levels.items():
        if len(some) < 2:
            notes.append(f"{name} is left out: one group only is left.")
    return rows, levels


def _levels(factor: Factor, rows: Mask) -> tuple[str, ...]:
    there = set(factor.values[rows])
    return tuple(level for level in factor.levels if level in there)


def _interactions(
    who: Names,
    rows: Mask,
    kept: Sequence[Factor],
    levels: Mapping[str, tuple[str, ...]],
    least: int,
    notes: list[str],
) -> list[tuple[str, str]]:
    modality = next((factor for factor in kept if factor.name == MODALITY and not factor.continuous), None)
    if modality is None:
        return []
    found = []
    for factor in kept:
        if factor.name not in ATTACHMENT:
            continue
        cells = [
            rows
            & (modality.values == one).to_numpy()
            & ((factor.values == other).to_numpy() if other else True)
            for one in levels[MODALITY]
            for other in levels.get(factor.name, ("",))
        ]
        if min(len(np.unique(who[cell])) for cell in cells) < least:
            notes.append(
                f"{MODALITY}{TIMES}{factor.name} is left out: fewer than {least} clients in some combination."
            )
        else:
            found.append((MODALITY, factor.name))
    return found


def _size(
    kept: Sequence[Factor], levels: Mapping[str, tuple[str, ...]], crossed: Sequence[tuple[str, str]]
) -> int:
    """Coefficients, that of 1 included."""
    each = {factor.name: 1 if factor.continuous else len(levels[factor.name]) - 1 for factor in kept}
    return 1 + sum(each.values()) + sum(each[one] * each[other] for one, other in crossed)


def _columns(
    who: Names,
    rows: Mask,
    kept: Sequence[Factor],
    levels: Mapping[str, tuple[str, ...]],
    crossed: Sequence[tuple[str, str]],
    notes: list[str],
) -> Design:
    own: dict[str, tuple[Floats, list[str], list[str]]] = {}
    for factor in kept:
        values = factor.values[rows]
        if factor.continuous:
            number = values.to_numpy(np.float64)
            clients = pd.Series(number).groupby(who[rows]).mean()
            spread = float(clients.std(ddof=1)) or 1.0
            own[factor.name] = (
                ((number - clients.mean()) / spread)[:, None],
                [f"each SD more of {factor.name}"],
                [factor.name],
            )
        else:
            first, *others = levels[factor.name]
            dummies = np.column_stack([(values == level).to_numpy(np.float64) for level in others])
            own[factor.name] = (
                dummies - 1 / (len(others) + 1),
                [f"{factor.name}: {level} minus {first}" for level in others],
                [f"{factor.name} {level}" for level in others],
            )
    blocks = {name: (block, names) for name, (block, names, _) in own.items()}
    for one, other in crossed:
        (a, _, first_names), (b, _, second_names) = own[one], own[other]
        product = (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
        names = [f"{x}{TIMES}{y}" for x in first_names for y in second_names]
        blocks[f"{one}{TIMES}{other}"] = (product, names)
    matrix = np.ones((int(rows.sum()), 1))
    names_of, terms = list[str](), dict[str, tuple[int, ...]]()
    for term, (block, names) in blocks.items():
        wider = np.column_stack([matrix, block])
        if np.linalg.matrix_rank(_scaled(wider)) < wider.shape[1]:
            notes.append(f"{term} is left out: it can't be told apart from the terms before it.")
            continue
        terms[term] = tuple(range(matrix.shape[1] - 1, wider.shape[1] - 1))
        matrix = wider
        names_of += names
    return Design(rows, matrix[:, 1:], tuple(names_of), terms, tuple(notes))


def _scaled(columns: Floats) -> Floats:
    size = np.linalg.norm(columns, axis=0)
    return columns / np.where(size > 0, size, 1)
