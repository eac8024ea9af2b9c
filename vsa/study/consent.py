"""What people agreed to: per participant and purpose, and which sessions a command may use by it.

There is no purpose that evaluates staff, and none can be added in a manifest: where emotions or intentions of people at
work are inferred from their faces and voices, the EU AI Act (Art. 5) forbids it but for medical or safety reasons.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.errors import InputError
from vsa.study.addresses import Address, AddressError, Place
from vsa.study.cells import shown
from vsa.study.folder import FEATURES, MANIFEST, SESSION, manifest_of, study_of
from vsa.study.session_files import read_record

if TYPE_CHECKING:
    import pandas as pd

#: What sessions can be used for: studies of groups; reviews of sessions (`vsa flag`, `vsa report`); learning a model
#: (`vsa train`).
PURPOSES = ("research", "quality", "training")
#: Stands for everybody, where no participant is named.
ALL = "all"
YES = "yes"
#: Cells that plainly say no, and need no explanation; the last is what `vsa withdraw` writes.
_NO = ("", "no", "withdrawn")
_BETWEEN = re.compile(r"[\s,;+|]+")
_STAFF = re.compile(
    r"staff\w*|employ\w*|evaluat\w*|perform\w*|apprais\w*|assess\w*|rank\w*|rating\w*|promotion\w*|hr|hiring|payroll"
    r"|supervis\w*|disciplin\w*"
)
_RIGHT = f"write yes (all purposes), some of {', '.join(PURPOSES)}, or no"
_NAMED = 5


@dataclass(frozen=True)
class Consent:
    """What may be done with a session.

    Attributes
    ----------
    by
        Participant (``all``: everybody, where none is named) to the purposes that this person agreed to.
    """

    by: Mapping[str, frozenset[str]]

    @property
    def purposes(self) -> frozenset[str]:
        """What all agreed to."""
        return reduce(frozenset.intersection, self.by.values()) if self.by else frozenset()

    def record(self) -> dict[str, Any]:
        """For ``session.json``."""
        return {
            "by": {who: sorted(purposes) for who, purposes in self.by.items()},
            "purposes": sorted(self.purposes),
        }


def purposes_in(cell: str) -> frozenset[str]:
    """Read a cell of the manifest: ``yes``, or purposes; anything else is no consent.

    Raises
    ------
    ValueError
        When it names a purpose and something else, or the evaluation of staff; the message says what would be right.

    Examples
    --------
    >>> sorted(purposes_in("research; quality")), sorted(purposes_in("no"))
    (['quality', 'research'], [])
    """
    if cell.strip().lower() == YES:
        return frozenset(PURPOSES)
    words = [word for word in _BETWEEN.split(cell.lower()) if word]
    known = frozenset(words).intersection(PURPOSES)
    unknown = [word for word in words if word not in known]
    agreed = known or YES in words
    staff = [word for word in unknown if _STAFF.fullmatch(word)]
    if staff and (agreed or len(staff) == len(unknown)):
        raise ValueError(
            f"names '{shown(staff[0], 30)}': vsa has no purpose that evaluates staff, and sessions can't be used for "
            f"that; {_RIGHT}"
        )
    if known and unknown:
        raise ValueError(
            f"names {' and '.join(sorted(known))}, and '{shown(unknown[0], 30)}', which is no purpose; {_RIGHT}"
        )
    return known


def consent_of(cells: Mapping[str, frozenset[str]], roles: Iterable[str]) -> Consent:
    """The consent of a row.

    Parameters
    ----------
    cells
        Role to what its column ``consent:<role>`` says; the empty role is the column ``consent``, which stands for all:
        where both are there, both must agree.
    roles
        The participants that the manifest names.
    """
    everybody = cells.get("", frozenset(PURPOSES))
    who = list(dict.fromkeys([*roles, *(role for role in cells if role)]))
    if not who:
        return Consent({ALL: everybody if "" in cells else frozenset()})
    return Consent(
        {role: everybody & cells.get(role, everybody if "" in cells else frozenset()) for role in who}
    )


def why_left_out(consent: Consent, cells: Mapping[str, str], purpose: str = "") -> str:
    """Why a session is not processed, where its cells don't plainly say no; else empty.

    Parameters
    ----------
    consent
        Of the session.
    cells
        Column to what stands in it.
    purpose
        What was asked for; empty: any.
    """
    for column, cell in cells.items():
        if cell.lower() not in _NO and not purposes_in(cell):
            return f"{column} says '{shown(cell, 40)}'; {_RIGHT}"
    if not all(consent.by.values()):
        return ""
    said = "; ".join(f"{who}: {', '.join(sorted(given))}" for who, given in consent.by.items())
    return f"agreed to {said}; {f'not all to {purpose}' if purpose else 'there is no purpose that all agreed to'}"


@dataclass(frozen=True, eq=False)
class Allowed:
    """Which rows of a table may be used.

    Attributes
    ----------
    table
        These rows.
    left_out
        Sessions whose people did not all agree to the purpose.
    notes
        What to tell the user.
    """

    table: pd.DataFrame
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def allowed_rows(table: pd.DataFrame, source: Place, purpose: str) -> Allowed:
    """Leave out the sessions of a study that may not be used for a purpose.

    Parameters
    ----------
    table
        One row a session, with ``session_id``; tables from outside of a study are left as they are, and those without
        it too if there is any session in the study that may be used.
    source
        The study folder, or the file that the table was read from.
    purpose
        One of `PURPOSES`.

    Raises
    ------
    InputError
        When no row is left, or the study's manifest or store can't be read.
    """
    study = _around(source) if isinstance(source, Address) else study_of(source)
    if study is None:
        return Allowed(table, (), ())
    if "session_id" not in table:
        return Allowed(table, (), _of_unnamed(study, source, purpose))
    names = table["session_id"].astype(str)
    allowed, left_out, notes = allowed_sessions(names.tolist(), study, purpose)
    kept = table[names.isin([*allowed])].reset_index(drop=True)
    kept.attrs.update(table.attrs)
    return Allowed(kept, left_out, notes)


def _of_unnamed(study: Place, source: Place, purpose: str) -> tuple[str, ...]:
    """What to tell of a table that does not say which sessions it is of; refused where none of the study's would do."""
    from vsa.study.remote_results import results_at

    said = _manifest_consent(study)
    agreed = [*said.values(), *_agreed(results_at(study).sessions(), study).values()]
    if not agreed or all(purposes is not None and _may(purposes, purpose) for purposes in agreed):
        return ()
    if not any(_may(purposes, purpose) for purposes in agreed):
        raise _nobody(study, purpose)
    return (f"{source} has no session_id: it can't be told which of its rows lack consent for {purpose}.",)


def _nobody(study: Place, purpose: str) -> InputError:
    return InputError(
        f"No session of {study} may be used for {purpose}: not all of its people agreed to it.",
        f"Consent for it stands in the manifest as {YES}, or as a list of purposes with {purpose} in it.",
    )


def allowed_sessions(
    names: Iterable[str], study: Place, purpose: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The same for ids of a study's sessions: those that may be used, those left out, and what to tell."""
    agreed = _agreed(names, study)
    left_out = tuple(name for name, purposes in agreed.items() if not _may(purposes, purpose))
    allowed = tuple(name for name, purposes in agreed.items() if _may(purposes, purpose))
    if left_out and not allowed:
        raise _nobody(study, purpose)
    notes = []
    if left_out:
        notes.append(f"Left out, without consent for {purpose}: {_some(left_out)}.")
    if unrecorded := [name for name, purposes in agreed.items() if purposes is None]:
        notes.append(
            f"Nobody wrote down what these may be used for; check that it includes {purpose}: {_some(unrecorded)}."
        )
    return allowed, left_out, tuple(notes)


def without_consent(names: Iterable[str], study: Place) -> tuple[str, ...]:
    """Of a study's sessions, those that may be used for nothing: somebody said no, or there is no purpose of all.

    Raises
    ------
    InputError
        When the study's manifest or store can't be read.
    """
    return tuple(name for name, purposes in _agreed(names, study).items() if not _may(purposes, ""))


def check_session(session: Path, purpose: str = "") -> None:
    """Check that one session may be used.

    Parameters
    ----------
    session
        Its folder.
    purpose
        One of `PURPOSES`; empty: any.

    Raises
    ------
    InputError
        When it may not, or the manifest beside it can't be read.
    """
    session = session.resolve()
    (purposes,) = _agreed([session.name], session.parent).values()
    if not _may(purposes, purpose):
        what = f"be used for {purpose}" if purpose else "be used"
        raise InputError(
            f"Session {session.name} may not {what}: not all of its people agreed to it.",
            f"What they agreed to stands in the study's {MANIFEST}, else in the session's {SESSION}.",
        )


def _agreed(names: Iterable[str], study: Place) -> dict[str, frozenset[str] | None]:
    """What sessions may be used for, by id; None where nobody wrote it down."""
    said = _manifest_consent(study)
    return {
        name: said.get(unicodedata.normalize("NFC", name).casefold(), _recorded(study, name))
        for name in dict.fromkeys(names)
    }


def _may(purposes: frozenset[str] | None, purpose: str) -> bool:
    """Whether a session may be used for a purpose (empty: any)."""
    return purposes is None or (purpose in purposes if purpose else bool(purposes))


def _around(table: Address) -> Address | None:
    """The results folder that an address is, or lies in; None if it is in none."""
    try:
        folder = table if table.is_dir() else table.parent
        if (folder / SESSION).is_file() and not (folder / MANIFEST).is_file():
            folder = folder.parent
        return folder if any((folder / name).is_file() for name in (MANIFEST, FEATURES)) else None
    except AddressError as error:
        raise InputError(f"{table}: {error}.", error.hint) from None


def _manifest_consent(study: Place) -> Mapping[str, frozenset[str]]:
    """What the study's manifest says now: people may have changed their mind since extraction."""
    from vsa.study.manifest import read_consent

    if isinstance(study, Path):
        own = manifest_of(study)
        return read_consent(own) if own else {}
    path = study / MANIFEST
    try:
        return read_consent(path) if path.is_file() else {}
    except AddressError as error:
        raise InputError(f"{path}: {error}.", error.hint) from None


def _recorded(study: Place, name: str) -> frozenset[str] | None:
    """What was recorded at extraction: nothing if that can't be read; None if nobody wrote it down."""
    record = read_record(study / name)
    if record is None or record.get("consent") is None:
        return None
    said = record["consent"]
    purposes = said.get("purposes") if isinstance(said, dict) else None
    return frozenset(map(str, purposes)) if isinstance(purposes, list) else frozenset()


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
