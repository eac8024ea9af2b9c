"""Rows of features as tables that carry the registry's units and definitions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from vsa.errors import InputError
from vsa.features.registry import DYAD, Feature, find, is_full_name
from vsa.notebook.units import UNKNOWN, no_unit, with_units

#: Why a feature is missing that the session's vsa didn't compute.
NOT_COMPUTED = "the vsa that extracted this session did not compute it"
_TIDY_UNITS = no_unit(("session_id", "scope", "feature", "value", "unit", "missing_reason"))


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a session, one column a feature.

    Parameters
    ----------
    rows
        With `session_id`, as in ``features.parquet``.

    Returns
    -------
    Index `session_id`. ``attrs["units"]`` and ``attrs["definitions"]`` have an entry for each column.
    """
    names = [name for name in rows.columns if is_full_name(name)]
    table = rows.set_index(rows["session_id"].astype("str"))[names].astype("float64")
    table.index.name = "session_id"
    entries = {name: _entry(name) for name in names}
    with_units(table, {name: entry.unit for name, entry in entries.items() if entry})
    table.attrs["definitions"] = {
        name: entry.definition if entry else UNKNOWN for name, entry in entries.items()
    }
    return table


def tidy(
    table: pd.DataFrame, missing: Mapping[str, Mapping[str, str]], scopes: Mapping[str, Iterable[str]]
) -> pd.DataFrame:
    """One row a session, scope and feature.

    Parameters
    ----------
    table
        As `wide` gives it.
    missing
        Session -> full name of the feature -> why it is missing.
    scopes
        Session -> who is in it. What others in `table` have and these don't is left out.

    Returns
    -------
    `session_id`, `scope`, `feature`, `value` (in `unit`), `unit`, `missing_reason` (missing where there is a value).
    """
    lines = []
    for session, row in zip(table.index, table.to_numpy(), strict=True):
        here, reasons = {*scopes.get(session, ()), DYAD}, missing.get(session, {})
        for name, value in zip(table.columns, row, strict=True):
            scope, _, feature = name.partition(".")
            reason = None
            if math.isnan(value):
                if name not in reasons and scope not in here:
                    continue
                reason = reasons.get(name, NOT_COMPUTED)
            lines.append((session, scope, feature, float(value), table.attrs["units"][name], reason))
    columns = dict.fromkeys(_TIDY_UNITS, "str") | {"value": "float64"}
    made = pd.DataFrame(lines, columns=list(columns)).astype(columns)
    return with_units(made, {**_TIDY_UNITS, "value": "see unit"})


def _entry(name: str) -> Feature | None:
    try:
        return find(name)
    except InputError:
        return None
