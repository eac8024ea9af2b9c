"""A comparison as a table, one row a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from vsa.bond.comparison.columns import TOLD_FROM

if TYPE_CHECKING:
    from vsa.bond.comparison.compare import Comparison
    from vsa.bond.comparison.model import Model
    from vsa.bond.comparison.records import Group, Test

#: Columns, in their order; those that do not apply to a row are empty.
COLUMNS = (
    "what",
    "outcome",
    "factor",
    "test",
    "reference",
    "group",
    "n",
    "n_reference",
    "n_group",
    "mean_reference",
    "mean_group",
    "statistic",
    "df1",
    "df2",
    "p",
    "p_adjusted",
    "difference",
    "low",
    "high",
    "g",
    "g_low",
    "g_high",
    "g_pooled",
    "equivalence_p",
    "equivalence_p_adjusted",
    "eta2",
    "omega2",
    "share_low",
    "share_high",
    "anova_f",
    "anova_df1",
    "anova_df2",
    "anova_p",
    "r",
    "r_low",
    "r_high",
    "rank_test",
    "rank_p",
    "sd",
    "sd_low",
    "sd_high",
    "centred",
    "reason",
    "simulated",
)
_COPIED = frozenset(COLUMNS) - {"what", "group", "n", "centred", "simulated"}


def comparison_table(found: Comparison) -> pd.DataFrame:
    """All tests, pairs, coefficients and features, a row each.

    Returns
    -------
    `what` is ``test`` (of which p is adjusted by Holm), ``group`` (its number of people and mean; ``<5`` people are not
    told), ``pair`` (p by Games & Howell), ``coefficient`` and ``term`` (of the model over ``clients`` or ``sessions``,
    named in `test`), ``behaviour`` (p adjusted by Benjamini & Hochberg).
    """
    rows = [{**row, "simulated": found.simulated} for row in _rows(found)]
    # as objects, or whole numbers beside empty cells become 60.0
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _rows(found: Comparison) -> Iterator[dict[str, Any]]:
    for test in found.tests:
        yield {"what": "test", **_test(test), "p_adjusted": test.p_holm}
        for group in test.groups:
            yield _group(test, group)
        for pair in test.pairs:
            yield {
                "what": "pair",
                "outcome": test.outcome,
                "factor": test.factor,
                "test": "Games-Howell",
                "reference": pair.first,
                "group": pair.second,
                "difference": pair.difference,
                "g": pair.g,
                "g_low": pair.g_low,
                "g_high": pair.g_high,
                "p_adjusted": pair.p,
            }
    for model in found.models:
        yield from _model(model)
    for one in found.behaviours:
        yield {"what": "behaviour", **_test(one.test), "p_adjusted": one.q, "centred": one.centred}


def _test(test: Test) -> dict[str, Any]:
    groups = {group.level: group for group in test.groups}
    both: dict[str, Any] = {}
    for which, level in (("reference", test.reference), ("group", test.group)):
        if level:
            both[f"n_{which}"], both[f"mean_{which}"] = groups[level].clients, groups[level].mean
    own = {name: value for name, value in vars(test).items() if name in _COPIED}
    return {**own, **both, "group": test.group, "n": test.n, "equivalence_p_adjusted": test.equivalence_holm}


def _group(test: Test, group: Group) -> dict[str, Any]:
    return {
        "what": "group",
        "outcome": test.outcome,
        "factor": test.factor,
        "group": group.level,
        "n": f"<{TOLD_FROM}" if group.clients is None else group.clients,
        "mean_group": group.mean,
        "low": group.low,
        "high": group.high,
        "sd": group.sd,
        "reason": "" if group.tested else "too few",
    }


def _model(model: Model) -> Iterator[dict[str, Any]]:
    shared = {"outcome": model.outcome, "test": model.over, "n": model.n}
    if model.reason:
        yield {"what": "term", **shared, "reason": model.reason}
    for one in model.coefficients:
        told = asdict(one)
        yield {
            "what": "coefficient",
            **shared,
            "factor": told.pop("term"),
            "group": told.pop("name"),
            "difference": told.pop("value"),
            **told,
        }
    for term in model.terms:
        own = {"factor": term.name, "statistic": term.f, "df1": term.df1, "df2": term.df2, "p": term.p}
        yield {"what": "term", **shared, **own}
