"""What is known of clients, once each, beside their sessions: attachment scores, age, diagnosis."""

from __future__ import annotations

import pandas as pd

from vsa.bond.cohort_columns import simulated_rows
from vsa.errors import InputError

#: Of the other table these say who filled in what, which is not who rated the sessions.
_OF_THE_FORM = ("rater", "instrument", "prorate", "session_id", "therapist_id", "simulated")


def with_clients(sessions: pd.DataFrame, clients: pd.DataFrame) -> pd.DataFrame:
    """Put a table of clients beside sessions.

    Parameters
    ----------
    sessions
        With `client_id`; every row is kept.
    clients
        With `client_id`, once each; its other columns are added and replace those of the same name, but for what says
        how its own form was filled in (`rater`, `instrument`, `prorate`).

    Raises
    ------
    InputError
        Without `client_id`, with a client twice, when no client is in both, or when simulated people would be joined to
        others.
    """
    for table in (sessions, clients):
        if "client_id" not in table:
            raise InputError(f"{_name(table)} has no column client_id.", "Both tables need it to be joined.")
    known = clients["client_id"].dropna()
    if twice := sorted(known[known.duplicated()].unique()):
        raise InputError(
            f"{_name(clients)} has client {', '.join(twice[:5])} more than once.",
            "Keep one row a client and rater.",
        )
    if not sessions["client_id"].isin(known).any():
        raise InputError(
            f"No client_id of {_name(sessions)} is in {_name(clients)}.",
            f"They look like '{sessions['client_id'].iloc[0]}' and '{clients['client_id'].iloc[0]}'.",
        )
    if simulated_rows(sessions).any() != simulated_rows(clients).any():
        raise InputError(
            f"{_name(sessions)} and {_name(clients)}: one is simulated and the other is not.",
            "Compare one or the other.",
        )
    added = clients[clients["client_id"].notna()].drop(columns=[n for n in _OF_THE_FORM if n in clients])
    own = [name for name in sessions if name == "client_id" or name not in added]
    joined = sessions[own].merge(added, on="client_id", how="left", validate="many_to_one")
    joined.attrs.update(sessions.attrs)
    origin = dict.fromkeys(map(str, added.columns.drop("client_id")), _name(clients))
    joined.attrs["from"] = sessions.attrs.get("from", {}) | origin
    return joined


def _name(table: pd.DataFrame) -> str:
    return str(table.attrs.get("source", "The table"))
