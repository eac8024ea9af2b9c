"""From answers to scores: reversed items, scales, what to do about items that were left out, percentiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsa.errors import InputError
from vsa.study.answers import Answers
from vsa.study.instruments import Instrument
from vsa.study.item_columns import squash

if TYPE_CHECKING:
    import pandas as pd

#: Bartholomew & Horowitz 1991: a questionnaire with these items describes four styles of attachment.
STYLES = ("secure", "fearful", "preoccupied", "dismissing")
#: Scores that a percentile is given among, at least; below the second it is uncertain.
PERCENTILE_FROM, PERCENTILE_WARNED = 20, 50


@dataclass(frozen=True)
class ScaleScores:
    """Scores of one scale, a value each person.

    Attributes
    ----------
    mean
        Of the items answered, in the answers' range; NaN with too few.
    sum
        The mean times the number of items of the scale: what the sum would be if those left out were like the others.
    pomp
        Percent of maximum possible, 0 to 100 (Cohen et al. 1999).
    answered
        How many items were.
    prorated
        Whether there is a score though items were left out.
    """

    mean: NDArray[np.float64]
    sum: NDArray[np.float64]
    pomp: NDArray[np.float64]
    answered: NDArray[np.int64]
    prorated: NDArray[np.bool_]


def keyed(
    values: NDArray[np.float64], instrument: Instrument, *, already_reversed: bool = False
) -> NDArray[np.float64]:
    """Answers as they are scored: those to reversed items are low + high - answer.

    Parameters
    ----------
    values
        (n, items), as given.
    instrument
        The questionnaire.
    already_reversed
        Whoever made the table has done it.
    """
    turned = np.array([item in instrument.reversed for item in instrument.items])
    if already_reversed or not turned.any():
        return values.copy()
    return np.where(turned, instrument.low + instrument.high - values, values)


def scale_scores(values: NDArray[np.float64], low: float, high: float, least: float) -> ScaleScores:
    """Score a scale.

    Parameters
    ----------
    values
        (n, items of the scale), reversed where need be; NaN where not answered.
    low, high
        Range of an answer.
    least
        Share of the items that must be answered; the others are taken to be like the mean of these.

    Examples
    --------
    >>> scale_scores(np.array([[1.0, 2.0, 3.0, np.nan]]), 1, 5, least=0.75).sum
    array([8.])
    """
    there = ~np.isnan(values)
    answered = there.sum(1)
    items = values.shape[1]
    enough = (answered > 0) & (answered / items >= least)
    total = np.where(there, values, 0).sum(1)
    mean = np.full(len(values), np.nan)
    mean[enough] = total[enough] / answered[enough]
    return ScaleScores(
        mean=mean,
        sum=np.where(answered == items, total, mean * items),
        pomp=(mean - low) / (high - low) * 100,
        answered=answered,
        prorated=enough & (answered < items),
    )


def check_prorate(least: float) -> None:
    """Check the share of a scale's items that must be answered.

    Raises
    ------
    InputError
        When it is no share.
    """
    if not 0 < least <= 1:
        raise InputError(
            f"--prorate {least:g} is no share of items.", "Give one above 0, up to 1 (all must be answered)."
        )


def score(
    answers: Answers, instrument: Instrument, *, prorate: float | None = None, already_reversed: bool = False
) -> pd.DataFrame:
    """Score filled-in questionnaires.

    Parameters
    ----------
    answers
        See `vsa.study.answers`.
    instrument
        The questionnaire that they answer.
    prorate
        Share of a scale's items that must be answered; the questionnaire's rule if it is not given.
    already_reversed
        Reversed items were turned round by whoever made the table.

    Returns
    -------
    One row for each questionnaire: `session_id` (or `client_id`), further ids, `rater` (who filled it in),
    `instrument`, `prorate`; for each scale ``<scale>_mean``, ``_sum``, ``_pomp``, ``_answered`` and ``_prorated``, and
    ``_cut`` (at or below the published one) where there is one; differences; `style` where the questionnaire
    describes the four styles of attachment; `bond`, `bond_percentile` and `bond_percentile_n` where it has a scale for
    the bond.

    Raises
    ------
    InputError
        When `prorate` is no share.
    """
    import pandas as pd

    least = instrument.prorate if prorate is None else prorate
    check_prorate(least)
    values = keyed(answers.values, instrument, already_reversed=already_reversed)
    columns: dict[str, Sequence[object] | NDArray[np.generic] | pd.Series] = {
        answers.key: answers.ids,
        **answers.carried,
        "rater": answers.raters,
        "instrument": [instrument.id] * len(answers),
        "prorate": [least] * len(answers),
    }
    scales = {
        name: scale_scores(some, instrument.low, instrument.high, least)
        for name, some in scale_items(values, instrument).items()
    }
    for name, scores in scales.items():
        columns[f"{name}_mean"] = scores.mean
        columns[f"{name}_sum"] = scores.sum
        columns[f"{name}_pomp"] = scores.pomp
        columns[f"{name}_answered"] = scores.answered
        columns[f"{name}_prorated"] = scores.prorated
    for cut in instrument.cuts:
        scored = getattr(scales[cut.scale], cut.score)
        # rounded, for 8.8 + 9.9 + 9.6 + 7.7 is a bit more than 36
        below = pd.Series(scored.round(9) <= cut.at, dtype="boolean")
        columns[f"{cut.scale}_cut"] = below.mask(np.isnan(scored))
    columns.update(_differences(values, instrument))
    if set(STYLES) <= set(instrument.items):
        columns["style"] = styles(values, instrument, answers.choices)
    if instrument.bond is not None:
        bond = scales[instrument.bond].mean
        percentile, count = percentiles(bond, answers.raters)
        columns |= {"bond": bond, "bond_percentile": percentile, "bond_percentile_n": count}
    table = pd.DataFrame(columns)
    table.attrs["source"] = answers.source
    return table


def scale_items(values: NDArray[np.float64], instrument: Instrument) -> dict[str, NDArray[np.float64]]:
    """The columns of each scale's items."""
    place = {item: k for k, item in enumerate(instrument.items)}
    return {name: values[:, [place[item] for item in items]] for name, items in instrument.scales.items()}


def _differences(values: NDArray[np.float64], instrument: Instrument) -> Mapping[str, NDArray[np.float64]]:
    """Sums of some items less those of others; NaN if any of them is."""
    place = {item: k for k, item in enumerate(instrument.items)}
    return {
        name: values[:, [place[item] for item in plus]].sum(1)
        - values[:, [place[item] for item in minus]].sum(1)
        for name, (plus, minus) in instrument.differences.items()
    }


def styles(values: NDArray[np.float64], instrument: Instrument, choices: Sequence[str]) -> list[str | None]:
    """The style that each person rates highest; ties go to what they chose, if it is among them; else None.

    Parameters
    ----------
    values
        (n, items); all four must be rated.
    instrument
        With `STYLES` among its items.
    choices
        The style that each chose where the form asks for one, or "".
    """
    rated = values[:, [instrument.items.index(style) for style in STYLES]]
    found: list[str | None] = []
    for ratings, chosen in zip(rated, choices, strict=True):
        top = [style for style, rating in zip(STYLES, ratings, strict=True) if rating == ratings.max()]
        if len(top) > 1:
            top = [style for style in top if style == squash(chosen)]
        found.append(top[0] if len(top) == 1 else None)
    return found


def percentiles(
    scores: NDArray[np.float64], raters: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Where each score stands among those of the same respondents in this table.

    Parameters
    ----------
    scores
        NaN where there is none.
    raters
        Who gave each.

    Returns
    -------
    Mid-rank percentiles, 0 to 100 (the share below, and half of those equal, itself included); NaN with fewer than
    `PERCENTILE_FROM` scores. And how many scores there are.
    """
    found = np.full(len(scores), np.nan)
    counts = np.zeros(len(scores), dtype=np.int64)
    for rater in set(raters):
        of = np.array([one == rater for one in raters])
        some = np.sort(scores[of & ~np.isnan(scores)])
        counts[of] = len(some)
        if len(some) >= PERCENTILE_FROM:
            ranks = np.searchsorted(some, scores[of], "left") + np.searchsorted(some, scores[of], "right")
            found[of] = np.where(np.isnan(scores[of]), np.nan, ranks / 2 / len(some) * 100)
    return found, counts
