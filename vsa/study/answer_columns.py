"""Which column of a table of answers is what: ids, who answered, and in long tables the item and its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsa.errors import InputError
from vsa.study.cells import shown
from vsa.study.instruments import Instrument
from vsa.study.item_columns import squash

#: What a column can be -> what it may be called, without case and punctuation.
ROLES: Mapping[str, tuple[str, ...]] = {
    "session_id": ("sessionid",),
    "client_id": ("clientid", "patientid"),
    "therapist_id": ("therapistid",),
    "participant_id": ("participantid", "personid"),
    "respondent": ("respondent", "rater", "informant", "perspective", "filledinby", "completedby"),
    "instrument": ("instrument", "questionnaire", "measure"),
    "item": ("item", "itemid", "itemname", "itemnumber", "question", "variable"),
    "value": ("value", "answer", "response", "rating", "itemvalue"),
    "choice": ("choice", "forcedchoice"),
    "simulated": ("simulated",),
}
#: Those that go into the output as they are.
_CARRIED = ("client_id", "therapist_id", "participant_id", "simulated")


@dataclass(frozen=True)
class Columns:
    """How the columns of a table are called; "" for those that it doesn't have.

    Attributes
    ----------
    key
        What identifies a questionnaire, beside who filled it in: ``session_id`` or ``client_id``.
    id
        Its column.
    carried
        Columns that go with the scores: what it is -> its column.
    choices
        What the forced choice may be called among the items of a long table, without case and punctuation.
    others
        Columns that may be items.
    """

    key: str
    id: str
    respondent: str
    instrument: str
    item: str
    value: str
    choice: str
    carried: Mapping[str, str]
    choices: frozenset[str]
    others: tuple[str, ...]


def find_columns(
    names: Sequence[str], instrument: Instrument, source: str, said: Mapping[str, str]
) -> Columns:
    """Find out what columns are.

    Parameters
    ----------
    names
        Of the columns.
    instrument
        The questionnaire: attachment may be answered once a client, and not in a session.
    source
        The table, for messages.
    said
        Of `ROLES` -> the column, which is not guessed then; "" for none.

    Raises
    ------
    InputError
        Without ids, with two columns that could be the same, or when `said` names what isn't there.
    """
    choices = frozenset(squash(which) + end for which in ("", instrument.id) for end in ROLES["choice"])
    of = {}
    for role, spelled in ROLES.items():
        if role in said:
            of[role] = _said(role, said[role], names, source)
            continue
        known = choices if role == "choice" else spelled
        like = [name for name in names if squash(name) in known and name not in said.values()]
        exact = [name for name in like if name == role]
        if len(like) > 1 and not exact:
            raise InputError(
                f"{source}: {' and '.join(map(shown, like))} could both be the {role}.",
                f"Say which: --column {role}={like[0]}",
            )
        of[role] = (exact or like or [""])[0]
    if strange := [role for role in said if role not in ROLES]:
        raise InputError(
            f"--column {shown(strange[0])}=… is not known.", f"A column can be {', '.join(ROLES)}."
        )
    key = "session_id" if of["session_id"] or instrument.measures != "attachment" else "client_id"
    if not of[key]:
        needed = "session_id" if key == "session_id" else "session_id (or client_id)"
        raise InputError(
            f"{source} has no column {needed}; there are {', '.join(shown(name, 30) for name in names[:12])}.",
            "It says which session each row belongs to. If it is called otherwise: --column session_id=NAME",
        )
    used = {name for name in of.values() if name}
    return Columns(
        key=key,
        id=of[key],
        respondent=of["respondent"],
        instrument=of["instrument"],
        item=of["item"],
        value=of["value"],
        choice=of["choice"],
        choices=choices,
        carried={role: of[role] for role in _CARRIED if of[role] and role != key},
        others=tuple(name for name in names if name not in used),
    )


def _said(role: str, column: str, names: Sequence[str], source: str) -> str:
    if column and column not in names:
        raise InputError(
            f"{source} has no column '{shown(column)}' (--column {role}={shown(column)}).",
            f"There are {', '.join(shown(name, 30) for name in names[:12])}.",
        )
    return column
