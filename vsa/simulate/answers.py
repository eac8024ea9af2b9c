"""Answers to a questionnaire whose latent score is known.

Items are congeneric: each is the latent score of its scale with a loading of its own, plus error; answers are what of
that falls between thresholds. Loadings and thresholds are set so that the scale comes out with the reliability (alpha)
and the share of people at its maximum that were asked for: client ratings of the alliance have moderate to large
ceilings (Meier & Feeley 2022, 37 studies). Which share exactly is an assumption.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsa.errors import InputError
from vsa.study.instruments import Instrument

Floats = NDArray[np.float64]

#: Correlation of a questionnaire's other scales with the one that carries the latent score, before error.
ALIKE = 0.85
#: Share of people at a scale's maximum.
CEILINGS = {"alliance": 0.2, "attachment": 0.02}
_SPREAD = 0.22  # standard deviation of answers before they are cut off, in ranges
_LOADINGS = (0.9, 1.1)  # of the items of a scale, in turn, relative to their mean
_TRIED = 6000  # people of whom the settings are found
_NEAR = 0.02  # alphas this far apart are the same


def answers_for(
    ids: pd.DataFrame,
    latent: Floats,
    instrument: Instrument,
    *,
    seed: int,
    respondent: str | None = None,
    alpha: float = 0.9,
    ceiling: float | None = None,
    missing: float = 0.01,
    straight: float = 0.02,
) -> pd.DataFrame:
    """Fill in a questionnaire for each row.

    Parameters
    ----------
    ids
        Columns to carry (`session_id`, …), n rows.
    latent
        Standard normal score of each row on the instrument's bond, or on its only scale, (n,).
    instrument
        Which questionnaire.
    seed
        The same seed gives the same answers.
    respondent
        Who fills it in; the instrument's first if not given.
    alpha
        Cronbach's alpha of a scale in the long run.
    ceiling
        Share of people at the maximum of that scale; a fifth if not given, and hardly anybody for attachment.
    missing
        Share of answers left out.
    straight
        Share of forms on which everything has the same answer.

    Returns
    -------
    `ids`, `respondent`, a column ``<instrument>_<item>`` for each item (NaN where not answered), `simulated`.

    Raises
    ------
    InputError
        When `respondent` doesn't fill in this questionnaire, a share is none, or a scale can't have this alpha.
    """
    who = respondent or instrument.respondents[0]
    if who not in instrument.respondents:
        raise InputError(
            f"{instrument.id} is not filled in by the {who}.", f"By {', '.join(instrument.respondents)}."
        )
    if ceiling is None:
        ceiling = CEILINGS[instrument.measures]
    for name, value in (("alpha", alpha), ("ceiling", ceiling)):
        if not 0 < value < 1:
            raise InputError(f"{name} {value:g} is no share.", "Give one between 0 and 1.")
    rng = np.random.default_rng([seed, 17])
    n = len(ids)
    values = np.full((n, len(instrument.items)), np.nan)
    for scale, items in _own_scales(instrument).items():
        carries = scale == instrument.bond or instrument.bond is None
        score = latent if carries else ALIKE * latent + np.sqrt(1 - ALIKE**2) * rng.standard_normal(n)
        r, middle = _settings(len(items), instrument.low, instrument.high, instrument.whole, alpha, ceiling)
        where = [instrument.items.index(item) for item in items]
        errors = rng.standard_normal((n, len(items)))
        values[:, where] = _answered(
            score, errors, r, middle, instrument.low, instrument.high, instrument.whole
        )
    same = rng.random(n) < straight
    values[same] = np.round(values[same].mean(axis=1, keepdims=True), 0 if instrument.whole else 1)
    turned = np.isin(instrument.items, instrument.reversed) & ~same[:, None]
    values = np.where(turned, instrument.low + instrument.high - values, values)
    values[rng.random(values.shape) < missing] = np.nan
    prefix = instrument.id.replace("-", "_")
    table = pd.DataFrame(values, columns=[f"{prefix}_{item}" for item in instrument.items])
    if instrument.whole:
        table = table.astype("Int64")
    given = ids.reset_index(drop=True)
    return pd.concat([given, table], axis=1).assign(respondent=who, simulated=True)


def _own_scales(instrument: Instrument) -> dict[str, tuple[str, ...]]:
    """Scales that share no items: the smallest first, so that a total is left out; items of none are one scale."""
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for scale, items in sorted(
        instrument.scales.items(), key=lambda pair: (pair[0] != instrument.bond, len(pair[1]))
    ):
        if not taken & set(items):
            found[scale] = items
            taken |= set(items)
    rest = tuple(item for item in instrument.items if item not in taken)
    return found | ({"rest": rest} if rest else {})


def _answered(
    score: Floats, errors: Floats, r: float, middle: float, low: float, high: float, whole: bool
) -> Floats:
    """Answers, (n, items), of a latent score, (n,); `r` is the mean correlation of two items before cutting."""
    k = errors.shape[1]
    loadings = np.sqrt(r) * np.resize(_LOADINGS, k) if k > 1 else np.full(1, np.sqrt(r))
    loadings = np.minimum(loadings, 0.99)
    felt = loadings * score[:, None] + np.sqrt(1 - loadings**2) * errors
    said = low + (high - low) * (middle + _SPREAD * felt)
    return np.asarray(np.clip(np.round(said, 0 if whole else 1), low, high))


@lru_cache
def _settings(
    items: int, low: float, high: float, whole: bool, alpha: float, ceiling: float
) -> tuple[float, float]:
    """Correlation of items, and the middle of answers (in ranges), that give this alpha and ceiling.

    Found by halving on people drawn once: cutting into a few answers lowers the correlation of items, and by how much
    depends on the ceiling.
    """
    rng = np.random.default_rng(0)
    score, errors = rng.standard_normal(_TRIED), rng.standard_normal((_TRIED, items))

    def given(r: float, middle: float) -> Floats:
        return _answered(score, errors, r, middle, low, high, whole)

    def ceiling_at(middle: float, r: float) -> float:
        return float(np.mean((given(r, middle) == high).all(axis=1)))

    def alpha_at(r: float, middle: float) -> float:
        return _alpha(given(r, middle))

    r = alpha if items == 1 else 0.5
    middle = 0.5
    for _ in range(4):  # each depends on the other a little
        middle = _halved(partial(ceiling_at, r=r), ceiling, -0.5, 2.0)
        if items > 1:
            r = _halved(partial(alpha_at, middle=middle), alpha, 0.01, 0.97)
    if items > 1 and abs(alpha_at(r, middle) - alpha) > _NEAR:
        raise InputError(
            f"{items} items can't have an alpha of {alpha:g}: {alpha_at(r, middle):.2f} is as near as they come.",
            "Give another.",
        )
    return r, middle


def _halved(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a rising function has the wanted value."""
    for _ in range(24):
        half = (low + high) / 2
        low, high = (half, high) if rising(half) < wanted else (low, half)
    return (low + high) / 2


def _alpha(answers: Floats) -> float:
    """Cronbach 1951."""
    k = answers.shape[1]
    return float(k / (k - 1) * (1 - answers.var(0).sum() / answers.sum(1).var()))
