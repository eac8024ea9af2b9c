"""The sessions of a report in the order of its list, with what the study, the model and the bonds say of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsa.bond.cohort import simulated_rows
from vsa.bond.flags import Flags, flag, session_ids
from vsa.bond.rules.file import load_rules
from vsa.bond.rules.rules import flag_by_rules
from vsa.errors import InputError
from vsa.features.registry import is_full_name
from vsa.run.reporting.request import Request
from vsa.run.reporting.session_view import Row
from vsa.study.addresses import Address, Place
from vsa.study.cells import restored
from vsa.study.consent import allowed_rows
from vsa.study.results import Results
from vsa.study.tables import of_rater, read_table, with_bonds

if TYPE_CHECKING:
    import pandas as pd

    from vsa.bond.model import BondModel

BOND = "bond"
_GIVE_BONDS = "bonds.csv"
_AT_AN_ADDRESS = (
    "Pages of a study at an address have no timelines and sheets: copy it to this machine for those."
)


@dataclass(frozen=True, eq=False)
class Listing:
    """What a report is made of.

    Attributes
    ----------
    rows
        In the order of the list; by id without one.
    table
        The same sessions in the order of the study, with bonds and what is known of clients.
    features
        Columns that are features.
    flags
        The list; None without a model or rules.
    held_out
        Session to the bond that was expected when its people were held out in training.
    left_out
        Sessions without consent.
    target
        Column of the reported bond.
    notes
        What to tell.
    """

    rows: tuple[Row, ...]
    table: pd.DataFrame
    features: tuple[str, ...]
    flags: Flags | None
    held_out: Mapping[str, float]
    left_out: tuple[str, ...]
    target: str
    notes: tuple[str, ...]


def listing(asked: Request, model: BondModel | None) -> Listing:
    """Read the study and make the list.

    Raises
    ------
    InputError
        When the study, its bonds or what is known of clients can't be read, no session may be used, or the model does
        not fit.
    """
    allowed = allowed_rows(read_table(asked.study), asked.study, asked.purpose)
    table, notes = allowed.table, list(allowed.notes)
    if isinstance(asked.study, Address):
        notes.append(_AT_AN_ADDRESS)
    own = [str(name) for name in table]
    if asked.bonds is not None:
        table = with_bonds(table, of_rater(read_table(asked.bonds), asked.rater))
    if asked.clients is not None:
        from vsa.bond.comparison.clients import with_clients

        table = with_clients(table, of_rater(read_table(asked.clients), asked.rater))
    names = [str(name) for name in session_ids(table)]
    target = BOND if model is None else model.info.target
    if target not in table and isinstance(asked.study, Path) and (asked.study / _GIVE_BONDS).is_file():
        notes.append(f"Reported bonds are not shown: give --bonds {asked.study / _GIVE_BONDS}.")
    flags = _flags(asked, table, model)
    by_name = {} if flags is None else {str(r["session_id"]): r for r in flags.table.to_dict("records")}
    order = list(by_name) if flags is not None else sorted(names)
    features = tuple(str(name) for name in table if is_full_name(str(name)))
    facts = [name for name in own if name in table and name not in features and name != target]
    rows = _rows(asked, table, names, features, facts, target, by_name)
    notes += _damaged(asked.study, rows.values())
    return Listing(
        rows=tuple(rows[name] for name in order),
        table=table,
        features=features,
        flags=flags,
        held_out=_held_out(asked.model),
        left_out=allowed.left_out,
        target=target,
        notes=(*notes, *(() if flags is None else flags.notes)),
    )


def _flags(asked: Request, table: pd.DataFrame, model: BondModel | None) -> Flags | None:
    if model is not None:
        return flag(model, table, asked.budget, asked.threshold)
    return flag_by_rules(table, load_rules(asked.rules_file), asked.budget) if asked.rules else None


def _rows(
    asked: Request,
    table: pd.DataFrame,
    names: list[str],
    features: tuple[str, ...],
    columns: list[str],
    target: str,
    flags: Mapping[str, Mapping[str, Any]],
) -> dict[str, Row]:
    results = Results(asked.study) if isinstance(asked.study, Path) and asked.study.is_dir() else None
    simulated = simulated_rows(table).to_numpy(bool)
    values = table[list(features)].to_numpy(np.float64)
    bonds = table[target].to_numpy(np.float64) if target in table else np.full(len(table), math.nan)
    facts = table[columns].map(_text).to_dict("records")
    rows = {}
    for k, name in enumerate(names):
        record = None if results is None else results.finished(name)
        rows[name] = Row(
            session_id=name,
            facts={str(key): value for key, value in facts[k].items()},
            values=dict(zip(features, values[k].tolist(), strict=True)),
            simulated=bool(simulated[k]) or bool((record or {}).get("simulated")),
            bond=float(bonds[k]),
            flag=flags.get(name),
            record=record,
            folder=None if results is None or record is None else results.session(name),
        )
    return rows


def _damaged(study: Place, rows: Iterable[Row]) -> list[str]:
    """Of sessions whose folder is there and can't be used."""
    if not isinstance(study, Path) or not study.is_dir():
        return []
    without = [row.session_id for row in rows if row.record is None]
    bad = [name for name in without if (study / name / "session.json").is_file()]
    some = ", ".join(bad[:3]) + (", …" * (len(bad) > 3))
    return [f"Damaged, so without timeline and sheet: {some}. vsa extract does them again."] if bad else []


def _text(value: Any) -> str:
    """A cell as people write it: a column of whole numbers with gaps is one of floats."""
    import pandas as pd

    if pd.isna(value):
        return ""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _held_out(model: Path | None) -> dict[str, float]:
    """What was expected of sessions of the training when their people were held out; empty if it is not there."""
    from vsa.run.evaluation_files import PREDICTIONS, evaluation_file

    if model is None or not (path := evaluation_file(model, PREDICTIONS)):
        return {}
    try:
        told = read_table(path)
        names = map(restored, told["session_id"].astype(str))
        return dict(zip(names, told["expected"].astype(float), strict=True))
    except (InputError, KeyError, ValueError):
        return {}  # the model stands without: its points are then missing from one chart
